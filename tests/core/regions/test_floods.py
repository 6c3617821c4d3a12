import numpy as np
import pytest
from skimage import data, segmentation

from napari_seedbed.core.regions.floods import flood_fill
from napari_seedbed.errors import InputError


def seeds_at(shape, *places):
    seeds = np.zeros(shape, np.int32)
    for label, place in enumerate(places, start=1):
        seeds[place] = label
    return seeds


@pytest.mark.parametrize(("connectivity", "theirs"), [("faces", 1), ("corners", None)])
@pytest.mark.parametrize("tolerance", [0, 10, 60])
def test_flood_of_a_picture_is_that_of_scikit_image(connectivity, theirs, tolerance):
    image = data.camera()[::2, ::2].astype(int)
    place = (20, 120)
    expected = segmentation.flood(image, place, tolerance=tolerance, connectivity=theirs)
    found = flood_fill(image, seeds_at(image.shape, place), tolerance, connectivity=connectivity)
    assert np.array_equal(found, expected.astype(int))


def test_flood_of_a_volume_is_that_of_scikit_image():
    image = np.random.default_rng(0).random((12, 20, 24))
    expected = segmentation.flood(image, (5, 6, 7), tolerance=0.12)
    assert 10 < expected.sum() < image.size
    assert np.array_equal(flood_fill(image, seeds_at(image.shape, (5, 6, 7)), 0.12), expected)


def test_all_values_of_a_seed_count():
    image = np.array([[1, 2, 3, 4, 5, 6, 7]])
    seeds = np.array([[0, 0, 1, 1, 0, 0, 0]])
    assert flood_fill(image, seeds, 1).tolist() == [[0, 1, 1, 1, 1, 0, 0]]


def test_two_labels_meet_half_way():
    image = np.zeros((1, 9))
    seeds = np.array([[5, 0, 0, 0, 0, 0, 0, 0, 9]])
    found = flood_fill(image, seeds)[0].tolist()
    assert found[:4] == [5] * 4
    assert found[5:] == [9] * 4


def test_negative_labels_block():
    seeds = np.array([[1, 0, -1, 0]])
    assert flood_fill(np.zeros((1, 4)), seeds).tolist() == [[1, 1, 0, 0]]


def test_every_channel_must_be_alike():
    image = np.zeros((2, 1, 6))
    image[0, 0, 2:] = 5
    image[1, 0, 4:] = 5
    seeds = seeds_at((1, 6), (0, 3))
    assert flood_fill(image, seeds, 1, channel_axis=0).tolist() == [[0, 0, 1, 1, 0, 0]]


def test_no_seeds_are_refused():
    with pytest.raises(InputError, match="seeds: there are none"):
        flood_fill(np.zeros((4, 4)), np.zeros((4, 4), int))
