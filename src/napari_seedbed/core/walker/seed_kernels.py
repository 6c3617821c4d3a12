"""The given voxels: what they mean for the groups of a hierarchy."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from numba import njit
from numpy.typing import NDArray

from napari_seedbed.core.walker.edge_weights import WeightArrays
from napari_seedbed.core.walker.graph_layout import LANES

_fast = njit(nogil=True, cache=True, fastmath=True, error_model="numpy")
_inner = njit(nogil=True, fastmath=True, error_model="numpy")

_ROUNDING = np.float32(1e-6)

Floats = NDArray[np.float32]


def pull_of_seeds(
    places: NDArray[np.int64],
    values: Floats,
    weights: WeightArrays,
    state: NDArray[np.uint8],
    group: NDArray[np.int32],
    n_groups: int,
) -> Floats:
    """Return how strongly given voxels pull at groups: the weights of their edges to unknown voxels
    of the group, times what they hold.

    Parameters
    ----------
    places : (S,) ndarray
        Flat indices of the given voxels.
    values : (S, K) ndarray
        What each holds in each solution.
    weights : tuple of three (Z, Y, X) ndarray
        Edges along z, y, x.
    state : (Z, Y, X) ndarray
        Not 0 where a voxel is given.
    group : (Z, Y, X) ndarray
        The group of each voxel, from 0.
    n_groups : int
        How many there are.

    Returns
    -------
    (K, n_groups) ndarray of float32
    """
    pull = np.zeros((values.shape[1], n_groups), np.float32)
    _, n_y, n_x = group.shape
    wz, wy, wx = (w.reshape(-1) for w in weights)
    _add_pull(
        places, values, n_y * n_x, n_x, wz, wy, wx, state.reshape(-1), group.reshape(-1), pull
    )
    return pull


def pull_on_groups(
    places: NDArray[np.int64],
    weights: WeightArrays,
    state: NDArray[np.uint8],
    group: NDArray[np.int32],
    n_groups: int,
) -> Floats:
    """Return the weights of the edges from given voxels to unknown ones of each group, (n_groups,).

    As `pull_of_seeds`, for voxels that hold 1.
    """
    ones = np.ones((places.size, 1), np.float32)
    return pull_of_seeds(places, ones, weights, state, group, n_groups)[0]


@contextmanager
def edges_lifted(places: NDArray[np.int64], weights: WeightArrays) -> Iterator[None]:
    """Set the edges of the given voxels of these flat indices to 0, for the time of a `with`
    statement."""
    _, n_y, n_x = weights[0].shape
    # Where a voxel lies at the border, `places - step` is at the other border: 0 in any case.
    sides = [
        (w.reshape(-1), step)
        for w, along in zip(weights, (n_y * n_x, n_x, 1), strict=True)
        for step in (0, along)
    ]
    lifted = [flat[places - step] for flat, step in sides]
    try:
        for flat, step in sides:
            flat[places - step] = 0
        yield
    finally:
        for (flat, step), values in zip(sides, lifted, strict=True):
            flat[places - step] = values


@_inner
def _add_pull_along(n, here, step, weight, values, state, group, pull):
    """Add the pull of the given voxel `here`, the n-th, across its two sides along an axis."""
    for ahead in range(2):
        edge = here if ahead else here - step
        other = edge + step if ahead else edge
        # Edges that would leave the grid have weight 0.
        if edge < 0 or weight[edge] == 0 or state[other] != 0:
            continue
        for k in range(pull.shape[0]):
            if values[n, k] != 0:
                pull[k, group[other]] += weight[edge] * values[n, k]


@_fast
def _add_pull(places, values, n_xy, n_x, wz, wy, wx, state, group, pull):
    for n in range(places.size):
        _add_pull_along(n, places[n], n_xy, wz, values, state, group, pull)
        _add_pull_along(n, places[n], n_x, wy, values, state, group, pull)
        _add_pull_along(n, places[n], np.int64(1), wx, values, state, group, pull)


@_fast
def cut_given_edges(
    places,
    n_xy,
    n_x,
    wz,
    wy,
    wx,
    state,
    group,
    node,
    slot,
    to,
    weight,
    parent,
    cut_edge,
    cut_weight,
):
    """Take the edges of the given voxels `places` out of the graphs of all levels.

    The arrays of the grid are flat. Writes the places in `weight` and what was there into
    `cut_edge` and `cut_weight`; without room in these it changes nothing. Returns how much room
    that needs.
    """
    last = node.size - 2
    n_cuts = 0
    for n in range(places.size):
        here = places[n]
        for side in range(6):
            # Forwards and back along z, y, x.
            step = n_xy if side < 2 else (n_x if side < 4 else 1)
            back = side % 2 == 1
            edge = here - step if back else here
            other = edge if back else here + step
            # An edge between two given voxels is cut once, from the one that comes first.
            if edge < 0 or (back and state[other] != 0):
                continue
            w = wz[edge] if side < 2 else (wy[edge] if side < 4 else wx[edge])
            # Edges that would leave the grid have weight 0.
            if w == 0:
                continue
            a, b = group[here], group[other]
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
