"""Filling the holes of objects block by block.

All pieces of ground and of objects that hold together at faces are the nodes of a graph, and those
that share a face its edges. A hole of an object is what is cut off from the border of the image
when the object's nodes are taken away.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array

from napari_seedbed.core.blocks.block_places import BlockPlace
from napari_seedbed.core.blocks.joined_pieces import (
    BlockPieces,
    JoinedPieces,
    PieceTables,
    described_pieces,
    join_pieces,
    pieces_in_block,
)
from napari_seedbed.core.objects.holes import hole_limit
from napari_seedbed.core.objects.label_lookup import object_labels
from napari_seedbed.core.progress import check_stop

Whole = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class BlockGround:
    """Pieces of ground and of objects of one block, and which of them share faces.

    Attributes
    ----------
    pieces : BlockPieces
        Their values are the labels plus one.
    edges : (N, 2) ndarray of int
        Numbers of pieces, from 1 on.
    """

    pieces: BlockPieces
    edges: Whole


@dataclass(frozen=True, eq=False)
class FilledPieces:
    """What each piece becomes.

    Attributes
    ----------
    tables : PieceTables
    targets : (M + 1,) ndarray of int32
        The label of each piece afterwards, by its number; objects keep theirs.
    """

    tables: PieceTables
    targets: NDArray[np.int32]


def ground_in_block(seen: NDArray[Any], place: BlockPlace) -> BlockGround:
    """Find the pieces of one block.

    Parameters
    ----------
    seen : ([Z, ]Y, X) ndarray of int or bool
        With a halo of one voxel.
    place : BlockPlace
    """
    labels = _with_ground(seen, place)
    found, count = pieces_in_block(labels, place.ahead, 1, all_seen=True)
    own = place.ahead.own(found)
    pairs = [np.zeros((0, 2), np.int64)]
    for axis, length in enumerate(own.shape):
        steps = min(length, found.shape[axis] - 1)
        here, after = [slice(0, n) for n in own.shape], [slice(0, n) for n in own.shape]
        here[axis], after[axis] = slice(0, steps), slice(1, steps + 1)
        one, other = found[tuple(here)], found[tuple(after)]
        differ = one != other
        ends = np.stack([one[differ], other[differ]], axis=1).astype(np.int64)
        pairs.append(np.unique(ends, axis=0))
    pieces = described_pieces(found, count, labels, place.ahead, 1, all_seen=True)
    return BlockGround(pieces, np.unique(np.concatenate(pairs), axis=0))


def fill_pieces(
    blocks: Sequence[BlockGround], largest: float, spacing: Sequence[float]
) -> FilledPieces:
    """Decide what is filled with what.

    Parameters
    ----------
    blocks : sequence of BlockGround
        All blocks of an image.
    largest, spacing
        As for `fill_holes`.
    """
    joined = join_pieces([block.pieces for block in blocks])
    ends = [np.zeros((0, 2), np.int64)]
    for block in blocks:
        table = joined.tables.by_start[block.pieces.place.start].astype(np.int64)
        ends.append(table[block.edges] - 1)
    limit = hole_limit(largest, spacing)
    return FilledPieces(joined.tables, _targets(joined, np.concatenate(ends), limit))


def filled_block(seen: NDArray[Any], place: BlockPlace, filled: FilledPieces) -> NDArray[np.int32]:
    """Return one block, without halo, with its holes filled.

    Parameters
    ----------
    seen, place
        As `ground_in_block` was given them.
    filled : FilledPieces
    """
    return filled.targets[filled.tables.numbers(_with_ground(seen, place), place.ahead)]


def _with_ground(seen: NDArray[Any], place: BlockPlace) -> NDArray[np.int64]:
    """Labels plus one, so that ground is pieces, too; without the halo before the block."""
    return object_labels(place.part_ahead(seen)).astype(np.int64) + 1


def _targets(joined: JoinedPieces, edges: Whole, limit: float) -> NDArray[np.int32]:
    labels = joined.values - 1
    count = len(labels)
    both = np.concatenate([edges, edges[:, ::-1]])
    graph = coo_array((np.ones(len(both), np.int8), both.T), (count, count)).tocsr()
    graph.sum_duplicates()
    enclosed = (labels == 0) & ~_at_border(joined)
    low, high = _extreme_neighbours(labels, both)
    single = enclosed & (low == high)
    targets = labels.astype(np.int32)
    small = joined.voxels <= limit
    targets[single & small] = low[single & small]
    # Ground between several objects is a hole of one of them only if it encloses the others.
    shared = enclosed & ~single
    candidates = np.unique(labels[both[shared[both[:, 0]], 1]])
    if len(candidates):
        _fill_around_others(_Graph(joined, labels, graph), candidates, limit, targets)
    return np.concatenate([[0], targets]).astype(np.int32)


def _at_border(pieces: JoinedPieces) -> NDArray[np.bool_]:
    shape = np.array(pieces.shape)
    # A slice is not border all over.
    touches = ((pieces.low == 0) | (pieces.high == shape - 1)) & (shape > 1)
    return np.asarray(touches.any(axis=1))


def _extreme_neighbours(labels: Whole, edges: Whole) -> tuple[Whole, Whole]:
    """The lowest and the highest label beside each piece."""
    low, high = np.full(len(labels), np.iinfo(np.int64).max), np.zeros(len(labels), np.int64)
    np.minimum.at(low, edges[:, 0], labels[edges[:, 1]])
    np.maximum.at(high, edges[:, 0], labels[edges[:, 1]])
    return low, high


class _Graph:
    """Pieces and their neighbours.

    Parameters
    ----------
    pieces : JoinedPieces
    labels : (M,) ndarray of int
        Of each piece; 0 for ground.
    neighbours : (M, M) sparse array
    """

    def __init__(self, pieces: JoinedPieces, labels: Whole, neighbours: Any) -> None:
        self.pieces, self.labels = pieces, labels
        self._begins, self._ends = neighbours.indptr, neighbours.indices
        self._order = np.argsort(labels, kind="stable")
        self._sorted = labels[self._order]
        self._at_border = _at_border(pieces)

    def members(self, label: int) -> NDArray[np.intp]:
        """The pieces of an object."""
        first, last = np.searchsorted(self._sorted, [label, label + 1])
        return self._order[first:last]

    def box(self, label: int) -> tuple[Whole, Whole]:
        """The box around an object, both ends included."""
        own = self.members(label)
        return self.pieces.low[own].min(axis=0), self.pieces.high[own].max(axis=0)

    def volume(self, label: int) -> int:
        """How many voxels the box around an object has."""
        low, high = self.box(label)
        return int(np.prod(high - low + 1))

    def enclosed_by(self, label: int) -> Iterator[list[int]]:
        """Give the groups of pieces that an object cuts off from the border of the image.

        What reaches out of the box around an object goes on to the border.
        """
        low, high = self.box(label)
        pieces = self.pieces
        is_open: dict[int, bool] = {}

        def leads_out(piece: int) -> bool:
            return bool(
                self._at_border[piece]
                or (pieces.low[piece] < low).any()
                or (pieces.high[piece] > high).any()
            )

        for own in self.members(label):
            for begin in self._beside(own):
                if begin in is_open or self.labels[begin] == label:
                    continue
                group, waiting, out = [begin], [begin], leads_out(begin)
                is_open[begin] = False
                while waiting and not out:
                    for piece in self._beside(waiting.pop()):
                        if self.labels[piece] == label:
                            continue
                        if piece not in is_open:
                            is_open[piece] = False
                            group.append(piece)
                            waiting.append(piece)
                            out = out or leads_out(piece)
                        else:
                            out = out or is_open[piece]
                if out:
                    is_open.update(dict.fromkeys(group, True))
                else:
                    yield group

    def _beside(self, piece: int) -> list[int]:
        found: list[int] = self._ends[self._begins[piece] : self._begins[piece + 1]].tolist()
        return found


def _fill_around_others(
    graph: _Graph, candidates: Whole, limit: float, targets: NDArray[np.int32]
) -> None:
    """Fill the holes of some objects that have other objects in them, in place."""
    empty = targets == 0
    voxels = graph.pieces.voxels
    # What several objects enclose belongs to the innermost, so to the smallest: it comes last.
    for label in sorted(candidates.tolist(), key=lambda value: -graph.volume(value)):
        check_stop()
        for group in graph.enclosed_by(label):
            if voxels[group].sum() <= limit:
                inside = np.array(group)
                targets[inside[empty[inside]]] = label
