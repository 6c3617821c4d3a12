"""Distances between the surfaces of two masks, found block by block.

What lies within the halo of a block is found there. The few voxels whose nearest one may lie
farther away are looked for in all blocks that can hold it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

from napari_seedbed.core.blocks.block_places import BlockPlace
from napari_seedbed.core.progress import check_stop
from napari_seedbed.core.scores.surface_kernels import squared_distances, surface_of
from napari_seedbed.core.scores.surface_scores import (
    named_distances,
    object_masks,
    without_surface,
)

Floats = NDArray[np.float64]
Pair = tuple[Any, Any]
"""One for the voxels of the truth's surface, one for those of the result's."""

_ROUNDING = 1e-6


@dataclass(frozen=True, eq=False)
class BlockDistances:
    """What one block knows of the distances from each surface to the other, in the unit.

    Attributes
    ----------
    found : pair of ((N,) ndarray, (N,) ndarray of int)
        Distances, and how many voxels of the block have each.
    far : pair of (P, D) ndarray of int
        Voxels, counted in the image, whose distance is not known.
    example : pair of ((D,) ndarray of int or None)
        A voxel of each surface, where the block has one.
    """

    found: Pair
    far: Pair
    example: Pair


def distances_in_block(
    truth: NDArray[Any], labels: NDArray[Any], place: BlockPlace, spacing: tuple[float, ...]
) -> BlockDistances:
    """Measure what can be measured in one block.

    Parameters
    ----------
    truth, labels : (M, N[, P]) ndarray of int
        What is seen of the block; its halo must be one voxel or more.
    place : BlockPlace
    spacing : tuple of float
    """
    surfaces = _surfaces(truth, labels, place)
    steps = _steps(spacing)
    inside = place.own(_room(place, steps))
    found, far, example = [], [], []
    for one, other in (surfaces, surfaces[::-1]):
        own = place.own(one)
        places = np.argwhere(own)
        away = place.own(np.sqrt(_squares(other, steps), dtype=float))[own]
        known = away <= inside[own] * (1 - _ROUNDING)
        found.append(np.unique(away[known], return_counts=True))
        far.append(places[~known] + place.start)
        example.append(places[0] + place.start if len(places) else None)
    return BlockDistances((found[0], found[1]), (far[0], far[1]), (example[0], example[1]))


@dataclass(frozen=True, eq=False)
class FarVoxels:
    """Voxels of one surface whose nearest voxel of the other is looked for everywhere.

    Attributes
    ----------
    places : (P, D) ndarray of int
        In the image.
    bounds : (P,) ndarray
        No more than how far it is, in the unit.
    """

    places: NDArray[np.int64]
    bounds: Floats


def far_voxels(blocks: Sequence[BlockDistances], spacing: tuple[float, ...]) -> Pair:
    """Return the `FarVoxels` of each surface, once all blocks are measured."""
    steps = np.array(_steps(spacing))
    found = []
    for own, other in ((0, 1), (1, 0)):
        places = np.concatenate([block.far[own] for block in blocks])
        examples = [block.example[other] for block in blocks if block.example[other] is not None]
        bounds = np.full(len(places), np.inf)
        if examples and len(places):
            bounds, _ = KDTree(np.array(examples) * steps).query(places * steps)
        found.append(FarVoxels(places, bounds))
    return found[0], found[1]


def nearest_in_block(
    read: Callable[[], tuple[NDArray[Any], NDArray[Any]]],
    place: BlockPlace,
    far: Pair,
    spacing: tuple[float, ...],
) -> Pair:
    """Return how far voxels are from the other surface's part in a block, for each surface.

    Parameters
    ----------
    read : callable
        Gives the truth and the labels as for `distances_in_block`; called where they are needed.
    place, spacing
        As there.
    far : pair of FarVoxels

    Returns
    -------
    pair of ((Q,) ndarray of int, (Q,) ndarray)
        Places in the lists of voxels, and distances in the unit, of those for which the block may
        hold the nearest voxel.
    """
    steps = np.array(_steps(spacing))
    low = np.array(place.start)
    high = np.array([part.stop - 1 for part in place.region])
    found = []
    surfaces: Any = None
    for nth, wanted in enumerate(far):
        beyond = np.maximum(np.maximum(low - wanted.places, wanted.places - high), 0) * steps
        near = np.flatnonzero(np.linalg.norm(beyond, axis=1) <= wanted.bounds * (1 + _ROUNDING))
        if len(near) and surfaces is None:
            surfaces = _surfaces(*read(), place)
        other = np.argwhere(place.own(surfaces[1 - nth])) if len(near) else np.zeros((0, 0))
        away = np.zeros(0)
        if len(other):
            check_stop()
            away, _ = KDTree((other + low) * steps).query(wanted.places[near] * steps)
        found.append((near[: len(away)], away))
    return found[0], found[1]


def join_distances(
    blocks: Sequence[BlockDistances],
    far: Pair,
    nearest: Sequence[Pair],
    spacing: tuple[float, ...],
) -> dict[str, float]:
    """Return what `surface_distances` does, from what all blocks measured."""
    there = [any(block.example[nth] is not None for block in blocks) for nth in range(2)]
    if not all(there):
        return without_surface(is_in_one=any(there))
    both = []
    for nth in range(2):
        away = far[nth].bounds.copy()
        for block in nearest:
            np.minimum.at(away, block[nth][0], block[nth][1])
        values = np.concatenate([*(block.found[nth][0] for block in blocks), away])
        counts = np.concatenate(
            [*(block.found[nth][1] for block in blocks), np.ones(len(away), np.int64)]
        )
        order = np.argsort(values)
        both.append((values[order], counts[order]))
    unit = min(spacing)
    largest = max(float(values[-1]) for values, _ in both)
    percentile = max(_percentile(values, counts, 0.95) for values, counts in both)
    total = sum(float(values @ counts) for values, counts in both)
    mean = total / sum(int(counts.sum()) for _, counts in both)
    return named_distances(largest * unit, percentile * unit, mean * unit)


def _percentile(values: Floats, counts: NDArray[np.int64], share: float) -> float:
    """Percentile of numbers that come several times each, as NumPy defines it."""
    last = np.cumsum(counts) - 1
    at = share * int(last[-1])
    low, high = values[np.searchsorted(last, [int(at), min(int(at) + 1, last[-1])])]
    return float(low + (high - low) * (at - int(at)))


def _steps(spacing: Sequence[float]) -> tuple[float, ...]:
    """Voxel sizes for the smallest to be the unit."""
    return tuple(step / min(spacing) for step in spacing)


def _surfaces(
    truth: NDArray[Any], labels: NDArray[Any], place: BlockPlace
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """The surfaces in what is seen; voxels at the end of what is seen do not count as such."""
    found = []
    for mask in object_masks(truth, labels):
        surface: NDArray[np.bool_] = surface_of(mask).reshape(truth.shape)
        for axis, (part, length) in enumerate(zip(place.seen, place.shape, strict=True)):
            lead: tuple[Any, ...] = (slice(None),) * axis
            if part.start > 0:
                surface[(*lead, 0)] = False
            if part.stop < length:
                surface[(*lead, -1)] = False
        found.append(surface)
    return found[0], found[1]


def _squares(points: NDArray[np.bool_], steps: tuple[float, ...]) -> NDArray[np.float32]:
    lead = (1,) * (3 - points.ndim)
    shaped = np.ascontiguousarray(points).reshape(lead + points.shape)
    return squared_distances(shaped, (*(1.0 for _ in lead), *steps)).reshape(points.shape)


def _room(place: BlockPlace, steps: tuple[float, ...]) -> Floats:
    """How far around each voxel everything is seen, by the ends of what is seen in the image."""
    room = np.full([part.stop - part.start for part in place.seen], np.inf)
    for axis, (part, length) in enumerate(zip(place.seen, place.shape, strict=True)):
        along = np.arange(part.stop - part.start, dtype=float)
        before = along if part.start > 0 else np.full(len(along), np.inf)
        after = along[::-1] if part.stop < length else np.full(len(along), np.inf)
        shape = [1] * len(steps)
        shape[axis] = len(along)
        # The last voxel seen at each end is not known to be surface.
        nearest = np.minimum(before, after) * steps[axis]
        np.minimum(room, nearest.reshape(shape), out=room)
    return room
