"""Windows of filters, balls and boxes, as rows along the last axis."""

import itertools
import math
from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.filters.local_filters import half_width
from napari_seedbed.errors import InputError

Window = Literal["ball", "box"]


def window_halo(radius: float, spacing: Sequence[float]) -> tuple[int, ...]:
    """Return how many voxels a window reaches along each axis."""
    return tuple(half_width(radius, step) for step in spacing)


def window_rows(
    radius: float,
    spacing: Sequence[float],
    window: Window,
    limits: Sequence[int] | None = None,
) -> NDArray[np.int64]:
    """Return the rows that make up a window.

    Parameters
    ----------
    radius : float
        Half of the window's width in the unit of `spacing`: voxels whose centre is no farther
        belong to it.
    spacing : sequence of float
        Voxel size along the spatial axes.
    window : {'ball', 'box'}
        A ball is an ellipsoid of voxels where these are not cubes.
    limits : sequence of int, optional
        How many voxels along each axis are enough to each side.

    Returns
    -------
    (N, 3) ndarray
        Offsets in z and y, and how many voxels the row has on each side of its middle one. In 2D
        the offsets in z are 0.

    Raises
    ------
    InputError
        For another window.
    """
    if window not in ("ball", "box"):
        raise InputError(f"window is {window!r}; it must be ball or box.")
    widths = list(window_halo(radius, spacing))
    if limits is not None:
        widths = [min(width, limit) for width, limit in zip(widths, limits, strict=True)]
    steps = list(spacing)
    while len(widths) < 3:
        widths.insert(0, 0)
        steps.insert(0, 1.0)
    ranges = [range(-width, width + 1) for width in widths[:2]]
    rows = []
    for z, y in itertools.product(*ranges):
        width = widths[2]
        if window == "ball":
            left = (radius * (1 + 1e-9)) ** 2 - (z * steps[0]) ** 2 - (y * steps[1]) ** 2
            if left < 0 and (z or y):
                continue
            width = min(width, half_width(math.sqrt(max(left, 0.0)), steps[2]))
        rows.append((z, y, width))
    return np.array(rows, np.int64)
