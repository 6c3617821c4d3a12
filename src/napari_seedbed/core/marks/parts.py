"""Marks that lie in a part of an image."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

if TYPE_CHECKING:
    from napari_seedbed.core.marks.shapes import Shape


def points_within(points: ArrayLike, region: Sequence[slice]) -> NDArray[np.bool_]:
    """Return which points lie on voxels of a part of an image.

    Parameters
    ----------
    points : (N, D) array_like of float
        Voxel coordinates.
    region : sequence of slice
        One with a start and a stop for each axis.

    Returns
    -------
    (N,) ndarray of bool
    """
    places = np.asarray(points, np.float64)
    low, high = (
        np.array([getattr(part, end) for part in region], float) for end in ("start", "stop")
    )
    return np.asarray(((places >= low - 0.5) & (places < high - 0.5)).all(axis=1), bool)


def shapes_within(shapes: "Sequence[Shape]", region: Sequence[slice]) -> NDArray[np.intp]:
    """Return the places of the shapes of which any point lies on voxels of a part of an image.

    Parameters
    ----------
    shapes : sequence of Shape
    region : sequence of slice
        As in `points_within`.

    Returns
    -------
    (K,) ndarray of int
    """
    return np.flatnonzero([points_within(shape.points, region).any() for shape in shapes])


def moved_shape(shape: "Shape", by: ArrayLike) -> "Shape":
    """Return a shape at another place.

    Parameters
    ----------
    shape : Shape
    by : (D,) array_like of float
        Voxels along each axis.
    """
    return replace(shape, points=shape.points + np.asarray(by, np.float64))
