"""Percentiles, means and extremes of windows agree with SciPy on every window and type."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage
from window_footprints import footprint

from napari_seedbed.core import maximum, mean, median, minimum, percentile
from napari_seedbed.core.filters.windows import window_rows
from napari_seedbed.errors import InputError

SCENES = [
    ((9, 14, 17), (2.0, 1.0, 1.0), 4.3),
    ((30, 40), (1.0, 1.0), 5.0),
    ((3, 4, 5), (1.0, 1.0, 1.0), 4.5),
    ((1, 9, 9), (0.5, 1.0, 1.0), 2.0),
    ((12, 7), (1.0, 2.0), 0.0),
]
EVERYWHERE = pytest.mark.parametrize(("shape", "spacing", "radius"), SCENES)
WINDOWS = pytest.mark.parametrize("window", ["ball", "box"])


def members(shape, spacing, radius, window):
    """The window by its definition: voxels whose centres are no farther than the radius."""
    reach = [int(radius / step + 1e-6) for step in spacing]
    offsets = np.meshgrid(
        *(np.arange(-n, n + 1) * step for n, step in zip(reach, spacing, strict=True)),
        indexing="ij",
    )
    if window == "box":
        return np.ones(offsets[0].shape, bool)
    return sum(offset**2 for offset in offsets) <= radius**2 * (1 + 1e-6)


@EVERYWHERE
@WINDOWS
def test_window_has_the_voxels_within_its_radius(shape, spacing, radius, window):
    rows = window_rows(radius, spacing, window)
    np.testing.assert_array_equal(
        footprint(rows, len(shape)), members(shape, spacing, radius, window)
    )


@EVERYWHERE
@WINDOWS
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int32, np.int64, np.float16, np.float32])
@pytest.mark.parametrize("percent", [0, 25, 50, 99.9, 100])
def test_percentile_is_that_of_scipy(rng, shape, spacing, radius, window, dtype, percent):
    array = (rng.normal(0, 1, shape) * 1000).astype(dtype)
    found = percentile(array, percent, radius, spacing, window=window)
    member = members(shape, spacing, radius, window)
    expected = ndimage.percentile_filter(array.astype(float), percent, footprint=member)
    assert found.dtype == dtype
    np.testing.assert_array_equal(found, expected)


@EVERYWHERE
@WINDOWS
@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float16, np.float64])
def test_extremes_are_those_of_scipy(rng, shape, spacing, radius, window, dtype):
    array = (rng.normal(0, 1, shape) * 1000).astype(dtype)
    member = members(shape, spacing, radius, window)
    for ours, theirs in ((minimum, ndimage.minimum_filter), (maximum, ndimage.maximum_filter)):
        found = ours(array, radius, spacing, window=window)
        assert found.dtype == dtype
        np.testing.assert_array_equal(found, theirs(array.astype(float), footprint=member))


@EVERYWHERE
@WINDOWS
@pytest.mark.parametrize("dtype", [np.uint16, np.float64])
def test_mean_is_that_of_the_window(rng, shape, spacing, radius, window, dtype):
    array = rng.integers(0, 60_000, shape).astype(dtype)
    member = members(shape, spacing, radius, window)
    expected = ndimage.correlate(array.astype(float), member / member.sum())
    found = mean(array, radius, spacing, window=window)
    assert found.dtype == (np.float64 if dtype is np.float64 else np.float32)
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_percentile_of_many_different_numbers_in_a_large_window(rng):
    array = rng.normal(size=(60, 70)).astype(np.float32)
    member = members(array.shape, (1.0, 1.0), 6.0, "ball")
    assert member.sum() > 100
    expected = ndimage.percentile_filter(array, 30, footprint=member)
    np.testing.assert_array_equal(percentile(array, 30, 6.0), expected)


def test_parts_of_a_large_image_fit_together(rng):
    array = rng.integers(0, 255, (1100, 1000)).astype(np.uint8)
    expected = ndimage.median_filter(array, footprint=members(array.shape, (1, 1), 2.0, "ball"))
    np.testing.assert_array_equal(median(array, 2.0), expected)


@given(st.integers(0, 12), st.integers(1, 9), st.integers(1, 9))
def test_median_commutes_with_rising_functions(radius, height, width):
    array = np.random.default_rng(radius).integers(0, 50, (height, width))
    radius = min(radius, max(height, width))
    cubed = median(array.astype(np.int64) ** 3, radius)
    np.testing.assert_array_equal(cubed, median(array, radius).astype(np.int64) ** 3)


def test_window_larger_than_the_image_is_refused():
    with pytest.raises(InputError, match=r"radius is 21 and the image's longest side 20"):
        median(np.zeros((10, 20)), 21)


def test_whole_numbers_that_doubles_cannot_hold_are_refused():
    with pytest.raises(InputError, match="2\\^53"):
        maximum(np.full((3, 3), 2**53 + 1), 1)


def test_mask_stays_a_mask():
    mask = np.zeros((9, 9), bool)
    mask[4, 4] = True
    grown = maximum(mask, 2)
    assert grown.dtype == bool
    assert grown.sum() == 13
    assert not median(mask, 1).any()
