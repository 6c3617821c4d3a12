"""Statistics of voxels: the range that they were made for, percentiles, and limits to show."""

from collections import OrderedDict
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.magnitudes import moderate
from napari_seedbed.core.validation import check_image
from napari_seedbed.pipeline.data.blocks import OverBlocks, over_blocks
from napari_seedbed.pipeline.data.image import Image

if TYPE_CHECKING:
    from napari_seedbed.core import ValueRange
    from napari_seedbed.core.images.value_ranges import PartRange

_KEPT = 8
# Enough for percentiles that look right, and quick to read from a lazy image.
_SAMPLE_SIZE = 200_000
_ranges: "OrderedDict[tuple[object, ...], ValueRange]" = OrderedDict()
"""Ranges of the last lazy images, which take long to read and never change."""


def range_of_image(image: Image, over: OverBlocks = over_blocks) -> "ValueRange":
    """The range that the values of all time points and channels were made for.

    Parameters
    ----------
    image : Image
    over : OverBlocks
        What looks at its blocks.

    Raises
    ------
    InputError
        If voxels are NaN or infinite.
    """
    from napari_seedbed.core.images.value_ranges import common_range

    name = getattr(image.array, "name", None)
    key = (name, image.rgb, image.source_channels)
    if name is not None and key in _ranges:
        return _ranges[key]
    found = common_range(over(_range_of_block, image))
    # What is still being written has no name.
    if name is not None:
        _ranges[key] = found
        while len(_ranges) > _KEPT:
            _ranges.popitem(last=False)
    return found


def _range_of_block(block: NDArray) -> "PartRange":
    from napari_seedbed.core.images.value_ranges import value_range_of_part

    return value_range_of_part(check_image(block))


def percentiles_of_image(
    image: Image,
    percents: Sequence[float],
    times: Sequence[int],
    channel: int | None,
    over: OverBlocks = over_blocks,
) -> list[float]:
    """Percentiles of one channel, or of all together, at some time points together.

    Raises
    ------
    InputError
        If voxels are NaN or infinite.
    """
    from napari_seedbed.core import percentiles
    from napari_seedbed.core.images.percentiles import percentiles_over

    if len(times) == 1:
        image = image.select_time(times[0])
        if not image.is_lazy:
            one = image if channel is None else image.select_channels([channel])
            return percentiles(one.array, percents)
    return percentiles_over(lambda function: over(function, image, channel), image.dtype, percents)


def deviation_of_image(image: Image, channel: int | None, over: OverBlocks = over_blocks) -> float:
    """Standard deviation of the values of an image; that of floats depends on blocks by rounding.

    Parameters
    ----------
    image : Image
    channel : int or None
        All together when None.
    over : OverBlocks
        What looks at its blocks.
    """
    counts, means, deviations = np.array(list(over(_moments, image, channel)), float).T
    mean = np.average(means, weights=counts)
    # None of the squares is larger than the largest of these.
    scale = max(deviations.max(), np.abs(means - mean).max())
    if scale == 0:
        return 0.0
    squares = (deviations / scale) ** 2 + ((means - mean) / scale) ** 2
    return float(scale * np.sqrt(np.average(squares, weights=counts)))


def _moments(block: NDArray) -> tuple[int, float, float]:
    array, exponent = moderate(check_image(block))
    mean, deviation = array.mean(dtype=np.float64), array.std(dtype=np.float64)
    return array.size, float(np.ldexp(mean, exponent)), float(np.ldexp(deviation, exponent))


def contrast_limits(image: Image) -> tuple[float, float] | None:
    """Limits that leave out the darkest and brightest thousandth; None for a flat image.

    A lazy image is judged by one plane in its middle.
    """
    array = image.array
    if image.is_lazy:
        array = np.asarray(array[tuple(n // 2 for n in array.shape[:-2])])
    step = max(1, int(np.ceil((array.size / _SAMPLE_SIZE) ** (1 / array.ndim))))
    values = np.asarray(array[(slice(None, None, step),) * array.ndim])
    if values.dtype.kind not in "iuf":
        return None
    values = values[np.isfinite(values)]
    if not values.size:
        return None
    low, high = np.percentile(values, (0.1, 99.9))
    if low >= high:
        low, high = float(values.min()), float(values.max())
    return (float(low), float(high)) if low < high else None
