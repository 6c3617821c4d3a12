"""Strokes in the planes xy, xz and yz mean the same: seeds, undo, first answers, suggestions."""

import numpy as np
import pytest
from painting import drag, press_key
from qtpy.QtCore import Qt
from seeded_window import CENTRE, SeededWindow, dice

from napari_seedbed.gui.tools.walker.suggested_outline import NAME
from napari_seedbed.pipeline import operations

pytestmark = pytest.mark.display

CONTROL = Qt.KeyboardModifier.ControlModifier
ORDERS = [(0, 1, 2), (1, 0, 2), (2, 0, 1), (1, 2, 0)]
"""Planes xy, xz and yz, and xz turned."""


@pytest.fixture(params=ORDERS, ids=["xy", "xz", "yz", "zx"])
def window(make_napari_viewer, qtbot, request):
    window = SeededWindow(make_napari_viewer, qtbot)
    window.new_seeds()
    window.viewer.dims.order = request.param
    window.across = request.param[0]
    window.viewer.dims.set_point(window.across, window.world(CENTRE)[window.across])
    window.viewer.reset_view()
    qtbot.wait(50)
    return window


def stroke(window, centre, reach, along):
    """Draw a line in the plane in view, along an axis of it."""
    ends = np.array([centre, centre])
    ends[:, along] += (-reach, reach)
    drag(window.viewer, window.world(ends[0]), window.world(ends[1]))


def paint(window):
    """A stroke in the ball and one of background, in the plane in view; what each added."""
    along = next(axis for axis in (2, 1) if axis != window.across)
    before = window.seeds.data.copy()
    stroke(window, CENTRE, 3, along)
    first = np.argwhere(window.seeds.data != before)
    press_key(window.viewer, Qt.Key.Key_G)
    ground = list(CENTRE)
    ground[next(axis for axis in (0, 1) if axis not in (window.across, along))] = 2
    stroke(window, ground, 12, along)
    return first


def test_strokes_undo_and_result_are_those_of_the_plane_in_view(window):
    first = paint(window)
    seeds, across = window.seeds, window.across
    assert len(first) >= 5
    assert set(first[:, across]) == {CENTRE[across]}
    painted = np.argwhere(seeds.data > 0)
    assert set(painted[:, across]) == {CENTRE[across]}
    assert set(np.unique(seeds.data)) == {0, 1, 2}
    window.wait_final()
    assert dice(window.result.data == 1, window.truth) > 0.8
    np.testing.assert_array_equal(window.result.data, window.expected())
    press_key(window.viewer, Qt.Key.Key_Z, CONTROL)
    assert set(np.unique(seeds.data)) == {0, 1}
    press_key(window.viewer, Qt.Key.Key_Z, CONTROL)
    press_key(window.viewer, Qt.Key.Key_Z, CONTROL)
    assert not seeds.data.any()


def test_first_answer_is_of_the_plane_in_view(window, monkeypatch):
    real, views, said = operations.run, [], []
    before = window.panel._on_preview

    def watched(operation, inputs, parameters, *, context, times):
        views.append(context.view)
        return real(operation, inputs, parameters, context=context, times=times)

    def on_preview(preview, request):
        before(preview, request)
        data = np.moveaxis(window.result.data, preview.axis, 0)
        said.append((preview.axis, preview.index, window.status, data[preview.index].copy()))

    monkeypatch.setattr(operations, "run", watched)
    window.panel.session.previewed.disconnect(window.panel._on_preview)
    window.panel.session.previewed.connect(on_preview)
    paint(window)
    window.wait_final()
    place = window.across, CENTRE[window.across]
    assert set(views) == {place}
    assert said
    truth = np.moveaxis(window.truth, window.across, 0)[CENTRE[window.across]]
    for axis, index, status, shown in said:
        assert (axis, index) == place
        assert status == "Shown for the slice in view; the volume follows…"
        assert dice(shown == 1, truth) > 0.7
    assert window.status.startswith("Up to date")


def test_suggestion_stays_in_the_plane_in_view_and_a_stroke_there_answers_it(window):
    paint(window)
    window.wait_final()
    order = window.viewer.dims.order
    press_key(window.viewer, Qt.Key.Key_U)
    window.qtbot.waitUntil(lambda: "Undecided between 1 and background" in window.status)
    region, _ = window.panel.suggestions._asked
    across = window.across
    assert window.viewer.dims.order == order
    wanted = window.world(region.center)
    assert window.viewer.dims.point[across] == pytest.approx(wanted[across])
    y, x = (wanted[axis] for axis in window.viewer.dims.displayed)
    assert window.viewer.scene.camera.center[1:] == pytest.approx((y, x))
    areas = np.moveaxis(region.inside, across, 0).sum(axis=(1, 2))
    assert areas[region.center[across] - region.box[across].start] == areas.max()
    outline = window.viewer.layers[NAME]
    first = tuple(side.start for side in region.box)
    np.testing.assert_allclose(outline.data_to_world((0, 0, 0)), window.world(first))
    np.testing.assert_array_equal(outline.data > 0, region.inside)
    along = next(axis for axis in (2, 1) if axis != across)
    window.seeds.selected_label = 1
    stroke(window, region.center, 1, along)
    window.qtbot.waitUntil(lambda: not outline.visible)
    window.wait_final()
    np.testing.assert_array_equal(window.result.data, window.expected())
