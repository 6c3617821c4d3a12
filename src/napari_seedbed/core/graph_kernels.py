"""Compiled loops over the coarser levels: graphs of groups, in chunks of four nodes.

All levels lie one after the other in the same arrays (see `hierarchy.Hierarchy`): `node[l]` is
where level l's nodes begin, a multiple of `LANES`; chunk c is made of the nodes from
``LANES * c``. Its rows have the places ``LANES * s + lane`` of `to` and `weight`, for s from
`slot[c]` to `slot[c + 1]`; up to `middle[c]` they lead to nodes that come before it in its block
(see `graph_layout`). `group[n]` is the node of the next level that a node belongs to. Neighbours
and groups are numbered within their level. `pivot` is one over the diagonal.

Where a level is swept over in several blocks at once, each block sees the others as they were, in
a copy of x that begins `shadow` places further on.
"""

import numpy as np
from numba import njit

from napari_seedbed.core.graph_layout import LANES

NOTHING_FREE = np.float32(1e-20)
"""Pivot (one over the diagonal) of a node whose voxels are all given: it stays at 0."""

ENOUGH = 0.0625
"""A second step on a level is left out if the first lowers the square of the residual so far."""

# Unsigned numbers spare the test for negative indices, a quarter of the time.
_1, _2, _3 = np.uint64(1), np.uint64(2), np.uint64(3)
_LANES = np.uint64(LANES)

_fast = njit(nogil=True, cache=True, error_model="numpy", fastmath={"contract"})
_inline = njit(nogil=True, error_model="numpy", fastmath={"contract"}, inline="always")


@_inline
def _add_rows(first, last, weight, x, to, t0, t1, t2, t3):
    """Add weight * x over the slots `first` to `last` to the sums of a chunk's four nodes."""
    for s in range(np.uint64(first), np.uint64(last)):
        e = s * _LANES
        t0 += weight[e] * x[to[e]]
        t1 += weight[e + _1] * x[to[e + _1]]
        t2 += weight[e + _2] * x[to[e + _2]]
        t3 += weight[e + _3] * x[to[e + _3]]
    return t0, t1, t2, t3


@_fast
def add_totals(start, stop, slot, weight, diagonal):
    """Add the sum of its weights to each node's diagonal."""
    for chunk in range(start, stop):
        for s in range(slot[chunk], slot[chunk + 1]):
            for lane in range(LANES):
                diagonal[LANES * chunk + lane] += weight[LANES * s + lane]


@_fast
def sweep_from_zero(start, stop, at, shadow, x, b, slot, middle, to, weight, pivot):
    """Gauss-Seidel forwards over one block of chunks, from x = 0."""
    values = x[at:]
    for chunk in range(np.uint64(at // LANES + start), np.uint64(at // LANES + stop)):
        i = chunk * _LANES
        t0, t1, t2, t3 = _add_rows(
            slot[chunk], middle[chunk], weight, values, to, b[i], b[i + _1], b[i + _2], b[i + _3]
        )
        x[i] = t0 * pivot[i]
        x[i + _1] = t1 * pivot[i + _1]
        x[i + _2] = t2 * pivot[i + _2]
        x[i + _3] = t3 * pivot[i + _3]
    if shadow > 0:
        first, last = at + LANES * start, at + LANES * stop
        x[shadow + first : shadow + last] = x[first:last]


@_fast
def residual_after_sweep(start, stop, at, x, r, slot, middle, to, weight):
    """Residual after `sweep_from_zero`: what the neighbours not yet used contribute."""
    values = x[at:]
    nothing = np.float32(0)
    for chunk in range(np.uint64(at // LANES + start), np.uint64(at // LANES + stop)):
        i = chunk * _LANES
        r[i], r[i + _1], r[i + _2], r[i + _3] = _add_rows(
            middle[chunk], slot[chunk + _1], weight, values, to, nothing, nothing, nothing, nothing
        )


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
def spread(start, stop, at, below, shadow, x, group):
    """Add each group's x to its members, in x and in its copy."""
    correction = x[below:]
    for i in range(np.uint64(at + LANES * start), np.uint64(at + LANES * stop)):
        x[i] += correction[np.uint64(group[i])]
    if shadow > 0:
        first, last = at + LANES * start, at + LANES * stop
        x[shadow + first : shadow + last] = x[first:last]


@_fast
def sweep_back(start, stop, at, x, b, slot, to, weight, pivot):
    """Gauss-Seidel backwards over one block of chunks."""
    values = x[at:]
    last = np.uint64(at // LANES + stop - 1)
    for step in range(np.uint64(stop - start)):
        chunk = last - step
        i = chunk * _LANES
        t0, t1, t2, t3 = _add_rows(
            slot[chunk], slot[chunk + _1], weight, values, to,
            b[i], b[i + _1], b[i + _2], b[i + _3],
        )  # fmt: skip
        x[i] = t0 * pivot[i]
        x[i + _1] = t1 * pivot[i + _1]
        x[i + _2] = t2 * pivot[i + _2]
        x[i + _3] = t3 * pivot[i + _3]


@_fast
def apply(start, stop, at, x, y, skipped, slot, to, weight, anchor):
    """y = A x on one level, as fluxes; `anchor` is the weight towards seeds.
    y leaves out the first `skipped` nodes."""
    values = x[at:]
    for chunk in range(np.uint64(at // LANES + start), np.uint64(at // LANES + stop)):
        i = chunk * _LANES
        x0, x1, x2, x3 = x[i], x[i + _1], x[i + _2], x[i + _3]
        t0, t1 = anchor[i] * x0, anchor[i + _1] * x1
        t2, t3 = anchor[i + _2] * x2, anchor[i + _3] * x3
        for s in range(np.uint64(slot[chunk]), np.uint64(slot[chunk + _1])):
            e = s * _LANES
            t0 += weight[e] * (x0 - values[to[e]])
            t1 += weight[e + _1] * (x1 - values[to[e + _1]])
            t2 += weight[e + _2] * (x2 - values[to[e + _2]])
            t3 += weight[e + _3] * (x3 - values[to[e + _3]])
        k = i - np.uint64(skipped)
        y[k], y[k + _1], y[k + _2], y[k + _3] = t0, t1, t2, t3


@_fast
def write_matrix(at, slot, to, weight, anchor, matrix):
    """Write the matrix of a level that is swept over in one block; `matrix` comes as zeros.

    Summed in float64: float32 would drown the weak edges of nodes that also have strong ones.
    """
    for i in range(matrix.shape[0]):
        chunk, lane = (at + i) // LANES, (at + i) % LANES
        total = np.float64(anchor[at + i])
        for s in range(slot[chunk], slot[chunk + 1]):
            w = np.float64(weight[LANES * s + lane])
            matrix[i, to[LANES * s + lane]] -= w
            total += w
        matrix[i, i] += total


@_fast
def dot(a, b, skipped, start, stop):
    """Sum of a * b over the nodes `start` to `stop`; b leaves out the first `skipped`."""
    first, second = a[start:stop], b[start - skipped : stop - skipped]
    total = 0.0
    # Short sums in float32, side by side, and their total in float64.
    for low in range(0, first.size, 64):
        t0 = t1 = t2 = t3 = np.float32(0)
        for i in range(low, min(low + 64, first.size), LANES):
            t0 += first[i] * second[i]
            t1 += first[i + 1] * second[i + 1]
            t2 += first[i + 2] * second[i + 2]
            t3 += first[i + 3] * second[i + 3]
        total += np.float64(t0 + t1) + np.float64(t2 + t3)
    return total


@_fast
def _smooth_and_descend(level, node, x, b, r, slot, middle, to, weight, pivot, group):
    at, below = node[level], node[level + 1]
    n = (below - at) // LANES
    sweep_from_zero(0, n, at, 0, x, b, slot, middle, to, weight, pivot)
    residual_after_sweep(0, n, at, x, r, slot, middle, to, weight)
    collect(at, below, node[level + 2], r, b, group)


@_fast
def coarse_cycle(
    top, k_from, node, x, b, r, c, v, skipped, slot, middle, to, weight, pivot, anchor, group,
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
                _smooth_and_descend(level, node, x, b, r, slot, middle, to, weight, pivot, group)
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
            n = (end - at) // LANES
            spread(0, n, at, end, 0, x, group)
            sweep_back(0, n, at, x, b, slot, to, weight, pivot)
            finished = False
        # One cycle of `level` is complete: x holds its result for right-hand side b.
        finished = finished or level < k_from
        if not finished:
            x_here, b_here = x[at:end], b[at:end]
            c_here, v_here = c[at - skipped : end - skipped], v[at - skipped : end - skipped]
            if phase[level] == 0:
                apply(0, n, at, x, v, skipped, slot, to, weight, anchor)
                rho[level] = dot(x, v, skipped, at, end)
                first_gain[level] = dot(x, b, 0, at, end)
                if rho[level] <= 0.0:
                    finished = True
                else:
                    t = np.float32(first_gain[level] / rho[level])
                    before = dot(b, b, 0, at, end)
                    for i in range(x_here.size):
                        c_here[i] = x_here[i]
                        b_here[i] -= t * v_here[i]
                    if dot(b, b, 0, at, end) <= ENOUGH * before:
                        for i in range(x_here.size):
                            x_here[i] *= t
                        finished = True
                    else:
                        phase[level] = 1
                        descending = True
                        continue
            else:
                apply(0, n, at, x, r, 0, slot, to, weight, anchor)
                gamma = dot(x, v, skipped, at, end)
                second = dot(x, r, 0, at, end) - gamma * gamma / rho[level]
                t_first, t_second = first_gain[level] / rho[level], 0.0
                if second > 0.0:
                    gain = dot(x, b, 0, at, end)
                    t_first -= gamma * gain / (rho[level] * second)
                    t_second = gain / second
                t_old, t_new = np.float32(t_first), np.float32(t_second)
                for i in range(x_here.size):
                    x_here[i] = t_old * c_here[i] + t_new * x_here[i]
        if level == top:
            return
        level -= 1
        descending = False


@_fast
def coarse_solve(
    level, solution, source, node, x, b, r, c, v, skipped, slot, middle, to, weight, pivot, anchor,
    group, bottom,
):  # fmt: skip
    """Improve `solution` of A solution = source on one level by a K-cycle."""
    at, end = node[level], node[level + 1]
    x[at:end] = solution
    apply(0, (end - at) // LANES, at, x, r, 0, slot, to, weight, anchor)
    for i in range(at, end):
        b[i] = source[i - at] - r[i] if pivot[i] > NOTHING_FREE else np.float32(0)
    coarse_cycle(
        level, level, node, x, b, r, c, v, skipped, slot, middle, to, weight, pivot, anchor,
        group, bottom,
    )  # fmt: skip
    solution += x[at:end]
