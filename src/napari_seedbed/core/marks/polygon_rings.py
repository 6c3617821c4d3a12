"""Polygons with holes as rings: nested, joined into one line by bridges, and taken apart again.

All coordinates are (row, column); rings are closed, and their first point is not repeated.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Polygon = tuple[Floats, ...]
"""The outer ring and its holes."""

_FEWEST = 3
# Pairs of corners that a bridge is tried between, the nearest first.
_MOST_BRIDGES = 2000


def signed_area(ring: Floats) -> float:
    """What a ring encloses, its sign that of the sense of rotation."""
    y, x = (ring - ring[0]).T
    return float(y @ np.roll(x, -1) - x @ np.roll(y, -1)) / 2


def loops(ring: Floats) -> list[Floats]:
    """The rings that a line runs through which comes back to its corners.

    What it runs along twice, there and back, belongs to none of them.
    """
    found: list[Floats] = []
    path: list[tuple[float, ...]] = []
    places: dict[tuple[float, ...], int] = {}
    for point in map(tuple, ring.tolist()):
        if point in places:
            first = places[point]
            if len(path) - first >= _FEWEST:
                found.append(np.array(path[first:]))
            for gone in path[first + 1 :]:
                del places[gone]
            del path[first + 1 :]
        else:
            places[point] = len(path)
            path.append(point)
    if len(path) >= _FEWEST:
        found.append(np.array(path))
    return found


def nested(rings: Sequence[Floats]) -> list[Polygon]:
    """Polygons of rings by the even-odd rule: what lies in one other ring is a hole in it.

    What lies in that hole is a polygon of its own, and so on. Rings are expected not to cross.
    """
    from skimage.measure import points_in_poly

    known = sorted(
        (ring for ring in rings if len(ring) >= _FEWEST and signed_area(ring) != 0),
        key=lambda ring: -abs(signed_area(ring)),
    )
    inside = np.array([_point_inside(ring) for ring in known]).reshape(-1, 2)
    around: list[list[int]] = [[] for _ in known]
    for outer, ring in enumerate(known):
        later = inside[outer + 1 :]
        boxed = ((later >= ring.min(axis=0)) & (later <= ring.max(axis=0))).all(axis=1)
        for nth in np.flatnonzero(boxed):
            if points_in_poly(later[nth : nth + 1], ring)[0]:
                around[outer + 1 + int(nth)].append(outer)
    holes: dict[int, list[Floats]] = {
        n: [] for n, outside in enumerate(around) if not len(outside) % 2
    }
    for n, outside in enumerate(around):
        if len(outside) % 2:
            holes[outside[-1] if outside[-1] in holes else outside[0]].append(known[n])
    return [(known[n], *inner) for n, inner in holes.items()]


def bridged(polygon: Polygon) -> Floats:
    """One ring around a polygon with holes, which runs to each hole and back on the same way.

    Filled by the even-odd rule it is the polygon; `loops` takes it apart.
    """
    ring, waiting = polygon[0], list(polygon[1:])
    if not waiting:
        return ring
    while waiting:
        reach = [_nearest(ring, hole)[0] for hole in waiting]
        hole = waiting.pop(int(np.argmin(reach)))
        start, stop = _bridge(ring, hole, [*waiting])
        turned = np.roll(hole, -stop, axis=0)
        parts = [ring[: start + 1], turned, turned[:1], ring[start:]]
        ring = np.concatenate(parts)
    return _without_repeats(ring)


def _nearest(ring: Floats, hole: Floats) -> tuple[float, int, int]:
    from scipy.spatial import KDTree

    away, place = KDTree(ring).query(hole)
    nth = int(np.argmin(away))
    return float(away[nth]), int(place[nth]), nth


def _bridge(ring: Floats, hole: Floats, others: Sequence[Floats]) -> tuple[int, int]:
    """The corners of a ring and a hole that the shortest way joins which crosses nothing."""
    away, start, stop = _nearest(ring, hole)
    if away == 0:
        return start, stop
    sides = [np.stack([line, np.roll(line, -1, axis=0)], axis=1) for line in (ring, hole, *others)]
    edges = np.concatenate(sides)
    if _is_free(ring[start], hole[stop], edges):
        return start, stop
    lengths = ((ring[:, None] - hole) ** 2).sum(axis=2).ravel()
    for place in np.argsort(lengths, kind="stable")[:_MOST_BRIDGES].tolist():
        first, second = divmod(place, len(hole))
        if _is_free(ring[first], hole[second], edges):
            return first, second
    return start, stop


def _is_free(a: Floats, b: Floats, edges: NDArray[np.float64]) -> bool:
    """Whether a segment crosses none of the edges; at its own ends it may touch them."""
    p, q = edges[:, 0], edges[:, 1]
    mine = ((p == a) | (p == b)).all(axis=1) | ((q == a) | (q == b)).all(axis=1)
    sides = _turn(a, b, p) * _turn(a, b, q) <= 0
    across = _turn(p, q, a) * _turn(p, q, b) <= 0
    return not bool((sides & across & ~mine).any())


def _turn(a: Floats, b: Floats, c: Floats) -> NDArray[np.float64]:
    one, other = b - a, c - a
    return np.sign(one[..., 0] * other[..., 1] - one[..., 1] * other[..., 0])


def _point_inside(ring: Floats) -> Floats:
    """A point between the first two sides that a row half-way between corners crosses."""
    rows = np.unique(ring[:, 0])
    gaps = np.diff(rows)
    row = float(rows[np.argmax(gaps)] + gaps.max() / 2)
    (y, x), (to_y, to_x) = ring.T, np.roll(ring, -1, axis=0).T
    met = (y > row) != (to_y > row)
    crossings = np.sort(x[met] + (row - y[met]) / (to_y - y)[met] * (to_x - x)[met])
    return np.array([row, crossings[:2].mean()])


def _without_repeats(ring: Floats) -> Floats:
    kept = (ring != np.roll(ring, 1, axis=0)).any(axis=1)
    return ring[kept]
