"""Compiled loop of the bilateral filter, (Z, Y, X)."""

import numpy as np
from numba import njit

_fast = njit(nogil=True, cache=True, error_model="numpy")


@_fast
def averaged(first, last, values, z_of, y_of, x_of, near, alike, out):
    """Write weighted means for lines `first` to `last`, counted through all planes.

    `z_of`, `y_of` and `x_of` say which voxel is at a place, counted from the reach of the window
    before the first. `near` (2 rz + 1, 2 ry + 1, 2 rx + 1) has the weights of places; a value that
    differs by d weighs ``exp(-alike * d * d)``.
    """
    n_y, n_x = out.shape[1], out.shape[2]
    for line in range(first, last):
        z, y = line // n_y, line % n_y
        for x in range(n_x):
            middle = values[z, y, x]
            total = 0.0
            weights = 0.0
            for i in range(near.shape[0]):
                for j in range(near.shape[1]):
                    here = values[z_of[z + i], y_of[y + j]]
                    for k in range(near.shape[2]):
                        value = here[x_of[x + k]]
                        apart = np.float64(value) - np.float64(middle)
                        weight = near[i, j, k] * np.exp(-alike * apart * apart)
                        total += weight * apart
                        weights += weight
            out[z, y, x] = middle + total / weights
