"""How many voxels each object of a truth shares with each object of a result."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.progress import check_stop
from napari_seedbed.core.threads import run_ranges, split
from napari_seedbed.errors import InputError

Integers = NDArray[np.int64]
Rows = tuple[Integers, Integers, Integers]
"""Truth labels, result labels, and one column of sums for each pair of them."""

# Labels without any order cost a sort: 0.03 s a slab, and up to 0.2 s for adding up 250,000 pairs.
_VOXELS_PER_SLAB = 1 << 17
_MERGED_EARLY = 1 << 17


@dataclass(frozen=True, eq=False)
class LabelOverlaps:
    """Every pair of a label of the truth and a label of the result that share voxels.

    K labels occur in the truth and M in the result, 0 (no object) included; N pairs overlap.

    Attributes
    ----------
    truth_values : (K,) ndarray of int
        Labels of the truth, rising.
    result_values : (M,) ndarray of int
        Labels of the result, rising.
    truth_index, result_index : (N,) ndarray of int
        The pairs, as indices into the values.
    voxels : (N,) ndarray of int
        How many voxels each pair shares.
    position_sums : (D, N) ndarray of int
        Sum of the voxel coordinates along each axis over what each pair shares.
    """

    truth_values: Integers
    result_values: Integers
    truth_index: NDArray[np.intp]
    result_index: NDArray[np.intp]
    voxels: Integers
    position_sums: Integers

    @cached_property
    def truth_voxels(self) -> Integers:
        """Number of voxels of each label of the truth."""
        return _sums(self.truth_index, self.voxels, len(self.truth_values))

    @cached_property
    def result_voxels(self) -> Integers:
        """Number of voxels of each label of the result."""
        return _sums(self.result_index, self.voxels, len(self.result_values))

    @property
    def truth_places(self) -> NDArray[np.float64]:
        """Centroid of each label of the truth in voxels, (K, D)."""
        return self._places(self.truth_index, self.truth_voxels)

    @property
    def result_places(self) -> NDArray[np.float64]:
        """Centroid of each label of the result in voxels, (M, D)."""
        return self._places(self.result_index, self.result_voxels)

    @property
    def truth_count(self) -> int:
        """Number of objects of the truth."""
        return int(np.count_nonzero(self.truth_values))

    @property
    def result_count(self) -> int:
        """Number of objects of the result."""
        return int(np.count_nonzero(self.result_values))

    def between_objects(self) -> NDArray[np.bool_]:
        """Return which pairs are of two objects, neither label being 0."""
        in_truth = self.truth_values[self.truth_index] > 0
        return in_truth & (self.result_values[self.result_index] > 0)

    def ious(self) -> NDArray[np.float64]:
        """Intersection over union of each pair, (N,)."""
        sizes = self.truth_voxels[self.truth_index] + self.result_voxels[self.result_index]
        return self.voxels / (sizes - self.voxels)

    def _places(self, index: NDArray[np.intp], sizes: Integers) -> NDArray[np.float64]:
        totals = [_sums(index, sums, len(sizes)) for sums in self.position_sums]
        return np.stack(totals, axis=1) / sizes[:, np.newaxis]


def count_overlaps(truth: Any, labels: Any) -> LabelOverlaps:
    """Count the voxels that labels of a truth and of a result share.

    Parameters
    ----------
    truth : (M, N[, P]) ndarray of bool, int or float
        Labels, whole numbers; 0 is no object. Voxels with negative labels are left out.
    labels : (M, N[, P]) ndarray of bool, int or float
        The result to look at; 0 and negative labels are no object.

    Returns
    -------
    LabelOverlaps

    Raises
    ------
    InputError
        If the shapes differ, are not 2D or 3D or are empty, or if values are not whole numbers.
    """
    truth, labels = check_pair(truth, labels)
    rows = _RowSums(truth.ndim)

    axis = int(np.argmax(truth.shape))
    before = (slice(None),) * axis

    def count(start: int, stop: int) -> None:
        slab = (*before, slice(start, stop))
        origin = [start if a == axis else 0 for a in range(truth.ndim)]
        rows.add(_rows_of(truth[slab], labels[slab], origin))

    pieces = split(truth.shape[axis], 1 + truth.size // _VOXELS_PER_SLAB)
    run_ranges(count, pieces)
    check_stop()
    return rows.overlaps()


def overlaps_of_part(truth: Any, labels: Any, origin: Sequence[int]) -> LabelOverlaps:
    """Count the voxels that labels share in a part of an image, as `count_overlaps`.

    Parameters
    ----------
    truth, labels : (M, N[, P]) ndarray of bool, int or float
        The part.
    origin : sequence of int
        Where it begins in the image, in whose voxels the positions are counted.
    """
    truth, labels = check_pair(truth, labels)
    rows = _RowSums(truth.ndim)
    rows.add(_rows_of(truth, labels, origin))
    return rows.overlaps()


def joined_overlaps(parts: Sequence[LabelOverlaps]) -> LabelOverlaps:
    """Add up the overlaps of the parts of an image."""
    rows = _RowSums(len(parts[0].position_sums))
    for part in parts:
        check_stop()
        columns = np.concatenate([part.voxels[np.newaxis], part.position_sums])
        rows.add(
            (
                part.truth_values[part.truth_index],
                part.result_values[part.result_index],
                columns,
            )
        )
    return rows.overlaps()


class _RowSums:
    """Rows from many slabs, added up where they are of the same pair."""

    def __init__(self, ndim: int) -> None:
        none = np.empty(0, np.int64)
        self._rows: list[Rows] = [(none, none, np.empty((1 + ndim, 0), np.int64))]
        self._new = 0
        self._lock = Lock()

    def add(self, rows: Rows) -> None:
        with self._lock:
            self._rows.append(rows)
            self._new += len(rows[0])
            # Labels without order have nearly as many pairs in each slab as in the whole image.
            if self._new > max(_MERGED_EARLY, 2 * len(self._rows[0][0])):
                self._merge()

    def overlaps(self) -> LabelOverlaps:
        self._merge()
        found, seen, columns = self._rows[0]
        truth_values, truth_index = np.unique(found, return_inverse=True)
        result_values, result_index = np.unique(seen, return_inverse=True)
        return LabelOverlaps(
            truth_values, result_values, truth_index, result_index, columns[0], columns[1:]
        )

    def _merge(self) -> None:
        truth, result, columns = zip(*self._rows, strict=True)
        self._rows = [
            _add_up(np.concatenate(truth), np.concatenate(result), np.concatenate(columns, axis=1))
        ]
        self._new = 0


def check_pair(truth: Any, labels: Any) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return two label arrays of one 2D or 3D shape; that floats are whole is seen in counting."""
    arrays = []
    for name, given in (("truth", truth), ("labels", labels)):
        if isinstance(given, np.ma.MaskedArray):
            raise InputError(f"{name} is a masked array; set what is masked to -1 first.")
        array = np.asarray(given)
        if array.dtype.kind not in "buif":
            raise InputError(f"{name} has the type {array.dtype}; it must hold whole numbers.")
        if array.ndim not in (2, 3):
            raise InputError(
                f"{name} has {array.ndim} axes (shape {array.shape}); scores need 2 or 3."
            )
        if array.size == 0:
            raise InputError(f"{name} is empty: its shape is {array.shape}.")
        arrays.append(array)
    if arrays[0].shape != arrays[1].shape:
        raise InputError(
            f"labels has the shape {arrays[1].shape}; it must have that of truth, "
            f"{arrays[0].shape}."
        )
    return arrays[0], arrays[1]


def _rows_of(truth: NDArray[Any], labels: NDArray[Any], origin: Sequence[int]) -> Rows:
    """Rows of one slab. Neighbours along the last axis are mostly equal: runs are counted."""
    shape = truth.shape
    truth, labels = truth.ravel(), labels.ravel()
    new = np.empty(truth.size, bool)
    np.not_equal(truth[1:], truth[:-1], out=new[1:])
    new[1:] |= labels[1:] != labels[:-1]
    new[:: shape[-1]] = True
    starts = np.flatnonzero(new)
    lengths = np.diff(starts, append=truth.size)
    found = whole_numbers(truth[starts], "truth")
    seen = np.maximum(whole_numbers(labels[starts], "labels"), 0)
    if (found < 0).any():
        counted = found >= 0
        found, seen = found[counted], seen[counted]
        starts, lengths = starts[counted], lengths[counted]
    columns = np.empty((1 + len(shape), len(starts)), np.int64)
    columns[0] = lengths
    for column, first, position in zip(
        columns[1:], origin, np.unravel_index(starts, shape), strict=True
    ):
        np.multiply(position + first, lengths, out=column)
    columns[-1] += lengths * (lengths - 1) // 2
    return _add_up(found, seen, columns)


def whole_numbers(values: NDArray[Any], name: str) -> Integers:
    """Return labels as 64-bit integers, or raise `InputError` that names the argument."""
    if values.dtype.kind == "f":
        values = values.astype(np.float64)
        wrong = ~((np.abs(values) < 2.0**63) & (np.floor(values) == values))
        if wrong.any():
            raise InputError(
                f"{name} holds {values[wrong][0]:g}; labels must be whole numbers. "
                "A map of probabilities needs a threshold first."
            )
    elif values.dtype == np.uint64 and values.size and values.max() > np.iinfo(np.int64).max:
        raise InputError(f"{name} holds {values.max()}; labels must be below 2**63.")
    return values.astype(np.int64)


def _add_up(truth: Integers, result: Integers, columns: Integers) -> Rows:
    """Add the columns of rows of the same pair; pairs come out rising."""
    if len(truth) == 0:
        return truth, result, columns
    if truth.max() < 1 << 31 and result.max() < 1 << 32:
        # One sort of one number: twice as fast as a sort by two.
        order = np.argsort(truth << 32 | result)
    else:
        order = np.lexsort((result, truth))
    truth, result = truth[order], result[order]
    new = np.ones(len(truth), bool)
    new[1:] = (truth[1:] != truth[:-1]) | (result[1:] != result[:-1])
    first = np.flatnonzero(new)
    sums = np.stack([np.add.reduceat(column[order], first) for column in columns])
    return truth[first], result[first], sums


def _sums(index: NDArray[np.intp], values: Integers, length: int) -> Integers:
    totals = np.zeros(length, np.int64)
    np.add.at(totals, index, values)
    return totals
