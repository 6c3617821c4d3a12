"""Local thresholds against scikit-image's, by physical lengths, light and dark, in blocks."""

import numpy as np
import pytest
from skimage import data, filters

from napari_seedbed.core import running, threshold_local, threshold_niblack, threshold_sauvola
from napari_seedbed.core.thresholds.local_thresholds import local_halo, sauvola_range
from napari_seedbed.core.thresholds.window_sums import window_sums
from napari_seedbed.errors import Cancelled, InputError

PAGE = data.page()[40:160, 30:190]
FUNCTIONS = (threshold_local, threshold_niblack, threshold_sauvola)


def volume(rng):
    """Bright and dark grains on an uneven ground, (10, 40, 50), uint16."""
    z, y, x = np.indices((10, 40, 50))
    grains = 300 * (rng.random((10, 40, 50)) < 0.1) - 300 * (rng.random((10, 40, 50)) < 0.1)
    return (1000 + 20 * z + 10 * y + 5 * x + grains + rng.normal(0, 20, z.shape)).astype(np.uint16)


def assert_equal_but_for_ties(mask, image, threshold, *, light):
    """Where a voxel is what is expected of it, rounding decides in scikit-image."""
    difference = image - threshold if light else threshold - image
    clear = np.abs(difference) > 1e-9 * np.abs(threshold)
    assert np.array_equal(mask[clear], difference[clear] > 0)
    assert not mask[~clear].any()


@pytest.mark.parametrize("objects", ["light", "dark"])
@pytest.mark.parametrize("size", [3, 21, 35])
@pytest.mark.parametrize("method", ["gaussian", "mean", "median"])
def test_local_is_that_of_scikit_image(method, size, objects):
    sign = -1 if objects == "light" else 1
    threshold = filters.threshold_local(PAGE, size, method, offset=sign * 6)
    mask = threshold_local(PAGE, size, method=method, offset=6, objects=objects)
    assert_equal_but_for_ties(mask, PAGE, threshold, light=objects == "light")


@pytest.mark.parametrize("method", ["gaussian", "mean", "median"])
def test_local_in_three_dimensions_is_that_of_scikit_image(rng, method):
    image = volume(rng)
    threshold = filters.threshold_local(image, 7, method)
    mask = threshold_local(image, 7, method=method)
    assert_equal_but_for_ties(mask, image, threshold, light=True)


def test_dark_of_niblack_and_sauvola_is_that_of_scikit_image(rng):
    for image, size in [(PAGE, 15), (PAGE, 31), (volume(rng), 5)]:
        image = image.astype(np.float64)
        # At the border scikit-image does not repeat the outermost voxel.
        inner = (slice(size // 2, -(size // 2)),) * image.ndim
        threshold = filters.threshold_niblack(image, size, k=0.2)[inner]
        mask = threshold_niblack(image, size, objects="dark")[inner]
        assert_equal_but_for_ties(mask, image[inner], threshold, light=False)
        threshold = filters.threshold_sauvola(image, size, k=0.1, r=128)[inner]
        mask = threshold_sauvola(image, size, k=0.1, r=128)[inner]
        assert_equal_but_for_ties(mask, image[inner], threshold, light=False)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_light_objects_are_the_dark_ones_of_the_negative(function):
    own = {"r": 127.5} if function is threshold_sauvola else {}
    dark = function(PAGE, 15, objects="dark", **own)
    light = function(255 - PAGE, 15, objects="light", **own)
    assert 0.01 < dark.mean() < 0.5
    assert np.array_equal(light, dark)


@pytest.mark.parametrize("method", ["gaussian", "mean", "median"])
def test_block_is_a_physical_length(rng, method):
    image = volume(rng)
    mask = threshold_local(image, 3.5, (1.5, 0.5, 0.5), method=method)
    if method == "gaussian":
        expected = filters.gaussian(
            image, [3 / 6 / 1.5, 3 / 6 / 0.5, 3 / 6 / 0.5], mode="reflect", preserve_range=True
        )
    elif method == "mean":
        windows = np.lib.stride_tricks.sliding_window_view(
            np.pad(image, [(1, 1), (3, 3), (3, 3)], mode="symmetric"), (3, 7, 7)
        )
        expected = windows.mean((3, 4, 5))
    else:
        windows = np.lib.stride_tricks.sliding_window_view(
            np.pad(image, [(1, 1), (3, 3), (3, 3)], mode="symmetric"), (3, 7, 7)
        )
        expected = np.median(windows, (3, 4, 5))
    assert_equal_but_for_ties(mask, image, expected, light=True)


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("objects", ["light", "dark"])
@pytest.mark.parametrize("dtype", ["u1", "f4", "f8"])
def test_even_ground_holds_no_objects(function, objects, dtype):
    ground = np.full((20, 30), 77.7).astype(dtype)
    assert not function(ground, 7, objects=objects).any()


@pytest.mark.parametrize("dtype", ["u2", "f4", "f8"])
@pytest.mark.parametrize("function", FUNCTIONS)
def test_block_with_its_halo_gives_the_voxels_of_the_whole(rng, function, dtype):
    image = (volume(rng) / 7).astype(dtype)
    own = {"r": 300.0} if function is threshold_sauvola else {}
    spacing = (2.0, 1.0, 1.0)
    whole = function(image, 9, spacing=spacing, **own)
    halo = local_halo(9, spacing, "gaussian" if function is threshold_local else "mean")
    inner = (slice(4, 6), slice(13, 20), slice(0, 9))
    outer = tuple(
        slice(max(0, i.start - n), min(size, i.stop + n))
        for i, n, size in zip(inner, halo, image.shape, strict=True)
    )
    cut = tuple(
        slice(i.start - o.start, i.stop - o.start) for i, o in zip(inner, outer, strict=True)
    )
    found = function(image[outer], 9, spacing=spacing, **own)[cut]
    assert np.array_equal(found, whole[inner])


@pytest.mark.parametrize("half", [0, 1, 2, 5, 17, 40])
def test_sums_are_those_of_all_voxels_in_the_window(rng, half):
    image = rng.integers(0, 100, (6, 23)).astype(np.float64)
    padded = np.pad(image, [(1, 1), (half, half)], mode="symmetric")
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 2 * half + 1))
    assert np.array_equal(window_sums(image, (1, half)), windows.sum((2, 3)))


def test_white_is_the_brightest_voxel_unless_it_is_told():
    assert sauvola_range(10, 255) == 127.5
    assert sauvola_range(-20, 60) == 40
    assert sauvola_range(0, 0) > 0


def test_wrong_lengths_are_refused():
    with pytest.raises(InputError, match="block_size is 500 and the image's longest side 160"):
        threshold_local(PAGE, 500)
    with pytest.raises(InputError, match="window_size must be a number"):
        threshold_niblack(PAGE, -3)
    with pytest.raises(InputError, match="r must be a number, more than 0"):
        threshold_sauvola(PAGE, r=0)
    with pytest.raises(InputError, match="method is 'best'"):
        threshold_local(PAGE, method="best")
    with running(should_stop=lambda: True), pytest.raises(Cancelled):
        threshold_local(PAGE)
