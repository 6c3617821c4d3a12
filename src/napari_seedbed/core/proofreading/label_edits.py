"""What an edit changed in labels: made again, and taken back."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.errors import InputError

Box = tuple[slice, ...]
"""Where something lies: a slice for each axis, with whole numbers from 0 on."""


@dataclass(frozen=True, eq=False)
class LabelEdit:
    """Voxels that an edit changed, each with its label before and after.

    They are kept as runs of neighbours along the last axis that change alike: a few bytes for each
    line of an object.

    Attributes
    ----------
    name : str
        What was done, such as 'merge 12 + 17'; 'Undo ' stands before it on a button.
    shape : tuple of int
        Of the labels.
    starts : (R,) ndarray of unsigned int
        Flat index of the first voxel of each run, rising.
    lengths : (R,) ndarray of unsigned int
        Voxels of each run.
    values_before, values_after : (R,) or (1,) ndarray of int
        Label of each run; a single one where all runs have the same.
    """

    name: str
    shape: tuple[int, ...]
    starts: NDArray[np.unsignedinteger]
    lengths: NDArray[np.unsignedinteger]
    values_before: NDArray[np.integer]
    values_after: NDArray[np.integer]

    @property
    def voxels(self) -> int:
        """How many voxels changed."""
        return int(self.lengths.sum(dtype=np.int64))

    @property
    def indices(self) -> NDArray[np.unsignedinteger]:
        """Flat indices of the voxels that changed, rising, in the smallest type that fits."""
        ends = np.cumsum(self.lengths, dtype=np.int64)
        within = np.arange(ends[-1] if len(ends) else 0)
        within += np.repeat(self.starts.astype(np.int64) - (ends - self.lengths), self.lengths)
        return within.astype(self.starts.dtype)

    @property
    def before(self) -> NDArray[np.integer]:
        """The label of each of these voxels before the edit."""
        return self._spread(self.values_before)

    @property
    def after(self) -> NDArray[np.integer]:
        """The label of each of these voxels after the edit."""
        return self._spread(self.values_after)

    @property
    def nbytes(self) -> int:
        """Memory that the runs take."""
        return sum(
            part.nbytes
            for part in (self.starts, self.lengths, self.values_before, self.values_after)
        )

    @cached_property
    def box(self) -> Box:
        """The smallest box around the voxels that changed."""
        if not len(self.starts):
            return (slice(0, 0),) * len(self.shape)
        first = np.unravel_index(self.starts.astype(np.int64), self.shape)
        lowest = [int(places.min()) for places in first]
        highest = [int(places.max()) for places in first]
        # A run lies in one row.
        highest[-1] = int((first[-1] + self.lengths).max()) - 1
        return tuple(slice(low, high + 1) for low, high in zip(lowest, highest, strict=True))

    @cached_property
    def objects(self) -> tuple[int, ...]:
        """Labels of the objects that lost or won voxels, rising."""
        values = np.concatenate([self.values_before, self.values_after])
        return tuple(int(value) for value in np.unique(values) if value != 0)

    def read(self, labels: NDArray[np.integer]) -> NDArray[np.integer]:
        """The label that each of these voxels has in an array of the edit's shape."""
        if labels.flags.c_contiguous:
            found: NDArray[np.integer] = labels.reshape(-1)[self.indices]
        else:
            found = labels[np.unravel_index(self.indices, self.shape)]
        return found

    def apply(self, labels: NDArray[np.integer]) -> None:
        """Write the labels after the edit into an array of the edit's shape."""
        self._write(labels, self.values_after)

    def revert(self, labels: NDArray[np.integer]) -> None:
        """Write the labels before the edit into an array of the edit's shape."""
        self._write(labels, self.values_before)

    def within(self, shape: Sequence[int], place: Sequence[int]) -> "LabelEdit":
        """The same edit in an array with more axes in front.

        Parameters
        ----------
        shape : sequence of int
            Of the whole array; it ends with the edit's own shape.
        place : sequence of int
            Where on the axes in front, such as ``(t,)`` in a time series.
        """
        whole = tuple(int(n) for n in shape)
        ahead = len(whole) - len(self.shape)
        if whole[ahead:] != self.shape or len(place) != ahead:
            raise InputError(
                f"shape is {whole} and place {tuple(place)}; the shape must end with "
                f"{self.shape}, and place have a number for each axis before."
            )
        number = int(np.ravel_multi_index(tuple(place), whole[:ahead])) if ahead else 0
        starts = self.starts.astype(np.uint64) + np.uint64(number * int(np.prod(self.shape)))
        return replace(self, shape=whole, starts=_small(starts, whole))

    def _spread(self, values: NDArray[np.integer]) -> NDArray[np.integer]:
        return np.repeat(np.broadcast_to(values, self.lengths.shape), self.lengths)

    def _write(self, labels: NDArray[np.integer], values: NDArray[np.integer]) -> None:
        if labels.shape != self.shape:
            raise InputError(
                f"labels have the shape {labels.shape}; the edit is one of {self.shape}."
            )
        spread = values[0] if len(values) == 1 else self._spread(values)
        if labels.flags.c_contiguous:
            labels.reshape(-1)[self.indices] = spread
        else:
            labels[np.unravel_index(self.indices, self.shape)] = spread


def changed(
    before: NDArray[np.integer],
    after: NDArray[np.integer],
    box: Box,
    name: str,
    *,
    shape: Sequence[int],
) -> LabelEdit:
    """Return the edit that turns a part of labels into another.

    Parameters
    ----------
    before, after : (…) ndarray of int
        The labels in a box, of one type.
    box : tuple of slice
        Where they lie in the whole labels.
    name : str
    shape : sequence of int
        Of the whole labels.

    Raises
    ------
    InputError
        If nothing differs.
    """
    differs = np.flatnonzero(np.ravel(before != after))
    return edit_of_voxels(
        as_whole(differs, before.shape, box, shape),
        np.ravel(before)[differs],
        np.ravel(after)[differs],
        name,
        shape=shape,
    )


def edit_of_voxels(
    indices: NDArray[np.integer],
    before: Any,
    after: Any,
    name: str,
    *,
    shape: Sequence[int],
) -> LabelEdit:
    """Return the edit of some voxels, as a brush gives them.

    Parameters
    ----------
    indices : (N,) ndarray of int
        Flat indices into the labels, in any order; of a voxel that comes more than once, the first
        `before` and the last `after` count.
    before, after : int or (N,) ndarray of int
        Labels of these voxels. Those that do not differ are left out.
    name : str
    shape : sequence of int
        Of the labels.

    Raises
    ------
    InputError
        If nothing differs.
    """
    whole = tuple(int(n) for n in shape)
    places = np.asarray(indices).astype(np.int64, copy=False)
    old, new = (np.broadcast_to(np.asarray(values), places.shape) for values in (before, after))
    if len(places) > 1 and (np.diff(places) <= 0).any():
        order = np.argsort(places, kind="stable")
        places, old, new = places[order], old[order], new[order]
        other = places[1:] != places[:-1]
        first, last = np.append(True, other), np.append(other, True)
        places, old, new = places[first], old[first], new[last]
    real = old != new
    if not real.all():
        places, old, new = places[real], old[real], new[real]
    if not len(places):
        raise InputError(f"{name}: nothing would change.")
    begins = np.ones(len(places), bool)
    np.not_equal(np.diff(places), 1, out=begins[1:])
    begins[1:] |= (old[1:] != old[:-1]) | (new[1:] != new[:-1])
    begins |= places % whole[-1] == 0
    at = np.flatnonzero(begins)
    lengths = np.diff(at, append=len(places))
    return LabelEdit(
        name,
        whole,
        _small(places[at], whole),
        lengths.astype(np.min_scalar_type(int(lengths.max()))),
        _short(old[at]),
        _short(new[at]),
    )


def as_whole(
    indices: NDArray[np.integer], part: Sequence[int], box: Box, shape: Sequence[int]
) -> NDArray[np.int64]:
    """Flat indices into the whole labels of those into a box."""
    places = np.unravel_index(indices, tuple(part))
    moved = [place + side.start for place, side in zip(places, box, strict=True)]
    return np.ravel_multi_index(moved, tuple(shape)).astype(np.int64, copy=False)


def _small(indices: NDArray[np.integer], shape: Sequence[int]) -> NDArray[np.unsignedinteger]:
    voxels = int(np.prod(np.array(shape, dtype=object)))
    return indices.astype(np.min_scalar_type(max(voxels - 1, 0)))


def _short(values: NDArray[np.integer]) -> NDArray[np.integer]:
    """A single value where all are the same."""
    return values[:1].copy() if (values == values[0]).all() else values
