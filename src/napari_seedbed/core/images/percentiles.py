"""Percentiles of the values of images."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.library_calls import call_aside
from napari_seedbed.core.validation import check_image


def percentiles(image: Any, percents: Sequence[float]) -> list[float]:
    """Find values that so many percent of an image are not above.

    Parameters
    ----------
    image : (…) array_like
        Of any real type, of finite numbers.
    percents : sequence of float
        From 0 to 100.

    Returns
    -------
    list of float
        As NumPy's percentile; counted, and so much quicker, for whole numbers of 8 and 16 bits.

    Raises
    ------
    InputError
        If voxels are NaN or infinite.
    """
    values = check_image(image).reshape(-1)
    if values.dtype.kind in "bu" and values.dtype.itemsize <= 2:
        counts = call_aside(partial(np.bincount, values))
        return [_counted(counts, percent) for percent in percents]
    if values.dtype.kind == "f" and values.dtype.itemsize < 4:
        values = values.astype(np.float32)
    found = call_aside(partial(np.percentile, values, list(percents)))
    return [float(value) for value in found]


def _counted(counts: NDArray[np.intp], percent: float) -> float:
    """As NumPy's percentile, between the two values that it lies between."""
    below = np.cumsum(counts)
    place = (int(below[-1]) - 1) * percent / 100
    rank = int(place)
    low = int(np.searchsorted(below, rank, side="right"))
    high = int(np.searchsorted(below, min(rank + 1, int(below[-1]) - 1), side="right"))
    return low + (high - low) * (place - rank)
