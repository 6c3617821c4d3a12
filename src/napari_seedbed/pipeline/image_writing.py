"""Results into files: OME-TIFF with voxel size and units, tables as CSV."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.errors import FileError, InputError
from napari_seedbed.pipeline.atomic_files import written_whole
from napari_seedbed.pipeline.image import SPATIAL, Image
from napari_seedbed.pipeline.units import ome_symbol
from napari_seedbed.pipeline.visible_text import visible

_OME_TYPES = ("uint8", "uint16", "uint32", "int8", "int16", "int32", "float32", "float64")
_LARGEST_CLASSIC = (1 << 32) - (1 << 25)


def write_labels(path: str | PathLike[str], labels: Image) -> Path:
    """Write labels or a mask as compressed OME-TIFF, in the smallest type that holds them.

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
            return _write(path, labels, np.dtype(name))
    raise InputError(f"labels: they go from {low} to {high}; OME-TIFF holds 32 bits.")


def write_image(path: str | PathLike[str], image: Image) -> Path:
    """Write an image as compressed OME-TIFF with axes, channels, voxel size and units.

    Types that OME-TIFF does not have become the next larger one that it has.

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
    return _write(path, image, dtype)


def write_table(path: str | PathLike[str], table: Mapping[str, Sequence[Any] | NDArray]) -> Path:
    """Write columns of equal length as CSV in UTF-8, numbers in full precision.

    Raises
    ------
    FileError
        When the file cannot be written; nothing is left behind.
    """
    path = Path(path)
    columns = [np.asarray(column).tolist() for column in table.values()]
    with (
        written_whole(path) as temporary,
        temporary.open("w", newline="", encoding="utf-8") as file,
    ):
        writer = csv.writer(file)
        writer.writerow(table)
        writer.writerows(zip(*columns, strict=True))
    return path


def _write(path: str | PathLike[str], image: Image, dtype: np.dtype) -> Path:
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
    for axis, size, unit in zip(image.spatial_axes, image.spacing, image.units, strict=True):
        metadata[f"PhysicalSize{axis.upper()}"] = size
        metadata[f"PhysicalSize{axis.upper()}Unit"] = ome_symbol(unit)
    if not image.rgb and image.channel_names:
        metadata["Channel"] = {"Name": [visible(name) for name in image.channel_names]}
    if not image.rgb and any(image.channel_colors):
        colors = [_ome_color(color) for color in image.channel_colors]
        metadata.setdefault("Channel", {})["Color"] = colors
    n_bytes = int(np.prod(array.shape)) * dtype.itemsize
    # Opened here, because tifffile leaves its file open after an error, which then cannot be
    # removed on Windows.
    with written_whole(path) as temporary, temporary.open("r+b") as file:
        try:
            tifffile.imwrite(
                file,
                _pages(array, len(plane), dtype),
                shape=array.shape,
                dtype=dtype,
                ome=True,
                metadata=metadata,
                photometric="rgb" if image.rgb else "minisblack",
                compression="zlib",
                bigtiff=n_bytes > _LARGEST_CLASSIC,
            )
        except (ValueError, RuntimeError) as error:
            raise FileError(f"{path} could not be written: {error}.") from error
    return path


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
