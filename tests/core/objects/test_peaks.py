"""Local maxima are those of the definition and of scikit-image."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from skimage.feature import peak_local_max

from napari_seedbed.core import local_maxima
from napari_seedbed.errors import InputError

SCENES = pytest.mark.parametrize(
    ("shape", "spacing", "distance"),
    [((40, 50), (1.0, 1.0), 4.2), ((12, 20, 22), (2.0, 1.0, 1.0), 3.0), ((1, 60), (1.0, 0.5), 2.0)],
)


@SCENES
def test_maxima_exceed_all_voxels_within_the_distance(rng, shape, spacing, distance):
    image = rng.permutation(np.prod(shape)).reshape(shape).astype(np.float32)
    points, columns = local_maxima(image, distance, 0.5, spacing)
    places = np.argwhere(np.ones(shape, bool))
    values = image[tuple(places.T)]
    expected = []
    for place, value in zip(places, values, strict=True):
        steps = np.abs(places - place)
        near = np.linalg.norm(steps * spacing, axis=1) <= distance * (1 + 1e-9)
        near |= steps.max(axis=1) <= 1
        if value > 0.5 * image.max() and (values[near] <= value).all():
            expected.append(tuple(place))
    assert sorted(map(tuple, points.astype(int).tolist())) == sorted(expected)
    assert (np.diff(columns["value"]) < 0).all()


def test_maxima_are_those_of_scikit_image(rng):
    image = rng.random((60, 70))
    found, _ = local_maxima(image, 1.0, 0.3, threshold_kind="intensity")
    expected = peak_local_max(image, min_distance=1, threshold_abs=0.3, exclude_border=False)
    assert sorted(map(tuple, found.astype(int))) == sorted(map(tuple, expected))


@SCENES
@pytest.mark.parametrize("dtype", [bool, np.uint8, np.int16, np.float16, np.float64])
def test_maxima_of_few_values_are_apart(rng, shape, spacing, distance, dtype):
    image = rng.integers(0, 2 if dtype is bool else 4, shape).astype(dtype)
    points, _ = local_maxima(image, distance, 0.1, spacing)
    assert len(points) > 0
    places = points * spacing
    gaps = cdist(places, places)[~np.eye(len(places), dtype=bool)]
    assert (gaps > distance).all()


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float32])
def test_minima_are_the_maxima_of_the_negative(rng, dtype):
    image = rng.integers(0, 100, (30, 40)).astype(dtype)
    dark, columns = local_maxima(image, 3.0, 0.3, dark=True)
    bright, _ = local_maxima(100 - image.astype(float), 3.0, 0.3)
    np.testing.assert_array_equal(dark, bright)
    assert (np.diff(columns["value"]) >= 0).all()


def test_plateau_is_one_maximum_in_its_middle():
    image = np.zeros((9, 9), np.uint8)
    image[2:7, 3:6] = 5
    points, columns = local_maxima(image)
    np.testing.assert_array_equal(points, [[4, 4]])
    assert columns["value"][0] == 5


def test_maxima_near_the_border_can_be_left_out():
    image = np.zeros((9, 9))
    image[1, 4], image[5, 5] = 3, 2
    assert len(local_maxima(image, border=1.0)[0]) == 2
    np.testing.assert_array_equal(local_maxima(image, border=2.0)[0], [[5, 5]])


@pytest.mark.parametrize("shape", [(5, 6), (3, 4, 5), (1, 1)])
def test_flat_image_has_none(shape):
    points, columns = local_maxima(np.full(shape, 3.5))
    assert points.shape == (0, len(shape))
    assert len(columns["value"]) == 0


def test_share_above_one_is_refused():
    with pytest.raises(InputError, match="threshold is 20; a share"):
        local_maxima(np.zeros((3, 3)), 1, 20)
