"""Compiled loops over the voxels of the finest grid.

All arrays are (Z, Y, X), solutions are (K, Z, Y, X) for K right-hand sides; `state` is 0 where a
voxel is unknown and not 0 where it is given. Each kernel works on planes `z0` to `z1` and rows
`y0` to `y1`. `rows` lists the right-hand sides that are still being worked on.

Residuals are summed as w * (x_i - x_j), never as d * x - sum w * x: in regions that hang together
strongly and touch the rest weakly, the second form loses in float32 all that matters.
"""

import numpy as np
from numba import njit

from napari_seedbed.core.graph_layout import LANES

FREE, SEED, OUTSIDE = 0, 1, 2

_fast = njit(nogil=True, cache=True, fastmath=True, error_model="numpy")
_inline = njit(nogil=True, fastmath=True, error_model="numpy", inline="always")

_TINY = np.float32(1e-30)
_ROUNDING = np.float32(1e-6)


@_inline
def _weights_around(wz, wy, z, y, nothing):
    """Weights towards the rows above, below, before and behind a row."""
    above = wz[z - 1, y] if z > 0 else nothing
    before = wy[z, y - 1] if y > 0 else nothing
    return above, wz[z, y], before, wy[z, y]


@_inline
def _rows_around(x, z, y):
    """The row itself, and those above, below, before and behind it (itself at the border, where
    the weight is 0)."""
    here = x[z, y]
    above = x[z - 1, y] if z > 0 else here
    below = x[z + 1, y] if z + 1 < x.shape[0] else here
    before = x[z, y - 1] if y > 0 else here
    behind = x[z, y + 1] if y + 1 < x.shape[1] else here
    return here, above, below, before, behind


@_inline
def _row_sum(x, wz, wy, wx, z, y, nothing, out):
    """Sum of w * x over the six neighbours of each voxel of a row."""
    wa, wb, wf, wh = _weights_around(wz, wy, z, y, nothing)
    here, a, b, f, h = _rows_around(x, z, y)
    w = wx[z, y]
    last = here.size - 1
    for i in range(1, last):
        along = w[i - 1] * here[i - 1] + w[i] * here[i + 1]
        out[i] = along + wa[i] * a[i] + wb[i] * b[i] + wf[i] * f[i] + wh[i] * h[i]
    for i in (0, last):
        total = wa[i] * a[i] + wb[i] * b[i] + wf[i] * f[i] + wh[i] * h[i]
        if i > 0:
            total += w[i - 1] * here[i - 1]
        if i < last:
            total += w[i] * here[i + 1]
        out[i] = total


@_inline
def _row_flux(x, wz, wy, wx, z, y, nothing, out):
    """Sum of w * (x_i - x_j) over the six neighbours j of each voxel i of a row."""
    wa, wb, wf, wh = _weights_around(wz, wy, z, y, nothing)
    here, a, b, f, h = _rows_around(x, z, y)
    w = wx[z, y]
    last = here.size - 1
    for i in range(1, last):
        v = here[i]
        along = w[i - 1] * (v - here[i - 1]) + w[i] * (v - here[i + 1])
        across = wa[i] * (v - a[i]) + wb[i] * (v - b[i])
        out[i] = along + across + (wf[i] * (v - f[i]) + wh[i] * (v - h[i]))
    for i in (0, last):
        v = here[i]
        total = wa[i] * (v - a[i]) + wb[i] * (v - b[i])
        total += wf[i] * (v - f[i]) + wh[i] * (v - h[i])
        if i > 0:
            total += w[i - 1] * (v - here[i - 1])
        if i < last:
            total += w[i] * (v - here[i + 1])
        out[i] = total


@_inline
def _row_diagonal(wz, wy, wx, z, y, nothing, out):
    """Sum of the weights at each voxel of a row."""
    wa, wb, wf, wh = _weights_around(wz, wy, z, y, nothing)
    w = wx[z, y]
    last = w.size - 1
    for i in range(1, last):
        out[i] = w[i - 1] + w[i] + wa[i] + wb[i] + wf[i] + wh[i] + _TINY
    for i in (0, last):
        total = wa[i] + wb[i] + wf[i] + wh[i] + _TINY
        if i > 0:
            total += w[i - 1]
        if i < last:
            total += w[i]
        out[i] = total


@_fast
def start_red(z0, z1, y0, y1, rows, x, b, wz, wy, wx, state):
    """First half sweep from zero: x = b / d on red voxels, 0 elsewhere."""
    n_x = wz.shape[2]
    nothing = np.zeros(n_x, np.float32)
    diagonal = np.empty(n_x, np.float32)
    for z in range(z0, z1):
        for y in range(y0, y1):
            _row_diagonal(wz, wy, wx, z, y, nothing, diagonal)
            parity = (z + y) & 1
            given = state[z, y]
            for k in rows:
                x_row, b_row = x[k, z, y], b[k, z, y]
                for i in range(n_x):
                    red = (((i + parity) & 1) == 0) and given[i] == 0
                    x_row[i] = b_row[i] / diagonal[i] if red else np.float32(0)


@_fast
def relax(z0, z1, y0, y1, colour, rows, x, b, wz, wy, wx, state):
    """Half sweep of Gauss-Seidel over the voxels of one colour (0 red, 1 black)."""
    n_x = wz.shape[2]
    nothing = np.zeros(n_x, np.float32)
    diagonal = np.empty(n_x, np.float32)
    total = np.empty(n_x, np.float32)
    for z in range(z0, z1):
        for y in range(y0, y1):
            _row_diagonal(wz, wy, wx, z, y, nothing, diagonal)
            parity = (z + y + colour) & 1
            given = state[z, y]
            for k in rows:
                x_row, b_row = x[k, z, y], b[k, z, y]
                _row_sum(x[k], wz, wy, wx, z, y, nothing, total)
                for i in range(n_x):
                    total[i] = (b_row[i] + total[i]) / diagonal[i]
                for i in range(n_x):
                    mine = (((i + parity) & 1) == 0) and given[i] == 0
                    x_row[i] = total[i] if mine else x_row[i]


@_fast
def restrict_after_black(z0, z1, y0, y1, rows, x, wz, wy, wx, state, group, coarse):
    """Add what is left of the residual to the groups.

    After a sweep from zero that ended with black, the residual is 0 on black voxels, and on red
    ones what the black neighbours have contributed since.
    """
    n_x = wz.shape[2]
    nothing = np.zeros(n_x, np.float32)
    total = np.empty(n_x, np.float32)
    for z in range(z0, z1):
        for y in range(y0, y1):
            parity = (z + y) & 1
            given, to = state[z, y], group[z, y]
            for k in rows:
                _row_sum(x[k], wz, wy, wx, z, y, nothing, total)
                target = coarse[k]
                for i in range(parity, n_x, 2):
                    if given[i] == 0:
                        target[to[i]] += total[i]


@_fast
def prolong(z0, z1, y0, y1, rows, x, state, group, coarse):
    """Add each group's correction to its voxels."""
    n_x = state.shape[2]
    for z in range(z0, z1):
        for y in range(y0, y1):
            given, to = state[z, y], group[z, y]
            for k in rows:
                x_row, source = x[k, z, y], coarse[k]
                for i in range(n_x):
                    if given[i] == 0:
                        x_row[i] += source[to[i]]


@_fast
def apply(z0, z1, y0, y1, rows, p, q, wz, wy, wx, state, energy):
    """q = A p; `energy[z, y, k]` is that row's share of p . A p."""
    n_x = wz.shape[2]
    nothing = np.zeros(n_x, np.float32)
    total = np.empty(n_x, np.float32)
    for z in range(z0, z1):
        for y in range(y0, y1):
            given = state[z, y]
            for k in rows:
                p_row, q_row = p[k, z, y], q[k, z, y]
                _row_flux(p[k], wz, wy, wx, z, y, nothing, total)
                share = np.float32(0)
                for i in range(n_x):
                    value = total[i] if given[i] == 0 else np.float32(0)
                    q_row[i] = value
                    share += value * p_row[i]
                energy[z, y, k] = share


@_fast
def residual(z0, z1, y0, y1, rows, x, r, wz, wy, wx, state):
    """r = -A x on unknown voxels, summed in float64."""
    n_z, n_y, n_x = wz.shape
    for z in range(z0, z1):
        for y in range(y0, y1):
            for k in rows:
                for i in range(n_x):
                    total = 0.0
                    if state[z, y, i] == 0:
                        here = np.float64(x[k, z, y, i])
                        if i > 0:
                            total += wx[z, y, i - 1] * (x[k, z, y, i - 1] - here)
                        if i + 1 < n_x:
                            total += wx[z, y, i] * (x[k, z, y, i + 1] - here)
                        if y > 0:
                            total += wy[z, y - 1, i] * (x[k, z, y - 1, i] - here)
                        if y + 1 < n_y:
                            total += wy[z, y, i] * (x[k, z, y + 1, i] - here)
                        if z > 0:
                            total += wz[z - 1, y, i] * (x[k, z - 1, y, i] - here)
                        if z + 1 < n_z:
                            total += wz[z, y, i] * (x[k, z + 1, y, i] - here)
                    r[k, z, y, i] = total


@_fast
def products(z0, z1, y0, y1, rows, r, z, out):
    """Each row's share of r . z and its largest |z|: out[plane, y, k, 0 and 1]."""
    n_x = r.shape[3]
    for plane in range(z0, z1):
        for y in range(y0, y1):
            for k in rows:
                r_row, z_row = r[k, plane, y], z[k, plane, y]
                rz = np.float32(0)
                largest = np.float32(0)
                for i in range(n_x):
                    rz += r_row[i] * z_row[i]
                    largest = max(largest, abs(z_row[i]))
                out[plane, y, k, 0] = rz
                out[plane, y, k, 1] = largest


@_fast
def combine(z0, z1, y0, y1, rows, p, z, factor):
    """p = z + factor * p."""
    n_x = p.shape[3]
    for plane in range(z0, z1):
        for y in range(y0, y1):
            for k in rows:
                p_row, z_row, f = p[k, plane, y], z[k, plane, y], factor[k]
                for i in range(n_x):
                    p_row[i] = z_row[i] + f * p_row[i]


@_fast
def advance(z0, z1, y0, y1, rows, x, r, p, q, step):
    """x += step * p; r -= step * q."""
    n_x = p.shape[3]
    for plane in range(z0, z1):
        for y in range(y0, y1):
            for k in rows:
                s = step[k]
                x_row, p_row = x[k, plane, y], p[k, plane, y]
                for i in range(n_x):
                    x_row[i] += s * p_row[i]
                r_row, q_row = r[k, plane, y], q[k, plane, y]
                for i in range(n_x):
                    r_row[i] -= s * q_row[i]


@_fast
def add(z0, z1, y0, y1, rows, x, z):
    """x += z."""
    n_x = x.shape[3]
    for plane in range(z0, z1):
        for y in range(y0, y1):
            for k in rows:
                x_row, z_row = x[k, plane, y], z[k, plane, y]
                for i in range(n_x):
                    x_row[i] += z_row[i]


@_fast
def anchor_groups(places, wz, wy, wx, state, group, anchor, occupied):
    """Tell the groups where seeds are.

    For each given voxel of the flat indices `places`: count it in its group (`occupied`), and add
    the weights of its edges to unknown voxels to those voxels' groups (`anchor`).
    """
    n_z, n_y, n_x = wz.shape
    for n in range(places.size):
        place = places[n]
        z = place // (n_y * n_x)
        y = (place // n_x) % n_y
        x = place % n_x
        occupied[group[z, y, x]] += 1
        if z > 0 and state[z - 1, y, x] == 0:
            anchor[group[z - 1, y, x]] += wz[z - 1, y, x]
        if z + 1 < n_z and state[z + 1, y, x] == 0:
            anchor[group[z + 1, y, x]] += wz[z, y, x]
        if y > 0 and state[z, y - 1, x] == 0:
            anchor[group[z, y - 1, x]] += wy[z, y - 1, x]
        if y + 1 < n_y and state[z, y + 1, x] == 0:
            anchor[group[z, y + 1, x]] += wy[z, y, x]
        if x > 0 and state[z, y, x - 1] == 0:
            anchor[group[z, y, x - 1]] += wx[z, y, x - 1]
        if x + 1 < n_x and state[z, y, x + 1] == 0:
            anchor[group[z, y, x + 1]] += wx[z, y, x]


@_fast
def cut_given_edges(
    places, wz, wy, wx, state, group, node, slot, to, weight, parent, cut_edge, cut_weight
):
    """Take the edges of the given voxels `places` out of the graphs of all levels.

    Writes the places in `weight` and what was there into `cut_edge` and `cut_weight`; without room
    in these it changes nothing. Returns how much room that needs.
    """
    n_z, n_y, n_x = wz.shape
    last = node.size - 2
    n_cuts = 0
    for n in range(places.size):
        p = places[n]
        z = p // (n_y * n_x)
        y = (p // n_x) % n_y
        x = p % n_x
        for d in range(6):
            zz, yy, xx = z, y, x
            if d == 0:
                zz = z + 1
            elif d == 1:
                zz = z - 1
            elif d == 2:
                yy = y + 1
            elif d == 3:
                yy = y - 1
            elif d == 4:
                xx = x + 1
            else:
                xx = x - 1
            if zz < 0 or yy < 0 or xx < 0 or zz >= n_z or yy >= n_y or xx >= n_x:
                continue
            # An edge between two given voxels is cut once, from the one that comes first.
            if state[zz, yy, xx] != 0 and d % 2 == 1:
                continue
            if d < 2:
                w = wz[min(z, zz), y, x]
            elif d < 4:
                w = wy[z, min(y, yy), x]
            else:
                w = wx[z, y, min(x, xx)]
            if w == 0:
                continue
            a, b = group[z, y, x], group[zz, yy, xx]
            for level in range(last + 1):
                if a == b:
                    break
                at = node[level]
                for _turn in range(2):
                    if cut_edge.size > 0:
                        chunk = (at + a) // LANES
                        for s in range(slot[chunk], slot[chunk + 1]):
                            e = LANES * s + a % LANES
                            # Of a neighbour in another block, its place in the copy.
                            if to[e] == b or to[e] == b + node[-1]:
                                cut_edge[n_cuts] = e
                                cut_weight[n_cuts] = weight[e]
                                # What rounding leaves of a whole edge is nothing.
                                rest = weight[e] - w
                                weight[e] = rest if rest > _ROUNDING * w else np.float32(0)
                                break
                    n_cuts += 1
                    a, b = b, a
                if level < last:
                    a, b = parent[at + a], parent[at + b]
    return n_cuts


@_fast
def lift_edges(places, wz, wy, wx, lifted):
    """Set the edges of the given voxels to 0 and keep them in `lifted`, (S, 6)."""
    n_y, n_x = wz.shape[1:]
    for n in range(places.size):
        p = places[n]
        z = p // (n_y * n_x)
        y = (p // n_x) % n_y
        x = p % n_x
        lifted[n, 0], lifted[n, 1], lifted[n, 2] = wz[z, y, x], wy[z, y, x], wx[z, y, x]
        wz[z, y, x] = wy[z, y, x] = wx[z, y, x] = 0
        if z > 0:
            lifted[n, 3] = wz[z - 1, y, x]
            wz[z - 1, y, x] = 0
        if y > 0:
            lifted[n, 4] = wy[z, y - 1, x]
            wy[z, y - 1, x] = 0
        if x > 0:
            lifted[n, 5] = wx[z, y, x - 1]
            wx[z, y, x - 1] = 0


@_fast
def lay_edges(places, wz, wy, wx, lifted):
    """Undo `lift_edges`, the last voxel first."""
    n_y, n_x = wz.shape[1:]
    for n in range(places.size - 1, -1, -1):
        p = places[n]
        z = p // (n_y * n_x)
        y = (p // n_x) % n_y
        x = p % n_x
        wz[z, y, x], wy[z, y, x], wx[z, y, x] = lifted[n, 0], lifted[n, 1], lifted[n, 2]
        if z > 0:
            wz[z - 1, y, x] = lifted[n, 3]
        if y > 0:
            wy[z, y - 1, x] = lifted[n, 4]
        if x > 0:
            wx[z, y, x - 1] = lifted[n, 5]


@_fast
def mend_edges(weight, cut_edge, cut_weight):
    """Undo `cut_given_edges`, the last cut first."""
    for n in range(cut_edge.size - 1, -1, -1):
        weight[cut_edge[n]] = cut_weight[n]


@_fast
def seed_sources(places, values, wz, wy, wx, state, group, source):
    """Add to `source[k, group]` the pull of the seeds: the weights of their edges to unknown
    voxels, times `values[n, k]`, the value that seed n holds in solution k."""
    n_z, n_y, n_x = wz.shape
    n_k = source.shape[0]
    for n in range(places.size):
        place = places[n]
        z = place // (n_y * n_x)
        y = (place // n_x) % n_y
        x = place % n_x
        for k in range(n_k):
            v = values[n, k]
            if v == 0:
                continue
            if z > 0 and state[z - 1, y, x] == 0:
                source[k, group[z - 1, y, x]] += wz[z - 1, y, x] * v
            if z + 1 < n_z and state[z + 1, y, x] == 0:
                source[k, group[z + 1, y, x]] += wz[z, y, x] * v
            if y > 0 and state[z, y - 1, x] == 0:
                source[k, group[z, y - 1, x]] += wy[z, y - 1, x] * v
            if y + 1 < n_y and state[z, y + 1, x] == 0:
                source[k, group[z, y + 1, x]] += wy[z, y, x] * v
            if x > 0 and state[z, y, x - 1] == 0:
                source[k, group[z, y, x - 1]] += wx[z, y, x - 1] * v
            if x + 1 < n_x and state[z, y, x + 1] == 0:
                source[k, group[z, y, x + 1]] += wx[z, y, x] * v
