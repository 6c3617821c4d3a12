"""Compiled loop that thins labelled objects and keeps how they hang together.

A voxel goes only if the object without it has as many pieces, holes and cavities as with it, looked
at again at the moment when it goes: then any object keeps them.

References
----------
Bertrand G, Malandain G (1994). A new characterization of three-dimensional simple points. Pattern
Recognition Letters 15(2), 169-175.
"""

from itertools import product

import numpy as np
from numba import njit

_fast = njit(nogil=True, cache=True, error_model="numpy")

PLACES = np.array(list(product((-1, 0, 1), repeat=3)))
_APART = np.abs(PLACES[:, None] - PLACES[None])
_MIDDLE = 13


def _bits(chosen):
    return (chosen * (1 << np.arange(27))).sum(axis=-1)


_NOT_MIDDLE = np.arange(27) != _MIDDLE
_FACES = int(_bits(np.abs(PLACES).sum(axis=1) == 1))
_NO_CORNERS = int(_bits((np.abs(PLACES).sum(axis=1) < 3) & _NOT_MIDDLE))
_TOUCHING = _bits((_APART.max(axis=2) == 1) & _NOT_MIDDLE)
"""Neighbours, at corners too, of each of the 27 places around a voxel, as bits."""

_BESIDE = _bits((_APART.sum(axis=2) == 1) & _NOT_MIDDLE)
"""Neighbours across a face."""


@_fast
def _reached(start, allowed, neighbours):
    """Bits of `allowed` that can be reached from the lowest bit of `start`."""
    found = start & -start
    before = 0
    while found != before:
        before = found
        for place in range(27):
            if found >> place & 1:
                found |= neighbours[place] & allowed
    return found


@_fast
def _may_go(labels, voxel, steps):
    """Whether an object is the same without a voxel, which is not the end of a line either."""
    own = 0
    for place in range(27):
        if place != 13 and labels[voxel + steps[place]] == labels[voxel]:
            own |= 1 << place
    # None or one bit: a voxel on its own, or the end of a line.
    if own & (own - 1) == 0:
        return False
    outside = ~own & _NO_CORNERS
    faces = outside & _FACES
    if faces == 0 or faces & ~_reached(faces, outside, _BESIDE):
        return False
    return own & ~_reached(own, own, _TOUCHING) == 0


@_fast
def peel(labels, voxels, steps, side):
    """Take voxels away that lie open to one side; return how many went.

    `labels` is the flat volume with a border of zeros, `voxels` where objects are in it, rising,
    `steps` (27,) how far the places around a voxel are from it in `labels`, and `side` one of them.
    """
    candidates = np.empty(voxels.size, np.int64)
    count = 0
    for voxel in voxels:
        here = labels[voxel]
        if here and labels[voxel + steps[side]] != here and _may_go(labels, voxel, steps):
            candidates[count] = voxel
            count += 1
    gone = 0
    for voxel in candidates[:count]:
        if _may_go(labels, voxel, steps):
            labels[voxel] = 0
            gone += 1
    return gone
