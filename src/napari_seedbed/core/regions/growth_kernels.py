"""Compiled loops that grow seeds over a grid, or join what is high, voxel by voxel.

Arrays are flat and have a border of one voxel of territory 0 around them, so that no neighbour
lies outside. A step from a voxel to one of its neighbours is a number to add to its place. Each
loop does so many steps, keeps what it needs to go on in its arguments, and says whether it is done.
"""

from numba import njit

_fast = njit(nogil=True, cache=True, error_model="numpy")


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
