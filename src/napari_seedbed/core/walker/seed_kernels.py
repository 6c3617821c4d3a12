"""Compiled loops over the given voxels: what they mean for the groups of a hierarchy."""

import numpy as np
from numba import njit

from napari_seedbed.core.walker.graph_layout import LANES

_fast = njit(nogil=True, cache=True, fastmath=True, error_model="numpy")

_ROUNDING = np.float32(1e-6)


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
                            if to[e] == b or to[e] == b + node[level + 1] - at:
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
