"""Gain and offset of what has not changed, whatever has."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage as ndi
from skimage import data

from napari_seedbed.core import gain_and_offset, match_intensity


@pytest.fixture(scope="module")
def cat():
    return data.chelsea()[..., 1].astype(float)


@given(gain=st.floats(0.2, 5), offset=st.floats(-100, 100))
def test_a_change_of_light_is_told_exactly(gain, offset):
    image = data.chelsea()[50:150, 100:220, 1].astype(float)
    assert gain_and_offset(image, gain * image + offset) == pytest.approx(
        (gain, offset), rel=1e-6, abs=1e-4
    )


def test_a_large_change_does_not_sway_it(cat):
    second = 0.8 * cat + 12
    second[40:200, 60:260] = 255
    gain, offset = gain_and_offset(second, cat)
    assert (gain, offset) == pytest.approx((1.25, -15), rel=0.03)
    assert abs(match_intensity(second, cat, "robust") - cat)[220:].max() < 2
    assert abs(match_intensity(second, cat, "mean_std") - cat)[220:].max() > 10


def test_noise_in_both_images_does_not_pull_the_gain_down(cat, rng):
    noisy = [cat + rng.normal(0, 20, cat.shape) for _ in range(2)]
    assert gain_and_offset(noisy[0], 2 * noisy[1])[0] == pytest.approx(2, rel=0.03)


def test_equal_images_keep_every_value(cat):
    assert gain_and_offset(cat, cat) == (1, 0)
    changed = cat.copy()
    changed[:40] = 0
    assert gain_and_offset(changed, cat) == (1, 0)


def test_constant_images_are_only_moved():
    assert gain_and_offset(np.full((9, 9), 4.0), np.full((9, 9), 7.0)) == pytest.approx((1, 3))


def test_a_page_whose_ground_has_no_noise_is_matched():
    page = np.full((80, 90), 240.0)
    page[20:60:4, 10:80] = 20
    page = ndi.gaussian_filter(page, 1)
    assert gain_and_offset(0.5 * page + 30, page) == pytest.approx((2, -60), rel=1e-3)


def test_only_pixels_of_a_mask_count(cat):
    second = 2 * cat
    second[:, 200:] = cat[:, 200:]
    mask = np.zeros(cat.shape, bool)
    mask[:, :190] = True
    assert gain_and_offset(second, cat, mask) == pytest.approx((0.5, 0), abs=1e-6)
