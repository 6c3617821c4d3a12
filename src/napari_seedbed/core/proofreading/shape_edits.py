"""Edits of the shape of objects: holes, smoothing, opening, closing, growing and shrinking.

Each object changes on its own, and only background becomes part of it: other objects are walls.
Where an object would vanish, `InputError` is raised.
"""

from collections.abc import Callable, Sequence
from functools import partial
from operator import itemgetter
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from napari_seedbed.core.boxes import widened
from napari_seedbed.core.filters.rank_filters import median
from napari_seedbed.core.library_calls import call_aside
from napari_seedbed.core.objects import holes
from napari_seedbed.core.objects.smoothed_labels import label_morphology
from napari_seedbed.core.progress import check_stop
from napari_seedbed.core.proofreading.chosen_objects import Chosen, Part
from napari_seedbed.core.proofreading.label_edits import Box, LabelEdit, as_whole, edit_of_voxels
from napari_seedbed.core.proofreading.object_boxes import named
from napari_seedbed.core.validation import check_number
from napari_seedbed.errors import InputError

_ROUNDING = 1e-6

Mask = NDArray[np.bool_]


def fill_holes(chosen: Chosen, largest: float = 0.0, *, slicewise: bool = False) -> LabelEdit:
    """Fill the holes of objects; other objects in them stay.

    Parameters
    ----------
    chosen : Chosen
    largest : float
        Area or volume of the largest hole that is filled; 0 fills all.
    slicewise : bool
        Fill each slice of a volume on its own.
    """

    def filled(mask: Mask) -> Mask:
        return holes.fill_holes(mask, largest, chosen.size, slicewise=slicewise) > 0

    return _edit_masks(chosen, "fill holes of", filled, None)


def smooth(chosen: Chosen, radius: float) -> LabelEdit:
    """Even out the surface of objects: a voxel goes with the majority in a ball around it."""
    reach = check_number(radius, "radius")

    def majority(mask: Mask) -> Mask:
        return median(mask.view(np.uint8), reach, chosen.size) > 0

    return _edit_masks(chosen, "smooth", majority, reach)


def open_objects(chosen: Chosen, radius: float) -> LabelEdit:
    """Take away from objects what a ball does not fit into: thin bridges and spikes."""
    return _by_morphology(chosen, "open", "opening", radius)


def close_objects(chosen: Chosen, radius: float) -> LabelEdit:
    """Add to objects the background that a ball beside them does not reach: gaps and notches."""
    return _by_morphology(chosen, "close", "closing", radius)


def shrink(chosen: Chosen, radius: float) -> LabelEdit:
    """Take away from objects what is nearer than a radius to anything else.

    The border of the image is nothing else: objects that it cuts stay cut there.
    """
    return _by_morphology(chosen, "shrink", "erosion", radius)


def grow(chosen: Chosen, radius: float) -> LabelEdit:
    """Grow objects into the background within a radius; they do not jump over others.

    Background that several could have goes to the nearest, of equally near ones to the lowest.
    """
    array = chosen.array
    limit = check_number(radius, "radius") * (1 + _ROUNDING)
    places, distances, owners = [], [], []
    for value, own in sorted(zip(chosen.values, chosen.boxes(), strict=True), key=itemgetter(0)):
        check_stop()
        around = widened(own, _margins(limit, chosen.size), array.shape)
        part = array[around]
        mine = part == value
        away = call_aside(partial(ndi.distance_transform_edt, ~mine, chosen.size))
        won = (away <= limit) & ((part == 0) | mine)
        found = np.flatnonzero(np.ravel(_joined(won, mine) & ~mine))
        places.append(as_whole(found, part.shape, around, array.shape))
        distances.append(np.ravel(away)[found])
        owners.append(np.full(len(found), value, array.dtype))
    where, near, owner = (np.concatenate(parts) for parts in (places, distances, owners))
    order = np.lexsort((owner, near, where))
    where, owner = where[order], owner[order]
    first = np.append(True, where[1:] != where[:-1])[: len(where)]
    name = named("grow", chosen.values)
    return edit_of_voxels(where[first], array.dtype.type(0), owner[first], name, shape=array.shape)


def _by_morphology(
    chosen: Chosen, verb: str, kind: Literal["opening", "closing", "erosion"], radius: float
) -> LabelEdit:
    reach = check_number(radius, "radius")

    def changed(mask: Mask) -> Mask:
        return label_morphology(mask, kind, reach, chosen.size) > 0

    return _edit_masks(chosen, verb, changed, reach)


def _edit_masks(
    chosen: Chosen, verb: str, change: Callable[[Mask], Mask], reach: float | None
) -> LabelEdit:
    """An edit that gives each object another mask, as far as there is background."""

    def changed_part(part: Part, value: int, _: Box) -> Part:
        mine = part == value
        wanted = change(mine)
        new = np.where(mine & ~wanted, part.dtype.type(0), part)
        new[wanted & (part == 0)] = value
        if not (new == value).any():
            raise InputError(f"Object {value} would vanish; take a smaller radius, or delete it.")
        return new

    margins = None if reach is None else _margins(reach, chosen.size)
    return chosen.edited(verb, changed_part, margins)


def _joined(mask: Mask, core: Mask) -> Mask:
    """The pieces of a mask that hold a voxel of a core."""
    pieces, count = ndi.label(mask, np.ones((3,) * mask.ndim))
    stay = np.zeros(count + 1, bool)
    stay[np.unique(pieces[core])] = True
    stay[0] = False
    return stay[pieces]


def _margins(reach: float, spacing: Sequence[float]) -> list[int]:
    """Voxels of a length along each axis, and one more, which shows that it ends there."""
    return [min(int(reach / step * (1 + _ROUNDING)), 1 << 20) + 1 for step in spacing]
