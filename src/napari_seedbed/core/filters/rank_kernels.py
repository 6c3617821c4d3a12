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
def ranked(first, last, ranks, begin, strides, rows, rank, shift, fine, coarse, out):
    """Write the value of the given rank in the window of each voxel, for lines `first` to `last`.

    Lines are counted through all planes. `ranks` is flat and goes on beyond the border by the reach
    of the window; `begin` is the place in it of the first voxel, and `strides` (2,) are the steps
    from plane to plane and from line to line. `fine` and `coarse` are zero and become zero again; a
    bin of `coarse` holds 2^shift of `fine`.
    """
    middles = rows[:, 0] * strides[0] + rows[:, 1] * strides[1]
    to_come, to_go = middles + rows[:, 2], middles - rows[:, 2] - 1
    n_y, n_x = out.shape[1], out.shape[2]
    for line in range(first, last):
        z, y = line // n_y, line % n_y
        start = begin + z * strides[0] + y * strides[1]
        for i in range(rows.shape[0]):
            for place in range(start + to_go[i], start + to_come[i]):
                fine[ranks[place]] += 1
                coarse[ranks[place] >> shift] += 1
        for x in range(n_x):
            here = start + x
            for i in range(rows.shape[0]):
                gone = ranks[here + to_go[i]]
                fine[gone] -= 1
                coarse[gone >> shift] -= 1
                come = ranks[here + to_come[i]]
                fine[come] += 1
                coarse[come >> shift] += 1
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
            for place in range(start + n_x + to_go[i], start + n_x + to_come[i]):
                fine[ranks[place]] -= 1
                coarse[ranks[place] >> shift] -= 1


@_fast
def ranked_of_few(first, last, ranks, begin, strides, rows, rank, counts, out):
    """Write what `ranked` does, where values are few: one level of `counts`, from voxel to voxel.

    The value is looked for from that of the voxel before on, which is seldom far away.
    """
    middles = rows[:, 0] * strides[0] + rows[:, 1] * strides[1]
    to_come, to_go = middles + rows[:, 2], middles - rows[:, 2] - 1
    n_y, n_x = out.shape[1], out.shape[2]
    for line in range(first, last):
        z, y = line // n_y, line % n_y
        start = begin + z * strides[0] + y * strides[1]
        counts[:] = 0
        value, below = 0, 0
        for i in range(rows.shape[0]):
            for place in range(start + to_go[i], start + to_come[i]):
                counts[ranks[place]] += 1
        for x in range(n_x):
            here = start + x
            for i in range(rows.shape[0]):
                gone = ranks[here + to_go[i]]
                counts[gone] -= 1
                come = ranks[here + to_come[i]]
                counts[come] += 1
                below += (come < value) - (gone < value)
            while below > rank:
                value -= 1
                below -= counts[value]
            while below + counts[value] <= rank:
                below += counts[value]
                value += 1
            out[z, y, x] = value


@_fast
def selected(first, last, values, begin, strides, rows, rank, room, out):
    """Write what `ranked` does by partly sorting the values of each window; `room` holds them.

    Hoare CAR (1961). Algorithm 65: Find. Communications of the ACM 4(7), 321-322.
    """
    middles = rows[:, 0] * strides[0] + rows[:, 1] * strides[1]
    n_y, n_x = out.shape[1], out.shape[2]
    for line in range(first, last):
        z, y = line // n_y, line % n_y
        start = begin + z * strides[0] + y * strides[1]
        for x in range(n_x):
            n = 0
            for i in range(rows.shape[0]):
                place = start + x + middles[i]
                for k in range(place - rows[i, 2], place + rows[i, 2] + 1):
                    room[n] = values[k]
                    n += 1
            low, high = 0, n - 1
            while low < high:
                pivot = room[rank]
                i, j = low, high
                while i <= j:
                    while room[i] < pivot:
                        i += 1
                    while pivot < room[j]:
                        j -= 1
                    if i <= j:
                        room[i], room[j] = room[j], room[i]
                        i += 1
                        j -= 1
                if j < rank:
                    low = i
                if rank < i:
                    high = j
            out[z, y, x] = room[rank]


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
