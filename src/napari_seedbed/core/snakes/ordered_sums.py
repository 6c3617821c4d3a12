"""Sums over a mask that equal NumPy's to the last bit, without an array of all products.

The last bits of a sum of floats depend on the order of its terms. NumPy halves an array again and
again and adds up the sums of the halves. Some versions cut it otherwise: there, NumPy sums it all.
"""

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

_PIECE = 1 << 17
_STEP = 8
"""NumPy adds so many numbers side by side, and halves an array at a multiple of this."""


def masked_sum(values: NDArray[np.floating], mask: NDArray[np.int8]) -> Any:
    """Return ``(values * mask).sum()``, bit for bit; `mask` is 0 or 1, of the same shape."""
    # The order of memory is the order of the sum.
    if not values.flags.c_contiguous or not _is_halved(values.dtype.str):
        return (values * mask).sum()
    return _sum_of_halves(values.reshape(-1), mask.reshape(-1))


def _sum_of_halves(values: NDArray[np.floating], mask: NDArray[np.int8]) -> Any:
    if values.size <= _PIECE:
        return (values * mask).sum()
    half = values.size // 2
    half -= half % _STEP
    return _sum_of_halves(values[:half], mask[:half]) + _sum_of_halves(values[half:], mask[half:])


@lru_cache
def _is_halved(kind: str) -> bool:
    """Whether this version of NumPy sums an array of several axes by halves."""
    values = np.random.default_rng(0).normal(size=(3, 9, 233, 257)).astype(kind)
    everything = np.ones(values[0].size, np.int8)
    return all(_sum_of_halves(part.reshape(-1), everything) == part.sum() for part in values)
