"""Surfaces of masks and exact distances to them, in compiled kernels.

Squared distances go along one axis after the other, in place, in one float array.

References
----------
Pedro Felzenszwalb, Daniel Huttenlocher, "Distance transforms of sampled functions", Theory of
Computing 8 (2012) 415-428.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from napari_seedbed.core.threads import run_ranges, split

_fast = njit(nogil=True, cache=True, error_model="numpy")

_VOXELS_PER_TASK = 1 << 18
_LINES_PER_BLOCK = 16


def surface_of(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which voxels of a mask have a face neighbour that is not of it.

    Parameters
    ----------
    mask : (Z, Y, X) ndarray of bool
        What lies beyond its border is not of it, but for axes of length 1, which are flat.

    Returns
    -------
    (Z, Y, X) ndarray of bool
    """
    out = np.empty_like(mask)
    n_rows = mask.shape[0] * mask.shape[1]
    run_ranges(
        _mark_surface, split(n_rows, 1 + mask.size // _VOXELS_PER_TASK), mask, out,
    )  # fmt: skip
    return out


def squared_distances(points: NDArray[np.bool_], spacing: tuple[float, ...]) -> NDArray[np.float32]:
    """Return the squared distance from each voxel to the nearest that is set.

    Parameters
    ----------
    points : (Z, Y, X) ndarray of bool
    spacing : (3,) tuple of float
        Voxel size; numbers near 1 keep what 32 bits can hold.

    Returns
    -------
    (Z, Y, X) ndarray of float32
        Infinite where nothing is set.
    """
    n_z, n_y, n_x = points.shape
    out = np.empty(points.shape, np.float32)
    parts = 1 + points.size // _VOXELS_PER_TASK
    rows = split(n_z * n_y, parts)
    run_ranges(
        _along_rows, rows, points.reshape(-1, n_x), spacing[2], out.reshape(-1, n_x),
    )  # fmt: skip
    passes = [(out, spacing[1]), (out.reshape(1, n_z, n_y * n_x), spacing[0])]
    for field, step in passes:
        if field.shape[1] > 1:
            blocks = field.shape[0] * -(-field.shape[2] // _LINES_PER_BLOCK)
            run_ranges(_along_columns, split(blocks, parts), field, step)
    return out


@_fast
def _mark_surface(first: int, last: int, mask: NDArray[np.bool_], out: NDArray[np.bool_]) -> None:
    n_z, n_y, n_x = mask.shape
    for row in range(first, last):
        z, y = row // n_y, row % n_y
        at_border = (n_z > 1 and (z == 0 or z == n_z - 1)) or (n_y > 1 and (y == 0 or y == n_y - 1))
        for x in range(n_x):
            if not mask[z, y, x]:
                out[z, y, x] = False
                continue
            outside = at_border or (n_x > 1 and (x == 0 or x == n_x - 1))
            if not outside:
                outside = (
                    (n_x > 1 and not (mask[z, y, x - 1] and mask[z, y, x + 1]))
                    or (n_y > 1 and not (mask[z, y - 1, x] and mask[z, y + 1, x]))
                    or (n_z > 1 and not (mask[z - 1, y, x] and mask[z + 1, y, x]))
                )
            out[z, y, x] = outside


@_fast
def _along_rows(
    first: int, last: int, points: NDArray[np.bool_], step: float, out: NDArray[np.float32]
) -> None:
    n = points.shape[1]
    for row in range(first, last):
        away = np.inf
        for x in range(n):
            away = 0.0 if points[row, x] else away + 1
            out[row, x] = away
        away = np.inf
        for x in range(n - 1, -1, -1):
            away = 0.0 if points[row, x] else away + 1
            nearest = min(away, out[row, x]) * step
            out[row, x] = nearest * nearest


@_fast
def _along_columns(first: int, last: int, field: NDArray[np.float32], step: float) -> None:
    """Lower envelopes of parabolas along the middle axis; lines go in blocks to spare the cache."""
    n, width = field.shape[1], field.shape[2]
    n_blocks = (width + _LINES_PER_BLOCK - 1) // _LINES_PER_BLOCK
    heights = np.empty((_LINES_PER_BLOCK, n), np.float64)
    apices = np.empty(n, np.int64)
    starts = np.empty(n, np.float64)
    square = step * step
    for block in range(first, last):
        outer, left = block // n_blocks, block % n_blocks * _LINES_PER_BLOCK
        n_lines = min(_LINES_PER_BLOCK, width - left)
        for i in range(n):
            for j in range(n_lines):
                heights[j, i] = field[outer, i, left + j]
        for j in range(n_lines):
            line = heights[j]
            n_parabolas = 0
            for i in range(n):
                if line[i] == np.inf:
                    continue
                start = -np.inf
                while n_parabolas > 0:
                    k = apices[n_parabolas - 1]
                    start = 0.5 * (i + k + (line[i] - line[k]) / (square * (i - k)))
                    if start > starts[n_parabolas - 1]:
                        break
                    start = -np.inf
                    n_parabolas -= 1
                apices[n_parabolas], starts[n_parabolas] = i, start
                n_parabolas += 1
            if n_parabolas == 0:
                continue
            k = 0
            for i in range(n):
                while k + 1 < n_parabolas and starts[k + 1] < i:
                    k += 1
                away = (i - apices[k]) * step
                field[outer, i, left + j] = away * away + line[apices[k]]
