"""Local maxima found block by block; a plateau in several blocks is one maximum."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.blocks.block_places import BlockPlace
from napari_seedbed.core.blocks.joined_pieces import (
    BlockPieces,
    PieceTables,
    described_pieces,
    join_pieces,
    pieces_in_block,
)
from napari_seedbed.core.filters.local_filters import ordered_image
from napari_seedbed.core.filters.windows import window_halo
from napari_seedbed.core.objects.peaks import nearest_places, peak_voxels

Whole = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class BlockPeaks:
    """Plateaus of one block, K of them, coordinates counted in the image.

    Attributes
    ----------
    pieces : BlockPieces
    sums : (K, D) ndarray of int
        Sums of the coordinates of each plateau's voxels in the block.
    middles : (K, D) ndarray of int
        The voxel in the block that is nearest to the middle of that part.
    values : (K,) ndarray
        Intensity of each plateau.
    """

    pieces: BlockPieces
    sums: Whole
    middles: Whole
    values: Floats


@dataclass(frozen=True, eq=False)
class JoinedPeaks:
    """Plateaus of the image, M of them.

    Attributes
    ----------
    tables : PieceTables
    centres : (M, D) ndarray
        Mean coordinates.
    middles : (M, D) ndarray of int
        The nearest voxel to that, for those that lie in one block.
    values : (M,) ndarray
    is_cut : (M,) ndarray of bool
        Which lie in several blocks.
    """

    tables: PieceTables
    centres: Floats
    middles: Whole
    values: Floats
    is_cut: NDArray[np.bool_]

    def is_needed(self, start: tuple[int, ...]) -> bool:
        """Whether a block, by its first voxel, holds a part of a plateau in several blocks."""
        numbers = self.tables.by_start[start][1:] - 1
        return bool(self.is_cut[numbers].any())


@dataclass(frozen=True)
class PeakRule:
    """What counts as a peak; see `local_maxima`.

    Attributes
    ----------
    distance : float
    level : float
        The intensity that it must exceed.
    spacing : tuple of float
    dark : bool
    """

    distance: float
    level: float
    spacing: tuple[float, ...]
    dark: bool


def peak_halo(distance: float, spacing: Sequence[float]) -> tuple[int, ...]:
    """Return how far, in voxels along each axis, a block must see to know its peaks."""
    return tuple(max(n, 1) + 1 for n in window_halo(distance, spacing))


def peaks_in_block(seen: NDArray[Any], place: BlockPlace, rule: PeakRule) -> BlockPeaks:
    """Find the plateaus of one block.

    Parameters
    ----------
    seen : ([Z, ]Y, X) ndarray
        The image with a halo of `peak_halo`.
    place : BlockPlace
    rule : PeakRule
    """
    peaks, local, count = _plateaus(seen, place, rule)
    pieces = described_pieces(local, count, peaks, place, None)
    places = np.argwhere(place.own(local) > 0)
    number = place.own(local)[tuple(places.T)] - 1
    places += np.array(place.start)
    sums = np.zeros((count, places.shape[1]), np.int64)
    np.add.at(sums, number, places)
    centres = sums / np.maximum(pieces.voxels, 1)[:, np.newaxis]
    middles = places[nearest_places(places, number, centres)]
    inner = tuple((middles - [part.start for part in place.seen]).T)
    values = ordered_image(seen)[inner].astype(np.float64)
    return BlockPeaks(pieces, sums, middles, values)


def join_peaks(blocks: Sequence[BlockPeaks]) -> JoinedPeaks:
    """Join the plateaus of all blocks of an image."""
    pieces = join_pieces([block.pieces for block in blocks])
    starts = [block.pieces.place.start for block in blocks]

    def gathered(name: str, ufunc: np.ufunc, initial: Any) -> NDArray[Any]:
        rows = [getattr(block, name) for block in blocks]
        return pieces.gathered(list(zip(starts, rows, strict=True)), ufunc, initial)

    ones = [np.ones(len(block.values), np.int64) for block in blocks]
    times = pieces.gathered(list(zip(starts, ones, strict=True)), np.add, 0)
    return JoinedPeaks(
        pieces.tables,
        gathered("sums", np.add, 0) / pieces.voxels[:, np.newaxis],
        gathered("middles", np.maximum, 0),
        gathered("values", np.maximum, -np.inf),
        times > 1,
    )


def nearest_in_block(
    seen: NDArray[Any], place: BlockPlace, rule: PeakRule, joined: JoinedPeaks
) -> tuple[Whole, Whole]:
    """Return plateaus that lie in several blocks, and the voxel of each nearest to its middle.

    Parameters
    ----------
    seen, place, rule
        As for `peaks_in_block`.
    joined : JoinedPeaks

    Returns
    -------
    numbers : (N,) ndarray of int
        Of those with voxels in the block.
    voxels : (N, D) ndarray of int
    """
    _, local, _ = _plateaus(seen, place, rule)
    numbers = joined.tables.by_start[place.start][place.own(local)].astype(np.int64) - 1
    places = np.argwhere((numbers >= 0) & joined.is_cut[numbers])
    number = numbers[tuple(places.T)]
    places += np.array(place.start)
    best = nearest_places(places, number, joined.centres)
    return number[best], places[best]


def all_middles(joined: JoinedPeaks, blocks: Sequence[tuple[Whole, Whole]]) -> Whole:
    """Return the voxel of each plateau that is nearest to its middle, (M, D).

    Parameters
    ----------
    joined : JoinedPeaks
    blocks : sequence of (ndarray, ndarray)
        As `nearest_in_block` gives them.
    """
    middles = joined.middles.copy()
    if joined.is_cut.any():
        number = np.concatenate([numbers for numbers, _ in blocks])
        voxels = np.concatenate([places for _, places in blocks])
        # Of voxels as near the first in the image counts.
        order = np.lexsort(voxels.T[::-1])
        number, voxels = number[order], voxels[order]
        best = nearest_places(voxels, number, joined.centres)
        middles[number[best]] = voxels[best]
    return middles


def _plateaus(
    seen: NDArray[Any], place: BlockPlace, rule: PeakRule
) -> tuple[NDArray[np.bool_], NDArray[np.int32], int]:
    """Which voxels are peaks, and the plateaus that have voxels in the block."""
    image = ordered_image(seen)
    peaks = peak_voxels(image, rule.distance, rule.level, rule.spacing, dark=rule.dark)
    # At the end of what is seen too little is known; one voxel around the block is right.
    margins = place.inner
    right = np.zeros_like(peaks)
    near = tuple(slice(max(0, part.start - 1), part.stop + 1) for part in margins)
    right[near] = peaks[near]
    local, count = pieces_in_block(right, place, None)
    return right, local, count
