"""Connected pieces of an image that is read block by block, numbered as if it were read at once.

Each block labels its own pieces and tells what lies on its faces; where two blocks see the same
voxel their pieces are one. The pieces of all blocks are the nodes of a graph, and its connected
components the pieces of the image.

References
----------
Rosenfeld A, Pfaltz JL (1966). Sequential operations in digital picture processing. Journal of the
ACM 13(4), 471-494.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, product
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from napari_seedbed.core.blocks.block_places import BlockPlace
from napari_seedbed.core.blocks.plane_runs import PlaneRuns
from napari_seedbed.core.objects.labelling import label, linked_groups
from napari_seedbed.core.progress import check_stop
from napari_seedbed.errors import InputError

Whole = NDArray[np.int64]
Start = tuple[int, ...]

_NOWHERE = np.iinfo(np.int64).max
"""Place of what has no voxel in a block."""


@dataclass(frozen=True, eq=False)
class BlockPieces:
    """The pieces of one block, K of them.

    Attributes
    ----------
    place : BlockPlace
    first : (K,) ndarray of int
        Place of the first voxel of each in the image's memory.
    voxels, values : (K,) ndarray of int
        How many voxels of the block each has, and what value they have.
    low, high : (K, D) ndarray of int
        Boxes in the image, the ends included.
    entries : tuple of PlaneRuns
        Along each axis, the pieces on the first plane of the block.
    exits : tuple of (PlaneRuns or None)
        Along each axis, the pieces of the block that reach the first plane behind it, with one
        voxel more on each side; None at the border of the image.
    connectivity, all_seen
        As for `pieces_in_block`.
    """

    place: BlockPlace
    first: Whole
    voxels: Whole
    values: Whole
    low: Whole
    high: Whole
    entries: tuple[PlaneRuns, ...]
    exits: tuple[PlaneRuns | None, ...]
    connectivity: int | None
    all_seen: bool


@dataclass(frozen=True, eq=False)
class PieceTables:
    """Which piece of the image each piece of each block belongs to.

    Attributes
    ----------
    by_start : dict
        By the first voxel of a block, a (K + 1,) array: the number, from 1 on, of the piece of the
        image that each piece of the block, from 1 on, belongs to; 0 at 0.
    connectivity : int or None
    all_seen : bool
        As the pieces were found.
    """

    by_start: dict[Start, NDArray[np.int32]]
    connectivity: int | None
    all_seen: bool = False

    def numbers(self, seen: NDArray[Any], place: BlockPlace) -> NDArray[np.int32]:
        """The pieces of the image in one block, without halo, by their numbers.

        Parameters
        ----------
        seen, place
            As `block_pieces` was given them.
        """
        local, _ = pieces_in_block(seen, place, self.connectivity, all_seen=self.all_seen)
        return self.by_start[place.start][place.own(local)]


@dataclass(frozen=True, eq=False)
class JoinedPieces:
    """The pieces of the image, M of them, in the order of their first voxels.

    Attributes
    ----------
    tables : PieceTables
    shape : tuple of int
        Of the image.
    first, voxels, values : (M,) ndarray of int
        As of `BlockPieces`.
    low, high : (M, D) ndarray of int
    """

    tables: PieceTables
    shape: tuple[int, ...]
    first: Whole
    voxels: Whole
    values: Whole
    low: Whole
    high: Whole

    @property
    def labels(self) -> NDArray[np.int32]:
        """1, 2, … M."""
        return np.arange(1, len(self.first) + 1, dtype=np.int32)

    def gathered(
        self, parts: Sequence[tuple[Start, NDArray[Any]]], ufunc: np.ufunc, initial: Any
    ) -> NDArray[Any]:
        """Put together what the blocks know of their pieces.

        Parameters
        ----------
        parts : sequence of (tuple of int, (K, …) ndarray)
            The first voxel of each block, and a row a piece.
        ufunc : ufunc
            What joins two rows.
        initial : scalar
            What does not change the result.

        Returns
        -------
        (M, …) ndarray
        """
        first = parts[0][1]
        out = np.full((len(self.first), *first.shape[1:]), initial, first.dtype)
        for start, rows in parts:
            ufunc.at(out, self.tables.by_start[start][1:] - 1, rows)
        return out


def pieces_in_block(
    seen: NDArray[Any], place: BlockPlace, connectivity: int | None, *, all_seen: bool = False
) -> tuple[NDArray[np.int32], int]:
    """Label the pieces that have voxels in a block, in all that is seen, and count them.

    Parameters
    ----------
    seen : ([Z, ]Y, X) ndarray of int or bool
        A block with a halo of one voxel. Values below 1 are no pieces.
    place : BlockPlace
    connectivity : int or None
        In how many coordinates neighbours may differ; all when None.
    all_seen : bool
        Whether pieces count, too, that lie in the halo alone. It must then come after the block
        along each axis (`BlockPlace.ahead`).
    """
    found = label(seen, connectivity=connectivity)
    assert isinstance(found, np.ndarray)
    if all_seen:
        return found, int(found.max())
    is_own = np.zeros(int(found.max()) + 1, bool)
    is_own[place.own(found)] = True
    is_own[0] = False
    table = np.cumsum(is_own, dtype=np.int32)
    count = int(table[-1])
    return (table * is_own)[found], count


def block_pieces(
    seen: NDArray[Any], place: BlockPlace, connectivity: int | None, *, all_seen: bool = False
) -> BlockPieces:
    """Find the pieces of one block: see `pieces_in_block`."""
    local, count = pieces_in_block(seen, place, connectivity, all_seen=all_seen)
    return described_pieces(local, count, seen, place, connectivity, all_seen=all_seen)


def described_pieces(
    local: NDArray[np.int32],
    count: int,
    seen: NDArray[Any],
    place: BlockPlace,
    connectivity: int | None,
    *,
    all_seen: bool = False,
) -> BlockPieces:
    """Return what is known of pieces that `pieces_in_block` found, and where they go on."""
    own = np.ascontiguousarray(place.own(local))
    flat = own.ravel()
    where = np.flatnonzero(flat)
    at_first = np.full(count + 1, -1, np.int64)
    # Of several values for one place the last stays.
    at_first[flat[where[::-1]]] = where[::-1]
    here = at_first[1:] >= 0
    start = np.array(place.start, np.int64)
    first = np.full(count, _NOWHERE)
    places = np.stack(np.unravel_index(at_first[1:][here], own.shape), axis=1) + start
    first[here] = np.ravel_multi_index(tuple(places.T), place.shape)
    low = np.full((count, own.ndim), _NOWHERE)
    high = np.full((count, own.ndim), -1)
    boxes = [box for box in ndi.find_objects(own, count) if box is not None]
    ends = np.array([[(side.start, side.stop - 1) for side in box] for box in boxes], np.int64)
    ends = ends.reshape(-1, own.ndim, 2) + start[:, np.newaxis]
    low[here], high[here] = ends[..., 0], ends[..., 1]
    values = np.zeros(count + 1, np.int64)
    values[local.ravel()] = np.ravel(seen)
    voxels = np.bincount(flat, minlength=count + 1).astype(np.int64)
    return BlockPieces(
        place,
        first,
        voxels[1:],
        values[1:],
        low,
        high,
        _entries(own),
        _exits(local, place),
        connectivity,
        all_seen,
    )


def join_pieces(blocks: Sequence[BlockPieces]) -> JoinedPieces:
    """Join the pieces of all blocks of an image where they meet.

    Raises
    ------
    InputError
        If there are more pieces than labels.
    """
    counts = np.array([len(block.first) for block in blocks])
    offsets = np.concatenate([[0], np.cumsum(counts)])
    total = int(offsets[-1])
    pairs: list[Whole] = [np.zeros((0, 2), np.int64)]
    for one, other, found in meeting_pieces(blocks):
        check_stop()
        pairs.append(found + np.array([offsets[one] - 1, offsets[other] - 1]))
    group = linked_groups(total, np.concatenate(pairs))
    first = np.concatenate([block.first for block in blocks])
    n_groups = int(group.max()) + 1 if total else 0
    if n_groups > np.iinfo(np.int32).max:
        raise InputError(f"labels: {n_groups:,} pieces found; labels go up to 2,147,483,647.")
    earliest = np.full(n_groups, _NOWHERE)
    np.minimum.at(earliest, group, first)
    order = np.argsort(earliest, kind="stable")
    rank = np.empty(n_groups, np.int64)
    rank[order] = np.arange(n_groups)
    number = rank[group]
    ndim = len(blocks[0].place.shape)
    voxels, values = np.zeros((2, n_groups), np.int64)
    low = np.full((n_groups, ndim), _NOWHERE)
    high = np.full((n_groups, ndim), -1)
    np.add.at(voxels, number, np.concatenate([block.voxels for block in blocks]))
    values[number] = np.concatenate([block.values for block in blocks])
    np.minimum.at(low, number, np.concatenate([block.low for block in blocks]))
    np.maximum.at(high, number, np.concatenate([block.high for block in blocks]))
    tables = {
        block.place.start: np.concatenate([[0], number[begin : begin + count] + 1]).astype(np.int32)
        for block, begin, count in zip(blocks, offsets, counts, strict=False)
    }
    known = PieceTables(tables, blocks[0].connectivity, blocks[0].all_seen)
    return JoinedPieces(known, blocks[0].place.shape, earliest[order], voxels, values, low, high)


def meeting_pieces(blocks: Sequence[BlockPieces]) -> Iterator[tuple[int, int, Whole]]:
    """Give the places of two blocks in the list, and pairs (N, 2) of their pieces that are one."""
    by_start: dict[tuple[int | None, ...], int] = {
        block.place.start: nth for nth, block in enumerate(blocks)
    }
    after, before = _neighbouring_starts(blocks)
    for one, block in enumerate(blocks):
        for axis, exit_runs in enumerate(block.exits):
            if exit_runs is None:
                continue
            plane = exit_runs.plane()
            choices = [
                (after[a][block.place.start[a]],)
                if a == axis
                else (before[a].get(start), start, after[a].get(start))
                for a, start in enumerate(block.place.start)
            ]
            for start in product(*choices):
                other = by_start.get(start)
                if other is None:
                    continue
                here, there = _shared(block.place, blocks[other].place, axis)
                own, others = plane[here].ravel(), blocks[other].entries[axis].plane()[there]
                meet = (own > 0) & (others.ravel() > 0)
                found = np.stack([own[meet], others.ravel()[meet]], axis=1).astype(np.int64)
                if len(found):
                    yield one, other, np.unique(found, axis=0)


def _neighbouring_starts(
    blocks: Sequence[BlockPieces],
) -> tuple[list[dict[int, int]], list[dict[int, int]]]:
    """Along each axis, the start of the next and of the previous block."""
    starts = [sorted({block.place.start[a] for block in blocks}) for a in range(_ndim(blocks))]
    after = [dict(pairwise(line)) for line in starts]
    before = [dict(zip(line[1:], line[:-1], strict=True)) for line in starts]
    return after, before


def _ndim(blocks: Sequence[BlockPieces]) -> int:
    return len(blocks[0].place.shape)


def _shared(
    place: BlockPlace, other: BlockPlace, axis: int
) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    """Where the voxels of another block lie on the plane behind a block, and on its own first."""
    here, there = [], []
    for a, (seen, own) in enumerate(zip(place.seen, other.region, strict=True)):
        if a == axis:
            continue
        first, last = max(seen.start, own.start), min(seen.stop, own.stop)
        here.append(slice(first - seen.start, last - seen.start))
        there.append(slice(first - own.start, last - own.start))
    return tuple(here), tuple(there)


def _entries(own: NDArray[np.int32]) -> tuple[PlaneRuns, ...]:
    return tuple(PlaneRuns.of(np.take(own, 0, axis)) for axis in range(own.ndim))


def _exits(local: NDArray[np.int32], place: BlockPlace) -> tuple[PlaneRuns | None, ...]:
    behind = [part.stop - seen.start for part, seen in zip(place.region, place.seen, strict=True)]
    return tuple(
        PlaneRuns.of(np.take(local, end, axis)) if end < local.shape[axis] else None
        for axis, end in enumerate(behind)
    )
