"""The column of controls of a panel."""

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QDockWidget, QLabel, QMainWindow

from napari_seedbed.gui.forms.panel_form import PanelForm


def test_a_dock_grows_with_what_the_contents_need(qtbot):
    form, window, dock = PanelForm(), QMainWindow(), QDockWidget()
    label = QLabel("x")
    form.add(label, None)
    dock.setWidget(form)
    window.setCentralWidget(QLabel("picture"))
    window.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, dock)
    window.resize(1000, 400)
    qtbot.addWidget(window)
    window.show()
    qtbot.waitUntil(lambda: form.viewport().width() > 0)
    # as napari's style sheet does to a panel that is shown
    label.setMinimumWidth(500)
    qtbot.waitUntil(lambda: form.viewport().width() >= 500)
