"""What snakes look at: even contrast, slopes, and maps of where surfaces stop."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage as ndi
from skimage.segmentation import inverse_gaussian_gradient

from napari_seedbed.core.snakes.snake_images import (
    NoContrastError,
    check_contrast,
    contrast_limits,
    edge_map,
    edge_strength,
    evened,
    stopping_map,
)
from napari_seedbed.errors import InputError


@pytest.fixture
def disc(rng):
    y, x = np.indices((48, 56))
    return (np.hypot(y - 22, x - 30) < 12) + 0.05 * rng.normal(size=(48, 56))


def test_limits_are_the_outermost_thousandths(rng):
    image = rng.permutation(np.arange(100_001)).reshape(1, -1).astype(float)
    ((low, high),) = contrast_limits(image)
    assert (low, high) == pytest.approx((100, 99_900))


def test_limits_of_each_channel_are_its_own(rng):
    image = rng.random((40, 3, 50)) * np.array([1, 10, 100])[:, None]
    expected = [contrast_limits(image[:, c]) for c in range(3)]
    assert contrast_limits(image, 1) == [limits for (limits,) in expected]


def test_image_with_few_bright_voxels_goes_from_its_least_to_its_largest_value():
    image = np.zeros((100, 100), np.uint8)
    image[3, 4] = 7
    assert contrast_limits(image) == [(0, 7)]


def test_limits_of_a_large_image_are_close_to_those_of_all_its_voxels(rng):
    image = rng.normal(size=(1500, 1500)).astype(np.float32)
    np.testing.assert_allclose(contrast_limits(image)[0], [-3.09, 3.09], atol=0.05)


@pytest.mark.parametrize("value", [0, 7, -12.5])
def test_constant_image_is_refused_with_its_value(value):
    with pytest.raises(NoContrastError, match=f"same value everywhere .{value:g}.*choose another"):
        contrast_limits(np.full((9, 9), value))


def test_one_channel_with_contrast_is_enough():
    image = np.zeros((2, 9, 9))
    image[1, 4] = 1
    even = evened(image, contrast_limits(image, 0), 0, (1, 1), 0)
    np.testing.assert_array_equal(even, image)


def test_nan_is_refused_with_its_place(disc):
    disc[3, 4] = np.nan
    with pytest.raises(InputError, match=r"image has 1 value that is NaN .* \(3, 4\)"):
        edge_map(disc, 1.0)


def test_mask_is_an_image_of_nought_and_one(disc):
    mask = disc > 0.5
    np.testing.assert_array_equal(edge_map(mask, 1.0), edge_map(mask.astype(float), 1.0))


def test_even_image_is_smoothed_as_by_scipy(disc):
    found = evened(disc, [(0.25, 0.75)], 3.0, (1.5, 1.0))
    expected = ndi.gaussian_filter((disc - 0.25) / 0.5, (2, 3), mode="nearest")
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.uint32, np.int64, np.float32, float])
def test_brightness_and_contrast_of_an_image_make_no_difference(disc, dtype):
    levels = np.clip(np.round(disc * 60) + 40, 0, 120)
    ground = {1: 100, 2: 50_000}.get(np.dtype(dtype).itemsize, 1e6)
    other = (levels + ground).astype(dtype)
    one = evened(levels, contrast_limits(levels), 1.0, (1, 1))
    np.testing.assert_allclose(evened(other, contrast_limits(other), 1.0, (1, 1)), one, atol=1e-5)


def test_small_contrast_on_a_very_high_ground_is_not_rounded_away(disc):
    levels = np.round(disc * 60).astype(np.int64)
    one = evened(levels, contrast_limits(levels), 1.0, (1, 1))
    other = levels + 10**12
    np.testing.assert_allclose(evened(other, contrast_limits(other), 1.0, (1, 1)), one, atol=1e-5)


@given(
    st.floats(-5, 5),
    st.floats(-5, 5),
    st.sampled_from([(1.0, 1.0), (2.0, 1.0), (0.1, 0.4)]),
)
def test_strength_of_a_ramp_is_its_slope_for_each_smallest_voxel(down, right, spacing):
    y, x = np.indices((7, 9))
    inside = edge_strength(down * y + right * x, spacing)[1:-1, 1:-1]
    step = np.array(spacing) / min(spacing)
    np.testing.assert_allclose(inside, np.hypot(down / step[0], right / step[1]), atol=1e-4)


def test_strength_of_a_ramp_in_three_dimensions():
    image = np.indices((5, 6, 7)).T @ np.array([1.0, 2, 3])
    inside = edge_strength(image.T, (4.0, 1.0, 2.0))[1:-1, 1:-1, 1:-1]
    np.testing.assert_allclose(inside, np.sqrt((1 / 4) ** 2 + 2**2 + (3 / 2) ** 2), rtol=1e-5)


def test_strength_of_channels_is_the_root_of_their_squares(rng):
    image = rng.random((3, 20, 30))
    single = [edge_strength(channel) for channel in image]
    expected = np.sqrt(np.sum(np.square(single), axis=0))
    np.testing.assert_allclose(edge_strength(image, channel_axis=0), expected, rtol=1e-5)


def test_axis_of_one_voxel_has_no_slope(rng):
    image = rng.random((20, 30))
    np.testing.assert_array_equal(edge_strength(image[np.newaxis])[0], edge_strength(image))


def test_stopping_map_is_that_of_scikit_image_on_a_smooth_image():
    y, x = np.indices((64, 64))
    image = np.exp(-((y - 30) ** 2 + (x - 34) ** 2) / (2 * 8**2))
    limits = contrast_limits(image)
    ((low, high),) = limits
    found = edge_map(image, 3.0, "stopping", steepness=50)
    expected = inverse_gaussian_gradient((image - low) / (high - low), 50, 3.0)
    inside = np.s_[1:-1, 1:-1]
    np.testing.assert_allclose(found[inside], expected[inside], atol=5e-3)


@given(st.floats(0.01, 1e4))
def test_stopping_map_falls_as_the_formula_says(steepness):
    strength = np.linspace(0, 2, 30, dtype=np.float32)
    found = stopping_map(strength, steepness)
    np.testing.assert_allclose(found, 1 / np.sqrt(1 + steepness * strength), rtol=1e-5)


def test_map_is_bright_or_dark_on_the_edge_of_a_disc(disc):
    y, x = np.indices(disc.shape)
    radius = np.hypot(y - 22, x - 30)
    on, off = np.abs(radius - 12) < 1, np.abs(radius - 12) > 6
    strength, stopping = edge_map(disc, 1.5), edge_map(disc, 1.5, "stopping")
    assert strength[on].min() > strength[off].max()
    assert stopping[on].max() < stopping[off].min()


def test_map_of_flat_strength_is_refused():
    with pytest.raises(NoContrastError, match=r"no edges.*smooth less, or choose another image"):
        stopping_map(np.zeros((8, 8), np.float32), 100.0)


def test_gentle_map_of_real_edges_is_not_taken_for_one_without(disc):
    found = edge_map(disc, 1.0, "stopping", steepness=1e-6)
    np.testing.assert_allclose(found, 1, atol=1e-6)


@pytest.mark.parametrize("kind", ["strength", "stopping"])
def test_smoothing_wider_than_the_image_is_refused_at_once(disc, kind):
    with pytest.raises(InputError, match=r"sigma is 1e\+06, wider than the whole image"):
        edge_map(disc, 1e6, kind)


def test_contrast_that_smoothing_takes_away_is_noticed():
    image = np.zeros((4, 300))
    image[:, ::2] = 1
    even = evened(image, contrast_limits(image), 8.0, (1, 1))
    middle = np.ascontiguousarray(even[:, 100:200])
    with pytest.raises(NoContrastError, match=r"nothing left to see.*smooth less"):
        check_contrast(middle)


def test_faint_but_real_contrast_is_enough(disc):
    check_contrast(1e-3 * disc.astype(np.float32))


@pytest.mark.parametrize("spacing", [(0.3, 0.1), (300, 100)])
def test_only_ratios_of_lengths_matter(disc, spacing):
    one = edge_map(disc, 2.0, spacing=(3, 1))
    other = edge_map(disc, 2.0 * spacing[1], spacing=spacing)
    np.testing.assert_allclose(other, one, atol=1e-6)


def test_unknown_kind_is_refused(disc):
    with pytest.raises(InputError, match="kind is 'soft'; it must be 'strength' or 'stopping'"):
        edge_map(disc, 1.0, "soft")
