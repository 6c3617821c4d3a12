"""Sums over a mask that equal NumPy's to the last bit, in pieces and on all cores.

The last bits of a sum of floats depend on the order of its terms. NumPy halves an array again and
again and adds up the sums of the halves; the same halves can be summed side by side. Some versions
cut it otherwise: with these, NumPy sums it all.
"""

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.progress import ShouldStop
from napari_seedbed.core.threads import Range, run_ranges

_PIECE = 1 << 17
_STEP = 8
"""NumPy adds so many numbers side by side, and halves an array at a multiple of this."""


def masked_sums(
    values: NDArray[np.floating], mask: NDArray[np.int8], should_stop: ShouldStop | None = None
) -> tuple[Any, Any]:
    """Return ``(values * mask).sum()`` and ``(values * (1 - mask)).sum()``, bit for bit.

    Parameters
    ----------
    values : ndarray of float
        Values, of any shape.
    mask : ndarray of int8
        0 or 1, of the same shape.
    should_stop : callable, optional
        Asked between pieces; True raises `Cancelled`.
    """
    # The order of memory is the order of the sum.
    if not values.flags.c_contiguous or not _is_halved(values.dtype.str):
        return (values * mask).sum(), (values * (1 - mask)).sum()
    return _sums_of_halves(values, mask, should_stop)


def _sums_of_halves(
    values: NDArray[np.floating], mask: NDArray[np.int8], should_stop: ShouldStop | None = None
) -> tuple[Any, Any]:
    flat, inside = values.reshape(-1), mask.reshape(-1)
    sums: dict[int, tuple[Any, Any]] = {}

    def add_up(start: int, stop: int) -> None:
        piece, within = flat[start:stop], inside[start:stop]
        sums[start] = (piece * within).sum(), (piece * (1 - within)).sum()

    run_ranges(add_up, _pieces(0, flat.size), should_stop=should_stop)
    return _total(0, flat.size, 0, sums), _total(0, flat.size, 1, sums)


@lru_cache
def _is_halved(kind: str) -> bool:
    """Whether this version of NumPy sums an array of several axes by halves."""
    rng = np.random.default_rng(0)
    for _ in range(3):
        values = rng.normal(size=(9, 233, 257)).astype(kind)
        everything = np.ones(values.shape, np.int8)
        if _sums_of_halves(values, everything)[0] != (values * everything).sum():
            return False
    return True


def _middle(start: int, stop: int) -> int:
    half = (stop - start) // 2
    return start + half - half % _STEP


def _pieces(start: int, stop: int) -> list[Range]:
    if stop - start <= _PIECE:
        return [(start, stop)]
    middle = _middle(start, stop)
    return _pieces(start, middle) + _pieces(middle, stop)


def _total(start: int, stop: int, which: int, sums: dict[int, tuple[Any, Any]]) -> Any:
    if stop - start <= _PIECE:
        return sums[start][which]
    middle = _middle(start, stop)
    return _total(start, middle, which, sums) + _total(middle, stop, which, sums)
