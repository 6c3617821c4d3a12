"""Arrays as numbered chunks of bytes, of which those that changed are found and kept."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.pipeline.data.row_digests import ROW, row_digests

_BATCH = 1024
"""Chunks that are compared and written at a time: 4 MB, whatever the array's size."""


class VoxelChunks:
    """An array that others write to, compared with what was kept of it.

    Nothing is copied but what changed. A chunk that is written to meanwhile is kept as it is found
    and found again by the next comparison.

    Parameters
    ----------
    array : ndarray
        Of numbers.
    is_kept : bool
        Whether the array as it is now counts as kept; otherwise only zeros do.
    """

    def __init__(self, array: NDArray, *, is_kept: bool = False) -> None:
        self.array = array
        self._kept = np.zeros(-(-array.nbytes // ROW), np.uint64)
        if is_kept:
            self._kept[:] = self._digests()

    def forget(self) -> "VoxelChunks":
        """The same array, of which nothing was kept."""
        return VoxelChunks(self.array)

    def holds_any(self) -> bool:
        """Whether anything but zeros was kept."""
        return bool(self._kept.any())

    def changes(
        self, box: Sequence[slice] | None = None
    ) -> Iterator[tuple[NDArray[np.int64], NDArray[np.uint8]]]:
        """Yield the numbers and contents of chunks that are not as they were kept.

        They count as kept when the next ones are asked for.

        Parameters
        ----------
        box : sequence of slice, optional
            Where to look; everywhere by default.
        """
        flat = self._bytes()
        if box is None:
            chunks = np.flatnonzero(self._digests(flat) != self._kept)
        else:
            chunks = chunks_of_box(self.array.shape, self.array.itemsize, box)
        for start in range(0, len(chunks), _BATCH):
            some = chunks[start : start + _BATCH]
            content = _contents(flat, some)
            digests = row_digests(content.reshape(-1))
            differ = digests != self._kept[some]
            if differ.any():
                yield some[differ], content[differ]
                self._kept[some[differ]] = digests[differ]

    def _bytes(self) -> NDArray[np.uint8]:
        return np.ascontiguousarray(self.array).reshape(-1).view(np.uint8)

    def _digests(self, flat: NDArray[np.uint8] | None = None) -> NDArray[np.uint64]:
        flat = self._bytes() if flat is None else flat
        whole = len(flat) // ROW * ROW
        digests = row_digests(flat[:whole])
        if whole == len(flat):
            return digests
        return np.append(digests, row_digests(_contents(flat, np.array([len(digests)]))[0]))


def chunks_of_box(shape: Sequence[int], itemsize: int, box: Sequence[slice]) -> NDArray[np.int64]:
    """Numbers of the chunks that hold voxels of a box.

    Parameters
    ----------
    shape : sequence of int
    itemsize : int
        Bytes of a voxel.
    box : sequence of slice
        With a start and an end within `shape`, for each axis.
    """
    if any(side.stop <= side.start for side in box):
        return np.zeros(0, np.int64)
    *outer, inner = box
    steps = np.cumprod([1, *shape[:0:-1]])[::-1]
    places = np.zeros(1, np.int64)
    for side, step in zip(outer, steps, strict=False):
        places = np.add.outer(places, np.arange(side.start, side.stop) * step).reshape(-1)
    first = (places + inner.start) * itemsize // ROW
    last = ((places + inner.stop) * itemsize - 1) // ROW
    # where a run of voxels begins and where it has ended, added up, says what lies in any
    marks = np.zeros(last.max() + 2, np.int64)
    np.add.at(marks, first, 1)
    np.add.at(marks, last + 1, -1)
    return np.flatnonzero(np.cumsum(marks) > 0)


def put(array: NDArray, chunks: NDArray[Any], contents: NDArray[np.uint8]) -> None:
    """Write chunks into a contiguous array.

    Raises
    ------
    ValueError
        Where they are not chunks of such an array.
    """
    flat = array.reshape(-1).view(np.uint8)
    n_whole = len(flat) // ROW
    count = -(-len(flat) // ROW)
    if contents.shape != (len(chunks), ROW) or not ((chunks >= 0) & (chunks < count)).all():
        raise ValueError("the chunks are not of an array of this size")
    whole = chunks < n_whole
    flat[: n_whole * ROW].reshape(-1, ROW)[chunks[whole]] = contents[whole]
    for content in contents[~whole]:
        flat[n_whole * ROW :] = content[: len(flat) - n_whole * ROW]


def _contents(flat: NDArray[np.uint8], chunks: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Copies of chunks; the last one is filled up with zeros."""
    n_whole = len(flat) // ROW
    contents = np.zeros((len(chunks), ROW), np.uint8)
    whole = chunks < n_whole
    contents[whole] = flat[: n_whole * ROW].reshape(-1, ROW)[chunks[whole]]
    contents[~whole, : len(flat) - n_whole * ROW] = flat[n_whole * ROW :]
    return contents
