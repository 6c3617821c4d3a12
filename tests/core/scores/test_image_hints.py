"""Hints equal scikit-image's entropy and find the noise that was added."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter
from skimage.filters.rank import entropy
from skimage.morphology import disk

from napari_seedbed.core import local_entropy, local_noise, noise_level, running
from napari_seedbed.errors import Cancelled, InputError


@pytest.mark.parametrize("radius", [1, 3, 6])
def test_entropy_equals_scikit_image_away_from_the_border(rng, radius):
    image = rng.integers(0, 256, (50, 60)).astype(np.uint8)
    image[0, 0], image[0, 1] = 0, 255
    found = local_entropy(image, radius, levels=256)
    inside = (slice(radius, -radius),) * 2
    assert np.allclose(found[inside], entropy(image, disk(radius))[inside], atol=1e-5)


def test_entropy_in_3d_with_voxels_that_are_no_cubes_is_that_of_the_window(rng):
    image = rng.integers(0, 5, (7, 11, 12))
    found = local_entropy(image, 2.0, (2.0, 1.0, 0.5), levels=5, limits=(0, 5))
    z, y, x = np.ogrid[-1:2, -2:3, -4:5]
    ball = (2 * z) ** 2 + y**2 + (0.5 * x) ** 2 <= 4
    values = image[2:5, 3:8, 2:11][ball]
    shares = np.bincount(values) / len(values)
    shares = shares[shares > 0]
    assert found[3, 5, 6] == pytest.approx(-(shares * np.log2(shares)).sum(), abs=1e-5)


def test_entropy_of_even_ground_is_zero():
    assert not local_entropy(np.full((20, 20), 7), 3).any()


def test_entropy_of_two_equal_halves_is_one_bit():
    image = np.indices((20, 20)).sum(axis=0) % 2
    found = local_entropy(image, 1, window="box", levels=2)
    assert np.allclose(found[5, 5], -(4 / 9 * np.log2(4 / 9) + 5 / 9 * np.log2(5 / 9)))


@given(st.floats(0.1, 50), st.floats(-100, 100))
def test_entropy_does_not_mind_gain_and_offset(gain, offset):
    image = np.random.default_rng(0).integers(0, 16, (12, 12)) + 0.5
    image[0, :2] = 0, 16
    plain = local_entropy(image, 2, levels=16)
    other = local_entropy(gain * image + offset, 2, levels=16)
    assert np.allclose(plain, other, atol=1e-5)


@pytest.mark.parametrize("shape", [(200, 200), (30, 60, 60), (1, 200, 200)])
@pytest.mark.parametrize("sigma", [0.5, 20.0])
def test_noise_level_is_that_of_the_noise_on_a_smooth_image(rng, shape, sigma):
    smooth = gaussian_filter(rng.normal(size=shape), 8) * 1000 * sigma
    found = noise_level(smooth + rng.normal(0, sigma, shape))
    assert found == pytest.approx(sigma, rel=0.06)


def test_local_noise_follows_the_noise(rng):
    image = rng.normal(0, 1, (200, 200))
    image[:, 100:] *= 5
    found = local_noise(image, 10)
    assert found[20:-20, :80].mean() == pytest.approx(1, rel=0.05)
    assert found[20:-20, 120:].mean() == pytest.approx(5, rel=0.05)
    assert found[:10, :80].mean() == pytest.approx(1, rel=0.1)


def test_a_ramp_has_no_noise():
    ramp = np.add.outer(np.arange(30.0), 2 * np.arange(40.0))
    assert noise_level(ramp) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("shape", [(1, 1), (1, 9)])
def test_small_images_have_hints(shape):
    image = np.arange(np.prod(shape)).reshape(shape)
    assert np.isfinite(noise_level(image))
    assert local_noise(image, 1).shape == shape
    assert local_entropy(image, 1).shape == shape


def test_wrong_input_is_refused():
    with pytest.raises(InputError, match="levels"):
        local_entropy(np.zeros((5, 5)), 1, levels=1)
    with pytest.raises(InputError, match="radius"):
        local_entropy(np.zeros((5, 5)), 9)
    with pytest.raises(InputError, match="limits"):
        local_entropy(np.zeros((5, 5)), 1, limits=(2, 1))
    with running(should_stop=lambda: True), pytest.raises(Cancelled):
        local_entropy(np.zeros((5, 5)), 1)
