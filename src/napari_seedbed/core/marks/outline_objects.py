"""Which outlines on different slices of a volume are outlines of one object."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from skimage.measure import grid_points_in_poly

from napari_seedbed.core.marks.shapes import Shape, in_plane, plane_of

# Of the smaller of two outlines: share that the other one covers, looked at across their slices.
_LEAST_OVERLAP = 0.5
# Cells along the longer side of two outlines when their overlap is measured.
_CELLS = 64


def object_of(
    outline: Shape, others: Iterable[Shape], spacing: Sequence[float] | None = None
) -> int | None:
    """Find the object that an outline continues on another slice.

    It has an outline on a slice across the same axis that covers at least half of the smaller of
    the two, no farther away than the larger one is wide, and none on the slice of `outline`.

    Parameters
    ----------
    outline : Shape
        Closed, in a volume.
    others : iterable of Shape
    spacing : sequence of 3 floats, optional
        Voxel size; 1 when None.

    Returns
    -------
    int or None
        The label of the object whose slice is nearest, of equally near ones that which overlaps
        more; None where there is none.
    """
    plane = plane_of(outline)
    if plane is None or not outline.closed:
        return None
    axis, index = plane
    step = 1.0 if spacing is None else float(spacing[axis])
    lengths = np.delete(np.ones(3) if spacing is None else np.asarray(spacing, float), axis)
    mine = in_plane(outline) * lengths
    known = [
        (other.label, place[1], in_plane(other) * lengths)
        for other in others
        if other.closed and other.time == outline.time
        for place in [plane_of(other)]
        if place is not None and place[0] == axis
    ]
    taken = {label for label, z, _ in known if z == index}
    found: list[tuple[float, float, int]] = []
    for label, z, points in known:
        away = abs(z - index) * step
        too_far = away > max(_width(mine), _width(points))
        if label in taken or too_far or not _boxes_meet(mine, points):
            continue
        share = _overlap(mine, points)
        if share >= _LEAST_OVERLAP:
            found.append((away, -share, label))
    return min(found)[2] if found else None


def objects_of(shapes: Sequence[Shape], spacing: Sequence[float] | None = None) -> list[int]:
    """Number the objects that shapes without labels are of, in the order of the shapes.

    Parameters
    ----------
    shapes : sequence of Shape
        Their labels do not matter.
    spacing : sequence of 3 floats, optional
        Voxel size; 1 when None.

    Returns
    -------
    list of int
        One for each shape, from 1 in the order in which objects occur: from slice to slice, what
        `object_of` finds among those before it, or a new one.
    """
    planes = [plane_of(shape) or (0, 0) for shape in shapes]
    order = sorted(range(len(shapes)), key=lambda i: (shapes[i].time, planes[i], i))
    known: dict[int, Shape] = {}
    for number, i in enumerate(order, start=1):
        label = object_of(shapes[i], known.values(), spacing)
        known[i] = replace(shapes[i], label=number if label is None else label)
    numbers: dict[int, int] = {}
    return [numbers.setdefault(known[i].label, len(numbers) + 1) for i in range(len(shapes))]


def _width(points: NDArray[np.float64]) -> float:
    return float(np.ptp(points, axis=0).max())


def _boxes_meet(one: NDArray[np.float64], other: NDArray[np.float64]) -> bool:
    low = np.maximum(one.min(axis=0), other.min(axis=0))
    high = np.minimum(one.max(axis=0), other.max(axis=0))
    return bool((low < high).all())


def _overlap(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Area that two outlines share, of that of the smaller one."""
    low = np.minimum(one.min(axis=0), other.min(axis=0))
    extent = np.maximum(one.max(axis=0), other.max(axis=0)) - low
    cell = float(extent.max()) / _CELLS
    shape = tuple(math.ceil(side / cell) + 1 for side in extent)
    masks = [grid_points_in_poly(shape, (points - low) / cell) for points in (one, other)]
    smaller = min(np.count_nonzero(mask) for mask in masks)
    return np.count_nonzero(masks[0] & masks[1]) / smaller if smaller else 0.0
