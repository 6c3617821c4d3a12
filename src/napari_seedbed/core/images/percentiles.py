"""Percentiles of the values of images."""

from collections.abc import Iterable, Sequence
from functools import partial, reduce
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from napari_seedbed.core.library_calls import call_aside
from napari_seedbed.core.progress import check_stop
from napari_seedbed.core.thresholds.histograms import OverBlocks
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


def percentiles_over(over: OverBlocks, dtype: DTypeLike, percents: Sequence[float]) -> list[float]:
    """Find the same in an image of which somebody else has the blocks, in bounded memory.

    Parameters
    ----------
    over : callable
        ``over(function)`` gives what a picklable function gives for each block.
    dtype : dtype
        Of the blocks.
    percents : sequence of float
        From 0 to 100.

    Returns
    -------
    list of float
        Those of `percentiles`: values are found digit by digit, 16 bits a pass.

    Raises
    ------
    InputError
        If voxels are NaN or infinite.
    """
    kind = np.dtype(dtype)
    if kind == np.float16:
        kind = np.dtype(np.float32)
    bits = 8 * kind.itemsize
    digits = min(bits, _DIGIT)
    prefixes: tuple[int, ...] = (0,)
    counts = _added(over(partial(_count_digits, kind=kind, shift=bits - digits, prefixes=prefixes)))
    count = int(counts.sum())
    # In the order in which `percentiles` and NumPy multiply, to the last digit.
    counted = kind.kind in "bu" and kind.itemsize <= 2
    places = [
        (count - 1) * percent / 100 if counted else (count - 1) * (percent / 100)
        for percent in percents
    ]
    ranks = sorted(
        {rank for place in places for rank in (int(place), min(int(place) + 1, count - 1))}
    )
    # Of each rank: the digits found so far, and its rank among the values that begin with them.
    found = dict.fromkeys(ranks, 0)
    left = {rank: rank for rank in ranks}
    for shift in range(bits - digits, -1, -digits):
        if shift < bits - digits:
            prefixes = tuple(sorted(set(found.values())))
            counts = _added(over(partial(_count_digits, kind=kind, shift=shift, prefixes=prefixes)))
        for rank in ranks:
            below = np.cumsum(counts[prefixes.index(found[rank])])
            digit = int(np.searchsorted(below, left[rank], side="right"))
            left[rank] -= int(below[digit - 1]) if digit else 0
            found[rank] = found[rank] << digits | digit
    values = {rank: _value_of(key, kind) for rank, key in found.items()}
    return [
        _between(values[int(place)], values[min(int(place) + 1, count - 1)], place - int(place))
        for place in places
    ]


_DIGIT = 16
"""Bits that one pass over an image finds."""


def _added(parts: Iterable[NDArray[np.int64]]) -> NDArray[np.int64]:
    """The sum of arrays, of which one is in memory at a time."""
    return reduce(np.add, parts)


def _keys(values: NDArray[Any]) -> NDArray[Any]:
    """Unsigned numbers in the same order as values of their size."""
    kind = values.dtype
    if kind.kind == "b":
        return values.view(np.uint8)
    unsigned = np.dtype(f"u{kind.itemsize}")
    raw = values.view(unsigned)
    top = unsigned.type(1 << (8 * kind.itemsize - 1))
    if kind.kind == "i":
        return raw ^ top
    if kind.kind == "f":
        # -0 and 0 are the same number
        raw = (values + kind.type(0)).view(unsigned)
        return np.where(raw & top, ~raw, raw | top)
    return raw


def _value_of(key: int, kind: np.dtype[Any]) -> Any:
    """The value that has such a key."""
    if kind.kind in "bu":
        return key
    top = 1 << (8 * kind.itemsize - 1)
    if kind.kind == "i":
        return key - top
    raw = key ^ top if key & top else key ^ ((top << 1) - 1)
    return np.array(raw, f"u{kind.itemsize}").view(kind)[()]


def _count_digits(
    block: Any, kind: np.dtype[Any], shift: int, prefixes: tuple[int, ...]
) -> NDArray[np.int64]:
    """Of the values that begin with each of some digits, how often each next digit occurs."""
    array = np.asanyarray(block)
    values = check_image(array).reshape(-1) if array.size else array.reshape(-1)
    digits = min(8 * kind.itemsize, _DIGIT)
    counts = np.zeros((len(prefixes), 1 << digits), np.int64)
    for start in range(0, values.size, _VOXELS_PER_PART):
        check_stop()
        part = np.ascontiguousarray(values[start : start + _VOXELS_PER_PART], dtype=kind)
        keys = _keys(part)
        is_first = shift + digits >= 8 * kind.itemsize
        for nth, prefix in enumerate(prefixes):
            own = (
                keys
                if is_first
                else keys[keys >> np.uint64(shift + digits).astype(keys.dtype) == prefix]
            )
            digit = own >> np.uint64(shift).astype(keys.dtype)
            digit &= digit.dtype.type((1 << digits) - 1)
            counts[nth] += np.bincount(digit.astype(np.int64), minlength=1 << digits)
    return counts


def _between(low: Any, high: Any, share: float) -> float:
    """As NumPy interpolates between two values."""
    apart = float(high - low)
    return float(low) + apart * share if share < 0.5 else float(high) - apart * (1 - share)


_VOXELS_PER_PART = 1 << 20


def _counted(counts: NDArray[np.intp], percent: float) -> float:
    """As NumPy's percentile, between the two values that it lies between."""
    below = np.cumsum(counts)
    place = (int(below[-1]) - 1) * percent / 100
    rank = int(place)
    low = int(np.searchsorted(below, rank, side="right"))
    high = int(np.searchsorted(below, min(rank + 1, int(below[-1]) - 1), side="right"))
    return low + (high - low) * (place - rank)
