"""Chromaticity is each channel's share; black pixels are neutral, saturated ones are found."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from skimage.color import rgb2hsv

from napari_seedbed.core import rg_chromaticity, running, saturated, saturation_level
from napari_seedbed.core.colour.colour_spaces import colour_space
from napari_seedbed.errors import Cancelled, InputError


@pytest.mark.parametrize("dtype", ["u1", ">u2", "i4", "f2", "f4", "f8"])
def test_each_channel_over_the_sum(rng, dtype):
    image = rng.integers(1, 250, (12, 17, 3)).astype(dtype)
    wide = image.astype(float)
    expected = wide[..., :2] / wide.sum(axis=-1, keepdims=True)
    out = rg_chromaticity(image)
    assert out.dtype == (np.float64 if dtype == "f8" else np.float32)
    assert np.allclose(out, expected, rtol=1e-6)


@pytest.mark.parametrize("axis", [0, 1, 2, -1])
def test_channels_may_be_any_axis_of_a_volume_and_any_number(rng, axis):
    image = rng.random((5, 6, 7, 4))
    expected = image[..., :3] / image.sum(axis=-1, keepdims=True)
    out = rg_chromaticity(np.moveaxis(image, -1, axis), channel_axis=axis)
    assert np.allclose(np.moveaxis(out, axis, -1), expected)


def test_black_is_neutral_and_so_is_what_the_black_level_calls_black():
    image = np.array([[[0, 0, 0], [3, 0, 0], [30, 0, 0]]], np.uint8)
    assert np.allclose(rg_chromaticity(image), [[[1 / 3, 1 / 3], [1, 0], [1, 0]]])
    assert np.allclose(rg_chromaticity(image, black_level=1)[0, :2], 1 / 3)
    assert np.allclose(rg_chromaticity(image, black_level=1)[0, 2], [1, 0])


def test_negative_values_count_as_none():
    image = np.array([[[-5.0, 1, 3], [-1, -1, -1], [5, -5, 0]]])
    assert np.allclose(rg_chromaticity(image), [[[0, 0.25], [1 / 3, 1 / 3], [1, 0]]])


@given(
    scale=st.floats(1e-200, 1e200),
    colours=st.lists(st.lists(st.floats(1e-3, 1e3), min_size=3, max_size=3), min_size=1),
)
def test_brightness_does_not_change_chromaticity(scale, colours):
    image = np.array(colours)
    assert np.allclose(rg_chromaticity(image * scale), rg_chromaticity(image), atol=1e-12)


@pytest.mark.parametrize("value", [1e308, 1.7e308, 5e-324])
def test_extreme_floats_have_a_chromaticity(value):
    out = rg_chromaticity(np.full((2, 2, 3), value))
    assert np.allclose(out, 1 / 3)


def test_the_image_is_left_alone_and_may_be_read_only(rng):
    image = rng.normal(size=(20, 20, 3))
    before = image.copy()
    image.setflags(write=False)
    rg_chromaticity(image[::2, ::-1])
    assert np.array_equal(image, before)


@pytest.mark.parametrize(
    ("image", "level"),
    [
        (np.array([0, 255], np.uint8), 255),
        (np.array([0, 3], np.uint8), 255),
        (np.array([4095], np.uint16), 4095),
        (np.array([4096], np.uint16), 16383),
        (np.array([40000], np.uint16), 65535),
        (np.array([1000], np.uint16), 1023),
        (np.array([0xFFF0, 0x10], np.uint16), 0xFFF0),
        (np.array([40], np.int16), 255),
        (np.array([-3, 3000], np.int16), 4095),
        (np.array([32000], np.int16), 32767),
        (np.array([-3], np.int8), 127),
        (np.array([0.3]), 1),
        (np.array([1.5]), None),
    ],
)
def test_the_saturation_level_is_told_from_type_and_bits(image, level):
    assert saturation_level(image) == level


def test_a_pixel_is_saturated_when_one_channel_is():
    image = np.array([[[255, 0, 0], [254, 254, 254], [0, 3, 255]]], np.uint8)
    assert saturated(image).tolist() == [[True, False, True]]
    assert saturated(image, level=253.5).all()
    assert not saturated(image.astype(float)).any()
    assert saturated(np.moveaxis(image, -1, 0), channel_axis=0).shape == (1, 3)


@pytest.mark.parametrize("name", ["hue", "hue_saturation"])
@pytest.mark.parametrize("dtype", ["u1", "f8"])
def test_hue_and_saturation_equal_scikit_image(rng, name, dtype):
    image = rng.integers(0, 6, (60, 60, 3)).astype(dtype)  # many ties, greys and blacks
    values, coloured = colour_space(name, 3).coordinates(image)
    expected = rgb2hsv(image.astype(float))
    assert np.allclose(values[0], expected[..., 0], atol=1e-6)
    if name == "hue_saturation":
        assert np.allclose(values[1], expected[..., 1], atol=1e-6)
        assert np.array_equal(~coloured, image.sum(axis=-1) == 0)
    else:
        assert np.array_equal(~coloured, np.ptp(image, axis=-1) == 0)


@pytest.mark.parametrize(
    ("image", "axis", "message"),
    [
        (np.full((3, 3, 3), np.nan), -1, "NaN"),
        (np.zeros((3, 3, 1)), -1, "at least 2 channels"),
        (np.zeros((3, 3, 3)), None, "channel_axis"),
        (np.zeros((3, 3, 3)), 3, "channel_axis"),
        (np.zeros(3), 0, "spatial"),
        (np.zeros((3, 3, 3), bool), -1, "true/false"),
        (np.zeros((0, 3, 3)), -1, "empty"),
    ],
)
def test_what_has_no_colours_is_refused(image, axis, message):
    with pytest.raises(InputError, match=message):
        rg_chromaticity(image, channel_axis=axis)
    with pytest.raises(InputError, match=message):
        saturated(image, channel_axis=axis)


def test_it_stops_when_asked():
    with running(should_stop=lambda: True), pytest.raises(Cancelled):
        rg_chromaticity(np.zeros((2000, 2000, 3), np.uint8))
