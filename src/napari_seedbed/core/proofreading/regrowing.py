"""An object grown anew by the seeded engine, inside its own bounding box."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from napari_seedbed.core.boxes import widened
from napari_seedbed.core.library_calls import call_aside
from napari_seedbed.core.proofreading.chosen_objects import Chosen
from napari_seedbed.core.proofreading.drawn_lines import drawn, stroke_points
from napari_seedbed.core.proofreading.label_edits import Box, LabelEdit, changed
from napari_seedbed.core.proofreading.splits import image_part
from napari_seedbed.errors import InputError

_SHARE_AROUND = 0.8
"""How much of an object's longest side is looked at beyond each of its sides: it may be much too
small. Less, and nuclei of noisy volumes lose a twentieth of their Dice coefficient; more takes
longer."""
_CORE = 0.5
"""Share of the largest depth of an object from which on its voxels are its core."""
_BRUSH = 2.0
"""Radius of strokes in the smallest voxel size, as a brush has it that is seen well."""
_INWARDS = 0.75
"""Share of how deep a stroke lies in what the object is, as far as it is as thick: a line of single
voxels shows the texture of an object at the most, and gives a part of it."""

Mask = NDArray[np.bool_]


def redo_object(
    chosen: Chosen,
    image: Any,
    strokes: Sequence[Any] = (),
    background: Sequence[Any] = (),
    *,
    channel_axis: int | None = None,
) -> LabelEdit:
    """Grow an object anew in a box around it, other objects being walls.

    Parameters
    ----------
    chosen : Chosen
        One object.
    image : ([Z, ]Y, X) array_like, with channels where `channel_axis` says so
    strokes : sequence of (N, D) array_like of float
        Strokes in the object, as points in voxel coordinates that straight lines join. Without any
        it grows from the core of what it is.
    background : sequence of (N, D) array_like of float
        Strokes beside it.
    channel_axis : int, optional

    Raises
    ------
    InputError
        Also if no stroke lies in the object or beside other objects.
    """
    # It takes a second to import, for which whoever edits anything else would wait.
    from napari_seedbed.core.seeded.object_proposals import ObjectProposer
    from napari_seedbed.core.seeded.seeded_segmenter import SeededSegmenter

    array, value, size = chosen.array, chosen.value, chosen.size
    own = chosen.box_of()
    lines = {
        name: [stroke_points(line, array.ndim, f"{name}: stroke {n}", 1) for n, line in given]
        for name, given in (
            ("strokes", enumerate(strokes, start=1)),
            ("background", enumerate(background, start=1)),
        )
    }
    around = _around(own, lines["strokes"], size, array.shape)
    part = array[around]
    corner = [side.start for side in around]
    marks = {
        name: drawn([line - corner for line in given], part.shape) for name, given in lines.items()
    }
    walls = (part != 0) & (part != value)
    inside = marks["strokes"] & ~walls
    if lines["strokes"] and not inside.any():
        raise InputError(f"strokes: they lie in other objects, or far from object {value}.")
    if lines["strokes"]:
        inside = _thickened(inside, part == value, size) & ~walls & ~marks["background"]
    else:
        inside = core_of(part == value, size)
    pixels, axis = image_part(image, around, array.ndim, channel_axis)
    proposer = ObjectProposer(SeededSegmenter(pixels, size, axis))
    proposer.objects = walls.astype(np.int32)
    beside = marks["background"] & ~inside
    proposal = proposer.propose(np.argwhere(inside), np.argwhere(beside))
    found = np.zeros(part.shape, bool)
    found[proposal.region] = proposal.mask
    new = np.where((part == value) & ~found, part.dtype.type(0), part)
    new[found & ~walls] = value
    return changed(part, new, around, f"grow anew {value}", shape=array.shape)


def core_of(mask: Mask, spacing: Sequence[float]) -> Mask:
    """Return the voxels of an object that lie deepest in it, at least half as deep as the deepest.

    Parameters
    ----------
    mask : ([Z, ]Y, X) ndarray of bool
    spacing : sequence of float
    """
    depth = _depth(mask, spacing)
    return mask & (depth >= _CORE * depth.max())


def _depth(mask: Mask, spacing: Sequence[float]) -> NDArray[np.float64]:
    """How far each voxel of a mask is from its border; the image's border is one as well."""
    depth: NDArray[np.float64] = call_aside(
        partial(ndi.distance_transform_edt, np.pad(mask, 1), spacing)
    )
    return depth[(slice(1, -1),) * mask.ndim]


def _thickened(strokes: Mask, own: Mask, spacing: Sequence[float]) -> Mask:
    """Strokes as thick as a brush, and more where they lie deep in what the object is."""
    radius = np.maximum(_INWARDS * _depth(own, spacing), _BRUSH * min(spacing))
    away, nearest = call_aside(
        partial(ndi.distance_transform_edt, ~strokes, spacing, return_indices=True)
    )
    thick: Mask = away <= radius[tuple(nearest)]
    return thick


def _around(
    box: Box,
    strokes: Sequence[NDArray[np.float64]],
    spacing: Sequence[float],
    shape: Sequence[int],
) -> Box:
    """A box with some room around an object and its strokes."""
    low = np.array([side.start for side in box])
    high = np.array([side.stop for side in box])
    for line in strokes:
        low = np.minimum(low, np.floor(line.min(axis=0)).astype(int))
        high = np.maximum(high, np.ceil(line.max(axis=0)).astype(int) + 1)
    reach = _SHARE_AROUND * float(((high - low) * spacing).max())
    margins = [max(2, int(np.ceil(reach / step))) for step in spacing]
    wide = tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
    return widened(wide, margins, shape)
