"""Images from HDF5 files, among them those of ilastik and PlantSeg: datasets of numbers.

Only what is in the file itself is read: links, virtual datasets and voxels in other files could
lead anywhere.
"""

import json
import math
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from napari_seedbed.errors import FileError
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.data.memory import bytes_in_words
from napari_seedbed.pipeline.files.hdf5_heaps import check_heaps
from napari_seedbed.pipeline.files.images_of_file import ImageOfFile, chosen_image
from napari_seedbed.pipeline.files.label_signs import says_labels
from napari_seedbed.pipeline.files.placed_images import Placing, letters_of, placed_image
from napari_seedbed.pipeline.files.voxels_in_file import missing_note, read_voxels

HDF5_START = b"\x89HDF\r\n\x1a\n"

_MOST_OBJECTS = 10_000
# How much packing can add to what cannot be packed.
_MOST_GROWN, _CHECKSUMS = 1.1, 4096
_PLANTSEG_SIZE = "element_size_um"


def images_of_hdf5(path: Path) -> list[ImageOfFile]:
    """The datasets that can be images, labels last; the others in the order of their names."""
    with _opened(path) as file:
        return [_summary(place, dataset) for place, dataset in _images(file)]


def _summary(place: str, dataset: Any) -> ImageOfFile:
    return ImageOfFile(place, tuple(dataset.shape), dataset.dtype.name)


def read_hdf5(path: Path, name: str, lazy: bool | None, series: int | None) -> Image:
    """Read a dataset as `read_image` does.

    Raises
    ------
    FileError
        When the file is damaged, or holds no dataset that can be an image.
    InputError
        When it has no such dataset.
    """
    file = _opened(path)
    images = _images(file)
    if not images:
        file.close()
        raise FileError(
            f"{path} could not be read: none of its datasets are numbers along 2 or more axes, in "
            "this file itself."
        )
    nth, name, notes = chosen_image(path, name, series, [_summary(*image) for image in images])
    place, dataset = images[nth]
    _check_blocks(path, dataset)
    if len(dataset.attrs):
        check_heaps(path)
    array = read_voxels(path, dataset, lazy, token=place, reopen=partial(_dataset, path, place))
    letters = _letters(dataset)
    return placed_image(
        path,
        array,
        letters,
        Placing(_sizes(dataset, letters)),
        [*notes, *_missing(dataset)],
        name=name,
        holds_labels=says_labels(place),
    )


def _dataset(path: Path, place: str) -> Any:
    return _opened(path)[place]


def _opened(path: Path) -> Any:
    import h5py

    return h5py.File(path, "r", locking=False)


def _images(file: Any) -> list[tuple[str, Any]]:
    return sorted(_datasets(file), key=lambda found: says_labels(found[0]))


def _datasets(file: Any) -> Iterator[tuple[str, Any]]:
    """The datasets that can be images, by their paths, each once."""
    import h5py

    groups, seen = [("", file)], {h5py.h5o.get_info(file.id).addr}
    while groups:
        prefix, group = groups.pop(0)
        for key in group:
            if not isinstance(group.get(key, getlink=True), h5py.HardLink):
                continue
            one, place = group[key], f"{prefix}{key}"
            address = h5py.h5o.get_info(one.id).addr
            if address in seen or len(seen) > _MOST_OBJECTS:
                continue
            seen.add(address)
            if isinstance(one, h5py.Group):
                groups.append((f"{place}/", one))
            elif isinstance(one, h5py.Dataset) and _can_be_image(one):
                yield place, one


def _can_be_image(dataset: Any) -> bool:
    shape = dataset.shape or ()
    here = not dataset.is_virtual and dataset.external is None
    numbers = dataset.dtype.kind in "biuf" and dataset.dtype.itemsize <= 8
    return here and numbers and sum(n > 1 for n in shape) >= 2 and 0 not in shape


def _check_blocks(path: Path, dataset: Any) -> None:
    """Refuse blocks that are larger packed than unpacked, as those are that unpack to far more."""
    if dataset.chunks is None:
        return
    size = math.prod(dataset.chunks) * dataset.dtype.itemsize
    largest = 0

    def look(block: Any) -> None:
        nonlocal largest
        largest = max(largest, block.size)

    dataset.id.chunk_iter(look)
    if largest > size * _MOST_GROWN + _CHECKSUMS:
        raise FileError(
            f"{path} could not be read: it is damaged. A block of {bytes_in_words(size)} takes "
            f"{bytes_in_words(largest)} in it."
        )


def _missing(dataset: Any) -> list[str]:
    """Blocks that are not in the file, as programs leave out those of background."""
    if dataset.chunks is None:
        count, there = 1, int(dataset.id.get_storage_size() > 0)
    else:
        count = math.prod(-(-n // m) for n, m in zip(dataset.shape, dataset.chunks, strict=True))
        there = dataset.id.get_num_chunks()
    return missing_note(there, count, "blocks", dataset.fillvalue)


def _letters(dataset: Any) -> str:
    """A letter for each axis: what vigra's tags or HDF5's own labels say, or by their number."""
    tags = _axistags(dataset)
    labels = [str(dimension.label) for dimension in dataset.dims]
    stated = "".join(key.upper() for key, _ in tags) or "".join(labels).upper()
    if len(stated) == dataset.ndim and set(stated) <= set("TCZYX"):
        return letters_of(dataset.shape, stated)
    size = np.size(dataset.attrs.get(_PLANTSEG_SIZE, ()))
    letters = "QQQQQQ" + ("ZYX" if size == 3 else "YX")
    kept = [i for i, n in enumerate(dataset.shape) if n > 1]
    named = dict(zip(reversed(kept), reversed(letters), strict=False))
    return "".join(named.get(i, "P") for i in range(dataset.ndim))


def _axistags(dataset: Any) -> list[tuple[str, float]]:
    """Key and resolution of each axis, as vigra and ilastik write them."""
    text = dataset.attrs.get("axistags")
    try:
        axes = json.loads(text)["axes"] if text is not None else []
        return [(str(axis["key"]), float(axis.get("resolution", 0))) for axis in axes]
    except (ValueError, TypeError, KeyError):
        return []


def _sizes(dataset: Any, letters: str) -> dict[str, tuple[float, str]]:
    """Voxel sizes: PlantSeg states micrometres along z, y and x; vigra's tags have no unit."""
    size = np.ravel(dataset.attrs.get(_PLANTSEG_SIZE, ()))
    spatial = [letter.lower() for letter in letters if letter in "ZYX"]
    if size.size and size.dtype.kind in "iuf":
        pairs = zip(spatial[::-1], size[::-1], strict=False)
        return {axis: (float(step), "µm") for axis, step in pairs if np.isfinite(step) and step > 0}
    tags = {key.lower(): step for key, step in _axistags(dataset)}
    return {axis: (tags[axis], "pixel") for axis in spatial if 0 < tags.get(axis, 0) < float("inf")}
