"""The next uncertain place is the heart of the largest region not yet looked at."""

import numpy as np
import pytest

from napari_seedbed.core.walker.uncertain_regions import next_uncertain_region
from napari_seedbed.errors import InputError


@pytest.fixture
def two_blobs():
    """A box of 9 x 9 x 9 around (10, 10, 10) and one of 5 x 5 x 5 around (24, 24, 24)."""
    field = np.zeros((32, 32, 32), np.float32)
    field[6:15, 6:15, 6:15] = 0.8
    field[22:27, 22:27, 22:27] = 1.0
    return field


def test_largest_region_comes_first_at_its_heart(two_blobs):
    region = next_uncertain_region(two_blobs)
    assert region.center == (10, 10, 10)
    assert region.size == 9**3
    assert region.mean_uncertainty == pytest.approx(0.8)


def test_visited_region_makes_way_for_the_next(two_blobs):
    assert next_uncertain_region(two_blobs, [(10, 10, 10)]).center == (24, 24, 24)


def test_nothing_is_left_when_every_region_was_seen_whole(two_blobs):
    visited = [(10, 10, 10), (24, 24, 24)]
    assert next_uncertain_region(two_blobs, visited, reach=8) is None


def test_settled_voxels_at_the_visited_place_do_not_bring_the_region_back(two_blobs):
    two_blobs[9:12, 9:12, 9:12] = 0
    assert next_uncertain_region(two_blobs, [(10, 10, 10)]).center == (24, 24, 24)


def test_far_part_of_a_long_region_is_offered_after_all_others():
    field = np.zeros((20, 200))
    field[8:13, 5:195] = 1
    field[2:4, 2:4] = 1
    first = next_uncertain_region(field, reach=20)
    assert first.size == 5 * 190
    second = next_uncertain_region(field, [first.center], reach=20)
    assert second.size == 4
    third = next_uncertain_region(field, [first.center, second.center], reach=20)
    assert abs(third.center[1] - first.center[1]) > 20
    assert field[third.center] == 1


@pytest.mark.parametrize("threshold", [0.2, 0.85])
def test_threshold_decides_what_is_uncertain(two_blobs, threshold):
    expected = (10, 10, 10) if threshold < 0.8 else (24, 24, 24)
    assert next_uncertain_region(two_blobs, threshold=threshold).center == expected


def test_where_all_is_uncertain_the_most_uncertain_part_counts():
    field = np.full((40, 50), 0.8)
    field[8:13, 30:41] = 0.9
    field[25:28, 10:13] = 0.95
    region = next_uncertain_region(field, at_most=0.03)
    assert (region.center, region.size) == ((10, 35), 55)


def test_image_that_is_uncertain_throughout_is_one_region():
    assert next_uncertain_region(np.ones((20, 30))).size == 600


def test_certain_image_has_no_next_place():
    assert next_uncertain_region(np.zeros((8, 8))) is None


def test_center_lies_in_a_hollow_region():
    field = np.ones((30, 30))
    field[5:25, 5:25] = 0
    center = next_uncertain_region(field).center
    assert field[center] == 1


def test_depth_is_measured_in_physical_units():
    """A bar flat in voxels is thick in micrometres where the planes are far apart."""
    field = np.zeros((20, 40))
    field[5:10, 2:38] = 1  # 5 rows of 0.1
    field[10:19, 30:33] = 1  # a stem, 3 columns of 1
    assert next_uncertain_region(field, spacing=(0.1, 1.0)).center[0] >= 7


def test_of_many_deepest_voxels_the_middle_one_is_chosen():
    field = np.zeros((9, 15, 40))
    field[2:7, 5:10, 4:35] = 1
    assert next_uncertain_region(field, spacing=(5, 1, 1)).center == (4, 7, 19)


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ({"visited": [(1, 2, 3)]}, "visited"),
        ({"spacing": (1.0, -1.0)}, "spacing"),
        ({"spacing": (1.0,)}, "spacing"),
    ],
)
def test_wrong_input_is_named(arguments, word):
    with pytest.raises(InputError, match=word):
        next_uncertain_region(np.ones((8, 8)), **arguments)


def test_one_dimension_is_refused():
    with pytest.raises(InputError, match="2 or 3"):
        next_uncertain_region(np.ones(8))


def test_doubt_between_two_of_many_labels_counts():
    # Two labels of twenty, as probable as each other.
    field = np.zeros((20, 20))
    field[5:9, 5:9] = np.log(2) / np.log(20)
    assert next_uncertain_region(field) is None
    assert next_uncertain_region(field, n_labels=20).size == 16


@pytest.fixture
def two_questions():
    """A doubt of 60 voxels that nothing depends on, and one of 20 that an object depends on."""
    doubt = np.zeros((30, 40))
    labels = np.ones(doubt.shape, np.int32)
    second = np.full(doubt.shape, 2, np.int32)
    doubt[2:12, 2:8] = 0.9
    labels[15:25, 10:30] = 3
    second[15:25, 10:30] = 0
    doubt[15:25, 10:30] = 0.3  # all of the object, in less doubt
    doubt[15:25, 18:20] = 0.7
    return doubt, labels, second


def test_region_that_takes_the_most_voxels_along_comes_first(two_questions):
    doubt, labels, second = two_questions
    assert next_uncertain_region(doubt).size == 60
    region = next_uncertain_region(doubt, labels=labels, second=second)
    assert (region.size, region.change, set(region.labels)) == (20, 200, {0, 3})
    after = next_uncertain_region(doubt, [region.center], labels=labels, second=second)
    assert (after.size, after.change, set(after.labels)) == (60, 60, {1, 2})


def test_only_what_has_the_same_two_labels_goes_along(two_questions):
    doubt, labels, second = two_questions
    labels[15:25, 25:30] = 4
    second[15:25, 10:13] = 5
    region = next_uncertain_region(doubt, [(7, 5)], labels=labels, second=second)
    assert region.change == 10 * 12


def test_labels_of_a_region_are_named_by_how_much_they_hold():
    doubt = np.ones((10, 20))
    labels = np.full(doubt.shape, 7)
    second = np.full(doubt.shape, 9)
    second[:, 12:] = 4
    second[0, 0] = 2
    assert next_uncertain_region(doubt, labels=labels, second=second).labels == (7, 9, 4)


def test_region_between_many_labels_is_asked_about_in_parts_between_two(two_questions):
    doubt, labels, second = two_questions
    doubt[15:25, 10:30] = 0.9
    doubt[14, 10:30] = 0.3  # beside the first object
    labels[14, 10:30] = 3
    second[14, 10:30] = 0
    for label, first in ((4, 22), (5, 26)):
        labels[15:25, first:] = label
    doubt[15:25, 30:] = 0
    region = next_uncertain_region(doubt, labels=labels, second=second)
    assert (set(region.labels), region.size) == ({0, 3}, 10 * 12)
    assert region.change == 10 * 12 + 20
    assert 15 <= region.center[0] < 25
    assert 10 <= region.center[1] < 22


@pytest.mark.parametrize("across", [0, 1, 2])
def test_center_is_in_the_plane_that_holds_most_of_the_region(across):
    field = np.zeros((24, 24, 24))
    field[4:9, 4:9, 4:9] = 1
    wide = np.moveaxis(field, across, 0)
    wide[7, 4:20, 4:9] = 1
    center = next_uncertain_region(field, across=across).center
    assert center[across] == 7
    assert field[center] == 1
    in_plane = [place for axis, place in enumerate(center) if axis != across]
    assert in_plane == [11, 6]


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ({"labels": np.ones((8, 8), int)}, "second"),
        ({"labels": np.ones((8, 8)), "second": np.ones((8, 8), int)}, "labels"),
        ({"across": 2}, "across"),
    ],
)
def test_wrong_answers_are_named(arguments, word):
    with pytest.raises(InputError, match=f"`{word}`"):
        next_uncertain_region(np.ones((8, 8)), **arguments)
