"""Intensities are matched as the formulas and scikit-image say, by the pixels of a mask."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from skimage import data
from skimage.exposure import match_histograms

from napari_seedbed.core import match_intensity
from napari_seedbed.errors import InputError


def test_mean_and_deviation_become_those_of_the_reference(rng):
    image, reference = rng.random((30, 40)), rng.normal(5, 3, (30, 40))
    out = match_intensity(image, reference)
    assert (out.mean(), out.std()) == pytest.approx((reference.mean(), reference.std()))


def test_percentiles_become_those_of_the_reference(rng):
    image, reference = rng.random((30, 40)), rng.normal(5, 3, (30, 40))
    out = match_intensity(image, reference, "percentiles", percentiles=(10, 80))
    assert np.allclose(np.percentile(out, (10, 80)), np.percentile(reference, (10, 80)))


@pytest.mark.parametrize("axis", [None, -1])
def test_histograms_are_matched_as_scikit_image_does(axis):
    image, reference = data.chelsea()[:200, :300], data.astronaut()[:200, :300]
    expected = match_histograms(image.astype(float), reference.astype(float), channel_axis=axis)
    assert np.allclose(match_intensity(image, reference, "histogram", channel_axis=axis), expected)


@given(
    gain=st.floats(0.1, 10),
    offset=st.floats(-100, 100),
    method=st.sampled_from(["mean_std", "percentiles", "histogram"]),
)
def test_a_change_of_light_is_undone(gain, offset, method):
    reference = np.random.default_rng(0).random((20, 30))
    out = match_intensity(gain * reference + offset, reference, method)
    assert np.allclose(out, reference, atol=1e-6)


@pytest.mark.parametrize("method", ["mean_std", "percentiles", "histogram"])
def test_only_pixels_of_the_mask_are_compared(rng, method):
    reference = rng.random((20, 30))
    image = 2 * reference + 3
    image[:5] = 99
    mask = np.ones((20, 30), bool)
    mask[:5] = False
    out = match_intensity(image, reference, method, mask=mask)
    assert np.allclose(out[5:], reference[5:])


@pytest.mark.parametrize("method", ["mean_std", "percentiles"])
def test_a_constant_image_is_only_moved(method):
    out = match_intensity(np.full((5, 5), 7), np.full((5, 5), 2), method)
    assert np.allclose(out, 2)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"method": "gamma"}, "match must be one of"),
        ({"percentiles": (50, 50)}, "percentiles"),
        ({"mask": np.zeros((5, 5), bool)}, "mask is empty"),
        ({"mask": np.ones((5, 6), bool)}, "mask"),
        ({"reference": np.ones((5, 6))}, "different sizes"),
    ],
)
def test_wrong_arguments_are_refused(arguments, message):
    image = np.arange(25.0).reshape(5, 5)
    with pytest.raises(InputError, match=message):
        match_intensity(**({"image": image, "reference": image} | arguments))
