"""Outlines of labels as closed polygons, and labels filled from outlines.

All coordinates are voxel coordinates of the image, row before column: whole numbers are voxel
centres.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from operator import index as as_index
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import find_objects

from napari_seedbed.core.validation import check_labels, check_points, check_spacing
from napari_seedbed.errors import InputError

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

# Rounding errors of a transform must not decide whether a voxel centre lies on an outline.
_ROUNDING = 1e-9
_LEVELS = (0.01, 0.99)
_LARGEST = int(np.iinfo(np.int32).max)


@dataclass(frozen=True, slots=True, eq=False)
class Outline:
    """A closed outline of one part, or of one hole, of a labelled object.

    Parameters
    ----------
    label : int
        Label of the object, above 0.
    points : (N, 2) ndarray of float
        Row and column on the image's grid. From `contours_from_labels` the last point repeats the
        first.
    hole : bool
        Whether the object lies outside of this outline instead of inside.
    """

    label: int
    points: Floats
    hole: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class _Filled:
    """The voxels inside an outline that lie in the image.

    `low` and `high` are the corners of the polygon itself, `corner` the first voxel of the mask,
    `area` what the outline encloses in voxels.
    """

    label: int
    hole: bool
    low: Floats
    high: Floats
    corner: tuple[int, int]
    mask: Mask
    area: float

    @property
    def box(self) -> tuple[slice, slice]:
        (top, left), (rows, columns) = self.corner, self.mask.shape
        return slice(top, top + rows), slice(left, left + columns)


class _Holes:
    """The holes of one label, found quickly among tens of thousands."""

    def __init__(self, holes: list[_Filled]) -> None:
        self.holes = sorted(holes, key=lambda hole: hole.area)
        self.areas = np.array([hole.area for hole in self.holes])
        self.first = np.array([hole.corner for hole in self.holes])
        self.last = self.first + [hole.mask.shape for hole in self.holes]

    def within(self, part: _Filled) -> list[_Filled]:
        """Return the holes smaller than `part` whose boxes overlap its box."""
        n = int(np.searchsorted(self.areas, part.area))
        overlap = self.first[:n] < np.add(part.corner, part.mask.shape)
        overlap &= self.last[:n] > part.corner
        return [self.holes[i] for i in np.flatnonzero(overlap.all(axis=1)).tolist()]


def contours_from_labels(
    labels: Any,
    spacing: float | Sequence[float] | None = None,
    *,
    tolerance: float = 0.0,
    level: float = 0.5,
) -> list[Outline]:
    """Trace the outline of every part and every hole of every label.

    Parameters
    ----------
    labels : (M, N) array_like of int
        Label image; labels below 1 have no outline.
    spacing : sequence of 2 floats, optional
        Voxel size; 1 when None.
    tolerance : float
        How far, in the unit of `spacing`, an outline may move when points are left out. With 0 only
        points on straight lines are left out. A part or hole too small for the tolerance is
        simplified with a half, a quarter … of it, so that it does not vanish.
    level : float
        Where, between the centre of a voxel outside (0) and that of a voxel inside (1), the outline
        runs; 0.01 to 0.99.

    Returns
    -------
    list of Outline
        In ascending order of the labels. All are closed, also at the border of the image: the last
        point repeats the first. Voxels that touch by a corner only are separate parts, so the
        outlines of neighbours never cross as long as `tolerance` is 0.

    Raises
    ------
    InputError
        If `labels` are not whole numbers in 2D, `tolerance` is negative or `level` too close to
        0 or 1.

    Notes
    -----
    Marching squares, the planar form of [1]_, on the mask of each label alone. At `level` 0.5 a
    part encloses half a voxel less than it has voxels, and a hole half a voxel more: the four
    corners of any closed curve are cut. Points are left out after [2]_, in physical units.

    References
    ----------
    .. [1] W. E. Lorensen, H. E. Cline, Marching cubes: a high resolution 3D surface construction
       algorithm, ACM SIGGRAPH Computer Graphics 21 (1987) 163-169.
    .. [2] D. H. Douglas, T. K. Peucker, Algorithms for the reduction of the number of points
       required to represent a digitized line or its caricature, Cartographica 10 (1973) 112-122.
    """
    labels = check_labels(labels)
    if labels.ndim != 2:
        raise InputError(
            f"labels have {labels.ndim} axes (shape {labels.shape}); outlines need a 2D image."
        )
    size = np.array(check_spacing(spacing, 2))
    tolerance = _number(tolerance, "tolerance")
    if tolerance < 0:
        raise InputError(f"tolerance must be 0 or more; got {tolerance!r}.")
    level = _number(level, "level")
    if not _LEVELS[0] <= level <= _LEVELS[1]:
        raise InputError(f"level must lie between {_LEVELS[0]} and {_LEVELS[1]}; got {level!r}.")
    # Imported here: it takes a second, for which the first image that is opened would wait.
    from skimage.measure import find_contours

    # Consecutive numbers: one label of 2e9 would make the list of boxes as long.
    values, dense = np.unique(labels, return_inverse=True)
    dense = dense.reshape(labels.shape) + 1
    outlines = []
    for number, (value, box) in enumerate(zip(values.tolist(), find_objects(dense), strict=True)):
        if value < 1:
            continue
        mask = np.pad(dense[box] == number + 1, 1).astype(float)
        corner = np.array([box[0].start - 1.0, box[1].start - 1.0])
        for ring in find_contours(mask, level, fully_connected="low", positive_orientation="high"):
            points = _simplified(_corners(ring), size, tolerance)
            outlines.append(Outline(value, points + corner, bool(_signed_area(ring) < 0)))
    return outlines


def labels_from_contours(
    contours: Sequence[Outline] | Sequence[Any],
    shape: Sequence[int],
    *,
    labels: Sequence[int] | None = None,
) -> NDArray[np.int32]:
    """Fill outlines with their labels.

    Parameters
    ----------
    contours : sequence of Outline, or of (N, 2) array_like of float
        Closed outlines, rows and columns on the image's grid; whether the last point repeats the
        first makes no difference. None at all give an image without labels.
    shape : sequence of 2 ints
        Shape of the image.
    labels : sequence of int, optional
        Label of each plain array; 1, 2, 3 … when None. Not for `Outline` objects, which know
        theirs.

    Returns
    -------
    ndarray of int32, of shape `shape`
        A voxel lies inside if its centre does, or lies on the outline; what reaches out of the
        image is cut off. An outline between the voxel centres gives nothing.

    Raises
    ------
    InputError
        If an outline has fewer than 3 points or points that are not finite, a label is below 1 or
        too large for int32, or the arguments do not fit together.

    Notes
    -----
    An outline that crosses itself is filled by the even-odd rule: both loops of a figure of eight
    are filled, the middle of a pentagram is not.

    Holes belong to their label only: one outline's voxels that lie in a smaller hole of the same
    label are cut out of it. Among plain arrays an outline that lies inside another of the same
    label is a hole in it, one inside that hole an island, and so on; outlines of one label that
    merely overlap are joined.

    Where different labels overlap, the outline that encloses the smaller area lies on top; of
    equal ones that of the lower label. The order in which they are given does not matter.
    """
    size = check_shape(shape, 2)
    given = zip(*_checked_contours(contours, labels), strict=True)
    filled = [_filled(*outline, size) for outline in given]
    if not all(isinstance(contour, Outline) for contour in contours):
        filled = _with_nested_holes(filled)
    holes = _by_label([outline for outline in filled if outline.hole])
    cut = {label: _Holes(group) for label, group in holes.items()}
    out = np.zeros(size, np.int32)
    # What is to lie on top is laid down last.
    parts = [outline for outline in filled if not outline.hole]
    for part in sorted(parts, key=lambda part: (part.area, part.label), reverse=True):
        for hole in cut[part.label].within(part) if part.label in cut else ():
            mine, gone = _shared(part, hole)
            mine &= ~gone
        out[part.box][part.mask] = part.label
    return out


def fill_outline(points: Floats, corner: Sequence[int], shape: Sequence[int]) -> Mask:
    """Return which voxels of a window have their centre inside a closed outline or on it.

    The same voxels as from ``skimage.draw.polygon``, but in time proportional to the length of the
    outline and the area of the window, not to their product: 0.1 s instead of 58 s for 8,000
    points around a disc of radius 1,000.

    Parameters
    ----------
    points : (N, 2) ndarray of float
        Rows and columns of the outline.
    corner : sequence of 2 ints
        Row and column of the first voxel of the window.
    shape : sequence of 2 ints
        Rows and columns of the window.

    Returns
    -------
    ndarray of bool, of shape `shape`
        By the even-odd rule.
    """
    rows, columns = int(shape[0]), int(shape[1])
    start = np.round(points - np.asarray(corner, float), 9)
    stop = np.roll(start, -1, axis=0)
    flips = np.zeros((rows, columns + 1), bool)
    on = np.zeros((rows, columns), bool)
    # An edge crosses the rows from its upper end up to, but without, its lower end: a corner
    # between two edges that go on in the same direction counts once.
    edge, row = _whole_numbers_between(
        np.ceil(np.minimum(start[:, 0], stop[:, 0])),
        np.ceil(np.maximum(start[:, 0], stop[:, 0])) - 1,
        rows,
    )
    (y, x), (dy, dx) = start[edge].T, (stop - start)[edge].T
    crossing = x + (row - y) / dy * dx
    np.logical_xor.at(flips, (row, np.clip(np.ceil(crossing), 0, columns).astype(np.intp)), True)
    touching = np.abs(crossing - np.round(crossing)) < _ROUNDING
    touching &= (crossing > -0.5) & (crossing < columns - 0.5)
    on[row[touching], np.round(crossing[touching]).astype(np.intp)] = True
    # What the half-open rows leave out: horizontal edges, and corners on a voxel centre.
    level = (start[:, 0] == stop[:, 0]) & (start[:, 0] % 1 == 0)
    level &= (start[:, 0] >= 0) & (start[:, 0] < rows)
    edge, column = _whole_numbers_between(
        np.ceil(np.minimum(start[level, 1], stop[level, 1])),
        np.floor(np.maximum(start[level, 1], stop[level, 1])),
        columns,
    )
    on[start[level, 0].astype(np.intp)[edge], column] = True
    centred = (start % 1 == 0).all(axis=1) & ((start >= 0) & (start < (rows, columns))).all(axis=1)
    on[tuple(start[centred].astype(np.intp).T)] = True
    inside: Mask = np.logical_xor.accumulate(flips, axis=1)[:, :columns] | on
    return inside


def check_outline(points: Any, name: str) -> Floats:
    """Return the corners of a closed outline as an (N, 2) array without a repeated last point.

    Raises `InputError`, with `name` for the outline, for fewer than 3 points, points that are not
    finite and arrays of another shape.
    """
    array = check_points(points, name)
    if len(array) > 1 and (array[0] == array[-1]).all():
        array = array[:-1]
    if len(array) < 3:
        raise InputError(
            f"{name}: a closed outline needs 3 points at least, a repeated last one not counted; "
            f"got {len(array)}."
        )
    return array


def check_object_label(label: Any, name: str) -> int:
    """Return a label as a whole number from 1 to the largest int32, or raise `InputError`."""
    try:
        value = as_index(label)
    except TypeError:
        raise InputError(f"{name} must be a whole number; got {label!r}.") from None
    if not 1 <= value <= _LARGEST:
        raise InputError(f"{name} is {value}; it must lie between 1 and {_LARGEST}.")
    return value


def check_shape(shape: Sequence[int], ndim: int) -> tuple[int, ...]:
    """Return `shape` as `ndim` whole numbers above 0, or raise `InputError`."""
    try:
        size = tuple(as_index(n) for n in shape)
    except TypeError:
        raise InputError(f"shape must be {ndim} whole numbers; got {shape!r}.") from None
    if len(size) != ndim or min(size) < 1:
        raise InputError(f"shape must be {ndim} whole numbers above 0; got {size}.")
    return size


def simplified_outline(
    points: Floats, spacing: Sequence[float], tolerance: float, *, closed: bool
) -> Floats:
    """Leave out points of a line that lie within `tolerance` of the line without them.

    Parameters
    ----------
    points : (N, 2) ndarray of float
        Rows and columns; the first point of a closed line is not repeated.
    spacing : sequence of 2 floats
        Voxel size.
    tolerance : float
        In the unit of `spacing`; 0 keeps all points.
    closed : bool
        Whether the last point is joined to the first.

    Returns
    -------
    (M, 2) ndarray of float
    """
    size = np.array(check_spacing(spacing, 2))
    if closed:
        return _simplified(np.concatenate([points, points[:1]]), size, tolerance)[:-1]
    if tolerance <= 0:
        return points
    from skimage.measure import approximate_polygon

    return np.asarray(approximate_polygon(points * size, tolerance) / size)


def _number(value: Any, name: str) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise InputError(f"{name} must be a number; got {value!r}.") from None
    if not np.isfinite(number):
        raise InputError(f"{name} must be finite; got {value!r}.")
    return number


def _checked_contours(
    contours: Sequence[Any], labels: Sequence[int] | None
) -> tuple[list[Floats], list[int], list[bool]]:
    """Return the polygons, their labels and whether each is known to be a hole."""
    known = [isinstance(contour, Outline) for contour in contours]
    if any(known) and not all(known):
        raise InputError(
            f"contours mixes {sum(known)} Outline objects with {len(known) - sum(known)} arrays; "
            "give one kind."
        )
    if any(known) and labels is not None:
        raise InputError("labels must be None for Outline objects: each has its own label.")
    given: Sequence[Any] = [c.label for c in contours] if any(known) else labels  # type: ignore[assignment]
    if given is None:
        given = range(1, len(contours) + 1)
    if len(given) != len(contours):
        raise InputError(
            f"labels has {len(given)} values; there must be one for each of the {len(contours)} "
            "contours."
        )
    polygons, values = [], []
    for number, (contour, label) in enumerate(zip(contours, given, strict=True), start=1):
        points = contour.points if isinstance(contour, Outline) else contour
        polygons.append(check_outline(points, f"contours: outline {number}"))
        values.append(check_object_label(label, f"labels: the label of outline {number}"))
    return polygons, values, [isinstance(c, Outline) and bool(c.hole) for c in contours]


def _filled(points: Floats, label: int, hole: bool, shape: tuple[int, ...]) -> _Filled:
    low, high = points.min(axis=0), points.max(axis=0)
    first = np.clip(np.ceil(low - _ROUNDING), 0, shape).astype(np.intp)
    last = np.clip(np.floor(high + _ROUNDING) + 1, first, shape).astype(np.intp)
    mask = fill_outline(points, first.tolist(), (last - first).tolist())
    # The loops of a figure of eight cancel in the formula for the area, but not in the voxels.
    # Six decimals: the same outline from another first point must not count as smaller.
    area = round(max(abs(_signed_area(points)), float(np.count_nonzero(mask))), 6)
    return _Filled(label, hole, low, high, (int(first[0]), int(first[1])), mask, area)


def _by_label(outlines: list[_Filled]) -> dict[int, list[_Filled]]:
    groups: dict[int, list[_Filled]] = {}
    for outline in outlines:
        groups.setdefault(outline.label, []).append(outline)
    return groups


def _with_nested_holes(outlines: list[_Filled]) -> list[_Filled]:
    """Mark as holes what lies in an odd number of other outlines of the same label."""
    found = []
    for group in _by_label(outlines).values():
        low, high = np.array([f.low for f in group]), np.array([f.high for f in group])
        area = np.array([f.area for f in group])
        for inner in group:
            around = (low <= inner.low).all(axis=1) & (high >= inner.high).all(axis=1)
            depth = 0
            for i in np.flatnonzero(around & (area > inner.area)).tolist():
                mine, theirs = _shared(inner, group[i])
                depth += not (mine & ~theirs).any()
            found.append(replace(inner, hole=depth % 2 == 1))
    return found


def _shared(a: _Filled, b: _Filled) -> tuple[Mask, Mask]:
    """Return views of both masks on the voxels that their boxes share."""
    first = np.maximum(a.corner, b.corner)
    last = np.minimum(np.add(a.corner, a.mask.shape), np.add(b.corner, b.mask.shape))
    last = np.maximum(first, last)
    views = []
    for outline in (a, b):
        (top, left), (bottom, right) = first - outline.corner, last - outline.corner
        views.append(outline.mask[top:bottom, left:right])
    return views[0], views[1]


def _whole_numbers_between(
    first: Floats, last: Floats, stop: int
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """List the whole numbers from `first` to `last`, and below `stop`: whose they are, and they."""
    begin = np.clip(first, 0, stop).astype(np.intp)
    count = np.maximum(np.clip(last, -1, stop - 1).astype(np.intp) - begin + 1, 0)
    owner = np.repeat(np.arange(len(count)), count)
    place = np.arange(len(owner)) - np.repeat(np.cumsum(count) - count, count)
    return owner, begin[owner] + place


def _signed_area(points: Floats) -> float:
    """Return the area by the shoelace formula, its sign that of the sense of rotation."""
    y, x = (points - points[0]).T
    return float(y @ np.roll(x, -1) - x @ np.roll(y, -1)) / 2


def _corners(ring: Floats) -> Floats:
    """Leave out the points of a closed ring that lie between their neighbours on a line."""
    points = ring[:-1]
    (ay, ax), (by, bx) = (
        (points - np.roll(points, 1, axis=0)).T,
        (np.roll(points, -1, axis=0) - points).T,
    )
    kept = points[np.abs(ay * bx - ax * by) > _ROUNDING]
    return np.concatenate([kept, kept[:1]])


def _simplified(ring: Floats, size: Floats, tolerance: float) -> Floats:
    from skimage.measure import approximate_polygon

    while tolerance > 0:
        points: Floats = approximate_polygon(ring * size, tolerance) / size
        if len(points) > 3 and _signed_area(points) != 0:
            return np.concatenate([points[:-1], points[:1]])
        # Collapsed to a line or a point.
        tolerance = tolerance / 2 if len(ring) > 4 else 0
    return ring
