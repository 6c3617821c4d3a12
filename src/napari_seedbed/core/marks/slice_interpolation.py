"""Starting volumes from closed shapes that were drawn on a few slices."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from operator import index as as_index
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.marks.outlines import (
    check_object_label,
    check_outline,
    check_shape,
    labels_from_contours,
)
from napari_seedbed.core.parabola_envelopes import lowest_parabolas, nearest_distances
from napari_seedbed.core.progress import check_stop
from napari_seedbed.core.threads import run_ranges, split
from napari_seedbed.core.validation import check_spacing
from napari_seedbed.errors import InputError

Floats = NDArray[np.float64]
Distances = NDArray[np.float32]
Mask = NDArray[np.bool_]

# Samples a voxel along an outline: the distance to the nearest one is off by at most 0.02 voxels
# where it is half a voxel, and by less farther away.
_SAMPLES = 4
# Share of a voxel: rounding must not decide at an outline.
_ROUNDING = 1e-5


@dataclass(frozen=True, slots=True, eq=False)
class _Object:
    """What was drawn of one object, in a window of a plane with one voxel more all around.

    For each slice of `slices`, `masks` says which voxels lie inside and `distances` how deep they
    do; that is negative outside, and -infinity for voxels that lie inside on no slice.
    `thickness` is the squared half thickness of the round ends before the first and behind the
    last slice, None for flat ones.
    """

    label: int
    window: tuple[slice, slice]
    slices: list[int]
    masks: list[Mask]
    distances: list[Distances]
    thickness: tuple[Distances, Distances] | None

    def reach(self, step: float) -> tuple[int, int]:
        """Return the first and the last slice of the object, ends included."""
        first, last = self.slices[0], self.slices[-1]
        if self.thickness is None:
            return first, last
        low, high = (int(np.sqrt(end.max()) / step + _ROUNDING) for end in self.thickness)
        return first - low, last + high

    def strength(self, z: int, step: float) -> Distances:
        """Return the distances on a slice, -infinity where the object is not."""
        n = bisect_right(self.slices, z)
        if n and self.slices[n - 1] == z:
            return np.where(self.masks[n - 1], self.distances[n - 1], -np.inf)
        if 0 < n < len(self.slices):
            before, behind = self.slices[n - 1 : n + 1]
            t = np.float32((z - before) / (behind - before))
            mixed = (1 - t) * self.distances[n - 1] + t * self.distances[n]
            return np.where(mixed >= -_ROUNDING * step, mixed, -np.inf)
        end = 0 if n == 0 else -1
        away = abs(z - self.slices[end]) * step
        assert self.thickness is not None
        inside = self.thickness[end] * (1 + _ROUNDING) >= away**2
        return np.where(inside, self.distances[end] - np.float32(away), -np.inf)


def volume_from_slices(
    outlines: Sequence[tuple[int, int, Any]],
    shape: Sequence[int],
    spacing: float | Sequence[float] | None = None,
    *,
    axis: int = 0,
    cap: Literal["flat", "round"] = "flat",
) -> NDArray[np.int32]:
    """Fill the space between closed shapes drawn on a few slices of a volume.

    Parameters
    ----------
    outlines : sequence of (label, slice index, points)
        The points are an (N, 2) array of voxel coordinates along the two axes that are left, in
        their order, when `axis` is taken away. An object may have any number of shapes, on one
        slice too: they are joined, but one that lies inside another is a hole in it, one inside
        the hole an island, and so on (the even-odd rule, see `labels_from_contours`).
    shape : sequence of 3 ints
        Shape of the volume.
    spacing : sequence of 3 floats, optional
        Voxel size; 1 when None.
    axis : int
        Axis that the slices are cut across.
    cap : {'flat', 'round'}
        How an object ends beyond its first and last slice: at once, or with half a ball on a disc.

    Returns
    -------
    ndarray of int32, of shape `shape`
        On a drawn slice an object is exactly what was drawn, except where another object was
        drawn over it. Shapes are cut at the border of the volume; a shape that holds no voxel
        centre counts as not drawn.

    Raises
    ------
    InputError
        If nothing was drawn, a slice lies outside the volume, a label is below 1, an outline has
        fewer than 3 points or points that are not finite, or an argument is malformed.

    Notes
    -----
    Shape-based interpolation [1]_, [2]_: on each drawn slice the distance to the outline is
    measured in the unit of `spacing`, positive inside and negative outside; between two slices it
    is interpolated linearly, and the object is where it is not negative. So an object that splits
    needs no pairing of its parts. Parts that do not overlap when looked at along `axis` do not
    meet between their slices: draw a slice more.

    An object that was drawn on one slice alone becomes the union of all balls that are centred on
    the slice and fit into its outline: a disc becomes a ball, a ring a torus, a stripe a tube. With
    d(q) for the depth of a voxel q inside the outline, the half thickness over a voxel p is
    ``sqrt(max over q of d(q)^2 - |p - q|^2)``. The ends with ``cap='round'`` have the same form.

    Where objects meet, the one with the larger distance wins, in an end less the distance from the
    slice; of equal ones the lower label. What was drawn on a slice wins over what is only
    interpolated. The order of `outlines` does not matter.

    References
    ----------
    .. [1] S. P. Raya, J. K. Udupa, Shape-based interpolation of multidimensional objects, IEEE
       Transactions on Medical Imaging 9 (1990) 32-42.
    .. [2] G. T. Herman, J. Zheng, C. A. Bucholtz, Shape-based interpolation, IEEE Computer
       Graphics and Applications 12 (1992) 69-79.
    """
    size = check_shape(shape, 3)
    axis = _checked_axis(axis)
    if cap not in ("flat", "round"):
        raise InputError(f"cap must be 'flat' or 'round'; got {cap!r}.")
    lengths = list(check_spacing(spacing, 3))
    step = lengths.pop(axis)
    out = np.zeros(size, np.int32)
    volume = np.moveaxis(out, axis, 0)
    present: list[list[_Object]] = [[] for _ in volume]
    for label, drawn in sorted(_checked_outlines(outlines, len(volume), axis).items()):
        check_stop()
        found = _measured(label, drawn, volume.shape[1:], np.array(lengths), cap == "round")
        if found is not None:
            first, last = found.reach(step)
            for here in present[max(first, 0) : last + 1]:
                here.append(found)

    # Slice by slice, so that the contest needs one plane of distances and no volume of them.
    def fill(first: int, last: int) -> None:
        for z in range(first, last):
            if present[z]:
                _contest(present[z], z, step, volume[z])

    run_ranges(fill, split(len(volume), len(volume)))
    return out


def _checked_axis(axis: int) -> int:
    try:
        number = as_index(axis)
    except TypeError:
        raise InputError(f"axis must be a whole number; got {axis!r}.") from None
    if not -3 <= number < 3:
        raise InputError(f"axis is {number}; it must be 0, 1 or 2, or -3 to -1 from the end.")
    return number % 3


def _checked_outlines(
    outlines: Sequence[tuple[int, int, Any]], count: int, axis: int
) -> dict[int, dict[int, list[Floats]]]:
    """Return the polygons of each slice of each label."""
    if not len(outlines):
        raise InputError("outlines is empty; a volume needs at least one closed shape on a slice.")
    objects: dict[int, dict[int, list[Floats]]] = {}
    for number, entry in enumerate(outlines, start=1):
        name = f"outlines: entry {number}"
        try:
            label, where, points = entry
        except (TypeError, ValueError):
            raise InputError(f"{name} must be (label, slice index, points).") from None
        value = check_object_label(label, f"{name}: its label")
        try:
            place = as_index(where)
        except TypeError:
            raise InputError(
                f"{name}: its slice index must be a whole number; got {where!r}."
            ) from None
        if not 0 <= place < count:
            raise InputError(
                f"{name}: its slice index is {place}; axis {axis} has the slices 0 to {count - 1}."
            )
        polygon = check_outline(points, f"{name}: points")
        objects.setdefault(value, {}).setdefault(place, []).append(polygon)
    return objects


def _measured(
    label: int,
    drawn: dict[int, list[Floats]],
    plane: tuple[int, ...],
    lengths: Floats,
    rounded: bool,
) -> _Object | None:
    """Rasterise an object's shapes and measure the distances; None if they hold no voxel."""
    # One voxel around: an outline that runs along the border of the image is still an outline.
    image = np.pad(np.ones(plane, bool), 1)
    corners = np.concatenate([points + 1 for shapes in drawn.values() for points in shapes])
    first = np.clip(np.floor(corners.min(axis=0)) - 1, 0, image.shape).astype(int)
    last = np.clip(np.ceil(corners.max(axis=0)) + 2, first, image.shape).astype(int)
    window = (slice(first[0], last[0]), slice(first[1], last[1]))
    image = image[window]
    slices, masks, polygons = [], [], []
    for z, given in sorted(drawn.items()) if image.any() else ():
        shapes = [points + 1 - first for points in given]
        mask = labels_from_contours(shapes, image.shape, labels=[label] * len(shapes)) > 0
        if (mask & image).any():
            slices.append(z)
            masks.append(mask)
            polygons.append(shapes)
    if not slices:
        return None
    anywhere = np.logical_or.reduce(masks)
    distances = [
        _signed_distance(mask, shapes, anywhere, lengths)
        for mask, shapes in zip(masks, polygons, strict=True)
    ]
    thickness = None
    if rounded or len(slices) == 1:
        low = high = _squared_half_thickness(masks[0], distances[0], lengths)
        if len(slices) > 1:
            high = _squared_half_thickness(masks[-1], distances[-1], lengths)
        thickness = low, high
    return _Object(label, window, slices, masks, distances, thickness)


def _contest(objects: list[_Object], z: int, step: float, out: NDArray[np.int32]) -> None:
    """Write the labels of a slice; `objects` come in ascending order of their labels."""
    rows, columns = (
        slice(min(w.start for w in windows), max(w.stop for w in windows))
        for windows in zip(*(found.window for found in objects), strict=True)
    )
    labels = np.zeros((rows.stop - rows.start, columns.stop - columns.start), np.int32)
    # What was drawn on this very slice comes later and wins over what is interpolated.
    for drawn in (False, True):
        rivals = [found for found in objects if (z in found.slices) == drawn]
        if not rivals:
            continue
        best = np.full(labels.shape, -np.inf, np.float32)
        for found in rivals:
            strength = found.strength(z, step)
            part = _within(found.window, (rows, columns))
            wins = strength > best[part]
            np.copyto(best[part], strength, where=wins)
            np.copyto(labels[part], found.label, where=wins)
    # Windows are those of a plane with one voxel more all around.
    image = slice(1, out.shape[0] + 1), slice(1, out.shape[1] + 1)
    kept = tuple(
        slice(max(part.start, whole.start), min(part.stop, whole.stop))
        for part, whole in zip((rows, columns), image, strict=True)
    )
    out[_within(kept, image)] = labels[_within(kept, (rows, columns))]


def _within(window: tuple[slice, ...], whole: tuple[slice, ...]) -> tuple[slice, ...]:
    """Return a window as seen from the corner of another one."""
    return tuple(
        slice(part.start - around.start, part.stop - around.start)
        for part, around in zip(window, whole, strict=True)
    )


def _signed_distance(
    mask: Mask, polygons: list[Floats], anywhere: Mask, lengths: Floats
) -> Distances:
    """Return the distance from the outlines of a slice for the voxels of `anywhere`."""
    samples = np.concatenate([_samples(points, mask.shape, lengths) for points in polygons])
    # A piece of an outline inside another shape that it is joined with is no border of the object.
    top = np.array(mask.shape) - 1
    above = np.clip(np.floor(samples - 1e-6), 0, top).astype(int)
    below = np.clip(np.ceil(samples + 1e-6), 0, top).astype(int)
    inside = np.zeros(len(samples), int)
    for rows in (above[:, 0], below[:, 0]):
        for columns in (above[:, 1], below[:, 1]):
            inside += mask[rows, columns]
    border = samples[(inside > 0) & (inside < 4)]
    if len(border):
        away = nearest_distances(border, anywhere, lengths)
    else:
        # The shape fills the whole window: its outline is farther away than all that is in it.
        away = np.full(mask.shape, np.linalg.norm(mask.shape * lengths))
    return np.where(anywhere, np.where(mask, away, -away), -np.inf).astype(np.float32)


def _samples(points: Floats, shape: tuple[int, ...], lengths: Floats) -> Floats:
    """Return closely spaced points of a closed outline, as far as it lies in a window."""
    along = np.roll(points, -1, axis=0) - points
    # Liang and Barsky 1984: the part of each edge between the faces of the window.
    moves = along != 0
    to_faces = np.stack([-points, np.array(shape) - 1.0 - points])
    between = (to_faces[0] <= 0) & (to_faces[1] >= 0)
    to_faces = to_faces / np.where(moves, along, 1)
    enter = np.where(moves, to_faces.min(axis=0), np.where(between, 0, np.inf)).max(axis=1)
    leave = np.where(moves, to_faces.max(axis=0), 1).min(axis=1)
    enter, leave = np.maximum(enter, 0), np.minimum(leave, 1)
    seen = enter <= leave
    points, along, enter, leave = points[seen], along[seen], enter[seen], leave[seen]
    length = np.linalg.norm(along * lengths, axis=1) * (leave - enter)
    count = np.ceil(length * _SAMPLES / lengths.min()).astype(int) + 1
    edge = np.repeat(np.arange(len(count)), count)
    number = np.arange(len(edge)) - np.repeat(np.cumsum(count) - count, count)
    t = enter[edge] + (leave - enter)[edge] * number / np.maximum(count - 1, 1)[edge]
    return np.asarray(points[edge] + t[:, None] * along[edge])


def _squared_half_thickness(mask: Mask, distance: Distances, lengths: Floats) -> Distances:
    """Return the square of how far the balls in the outline reach out of their slice.

    The largest d(q)^2 - |p - q|^2 over all voxels q; -infinity outside the outline.
    """
    depth = np.where(mask, -(distance.astype(np.float64) ** 2), np.inf)
    return np.where(mask, -lowest_parabolas(depth, lengths), -np.inf).astype(np.float32)
