"""Compiled loops that find which regions touch, and join them step by step."""

import numpy as np
from numba import njit

_fast = njit(nogil=True, cache=True, error_model="numpy")

EMPTY = -1


@_fast
def _slot(keys, key):
    """Where a key is in a table whose size is a power of two, or the empty place for it."""
    place = (key * np.int64(-7046029254386353131) >> np.int64(20)) & (keys.size - 1)
    while keys[place] != key and keys[place] != EMPTY:
        place = (place + 1) & (keys.size - 1)
    return place


@_fast
def move_table(old_keys, old_lengths, old_sums, keys, lengths, sums):
    """Put the entries of one table into a larger one."""
    for i in range(old_keys.size):
        if old_keys[i] != EMPTY:
            place = _slot(keys, old_keys[i])
            keys[place], lengths[place], sums[place] = old_keys[i], old_lengths[i], old_sums[i]


@_fast
def touching(numbers, heights, areas, first, last, n_regions, keys, lengths, sums, used):
    """Measure where regions touch, in lines `first` to `last`; return the line that is next.

    It stops before the table may become more than half full. `numbers` (Z, Y, X) are 0 where no
    region is; the key of a pair is ``lower * n_regions + higher``. `areas` are those of a face
    across each axis; `used[0]` counts entries.
    """
    n_z, n_y, n_x = numbers.shape
    reach = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1]])
    last_key, last_slot = np.full(3, EMPTY, np.int64), np.zeros(3, np.int64)
    for line in range(first, last):
        if 2 * (used[0] + 3 * n_x) > keys.size:
            return line
        z, y = line // n_y, line % n_y
        for axis in range(3):
            z_near, y_near, dx = z + reach[axis, 0], y + reach[axis, 1], reach[axis, 2]
            if z_near >= n_z or y_near >= n_y:
                continue
            for x in range(n_x - dx):
                one, two = numbers[z, y, x], numbers[z_near, y_near, x + dx]
                if one == two or one == 0 or two == 0:
                    continue
                low, high = min(one, two) - 1, max(one, two) - 1
                key = np.int64(low) * n_regions + high
                if key == last_key[axis]:
                    place = last_slot[axis]
                else:
                    place = _slot(keys, key)
                    if keys[place] == EMPTY:
                        keys[place] = key
                        used[0] += 1
                    last_key[axis], last_slot[axis] = key, place
                lengths[place] += areas[axis]
                mean = 0.5 * (heights[z, y, x] + heights[z_near, y_near, x + dx])
                sums[place] += areas[axis] * mean
    return last


@_fast
def _root(parents, i):
    while parents[i] != i:
        parents[i] = parents[parents[i]]
        i = parents[i]
    return i


@_fast
def join_by_weight(edges, order, n_regions, joined, steps):
    """Join along edges in the order given; write who was joined by which edge; return how often.

    The i-th step joins nodes ``joined[i]`` to node ``n_regions + i``; regions are the first nodes.
    """
    parents = np.arange(n_regions)
    nodes = np.arange(n_regions)
    n = 0
    for i in range(order.size):
        edge = order[i]
        a, b = _root(parents, edges[edge, 0]), _root(parents, edges[edge, 1])
        if a == b:
            continue
        joined[n, 0], joined[n, 1] = nodes[a], nodes[b]
        steps[n] = edge
        parents[b] = a
        nodes[a] = n_regions + n
        n += 1
    return n


@_fast
def _push(keys, items, n, key, item):
    while n > 0:
        parent = (n - 1) // 2
        if keys[parent] < key or (keys[parent] == key and items[parent] <= item):
            break
        keys[n], items[n] = keys[parent], items[parent]
        n = parent
    keys[n], items[n] = key, item


@_fast
def _drop_first(keys, items, n):
    n -= 1
    key, item = keys[n], items[n]
    here = 0
    while True:
        child = 2 * here + 1
        if child >= n:
            break
        other = child + 1
        if other < n and (
            keys[other] < keys[child]
            or (keys[other] == keys[child] and items[other] < items[child])
        ):
            child = other
        if key < keys[child] or (key == keys[child] and item < items[child]):
            break
        keys[here], items[here] = keys[child], items[child]
        here = child
    keys[here], items[here] = key, item


@_fast
def _difference(means, a, b):
    square = 0.0
    for c in range(means.shape[1]):
        away = means[a, c] - means[b, c]
        square += away * away
    return np.sqrt(square)


@_fast
def join_lowest_first(edges, by_colour, means, counts, lengths, sums, joined, heights):
    """Join the two regions of the lowest weight, renew the weights around, and so on.

    Weights are differences of mean colours, or mean heights along boundaries. `means`, `counts`,
    `lengths` and `sums` are changed. Returns how many steps were made, as `join_by_weight`.
    """
    n_regions, n_edges = counts.size, edges.shape[0]
    # Half edge 2e begins at the first region of edge e, 2e + 1 at the second; each region has a
    # list of those that begin there.
    ends = np.empty(2 * n_edges, np.int64)
    after = np.full(2 * n_edges, EMPTY, np.int64)
    heads, tails = np.full(n_regions, EMPTY, np.int64), np.full(n_regions, EMPTY, np.int64)
    weights, keys_of = np.empty(n_edges), np.empty(n_edges)
    gone = np.zeros(n_edges, np.bool_)
    heap_keys, heap_items = np.empty(2 * n_edges + 16), np.empty(2 * n_edges + 16, np.int64)
    n_heap = 0
    for e in range(n_edges):
        for side in range(2):
            half, region = 2 * e + side, edges[e, side]
            ends[half] = region
            if heads[region] == EMPTY:
                heads[region] = half
            else:
                after[tails[region]] = half
            tails[region] = half
        a, b = edges[e, 0], edges[e, 1]
        weights[e] = _difference(means, a, b) if by_colour else sums[e] / lengths[e]
        keys_of[e] = weights[e]
        _push(heap_keys, heap_items, n_heap, weights[e], e)
        n_heap += 1
    nodes = np.arange(n_regions)
    seen, edge_to = np.full(n_regions, EMPTY, np.int64), np.empty(n_regions, np.int64)
    n = 0
    while n_heap > 0:
        key, edge = heap_keys[0], heap_items[0]
        _drop_first(heap_keys, heap_items, n_heap)
        n_heap -= 1
        if gone[edge] or key != keys_of[edge]:
            continue
        if weights[edge] > key:
            # It has risen since; only now does that matter.
            keys_of[edge] = weights[edge]
            _push(heap_keys, heap_items, n_heap, weights[edge], edge)
            n_heap += 1
            continue
        a, b = ends[2 * edge], ends[2 * edge + 1]
        joined[n, 0], joined[n, 1] = nodes[a], nodes[b]
        heights[n] = key
        nodes[a] = n_regions + n
        n += 1
        gone[edge] = True
        total = counts[a] + counts[b]
        for c in range(means.shape[1]):
            means[a, c] = (means[a, c] * counts[a] + means[b, c] * counts[b]) / total
        counts[a] = total
        after[tails[a]] = heads[b]
        half, before = heads[a], EMPTY
        heads[a] = tails[a] = EMPTY
        while half != EMPTY:
            following = after[half]
            e = half // 2
            ends[half] = a
            other = ends[half ^ 1]
            if other in (a, b):
                gone[e] = True
            elif not gone[e] and seen[other] == n:
                kept = edge_to[other]
                lengths[kept] += lengths[e]
                sums[kept] += sums[e]
                gone[e] = True
            if not gone[e]:
                seen[other], edge_to[other] = n, e
                if before == EMPTY:
                    heads[a] = half
                else:
                    after[before] = half
                before = half
            half = following
        tails[a] = before
        if before != EMPTY:
            after[before] = EMPTY
        half = heads[a]
        while half != EMPTY:
            e = half // 2
            weights[e] = (
                _difference(means, a, ends[half ^ 1]) if by_colour else sums[e] / lengths[e]
            )
            if weights[e] < keys_of[e]:
                keys_of[e] = weights[e]
                if n_heap == heap_keys.size:
                    heap_keys = np.concatenate((heap_keys, np.empty_like(heap_keys)))
                    heap_items = np.concatenate((heap_items, np.empty_like(heap_items)))
                _push(heap_keys, heap_items, n_heap, weights[e], e)
                n_heap += 1
            half = after[half]
    return n


@_fast
def first_of_each(ups, n_regions, roots, firsts, groups):
    """Write for each region the lowest region that it is joined with.

    `ups` says which node each was joined to, -1 for none; that always comes later.
    """
    for node in range(ups.size - 1, -1, -1):
        roots[node] = node if ups[node] < 0 else roots[ups[node]]
    for region in range(n_regions - 1, -1, -1):
        firsts[roots[region]] = region
    for region in range(n_regions):
        groups[region] = firsts[roots[region]]
