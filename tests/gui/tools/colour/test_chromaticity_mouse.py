"""The chromaticity panel under a real mouse: patches, lasso, box, and the pixel under it."""

import numpy as np
import pytest
from colour_window import BLUE, LEFT, OCHRE, ColourBench, ColourWindow, agrees
from napari.layers import Shapes
from painting import move_to
from qtpy.QtCore import Qt

BLUE_BOX = [(0.12, 0.22), (0.28, 0.38)]


@pytest.fixture
def bench(viewer_model, qtbot):
    return ColourBench(viewer_model, qtbot)


def test_patch_and_lasso_drawn_with_the_mouse_find_their_colours(make_napari_viewer, qtbot):
    window = ColourWindow(make_napari_viewer, qtbot)
    window.qtbot.mouseClick(window.form.new_patch, Qt.MouseButton.LeftButton)
    window.drag((8, 5), (20, 20))
    patches = window.form.patches.layer()
    assert isinstance(patches, Shapes)
    assert len(patches.data) == 1
    np.testing.assert_allclose(patches.data[0].min(axis=0), (8, 5), atol=1)
    window.form.threshold.set_value(0.02)
    window.wait()
    assert agrees(window.preview().data, LEFT)
    # A lasso among the colours of the other half takes over.
    r, g = OCHRE[:2]
    turns = np.linspace(0, 2 * np.pi, 9)
    places = [(r + 0.06 * np.cos(t), g + 0.06 * np.sin(t)) for t in turns]
    window.draw_on_histogram("lasso", places)
    assert window.form.operation().name == "colour_selection"
    assert len(window.form.colour_plot.outline()) >= 8
    assert agrees(window.preview().data, ~LEFT)
    # The pixel under the mouse is shown in the histogram.
    move_to(window.viewer, window.image.data_to_world((20, 10)))
    spots = window.form.colour_plot._cursor.points()
    assert len(spots) == 1
    assert abs(spots[0].pos().x() - BLUE[0]) < 0.05
    assert abs(spots[0].pos().y() - BLUE[1]) < 0.05
    move_to(window.viewer, window.image.data_to_world((-30, 10)))
    assert len(window.form.colour_plot._cursor.points()) == 0


def test_box_on_the_histogram_selects_pixels_until_it_is_cleared(bench):
    bench.form.colour_plot.box.setRange(xRange=(0, 0.7), yRange=(0, 0.7))
    bench.draw_on_histogram("box", BLUE_BOX)
    corners = bench.form.colour_plot.outline()
    np.testing.assert_allclose(corners.min(axis=0), BLUE_BOX[0], atol=0.01)
    np.testing.assert_allclose(corners.max(axis=0), BLUE_BOX[1], atol=0.01)
    assert agrees(bench.preview().data, LEFT)
    bench.run()
    (mask,) = bench.layers("mask")
    assert agrees(mask.data, LEFT)
    bench.qtbot.mouseClick(bench.form.colour_plot.clear, Qt.MouseButton.LeftButton)
    bench.wait()
    assert bench.preview() is None
    assert not bench.form.run.isEnabled()


def test_dragging_with_no_tool_moves_the_histogram_and_selects_nothing(bench):
    before = bench.form.colour_plot.box.viewRange()
    bench.draw_on_histogram("move", [(0.3, 0.3), (0.35, 0.32)])
    assert bench.form.colour_plot.outline() is None
    assert bench.form.colour_plot.box.viewRange() != before
    assert bench.form.operation().name != "colour_selection"
