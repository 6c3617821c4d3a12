"""Images, labels and masks into files: OME-TIFF with voxel size and units."""

import itertools
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.images.pyramids import halved_image, halved_labels
from napari_seedbed.errors import FileError, InputError
from napari_seedbed.pipeline.data.image import SPATIAL, Image
from napari_seedbed.pipeline.data.units import ome_symbol
from napari_seedbed.pipeline.data.visible_text import visible
from napari_seedbed.pipeline.files.atomic_files import written_whole
from napari_seedbed.pipeline.files.label_signs import ANNOTATION, LABELS
from napari_seedbed.pipeline.files.ome_annotations import PLACE, place_as_text

_OME_TYPES = ("uint8", "uint16", "uint32", "int8", "int16", "int32", "float32", "float64")
_TILE = 256
_LARGEST_CLASSIC = (1 << 32) - (1 << 25)


def write_labels(path: str | PathLike[str], labels: Image, *, is_pyramid: bool = False) -> Path:
    """Write labels or a mask as compressed OME-TIFF, in the smallest type that holds them.

    Parameters
    ----------
    path : path-like
    labels : Image
    is_pyramid : bool
        Whether planes are stored in lower resolutions, too, in which no other labels appear.

    Raises
    ------
    InputError
        For values that are not whole numbers.
    FileError
        When the file cannot be written; nothing is left behind.
    """
    if labels.dtype.kind not in "iub":
        raise InputError(f"labels: they hold {labels.dtype}; whole numbers are needed.")
    low, high = _range(labels)
    candidates = ("uint8", "uint16", "uint32") if low >= 0 else ("int8", "int16", "int32")
    for name in candidates:
        if np.iinfo(name).min <= low and high <= np.iinfo(name).max:
            halve = halved_labels if is_pyramid else None
            return _write(path, labels, np.dtype(name), halve, are_labels=True)
    raise InputError(f"labels: they go from {low} to {high}; OME-TIFF holds 32 bits.")


def write_image(path: str | PathLike[str], image: Image, *, is_pyramid: bool = False) -> Path:
    """Write an image as compressed OME-TIFF with axes, channels, voxel size and units.

    Types that OME-TIFF does not have become the next larger one that it has.

    Parameters
    ----------
    path : path-like
    image : Image
    is_pyramid : bool
        Whether planes are stored in lower resolutions, too.

    Raises
    ------
    InputError
        For complex numbers and the like.
    FileError
        When the file cannot be written; nothing is left behind.
    """
    if image.dtype.name in _OME_TYPES:
        dtype = image.dtype
    elif image.dtype.kind == "b":
        dtype = np.dtype(np.uint8)
    elif image.dtype == np.float16:
        dtype = np.dtype(np.float32)
    elif image.dtype.kind in "iu":
        low, high = _range(image)
        kinds = ("int32", "uint32") if low < 0 else ("uint32", "int32")
        fits = [n for n in kinds if np.iinfo(n).min <= low and high <= np.iinfo(n).max]
        dtype = np.dtype(fits[0] if fits else np.float64)
    else:
        raise InputError(f"image: it holds {image.dtype}, which an OME-TIFF cannot.")
    return _write(path, image, dtype, halved_image if is_pyramid else None)


def _write(
    path: str | PathLike[str],
    image: Image,
    dtype: np.dtype,
    halve: Callable[[NDArray, Sequence[int]], NDArray] | None,
    *,
    are_labels: bool = False,
) -> Path:
    import tifffile

    path = Path(path)
    if len(image.axes) != len(set(image.axes) & {"t", "c", *SPATIAL}):
        raise InputError(f"image: its axes are {image.axes}; OME-TIFF knows t, c, z, y and x.")
    # OME-TIFF wants planes: y and x last, and the colours of RGB behind them.
    plane = ("y", "x", "c") if image.rgb else ("y", "x")
    axes = tuple(axis for axis in image.axes if axis not in plane) + plane
    array = image.array.transpose([image.axes.index(axis) for axis in axes])
    letters = "".join(axes).upper()
    metadata: dict[str, Any] = {"axes": letters.replace("C", "S") if image.rgb else letters}
    # XML cannot hold what cannot be seen, and a name may have come from anywhere.
    metadata["Name"] = visible(image.name)
    own = {ANNOTATION: LABELS} if are_labels else {}
    if any(image.translate) and (place := place_as_text(image.translate, image.units)):
        own[PLACE] = place
    if own:
        metadata["MapAnnotation"] = own
    for axis, size, unit in zip(image.spatial_axes, image.spacing, image.units, strict=True):
        metadata[f"PhysicalSize{axis.upper()}"] = size
        metadata[f"PhysicalSize{axis.upper()}Unit"] = ome_symbol(unit)
    if not image.rgb and image.channel_names:
        metadata["Channel"] = {"Name": [visible(name) for name in image.channel_names]}
    if not image.rgb and any(image.channel_colors):
        colors = [_ome_color(color) for color in image.channel_colors]
        metadata.setdefault("Channel", {})["Color"] = colors
    n_bytes = int(np.prod(array.shape)) * dtype.itemsize
    # lower resolutions take a third of the full one, all together
    n_bytes += 0 if halve is None else n_bytes // 3
    # Opened here, because tifffile leaves its file open after an error, which then cannot be
    # removed on Windows.
    with written_whole(path) as temporary, temporary.open("r+b") as file:
        try:
            with tifffile.TiffWriter(file, bigtiff=n_bytes > _LARGEST_CLASSIC, ome=True) as tif:
                write = partial(
                    tif.write,
                    dtype=dtype,
                    photometric="rgb" if image.rgb else "minisblack",
                    compression="zlib",
                )
                pages = partial(_pages, array, len(plane), dtype)
                if halve is None:
                    write(pages(), shape=array.shape, metadata=metadata)
                else:
                    _write_pyramid(write, pages, array.shape, len(plane), halve, metadata)
        except (ValueError, RuntimeError) as error:
            raise FileError(f"{path} could not be written: {error}.") from error
    return path


def _write_pyramid(
    write: Callable[..., Any],
    pages: Callable[[], Iterator[NDArray]],
    shape: tuple[int, ...],
    n_plane: int,
    halve: Callable[[NDArray, Sequence[int]], NDArray],
    metadata: dict[str, Any],
) -> None:
    """All planes in tiles, and then in each lower resolution, made anew from the full one."""
    n_stack = len(shape) - n_plane
    sizes = [shape[n_stack : n_stack + 2]]
    while max(sizes[-1]) > _TILE:
        height, width = sizes[-1]
        sizes.append((-(-height // 2), -(-width // 2)))
    for level, size in enumerate(sizes):
        planes: Iterator[NDArray] = pages()
        for _ in range(level):
            planes = (halve(plane, (0, 1)) for plane in planes)
        options = {"subfiletype": 1} if level else {"metadata": metadata, "subifds": len(sizes) - 1}
        write(
            (tile for plane in planes for tile in _tiles(plane)),
            shape=(*shape[:n_stack], *size, *shape[n_stack + 2 :]),
            tile=(_TILE, _TILE),
            **options,
        )


def _tiles(plane: NDArray) -> Iterator[NDArray]:
    """The tiles of a plane, row by row, all of one size."""
    for y, x in itertools.product(*(range(0, n, _TILE) for n in plane.shape[:2])):
        tile = np.zeros((_TILE, _TILE, *plane.shape[2:]), plane.dtype)
        part = plane[y : y + _TILE, x : x + _TILE]
        tile[: part.shape[0], : part.shape[1]] = part
        yield tile


def _pages(array: Any, n_plane: int, dtype: np.dtype) -> Iterator[NDArray]:
    """Plane by plane, so that a lazy image is never in memory as a whole."""
    for index in np.ndindex(array.shape[: array.ndim - n_plane]):
        yield np.ascontiguousarray(array[index], dtype=dtype)


def _range(image: Image) -> tuple[int, int]:
    lows, highs = [0], [0]
    for t in range(image.n_times):
        volume = np.asarray(image.select_time(t).array)
        if volume.size:
            lows.append(int(volume.min()))
            highs.append(int(volume.max()))
    return min(lows), max(highs)


def _ome_color(color: str | None) -> int:
    """OME's signed 32-bit RGBA."""
    code = ((int(color[1:7], 16) if color else 0xFFFFFF) << 8) | 0xFF
    return code - (1 << 32) if code >= 1 << 31 else code
