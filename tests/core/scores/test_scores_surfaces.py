"""Distances between surfaces equal those between all their points, and closed formulas."""

import math

import numpy as np
import pytest
from scipy import ndimage as ndi
from scipy.spatial.distance import cdist, directed_hausdorff
from skimage.metrics import hausdorff_distance

from napari_seedbed.core import running, surface_distances
from napari_seedbed.core.scores.surface_kernels import squared_distances
from napari_seedbed.errors import Cancelled, InputError


def surface_points(mask, spacing):
    inner = ndi.binary_erosion(mask, ndi.generate_binary_structure(mask.ndim, 1))
    return np.argwhere(mask & ~inner) * np.array(spacing, float)


@pytest.fixture(params=[((40, 50), (0.5, 2.0)), ((9, 30, 25), (3.0, 0.7, 0.4))], ids=["2D", "3D"])
def scene(request, rng):
    """Two blobs that are not alike, and a voxel size."""
    shape, spacing = request.param
    masks = [ndi.gaussian_filter(rng.normal(size=shape), 2) > 0.02 for _ in range(2)]
    return *masks, spacing


def test_hausdorff_distance_is_scipys_between_surface_points(scene):
    truth, labels, spacing = scene
    a, b = surface_points(truth, spacing), surface_points(labels, spacing)
    expected = max(directed_hausdorff(a, b)[0], directed_hausdorff(b, a)[0])
    found = surface_distances(truth, labels, spacing)["hausdorff_distance"]
    assert found == pytest.approx(expected)


def test_percentile_and_mean_are_those_of_all_distances(scene):
    truth, labels, spacing = scene
    all_distances = cdist(surface_points(truth, spacing), surface_points(labels, spacing))
    away, back = all_distances.min(axis=1), all_distances.min(axis=0)
    found = surface_distances(truth, labels, spacing)
    percentile = max(np.percentile(away, 95), np.percentile(back, 95))
    assert found["hausdorff_distance_95"] == pytest.approx(percentile)
    mean = np.concatenate([away, back]).mean()
    assert found["mean_surface_distance"] == pytest.approx(mean)


def test_a_moved_box_has_the_distance_that_scikit_image_gives():
    truth, labels = np.zeros((2, 12, 30, 30), bool)
    truth[3:8, 5:15, 5:15] = True
    labels[5:10, 8:18, 9:19] = True
    assert surface_distances(truth, labels)["hausdorff_distance"] == pytest.approx(
        hausdorff_distance(truth, labels)
    )


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_moving_along_an_axis_is_measured_with_its_spacing(axis):
    spacing = (5.0, 0.25, 2.0)
    truth = np.zeros((20, 20, 20), bool)
    truth[8:11, 8:11, 8:11] = True
    distances = surface_distances(truth, np.roll(truth, 4, axis), spacing)
    assert distances["hausdorff_distance"] == pytest.approx(4 * spacing[axis])


def test_one_larger_square_around_another_is_a_voxel_diagonal_away():
    truth, labels = np.zeros((2, 20, 20), bool)
    truth[5:12, 5:12], labels[4:13, 4:13] = True, True
    distances = surface_distances(truth, labels, 0.1)
    assert distances["hausdorff_distance"] == pytest.approx(0.1 * math.sqrt(2))
    # 24 inner voxels and 28 outer ones are 1 away, the 4 outer corners a diagonal.
    mean = 0.1 * (52 + 4 * math.sqrt(2)) / 56
    assert distances["mean_surface_distance"] == pytest.approx(mean)


def test_a_hole_has_a_surface():
    truth = np.ones((11, 11), bool)
    labels = truth.copy()
    labels[5, 5] = False
    # From the rim of the hole to the border of the image.
    assert surface_distances(truth, labels)["hausdorff_distance"] == 4


def test_the_border_of_the_image_is_a_surface():
    truth = np.ones((9, 9), bool)
    labels = np.zeros((9, 9), bool)
    labels[4, 4] = True
    found = surface_distances(truth, labels)["hausdorff_distance"]
    assert found == pytest.approx(4 * math.sqrt(2))


def test_an_axis_of_length_one_has_no_sides(scene):
    truth, labels, spacing = scene
    flat = surface_distances(truth[-1:], labels[-1:], spacing)
    if truth.ndim == 3:
        assert flat == pytest.approx(surface_distances(truth[-1], labels[-1], spacing[1:]))


def test_distances_are_the_same_both_ways(scene):
    truth, labels, spacing = scene
    there, back = (
        surface_distances(truth, labels, spacing),
        surface_distances(labels, truth, spacing),
    )
    assert there == pytest.approx(back)


def test_distances_grow_with_the_spacing(scene):
    truth, labels, spacing = scene
    small = surface_distances(truth, labels, np.array(spacing) * 1e-9)
    large = surface_distances(truth, labels, np.array(spacing) * 1e6)
    for key, value in surface_distances(truth, labels, spacing).items():
        assert small[key] == pytest.approx(value * 1e-9)
        assert large[key] == pytest.approx(value * 1e6)


def test_only_the_foreground_counts_not_which_object(rng):
    truth, labels = np.zeros((2, 15, 15), int)
    truth[3:9, 3:12], labels[4:9, 3:12] = 1, 1
    halves = labels * (1 + (np.arange(15) > 7))
    assert surface_distances(truth, halves) == surface_distances(truth, labels)


def test_voxels_that_the_truth_leaves_out_do_not_count():
    truth, labels = np.zeros((2, 9, 20), int)
    truth[3:6, 3:6], labels[3:6, 3:6] = 1, 1
    truth[:, 12:], labels[4, 15] = -1, 2
    assert surface_distances(truth, labels)["hausdorff_distance"] == 0


@pytest.mark.parametrize(
    ("truth", "labels", "expected"), [(0, 0, 0), (1, 0, math.inf), (0, 1, math.inf), (1, 1, 0)]
)
def test_masks_without_voxels_have_stated_distances(truth, labels, expected):
    found = surface_distances(np.full((4, 5), truth), np.full((4, 5), labels))
    assert set(found.values()) == {expected}


def test_squared_distances_are_those_of_scipy(rng):
    points = rng.random((21, 37, 50)) < 0.002
    spacing = (2.5, 1.0, 1.25)
    expected = ndi.distance_transform_edt(~points, spacing)
    assert np.allclose(np.sqrt(squared_distances(points, spacing)), expected, rtol=1e-6)


def test_without_points_all_is_infinitely_far():
    assert np.isinf(squared_distances(np.zeros((3, 4, 5), bool), (1, 1, 1))).all()


def test_probabilities_are_refused():
    with pytest.raises(InputError, match=r"labels holds 0\.5"):
        surface_distances(np.eye(3), np.eye(3) / 2)


def test_it_stops_when_asked(scene):
    with running(should_stop=lambda: True), pytest.raises(Cancelled):
        surface_distances(*scene)
