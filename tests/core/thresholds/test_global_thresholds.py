"""Otsu's threshold equals scikit-image's and follows the image's scale."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage import data
from skimage.filters import threshold_otsu as skimage_otsu

from napari_seedbed.core import otsu_threshold, threshold_otsu
from napari_seedbed.errors import InputError


@pytest.mark.parametrize("dtype", ["u1", "i2", ">u2", "i4"])
def test_integers_equal_scikit_image(dtype):
    image = data.camera().astype(dtype)
    if dtype == "i2":
        image = image - 100
    assert otsu_threshold(image) == skimage_otsu(image.astype(image.dtype.newbyteorder("=")))
    assert np.array_equal(threshold_otsu(image), data.camera() > skimage_otsu(data.camera()))


def test_floats_equal_scikit_image(rng):
    image = np.concatenate([rng.normal(0, 1, 3000), rng.normal(6, 1, 2000)]).reshape(50, 100)
    width = np.ptp(image) / 256
    assert otsu_threshold(image) == pytest.approx(skimage_otsu(image), abs=1e-9)
    assert otsu_threshold(image.astype(np.float32)) == pytest.approx(
        skimage_otsu(image), abs=2 * width
    )


@settings(max_examples=40, deadline=None)
@given(a=st.floats(1e-6, 1e6), b=st.floats(-1e3, 1e3), seed=st.integers(0, 50))
def test_the_threshold_follows_scale_and_offset(a, b, seed):
    rng = np.random.default_rng(seed)
    image = np.where(rng.random((20, 20)) < 0.4, 5.0, 0.0) + rng.normal(size=(20, 20))
    mask = threshold_otsu(image)
    other = threshold_otsu(image * a + b * a)
    # Values at the edge of a bin may change sides through rounding.
    assert (mask != other).mean() < 0.03


def test_two_values_are_told_apart_whatever_their_size():
    for low, high in [(0, 1), (1000.0, 1000.001), (-1e300, 1.7e308), (0, 2**31 - 1), (-5, 2**40)]:
        image = np.array([[low, high], [low, low]])
        assert np.array_equal(threshold_otsu(image), image == high)


def test_wide_integers_need_no_memory():
    image = np.zeros((64, 64), np.uint32)
    image[:20] = 2**32 - 1
    image[1, 1] = 7
    assert np.array_equal(threshold_otsu(image), image > 7)


def test_a_constant_image_is_refused_with_its_value():
    with pytest.raises(InputError, match=r"constant \(all values are 7\)"):
        otsu_threshold(np.full((4, 4), 7, np.uint8))
    with pytest.raises(InputError, match="constant"):
        threshold_otsu(np.zeros((4, 4), np.float32))


@pytest.mark.parametrize(
    "image",
    [np.array([[np.nan, 1]]), np.zeros((2, 2), complex), np.zeros((0, 3)), np.eye(3, dtype=bool)],
)
def test_what_is_no_image_is_refused(image):
    with pytest.raises(InputError, match="image"):
        otsu_threshold(image)
    with pytest.raises(InputError, match="nbins"):
        otsu_threshold(np.arange(9.0), nbins=1)
