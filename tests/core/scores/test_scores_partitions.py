"""Adapted Rand error and variation of information equal scikit-image's."""

import numpy as np
import pytest
from skimage.metrics import adapted_rand_error, variation_of_information

from napari_seedbed.core import segmentation_scores
from napari_seedbed.errors import InputError

RAND = ["adapted_rand_error", "adapted_rand_precision", "adapted_rand_recall"]
INFORMATION = ["variation_of_information_split", "variation_of_information_merge"]


@pytest.fixture(params=[(30, 40), (6, 20, 15)], ids=["2D", "3D"])
def pair(request, rng):
    truth = np.kron(rng.integers(0, 6, [n // 3 for n in request.param]), np.ones((3, 5), int))
    labels = np.where(rng.random(truth.shape) < 0.2, rng.integers(0, 9, truth.shape), truth)
    return truth, labels


@pytest.mark.parametrize("ignored", [(0,), (), (1, 3)])
def test_adapted_rand_error_is_scikit_images(pair, ignored):
    scores = segmentation_scores(*pair, ignore_labels=ignored)
    expected = adapted_rand_error(*pair, ignore_labels=ignored)
    assert [scores[key] for key in RAND] == pytest.approx(expected)


def test_variation_of_information_is_scikit_images(pair):
    scores = segmentation_scores(*pair)
    expected = variation_of_information(*pair)
    assert [scores[key] for key in INFORMATION] == pytest.approx(expected)
    assert scores["variation_of_information"] == pytest.approx(expected.sum())


def test_one_half_cut_off_costs_a_bit_of_splitting():
    scores = segmentation_scores(np.ones((4, 4), int), np.kron([[1, 2]], np.ones((4, 2), int)))
    assert [scores[key] for key in INFORMATION] == pytest.approx([1, 0])


def test_two_halves_joined_cost_a_bit_of_merging():
    scores = segmentation_scores(np.kron([[1, 2]], np.ones((4, 2), int)), np.ones((4, 4), int))
    assert [scores[key] for key in INFORMATION] == pytest.approx([0, 1])


def test_a_truth_without_pairs_gives_numbers():
    truth = np.arange(1, 13).reshape(3, 4)
    scores = segmentation_scores(truth, np.ones((3, 4), int))
    assert [scores[key] for key in RAND] == [1, 0, 0]
    assert [segmentation_scores(truth, truth)[key] for key in RAND] == [0, 1, 1]


def test_ignored_labels_that_are_no_labels_are_refused():
    with pytest.raises(InputError, match="ignore_labels must be whole numbers"):
        segmentation_scores(np.eye(3, dtype=int), np.eye(3, dtype=int), ignore_labels=["a"])
