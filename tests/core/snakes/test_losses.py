"""When a followed object counts as lost."""

import numpy as np
import pytest

from napari_seedbed.core.snakes.losses import LEAST_CONTRAST, contrasts, why_lost


@pytest.fixture
def scene():
    """A square of 5 on a ground of 2, one of -1 next to it, and one in the corner."""
    image, labels = np.full((30, 40), 2.0), np.zeros((30, 40), np.int32)
    for value, level, place in ((1, 5, np.s_[8:16, 6:14]), (3, -1, np.s_[8:16, 15:22])):
        labels[place], image[place] = value, level
    labels[-3:, -3:], image[-3:, -3:] = 4, 2.5
    return image, labels


def test_contrast_is_the_difference_from_the_ground_around(scene):
    assert contrasts(*scene, [1, 3, 4]) == {1: (3.0,), 3: (-3.0,), 4: (0.5,)}


def test_other_objects_are_not_around(scene):
    image, labels = scene
    image[labels == 3] = 1000
    assert contrasts(image, labels, [1]) == {1: (3.0,)}


def test_only_a_ring_of_three_voxels_counts(scene):
    image, labels = scene
    image[20:] = 1000
    image[:, 23:] = 1000
    near = np.zeros(labels.shape, bool)
    near[5:19, 3:17] = True
    image[(labels == 0) & near] = 4
    # The corners of the ring are cut: a ring in steps from voxel to neighbouring voxel.
    assert contrasts(image, labels, [1])[1] == (1.0,)


def test_labels_that_do_not_occur_are_left_out(scene):
    assert contrasts(*scene, [2, 99]) == {}


def test_object_without_ground_around_has_no_contrast():
    assert contrasts(np.ones((4, 4)), np.ones((4, 4), np.int32), [1]) == {}


def test_contrast_in_three_dimensions():
    image = np.zeros((9, 9, 9))
    image[3:6, 3:6, 3:6] = 2
    assert contrasts(image, (image > 0).astype(np.int32), [1]) == {1: (2.0,)}


@pytest.mark.parametrize(
    ("size", "before", "words"),
    [
        (0, 50, "nothing of it is left"),
        (201, 100, "2.0 times larger"),
        (49, 100, "2.0 times smaller"),
        (200, 100, ""),
        (50, 100, ""),
        (70, 0, ""),
    ],
)
def test_sudden_change_of_size_is_a_loss(size, before, words):
    found = why_lost(size, before, (1.0,), (1.0,), 2.0)
    assert words in found
    assert bool(found) == bool(words)


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(
    ("share", "lost"),
    [(1, False), (LEAST_CONTRAST + 0.01, False), (LEAST_CONTRAST - 0.01, True), (-1, True)],
)
def test_object_must_keep_a_share_of_its_contrast_and_its_sign(sign, share, lost):
    found = why_lost(100, 100, (sign * share * 0.8,), (sign * 0.8,), 2.0)
    assert found == ("it no longer stands out from what is around it" if lost else "")


@pytest.mark.parametrize(
    ("now", "before"), [(None, (1.0,)), ((0.0,), None), ((-0.01,), (0.02,)), ((0.5,), (0.0,))]
)
def test_object_without_contrast_has_none_to_lose(now, before):
    assert why_lost(100, 100, now, before, 2.0) == ""


def test_each_channel_has_its_contrast(scene):
    image, labels = scene
    assert contrasts(np.stack([image, -2 * image]), labels, [1], 0) == {1: (3.0, -6.0)}


@pytest.mark.parametrize(
    ("now", "lost"), [((0.5, -0.5), False), ((0.0, 0.0), True), ((0.5, 0.5), True)]
)
def test_colour_counts_where_the_brightness_is_the_same(now, lost):
    assert bool(why_lost(100, 100, now, (0.6, -0.6), 2.0)) == lost
