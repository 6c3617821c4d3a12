"""Kernels of the walks on a graph of basins: several labels at a time, by conjugate gradients."""

import numpy as np
from numba import njit

_fast = njit(nogil=True, cache=True, error_model="numpy")


@_fast
def solve_walks(first_label, stop_label, given, begin, to, weight, tolerance, most, out, steps):
    """Probability that a walk from each node meets the labels from first to stop before others.

    Parameters
    ----------
    first_label, stop_label : int
    given : (N,) ndarray of int32
        The label of nodes with seeds, -1 of others.
    begin : (N + 1,) ndarray of int32
    to : (M,) ndarray of int32
    weight : (M,) ndarray of float64
        Neighbours of each node, and how well the edge to them conducts.
    tolerance : float
        The largest step at which to end.
    most : int
        Steps after which to end in any case.
    out : (K, N) ndarray of float32
    steps : (K,) ndarray of int32
        How many steps each label took.

    Notes
    -----
    Preconditioned by one symmetric Gauss-Seidel sweep. All labels of one call share the steps; a
    label that is settled is not changed any more.
    """
    n = given.size
    k_n = stop_label - first_label
    x = np.zeros((n, k_n))
    r = np.zeros((n, k_n))
    z = np.zeros((n, k_n))
    p = np.zeros((n, k_n))
    diagonal = np.empty(n)
    for i in range(n):
        total = 1e-300
        for e in range(begin[i], begin[i + 1]):
            total += weight[e]
        diagonal[i] = total
        if given[i] >= 0:
            if first_label <= given[i] < stop_label:
                x[i, given[i] - first_label] = 1
            continue
        for e in range(begin[i], begin[i + 1]):
            label = given[to[e]]
            if first_label <= label < stop_label:
                r[i, label - first_label] += weight[e]
    energy = np.zeros(k_n)
    settled = np.zeros(k_n, np.bool_)
    total = np.empty(k_n)
    for step in range(most):
        for i in range(n):
            if given[i] >= 0:
                continue
            total[:] = r[i]
            for e in range(begin[i], begin[i + 1]):
                j = to[e]
                if j >= i:
                    break
                if given[j] < 0:
                    w = weight[e]
                    for k in range(k_n):
                        total[k] += w * z[j, k]
            inverse = 1 / diagonal[i]
            for k in range(k_n):
                z[i, k] = total[k] * inverse
        for i in range(n - 1, -1, -1):
            if given[i] >= 0:
                continue
            total[:] = 0
            for e in range(begin[i + 1] - 1, begin[i] - 1, -1):
                j = to[e]
                if j <= i:
                    break
                if given[j] < 0:
                    w = weight[e]
                    for k in range(k_n):
                        total[k] += w * z[j, k]
            inverse = 1 / diagonal[i]
            for k in range(k_n):
                z[i, k] += total[k] * inverse
        new = np.zeros(k_n)
        for i in range(n):
            for k in range(k_n):
                new[k] += r[i, k] * z[i, k]
        for k in range(k_n):
            if new[k] <= 1e-200:
                settled[k] = True
            total[k] = new[k] / energy[k] if step > 0 and energy[k] > 0 else 0.0
            energy[k] = new[k]
        for i in range(n):
            for k in range(k_n):
                p[i, k] = z[i, k] + total[k] * p[i, k]
        if settled.all():
            break
        # z takes the product of the matrix and p from here on.
        bent = np.zeros(k_n)
        for i in range(n):
            if given[i] >= 0:
                continue
            d = diagonal[i]
            for k in range(k_n):
                z[i, k] = d * p[i, k]
            for e in range(begin[i], begin[i + 1]):
                j = to[e]
                if given[j] < 0:
                    w = weight[e]
                    for k in range(k_n):
                        z[i, k] -= w * p[j, k]
            for k in range(k_n):
                bent[k] += z[i, k] * p[i, k]
        for k in range(k_n):
            total[k] = 0.0 if settled[k] or bent[k] <= 0 else energy[k] / bent[k]
            if not settled[k]:
                steps[first_label + k] = step + 1
        furthest = np.zeros(k_n)
        for i in range(n):
            for k in range(k_n):
                change = total[k] * p[i, k]
                x[i, k] += change
                r[i, k] -= total[k] * z[i, k]
                furthest[k] = max(furthest[k], abs(change))
        for k in range(k_n):
            if furthest[k] < tolerance:
                settled[k] = True
        if settled.all():
            break
    for k in range(k_n):
        for i in range(n):
            out[first_label + k, i] = min(max(x[i, k], 0.0), 1.0)
