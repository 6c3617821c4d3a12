"""One object from its strokes: the outline along the steepest slopes, in boxes of many sizes.

In each box walks from the strokes go against the box's rim. An object comes out best in a box a
little larger than itself, whose rim lies in the background and in its neighbours; which box that is
shows the steepness along the outline.

References
----------
Grady L (2006). Random walks for image segmentation. IEEE Trans. PAMI 28(11), 1768-1783.

Wang S, Siskind JM (2003). Image segmentation with ratio cut. IEEE Trans. PAMI 25(6), 675-690 (the
mean cost of an outline, which prefers no size).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from napari_seedbed.core.progress import check_stop
from napari_seedbed.core.seeded.basin_graphs import BasinGraph
from napari_seedbed.core.seeded.graph_walks import walk_probabilities

Floats = NDArray[np.float32]
Box = tuple[slice, slice, slice]

OBJECT, BACKGROUND = 0, 1

FIRST_MARGIN, GROWTH, MOST_BOXES = 8.0, 1.35, 13
"""The first box is so many of the finest voxels larger than the strokes on each side, each further
margin is so many times the last."""

MOST_VOXELS, MOST_LARGER = 1 << 22, 4
"""No box is larger than this, nor than so many times the first: what has no outline in it is not
what is wanted, and painting it would take seconds."""

FARTHEST_MARK = 80.0
"""A background farther from the strokes, in the finest voxel size, says nothing of the size."""

NEAR = 2.0
"""Strokes of the background are near that lie within so many margins."""

STEEPER, SAME = 1.05, 1.5
"""An outline must be so many times as steep as the best one to take its place; if it holds at most
so many times as much, it is the same object, and anything steeper will do."""

LEAST_STEEP = 1.2
"""An outline is none that is less steep than this many times the slopes of the image on the whole,
as their root mean square: larger boxes are tried then in any case."""

PATIENCE = 2
"""Boxes that give nothing steeper before no larger one is tried: touching objects together often
have a steeper outline than each of them."""

THRESHOLDS = (0.5, 0.35, 0.2)
"""The rim draws the middle of the walks inwards: outlines at lower probabilities are tried too."""

BESIDE_MARKS = THRESHOLDS[:2]
"""Those in a box where background is marked, which is not drawn so far inwards."""

FAR = 0.1
"""Basins less probable than this are background whatever they look like."""


@dataclass(frozen=True, eq=False)
class Grown:
    """An object as basins.

    Attributes
    ----------
    walks : (2, N) ndarray of float32
        How probable object and background are in each basin; they are equal on the outline.
    box : tuple of slice
        Holds all basins that may belong to the object.
    """

    walks: Floats
    box: Box


def grow_object(
    nodes: BasinGraph,
    weights: csr_array,
    given: NDArray[np.int32],
    strokes: NDArray[np.integer],
    background: NDArray[np.integer],
    steps: NDArray[np.float64],
    grounded: Callable[[Box], NDArray[np.bool_]],
    farthest: float = np.inf,
) -> Grown:
    """Find the basins of one object.

    Parameters
    ----------
    nodes : BasinGraph
        Split where they hold strokes of object and background.
    weights : (N, N) csr_array
        How well their faces conduct.
    given : (N,) ndarray of int32
        `OBJECT` or `BACKGROUND` where there are strokes, -1 elsewhere.
    strokes : (S, 3) ndarray of int
        Places of the object's strokes.
    background : (B, 3) ndarray of int
        Places of those of the background.
    steps : (3,) ndarray
        Voxel size, the finest being 1.
    grounded : callable
        Which basins of a box are no part of the object, (N,) of bool.
    farthest : float
        How far from the strokes the object may reach, in the finest voxel size.
    """
    best: _Outline | None = None
    without = 0
    for low, high in _boxes(nodes.basin.shape, strokes, background, steps, farthest):
        check_stop()
        found = _outline(nodes, weights, given, grounded, low, high)
        if found is None:
            break
        if best is None or found.steepness > STEEPER * best.steepness:
            best, without = found, 0
            continue
        if found.steepness > best.steepness and found.size < SAME * best.size:
            best = found
        without += best.steepness > LEAST_STEEP
        if without >= PATIENCE:
            break
    if best is None:
        # Nothing but the image's border is around it.
        everything = np.ones(nodes.count, np.float32)
        best = _Outline(0.0, 0.5, np.arange(nodes.count), everything, 0)
    seen = best.seen
    # The outline becomes the place of equal probabilities.
    probable = best.probable ** np.float32(np.log(0.5) / np.log(best.threshold))
    walks = np.zeros((2, nodes.count), np.float32)
    walks[OBJECT, seen] = np.where(probable > FAR, probable, 0)
    walks[BACKGROUND] = 1 - walks[OBJECT]
    held = walks[OBJECT] > 0
    ends = zip(nodes.low[held].min(axis=0), nodes.high[held].max(axis=0), strict=True)
    z, y, x = (slice(int(a), int(b)) for a, b in ends)
    return Grown(walks, (z, y, x))


@dataclass(frozen=True, eq=False)
class _Outline:
    """What walks in one box give.

    Attributes
    ----------
    steepness : float
        Mean slope along the outline.
    threshold : float
        Probability at the outline.
    seen : (M,) ndarray of int
        Basins that the box touches.
    probable : (M,) ndarray of float32
        How probable the object is there.
    size : int
        Voxels of the bounding boxes of its basins.
    """

    steepness: float
    threshold: float
    seen: NDArray[np.intp]
    probable: Floats
    size: int


def _outline(
    nodes: BasinGraph,
    weights: csr_array,
    given: NDArray[np.int32],
    grounded: Callable[[Box], NDArray[np.bool_]],
    low: NDArray[np.int64],
    high: NDArray[np.int64],
) -> _Outline | None:
    """The steepest outline in a box; None where nothing in it is background."""
    inside = _inside(nodes, low, high, nodes.basin.shape)
    seen = np.flatnonzero(inside.touched | (given == OBJECT))
    z, y, x = (slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
    closed = grounded((z, y, x))
    own = given[seen].copy()
    own[(own < 0) & (closed | ~inside.whole)[seen]] = BACKGROUND
    if not (own == BACKGROUND).any():
        return None
    probable = walk_probabilities(weights[seen][:, seen], own, 2, BACKGROUND)[OBJECT]
    everywhere = np.zeros(nodes.count, np.float32)
    everywhere[seen] = probable
    first, second = nodes.pair.T
    near = nodes.faces_at(seen[probable > 0])
    # Where it touches what is none of it, the outline is known, however steep it is.
    near = near[~(closed[first[near]] | closed[second[near]])]
    slope = np.sqrt(nodes.cost[near] / nodes.area[near])
    volume = np.prod(nodes.high[seen] - nodes.low[seen], axis=1)
    best = _Outline(0.0, THRESHOLDS[0], seen, probable, int(volume.sum()))
    is_marked = bool((given[seen] == BACKGROUND).any())
    for threshold in BESIDE_MARKS if is_marked else THRESHOLDS:
        taken = everywhere > threshold
        cut = np.flatnonzero(taken[first[near]] != taken[second[near]])
        if not cut.size:
            continue
        steepness = float(np.average(slope[cut], weights=nodes.area[near[cut]]))
        if steepness > best.steepness:
            size = int(volume[taken[seen]].sum())
            best = _Outline(steepness, threshold, seen, probable, size)
    return best


@dataclass(frozen=True, eq=False)
class _Inside:
    """Which basins a box touches, and which lie in it as a whole, (N,) of bool."""

    touched: NDArray[np.bool_]
    whole: NDArray[np.bool_]


def _inside(
    nodes: BasinGraph,
    low: NDArray[np.int64],
    high: NDArray[np.int64],
    shape: tuple[int, ...],
) -> _Inside:
    """Beyond the image's border there is nothing that a basin could reach into."""
    touched = np.all((nodes.low < high) & (nodes.high > low), axis=1)
    # A basin that ends exactly where the box does is on its rim.
    below = (nodes.low > low) | (low == 0)
    above = (nodes.high < high) | (high == np.array(shape))
    return _Inside(touched, touched & np.all(below & above, axis=1))


def _boxes(
    shape: tuple[int, ...],
    strokes: NDArray[np.integer],
    background: NDArray[np.integer],
    steps: NDArray[np.float64],
    farthest: float,
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Ends of ever larger boxes around the strokes, up to the whole image.

    Strokes of the background that are near lie within: else the rim, which is nearer, would say
    more than they do.
    """
    first, last = strokes.min(axis=0), strokes.max(axis=0) + 1
    before, most = -1, MOST_VOXELS
    start = FIRST_MARGIN
    if len(background):
        # Whoever marks what is beside an object shows how large it is.
        gaps = np.maximum(np.maximum(first - background, background - last + 1), 0) * steps
        nearest = float(gaps.max(axis=1).min())
        start = max(start, nearest) if nearest < FARTHEST_MARK else start
    for nth in range(MOST_BOXES):
        if nth and start * GROWTH**nth > farthest:
            return
        margin = np.maximum(np.rint(start * GROWTH**nth / steps), 2)
        low, high = first - margin, last + margin
        reach = np.rint(NEAR * margin)
        near = background[((background >= first - reach) & (background < last + reach)).all(axis=1)]
        if len(near):
            low = np.minimum(low, near.min(axis=0) - 2)
            high = np.maximum(high, near.max(axis=0) + 3)
        low = np.maximum(low, 0).astype(np.int64)
        high = np.minimum(high, shape).astype(np.int64)
        size = int(np.prod(high - low))
        if before < 0:
            most = max(most, MOST_LARGER * size)
        if size > most:
            return
        if size != before:
            yield low, high
        before = size
