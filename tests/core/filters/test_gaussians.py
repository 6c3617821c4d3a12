"""The Gaussian equals scikit-image's, in physical units, and keeps channels apart."""

import numpy as np
import pytest
from skimage.filters import gaussian as skimage_gaussian

from napari_seedbed.core import gaussian
from napari_seedbed.errors import InputError


@pytest.mark.parametrize("shape", [(30, 41), (12, 20, 15)])
@pytest.mark.parametrize("sigma", [0, 0.7, 2.5])
def test_equals_scikit_image(rng, shape, sigma):
    image = rng.normal(size=shape)
    assert np.allclose(gaussian(image, sigma), skimage_gaussian(image, sigma), atol=1e-12)


def test_sigma_is_divided_by_the_spacing(rng):
    image = rng.normal(size=(12, 20, 15))
    expected = skimage_gaussian(image, [0.5, 2, 4])
    assert np.allclose(gaussian(image, 2, spacing=(4, 1, 0.5)), expected, atol=1e-12)
    assert np.allclose(gaussian(image, (2, 2, 2), spacing=(4, 1, 0.5)), expected, atol=1e-12)


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_channels_are_not_mixed(rng, axis):
    image = rng.normal(size=(4, 5, 6))
    expected = skimage_gaussian(image, 1.5, channel_axis=axis)
    assert np.allclose(gaussian(image, 1.5, channel_axis=axis), expected, atol=1e-12)


@pytest.mark.parametrize(
    ("dtype", "result"),
    [
        ("u1", "f4"),
        (">u2", "f4"),
        ("i4", "f4"),
        ("?", "f4"),
        ("f2", "f4"),
        ("f4", "f4"),
        ("f8", "f8"),
    ],
)
def test_types_and_scale_of_intensities(rng, dtype, result):
    image = rng.integers(0, 2, (16, 17)).astype(dtype)
    out = gaussian(image, 1)
    assert out.dtype == result
    assert np.allclose(out, skimage_gaussian(image.astype(float), 1), atol=1e-5)
    assert not np.shares_memory(gaussian(image, 0), image)


def test_a_thin_axis_is_left_alone(rng):
    image = rng.normal(size=(1, 20, 20))
    assert np.allclose(gaussian(image, 2)[0], skimage_gaussian(image[0], 2))


@pytest.mark.parametrize("sigma", [-1, np.nan, (1, 2, 3), "wide"])
def test_wrong_sigmas_are_refused(sigma):
    with pytest.raises(InputError, match="sigma"):
        gaussian(np.zeros((4, 4)), sigma)


@pytest.mark.parametrize(
    "image", [np.full((3, 3), np.nan), np.zeros((3, 3), complex), np.zeros((0, 3)), [[None]]]
)
def test_what_is_no_image_is_refused(image):
    with pytest.raises(InputError, match="image"):
        gaussian(image, 1)
    with pytest.raises(InputError, match="truncate"):
        gaussian(np.zeros((4, 4)), 1, truncate=0)
