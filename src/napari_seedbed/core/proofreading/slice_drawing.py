"""Slices filled, and objects drawn on every n-th slice."""

from collections.abc import Sequence

import numpy as np
from scipy import ndimage as ndi

from napari_seedbed.core.marks.outlines import contours_from_labels
from napari_seedbed.core.marks.slice_interpolation import volume_from_slices
from napari_seedbed.core.proofreading.chosen_objects import Chosen, Part
from napari_seedbed.core.proofreading.label_edits import Box, LabelEdit, changed
from napari_seedbed.core.proofreading.object_boxes import check_label, whole_box
from napari_seedbed.core.validation import check_count
from napari_seedbed.errors import InputError


def fill_slice(chosen: Chosen, point: Sequence[float], *, axis: int = 0) -> LabelEdit:
    """Give the background around a point, as far as it goes in its slice, a label, new or not.

    Parameters
    ----------
    chosen : Chosen
        The label.
    point : sequence of float
        Voxel coordinates.
    axis : int
        Across which axis the slice lies in a volume.

    Raises
    ------
    InputError
        Also if the point lies outside or in an object.
    """
    array = chosen.array
    value = check_label(array, chosen.value)
    if len(point) != array.ndim or axis not in range(-array.ndim, array.ndim):
        raise InputError(f"point has {len(point)} coordinates; the labels have {array.ndim} axes.")
    place = tuple(int(n) for n in np.floor(np.asarray(point, float) + 0.5))
    if any(not 0 <= n < length for n, length in zip(place, array.shape, strict=True)):
        raise InputError(f"point is {place}; it must lie within {array.shape}.")
    box = list(whole_box(array.shape))
    if array.ndim == 3:
        box[axis] = slice(place[axis], place[axis] + 1)
    part = array[tuple(box)]
    pieces, _ = ndi.label(part == 0)
    here = pieces[tuple(n - side.start for n, side in zip(place, box, strict=True))]
    if here == 0:
        raise InputError(f"point is {place}, which is in object {int(array[place])}.")
    new = np.where(pieces == here, part.dtype.type(value), part)
    return changed(part, new, tuple(box), f"fill {value}", shape=array.shape)


def interpolate_between_slices(chosen: Chosen, every: int = 0, *, axis: int = 0) -> LabelEdit:
    """Draw objects of a volume between slices anew from their outlines on some slices.

    Slices that are kept do not change, nor do voxels of other objects.

    Parameters
    ----------
    chosen : Chosen
    every : int
        Keep every n-th slice of an object, from its first, and the last one; with 0 all slices
        that hold some of it, so that only gaps are filled.
    axis : int
        Which axis the slices are cut across.

    References
    ----------
    Raya SP, Udupa JK (1990). Shape-based interpolation of multidimensional objects. IEEE
    Transactions on Medical Imaging 9, 32-42.
    """
    if chosen.array.ndim != 3:
        raise InputError(
            f"labels have {chosen.array.ndim} axes; there are slices in a volume alone."
        )
    if axis not in range(-3, 3):
        raise InputError(f"axis is {axis!r}; it must be 0, 1 or 2.")
    step = check_count(every, "every")

    def drawn_anew(part: Part, value: int, _: Box) -> Part:
        planes = np.moveaxis(part == value, axis, 0)
        held = np.flatnonzero(planes.any(axis=(1, 2)))
        keys = sorted({*held[::step].tolist(), int(held[-1])}) if step else held.tolist()
        outlines = [
            (1, z, outline.points)
            for z in keys
            for outline in contours_from_labels(planes[z].astype(np.int32))
        ]
        wanted = volume_from_slices(outlines, part.shape, chosen.size, axis=axis) == 1
        np.moveaxis(wanted, axis, 0)[keys] = planes[keys]
        new = np.where((part == value) & ~wanted, part.dtype.type(0), part)
        new[wanted & (part == 0)] = value
        return new

    return chosen.edited("interpolate", drawn_anew)
