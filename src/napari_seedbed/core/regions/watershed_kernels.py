"""Compiled loops of the watershed: a queue of voxels by level and age, and how labels leave it.

Arrays are flat and have a border around them. A voxel of label 0 is free; those of the border, and
all that no label may enter, have a negative one. A step from a voxel to one of its neighbours is a
number to add to its place. A neighbour that is lower than the voxel it is reached from counts as
high as that one: levels never fall. Each loop does so many steps, keeps what it needs to go on in
its arguments, and says whether it is done.
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


@_inline
def _bucket(value, low, scale, count):
    """Which of `count` buckets a value belongs to; higher values never to a lower one."""
    position = (np.float64(value) - low) * scale
    if position <= 0:
        return 0
    return count - 1 if position >= count - 1 else int(position)


@_fast
def count_buckets(values, low, scale, counts):
    """Count the values of each bucket."""
    for value in values:
        counts[_bucket(value, low, scale, counts.size)] += 1


@_fast
def begin_levels(values, places_of_seeds, low, scale, ends, slots):
    """Put the seeds of a watershed into their buckets, which end at `ends`."""
    for place in places_of_seeds:
        bucket = _bucket(values[place], low, scale, ends.size)
        slots[ends[bucket]] = place
        ends[bucket] += 1


@_fast
def flood_levels(
    values, labels, territory, steps, low, scale, exact, begins, ends, slots, level_queue, most,
    state, keys, ages, places, sources,
):  # fmt: skip
    """Grow labels from low values to high; true when nothing is left.

    `slots` holds places of higher levels by bucket, from `begins` to `ends` and in the order of
    age; in `level_queue` are those of the present level. Where a bucket holds several values, not
    `exact`, its places go through a heap when their turn comes. `state` holds the bucket, what of
    its slots is left, the first and last of the level's queue, the length of the heap, the age of
    its youngest entry, and a voxel of the present level. It stops, too, when there may be no room
    in the heap for the neighbours of one more voxel. An empty `territory` is one territory.
    """
    bucket, at, end, first = state[0], state[1], state[2], state[3]
    last, n, age, leader = state[4], state[5], state[6], state[7]
    now = values[leader]
    parted = territory.size > 0
    done = False
    for _ in range(most):
        if n + steps.size > keys.size:
            break
        if at < end:
            place = slots[at]
            at += 1
            if not exact:
                age += 1
                _push(keys, ages, places, sources, n, values[place], age, place, place)
                n += 1
                continue
        elif n > 0 and (keys[0] == now or first == last):
            place = places[0]
            now, leader = keys[0], place
            _drop_first(keys, ages, places, sources, n)
            n -= 1
            # Through the queue: growing from here at once takes half as long again at 256³.
            level_queue[last] = place
            last += 1
            continue
        elif first < last:
            place = level_queue[first]
            first += 1
        else:
            bucket += 1
            while bucket < ends.size and begins[bucket] == ends[bucket]:
                bucket += 1
            if bucket == ends.size:
                done = True
                break
            at, end = begins[bucket], ends[bucket]
            first = last = 0
            if exact:
                leader = slots[at]
                now = values[leader]
            continue
        for i in range(steps.size):
            near = place + steps[i]
            if labels[near] != 0 or (parted and territory[near] != territory[place]):
                continue
            labels[near] = labels[place]
            value = values[near]
            if value <= now:
                level_queue[last] = near
                last += 1
                continue
            its = _bucket(value, low, scale, ends.size)
            if its > bucket:
                slots[ends[its]] = near
                ends[its] += 1
            else:
                age += 1
                _push(keys, ages, places, sources, n, value, age, near, near)
                n += 1
    state[0], state[1], state[2], state[3] = bucket, at, end, first
    state[4], state[5], state[6], state[7] = last, n, age, leader
    return done


@_fast
def begin_compact(values, places_of_seeds, keys, ages, places, sources):
    """Put the seeds of a compact watershed into its queue."""
    for n in range(places_of_seeds.size):
        place = places_of_seeds[n]
        _push(keys, ages, places, sources, n, values[place], n, place, place)


@_fast
def flood_compact(
    values, labels, territory, steps, ways, lengths, strides, compactness, best, most, state,
    keys, ages, places, sources,
):  # fmt: skip
    """Grow labels as `flood_levels`, where each unit of distance from the seed counts as height.

    `best` is the lowest level at which each voxel was reached so far. `state` holds the length of
    the heap and the age of its youngest entry. `ways` are the steps by axis, `lengths` those of a
    voxel and `strides` the steps along the axes.
    """
    n, age = state[0], state[1]
    parted = territory.size > 0
    away = np.zeros(strides.size)
    for _ in range(most):
        if n == 0 or n + steps.size > keys.size:
            break
        now, place, source = keys[0], places[0], sources[0]
        _drop_first(keys, ages, places, sources, n)
        n -= 1
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
            if labels[near] != 0 or (parted and territory[near] != territory[place]):
                continue
            square = 0.0
            for axis in range(strides.size):
                square += ((away[axis] + ways[i, axis]) * lengths[axis]) ** 2
            key = max(now, values[near] + compactness * np.sqrt(square))
            if key >= best[near]:
                continue
            best[near] = key
            age += 1
            _push(keys, ages, places, sources, n, key, age, near, source)
            n += 1
    state[0], state[1] = n, age
    return n == 0
