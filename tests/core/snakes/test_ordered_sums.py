"""Sums in pieces equal NumPy's, bit for bit."""

import numpy as np
import pytest

from napari_seedbed.core.snakes.ordered_sums import masked_sum


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("shape", [(7,), (300, 1001), (67, 70, 91), (128, 64, 64)], ids=str)
@pytest.mark.parametrize("order", ["C", "F"])
def test_sums_equal_numpys(rng, shape, dtype, order):
    values = np.asarray(rng.normal(size=shape).astype(dtype), order=order)
    mask = rng.integers(0, 2, shape).astype(np.int8)
    assert masked_sum(values, mask) == (values * mask).sum()
