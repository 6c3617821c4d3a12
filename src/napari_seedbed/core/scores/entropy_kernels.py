"""Compiled loop of the local entropy: a window slides along rows, (Z, Y, X).

When it moves by one voxel, each of its rows loses one voxel and gains one, and the sum that the
entropy is made of changes by a difference that stands in a table.
"""

from numba import njit

_fast = njit(nogil=True, cache=True, error_model="numpy")


@_fast
def entropies(first, last, levels, z_of, y_of, x_of, rows, counts, change, whole, scale, out):
    """Write the entropy of the window of each voxel, for lines `first` to `last`.

    Lines are counted through all planes. `z_of`, `y_of` and `x_of` say which voxel is at a place,
    counted from the reach of the window before the first. `change[n]` is how much
    n log2 n grows to the next n, `whole` its value for all voxels in the window, both in whole
    numbers, which add up to the same in any order; `scale` makes bits of them. `counts` has a
    place for each level.
    """
    n_y, n_x = out.shape[1], out.shape[2]
    reach_z = (z_of.size - out.shape[0]) // 2
    reach_y = (y_of.size - n_y) // 2
    reach_x = (x_of.size - n_x) // 2
    for line in range(first, last):
        z, y = line // n_y, line % n_y
        total = 0
        for x in range(n_x):
            for i in range(rows.shape[0]):
                here = levels[z_of[z + reach_z + rows[i, 0]], y_of[y + reach_y + rows[i, 1]]]
                width = rows[i, 2]
                if x == 0:
                    for k in range(-width, width):
                        value = here[x_of[reach_x + k]]
                        total += change[counts[value]]
                        counts[value] += 1
                else:
                    value = here[x_of[x - 1 + reach_x - width]]
                    counts[value] -= 1
                    total -= change[counts[value]]
                value = here[x_of[x + reach_x + width]]
                total += change[counts[value]]
                counts[value] += 1
            out[z, y, x] = (whole - total) * scale
        counts[:] = 0
