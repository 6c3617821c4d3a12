"""Histograms count every pixel once; back-projection equals its published definition."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from skimage import io
from skimage.color import rgb2hsv

from napari_seedbed.core import (
    bins_in_polygon,
    colour_histogram,
    histogram_backprojection,
    histogram_backprojections,
    patch_histograms,
    patch_pixels,
    pixels_in_bins,
    running,
)
from napari_seedbed.errors import Cancelled, InputError


@pytest.fixture
def image(rng):
    return rng.integers(1, 256, (40, 50, 3), np.uint8)


@pytest.fixture
def patch():
    mask = np.zeros((40, 50), bool)
    mask[5:25, 10:30] = True
    return mask


def _rg_bins(image, bins):
    """Bins of r and g in whole numbers, without any rounding."""
    whole = image.astype(np.int64)
    total = whole.sum(axis=-1)
    return tuple(np.minimum(whole[..., c] * bins // total, bins - 1) for c in (0, 1))


def _counted(numbers, bins):
    counts = np.zeros((bins, bins))
    np.add.at(counts, numbers, 1)
    return counts


@pytest.mark.parametrize("dtype", ["u1", "f4", "f8"])
@pytest.mark.parametrize("bins", [1, 7, 30, 64])
def test_the_histogram_is_exact(image, patch, bins, dtype):
    r, g = _rg_bins(image, bins)
    found = colour_histogram(image.astype(dtype), bins=bins)
    assert np.array_equal(found.counts, _counted((r, g), bins))
    found = colour_histogram(image.astype(dtype), bins=bins, mask=patch)
    assert np.array_equal(found.counts, _counted((r[patch], g[patch]), bins))


def test_histograms_of_channel_pairs_and_of_large_images(rng):
    image = rng.integers(0, 4096, (1500, 1000, 4)).astype(np.uint16)
    found = colour_histogram(
        image, bins=(16, 32), space="channels", channels=(3, 1), ranges=[(0, 4096), (0, 4096)]
    )
    expected, _, _ = np.histogram2d(
        image[..., 3].ravel(), image[..., 1].ravel(), (16, 32), [(0, 4096), (0, 4096)]
    )
    assert np.array_equal(found.counts, expected)
    whole = colour_histogram(image, space="channels").bins
    assert whole.ranges[0] == (image[..., 0].min(), image[..., 0].max())
    assert whole.ranges[1] == (image[..., 1].min(), image[..., 1].max())


def test_pixels_without_colour_are_counted_apart():
    image = np.full((4, 4, 3), (200, 100, 50), np.uint8)
    image[0], image[1], image[2] = 0, 255, (90, 90, 90)
    found = colour_histogram(image, saturation_level=255)
    assert (found.total, found.without_colour) == (8, 8)
    assert colour_histogram(image, space="hue").without_colour == 12
    assert colour_histogram(image, space="channels").without_colour == 0


@given(sigma=st.floats(0, 5), space=st.sampled_from(["rg", "hue", "hue_saturation", "channels"]))
def test_smoothing_keeps_the_total(sigma, space):
    image = np.random.default_rng(1).integers(0, 256, (30, 30, 3), np.uint8)
    found = colour_histogram(image, space=space, bins=16)
    assert found.smoothed(sigma).total == pytest.approx(found.total)


def test_smoothing_goes_round_the_circle_of_hues():
    image = np.full((4, 4, 3), (255, 0, 0), np.uint8)
    counts = colour_histogram(image, space="hue", bins=32).smoothed(1).counts
    assert counts[-1] == pytest.approx(counts[1])
    assert counts[1] > 0


def test_a_polygon_chooses_bins_whose_pixels_come_back(image):
    found = colour_histogram(image, bins=50)
    box = [(0.2, 0.3), (0.2, 0.5), (0.4, 0.5), (0.4, 0.3)]
    chosen = bins_in_polygon(found.bins, box)
    expected = np.zeros((50, 50), bool)
    expected[10:20, 15:25] = True
    assert np.array_equal(chosen, expected)
    mask = pixels_in_bins(image, found.bins, chosen)
    assert mask.sum() == found.counts[chosen].sum()
    r, g = _rg_bins(image, 50)
    assert np.array_equal(mask, (r >= 10) & (r < 20) & (g >= 15) & (g < 25))


def test_plain_backprojection_is_the_patch_histogram_over_its_largest_bin(image, patch):
    r, g = _rg_bins(image, 13)
    counts = _counted((r[patch], g[patch]), 13)
    out = histogram_backprojection(image, patch, 13, method="patch", smoothing=0)
    assert np.allclose(out, (counts / counts.max())[r, g])


def test_ratio_is_swain_and_ballards_with_both_histograms_over_their_mass(image, patch):
    r, g = _rg_bins(image, 13)
    model, everything = _counted((r[patch], g[patch]), 13), _counted((r, g), 13)
    ratio = (model[r, g] / model.sum()) / (everything[r, g] / everything.sum())
    out = histogram_backprojection(image, patch, 13, method="ratio", smoothing=0)
    assert np.allclose(out, np.minimum(ratio, 1))


def test_hue_is_that_of_hsv_and_greyish_pixels_have_none(image, patch):
    hsv = rgb2hsv(image)
    hue, coloured = hsv[..., 0], hsv[..., 1] >= 0.05
    number = np.minimum((hue * 17 * (1 + 1e-9)).astype(int), 16)
    model = np.bincount(number[patch & coloured], minlength=17)
    everything = np.bincount(number[coloured], minlength=17)
    ratio = (model / model.sum()) / (everything / everything.sum())
    expected = np.where(coloured, np.minimum(ratio, 1)[number], 0)
    out = histogram_backprojection(image, patch, 17, "hue", method="ratio", smoothing=0)
    assert np.allclose(out, expected)


@pytest.mark.parametrize("method", ["patch", "ratio"])
@pytest.mark.parametrize("space", ["rg", "hue", "hue_saturation", "channels"])
@pytest.mark.parametrize("smoothing", [0, 1.5])
def test_two_colours_are_told_apart(method, space, smoothing):
    image = np.full((30, 30, 3), (200, 40, 20), np.uint8)
    image[10:] = (20, 60, 180)
    patch = np.zeros((30, 30), bool)
    patch[2:4, 2:4] = True
    expected = np.zeros((30, 30))
    expected[:10] = 1
    out = histogram_backprojection(image, patch, space=space, method=method, smoothing=smoothing)
    assert np.allclose(out, expected, atol=1e-3)


@pytest.mark.parametrize("method", ["patch", "ratio"])
def test_the_size_of_the_patch_does_not_matter(image, patch, method):
    # The same colours twice as often: every row of image and patch doubled.
    doubled = np.repeat(image, 2, axis=0)
    once = histogram_backprojection(image, patch, method=method)
    twice = histogram_backprojection(doubled, np.repeat(patch, 2, axis=0), method=method)
    assert np.allclose(np.repeat(once, 2, axis=0), twice, atol=1e-6)
    # Only some of the patch: nearly the same with few bins.
    half = patch & (np.arange(50) % 2 == 0)
    part = histogram_backprojection(image, half, 4, method=method)
    assert np.abs(histogram_backprojection(image, patch, 4, method=method) - part).mean() < 0.1


@given(scale=st.integers(1, 4), seed=st.integers(0, 9))
def test_brightness_does_not_change_chromaticity_or_hue(scale, seed):
    rng = np.random.default_rng(seed)
    image = rng.integers(0, 60, (12, 12, 3)).astype(np.uint8)
    mask = np.zeros((12, 12), bool)
    mask[:6] = True
    for space in ("rg", "hue", "hue_saturation"):
        out = histogram_backprojection(image, mask, 19, space)
        again = histogram_backprojection(image * np.float32(scale), mask, 19, space)
        assert np.mean(np.isclose(out, again, atol=0.02)) > 0.98
        assert out.min() >= 0
        assert out.max() <= 1


def test_black_saturated_and_grey_pixels_have_probability_zero():
    image = np.full((6, 6, 3), (200, 100, 50), np.uint8)
    image[0], image[1], image[2] = 0, (255, 128, 64), (90, 90, 90)
    patch = np.ones((6, 6), bool)
    hue = histogram_backprojection(image, patch, space="hue", saturation_level=255)
    assert (hue[:3] == 0).all()
    assert (hue[3:] == 1).all()
    assert (histogram_backprojection(image, patch)[0] == 0).all()
    assert (histogram_backprojection(image, patch, space="channels")[0] > 0).all()


def test_volumes_with_channels_first(rng):
    image = rng.random((4, 6, 7, 8)).astype(np.float32)
    patch = np.zeros((6, 7, 8), bool)
    patch[1:4, 2:5, 2:6] = True
    flat = histogram_backprojection(image.reshape(4, -1), patch.ravel(), 16, channel_axis=0)
    out = histogram_backprojection(image, patch, 16, channel_axis=0)
    assert np.array_equal(out.ravel(), flat)


def test_each_labelled_patch_has_a_map_of_its_own(image, patch):
    labels = np.where(patch, 3, 0)
    labels[30:, 30:] = 1
    found, maps = histogram_backprojections(image, labels, 16, space="hue")
    assert found.tolist() == [1, 3]
    assert np.array_equal(maps[1], histogram_backprojection(image, patch, 16, space="hue"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"patch_mask": np.zeros((40, 50), bool)}, "marks no pixel"),
        ({"patch_mask": np.ones((40, 51), bool)}, "shape"),
        ({"space": "lab"}, "space must be one of"),
        ({"space": "channels", "channels": (0, 3)}, "channels"),
        ({"channels": (1, 1)}, "differ"),
        ({"bins": 0}, "bins"),
        ({"bins": (8, 8, 8)}, "bins has 3"),
        ({"bins": 10**5}, "at most"),
        ({"method": "magic"}, "method"),
        ({"smoothing": -1}, "smoothing"),
        ({"ranges": [(1, 0), (0, 1)]}, "low to high"),
        ({"ranges": "wide"}, "ranges"),
    ],
)
def test_wrong_arguments_are_refused(image, patch, arguments, message):
    with pytest.raises(InputError, match=message):
        histogram_backprojection(**({"image": image, "patch_mask": patch} | arguments))


def test_images_and_patches_without_hue_are_refused():
    patch = np.ones((5, 5), bool)
    with pytest.raises(InputError, match="three channels"):
        histogram_backprojection(np.ones((5, 5, 4)), patch, space="hue")
    with pytest.raises(InputError, match="no pixel with a colour"):
        histogram_backprojection(np.ones((5, 5, 3)), patch, space="hue")
    with pytest.raises(InputError, match="NaN"):
        histogram_backprojection(np.full((5, 5, 3), np.nan), patch)


def test_it_stops_when_asked():
    with running(should_stop=lambda: True), pytest.raises(Cancelled):
        colour_histogram(np.ones((2000, 2000, 3), np.uint8))


def test_the_green_screen_is_told_from_the_people_before_it(shared_data):
    image = io.imread(shared_data / "tutorial" / "greenscreen.jpg")
    patch = np.zeros(image.shape[:2], bool)
    patch[20:80, 20:120] = True
    wide = image.astype(float)
    screen = wide[..., 1] > 1.4 * np.maximum(wide[..., 0], wide[..., 2])
    for level in (0.2, 0.5, 0.8):
        found = histogram_backprojection(image, patch) >= level
        assert (found & screen).sum() / (found | screen).sum() > 0.85


def test_marked_pixels_alone_tell_the_colours_of_patches(image, rng):
    labels = rng.integers(-1, 3, (40, 50))
    pixels, marks = patch_pixels(np.moveaxis(image, -1, 0), labels, channel_axis=0)
    assert pixels.dtype == image.dtype
    np.testing.assert_array_equal(pixels, image[labels > 0])
    np.testing.assert_array_equal(marks, labels[labels > 0])
    bins = colour_histogram(image, bins=9).bins
    for label, found in patch_histograms(pixels, marks, bins).items():
        expected = colour_histogram(image, bins=9, mask=labels == label)
        np.testing.assert_array_equal(found.counts, expected.counts)


@pytest.mark.parametrize("labels", [np.zeros((40, 50), int), np.ones((50, 40), int)])
def test_patches_that_mark_nothing_or_lie_elsewhere_are_refused(image, labels):
    with pytest.raises(InputError, match="patch_labels"):
        patch_pixels(image, labels)
