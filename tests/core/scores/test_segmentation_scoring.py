"""All scores together: what they say of perfect, empty and wrong input, and what they ignore."""

import math
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from napari_seedbed.core import running, segmentation_scores
from napari_seedbed.errors import Cancelled, InputError

PERFECT_AT_ONE = [
    "dice",
    "iou",
    "pixel_precision",
    "pixel_recall",
    "mean_average_precision",
    "mean_matched_iou",
    "mean_matched_dice",
    "panoptic_quality",
    "segmentation_quality",
    "recognition_quality",
    "adapted_rand_precision",
    "adapted_rand_recall",
]
LISTS = ["object_precision", "object_recall", "object_f1", "average_precision"]
PERFECT_AT_ZERO = [
    "adapted_rand_error",
    "variation_of_information",
    "variation_of_information_split",
    "variation_of_information_merge",
    "hausdorff_distance",
    "hausdorff_distance_95",
    "mean_surface_distance",
]
# These say the same whichever of the two is the truth.
SYMMETRIC = [
    "dice",
    "iou",
    "object_f1",
    "average_precision",
    "panoptic_quality",
    "variation_of_information",
    "hausdorff_distance",
    "hausdorff_distance_95",
    "mean_surface_distance",
]
LABELS = arrays(
    np.uint8,
    array_shapes(min_dims=2, max_dims=3, min_side=1, max_side=6),
    elements=st.integers(0, 4),
)


def check_perfect(scores):
    assert {key: scores[key] for key in PERFECT_AT_ONE} == dict.fromkeys(PERFECT_AT_ONE, 1.0)
    assert {key: set(scores[key]) for key in LISTS} == {key: {1.0} for key in LISTS}
    assert {key: scores[key] for key in PERFECT_AT_ZERO} == dict.fromkeys(PERFECT_AT_ZERO, 0.0)


@pytest.fixture
def scene(rng):
    """Blocks of labels, and the same with a fifth of the voxels changed."""
    truth = np.kron(rng.integers(0, 6, (2, 7, 9)), np.ones((2, 3, 3), int))
    return truth, np.where(rng.random(truth.shape) < 0.2, rng.integers(0, 6, truth.shape), truth)


@given(LABELS)
def test_the_truth_itself_is_perfect(labels):
    check_perfect(segmentation_scores(labels, labels))


@given(LABELS, st.permutations([1, 2, 3, 4]))
def test_which_number_an_object_has_does_not_matter(labels, order):
    other = np.array([0, *order])[labels] * 1000
    check_perfect(segmentation_scores(labels, other))


def test_relabelling_both_changes_nothing(scene):
    truth, labels = scene
    names = np.array([0, 50, 3, 70_000, 8, 1])
    other = segmentation_scores(names[truth], np.where(labels, labels + 11, 0))
    expected = segmentation_scores(truth, labels)
    for key, value in expected.items():
        assert other[key] == pytest.approx(value), key


@pytest.mark.parametrize("key", SYMMETRIC)
def test_score_is_symmetric(scene, key):
    truth, labels = scene
    there, back = segmentation_scores(truth, labels), segmentation_scores(labels, truth)
    assert there[key] == pytest.approx(back[key])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("pixel_precision", "pixel_recall"),
        ("object_precision", "object_recall"),
        ("objects_added", "objects_missed"),
        ("variation_of_information_split", "variation_of_information_merge"),
    ],
)
def test_swapping_truth_and_result_swaps_the_two_scores(scene, one, other):
    there, back = segmentation_scores(*scene), segmentation_scores(*scene[::-1])
    assert there[one] == pytest.approx(back[other])


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.int64, np.float16, np.float64, ">u2", ">f4"])
def test_type_of_the_labels_does_not_matter(scene, dtype):
    truth, labels = (np.minimum(image, 1) for image in scene)
    expected = segmentation_scores(truth, labels)
    assert segmentation_scores(truth.astype(dtype), labels.astype(dtype)) == expected


def test_layout_in_memory_does_not_matter(scene):
    truth, labels = scene
    expected = segmentation_scores(truth, labels)
    wide = np.repeat(truth, 2, axis=2)[:, :, ::2]
    fortran = np.asfortranarray(labels)
    fortran.flags.writeable = False
    assert segmentation_scores(wide, fortran) == expected


def test_input_is_left_as_it_is(scene):
    copies = [image.copy() for image in scene]
    segmentation_scores(*scene)
    assert all(np.array_equal(a, b) for a, b in zip(scene, copies, strict=True))


def test_both_empty_is_perfect():
    check_perfect(segmentation_scores(np.zeros((4, 5)), np.zeros((4, 5), bool)))


@pytest.mark.parametrize("swapped", [False, True])
def test_objects_in_only_one_of_the_two_score_nothing(swapped):
    pair = [np.eye(5, dtype=int), np.zeros((5, 5), int)]
    scores = segmentation_scores(*(pair[::-1] if swapped else pair))
    for key in PERFECT_AT_ONE[:-2]:
        assert scores[key] == 0, key
    for key in LISTS:
        assert set(scores[key]) == {0}, key
    assert scores["hausdorff_distance"] == math.inf
    assert scores["mean_surface_distance"] == math.inf
    assert all(math.isfinite(scores[key]) for key in PERFECT_AT_ZERO[:4])


def test_objects_where_the_truth_has_none_are_a_rand_error_of_one():
    scores = segmentation_scores(np.zeros((5, 5), int), np.eye(5, dtype=int))
    assert scores["adapted_rand_error"] == 1


def test_voxels_that_the_truth_leaves_out_count_nowhere(scene):
    truth, labels = scene
    truth = truth.copy()
    truth[:, :, 20:] = -7
    expected = segmentation_scores(truth[:, :, :20], labels[:, :, :20])
    expected = {key: value for key, value in expected.items() if "distance" not in key}
    found = segmentation_scores(truth, labels)
    for key, value in expected.items():
        assert found[key] == pytest.approx(value), key


def test_a_truth_that_leaves_everything_out_finds_no_fault():
    check_perfect(segmentation_scores(np.full((3, 3), -1), np.eye(3, dtype=int)))


def test_negative_labels_of_the_result_are_no_object(scene):
    truth, labels = scene
    expected = segmentation_scores(truth, labels)
    assert segmentation_scores(truth, np.where(labels, labels, -1)) == expected


def test_thresholds_are_from_half_to_95_hundredths():
    scores = segmentation_scores(np.eye(3), np.eye(3))
    assert scores["thresholds"] == pytest.approx(np.linspace(0.5, 0.95, 10))


@pytest.mark.parametrize(
    ("truth", "labels", "more", "message"),
    [
        (np.zeros((3, 4)), np.zeros((4, 3)), {}, r"shape \(4, 3\).*truth, \(3, 4\)"),
        (np.zeros(4), np.zeros(4), {}, "truth has 1 axes"),
        (np.zeros((1, 1, 1, 1)), np.zeros((1, 1, 1, 1)), {}, "truth has 4 axes"),
        (np.zeros((0, 4)), np.zeros((0, 4)), {}, "truth is empty"),
        (np.eye(3), np.eye(3) / 3, {}, "labels holds 0.3333"),
        (np.eye(3) * np.nan, np.eye(3), {}, "truth holds nan"),
        (np.eye(3), np.full((3, 3), np.inf), {}, "labels holds inf"),
        (np.eye(3, dtype=complex), np.eye(3), {}, "truth has the type complex128"),
        (np.eye(3), np.eye(3).astype(str), {}, "labels has the type <U"),
        (np.eye(3), np.full((3, 3), 2**64 - 1, np.uint64), {}, "labels must be below"),
        (np.eye(3), np.ma.masked_equal(np.eye(3), 0), {}, "labels is a masked array"),
        (np.eye(3), np.eye(3), {"spacing": (1, 0)}, "spacing must be positive"),
        (np.eye(3), np.eye(3), {"spacing": (1, 1, 1)}, "spacing has 3 values"),
        (np.eye(3), np.eye(3), {"thresholds": ()}, "thresholds must be one or more"),
        (np.eye(3), np.eye(3), {"thresholds": (0.5, 1.1)}, "thresholds must be"),
        (np.eye(3), np.eye(3), {"thresholds": (0,)}, "thresholds must be"),
        (np.eye(3), np.eye(3), {"thresholds": "half"}, "thresholds must be"),
    ],
)
def test_wrong_input_is_refused(truth, labels, more, message):
    with pytest.raises(InputError, match=message):
        segmentation_scores(truth, labels, **more)


@pytest.mark.parametrize("after", [0, 3, 10])
def test_it_stops_when_asked(scene, after):
    asked = iter(range(10**6))
    with running(should_stop=lambda: next(asked) >= after), pytest.raises(Cancelled):
        segmentation_scores(*scene)


def test_it_asks_many_times_on_a_large_volume():
    truth = np.zeros((128, 160, 160), np.uint16)
    truth[20:90, 30:90, 40:100] = 1
    segmentation_scores(truth[:4], truth[:4])
    asked = [time.perf_counter()]

    def stop():
        asked.append(time.perf_counter())
        return False

    with running(should_stop=stop):
        segmentation_scores(truth, np.roll(truth, 3, 1))
    print(f"largest time between two questions: {np.diff(asked).max():.3f} s")
    # What a computer does besides must not fail this: a count tells as much as a clock.
    assert len(asked) > 3 * truth.size / 2**18
