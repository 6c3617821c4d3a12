"""Compiled loops over the coarser levels: graphs of groups, in compressed rows.

All levels lie one after the other in the same arrays (see `hierarchy.Hierarchy`): `node[l]` is
where level l's nodes begin; `edge[n]:edge[n + 1]` are node n's neighbours, those in the lower
triangle of its block first, up to `middle[n]`; `group[n]` is the node of the next level that it
belongs to. Neighbours and groups are numbered within their level. `pivot` is one over the diagonal.
"""

import numpy as np
from numba import njit

NOTHING_FREE = np.float32(1e-20)
"""Pivot (one over the diagonal) of a node whose voxels are all given: it stays at 0."""

_fast = njit(nogil=True, cache=True, error_model="numpy")


@_fast
def order_edges(start, stop, edge, to, weight, middle):
    """Put the neighbours of the nodes `start` to `stop` that lie between `start` and the node
    first. All nodes of such a range form one block of the block-wise Gauss-Seidel sweeps."""
    for i in range(start, stop):
        low = edge[i]
        for e in range(edge[i], edge[i + 1]):
            if start <= to[e] < i:
                to[e], to[low] = to[low], to[e]
                weight[e], weight[low] = weight[low], weight[e]
                low += 1
        middle[i] = low


@_fast
def add_totals(start, stop, edge, weight, diagonal):
    """Add the sum of its weights to each node's diagonal."""
    for i in range(start, stop):
        total = np.float32(0)
        for e in range(edge[i], edge[i + 1]):
            total += weight[e]
        diagonal[i] += total


@_fast
def sweep_from_zero(start, stop, at, x, b, edge, middle, to, weight, pivot):
    """Gauss-Seidel forwards over one block, from x = 0."""
    for i in range(start, stop):
        total = b[at + i]
        for e in range(edge[at + i], middle[at + i]):
            total += weight[e] * x[at + to[e]]
        x[at + i] = total * pivot[at + i]


@_fast
def residual_after_sweep(start, stop, at, x, r, edge, middle, to, weight):
    """Residual after `sweep_from_zero`: what the neighbours not yet used contribute."""
    for i in range(start, stop):
        total = np.float32(0)
        for e in range(middle[at + i], edge[at + i + 1]):
            total += weight[e] * x[at + to[e]]
        r[at + i] = total


@_fast
def collect(at, below, end, r, b, group):
    """b of each node of the next level = sum of r over the nodes that belong to it."""
    for g in range(below, end):
        b[g] = 0
    for i in range(at, below):
        b[below + group[i]] += r[i]


@_fast
def sum_by_group(values, group, out):
    """Add the values of a level's nodes to the nodes of the next level."""
    for i in range(values.size):
        out[group[i]] += values[i]


@_fast
def spread(start, stop, at_fine, at, x, old, group):
    """Add each group's x to its members; `old` gets a copy."""
    for i in range(start, stop):
        value = x[at_fine + i] + x[at + group[at_fine + i]]
        x[at_fine + i] = value
        old[at_fine + i] = value


@_fast
def sweep_back(start, stop, at, x, old, b, edge, to, weight, pivot):
    """Gauss-Seidel backwards over one block; other blocks are seen as they were (`old`)."""
    for i in range(stop - 1, start - 1, -1):
        total = b[at + i]
        for e in range(edge[at + i], edge[at + i + 1]):
            j = to[e]
            if start <= j < stop:
                total += weight[e] * x[at + j]
            else:
                total += weight[e] * old[at + j]
        x[at + i] = total * pivot[at + i]


@_fast
def apply(start, stop, at, x, y, skipped, edge, to, weight, anchor):
    """y = A x on one level, as fluxes; `anchor` is the weight towards seeds.
    y leaves out the first `skipped` nodes."""
    for i in range(at + start, at + stop):
        here = x[i]
        total = anchor[i] * here
        for e in range(edge[i], edge[i + 1]):
            total += weight[e] * (here - x[at + to[e]])
        y[i - skipped] = total


@_fast
def dot(a, b, skipped, start, stop):
    total = 0.0
    for i in range(start, stop):
        total += np.float64(a[i]) * np.float64(b[i - skipped])
    return total


@_fast
def _smooth_and_descend(level, node, x, b, r, edge, middle, to, weight, pivot, group):
    at, below = node[level], node[level + 1]
    n = below - at
    sweep_from_zero(0, n, at, x, b, edge, middle, to, weight, pivot)
    residual_after_sweep(0, n, at, x, r, edge, middle, to, weight)
    collect(at, below, node[level + 2], r, b, group)


@_fast
def coarse_cycle(
    top, k_from, node, x, b, r, c, v, skipped, edge, middle, to, weight, pivot, anchor, group,
    bottom,
):  # fmt: skip
    """Solve A x = b on level `top` approximately, by one K-cycle (Notay 2008).

    On each level from `k_from` on, at most two steps of flexible conjugate gradients, each
    preconditioned by a Gauss-Seidel sweep down, the next coarser level, and a sweep back. The
    coarsest level is solved by `bottom`, its inverse (or, where that is empty, by the pivots).
    Overwrites b. The vectors c and v leave out the first `skipped` nodes.

    An explicit stack of phases stands for the recursion: `phase[l]` is the number of cycles that
    level l has finished.
    """
    last = node.size - 2
    phase = np.zeros(last + 1, np.int64)
    rho = np.zeros(last + 1, np.float64)
    first_gain = np.zeros(last + 1, np.float64)
    level = top
    descending = True
    while True:
        at, end = node[level], node[level + 1]
        if descending:
            if level < last:
                _smooth_and_descend(level, node, x, b, r, edge, middle, to, weight, pivot, group)
                level += 1
                phase[level] = 0
                continue
            n = end - at
            for i in range(n):
                if bottom.size == 0:
                    x[at + i] = b[at + i] * pivot[at + i]
                    continue
                total = 0.0
                for j in range(n):
                    total += bottom[i, j] * b[at + j]
                x[at + i] = total
            descending = False
            finished = True
        else:
            n = end - at
            spread(0, n, at, end, x, r, group)
            sweep_back(0, n, at, x, r, b, edge, to, weight, pivot)
            finished = False
        # One cycle of `level` is complete: x holds its result for right-hand side b.
        finished = finished or level < k_from
        if not finished:
            if phase[level] == 0:
                apply(0, n, at, x, v, skipped, edge, to, weight, anchor)
                rho[level] = dot(x, v, skipped, at, end)
                first_gain[level] = dot(x, b, 0, at, end)
                if rho[level] <= 0.0:
                    finished = True
                else:
                    t = np.float32(first_gain[level] / rho[level])
                    before = dot(b, b, 0, at, end)
                    for i in range(at, end):
                        c[i - skipped] = x[i]
                        b[i] -= t * v[i - skipped]
                    if dot(b, b, 0, at, end) <= 0.0625 * before:
                        for i in range(at, end):
                            x[i] *= t
                        finished = True
                    else:
                        phase[level] = 1
                        descending = True
                        continue
            else:
                apply(0, n, at, x, r, 0, edge, to, weight, anchor)
                gamma = dot(x, v, skipped, at, end)
                second = dot(x, r, 0, at, end) - gamma * gamma / rho[level]
                if second <= 0.0:
                    t = np.float32(first_gain[level] / rho[level])
                    for i in range(at, end):
                        x[i] = t * c[i - skipped]
                else:
                    gain = dot(x, b, 0, at, end)
                    t_first = np.float32(
                        first_gain[level] / rho[level] - gamma * gain / (rho[level] * second)
                    )
                    t_second = np.float32(gain / second)
                    for i in range(at, end):
                        x[i] = t_first * c[i - skipped] + t_second * x[i]
        if level == top:
            return
        level -= 1
        descending = False


@_fast
def coarse_solve(
    level, solution, source, node, x, b, r, c, v, skipped, edge, middle, to, weight, pivot, anchor,
    group, bottom,
):  # fmt: skip
    """Improve `solution` of A solution = source on one level by a K-cycle."""
    at, end = node[level], node[level + 1]
    for i in range(at, end):
        total = source[i - at] - anchor[i] * solution[i - at]
        for e in range(edge[i], edge[i + 1]):
            total -= weight[e] * (solution[i - at] - solution[to[e]])
        b[i] = total if pivot[i] > NOTHING_FREE else np.float32(0)
    coarse_cycle(
        level, level, node, x, b, r, c, v, skipped, edge, middle, to, weight, pivot, anchor,
        group, bottom,
    )  # fmt: skip
    for i in range(at, end):
        solution[i - at] += x[i]
