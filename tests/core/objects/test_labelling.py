"""Labels of pieces, their numbers and their joins agree with scikit-image and with definitions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.sparse.csgraph import connected_components
from scipy.spatial.distance import cdist
from skimage.measure import label as label_of_skimage
from skimage.segmentation import relabel_sequential as relabel_of_skimage

from napari_seedbed.core import count, join_labels, label, relabel_sequential, sort_labels
from napari_seedbed.errors import InputError

SMALL = arrays(np.int32, st.tuples(*[st.integers(1, 9)] * 2), elements=st.integers(0, 3))
DEEP = arrays(np.int32, st.tuples(*[st.integers(1, 5)] * 3), elements=st.integers(0, 3))


@given(st.one_of(SMALL, DEEP), st.sampled_from([None, 1, 2]))
def test_pieces_are_those_of_scikit_image(labels, connectivity):
    found, number = label(labels, return_num=True, connectivity=connectivity)
    expected, n = label_of_skimage(labels, return_num=True, connectivity=connectivity)
    np.testing.assert_array_equal(found, expected)
    assert (found.dtype, number) == (np.int32, n)
    of_mask = label(labels > 0, connectivity=connectivity)
    np.testing.assert_array_equal(of_mask, label_of_skimage(labels > 0, connectivity=connectivity))


@given(SMALL)
def test_another_background_is_that_of_scikit_image(labels):
    expected = label_of_skimage(labels, background=2)
    np.testing.assert_array_equal(label(labels, background=2), expected)


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.uint16])
def test_70000_objects_get_70000_labels(dtype):
    dots = np.zeros((700, 400), dtype)
    dots[::2, ::2] = 1
    found = label(dots)
    assert found.max() == 70_000
    assert len(np.unique(found[found > 0])) == 70_000
    assert count(dots) == 70_000


def test_image_without_objects_has_none():
    nothing = np.zeros((4, 5), np.uint8)
    assert label(nothing, return_num=True)[1] == 0
    assert count(nothing) == 0
    for function in (relabel_sequential, sort_labels, join_labels):
        assert not function(nothing).any()


def test_labels_are_counted_as_labels_and_masks_by_their_pieces():
    labels = np.array([[1, 0, 2, 0, 1]])
    assert count(labels) == 2
    assert count(labels, objects="pieces") == 3
    assert count(labels == 1) == 2
    assert count(labels == 1, objects="labels") == 1


@given(st.one_of(SMALL, DEEP), st.integers(1, 9))
def test_labels_without_gaps_are_those_of_scikit_image(labels, start):
    expected, _, _ = relabel_of_skimage(labels, offset=start)
    np.testing.assert_array_equal(relabel_sequential(labels, start), expected)


def test_huge_labels_take_no_huge_memory():
    labels = np.array([[2**31 - 1, 0, 7]])
    np.testing.assert_array_equal(relabel_sequential(labels), [[2, 0, 1]])


def test_labels_beyond_32_bits_are_refused():
    with pytest.raises(InputError, match="and 2147483647"):
        relabel_sequential(np.array([[2**31]]))


def test_objects_are_sorted_by_size_or_place():
    labels = np.array([[0, 5, 0, 9, 9], [7, 0, 0, 9, 0]])
    np.testing.assert_array_equal(sort_labels(labels), [[0, 1, 0, 3, 3], [2, 0, 0, 3, 0]])
    by_size = sort_labels(labels, descending=True)
    np.testing.assert_array_equal(by_size, [[0, 2, 0, 1, 1], [3, 0, 0, 1, 0]])
    by_column = sort_labels(labels, "x")
    np.testing.assert_array_equal(by_column, [[0, 2, 0, 3, 3], [1, 0, 0, 3, 0]])
    by_row = sort_labels(labels, "y")
    np.testing.assert_array_equal(by_row, [[0, 1, 0, 2, 2], [3, 0, 0, 2, 0]])


def test_axis_that_the_image_does_not_have_is_refused():
    with pytest.raises(InputError, match="by is 'z'; it must be size, y or x"):
        sort_labels(np.ones((3, 3), int), "z")


def joined_by_definition(labels, distance, spacing):
    """Objects joined when any two of their voxels are near, the lowest label for all."""
    values = np.unique(labels[labels > 0])
    places = [np.argwhere(labels == value) for value in values]
    near = np.zeros((len(values),) * 2, bool)
    for i, one in enumerate(places):
        for j, other in enumerate(places):
            touching = (np.abs(one[:, None] - other).max(axis=-1) <= 1).any()
            gap = cdist(one * spacing, other * spacing).min()
            near[i, j] = touching or gap <= distance * (1 + 1e-6)
    _, group = connected_components(near, directed=False)
    out = np.zeros_like(labels)
    for value, number in zip(values, group, strict=True):
        out[labels == value] = values[group == number].min()
    return out


@pytest.mark.parametrize(
    ("shape", "spacing"), [((14, 17), (1, 1)), ((6, 12, 9), (2.5, 1, 1)), ((1, 30), (0.3, 0.1))]
)
@pytest.mark.parametrize("steps", [0, 1, 2, 3.3])
def test_near_objects_are_joined(rng, shape, spacing, steps):
    for share in (0.02, 0.06):
        labels = rng.integers(1, 9, shape) * (rng.random(shape) < share)
        distance = steps * min(spacing)
        np.testing.assert_array_equal(
            join_labels(labels, distance, spacing), joined_by_definition(labels, distance, spacing)
        )


def test_corners_touch_only_when_they_may():
    labels = np.array([[1, 0], [0, 2]])
    np.testing.assert_array_equal(join_labels(labels), [[1, 0], [0, 1]])
    np.testing.assert_array_equal(join_labels(labels, connectivity=1), labels)


def test_values_that_are_not_whole_are_refused():
    with pytest.raises(InputError, match="float64"):
        label(np.zeros((3, 3)))
    with pytest.raises(InputError, match="2 or 3 axes"):
        label(np.zeros((3,), int))
    with pytest.raises(InputError, match="connectivity is 3; in 2D it must be from 1 to 2"):
        label(np.zeros((3, 3), int), connectivity=3)
