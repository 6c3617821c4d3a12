"""Filters that are sums of Gaussian-smoothed images."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.filters.gaussians import gaussian
from napari_seedbed.core.filters.local_filters import float_image, proportional
from napari_seedbed.core.validation import check_number
from napari_seedbed.errors import InputError


@proportional
def difference_of_gaussians(
    image: Any, low_sigma: float, high_sigma: float, spacing: float | Sequence[float] | None = None
) -> NDArray[np.floating]:
    """Keep what is larger than one size and smaller than another.

    Parameters
    ----------
    image : (…) array_like
        Spatial axes only.
    low_sigma, high_sigma : float
        Standard deviations of the finer and the coarser Gaussian, in the unit of `spacing`.
    spacing : sequence of float, optional
        Voxel size; 1 when None.

    Returns
    -------
    (…) ndarray
        The finer minus the coarser image, as ``skimage.filters.difference_of_gaussians`` of a
        float image; float64 for float64 images, float32 for all others.

    Raises
    ------
    InputError
        If a sigma is negative, or `low_sigma` not below `high_sigma`.
    """
    low, high = check_number(low_sigma, "low_sigma"), check_number(high_sigma, "high_sigma")
    if low >= high:
        raise InputError(f"low_sigma is {low:g}; it must be below high_sigma, which is {high:g}.")
    array = float_image(image)
    fine = gaussian(array, low, spacing)
    fine -= gaussian(array, high, spacing)
    return fine


@proportional
def unsharp_mask(
    image: Any,
    sigma: float = 1.0,
    amount: float = 1.0,
    spacing: float | Sequence[float] | None = None,
) -> NDArray[np.floating]:
    """Sharpen an image: add what smoothing takes away.

    Parameters
    ----------
    image : (…) array_like
        Spatial axes only.
    sigma : float
        Standard deviation of the Gaussian, in the unit of `spacing`.
    amount : float
        How often what it takes away is added.
    spacing : sequence of float, optional
        Voxel size; 1 when None.

    Returns
    -------
    (…) ndarray
        Not cut off where it leaves the range of the image; float64 for float64 images, float32 for
        all others.

    Raises
    ------
    InputError
        If `sigma` or `amount` is negative, or the image is no image.
    """
    factor = check_number(amount, "amount")
    array = float_image(image)
    smooth = gaussian(array, sigma, spacing)
    return array + factor * (array - smooth)
