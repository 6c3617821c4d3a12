"""Compiled loops over the coarser levels: graphs of groups, in chunks of four nodes.

Each kernel works on the arrays of one level. Chunk c is made of the nodes from ``LANES * c``. Its
rows have the places ``LANES * s + lane`` of `to` and `weight`, for s from `slot[c]` to
`slot[c + 1]`; a node's first `lower[n]` places lead to nodes that come before it in its block (see
`graph_layout`). `group[n]` is the node of the next level that a node belongs to. `pivot` is one
over the diagonal.

Where a level is swept over in several blocks at once, x has room for a copy of itself behind, in
which each block sees the others as they were: neighbours in other blocks are numbered by their
places there.

In `coarse_cycle`, levels lie one after the other in the same arrays: `node[l]` is where level l's
nodes begin, a multiple of `LANES`.
"""

import numpy as np
from numba import njit

from napari_seedbed.core.walker.graph_layout import LANES

NOTHING_FREE = np.float32(1e-20)
"""Pivot (one over the diagonal) of a node whose voxels are all given: it stays at 0."""

ENOUGH = 0.0625
"""A second step on a level is left out if the first lowers the square of the residual so far."""

# Unsigned numbers spare the test for negative indices, a quarter of the time.
_1, _2, _3 = np.uint64(1), np.uint64(2), np.uint64(3)
_LANES = np.uint64(LANES)
_ZERO = np.float32(0)
# As a literal 0 would be a type of its own, for which all would be compiled again.
_BEGIN = np.int64(0)

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


@_inline
def _add_lower(first, last, n0, n1, n2, n3, weight, x, to, t0, t1, t2, t3):
    """The same with the first few slots of each node only."""
    for s in range(first, last):
        e, k = s * _LANES, s - first
        # Read before it is decided, or the decision becomes a branch.
        w0, w1, w2, w3 = weight[e], weight[e + _1], weight[e + _2], weight[e + _3]
        t0 += (w0 if k < n0 else _ZERO) * x[to[e]]
        t1 += (w1 if k < n1 else _ZERO) * x[to[e + _1]]
        t2 += (w2 if k < n2 else _ZERO) * x[to[e + _2]]
        t3 += (w3 if k < n3 else _ZERO) * x[to[e + _3]]
    return t0, t1, t2, t3


@_inline
def _add_upper(first, last, n0, n1, n2, n3, weight, x, to):
    """The sums without the first few slots of each node."""
    t0 = t1 = t2 = t3 = _ZERO
    for s in range(first + min(min(n0, n1), min(n2, n3)), last):
        e, k = s * _LANES, s - first
        w0, w1, w2, w3 = weight[e], weight[e + _1], weight[e + _2], weight[e + _3]
        t0 += (w0 if k >= n0 else _ZERO) * x[to[e]]
        t1 += (w1 if k >= n1 else _ZERO) * x[to[e + _1]]
        t2 += (w2 if k >= n2 else _ZERO) * x[to[e + _2]]
        t3 += (w3 if k >= n3 else _ZERO) * x[to[e + _3]]
    return t0, t1, t2, t3


@_fast
def add_totals(start, stop, slot, weight, diagonal):
    """Add the sum of its weights to each node's diagonal."""
    for chunk in range(start, stop):
        for s in range(slot[chunk], slot[chunk + 1]):
            for lane in range(LANES):
                diagonal[LANES * chunk + lane] += weight[LANES * s + lane]


@_fast
def sweep_from_zero(start, stop, x, b, slot, lower, to, weight, pivot):
    """Gauss-Seidel forwards over one block of chunks, from x = 0."""
    for chunk in range(np.uint64(start), np.uint64(stop)):
        i = chunk * _LANES
        first = np.uint64(slot[chunk])
        n0, n1 = np.uint64(lower[i]), np.uint64(lower[i + _1])
        n2, n3 = np.uint64(lower[i + _2]), np.uint64(lower[i + _3])
        last = first + max(max(n0, n1), max(n2, n3))
        t0, t1, t2, t3 = _add_lower(
            first, last, n0, n1, n2, n3, weight, x, to, b[i], b[i + _1], b[i + _2], b[i + _3]
        )
        x[i] = t0 * pivot[i]
        x[i + _1] = t1 * pivot[i + _1]
        x[i + _2] = t2 * pivot[i + _2]
        x[i + _3] = t3 * pivot[i + _3]
    copy_block(start, stop, x, b.size)


@_fast
def copy_block(start, stop, x, n_nodes):
    """Copy one block of chunks to where the other blocks look it up, if there is such a place."""
    if x.size > n_nodes:
        for i in range(np.uint64(LANES * start), np.uint64(LANES * stop)):
            x[i + np.uint64(n_nodes)] = x[i]


@_fast
def residual_after_sweep(start, stop, x, r, slot, lower, to, weight):
    """Residual after `sweep_from_zero`: what the neighbours not yet used contribute."""
    for chunk in range(np.uint64(start), np.uint64(stop)):
        i = chunk * _LANES
        first, last = np.uint64(slot[chunk]), np.uint64(slot[chunk + _1])
        n0, n1 = np.uint64(lower[i]), np.uint64(lower[i + _1])
        n2, n3 = np.uint64(lower[i + _2]), np.uint64(lower[i + _3])
        r[i], r[i + _1], r[i + _2], r[i + _3] = _add_upper(
            first, last, n0, n1, n2, n3, weight, x, to
        )


@_fast
def collect(values, group, total):
    """Sum of the values of each group's members."""
    for g in range(total.size):
        total[g] = 0
    for i in range(np.uint64(values.size)):
        total[np.uint64(group[i])] += values[i]


@_fast
def spread(start, stop, x, n_nodes, correction, group):
    """Add each group's correction to its members."""
    for i in range(np.uint64(LANES * start), np.uint64(LANES * stop)):
        x[i] += correction[np.uint64(group[i])]
    copy_block(start, stop, x, n_nodes)


@_fast
def sweep_back(start, stop, x, b, slot, to, weight, pivot):
    """Gauss-Seidel backwards over one block of chunks."""
    last = np.uint64(stop - 1)
    for step in range(np.uint64(stop - start)):
        chunk = last - step
        i = chunk * _LANES
        t0, t1, t2, t3 = _add_rows(
            slot[chunk], slot[chunk + _1], weight, x, to, b[i], b[i + _1], b[i + _2], b[i + _3]
        )
        x[i] = t0 * pivot[i]
        x[i + _1] = t1 * pivot[i + _1]
        x[i + _2] = t2 * pivot[i + _2]
        x[i + _3] = t3 * pivot[i + _3]


@_fast
def apply(start, stop, x, y, slot, to, weight, anchor):
    """y = A x, as fluxes; `anchor` is the weight towards seeds."""
    for chunk in range(np.uint64(start), np.uint64(stop)):
        i = chunk * _LANES
        x0, x1, x2, x3 = x[i], x[i + _1], x[i + _2], x[i + _3]
        t0, t1 = anchor[i] * x0, anchor[i + _1] * x1
        t2, t3 = anchor[i + _2] * x2, anchor[i + _3] * x3
        for s in range(np.uint64(slot[chunk]), np.uint64(slot[chunk + _1])):
            e = s * _LANES
            t0 += weight[e] * (x0 - x[to[e]])
            t1 += weight[e + _1] * (x1 - x[to[e + _1]])
            t2 += weight[e + _2] * (x2 - x[to[e + _2]])
            t3 += weight[e + _3] * (x3 - x[to[e + _3]])
        y[i], y[i + _1], y[i + _2], y[i + _3] = t0, t1, t2, t3


@_fast
def write_matrix(slot, to, weight, anchor, matrix):
    """Write the matrix of a level that is swept over in one block; `matrix` comes as zeros.

    Summed in float64: float32 would drown the weak edges of nodes that also have strong ones.
    """
    for i in range(matrix.shape[0]):
        chunk, lane = i // LANES, i % LANES
        total = np.float64(anchor[i])
        for s in range(slot[chunk], slot[chunk + 1]):
            w = np.float64(weight[LANES * s + lane])
            matrix[i, to[LANES * s + lane]] -= w
            total += w
        matrix[i, i] += total


@_fast
def dot(a, b):
    """Sum of a * b, for as many nodes as `b` has."""
    total = 0.0
    # Short sums in float32, side by side, and their total in float64.
    for low in range(0, b.size, 64):
        first, second = a[low : min(low + 64, b.size)], b[low : low + 64]
        t0 = t1 = t2 = t3 = np.float32(0)
        for i in range(0, second.size, LANES):
            t0 += first[i] * second[i]
            t1 += first[i + 1] * second[i + 1]
            t2 += first[i + 2] * second[i + 2]
            t3 += first[i + 3] * second[i + 3]
        total += np.float64(t0 + t1) + np.float64(t2 + t3)
    return total


@_fast
def start_step(x, b, c, v):
    """First step of flexible conjugate gradients on a level, along x, with v = A x.

    Takes the step out of b. Returns whether that was enough (then x is the step), and two numbers
    for the second step (else x is kept in c).
    """
    rho, gain = dot(x, v), dot(x, b)
    if rho <= 0.0:
        return True, rho, gain
    t = np.float32(gain / rho)
    before = dot(b, b)
    for i in range(b.size):
        b[i] -= t * v[i]
    if dot(b, b) <= ENOUGH * before:
        for i in range(b.size):
            x[i] *= t
        return True, rho, gain
    for i in range(b.size):
        c[i] = x[i]
    return False, rho, gain


@_fast
def finish_step(x, b, r, c, v, rho, first_gain):
    """Second step, along x, with r = A x; x becomes the sum of both steps."""
    gamma = dot(x, v)
    second = dot(x, r) - gamma * gamma / rho
    t_first, t_second = first_gain / rho, 0.0
    if second > 0.0:
        gain = dot(x, b)
        t_first -= gamma * gain / (rho * second)
        t_second = gain / second
    old, new = np.float32(t_first), np.float32(t_second)
    for i in range(b.size):
        x[i] = old * c[i] + new * x[i]


@_fast
def coarse_cycle(
    top, k_from, node, x, b, r, c, v, skipped, slot, lower, to, weight, pivot, anchor, group,
    bottom,
):  # fmt: skip
    """Solve A x = b on level `top` approximately, by one K-cycle (Notay 2008).

    On each level from `k_from` on, at most two steps of flexible conjugate gradients, each
    preconditioned by a Gauss-Seidel sweep down, the next coarser level, and a sweep back. The
    coarsest level is solved by `bottom`, its inverse (or, where that is empty, by the pivots).
    Overwrites b. The vectors c, v and `anchor` leave out the first `skipped` nodes.

    An explicit stack of phases stands for the recursion: `phase[l]` is the number of cycles that
    level l has finished.
    """
    last = node.size - 2
    phase = np.zeros(last + 1, np.int64)
    rho = np.zeros(last + 1, np.float64)
    gain = np.zeros(last + 1, np.float64)
    level = top
    descending = True
    while True:
        at, end = node[level], node[level + 1]
        n_chunks = (end - at) // LANES
        rows = slot[at // LANES : end // LANES + 1]
        x_here, b_here, r_here = x[at:end], b[at:end], r[at:end]
        if descending:
            if level < last:
                before = lower[at:end]
                sweep_from_zero(
                    _BEGIN, n_chunks, x_here, b_here, rows, before, to, weight, pivot[at:end]
                )
                residual_after_sweep(_BEGIN, n_chunks, x_here, r_here, rows, before, to, weight)
                collect(r_here, group[at:end], b[end : node[level + 2]])
                level += 1
                phase[level] = 0
                continue
            for i in range(b_here.size):
                if bottom.size == 0:
                    x_here[i] = b_here[i] * pivot[at + i]
                    continue
                total = 0.0
                for j in range(b_here.size):
                    total += bottom[i, j] * b_here[j]
                x_here[i] = total
        else:
            spread(_BEGIN, n_chunks, x_here, b_here.size, x[end:], group[at:end])
            sweep_back(_BEGIN, n_chunks, x_here, b_here, rows, to, weight, pivot[at:end])
        # One cycle of `level` is complete: x holds its result for right-hand side b.
        descending = False
        if k_from <= level < last:
            kept = slice(at - skipped, end - skipped)
            if phase[level] == 0:
                apply(_BEGIN, n_chunks, x_here, v[kept], rows, to, weight, anchor[kept])
                enough, rho[level], gain[level] = start_step(x_here, b_here, c[kept], v[kept])
                if not enough:
                    phase[level] = 1
                    descending = True
                    continue
            else:
                apply(_BEGIN, n_chunks, x_here, r_here, rows, to, weight, anchor[kept])
                finish_step(x_here, b_here, r_here, c[kept], v[kept], rho[level], gain[level])
        if level == top:
            return
        level -= 1
