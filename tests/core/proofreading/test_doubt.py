"""Objects that are unlike the others come first."""

import numpy as np
import pytest
from scipy import stats

from napari_seedbed.core import measure_objects
from napari_seedbed.core.proofreading.doubt import shape_outliers
from napari_seedbed.errors import InputError


def test_two_under_one_label_a_fragment_and_a_giant_stand_out(rng):
    labels = np.zeros((20, 200, 200), np.int32)
    grid = np.indices((18, 18, 18)) - 8.5
    number = 0
    for row in range(10):
        for column in range(10):
            number += 1
            radius = 6 + 0.6 * rng.random()
            ball = (grid**2).sum(0) <= radius**2
            part = labels[1:19, 20 * row : 20 * row + 18, 20 * column : 20 * column + 18]
            part[ball] = number
    labels[labels == 12] = 11  # neighbours that do not touch: far from convex
    labels[10:, :, :][labels[10:] == 55] = 0
    labels[labels == 70] = 0
    labels[1:19, 120:138, 180:200] = 70
    table = measure_objects(labels)
    scores, reasons = shape_outliers(table)
    worst = table["label"][np.argsort(-scores)[:3]]
    assert set(worst) == {11, 55, 70}
    named = dict(zip(table["label"].tolist(), reasons, strict=True))
    assert named[11] in ("not convex", "elongated")
    assert named[55] in ("small", "elongated")
    assert named[70] == "large"
    assert (scores >= 0).all()
    assert np.median(scores) < 2


def test_scores_of_sizes_are_robust_z_scores_of_logarithms(rng):
    sizes = rng.lognormal(5, 0.4, 200)
    scores, reasons = shape_outliers({"area": sizes})
    logs = np.log(sizes)
    spread = stats.median_abs_deviation(logs, scale="normal")
    # SciPy's factor has more digits.
    np.testing.assert_allclose(scores, np.abs(logs - np.median(logs)) / spread, rtol=1e-4)
    small = np.array([reason == "small" for reason in reasons])
    assert (sizes[small] < np.median(sizes)).all()
    assert small.any()
    assert all(score >= 2 for score in scores[small])


def test_alike_objects_raise_no_doubt_and_a_table_must_say_something():
    scores, reasons = shape_outliers({"volume": [5.0] * 4, "solidity": [0.9, np.nan, 0.9, 0.9]})
    assert scores.tolist() == [0, 0, 0, 0]
    assert set(reasons) == {""}
    with pytest.raises(InputError, match="one of volume, area, solidity, elongation"):
        shape_outliers({"label": [1]})
