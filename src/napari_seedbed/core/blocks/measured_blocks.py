"""Tables of objects measured block by block, as `measure_objects` makes them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.blocks.block_places import BlockPlace
from napari_seedbed.core.blocks.median_search import MedianSearch
from napari_seedbed.core.objects.labelled_volume import LabelledVolume, Tally
from napari_seedbed.core.objects.object_hulls import object_hulls, object_runs, outermost_runs
from napari_seedbed.core.objects.object_intensities import object_intensities
from napari_seedbed.core.objects.object_measurement import (
    ObjectFacts,
    image_channels,
    tally_objects,
    touching_objects,
)
from napari_seedbed.core.objects.object_shapes import tally_shapes
from napari_seedbed.core.validation import check_labels

Whole = NDArray[np.int64]
Columns = dict[str, NDArray[Any]]

_PRODUCTS = ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2))
"""Axes of the products in `tally_shapes`, in its order."""


@dataclass(frozen=True, eq=False)
class BlockMeasures:
    """What one block knows of the K objects in it, coordinates counted in the image.

    Attributes
    ----------
    labels, sizes : (K,) ndarray of int
    sums, low, high : (K, 3) ndarray of int
        As of `tally_objects`.
    shapes : dict of ndarray or None
        As of `tally_shapes`.
    corners : (P, 4) ndarray of int or None
        As `outermost_runs` gives them, with the places in `labels` in `corner_of`.
    corner_of : (P,) ndarray of int or None
    intensities : list of dict
        For each channel the columns of the part of each object in the block.
    dtype : dtype or None
        Of the image.
    pairs : (N, 2) ndarray of int or None
        Labels that touch.
    """

    labels: Whole
    sizes: Whole
    sums: Whole
    low: Whole
    high: Whole
    shapes: Tally | None
    corners: NDArray[np.int64] | None
    corner_of: NDArray[np.int64] | None
    intensities: list[Columns]
    dtype: np.dtype[Any] | None
    pairs: Whole | None


@dataclass(frozen=True, eq=False)
class JoinedMeasures:
    """What all blocks know together.

    Attributes
    ----------
    facts : ObjectFacts
    searches : list of MedianSearch
        For each channel the medians that are not known yet: those of objects in several blocks.
    suffixes : sequence of str
        What the columns of each channel end in.
    """

    facts: ObjectFacts
    searches: list[MedianSearch]
    suffixes: Sequence[str]

    def with_medians(self, searches: Sequence[MedianSearch]) -> ObjectFacts:
        """All that is known, when the medians are found."""
        for suffix, search in zip(self.suffixes, searches, strict=True):
            places = np.searchsorted(self.facts.labels, search.labels)
            self.facts.intensities[f"median_intensity{suffix}"][places] = search.medians
        return self.facts


def measure_block(
    seen: NDArray[Any],
    place: BlockPlace,
    groups: Sequence[str],
    image: NDArray[Any] | None = None,
    channel_axis: int | None = None,
) -> BlockMeasures:
    """Measure what one block holds of each object.

    Parameters
    ----------
    seen : ([Z, ]Y, X) ndarray of int
        Labels of the block with a halo of one voxel.
    place : BlockPlace
    groups : sequence of str
        As for `measure_objects`.
    image : ([C, ][Z, ]Y, X) ndarray, optional
        Grey values with the same halo.
    channel_axis : int, optional
        0 where there are channels.
    """
    labels = check_labels(seen)
    volume = LabelledVolume(place.ringed(labels), ringed=True)
    tally = tally_objects(volume)
    here = tally["sizes"] > 0
    start = np.zeros(3, np.int64)
    start[volume.axes] = place.start
    shapes = corners = corner_of = pairs = dtype = None
    if "shape" in groups:
        shapes = {name: rows[here] for name, rows in tally_shapes(volume, tally["low"]).items()}
    if "hull" in groups:
        corners, corner_of = _corners(volume, tally["runs"])
        corners = corners + start[[0, 1, 2, 2]]
        corner_of = (np.cumsum(here) - 1)[corner_of]
    if "neighbours" in groups:
        pairs = volume.labels[touching_objects(volume)]
    intensities = []
    if "intensity" in groups and image is not None:
        inside = LabelledVolume(np.ascontiguousarray(place.own(labels)))
        lead = (slice(None),) * (image.ndim - labels.ndim)
        own = image[(*lead, *place.inner)]
        dtype = own.dtype
        for _, grey in image_channels(own, place.own(labels).shape, channel_axis, ()):
            intensities.append(object_intensities(inside, tally["sizes"][here], grey))
    return BlockMeasures(
        volume.labels[here],
        tally["sizes"][here],
        tally["sums"][here] + start * tally["sizes"][here, np.newaxis],
        tally["low"][here] + start,
        tally["high"][here] + start,
        shapes,
        corners,
        corner_of,
        intensities,
        dtype,
        pairs,
    )


def join_measures(
    blocks: Sequence[BlockMeasures], spacing: tuple[float, ...], suffixes: Sequence[str] = ()
) -> JoinedMeasures:
    """Put together what all blocks of an image measured.

    Parameters
    ----------
    blocks : sequence of BlockMeasures
    spacing : tuple of float
    suffixes : sequence of str
        What the columns of each channel end in.
    """
    labels, place = np.unique(
        np.concatenate([block.labels for block in blocks]), return_inverse=True
    )
    count = len(labels)

    def added(parts: list[NDArray[Any]]) -> NDArray[Any]:
        rows = np.concatenate(parts)
        total = np.zeros((count, *rows.shape[1:]), rows.dtype)
        np.add.at(total, place, rows)
        return total

    low, high = np.full((count, 3), np.iinfo(np.int64).max), np.full((count, 3), -1)
    np.minimum.at(low, place, np.concatenate([block.low for block in blocks]))
    np.maximum.at(high, place, np.concatenate([block.high for block in blocks]))
    sizes = added([block.sizes for block in blocks])
    facts = ObjectFacts(labels, sizes, added([block.sums for block in blocks]), low, high)
    if blocks[0].shapes is not None:
        moved = [
            _moved_moments(block, low[np.searchsorted(labels, block.labels)]) for block in blocks
        ]
        facts.shapes = {"moments": added(moved)}
        for name in ("crossings", "euler"):
            facts.shapes[name] = added([block.shapes[name] for block in blocks if block.shapes])
    if blocks[0].corners is not None:
        facts.hulls = _hulls(blocks, labels, sizes, spacing)
    if blocks[0].pairs is not None:
        pairs = np.concatenate([block.pairs for block in blocks if block.pairs is not None])
        facts.pairs = np.unique(np.searchsorted(labels, np.sort(pairs, axis=1)), axis=0)
    searches = []
    for nth, suffix in enumerate(suffixes):
        parts = [block.intensities[nth] for block in blocks]
        columns, search = _intensities(
            parts, [block.sizes for block in blocks], labels, place, blocks[0].dtype
        )
        facts.intensities |= {f"{name}{suffix}": column for name, column in columns.items()}
        searches.append(search)
    return JoinedMeasures(facts, searches, suffixes)


def _corners(volume: LabelledVolume, runs: Whole) -> tuple[Whole, Whole]:
    """Corners of the hulls of each object's planes, and the object of each by its place."""
    starts, ordered = object_runs(volume, runs)
    if volume.ndim == 3:
        counts, corners = outermost_runs(starts, ordered)
    else:
        # The lines of a flat image are taken for those of a single plane.
        counts, corners = outermost_runs(starts, ordered[:, [1, 0, 2, 3]].copy())
        corners = corners[:, [1, 0, 2, 3]]
    return corners.astype(np.int64), np.repeat(np.arange(len(counts)), counts)


def _hulls(
    blocks: Sequence[BlockMeasures], labels: Whole, sizes: Whole, spacing: tuple[float, ...]
) -> Columns:
    owner, corners = [], []
    for block in blocks:
        if block.corners is not None and block.corner_of is not None:
            owner.append(np.searchsorted(labels, block.labels[block.corner_of]))
            corners.append(block.corners)
    number, points = np.concatenate(owner), np.concatenate(corners)
    order = np.lexsort((points[:, 2], points[:, 1], points[:, 0], number))
    starts = np.concatenate([[0], np.cumsum(np.bincount(number, minlength=len(labels)))])
    return object_hulls(sizes, starts, points[order].astype(np.int32), spacing)


def _moved_moments(block: BlockMeasures, low: Whole) -> Whole:
    """Sums of products of coordinates, counted from other places: whole numbers stay exact."""
    assert block.shapes is not None
    shift = block.low - low
    own = block.sums - block.low * block.sizes[:, np.newaxis]
    moved = block.shapes["moments"].copy()
    for column, (a, b) in enumerate(_PRODUCTS):
        moved[:, column] += shift[:, a] * own[:, b] + shift[:, b] * own[:, a]
        moved[:, column] += shift[:, a] * shift[:, b] * block.sizes
    return moved


def _intensities(
    parts: Sequence[Columns],
    sizes: Sequence[Whole],
    labels: Whole,
    place: NDArray[np.intp],
    dtype: np.dtype[Any] | None,
) -> tuple[Columns, MedianSearch]:
    """Columns of one channel, and what is still to be found.

    References
    ----------
    Chan TF, Golub GH, LeVeque RJ (1983). Algorithms for computing the sample variance: analysis
    and recommendations. The American Statistician 37(3), 242-247.
    """
    assert dtype is not None
    count = len(labels)
    voxels = np.concatenate(sizes)
    found = {
        name: np.concatenate([part[f"{name}_intensity"] for part in parts])
        for name in ("mean", "std", "min", "max", "median", "sum")
    }
    whole, total, squares = np.zeros(count, np.int64), np.zeros(count), np.zeros(count)
    np.add.at(whole, place, voxels)
    np.add.at(total, place, found["sum"])
    mean = total / whole
    away = found["mean"] - mean[place]
    np.add.at(squares, place, voxels * (found["std"] ** 2 + away**2))
    low, high = np.full(count, np.inf), np.full(count, -np.inf)
    np.minimum.at(low, place, found["min"])
    np.maximum.at(high, place, found["max"])
    deviation, median = np.sqrt(squares / whole), np.zeros(count)
    alone = np.bincount(place, minlength=count)[place] == 1
    deviation[place[alone]], median[place[alone]] = found["std"][alone], found["median"][alone]
    several = np.bincount(place, minlength=count) > 1
    search = MedianSearch.among(labels[several], whole[several], low[several], high[several], dtype)
    columns = (mean, deviation, low, high, median, total)
    names = ("mean", "std", "min", "max", "median", "sum")
    return {
        f"{name}_intensity": column for name, column in zip(names, columns, strict=True)
    }, search
