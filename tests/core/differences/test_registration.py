"""Images moved, turned and scaled by known amounts are found and brought back."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage as ndi
from skimage import data

from napari_seedbed.core import register_images, running, warp_image
from napari_seedbed.core.differences.registration import Registration
from napari_seedbed.errors import Cancelled, InputError

WINDOW = np.s_[60:340, 80:400]


def _matrix(angle, scale, move, shape):
    """Return what turns and scales about the middle of an image, and then moves it."""
    matrix = np.eye(3)
    t = np.radians(angle)
    matrix[:2, :2] = scale * np.array([[np.cos(t), -np.sin(t)], [np.sin(t), np.cos(t)]])
    middle = (np.array(shape) - 1) / 2
    matrix[:2, 2] = middle - matrix[:2, :2] @ middle + move
    return matrix


def _pair(matrix, rng, noise=2.0):
    """Return a part of a photograph, and the same part after its content was moved."""
    image = data.camera().astype(float)
    moved = ndi.affine_transform(image, np.linalg.inv(matrix), order=3, mode="mirror")
    origin = np.array([part.start for part in WINDOW])
    inner = matrix.copy()
    inner[:2, 2] += matrix[:2, :2] @ origin - origin
    a, b = image[WINDOW], 0.8 * moved[WINDOW] + 20  # the light is another, too
    return a + rng.normal(0, noise, a.shape), b + rng.normal(0, noise, b.shape), inner


def _corner_error(found, true, shape):
    corners = np.array([[0, 0, 1], [shape[0], 0, 1], [0, shape[1], 1], [*shape, 1]]).T
    return np.abs((found - true) @ corners).max()


@pytest.mark.parametrize("move", [(0, 0), (3, -7), (2.35, -10.6), (0.5, 0.25), (-60, 90)])
def test_shifts_are_found_to_a_part_of_a_pixel(rng, move):
    a, b, _ = _pair(_matrix(0, 1, move, (512, 512)), rng)
    found = register_images(a, b, "shift")
    assert np.allclose(found.shift, move, atol=0.06)
    assert found.is_shift
    assert found.correlation > 0.95


@settings(max_examples=15)
@given(move=st.tuples(st.integers(-50, 50), st.integers(-50, 50)))
def test_whole_shifts_are_found_exactly_and_undone(move):
    image = data.camera()
    a = image[100:300, 100:350]
    b = image[100 - move[0] : 300 - move[0], 100 - move[1] : 350 - move[1]]
    found = register_images(a, b)
    assert found.shift.tolist() == list(move)
    moved, covered = warp_image(b, found)
    assert np.array_equal(moved[covered], a[covered])
    assert covered.sum() == (200 - abs(move[0])) * (250 - abs(move[1]))


@pytest.mark.parametrize(
    ("angle", "move"), [(0, (0, 0)), (3, (4, -6)), (-25, (5, 2)), (170, (0, 3))]
)
def test_rotations_are_found(rng, angle, move):
    a, b, true = _pair(_matrix(angle, 1, move, (512, 512)), rng)
    found = register_images(a, b, "rotation")
    assert _corner_error(found.matrix, true, a.shape) < 0.15
    assert found.angle == pytest.approx(angle, abs=0.05)
    assert found.scale == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize(("angle", "scale"), [(0, 1), (4, 1.1), (-30, 0.8), (80, 1.3)])
def test_similarities_are_found(rng, angle, scale):
    a, b, true = _pair(_matrix(angle, scale, (3, -5), (512, 512)), rng)
    found = register_images(a, b, "similarity")
    assert _corner_error(found.matrix, true, a.shape) < 0.15
    assert found.scale == pytest.approx(scale, abs=1e-3)
    moved, covered = warp_image(b, found)
    inside = ndi.binary_erosion(covered, iterations=3)
    assert np.corrcoef(a[inside], moved[inside])[0, 1] > 0.97


def test_what_has_changed_does_not_pull(rng):
    a, b, true = _pair(_matrix(5, 1, (3, -5), (512, 512)), rng)
    b[100:160, 100:170] = 255
    b[20:50, 200:260] = 0
    found = register_images(a, b, "rotation")
    assert _corner_error(found.matrix, true, a.shape) < 0.2


def test_volumes_are_shifted_along_all_axes(rng):
    volume = ndi.gaussian_filter(rng.random((40, 80, 90)), 1.5)
    found = register_images(volume[5:35, 10:70, 10:80], volume[3:33, 13:73, 6:76])
    assert found.shift.tolist() == [2, -3, 4]


def test_channels_are_moved_together(rng):
    image = data.astronaut()
    a, b = image[100:300, 100:300], image[95:295, 103:303]
    found = register_images(a, b, channel_axis=-1)
    assert found.shift.tolist() == [5, -3]
    moved, covered = warp_image(b, found, channel_axis=-1)
    assert np.array_equal(moved[covered], a[covered])
    first, _ = warp_image(np.moveaxis(b, -1, 0), found, channel_axis=0)
    assert np.array_equal(np.moveaxis(first, 0, -1), moved)


def test_a_spline_goes_through_a_smooth_image_between_its_pixels():
    rows, columns = np.mgrid[:60, :70]
    wave = np.sin(rows / 6) + np.cos(columns / 7)
    matrix = _matrix(7, 1.05, (1.3, -2.6), (60, 70))
    position = np.tensordot(matrix[:2, :2], [rows, columns], 1) + matrix[:2, 2, None, None]
    moved, covered = warp_image(wave, Registration(matrix, 1.0))
    expected = np.sin(position[0] / 6) + np.cos(position[1] / 7)
    # Near the border, splines have to guess how the image goes on.
    inside = (position >= 5).all(axis=0) & (position[0] <= 54) & (position[1] <= 64)
    assert np.abs(moved - expected)[inside].max() < 1e-4
    within = (position >= 0).all(axis=0) & (position[0] <= 59) & (position[1] <= 69)
    assert np.array_equal(covered, within)


def test_large_images_are_warped_as_small_parts_are(rng):
    image = rng.random((1500, 900)).astype(np.float32)
    matrix = _matrix(2, 1.01, (3.3, -2), image.shape)
    moved, _ = warp_image(image, Registration(matrix, 1.0), order=1)
    expected = ndi.affine_transform(image, matrix, order=1, mode="mirror")
    assert np.allclose(moved, expected, atol=1e-6)


def test_sizes_that_differ_are_both_said():
    with pytest.raises(InputError, match=r"\(30, 40\).*\(30, 41\)"):
        register_images(np.eye(30, 40), np.eye(30, 41))


@pytest.mark.parametrize(
    ("a", "b", "kind", "message"),
    [
        (np.ones((20, 20)), np.eye(20), "shift", "reference is constant"),
        (np.eye(20), np.ones((20, 20)), "shift", "moving is constant"),
        (np.eye(20), np.eye(20), "affine", "kind must be one of"),
        (np.full((20, 20), np.nan), np.eye(20), "shift", "NaN"),
        (np.random.default_rng(0).random((5, 9, 9)),) * 2 + ("rotation", "2 spatial axes"),
    ],
)
def test_what_cannot_be_registered_is_refused(a, b, kind, message):
    with pytest.raises(InputError, match=message):
        register_images(a, b, kind)


@pytest.mark.parametrize("shape", [(2, 2), (1, 30), (5, 7), (3, 3, 3)])
def test_tiny_images_can_be_shifted_but_not_turned(rng, shape):
    image = rng.random(shape)
    assert np.allclose(register_images(image, image).matrix, np.eye(len(shape) + 1))
    with pytest.raises(InputError, match="at least 16 pixels" if len(shape) == 2 else "2 spatial"):
        register_images(image, image, "similarity")


@pytest.mark.parametrize("kind", ["shift", "similarity"])
def test_it_stops_when_asked(kind):
    image = data.camera()
    calls = iter([False] * 3)
    with running(should_stop=lambda: next(calls, True)), pytest.raises(Cancelled):
        register_images(image, image.T.copy(), kind)
