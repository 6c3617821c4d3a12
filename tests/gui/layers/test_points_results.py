"""Points that an operation found, as a layer."""

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.utils.colormaps.standardize_color import transform_color

from napari_seedbed.gui.layers.points_results import show_points
from napari_seedbed.pipeline.data.tables import Points


@pytest.fixture
def show():
    """Show points at (0, 0), (1, 1) … with a column of kinds."""
    viewer = ViewerModel()
    labels = viewer.add_labels(np.zeros((9, 9), int), name="lines")

    def shown(*kinds):
        places = np.repeat(np.arange(len(kinds), dtype=float)[:, np.newaxis], 2, axis=1)
        found = Points(places, np.zeros(len(kinds), int), {"kind": np.array(kinds, str)})
        return show_points(viewer, found, labels, name="points", record={}, slot="test")

    return shown


def test_points_of_different_kinds_have_different_colours(show):
    layer = show("end", "branch", "end")
    assert np.array_equal(layer.face_color, transform_color(["yellow", "cyan", "yellow"]))


def test_colours_follow_the_kinds_of_a_further_run(show):
    assert show("end", "end") is show("branch")
    assert np.array_equal(show("branch").face_color, transform_color("cyan"))


def test_kinds_that_nobody_knows_have_one_colour(show):
    assert np.array_equal(show("odd", "end").face_color, transform_color(["yellow"] * 2))


def test_no_points_are_an_empty_layer(show):
    assert len(show().data) == 0
