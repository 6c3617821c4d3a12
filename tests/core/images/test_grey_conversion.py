"""Channels add up by their weights."""

import numpy as np
import pytest
from skimage import color, data

from napari_seedbed.core import to_grey
from napari_seedbed.errors import InputError


def test_luminance_as_scikit_image():
    image = data.astronaut()[::8, ::8]
    np.testing.assert_allclose(to_grey(image), 255 * color.rgb2gray(image), atol=1e-3)


@pytest.mark.parametrize("axis", [0, 1, -1])
@pytest.mark.parametrize("weights", ["1, -2 0.5;3", (1, -2, 0.5, 3)])
def test_weights_of_ones_own_for_any_number_of_channels(rng, axis, weights):
    image = rng.random((5, 6, 7, 4))
    wanted = image @ [1, -2, 0.5, 3]
    got = to_grey(np.moveaxis(image, -1, axis), weights, axis)
    np.testing.assert_allclose(got, wanted)


def test_mean_of_the_channels(rng):
    image = rng.integers(0, 4096, (2, 9, 9)).astype(np.uint16)
    np.testing.assert_allclose(to_grey(image, "mean", 0), image.mean(axis=0), rtol=1e-6)


def test_an_image_without_channels_is_grey_already():
    image = np.arange(6.0).reshape(2, 3)
    np.testing.assert_array_equal(to_grey(image, channel_axis=None), image)


@pytest.mark.parametrize("n", [2, 4, 5])
def test_luminance_of_other_channels_than_three_is_refused(n):
    with pytest.raises(InputError, match=f"{n} channels"):
        to_grey(np.ones((4, 4, n)))


@pytest.mark.parametrize("weights", ["1, 2", "grey", "", "1, nan, 1"])
def test_weights_that_do_not_fit_are_refused(weights):
    with pytest.raises(InputError):
        to_grey(np.ones((4, 4, 3)), weights)
