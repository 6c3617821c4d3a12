"""Images are moved as far as they need, and no further."""

import numpy as np
import pytest
from scipy import ndimage as ndi
from skimage import data

from napari_seedbed.core import compare_images, needed_registration
from napari_seedbed.errors import InputError


@pytest.fixture(scope="module")
def scene():
    return data.camera()[60:320, 100:400].astype(float)


def photographed_again(scene, rng, *, shift=(0, 0), angle=0.0, noise=2.0):
    """The scene moved, in other light, with noise and a change."""
    turn = np.deg2rad(angle)
    matrix = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    middle = (np.array(scene.shape) - 1) / 2
    moved = ndi.affine_transform(
        scene, matrix, middle - matrix @ middle + shift, order=3, mode="mirror"
    )
    moved[100:130, 50:90] = 128
    return 0.9 * moved + 8 + rng.normal(0, noise, scene.shape)


@pytest.mark.parametrize("noise", [0, 2, 10])
def test_what_lies_on_the_other_stays(scene, rng, noise):
    assert needed_registration(scene, photographed_again(scene, rng, noise=noise)) is None


def test_what_was_shifted_is_shifted_alone(scene, rng):
    found = needed_registration(scene, photographed_again(scene, rng, shift=(2.4, -3.7)))
    assert found.is_shift
    assert found.shift == pytest.approx((-2.4, 3.7), abs=0.1)


def test_what_was_turned_is_turned(scene, rng):
    found = needed_registration(scene, photographed_again(scene, rng, angle=2, shift=(1, 3)))
    assert found.angle == pytest.approx(-2, abs=0.05)


def test_volumes_are_shifted():
    rng = np.random.default_rng(1)
    volume = ndi.gaussian_filter(rng.random((30, 50, 60)), 2)
    again = ndi.shift(volume, (2, -3, 4), mode="mirror")
    assert np.rint(needed_registration(volume, again).shift).tolist() == [2, -3, 4]


def test_images_that_show_different_things_stay(rng):
    one, other = (ndi.gaussian_filter(rng.random((120, 120)), 2) for _ in range(2))
    assert needed_registration(one, other) is None


@pytest.mark.parametrize("shape", [(30, 40), (1, 1), (3, 50), (4, 9, 9)])
def test_without_structure_nothing_is_moved(shape):
    assert needed_registration(np.ones(shape), np.ones(shape)) is None


def test_it_can_be_asked_for_where_images_are_compared(scene, rng):
    moved = compare_images(scene, photographed_again(scene, rng, shift=(0, 5)), register="auto")
    assert moved.registration.shift == pytest.approx((0, -5), abs=0.1)
    assert compare_images(scene, scene, register="auto").registration is None


def test_different_sizes_are_refused():
    with pytest.raises(InputError, match=r"\(4, 5\) and \(5, 4\)"):
        needed_registration(np.ones((4, 5)), np.ones((5, 4)))
