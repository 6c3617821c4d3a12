"""Images and labels at half their resolution, for the levels of a pyramid."""

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


def halved_image(image: Any, axes: Sequence[int]) -> NDArray[Any]:
    """Mean of each block of two voxels along some axes, in the type of the image.

    Parameters
    ----------
    image : (...) array_like
    axes : sequence of int
        Along these, a last voxel without a partner counts twice.

    Returns
    -------
    (...) ndarray
        Whole numbers are rounded, halves up, without overflow in any type.
    """
    parts = _partners(image, axes)
    count = len(parts)
    if parts[0].dtype.kind not in "iu":
        return sum((part / count for part in parts[1:]), parts[0] / count).astype(parts[0].dtype)
    whole = sum((part // count for part in parts[1:]), parts[0] // count)
    rest = sum((part % count for part in parts[1:]), parts[0] % count)
    return whole + (rest + count // 2) // count


def halved_labels(labels: Any, axes: Sequence[int]) -> NDArray[Any]:
    """The most frequent label of each block of two voxels along some axes.

    Parameters
    ----------
    labels : (...) array_like of int or bool
    axes : sequence of int
        Along these, a last voxel without a partner counts twice.

    Returns
    -------
    (...) ndarray
        In the type of `labels`; of labels that are equally frequent, the one that comes first in
        the block.
    """
    parts = _partners(labels, axes)
    best = parts[0].copy()
    most = np.zeros(best.shape, np.uint8)
    for part in parts:
        count = sum((part == other).astype(np.uint8) for other in parts)
        better = count > most
        best[better] = part[better]
        most = np.maximum(most, count)
    return best


def _partners(array: Any, axes: Sequence[int]) -> list[NDArray[Any]]:
    """The voxels of each block, one array a place in the block."""
    array = np.asarray(array)
    odd = [(0, array.shape[axis] % 2 if axis in axes else 0) for axis in range(array.ndim)]
    array = np.pad(array, odd, mode="edge")
    starts = [(0, 1) if axis in axes else (None,) for axis in range(array.ndim)]
    return [
        array[tuple(slice(start, None, None if start is None else 2) for start in place)]
        for place in itertools.product(*starts)
    ]
