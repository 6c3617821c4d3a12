import numpy as np
import pytest
from scipy import ndimage as ndi
from skimage import filters, morphology

from napari_seedbed.core.regions.peaks import h_maxima, label_points
from napari_seedbed.errors import InputError


@pytest.mark.parametrize("shape", [(60, 70), (12, 20, 30)])
@pytest.mark.parametrize("share", [0.05, 0.2, 0.6])
@pytest.mark.parametrize("kind", ["bright", "dark"])
def test_peaks_are_those_of_scikit_image(shape, share, kind):
    """On an image without equal values, where both mean the same."""
    image = filters.gaussian(np.random.default_rng(0).random(shape), 2)
    height = share * np.ptp(image)
    theirs = morphology.h_maxima if kind == "bright" else morphology.h_minima
    assert np.array_equal(h_maxima(image, height, kind) > 0, theirs(image, height) > 0)


def test_a_peak_counts_from_its_own_height_above_the_saddle():
    line = np.array([[0, 9, 4, 7, 0]])
    assert h_maxima(line, 3).tolist() == [[0, 1, 0, 2, 0]]
    assert h_maxima(line, 3.01).tolist() == [[0, 1, 0, 0, 0]]


def test_of_equal_peaks_with_a_shallow_dip_one_is_found():
    line = np.array([[0, 9, 8, 9, 0]])
    assert h_maxima(line, 2).tolist() == [[0, 1, 0, 0, 0]]
    assert h_maxima(line, 1).tolist() == [[0, 1, 0, 2, 0]]


def test_all_of_a_flat_top_is_labelled():
    image = np.zeros((6, 9))
    image[1:5, 2:7] = 3
    assert np.array_equal(h_maxima(image, 1) > 0, image == 3)
    assert h_maxima(image, 1).max() == 1


def test_a_ring_is_one_peak():
    image = np.zeros((9, 9))
    image[1:8, 1:8] = 2
    image[3:6, 3:6] = 0
    assert np.array_equal(h_maxima(image, 1), (image == 2).astype(int))


def test_a_flat_image_has_no_peaks():
    assert not h_maxima(np.full((5, 6), 3), 0).any()


def test_lowest_height_finds_every_regional_maximum_of_distinct_values():
    image = np.random.default_rng(0).permutation(400).reshape(20, 20)
    expected = ndi.maximum_filter(image, 3, mode="nearest") == image
    assert np.array_equal(h_maxima(image, 0) > 0, expected)


def test_a_mask_hides_a_higher_peak():
    line = np.array([[0, 9, 4, 7, 0]])
    assert h_maxima(line, 3, mask=[[0, 0, 1, 1, 1]]).tolist() == [[0, 0, 0, 1, 0]]


def test_points_lie_on_the_peaks():
    image = np.zeros((9, 9))
    image[1:8, 1:8] = 2
    image[3:6, 3:6] = 0
    labels = h_maxima(image, 1)
    points, values = label_points(labels)
    assert values.tolist() == [1]
    assert labels[tuple(points[0].astype(int))] == 1


def test_point_of_a_flat_top_is_in_its_middle():
    labels = np.zeros((10, 10), int)
    labels[2:7, 3:8] = 4
    points, values = label_points(labels)
    assert points.tolist() == [[4, 5]]
    assert values.tolist() == [4]


def test_no_labels_give_no_points():
    points, values = label_points(np.zeros((3, 4, 5), int))
    assert points.shape == (0, 3)
    assert values.shape == (0,)


def test_another_kind_is_refused():
    with pytest.raises(InputError, match="kind"):
        h_maxima(np.zeros((4, 4)), 1, "medium")
