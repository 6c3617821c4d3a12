"""Images with other brightness and contrast: every voxel by its own value alone.

Results are on the range that they are given, so that 12-bit images stay 12-bit ones.
"""

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.filters.local_filters import float_image
from napari_seedbed.core.images.type_conversion import check_bounds
from napari_seedbed.core.images.value_ranges import value_range
from napari_seedbed.core.magnitudes import divided, moderate_range
from napari_seedbed.core.slabs import Slab, in_slabs
from napari_seedbed.core.validation import check_image, check_number
from napari_seedbed.errors import InputError

Range = tuple[float, float]
Floats = NDArray[np.floating]


def stretch(image: Any, low: float, high: float, out_range: Range = (0.0, 1.0)) -> Floats:
    """Stretch the values between two to a range; what lies beyond becomes its ends.

    Parameters
    ----------
    image : (…) array_like
    low, high : float
        Where both are equal, higher values become the upper end and all others the lower one.
    out_range : (float, float)

    Returns
    -------
    (…) ndarray
        float64 for float64 images, float32 for all others.

    Raises
    ------
    InputError
        If `low` is above `high`, or `out_range` is no range.
    """
    from skimage import exposure

    array = check_image(image)
    if not (math.isfinite(low) and math.isfinite(high) and low <= high):
        raise InputError(f"low and high must be finite, low first; got {low:g} and {high:g}.")
    bottom, top = check_bounds(out_range, "out_range")
    low, high, exponent = moderate_range(low, high)
    bottom, top, out_exponent = moderate_range(bottom, top)

    def change(values: Floats) -> Floats:
        if low == high:
            return divided(np.where(values > low, top, bottom), -out_exponent)
        values = exposure.rescale_intensity(values, (low, high), (bottom, top))
        return divided(values, -out_exponent)

    return _mapped(array, change, exponent)


def apply_gamma(image: Any, gamma: float = 1.0, *, limits: Range | None = None) -> Floats:
    """Raise values to a power; the ends of the range stay.

    Parameters
    ----------
    image : (…) array_like
    gamma : float
        Below 1 dark parts become brighter, above 1 darker.
    limits : (float, float), optional
        Values that stay; what `value_range` finds when None. What lies beyond becomes its ends.

    Returns
    -------
    (…) ndarray
        ``low + (high - low) * ((value - low) / (high - low)) ** gamma``; float64 for float64
        images, float32 for all others.

    Raises
    ------
    InputError
        If gamma is not above 0, or the image is no image.
    """
    from skimage.exposure import adjust_gamma

    power = check_number(gamma, "gamma", allow_zero=False)
    return _in_range(image, limits, partial(adjust_gamma, gamma=power))


def apply_logarithm(
    image: Any, strength: float = 1.0, *, limits: Range | None = None, inverse: bool = False
) -> Floats:
    """Take the logarithm of values, which brightens dark parts; the ends of the range stay.

    Parameters
    ----------
    image : (…) array_like
    strength : float
        How many times brighter than its darkest part the image's brightest part is taken to be,
        less one. 1 is scikit-image's ``adjust_log``.
    limits : (float, float), optional
        Values that stay; what `value_range` finds when None. What lies beyond becomes its ends.
    inverse : bool
        Whether to undo it: the exponential instead.

    Returns
    -------
    (…) ndarray
        For values from 0 to 1 ``log(1 + strength * value) / log(1 + strength)``; float64 for
        float64 images, float32 for all others.

    Raises
    ------
    InputError
        If the strength is not above 0, or the image is no image.
    """
    rise = check_number(strength, "strength", allow_zero=False)
    whole = math.log1p(rise)

    def logarithm(values: Floats) -> Floats:
        values *= rise
        np.log1p(values, out=values)
        values /= whole
        return values

    def exponential(values: Floats) -> Floats:
        values *= whole
        np.expm1(values, out=values)
        values /= rise
        return values

    return _in_range(image, limits, exponential if inverse else logarithm)


def inverted(image: Any, *, limits: Range | None = None) -> NDArray[Any]:
    """Turn dark into bright: ``low + high - value``.

    Parameters
    ----------
    image : (…) array_like
    limits : (float, float), optional
        Values that change places; what `value_range` finds when None.

    Returns
    -------
    (…) ndarray
        Of the image's type; float32 for float16. What an integer type cannot hold is cut off.

    Raises
    ------
    InputError
        If the image is no image.
    """
    array = check_image(image)
    low, high = range_or_limits(array, limits)
    if array.dtype == bool:
        return ~array
    if array.dtype.kind == "f":
        low, high, exponent = moderate_range(low, high)
        return _mapped(array, lambda values: divided(low + high - values, -exponent), exponent)
    holds = np.iinfo(array.dtype)
    out = np.empty_like(array)
    if (low, high) == (holds.min, holds.max):
        in_slabs(lambda slab: np.invert(array[slab], out=out[slab]), array.shape)
        return out
    middle = low + high

    def work(slab: Slab) -> None:
        # Python's whole numbers for 64 bits, which floats do not hold
        wide = array[slab].astype(np.int64 if holds.bits < 64 else object)
        turned = int(middle) - wide if middle == int(middle) else middle - wide
        out[slab] = np.clip(turned, holds.min, holds.max)

    in_slabs(work, array.shape)
    return out


def range_or_limits(array: NDArray[Any], limits: Range | None) -> Range:
    """Return limits that were given, checked, or the range that the image's values were made for.

    Both ends are equal for a constant image whose value implies no range.
    """
    if limits is None:
        found = value_range(array)
        return found.low, found.high
    return check_bounds(limits, "limits", allow_equal=True)


def _in_range(image: Any, limits: Range | None, change: Callable[[Floats], Floats]) -> Floats:
    """Change values as if the range went from 0 to 1."""
    from skimage import exposure

    array = check_image(image)
    low, high = range_or_limits(array, limits)
    if low == high:
        return float_image(array).copy()
    low, high, exponent = moderate_range(low, high)

    def changed(values: Floats) -> Floats:
        values = exposure.rescale_intensity(values, (low, high), (0.0, 1.0))
        values = exposure.rescale_intensity(change(values), (0.0, 1.0), (low, high))
        return divided(values, -exponent)

    return _mapped(array, changed, exponent)


def _mapped(array: NDArray[Any], change: Callable[[Floats], Floats], exponent: int) -> Floats:
    """Change the values of an image, divided by a power of two, slab by slab in float64."""
    wide = array.dtype.kind == "f" and array.dtype.itemsize >= 8
    out = np.empty(array.shape, np.float64 if wide else np.float32)

    def work(slab: Slab) -> None:
        # Values far beyond the range are cut off anyway.
        with np.errstate(over="ignore"):
            out[slab] = change(divided(array[slab].astype(np.float64), exponent))

    in_slabs(work, array.shape)
    return out
