"""Histograms of images of any size: every grey value counted, block by block, on all cores."""

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial, reduce
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.threads import run_ranges, split
from napari_seedbed.core.thresholds import histogram_kernels
from napari_seedbed.core.validation import check_image
from napari_seedbed.errors import InputError

FINE_BINS = 1 << 16
"""Bins of images whose grey values are too many to count one by one."""

COARSE_BINS = 256
"""Bins in which scikit-image looks for thresholds of floating-point images."""

_MOST_VALUES = 1 << 20
"""Whole numbers up to this far apart are counted one by one."""

_VOXELS_PER_PART = 1 << 22

Blocks = Callable[[], Iterable[Any]]

OverBlocks = Callable[[Callable[[Any], Any]], Iterable[Any]]
"""Calls a function with each block of an image, and gives the results in the order of the blocks.

It does so where the blocks are: in this process, or elsewhere.
"""


@dataclass(frozen=True, eq=False)
class Histogram:
    """How often each grey value occurs.

    Attributes
    ----------
    counts : (N,) ndarray of int64
        Neither the first nor the last is zero.
    values : (N,) ndarray of float64
        Grey values, or middles of bins, evenly spaced.
    is_exact : bool
        Whether `values` are all grey values between the smallest and the largest.
    low, high : float
        Smallest and largest grey value.
    mean : float
        Mean of all voxels.
    """

    counts: NDArray[np.int64]
    values: NDArray[np.float64]
    is_exact: bool
    low: float
    high: float
    mean: float

    @property
    def is_constant(self) -> bool:
        """Whether all voxels are equal."""
        return self.low == self.high

    @property
    def edges(self) -> NDArray[np.float64]:
        """Ends (N + 1,) of what is counted together."""
        n = len(self.counts)
        if self.is_exact or self.is_constant:
            return self.values[0] - 0.5 + np.arange(n + 1)
        quarter = 0.25 * self.high - 0.25 * self.low
        return np.asarray(4 * (0.25 * self.low + quarter * (np.arange(n + 1) / n)))

    def coarse(self, bins: int = COARSE_BINS) -> "Histogram":
        """Return one with fewer bins, for methods that need many voxels in each.

        Exact ones stay as they are, and so do those whose bins cannot be put together evenly.
        """
        n = len(self.counts)
        if self.is_exact or n <= bins or n % bins:
            return self
        group = n // bins
        values = 0.5 * self.values[::group] + 0.5 * self.values[group - 1 :: group]
        counts = self.counts.reshape(bins, group).sum(axis=1)
        return Histogram(counts, values, False, self.low, self.high, self.mean)

    def upper_end(self, place: int) -> float:
        """Return the largest grey value that is counted at a place."""
        if self.is_exact:
            return float(self.values[place])
        share = (place + 1) / len(self.counts)
        return 4 * (0.25 * self.low + (0.25 * self.high - 0.25 * self.low) * share)


def image_histogram(image: Any, *, bins: int = FINE_BINS) -> Histogram:
    """Count the grey values of an image.

    Parameters
    ----------
    image : (…) array_like
    bins
        As in `blocks_histogram`.
    """
    return blocks_histogram(lambda: (image,), bins=bins)


def blocks_histogram(blocks: Blocks, *, bins: int = FINE_BINS) -> Histogram:
    """Count the grey values of an image that comes in blocks.

    Parameters
    ----------
    blocks : callable
        Gives the blocks of the image, arrays of any shape and of one type. It is called twice
        where their range must be known first: for all but 8 and 16-bit integers.
    bins : int
        Equal bins between the smallest and the largest value, for floating-point images and for
        integers whose range is above a million. Others are counted one by one.

    Returns
    -------
    Histogram
        The same however the image is cut into blocks; only the mean of floating-point images may
        differ by rounding.

    Raises
    ------
    InputError
        For masks, values that are no finite real numbers, or no voxels at all.
    """
    return histogram_over(lambda function: map(function, blocks()), bins=bins)


def histogram_over(over: OverBlocks, *, bins: int = FINE_BINS) -> Histogram:
    """Count the grey values of an image of which somebody else has the blocks.

    Parameters
    ----------
    over : callable
        ``over(function)`` gives what a picklable function gives for each block, in the order of
        the blocks, wherever it is called.
    bins : int
        As in `blocks_histogram`.

    Returns
    -------
    Histogram

    Raises
    ------
    InputError
        As `blocks_histogram`.
    """
    if bins < 2:
        raise InputError(f"nbins must be at least 2; got {bins}.")
    dtype: np.dtype[Any] | None = None
    low = high = None
    counts = np.zeros(0, np.int64)
    for seen in over(_look):
        if dtype is not None and seen.dtype != dtype:
            raise InputError(f"image has blocks of the types {dtype} and {seen.dtype}.")
        dtype = seen.dtype
        low = seen.low if low is None else min(low, seen.low)
        high = seen.high if high is None else max(high, seen.high)
        if seen.counts is not None:
            counts = counts + seen.counts if counts.size else seen.counts
    if dtype is None or low is None or high is None:
        raise InputError("image is empty: it has no blocks.")
    if counts.size:
        there = np.flatnonzero(counts)
        least = np.iinfo(dtype).min + int(there[0])
        return _exact(counts[there[0] : there[-1] + 1].copy(), least)
    if dtype.kind in "iu" and int(high) - int(low) < _MOST_VALUES:
        counted = partial(_counted, low=int(low), number=int(high) - int(low) + 1)
        return _exact(reduce(np.add, over(counted)), int(low))
    return _binned(over, float(low), float(high), bins)


@dataclass(frozen=True)
class _Seen:
    """What a first look at a block gives: its type, its extremes, and counts of short integers."""

    dtype: np.dtype[Any]
    low: Any
    high: Any
    counts: NDArray[np.int64] | None = None


def _look(block: Any) -> _Seen:
    array = np.asanyarray(block)
    dtype = check_image(array.ravel()[:1] if array.size else array, allow_bool=False).dtype
    if dtype.kind in "iu" and dtype.itemsize <= 2:
        limits = np.iinfo(dtype)
        counts = _counted(array, limits.min, limits.max - limits.min + 1)
        return _Seen(dtype, limits.min, limits.max, counts)
    found: list[tuple[Any, Any]] = []

    def look(part: NDArray[Any], nth: int) -> None:
        low, high = part.min(), part.max()
        if dtype.kind == "f" and not (isfinite(low) and isfinite(high)):
            check_image(part)
        found.append((low, high))

    _over_parts(array, dtype, look)
    return _Seen(dtype, min(low for low, _ in found), max(high for _, high in found))


def _exact(counts: NDArray[np.int64], low: int) -> Histogram:
    high = low + len(counts) - 1
    steps = np.arange(len(counts))
    voxels = int(counts.sum())
    # Python's whole numbers are exact, whatever their size.
    mean = (low * voxels + int((counts * steps).sum())) / voxels
    values = low + steps.astype(np.float64)
    return Histogram(counts, values, True, float(low), float(high), float(mean))


def _binned(over: OverBlocks, low: float, high: float, bins: int) -> Histogram:
    if low == high:
        n = sum(over(np.size))
        return Histogram(np.array([n]), np.array([low]), False, low, high, low)
    quarter = 0.25 * high - 0.25 * low
    if quarter == 0 or not isfinite(1 / quarter):
        raise InputError(
            f"image has grey values from {low:g} to {high:g}, too close together; multiply it "
            "first."
        )
    counts = np.zeros(bins, np.int64)
    total = 0.0
    for own, part in over(partial(_count_in_bins, low=low, quarter=quarter, bins=bins)):
        counts += own
        total += part
    place = total / int(counts.sum()) / bins
    places = (np.arange(bins) + 0.5) / bins
    values = 4 * (0.25 * low + quarter * places)
    mean = 4 * (0.25 * low + quarter * place)
    return Histogram(counts, values, False, low, high, float(mean))


def _count_in_bins(
    block: Any, low: float, quarter: float, bins: int
) -> tuple[NDArray[np.int64], float]:
    counts = np.zeros(bins, np.int64)
    totals: list[tuple[int, float]] = []
    lock = threading.Lock()

    def add(part: NDArray[Any], nth: int) -> None:
        own = np.zeros(bins, np.int64)
        total = histogram_kernels.count_in_bins(part, 0.25 * low, quarter, own)
        with lock:
            np.add(counts, own, out=counts)
            totals.append((nth, total))

    array = np.asanyarray(block)
    _over_parts(array, array.dtype.newbyteorder("="), add)
    # In the order of the voxels, whichever thread was first.
    return counts, sum(total for _, total in sorted(totals))


def _counted(block: Any, low: int, number: int) -> NDArray[np.int64]:
    """How often each of so many whole numbers occurs."""
    counts = np.zeros(number, np.int64)
    lock = threading.Lock()

    def add(part: NDArray[Any], nth: int) -> None:
        own = np.zeros(number, np.int64)
        if part.dtype == np.uint64:
            # Differences of unsigned 64 bits to a signed number would be floating point.
            part = (part - np.uint64(low)).astype(np.int64)
            histogram_kernels.count_values(part, 0, own)
        else:
            histogram_kernels.count_values(part, low, own)
        with lock:
            np.add(counts, own, out=counts)

    array = np.asanyarray(block)
    _over_parts(array, array.dtype.newbyteorder("="), add)
    return counts


def _over_parts(
    array: NDArray[Any], dtype: np.dtype[Any], work: Callable[[NDArray[Any], int], None]
) -> None:
    """Call `work` with flat parts of a block and their numbers, on all cores."""
    if array.size == 0:
        raise InputError(f"image is empty: its shape is {array.shape}.")
    if array.ndim == 0:
        array = array.reshape(1)
    # Cut across the first axis a part is one piece of memory.
    wanted = 1 + array.size // _VOXELS_PER_PART
    axis = 0 if array.shape[0] >= wanted else int(np.argmax(array.shape))
    ranges = split(array.shape[axis], wanted)
    numbers = {start: nth for nth, (start, _) in enumerate(ranges)}

    def one(start: int, stop: int) -> None:
        part = array[(slice(None),) * axis + (slice(start, stop),)]
        # Numba does not know float16 and foreign byte orders.
        native = np.dtype(np.float32) if dtype == np.float16 else dtype
        work(np.ascontiguousarray(part, dtype=native).reshape(-1), numbers[start])

    run_ranges(one, ranges)
