"""Where objects end across slices, as the image shows it.

What an object looks like is measured where it was drawn: its mean, and the median of what lies
around it. It ends where it is closer to what was around it than to itself, which for blurred
images is the full width at half maximum.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from napari_seedbed.core.progress import check_stop
from napari_seedbed.core.snakes.losses import LEAST_TO_LOSE

Labels = NDArray[np.int32]

# Of the radius of the largest circle in an outline: how far an object may go on beyond it.
_FARTHEST = 2.0
# Voxels that lie around an object however small it is.
_LEAST_AROUND = 3
_HALF = 0.5


@dataclass(frozen=True, eq=False)
class Levels:
    """What an object and its surroundings look like; one number a channel.

    Attributes
    ----------
    inside : (C,) ndarray
    outside : (C,) ndarray
    """

    inside: NDArray[np.floating]
    outside: NDArray[np.floating]

    def stands_out(self) -> bool:
        """Whether the object differs enough from its surroundings to see where it ends."""
        return float(np.linalg.norm(self.inside - self.outside)) >= LEAST_TO_LOSE

    def towards(self, others: "Levels", share: float) -> "Levels":
        """Levels that are by a share closer to others."""
        return Levels(
            (1 - share) * self.inside + share * others.inside,
            (1 - share) * self.outside + share * others.outside,
        )

    def belong(self, values: NDArray[np.floating]) -> NDArray[np.bool_]:
        """Say for each column of (C, ...) values whether they are closer to the object."""
        contrast = self.inside - self.outside
        along = np.tensordot(contrast, values, axes=1) - contrast @ self.outside
        return np.asarray(along >= _HALF * (contrast @ contrast))


def levels_of(
    channels: NDArray[np.floating],
    labels: NDArray[np.integer],
    value: int,
    spacing: tuple[float, ...],
) -> Levels | None:
    """Measure what an object and its surroundings look like on a slice.

    Parameters
    ----------
    channels : (C, M, N) ndarray
    labels : (M, N) ndarray of int
        Other objects are not surroundings.
    value : int
        The object.
    spacing : (float, float)

    Returns
    -------
    Levels or None
        None where the object is not there, or nothing is around it. Around is what is as near to
        the object as its middle is to its border.
    """
    box = _box(labels == value)
    if box is None:
        return None
    inner = np.pad(labels[box] == value, 1)
    radius = float(ndi.distance_transform_edt(inner, sampling=spacing).max())
    radius = max(radius, _LEAST_AROUND * max(spacing))
    wide = tuple(
        slice(max(part.start - int(radius / step) - 1, 0), part.stop + int(radius / step) + 1)
        for part, step in zip(box, spacing, strict=True)
    )
    here = labels[wide]
    mask = here == value
    around = (ndi.distance_transform_edt(~mask, sampling=spacing) <= radius) & (here == 0)
    if not around.any():
        return None
    part = channels[(slice(None), *wide)]
    return Levels(part[:, mask].mean(axis=1), np.median(part[:, around], axis=1))


def with_ends(
    image: NDArray[np.floating],
    volume: Labels,
    drawn: Mapping[int, tuple[int, int]],
    axis: int,
    spacing: tuple[float, ...],
    channel_axis: int | None = None,
) -> Labels:
    """Let objects begin as far beyond their first and last drawn slice as the image shows them.

    Above and below each voxel of the outline on such a slice an object goes on until the image is
    closer to its surroundings, but no farther than the width of the outline. Objects that do not
    stand out keep the ends that they have.

    Parameters
    ----------
    image : (M, N, P) ndarray, or (C, M, N, P)
        Smoothed.
    volume : (M, N, P) ndarray of int32
        Objects with the ends that their outlines alone give them (`volume_from_slices`).
    drawn : mapping of int to (int, int)
        The first and the last drawn slice of each object.
    axis : int
        Axis that the slices are cut across.
    spacing : (float, float, float)
        Voxel size.
    channel_axis : int or None
        0 or None.

    Returns
    -------
    (M, N, P) ndarray of int32
        Where objects meet, the one whose drawn slice is nearer wins, of equally near ones the
        lower label.
    """
    channels = np.moveaxis(image[np.newaxis] if channel_axis is None else image, axis + 1, 1)
    start = np.moveaxis(volume, axis, 0)
    within = tuple(step for a, step in enumerate(spacing) if a != axis)
    seen = _seen(channels, start, drawn, within)
    out = start.copy()
    boxes = ndi.find_objects(start)
    for value in seen:
        first, last = drawn[value]
        zs, rows, columns = boxes[value - 1]
        for along in (slice(zs.start, first), slice(last + 1, zs.stop)):
            beyond = out[along, rows, columns]
            beyond[beyond == value] = 0
    is_start = out != 0
    away = np.full(out.shape, np.iinfo(np.int16).max, np.int16)
    for value, (levels, reach) in sorted(seen.items()):
        check_stop()
        for begin, step in zip(drawn[value], (-1, 1), strict=True):
            box = _box(start[begin] == value)
            assert box is not None
            going_on = start[begin][box] == value
            for k in range(1, int(reach / spacing[axis]) + 1):
                z = begin + step * k
                if not 0 <= z < len(out):
                    break
                going_on &= levels.belong(channels[:, z][:, *box])
                wins = going_on & (away[z][box] > k) & ~is_start[z][box]
                out[z][box][wins] = value
                away[z][box][wins] = k
                if not going_on.any():
                    break
    return np.ascontiguousarray(np.moveaxis(out, 0, axis))


def _seen(
    channels: NDArray[Any],
    start: Labels,
    drawn: Mapping[int, tuple[int, int]],
    spacing: tuple[float, ...],
) -> dict[int, tuple[Levels, float]]:
    """Levels of the objects that stand out, and how far they may go on beyond what was drawn."""
    found = {}
    for value, ends in drawn.items():
        check_stop()
        measured = [levels_of(channels[:, z], start[z], value, spacing) for z in ends]
        known = [levels for levels in measured if levels is not None and levels.stands_out()]
        if len(known) < len(ends):
            continue
        both = Levels(
            np.mean([levels.inside for levels in known], axis=0),
            np.mean([levels.outside for levels in known], axis=0),
        )
        if not both.stands_out():
            continue
        depth = [
            ndi.distance_transform_edt(np.pad(start[z] == value, 1), sampling=spacing).max()
            for z in ends
        ]
        found[value] = both, _FARTHEST * float(max(depth))
    return found


def _box(mask: NDArray[np.bool_]) -> tuple[slice, ...] | None:
    """The smallest box that holds a mask; None for an empty one."""
    found = ndi.find_objects(mask.view(np.uint8))
    return found[0] if found else None
