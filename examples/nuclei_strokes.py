"""Strokes that a person would paint on two slices of the nuclei, to try seeded segmentation on.

The places were chosen by eye, looking at the slices; the hand-made truth played no part.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parent))
from painting_strokes import Point, painted

BACKGROUND = 1

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


def painted_seeds(shape: tuple[int, int, int]) -> NDArray[np.int32]:
    """Return all strokes as labels on a (Z, Y, X) grid."""
    seeds = np.zeros(shape, np.int32)
    for z in {z for z, _, _ in STROKES}:
        own = [(label, corners) for place, label, corners in STROKES if place == z]
        seeds[z] = painted(own, shape[1:])
    return seeds
