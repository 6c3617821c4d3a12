"""Sums over windows of voxels that depend on the window alone, not on where the array begins.

A running sum carries the rounding errors of all voxels before it: a block of an image would not
give what the whole image gives there. Sums of 2, 4, 8 … neighbours, added up to the width of the
window, take about as long, since their number grows with the logarithm of the width.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.filters.local_filters import reflected_indices


def window_sums(array: NDArray[np.float64], half_widths: Sequence[int]) -> NDArray[np.float64]:
    """Sum a box around each voxel.

    Parameters
    ----------
    array : (…) ndarray of float64
    half_widths : sequence of int
        How many voxels the box reaches to each side, for each axis. Beyond its border the image
        goes on as in a mirror.

    Returns
    -------
    (…) ndarray of float64
    """
    for axis, half in enumerate(half_widths):
        if half:
            array = _sums_along(array, axis, half)
    return array


def _sums_along(array: NDArray[np.float64], axis: int, half: int) -> NDArray[np.float64]:
    n, width = array.shape[axis], 2 * half + 1
    powers = np.take(array, reflected_indices(n, half), axis)
    total: NDArray[np.float64] | None = None
    done, length = 0, 1
    while True:
        if width & length:
            part = _slice(powers, axis, done, n)
            total = part.copy() if total is None else np.add(total, part, out=total)
            done += length
        if done == width:
            assert total is not None
            return total
        m = powers.shape[axis] - length
        powers = _slice(powers, axis, 0, m) + _slice(powers, axis, length, m)
        length *= 2


def _slice(array: NDArray[np.float64], axis: int, start: int, size: int) -> NDArray[np.float64]:
    return array[(slice(None),) * axis + (slice(start, start + size),)]
