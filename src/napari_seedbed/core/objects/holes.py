"""Filling the holes of objects."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from napari_seedbed.core.objects.label_lookup import (
    half_offsets,
    object_boxes,
    object_labels,
    shifted,
)
from napari_seedbed.core.progress import check_stop
from napari_seedbed.core.validation import check_number, check_spacing

_ROUNDING = 1e-9


def fill_holes(
    labels: Any,
    largest: float = 0.0,
    spacing: float | Sequence[float] | None = None,
    *,
    slicewise: bool = False,
) -> NDArray[np.int32]:
    """Fill the holes of each object with its label.

    A hole is background that an object encloses on its own and that does not reach the border of
    the image. Background that only touches other background at a corner is cut off from it. Other
    objects in a hole stay; of objects one in the other each fills what it encloses first.

    Parameters
    ----------
    labels : (M, N[, P]) array_like of int or bool
    largest : float
        Area (2D, and slice by slice) or volume (3D) of the largest hole that is filled, in the unit
        of `spacing`; 0 fills all.
    spacing : sequence of float, optional
        Voxel size; 1 when None.
    slicewise : bool
        Fill each slice of a volume on its own, so that tubes along z count as holes too.

    Returns
    -------
    (M, N[, P]) ndarray of int32
    """
    array = object_labels(labels)
    size = check_spacing(spacing, array.ndim)
    out = array.copy()
    if slicewise and array.ndim == 3:
        limit = hole_limit(largest, size[1:])
        for plane in out:
            check_stop()
            _fill(plane, limit)
    else:
        _fill(out, hole_limit(largest, size))
    return out


def hole_limit(largest: float, spacing: Sequence[float]) -> float:
    """Return how many voxels the largest hole has that is filled, as for `fill_holes`."""
    limit = check_number(largest, "largest")
    return limit / float(np.prod(spacing)) * (1 + _ROUNDING) if limit else math.inf


def _fill(labels: NDArray[np.int32], limit: float) -> None:
    """Fill the holes of up to so many voxels, in place."""
    ground, number = ndi.label(labels == 0)
    enclosed = _enclosed(ground, number)
    if not enclosed.any():
        return
    check_stop()
    low = np.full(number + 1, np.iinfo(np.int32).max, np.int32)
    high = np.zeros(number + 1, np.int32)
    for offset in half_offsets(labels.ndim, 1):
        here, there = shifted(labels.shape, offset)
        for of, beside in ((ground[here], labels[there]), (ground[there], labels[here])):
            meet = enclosed[of] & (beside > 0)
            np.minimum.at(low, of[meet], beside[meet])
            np.maximum.at(high, of[meet], beside[meet])
    single = enclosed & (low == high)
    small = np.ones(number + 1, bool)
    if math.isfinite(limit):
        small = np.bincount(ground.ravel(), minlength=number + 1) <= limit
    target = np.where(single & small, low, 0)
    # Ground between several objects is a hole of one of them only if it encloses the others.
    shared = enclosed & ~single
    candidates = _beside(labels, ground, shared)
    np.copyto(labels, target[ground], where=ground > 0)
    if len(candidates):
        _fill_around_others(labels, candidates, limit)


def _beside(
    labels: NDArray[np.int32], ground: NDArray[np.int32], shared: NDArray[np.bool_]
) -> NDArray[np.int32]:
    """Labels of the objects beside some pieces of ground."""
    found = [np.empty(0, np.int32)]
    for offset in half_offsets(labels.ndim, 1) if shared.any() else []:
        here, there = shifted(labels.shape, offset)
        for of, beside in ((ground[here], labels[there]), (ground[there], labels[here])):
            found.append(np.unique(beside[shared[of] & (beside > 0)]))
    return np.unique(np.concatenate(found))


def _fill_around_others(
    labels: NDArray[np.int32], candidates: NDArray[np.int32], limit: float
) -> None:
    """Fill the holes of some objects that have other objects in them, in place."""
    empty = labels == 0
    boxes = object_boxes(labels)
    # What several objects enclose belongs to the innermost, so to the smallest: it comes last.
    order = sorted(
        candidates.tolist(),
        key=lambda value: -math.prod(part.stop - part.start for part in boxes[value]),
    )
    for value in order:
        check_stop()
        # Padded, so that all ground outside is one piece; the border of the image is outside too.
        box = boxes[value]
        margins = [(int(length > 1),) * 2 for length in labels.shape]
        found, number = ndi.label(np.pad(labels[box] != value, margins, constant_values=True))
        inside = _enclosed(found, number)
        if math.isfinite(limit):
            inside &= np.bincount(found.ravel()) <= limit
        core = tuple(slice(1, -1) if n > 1 else slice(None) for n in labels.shape)
        fill = inside[found[core]] & empty[box]
        labels[box][fill] = value


def _enclosed(pieces: NDArray[np.integer], number: int) -> NDArray[np.bool_]:
    """Say of each piece of ground, by its number, whether it is away from the border; 0 is none."""
    found = np.arange(number + 1) != 0
    for axis, length in enumerate(pieces.shape):
        # a slice is not border all over
        for end in (0, -1) if length > 1 else ():
            found[pieces[(slice(None),) * axis + (end,)]] = False
    return found
