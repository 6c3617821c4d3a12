"""Images from files: TIFF, OME-TIFF, ImageJ hyperstacks, PNG and JPEG."""

import struct
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.errors import FileError, InputError
from napari_seedbed.pipeline.atomic_files import why_unreadable
from napari_seedbed.pipeline.image import SPATIAL, Image
from napari_seedbed.pipeline.tiff_members import open_tiff
from napari_seedbed.pipeline.tiff_metadata import read_metadata
from napari_seedbed.pipeline.tiff_structure import TIFF_STARTS, check_series

LAZY_ABOVE = 512 * 1024**2
_PICTURES = (b"\x89PNG", b"\xff\xd8\xff")
# What decoders raise on damaged files, besides their own errors, which are ValueErrors or
# RuntimeErrors.
_DAMAGE = (
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    AttributeError,
    RuntimeError,
    EOFError,
    SyntaxError,
    struct.error,
)


def read_image(path: str | PathLike[str], lazy: bool | None = None) -> Image:
    """Read an image with its axes, channels, voxel size and units.

    Parameters
    ----------
    path : path-like
        TIFF of any kind that tifffile reads, PNG or JPEG.
    lazy : bool, optional
        Whether the voxels stay in the file until they are needed (a dask array); by default
        when there are more than 512 MB of them. TIFF only.

    Returns
    -------
    Image
        ``notes`` says in plain words what looked odd.

    Raises
    ------
    FileError
        When the file is missing, cut off, damaged or of another kind.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            start = file.read(4)
        if start in TIFF_STARTS:
            return _read_tiff(path, lazy)
        if start.startswith(_PICTURES):
            return _read_picture(path)
    except (FileError, InputError):
        raise
    except OSError as error:
        raise FileError(f"{path} could not be read: {why_unreadable(error)}.") from error
    except MemoryError as error:
        raise FileError(
            f"{path} could not be read: there is not enough memory for it. Close other programs."
        ) from error
    except _DAMAGE as error:
        raise FileError(
            f"{path} could not be read: it is damaged or of a kind that is not supported ({error})."
        ) from error
    if not start:
        raise FileError(f"{path} could not be read: it is empty (0 bytes). Copy it again.")
    raise FileError(
        f"{path} could not be read: it is no TIFF, PNG or JPEG image. Save it as TIFF, for example "
        "with Fiji."
    )


def _read_tiff(path: Path, lazy: bool | None) -> Image:
    tif, notes = open_tiff(path)
    with tif:
        series = tif.series[0]
        notes += check_series(path, tif, series)
        lazy = series.nbytes > LAZY_ABOVE if lazy is None else lazy
        if lazy:
            array = _lazy_array(path, series)
        else:
            array = series.asarray()
            if array.shape != series.shape:
                raise FileError(
                    f"{path} is damaged: it declares the shape {series.shape}, but its data make "
                    f"{array.shape}."
                )
            array = np.asarray(array, dtype=array.dtype.newbyteorder("="))
        if len(tif.series) > 1:
            notes.append(f"The file holds {len(tif.series)} images; the first was read.")
        page = series.keyframe
        if page.photometric == 0:
            notes.append("In this file 0 means white; values are as stored.")
        if page.photometric == 3:
            notes.append("The image has a colour table; values are as stored.")
        array, axes, more = _named_axes(path, array, series.axes)
        colors = page.photometric in (2, 6) and "S" in series.axes
        array, axes, rgb = _color_last(array, axes, colors)
        n_channels = array.shape[axes.index("c")] if "c" in axes else 1
        found = read_metadata(tif, n_channels, "z" in axes)
        return Image(
            array,
            tuple(axes),
            spacing=tuple(found.spacing.get(axis, 1.0) for axis in axes if axis in SPATIAL),
            units=tuple(found.unit for axis in axes if axis in SPATIAL),
            rgb=rgb,
            channel_names=() if rgb else tuple(found.channel_names),
            channel_colors=() if rgb else tuple(found.channel_colors),
            name=image_name(path),
            notes=(*notes, *more, *found.notes),
        )


def _named_axes(path: Path, array: Any, letters: str) -> tuple[Any, list[str], list[str]]:
    """Names for the axes of a TIFF series, which tifffile gives as letters.

    Unnamed axes are z, then t, counted from the inside; of other axes, such as positions, the
    first entry is taken.
    """
    notes = []
    names: list[str] = []
    # From the inside, so that the unnamed axis beside y and x becomes z.
    for position in range(len(letters) - 1, -1, -1):
        letter = letters[position]
        if letter in "TCZYX" and letter.lower() not in names:
            names.insert(0, letter.lower())
        elif letter == "S":
            names.insert(0, "s")
        elif array.shape[position] == 1:
            array = array[(slice(None),) * position + (0,)]
        elif letter in "QI" and ("z" not in names or "t" not in names):
            free = "z" if "z" not in names and "Z" not in letters else "t"
            if free in names or free.upper() in letters:
                raise FileError(f"{path} could not be read: its axes are {letters}.")
            names.insert(0, free)
            notes.append(f"The file does not name one of its axes; it was read as {free}.")
        elif letter in "QI":
            raise FileError(
                f"{path} could not be read: it has more axes than t, c, z, y and x, and does not "
                "name them."
            )
        else:
            notes.append(
                f"The file holds {array.shape[position]} entries along its axis {letter}; the "
                "first was read."
            )
            array = array[(slice(None),) * position + (0,)]
    if "s" in names and "c" not in names:
        names[names.index("s")] = "c"
    elif "s" in names:
        array, names = _merge_samples(array, names)
    # Time, channels, z, y, x in any order, but space in order.
    spatial = [axis for axis in names if axis in SPATIAL]
    wanted = [axis for axis in SPATIAL if axis in spatial]
    if spatial != wanted:
        rest = iter(wanted)
        order = [next(rest) if axis in SPATIAL else axis for axis in names]
        array = array.transpose([names.index(axis) for axis in order])
        names = order
    if "y" not in names or "x" not in names:
        raise FileError(f"{path} could not be read: its axes are {letters}, without y and x.")
    return array, names, notes


def _merge_samples(array: Any, names: list[str]) -> tuple[Any, list[str]]:
    """Channels that are colour pictures each: every sample becomes a channel."""
    rest = [axis for axis in names if axis not in "cs"]
    array = array.transpose([names.index(axis) for axis in ("c", "s", *rest)])
    return array.reshape(-1, *array.shape[2:]), ["c", *rest]


def _color_last(array: Any, axes: list[str], colors: bool) -> tuple[Any, list[str], bool]:
    """Move the samples of a colour picture to the end, where RGB is expected."""
    if "c" not in axes:
        return array, axes, False
    position = axes.index("c")
    if array.shape[position] == 1:
        return array[(slice(None),) * position + (0,)], [a for a in axes if a != "c"], False
    rgb = colors and array.shape[position] in (3, 4) and array.dtype.kind in "uf"
    if rgb and position != len(axes) - 1:
        order = [i for i in range(len(axes)) if i != position] + [position]
        array = array.transpose(order)
        axes = [axes[i] for i in order]
    return array, axes, rgb


def _lazy_array(path: Path, series: Any) -> Any:
    """A dask array over the file, one page a chunk where there are several."""
    import dask.array

    voxels = _VoxelsInFile(path, series)
    chunks = voxels.chunks
    # Reading is done by one thread at a time; the name stays the same for the same file.
    stat = path.stat()
    name = f"tiff-{path.resolve()}-{stat.st_mtime_ns}-{stat.st_size}"
    return dask.array.from_array(voxels, chunks=chunks, lock=True, name=name, asarray=False)


class _VoxelsInFile:
    """Reads parts of a TIFF series; damage found on the way is a FileError, as it is at once."""

    def __init__(self, path: Path, series: Any) -> None:
        import zarr

        self._path = path
        file, _ = open_tiff(path)
        mode = "page" if len(series.pages) > 1 else "strile"
        store = file.series[0].aszarr(level=0, chunkmode=mode)
        self._zarr: Any = zarr.open_array(store, mode="r")
        self.shape = tuple(self._zarr.shape)
        self.dtype = np.dtype(self._zarr.dtype).newbyteorder("=")
        self.chunks = tuple(self._zarr.chunks)
        self.ndim = len(self.shape)

    def __getitem__(self, index: Any) -> NDArray:
        try:
            return np.asarray(self._zarr[index], dtype=self.dtype)
        except (*_DAMAGE, OSError) as error:
            raise FileError(f"{self._path} is damaged or was removed ({error}).") from error


def _read_picture(path: Path) -> Image:
    import imageio.v3
    from PIL.Image import DecompressionBombError

    try:
        array = np.asarray(imageio.v3.imread(path))
    except DecompressionBombError as error:
        raise FileError(f"{path} could not be read: it declares a huge picture.") from error
    notes = []
    if array.ndim == 3 and array.shape[-1] == 2:
        array = array[..., 0]
        notes.append("The picture is grey with transparency; transparency was left out.")
    if array.ndim == 2:
        return Image(array, ("y", "x"), name=image_name(path), notes=tuple(notes))
    if array.ndim == 3 and array.shape[-1] in (3, 4):
        return Image(array, ("y", "x", "c"), rgb=True, name=image_name(path))
    raise FileError(f"{path} could not be read: its shape is {array.shape}.")


def image_name(path: str | PathLike[str]) -> str:
    """Name of the file without ``.tif``, ``.ome.tif`` and the like."""
    name = Path(path).name
    for suffix in (".ome.tiff", ".ome.tif"):
        if name.lower().endswith(suffix):
            return name[: -len(suffix)]
    return Path(path).stem
