"""Thresholds that a histogram gives for itself.

Where scikit-image can be given a histogram it does the work. What it computes from voxels only is
computed here from the histogram, with the same result on integers, so that an image of any size
has its thresholds as soon as it is counted.
"""

import math
from collections.abc import Callable
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray
from skimage import filters

from napari_seedbed.core.progress import check_stop
from napari_seedbed.core.thresholds import histogram_kernels
from napari_seedbed.core.thresholds.histograms import Histogram
from napari_seedbed.core.validation import check_count
from napari_seedbed.errors import InputError

AutomaticMethod = Literal["otsu", "li", "yen", "isodata", "triangle", "mean", "minimum"]
AUTOMATIC_METHODS: tuple[AutomaticMethod, ...] = get_args(AutomaticMethod)

_MOST_SMOOTHINGS = 10_000
_SMOOTHINGS_AT_ONCE = 200


def automatic_threshold(histogram: Histogram, method: str = "otsu") -> float:
    """Return the grey value that divides an image, found from its histogram.

    Parameters
    ----------
    histogram : Histogram
        Of an image, see `image_histogram`.
    method : {'otsu', 'li', 'yen', 'isodata', 'triangle', 'mean', 'minimum'}

    Returns
    -------
    float
        What is above belongs to the brighter part. The same as scikit-image's function of this
        name gives for images of integers; floating-point images are counted in 256 bins as there,
        and in 65536 for ``li``, which is a mean of voxels there.

    Raises
    ------
    InputError
        For a constant image, another method, or where the method finds no value.

    References
    ----------
    Otsu (1979), A threshold selection method from gray-level histograms.
    Li, Tam (1998), An iterative algorithm for minimum cross entropy thresholding.
    Yen, Chang, Chang (1995), A new criterion for automatic multilevel thresholding.
    Ridler, Calvard (1978), Picture thresholding using an iterative selection method.
    Zack, Rogers, Latt (1977), Automatic measurement of sister chromatid exchange frequency.
    Glasbey (1993), An analysis of histogram-based thresholding algorithms (mean and minimum).
    """
    if method not in AUTOMATIC_METHODS:
        raise InputError(f"method is {method!r}; it must be one of {', '.join(AUTOMATIC_METHODS)}.")
    check_varied(histogram)
    if method == "mean":
        return histogram.mean
    if method == "li":
        return _li(histogram)
    coarse = histogram.coarse()
    if method == "minimum":
        return _minimum(coarse)
    if method == "triangle":
        return _triangle(coarse)
    return _by_scikit_image(coarse, method)


def check_varied(histogram: Histogram) -> None:
    """Raise `InputError` where all voxels are equal, so that nothing can be divided."""
    if histogram.is_constant:
        raise InputError(
            f"image is constant (all values are {histogram.low:.12g}), so no threshold divides it; "
            "choose another image, channel or region."
        )


def _by_scikit_image(histogram: Histogram, method: str) -> float:
    find: Callable[..., Any] = getattr(filters, f"threshold_{method}")
    # Over 0 to 1: in grey values near the end of floating-point numbers squares overflow.
    places = histogram.values
    low, span = 0.0, 1.0
    if not histogram.is_exact:
        low, span = histogram.low, 0.25 * histogram.high - 0.25 * histogram.low
        places = (np.arange(len(histogram.counts)) + 0.5) / len(histogram.counts)
    with np.errstate(all="ignore"):
        try:
            found = float(find(hist=(histogram.counts, places)))
        except IndexError:
            raise InputError(f"method {method} finds no threshold in this image.") from None
    return found if histogram.is_exact else 4 * (0.25 * low + span * found)


def _li(histogram: Histogram) -> float:
    counts = histogram.counts.astype(np.float32)
    low = histogram.low
    if histogram.is_exact:
        places: NDArray[np.floating] = histogram.values - low
        scale = 1.0
        following = histogram.mean - low
    else:
        # In bins: differences of grey values may be more than a float64 holds.
        places = np.arange(len(counts)) + 0.5
        scale = 0.25 * histogram.high - 0.25 * low
        following = (0.25 * histogram.mean - 0.25 * low) / scale * len(counts)
    current = -1.0
    while abs(following - current) > 0.5 if histogram.is_exact else following != current:
        check_stop()
        current = following
        above = places > current
        if not above.any() or above.all():
            break
        mean_above = np.average(places[above], weights=counts[above])
        mean_below = np.average(places[~above], weights=counts[~above])
        if mean_below == 0:
            break
        following = (mean_below - mean_above) / (np.log(mean_below) - np.log(mean_above))
        if not histogram.is_exact and abs(following - current) <= 0.5:
            break
    if histogram.is_exact:
        return float(following + low)
    return float(4 * (0.25 * low + following / len(counts) * scale))


def _triangle(histogram: Histogram) -> float:
    counts = histogram.counts
    last = len(counts) - 1
    peak = int(np.argmax(counts))
    height: float = float(counts[peak])
    # The longer tail, always on the left.
    flip = peak < last - peak
    if flip:
        counts, peak = counts[::-1], last - peak
    norm = math.sqrt(height**2 + peak**2)
    steps = np.arange(peak)
    length = height / norm * steps - peak / norm * counts[:peak]
    level = int(np.argmax(length)) if peak else 0
    return float(histogram.values[last - level if flip else level])


def _minimum(histogram: Histogram) -> float:
    smooth = histogram.counts.astype(np.float32)
    steps, peaks = 0, 3
    while steps < _MOST_SMOOTHINGS and peaks > 2:
        check_stop()
        at_once = min(_SMOOTHINGS_AT_ONCE, _MOST_SMOOTHINGS - steps)
        done, peaks = histogram_kernels.smooth_until_two_peaks(smooth, at_once)
        steps += done
    if peaks != 2 or steps >= _MOST_SMOOTHINGS:
        raise InputError(
            "method minimum finds no threshold: the smoothed histogram does not have two peaks. "
            "Choose another method."
        )
    first, second = _peaks(smooth)
    return float(histogram.values[first + int(np.argmin(smooth[first : second + 1]))])


def _peaks(counts: NDArray[np.float32]) -> list[int]:
    """Return the last place of each peak, one at the beginning among them."""
    change = np.diff(counts)
    moves = np.flatnonzero(change)
    falls = change[moves] < 0
    fell_before = np.concatenate([[False], falls[:-1]])
    return [int(place) for place in moves[falls & ~fell_before]]


def multi_otsu_thresholds(histogram: Histogram, classes: int = 3) -> tuple[float, ...]:
    """Return the values that divide an image into classes whose means differ most.

    Parameters
    ----------
    histogram : Histogram
    classes : int
        2 or more. The best values are found for any number, in a time that grows with it.

    Returns
    -------
    tuple of float
        One fewer than there are classes, rising; each is the largest value of its class.

    Raises
    ------
    InputError
        If there are fewer different grey values than classes.

    References
    ----------
    Liao, Chen, Chung (2001), A fast algorithm for multilevel thresholding.
    """
    number = check_count(classes, "classes")
    if number < 2:
        raise InputError(f"classes is {number}; it must be 2 or more.")
    check_varied(histogram)
    # Not in 256 bins, as one threshold is: time does not ask for it, and in coarse bins voxels of a
    # class may lie above its threshold.
    there = np.flatnonzero(histogram.counts)
    if len(there) < number:
        raise InputError(
            f"image has only {len(there)} different grey values; {number} classes need as many."
        )
    counts = histogram.counts[there].astype(np.float64)
    # Places among the bins and not grey values: small whole numbers, whose sums are exact.
    weights = np.concatenate([[0.0], np.cumsum(counts)])
    middle = (there[0] + there[-1]) // 2
    sums = np.concatenate([[0.0], np.cumsum(counts * (there - middle))])
    cuts = np.zeros(number - 1, np.int64)
    histogram_kernels.best_classes(weights, sums, number, cuts)
    return tuple(histogram.upper_end(int(there[cut - 1])) for cut in cuts)
