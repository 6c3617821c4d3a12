"""Compiled loops that put voxels, then groups of voxels, into ever larger groups.

Voxels are joined only across strong edges: each edge inside a group is at least a fixed share of
the strongest edge at its ends. A group that is strong inside can stand for its voxels on the next
coarser level; a group that joins two parts strong in themselves but weakly tied to each other
could not, and the solver would take hundreds of iterations.
"""

import numpy as np
from numba import njit

_jit = njit(nogil=True, cache=True, error_model="numpy")

NO_TARGET = -1


@_jit
def strongest_edges(start, stop, wz, wy, wx, strongest):
    """Largest weight at each voxel of the planes `start` to `stop`."""
    _n_z, n_y, n_x = wz.shape
    for z in range(start, stop):
        for y in range(n_y):
            for x in range(n_x):
                w = max(wz[z, y, x], wy[z, y, x], wx[z, y, x])
                if z > 0:
                    w = max(w, wz[z - 1, y, x])
                if y > 0:
                    w = max(w, wy[z, y - 1, x])
                if x > 0:
                    w = max(w, wx[z, y, x - 1])
                strongest[z, y, x] = w


@_jit
def _find(root, i):
    while root[i] != i:
        i = root[i]
    return i


@_jit
def group_cells(start, stop, cell, wz, wy, wx, strongest, share, group, count):
    """Split each cell of the grid into parts that hang together by strong edges.

    Works on the layers of cells `start` to `stop`; `cell` is (z, y, x) with sizes up to 4. Parts
    are numbered from 0 in each layer, and `count[layer]` says how many there are.
    """
    n_z, n_y, n_x = wz.shape
    c_z, c_y, c_x = cell
    root = np.empty(64, np.int64)
    number = np.empty(64, np.int64)
    for layer in range(start, stop):
        made = 0
        z0, z1 = layer * c_z, min(layer * c_z + c_z, n_z)
        for y0 in range(0, n_y, c_y):
            y1 = min(y0 + c_y, n_y)
            for x0 in range(0, n_x, c_x):
                x1 = min(x0 + c_x, n_x)
                for i in range(64):
                    root[i] = i
                    number[i] = -1
                for z in range(z0, z1):
                    for y in range(y0, y1):
                        for x in range(x0, x1):
                            i = ((z - z0) * 4 + (y - y0)) * 4 + (x - x0)
                            mine = share * strongest[z, y, x]
                            if z + 1 < z1:
                                w = wz[z, y, x]
                                if w > 0 and w >= mine and w >= share * strongest[z + 1, y, x]:
                                    root[_find(root, i + 16)] = _find(root, i)
                            if y + 1 < y1:
                                w = wy[z, y, x]
                                if w > 0 and w >= mine and w >= share * strongest[z, y + 1, x]:
                                    root[_find(root, i + 4)] = _find(root, i)
                            if x + 1 < x1:
                                w = wx[z, y, x]
                                if w > 0 and w >= mine and w >= share * strongest[z, y, x + 1]:
                                    root[_find(root, i + 1)] = _find(root, i)
                for z in range(z0, z1):
                    for y in range(y0, y1):
                        for x in range(x0, x1):
                            i = _find(root, ((z - z0) * 4 + (y - y0)) * 4 + (x - x0))
                            if number[i] < 0:
                                number[i] = made
                                made += 1
                            group[z, y, x] = number[i]
        count[layer] = made


@_jit
def number_groups(start, stop, c_z, offsets, group, size):
    """Make the numbers of each layer's groups global, and count their voxels."""
    n_z, n_y, n_x = group.shape
    for layer in range(start, stop):
        for z in range(layer * c_z, min(layer * c_z + c_z, n_z)):
            for y in range(n_y):
                for x in range(n_x):
                    group[z, y, x] += offsets[layer]
                    size[group[z, y, x]] += 1


@_jit
def small_group_targets(
    start, stop, c_z, wz, wy, wx, strongest, group, size, small, share, hold, inner, outer, best, to
):
    """Find for each small group the neighbour group that it is tied to most strongly.

    Works on layers of cells; a layer's groups belong to it alone, so layers run side by side.
    `to` becomes `NO_TARGET` where that tie is weak beside the edges inside the group, as such a
    group is a world of its own, and where it is less than the share `hold` of all ties outwards,
    as such a voxel belongs to all its neighbours alike.
    """
    n_z, n_y, n_x = group.shape
    for layer in range(start, stop):
        z0, z1 = layer * c_z, min(layer * c_z + c_z, n_z)
        for z in range(z0, z1):
            for y in range(n_y):
                for x in range(n_x):
                    a = group[z, y, x]
                    if size[a] > small:
                        continue
                    inner[a] = max(inner[a], strongest[z, y, x])
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
                        if d < 2:
                            w = wz[min(z, zz), y, x]
                        elif d < 4:
                            w = wy[z, min(y, yy), x]
                        else:
                            w = wx[z, y, min(x, xx)]
                        b = group[zz, yy, xx]
                        if a == b:
                            continue
                        outer[a] += w
                        if w > best[a]:
                            best[a] = w
                            to[a] = b
        for z in range(z0, z1):
            for y in range(n_y):
                for x in range(n_x):
                    a = group[z, y, x]
                    weak = best[a] < share * inner[a] or best[a] < hold * outer[a]
                    if size[a] <= small and weak:
                        to[a] = NO_TARGET


@_jit
def join_small_groups(size, to, largest, new_number):
    """Join small groups to their targets up to `largest` voxels; return the number of groups.

    `size` then begins with the sizes of the new groups.
    """
    n = size.size
    root = np.arange(n)
    for a in range(n):
        if to[a] < 0 or root[a] != a:
            continue
        b = _find(root, to[a])
        if b != a and size[a] + size[b] <= largest:
            first, second = min(a, b), max(a, b)
            root[second] = first
            size[first] += size[second]
    made = 0
    for a in range(n):
        r = _find(root, a)
        if r == a:
            new_number[a] = made
            size[made] = size[a]
            made += 1
        else:
            new_number[a] = new_number[r]
    return made


@_jit
def renumber(start, stop, group, new_number):
    """Replace the numbers in the flat array `group`."""
    for i in range(start, stop):
        group[i] = new_number[group[i]]


@_jit
def collect_members(group, first, member):
    """List the members of each group: group g has `member[first[g]:first[g + 1]]`."""
    n = first.size - 1
    for i in range(group.size):
        first[group[i] + 1] += 1
    for g in range(n):
        first[g + 1] += first[g]
    place = first[:-1].copy()
    for i in range(group.size):
        g = group[i]
        member[place[g]] = i
        place[g] += 1


@_jit
def connect_voxel_groups(
    start, stop, room, first, member, group, wz, wy, wx, n_y, n_x, degree, to, weight
):
    """Sum the edges between groups of voxels, for groups `start` to `stop`.

    Writes neighbours and weights one group after the other into `to` and `weight`, and the number
    of neighbours into `degree`. Returns the first group that did not fit into `room` entries, and
    the number of entries written.
    """
    plane = n_y * n_x
    n_voxels = group.size
    place = np.full(degree.size, -1, np.int32)
    used = 0
    for g in range(start, stop):
        if used + 6 * (first[g + 1] - first[g]) > room:
            return g, used
        base = used
        for m in range(first[g], first[g + 1]):
            i = member[m]
            for d in range(6):
                # Edges that would leave the grid have weight 0 by construction.
                if d == 0:
                    j = i + plane
                    w = wz[i]
                elif d == 1:
                    j = i - plane
                    w = wz[j] if j >= 0 else np.float32(0)
                elif d == 2:
                    j = i + n_x
                    w = wy[i]
                elif d == 3:
                    j = i - n_x
                    w = wy[j] if j >= 0 else np.float32(0)
                elif d == 4:
                    j = i + 1
                    w = wx[i]
                else:
                    j = i - 1
                    w = wx[j] if j >= 0 else np.float32(0)
                if w == 0 or j >= n_voxels:
                    continue
                h = group[j]
                if h == g:
                    continue
                if place[h] < 0:
                    place[h] = used
                    to[used] = h
                    weight[used] = w
                    used += 1
                else:
                    weight[place[h]] += w
        for e in range(base, used):
            place[to[e]] = -1
        degree[g] = used - base
    return stop, used


@_jit
def connect_node_groups(
    start, stop, room, first, member, group, edge, node_to, node_weight, degree, to, weight
):
    """Sum the edges between groups of graph nodes; as `connect_voxel_groups`."""
    place = np.full(degree.size, -1, np.int32)
    used = 0
    for g in range(start, stop):
        most = 0
        for m in range(first[g], first[g + 1]):
            most += edge[member[m] + 1] - edge[member[m]]
        if used + most > room:
            return g, used
        base = used
        for m in range(first[g], first[g + 1]):
            i = member[m]
            for e in range(edge[i], edge[i + 1]):
                h = group[node_to[e]]
                if h == g:
                    continue
                if place[h] < 0:
                    place[h] = used
                    to[used] = h
                    weight[used] = node_weight[e]
                    used += 1
                else:
                    weight[place[h]] += node_weight[e]
        for e in range(base, used):
            place[to[e]] = -1
        degree[g] = used - base
    return stop, used


@_jit
def strongest_of_nodes(start, stop, edge, weight, strongest):
    """Largest weight at each node."""
    for i in range(start, stop):
        w = np.float32(0)
        for e in range(edge[i], edge[i + 1]):
            w = max(w, weight[e])
        strongest[i] = w


@_jit
def group_nodes(start, stop, made, edge, to, weight, strongest, share, largest, group, size):
    """Found groups of nodes around `start` to `stop`: a free node and its strong free neighbours.

    A node most of whose strong neighbours are taken waits for `join_left_nodes`. Returns the number
    of groups made so far.
    """
    candidate = np.empty(largest, np.int64)
    strength = np.empty(largest, np.float32)
    for i in range(start, stop):
        if group[i] >= 0:
            continue
        found = 0
        taken = 0
        for e in range(edge[i], edge[i + 1]):
            j, w = to[e], weight[e]
            if w <= 0 or w < share * strongest[i] or w < share * strongest[j]:
                continue
            if group[j] >= 0:
                taken += 1
                continue
            # Insertion keeps the `largest - 1` strongest.
            n = min(found, largest - 1)
            while n > 0 and strength[n - 1] < w:
                if n < largest - 1:
                    strength[n] = strength[n - 1]
                    candidate[n] = candidate[n - 1]
                n -= 1
            if n < largest - 1:
                strength[n] = w
                candidate[n] = j
                found = min(found + 1, largest - 1)
        if found == 0 or (taken > 0 and found == 1):
            continue
        group[i] = made
        for n in range(found):
            group[candidate[n]] = made
        size[made] = found + 1
        made += 1
    return made


@_jit
def join_left_nodes(start, stop, made, edge, to, weight, strongest, share, largest, group, size):
    """Join nodes without a group to that of their strongest neighbour, or let them stand alone."""
    for i in range(start, stop):
        if group[i] >= 0:
            continue
        best = np.float32(0)
        target = -1
        for e in range(edge[i], edge[i + 1]):
            g = group[to[e]]
            if g >= 0 and weight[e] > best and size[g] < largest:
                best = weight[e]
                target = g
        if target >= 0 and best >= share * strongest[i]:
            group[i] = target
            size[target] += 1
        else:
            group[i] = made
            size[made] = 1
            made += 1
    return made
