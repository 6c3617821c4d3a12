"""What all voxels of an image tell: the range that they were made for, and percentiles."""

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.library_calls import call_aside
from napari_seedbed.core.progress import ShouldStop, check_stop
from napari_seedbed.core.validation import check_image
from napari_seedbed.pipeline.image import Image

if TYPE_CHECKING:
    from napari_seedbed.core import ValueRange

_KEPT = 8
_ranges: "OrderedDict[tuple[object, ...], ValueRange]" = OrderedDict()
"""Ranges of the last lazy images, which take long to read and never change."""


def range_of_image(image: Image, should_stop: ShouldStop | None = None) -> "ValueRange":
    """The range that the values of all time points and channels were made for.

    Raises
    ------
    InputError
        If voxels are NaN or infinite.
    """
    from napari_seedbed.core.images.value_ranges import common_range, value_range_of_part

    key = (getattr(image.array, "name", None), image.rgb, image.source_channels)
    if image.is_lazy and key in _ranges:
        return _ranges[key]
    parts = []
    for volume in volumes(image, range(image.n_times)):
        check_stop(should_stop)
        parts.append(value_range_of_part(check_image(volume)))
    found = common_range(parts)
    if image.is_lazy:
        _ranges[key] = found
        while len(_ranges) > _KEPT:
            _ranges.popitem(last=False)
    return found


def percentiles_of_image(
    image: Image,
    percents: Sequence[float],
    times: Sequence[int],
    channel: int | None,
    should_stop: ShouldStop | None = None,
) -> list[float]:
    """Percentiles of one channel, or of all together, at some time points together.

    Raises
    ------
    InputError
        If voxels are NaN or infinite.
    """
    if channel is not None:
        image = image.select_channels([channel])
    values = []
    for volume in volumes(image, times):
        check_stop(should_stop)
        values.append(check_image(volume).reshape(-1))
    together = values[0] if len(values) == 1 else np.concatenate(values)
    check_stop(should_stop)
    if together.dtype.kind in "bu" and together.dtype.itemsize <= 2:
        counts = call_aside(partial(np.bincount, together), should_stop)
        return [_counted_percentile(counts, percent) for percent in percents]
    if together.dtype.kind == "f" and together.dtype.itemsize < 4:
        together = together.astype(np.float32)
    found = call_aside(partial(np.percentile, together, list(percents)), should_stop)
    return [float(value) for value in found]


def volumes(image: Image, times: Sequence[int]) -> Iterator[NDArray]:
    """The voxels of each time point."""
    for t in times:
        yield image.select_time(t).volume()


def _counted_percentile(counts: NDArray[np.intp], percent: float) -> float:
    """As NumPy's percentile, between the two values that it lies between."""
    below = np.cumsum(counts)
    place = (int(below[-1]) - 1) * percent / 100
    rank = int(place)
    low = int(np.searchsorted(below, rank, side="right"))
    high = int(np.searchsorted(below, min(rank + 1, int(below[-1]) - 1), side="right"))
    return low + (high - low) * (place - rank)
