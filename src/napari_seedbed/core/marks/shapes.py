"""Shapes that people draw on images, as snakes start from them and end in them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.marks.crossings import crosses_itself
from napari_seedbed.core.marks.outlines import (
    check_object_label,
    contours_from_labels,
    labels_from_contours,
    simplified_outline,
)
from napari_seedbed.errors import InputError

Floats = NDArray[np.floating]
Plane = tuple[int, int]
"""Spatial axis that a slice is perpendicular to, and its position along that axis."""

# Points closer together than this, in voxels, are one point that was clicked twice.
_SAME = 1e-6
# Cells along the longer side of a self-crossing outline when its parts are separated.
_CELLS = 512
# Loops so much smaller than the largest one, in area, are slips of the hand.
_SLIP = 0.01


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """A closed outline or an open path on the grid of an image.

    Attributes
    ----------
    label : int
        Label of the object that it belongs to, above 0. An object may have several shapes.
    points : (N, D) ndarray of float
        Corners in voxel coordinates along the image's spatial axes, (z, y, x) or (y, x); whole
        numbers are voxel centres. The first point of a closed outline is not repeated.
    closed : bool
        Whether the last point is joined to the first.
    time : int
        Time point; 0 in an image without time.
    """

    label: int
    points: NDArray[np.floating]
    closed: bool = True
    time: int = 0


def clean_shapes(
    shapes: Iterable[Shape], spatial_shape: Sequence[int], n_times: int = 1
) -> list[Shape]:
    """Check shapes and make them fit to start from.

    Points that repeat the one before are left out. A closed outline that crosses itself becomes
    one outline for each of its loops, of the same label.

    Parameters
    ----------
    shapes : iterable of Shape
    spatial_shape : sequence of 2 or 3 ints
        Shape of the image along its spatial axes.
    n_times : int
        Number of time points.

    Returns
    -------
    list of Shape

    Raises
    ------
    InputError
        If there are none; for a shape with too few points or without an area, a shape that lies
        wholly outside the image or on several slices of a volume, a wrong label or time point.
    """
    given = list(shapes)
    if not given:
        raise InputError("shapes: there are none; draw at least one shape on the image.")
    size = tuple(int(n) for n in spatial_shape)
    cleaned: list[Shape] = []
    for number, shape in enumerate(given, start=1):
        cleaned += _cleaned(shape, f"shapes: shape {number}", size, n_times)
    return cleaned


def plane_of(shape: Shape) -> Plane | None:
    """Slice of a volume that a shape lies on; None in an image of two dimensions.

    Where a shape could lie on slices across several axes, as a straight line may, the first counts.
    """
    if shape.points.shape[1] == 2:
        return None
    index = np.floor(np.round(shape.points, 6) + 0.5)
    flat = np.flatnonzero((index == index[0]).all(axis=0))
    if not len(flat):
        raise InputError("shapes: a shape does not lie on one slice.")
    return int(flat[0]), int(index[0, flat[0]])


def in_plane(shape: Shape) -> NDArray[np.float64]:
    """Points of a shape within its slice, (N, 2)."""
    plane = plane_of(shape)
    points = np.asarray(shape.points, float)
    return points if plane is None else np.delete(points, plane[0], axis=1)


def on_plane(points: Floats, plane: Plane | None) -> NDArray[np.float64]:
    """Points (N, 2) of a slice as points of the whole image."""
    flat = np.asarray(points, float)
    return flat if plane is None else np.insert(flat, plane[0], float(plane[1]), axis=1)


def outlines_of_labels(
    labels: NDArray[np.integer],
    spacing: Sequence[float],
    tolerance: float,
    *,
    plane: Plane | None = None,
    time: int = 0,
) -> list[Shape]:
    """Outlines of the objects on a slice; holes are left out, since a shape cannot have any.

    Parameters
    ----------
    labels : (M, N) ndarray of int
    spacing : sequence of 2 floats
        Voxel size within the slice.
    tolerance : float
        How far an outline may move when points are left out, in the unit of `spacing`.
    plane : (int, int), optional
        Which slice of a volume it is.
    time : int
        Time point.
    """
    return [
        Shape(outline.label, on_plane(outline.points[:-1], plane), True, time)
        for outline in contours_from_labels(labels, spacing, tolerance=tolerance)
        if not outline.hole
    ]


def filled(
    shapes: Iterable[Shape], shape: Sequence[int], *, labels: Sequence[int] | None = None
) -> NDArray[np.int32]:
    """Labels of the closed shapes of one slice, on a grid of `shape` (rows, columns)."""
    closed = [item for item in shapes if item.closed]
    values = [item.label for item in closed] if labels is None else labels
    return labels_from_contours([in_plane(item) for item in closed], shape, labels=values)


def simplified(shape: Shape, spacing: Sequence[float], tolerance: float) -> Shape:
    """Leave out points of a shape that lie within `tolerance` of the line without them.

    Parameters
    ----------
    shape : Shape
    spacing : sequence of 2 floats
        Voxel size within the slice.
    tolerance : float
        In the unit of `spacing`.
    """
    points = simplified_outline(in_plane(shape), spacing, tolerance, closed=shape.closed)
    return replace(shape, points=on_plane(points, plane_of(shape)))


def untangled(shape: Shape) -> list[Shape]:
    """Outlines of all that a closed shape encloses where it crosses itself; else itself alone."""
    flat = in_plane(shape)
    if not shape.closed or not crosses_itself(np.ascontiguousarray(flat)):
        return [shape]
    plane = plane_of(shape)
    return [replace(shape, points=on_plane(points, plane)) for points in _loops(flat)]


def _cleaned(shape: Shape, name: str, size: tuple[int, ...], n_times: int) -> list[Shape]:
    check_object_label(shape.label, f"{name}: its label")
    points = _checked_points(shape.points, name, len(size))
    if not 0 <= shape.time < n_times:
        raise InputError(
            f"{name} is drawn at time point {shape.time}; the image has {n_times}, counted from 0."
        )
    points = _without_repeats(points, shape.closed)
    fewest, kind = (3, "a closed outline") if shape.closed else (2, "an open path")
    if len(points) < fewest:
        raise InputError(
            f"{name} has {len(points)} different points; {kind} needs at least {fewest}."
        )
    whole = replace(shape, points=points)
    _check_place(whole, name, size)
    if not shape.closed:
        return [whole]
    parts = untangled(whole)
    if not parts:
        raise InputError(f"{name} crosses itself and encloses nothing; draw it again.")
    if max(_area(in_plane(part)) for part in parts) < 1e-3:
        raise InputError(
            f"{name} has no area: its points lie on one line, or its loops cancel each other. Draw "
            "around the object."
        )
    return parts


def _checked_points(points: Any, name: str, ndim: int) -> NDArray[np.float64]:
    try:
        array = np.asarray(points, dtype=float)
    except (TypeError, ValueError):
        raise InputError(f"{name}: its points must be numbers.") from None
    if array.ndim != 2 or array.shape[1] != ndim:
        raise InputError(
            f"{name}: its points have the shape {array.shape}; in an image with {ndim} spatial "
            f"axes it must be (number of points, {ndim})."
        )
    if not np.isfinite(array).all():
        raise InputError(f"{name} has points that are NaN or infinite; draw it again.")
    return array


def _without_repeats(points: NDArray[np.float64], closed: bool) -> NDArray[np.float64]:
    before = np.roll(points, 1, axis=0)
    kept = np.abs(points - before).max(axis=1) > _SAME
    if not closed or not kept.any():
        kept[0] = True
    return points[kept]


def _check_place(shape: Shape, name: str, size: tuple[int, ...]) -> None:
    low, high = shape.points.min(axis=0), shape.points.max(axis=0)
    if len(size) == 3:
        try:
            plane = plane_of(shape)
        except InputError:
            raise InputError(
                f"{name} spans several slices (z {low[0]:.1f} to {high[0]:.1f}); draw each shape "
                "on one slice."
            ) from None
        assert plane is not None
        if not 0 <= plane[1] < size[plane[0]]:
            raise InputError(
                f"{name} lies outside the volume: on slice {plane[1]} along axis {plane[0]}, which "
                f"has the slices 0 to {size[plane[0]] - 1}."
            )
    outside = (high < -0.5) | (low > np.array(size) - 0.5)
    if outside.any():
        axis = int(np.argmax(outside))
        raise InputError(
            f"{name} lies wholly outside the image: from {low[axis]:.1f} to {high[axis]:.1f} along "
            f"axis {axis}, where the image has {size[axis]} voxels. Move or delete it."
        )


def _area(points: NDArray[np.float64]) -> float:
    y, x = points.T
    return abs(float(y @ np.roll(x, -1) - x @ np.roll(y, -1))) / 2


def _loops(points: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    """Outer outlines of all that an outline that crosses itself encloses.

    The middle of a pentagram, which the outline runs around twice, belongs to it.
    """
    low = points.min(axis=0)
    cell = float(np.ptp(points, axis=0).max()) / _CELLS
    drawn = (points - low) / cell + 1
    shape = np.ceil(drawn.max(axis=0)).astype(int) + 2
    mask = _turned_around(drawn, shape)
    outlines = [found for found in contours_from_labels(mask, tolerance=1.0) if not found.hole]
    areas = [_area(outline.points[:-1]) for outline in outlines]
    # Specks where edges meet at a sharp angle are no loops that somebody drew either.
    least = max([16.0, *(_SLIP * area for area in areas)])
    return [
        (outline.points[:-1] - 1) * cell + low
        for outline, area in zip(outlines, areas, strict=True)
        if area > least
    ]


def _turned_around(points: NDArray[np.float64], shape: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Cells of a grid that an outline turns around, once or more, in one sense or the other."""
    turns = np.zeros(shape, int)
    for (y, x), (to_y, to_x) in zip(points, np.roll(points, -1, axis=0), strict=True):
        rows = np.arange(np.ceil(min(y, to_y)), np.ceil(max(y, to_y)))
        columns = np.ceil(x + (rows - y) * (to_x - x) / ((to_y - y) or 1.0))
        turns[rows.astype(int), columns.astype(int)] += 1 if to_y > y else -1
    return np.asarray(turns.cumsum(axis=1) != 0)
