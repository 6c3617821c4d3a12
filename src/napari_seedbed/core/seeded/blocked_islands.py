"""What looks like an object and hangs together with none's seeds, in a volume of many blocks.

Each block tells its connected parts, parts are joined over the sides of blocks, and what holds no
seed is given to the background, as `drop_islands` does in memory.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import find_objects
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from skimage.measure import label as label_parts

from napari_seedbed.core.seeded.stored_volumes import BlockGrid


@dataclass(frozen=True, eq=False)
class ConnectedParts:
    """Connected parts of the objects in a block, each of one label.

    Attributes
    ----------
    labels : (P,) ndarray of int32
        Label of each part.
    has_seed : (P,) ndarray of bool
    sides : dict of (axis, is_last) to (M, N) ndarray of int32
        Parts at the first and last voxels along each axis, from 1; 0 where there is none. Sides
        without any are left out.
    """

    labels: NDArray[np.int32]
    has_seed: NDArray[np.bool_]
    sides: dict[tuple[int, bool], NDArray[np.int32]]


def numbered_parts(
    labels: NDArray[np.int32], background: Sequence[int]
) -> tuple[NDArray[np.int32], tuple[slice, ...]] | None:
    """Number the connected parts of objects from 1, in a box that holds them; None where none is.

    Parameters
    ----------
    labels : (Z, Y, X) ndarray of int32
        0 where there is none.
    background : sequence of int
        Labels that are no objects.
    """
    is_object = labels != 0
    for label in background:
        is_object &= labels != label
    found = find_objects(is_object.view(np.uint8))
    if not found:
        return None
    box = found[0]
    parts = label_parts(np.where(is_object[box], labels[box], 0), background=0, connectivity=1)
    return parts.astype(np.int32, copy=False), box


def connected_parts(
    labels: NDArray[np.int32],
    background: Sequence[int],
    seeds: tuple[NDArray[np.integer], ...],
) -> ConnectedParts:
    """Return the connected parts of a block.

    Parameters
    ----------
    labels, background :
        As for `numbered_parts`.
    seeds : tuple of three (S,) ndarray
        Places of objects' seeds in the block.
    """
    found = numbered_parts(labels, background)
    if found is None:
        return ConnectedParts(np.empty(0, np.int32), np.empty(0, np.bool_), {})
    parts, box = found
    count = int(parts.max())
    of_parts = np.empty(count + 1, np.int32)
    of_parts[parts] = labels[box]
    has_seed = np.zeros(count + 1, np.bool_)
    has_seed[parts[tuple(p - s.start for p, s in zip(seeds, box, strict=True))]] = True
    sides = {}
    for axis in range(3):
        for is_last in (False, True):
            end = labels.shape[axis] if is_last else 0
            if (box[axis].stop if is_last else box[axis].start) != end:
                continue
            side = np.zeros([n for other, n in enumerate(labels.shape) if other != axis], np.int32)
            place = tuple(own for other, own in enumerate(box) if other != axis)
            side[place] = np.take(parts, -1 if is_last else 0, axis)
            sides[axis, is_last] = side
    return ConnectedParts(of_parts[1:], has_seed[1:], sides)


def find_islands(
    parts: Sequence[ConnectedParts], grid: BlockGrid
) -> Mapping[int, NDArray[np.bool_]]:
    """Find the parts that hang together with no seed, in blocks that have any.

    Returns
    -------
    mapping of int to (P,) ndarray of bool
        For blocks with islands, which of their parts are.
    """
    first = np.append(0, np.cumsum([len(own.labels) for own in parts]))
    links = [np.empty((0, 2), np.int64)]
    for number, own in enumerate(parts):
        for axis in range(3):
            behind = grid.neighbour(number, axis)
            here = own.sides.get((axis, True))
            there = None if behind is None else parts[behind].sides.get((axis, False))
            if behind is None or here is None or there is None:
                continue
            both = (here > 0) & (there > 0)
            pairs = np.unique(np.stack([here[both], there[both]], axis=1), axis=0) - 1
            same = own.labels[pairs[:, 0]] == parts[behind].labels[pairs[:, 1]]
            links.append(pairs[same] + [first[number], first[behind]])
    total = int(first[-1])
    one, other = np.concatenate(links).T
    graph = coo_array((np.ones(len(one), np.bool_), (one, other)), shape=(total, total))
    groups = connected_components(graph, directed=False)[1] if total else np.empty(0, np.intp)
    has_seed = np.concatenate([np.empty(0, np.bool_), *(own.has_seed for own in parts)])
    is_held = np.zeros(int(groups.max(initial=-1)) + 1, np.bool_)
    is_held[groups[has_seed]] = True
    is_island = ~is_held[groups]
    return {
        number: is_island[a:b]
        for number, (a, b) in enumerate(itertools.pairwise(first))
        if is_island[a:b].any()
    }


def without_islands(
    labels: NDArray[np.int32],
    background: Sequence[int],
    is_island: NDArray[np.bool_],
    rest: int,
) -> NDArray[np.int32]:
    """Return the labels of a block, its islands given to `rest`."""
    found = numbered_parts(labels, background)
    assert found is not None
    parts, box = found
    out = labels.copy()
    out[box][np.append(False, is_island)[parts]] = rest
    return out
