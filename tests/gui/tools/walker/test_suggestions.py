"""Suggestions: where to paint next, between which labels, and what comes after the stroke."""

from dataclasses import replace

import numpy as np
import pytest
from napari.layers import Labels
from painting import drag, press_key
from qtpy.QtCore import Qt
from seeded_window import SeededWindow

from napari_seedbed.gui.tools.walker import suggestions
from napari_seedbed.gui.tools.walker.suggested_outline import NAME

pytestmark = pytest.mark.display

FIRST, SECOND = np.s_[4:7, 20:25, 6:11], np.s_[13:16, 3:6, 3:6]


@pytest.fixture
def window(make_napari_viewer, qtbot):
    return SeededWindow(make_napari_viewer, qtbot)


def outline(window):
    """The layer of the outline, None where there is none."""
    found = [layer for layer in window.viewer.layers if layer.name == NAME]
    return found[0] if found else None


def two_doubts(window, monkeypatch, background=0):
    """Let what is shown be in doubt in two boxes, between 1 and 2 and between 2 and 3."""
    window.seed_by_program()
    window.panel.tools.history.set_background(background)
    window.form.next_place.click()
    window.qtbot.waitUntil(
        lambda: window.status.startswith(("Undecided", "No uncertain")), timeout=30000
    )
    window.wait_final()
    window.panel.suggestions.forget()
    found = window.panel._final.outputs
    shape = window.image.data.shape
    doubt, labels = np.zeros(shape, np.float32), np.full(shape, 2, np.int32)
    second = np.zeros(shape, np.int32)
    for box, following in ((FIRST, 1), (SECOND, 3)):
        doubt[box], second[box] = 1, following
    labels[labels == background] = 0
    for name, array in (("uncertainty", doubt), ("labels", labels), ("second_label", second)):
        monkeypatch.setitem(found, name, replace(found[name], array=array))


def wait_for(window, words):
    window.qtbot.waitUntil(lambda: words in window.status, timeout=30000)


def test_key_goes_where_the_answer_changes_most_and_says_between_which_labels(window, monkeypatch):
    two_doubts(window, monkeypatch)
    window.viewer.layers.selection.active = window.image
    window.form.next_place.click()
    wait_for(window, "Undecided between 1 and 2: 75 voxels depend on it.")
    z, y, x = window.world((5, 22, 8))
    assert window.viewer.dims.point[0] == z
    assert window.viewer.scene.camera.center[1:] == pytest.approx((y, x))
    assert window.viewer.layers.selection.active is window.seeds
    assert window.seeds.mode == "paint"
    layer = outline(window)
    assert isinstance(layer, Labels)
    assert layer.contour > 0
    assert layer.data.shape == (3, 5, 5)
    np.testing.assert_allclose(layer.data_to_world((0, 0, 0)), window.world((4, 20, 6)))
    press_key(window.viewer, Qt.Key.Key_U)
    wait_for(window, "Undecided between 2 and 3: 27 voxels depend on it.")
    assert window.viewer.dims.point[0] == window.world((14, 4, 4))[0]
    assert outline(window) is layer
    np.testing.assert_allclose(layer.data_to_world((0, 0, 0)), window.world((13, 3, 3)))
    press_key(window.viewer, Qt.Key.Key_U)
    wait_for(window, "No uncertain place is left")
    assert outline(window) is None


def test_background_is_called_so(window, monkeypatch):
    two_doubts(window, monkeypatch, background=2)
    window.form.next_place.click()
    wait_for(window, "Undecided between 1 and background")


def test_stroke_in_the_outline_leads_to_the_next_place_and_one_elsewhere_does_not(
    window, monkeypatch
):
    monkeypatch.setattr(suggestions, "LOOK_SECONDS", 0.2)
    two_doubts(window, monkeypatch)
    asked = []
    monkeypatch.setattr(window.panel.suggestions, "_ask", lambda: asked.append(window.status))
    window.form.next_place.click()
    wait_for(window, "Undecided")
    here = window.viewer.dims.point[0]
    drag(window.viewer, window.world((5, 28, 20)), window.world((5, 28, 28)))
    window.wait_final()
    window.qtbot.wait(1500)
    assert window.viewer.dims.point[0] == here
    assert outline(window).visible
    assert not asked
    drag(window.viewer, window.world((5, 22, 7)), window.world((5, 22, 9)))
    window.qtbot.waitUntil(lambda: not outline(window).visible)
    window.wait_final()
    window.qtbot.waitUntil(lambda: len(asked) == 1, timeout=5000)
    assert asked[0].startswith("Up to date")


def test_real_doubt_is_asked_about_stroke_by_stroke(window):
    """A ball beside the marked one is in doubt; one stroke in it, and the next question comes."""
    other = window.image.data.copy()
    other[8:13, 20:29, 20:29] = (other[8:13, 20:29, 20:29] * 0.4 + 1000).astype(other.dtype)
    window.image.data = other
    window.seed_by_program()
    window.wait_final()
    press_key(window.viewer, Qt.Key.Key_U)
    wait_for(window, "Undecided between")
    first = window.panel.suggestions._asked[0]
    assert first.labels in ((1, 2), (2, 1))
    z, y, x = first.center
    assert window.viewer.dims.point[0] == window.world((z, 0, 0))[0]
    window.seeds.selected_label = 2
    drag(window.viewer, window.world((z, y, x - 1)), window.world((z, y, x + 1)))
    window.qtbot.waitUntil(lambda: not outline(window).visible)
    window.qtbot.waitUntil(
        lambda: window.status.startswith(("Undecided", "No uncertain")), timeout=30000
    )
    asked = window.panel.suggestions._asked
    assert asked is None or asked[0].center != first.center


def test_outline_goes_with_the_panel_and_is_offered_nowhere(window, monkeypatch):
    two_doubts(window, monkeypatch)
    window.form.next_place.click()
    wait_for(window, "Undecided")
    names = [window.form.seeds.itemText(i) for i in range(window.form.seeds.count())]
    assert NAME not in names
    window.panel.parentWidget().close()
    assert outline(window) is None
