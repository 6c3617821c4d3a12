"""Objects that were split, merged, missed and added are found and placed."""

import numpy as np
import pytest

from napari_seedbed.core import running, split_and_merge_errors
from napari_seedbed.core.scores.label_overlaps import count_overlaps
from napari_seedbed.core.scores.object_errors import best_overlaps
from napari_seedbed.errors import Cancelled


@pytest.fixture
def scene():
    """One object of each kind of error, and one that is right."""
    truth, labels = np.zeros((2, 20, 30), np.uint16)
    truth[2:5, 2:5] = 1
    labels[2:5, 2:5] = 9
    truth[2:6, 10:20] = 2
    labels[2:6, 10:16], labels[2:6, 16:20] = 4, 3
    truth[10:12, 0:4], truth[10:12, 5:11] = 3, 4
    labels[10:12, 0:11] = 5
    truth[15:17, 20:25] = 6
    labels[18, 3:6] = 1
    return truth, labels


def kinds(errors):
    return [(error.kind, error.label, error.others) for error in errors]


def test_each_kind_of_error_is_listed_once(scene):
    assert kinds(split_and_merge_errors(*scene)) == [
        ("split", 2, (4, 3)),
        ("merged", 5, (4, 3)),
        ("missed", 6, ()),
        ("added", 1, ()),
    ]


def test_places_are_the_middles_of_the_objects(scene):
    places = [error.place for error in split_and_merge_errors(*scene)]
    assert places == [(3.5, 14.5), (10.5, 5.0), (15.5, 22.0), (18.0, 4.0)]


def test_sizes_are_in_voxels_and_in_physical_units(scene):
    errors = split_and_merge_errors(*scene, spacing=(2.0, 0.5))
    assert [error.voxels for error in errors] == [40, 22, 10, 3]
    assert [error.size for error in errors] == pytest.approx([40, 22, 10, 3])
    errors = split_and_merge_errors(*scene, spacing=3)
    assert [error.size for error in errors] == pytest.approx([360, 198, 90, 27])


def test_swapping_truth_and_result_swaps_the_kinds(scene):
    swapped = {"split": "merged", "merged": "split", "missed": "added", "added": "missed"}
    there = {(swapped[error.kind], error.label) for error in split_and_merge_errors(*scene)}
    back = {(error.kind, error.label) for error in split_and_merge_errors(*scene[::-1])}
    assert there == back


def test_a_volume_is_the_same_as_its_slice(scene):
    truth, labels = (np.stack([image, image]) for image in scene)
    flat = split_and_merge_errors(*scene)
    solid = split_and_merge_errors(truth, labels)
    assert kinds(solid) == kinds(flat)
    assert [error.place for error in solid] == [(0.5, *error.place) for error in flat]


def test_a_perfect_result_has_no_errors(scene):
    assert split_and_merge_errors(scene[0], scene[0]) == []


def test_a_result_on_voxels_that_the_truth_leaves_out_is_no_error():
    truth, labels = np.zeros((2, 5, 10), int)
    truth[:, 5:], labels[2, 7] = -1, 1
    assert split_and_merge_errors(truth, labels) == []


def test_large_objects_come_first():
    truth = np.array([[1, 0, 2, 2, 2, 0, 3, 3]])
    errors = split_and_merge_errors(truth, np.zeros_like(truth))
    assert [error.label for error in errors] == [2, 3, 1]


def test_a_bad_outline_is_none_of_these_errors():
    truth, labels = np.zeros((2, 3, 12), int)
    truth[1], labels[1, :4] = 1, 1
    assert split_and_merge_errors(truth, labels) == []


def test_best_overlaps_put_the_worst_object_first(scene):
    found = best_overlaps(count_overlaps(*scene))
    assert [(o.label, o.result_label) for o in found] == [(6, 0), (3, 5), (4, 5), (2, 4), (1, 9)]
    assert [o.iou for o in found] == pytest.approx([0, 8 / 22, 12 / 22, 24 / 40, 1])
    assert found[0].place == (15.5, 22.0)


def test_it_stops_when_asked(scene):
    with running(should_stop=lambda: True), pytest.raises(Cancelled):
        split_and_merge_errors(*scene)
