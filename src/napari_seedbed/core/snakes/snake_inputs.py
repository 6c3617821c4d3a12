"""What snakes begin with: starting masks, an edge map, and checks of their arguments."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from napari_seedbed.core.validation import (
    check_image,
    check_spatial_axes,
)
from napari_seedbed.errors import InputError

Mask = NDArray[np.int8]


def disk_level_set(
    image_shape: tuple[int, ...],
    *,
    center: tuple[float, ...] | None = None,
    radius: float | None = None,
) -> Mask:
    """Return a disc or ball as a mask.

    Parameters
    ----------
    image_shape : tuple of int
        Shape of the mask.
    center : tuple of float, optional
        Its centre in voxels; the middle of the image by default.
    radius : float, optional
        Its radius in voxels; by default 3/8 of the shortest side.

    Returns
    -------
    (M, N[, P]) ndarray of int8
    """
    middle = tuple(n // 2 for n in image_shape) if center is None else center
    if len(middle) != len(image_shape):
        raise InputError(
            f"center has {len(middle)} numbers; it must have {len(image_shape)}, one an axis."
        )
    reach = min(image_shape) * 3.0 / 8.0 if radius is None else radius
    squares = [
        ((np.arange(n) - c) ** 2).reshape([-1 if a == axis else 1 for a in range(len(middle))])
        for axis, (n, c) in enumerate(zip(image_shape, middle, strict=True))
    ]
    distance = np.sqrt(np.sum(np.broadcast_arrays(*squares), axis=0))
    return (reach - distance > 0).astype(np.int8)


def checkerboard_level_set(image_shape: tuple[int, ...], square_size: int = 5) -> Mask:
    """Return a checkerboard as a mask.

    Parameters
    ----------
    image_shape : tuple of int
        Shape of the mask.
    square_size : int
        Side of its squares, in voxels.

    Returns
    -------
    (M, N[, P]) ndarray of int8
    """
    if square_size < 1:
        raise InputError(f"square_size is {square_size}; it must be 1 or more.")
    result = np.zeros(image_shape, np.int8)
    for axis, n in enumerate(image_shape):
        line = (np.arange(n) // square_size & 1).astype(np.int8)
        result ^= line.reshape([-1 if a == axis else 1 for a in range(len(image_shape))])
    return result


def inverse_gaussian_gradient(
    image: NDArray[Any], alpha: float = 100.0, sigma: float = 5.0
) -> NDArray[Any]:
    """Return an edge map: 1 in flat parts of an image, close to 0 at its edges.

    Parameters
    ----------
    image : (M, N[, P]) ndarray
        Image.
    alpha : float
        How steeply the map falls at an edge.
    sigma : float
        Width of the smoothing before the slope is taken, in voxels.

    Returns
    -------
    (M, N[, P]) ndarray of float
        ``1 / sqrt(1 + alpha * |gradient|)``.
    """
    image = check_image(image)
    slope = ndi.gaussian_gradient_magnitude(image, sigma, mode="nearest")
    return 1.0 / np.sqrt(1.0 + alpha * slope)


def starting_mask(
    init_level_set: str | NDArray[Any], shape: tuple[int, ...], name: str
) -> NDArray[np.bool_]:
    """Return the mask to begin with; `name` is what the image is called."""
    check_spatial_axes(shape, None, name)
    if isinstance(init_level_set, str):
        if init_level_set == "checkerboard":
            return checkerboard_level_set(shape) > 0
        if init_level_set == "disk":
            return disk_level_set(shape) > 0
        raise InputError(
            f"init_level_set is {init_level_set!r}; it must be an array, 'checkerboard' or 'disk'."
        )
    start = np.asarray(init_level_set)
    if start.shape != tuple(shape):
        raise InputError(
            f"init_level_set has the shape {start.shape}; it must have that of {name}, {shape}."
        )
    return start > 0


def balloon_limit(image: NDArray[Any], threshold: float | str, balloon: float) -> float:
    """Return the value of an edge map up to which a balloon does not push."""
    if not np.isfinite(balloon):
        raise InputError(f"balloon is {balloon!r}; it must be a number.")
    if not isinstance(threshold, str):
        return threshold
    if threshold != "auto":
        raise InputError(f"threshold is {threshold!r}; it must be a number or 'auto'.")
    # Finding the quantile takes as long as many iterations.
    return np.percentile(image, 40) if balloon != 0 else 0.0
