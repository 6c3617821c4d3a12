"""Results are locked in a real window, and a click on the lock that napari draws unlocks them."""

import numpy as np
import pytest
from form_window import TIMEOUT
from qtpy.QtCore import QEvent, QPoint, QRect, Qt
from qtpy.QtGui import QHelpEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QToolTip

from napari_seedbed.gui.forms.operation_form import form_class
from napari_seedbed.gui.layers.layer_records import is_preview, is_result

pytestmark = pytest.mark.display


class LayerList:
    """napari's list of layers, as a person sees and clicks it."""

    def __init__(self, viewer) -> None:
        self.viewer = viewer
        self.view = viewer.window._qt_viewer.layers
        self.delete = viewer.window._qt_viewer.layerButtons.deleteButton

    def row(self, layer):
        model = self.view.model()
        rows = (model.index(row, 0) for row in range(model.rowCount()))
        return next(row for row in rows if row.data(Qt.ItemDataRole.UserRole) is layer)

    def picture(self, layer):
        QApplication.processEvents()
        shot = self.view.viewport().grab(self.view.visualRect(self.row(layer))).toImage()
        shot = shot.convertToFormat(shot.Format.Format_RGBA8888)
        pixels = np.frombuffer(shot.constBits().asarray(shot.sizeInBytes()), np.uint8)
        return pixels.reshape(shot.height(), -1, 4).copy()

    def lock(self, layer):
        """Where the lock is seen: what differs between the row locked and unlocked."""
        locked = self.picture(layer)
        layer.locked = False
        differs = (self.picture(layer) != locked).any(axis=-1)
        layer.locked = True
        # napari turns a wheel on the left while it draws the layer's picture
        differs[:, : differs.shape[1] // 2] = False
        (top, left), (bottom, right) = np.argwhere(differs).min(0), np.argwhere(differs).max(0)
        corner = self.view.visualRect(self.row(layer)).topLeft()
        return QRect(QPoint(left, top) + corner, QPoint(right, bottom) + corner)

    def click(self, place):
        QTest.mouseClick(self.view.viewport(), Qt.MouseButton.LeftButton, pos=place)

    def select(self, *layers):
        self.viewer.layers.selection = set(layers)


@pytest.fixture
def scene(make_napari_viewer, qtbot):
    viewer = make_napari_viewer(show=True)
    viewer.add_image(np.add.outer(np.arange(24.0), np.arange(32.0)), name="ramp")
    form = form_class("gaussian")(viewer)
    viewer.window.add_dock_widget(form, name="form")
    return viewer, form, LayerList(viewer)


def run(form, qtbot):
    form.run_button.click()
    qtbot.waitUntil(lambda: not form.is_busy, timeout=TIMEOUT)
    (result,) = [layer for layer in form.viewer.layers if is_result(layer)]
    return result


def test_result_is_deleted_only_after_a_click_on_its_lock(scene, qtbot):
    viewer, form, layers = scene
    form.follow.setChecked(True)
    qtbot.waitUntil(lambda: any(is_preview(layer) for layer in viewer.layers), timeout=TIMEOUT)
    assert not any(layer.locked for layer in viewer.layers)
    form.follow.setChecked(False)
    result = run(form, qtbot)
    other = viewer.layers["ramp"]
    layers.select(result)
    layers.delete.click()
    assert result in viewer.layers

    layers.select(other)
    lock = layers.lock(result)
    layers.click(lock.center() - QPoint(lock.width() + 8, 0))
    assert result.locked
    QTest.mousePress(layers.view.viewport(), Qt.MouseButton.LeftButton, pos=lock.center())
    QTest.mouseRelease(layers.view.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(2, 2))
    assert result.locked
    layers.select(other)
    layers.click(lock.center())
    assert not result.locked
    assert viewer.layers.selection == {other}

    # without a lock the place belongs to the row again
    layers.click(lock.center())
    assert viewer.layers.selection == {result}
    layers.delete.click()
    assert list(viewer.layers) == [other]


def test_lock_says_what_it_is_for_and_a_further_run_locks_again(scene, qtbot):
    _, form, layers = scene
    result = run(form, qtbot)
    place, viewport = layers.lock(result).center(), layers.view.viewport()
    there = viewport.mapToGlobal(place)
    QApplication.sendEvent(viewport, QHelpEvent(QEvent.Type.ToolTip, place, there))
    assert "unlock" in QToolTip.text()
    layers.click(place)
    assert not result.locked
    form.parameters.set_value("sigma", 3.0)
    assert run(form, qtbot) is result
    assert result.locked
