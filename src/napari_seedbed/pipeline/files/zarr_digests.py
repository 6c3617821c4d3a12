"""Whether an image at a URL is still the same, by what its server says of each of its blocks."""

import hashlib
import itertools
import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from napari_seedbed.core.progress import check_stop
from napari_seedbed.pipeline.files.places import network_errors, url_options
from napari_seedbed.pipeline.files.zarr_reading import image_of_store
from napari_seedbed.pipeline.files.zarr_store import ABSENT, AT_ONCE, ZarrStore

_TELLING = ("contentmd5", "md5hash", "etag", "digest", "generation", "lastmodified")
"""What servers call that which changes with what they hold, in small letters, the surest first: a
date changes also where the same block is uploaded again."""


def digest_of_blocks(path: Path, series: int | None = None) -> str:
    """Digest of an image of a Zarr hierarchy at a URL; the one that `read_image` gives.

    Of each block of the highest resolution it holds the checksum that the server gives, or else
    the ETag, or else the date, and what is in the block where the server gives none of them. No
    block is left out: a change of one changes it.

    Parameters
    ----------
    path : Url
    series : int, optional
        Which image, counted from 1.

    Raises
    ------
    FileError
        When it cannot be read.
    InputError
        When it has no such image.
    OSError, or one of `network_errors`
        When the server does not answer.
    Cancelled
        When the running job should stop.
    """
    from fsspec.core import url_to_fs

    store = ZarrStore(path)
    image = image_of_store(store, series)
    array = store.array(image.paths[0])
    system, top = url_to_fs(str(path), **url_options(path))
    digest = hashlib.blake2b(digest_size=16)
    described = array.metadata.to_dict()
    digest.update(json.dumps([image.attributes, described], sort_keys=True, default=str).encode())
    sizes = array.shards or array.chunks
    counts = [-(-length // size) for length, size in zip(array.shape, sizes, strict=True)]
    inner = map(array.metadata.encode_chunk_key, itertools.product(*map(range, counts)))
    keys = ("/".join(filter(None, (top, array.path, key))) for key in inner)

    def told(key: str) -> bytes:
        try:
            about = _telling(system.info(key))
            return json.dumps(about).encode() if about else system.cat_file(key)
        except (FileNotFoundError, PermissionError):
            return b""
        except network_errors() as error:
            if getattr(error, "status", 0) in ABSENT:
                return b""
            raise

    with ThreadPoolExecutor(AT_ONCE) as pool:
        while some := list(itertools.islice(keys, 16 * AT_ONCE)):
            check_stop()
            for said in pool.map(told, some):
                digest.update(f"{len(said)} ".encode() + said)
    return digest.hexdigest()


def _telling(about: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What tells one content of a file from another, in what a file system knows of it."""
    found = {name.lower().replace("-", "").replace("_", ""): value for name, value in about.items()}
    told = next(((name, str(found[name])) for name in _TELLING if found.get(name)), None)
    return [("size", str(found.get("size"))), told] if told else []
