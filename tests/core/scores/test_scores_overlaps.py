"""Overlaps are counted rightly, and scores of foreground and objects follow their formulas."""

from collections import Counter
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy import ndimage as ndi
from scipy.optimize import linear_sum_assignment

from napari_seedbed.core import segmentation_scores
from napari_seedbed.core.scores.label_overlaps import count_overlaps
from napari_seedbed.core.scores.overlap_scores import matching_scores

SHAPES = array_shapes(min_dims=2, max_dims=3, min_side=1, max_side=6)


@st.composite
def pairs(draw, values=4):
    """Two small label images of one shape."""
    shape = draw(SHAPES)
    labels = arrays(np.int16, shape, elements=st.integers(0, values))
    return draw(labels), draw(labels)


@given(pairs())
def test_overlaps_are_those_of_a_plain_count(pair):
    truth, labels = pair
    overlaps = count_overlaps(truth, labels)
    keys = zip(
        overlaps.truth_values[overlaps.truth_index].tolist(),
        overlaps.result_values[overlaps.result_index].tolist(),
        strict=True,
    )
    counted = Counter(zip(truth.ravel().tolist(), labels.ravel().tolist(), strict=True))
    assert dict(zip(keys, overlaps.voxels.tolist(), strict=True)) == counted


@given(pairs())
def test_places_are_centres_of_mass(pair):
    truth, labels = pair
    overlaps = count_overlaps(truth, labels)
    for places, values, image in (
        (overlaps.truth_places, overlaps.truth_values, truth),
        (overlaps.result_places, overlaps.result_values, labels),
    ):
        expected = ndi.center_of_mass(np.ones_like(image), image, values)
        assert np.allclose(places, expected)


@pytest.mark.parametrize("shape", [(3, 700, 300), (300, 700), (9, 40, 900)])
def test_images_of_many_slabs_are_counted_as_one(rng, shape):
    truth = rng.integers(0, 5, shape).astype(np.uint8)
    labels = np.sort(rng.integers(0, 5, shape), axis=-1)
    overlaps = count_overlaps(truth, labels)
    table = np.zeros((5, 5), int)
    np.add.at(table, (truth.ravel(), labels.ravel()), 1)
    assert np.array_equal(overlaps.voxels, table.ravel())
    expected = ndi.center_of_mass(np.ones(shape), truth, range(5))
    assert np.allclose(overlaps.truth_places, expected)


def test_more_pairs_than_are_merged_early_are_counted(rng):
    truth = rng.integers(0, 700, (800, 800))
    labels = rng.integers(0, 700, (800, 800))
    overlaps = count_overlaps(truth, labels)
    found, counts = np.unique(truth * 700 + labels, return_counts=True)
    keys = overlaps.truth_values[overlaps.truth_index] * 700
    assert np.array_equal(keys + overlaps.result_values[overlaps.result_index], found)
    assert np.array_equal(overlaps.voxels, counts)


def test_labels_beyond_32_bits_keep_apart():
    truth = np.array([[2**40, 2**40 + 2**32, 0]])
    overlaps = count_overlaps(truth, np.array([[2**50, 2**50, 1]], np.uint64))
    assert overlaps.truth_values.tolist() == [0, 2**40, 2**40 + 2**32]
    assert overlaps.result_values.tolist() == [1, 2**50]


def test_two_by_two_objects_have_the_scores_of_the_formulas():
    # Object 1: 8 voxels, of which the result's 6 are inside; object 2: 4 voxels, found as 8.
    truth = np.zeros((6, 8), int)
    labels = np.zeros((6, 8), int)
    truth[0, :8], labels[0, :6] = 1, 5
    truth[3, :4], labels[3, :8] = 2, 3
    scores = segmentation_scores(truth, labels, thresholds=(0.5, 0.6, 0.75, 0.8))
    assert scores["dice"] == pytest.approx(2 * 10 / (12 + 14))
    assert scores["iou"] == pytest.approx(10 / 16)
    assert scores["pixel_precision"] == pytest.approx(10 / 14)
    assert scores["pixel_recall"] == pytest.approx(10 / 12)
    assert scores["objects_found"] == [2, 1, 1, 0]
    assert scores["objects_added"] == scores["objects_missed"] == [0, 1, 1, 2]
    assert scores["object_precision"] == [1, 0.5, 0.5, 0]
    assert scores["object_recall"] == [1, 0.5, 0.5, 0]
    assert scores["object_f1"] == [1, 0.5, 0.5, 0]
    assert scores["average_precision"] == pytest.approx([1, 1 / 3, 1 / 3, 0])
    assert scores["mean_average_precision"] == pytest.approx((1 + 2 / 3) / 4)
    assert scores["mean_matched_iou"] == pytest.approx((0.75 + 0.5) / 2)
    assert scores["mean_matched_dice"] == pytest.approx((12 / 14 + 8 / 12) / 2)
    # An overlap of exactly half of the union is no match for the panoptic quality.
    assert scores["segmentation_quality"] == pytest.approx(0.75)
    assert scores["recognition_quality"] == pytest.approx(1 / 2)
    assert scores["panoptic_quality"] == pytest.approx(0.375)


def test_precision_and_recall_differ_where_numbers_of_objects_do():
    truth = np.array([[1, 1, 0, 2, 2, 0, 3, 3]])
    labels = np.array([[4, 4, 0, 0, 0, 0, 0, 0]])
    scores = segmentation_scores(truth, labels, thresholds=[0.5])
    assert scores["object_precision"] == [1]
    assert scores["object_recall"] == pytest.approx([1 / 3])
    assert scores["object_f1"] == pytest.approx([0.5])
    assert scores["average_precision"] == pytest.approx([1 / 3])


def most_matches(truth, labels, threshold):
    """Largest number of one-to-one matches, from full masks and SciPy's assignment."""
    good = np.zeros((4, 4), bool)
    for t, r in product(np.unique(truth[truth > 0]), np.unique(labels[labels > 0])):
        both, either = (truth == t) & (labels == r), (truth == t) | (labels == r)
        good[t, r] = both.sum() / either.sum() >= threshold
    return int(good[linear_sum_assignment(good, maximize=True)].sum())


@given(pairs(values=3), st.sampled_from([0.1, 0.25, 0.4, 0.5, 0.6, 0.9]))
def test_as_many_objects_as_possible_are_matched(pair, threshold):
    truth, labels = pair
    found = matching_scores(count_overlaps(truth, labels), [threshold])["objects_found"]
    assert found == [most_matches(truth, labels, threshold)]


def test_an_object_cut_in_half_is_matched_once():
    scores = segmentation_scores(np.array([[1, 1]]), np.array([[1, 2]]), thresholds=[0.5])
    assert (scores["objects_found"], scores["objects_added"]) == ([1], [1])


def test_the_threshold_itself_is_a_match():
    truth, labels = np.zeros((1, 20), int), np.zeros((1, 20), int)
    truth[0], labels[0, :11] = 1, 1
    assert segmentation_scores(truth, labels, thresholds=[0.55])["objects_found"] == [1]


def test_seventy_thousand_objects_are_counted_one_by_one():
    tile = np.zeros((4, 4), np.int32)
    tile[:3, :3] = 1
    labels = np.tile(tile, (265, 265))
    labels[labels > 0] = np.repeat(np.arange(1, 265 * 265 + 1), 9)
    found = labels.copy()
    found[found > 70_000] = 0
    scores = segmentation_scores(labels, found, thresholds=[0.3, 0.5, 0.95])
    assert scores["truth_objects"] == 265**2
    assert scores["objects_found"] == [70_000] * 3
    assert scores["objects_missed"] == [225] * 3
    assert scores["panoptic_quality"] == pytest.approx(70_000 / (70_000 + 225 / 2))
