"""Nearest distances by lower envelopes of parabolas, one line of a grid after the other.

The smallest of ``(x - q)^2 + height(q)`` over all q is found for all x of a line in one sweep: from
left to right each parabola takes the place of those before it that it lies below.

References
----------
Pedro Felzenszwalb, Daniel Huttenlocher, "Distance transforms of sampled functions", Theory of
Computing 8 (2012) 415-428.
"""

from collections.abc import Sequence

import numpy as np
from numba import njit
from numpy.typing import NDArray

from napari_seedbed.core.threads import run_ranges, split

_fast = njit(nogil=True, cache=True, error_model="numpy")
_inline = njit(nogil=True, error_model="numpy", inline="always")

_LINES_PER_TASK = 16
_VOXELS_PER_TASK = 1 << 17


def nearest_distances(
    points: NDArray[np.float64], where: NDArray[np.bool_], spacing: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return how far the nearest of some points is from each voxel of a plane.

    Parameters
    ----------
    points : (N, 2) ndarray
        Rows and columns, whole numbers at voxel centres; at least one point.
    where : (Y, X) ndarray of bool
        Which voxels are looked at; the others stay 0.
    spacing : (2,) ndarray
        Voxel size.

    Returns
    -------
    (Y, X) ndarray
        Distances in the unit of the spacing. It takes Y * N steps.
    """
    y, x = (points[np.argsort(points[:, 1], kind="stable")] * spacing).T.copy()
    out = np.zeros(where.shape)
    rows = split(len(where), -(-len(where) // _LINES_PER_TASK))
    run_ranges(_nearest_in_rows, rows, y, x, where, spacing[0], spacing[1], out)
    return out


def lowest_parabolas(
    heights: NDArray[np.float64], spacing: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the smallest ``|p - q|^2 + height(q)`` over all voxels q, for each voxel p.

    Parameters
    ----------
    heights : (Y, X) ndarray
        Heights, infinite where there is no parabola.
    spacing : (2,) ndarray
        Voxel size.

    Returns
    -------
    (Y, X) ndarray
        Infinite if all heights are.
    """
    for length in (spacing[1], spacing[0]):
        out = np.empty_like(heights)
        lines = split(len(heights), -(-len(heights) // _LINES_PER_TASK))
        run_ranges(_lowest_in_lines, lines, heights, length, out)
        # The other axis next; in the end, as it was.
        heights = np.ascontiguousarray(out.T)
    return heights


def lowest_paraboloids(
    heights: NDArray[np.floating], spacing: Sequence[float]
) -> NDArray[np.float64]:
    """Return the smallest ``|p - q|^2 + height(q)`` over all voxels q, for each voxel p.

    Parameters
    ----------
    heights : (…) ndarray of float
        Finite heights.
    spacing : sequence of float
        Voxel size.

    Returns
    -------
    (…) ndarray
    """
    found = heights.astype(np.float64)
    for axis, length in enumerate(spacing):
        lines = np.ascontiguousarray(np.moveaxis(found, axis, -1))
        flat = lines.reshape(-1, lines.shape[-1])
        out = np.empty_like(flat)
        pieces = split(len(flat), -(-flat.size // _VOXELS_PER_TASK))
        run_ranges(_lowest_in_lines, pieces, flat, float(length), out)
        found = np.moveaxis(out.reshape(lines.shape), -1, axis)
    return np.ascontiguousarray(found)


@_inline
def _add_parabola(apex, height, apices, heights, starts, n):
    """Add a parabola on the right of `n` others, of which each is the lowest from its start on;
    return how many there are then."""
    start = -np.inf
    while n > 0:
        step = apex - apices[n - 1]
        rise = height - heights[n - 1]
        if step == 0:
            # Of two on one spot the lower counts.
            if rise >= 0:
                return n
        else:
            start = rise / (2 * step) + (apex + apices[n - 1]) / 2
            if start > starts[n - 1]:
                break
        start = -np.inf
        n -= 1
    apices[n], heights[n], starts[n] = apex, height, start
    return n + 1


@_fast
def _nearest_in_rows(first, last, y, x, where, height, width, out):
    apices, heights, starts = np.empty(len(x)), np.empty(len(x)), np.empty(len(x))
    for row in range(first, last):
        if not where[row].any():
            continue
        n = 0
        for i in range(len(x)):
            n = _add_parabola(x[i], (y[i] - row * height) ** 2, apices, heights, starts, n)
        k = 0
        for column in range(where.shape[1]):
            place = column * width
            while k + 1 < n and starts[k + 1] < place:
                k += 1
            if where[row, column]:
                out[row, column] = np.sqrt((place - apices[k]) ** 2 + heights[k])


@_fast
def _lowest_in_lines(first, last, values, length, out):
    size = values.shape[1]
    apices, heights, starts = np.empty(size), np.empty(size), np.empty(size)
    for line in range(first, last):
        n = 0
        for i in range(size):
            if values[line, i] < np.inf:
                n = _add_parabola(i * length, values[line, i], apices, heights, starts, n)
        k = 0
        for i in range(size):
            place = i * length
            while k + 1 < n and starts[k + 1] < place:
                k += 1
            out[line, i] = (place - apices[k]) ** 2 + heights[k] if n > 0 else np.inf
