"""What stays by size and place is what scikit-image or a plain count says."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from skimage.measure import label as label_of_skimage
from skimage.segmentation import clear_border as clear_border_of_skimage

from napari_seedbed.core import clear_border, keep_largest, remove_by_size
from napari_seedbed.errors import InputError

LABELS = st.one_of(
    arrays(np.int32, st.tuples(*[st.integers(2, 9)] * 2), elements=st.integers(0, 3)),
    arrays(np.int32, st.tuples(*[st.integers(2, 5)] * 3), elements=st.integers(0, 3)),
)


def pieces(labels):
    """Masks of the connected pieces."""
    found, number = label_of_skimage(labels, return_num=True)
    return [found == value for value in range(1, number + 1)]


@given(LABELS, st.integers(0, 5), st.integers(0, 9))
def test_pieces_of_wrong_size_go(labels, smallest, more):
    spacing = (0.5,) * labels.ndim
    voxel = 0.5**labels.ndim
    largest = smallest + more
    found = remove_by_size(labels, smallest * voxel, largest * voxel, spacing, objects="pieces")
    expected = labels.copy()
    for piece in pieces(labels):
        if piece.sum() < smallest or (largest and piece.sum() > largest):
            expected[piece] = 0
    np.testing.assert_array_equal(found, expected)


def test_labels_are_measured_as_a_whole():
    labels = np.array([[1, 0, 2, 0, 1, 1]])
    np.testing.assert_array_equal(remove_by_size(labels, 3), [[1, 0, 0, 0, 1, 1]])
    np.testing.assert_array_equal(remove_by_size(labels, 2, objects="pieces"), [[0, 0, 0, 0, 1, 1]])
    np.testing.assert_array_equal(remove_by_size(labels == 1, 2), [[0, 0, 0, 0, 1, 1]])


def test_size_of_exactly_the_limit_stays_whatever_the_rounding():
    labels = np.ones((1, 3, 1), int)
    spacing = (0.1, 0.7, 0.3)
    assert remove_by_size(labels, 0.063, 0.063, spacing).all()


def test_limits_the_wrong_way_round_are_refused():
    with pytest.raises(InputError, match="smallest is 5 and largest 2"):
        remove_by_size(np.ones((3, 3), int), 5, 2)


@given(LABELS, st.integers(0, 4))
def test_largest_stay(labels, number):
    found = keep_largest(labels, number, objects="labels")
    values, counts = np.unique(labels[labels > 0], return_counts=True)
    order = sorted(zip(-counts, values, strict=True))[:number]
    np.testing.assert_array_equal(
        found, np.where(np.isin(labels, [v for _, v in order]), labels, 0)
    )


@given(LABELS, st.integers(0, 2))
def test_cleared_border_is_that_of_scikit_image(labels, distance):
    found = clear_border(labels, distance * 0.3, 0.3, objects="pieces")
    if distance < min(labels.shape):
        expected = clear_border_of_skimage(labels, buffer_size=distance)
        np.testing.assert_array_equal(found, expected)
    else:
        assert not found.any()


def test_label_that_touches_the_border_goes_with_all_its_pieces():
    labels = np.zeros((5, 7), int)
    labels[0, 0] = labels[2, 2] = 3
    labels[2, 4] = 4
    assert set(np.unique(clear_border(labels))) == {0, 4}


def test_first_and_last_slice_are_no_border_when_only_the_sides_count():
    labels = np.zeros((3, 5, 5), int)
    labels[0, 2, 2], labels[1, 0, 2] = 1, 2
    assert set(np.unique(clear_border(labels, faces="sides"))) == {0, 1}
    assert not clear_border(labels).any()


def test_slice_is_not_border_all_over():
    labels = np.zeros((1, 5, 5), int)
    labels[0, 2, 2], labels[0, 0, 0] = 1, 2
    assert set(np.unique(clear_border(labels))) == {0, 1}


@pytest.mark.parametrize(
    "function",
    [lambda a: remove_by_size(a, 3), keep_largest, clear_border],
    ids=["size", "largest", "border"],
)
def test_nothing_stays_nothing(function):
    found = function(np.zeros((3, 4), np.uint16))
    assert found.dtype == np.int32
    assert not found.any()
