"""How steep an image is, and where its edges are; slopes by physical length."""

from collections.abc import Sequence
from functools import partial
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.filters.gaussian_derivatives import correlate_along, gaussian_derivative
from napari_seedbed.core.filters.local_filters import (
    filter_in_slabs,
    float_image,
    proportional,
)
from napari_seedbed.core.magnitudes import moderate
from napari_seedbed.core.progress import check_stop
from napari_seedbed.core.validation import check_number, check_spacing
from napari_seedbed.errors import InputError

EdgeKernel = Literal["sobel", "scharr", "prewitt", "farid"]
Thresholds = Literal["contrast", "share", "intensity"]

_FARID = np.array([-0.109603762960254, -0.276690988455557, 0, 0.276690988455557, 0.109603762960254])
# As published, a ramp comes out 1 % too flat.
_FARID /= _FARID @ np.arange(-2, 3)
_FARID_SMOOTH = np.array(
    [
        0.0376593171958126,
        0.249153396177344,
        0.426374573253687,
        0.249153396177344,
        0.0376593171958126,
    ]
)
EDGE_REACH = {"sobel": 1, "scharr": 1, "prewitt": 1, "farid": 2}
"""Voxels to each side that the kernels take in."""


@proportional
def slope(
    image: Any,
    kernel: EdgeKernel = "sobel",
    axis: int | None = None,
    spacing: float | Sequence[float] | None = None,
) -> NDArray[np.floating]:
    """How steep an image is, by differences of neighbours.

    Parameters
    ----------
    image : (…) array_like
        Spatial axes only.
    kernel : {'sobel', 'scharr', 'prewitt', 'farid'}
        How the differences are smoothed across.
    axis : int, optional
        Along which axis; the steepness in any direction (magnitude) when None.
    spacing : sequence of float, optional
        Voxel size; 1 when None.

    Returns
    -------
    (…) ndarray
        Change of intensity by the unit of `spacing`, exact for a ramp: along an axis positive where
        the image gets brighter, and half of what ``skimage.filters.sobel(image, axis=axis)``,
        `scharr` and `prewitt` give; the magnitude is the length of the gradient. float64 for
        float64 images, float32 for all others. The image goes on beyond its border as in a mirror.

    Raises
    ------
    InputError
        For another kernel or an axis that the image does not have.
    """
    array = float_image(image)
    size = check_spacing(spacing, array.ndim)
    if kernel not in EDGE_REACH:
        raise InputError(f"kernel is {kernel!r}; it must be one of {', '.join(EDGE_REACH)}.")
    if axis is not None and not -array.ndim <= axis < array.ndim:
        raise InputError(f"axis is {axis}, but the image has {array.ndim} axes.")
    if axis is not None:
        return _slope_along(array, kernel, axis % array.ndim, size)
    total = np.zeros(array.shape, array.dtype)
    for each in range(array.ndim):
        found = _slope_along(array, kernel, each, size)
        found *= found
        total += found
    check_stop()
    return np.sqrt(total, out=total)


def _slope_along(
    array: NDArray[np.floating], kernel: str, axis: int, spacing: Sequence[float]
) -> NDArray[np.floating]:
    from skimage import filters

    if kernel == "farid":
        # scikit-image's is for two axes.
        out = np.array(array, order="C")
        for each in range(array.ndim):
            weights = _FARID / spacing[axis] if each == axis else _FARID_SMOOTH
            correlate_along(out, each, weights, "reflect")
        return out
    out = np.empty(array.shape, array.dtype)
    find = partial(getattr(filters, kernel), axis=axis)
    filter_in_slabs(find, array, [1] * array.ndim, out)
    out *= 0.5 / spacing[axis]
    return out


@proportional
def gradient_magnitude(
    image: Any, sigma: float = 1.0, spacing: float | Sequence[float] | None = None
) -> NDArray[np.floating]:
    """How steep an image is after it was smoothed with a Gaussian.

    Parameters
    ----------
    image : (…) array_like
        Spatial axes only.
    sigma : float
        Standard deviation in the unit of `spacing`.
    spacing : sequence of float, optional
        Voxel size; 1 when None.

    Returns
    -------
    (…) ndarray
        Change of intensity by the unit of `spacing`; float64 for float64 images, float32 for all
        others. The image goes on beyond its border with its outermost values.

    Raises
    ------
    InputError
        If `sigma` is negative or too large, or the image is no image.
    """
    array = float_image(image)
    size = check_spacing(spacing, array.ndim)
    check_number(sigma, "sigma")
    total = np.zeros(array.shape, array.dtype)
    for axis in range(array.ndim):
        orders = [int(axis == each) for each in range(array.ndim)]
        found = gaussian_derivative(array, sigma, size, orders)
        found *= found
        total += found
    check_stop()
    return np.sqrt(total, out=total)


@proportional
def laplacian_of_gaussian(
    image: Any,
    sigma: float = 1.0,
    spacing: float | Sequence[float] | None = None,
    *,
    normalize: bool = False,
) -> NDArray[np.floating]:
    """Sum of the second derivatives of an image that was smoothed with a Gaussian.

    Parameters
    ----------
    image : (…) array_like
        Spatial axes only.
    sigma : float
        Standard deviation in the unit of `spacing`; 0 is the plain Laplacian.
    spacing : sequence of float, optional
        Voxel size; 1 when None.
    normalize : bool
        Multiply by `sigma` squared, so that blobs of all sizes answer equally.

    Returns
    -------
    (…) ndarray
        Negative on bright blobs and lines, as ``scipy.ndimage.gaussian_laplace``; intensity by the
        square of the unit of `spacing`. float64 for float64 images, float32 for all others.

    Raises
    ------
    InputError
        If `sigma` is negative or too large, or the image is no image.
    """
    array = float_image(image)
    size = check_spacing(spacing, array.ndim)
    check_number(sigma, "sigma")
    total = np.zeros(array.shape, array.dtype)
    for axis in range(array.ndim):
        orders = [2 * int(axis == each) for each in range(array.ndim)]
        total += gaussian_derivative(array, sigma, size, orders)
    if normalize:
        total *= sigma**2
    return total


def canny(
    image: Any,
    sigma: float = 1.0,
    low: float = 0.1,
    high: float = 0.2,
    spacing: float | Sequence[float] | None = None,
    *,
    thresholds: Thresholds = "contrast",
) -> NDArray[np.bool_]:
    """Thin lines along the edges of an image, slice by slice.

    Parameters
    ----------
    image : ([Z, ]Y, X) array_like
    sigma : float
        Standard deviation of the Gaussian that each slice is smoothed with, in the unit of
        `spacing`.
    low, high : float
        An edge begins where the slope is above `high` and goes on where it is above `low`.
    spacing : sequence of float, optional
        Voxel size; 1 when None.
    thresholds : {'contrast', 'share', 'intensity'}
        What `low` and `high` are: slopes by the pixel, as a share of the image's range from its
        smallest to its largest value or in its own intensities; or the share of a slice's pixels
        that are flatter.

    Returns
    -------
    ([Z, ]Y, X) ndarray of bool

    Raises
    ------
    InputError
        If the pixels of a slice are not squares, `low` is above `high`, or a share above 1.

    References
    ----------
    Canny J (1986). A computational approach to edge detection. IEEE Transactions on Pattern
    Analysis and Machine Intelligence 8(6), 679-698.
    """
    from skimage.feature import canny as canny_of_slice

    array = float_image(image)
    if array.ndim not in (2, 3):
        raise InputError(f"image has {array.ndim} axes; it must have 2 or 3.")
    size = check_spacing(spacing, array.ndim)
    if abs(size[-1] - size[-2]) > 0.01 * size[-1]:
        raise InputError(
            f"image has pixels of {size[-2]:g} x {size[-1]:g}; Canny needs squares. Rescale first."
        )
    width = check_number(sigma, "sigma") / size[-1]
    low, high = check_number(low, "low"), check_number(high, "high")
    if low > high:
        raise InputError(f"low is {low:g} and high {high:g}; low must not be above high.")
    if thresholds not in ("contrast", "share", "intensity"):
        raise InputError(f"thresholds is {thresholds!r}; it must be contrast, share or intensity.")
    if thresholds == "share" and high > 1:
        raise InputError(
            f"high is {high:g}; a share must be from 0 to 1. For an intensity set thresholds to "
            "'intensity'."
        )
    if width > max(array.shape[-2:]):
        raise InputError(f"sigma is {sigma:g}; it must not be larger than a slice.")
    array, exponent = moderate(array)
    slices = array.reshape((-1, *array.shape[-2:]))
    found = np.zeros(slices.shape, bool)
    least = float(array.min())
    # Beyond 32-bit floats the squares of slopes would overflow.
    contrast = float(array.max()) - least
    if contrast == 0 or min(array.shape[-2:]) < 3:
        return found.reshape(array.shape)
    if thresholds == "intensity":
        low, high = (float(np.ldexp(limit, -exponent)) / contrast for limit in (low, high))
    for z, plane in enumerate(slices):
        check_stop()
        found[z] = canny_of_slice(
            (plane.astype(np.float64) - least) / contrast,
            width,
            low,
            high,
            use_quantiles=thresholds == "share",
            mode="nearest",
        )
    return found.reshape(array.shape)
