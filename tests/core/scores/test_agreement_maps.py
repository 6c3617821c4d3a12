"""The map of agreement says for each voxel what a hand says."""

import numpy as np
import pytest

from napari_seedbed.core import agreement_map
from napari_seedbed.errors import InputError


@pytest.mark.parametrize("dtype", [np.int16, np.float32])
def test_hits_misses_and_additions_stand_where_they_are(dtype):
    truth = np.array([[0, 4, 4, 7, -1, -1]], dtype)
    labels = np.array([[3, 9, 0, 9, 3, 0]], dtype)
    assert agreement_map(truth, labels).tolist() == [[3, 1, 2, 1, 0, 0]]


def test_counts_give_the_dice_of_the_scores(rng):
    from napari_seedbed.core import segmentation_scores

    truth, labels = rng.integers(0, 2, (2, 12, 30, 30))
    found = np.bincount(agreement_map(truth, labels).ravel(), minlength=4)
    dice = 2 * found[1] / (2 * found[1] + found[2] + found[3])
    assert segmentation_scores(truth, labels)["dice"] == pytest.approx(dice)


def test_masks_are_compared_too():
    assert agreement_map(np.array([[True, False]]), np.array([[True, True]])).tolist() == [[1, 3]]


def test_probabilities_are_refused():
    with pytest.raises(InputError, match="whole numbers"):
        agreement_map(np.full((3, 3), 0.5), np.zeros((3, 3)))
