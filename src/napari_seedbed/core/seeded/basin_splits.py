"""Basins that hold seeds of several labels are split: each voxel goes to the nearest seed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from napari_seedbed.core.progress import check_stop
from napari_seedbed.core.seeded import field_kernels
from napari_seedbed.core.seeded.basin_graphs import BasinGraph, FaceGraph, Faces, joined_faces
from napari_seedbed.core.seeded.linear_scores import Region

Floats = NDArray[np.float32]

_VOXELS_AT_ONCE = 1 << 17


@dataclass(frozen=True, eq=False)
class SplitBasin:
    """A basin, and the seeds in it.

    Attributes
    ----------
    number : int
    places : (S, 3) ndarray
        Of the seeds.
    labels : (S,) ndarray of int32
    nodes : (L,) ndarray of int32
        Number of the part of each label, rising; the first is the basin's own.
    """

    number: int
    places: NDArray[np.intp]
    labels: NDArray[np.int32]
    nodes: NDArray[np.int32]

    def parts(self, voxels: NDArray[np.integer], step: NDArray[np.float64]) -> NDArray[np.int32]:
        """Number of the part that each of its voxels (V, 3) belongs to."""
        tree = cKDTree(self.places * step)
        found = np.empty(len(voxels), np.int32)
        part_of = self.nodes[np.searchsorted(np.unique(self.labels), self.labels)]
        for first in range(0, len(voxels), _VOXELS_AT_ONCE):
            check_stop()
            some = slice(first, first + _VOXELS_AT_ONCE)
            found[some] = part_of[tree.query(voxels[some] * step)[1]]
        return found


@dataclass(frozen=True, eq=False)
class Splits:
    """All basins of a volume that are split.

    Attributes
    ----------
    count : int
        Of the basins before.
    basins : list of SplitBasin
        Rising.
    steps : (3,) ndarray
        Voxel size, for distances.
    """

    count: int
    basins: list[SplitBasin]
    steps: NDArray[np.float64]

    @property
    def numbers(self) -> NDArray[np.int32]:
        """Of the basins that are split."""
        return np.array([own.number for own in self.basins], np.int32)

    @property
    def key(self) -> bytes:
        """What is the same for the same seeds in the same basins."""
        rows = [
            np.column_stack([np.full(len(own.labels), own.number), own.places, own.labels])
            for own in self.basins
        ]
        return np.concatenate([np.empty((0, 5), np.int64), *rows]).astype(np.int64).tobytes()

    @property
    def parents(self) -> NDArray[np.int32]:
        """The basin that each new node is a part of."""
        each = [np.full(len(own.nodes) - 1, own.number, np.int32) for own in self.basins]
        return np.concatenate([np.empty(0, np.int32), *each])

    def applied(self, basin: NDArray[np.int32], region: Region) -> NDArray[np.int32]:
        """Basins of a region with new numbers where they are split."""
        is_split = np.zeros(self.count + 1, np.bool_)
        is_split[self.numbers] = True
        # The last one is for -1.
        inside = is_split[basin]
        if not inside.any():
            return basin
        found = basin.copy()
        voxels = np.argwhere(inside)
        holds = basin[inside]
        start = np.array([part.start for part in region])
        for own in self.basins:
            mine = holds == own.number
            if mine.any():
                there = voxels[mine]
                found[tuple(there.T)] = own.parts(there + start, self.steps)
        return found


def find_splits(
    count: int,
    places: tuple[NDArray[Any], ...],
    numbers: NDArray[np.int32],
    holds: NDArray[np.int64],
    spacing: Sequence[float],
) -> tuple[Splits, NDArray[np.int32]]:
    """Find which basins are split, and which label each node has then.

    Parameters
    ----------
    count : int
        How many basins there are.
    places : tuple of three (S,) ndarray
        Where there are seeds.
    numbers : (S,) ndarray of int32
        Which label each has, from 0.
    holds : (S,) ndarray of int64
        The basin of each, -1 outside.
    spacing : sequence of float
        Voxel size.

    Returns
    -------
    splits : Splits
    given : (N,) ndarray of int32
        Label of each node with seeds, -1 of all others.
    """
    n_labels = int(numbers.max()) + 1
    owner, label = np.divmod(np.unique(holds * n_labels + numbers), n_labels)
    several = np.flatnonzero(np.bincount(owner, minlength=count) > 1)
    seeds = np.stack(places, axis=1)
    order = np.argsort(holds, kind="stable")
    starts = np.searchsorted(holds[order], several)
    ends = np.searchsorted(holds[order], several, side="right")
    basins = []
    given = np.full(count, -1, np.int32)
    given[owner] = label
    more: list[int] = []
    for number, start, end in zip(several.tolist(), starts, ends, strict=True):
        own = order[start:end]
        labels = np.unique(numbers[own])
        new = count + len(more) + np.arange(len(labels) - 1)
        nodes = np.append(number, new).astype(np.int32)
        basins.append(SplitBasin(number, seeds[own], numbers[own], nodes))
        given[number] = labels[0]
        more += labels[1:].tolist()
    return Splits(count, basins, np.asarray(spacing, np.float64)), np.append(
        given, np.array(more, np.int32)
    ).astype(np.int32)


def split_by_seeds(
    graph: BasinGraph,
    places: tuple[NDArray[Any], ...],
    numbers: NDArray[np.int32],
    spacing: Sequence[float],
) -> tuple[BasinGraph, NDArray[np.int32]]:
    """Split basins that hold seeds of several labels, each voxel to the nearest seed.

    Parameters
    ----------
    graph : BasinGraph
    places : tuple of three (S,) ndarray
        Where there are seeds.
    numbers : (S,) ndarray of int32
        Which label each has, from 0.
    spacing : sequence of float
        Voxel size, for distances.

    Returns
    -------
    graph : BasinGraph
        The parts of a split basin but the first have new numbers, after all others.
    given : (N,) ndarray of int32
        Label of each basin with seeds, -1 of all others.
    """  # fmt: skip
    holds = graph.basin[places].astype(np.int64)
    splits, given = find_splits(graph.count, places, numbers, holds, spacing)
    if not splits.basins:
        return graph, given
    basin = graph.basin.copy()
    low, high = [graph.low], [graph.high]
    faces = []
    for own in splits.basins:
        box = tuple(
            slice(a, b) for a, b in zip(graph.low[own.number], graph.high[own.number], strict=True)
        )
        voxels = np.argwhere(graph.basin[box] == own.number) + graph.low[own.number]
        parts = own.parts(voxels, splits.steps)
        for node in own.nodes[1:]:
            mine = voxels[parts == node]
            basin[tuple(mine.T)] = node
            low.append(mine.min(axis=0, keepdims=True).astype(np.int32))
            high.append((mine.max(axis=0, keepdims=True) + 1).astype(np.int32))
    marked = np.zeros(graph.count, np.bool_)
    marked[splits.numbers] = True
    for number in splits.numbers.tolist():
        arguments = (
            graph.basin, basin, graph.energy, graph.areas, marked, number,
            graph.low[number], graph.high[number],
        )  # fmt: skip
        nothing = np.empty(0, np.float32)
        size = field_kernels.faces_of_split(
            *arguments, False, np.empty((0, 2), np.int32), nothing, nothing
        )
        found = (
            np.empty((size, 2), np.int32), np.empty(size, np.float32), np.empty(size, np.float32)
        )  # fmt: skip
        field_kernels.faces_of_split(*arguments, True, *found)
        faces.append(Faces(*found))
    new = with_faces_of_parts(graph, marked, faces, len(given))
    return replace(
        graph,
        basin=basin,
        low=np.concatenate(low),
        high=np.concatenate(high),
        pair=new.pair,
        area=new.area,
        cost=new.cost,
    ), given


def with_faces_of_parts(
    graph: FaceGraph, marked: NDArray[np.bool_], faces: Sequence[Faces], count: int
) -> Faces:
    """Put the faces of parts in place of those of the marked basins; so many nodes there are."""
    kept = ~marked[graph.pair].any(axis=1)
    new = joined_faces(faces, count)
    return Faces(
        np.concatenate([graph.pair[kept], new.pair]),
        np.concatenate([graph.area[kept], new.area]),
        np.concatenate([graph.cost[kept], new.cost]),
    )
