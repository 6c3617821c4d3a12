"""Medians of objects whose voxels lie in several blocks, found exactly in a few rounds.

In each round the blocks count, for each object, how many voxels lie in each of 256 parts of the
range in which its median is known to be; then the range is the part that holds it.

References
----------
Munro JI, Paterson MS (1980). Selection and sorting with limited storage. Theoretical Computer
Science 12(3), 315-323.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.progress import check_stop

Keys = NDArray[np.uint64]
Whole = NDArray[np.int64]
PartCounts = tuple[Whole, Whole]
"""Places in a table of objects x `_PARTS`, and how many voxels lie there."""

_BITS = 8
_PARTS = 1 << _BITS
_SIGN = np.uint64(1 << 63)


@dataclass(frozen=True, eq=False)
class MedianSearch:
    """Where the medians of some objects are known to be.

    Two places are looked for, since the median of an even number of values is the mean of two.

    Attributes
    ----------
    labels : (K,) ndarray of int
        Of the objects, rising.
    dtype : dtype
        Of the image.
    begins : (2, K) ndarray of uint64
        Where the ranges begin, as keys that are in the order of the values.
    shifts : (2, K) ndarray of int
        Each part of a range holds two to the power of this many keys; below 0 when it is found.
    ranks : (2, K) ndarray of int
        How many of the object's values in the range come before it.
    """

    labels: Whole
    dtype: np.dtype[Any]
    begins: Keys
    shifts: Whole
    ranks: Whole

    @classmethod
    def among(
        cls,
        labels: Whole,
        voxels: Whole,
        lowest: NDArray[np.floating],
        highest: NDArray[np.floating],
        dtype: np.dtype[Any],
    ) -> "MedianSearch":
        """Begin between the lowest and the highest value (K,) of objects of so many voxels."""
        if dtype.kind in "iu" and dtype.itemsize == 8:
            # The ends may not be whole numbers that a float holds.
            begins, shifts = np.zeros(len(labels), np.uint64), np.full(len(labels), 64 - _BITS)
        else:
            begins = _keys(lowest.astype(dtype))
            width = _keys(highest.astype(dtype)) - begins
            shifts = np.maximum(np.frompyfunc(int.bit_length, 1, 1)(width).astype(int) - _BITS, 0)
        ranks = np.stack([(voxels - 1) // 2, voxels // 2])
        return cls(labels, dtype, np.stack([begins] * 2), np.stack([shifts] * 2), ranks)

    @property
    def is_done(self) -> bool:
        """Whether all are found."""
        return bool((self.shifts < 0).all())

    @property
    def medians(self) -> NDArray[np.float64]:
        """The medians (K,), once they are found."""
        lower, upper = (_values(keys, self.dtype).astype(np.float64) for keys in self.begins)
        return np.where(lower == upper, upper, 0.5 * (upper + lower))

    def counted(self, labels: NDArray[np.integer], image: NDArray[Any]) -> list[PartCounts]:
        """Count the values of a block, without halo, in the parts of the ranges.

        Parameters
        ----------
        labels : (…) ndarray of int
        image : (…) ndarray
            One channel.
        """
        place = np.searchsorted(self.labels, labels)
        place[place == len(self.labels)] = 0
        searched = self.labels[place] == labels
        objects, keys = place[searched], _keys(image[searched])
        found: list[PartCounts] = []
        for nth in range(2):
            check_stop()
            if nth and self._is_one_search:
                found.append(found[0])
                continue
            begins, shifts = self.begins[nth][objects], self.shifts[nth][objects]
            part = keys - begins >> np.maximum(shifts, 0).astype(np.uint64)
            inside = (keys >= begins) & (part < _PARTS) & (shifts >= 0)
            codes = objects[inside] * _PARTS + part[inside].astype(np.int64)
            present, number = np.unique(codes // _PARTS, return_inverse=True)
            counts = np.bincount(number * _PARTS + codes % _PARTS)
            filled = np.flatnonzero(counts)
            places = present[filled // _PARTS] * _PARTS + filled % _PARTS
            found.append((places, counts[filled]))
        return found

    def narrowed(self, blocks: Sequence[list[PartCounts]]) -> "MedianSearch":
        """Go on with the parts that hold the medians, as the blocks of an image counted."""
        begins, shifts, ranks = self.begins.copy(), self.shifts.copy(), self.ranks.copy()
        for nth in range(2):
            table = np.zeros((len(self.labels), _PARTS), np.int64)
            for block in blocks:
                places, counts = block[nth]
                table.ravel()[places] += counts
            before = np.cumsum(table, axis=1)
            part = (before <= ranks[nth][:, np.newaxis]).sum(axis=1)
            open_ = np.flatnonzero(shifts[nth] >= 0)
            part = part[open_]
            skipped = np.where(part > 0, before[open_, np.maximum(part - 1, 0)], 0)
            ranks[nth, open_] -= skipped
            steps = part.astype(np.uint64) << shifts[nth, open_].astype(np.uint64)
            begins[nth, open_] += steps
            finer = np.maximum(shifts[nth, open_] - _BITS, 0)
            shifts[nth, open_] = np.where(shifts[nth, open_] == 0, -1, finer)
        return replace(self, begins=begins, shifts=shifts, ranks=ranks)

    @property
    def _is_one_search(self) -> bool:
        """Whether both places are still in the same ranges."""
        return bool(
            (self.begins[0] == self.begins[1]).all() and (self.shifts[0] == self.shifts[1]).all()
        )


def _keys(values: NDArray[Any]) -> Keys:
    """Whole numbers in the order of the values."""
    if values.dtype.kind in "bu":
        return values.astype(np.uint64)
    if values.dtype.kind == "i":
        return values.astype(np.int64).view(np.uint64) ^ _SIGN
    bits = values.astype(np.float64).view(np.uint64)
    return np.where(bits & _SIGN, ~bits, bits | _SIGN)


def _values(keys: Keys, dtype: np.dtype[Any]) -> NDArray[Any]:
    """The values that have some keys."""
    if dtype.kind in "bu":
        return keys
    if dtype.kind == "i":
        return (keys ^ _SIGN).view(np.int64)
    return np.where(keys & _SIGN, keys ^ _SIGN, ~keys).view(np.float64)
