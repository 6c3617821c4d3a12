"""Lessons: what was learnt on one image makes fewer strokes enough on the next."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage as ndi

from napari_seedbed.core import Lesson, SeededSegmenter, seeded_segmentation
from napari_seedbed.core.seeded.lessons import MOST_OF_A_KIND
from napari_seedbed.errors import InputError

BACKGROUND = 9


def dishes(seed):
    """Bright discs, each with a wide grey halo, on a dark ground; and the discs."""
    rng = np.random.default_rng(seed)
    yy, xx = np.mgrid[:96, :128]
    truth = np.zeros(yy.shape, np.int32)
    grey = np.zeros(yy.shape)
    for number, (y, x) in enumerate(((24, 22), (70, 26), (28, 92), (68, 104), (46, 58)), start=1):
        distance = np.hypot(yy - y - rng.integers(-4, 5), xx - x - rng.integers(-4, 5))
        truth[distance <= 9] = number
        grey[distance <= 17] = 0.6
    image = np.where(truth > 0, 1.0, grey)
    return ndi.gaussian_filter(image, 1) + rng.normal(0, 0.1, truth.shape), truth


def dots(truth):
    """A dot in each object."""
    seeds = np.zeros_like(truth)
    for number, (y, x) in enumerate(ndi.center_of_mass(truth > 0, truth, range(1, 6)), start=1):
        seeds[round(y) - 1 : round(y) + 2, round(x) - 1 : round(x) + 2] = number
    return seeds


def with_lines(truth):
    """Dots, and lines of background through some of the halos."""
    seeds = dots(truth)
    seeds[10:12, 3:125][truth[10:12, 3:125] == 0] = BACKGROUND
    seeds[82:84, 3:125][truth[82:84, 3:125] == 0] = BACKGROUND
    return seeds


def with_a_mark(truth):
    """Dots, and a short mark of background on the dark ground."""
    seeds = dots(truth)
    seeds[1:4, 60:63] = BACKGROUND
    return seeds


def solved(image, seeds, lesson=None):
    segmenter = SeededSegmenter(image, background=BACKGROUND, lesson=lesson)
    segmenter.solve(seeds)
    return segmenter


def worst(found, truth):
    return min(
        2
        * np.count_nonzero((found == n) & (truth == n))
        / ((found == n).sum() + (truth == n).sum())
        for n in range(1, truth.max() + 1)
    )


@pytest.fixture(scope="module")
def lesson():
    image, truth = dishes(1)
    return solved(image, with_lines(truth)).lesson


def test_a_short_mark_of_background_is_enough_with_a_lesson_and_not_without(lesson):
    image, truth = dishes(2)
    seeds = with_a_mark(truth)
    assert worst(seeded_segmentation(image, seeds, background=BACKGROUND), truth) < 0.7
    image = 300 + 200 * image  # brightness and contrast are another image's own
    found = seeded_segmentation(image, seeds, background=BACKGROUND, lesson=lesson)
    assert worst(found, truth) > 0.9


def test_it_holds_voxels_of_objects_and_background_evenly_chosen():
    image, truth = dishes(1)
    found = solved(image, np.where(truth == 0, BACKGROUND, dots(truth))).lesson
    assert (found.ndim, found.n_channels, found.n_objects) == (2, 1, 5)
    assert np.count_nonzero(found.is_background) == MOST_OF_A_KIND
    assert np.count_nonzero(~found.is_background) == 5 * 9
    assert found.n_patches[0] == 5
    assert found.n_patches[1] > 20


def test_the_result_depends_on_image_seeds_and_lesson_alone(lesson):
    image, truth = dishes(2)
    seeds = with_a_mark(truth)
    segmenter = SeededSegmenter(image, background=BACKGROUND)
    one_less = np.where(seeds == 3, 0, seeds)
    segmenter.solve(one_less)
    segmenter.solve(one_less, lesson=lesson)
    found = segmenter.solve(seeds, lesson=lesson)
    fresh = solved(image, seeds, lesson)
    np.testing.assert_array_equal(found, fresh.labels)
    np.testing.assert_array_equal(segmenter.lesson.values, fresh.lesson.values)
    np.testing.assert_array_equal(segmenter.solve(seeds), solved(image, seeds).labels)


def test_lessons_of_several_images_count_together(lesson):
    image, truth = dishes(3)
    other = solved(image, with_lines(truth)).lesson
    both = lesson.joined(other)
    assert both.n_objects == 10
    assert both.n_patches == tuple(np.add(lesson.n_patches, other.n_patches))
    assert np.count_nonzero(both.is_background) == min(
        MOST_OF_A_KIND, lesson.is_background.sum() + other.is_background.sum()
    )
    image, truth = dishes(2)
    assert worst(solved(image, with_a_mark(truth), both).labels, truth) > 0.9


def test_a_volume_of_one_plane_is_a_picture(lesson):
    image, truth = dishes(1)
    plane = solved(image[np.newaxis], with_lines(truth)[np.newaxis]).lesson
    np.testing.assert_array_equal(plane.values, lesson.values)
    assert plane.fits((40, 50), 1)
    assert plane.fits((1, 40, 50), 1)
    assert not plane.fits((2, 40, 50), 1)


def test_it_gives_no_lesson_where_objects_are_not_told_from_background():
    image, truth = dishes(1)
    segmenter = SeededSegmenter(image)
    with pytest.raises(InputError, match="solve"):
        _ = segmenter.lesson
    segmenter.solve(with_lines(truth))
    assert segmenter.lesson is None


def test_it_counts_for_nothing_where_every_label_is_an_object(lesson):
    image, truth = dishes(2)
    seeds = with_lines(truth)
    np.testing.assert_array_equal(
        seeded_segmentation(image, seeds, lesson=lesson), seeded_segmentation(image, seeds)
    )


@pytest.mark.parametrize(
    ("data", "axis", "words"),
    [
        (np.zeros((8, 9, 2)), -1, "2D image with 2 channels"),
        (np.zeros((8, 9, 10)), None, "3D image with 1 channel"),
    ],
)
def test_images_of_another_kind_are_named(lesson, data, axis, words):
    with pytest.raises(InputError, match=f"2D image with 1 channel, this is a {words}"):
        SeededSegmenter(data, channel_axis=axis, lesson=lesson)
    segmenter = SeededSegmenter(data, channel_axis=axis)
    seeds = np.zeros(segmenter.shape, int)
    seeds[0, 0], seeds[-1, -1] = 1, 2
    with pytest.raises(InputError, match=words):
        segmenter.solve(seeds, lesson=lesson)


def test_a_lesson_must_hold_both_kinds(lesson):
    with pytest.raises(InputError, match="objects and of background"):
        replace(lesson, is_background=np.zeros_like(lesson.is_background))
    with pytest.raises(InputError, match="16 rows"):
        Lesson(2, lesson.values[1:], lesson.is_background, 5, lesson.n_patches)
