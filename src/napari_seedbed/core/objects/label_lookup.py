"""Looking up, counting and renumbering the labels of an image."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.validation import check_small_labels
from napari_seedbed.errors import InputError

Objects = Literal["auto", "labels", "pieces"]
"""What counts as one object: all voxels of a label, or each connected piece of it. 'auto' means
pieces where there is a single label, as in a mask, and labels otherwise."""


def object_labels(labels: Any, name: str = "labels") -> NDArray[np.int32]:
    """Return a label image of 2 or 3 axes as int32, what is below 1 as 0; a mask becomes 0 and 1.

    Raises
    ------
    InputError
        If it has other values or another number of axes, is empty, or a label does not fit.
    """
    array = check_small_labels(labels, name=name)
    if array.ndim not in (2, 3):
        raise InputError(f"{name} have {array.ndim} axes (shape {array.shape}); they need 2 or 3.")
    if array.size == 0:
        raise InputError(f"{name} are empty: their shape is {array.shape}.")
    if array.min() < 0:
        array = np.maximum(array, 0)
    return np.ascontiguousarray(array, dtype=np.int32)


def counted(labels: NDArray[np.int32]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Return the labels above 0, rising, and how many voxels each has."""
    return np.unique(labels[labels > 0], return_counts=True)


def renumbered(
    labels: NDArray[np.integer], values: NDArray[np.integer], targets: Any
) -> NDArray[np.int32]:
    """Return a label image in which each of some labels became another, and all others 0.

    Parameters
    ----------
    labels : (…) ndarray of int
    values : (K,) ndarray of int
        Rising labels above 0.
    targets : (K,) array_like of int
        What each becomes; 0 takes it away.
    """
    from skimage.util import map_array

    # It takes no arrays that cannot be written to.
    given = labels if labels.flags.writeable else labels.copy()
    found: NDArray[np.int32] = map_array(given, values, np.asarray(targets, np.int32))
    return found


def kept(labels: NDArray[np.int32], values: NDArray[np.integer]) -> NDArray[np.int32]:
    """Return a label image with only those of the labels that are among some rising ones."""
    return renumbered(labels, values, values)


def object_boxes(labels: NDArray[np.int32]) -> dict[int, tuple[slice, ...]]:
    """Return where the objects of a label image (…) lie: the smallest box around each label."""
    from scipy.ndimage import find_objects

    values, _ = counted(labels)
    # SciPy makes a list with a place for each possible label.
    dense = renumbered(labels, values, np.arange(1, len(values) + 1))
    return dict(zip(values.tolist(), find_objects(dense), strict=True))


def neighbour_pairs(
    labels: NDArray[np.integer], connectivity: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the flat indices of neighbouring voxels whose labels, both above 0, differ.

    Parameters
    ----------
    labels : (…) ndarray of int
    connectivity : int
        How many of their coordinates may differ by one; 1 means that they share a face.
    """
    index = np.arange(labels.size).reshape(labels.shape)
    first, second = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for offset in half_offsets(labels.ndim, connectivity):
        here, there = shifted(labels.shape, offset)
        a, b = labels[here], labels[there]
        differ = (a != b) & (a > 0) & (b > 0)
        first.append(index[here][differ])
        second.append(index[there][differ])
    return np.concatenate(first), np.concatenate(second)


def half_offsets(ndim: int, connectivity: int) -> list[tuple[int, ...]]:
    """Return the steps to neighbours, one of each pair of opposite ones."""
    steps = np.argwhere(np.ones((3,) * ndim, bool)) - 1
    found = [tuple(int(n) for n in step) for step in steps[len(steps) // 2 + 1 :]]
    return [step for step in found if sum(n != 0 for n in step) <= connectivity]


def shifted(
    shape: Sequence[int], offset: Sequence[int]
) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    """Return where voxels that have a neighbour at `offset` lie, and where these neighbours do."""
    here, there = [], []
    for length, step in zip(shape, offset, strict=True):
        here.append(slice(max(0, -step), max(0, length - max(0, step))))
        there.append(slice(max(0, step), max(0, length - max(0, -step))))
    return tuple(here), tuple(there)


def check_connectivity(connectivity: int | None, ndim: int) -> int:
    """Return the connectivity, `ndim` for None, or raise `InputError`."""
    if connectivity is None:
        return ndim
    if isinstance(connectivity, bool) or connectivity not in range(1, ndim + 1):
        raise InputError(
            f"connectivity is {connectivity!r}; in {ndim}D it must be from 1 to {ndim}."
        )
    return int(connectivity)
