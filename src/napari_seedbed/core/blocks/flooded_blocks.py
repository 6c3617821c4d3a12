"""Seeded watersheds block by block, by the graph of basins.

Each block is cut into basins and grown seeds, and the lowest way between each two that touch is
an edge. Seeds reach every basin by the lowest ways: along the minimum spanning forest of the graph
that is rooted in them. Basins inside of a block follow from the block alone; only those at its
faces, and seeds, are joined over all blocks.

References
----------
Meyer F (1994). Minimum spanning forests for morphological segmentation. Mathematical Morphology and
Its Applications to Image Processing, Kluwer, 77-84.
Cousty J, Bertrand G, Najman L, Couprie M (2009). Watershed cuts: minimum spanning forests and the
drop of water principle. IEEE Transactions on Pattern Analysis and Machine Intelligence 31(8),
1362-1374.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import minimum_spanning_tree

from napari_seedbed.core.blocks.block_places import BlockPlace
from napari_seedbed.core.blocks.plane_runs import PlaneRuns
from napari_seedbed.core.objects.label_lookup import counted, renumbered
from napari_seedbed.core.objects.labelling import linked_groups
from napari_seedbed.core.progress import check_stop
from napari_seedbed.core.regions.peaks import labelled_peaks
from napari_seedbed.core.regions.watersheds import watershed

Whole = NDArray[np.int64]
Floats = NDArray[np.floating]
Start = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Edges:
    """Pairs of nodes (N, 2), counted from 1 on, and how high the lowest way between them is."""

    pairs: Whole
    heights: Floats


@dataclass(frozen=True, eq=False)
class Face:
    """What lies on an outer plane of a block: nodes, and heights."""

    nodes: PlaneRuns
    heights: Floats


@dataclass(frozen=True, eq=False)
class BlockBasins:
    """What other blocks need to know of one.

    Attributes
    ----------
    place : BlockPlace
    nodes : (R + 1,) ndarray of int32
        The node, from 1 to A, that each of the block's regions belongs to; 0 for none.
    seeds : (A,) ndarray of int
        The label that each node was seeded with; 0 for none.
    edges : Edges
        Between nodes.
    first, last : tuple of Face
        Of the first and last plane along each axis.
    """

    place: BlockPlace
    nodes: NDArray[np.int32]
    seeds: Whole
    edges: Edges
    first: tuple[Face, ...]
    last: tuple[Face, ...]


def flooded_regions(
    heights: Floats, seeds: NDArray[np.int32], mask: NDArray[Any] | None = None
) -> NDArray[np.int32]:
    """Cut a block into grown seeds, numbered first, and basins.

    Parameters
    ----------
    heights : ([Z, ]Y, X) ndarray
        What holds regions back, of the block without halo.
    seeds : ([Z, ]Y, X) ndarray of int32
        Labels; negative ones are never crossed.
    mask : ([Z, ]Y, X) ndarray, optional
        Where regions grow.

    Returns
    -------
    ([Z, ]Y, X) ndarray of int32
        Seeds from 1 on in the order of their labels, then basins; 0 where nothing grows.
    """
    values, _ = counted(seeds)
    inside = seeds >= 0 if mask is None else (seeds >= 0) & (mask > 0)
    basins = labelled_peaks(-heights, 0.0, inside.astype(np.int32), corners=False, highest=True)
    known = renumbered(seeds, values, np.arange(1, len(values) + 1))
    markers = np.where(known > 0, known, np.where(basins > 0, basins + len(values), 0))
    grown = watershed(heights, markers, inside)
    # Seeds outside of the mask stay where they are, and grow nowhere.
    return np.where(inside, grown, 0).astype(np.int32, copy=False)


def basins_in_block(
    regions: NDArray[np.int32], heights: Floats, seeds: NDArray[np.int32], place: BlockPlace
) -> BlockBasins:
    """Reduce the regions of a block to what other blocks must know of it.

    Parameters
    ----------
    regions : ([Z, ]Y, X) ndarray of int32
        As of `flooded_regions`.
    heights, seeds
        As it was given them.
    place : BlockPlace
    """
    count = int(regions.max())
    labels = np.zeros(count + 1, np.int64)
    values, _ = counted(seeds)
    present = values[np.arange(1, len(values) + 1) <= count]
    labels[1 : len(present) + 1] = present
    is_anchor = labels > 0
    for axis, (part, length) in enumerate(zip(place.region, place.shape, strict=True)):
        for end, is_open in ((0, part.start > 0), (-1, part.stop < length)):
            if is_open:
                is_anchor[np.take(regions, end, axis)] = True
    is_anchor[0] = False
    edges = _edges_between(regions, heights)
    group = _rooted_groups(edges, count, np.flatnonzero(is_anchor))
    anchors = np.flatnonzero(is_anchor)
    node_of_group = np.zeros(count + 1, np.int32)
    node_of_group[group[anchors]] = np.arange(1, len(anchors) + 1)
    nodes = node_of_group[group]
    nodes[0] = 0
    between = _lowest(nodes[edges.pairs].astype(np.int64), edges.heights)
    faces = [
        tuple(
            Face(PlaneRuns.of(nodes[np.take(regions, end, axis)]), np.take(heights, end, axis))
            for axis in range(regions.ndim)
        )
        for end in (0, -1)
    ]
    return BlockBasins(
        place,
        nodes,
        labels[anchors],
        _spanning(between, len(anchors)),
        faces[0],
        faces[1],
    )


def join_basins(blocks: Sequence[BlockBasins]) -> dict[Start, NDArray[np.int32]]:
    """Return, by the first voxel of a block, the label (R + 1,) of each of its regions.

    Parameters
    ----------
    blocks : sequence of BlockBasins
        All blocks of an image.
    """
    counts = np.array([len(block.seeds) for block in blocks])
    offsets = np.concatenate([[0], np.cumsum(counts)])
    total = int(offsets[-1])
    pairs: list[Whole] = [np.zeros((0, 2), np.int64)]
    heights: list[Floats] = [np.zeros(0)]
    for block, offset in zip(blocks, offsets, strict=False):
        pairs.append(block.edges.pairs + offset)
        heights.append(block.edges.heights)
    for found in _edges_over_faces(blocks, offsets):
        check_stop()
        pairs.append(found.pairs)
        heights.append(found.heights)
    edges = Edges(np.concatenate(pairs), np.concatenate(heights))
    seeds = np.concatenate([[0], *(block.seeds for block in blocks)])
    group = _rooted_groups(edges, total, np.flatnonzero(seeds))
    label_of_group = np.zeros(total + 1, np.int64)
    label_of_group[group[seeds > 0]] = seeds[seeds > 0]
    labels = label_of_group[group]
    labels[0] = 0
    tables = {}
    for block, begin, count in zip(blocks, offsets, counts, strict=False):
        own = np.concatenate([[0], labels[begin + 1 : begin + count + 1]])
        tables[block.place.start] = own[block.nodes].astype(np.int32)
    return tables


def _edges_over_faces(blocks: Sequence[BlockBasins], offsets: Whole) -> list[Edges]:
    """Edges between nodes of neighbouring blocks, numbered over all blocks."""
    by_start = {block.place.start: nth for nth, block in enumerate(blocks)}
    found = []
    for one, block in enumerate(blocks):
        for axis, part in enumerate(block.place.region):
            start = (*block.place.start[:axis], part.stop, *block.place.start[axis + 1 :])
            other = by_start.get(start)
            if other is None:
                continue
            here, there = block.last[axis], blocks[other].first[axis]
            own, others = here.nodes.plane().ravel(), there.nodes.plane().ravel()
            meet = (own > 0) & (others > 0)
            ends = np.stack([own[meet] + offsets[one], others[meet] + offsets[other]], axis=1)
            way = np.maximum(here.heights.ravel()[meet], there.heights.ravel()[meet])
            found.append(_lowest(ends.astype(np.int64), way))
    return found


def _edges_between(regions: NDArray[np.int32], heights: Floats) -> Edges:
    """The lowest way between each two regions that share a face."""
    pairs, ways = [np.zeros((0, 2), np.int64)], [np.zeros(0, heights.dtype)]
    for axis in range(regions.ndim):
        check_stop()
        before, after = [slice(None)] * regions.ndim, [slice(None)] * regions.ndim
        before[axis], after[axis] = slice(None, -1), slice(1, None)
        one, other = regions[tuple(before)], regions[tuple(after)]
        meet = (one != other) & (one > 0) & (other > 0)
        ends = np.stack([one[meet], other[meet]], axis=1).astype(np.int64)
        way = np.maximum(heights[tuple(before)][meet], heights[tuple(after)][meet])
        part = _lowest(ends, way)
        pairs.append(part.pairs)
        ways.append(part.heights)
    return _lowest(np.concatenate(pairs), np.concatenate(ways))


def _lowest(pairs: Whole, heights: Floats) -> Edges:
    """Each pair of different nodes once, with its lowest height; nodes are above 0."""
    kept = (pairs[:, 0] != pairs[:, 1]) & (pairs > 0).all(axis=1)
    pairs, heights = np.sort(pairs[kept], axis=1), heights[kept]
    if not len(pairs):
        return Edges(pairs, heights)
    codes = pairs[:, 0] * (int(pairs.max()) + 1) + pairs[:, 1]
    order = np.argsort(codes, kind="stable")
    begins = np.flatnonzero(np.diff(codes[order], prepend=-1))
    return Edges(pairs[order[begins]], np.minimum.reduceat(heights[order], begins))


def _spanning(edges: Edges, count: int) -> Edges:
    """The edges of the minimum spanning forest."""
    places = _tree(edges.pairs, edges.heights, count)
    return Edges(edges.pairs[places], edges.heights[places])


def _rooted_groups(edges: Edges, count: int, roots: NDArray[np.intp]) -> Whole:
    """Of nodes 0 to `count` the group that each is in: one for each root, and what it reaches.

    What no root reaches is in groups of its own.
    """
    # All roots hang on node 0 by edges lower than all others.
    anchors = np.stack([np.zeros(len(roots), np.int64), roots.astype(np.int64)], axis=1)
    pairs = np.concatenate([anchors, edges.pairs])
    ranks = np.concatenate([np.full(len(roots), -np.inf), edges.heights])
    places = _tree(pairs, ranks, count)
    kept = places[places >= len(roots)]
    return linked_groups(count + 1, pairs[kept])


def _tree(pairs: Whole, heights: Floats, count: int) -> NDArray[np.intp]:
    """Which edges are those of the minimum spanning forest; of equal ones the first are lower."""
    order = np.argsort(heights, kind="stable")
    # A weight of zero would be no edge, and equal ones would leave the choice to SciPy.
    rank = np.empty(len(order), np.float64)
    rank[order] = np.arange(1, len(order) + 1)
    # Earlier versions of SciPy know no trees over longer numbers.
    graph = coo_array((rank, pairs.T.astype(np.int32)), (count + 1, count + 1)).tocsr()
    return order[np.sort(minimum_spanning_tree(graph).data).astype(np.int64) - 1]
