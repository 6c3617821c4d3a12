"""Mean colours and graphs of regions, added up block by block."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.blocks.block_places import BlockPlace
from napari_seedbed.core.filters.local_filters import float_image
from napari_seedbed.core.regions.region_graphs import (
    RegionGraph,
    boundary_slopes,
    numbered,
    touching_regions,
)
from napari_seedbed.core.validation import channels_first, check_labels

Whole = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class RegionSums:
    """What one block or a whole image holds of R regions.

    Attributes
    ----------
    labels, voxels : (R,) ndarray of int
        Labels, rising, and sizes.
    sums : (R, C) ndarray
        Sums of the values of each channel.
    """

    labels: Whole
    voxels: Whole
    sums: Floats

    @property
    def means(self) -> Floats:
        """Mean of each channel, (R, C)."""
        return self.sums / self.voxels[:, np.newaxis]


@dataclass(frozen=True, eq=False)
class BlockEdges:
    """Boundaries between regions of one block, and with those behind it.

    Attributes
    ----------
    pairs : (N, 2) ndarray of int
        Labels, the lower first.
    lengths, along : (N,) ndarray
        Size of each boundary, and the sum of the image's gradient times size along it.
    """

    pairs: Whole
    lengths: Floats
    along: Floats


def region_sums(
    own: NDArray[Any], image: NDArray[Any], channel_axis: int | None = None
) -> RegionSums:
    """Add up the values of each region of a block.

    Parameters
    ----------
    own : ([Z, ]Y, X) ndarray of int
        Regions of the block without halo; labels below 1 are none.
    image : ndarray
        The same voxels of the image, with channels where `channel_axis` says so.
    channel_axis : int, optional
    """
    channels = channels_first(float_image(image), channel_axis)
    labels, numbers = numbered(check_labels(own, channels.shape[1:]))
    flat, room = numbers.ravel(), len(labels) + 1
    sums = [np.bincount(flat, channel.ravel(), minlength=room)[1:] for channel in channels]
    return RegionSums(labels, np.bincount(flat, minlength=room)[1:], np.stack(sums, axis=1))


def join_sums(blocks: Sequence[RegionSums]) -> RegionSums:
    """Add up the blocks of an image."""
    labels, place = np.unique(
        np.concatenate([block.labels for block in blocks]), return_inverse=True
    )
    voxels = np.zeros(len(labels), np.int64)
    sums = np.zeros((len(labels), blocks[0].sums.shape[1]))
    np.add.at(voxels, place, np.concatenate([block.voxels for block in blocks]))
    np.add.at(sums, place, np.concatenate([block.sums for block in blocks]))
    return RegionSums(labels, voxels, sums)


def coloured_block(
    own: NDArray[Any], regions: RegionSums, dtype: np.dtype[Any]
) -> NDArray[np.floating]:
    """Return a block, (C, [Z, ]Y, X), in which each voxel has the mean of its region."""
    table = np.concatenate([np.zeros((1, regions.sums.shape[1])), regions.means]).astype(dtype)
    return np.moveaxis(table[region_numbers(own, regions.labels)], -1, 0)


def region_numbers(own: NDArray[Any], labels: Whole) -> NDArray[np.intp]:
    """Return for each voxel the place of its region in rising labels, from 1 on; 0 for none."""
    place = np.searchsorted(labels, own)
    place[place == len(labels)] = 0
    return np.where(labels[place] == own, place + 1, 0) if len(labels) else np.zeros_like(place)


def edges_in_block(
    seen: NDArray[Any],
    image: NDArray[Any],
    place: BlockPlace,
    spacing: tuple[float, ...],
    channel_axis: int | None = None,
    *,
    sigma: float = 0.0,
) -> BlockEdges:
    """Measure the boundaries of one block, and those on its faces to the blocks behind it.

    Parameters
    ----------
    seen : ([Z, ]Y, X) ndarray of int
        Regions, with a halo.
    image : ndarray
        With the same halo: one voxel more than the gradient reaches.
    place : BlockPlace
    spacing, channel_axis, sigma
        As for `region_graph`.
    """
    channels = channels_first(float_image(image), channel_axis)
    slopes = boundary_slopes(channels, sigma, spacing)
    regions = check_labels(seen, channels.shape[1:])
    found = [_edges(place.own(regions), place.own(slopes), spacing)]
    ahead, high = place.part_ahead(regions), place.part_ahead(slopes)
    lengths = [part.stop - part.start for part in place.region]
    for axis, length in enumerate(lengths):
        if ahead.shape[axis] > length:
            # Two planes, and what meets across them alone.
            sides = [slice(0, n) for n in lengths]
            sides[axis] = slice(length - 1, length + 1)
            found.append(_edges(ahead[tuple(sides)], high[tuple(sides)], spacing, axis))
    return _added(found)


def join_edges(blocks: Sequence[BlockEdges], regions: RegionSums) -> RegionGraph:
    """Return the graph of an image's regions, without the numbers of its voxels."""
    edges = _added(blocks)
    return RegionGraph(
        regions.labels,
        np.zeros((0,) * 2, np.int32),
        regions.voxels,
        regions.means,
        np.searchsorted(regions.labels, edges.pairs),
        edges.lengths,
        edges.along / edges.lengths,
    )


def _edges(
    regions: NDArray[Any],
    slopes: NDArray[np.floating],
    spacing: tuple[float, ...],
    axis: int | None = None,
) -> BlockEdges:
    """Boundaries in a part of an image, across one axis or all."""
    labels, numbers = numbered(np.ascontiguousarray(regions))
    edges, lengths, along = touching_regions(numbers, slopes, spacing, len(labels), axis)
    there = lengths > 0
    return BlockEdges(labels[edges[there]].reshape(-1, 2), lengths[there], along[there])


def _added(parts: Sequence[BlockEdges]) -> BlockEdges:
    pairs, place = np.unique(
        np.concatenate([part.pairs for part in parts]), axis=0, return_inverse=True
    )
    lengths, along = np.zeros((2, len(pairs)))
    np.add.at(lengths, place.ravel(), np.concatenate([part.lengths for part in parts]))
    np.add.at(along, place.ravel(), np.concatenate([part.along for part in parts]))
    return BlockEdges(pairs, lengths, along)
