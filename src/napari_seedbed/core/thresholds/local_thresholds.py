"""Thresholds that follow the brightness around each voxel."""

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from napari_seedbed.core.filters.gaussian_derivatives import TRUNCATE
from napari_seedbed.core.filters.local_filters import check_window, filter_in_slabs, half_width
from napari_seedbed.core.filters.rank_filters import median
from napari_seedbed.core.library_calls import call_aside
from napari_seedbed.core.magnitudes import divided, exponent_of
from napari_seedbed.core.slabs import Slab, in_slabs
from napari_seedbed.core.thresholds.global_thresholds import Objects, check_objects
from napari_seedbed.core.thresholds.window_sums import window_sums
from napari_seedbed.core.validation import check_image, check_number, check_spacing
from napari_seedbed.errors import InputError

LocalMethod = Literal["gaussian", "mean", "median"]
LOCAL_METHODS: tuple[LocalMethod, ...] = get_args(LocalMethod)

_ROUNDING = 1e-12
"""Relative differences this small come from rounding: flat areas are neither bright nor dark."""

_VOXELS_PER_SLAB = 1 << 18

# Gives for a part of an image, as float64, the thresholds of its voxels.
Thresholds = Callable[[NDArray[np.float64]], NDArray[np.float64]]


def threshold_local(
    image: Any,
    block_size: float = 35.0,
    spacing: float | Sequence[float] | None = None,
    *,
    method: LocalMethod = "gaussian",
    offset: float = 0.0,
    objects: Objects = "light",
) -> NDArray[np.bool_]:
    """Return a mask of what stands out from its neighbourhood.

    Parameters
    ----------
    image : ([Z, ]Y, X) array_like
    block_size : float
        Width of the neighbourhood in the unit of `spacing`. A mean or median takes the voxels
        whose centre is no farther than half of it, along each axis; a Gaussian has a sixth of it
        as its standard deviation.
    spacing : sequence of float, optional
        Voxel size; 1 when None.
    method : {'gaussian', 'mean', 'median'}
        What is expected of a voxel from its neighbourhood.
    offset : float
        How far above that bright objects are, and dark ones below. For bright objects it is the
        negative of the offset of ``skimage.filters.threshold_local``.
    objects : {'light', 'dark'}

    Returns
    -------
    ([Z, ]Y, X) ndarray of bool
        As from ``skimage.filters.threshold_local`` with as many voxels, an odd number. The image
        goes on beyond its border as in a mirror.

    Raises
    ------
    InputError
        If the block is larger than the image, or the image is no image or a mask.

    References
    ----------
    Gonzalez, Woods (2018), Digital image processing, 4th edition, 10.3 (local thresholding).
    """
    if method not in LOCAL_METHODS:
        raise InputError(f"method is {method!r}; it must be one of {', '.join(LOCAL_METHODS)}.")
    check_objects(objects)
    array = check_image(image, allow_bool=False)
    size = check_spacing(spacing, array.ndim)
    length = check_window(block_size, size, array.shape, "block_size")
    shift = _finite(offset, "offset") * (1 if objects == "light" else -1)
    if method == "median":
        middle = median(array, length / 2, size, window="box")
        return _beyond(array, middle, shift, objects)
    if method == "gaussian":
        smooth = array.astype(np.float64)
        sigmas = [_sigma(length, size) / step for step in size]
        call_aside(partial(gaussian_filter, smooth, sigmas, output=smooth))
        return _beyond(array, smooth, shift, objects)
    reach = local_halo(length, size, method)

    def mean(part: NDArray[np.float64]) -> NDArray[np.float64]:
        found: NDArray[np.float64] = window_sums(part, reach) / _count(reach) + shift
        return found

    return _mask_in_slabs(array, mean, reach, objects)


def threshold_niblack(
    image: Any,
    window_size: float = 15.0,
    k: float = 0.2,
    spacing: float | Sequence[float] | None = None,
    *,
    objects: Objects = "light",
) -> NDArray[np.bool_]:
    """Return a mask of what is k local standard deviations above, or below, the local mean.

    Parameters
    ----------
    image : ([Z, ]Y, X) array_like
    window_size : float
        Width of the window in the unit of `spacing`.
    k : float
        Standard deviations that objects stand out by. Dark objects are below ``mean - k * std``,
        which is the threshold of ``skimage.filters.threshold_niblack``, and bright ones above
        ``mean + k * std``.
    spacing, objects
        As for `threshold_local`.

    Returns
    -------
    ([Z, ]Y, X) ndarray of bool

    Raises
    ------
    InputError
        As `threshold_local`.

    References
    ----------
    Niblack (1986), An introduction to digital image processing.
    """
    factor = _finite(k, "k")

    def expected(mean: NDArray[np.float64], deviation: NDArray[np.float64]) -> NDArray[np.float64]:
        shift = factor if objects == "light" else -factor
        return mean + shift * deviation

    return _by_mean_and_deviation(image, window_size, spacing, objects, expected)


def threshold_sauvola(
    image: Any,
    window_size: float = 15.0,
    k: float = 0.2,
    r: float | None = None,
    spacing: float | Sequence[float] | None = None,
    *,
    objects: Objects = "dark",
) -> NDArray[np.bool_]:
    """Return a mask of what stands out from an uneven background, such as text from a stained page.

    Parameters
    ----------
    image : ([Z, ]Y, X) array_like
    window_size : float
        Width of the window in the unit of `spacing`.
    k : float
        From 0 to 1. Where the window is even, objects must be this part of the background's grey
        value below it.
    r : float, optional
        Largest standard deviation that a window can have: half of the grey value of white. By
        default half of the image's own largest value, `sauvola_range`.
    spacing, objects
        As for `threshold_local`. For bright objects the formula is applied to the negative, in
        which white, ``2 * r``, is 0.

    Returns
    -------
    ([Z, ]Y, X) ndarray of bool
        Dark objects are below ``mean * (1 + k * (std / r - 1))``, which is the threshold of
        ``skimage.filters.threshold_sauvola``.

    Raises
    ------
    InputError
        As `threshold_local`.

    References
    ----------
    Sauvola, Pietikäinen (2000), Adaptive document image binarization.
    """
    factor = check_number(k, "k")
    array = check_image(image, allow_bool=False)
    largest = sauvola_range(array.min(), array.max()) if r is None else check_number(
        r, "r", allow_zero=False
    )  # fmt: skip

    def expected(mean: NDArray[np.float64], deviation: NDArray[np.float64]) -> NDArray[np.float64]:
        evenness = factor * (1 - deviation / largest)
        if objects == "light":
            return mean + (2 * largest - mean) * evenness
        return mean * (1 - evenness)

    return _by_mean_and_deviation(array, window_size, spacing, objects, expected)


def sauvola_range(low: float, high: float) -> float:
    """Return half of the grey value of white, for an image between two values.

    Parameters
    ----------
    low, high : float
        Least and largest value of the image.
    """
    return (float(high) / 2 - min(float(low), 0.0) / 2) or 1.0


def local_halo(
    block_size: float, spacing: Sequence[float], method: str = "mean"
) -> tuple[int, ...]:
    """Return how many voxels away along each axis a local threshold takes values from."""
    if method == "gaussian":
        sigma = _sigma(block_size, spacing)
        return tuple(int(TRUNCATE * sigma / step + 0.5) for step in spacing)
    return tuple(half_width(block_size / 2, step) for step in spacing)


def _sigma(block_size: float, spacing: Sequence[float]) -> float:
    # As scikit-image has it, (voxels - 1) / 6: six standard deviations from end to end.
    return max(0.0, block_size - min(spacing)) / 6


def _count(reach: Sequence[int]) -> int:
    return math.prod(2 * half + 1 for half in reach)


def _by_mean_and_deviation(
    image: Any,
    window_size: float,
    spacing: float | Sequence[float] | None,
    objects: Objects,
    expected: Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.float64]],
) -> NDArray[np.bool_]:
    check_objects(objects)
    array = check_image(image, allow_bool=False)
    size = check_spacing(spacing, array.ndim)
    length = check_window(window_size, size, array.shape, "window_size")
    reach = local_halo(length, size)
    exponent = exponent_of(array)

    def thresholds(part: NDArray[np.float64]) -> NDArray[np.float64]:
        part = divided(part, exponent)
        mean = window_sums(part, reach) / _count(reach)
        # Of the differences from the mean of the part all would be smaller, but not the same in
        # each block.
        squares = window_sums(part * part, reach) / _count(reach)
        variance = squares - mean * mean
        # What is left of two equal numbers is rounding.
        variance[variance < _ROUNDING * squares] = 0
        # A threshold that is no finite number any more is above, or below, all values.
        with np.errstate(over="ignore"):
            return expected(np.ldexp(mean, exponent), np.ldexp(np.sqrt(variance), exponent))

    return _mask_in_slabs(array, thresholds, reach, objects)


def _mask_in_slabs(
    array: NDArray[Any], thresholds: Thresholds, reach: Sequence[int], objects: Objects
) -> NDArray[np.bool_]:
    """Compare an image with its thresholds slab by slab, which takes little memory."""
    mask = np.empty(array.shape, bool)

    def compare(part: NDArray[Any]) -> NDArray[np.bool_]:
        wide = part.astype(np.float64)
        return _stands_out(wide, thresholds(wide), objects)

    filter_in_slabs(compare, array, reach, mask, voxels=_VOXELS_PER_SLAB)
    return mask


def _beyond(
    array: NDArray[Any], middle: NDArray[Any], shift: float, objects: Objects
) -> NDArray[np.bool_]:
    mask = np.empty(array.shape, bool)

    def compare(slab: Slab) -> None:
        level = middle[slab].astype(np.float64) + shift
        mask[slab] = _stands_out(array[slab].astype(np.float64), level, objects)

    in_slabs(compare, array.shape)
    return mask


def _stands_out(
    part: NDArray[np.float64], level: NDArray[np.float64], objects: Objects
) -> NDArray[np.bool_]:
    # What overflows is on the right side of the level.
    with np.errstate(over="ignore"):
        difference = part - level if objects == "light" else level - part
    found: NDArray[np.bool_] = difference > _ROUNDING * np.abs(level)
    return found


def _finite(value: Any, name: str) -> float:
    sign = -1.0 if isinstance(value, int | float) and value < 0 else 1.0
    return sign * check_number(abs(value) if sign < 0 else value, name)
