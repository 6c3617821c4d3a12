"""Strokes that a person would paint on two slices of the nuclei, to try the random walker on.

The places were chosen by eye, looking at the slices; the hand-made truth played no part.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

BACKGROUND = 1
BRUSH_RADIUS = 1.3

Point = tuple[float, float]

# Slice, label, and the corners of the stroke as (y, x).
STROKES: tuple[tuple[int, int, Sequence[Point]], ...] = (
    (40, BACKGROUND, [(35, 6), (38, 20), (44, 33), (47, 48), (49, 66), (39, 81), (22, 80)]),
    (40, BACKGROUND, [(48, 4), (58, 7), (64, 12)]),
    (40, BACKGROUND, [(96, 27), (90, 31), (84, 37), (73, 48), (60, 50)]),
    (40, BACKGROUND, [(92, 66), (80, 70), (72, 78), (72, 92)]),
    (40, BACKGROUND, [(4, 33), (14, 36), (22, 46), (12, 62)]),
    (40, 2, [(55, 32), (62, 25), (70, 24), (77, 30), (72, 36)]),
    (40, 3, [(84, 47), (90, 43), (96, 48), (92, 55)]),
    (40, 4, [(50, 92), (55, 86), (62, 89), (60, 96)]),
    (40, 5, [(82, 91), (88, 94), (95, 97)]),
    (40, 6, [(4, 10), (12, 17), (20, 14), (24, 6)]),
    (60, BACKGROUND, [(4, 6), (12, 14), (22, 15), (8, 24)]),
    (60, BACKGROUND, [(44, 8), (47, 24), (48, 44), (38, 52), (24, 55), (12, 54)]),
    (60, BACKGROUND, [(60, 6), (70, 14), (82, 19), (94, 20)]),
    (60, BACKGROUND, [(54, 64), (66, 67), (84, 70), (88, 84), (80, 96), (66, 97)]),
    (60, BACKGROUND, [(54, 70), (53, 82), (50, 95), (36, 96), (22, 92), (19, 78), (28, 67)]),
    (60, BACKGROUND, [(80, 48), (84, 58), (94, 62)]),
    (60, 7, [(33, 79), (34, 87), (42, 87), (44, 78)]),
    (60, 8, [(61, 81), (66, 76), (74, 80), (76, 88), (66, 89)]),
    (60, 9, [(89, 37), (95, 42), (90, 49)]),
    (60, 10, [(80, 3), (86, 6), (91, 7)]),
)


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


def painted_seeds(shape: tuple[int, int, int]) -> NDArray[np.int32]:
    """Return all strokes as labels on a (Z, Y, X) grid."""
    seeds = np.zeros(shape, np.int32)
    for z, label, corners in STROKES:
        seeds[z][stroke_mask(corners, shape[1:])] = label
    return seeds
