"""Labels as a volume whose objects are counted through, read slab by slab."""

from collections.abc import Callable, Iterator
from math import prod
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.progress import check_stop
from napari_seedbed.core.threads import run_ranges, split

Tally = dict[str, NDArray[np.int64]]

_VOXELS_PER_SLAB = 1 << 20
_PIECES = 8
_DENSE = 1 << 24
"""Labels up to here are looked up in a table: ten times as fast as searching a list."""


class LabelledVolume:
    """The objects of a label image, whatever its type and the gaps between its labels.

    A flat image is a pile of rows, (Y, 1, X), so that it is cut into slabs like a volume.

    Parameters
    ----------
    labels : ([Z, ]Y, X) ndarray of int
        Labels below 1 are no objects.
    ringed : bool
        Whether they have one voxel more on each side of each axis, which counts as a neighbour
        alone: a block of an image has one. Objects that lie there alone are objects, too.
    """

    def __init__(self, labels: NDArray[np.integer], *, ringed: bool = False) -> None:
        self.ndim = labels.ndim
        self._volume = self.as_volume(labels)
        self._ringed = ringed
        self._planes = self._volume.shape[0] - 2 * ringed
        highest = int(labels.max())
        self._dense = highest <= max(_DENSE, labels.size)
        self.labels = self._find(highest)
        """(K,) labels of the objects, rising."""
        self._lookup = np.zeros(0, np.int32)
        if self._dense:
            self._lookup = np.zeros(max(highest, 0) + 1, np.int32)
            self._lookup[self.labels] = np.arange(1, len(self.labels) + 1, dtype=np.int32)

    @property
    def axes(self) -> list[int]:
        """Which of the three axes are those of the image."""
        return volume_axes(self.ndim)

    def as_volume(self, image: NDArray[Any]) -> NDArray[Any]:
        """An image on the same grid with the three axes."""
        return image if self.ndim == 3 else image[:, np.newaxis, :]

    def zeros(self, *columns: int) -> NDArray[np.int64]:
        """One number an object, or a row of them."""
        return np.zeros((len(self.labels), *columns), np.int64)

    def slabs(self, start: int = 0, stop: int | None = None) -> Iterator[tuple[int, int]]:
        """Ranges of planes, of about a million voxels each."""
        planes = max(1, _VOXELS_PER_SLAB // max(1, prod(self._volume.shape[1:])))
        stop = self._planes if stop is None else stop
        for first in range(start, stop, planes):
            check_stop()
            yield first, min(first + planes, stop)

    def numbers(self, start: int, stop: int) -> NDArray[np.int32]:
        """Numbers of the objects from 1 on, with a border of one voxel: see `object_kernels`."""
        shape = self._volume.shape
        if self._ringed:
            rows = shape[1] + 2 * (self.ndim == 2)
            padded = np.zeros((stop - start + 2, rows, shape[2]), np.int32)
            inside = padded if self.ndim == 3 else padded[:, 1:-1]
            part = self._volume[start : stop + 2]
        else:
            padded = np.zeros((stop - start + 2, shape[1] + 2, shape[2] + 2), np.int32)
            first, last = max(start - 1, 0), min(stop + 1, shape[0])
            inside = padded[first - start + 1 : last - start + 1, 1:-1, 1:-1]
            part = self._volume[first:last]
        if self._dense:
            # Negative labels would be looked up from the table's end.
            inside[...] = self._lookup[np.maximum(part, 0) if part.dtype.kind == "i" else part]
        else:
            place = np.searchsorted(self.labels, part)
            place[place == len(self.labels)] = 0
            inside[...] = np.where(self.labels[place] == part, place + 1, 0)
        return padded

    def tally(
        self,
        empty: Callable[[], Tally],
        count: Callable[[NDArray[np.int32], int, Tally], None],
        add: Callable[[Tally, Tally], None],
    ) -> Tally:
        """Count in pieces of the volume on all cores, and add up what each piece gives.

        Parameters
        ----------
        empty : callable
            Gives tallies in which nothing is counted yet.
        count : callable
            ``count(numbers, first plane, tallies)`` for one slab.
        add : callable
            ``add(total, piece)``.
        """
        total, lock = empty(), Lock()

        def work(start: int, stop: int) -> None:
            own = empty()
            for first, last in self.slabs(start, stop):
                count(self.numbers(first, last), first, own)
            with lock:
                add(total, own)

        pieces = split(self._planes, min(_PIECES, 1 + self._volume.size // 100_000))
        run_ranges(work, pieces)
        return total

    def _find(self, highest: int) -> NDArray[np.int64]:
        if highest < 1:
            return np.empty(0, np.int64)
        slabs = self.slabs(0, self._volume.shape[0])
        if self._dense:
            present = np.zeros(highest + 1, bool)
            for first, last in slabs:
                part = self._volume[first:last]
                present[np.maximum(part, 0) if part.dtype.kind == "i" else part] = True
            present[0] = False
            return np.flatnonzero(present)
        found = [np.empty(0, np.int64)]
        for first, last in slabs:
            part = self._volume[first:last]
            found.append(np.unique(part[part > 0]).astype(np.int64))
        return np.unique(np.concatenate(found))


def volume_axes(ndim: int) -> list[int]:
    """Return which of a volume's three axes are those of an image with so many."""
    return [0, 1, 2] if ndim == 3 else [0, 2]


def add_all(total: Tally, piece: Tally) -> None:
    """Add up every tally."""
    for name, values in piece.items():
        total[name] += values
