"""Images from TIFF files: plain ones, OME-TIFF and ImageJ hyperstacks."""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from napari_seedbed.errors import FileError
from napari_seedbed.pipeline.data.image import SPATIAL, Image
from napari_seedbed.pipeline.data.named_axes import named_axes
from napari_seedbed.pipeline.files.images_of_file import ImageOfFile, chosen_image
from napari_seedbed.pipeline.files.ome_annotations import place_from_text
from napari_seedbed.pipeline.files.tiff_members import open_tiff
from napari_seedbed.pipeline.files.tiff_metadata import read_metadata
from napari_seedbed.pipeline.files.tiff_structure import check_series
from napari_seedbed.pipeline.files.tiff_values import calibrated, check_colours, with_colours
from napari_seedbed.pipeline.files.voxels_in_file import LAZY_ABOVE, lazy_voxels


def images_of_tiff(path: Path) -> list[ImageOfFile]:
    """All images of a file, in its order.

    Raises
    ------
    FileError
        When the file is cut off, or a file that it names is missing.
    """
    tif, _ = open_tiff(path)
    with tif:
        return [_summary(series) for series in tif.series]


def tiff_header(path: Path) -> tuple[tuple[int, ...], str]:
    """Shape, and type with axes, of the first image, without reading its voxels."""
    tif, _ = open_tiff(path)
    with tif:
        series = tif.series[0]
        return tuple(series.shape), f"{series.dtype} ({series.axes})"


def _summary(series: Any) -> ImageOfFile:
    return ImageOfFile(str(series.name or "").strip(), tuple(series.shape), str(series.dtype))


def read_tiff(path: Path, name: str, lazy: bool | None, series: int | None) -> Image:
    """Read an image as `read_image` does; `name` is that of the file.

    Raises
    ------
    FileError
        When the file is cut off, damaged, or not all there.
    InputError
        When it has no such image.
    """
    tif, notes = open_tiff(path)
    with tif:
        summaries = [_summary(one) for one in tif.series]
        nth, name, more = chosen_image(path, name, series, summaries)
        return _read_series(path, name, tif, nth, lazy, notes + more)


def _read_series(
    path: Path, name: str, tif: Any, nth: int, lazy: bool | None, notes: list[str]
) -> Image:
    series = tif.series[nth]
    page = series.keyframe
    check_colours(path, page)
    notes += check_series(path, tif, series)
    lazy = series.nbytes > LAZY_ABOVE if lazy is None else lazy
    if lazy:
        array = _lazy_array(path, nth, len(series.pages))
    else:
        array = series.asarray()
        if array.shape != series.shape:
            raise FileError(
                f"{path} is damaged: it declares the shape {series.shape}, but its data make "
                f"{array.shape}."
            )
        array = np.asarray(array, dtype=array.dtype.newbyteorder("="))
    notes += _notes_on(page)
    array, axes, more = named_axes(path, array, series.axes)
    colours = with_colours(array, axes, page, samples="S" in series.axes)
    array, axes = colours.array, colours.axes
    n_channels = array.shape[axes.index("c")] if "c" in axes else 1
    found = read_metadata(tif, nth, n_channels, "z" in axes)
    if found.calibration != (0, 1) and array.dtype.kind in "iu" and not colours.rgb:
        array = calibrated(array, *found.calibration)
        start, step = found.calibration
        found.notes.append(
            f"Values are calibrated as the file says: {start:g} + {step:g} × the stored ones."
        )
    names = () if colours.rgb else tuple(found.channel_names or colours.channel_names)
    spatial = [axis for axis in axes if axis in SPATIAL]
    return Image(
        array,
        tuple(axes),
        spacing=tuple(found.spacing.get(axis, 1.0) for axis in spatial),
        units=tuple(found.unit for _ in spatial),
        translate=place_from_text(found.place, len(spatial)),
        rgb=colours.rgb,
        channel_names=names,
        channel_colors=() if colours.rgb else tuple(found.channel_colors),
        name=name,
        notes=(*notes, *more, *colours.notes, *found.notes),
        holds_labels=found.holds_labels,
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


def _lazy_array(path: Path, nth: int, n_pages: int) -> Any:
    """A dask array over the file, one page a chunk where there are several."""
    mode = "page" if n_pages > 1 else "strile"
    reopen = partial(_pages, path, nth, mode)
    return lazy_voxels(path, reopen(), token=nth, lock=True, reopen=reopen)


def _pages(path: Path, nth: int, mode: str) -> Any:
    """The array of a series, of which a chunk is a page, or a strip or tile."""
    import zarr

    file, _ = open_tiff(path)
    return zarr.open_array(file.series[nth].aszarr(level=0, chunkmode=mode), mode="r")
