"""An object cut in two along a line or a plane."""

from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from napari_seedbed.core.proofreading.chosen_objects import Chosen, Part
from napari_seedbed.core.proofreading.drawn_lines import drawn, stroke_points
from napari_seedbed.core.proofreading.label_edits import Box, LabelEdit
from napari_seedbed.core.proofreading.whole_objects import relabelled
from napari_seedbed.errors import InputError

Mask = NDArray[np.bool_]
Floats = NDArray[np.float64]


def split_by_cut(
    chosen: Chosen,
    *,
    path: Any = None,
    plane: tuple[Any, Any] | None = None,
    axis: int | None = None,
) -> LabelEdit:
    """Cut an object in two along a drawn line or a plane; the larger part keeps the label.

    Parameters
    ----------
    chosen : Chosen
        One object.
    path : (N, D) array_like of float, optional
        Points of the line in voxel coordinates, joined by straight lines. In a volume it lies in a
        slice and cuts all slices of the object alike. Where it ends within the object and does not
        part it, its ends go on straight.
    plane : (point, normal), optional
        Instead of a line: a voxel position, and a direction in voxel coordinates.
    axis : int, optional
        Across which axis the slice of the line lies; found from the points when None.

    Raises
    ------
    InputError
        Also if the cut leaves the object whole.
    """
    ndim, own = chosen.array.ndim, chosen.value
    if (path is None) == (plane is None):
        raise InputError("path and plane: give one of them.")
    fresh = chosen.fresh_labels()
    if plane is not None:
        point, normal = (_vector(v, ndim, "plane") for v in plane)
        if not normal.any():
            raise InputError("plane: its normal is 0; give a direction.")
    else:
        line = stroke_points(path, ndim, "path", 2)
        across = _axis_across(line, axis) if ndim == 3 else None

    def cut(part: Part, value: int, box: Box) -> Part:
        mask = part == value
        corner = np.array([side.start for side in box], float)
        if plane is not None:
            grid = np.ogrid[tuple(slice(n) for n in mask.shape)]
            away = sum(n * (g - p) for g, n, p in zip(grid, normal, point - corner, strict=True))
            parts = np.where(mask, 1 + (away >= 0), 0)
        else:
            parts = _parted(mask, line - corner, across)
        if not _has_two(parts):
            raise InputError(f"The cut leaves object {own} whole; draw it right across.")
        return relabelled(part, parts, 2, value, fresh)

    return chosen.edited("split", cut)


def _parted(mask: Mask, line: Floats, across: int | None) -> NDArray[np.intp]:
    """A mask as 1 on one side of a line and 2 on the other, where the line parts it."""
    if across is None:
        flat, plane = line, mask.shape
    else:
        flat = np.delete(line, across, axis=1)
        plane = tuple(n for a, n in enumerate(mask.shape) if a != across)
    if not (mask & _along(drawn([flat], plane), mask.shape, across)).any():
        return mask.astype(np.intp)
    parts = _sides(mask, flat, plane, across)
    if _has_two(parts):
        return parts
    return _sides(mask, _drawn_out(flat, plane), plane, across)


def _has_two(parts: NDArray[np.intp]) -> bool:
    return bool((parts == 1).any() and (parts == 2).any())


def _sides(
    mask: Mask, line: Floats, plane: tuple[int, ...], across: int | None
) -> NDArray[np.intp]:
    side, beside = _side_of(line, plane)
    wall = drawn([line], plane)
    # Steps over a face alone do not pass a wall whose voxels meet at corners.
    near = ndi.binary_dilation(wall) & ~wall & beside
    side, wall, near = (_along(part, mask.shape, across) for part in (side, wall, near))
    pieces, count = ndi.label(mask & ~wall)
    touching = near & mask
    ahead = np.bincount(pieces[touching & side], minlength=count + 1)[1:]
    behind = np.bincount(pieces[touching & ~side], minlength=count + 1)[1:]
    if not _through(ahead, behind):
        return mask.astype(np.intp)
    piece_side = np.append(False, ahead > behind)
    parts = np.where(mask, 1 + piece_side[pieces], 0)
    on_wall = mask & wall
    parts[on_wall] = 1 + side[on_wall]
    return parts


def _along(part: Mask, shape: tuple[int, ...], across: int | None) -> Mask:
    """A plane, the same in all slices of a volume."""
    return part if across is None else np.broadcast_to(np.expand_dims(part, across), shape)


def _through(ahead: NDArray[np.intp], behind: NDArray[np.intp]) -> bool:
    """Whether the pieces on both sides are different ones, but for voxels at ends of the line."""
    both = np.minimum(ahead, behind)
    return bool((both * 20 <= np.maximum(ahead, behind)).all())


def _side_of(line: Floats, plane: tuple[int, ...]) -> tuple[Mask, Mask]:
    """On which side of a line each voxel of a plane lies, and whether it lies beside it.

    The nearest of its segments decides, as if the first and the last had no end.
    """
    rows, columns = np.indices(plane, float)
    nearest = np.full(plane, np.inf)
    side, beside = np.zeros(plane, bool), np.zeros(plane, bool)
    for number, (a, b) in enumerate(pairwise(line)):
        along = b - a
        length = along @ along
        if length == 0:
            continue
        t = ((rows - a[0]) * along[0] + (columns - a[1]) * along[1]) / length
        low = -np.inf if number == 0 else 0.0
        high = np.inf if number == len(line) - 2 else 1.0
        foot = np.clip(t, low, high)
        away = np.hypot(rows - a[0] - foot * along[0], columns - a[1] - foot * along[1])
        turn = along[0] * (columns - a[1]) - along[1] * (rows - a[0])
        closer = away < nearest
        nearest[closer] = away[closer]
        side[closer] = turn[closer] >= 0
        beside[closer] = ((t >= 0) & (t <= 1))[closer]
    return side, beside


def _drawn_out(line: Floats, plane: tuple[int, ...]) -> Floats:
    """A line whose ends go on straight until they are out of the plane."""
    length = 2.0 * sum(plane) + float(np.abs(line).max())
    ends = []
    for end, inward in ((line[0], line[1]), (line[-1], line[-2])):
        away = end - inward
        ends.append(end + away / max(float(np.linalg.norm(away)), 1e-9) * length)
    return np.concatenate([ends[:1], line, ends[1:]])


def _axis_across(line: Floats, axis: int | None) -> int:
    """Across which axis a line lies in a slice."""
    if axis is not None:
        if axis not in range(-3, 3):
            raise InputError(f"axis is {axis!r}; it must be 0, 1 or 2.")
        return axis % 3
    still = np.flatnonzero(np.ptp(line, axis=0) < 0.5)
    if not len(still):
        raise InputError("path: it lies in no slice; draw it on one, or say the axis.")
    return int(still[0])


def _vector(value: Any, ndim: int, name: str) -> Floats:
    return stroke_points([value], ndim, name, 1)[0]
