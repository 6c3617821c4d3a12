"""Compiled loops of filters whose windows slide along rows, (Z, Y, X).

A window is made of rows; when it moves by one voxel, each row loses one voxel and gains one. The
histogram has two levels, so that the wanted rank is found in few steps.

References
----------
Huang T, Yang G, Tang G (1979). A fast two-dimensional median filtering algorithm. IEEE Transactions
on Acoustics, Speech, and Signal Processing 27(1), 13-18.
"""

import numpy as np
from numba import njit

_fast = njit(nogil=True, cache=True, error_model="numpy")


@_fast
def ranked(first, last, ranks, z_of, y_of, x_of, rows, rank, shift, fine, coarse, out):
    """Write the value of the given rank in the window of each voxel, for lines `first` to `last`.

    Lines are counted through all planes. `z_of`, `y_of` and `x_of` say which voxel is at a place,
    counted from the reach of the window before the first. `fine` and `coarse` are zero and become
    zero again; a bin of `coarse` holds 2^shift of `fine`.
    """
    n_y, n_x = out.shape[1], out.shape[2]
    reach_z = (z_of.size - out.shape[0]) // 2
    reach_y = (y_of.size - n_y) // 2
    reach_x = (x_of.size - n_x) // 2
    for line in range(first, last):
        z, y = line // n_y, line % n_y
        for x in range(n_x):
            for i in range(rows.shape[0]):
                here = ranks[z_of[z + reach_z + rows[i, 0]], y_of[y + reach_y + rows[i, 1]]]
                width = rows[i, 2]
                if x == 0:
                    for k in range(-width, width):
                        value = here[x_of[reach_x + k]]
                        fine[value] += 1
                        coarse[value >> shift] += 1
                else:
                    value = here[x_of[x - 1 + reach_x - width]]
                    fine[value] -= 1
                    coarse[value >> shift] -= 1
                value = here[x_of[x + reach_x + width]]
                fine[value] += 1
                coarse[value >> shift] += 1
            below = 0
            block = 0
            while below + coarse[block] <= rank:
                below += coarse[block]
                block += 1
            value = block << shift
            while below + fine[value] <= rank:
                below += fine[value]
                value += 1
            out[z, y, x] = value
        for i in range(rows.shape[0]):
            here = ranks[z_of[z + reach_z + rows[i, 0]], y_of[y + reach_y + rows[i, 1]]]
            for k in range(-rows[i, 2], rows[i, 2] + 1):
                value = here[x_of[n_x - 1 + reach_x + k]]
                fine[value] -= 1
                coarse[value >> shift] -= 1


@_fast
def running_sums(first, last, values, z_of, y_of, x_of, out):
    """Write the sums of the values before each place, for lines `first` to `last` of `out`.

    `out` (NZ, NY, NX + 1) has a line for each entry of `z_of` and `y_of`.
    """
    for line in range(first, last):
        z, y = line // out.shape[1], line % out.shape[1]
        here = values[z_of[z], y_of[y]]
        total = 0.0
        out[z, y, 0] = 0.0
        for x in range(x_of.size):
            total += here[x_of[x]]
            out[z, y, x + 1] = total


@_fast
def averaged(first, last, sums, rows, reach, members, out):
    """Write the mean over the window of each voxel, for lines `first` to `last` of `out`.

    `sums` are those of `running_sums`, which begin `reach` (3,) voxels before the first voxel.
    """
    n_y, n_x = out.shape[1], out.shape[2]
    totals = np.empty(n_x)
    for line in range(first, last):
        z, y = line // n_y, line % n_y
        totals[:] = 0.0
        for i in range(rows.shape[0]):
            here = sums[z + reach[0] + rows[i, 0], y + reach[1] + rows[i, 1]]
            before = here[reach[2] - rows[i, 2] :]
            after = here[reach[2] + rows[i, 2] + 1 :]
            for x in range(n_x):
                totals[x] += after[x] - before[x]
        for x in range(n_x):
            out[z, y, x] = totals[x] / members
