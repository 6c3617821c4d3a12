"""Colours as text: every bit comes back, and what is wrong is named."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_seedbed.core import colour_histogram, colour_space, fit_colour_gaussians
from napari_seedbed.errors import InputError
from napari_seedbed.pipeline.encodings.colour_encoding import (
    gaussians_as_text,
    gaussians_from_text,
    histograms_as_text,
    histograms_from_text,
    outline_as_text,
    outline_from_text,
)


@given(
    n_channels=st.integers(2, 5),
    n_classes=st.integers(1, 3),
    model=st.sampled_from(["independent", "joint"]),
    seed=st.integers(0, 1000),
)
def test_gaussians_come_back_to_the_bit(n_channels, n_classes, model, seed):
    rng = np.random.default_rng(seed)
    labels = 1 + np.arange(60) % n_classes
    gaussians = fit_colour_gaussians(rng.random((60, n_channels)), labels, model=model)
    found = gaussians_from_text(gaussians_as_text(gaussians))
    assert [one.label for one in found] == [one.label for one in gaussians]
    for one, expected in zip(found, gaussians, strict=True):
        np.testing.assert_array_equal(one.mean, expected.mean)
        np.testing.assert_array_equal(np.sqrt(np.diag(one.covariance)), expected.sigma)
        if model == "joint" and n_channels > 2:
            np.testing.assert_array_equal(one.covariance, expected.covariance)


@pytest.mark.parametrize("space", ["rg", "hue", "hue_saturation", "channels"])
def test_histograms_come_back_to_the_bit(rng, space):
    image = rng.random((20, 30, 3))
    channels = (2, 0) if space in ("rg", "channels") else None
    histograms = {
        label: colour_histogram(image, bins=16, space=space, channels=channels, ranges=ranges)
        for label, ranges in ((3, None), (7, None))
        for ranges in ([(0.1, 0.7)] * colour_space(space, 3).n_coordinates,)
    }
    text = histograms_as_text(histograms)
    assert max(map(len, text.splitlines())) <= 88
    for one in histograms_from_text(text):
        expected = histograms[one.label]
        assert one.space == space
        assert one.ranges == expected.bins.ranges
        assert one.channels == expected.bins.space.channels
        np.testing.assert_array_equal(one.counts, expected.counts)


def test_outline_comes_back_to_the_bit(rng):
    corners = rng.normal(0, 100, (40, 2))
    np.testing.assert_array_equal(outline_from_text(outline_as_text(corners)), corners)


@pytest.mark.parametrize(
    "read", [gaussians_from_text, histograms_from_text, outline_from_text], ids=lambda f: f.__name__
)
def test_empty_text_holds_nothing(read):
    assert len(read(" \n ")) == 0


def test_people_may_write_gaussians_themselves():
    (one,) = gaussians_from_text("2: mean 0.3 0.4\n   sigma .02 1e-2")
    assert one.label == 2
    np.testing.assert_allclose(one.covariance, [[4e-4, 0], [0, 1e-4]])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("mean 1 sigma 1", "no label"),
        ("0: mean 1 sigma 1", "not above 0"),
        ("1: mean 1 sigma 1 1: mean 2 sigma 1", "twice"),
        ("1: mean 1 mean 2 sigma 1", "mean is given twice"),
        ("1: median 1", "none of mean, sigma, covariance"),
        ("1: mean 0.3 0.4", "sigma or covariance"),
        ("1: mean 0.3 sigma 0", "above 0"),
        ("1: mean 0.3 sigma nan", "not a number"),
        ("1: mean 0.3 0.2 sigma 0.1", "must have 2 numbers; got 1"),
        ("1: mean 0.3 0.2 covariance 1 2 3 4", "symmetric"),
        ("1: mean 0.3 0.2 covariance 1 2 2 1", "positive definite"),
        ("1: mean 0.3 sigma 0.1 2: mean 0.3 0.3 sigma 0.1 0.1", "different numbers"),
    ],
)
def test_what_is_wrong_with_gaussians_is_named(text, message):
    with pytest.raises(InputError, match=message):
        gaussians_from_text(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1: bins 4", "space and its bins"),
        ("1: space hue bins 0", "space and its bins"),
        ("1: space hue bins 4 ranges 0", "2 numbers"),
        ("1: space hue bins 4 ranges 1 0 counts 1:1", "low to high"),
        ("1: space hue bins 4 ranges 0 1", "counts nothing"),
        ("1: space hue bins 4 ranges 0 1 counts 4:1", "no place:count"),
        ("1: space hue bins 4 ranges 0 1 counts 1,1:1", "no place:count"),
        ("1: space hue bins 99999999 ranges 0 1 counts 1:1", "space and its bins"),
        ("1: space hue bins ² ranges 0 1 counts 1:1", "whole numbers"),
    ],
)
def test_what_is_wrong_with_histograms_is_named(text, message):
    with pytest.raises(InputError, match=message):
        histograms_from_text(text)


@pytest.mark.parametrize("text", ["1 2, 3 4", "1 2, 3 4, 5", "1 2, 3 4, 5 x", "1 2, 3 4, 5 inf"])
def test_outlines_without_area_or_numbers_are_refused(text):
    with pytest.raises(InputError):
        outline_from_text(text)
