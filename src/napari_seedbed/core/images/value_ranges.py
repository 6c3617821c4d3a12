"""Which values an image holds, and the range that they were made for."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.validation import check_image

_DEPTHS = (8, 10, 12, 14, 16, 32, 64)
"""Bits that cameras, scanners and files use."""

_SHIFTED_DEPTHS = (8, 10, 12, 14)

_LEAST_FLOAT = 16
"""Numbers that are not whole are only taken for grey levels when they reach this far."""


@dataclass(frozen=True)
class ValueRange:
    """Values of an image, and the range that they were made for.

    Attributes
    ----------
    dtype : numpy.dtype
    lowest, highest : float or int
        Values that do occur.
    low, high : float or int
        Range that they were made for: that of the detector's bits, 0 to 1, -1 to 1, or just what
        does occur where nothing fits.
    bits : int or None
        Bits of a grey level; None where the range is not that of whole grey levels.
    shift : int
        Bits at the low end that are 0 in every voxel of an image whose grey levels were moved to
        the top of a wider type; else 0.
    """

    dtype: np.dtype
    lowest: float
    highest: float
    low: float
    high: float
    bits: int | None = None
    shift: int = 0

    @property
    def signed(self) -> bool:
        """Whether the range lies on both sides of 0, which then stays 0 in conversions."""
        return self.low < 0 < self.high and (self.bits is not None or self.low == -1)

    @property
    def occurring(self) -> "tuple[float, float] | str":
        """From the lowest to the highest value, as `convert_type` takes a source."""
        return (self.lowest, self.highest) if self.lowest < self.highest else "image"

    @property
    def of_type(self) -> tuple[float, float]:
        """What the type is taken to hold, without negative values where none of floats is."""
        low, high = range_of_type(self.dtype)
        return (max(low, 0), high) if self.dtype.kind == "f" and self.lowest >= 0 else (low, high)

    @property
    def spread(self) -> tuple[float, float]:
        """The range that they were made for, one wide where it is a single value."""
        return (self.low, self.high) if self.low < self.high else (self.low, self.low + 1)

    @property
    def text(self) -> str:
        """In words: ``12 bits in uint16, 3 to 4071 of 0 to 4095``."""
        occur = f"{_number(self.lowest)} to {_number(self.highest)}"
        of = f"{occur} of {_number(self.low)} to {_number(self.high)}"
        if self.dtype.kind == "b":
            return "true or false"
        if self.bits is None:
            return f"{self.dtype.name}, {occur if (self.low, self.high) != (0, 1) else of}"
        if self.shift:
            return (
                f"{self.bits} bits at the top of {self.dtype.name} (all values are multiples of "
                f"{1 << self.shift}), {of}"
            )
        sign = "signed " if self.low < 0 and self.dtype.kind == "f" else ""
        return f"{sign}{self.bits} bits in {self.dtype.name}, {of}"


def value_range(image: Any) -> ValueRange:
    """Find which values an image holds and which range they were made for.

    Parameters
    ----------
    image : (…) array_like
        Of any real type, of finite numbers.

    Returns
    -------
    ValueRange
        For whole numbers from 0 the narrowest of 8, 10, 12, 14, 16, 32 and 64 bits that holds
        them, where the type has as many; with negative ones the same, signed. For numbers that
        are not whole 0 to 1 or -1 to 1 where they fit; else, from 16 on, the grey levels of 8 to
        16 bits, since a filtered image keeps those of the image that it was made from.

    Raises
    ------
    InputError
        If it is no image of finite real numbers.
    """
    return common_range([value_range_of_part(check_image(image))])


@dataclass(frozen=True)
class PartRange:
    """What one part of an image contributes to its range: extreme values, and bits that are set."""

    dtype: np.dtype
    lowest: float
    highest: float
    bits_set: int


def value_range_of_part(array: NDArray[Any]) -> PartRange:
    """What one part of an image, which has been checked, contributes to its range."""
    lowest, highest = array.min(), array.max()
    if array.dtype.kind == "f":
        return PartRange(array.dtype, float(lowest), float(highest), 0)
    low, high = int(lowest), int(highest)
    shifted = array.dtype.kind == "u" and array.dtype.itemsize == 2 and high >> 8
    bits = int(np.bitwise_or.reduce(array, axis=None)) if shifted else 0
    return PartRange(array.dtype, low, high, bits)


def common_range(parts: Iterable[PartRange]) -> ValueRange:
    """The range of an image from those of its parts, of which there must be one at least."""
    found = list(parts)
    dtype = found[0].dtype
    lowest = min(part.lowest for part in found)
    highest = max(part.highest for part in found)
    if dtype.kind == "b":
        return ValueRange(dtype, lowest, highest, 0, 1)
    if dtype.kind == "f":
        return _range_of_floats(dtype, lowest, highest)
    low, high = int(lowest), int(highest)
    bits_set = 0
    for part in found:
        bits_set |= part.bits_set
    shift = _shift(bits_set)
    if shift:
        bits = 16 - shift
        return ValueRange(dtype, low, high, 0, ((1 << bits) - 1) << shift, bits, shift)
    return _range_of_integers(dtype, low, high)


def range_of_type(dtype: np.dtype) -> tuple[float, float]:
    """What a type is taken to hold by scikit-image: all of an integer type, floats -1 or 0 to 1."""
    if dtype.kind == "b":
        return 0, 1
    if dtype.kind == "f":
        return -1, 1
    limits = np.iinfo(dtype)
    return int(limits.min), int(limits.max)


def _range_of_integers(dtype: np.dtype, lowest: int, highest: int) -> ValueRange:
    limits = np.iinfo(dtype)
    if lowest < 0:
        needed = 1 + max(highest.bit_length(), (-lowest - 1).bit_length())
        bits = next(depth for depth in _DEPTHS if depth >= needed)
        low, high = -(1 << (bits - 1)), (1 << (bits - 1)) - 1
    else:
        bits = next(depth for depth in _DEPTHS if depth >= highest.bit_length())
        low, high = 0, (1 << bits) - 1
        if high > limits.max:
            high = int(limits.max)
            bits = high.bit_length()
    return ValueRange(dtype, lowest, highest, low, high, bits)


def _range_of_floats(dtype: np.dtype, lowest: float, highest: float) -> ValueRange:
    if lowest >= 0 and highest <= 1:
        return ValueRange(dtype, lowest, highest, 0, 1)
    if lowest >= -1 and highest <= 1:
        return ValueRange(dtype, lowest, highest, -1, 1)
    if lowest >= 0 and _LEAST_FLOAT <= highest <= 65535:
        bits = next(depth for depth in _DEPTHS if highest <= (1 << depth) - 1)
        return ValueRange(dtype, lowest, highest, 0, (1 << bits) - 1, bits)
    return ValueRange(dtype, lowest, highest, lowest, highest)


def _shift(bits_set: int) -> int:
    """How far grey levels of 16 bits were moved up: 4 for 0xFFF0, 0 where they were not."""
    if not bits_set:
        return 0
    shift = (bits_set & -bits_set).bit_length() - 1
    moved = bits_set >> shift == (1 << (16 - shift)) - 1
    return shift if moved and 16 - shift in _SHIFTED_DEPTHS else 0


def _number(value: float) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
