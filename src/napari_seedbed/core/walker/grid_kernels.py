"""Compiled sweeps over the voxels of the finest grid.

All arrays are flat, of a grid of (Z, Y, X) = `shape` voxels, and solutions are (K, Z * Y * X) for
K right-hand sides; `state` is 0 where a voxel is unknown and not 0 where it is given. `rows` lists
the right-hand sides that are still being worked on. Red voxels are those with an even sum of
indices.
Rows of voxels are worked on together as long as `on` is, which comes from `colours`.

Memory is slower than arithmetic, so what follows on each other is done plane by plane in one pass:
a step looks one plane to either side and follows one plane behind the step before. Passes work on
a `Tile` of planes across z or y and can run side by side, see `multigrid.Tiles`.

Residuals are summed as w * (x_i - x_j), never as d * x - sum w * x: in regions that hang together
strongly and touch the rest weakly, the second form loses in float32 all that matters.
"""

import numpy as np
from numba import njit

FREE, SEED, OUTSIDE = 0, 1, 2

_fast = njit(nogil=True, cache=True, fastmath=True, error_model="numpy")
_inner = njit(nogil=True, fastmath=True, error_model="numpy")

_TINY = np.float32(1e-30)
_MAGNITUDE = np.int32(0x7FFFFFFF)

_BLOCK = 4096
"""Rows are worked on together up to about so many voxels: short loops are slow."""


def colours(shape, one_row):
    """1 where the voxels of a block of rows are red, 0 elsewhere; for an even and an odd first row.

    Has the length of blocks for a grid of this shape, or that of a single row.
    """
    _, n_y, n_x = shape
    n_rows = 1 if one_row else min(n_y, max(1, _BLOCK // n_x))
    first, row, x = np.ogrid[:2, :n_rows, :n_x]
    return np.ascontiguousarray((first + row + x + 1) % 2, np.float32).reshape(2, -1)


@_inner
def _window(flat, start, n, spare):
    """Return `n` places of a flat array; where it does not reach, `spare` with zeros there."""
    window = spare[:n]
    if start >= 0 and start + n <= flat.size:
        window = flat[start : start + n]
    else:
        for i in range(n):
            window[i] = 0
        for j in range(max(start, 0), min(start + n, flat.size)):
            window[j - start] = flat[j]
    return window


# In the following, a block of rows is the `n` places from `at`. A voxel has its neighbours 1, `n_x`
# and `n_xy` places off: where these lie beyond a border of the grid, the weight must be 0 (the last
# place of wz along z, of wy along y, of wx along x), and x a number.


@_inner
def _sum(x, wz, wy, wx, at, n, n_x, n_xy, spare, out):
    """Sum of w * x over the six neighbours of each voxel."""
    left, right = _window(x, at - 1, n, spare[0]), _window(x, at + 1, n, spare[1])
    front, back = _window(x, at - n_x, n, spare[2]), _window(x, at + n_x, n, spare[3])
    above, below = _window(x, at - n_xy, n, spare[4]), _window(x, at + n_xy, n, spare[5])
    w_left, w_right = _window(wx, at - 1, n, spare[6]), wx[at : at + n]
    w_front, w_back = _window(wy, at - n_x, n, spare[7]), wy[at : at + n]
    w_above, w_below = _window(wz, at - n_xy, n, spare[8]), wz[at : at + n]
    for i in range(n):
        along = w_left[i] * left[i] + w_right[i] * right[i]
        across = w_front[i] * front[i] + w_back[i] * back[i]
        out[i] = along + across + (w_above[i] * above[i] + w_below[i] * below[i])


@_inner
def _flux(x, wz, wy, wx, at, n, n_x, n_xy, spare, out):
    """Sum of w * (x_i - x_j) over the six neighbours j of each voxel i."""
    here = x[at : at + n]
    left, right = _window(x, at - 1, n, spare[0]), _window(x, at + 1, n, spare[1])
    front, back = _window(x, at - n_x, n, spare[2]), _window(x, at + n_x, n, spare[3])
    above, below = _window(x, at - n_xy, n, spare[4]), _window(x, at + n_xy, n, spare[5])
    w_left, w_right = _window(wx, at - 1, n, spare[6]), wx[at : at + n]
    w_front, w_back = _window(wy, at - n_x, n, spare[7]), wy[at : at + n]
    w_above, w_below = _window(wz, at - n_xy, n, spare[8]), wz[at : at + n]
    for i in range(n):
        v = here[i]
        along = w_left[i] * (v - left[i]) + w_right[i] * (v - right[i])
        across = w_front[i] * (v - front[i]) + w_back[i] * (v - back[i])
        out[i] = along + across + (w_above[i] * (v - above[i]) + w_below[i] * (v - below[i]))


@_inner
def _diagonal(wz, wy, wx, at, n, n_x, n_xy, spare, out):
    """Sum of the weights at each voxel."""
    w_left, w_right = _window(wx, at - 1, n, spare[6]), wx[at : at + n]
    w_front, w_back = _window(wy, at - n_x, n, spare[7]), wy[at : at + n]
    w_above, w_below = _window(wz, at - n_xy, n, spare[8]), wz[at : at + n]
    for i in range(n):
        total = w_left[i] + w_right[i] + (w_front[i] + w_back[i])
        out[i] = total + (w_above[i] + w_below[i]) + _TINY


@_inner
def _relax(x, b, wz, wy, wx, state, on, at, n, n_x, n_xy, spare, out):
    """Solve for the voxels that are unknown and `on`."""
    left, right = _window(x, at - 1, n, spare[0]), _window(x, at + 1, n, spare[1])
    front, back = _window(x, at - n_x, n, spare[2]), _window(x, at + n_x, n, spare[3])
    above, below = _window(x, at - n_xy, n, spare[4]), _window(x, at + n_xy, n, spare[5])
    w_left, w_right = _window(wx, at - 1, n, spare[6]), wx[at : at + n]
    w_front, w_back = _window(wy, at - n_x, n, spare[7]), wy[at : at + n]
    w_above, w_below = _window(wz, at - n_xy, n, spare[8]), wz[at : at + n]
    here, given, source = x[at : at + n], state[at : at + n], b[at : at + n]
    for i in range(n):
        along = w_left[i] * left[i] + w_right[i] * right[i]
        across = w_front[i] * front[i] + w_back[i] * back[i]
        total = along + across + (w_above[i] * above[i] + w_below[i] * below[i])
        weight = w_left[i] + w_right[i] + (w_front[i] + w_back[i])
        weight += w_above[i] + w_below[i] + _TINY
        out[i] = (source[i] + total) / weight
    for i in range(n):
        m = on[i] if given[i] == 0 else np.float32(0)
        here[i] = m * out[i] + (1 - m) * here[i]


@_inner
def _place(block, plane, along_y, together, n_y, n_x):
    """Return z, first y, first voxel and number of voxels of a block of rows in a tile's plane."""
    z, y = (block, plane) if along_y else (plane, block * together)
    return z, y, (z * n_y + y) * n_x, min(together, n_y - y) * n_x


@_inner
def _relax_black(
    plane, along_y, n_blocks, together, n_y, n_x, rows, x, b, wz, wy, wx, state, on, spare, out
):  # fmt: skip
    """Solve for the black voxels of a tile's plane."""
    for block in range(n_blocks):
        z, y, at, n = _place(block, plane, along_y, together, n_y, n_x)
        for k in rows:
            _relax(
                x[k], b[k], wz, wy, wx, state, on[(z + y + 1) & 1],
                at, n, n_x, n_y * n_x, spare, out,
            )  # fmt: skip


@_fast
def relax(z0, z1, y0, y1, shape, on, colour, rows, x, b, wz, wy, wx, state):
    """Half sweep of Gauss-Seidel over the voxels of one colour (0 red, 1 black), in the planes
    `z0` to `z1` and the rows `y0` to `y1`."""
    _, n_y, n_x = shape
    together = on.shape[1] // n_x
    spare = np.empty((10, on.shape[1]), np.float32)
    out = spare[9]
    for z in range(z0, z1):
        for y in range(y0, y1, together):
            at, n = (z * n_y + y) * n_x, min(together, y1 - y) * n_x
            for k in rows:
                _relax(
                    x[k], b[k], wz, wy, wx, state, on[(z + y + colour) & 1],
                    at, n, n_x, n_y * n_x, spare, out,
                )  # fmt: skip


@_fast
def descend(
    first, last, low, high, along_y, shape, on, rows, moves, step, x, r, p, z, wz, wy, wx, state,
    group, coarse,
):  # fmt: skip
    """First half of a multigrid cycle for A z = r: a sweep from zero and what is left of r.

    First, if `moves`, x += step * p and r -= step * q, where z comes as q. Then z is swept, red
    voxels first. After black ones, the residual is 0 on them, and on red ones what the black
    neighbours have contributed since; it is added to the groups.

    A tile's step s (0 to 2) covers the planes from `first` + s * `low` to `last` - s * `high`.
    """
    n_z, n_y, n_x = shape
    n_xy, together = n_y * n_x, on.shape[1] // n_x
    n_blocks = n_z if along_y else -(-n_y // together)
    spare = np.empty((10, on.shape[1]), np.float32)
    out = spare[9]
    start = min(first, first + 1 + low, first + 2 + 2 * low)
    for now in range(start, max(last, last + 1 - high, last + 2 - 2 * high)):
        if first <= now < last:
            for block in range(n_blocks):
                plane, y, at, n = _place(block, now, along_y, together, n_y, n_x)
                red, given = on[(plane + y) & 1], state[at : at + n]
                _diagonal(wz, wy, wx, at, n, n_x, n_xy, spare, out)
                for k in rows:
                    r_here, z_here = r[k][at : at + n], z[k][at : at + n]
                    if moves:
                        s = step[k]
                        x_here = x[k][at : at + n]
                        p_here = p[k][at : at + n]
                        for i in range(n):
                            x_here[i] += s * p_here[i]
                        for i in range(n):
                            r_here[i] -= s * z_here[i]
                    for i in range(n):
                        m = red[i] if given[i] == 0 else np.float32(0)
                        z_here[i] = m * r_here[i] / out[i]
        behind = now - 1
        if first + low <= behind < last - high:
            _relax_black(
                behind, along_y, n_blocks, together, n_y, n_x, rows, z, r, wz, wy, wx, state, on,
                spare, out,
            )  # fmt: skip
        behind = now - 2
        if first + 2 * low <= behind < last - 2 * high:
            for block in range(n_blocks):
                plane, y, at, n = _place(block, behind, along_y, together, n_y, n_x)
                for k in rows:
                    _sum(z[k], wz, wy, wx, at, n, n_x, n_xy, spare, out)
                    total = coarse[k]
                    for row in range(n // n_x):
                        for i in range(row * n_x + ((plane + y + row) & 1), (row + 1) * n_x, 2):
                            if state[at + i] == 0:
                                total[np.uint32(group[at + i])] += out[i]


@_fast
def ascend(
    first, last, low, high, along_y, shape, on, rows, r, z, z_bits, wz, wy, wx, state, group,
    coarse, shares, share_bits,
):  # fmt: skip
    """Second half of a multigrid cycle: add each group's correction, and sweep back.

    `shares[plane, y, k]` gets the share of r . z of the rows from y on, and their largest |z|.
    `z_bits` and `share_bits` are z and `shares` seen as integers. For the tile, see `descend`.
    """
    n_z, n_y, n_x = shape
    n_xy, together = n_y * n_x, on.shape[1] // n_x
    n_blocks = n_z if along_y else -(-n_y // together)
    spare = np.empty((10, on.shape[1]), np.float32)
    out = spare[9]
    start = min(first, first + 1 + low, first + 2 + 2 * low)
    for now in range(start, max(last, last + 1 - high, last + 2 - 2 * high)):
        if first <= now < last:
            for block in range(n_blocks):
                plane, y, at, n = _place(block, now, along_y, together, n_y, n_x)
                given, to = state[at : at + n], group[at : at + n]
                for k in rows:
                    z_here, source = z[k][at : at + n], coarse[k]
                    for i in range(n):
                        correction = source[np.uint32(to[i])]
                        z_here[i] += correction if given[i] == 0 else np.float32(0)
        behind = now - 1
        if first + low <= behind < last - high:
            _relax_black(
                behind, along_y, n_blocks, together, n_y, n_x, rows, z, r, wz, wy, wx, state, on,
                spare, out,
            )  # fmt: skip
        behind = now - 2
        if first + 2 * low <= behind < last - 2 * high:
            for block in range(n_blocks):
                plane, y, at, n = _place(block, behind, along_y, together, n_y, n_x)
                for k in rows:
                    z_flat, r_flat = z[k], r[k]
                    _relax(
                        z_flat, r_flat, wz, wy, wx, state, on[(plane + y) & 1],
                        at, n, n_x, n_xy, spare, out,
                    )  # fmt: skip
                    r_here, z_here = r_flat[at : at + n], z_flat[at : at + n]
                    product = np.float32(0)
                    for i in range(n):
                        product += r_here[i] * z_here[i]
                    shares[plane, y, k, 0] = product
                    # The bits of positive floats are in the order of the numbers: the largest
                    # integer is found five times as fast as the largest float.
                    bits = z_bits[k][at : at + n]
                    largest = np.int32(0)
                    for i in range(n):
                        largest = max(largest, bits[i] & _MAGNITUDE)
                    share_bits[plane, y, k, 1] = largest


@_fast
def turn(
    first, last, low, high, along_y, shape, on, rows, factor, p, z, wz, wy, wx, state, energy
):  # fmt: skip
    """p = z + factor * p, then z = A p.

    `energy[plane, y, k]` is the share of p . A p of the rows from y on. For the tile, see
    `descend`.
    """
    n_z, n_y, n_x = shape
    n_xy, together = n_y * n_x, on.shape[1] // n_x
    n_blocks = n_z if along_y else -(-n_y // together)
    spare = np.empty((10, on.shape[1]), np.float32)
    out = spare[9]
    for now in range(min(first, first + 1 + low), max(last, last + 1 - high)):
        if first <= now < last:
            for block in range(n_blocks):
                plane, y, at, n = _place(block, now, along_y, together, n_y, n_x)
                for k in rows:
                    p_here, z_here = p[k][at : at + n], z[k][at : at + n]
                    f = factor[k]
                    for i in range(n):
                        p_here[i] = z_here[i] + f * p_here[i]
        behind = now - 1
        if first + low <= behind < last - high:
            for block in range(n_blocks):
                plane, y, at, n = _place(block, behind, along_y, together, n_y, n_x)
                given = state[at : at + n]
                for k in rows:
                    p_flat, q_here = p[k], z[k][at : at + n]
                    _flux(p_flat, wz, wy, wx, at, n, n_x, n_xy, spare, out)
                    p_here = p_flat[at : at + n]
                    share = np.float32(0)
                    for i in range(n):
                        value = out[i] if given[i] == 0 else np.float32(0)
                        q_here[i] = value
                        share += value * p_here[i]
                    energy[plane, y, k] = share


@_fast
def residual(z0, z1, y0, y1, shape, on, rows, x, r, wz, wy, wx, state):
    """r = -A x on unknown voxels, summed in float64."""
    _, n_y, n_x = shape
    n_xy, together = n_y * n_x, on.shape[1] // n_x
    spare = np.empty((9, on.shape[1]), np.float32)
    for z in range(z0, z1):
        for y in range(y0, y1, together):
            at, n = (z * n_y + y) * n_x, min(together, y1 - y) * n_x
            given = state[at : at + n]
            for k in rows:
                x_k, out = x[k], r[k][at : at + n]
                here = x_k[at : at + n]
                left, right = _window(x_k, at - 1, n, spare[0]), _window(x_k, at + 1, n, spare[1])
                front, back = (
                    _window(x_k, at - n_x, n, spare[2]),
                    _window(x_k, at + n_x, n, spare[3]),
                )
                above, below = (
                    _window(x_k, at - n_xy, n, spare[4]),
                    _window(x_k, at + n_xy, n, spare[5]),
                )
                w_left, w_right = _window(wx, at - 1, n, spare[6]), wx[at : at + n]
                w_front, w_back = _window(wy, at - n_x, n, spare[7]), wy[at : at + n]
                w_above, w_below = _window(wz, at - n_xy, n, spare[8]), wz[at : at + n]
                for i in range(n):
                    v = np.float64(here[i])
                    total = w_left[i] * (left[i] - v) + w_right[i] * (right[i] - v)
                    total += w_front[i] * (front[i] - v) + w_back[i] * (back[i] - v)
                    total += w_above[i] * (above[i] - v) + w_below[i] * (below[i] - v)
                    out[i] = total if given[i] == 0 else 0.0


@_fast
def add(start, stop, rows, x, z):
    """x += z in a range of flat indices."""
    for k in rows:
        x_here, z_here = x[k, start:stop], z[k, start:stop]
        for i in range(x_here.size):
            x_here[i] += z_here[i]


@_fast
def prolong(start, stop, anew, before, x, group, coarse):
    """x = each group's value at its voxels, in a range of flat indices; on top of `before`, if not
    `anew`."""
    to = group[start:stop]
    for k in range(x.shape[0]):
        x_here, old, source = x[k, start:stop], before[k, start:stop], coarse[k]
        if anew:
            for i in range(to.size):
                x_here[i] = source[np.uint32(to[i])]
        else:
            for i in range(to.size):
                x_here[i] = old[i] + source[np.uint32(to[i])]
