"""The range that values were made for is found from the values, as a person would tell it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_seedbed.core import value_range
from napari_seedbed.errors import InputError


@pytest.mark.parametrize(
    ("dtype", "highest", "bits"),
    [
        ("uint8", 3, 8),
        ("uint16", 200, 8),
        ("uint16", 256, 10),
        ("uint16", 1024, 12),
        ("uint16", 4095, 12),
        ("uint16", 4096, 14),
        ("uint16", 16383, 14),
        ("uint16", 16384, 16),
        ("int16", 20000, 15),
        ("int32", 4095, 12),
        ("uint32", 70000, 32),
        ("uint64", 2**40, 64),
        ("float32", 4071.5, 12),
        ("float16", 200, 8),
    ],
)
def test_grey_levels_have_the_fewest_usual_bits_that_hold_them(dtype, highest, bits):
    found = value_range(np.array([[0, highest]], dtype))
    assert (found.bits, found.low, found.high) == (bits, 0, 2**bits - 1)


@pytest.mark.parametrize(
    ("dtype", "lowest", "highest", "low", "high"),
    [
        ("int16", -1000, 2047, -2048, 2047),
        ("int16", -1024, 3071, -8192, 8191),
        ("int8", -1, 5, -128, 127),
        ("int64", -(2**40), 5, -(2**63), 2**63 - 1),
        ("float32", 0, 0.5, 0, 1),
        ("float64", -0.25, 0.5, -1, 1),
        ("float64", 0, 1.5, 0, 1.5),
        ("float64", -3, 200, -3, 200),
        ("bool", False, True, 0, 1),
    ],
)
def test_ranges_of_other_numbers(dtype, lowest, highest, low, high):
    found = value_range(np.array([lowest, highest], dtype))
    assert (found.low, found.high) == (low, high)


@pytest.mark.parametrize("bits", [10, 12, 14])
def test_grey_levels_at_the_top_of_sixteen_bits_are_recognised(bits):
    shift = 16 - bits
    image = (np.arange(2**bits) << shift).astype(np.uint16)
    found = value_range(image)
    assert (found.bits, found.shift, found.high) == (bits, shift, int(image.max()))


def test_twelve_bits_are_named():
    image = np.array([[3, 4071]], np.uint16)
    assert value_range(image).text == "12 bits in uint16, 3 to 4071 of 0 to 4095"


@given(st.lists(st.integers(0, 65535), min_size=1, max_size=20))
def test_whole_numbers_are_within_the_range_whatever_type_holds_them(values):
    for dtype in ("uint16", "int32", "uint64"):
        found = value_range(np.array(values, dtype))
        assert found.low <= min(values) <= max(values) <= found.high


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_not_finite_is_refused(value):
    with pytest.raises(InputError, match="NaN"):
        value_range(np.array([1.0, value]))
