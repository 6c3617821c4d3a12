"""Openings, closings, top-hats and reconstructions agree with SciPy, and keep their promises."""

import numpy as np
import pytest
from scipy import ndimage
from skimage.morphology import reconstruction as reconstruct

from napari_seedbed.core import minimum, morphology, reconstruction
from napari_seedbed.errors import InputError

DISK = np.hypot(*np.ogrid[-3:4, -3:4]) <= 3


@pytest.fixture
def picture(rng):
    return (ndimage.gaussian_filter(rng.random((40, 50)), 1.5) * 900).astype(np.uint16)


@pytest.mark.parametrize(
    ("kind", "theirs"),
    [
        ("opening", ndimage.grey_opening),
        ("closing", ndimage.grey_closing),
        ("white_tophat", ndimage.white_tophat),
        ("black_tophat", ndimage.black_tophat),
        ("gradient", ndimage.morphological_gradient),
    ],
)
def test_morphology_is_that_of_scipy(picture, kind, theirs):
    found = morphology(picture, kind, 3)
    assert found.dtype == picture.dtype
    np.testing.assert_array_equal(found, theirs(picture.astype(float), footprint=DISK))


def test_opening_twice_is_opening_once(picture):
    once = morphology(picture, "opening", 3)
    np.testing.assert_array_equal(morphology(once, "opening", 3), once)


def test_difference_of_signed_numbers_does_not_wrap_around():
    array = np.full((9, 9), -30_000, np.int16)
    array[4, 4] = 30_000
    assert morphology(array, "white_tophat", 1).max() == 60_000


def test_opening_by_reconstruction_leaves_large_things_as_they_are():
    array = np.zeros((30, 30), np.uint8)
    array[3:15, 3:15] = 200
    array[14, 15:25] = 200
    array[22:24, 5:7] = 100
    found = reconstruction(array, "opening", radius=3)
    array[22:24, 5:7] = 0
    np.testing.assert_array_equal(found, array)


def test_reconstructions_are_those_of_scikit_image(picture):
    seed = minimum(picture, 2)
    expected = reconstruct(seed, picture, footprint=np.ones((3, 3)))
    np.testing.assert_array_equal(reconstruction(picture, "opening", radius=2), expected)
    peaks = picture - reconstruct(picture - 20.0, picture, footprint=np.ones((3, 3)))
    np.testing.assert_allclose(reconstruction(picture, "domes", height=20), peaks)


def test_holes_are_filled_up_to_their_rim():
    array = np.zeros((20, 20), np.uint8)
    array[5:15, 5:15] = 90
    array[8:11, 8:11] = 10
    array[0:3, 10] = 5
    found = reconstruction(array, "holes")
    array[8:11, 8:11] = 90
    np.testing.assert_array_equal(found, array)


def test_what_touches_the_border_goes():
    array = np.zeros((20, 20), np.int32)
    array[0:5, 4:9] = 70
    array[9:14, 9:14] = 50
    found = reconstruction(array, "border")
    array[0:5, 4:9] = 0
    np.testing.assert_array_equal(found, array)


def test_basins_are_peaks_of_the_negative(picture):
    values = picture.astype(np.float32)
    np.testing.assert_array_equal(
        reconstruction(values, "basins", height=9), reconstruction(-values, "domes", height=9)
    )


@pytest.mark.parametrize(
    "function", [lambda a: morphology(a, "x", 1), lambda a: reconstruction(a, "x")]
)
def test_unknown_kind_is_refused(function):
    with pytest.raises(InputError, match=r"^kind is 'x'; it must be opening"):
        function(np.zeros((3, 3)))
