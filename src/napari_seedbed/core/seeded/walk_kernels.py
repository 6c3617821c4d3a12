"""Kernel of the walks on a graph of basins: four labels at a time, by conjugate gradients."""

import numpy as np
from numba import njit

TOGETHER = 4
"""Labels that are solved for at once: as many 64-bit numbers fit into a register."""

_fast = njit(nogil=True, cache=True, error_model="numpy", fastmath={"contract", "nsz"})


@_fast
def solve_walks(begin, middle, to, weight, diagonal, source, tolerance, most, x):
    """Solve the equations of walks for four labels, from x = 0; how many steps that took.

    Parameters
    ----------
    begin : (N + 1,) ndarray of int32
    middle : (N,) ndarray of int32
        Where in the row of each node the neighbours with a higher number begin.
    to : (M,) ndarray of int32
    weight : (M,) ndarray of float64
        Neighbours of each node and the weight of the edge, those without seeds only.
    diagonal : (N,) ndarray of float64
        All that leads away from each node.
    source : (N, 4) ndarray of float64
        What leads to seeds of each label. Is written over.
    tolerance : float
        The largest change of a step at which to end.
    most : int
        Steps after which to end in any case.
    x : (N, 4) ndarray of float64

    Notes
    -----
    Preconditioned by a symmetric Gauss-Seidel sweep, whose two halves give the product with the
    matrix too. A label that is settled stays as it is.

    References
    ----------
    Eisenstat SC (1981). Efficient implementation of a class of preconditioned conjugate gradient
    methods. SIAM J. Sci. Stat. Comput. 2(1), 1-4.
    """
    n = diagonal.size
    r = source
    p = np.zeros((n, TOGETHER))
    t = np.zeros((n, TOGETHER))
    s = np.zeros((n, TOGETHER))
    energy = np.zeros(TOGETHER)
    settled = np.zeros(TOGETHER, np.bool_)
    beta, alpha = np.zeros(TOGETHER), np.zeros(TOGETHER)
    new, bent, furthest = np.zeros(TOGETHER), np.zeros(TOGETHER), np.zeros(TOGETHER)
    for i in range(n):
        a, b, c, d = r[i, 0], r[i, 1], r[i, 2], r[i, 3]
        for e in range(begin[i], middle[i]):
            j, w = to[e], weight[e]
            a += w * r[j, 0]
            b += w * r[j, 1]
            c += w * r[j, 2]
            d += w * r[j, 3]
        w = 1 / diagonal[i]
        r[i, 0], r[i, 1], r[i, 2], r[i, 3] = a * w, b * w, c * w, d * w
    for step in range(most):
        for k in range(TOGETHER):
            new[k] = 0
        for i in range(n):
            for k in range(TOGETHER):
                new[k] += diagonal[i] * r[i, k] * r[i, k]
        left = False
        for k in range(TOGETHER):
            settled[k] |= new[k] <= 1e-200
            beta[k] = new[k] / energy[k] if step > 0 and energy[k] > 0 else 0.0
            energy[k] = new[k]
            bent[k] = furthest[k] = 0
            left |= not settled[k]
        if not left:
            return step
        for i in range(n - 1, -1, -1):
            a = b = c = d = 0.0
            for e in range(middle[i], begin[i + 1]):
                j, w = to[e], weight[e]
                a += w * t[j, 0]
                b += w * t[j, 1]
                c += w * t[j, 2]
                d += w * t[j, 3]
            w = diagonal[i]
            for k in range(TOGETHER):
                p[i, k] = w * r[i, k] + beta[k] * p[i, k]
            s[i, 0], s[i, 1], s[i, 2], s[i, 3] = a, b, c, d
            w = 1 / w
            t[i, 0] = (p[i, 0] + a) * w
            t[i, 1] = (p[i, 1] + b) * w
            t[i, 2] = (p[i, 2] + c) * w
            t[i, 3] = (p[i, 3] + d) * w
        for i in range(n):
            a, b, c, d = -s[i, 0], -s[i, 1], -s[i, 2], -s[i, 3]
            for e in range(begin[i], middle[i]):
                j, w = to[e], weight[e]
                a += w * s[j, 0]
                b += w * s[j, 1]
                c += w * s[j, 2]
                d += w * s[j, 3]
            w = 1 / diagonal[i]
            s[i, 0], s[i, 1], s[i, 2], s[i, 3] = a * w, b * w, c * w, d * w
            for k in range(TOGETHER):
                bent[k] += p[i, k] * (t[i, k] + s[i, k])
        for k in range(TOGETHER):
            alpha[k] = 0.0 if settled[k] or bent[k] <= 0 else energy[k] / bent[k]
        for i in range(n):
            for k in range(TOGETHER):
                change = alpha[k] * t[i, k]
                x[i, k] += change
                r[i, k] -= alpha[k] * (t[i, k] + s[i, k])
                furthest[k] = max(furthest[k], abs(change))
        left = False
        for k in range(TOGETHER):
            settled[k] |= furthest[k] < tolerance
            left |= not settled[k]
        if not left:
            return step + 1
    return most
