"""Thresholds that an image gives for itself."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from skimage.filters import threshold_otsu as _skimage_otsu

from napari_seedbed.core.validation import check_image
from napari_seedbed.errors import InputError


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
    array = check_image(image, allow_bool=False)
    if nbins < 2:
        raise InputError(f"nbins must be at least 2; got {nbins}.")
    low, high = array.min(), array.max()
    if low == high:
        raise InputError(
            f"image is constant (all values are {low}), so no threshold divides it; "
            "choose another image, channel or region."
        )
    if array.dtype.kind == "f":
        return _otsu_of_floats(array, nbins)
    if int(high) - int(low) >= 1 << 20:
        # One bin a value would need gigabytes for 32-bit integers.
        return _otsu_of_floats(array.astype(np.float64), nbins)
    return float(_skimage_otsu(array, nbins))


def _otsu_of_floats(array: NDArray[np.floating], nbins: int) -> float:
    # The histogram is taken between 0 and 1: in float32 a narrow range far from zero has fewer
    # numbers than bins.
    values = array.astype(np.float64, copy=False)
    low, high = float(values.min()), float(values.max())
    span = high - low
    if not np.isfinite(span):
        values, low, span = values / 4, low / 4, high / 4 - low / 4
        return 4 * (low + span * float(_skimage_otsu((values - low) / span, nbins)))
    return low + span * float(_skimage_otsu((values - low) / span, nbins))


def threshold_otsu(image: Any, *, nbins: int = 256) -> NDArray[np.bool_]:
    """Return a mask of what is brighter than Otsu's threshold; see `otsu_threshold`."""
    array = check_image(image, allow_bool=False)
    mask: NDArray[np.bool_] = array > otsu_threshold(array, nbins=nbins)
    return mask
