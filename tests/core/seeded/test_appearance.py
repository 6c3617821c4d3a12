"""What is learnt from strokes, and how far it is trusted."""

import numpy as np
import pytest

from napari_seedbed.core.seeded import appearance
from napari_seedbed.core.seeded.appearance import FULL_TRUST, learn_appearance


def strokes(n_each, apart, length=12):
    """Places of straight strokes, `n_each` for each of two classes, and their classes."""
    found, classes = [], []
    for c in (0, 1):
        for number in range(n_each):
            x = np.arange(length, dtype=float)
            row = np.full(length, 100.0 * c + apart * number)
            found.append(np.stack([np.zeros(length), row, x], axis=1))
            classes += [c] * length
    return np.concatenate(found), np.array(classes, np.int32)


def features_of(classes, rng, apart):
    values = rng.normal(size=(5, len(classes)))
    values[1] += apart * classes
    return values.astype(np.float32)


@pytest.mark.parametrize("n_strokes", [3, 12])
def test_what_tells_classes_apart_is_found_and_trusted_more_with_more_strokes(n_strokes):
    rng = np.random.default_rng(0)
    places, classes = strokes(n_strokes, 10.0)
    found = learn_appearance(features_of(classes, rng, 6.0), classes, places, 2)
    assert 0.3 * FULL_TRUST < found.trust < FULL_TRUST
    fresh = np.tile([0, 1], 500).astype(np.int32)
    told = found.probabilities(features_of(fresh, rng, 6.0))
    np.testing.assert_allclose(told.sum(axis=0), 1, atol=1e-5)
    assert (told.argmax(axis=0) == fresh).mean() > 0.97
    more = learn_appearance(
        *(lambda p, c: (features_of(c, rng, 6.0), c, p))(*strokes(n_strokes + 6, 10.0)), 2
    )
    assert more.trust > found.trust


def test_nothing_is_trusted_that_does_not_tell_strokes_left_out():
    rng = np.random.default_rng(1)
    places, classes = strokes(8, 10.0)
    # Each stroke looks different from all others, whatever its class.
    values = np.repeat(rng.normal(size=(5, 16)), 12, axis=1) + rng.normal(0, 0.05, (5, 192))
    found = learn_appearance(values.astype(np.float32), classes, places, 2)
    assert found is None or found.trust < 0.25 * FULL_TRUST


def test_one_small_stroke_a_class_vouches_for_nothing():
    rng = np.random.default_rng(2)
    places, classes = strokes(1, 10.0, length=5)
    assert learn_appearance(features_of(classes, rng, 9.0), classes, places, 2) is None


def test_the_forest_is_asked_only_where_the_regression_is_in_doubt(monkeypatch):
    rng = np.random.default_rng(3)
    places, classes = strokes(12, 10.0)
    found = learn_appearance(features_of(classes, rng, 6.0), classes, places, 2, n_pooled=20)
    asked = []
    vote = appearance.FlatForest.vote
    monkeypatch.setattr(
        appearance.FlatForest, "vote", lambda self, v: (asked.append(v.shape[1]), vote(self, v))[1]
    )
    fresh = np.tile([0, 1], 500).astype(np.int32)
    found.probabilities(features_of(fresh, rng, 6.0))
    assert sum(asked) < 500


def test_nothing_is_concluded_from_values_that_no_stroke_shows():
    rng = np.random.default_rng(4)
    places, classes = strokes(12, 10.0)
    values = features_of(classes, rng, 6.0)
    found = learn_appearance(values, classes, places, 2)
    beyond = values.max(axis=1, keepdims=True) + np.float32([[0, 3, 1000]])
    told = found.probabilities(beyond.astype(np.float32))
    np.testing.assert_array_equal(told, told[:, [0, 0, 0]])
