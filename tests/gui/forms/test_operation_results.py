"""What is known of shapes is where napari's table of features looks for it."""

import numpy as np
import pytest
from form_window import FormBench
from skimage.draw import circle_perimeter

RADII = {12: (20, 22), 8: (20, 60)}


@pytest.fixture
def bench(viewer_model, qtbot):
    edges = np.zeros((40, 80), np.int32)
    for radius, centre in RADII.items():
        edges[circle_perimeter(*centre, radius)] = 1
    viewer_model.add_labels(edges, name="edges", scale=(0.5, 0.5))
    return FormBench(viewer_model, qtbot, "fit_circle")


def test_fitted_shapes_know_their_numbers(bench):
    bench.set(number=2)
    (layer,) = bench.run()
    assert len(layer.data) == 2
    assert layer.features["radius"].to_numpy() == pytest.approx([6, 4], rel=0.05)
    assert {"label", "area", "inliers", "residual_rms"} <= set(layer.features)


def test_numbers_follow_the_next_run(bench):
    bench.set(number=2)
    bench.run()
    bench.set(number=1)
    (layer,) = bench.run()
    assert list(layer.features["label"]) == list(layer.features["shape"]) == [1]
    bench.set(table=False)
    (layer,) = bench.run()
    assert list(layer.features) == ["label"]
