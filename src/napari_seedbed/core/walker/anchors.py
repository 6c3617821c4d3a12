"""Seeds in a hierarchy: which nodes they hold, and how firmly."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.threads import run_ranges, split
from napari_seedbed.core.walker import graph_kernels, seed_kernels
from napari_seedbed.core.walker.graph_layout import BLOCKS, LANES
from napari_seedbed.core.walker.hierarchy import LARGEST_INVERSE, Hierarchy

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Anchors:
    """What a set of seeds adds to a hierarchy.

    Attributes
    ----------
    anchor : ndarray
        For each graph node but the first `hierarchy.skipped` ones, the weight of its edges to
        seeds.
    pivot : (N,) ndarray
        One over the diagonal of the graph levels; next to 0 where all voxels of a node are given.
    bottom : (M, M) ndarray
        Inverse of the coarsest level's matrix.
    """

    anchor: Floats
    pivot: Floats
    bottom: NDArray[np.float64]


@contextmanager
def anchored(
    hierarchy: Hierarchy,
    state: NDArray[np.uint8],
    places: NDArray[np.int64],
    *,
    built_around: bool = False,
) -> Iterator[Anchors]:
    """Work seeds into all graph levels, for the time of a `with` statement.

    Edges of given voxels are taken out of the graphs: left in, they would tie the unknown voxels
    of a group to the neighbours of the given ones. At the end all weights are what they were, bit
    for bit.

    Parameters
    ----------
    hierarchy : Hierarchy
        The levels.
    state : (Z, Y, X) ndarray of uint8
        Not 0 where a voxel is given.
    places : (S,) ndarray
        Flat indices of the voxels that are given.
    built_around : bool
        The hierarchy was built around these voxels.
    """
    if built_around:
        yield _anchors(hierarchy, state, places)
        return
    wz, wy, wx = (w.reshape(-1) for w in hierarchy.weights)
    grid = (wz, wy, wx, state.reshape(-1), hierarchy.group.reshape(-1))
    _, n_y, n_x = hierarchy.shape
    graph = (hierarchy.node, hierarchy.slot, hierarchy.to, hierarchy.weight, hierarchy.parent)
    args = (places, n_y * n_x, n_x, *grid, *graph)
    n_cuts = seed_kernels.cut_given_edges(*args, np.empty(0, np.int64), np.empty(0, np.float32))
    cut_edge, cut_weight = np.empty(n_cuts, np.int64), np.empty(n_cuts, np.float32)
    seed_kernels.cut_given_edges(*args, cut_edge, cut_weight)
    try:
        yield _anchors(hierarchy, state, places)
    finally:
        # The last cut first: an edge that was cut twice was whole before the first cut.
        hierarchy.weight[cut_edge[::-1]] = cut_weight[::-1]


def _anchors(hierarchy: Hierarchy, state: NDArray[np.uint8], places: NDArray[np.int64]) -> Anchors:
    node = hierarchy.node
    anchor = np.zeros(node[-1], np.float32)
    free = np.zeros(node[-1], np.float32)
    top = hierarchy.level(0)
    anchor[top] = seed_kernels.pull_on_groups(
        places, hierarchy.weights, state, hierarchy.group, top.stop
    )
    occupied = np.bincount(hierarchy.group.reshape(-1)[places], minlength=top.stop)
    free[top] = hierarchy.group_size - occupied
    for at, below, end in zip(node, node[1:], node[2:], strict=False):
        for quantity in (anchor, free):
            graph_kernels.collect(
                quantity[at:below], hierarchy.parent[at:below], quantity[below:end]
            )
    diagonal = anchor.copy()
    run_ranges(
        graph_kernels.add_totals,
        split(diagonal.size // LANES, BLOCKS),
        hierarchy.slot,
        hierarchy.weight,
        diagonal,
    )
    diagonal[(free == 0) | (diagonal == 0)] = 1 / graph_kernels.NOTHING_FREE
    last = hierarchy.level(hierarchy.n_levels - 1)
    pivot = np.reciprocal(diagonal)
    bottom = _inverse(hierarchy, last, anchor, pivot)
    return Anchors(anchor[hierarchy.skipped :].copy(), pivot, bottom)


def _inverse(
    hierarchy: Hierarchy, last: slice, anchor: Floats, pivot: Floats
) -> NDArray[np.float64]:
    n = last.stop - last.start
    if n > LARGEST_INVERSE:
        return np.empty((0, 0))
    matrix = np.zeros((n, n))
    rows = hierarchy.rows(hierarchy.n_levels - 1)
    graph_kernels.write_matrix(rows, hierarchy.to, hierarchy.weight, anchor[last], matrix)
    diagonal = matrix.diagonal()
    stuck = (pivot[last] <= graph_kernels.NOTHING_FREE) | (diagonal == 0)
    matrix[stuck, stuck] = 1 / graph_kernels.NOTHING_FREE
    return np.linalg.inv(matrix)
