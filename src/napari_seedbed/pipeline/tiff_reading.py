"""Images from TIFF files: plain ones, OME-TIFF and ImageJ hyperstacks."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.errors import FileError
from napari_seedbed.pipeline.image import SPATIAL, Image
from napari_seedbed.pipeline.tiff_members import open_tiff
from napari_seedbed.pipeline.tiff_metadata import read_metadata
from napari_seedbed.pipeline.tiff_structure import DECODER_ERRORS, check_series
from napari_seedbed.pipeline.tiff_values import calibrated, check_colours, with_colours

LAZY_ABOVE = 512 * 1024**2


def read_tiff(path: Path, name: str, lazy: bool | None) -> Image:
    """Read an image as `read_image` does; `name` is what it will be called.

    Raises
    ------
    FileError
        When the file is cut off, damaged, or not all there.
    """
    tif, notes = open_tiff(path)
    with tif:
        series = tif.series[0]
        page = series.keyframe
        check_colours(path, page)
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
        notes += _notes_on(page)
        array, axes, more = _named_axes(path, array, series.axes)
        colours = with_colours(array, axes, page, samples="S" in series.axes)
        array, axes = colours.array, colours.axes
        n_channels = array.shape[axes.index("c")] if "c" in axes else 1
        found = read_metadata(tif, 0, n_channels, "z" in axes)
        if found.calibration != (0, 1) and array.dtype.kind in "iu" and not colours.rgb:
            array = calibrated(array, *found.calibration)
            start, step = found.calibration
            found.notes.append(
                f"Values are calibrated as the file says: {start:g} + {step:g} × the stored ones."
            )
        return Image(
            array,
            tuple(axes),
            spacing=tuple(found.spacing.get(axis, 1.0) for axis in axes if axis in SPATIAL),
            units=tuple(found.unit for axis in axes if axis in SPATIAL),
            rgb=colours.rgb,
            channel_names=()
            if colours.rgb
            else tuple(found.channel_names or colours.channel_names),
            channel_colors=() if colours.rgb else tuple(found.channel_colors),
            name=name,
            notes=(*notes, *more, *colours.notes, *found.notes),
        )


def _notes_on(page: Any) -> list[str]:
    """What the page says of its pixels that was not followed."""
    notes = []
    if page.photometric == 0:
        notes.append("In this file 0 means white; values are as stored.")
    if page.photometric == 3:
        notes.append("The image has a colour table; values are as stored.")
    turned = page.tags.get("Orientation")
    if turned is not None and turned.value != 1:
        notes.append(
            f"The image is to be shown turned or mirrored (orientation {int(turned.value)}); it "
            "was read as stored."
        )
    return notes


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
        except (*DECODER_ERRORS, OSError) as error:
            raise FileError(f"{self._path} is damaged or was removed ({error}).") from error
