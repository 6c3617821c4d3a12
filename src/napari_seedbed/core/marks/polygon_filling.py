"""Voxels inside of polygons with holes."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.marks.outlines import fill_outline
from napari_seedbed.core.marks.polygon_rings import Polygon

_ROUNDING = 1e-9


def filled_polygons(
    polygons: Sequence[Polygon], shape: Sequence[int]
) -> tuple[tuple[slice, slice], NDArray[np.bool_]]:
    """Which voxels of a slice lie inside of polygons of one object.

    Parameters
    ----------
    polygons : sequence of tuple of (N, 2) ndarray
        The outer ring of each, and its holes, in voxel coordinates.
    shape : sequence of 2 ints
        Shape of the slice.

    Returns
    -------
    box : tuple of slice
        The part of the slice around the polygons; empty where all of them lie outside.
    mask : ndarray of bool
        Of that part: a voxel lies inside if its centre does, or lies on an outer ring.
    """
    corners = np.concatenate([polygon[0] for polygon in polygons])
    low = np.clip(np.ceil(corners.min(axis=0) - _ROUNDING), 0, shape).astype(int)
    high = np.clip(np.floor(corners.max(axis=0) + _ROUNDING) + 1, low, shape).astype(int)
    window = (high - low).tolist()
    mask = np.zeros(window, bool)
    for polygon in polygons:
        part = fill_outline(polygon[0], low.tolist(), window)
        for hole in polygon[1:]:
            part &= ~fill_outline(hole, low.tolist(), window)
        mask |= part
    return (slice(int(low[0]), int(high[0])), slice(int(low[1]), int(high[1]))), mask
