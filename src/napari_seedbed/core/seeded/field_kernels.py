"""Kernels over voxels: steepest descent, faces between basins, what hangs together."""

import numpy as np
from numba import njit

_fast = njit(nogil=True, cache=True, error_model="numpy")


@_fast
def point_downhill(start, stop, height, outside, downhill):
    """For each voxel the lowest of its neighbours (26, or itself), as a flat index; -1 outside.

    Of equal ones the first: on a plateau all point to its first voxel, step by step. Returns how
    many point to themselves.
    """
    n_z, n_y, n_x = height.shape
    count = 0
    for row in range(start, stop):
        z, y = row // n_y, row % n_y
        for x in range(n_x):
            here = (z * n_y + y) * n_x + x
            if outside[z, y, x]:
                downhill[here] = -1
                continue
            lowest, best = height[z, y, x], here
            for dz in range(max(z - 1, 0), min(z + 2, n_z)):
                for dy in range(max(y - 1, 0), min(y + 2, n_y)):
                    for dx in range(max(x - 1, 0), min(x + 2, n_x)):
                        other = height[dz, dy, dx]
                        if other > lowest or outside[dz, dy, dx]:
                            continue
                        there = (dz * n_y + dy) * n_x + dx
                        if other < lowest or there < best:
                            lowest, best = other, there
            downhill[here] = best
            count += best == here
    return count


@_fast
def number_basins(downhill):
    """Replace ways down by the numbers of the places where they end, which count in their order.

    Outside is -1, before and after.
    """
    # Ends that are numbered already are -2, -3, and so on.
    count = 0
    for v in range(downhill.size):
        if downhill[v] == v:
            downhill[v] = -2 - count
            count += 1
    for v in range(downhill.size):
        end = v
        while downhill[end] >= 0:
            end = downhill[end]
        number = downhill[end]
        at = v
        while downhill[at] >= 0:
            following = downhill[at]
            downhill[at] = number
            at = following
    for v in range(downhill.size):
        if downhill[v] < -1:
            downhill[v] = -2 - downhill[v]


@_fast
def bound_basins(basin, low, high):
    """Bounding boxes of the basins: low (N, 3) inclusive, high (N, 3) exclusive."""
    n_z, n_y, n_x = basin.shape
    for z in range(n_z):
        for y in range(n_y):
            for x in range(n_x):
                b = basin[z, y, x]
                if b < 0:
                    continue
                low[b, 0] = min(low[b, 0], z)
                low[b, 1] = min(low[b, 1], y)
                low[b, 2] = min(low[b, 2], x)
                high[b, 0] = max(high[b, 0], z + 1)
                high[b, 1] = max(high[b, 1], y + 1)
                high[b, 2] = max(high[b, 2], x + 1)


@_fast
def count_faces(basin, counted, of_first):
    """Add to `of_first`, for each basin, the voxel faces to basins of a higher number.

    Those that lead upwards from the first voxels along each axis, as many as are `counted` (3,).
    """
    n_z, n_y, n_x = basin.shape
    for z in range(counted[0]):
        for y in range(counted[1]):
            for x in range(counted[2]):
                here = basin[z, y, x]
                if here < 0:
                    continue
                for axis in range(3):
                    z1, y1, x1 = z + (axis == 0), y + (axis == 1), x + (axis == 2)
                    if z1 == n_z or y1 == n_y or x1 == n_x:
                        continue
                    there = basin[z1, y1, x1]
                    if there >= 0 and there != here:
                        of_first[min(here, there)] += 1


@_fast
def list_faces(basin, energy, areas, counted, at, second, area, cost):
    """Write each face at the next place of its first basin; the arguments as in `join_faces`."""
    n_z, n_y, n_x = basin.shape
    for z in range(counted[0]):
        for y in range(counted[1]):
            for x in range(counted[2]):
                here = basin[z, y, x]
                if here < 0:
                    continue
                for axis in range(3):
                    z1, y1, x1 = z + (axis == 0), y + (axis == 1), x + (axis == 2)
                    if z1 == n_z or y1 == n_y or x1 == n_x:
                        continue
                    there = basin[z1, y1, x1]
                    if there < 0 or there == here:
                        continue
                    first = min(here, there)
                    place = at[first]
                    at[first] += 1
                    second[place] = max(here, there)
                    area[place] = areas[axis]
                    cost[place] = (
                        areas[axis] * np.float32(0.5) * (energy[z, y, x] + energy[z1, y1, x1])
                    )


@_fast
def join_faces(start, stop, begin, second, area, cost, joined):
    """Join the faces between the same two basins, for first basins from start to stop.

    Parameters
    ----------
    begin : (N + 1,) ndarray of int64
        Where the faces of each first basin begin.
    second : (M,) ndarray of int32
        The other basin of each face; sorted afterwards, each once, at the front of its part.
    area, cost : (M,) ndarray of float32
        Area of each face, and area times energy; sums afterwards.
    joined : (N,) ndarray of int32
        How many neighbours of a higher number each basin has.
    """
    most = 0
    for first in range(start, stop):
        most = max(most, begin[first + 1] - begin[first])
    keys = np.empty(most, np.int64)
    areas, costs = np.empty(most, np.float32), np.empty(most, np.float32)
    for first in range(start, stop):
        low = begin[first]
        count = begin[first + 1] - low
        for i in range(count):
            # In the order of the other basins, and where those are the same, of the faces.
            keys[i] = second[low + i] * count + i
            areas[i], costs[i] = area[low + i], cost[low + i]
        # Shell's sort, with the steps of Ciura (2001) and 2.25 times as large ones above: NumPy's
        # takes a second to compile.
        for step in (
            2585792, 1149241, 510774, 227011, 100894, 44842, 19930, 8858, 3937,
            1750, 701, 301, 132, 57, 23, 10, 4, 1,
        ):  # fmt: skip
            for i in range(step, count):
                key, at = keys[i], i
                while at >= step and keys[at - step] > key:
                    keys[at] = keys[at - step]
                    at -= step
                keys[at] = key
        write = low - 1
        for i in range(count):
            other, face = keys[i] // count, keys[i] % count
            if i == 0 or other != second[write]:
                write += 1
                second[write], area[write], cost[write] = other, areas[face], costs[face]
            else:
                area[write] += areas[face]
                cost[write] += costs[face]
        joined[first] = write + 1 - low


@_fast
def faces_of_split(old, new, energy, areas, split, number, low, high, write, pair, area, cost):
    """Faces of one basin that was split, inside it and to its neighbours; how many there are.

    Parameters
    ----------
    old, new : (Z, Y, X) ndarray of int32
        Basins before and after the splits.
    split : (N,) ndarray of bool
        Which of the old basins were split. A face between two of those belongs to the lower one.
    number : int
        The old basin.
    low, high : (3,) ndarray
        Its bounding box.
    write : bool
        Whether to write, or only to count.
    pair : (M, 2) ndarray of int32
    area, cost : (M,) ndarray of float32
    """
    shape = np.array(old.shape)
    count = 0
    for z in range(max(low[0] - 1, 0), high[0]):
        for y in range(max(low[1] - 1, 0), high[1]):
            for x in range(max(low[2] - 1, 0), high[2]):
                for axis in range(3):
                    z1, y1, x1 = z + (axis == 0), y + (axis == 1), x + (axis == 2)
                    if z1 == shape[0] or y1 == shape[1] or x1 == shape[2]:
                        continue
                    here, there = old[z, y, x], old[z1, y1, x1]
                    if here < 0 or there < 0 or (here != number and there != number):
                        continue
                    other = there if here == number else here
                    if split[other] and other < number:
                        continue
                    first, second = new[z, y, x], new[z1, y1, x1]
                    if first == second:
                        continue
                    if write:
                        pair[count, 0], pair[count, 1] = min(first, second), max(first, second)
                        area[count] = areas[axis]
                        cost[count] = (
                            areas[axis] * np.float32(0.5) * (energy[z, y, x] + energy[z1, y1, x1])
                        )
                    count += 1
    return count


@_fast
def give_away_islands(winner, is_object, seeds, rest):
    """Give to `rest` what belongs to an object and hangs together, face to face, with no seed.

    Parameters
    ----------
    winner : (Z, Y, X) ndarray of int32
        Number of each voxel's label, negative where there is none.
    is_object : (K,) ndarray of bool
        Which labels are objects.
    seeds : (S,) ndarray of int64
        Flat indices of the objects' seeds.
    rest : int
    """
    n_z, n_y, n_x = winner.shape
    # Runs of voxels of one object along x; those of a row follow each other.
    count = 0
    for z in range(n_z):
        for y in range(n_y):
            for x in range(n_x):
                label = winner[z, y, x]
                count += (
                    label >= 0 and is_object[label] and (x == 0 or winner[z, y, x - 1] != label)
                )
    begin, end = np.empty(count, np.int32), np.empty(count, np.int32)
    parent = np.empty(count, np.int32)
    row_begin = np.zeros(n_z * n_y + 1, np.int64)
    run = -1
    for z in range(n_z):
        for y in range(n_y):
            before = -1
            for x in range(n_x):
                label = winner[z, y, x]
                if label >= 0 and is_object[label]:
                    if label != before:
                        run += 1
                        begin[run], parent[run] = x, run
                    end[run] = x + 1
                before = label
            row_begin[z * n_y + y + 1] = run + 1
    for row in range(n_z * n_y):
        z, y = row // n_y, row % n_y
        for side in range(2):
            other = row - (1 if side == 0 else n_y)
            if (side == 0 and y == 0) or other < 0:
                continue
            a, b = row_begin[row], row_begin[other]
            while a < row_begin[row + 1] and b < row_begin[other + 1]:
                if begin[a] < end[b] and begin[b] < end[a]:
                    label = winner[z, y, begin[a]]
                    if label == winner[other // n_y, other % n_y, begin[b]]:
                        first, second = a, b
                        while parent[first] != first:
                            parent[first] = parent[parent[first]]
                            first = parent[first]
                        while parent[second] != second:
                            parent[second] = parent[parent[second]]
                            second = parent[second]
                        parent[max(first, second)] = min(first, second)
                if end[a] < end[b]:
                    a += 1
                else:
                    b += 1
    # The first run of all that hang together is their root.
    has_seed = np.zeros(count, np.bool_)
    for run in range(count):
        parent[run] = parent[parent[run]]
    for seed in seeds:
        row, x = seed // n_x, seed % n_x
        low, high = row_begin[row], row_begin[row + 1] - 1
        while low < high:
            middle = (low + high + 1) // 2
            if begin[middle] <= x:
                low = middle
            else:
                high = middle - 1
        has_seed[parent[low]] = True
    for row in range(n_z * n_y):
        for run in range(row_begin[row], row_begin[row + 1]):
            if not has_seed[parent[run]]:
                for x in range(begin[run], end[run]):
                    winner[row // n_y, row % n_y, x] = rest
