"""Equalised images equal scikit-image's, on the range of their own."""

import numpy as np
import pytest
from skimage import data, exposure

from napari_seedbed.core import equalise, equalise_locally
from napari_seedbed.errors import InputError


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int32", "float32", "float64"])
def test_whole_numbers_as_scikit_image(dtype):
    image = data.camera()[::4, ::4]
    wanted = exposure.equalize_hist(image)
    got = equalise(image.astype(dtype), limits=(0, 1))
    np.testing.assert_allclose(got, wanted, atol=1e-6)


@pytest.mark.parametrize("dtype", ["int16", "uint32", "int64", "float16", "float64"])
def test_each_value_becomes_its_rank(rng, dtype):
    image = (rng.normal(size=(12, 13, 14)) * 500 + 5000).astype(dtype)
    wanted = np.searchsorted(np.sort(image, axis=None), image, side="right") / image.size
    np.testing.assert_allclose(equalise(image, limits=(0, 1)), wanted, atol=2e-3)


def test_large_whole_numbers_that_differ_little_are_told_apart():
    image = np.array([0, 1, 2, 3], np.uint64) + np.uint64(2**63)
    np.testing.assert_allclose(equalise(image, limits=(0, 1)), [0.25, 0.5, 0.75, 1])


def test_the_largest_floats_do_not_overflow():
    image = np.array([-1.5e308, 0, 1.5e308])
    np.testing.assert_allclose(equalise(image, limits=(0, 3)), [1, 2, 3])


def test_twelve_bits_stay_twelve_bits():
    image = np.array([[10, 4000], [20, 20]], np.uint16)
    np.testing.assert_allclose(equalise(image), 4095 * np.array([[0.25, 1], [0.75, 0.75]]))


def test_constant_image_stays():
    for change in (equalise, equalise_locally):
        np.testing.assert_array_equal(change(np.full((9, 9), 7, np.uint8)), 7)


@pytest.mark.parametrize("shape", [(64, 80), (12, 40, 40)])
def test_local_as_scikit_image(rng, shape):
    image = rng.random(shape)
    image = (image - image.min()) / np.ptp(image)
    sides = tuple(max(n // 8, 1) for n in shape)
    wanted = exposure.equalize_adapthist(image, sides, clip_limit=0.02)
    got = equalise_locally(image, clip_limit=0.02, limits=(0, 1))
    np.testing.assert_allclose(got, wanted, atol=1e-6)


def test_windows_are_lengths(rng):
    image = rng.random((10, 40, 40))
    image = (image - image.min()) / np.ptp(image)
    wanted = exposure.equalize_adapthist(image, (2, 8, 8))
    got = equalise_locally(image, 4.0, spacing=(2, 0.5, 0.5), limits=(0, 1))
    np.testing.assert_allclose(got, wanted, atol=1e-6)


def test_three_voxels_are_no_colours(rng):
    narrow = rng.random((30, 31, 3))
    got = equalise_locally(narrow, (4, 4, 1))
    turned = equalise_locally(narrow.transpose(2, 0, 1), (1, 4, 4)).transpose(1, 2, 0)
    np.testing.assert_allclose(got, turned, atol=1e-6)


@pytest.mark.parametrize("bad", [{"window": -1.0}, {"clip_limit": 2.0}, {"nbins": 1}])
def test_wrong_arguments_are_refused_by_name(bad):
    with pytest.raises(InputError, match=next(iter(bad))):
        equalise_locally(np.eye(20), **bad)
