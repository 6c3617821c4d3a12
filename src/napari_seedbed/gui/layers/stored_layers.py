"""Layers over voxels that stay in files, as results that are larger than memory."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from napari.components import ViewerModel
from napari.layers import Image as ImageLayer
from napari.layers import Labels, Layer

from napari_seedbed.gui.layers.grids import Grid
from napari_seedbed.gui.layers.layer_records import find_result
from napari_seedbed.gui.layers.placement import Shift, placed
from napari_seedbed.pipeline.data.box_views import BoxView
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.data.image_statistics import contrast_limits
from napari_seedbed.pipeline.files.voxels_in_file import LAZY_ABOVE

_KEPT_LOOK = ("name", "visible", "opacity", "blending")
_AXES = ("n", "c", "t", "z", "y", "x")


def stays_in_files(image: Image) -> bool:
    """Whether a lazy image is too large to be read for its layer, or is still being written."""
    is_written = isinstance(image.array, BoxView)
    return is_written or image.array.size * image.dtype.itemsize > LAZY_ABOVE


def layer_over_files(
    viewer: ViewerModel,
    slot: str,
    levels: Sequence[Any],
    is_labels: bool,
    rgb: bool,
    look: Mapping[str, Any],
) -> Layer:
    """A layer over voxels in files, which looks like the one that was there of the same slot.

    Parameters
    ----------
    viewer : ViewerModel or Viewer
    slot : str
        The layer of it is taken away.
    levels : sequence of array
        The full resolution first.
    is_labels, rgb : bool
    look : mapping
        Name, place and colours.

    Returns
    -------
    Labels or Image layer
        Not yet in the viewer.
    """
    before = find_result(viewer, slot)
    look = dict(look)
    if before is not None:
        look |= {key: getattr(before, key) for key in _KEPT_LOOK}
        viewer.layers.remove(before)
    several = len(levels) > 1
    data = list(levels) if several else levels[0]
    if is_labels:
        return Labels(data, multiscale=several, **look)
    limits = None if rgb else limits_of(levels[-1])
    if limits is not None:
        look["contrast_limits"] = limits
    return ImageLayer(data, rgb=rgb, multiscale=several, **look)


def limits_of(array: Any) -> tuple[float, float] | None:
    """Contrast limits for an array, from its middle where it is in files; None for a flat one."""
    return contrast_limits(Image(array, _AXES[-array.ndim :]))


def laid_out(level: Image, full: Image, like: Layer, grid: Grid, shift: Shift | None) -> Any:
    """The voxels of a lower resolution, with their axes as those of the full one."""
    factor = tuple(np.divide(level.spacing, full.spacing))
    nowhere = Shift((0.0,) * len(factor), factor, None if shift is None else shift.time)
    return placed(level, like, grid, nowhere)[0]
