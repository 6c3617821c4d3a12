"""Compiled loops that grow seeds over a grid, or join what is high, voxel by voxel.

Arrays are flat and have a border of one voxel of territory 0 around them, so that no neighbour
lies outside. A step from a voxel to one of its neighbours is a number to add to its place. Each
loop does so many steps, keeps what it needs to go on in its arguments, and says whether it is done.
"""

import numpy as np
from numba import njit

_fast = njit(nogil=True, cache=True, error_model="numpy")
_inline = njit(nogil=True, error_model="numpy", inline="always")


@_inline
def _move(keys, ages, places, sources, a, b):
    keys[b], ages[b], places[b], sources[b] = keys[a], ages[a], places[a], sources[a]


@_fast
def _push(keys, ages, places, sources, n, key, age, place, source):
    """Put an entry into a heap of n, whose first is the lowest and of those the oldest."""
    while n > 0:
        parent = (n - 1) // 2
        if keys[parent] < key or (keys[parent] == key and ages[parent] < age):
            break
        _move(keys, ages, places, sources, parent, n)
        n = parent
    keys[n], ages[n], places[n], sources[n] = key, age, place, source


@_fast
def _drop_first(keys, ages, places, sources, n):
    """Take the first of n entries out of the heap."""
    n -= 1
    key, age, place, source = keys[n], ages[n], places[n], sources[n]
    here = 0
    while True:
        child = 2 * here + 1
        if child >= n:
            break
        other = child + 1
        if other < n and (
            keys[other] < keys[child] or (keys[other] == keys[child] and ages[other] < ages[child])
        ):
            child = other
        if key < keys[child] or (key == keys[child] and age < ages[child]):
            break
        _move(keys, ages, places, sources, child, here)
        here = child
    keys[here], ages[here], places[here], sources[here] = key, age, place, source


@_fast
def begin_flood(values, labels, places_of_seeds, keys, ages, places, sources):
    """Put the seeds of a watershed into its queue."""
    for n in range(places_of_seeds.size):
        place = places_of_seeds[n]
        _push(keys, ages, places, sources, n, values[place], n, place, place)


@_fast
def flood(
    values, territory, labels, steps, ways, lengths, strides, compactness, most, state,
    keys, ages, places, sources,
):  # fmt: skip
    """Grow labels from low values to high; true when nothing is left.

    `state` holds the length of the queue and the age of its youngest entry. It stops, too, when
    there may be no room for the neighbours of one more voxel. `ways` are the steps by axis,
    `lengths` those of a voxel and `strides` the steps along the axes, for the distance to the
    seed that compactness counts.
    """
    n, age = state[0], state[1]
    compact = compactness > 0
    away = np.zeros(strides.size)
    for _ in range(most):
        if n == 0 or n + steps.size > keys.size:
            break
        place, source = places[0], sources[0]
        _drop_first(keys, ages, places, sources, n)
        n -= 1
        if compact:
            if labels[place] != 0 and place != source:
                continue
            labels[place] = labels[source]
            a, b = place, source
            for axis in range(strides.size):
                in_a, in_b = a // strides[axis], b // strides[axis]
                away[axis] = in_a - in_b
                a, b = a - in_a * strides[axis], b - in_b * strides[axis]
        for i in range(steps.size):
            near = place + steps[i]
            if labels[near] != 0 or territory[near] != territory[place]:
                continue
            age += 1
            key = values[near]
            if compact:
                square = 0.0
                for axis in range(strides.size):
                    square += ((away[axis] + ways[i, axis]) * lengths[axis]) ** 2
                key += compactness * np.sqrt(square)
            else:
                labels[near] = labels[place]
            _push(keys, ages, places, sources, n, key, age, near, source)
            n += 1
    state[0], state[1] = n, age
    return n == 0


@_fast
def spread(values, territory, labels, steps, lows, highs, most, state, queue):
    """Grow labels over voxels whose values lie within bounds, evenly; true when all is done.

    `values` are (C, N); `lows` and `highs` (L, C), bounds by label - 1. `state` holds the first
    and the last place of the queue.
    """
    first, last = state[0], state[1]
    stop = first + most
    while first < last and first < stop:
        place = queue[first]
        first += 1
        label = labels[place]
        for i in range(steps.size):
            near = place + steps[i]
            if labels[near] != 0 or territory[near] != territory[place]:
                continue
            fits = True
            for c in range(values.shape[0]):
                value = values[c, near]
                if value < lows[label - 1, c] or value > highs[label - 1, c]:
                    fits = False
                    break
            if fits:
                labels[near] = label
                queue[last] = near
                last += 1
    state[0], state[1] = first, last
    return first == last


@_fast
def _root(parents, place):
    while parents[place] != place:
        parents[place] = parents[parents[place]]
        place = parents[place]
    return place


@_fast
def join_falling(values, territory, order, steps, first, last, parents, depths):
    """Join voxels in the order of falling values, places `first` to `last` of it.

    `parents` is -1 where nothing has been. When two peaks meet, the lower one's `depths` becomes
    how far it rises above the place where they meet; it is -1 for all other voxels.
    """
    for n in range(first, last):
        place = order[n]
        best = place
        parents[place] = place
        for i in range(steps.size):
            near = place + steps[i]
            if territory[near] != territory[place] or parents[near] < 0:
                continue
            root = _root(parents, near)
            if root == best:
                continue
            if best == place:
                parents[place] = root
                best = root
                continue
            # Of equal peaks the one that came first stays.
            lower = root
            if values[root] > values[best] or (values[root] == values[best] and root < best):
                lower, best = best, root
            depths[lower] = values[lower] - values[place]
            parents[lower] = best


@_fast
def measure_last(values, order, parents, depths):
    """Give peaks that met no higher one their height above the lowest voxel of their part."""
    for n in range(order.size - 1, -1, -1):
        place = order[n]
        root = _root(parents, place)
        if depths[root] < 0:
            depths[root] = values[root] - values[place]
