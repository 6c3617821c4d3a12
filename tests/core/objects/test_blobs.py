"""Blobs are found where discs, balls and spots were put, with their sizes and strengths."""

import numpy as np
import pytest
from scipy.spatial import cKDTree
from skimage.feature import blob_log

from napari_seedbed.core import find_blobs
from napari_seedbed.core.objects.blobs import _common_share
from napari_seedbed.errors import InputError

PLANE, VOLUME = (90, 120), (30, 60, 70)


def spots(shape, centres, widths, spacing=None):
    """Gaussian spots of height 1."""
    grid = np.stack(np.indices(shape), axis=-1) * (
        np.ones(len(shape)) if spacing is None else spacing
    )
    image = np.zeros(shape)
    for centre, width in zip(centres, widths, strict=True):
        image += np.exp(-((grid - centre) ** 2).sum(axis=-1) / (2 * width**2))
    return image


@pytest.mark.parametrize("method", ["log", "dog", "doh"])
@pytest.mark.parametrize("dark", [False, True])
def test_spots_of_all_sizes_are_found_between_voxels(method, dark):
    centres = np.array([[20.3, 25.6], [60.2, 40.0], [45.5, 90.25]])
    widths = [3.0, 6.0, 9.0]
    image = 5 + (-2 if dark else 2) * spots(PLANE, centres, widths)
    points, columns = find_blobs(image, 2, 20, method=method, dark=dark)
    assert len(points) == 3
    away, which = cKDTree(points).query(centres)
    assert away.max() < 0.15
    np.testing.assert_allclose(columns["radius"][which], np.sqrt(2) * np.array(widths), rtol=0.08)
    np.testing.assert_allclose(columns["strength"], 2 * 0.5, rtol=0.08)


@pytest.mark.parametrize("method", ["log", "dog"])
def test_spots_of_a_volume_are_as_large_as_they_are_in_its_unit(method):
    spacing = (0.6, 0.3, 0.3)
    centres = np.array([[5.0, 6.1, 6.0], [11.0, 12.0, 14.05]])
    image = spots(VOLUME, centres, [1.0, 1.6], spacing)
    points, columns = find_blobs(image, 0.8, 4.0, spacing=spacing, method=method)
    assert len(points) == 2
    away, which = cKDTree(points * spacing).query(centres)
    assert away.max() < 0.06
    np.testing.assert_allclose(columns["radius"][which], [np.sqrt(2), 1.6 * np.sqrt(2)], rtol=0.08)
    np.testing.assert_allclose(columns["strength"], 0.56, rtol=0.06)
    np.testing.assert_allclose(columns["sigma"] * np.sqrt(3), columns["radius"])


@pytest.mark.parametrize(("shape", "height"), [(PLANE, 0.736), (VOLUME, 0.925)])
def test_radius_of_discs_and_balls_is_theirs(shape, height):
    centre = np.array(shape) // 2
    grid = np.moveaxis(np.indices(shape), 0, -1) - centre
    ball = np.linalg.norm(grid, axis=-1) <= 9
    points, columns = find_blobs(ball, 3, 14, 0.9)
    np.testing.assert_allclose(points, [centre], atol=0.05)
    assert columns["radius"][0] == pytest.approx(9.2, rel=0.06)
    assert columns["strength"][0] == pytest.approx(height, rel=0.05)


@pytest.mark.parametrize("ndim", [2, 3])
def test_blobs_are_those_of_scikit_image(rng, ndim):
    shape = (150, 170) if ndim == 2 else (40, 50, 60)
    number = 40 if ndim == 2 else 15
    centres = rng.uniform(10, np.array(shape) - 10, (number, ndim))
    image = spots(shape, centres, rng.uniform(2, 4, number))
    low, high = 1.5, 5.0
    found = blob_log(image, low, high, num_sigma=8, threshold=0.15, overlap=0.5)
    root = np.sqrt(ndim)
    points, columns = find_blobs(
        image, low * root, high * root, 0.15, threshold_kind="intensity", overlap=0.5
    )
    assert abs(len(points) - len(found)) <= 2
    away, which = cKDTree(points).query(found[:, :ndim])
    assert np.mean(away < 1.0) > 0.9
    near = away < 1.0
    np.testing.assert_allclose(columns["sigma"][which[near]], found[near, -1], atol=0.5)


def test_strongest_blob_comes_first_and_weak_ones_stay_out():
    image = spots(PLANE, [(30, 30), (60, 90)], [4, 4]) * 3
    image += spots(PLANE, [(30, 90)], [4]) * 0.5
    assert len(find_blobs(image, 3, 10, 0.2)[0]) == 2
    _, columns = find_blobs(image, 3, 10, 0.1)
    assert len(columns["strength"]) == 3
    assert (np.diff(columns["strength"]) <= 1e-9).all()
    kept = find_blobs(image, 3, 10, 0.5, threshold_kind="intensity")[1]["strength"]
    assert len(kept) == 2


def test_of_two_blobs_that_overlap_the_stronger_stays():
    image = spots(PLANE, [(45, 50)], [4]) + 0.8 * spots(PLANE, [(45, 60)], [4])
    assert len(find_blobs(image, 4, 6, 0.1, overlap=1)[0]) >= 2
    points, _ = find_blobs(image, 4, 6, 0.1, overlap=0.0)
    assert abs(points[0, 1] - 50) < 2


def test_common_share_of_discs_and_balls(rng):
    for ndim in (2, 3):
        for distance, one, two in ((1.0, 2.0, 1.5), (2.5, 1.0, 2.0), (0.2, 1.0, 3.0), (5, 1, 2)):
            points = rng.uniform(-1, 1, (400_000, ndim)) * one
            points = points[np.linalg.norm(points, axis=1) <= one]
            points[:, 0] -= distance
            inside = np.linalg.norm(points, axis=1) <= two
            share = inside.mean() * one**ndim / min(one, two) ** ndim
            found = _common_share(*(np.array([n]) for n in (distance, one, two)), ndim)[0]
            assert found == pytest.approx(share, abs=0.01)


def test_large_scales_on_coarser_voxels_give_the_same_places():
    image = spots((300, 310), [(150.4, 140.7)], [40.0])
    points, columns = find_blobs(image, 4, 100)
    np.testing.assert_allclose(points, [[150.4, 140.7]], atol=0.3)
    assert columns["radius"][0] == pytest.approx(40 * np.sqrt(2), rel=0.05)


@pytest.mark.parametrize("shape", [(20, 30), (5, 20, 30), (1, 1), (1, 20), (1, 9, 9)])
@pytest.mark.parametrize("value", [0, 7, 1000.25])
def test_flat_image_has_no_blobs(shape, value):
    points, columns = find_blobs(np.full(shape, value, np.float32), 1, 5)
    assert points.shape == (0, len(shape))
    assert {len(column) for column in columns.values()} == {0}


def test_wrong_bounds_and_methods_are_refused():
    image = np.zeros((20, 20))
    with pytest.raises(InputError, match="smallest is 5 and largest 3"):
        find_blobs(image, 5, 3)
    with pytest.raises(InputError, match="works in 2D"):
        find_blobs(np.zeros((9, 9, 9)), 1, 3, method="doh")
    with pytest.raises(InputError, match="smallest is 50; the image is only 20 long"):
        find_blobs(image, 50, 60)
    with pytest.raises(InputError, match="share must be from 0 to 1"):
        find_blobs(image, 1, 3, 20)
