"""Compiled loops that put voxels, then groups of voxels, into ever larger groups.

Voxels are joined only across strong edges: each edge inside a group is at least a fixed share of
the strongest edge at its ends. A group that is strong inside can stand for its voxels on the next
coarser level; a group that joins two parts strong in themselves but weakly tied to each other
could not, and the solver would take hundreds of iterations.
"""

import numpy as np
from numba import njit

_jit = njit(nogil=True, cache=True, error_model="numpy")
_inner = njit(nogil=True, error_model="numpy")

NO_TARGET = -1
NO_TIE = 255
_SIDES = 6
_MOST = 8  # voxels of a cell

NO_GROUP, HELD = -1, -2

_MOST_EDGES = 6 * 32  # of a group of voxels


@_inner
def _find(root, i):
    while root[i] != i:
        i = root[i]
    return i


@_jit
def group_cells(
    start, stop, cell, grid, wz, wy, wx, most, share, small, hold, parts, ties, count
):  # fmt: skip
    """Split each cell of the grid into parts that hang together by strong edges.

    Works on the layers of cells `start` to `stop`; `cell` is (z, y, x) with at most 8 voxels, and
    the arrays are flat, of a grid of the shape `grid`; `most` is the strongest edge of each voxel.
    Parts are numbered from 0 in each layer, and `count[layer]` says how many there are. For parts
    of up to `small` voxels, `ties` says at one of their voxels across which of its sides they are
    tied most strongly to another part. It is `NO_TIE` elsewhere, and where that tie is weak beside
    the edges inside the part, as such a part is a world of its own, or less than the share `hold`
    of all ties outwards, as such a voxel belongs to all its neighbours alike.
    """
    n_z, n_y, n_x = grid
    c_z, c_y, c_x = cell
    weights = (wx, wy, wz)
    steps = (1, n_x, n_x * n_y)
    wanted = np.empty(_MOST, np.float32)
    linked = np.empty(_MOST, np.int64)
    place = np.empty(_MOST, np.int64)
    beside = np.empty((_MOST, _SIDES), np.int64)
    known, n = 0, 0
    for layer in range(start, stop):
        made = 0
        z0 = layer * c_z
        for y0 in range(0, n_y, c_y):
            for x0 in range(0, n_x, c_x):
                s_z, s_y, s_x = min(c_z, n_z - z0), min(c_y, n_y - y0), min(c_x, n_x - x0)
                cell_shape = (s_z * _MOST + s_y) * _MOST + s_x
                if cell_shape != known:
                    known = cell_shape
                    n = _cell_tables(s_z, s_y, s_x, n_x, n_x * n_y, place, beside)
                base = (z0 * n_y + y0) * n_x + x0
                for i in range(n):
                    at = base + place[i]
                    wanted[i] = share * most[at]
                    ties[at] = NO_TIE
                    linked[i] = 0
                # Wrong guesses of branches would take most of the time: there are few here.
                for i in range(n):
                    at = base + place[i]
                    for axis in range(3):
                        j = beside[i, 2 * axis]
                        w = weights[axis][at]
                        other = max(j, 0)
                        strong = (j >= 0) & (w > 0) & (w >= wanted[i]) & (w >= wanted[other])
                        linked[i] |= np.int64(strong) << other
                        linked[other] |= np.int64(strong) << i
                left = (1 << n) - 1
                while left != 0:
                    # The voxels linked to the first one left, as bits.
                    part, reached = 0, left & -left
                    while part != reached:
                        part = reached
                        for i in range(n):
                            reached |= linked[i] & -((part >> i) & 1)
                    left &= ~part
                    size = 0
                    for i in range(n):
                        inside = (part >> i) & 1
                        at = base + place[i]
                        parts[at] = made if inside else parts[at]
                        size += inside
                    made += 1
                    if size > small:
                        continue
                    inner = outer = best = np.float32(0)
                    strongest_side, tied = NO_TIE, base
                    for i in range(n):
                        if not (part >> i) & 1:
                            continue
                        at = base + place[i]
                        inner = max(inner, most[at])
                        for axis in range(3):
                            for back in range(2):
                                side = 2 * axis + back
                                j = beside[i, side]
                                if j >= 0 and (part >> j) & 1:
                                    continue
                                # Edges that would leave the grid have weight 0 by construction.
                                edge = at - back * steps[axis]
                                w = weights[axis][edge] if edge >= 0 else np.float32(0)
                                outer += w
                                if w > best:
                                    best = w
                                    strongest_side, tied = side, at
                    if best > 0 and best >= share * inner and best >= hold * outer:
                        ties[tied] = strongest_side
        count[layer] = made


@_inner
def _cell_tables(s_z, s_y, s_x, n_x, n_xy, place, beside):
    """Write for each voxel of a cell of this shape where it lies in memory, from the first on, and
    which voxels of the cell lie beside it (-1: none): forwards and back along x, y, z."""
    i = 0
    for z in range(s_z):
        for y in range(s_y):
            for x in range(s_x):
                place[i] = z * n_xy + y * n_x + x
                beside[i, 0] = i + 1 if x + 1 < s_x else -1
                beside[i, 1] = i - 1 if x > 0 else -1
                beside[i, 2] = i + s_x if y + 1 < s_y else -1
                beside[i, 3] = i - s_x if y > 0 else -1
                beside[i, 4] = i + s_x * s_y if z + 1 < s_z else -1
                beside[i, 5] = i - s_x * s_y if z > 0 else -1
                i += 1
    return i


@_jit
def follow_ties(start, stop, n_xy, n_x, tie, group, to):
    """Write for each group with a tie the group at its other end; for the voxels `start` to `stop`
    of flat arrays."""
    for i in range(start, stop):
        side = tie[i]
        if side != NO_TIE:
            step = 1 if side < 2 else (n_x if side < 4 else n_xy)
            to[group[i]] = group[i - step if side % 2 else i + step]


@_jit
def join_small_groups(start, stop, size, to, largest, root):
    """Join the small ones among the groups `start` to `stop` to their targets, up to `largest`
    voxels; `root` leads from a group to the one it was joined to."""
    for a in range(start, stop):
        if to[a] < 0 or root[a] != a:
            continue
        b = _find(root, np.int64(to[a]))
        if b != a and size[a] + size[b] <= largest:
            first, second = min(a, b), max(a, b)
            root[second] = first
            size[first] += size[second]


@_jit
def number_joined_groups(start, stop, made, size, root, new_number):
    """Number what the groups `start` to `stop` have become, from `made` on; return how many there
    are now. `size` then begins with the sizes of the new groups."""
    for a in range(start, stop):
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
def count_members(start, stop, group, count):
    """Count the members `start` to `stop` of each group g, in `count[g + 1]`."""
    for i in range(start, stop):
        count[group[i] + 1] += 1


@_jit
def list_members(start, stop, group, place, member):
    """List the members `start` to `stop` of each group g from `place[g]` on, which moves on."""
    for i in range(start, stop):
        g = group[i]
        member[place[g]] = i
        place[g] += 1


@_jit
def connect_voxel_groups(
    start, stop, begin, end, first, member, group, wz, wy, wx, n_y, n_x, place, degree, to, weight
):
    """Sum the edges between groups of voxels, for groups `start` to `stop`.

    Writes neighbours and weights one group after the other into the places from `begin` to `end` of
    `to` and `weight` (which come as zeros), and the number of neighbours into `degree`. Returns how
    many places were used, or -1 if they may not have been enough. `place` has a number for each
    group; it must not hold places between `begin` and `end`.
    """
    x, xy, size = np.uint64(n_x), np.uint64(n_y * n_x), np.uint64(group.size)
    near = np.uint64(1)
    seen, by = np.empty(_MOST_EDGES, np.int32), np.empty(_MOST_EDGES, np.float32)
    used = begin
    for g in range(start, stop):
        if used + 6 * (first[g + 1] - first[g]) > end:
            return -1
        n = np.uint64(0)
        for m in range(first[g], first[g + 1]):
            i = np.uint64(member[m])
            # Edges that would leave the grid have weight 0 by construction.
            if i + xy < size:
                seen[n], by[n] = group[i + xy], wz[i]
                n += np.uint64(seen[n] != g)
            if i >= xy:
                seen[n], by[n] = group[i - xy], wz[i - xy]
                n += np.uint64(seen[n] != g)
            if i + x < size:
                seen[n], by[n] = group[i + x], wy[i]
                n += np.uint64(seen[n] != g)
            if i >= x:
                seen[n], by[n] = group[i - x], wy[i - x]
                n += np.uint64(seen[n] != g)
            if i + near < size:
                seen[n], by[n] = group[i + near], wx[i]
                n += np.uint64(seen[n] != g)
            if i >= near:
                seen[n], by[n] = group[i - near], wx[i - near]
                n += np.uint64(seen[n] != g)
        base = used
        for m in range(n):
            used = _add_edge(np.uint32(seen[m]), by[m], base, used, place, to, weight)
        degree[g] = used - base
    return used - begin


@_jit
def connect_node_groups(
    start, stop, begin, end, first, member, group, edge, node_to, node_weight,
    place, degree, to, weight,
):  # fmt: skip
    """Sum the edges between groups of graph nodes; as `connect_voxel_groups`."""
    used = begin
    for g in range(start, stop):
        most = 0
        for m in range(first[g], first[g + 1]):
            most += edge[member[m] + 1] - edge[member[m]]
        if used + most > end:
            return -1
        base = used
        for m in range(first[g], first[g + 1]):
            i = member[m]
            for e in range(edge[i], edge[i + 1]):
                h = np.uint32(group[node_to[e]])
                if h != g:
                    used = _add_edge(h, node_weight[e], base, used, place, to, weight)
        degree[g] = used - base
    return used - begin


@_inner
def _add_edge(h, w, base, used, place, to, weight):
    """Add a weight to the group's edge to group `h`, at its place from `base` on; return the first
    free place. Edges without weight count for nothing.

    Without any branch: whether an edge is new is hard to foresee, and wrong guesses take longer
    than all the rest.
    """
    at = place[h]
    known = base <= at < used
    at = at if known else used
    to[at] = h
    weight[at] += w
    counts = known | (w == 0)
    place[h] = at if w > 0 else place[h]
    return used if counts else used + 1


@_jit
def strongest_of_nodes(start, stop, edge, weight, strongest):
    """Largest weight at each node."""
    for i in range(start, stop):
        w = np.float32(0)
        for e in range(edge[i], edge[i + 1]):
            w = max(w, weight[e])
        strongest[i] = w


@_jit
def group_nodes(start, stop, edge, to, weight, strongest, share, largest, group, made):
    """Group the nodes `start` to `stop` among themselves.

    A node and its strong free neighbours found a group, of up to `largest` nodes. A node most of
    whose strong neighbours are taken waits and then joins the group of its strongest neighbour, or
    stands alone. Groups are numbered from 0, and `made[start]` says how many there are; nodes that
    have a number already are left out.
    """
    candidate = np.empty(largest, np.int64)
    strength = np.empty(largest, np.float32)
    size = np.zeros(stop - start, np.int32)
    n_made = 0
    for i in range(start, stop):
        if group[i] != NO_GROUP:
            continue
        found = 0
        taken = 0
        for e in range(edge[i], edge[i + 1]):
            j, w = to[e], weight[e]
            if w <= 0 or w < share * strongest[i] or w < share * strongest[j]:
                continue
            if j < start or j >= stop or group[j] != NO_GROUP:
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
        group[i] = n_made
        for n in range(found):
            group[candidate[n]] = n_made
        size[n_made] = found + 1
        n_made += 1
    for i in range(start, stop):
        if group[i] != NO_GROUP:
            continue
        best = np.float32(0)
        target = -1
        for e in range(edge[i], edge[i + 1]):
            j = to[e]
            if j < start or j >= stop or group[j] < 0 or weight[e] <= best:
                continue
            if size[group[j]] < 2 * largest:
                best = weight[e]
                target = group[j]
        if target >= 0 and best >= share * strongest[i]:
            group[i] = target
            size[target] += 1
        else:
            group[i] = n_made
            size[n_made] = 1
            n_made += 1
    made[start] = n_made
