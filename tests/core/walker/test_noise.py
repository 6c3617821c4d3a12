"""Noise is told from edges, and only noisy images are smoothed."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage as ndi

from napari_seedbed.core.progress import Cancelled, running
from napari_seedbed.core.walker.noise import noise_share, quieten


def discs(shape):
    return ndi.gaussian_filter((np.hypot(*(np.indices(shape) % 32 - 16)) < 9).astype(float), 1)


@pytest.mark.parametrize("shape", [(4000,), (200, 200), (40, 40, 40), (1, 200, 200)])
def test_white_noise_is_all_noise(rng, shape):
    assert noise_share(rng.normal(size=shape)) > 0.97


def test_a_clean_image_is_returned_as_it_is():
    image = discs((128, 128))
    assert noise_share(image) == 0
    assert quieten(image) is image


@pytest.mark.parametrize("shape", [(1, 1), (5, 5), (1, 9, 1)])
def test_constant_images_of_any_shape_are_clean(shape):
    image = np.full(shape, 7, np.uint8)
    assert quieten(image) is image


@settings(max_examples=30, deadline=None)
@given(
    a=st.one_of(st.floats(0.01, 1000), st.floats(-1000, -0.01)),
    b=st.floats(-1e5, 1e5),
    noise=st.floats(0, 0.5),
)
def test_scale_offset_and_sign_do_not_matter(a, b, noise):
    image = discs((64, 64)) + noise * np.random.default_rng(0).normal(size=(64, 64))
    share = noise_share(image)
    assert noise_share(a * image + b) == pytest.approx(share, abs=1e-3)
    if share > 0.01:
        first, second = quieten(image), quieten(a * image + b)
        assert np.allclose(first if a > 0 else 1 - first, second, atol=1e-3)


def test_types_of_the_same_picture_agree(rng):
    image = np.clip(discs((96, 96)) * 100 + rng.normal(80, 20, (96, 96)), 0, 255).astype(np.uint8)
    expected = quieten(image)
    assert expected.dtype == np.float32
    for other in (image.astype(np.uint16) * 257, image / 255, image.astype(np.int32) - 9):
        assert np.allclose(quieten(other), expected, atol=1e-5)
    for factor in (1e-200, 1e-30, 1e30, 1e300):
        assert np.allclose(quieten(factor * (image - 128.0)), expected, atol=1e-5)
    wide = np.iinfo(np.int64).max // 600 * (image.astype(np.int64) - 128)
    assert np.allclose(quieten(wide), expected, atol=1e-5)


def test_more_noise_is_smoothed_more(rng):
    noise = rng.normal(size=(128, 128))
    shares = [noise_share(discs((128, 128)) + sigma * noise) for sigma in (0, 0.05, 0.2, 1)]
    assert shares == sorted(shares)
    assert shares[0] == 0
    assert shares[-1] > 0.9


def test_smoothing_brings_a_noisy_image_nearer_to_the_clean_one(rng):
    clean = discs((128, 128))
    noisy = clean + 0.3 * rng.normal(size=clean.shape)
    quiet = quieten(noisy)
    assert (
        np.corrcoef(quiet.ravel(), clean.ravel())[0, 1]
        > 1.2 * (np.corrcoef(noisy.ravel(), clean.ravel())[0, 1])
    )


def test_the_sample_of_a_large_image_tells_the_same(rng):
    image = discs((3000, 1600)) + 0.08 * rng.normal(size=(3000, 1600))
    whole = np.mean([noise_share(part) for part in np.array_split(image, 4)])
    assert noise_share(image) == pytest.approx(whole, abs=0.02)


def test_it_can_be_stopped(rng):
    with running(should_stop=lambda: True), pytest.raises(Cancelled):
        quieten(rng.normal(size=(20, 20)))
