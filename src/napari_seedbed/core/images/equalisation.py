"""Images whose grey levels are spread evenly, over all of the image or place by place."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial, reduce
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from napari_seedbed.core.filters.local_filters import float_image
from napari_seedbed.core.images.intensity_maps import Range, range_or_limits, stretch
from napari_seedbed.core.library_calls import call_aside
from napari_seedbed.core.magnitudes import moderate, moderate_range, restored
from napari_seedbed.core.progress import check_stop
from napari_seedbed.core.slabs import Slab, in_slabs
from napari_seedbed.core.thresholds.histograms import OverBlocks
from napari_seedbed.core.validation import (
    check_count,
    check_image,
    check_number,
    check_spacing,
)
from napari_seedbed.errors import InputError

_BINS = 1 << 16
"""Number of grey levels where counting each value would take too many bins."""

_VOXELS_PER_COUNT = 1 << 20


@dataclass(frozen=True, eq=False)
class GreyRanks:
    """How often the grey levels of an image occur, of which parts are equalised alike.

    Attributes
    ----------
    lowest, highest : float or int
    counts : (N,) ndarray of int64
        Of each bin from the lowest to the highest; empty where these are equal.
    """

    lowest: Any
    highest: Any
    counts: NDArray[np.int64]


def ranks_over(over: OverBlocks, dtype: DTypeLike) -> GreyRanks:
    """Count the grey levels of an image of which somebody else has the blocks.

    Parameters
    ----------
    over : callable
        ``over(function)`` gives what a picklable function gives for each block.
    dtype : dtype
        Of the blocks.
    """
    extremes = list(over(_extremes))
    lowest, highest = min(low for low, _ in extremes), max(high for _, high in extremes)
    if lowest == highest:
        return GreyRanks(lowest, highest, np.zeros(0, np.int64))
    kind = np.dtype(np.uint8) if np.dtype(dtype) == bool else np.dtype(dtype)
    counted = partial(_counted, bins=_Bins(kind, lowest, highest))
    return GreyRanks(lowest, highest, reduce(np.add, over(counted)))


def _extremes(block: Any) -> tuple[Any, Any]:
    array = _as_numbers(block)
    return array.min(), array.max()


def _as_numbers(image: Any) -> NDArray[Any]:
    array = check_image(image)
    return array.view(np.uint8) if array.dtype == bool else array


def _counted(block: Any, bins: "_Bins") -> NDArray[np.int64]:
    flat = _as_numbers(block).reshape(-1)
    counts = np.zeros(bins.number, np.int64)
    for start in range(0, flat.size, _VOXELS_PER_COUNT):
        check_stop()
        found = bins.of(flat[start : start + _VOXELS_PER_COUNT])
        counts += np.bincount(found, minlength=bins.number)
    return counts


def equalise(
    image: Any, *, limits: Range | None = None, ranks: GreyRanks | None = None
) -> NDArray[np.floating]:
    """Spread the grey levels evenly: each value becomes its rank among all voxels.

    Parameters
    ----------
    image : (…) array_like
        Of any type and number of axes. Each value counts on its own if the values are whole
        numbers that span less than 65536; else 65536 bins between the lowest and the highest do.
    limits : (float, float), optional
        Range of the result; what `value_range` finds when None.
    ranks : GreyRanks, optional
        What `ranks_over` counted in all of an image of which this is a part.

    Returns
    -------
    (…) ndarray
        ``low + (high - low) * share of voxels that are as bright or darker``, as scikit-image's
        ``equalize_hist`` has it for integers; float64 for float64 images, float32 for all others.
        A constant image comes out as its own value.

    Raises
    ------
    InputError
        If the image is no image.

    References
    ----------
    Hummel (1977), Image Enhancement by Histogram Transformation.
    """
    array = check_image(image)
    low, high = range_or_limits(array, limits)
    wide = array.dtype.kind == "f" and array.dtype.itemsize >= 8
    kind = np.float64 if wide else np.float32
    array = _as_numbers(array)
    if ranks is None:
        array, _ = moderate(array)
        ranks = ranks_over(lambda function: [function(array)], array.dtype)
    if ranks.lowest == ranks.highest:
        return array.astype(kind)
    bins, counts = _Bins(array.dtype, ranks.lowest, ranks.highest), ranks.counts
    low, high, exponent = moderate_range(low, high)
    table = low + (high - low) * (np.cumsum(counts) / counts.sum())
    table = restored(table.astype(kind), exponent)
    out = np.empty(array.shape, kind)

    def work(slab: Slab) -> None:
        out[slab] = table[bins.of(array[slab])]

    in_slabs(work, array.shape)
    return out


def equalise_locally(
    image: Any,
    window: float | Sequence[float] = 0.0,
    clip_limit: float = 0.01,
    spacing: float | Sequence[float] | None = None,
    *,
    limits: Range | None = None,
    nbins: int = 256,
) -> NDArray[np.floating]:
    """Spread the grey levels evenly place by place, as scikit-image's ``equalize_adapthist`` does.

    Parameters
    ----------
    image : ([Z, ]Y, X) array_like
    window : float or sequence of float
        Side of the regions whose grey levels are spread together, in the unit of `spacing`, one
        for all axes or one an axis; 0 is an eighth of the image along each axis.
    clip_limit : float
        How much contrast may grow, from 0 to 1: the share of a region's voxels that one grey level
        may have at most, the rest of them being spread over all levels.
    spacing : sequence of float, optional
        Voxel size; 1 when None.
    limits : (float, float), optional
        Range of the result; what `value_range` finds when None.
    nbins : int
        Number of grey levels.

    Returns
    -------
    ([Z, ]Y, X) ndarray
        float64 for float64 images, float32 for all others. A constant image comes out unchanged.

    Raises
    ------
    InputError
        If an argument is malformed, or the image is no image.

    References
    ----------
    Zuiderveld (1994), Contrast Limited Adaptive Histogram Equalization.
    """
    from skimage.exposure import equalize_adapthist

    array = check_image(image, ndim=(2, 3))
    low, high = range_or_limits(array, limits)
    clip = check_number(clip_limit, "clip_limit")
    if clip > 1:
        raise InputError(f"clip_limit is {clip:g}; it must be from 0 to 1.")
    if check_count(nbins, "nbins") < 2:
        raise InputError(f"nbins is {nbins}; it must be at least 2.")
    sides = _sides(window, array.shape, check_spacing(spacing, array.ndim))
    lowest, highest = float(array.min()), float(array.max())
    if lowest == highest:
        return float_image(array).copy()
    grey = stretch(array, lowest, highest)
    # scikit-image would take a last axis of 3 or 4 for colours
    colours = grey.ndim == 3 and grey.shape[-1] in (3, 4)
    if colours:
        grey, sides = grey[np.newaxis], (1, *sides)
    even = call_aside(partial(equalize_adapthist, grey, sides, clip, nbins))
    if colours:
        even = even[0]
    even = even.astype(grey.dtype, copy=False)
    low, high, exponent = moderate_range(low, high)
    even *= high - low
    even += low
    return restored(even, exponent)


def _sides(
    window: float | Sequence[float], shape: Sequence[int], spacing: Sequence[float]
) -> tuple[int, ...]:
    """Sides of the regions in voxels."""
    given = list(np.atleast_1d(window))
    if len(given) not in (1, len(shape)):
        raise InputError(f"window has {len(given)} values; the image has {len(shape)} axes.")
    lengths = [check_number(value, "window") for value in given * (len(shape) // len(given))]
    return tuple(
        max(n // 8, 1) if length == 0 else min(n, max(1, round(length / step)))
        for length, n, step in zip(lengths, shape, spacing, strict=True)
    )


class _Bins:
    """Which bin of a histogram values fall into."""

    def __init__(self, dtype: np.dtype, lowest: Any, highest: Any) -> None:
        self._whole = dtype.kind in "iu" and int(highest) - int(lowest) < _BINS
        if self._whole:
            self._lowest = int(lowest)
            self.number = int(highest) - int(lowest) + 1
            return
        self.number = _BINS
        # halved, so that the span of the largest numbers is no infinity
        self._low = float(lowest) / 2
        self._span = float(highest) / 2 - self._low

    def of(self, values: NDArray[Any]) -> NDArray[np.intp]:
        """Indices of the bins, of the shape of `values`."""
        if self._whole:
            # 64 bits are subtracted as they are: what they span fits, they themselves may not
            wide = values.astype(np.int64) if values.dtype.itemsize < 8 else values
            return (wide - wide.dtype.type(self._lowest)).astype(np.intp)
        places = (values.astype(np.float64) / 2 - self._low) / self._span
        # whole numbers in floats get a bin each, since bins are narrower than 1
        return (places * (self.number - 1)).astype(np.intp)
