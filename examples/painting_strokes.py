"""How a person's stroke becomes pixels: a round brush drawn through some places."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

BRUSH_RADIUS = 1.3

Point = tuple[float, float]


def rounded(corners: Sequence[Point], rounds: int = 3) -> list[Point]:
    """Round a polyline off by cutting its corners (Chaikin 1974), as a hand would draw it."""
    points = list(corners)
    for _ in range(rounds):
        cut = [points[0]]
        for (y0, x0), (y1, x1) in pairwise(points):
            cut.append((0.75 * y0 + 0.25 * y1, 0.75 * x0 + 0.25 * x1))
            cut.append((0.25 * y0 + 0.75 * y1, 0.25 * x0 + 0.75 * x1))
        points = [*cut, points[-1]]
    return points


def dots_along(points: Sequence[Point], step: float = 0.5) -> Iterator[Point]:
    """Yield close places along a polyline."""
    for (y0, x0), (y1, x1) in pairwise(points):
        steps = max(1, round(np.hypot(y1 - y0, x1 - x0) / step))
        for k in range(steps + 1):
            yield y0 + (y1 - y0) * k / steps, x0 + (x1 - x0) * k / steps


def stroke_mask(corners: Sequence[Point], shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Return the pixels that a round brush covers when it is drawn through some places.

    Parameters
    ----------
    corners : sequence of (y, x)
    shape : (int, int)

    Returns
    -------
    mask : (Y, X) ndarray of bool
    """
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    mask = np.zeros(shape, bool)
    for y, x in dots_along(rounded(corners)):
        mask |= (rows - y) ** 2 + (columns - x) ** 2 <= BRUSH_RADIUS**2
    return mask


def painted(
    strokes: Iterable[tuple[int, Sequence[Point]]], shape: tuple[int, int]
) -> NDArray[np.int32]:
    """Return strokes as labels on a (Y, X) grid; later ones cover earlier ones.

    Parameters
    ----------
    strokes : iterable of (label, corners)
        Corners as (y, x).
    shape : (int, int)
    """
    seeds = np.zeros(shape, np.int32)
    for label, corners in strokes:
        seeds[stroke_mask(corners, shape)] = label
    return seeds
