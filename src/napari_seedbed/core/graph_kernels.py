"""Compiled loops over the coarser levels: graphs of groups, in compressed rows.

All levels lie one after the other in the same arrays (see `hierarchy.Hierarchy`): `node[l]` is
where level l's nodes begin; `edge[n]:edge[n + 1]` are node n's neighbours, those in the lower
triangle of its block first, up to `middle[n]`. The members of node n, which are nodes of the level
before, are `member[first[n]:first[n + 1]]`. Neighbours, groups and members are numbered within
their level. `pivot` is one over the diagonal.
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
def gather(start, stop, at_fine, at, r, b, first, member):
    """b of each group = sum of r over its members."""
    for g in range(start, stop):
        total = np.float32(0)
        for m in range(first[at + g], first[at + g + 1]):
            total += r[at_fine + member[m]]
        b[at + g] = total


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
def _apply(at, n, x, y, edge, to, weight, anchor):
    """y = A x on one level, as fluxes; `anchor` is the weight towards seeds."""
    for i in range(at, at + n):
        here = x[i]
        total = anchor[i] * here
        for e in range(edge[i], edge[i + 1]):
            total += weight[e] * (here - x[at + to[e]])
        y[i] = total


@_fast
def _dot(a, b, start, stop):
    total = 0.0
    for i in range(start, stop):
        total += np.float64(a[i]) * np.float64(b[i])
    return total


@_fast
def _smooth_and_descend(level, node, x, b, r, edge, middle, to, weight, pivot, first, member):
    at, below = node[level], node[level + 1]
    n, n_below = below - at, node[level + 2] - below
    sweep_from_zero(0, n, at, x, b, edge, middle, to, weight, pivot)
    residual_after_sweep(0, n, at, x, r, edge, middle, to, weight)
    gather(0, n_below, at, below, r, b, first, member)


@_fast
def coarse_cycle(
    top,
    node,
    x,
    b,
    r,
    c,
    v,
    edge,
    middle,
    to,
    weight,
    pivot,
    anchor,
    group,
    first,
    member,
    bottom,
):
    """Solve A x = b on level `top` approximately, by one K-cycle (Notay 2008).

    On each level at most two steps of flexible conjugate gradients, each preconditioned by a
    Gauss-Seidel sweep down, the next coarser level, and a sweep back. The coarsest level is
    solved by `bottom`, its inverse (or, where that is empty, by the pivot). Overwrites b.

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
                _smooth_and_descend(
                    level, node, x, b, r, edge, middle, to, weight, pivot, first, member
                )
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
        if not finished:
            if phase[level] == 0:
                _apply(at, n, x, v, edge, to, weight, anchor)
                rho[level] = _dot(x, v, at, end)
                first_gain[level] = _dot(x, b, at, end)
                if rho[level] <= 0.0:
                    finished = True
                else:
                    t = np.float32(first_gain[level] / rho[level])
                    before = _dot(b, b, at, end)
                    for i in range(at, end):
                        c[i] = x[i]
                        b[i] -= t * v[i]
                    if _dot(b, b, at, end) <= 0.0625 * before:
                        for i in range(at, end):
                            x[i] *= t
                        finished = True
                    else:
                        phase[level] = 1
                        descending = True
                        continue
            else:
                _apply(at, n, x, r, edge, to, weight, anchor)
                gamma = _dot(x, v, at, end)
                second = _dot(x, r, at, end) - gamma * gamma / rho[level]
                if second <= 0.0:
                    t = np.float32(first_gain[level] / rho[level])
                    for i in range(at, end):
                        x[i] = t * c[i]
                else:
                    gain = _dot(x, b, at, end)
                    t_first = np.float32(
                        first_gain[level] / rho[level] - gamma * gain / (rho[level] * second)
                    )
                    t_second = np.float32(gain / second)
                    for i in range(at, end):
                        x[i] = t_first * c[i] + t_second * x[i]
        if level == top:
            return
        level -= 1
        descending = False


@_fast
def coarse_solve(
    level, rounds, solution, source, node, x, b, r, c, v, edge, middle, to, weight, pivot, anchor,
    group, first, member, bottom,
):  # fmt: skip
    """Improve `solution` of A solution = source on one level by a few K-cycles."""
    at, end = node[level], node[level + 1]
    for _ in range(rounds):
        for i in range(at, end):
            total = source[i - at] - anchor[i] * solution[i - at]
            for e in range(edge[i], edge[i + 1]):
                total -= weight[e] * (solution[i - at] - solution[to[e]])
            b[i] = total if pivot[i] > NOTHING_FREE else np.float32(0)
        coarse_cycle(
            level, node, x, b, r, c, v, edge, middle, to, weight, pivot, anchor, group, first,
            member, bottom,
        )  # fmt: skip
        for i in range(at, end):
            solution[i - at] += x[i]
