"""Gaussian smoothing and derivatives along the axes of an image.

References
----------
Lindeberg T (1994). Scale-space theory: a basic tool for analysing structures at different scales.
Journal of Applied Statistics 21(1-2), 225-270.
"""

from collections.abc import Sequence
from itertools import combinations_with_replacement

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import correlate1d

from napari_seedbed.core.slabs import Slab, in_slabs
from napari_seedbed.errors import InputError

TRUNCATE = 4.0
"""Standard deviations after which kernels are cut off."""

WIDEST = 100_000
"""Standard deviations in voxels that kernels are made for."""

_NARROW = 0.1
"""Below this standard deviation in voxels derivatives are differences of neighbours."""


def gaussian_weights(
    sigma: float, order: int = 0, truncate: float = TRUNCATE, reach: int | None = None
) -> NDArray[np.float64]:
    """Return the weights to correlate a line with.

    Derivatives are scaled to be exact for a line's ramp (order 1) or parabola (order 2) and zero
    for an even one; sampled Gaussians alone are not, above all narrow ones.

    Parameters
    ----------
    sigma : float
        Standard deviation in voxels.
    order : {0, 1, 2}
        0 smooths; 1 and 2 are derivatives by the voxel.
    truncate : float
        Standard deviations after which the kernel is cut off.
    reach : int, optional
        Voxels to keep on each side. What lies farther away is added to the outermost, which is
        the same for lines that are no longer and go on beyond their ends with their last value.

    Returns
    -------
    (2 * radius + 1,) ndarray

    Raises
    ------
    InputError
        If `sigma` is above 100,000 voxels.
    """
    if sigma > WIDEST:
        raise InputError(f"sigma is {sigma:g} voxels wide; it must be at most {WIDEST}.")
    radius = max(int(truncate * sigma + 0.5), min(order, 1))
    x = np.arange(-radius, radius + 1)
    if radius == 0:
        weights = np.ones(1)
    elif order and sigma < _NARROW:
        weights = np.array([-0.5, 0, 0.5] if order == 1 else [1.0, -2, 1])
    else:
        weights = np.exp(-0.5 / (sigma * sigma) * x**2)
        weights /= weights.sum()
        if order == 1:
            weights *= x
            weights /= (weights * x).sum()
        elif order == 2:
            even = weights
            weights = (x**2 / (sigma * sigma) - 1) * even
            weights -= weights.sum() * even
            weights *= 2 / (weights * x**2).sum()
    if reach is not None and reach < radius:
        outer = radius - reach
        kept = weights[outer : len(weights) - outer].copy()
        kept[0] += weights[:outer].sum()
        kept[-1] += weights[len(weights) - outer :].sum()
        weights = kept
        if reach == 0 and order:
            weights[:] = 0
    return weights


def correlate_along(
    array: NDArray[np.floating], axis: int, weights: NDArray[np.float64], mode: str
) -> None:
    """Correlate an array with weights along one axis, in place."""

    def correlate(slab: Slab) -> None:
        part = array[slab]
        correlate1d(part, weights, axis, output=part, mode=mode)

    if array.ndim == 1:
        correlate((slice(None),))
    else:
        in_slabs(correlate, array.shape, whole=axis)


def gaussian_derivative(
    array: NDArray[np.floating], sigma: float, spacing: Sequence[float], orders: Sequence[int]
) -> NDArray[np.floating]:
    """Smooth an array and take derivatives along its axes.

    Parameters
    ----------
    array : (…) ndarray of float
    sigma : float
        Standard deviation in the unit of `spacing`.
    spacing : sequence of float
        Voxel size.
    orders : sequence of int
        0, 1 or 2 for each axis.

    Returns
    -------
    (…) ndarray
        A new array. The image goes on beyond its border with its outermost values.
    """
    out = np.array(array, order="C")
    for axis, (step, order) in enumerate(zip(spacing, orders, strict=True)):
        weights = gaussian_weights(sigma / step, order, reach=array.shape[axis] - 1)
        if order or len(weights) > 1:
            correlate_along(out, axis, weights / step**order, "nearest")
    return out


def hessian(
    array: NDArray[np.floating], sigma: float, spacing: Sequence[float]
) -> list[NDArray[np.floating]]:
    """Return the second derivatives: of zz, zy, zx, yy, yx, xx in 3D, of yy, yx, xx in 2D."""
    found = []
    for pair in combinations_with_replacement(range(array.ndim), 2):
        orders = [pair.count(axis) for axis in range(array.ndim)]
        found.append(gaussian_derivative(array, sigma, spacing, orders))
    return found


def gaussian_halo(sigma: float, spacing: Sequence[float], order: int = 0) -> tuple[int, ...]:
    """Return how many voxels away along each axis derivatives of `order` take values from."""
    return tuple(max(int(TRUNCATE * sigma / step + 0.5), min(order, 1)) for step in spacing)
