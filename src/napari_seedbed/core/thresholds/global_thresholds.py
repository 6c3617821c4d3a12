"""Masks of what is brighter or darker than one or two grey values."""

import math
from collections.abc import Sequence
from functools import partial
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_seedbed.core.library_calls import call_aside
from napari_seedbed.core.slabs import Slab, in_slabs
from napari_seedbed.core.thresholds.automatic_thresholds import (
    automatic_threshold,
    check_varied,
    multi_otsu_thresholds,
)
from napari_seedbed.core.thresholds.histograms import FINE_BINS, image_histogram
from napari_seedbed.core.validation import check_image
from napari_seedbed.errors import InputError

Objects = Literal["light", "dark"]
OBJECTS: tuple[Objects, ...] = get_args(Objects)


def otsu_threshold(image: Any, *, nbins: int = 256) -> float:
    """Return the grey value that separates an image best into two classes.

    Parameters
    ----------
    image : ndarray
        Image of real numbers, of any shape.
    nbins : int
        Bins of the histogram of floating-point images; integers are counted one by one.

    Returns
    -------
    float
        What is above belongs to the brighter class.

    Raises
    ------
    InputError
        If all values are equal: then no threshold separates anything.

    References
    ----------
    Otsu (1979), A threshold selection method from gray-level histograms.
    """
    return automatic_threshold(image_histogram(image, bins=nbins), "otsu")


def threshold_otsu(image: Any, *, nbins: int = 256) -> NDArray[np.bool_]:
    """Return a mask of what is brighter than Otsu's threshold.

    Parameters
    ----------
    image, nbins
        As in `otsu_threshold`.
    """
    return threshold_at(image, otsu_threshold(image, nbins=nbins))


def threshold_at(image: Any, value: float, *, objects: Objects = "light") -> NDArray[np.bool_]:
    """Return a mask of what is above a grey value.

    Parameters
    ----------
    image : (…) array_like
    value : float
    objects : {'light', 'dark'}
        Dark objects are all that is not above the value.

    Returns
    -------
    (…) ndarray of bool

    Raises
    ------
    InputError
        For a value that is no finite number, or if the image is no image or a mask.
    """
    check_objects(objects)
    array = check_image(image, allow_bool=False)
    mask = np.empty(array.shape, bool)
    fill_above(array, _number(value, "value"), mask)
    return mask if objects == "light" else np.logical_not(mask, out=mask)


def threshold_between(
    image: Any, low: float, high: float, *, inside: bool = True
) -> NDArray[np.bool_]:
    """Return a mask of what lies between two grey values: above `low` and not above `high`.

    Parameters
    ----------
    image : (…) array_like
    low, high : float
    inside : bool
        False gives what lies outside instead.

    Returns
    -------
    (…) ndarray of bool

    Raises
    ------
    InputError
        If `low` is above `high`, and as `threshold_at`.
    """
    array = check_image(image, allow_bool=False)
    bounds = _check_rising(low, high)
    mask, above = np.empty(array.shape, bool), np.empty(array.shape, bool)
    fill_above(array, bounds[0], mask)
    fill_above(array, bounds[1], above)
    np.greater(mask, above, out=mask)
    return mask if inside else np.logical_not(mask, out=mask)


def threshold_hysteresis(
    image: Any, low: float, high: float, *, objects: Objects = "light"
) -> NDArray[np.bool_]:
    """Return a mask of what passes the easier threshold and touches what passes the harder one.

    Parameters
    ----------
    image : (…) array_like
    low, high : float
        Bright objects are above `low` throughout and above `high` somewhere. Dark ones are not
        above `high` throughout and not above `low` somewhere.
    objects : {'light', 'dark'}

    Returns
    -------
    (…) ndarray of bool
        Voxels that share a face are connected, as in
        ``skimage.filters.apply_hysteresis_threshold``.

    Raises
    ------
    InputError
        If `low` is above `high`, and as `threshold_at`.

    References
    ----------
    Canny (1986), A computational approach to edge detection.
    """
    low, high = _check_rising(low, high)
    easy, hard = (low, high) if objects == "light" else (high, low)
    maybe = threshold_at(image, easy, objects=objects)
    sure = threshold_at(image, hard, objects=objects)
    parts, count = call_aside(partial(ndimage.label, maybe))
    kept = np.zeros(count + 1, bool)
    kept[np.unique(parts[sure])] = True
    kept[0] = False
    mask: NDArray[np.bool_] = kept[parts]
    return mask


def threshold_classes(
    image: Any, thresholds: Sequence[float], *, objects: Objects = "light"
) -> NDArray[np.int32]:
    """Return the class of each voxel: how many of the thresholds it is above.

    Parameters
    ----------
    image : (…) array_like
    thresholds : sequence of float
        Rising.
    objects : {'light', 'dark'}
        With dark objects it is how many thresholds it is not above: the brightest class is 0.

    Returns
    -------
    (…) ndarray of int32
        From 0 to the number of thresholds.
    """
    check_objects(objects)
    array = check_image(image, allow_bool=False)
    labels = np.zeros(array.shape, np.int32)
    above = np.empty(array.shape, bool)
    for value in thresholds:
        fill_above(array, _number(value, "thresholds"), above)
        labels += above if objects == "light" else ~above
    return labels


def multi_otsu(image: Any, classes: int = 3, *, objects: Objects = "light") -> NDArray[np.int32]:
    """Return the class of each voxel by the values that part classes best.

    Parameters
    ----------
    image : (…) array_like
    classes : int
        As in `multi_otsu_thresholds`.
    objects
        As in `threshold_classes`.
    """
    histogram = image_histogram(image, bins=FINE_BINS)
    check_varied(histogram)
    thresholds = multi_otsu_thresholds(histogram, classes)
    return threshold_classes(image, thresholds, objects=objects)


def fill_above(array: NDArray[Any], value: float, mask: NDArray[np.bool_]) -> None:
    """Write into `mask` which voxels of a checked image are above a value, on all cores."""
    limit: Any = np.float64(value)
    if array.dtype.kind in "iu":
        # Whole numbers are compared with each other 8 times as fast.
        whole, bounds = math.floor(value), np.iinfo(array.dtype)
        if whole < bounds.min or whole >= bounds.max:
            mask[...] = whole < bounds.min
            return
        limit = array.dtype.type(whole)

    def compare(slab: Slab) -> None:
        np.greater(array[slab], limit, out=mask[slab])

    if array.ndim == 0:
        np.greater(array, limit, out=mask)
    else:
        in_slabs(compare, array.shape)


def check_objects(objects: str) -> None:
    """Raise `InputError` for anything but 'light' and 'dark'."""
    if objects not in OBJECTS:
        raise InputError(f"objects is {objects!r}; it must be light or dark.")


def _check_rising(low: Any, high: Any) -> tuple[float, float]:
    first, second = _number(low, "low"), _number(high, "high")
    if first > second:
        raise InputError(f"low is {first:g} and high {second:g}; low must not be above high.")
    return first, second


def _number(value: Any, name: str) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number):
        raise InputError(f"{name} must be a finite number; got {value!r}.")
    return number
