import threading
import time

import numpy as np
import pytest
from scipy import ndimage as ndi
from skimage import data, segmentation

from bounds import bound
from napari_seedbed.core.progress import running
from napari_seedbed.core.regions.superpixels import (
    felzenszwalb_regions,
    quickshift_regions,
    slic_regions,
)
from napari_seedbed.errors import Cancelled, InputError

METHODS = [slic_regions, felzenszwalb_regions, quickshift_regions]


@pytest.fixture(scope="module")
def colours():
    return data.astronaut()[100:228, 150:300]


@pytest.fixture(scope="module")
def grey():
    return data.camera()[::4, ::4]


def test_slic_of_colours_is_that_of_scikit_image(colours):
    expected = segmentation.slic(colours, 100, 10, start_label=1)
    assert np.array_equal(slic_regions(colours, 100, 10, channel_axis=-1), expected)


def test_slic_of_grey_is_that_of_scikit_image_at_a_hundredth_of_the_compactness(grey):
    expected = segmentation.slic(grey, 100, 0.2, channel_axis=None, start_label=1)
    assert np.array_equal(slic_regions(grey, 100, 20), expected)


def test_sigma_of_slic_is_a_length(grey):
    expected = segmentation.slic(grey, 100, 0.1, sigma=2, channel_axis=None, start_label=1)
    assert np.array_equal(slic_regions(grey, 100, 10, sigma=0.5, spacing=(0.25, 0.25)), expected)


def test_slic_in_a_mask_is_that_of_scikit_image(grey):
    mask = np.zeros(grey.shape, bool)
    mask[20:90, 30:100] = True
    expected = segmentation.slic(grey, 30, 0.1, channel_axis=None, mask=mask, start_label=1)
    assert np.array_equal(slic_regions(grey, 30, 10, mask=mask), expected)


@pytest.mark.parametrize("shape", [(40, 50), (9, 30, 40)])
@pytest.mark.parametrize("n_segments", [1, 3, 20])
def test_slic_gives_pieces_of_a_mask_that_do_not_touch_regions_of_their_own(shape, n_segments):
    rng = np.random.default_rng(1)
    image = rng.random(shape)
    mask = ndi.gaussian_filter(rng.normal(size=shape), 2) > 0.15
    labels = slic_regions(image, n_segments, mask=mask)
    assert np.array_equal(labels > 0, mask)
    for value in range(1, labels.max() + 1):
        assert ndi.label(labels == value, np.ones((3,) * len(shape)))[1] == 1


def test_slic_of_a_mask_of_one_voxel_is_one_region():
    mask = np.zeros((5, 20, 20), bool)
    mask[2, 3, 4] = True
    image = np.random.default_rng(0).random(mask.shape)
    assert np.array_equal(slic_regions(image, 10, mask=mask), mask.astype(int))


def test_slic_does_not_mind_the_unit_of_the_spacing():
    image = np.random.default_rng(0).random((8, 24, 24))
    in_micrometres = slic_regions(image, 20, spacing=(2, 1, 1))
    in_nanometres = slic_regions(image, 20, spacing=(2000, 1000, 1000))
    assert np.array_equal(in_micrometres, in_nanometres)


def test_slic_of_a_volume_is_that_of_scikit_image_with_spacing():
    image = np.random.default_rng(0).random((6, 30, 30))
    expected = segmentation.slic(
        image, 30, 0.1, spacing=(4, 1, 1), channel_axis=None, start_label=1
    )
    assert np.array_equal(slic_regions(image, 30, 10, spacing=(2, 0.5, 0.5)), expected)


def test_felzenszwalb_is_that_of_scikit_image(colours):
    image = colours.copy()
    image[0, 0], image[0, 1] = 0, 255
    expected = segmentation.felzenszwalb(image, scale=100, sigma=0.8, min_size=20)
    assert np.array_equal(felzenszwalb_regions(image, 100, 0.8, 20, channel_axis=-1), expected + 1)


def test_felzenszwalb_takes_five_channels():
    image = np.zeros((5, 30, 40))
    image[4, :, 20:] = 1
    found = felzenszwalb_regions(image, channel_axis=0, sigma=0)
    assert np.array_equal(found, np.where(image[4] == 1, 2, 1))


def test_quickshift_is_that_of_scikit_image(colours):
    small = colours[::2, ::2].copy()
    small[0, 0], small[0, 1] = 0, 255
    expected = segmentation.quickshift(small, kernel_size=3, max_dist=6, ratio=0.5)
    found = quickshift_regions(small, 3, 6, 0.5, channel_axis=-1)
    assert np.array_equal(found, expected + 1)


@pytest.mark.parametrize("method", [felzenszwalb_regions, quickshift_regions])
def test_slices_have_regions_of_their_own(method):
    image = np.random.default_rng(0).random((3, 20, 20))
    found = method(image)
    sets = [set(np.unique(plane)) for plane in found]
    assert not sets[0] & sets[1]
    assert not sets[1] & sets[2]
    assert np.array_equal(np.unique(found), np.arange(1, found.max() + 1))


@pytest.mark.parametrize("method", METHODS)
def test_regions_do_not_change_with_brightness_and_contrast(method, grey):
    image = grey.astype(float)
    assert np.array_equal(method(image), method(64 * image - 1024))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (1, 1, 1), (3, 1, 9)])
def test_tiny_images_are_covered(method, shape):
    assert (method(np.zeros(shape)) >= 1).all()


@pytest.mark.timing
@pytest.mark.parametrize("method", METHODS)
def test_cancel_returns_within_a_fifth_of_a_second(method):
    image = np.random.default_rng(0).random((3, 700, 700))
    stop = threading.Event()
    pressed = []

    def press():
        pressed.append(time.perf_counter())
        stop.set()

    threading.Timer(0.3, press).start()
    with running(should_stop=stop.is_set), pytest.raises(Cancelled):
        method(image, channel_axis=0)
    assert time.perf_counter() - pressed[0] < bound(0.2)


def test_empty_mask_is_refused(grey):
    with pytest.raises(InputError, match="mask is empty"):
        slic_regions(grey, mask=np.zeros(grey.shape, bool))


def test_ratio_above_one_is_refused(grey):
    with pytest.raises(InputError, match="ratio"):
        quickshift_regions(grey, ratio=1.5)
