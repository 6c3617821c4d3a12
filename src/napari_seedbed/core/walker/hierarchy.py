"""Coarser and coarser pictures of one weighted grid, for the multigrid solver.

The finest level is the voxel grid itself, without any matrix. The next is a graph of groups of
about 4 to 8 voxels, and so on down to a few hundred nodes. The groups depend on the weights alone;
seeds enter later (`anchors.anchored`), so that one hierarchy serves all strokes.

References
----------
Yvan Notay, "An aggregation-based algebraic multigrid method", ETNA 37 (2010) 123-146.
Ioannis Koutis, Gary Miller, David Tolliver, "Combinatorial preconditioners and multilevel solvers
for problems in computer vision and image processing", CVIU 115 (2011) 1638-1646.
"""

import threading
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.progress import check_stop
from napari_seedbed.core.threads import Range, run_ranges, split
from napari_seedbed.core.walker import graph_kernels, grouping, seed_kernels
from napari_seedbed.core.walker.edge_weights import WeightArrays
from napari_seedbed.core.walker.graph_layout import (
    BLOCKS,
    LANES,
    Graph,
    GraphLayout,
    ordered,
    padded,
    resize,
    sweep_blocks,
)

CELL_SHARE = np.float32(0.2)
"""Voxels are joined across edges of at least this share of the strongest edge at either end."""

NODE_SHARE = np.float32(0.4)
"""The same for the nodes of graphs."""

SMALL_GROUP = 7
"""Groups of up to so many voxels are joined to another one, if they hold on to it."""

HOLD = np.float32(0.2)
LARGEST_GROUP = 24
LARGEST_NODE_GROUP = 8
COARSEST = 100
LARGEST_DEGREE = 4096
"""Spare room for edges, so that a few groups with many neighbours make no trouble."""

LARGEST_INVERSE = 2000
"""More nodes than these are left only where thousands of parts of an image do not touch."""

LARGE = 30_000
"""Levels of more nodes than these are swept over in blocks, on all cores."""

_VOXELS_PER_TASK = 1 << 19
_VOXELS_COMPARED = 1 << 16  # what fits the cache of a core
_VOXELS_AT_ONCE = 1 << 22
_GROUPS_AT_ONCE = 1 << 17
_NODES_PER_TASK = 1 << 12
_NODES_GROUPED_ALONE = 1 << 17

Ints = NDArray[np.int32]
Floats = NDArray[np.float32]
Indices = NDArray[np.uint32]


@dataclass(frozen=True)
class Hierarchy:
    """All levels; see `graph_kernels` for how the coarser ones lie in their arrays.

    Attributes
    ----------
    weights : tuple of three (Z, Y, X) ndarray
        Edges of the finest grid along z, y, x.
    group : (Z, Y, X) ndarray
        The node of the first graph level that each voxel belongs to.
    group_size : (N,) ndarray
        Number of voxels in each.
    node : (L + 1,) ndarray
        Where each graph level begins among all nodes, and the number of nodes.
    slot, lower, to, weight, parent : ndarray
        The graph levels, one after the other; `parent` is the node of the next level that a node
        belongs to.
    n_large : int
        How many levels, the first ones, are swept over in blocks.
    """

    weights: WeightArrays
    group: Ints
    group_size: NDArray[np.uint8]
    node: NDArray[np.int64]
    slot: Indices
    lower: NDArray[np.uint8]
    to: Indices
    weight: Floats
    parent: Ints
    n_large: int

    @property
    def shape(self) -> tuple[int, int, int]:
        """Size of the grid along z, y, x."""
        z, y, x = self.group.shape
        return z, y, x

    @property
    def n_levels(self) -> int:
        """Number of graph levels."""
        return self.node.size - 1

    @property
    def skipped(self) -> int:
        """How many nodes, the first ones, a K-cycle never makes two steps on, so that it needs
        less there."""
        return int(self.node[1]) if self.n_large else 0

    def level(self, index: int) -> slice:
        """Where the nodes of a graph level lie."""
        return slice(int(self.node[index]), int(self.node[index + 1]))

    def rows(self, index: int) -> Indices:
        """Slots of a graph level's chunks, and where the last one ends."""
        here = self.level(index)
        return self.slot[here.start // LANES : here.stop // LANES + 1]


def build_hierarchy(
    weights: WeightArrays,
    *,
    around: tuple[NDArray[np.uint8], NDArray[np.int64]] | None = None,
    large: int = LARGE,
) -> Hierarchy:
    """Group the voxels of a weighted grid, then the groups, until few are left.

    Parameters
    ----------
    weights : tuple of three (Z, Y, X) ndarray
        Edges along z, y, x.
    around : tuple of ndarray, optional
        The state of all voxels and the flat indices of the given ones. Then the hierarchy serves
        these alone: no group reaches across a given voxel, and what is tied to given voxels more
        strongly than to all others stays by itself.
    large : int
        Levels of more nodes than these are swept over in blocks.

    Raises
    ------
    Cancelled
        When the running job should stop.
    """
    strongest = _strongest_edges(weights)
    if around is None:
        group, group_size = _group_voxels(weights, strongest)
        graphs = [_connect_voxel_groups(weights, group, group_size.size)]
        anchor = np.zeros(group_size.size, np.float32)
    else:
        state, places = around
        with seed_kernels.edges_lifted(places, weights):
            group, group_size = _group_voxels(weights, strongest)
            graphs = [_connect_voxel_groups(weights, group, group_size.size)]
        anchor = seed_kernels.pull_on_groups(places, weights, state, group, group_size.size)
    del strongest
    graph = graphs.pop()
    blocks = _blocks(graph, large)
    new = ordered(graph, blocks)
    _renumber(group, new)
    ordered_size = np.zeros(padded(graph.n_nodes), np.uint8)
    ordered_size[new] = group_size
    layout = GraphLayout()
    while graph.n_nodes > COARSEST:
        parent, n_parents = _group_nodes(graph, anchor)
        if n_parents > 0.9 * graph.n_nodes:
            break
        below = _connect_node_groups(graph, parent, n_parents)
        blocks_below = _blocks(below, large)
        new_below = ordered(below, blocks_below)
        layout.add(graph, new, parent, new_below, blocks)
        anchor_below = np.empty(n_parents, np.float32)
        graph_kernels.collect(anchor, parent, anchor_below)
        anchor, graph, new, blocks = anchor_below, below, new_below, blocks_below
    nowhere = np.zeros(graph.n_nodes, np.int32)
    # The coarsest level is never swept over in blocks, however large it may be.
    blocks = sweep_blocks(graph.n_nodes, 1)
    layout.add(graph, new, nowhere, np.zeros(1, np.int32), blocks)
    layout.trim()
    slot = np.concatenate([*(slot[:-1] for slot in layout.slots), layout.slots[-1][-1:]])
    return Hierarchy(
        weights,
        group,
        ordered_size,
        np.array(layout.node),
        slot,
        np.concatenate(layout.lowers),
        layout.to,
        layout.weight,
        np.concatenate(layout.parents),
        layout.n_large,
    )


def _strongest_edges(weights: WeightArrays) -> Floats:
    """Return the largest weight at each voxel."""
    shape = weights[0].shape
    wz, wy, wx = weights
    strongest = np.empty(shape, np.float32)

    def compare(start: int, stop: int) -> None:
        here, later = strongest[start:stop], strongest[max(start, 1) : stop]
        np.maximum(wz[start:stop], wy[start:stop], out=here)
        np.maximum(here, wx[start:stop], out=here)
        np.maximum(later, wz[max(start, 1) - 1 : stop - 1], out=later)
        np.maximum(here[:, 1:], wy[start:stop, :-1], out=here[:, 1:])
        np.maximum(here[:, :, 1:], wx[start:stop, :, :-1], out=here[:, :, 1:])

    planes = split(shape[0], 1 + int(np.prod(shape)) // _VOXELS_COMPARED)
    run_ranges(compare, planes)
    return strongest


def _group_voxels(weights: WeightArrays, strongest: Floats) -> tuple[Ints, NDArray[np.uint8]]:
    grid = weights[0].shape
    z, y, x = weights
    cell = (2, 2, 2)
    if grid[0] == 1:
        # Cells are worked on in layers along the first axis: in 2D that shall be y.
        turned = (grid[1], 1, grid[2])
        z, y, x = y.reshape(turned), z.reshape(turned), x.reshape(turned)
        strongest = strongest.reshape(turned)
        cell = (2, 1, 4) if grid[1] > 1 else (1, 1, 4)
    shape = z.shape
    n_layers = -(-shape[0] // cell[0])
    layers = split(n_layers, 1 + int(np.prod(shape)) // _VOXELS_PER_TASK)
    group = np.empty(shape, np.int32)
    count = np.zeros(n_layers, np.int64)
    tie = np.empty(shape, np.uint8)
    run_ranges(
        grouping.group_cells,
        layers, cell, shape, *(array.reshape(-1) for array in (z, y, x, strongest)),
        CELL_SHARE, SMALL_GROUP, HOLD, group.reshape(-1), tie.reshape(-1), count,
    )  # fmt: skip
    n_groups = int(count.sum())
    offsets = np.concatenate([[0], np.cumsum(count)]).astype(np.int32)
    size = np.zeros(n_groups, np.int32)

    def number(start: int, stop: int) -> None:
        here = group[start * cell[0] : stop * cell[0]]
        first, end = int(offsets[start]), int(offsets[stop])
        here += np.repeat(offsets[start:stop] - first, cell[0])[: len(here), np.newaxis, np.newaxis]
        size[first:end] = np.bincount(here.reshape(-1), minlength=end - first)
        here += np.int32(first)

    run_ranges(number, layers)
    target, root = np.empty(n_groups, np.int32), np.empty(n_groups, np.int32)

    def begin(start: int, stop: int) -> None:
        target[start:stop] = grouping.NO_TARGET
        root[start:stop] = np.arange(start, stop)

    pieces = split(n_groups, 1 + n_groups // _GROUPS_AT_ONCE)
    run_ranges(begin, pieces)
    voxels = split(group.size, 1 + group.size // _VOXELS_PER_TASK)
    run_ranges(
        grouping.follow_ties,
        voxels, shape[1] * shape[2], shape[2], tie.reshape(-1), group.reshape(-1), target,
    )  # fmt: skip
    del tie
    new_number = np.empty(n_groups, np.int32)
    n_joined = 0
    # One group after the other, but not all at once: somebody may want to stop.
    for start, stop in pieces:
        check_stop()
        grouping.join_small_groups(start, stop, size, target, LARGEST_GROUP, root)
    for start, stop in pieces:
        check_stop()
        n_joined = int(grouping.number_joined_groups(start, stop, n_joined, size, root, new_number))
    _renumber(group, new_number)
    return group.reshape(grid), size[:n_joined].astype(np.uint8)


def _renumber(group: Ints, new_number: Ints) -> None:
    flat = group.reshape(-1)
    pieces = split(flat.size, 1 + flat.size // _VOXELS_PER_TASK)
    run_ranges(grouping.renumber, pieces, flat, new_number)


def _connect_voxel_groups(weights: WeightArrays, group: Ints, n_groups: int) -> Graph:
    flat = group.reshape(-1)
    first, member = _members(flat, n_groups)
    check_stop()
    args = (flat, *(w.reshape(-1) for w in weights), group.shape[1], group.shape[2])
    return _collect_edges(grouping.connect_voxel_groups, n_groups, 14, first, member, *args)


def _connect_node_groups(graph: Graph, parent: Ints, n_parents: int) -> Graph:
    first, member = _members(parent, n_parents)
    return _collect_edges(
        grouping.connect_node_groups,
        n_parents,
        24,
        first,
        member,
        parent,
        graph.edge,
        graph.to,
        graph.weight,
    )


def _members(group: Ints, n_groups: int) -> tuple[NDArray[np.int64], Ints]:
    """List the members of each group: group g has ``member[first[g]:first[g + 1]]``."""
    pieces = split(group.size, 1 + group.size // _VOXELS_AT_ONCE)
    first = np.zeros(n_groups + 1, np.int64)
    for start, stop in pieces:
        check_stop()
        grouping.count_members(start, stop, group, first)
    np.cumsum(first, out=first)
    place, member = first[:-1].copy(), np.empty(group.size, np.int32)
    for start, stop in pieces:
        check_stop()
        grouping.list_members(start, stop, group, place, member)
    return first, member


def _collect_edges(
    kernel: Callable[..., int],
    n_groups: int,
    room: int,
    first: NDArray[np.int64],
    member: Ints,
    *args: object,
) -> Graph:
    """Run a kernel that lists edges whose number is not known beforehand.

    There is `room` for so many edges a group; with too little, it is done again with more.
    """
    degree = np.zeros(n_groups, np.int32)
    ranges = split(n_groups, 1 + n_groups // _NODES_PER_TASK)
    begin = [room * start + LARGEST_DEGREE * n for n, (start, _) in enumerate(ranges)]
    begin.append(room * n_groups + LARGEST_DEGREE * len(ranges))
    used = np.empty(len(ranges), np.int64)
    to, weight = np.empty(begin[-1], np.int32), np.zeros(begin[-1], np.float32)
    own = threading.local()
    place_type = np.int32 if begin[-1] <= np.iinfo(np.int32).max else np.int64

    def collect(start: int, stop: int) -> None:
        # A thread meets the ranges in ascending order: what it noted in earlier ones is out of
        # the way.
        if not hasattr(own, "place"):
            own.place = np.full(n_groups, -1, place_type)
        n = bisect_right(ranges, (start, stop)) - 1
        used[n] = kernel(
            start, stop, begin[n], begin[n + 1], first, member, *args,
            own.place, degree, to, weight,
        )  # fmt: skip

    run_ranges(collect, ranges)
    if (used < 0).any():
        del to, weight
        return _collect_edges(kernel, n_groups, 2 * room, first, member, *args)
    check_stop()
    edge = np.zeros(n_groups + 1, np.int64)
    np.cumsum(degree, out=edge[1:])
    for array in (to, weight):
        end = 0
        for source, count in zip(begin, used.tolist(), strict=False):
            array[end : end + count] = array[source : source + count]
            end += count
            check_stop()
        resize(array, end)
    return Graph(edge, to, weight)


def _group_nodes(graph: Graph, anchor: Floats) -> tuple[Ints, int]:
    n = graph.n_nodes
    ranges = split(n, 1 + n // _NODES_PER_TASK)
    strongest = np.empty(n, np.float32)
    run_ranges(grouping.strongest_of_nodes, ranges, graph.edge, graph.weight, strongest)
    # Nodes that given voxels hold firmly need no correction: one group takes them all.
    held = anchor * NODE_SHARE >= strongest
    group = np.where(held, grouping.HELD, grouping.NO_GROUP).astype(np.int32)
    np.maximum(strongest, anchor, out=strongest)
    blocks = split(n, n // _NODES_GROUPED_ALONE)
    made = np.zeros(n, np.int32)
    run_ranges(
        grouping.group_nodes,
        blocks, graph.edge, graph.to, graph.weight, strongest, NODE_SHARE, LARGEST_NODE_GROUP,
        group, made,
    )  # fmt: skip
    n_groups = int(held.any())
    for start, stop in blocks:
        group[start:stop] += np.int32(n_groups)
        n_groups += int(made[start])
    group[held] = 0
    return group, n_groups


def _blocks(graph: Graph, large: int) -> list[Range]:
    return sweep_blocks(graph.n_nodes, BLOCKS if graph.n_nodes > large else 1)
