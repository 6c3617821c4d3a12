"""Masks from given values, against comparisons written out and scikit-image."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from skimage import data, filters

from napari_seedbed.core import (
    running,
    threshold_at,
    threshold_between,
    threshold_classes,
    threshold_hysteresis,
)
from napari_seedbed.errors import Cancelled, InputError

TYPES = ("u1", "i1", "u2", "i2", "i4", "u8", "f2", "f4", "f8")


@pytest.mark.parametrize("dtype", TYPES)
@given(value=st.floats(-300, 70000))
def test_light_is_above_and_dark_is_the_rest(dtype, value):
    image = np.array([[0, 1, 2, 100, 127]], dtype)
    expected = [[float(voxel) > value for voxel in image[0]]]
    assert threshold_at(image, value).tolist() == expected
    assert np.array_equal(threshold_at(image, value, objects="dark"), ~np.array(expected))


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("value", [-1e300, 1e300])
def test_value_beyond_the_type_divides_nothing(dtype, value):
    image = np.array([[0, 5]], dtype)
    assert threshold_at(image, value).tolist() == [[value < 0] * 2]


def test_large_volume_is_compared_voxel_by_voxel(rng):
    image = rng.integers(0, 4000, (9, 500, 400), dtype=np.uint16)
    assert np.array_equal(threshold_at(image, 1999.5), image > 1999.5)
    turned = image.transpose(2, 0, 1)
    assert np.array_equal(threshold_at(turned, 700), turned > 700)


def test_between_is_above_the_lower_and_not_above_the_upper():
    image = np.arange(8)[None]
    assert threshold_between(image, 2, 5).nonzero()[1].tolist() == [3, 4, 5]
    assert threshold_between(image, 2, 5, inside=False).nonzero()[1].tolist() == [0, 1, 2, 6, 7]
    assert not threshold_between(image, 3, 3).any()


@pytest.mark.parametrize("depth", [1, 5])
def test_hysteresis_is_that_of_scikit_image(depth):
    flat = filters.sobel(data.coins()[:120, :120])
    image = np.stack([np.roll(flat, 3 * n, axis=1) for n in range(depth)])
    image = image[0] if depth == 1 else image
    expected = filters.apply_hysteresis_threshold(image, 0.1, 0.35)
    assert np.array_equal(threshold_hysteresis(image, 0.1, 0.35), expected)
    # The negative of an image has the same objects, dark. What equals a value is not above it.
    negative = threshold_hysteresis(-image, -0.35 - 1e-9, -0.1 - 1e-9, objects="dark")
    assert np.array_equal(negative, expected)


def test_hysteresis_without_a_sure_voxel_finds_nothing():
    image = np.array([[0, 5, 5, 0]])
    assert not threshold_hysteresis(image, 2, 9).any()
    assert threshold_hysteresis(image, 2, 4).tolist() == [[False, True, True, False]]


def test_class_is_the_number_of_thresholds_below():
    image = np.array([[0, 3, 4, 9]], np.uint8)
    assert threshold_classes(image, [3, 8]).tolist() == [[0, 0, 1, 2]]
    assert threshold_classes(image, [3, 8], objects="dark").tolist() == [[2, 2, 1, 0]]


def test_wrong_values_are_refused():
    image = np.zeros((3, 3))
    with pytest.raises(InputError, match="low is 5 and high 2"):
        threshold_between(image, 5, 2)
    with pytest.raises(InputError, match="low is 5 and high 2"):
        threshold_hysteresis(image, 5, 2)
    with pytest.raises(InputError, match="value must be a finite number"):
        threshold_at(image, np.nan)
    with pytest.raises(InputError, match="objects is 'blue'"):
        threshold_at(image, 1, objects="blue")
    with pytest.raises(InputError, match="mask"):
        threshold_at(image > 0, 1)
    with running(should_stop=lambda: True), pytest.raises(Cancelled):
        threshold_at(image, 1)
