"""Percentiles, at once and from blocks."""

import numpy as np
import pytest

from napari_seedbed.core.images.percentiles import percentiles, percentiles_over
from napari_seedbed.errors import InputError

PERCENTS = (0, 0.1, 25, 33.3, 50, 99.9, 100)
TYPES = ("?", "u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f2", "f4", "f8")


@pytest.mark.parametrize("dtype", TYPES)
def test_blocks_give_the_percentiles_of_all_voxels(rng, dtype):
    values = rng.normal(0, 1000, 5001)
    if np.dtype(dtype).kind in "iu":
        limits = np.iinfo(dtype)
        values = np.clip(values, limits.min, limits.max)
        # Also what differs in the highest digits alone.
        values[:4] = limits.max // 2, limits.min // 2, limits.max // 4, 0
    values = values.astype(dtype)
    blocks = np.array_split(values, 4)
    found = percentiles_over(lambda function: map(function, blocks), dtype, PERCENTS)
    assert found == percentiles(values, PERCENTS)
    # NumPy's own of half floats are rounded to these, and of booleans there are none.
    wider = {"f2": np.float32, "?": np.uint8}.get(dtype, values.dtype)
    expected = np.percentile(values.astype(wider), PERCENTS)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_zeros_of_both_signs_are_one_value():
    blocks = [np.array([-0.0, 1.0]), np.array([0.0, -1.0, 0.0])]
    assert percentiles_over(lambda function: map(function, blocks), "f8", (50, 70)) == [0, 0]


def test_blocks_with_values_that_are_not_finite_are_refused():
    blocks = [np.zeros(3), np.array([1.0, np.nan])]
    with pytest.raises(InputError, match="NaN or infinite"):
        percentiles_over(lambda function: map(function, blocks), "f8", (50,))
