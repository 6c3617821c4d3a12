"""Sizes and places of objects counted block by block, and which of them stay."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.blocks.block_places import BlockPlace
from napari_seedbed.core.objects.label_lookup import object_labels
from napari_seedbed.core.objects.labelled_volume import LabelledVolume
from napari_seedbed.core.objects.labelling import SortKey, ranks, sort_axis
from napari_seedbed.core.objects.object_measurement import tally_objects
from napari_seedbed.core.objects.object_selection import Faces, border_widths

Whole = NDArray[np.int64]


class CountedObjects(Protocol):
    """What is known of each of K objects: those of labels, or connected pieces.

    Attributes
    ----------
    labels : (K,) ndarray of int
        Rising.
    voxels : (K,) ndarray of int
    low, high : (K, D) ndarray of int
        Boxes in the image, the ends included.
    """

    @property
    def labels(self) -> NDArray[np.integer]: ...
    @property
    def voxels(self) -> Whole: ...
    @property
    def low(self) -> Whole: ...
    @property
    def high(self) -> Whole: ...


@dataclass(frozen=True, eq=False)
class ObjectTallies:
    """The labels of a block or of all blocks of an image, K of them.

    Attributes
    ----------
    labels : (K,) ndarray of int
        Those above 0, rising.
    voxels : (K,) ndarray of int
    sums : (K, D) ndarray of int
        Sums of the coordinates in the image.
    low, high : (K, D) ndarray of int
        Boxes in the image, the ends included.
    """

    labels: Whole
    voxels: Whole
    sums: Whole
    low: Whole
    high: Whole

    @property
    def is_single(self) -> bool:
        """Whether there is no more than one label, as in a mask."""
        return len(self.labels) <= 1


def tally_block(own: NDArray[Any], place: BlockPlace) -> ObjectTallies:
    """Count the voxels of each label in a block.

    Parameters
    ----------
    own : ([Z, ]Y, X) ndarray of int or bool
        The block without halo.
    place : BlockPlace
    """
    volume = LabelledVolume(object_labels(own))
    tally = tally_objects(volume)
    sizes = tally["sizes"]
    start = np.array(place.start, np.int64)
    return ObjectTallies(
        volume.labels,
        sizes,
        tally["sums"][:, volume.axes] + start * sizes[:, np.newaxis],
        tally["low"][:, volume.axes] + start,
        tally["high"][:, volume.axes] + start,
    )


def join_tallies(blocks: Sequence[ObjectTallies]) -> ObjectTallies:
    """Add up what the blocks of an image hold."""
    labels, place = np.unique(
        np.concatenate([block.labels for block in blocks]), return_inverse=True
    )
    ndim = blocks[0].sums.shape[1]
    voxels, sums = np.zeros(len(labels), np.int64), np.zeros((len(labels), ndim), np.int64)
    low = np.full((len(labels), ndim), np.iinfo(np.int64).max)
    high = np.full((len(labels), ndim), -1)
    np.add.at(voxels, place, np.concatenate([block.voxels for block in blocks]))
    np.add.at(sums, place, np.concatenate([block.sums for block in blocks]))
    np.minimum.at(low, place, np.concatenate([block.low for block in blocks]))
    np.maximum.at(high, place, np.concatenate([block.high for block in blocks]))
    return ObjectTallies(labels, voxels, sums, low, high)


def off_border(
    objects: CountedObjects,
    shape: Sequence[int],
    distance: float,
    spacing: Sequence[float],
    faces: Faces,
) -> NDArray[np.integer]:
    """Return the labels of the objects that `clear_border` leaves."""
    widths = np.array(border_widths(shape, distance, spacing, faces))
    near = (objects.low < widths) | (objects.high >= np.array(shape) - widths)
    return objects.labels[~near.any(axis=1)]


def sorted_places(tallies: ObjectTallies, by: SortKey, *, descending: bool) -> Whole:
    """Return the label, from 1 on, that `sort_labels` gives each object."""
    axis = sort_axis(by, tallies.sums.shape[1])
    key = tallies.voxels.astype(float)
    if axis is not None:
        key = tallies.sums[:, axis].astype(float) / tallies.voxels
    return ranks(key, descending=descending)
