"""Compiled loops of non-local means, (Z, Y, X).

For one shift after the other, the squared differences between the image and the shifted image are
summed over patches, one axis at a time. Tiles are so small that all of that stays in the cache.
"""

import numpy as np
from numba import njit

_fast = njit(nogil=True, cache=True, error_model="numpy", fastmath={"contract"})
_inline = njit(nogil=True, error_model="numpy", inline="always", fastmath={"contract"})

FARTHEST = 5.0
"""Patches that differ by more weigh nothing, as in scikit-image."""


@_inline
def _decayed(x):
    """exp(-x) for x from 0 to 5, right to 1e-9, in steps that processors do side by side.

    It is the 32nd power of the first terms of the series.
    """
    y = x * (-1 / 32)
    p = 1 + y * (1 / 7)
    p = 1 + y * (1 / 6) * p
    p = 1 + y * (1 / 5) * p
    p = 1 + y * (1 / 4) * p
    p = 1 + y * (1 / 3) * p
    p = 1 + y * (1 / 2) * p
    p = 1 + y * p
    p *= p
    p *= p
    p *= p
    p *= p
    return p * p


@_fast
def add_alike(first, last, padded, reach, before, behind, shifts, scale, side, sums, weights):
    """Add weighted values at some `shifts` (S, 3), for tiles `first` to `last`.

    `padded` goes on by `reach` (3,) voxels beyond `sums` and `weights`. Patches go from `before`
    (3,) voxels before their middle to `behind` (3,) after it. Squared differences, summed over a
    patch, count times `scale`.
    """
    n_z, n_y, n_x = sums.shape
    t_z, t_y, t_x = side[0], side[1], side[2]
    tiles_y, tiles_x = -(-n_y // t_y), -(-n_x // t_x)
    more = before + behind
    squares = np.empty((t_z + more[0], t_y + more[1], t_x + more[2]))
    strips = np.empty((t_z + more[0], t_y, t_x + more[2]))
    line, apart = np.empty(t_x + more[2]), np.empty(t_x)
    for tile in range(first, last):
        z0 = tile // (tiles_y * tiles_x) * t_z
        y0 = tile // tiles_x % tiles_y * t_y
        x0 = tile % tiles_x * t_x
        m_z, m_y, m_x = min(t_z, n_z - z0), min(t_y, n_y - y0), min(t_x, n_x - x0)
        wide = m_x + more[2]
        for s in range(shifts.shape[0]):
            for i in range(m_z + more[0]):
                z = z0 + i + reach[0] - before[0]
                for j in range(m_y + more[1]):
                    y = y0 + j + reach[1] - before[1]
                    x = x0 + reach[2] - before[2]
                    here = padded[z, y, x : x + wide]
                    x += shifts[s, 2]
                    there = padded[z + shifts[s, 0], y + shifts[s, 1], x : x + wide]
                    square = squares[i, j]
                    for k in range(wide):
                        step = here[k] - there[k]
                        square[k] = step * step
                for j in range(m_y):
                    strip = strips[i, j]
                    strip[:wide] = 0.0
                    for a in range(more[1] + 1):
                        square = squares[i, j + a]
                        for k in range(wide):
                            strip[k] += square[k]
            for i in range(m_z):
                for j in range(m_y):
                    line[:wide] = 0.0
                    for a in range(more[0] + 1):
                        strip = strips[i + a, j]
                        for k in range(wide):
                            line[k] += strip[k]
                    apart[:] = 0.0
                    for a in range(more[2] + 1):
                        for k in range(m_x):
                            apart[k] += line[k + a]
                    x = x0 + reach[2] + shifts[s, 2]
                    z, y = z0 + i + reach[0] + shifts[s, 0], y0 + j + reach[1] + shifts[s, 1]
                    there = padded[z, y, x : x + m_x]
                    total = sums[z0 + i, y0 + j, x0 : x0 + m_x]
                    weight = weights[z0 + i, y0 + j, x0 : x0 + m_x]
                    for k in range(m_x):
                        distance = min(apart[k] * scale, FARTHEST)
                        alike = _decayed(distance)
                        alike = alike if distance < FARTHEST else 0.0
                        total[k] += alike * there[k]
                        weight[k] += alike
