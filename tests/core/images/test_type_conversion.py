"""Types change as scikit-image has it, or from the range that the values were made for."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from skimage import util

from napari_seedbed.core import convert_type
from napari_seedbed.errors import InputError

SKIMAGE = {
    "uint8": util.img_as_ubyte,
    "uint16": util.img_as_uint,
    "int16": util.img_as_int,
    "float32": util.img_as_float32,
    "float64": util.img_as_float64,
}


@pytest.mark.parametrize("to", SKIMAGE)
@pytest.mark.parametrize("dtype", ["bool", "uint8", "uint16", "int8", "int16", "uint32", "int32"])
def test_by_type_as_scikit_image(dtype, to):
    if dtype == "bool":
        image = np.array([[False, True]])
    else:
        limits = np.iinfo(dtype)
        image = np.linspace(limits.min, limits.max, 999).astype(dtype)
    converted = convert_type(image, to, "type")
    assert converted.dtype == to
    np.testing.assert_array_equal(converted, SKIMAGE[to](image))


@pytest.mark.parametrize("to", SKIMAGE)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_floats_by_type_as_scikit_image(dtype, to):
    image = np.linspace(-1, 1, 999).astype(dtype)
    np.testing.assert_array_equal(convert_type(image, to, "type"), SKIMAGE[to](image))


def test_dark_frames_of_sixteen_bits_are_scaled_like_bright_ones():
    dark, bright = np.full(5, 200, np.uint16), np.full(5, 51200, np.uint16)
    assert convert_type(dark, "uint8", "type")[0] == 0
    assert convert_type(bright, "uint8", "type")[0] == 200


@pytest.mark.parametrize("bits", [8, 10, 12, 14])
def test_few_bits_in_sixteen_fill_the_new_type(bits):
    image = np.array([0, 2**bits - 1], np.uint16)
    assert convert_type(image, "uint8").tolist() == [0, 255]
    assert convert_type(image, "uint16").tolist() == [0, 65535]
    assert convert_type(image, "float32").tolist() == [0, 1]


def test_grey_levels_that_fit_eight_bits_stay_what_they_are():
    image = np.arange(256, dtype=np.uint16)
    np.testing.assert_array_equal(convert_type(image, "uint8"), image)


def test_zero_stays_zero_in_signed_images():
    image = np.array([-2048, 0, 2047], np.int16)
    np.testing.assert_allclose(convert_type(image, "float64"), [-1, 0, 1], atol=1e-3)
    assert convert_type(image, "uint8").tolist() == [0, 0, 255]


def test_range_of_the_values_fills_the_new_type():
    image = np.array([-7.5, 0, 12.5])
    assert convert_type(image, "uint8", "image").tolist() == [0, 96, 255]


def test_values_beyond_a_given_range_are_cut_off():
    image = np.array([-50, 100, 200, 300])
    assert convert_type(image, "uint8", (100, 200)).tolist() == [0, 0, 255, 255]


@settings(max_examples=50)
@given(hnp.arrays(np.float64, 12, elements=st.floats(-1e6, 1e6)))
def test_kept_values_are_rounded_and_cut_off(image):
    for to in ("uint8", "int16"):
        limits = np.iinfo(to)
        wanted = [min(max(round(float(v)), limits.min), limits.max) for v in image]
        assert convert_type(image, to, "keep").tolist() == wanted


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint64", "float16"])
def test_kept_values_that_fit_stay(dtype):
    image = np.array([0, 1, 1], dtype)
    for to in SKIMAGE:
        assert convert_type(image, to, "keep").tolist() == [0, 1, 1]


def test_constant_image_has_a_result():
    assert convert_type(np.full((3, 3), 7.0), "uint8", "image").max() == 0
    assert convert_type(np.full((3, 3), 7, np.uint16), "uint8").max() == 7


def test_floats_outside_their_range_are_refused_by_type():
    with pytest.raises(InputError, match="between -1 and 1"):
        convert_type(np.array([0.0, 1.5]), "uint8", "type")


@pytest.mark.parametrize("bad", [{"to": "int3"}, {"source": "best"}, {"source": (3, 2)}])
def test_wrong_arguments_are_refused_by_name(bad):
    with pytest.raises(InputError, match=next(iter(bad))):
        convert_type(np.zeros(3), **bad)
