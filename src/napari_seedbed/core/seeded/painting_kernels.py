"""Kernel that smooths what speaks for a label and gives it the voxels where it is the strongest."""

import math

import numpy as np
from numba import njit

_fast = njit(nogil=True, cache=True, error_model="numpy")


@_fast
def paint_label(
    start, stop, number, low, high, walk, basin, evidence, smoothing,
    winner, best, second, runner_up, total, information, each,
):  # fmt: skip
    """Paint with one label the rows from start to stop of all planes.

    Parameters
    ----------
    start, stop : int
        Rows along y.
    number : int
        The label. Where two are equally strong, the one that comes first stays.
    low, high : (M, 3) ndarray of int32
        Boxes that hold all that is to be painted with it.
    walk : (B,) ndarray of float32
        How probable the label is in each basin. It is painted where that is not 0.
    basin : (Z, Y, X) ndarray of int32
    evidence : (Z, Y, X) ndarray of float32
        What the probability is multiplied with; empty where there is none.
    smoothing : tuple of three (2 * reach + 1,) ndarray of float32
        What products are smoothed with along z, y and x; beyond the volume all is as at its border.
    winner : (Z, Y, X) ndarray of int32
    best : (Z, Y, X) ndarray of float32
        The strongest label so far, and how strong it is.
    second : (Z, Y, X) ndarray of int32
    runner_up : (Z, Y, X) ndarray of float32
        The strongest of the others so far, and how strong it is; not written where empty.
    total, information, each : (Z, Y, X) ndarray of float32
        Sum of the strengths s of the labels so far, sum of ``s log s``, and the strength of this
        label; not written where empty.
    """
    n_z, n_y, n_x = basin.shape
    along_z, along_y, along_x = smoothing
    reach_x, reach_y, reach_z = len(along_x) // 2, len(along_y) // 2, len(along_z) // 2
    # The part of the rows that is painted, and in which planes.
    painted = np.zeros(n_z, np.bool_)
    y0, y1, x0, x1 = stop, start, n_x, 0
    for m in range(len(low)):
        if low[m, 1] < stop and high[m, 1] > start:
            y0, y1 = min(y0, low[m, 1]), max(y1, high[m, 1])
            x0, x1 = min(x0, low[m, 2]), max(x1, high[m, 2])
            for z in range(max(low[m, 0], 0), min(high[m, 0], n_z)):
                painted[z] = True
    y0, y1 = max(y0, start), min(y1, stop)
    x0, x1 = max(x0, 0), min(x1, n_x)
    rows, wide = y1 - y0, x1 - x0
    if rows <= 0 or wide <= 0:
        return
    left, right = max(x0 - reach_x, 0), min(x1 + reach_x, n_x)
    before = left - x0 + reach_x
    # Smoothed planes around the one that is painted: each takes the place of one that is not needed
    # any more.
    kept = len(along_z)
    planes = np.empty((kept, rows, wide), np.float32)
    product = np.empty(wide + 2 * reach_x, np.float32)
    row = np.empty(wide, np.float32)
    done = -1
    for z in range(n_z):
        if not painted[z]:
            continue
        for near in range(max(done + 1, z - reach_z), min(z + reach_z, n_z - 1) + 1):
            done = near
            at = near % kept
            for y in range(rows):
                for x in range(wide):
                    planes[at, y, x] = 0
            for y in range(max(y0 - reach_y, 0), min(y1 + reach_y, n_y)):
                whole = np.float32(0)
                for x in range(right - left):
                    product[before + x] = walk[basin[near, y, left + x]]
                    whole += product[before + x]
                if whole == 0:
                    continue
                if evidence.size:
                    for x in range(right - left):
                        product[before + x] *= evidence[near, y, left + x]
                for x in range(before):
                    product[x] = product[before]
                for x in range(before + right - left, len(product)):
                    product[x] = product[before + right - left - 1]
                for x in range(wide):
                    row[x] = 0
                for k in range(len(along_x)):
                    factor = along_x[k]
                    for x in range(wide):
                        row[x] += factor * product[x + k]
                # The outermost rows stand for those beyond, too.
                lowest = -reach_y if y == 0 else 0
                highest = reach_y if y == n_y - 1 else 0
                for beyond in range(lowest, highest + 1):
                    for k in range(len(along_y)):
                        to = y + beyond + reach_y - k - y0
                        if 0 <= to < rows:
                            factor = along_y[k]
                            for x in range(wide):
                                planes[at, to, x] += factor * row[x]
        for y in range(rows):
            for x in range(wide):
                row[x] = 0
            for k in range(len(along_z)):
                factor = along_z[k]
                at = min(max(z + k - reach_z, 0), n_z - 1) % kept
                for x in range(wide):
                    row[x] += factor * planes[at, y, x]
            for x in range(wide):
                s = row[x]
                if s > best[z, y0 + y, x0 + x] and walk[basin[z, y0 + y, x0 + x]] > 0:
                    if second.size and winner[z, y0 + y, x0 + x] != number:
                        second[z, y0 + y, x0 + x] = winner[z, y0 + y, x0 + x]
                        runner_up[z, y0 + y, x0 + x] = best[z, y0 + y, x0 + x]
                    best[z, y0 + y, x0 + x] = s
                    winner[z, y0 + y, x0 + x] = number
                elif (
                    second.size
                    and s > runner_up[z, y0 + y, x0 + x]
                    and walk[basin[z, y0 + y, x0 + x]] > 0
                ):
                    runner_up[z, y0 + y, x0 + x] = s
                    second[z, y0 + y, x0 + x] = number
            if total.size:
                for x in range(wide):
                    s = row[x]
                    if walk[basin[z, y0 + y, x0 + x]] > 0:
                        total[z, y0 + y, x0 + x] += s
                        s *= math.log(max(s, np.float32(1e-30)))
                        information[z, y0 + y, x0 + x] += s
            if each.size:
                for x in range(wide):
                    if walk[basin[z, y0 + y, x0 + x]] > 0:
                        each[z, y0 + y, x0 + x] = row[x]
