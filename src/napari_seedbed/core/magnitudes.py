"""Images of very large or very small numbers, brought to where squares and sums fit their type.

They are multiplied by a power of two, which rounds nothing: what is calculated from them is what
would be calculated in a wider type.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.errors import InputError

_SMALLEST, _LARGEST = -16, 32
"""Powers of two between which the largest magnitude of an image is left as it is.

Fourth powers, of differences a millionth as large, too, are then numbers that float32 can hold.
"""


def exponent_of(*images: NDArray[Any]) -> int:
    """Return the power of two by which to divide images, all alike.

    It is 0 where the largest magnitude is moderate, or where one of them is not of floats.
    """
    if any(image.dtype.kind != "f" for image in images):
        return 0
    largest = max(max(abs(float(np.max(a))), abs(float(np.min(a)))) for a in images)
    power = int(np.frexp(largest)[1]) - 1 if largest else 0
    return 0 if _SMALLEST <= power <= _LARGEST else power


def divided(image: NDArray[Any], exponent: int) -> NDArray[Any]:
    """Return an image divided by a power of two: itself where that is 0, else of a float type."""
    if exponent == 0:
        return image
    small = image.dtype.kind == "f" and image.dtype.itemsize <= 4
    found: NDArray[Any] = np.ldexp(image.astype(np.float32 if small else np.float64), -exponent)
    return found


def moderate_range(low: float, high: float) -> tuple[float, float, int]:
    """Return two limits divided by a power of two, and that: their difference fits a float64."""
    ends = np.array([low, high], np.float64)
    exponent = exponent_of(ends)
    low, high = divided(ends, exponent).tolist()
    return low, high, exponent


def moderate(image: NDArray[Any]) -> tuple[NDArray[Any], int]:
    """Divide an image of finite numbers by a power of two if its numbers are extreme.

    Parameters
    ----------
    image : (…) ndarray

    Returns
    -------
    image : (…) ndarray
        Its largest magnitude is at least 1 and below 2; or the image itself if it has no numbers
        above 2^33, is not of numbers below 2^-16 alone, or is not of floats.
    exponent : int
        The power of two; 0 for the image itself.
    """
    exponent = exponent_of(image)
    return divided(image, exponent), exponent


def restored(found: NDArray[Any], exponent: int) -> NDArray[Any]:
    """Multiply what was calculated from an image by a power of two.

    Raises
    ------
    InputError
        If that is more than its type can hold.
    """
    if exponent == 0:
        return found
    with np.errstate(over="ignore"):
        out: NDArray[Any] = np.ldexp(found, exponent)
    return check_fits(out)


def check_fits(out: NDArray[Any]) -> NDArray[Any]:
    """Return what was calculated from an image, or raise `InputError` if it is not finite."""
    if not np.isfinite(out).all():
        raise InputError(
            f"image: its values are so large that what comes of them is more than {out.dtype} can "
            "hold; divide the image by a large number first."
        )
    return out
