"""The list of earlier work: what is in it, restored by double click, deleted."""

import shutil

import numpy as np
import pytest
from napari.components import ViewerModel
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QMainWindow, QMessageBox

from napari_seedbed.gui.forms.restore_bar import RestoreBar, begin_autosave
from napari_seedbed.gui.layers.autosave import autosave_in
from napari_seedbed.gui.tools.earlier_work.earlier_work_panel import EarlierWorkPanel
from napari_seedbed.pipeline.journal.folders import earlier_works


@pytest.fixture
def panel(make_napari_viewer, qtbot, journals):
    """The panel where one window was closed and a later one killed."""
    for name in ("closed", "killed"):
        model, window = ViewerModel(), QMainWindow()
        qtbot.addWidget(window)
        autosave = begin_autosave(model, window)
        layer = model.add_labels(np.zeros((30, 40), np.int32), name=f"seeds, {name}")
        layer.paint((10, 10), 3)
        autosave.flush(20)
        if name == "killed":
            shutil.copytree(autosave.folder, journals / name)
            layer.data_setitem(np.nonzero(layer.data), 0)  # and then nothing is left to keep
        window.close()
    viewer = make_napari_viewer(show=True)
    made = EarlierWorkPanel(viewer)
    viewer.window.add_dock_widget(made, name="Earlier work")
    qtbot.waitUntil(lambda: made.list.count() == 2, timeout=20000)
    return made


def test_earlier_work_is_listed_and_restored(panel, qtbot, journals):
    rows = [panel.list.item(row).text() for row in range(2)]
    assert rows[0].startswith("Today at ")
    assert rows[0].endswith(", ended unexpectedly: 'seeds, killed'")
    assert rows[1].endswith(", closed: 'seeds, closed'")
    assert not panel.findChild(RestoreBar).isVisible()
    place = panel.list.visualItemRect(panel.list.item(1)).center()
    qtbot.mouseClick(panel.list.viewport(), Qt.MouseButton.LeftButton, pos=place)
    qtbot.mouseDClick(panel.list.viewport(), Qt.MouseButton.LeftButton, pos=place)
    qtbot.waitUntil(lambda: len(panel.viewer.layers) == 1, timeout=20000)
    assert panel.viewer.layers[0].name == "seeds, closed"
    assert panel.viewer.layers[0].data[10, 10] == 3
    # it is in this window's journal now
    qtbot.waitUntil(lambda: len(earlier_works(journals)) == 1, timeout=20000)
    assert autosave_in(panel.window()).folder is not None


def test_earlier_work_is_deleted_when_that_is_meant(panel, qtbot, journals, monkeypatch):
    answers = [QMessageBox.StandardButton.No, QMessageBox.StandardButton.Yes]
    asked = []

    def answer(parent, title, question):
        asked.append(question)
        return answers.pop(0)

    monkeypatch.setattr(QMessageBox, "question", answer)
    qtbot.mouseClick(panel.delete, Qt.MouseButton.LeftButton)
    assert len(earlier_works(journals)) == 2
    qtbot.mouseClick(panel.delete, Qt.MouseButton.LeftButton)
    assert "'seeds, killed'" in asked[0]
    qtbot.waitUntil(lambda: panel.list.count() == 1, timeout=20000)
    assert [one.layer_names for one in earlier_works(journals)] == [["seeds, closed"]]
