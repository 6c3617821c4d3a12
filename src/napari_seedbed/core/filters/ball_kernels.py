"""Compiled loops of the rolling ball, (Z, Y, X): the exact minimum, found block by block.

The background at a voxel is the smallest sum of a value nearby and the drop of the ball's surface
from its top to there. The values are looked at in blocks, those first whose smallest value and
distance promise most; the others are left out as soon as they cannot give anything lower.
"""

import numpy as np
from numba import njit

_fast = njit(nogil=True, cache=True, error_model="numpy")
_inline = njit(nogil=True, error_model="numpy", inline="always")


@_fast
def lowest_of_blocks(first, last, values, side, out):
    """Write the smallest value of each block of `side` (3,) voxels, for lines of blocks."""
    for line in range(first, last):
        z0, y0 = line // out.shape[1] * side[0], line % out.shape[1] * side[1]
        lowest = out[line // out.shape[1], line % out.shape[1]]
        lowest[:] = np.inf
        for z in range(z0, min(z0 + side[0], values.shape[0])):
            for y in range(y0, min(y0 + side[1], values.shape[1])):
                for block in range(lowest.size):
                    x0 = block * side[2]
                    for x in range(x0, min(x0 + side[2], values.shape[2])):
                        lowest[block] = min(lowest[block], values[z, y, x])


@_inline
def _gap(first, last, low, high):
    """How many voxels lie from one range to the other; 0 where they share some."""
    if low > last:
        return low - last
    if high < first:
        return first - high
    return 0


@_fast
def rolled(first, last, values, lowest, side, drops, out):
    """Write the background for blocks `first` to `last`, counted as `lowest` is.

    `drops` (2 rz + 1, 2 ry + 1, 2 rx + 1) has the drop of the ball's surface, infinite beside it;
    it grows away from the middle.
    """
    n_z, n_y, n_x = values.shape
    _, b_y, b_x = lowest.shape
    r_z, r_y, r_x = drops.shape[0] // 2, drops.shape[1] // 2, drops.shape[2] // 2
    room = (
        (2 * (r_z // side[0] + 1) + 1)
        * (2 * (r_y // side[1] + 1) + 1)
        * (2 * (r_x // side[2] + 1) + 1)
    )
    bounds, places = np.empty(room), np.empty((room, 3), np.int64)
    for block in range(first, last):
        z0 = block // (b_y * b_x) * side[0]
        y0 = block // b_x % b_y * side[1]
        x0 = block % b_x * side[2]
        z1, y1, x1 = min(z0 + side[0], n_z), min(y0 + side[1], n_y), min(x0 + side[2], n_x)
        worst = -np.inf
        for z in range(z0, z1):
            for y in range(y0, y1):
                for x in range(x0, x1):
                    out[z, y, x] = values[z, y, x]
                    worst = max(worst, values[z, y, x])
        # The blocks that the ball reaches and that may give something lower.
        n = 0
        for bz in range(max(0, z0 - r_z) // side[0], min(n_z - 1, z1 - 1 + r_z) // side[0] + 1):
            dz = _gap(z0, z1 - 1, bz * side[0], bz * side[0] + side[0] - 1)
            for by in range(max(0, y0 - r_y) // side[1], min(n_y - 1, y1 - 1 + r_y) // side[1] + 1):
                dy = _gap(y0, y1 - 1, by * side[1], by * side[1] + side[1] - 1)
                for bx in range(
                    max(0, x0 - r_x) // side[2], min(n_x - 1, x1 - 1 + r_x) // side[2] + 1
                ):
                    dx = _gap(x0, x1 - 1, bx * side[2], bx * side[2] + side[2] - 1)
                    bound = lowest[bz, by, bx] + drops[r_z + dz, r_y + dy, r_x + dx]
                    if bound < worst:
                        bounds[n] = bound
                        places[n, 0], places[n, 1], places[n, 2] = bz, by, bx
                        n += 1
        for nth in np.argsort(bounds[:n]):
            if bounds[nth] >= worst:
                break
            worst = _lowered(
                values, lowest, side, drops, places[nth], (z0, y0, x0), (z1, y1, x1), out
            )


@_fast
def _lowered(values, lowest, side, drops, place, start, stop, out):
    """Lower the background from `start` to `stop` by one block's values; return the highest."""
    r_z, r_y, r_x = drops.shape[0] // 2, drops.shape[1] // 2, drops.shape[2] // 2
    q_z, q_y, q_x = place[0] * side[0], place[1] * side[1], place[2] * side[2]
    e_z = min(q_z + side[0], values.shape[0])
    e_y = min(q_y + side[1], values.shape[1])
    e_x = min(q_x + side[2], values.shape[2])
    low = lowest[place[0], place[1], place[2]]
    worst = -np.inf
    for z in range(start[0], stop[0]):
        dz = _gap(z, z, q_z, e_z - 1)
        for y in range(start[1], stop[1]):
            dy = _gap(y, y, q_y, e_y - 1)
            for x in range(start[2], stop[2]):
                best = out[z, y, x]
                dx = _gap(x, x, q_x, e_x - 1)
                near = dz <= r_z and dy <= r_y and dx <= r_x
                if near and low + drops[r_z + dz, r_y + dy, r_x + dx] < best:
                    for i in range(max(q_z, z - r_z), min(e_z, z + r_z + 1)):
                        for j in range(max(q_y, y - r_y), min(e_y, y + r_y + 1)):
                            here = values[i, j]
                            drop = drops[r_z + i - z, r_y + j - y]
                            for k in range(max(q_x, x - r_x), min(e_x, x + r_x + 1)):
                                best = min(best, here[k] + drop[r_x + k - x])
                    out[z, y, x] = best
                worst = max(worst, best)
    return worst
