"""Zarr in a folder, in a zip file or at a URL: what groups say, and arrays, checked before use."""

import json
import math
import re
import zipfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from napari_seedbed.errors import FileError
from napari_seedbed.pipeline.data.memory import available_memory, bytes_in_words
from napari_seedbed.pipeline.files.places import (
    is_url,
    network_errors,
    url_options,
    what_opens,
)

MARKERS = (".zattrs", ".zgroup", ".zarray", "zarr.json")
"""One of these is in every Zarr group or array."""

MOST_BLOCKS = 10_000_000
"""An array of more cannot be looked at in a window, nor be listed in memory."""

ABSENT = frozenset({403, 404})
"""What HTTP answers for what is not there; where listing is not allowed, that is forbidden."""
AT_ONCE = 16
"""Requests to a server."""

_LARGEST_DOCUMENT = 64 << 20
# Deflate cannot pack tighter: 258 bytes take two bits.
_TIGHTEST, _SMALL = 1032, 1 << 16
_NUMBERS = frozenset("biufc")
# Codecs that could run any program.
_REFUSED_CODECS = frozenset({"pickle"})
_OUTSIDE = re.compile(r"^[/\\]|^[A-Za-z]:|(?:^|[/\\])\.\.(?:[/\\]|$)")
# Under which xarray and others name dimensions in version 2 of Zarr.
_XARRAY = "_ARRAY_DIMENSIONS"

Documents = Callable[[Sequence[str]], dict[str, bytes]]


class ZarrStore:
    """A Zarr hierarchy that is open for reading, in versions 2 and 3 of Zarr.

    Parameters
    ----------
    path : Path
        A folder, a zip file, or a `Url`.

    Raises
    ------
    FileError
        Where it cannot be opened, or a library for the kind of URL is missing.
    """

    def __init__(self, path: Path) -> None:
        from zarr import storage

        self.path = path
        self._top = ""
        self._folder: Path | None = None
        self._store: Any
        if is_url(path):
            self._documents = _documents_at_url(path)
            self._store = storage.FsspecStore.from_url(
                str(path), read_only=True, storage_options=url_options(path)
            )
        elif path.is_dir():
            self._folder = path.resolve()
            self._documents = self._documents_in_folder
            self._store = storage.LocalStore(path, read_only=True)
        else:
            self._top, self._documents = _documents_in_zip(path)
            self._store = storage.ZipStore(path, mode="r")

    def attributes(self, members: Sequence[str]) -> list[dict[str, Any] | None]:
        """What each of some groups and arrays says of itself; None where there is none.

        Parameters
        ----------
        members : sequence of str
            Paths from the top, which is ``""``.

        Raises
        ------
        FileError
            For a path out of the store, and for what cannot be understood.
        """
        places = [self._place(member) for member in members]
        found = self._documents([_joined(place, "zarr.json") for place in places])
        older = [place for place in places if _joined(place, "zarr.json") not in found]
        if older:
            names = (".zattrs", ".zgroup", ".zarray")
            found |= self._documents([_joined(place, name) for place in older for name in names])
        return [self._understood(place, found) for place in places]

    def dimensions(self, member: str) -> list[str] | None:
        """Names of the dimensions of an array, empty where they have none; None of a group."""
        place = self._place(member)
        names = [_joined(place, name) for name in ("zarr.json", ".zarray", ".zattrs")]
        found = self._documents(names)
        newer, older, more = (json.loads(found.get(name, b"{}")) for name in names)
        shape = newer.get("shape", older.get("shape"))
        if shape is None:
            return None
        stated = newer.get("dimension_names") or more.get(_XARRAY) or ()
        return (
            [str(name or "") for name in stated] if len(stated) == len(shape) else [""] * len(shape)
        )

    def array(self, member: str) -> Any:
        """An array of numbers, as zarr has it, that can be read without harm.

        Raises
        ------
        FileError
            For a path out of the store, for values that are no numbers, and for sizes that cannot
            be true.
        """
        import zarr

        place = self._place(member)
        what = f"{self.path} could not be read: its array {member!r}"
        # Version 3 of Zarr has no such codecs.
        for document in self._documents([_joined(place, ".zarray")]).values():
            if not _codec_names(json.loads(document)).isdisjoint(_REFUSED_CODECS):
                raise FileError(f"{what} is packed as a pickle, which could run any program.")
        array = zarr.open_array(self._store, path=place, mode="r")
        if array.dtype.kind not in _NUMBERS:
            raise FileError(f"{what} holds {array.dtype} and no numbers.")
        if not array.size:
            raise FileError(f"{what} has no voxels; its shape is {array.shape}.")
        n_blocks = block_count(array.shape, array.shards or array.chunks)
        if n_blocks > MOST_BLOCKS:
            raise FileError(
                f"{what} says to have {n_blocks:.2g} blocks, more than can be read. Write it with "
                "larger ones."
            )
        block = math.prod(array.chunks) * array.dtype.itemsize
        if block > available_memory():
            raise FileError(
                f"{what} is in blocks of {bytes_in_words(block)}, for which there is not enough "
                "memory."
            )
        return array

    def _documents_in_folder(self, keys: Sequence[str]) -> dict[str, bytes]:
        found = {}
        for key in keys:
            file = self.path / key
            if file.is_file():
                if file.stat().st_size > _LARGEST_DOCUMENT:
                    raise _too_long(self.path, key)
                found[key] = file.read_bytes()
        return found

    def _place(self, member: str) -> str:
        """Where a member lies in the store."""
        if _OUTSIDE.search(member):
            raise FileError(
                f"{self.path} could not be read: it names {member!r}, a path out of it, which is "
                "not followed."
            )
        inside = self._folder
        if inside is not None and not (inside / member).resolve().is_relative_to(inside):
            raise FileError(
                f"{self.path} could not be read: {member!r} in it is a link out of it, which is "
                "not followed."
            )
        return _joined(self._top, member)

    def _understood(self, place: str, found: Mapping[str, bytes]) -> dict[str, Any] | None:
        for name in ("zarr.json", ".zattrs"):
            raw = found.get(_joined(place, name))
            if raw is None:
                continue
            if len(raw) > _LARGEST_DOCUMENT:
                raise _too_long(self.path, name)
            document = json.loads(raw)
            if name == "zarr.json":
                document = document.get("attributes", {})
            return dict(document)
        there = any(_joined(place, name) in found for name in (".zgroup", ".zarray"))
        return {} if there else None


def array_of(path: Path, member: str) -> Any:
    """An array of a hierarchy; see `ZarrStore.array`."""
    return ZarrStore(path).array(member)


def block_count(shape: Sequence[int], block: Sequence[int]) -> int:
    """How many blocks cover an array."""
    return math.prod(-(-length // size) for length, size in zip(shape, block, strict=True))


def is_zarr_zip(path: Path) -> bool:
    """Whether a file is a zip file with Zarr in it."""
    try:
        with zipfile.ZipFile(path) as file:
            return _top_of(file) is not None
    except (OSError, ValueError, zipfile.BadZipFile, NotImplementedError):
        return False


def _documents_in_zip(path: Path) -> tuple[str, Documents]:
    """Where Zarr begins in a zip file, and what reads members of it."""
    file = zipfile.ZipFile(path)
    top = _top_of(file)
    if top is None:
        raise FileError(f"{path} could not be read: it is a zip file without Zarr in it.")
    sizes = {}
    for info in file.infolist():
        packed = info.compress_type != zipfile.ZIP_STORED
        most = info.compress_size * _TIGHTEST + _SMALL if packed else info.compress_size
        if info.file_size > most or info.flag_bits & 1:
            raise FileError(
                f"{path} could not be read: {info.filename} in it says to be "
                f"{bytes_in_words(info.file_size)}, more than can be true, or is encrypted."
            )
        sizes[info.filename] = info.file_size

    def documents(keys: Sequence[str]) -> dict[str, bytes]:
        there = [key for key in keys if key in sizes]
        for key in there:
            if sizes[key] > _LARGEST_DOCUMENT:
                raise _too_long(path, key)
        return {key: file.read(key) for key in there}

    return top, documents


def _top_of(file: zipfile.ZipFile) -> str | None:
    """The folder in a zip file in which Zarr begins: the top, or the only folder there."""
    names = set(file.namelist())
    folders = {name.partition("/")[0] for name in names if "/" in name}
    tops = ["", *(folders if len(folders) == 1 else ())]
    return next((top for top in tops if any(_joined(top, one) in names for one in MARKERS)), None)


def _documents_at_url(path: Path) -> Documents:
    """What reads documents at a URL, several at once."""
    from fsspec.core import url_to_fs

    try:
        system, top = url_to_fs(str(path), **url_options(path))
    except ImportError as error:
        raise FileError(
            f"{path} could not be read: a package for such URLs is missing. Install it with "
            f"pip install {what_opens(path)}."
        ) from error

    def document(key: str) -> bytes | None:
        try:
            return system.cat_file(f"{top}/{key}")
        except (FileNotFoundError, PermissionError):
            return None
        except network_errors() as error:
            if getattr(error, "status", 0) in ABSENT:
                return None
            raise

    def documents(keys: Sequence[str]) -> dict[str, bytes]:
        with ThreadPoolExecutor(AT_ONCE) as pool:
            found = zip(keys, pool.map(document, keys), strict=True)
            return {key: value for key, value in found if value is not None}

    return documents


def _codec_names(described: Mapping[str, Any]) -> frozenset[str]:
    """Names of the codecs with which an array of version 2 is packed."""
    codecs = [described.get("compressor"), *(described.get("filters") or ())]
    return frozenset(str(codec.get("id")) for codec in codecs if codec is not None)


def _joined(*parts: str) -> str:
    return "/".join(part.strip("/") for part in parts if part)


def _too_long(path: Path, key: str) -> FileError:
    return FileError(f"{path} could not be read: {key} in it is longer than a description can be.")
