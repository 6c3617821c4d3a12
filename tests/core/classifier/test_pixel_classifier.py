"""The classifier: what it learns, that it is the same on any number of threads, how it stops."""

import subprocess
import sys
import time

import numpy as np
import pytest
from sklearn.ensemble import ExtraTreesClassifier

from bounds import bound
from napari_seedbed.core import (
    PixelClassifier,
    pixel_classification,
    region_features,
    running,
    training_samples,
)
from napari_seedbed.core.classifier.samples import MOST_OF_A_CLASS
from napari_seedbed.errors import Cancelled, InputError


def textures(shape=(96, 128), seed=0):
    """Stripes on the left and noise of the same mean on the right: texture alone tells them."""
    rng = np.random.default_rng(seed)
    y, x = np.indices(shape[-2:])
    image = np.where(x < shape[-1] // 2, np.sin(y * 1.3), rng.normal(0, 0.7, shape[-2:]))
    truth = np.where(x < shape[-1] // 2, 1, 2)
    image, truth = (np.broadcast_to(one, shape) for one in (image, truth))
    return image + rng.normal(0, 0.1, shape), truth


# Nearer to the border the features of both sides mix, to the width of their largest window.
APART = np.abs(np.arange(128) - 63.5) > 10


def marks_on(truth, step=9):
    marks = np.zeros(truth.shape, np.int32)
    where = (*(slice(None, None, step),) * (truth.ndim - 1), slice(10, -10))
    marks[where] = truth[where]
    marks[..., 54:74] = 0
    return marks


@pytest.mark.parametrize("shape", [(96, 128), (12, 48, 128)], ids=["2D", "3D"])
def test_textures_of_the_same_brightness_are_told_apart(shape):
    image, truth = textures(shape)
    found = pixel_classification(image, marks_on(truth))
    # What is missed are stripes, in rows near the edge of the image; noise is found all over.
    assert np.mean((found == truth)[..., APART]) > 0.97
    assert np.mean((found == truth)[..., 74:]) > 0.99


def test_second_channel_counts(rng):
    truth = np.where(np.arange(64) < 32, 5, 9) * np.ones((64, 1), int)
    image = np.stack([rng.random((64, 64)), truth + rng.normal(0, 0.5, (64, 64))])
    found = pixel_classification(image, marks_on(truth)[:, :64], channel_axis=0)
    assert np.mean(found == truth) > 0.98
    swapped = pixel_classification(
        np.moveaxis(image, 0, -1), marks_on(truth)[:, :64], channel_axis=-1
    )
    np.testing.assert_array_equal(swapped, found)


def test_votes_are_those_of_scikit_learn():
    image, truth = textures()
    samples = training_samples(image, marks_on(truth))
    classifier = PixelClassifier(samples, n_trees=20)
    values = region_features(image[None], samples.features)
    forest = ExtraTreesClassifier(
        20, min_samples_leaf=5, max_features=0.5, bootstrap=True, random_state=0
    )
    forest.fit(samples.values, samples.labels)
    expected = forest.predict_proba(values.reshape(len(values), -1).T)
    votes = classifier.vote(values)
    np.testing.assert_allclose(votes.reshape(2, -1).T, expected, atol=1e-6)
    np.testing.assert_array_equal(classifier.importances, forest.feature_importances_)


def test_out_of_bag_error_is_none_where_classes_are_clear_and_half_where_marks_mean_nothing(rng):
    image, truth = textures()
    clear = PixelClassifier(training_samples(image, marks_on(truth)))
    assert clear.oob_error < 0.05
    thrown = np.where(marks_on(truth) > 0, rng.integers(1, 3, truth.shape), 0)
    assert 0.4 < PixelClassifier(training_samples(image, thrown)).oob_error < 0.6


def test_brightness_and_bit_depth_do_not_matter_unless_asked_for():
    image, truth = textures()
    samples = training_samples(image, marks_on(truth))
    other = np.rint(3000 + 1000 * textures(seed=1)[0]).astype(np.uint16)

    def classified(kind):
        learnt = training_samples(image, marks_on(truth), intensities=kind)
        out = np.empty(truth.shape, np.int32)

        def take(place, probabilities):
            out[place] = 1 + probabilities.argmax(axis=0)

        PixelClassifier(learnt).classify(other, take)
        return np.mean((out == truth)[..., APART])

    assert samples.intensities == "contrast"
    assert classified("contrast") > 0.97
    # so much brighter than what was learnt that all of it goes to one class
    assert classified("absolute") == 0.5


def test_several_images_are_learnt_from_together():
    image, truth = textures()
    left, right = marks_on(truth), marks_on(truth)
    left[truth == 2] = 0
    right[truth == 1] = 0
    first, second = training_samples(image, left), training_samples(textures(seed=1)[0], right)
    joined = first.joined(second)
    assert joined.label_values == (1, 2)
    assert len(joined.labels) == len(first.labels) + len(second.labels)
    PixelClassifier(joined)
    with pytest.raises(InputError, match=r"2D, 1 channel.*2D, 1 channel"):
        first.joined(training_samples(image, right, n_scales=2))


def test_samples_of_a_class_are_bounded_and_marks_kept_before_are_not_computed_again():
    image, truth = textures((80, 128))
    cache = {}
    samples = training_samples(image, truth, cache=cache)
    assert np.bincount(samples.labels).max() == MOST_OF_A_CLASS
    kept = {key: value.copy() for key, value in cache.items()}
    for value in cache.values():
        value[:] = 1
    again = training_samples(image, truth, cache=cache)
    assert (again.values == 1).all()
    cache.update(kept)
    marks = marks_on(truth)
    fresh = training_samples(image, marks)
    np.testing.assert_array_equal(training_samples(image, marks, cache=cache).values, fresh.values)


SCRIPT = """
import sys, zlib
sys.path[:0] = {folders!r}
from test_pixel_classifier import marks_on, textures
from napari_seedbed.core import pixel_classification
image, truth = textures((6, 48, 128))
print(zlib.crc32(pixel_classification(image, marks_on(truth), return_full_prob=True).tobytes()))
"""


@pytest.mark.slow
def test_number_of_threads_changes_no_bit(tmp_path):
    from pathlib import Path

    here = Path(__file__).parent
    script = SCRIPT.format(folders=[str(here), str(here.parents[1])])
    found = set()
    for threads in ("1", "2", "3"):
        import os

        environment = {**os.environ, "NUMBA_NUM_THREADS": threads}
        done = subprocess.run(
            [sys.executable, "-c", script], env=environment, capture_output=True, check=True
        )
        found.add(done.stdout)
    assert len(found) == 1


@pytest.mark.timing
def test_stopping_takes_a_moment():
    image, truth = textures((40, 200, 200))
    marks = marks_on(truth)
    pixel_classification(image[:2], marks[:2])
    start = time.monotonic()
    stopped = []

    def should_stop():
        now = time.monotonic()
        if now - start > 1.0 and not stopped:
            stopped.append(now)
        return bool(stopped)

    with running(should_stop=should_stop), pytest.raises(Cancelled):
        pixel_classification(image, marks)
    assert time.monotonic() - stopped[0] < bound(2.0)


@pytest.mark.parametrize(
    ("marks", "message"),
    [
        (np.zeros((20, 20), int), "mark 0 class"),
        (np.eye(20, dtype=int), "mark 1 class"),
        (np.eye(20) * 0.5, "whole numbers"),
        (np.ones((4, 4), int), r"shape \(4, 4\)"),
    ],
)
def test_marks_that_do_not_do_are_refused(marks, message):
    with pytest.raises(InputError, match=f"^labels.*{message}"):
        pixel_classification(np.arange(400.0).reshape(20, 20), marks)
