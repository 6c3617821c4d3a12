"""Kernel that smooths what speaks for a label and gives it the voxels where it is the strongest."""

import math

import numpy as np
from numba import njit

_fast = njit(nogil=True, cache=True, error_model="numpy")


@_fast
def paint_label(
    start, stop, box, number, walk, least, basin, evidence, smoothing,
    winner, best, total, information, each,
):  # fmt: skip
    """Paint with one label, in its box, the rows from start to stop of all planes.

    Parameters
    ----------
    start, stop : int
        Rows along y.
    box : (3, 2) ndarray of int64
        Where the label is looked at; beyond, all is as at the border.
    number : int
        The label. Where two are equally strong, the one that comes first stays.
    walk : (B,) ndarray of float32
        How probable the label is in each basin.
    least : float
        Walks below it count as this.
    basin : (Z, Y, X) ndarray of int32
        Negative outside, where nothing speaks for a label.
    evidence : (Z, Y, X) ndarray of float32
        What the probability is multiplied with; empty where there is none.
    smoothing : tuple of three (2 * reach + 1,) ndarray of float32
        What products are smoothed with along z, y and x.
    winner : (Z, Y, X) ndarray of int32
    best : (Z, Y, X) ndarray of float32
        The strongest label so far, and how strong it is.
    total, information, each : (Z, Y, X) ndarray of float32
        Sum of the strengths s of the labels so far, sum of ``s log s``, and the strength of this
        label; not written where empty.
    """
    along_z, along_y, along_x = smoothing
    z0, z1 = box[0]
    y0, y1 = max(box[1, 0], start), min(box[1, 1], stop)
    x0, x1 = box[2]
    wide, high, deep = x1 - x0, y1 - y0, z1 - z0
    if high <= 0:
        return
    reach_x, reach_y, reach_z = len(along_x) // 2, len(along_y) // 2, len(along_z) // 2
    planes = np.zeros((deep, high, wide), np.float32)
    product = np.empty(wide + 2 * reach_x, np.float32)
    row = np.empty(wide, np.float32)
    for z in range(z0, z1):
        for y in range(max(y0 - reach_y, box[1, 0]), min(y1 + reach_y, box[1, 1])):
            for x in range(wide):
                b = basin[z, y, x0 + x]
                product[reach_x + x] = max(walk[b], least) if b >= 0 else np.float32(0)
            if evidence.size:
                for x in range(wide):
                    product[reach_x + x] *= evidence[z, y, x0 + x]
            for k in range(reach_x):
                product[k] = product[reach_x]
                product[reach_x + wide + k] = product[reach_x + wide - 1]
            for x in range(wide):
                row[x] = 0
            for k in range(len(along_x)):
                factor = along_x[k]
                for x in range(wide):
                    row[x] += factor * product[x + k]
            # The outermost rows stand for those beyond the box, too.
            lowest = -reach_y if y == box[1, 0] else 0
            highest = reach_y if y == box[1, 1] - 1 else 0
            for beyond in range(lowest, highest + 1):
                for k in range(len(along_y)):
                    to = y + beyond + reach_y - k - y0
                    if 0 <= to < high:
                        for x in range(wide):
                            planes[z - z0, to, x] += along_y[k] * row[x]
    strength = np.empty(wide, np.float32)
    for z in range(deep):
        for y in range(high):
            for x in range(wide):
                strength[x] = 0
            for k in range(len(along_z)):
                other = min(max(z + k - reach_z, 0), deep - 1)
                for x in range(wide):
                    strength[x] += along_z[k] * planes[other, y, x]
            for x in range(wide):
                if strength[x] > best[z0 + z, y0 + y, x0 + x]:
                    best[z0 + z, y0 + y, x0 + x] = strength[x]
                    winner[z0 + z, y0 + y, x0 + x] = number
            if total.size:
                for x in range(wide):
                    s = strength[x]
                    total[z0 + z, y0 + y, x0 + x] += s
                    information[z0 + z, y0 + y, x0 + x] += s * math.log(max(s, np.float32(1e-30)))
            if each.size:
                for x in range(wide):
                    each[z0 + z, y0 + y, x0 + x] = strength[x]
