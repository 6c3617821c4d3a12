"""Values from histograms are those that scikit-image finds in the voxels."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from skimage import data, filters

from napari_seedbed.core import (
    AUTOMATIC_METHODS,
    automatic_threshold,
    blocks_histogram,
    image_histogram,
    multi_otsu,
    multi_otsu_thresholds,
)
from napari_seedbed.errors import InputError

PICTURES = ("camera", "coins", "page", "moon", "text")


def by_scikit_image(image, method):
    """The threshold, or None where there is none."""
    try:
        return float(getattr(filters, f"threshold_{method}")(image.copy()))
    except RuntimeError:
        return None


def ours(histogram, method):
    try:
        return automatic_threshold(histogram, method)
    except InputError:
        return None


def two_classes(rng, dtype):
    bright = rng.random((90, 100)) < 0.3
    return (rng.gamma(3, 120, bright.shape) + 2500 * bright).astype(dtype)


@pytest.mark.parametrize("method", AUTOMATIC_METHODS)
@pytest.mark.parametrize("name", PICTURES)
def test_value_of_a_picture_is_that_of_scikit_image(name, method):
    image = getattr(data, name)()
    assert ours(image_histogram(image), method) == by_scikit_image(image, method)


@pytest.mark.parametrize("method", [m for m in AUTOMATIC_METHODS if m != "minimum"])
@pytest.mark.parametrize("dtype", ["u2", "i2", "i4"])
def test_value_of_a_wide_range_is_that_of_scikit_image(rng, dtype, method):
    image = two_classes(rng, dtype)
    if dtype != "u2":
        image -= 1000
    assert ours(image_histogram(image), method) == by_scikit_image(image, method)


def test_minimum_of_many_grey_values_is_that_of_scikit_image(rng):
    image = np.concatenate([rng.normal(60, 15, 9000), rng.normal(190, 20, 6000)])
    image = image.clip(0, 255).astype(np.uint8)
    found = automatic_threshold(image_histogram(image), "minimum")
    assert found == by_scikit_image(image, "minimum")
    assert 100 < found < 150


@pytest.mark.parametrize("method", AUTOMATIC_METHODS)
def test_value_of_floats_is_within_a_bin_of_scikit_image(rng, method):
    image = np.concatenate([rng.normal(0, 1, 20000), rng.normal(9, 1.5, 9000)])
    width = np.ptp(image) / 256
    found = automatic_threshold(image_histogram(image), method)
    assert found == pytest.approx(by_scikit_image(image, method), abs=1.01 * width)


@pytest.mark.parametrize("method", AUTOMATIC_METHODS)
@pytest.mark.parametrize("dtype", ["u1", "u2", "f4"])
def test_value_is_the_same_from_blocks(rng, dtype, method):
    bright = rng.random((60, 70)) < 0.3
    image = (rng.normal(60, 15, bright.shape) + 120 * bright).clip(0, 255).astype(dtype)
    blocks = [np.hsplit(rows, 2) for rows in np.array_split(image, 7)]
    cut = blocks_histogram(lambda: itertools.chain.from_iterable(blocks))
    whole = automatic_threshold(image_histogram(image), method)
    assert automatic_threshold(cut, method) == pytest.approx(whole, rel=1e-12)


@pytest.mark.parametrize("method", AUTOMATIC_METHODS)
def test_value_lies_between_the_smallest_and_the_largest(rng, method):
    for low, high in [(0, 1), (-1e300, 1.7e308), (1000.0, 1000.001), (-5, 2**40)]:
        image = np.where(rng.random((20, 20)) < 0.4, high, low)
        found = ours(image_histogram(image), method)
        assert found is None or low <= found <= high


@pytest.mark.parametrize("classes", [2, 3, 4])
@pytest.mark.parametrize("name", PICTURES)
def test_classes_of_a_picture_are_those_of_scikit_image(name, classes):
    image = getattr(data, name)()
    expected = filters.threshold_multiotsu(image, classes)
    assert multi_otsu_thresholds(image_histogram(image), classes) == tuple(expected)


@given(
    counts=st.lists(st.integers(0, 30), min_size=7, max_size=11).filter(
        lambda counts: sum(count > 0 for count in counts) > 5
    ),
    classes=st.integers(2, 5),
)
def test_no_other_cuts_make_the_classes_more_even(counts, classes):
    image = np.repeat(np.arange(len(counts), dtype=np.uint8), counts)

    def unevenness(cuts):
        parts = np.split(image, np.searchsorted(image, np.array(cuts) + 1))
        return sum(len(part) * part.var() for part in parts if part.size)

    found = multi_otsu_thresholds(image_histogram(image), classes)
    values = np.unique(image)[:-1].tolist()
    best = min(map(unevenness, itertools.combinations(values, classes - 1)))
    assert unevenness(found) == pytest.approx(best, abs=1e-9)


def test_many_classes_of_many_grey_values(rng):
    levels = np.array([100, 9000, 20000, 33000, 41000, 52000, 60000])
    image = rng.choice(levels, (200, 200)) + rng.integers(-50, 50, (200, 200))
    labels = multi_otsu(image.astype(np.uint16), 7)
    nearest = np.abs(image[..., None] - levels).argmin(-1)
    assert np.array_equal(labels, nearest)


def test_dark_objects_have_the_classes_from_the_other_end(rng):
    image = rng.integers(0, 255, (30, 30), dtype=np.uint8)
    light, dark = multi_otsu(image, 4), multi_otsu(image, 4, objects="dark")
    assert np.array_equal(light + dark, np.full(image.shape, 3))


def test_more_classes_than_grey_values_are_refused():
    image = np.array([[1, 2, 2, 1]], np.uint8)
    assert multi_otsu_thresholds(image_histogram(image), 2) == (1,)
    with pytest.raises(InputError, match=r"image has only 2 .* 3 classes"):
        multi_otsu_thresholds(image_histogram(image), 3)
    with pytest.raises(InputError, match="classes"):
        multi_otsu_thresholds(image_histogram(image), 1)


@pytest.mark.parametrize("method", AUTOMATIC_METHODS)
def test_constant_image_is_refused(method):
    with pytest.raises(InputError, match=r"constant \(all values are 7\)"):
        automatic_threshold(image_histogram(np.full((4, 4), 7, np.uint8)), method)


def test_unknown_method_is_refused_with_those_that_there_are():
    with pytest.raises(InputError, match=r"method is 'best'.*otsu"):
        automatic_threshold(image_histogram(np.arange(9)), "best")


def test_histogram_without_two_peaks_has_no_minimum():
    with pytest.raises(InputError, match="two peaks"):
        automatic_threshold(image_histogram(np.arange(2000, dtype=np.uint16)), "minimum")
