"""Voxels that none of their neighbours exceeds, found in one pass."""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from napari_seedbed.core.threads import run_ranges, split

_VOXELS_PER_TASK = 1 << 19


def neighbourhood_peaks(image: NDArray[np.floating], floor: float) -> NDArray[np.bool_]:
    """Return which voxels are above `floor` and no darker than any that touch them.

    Parameters
    ----------
    image : ([Z, ]Y, X) ndarray of float32 or float64
    floor : float
    """
    volume = np.ascontiguousarray(image).reshape((1,) * (3 - image.ndim) + image.shape)
    out = np.zeros(volume.shape, np.bool_)
    rows = volume.shape[0] * volume.shape[1]
    pieces = split(rows, 1 + volume.size // _VOXELS_PER_TASK)
    run_ranges(_peaks_in_rows, pieces, volume, floor, out)
    return out.reshape(image.shape)


@njit(nogil=True, cache=True)
def _peaks_in_rows(start, stop, volume, floor, out):
    depth, height, width = volume.shape
    for row in range(start, stop):
        z, y = row // height, row % height
        for x in range(width):
            value = volume[z, y, x]
            if not value > floor:
                continue
            # Most voxels fall behind a neighbour in their own row.
            if x > 0 and volume[z, y, x - 1] > value:
                continue
            if x + 1 < width and volume[z, y, x + 1] > value:
                continue
            top = True
            for k in range(max(z - 1, 0), min(z + 2, depth)):
                for j in range(max(y - 1, 0), min(y + 2, height)):
                    for i in range(max(x - 1, 0), min(x + 2, width)):
                        if volume[k, j, i] > value:
                            top = False
                if not top:
                    break
            out[z, y, x] = top
