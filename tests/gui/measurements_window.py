"""Squares to measure and the measurements panel, with a napari window or, quicker, without one."""

from itertools import pairwise

import numpy as np
from painting import click_still
from qtpy.QtCore import QPoint, QPointF, Qt
from qtpy.QtGui import QMouseEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from napari_seedbed.gui.forms.preparation import trials
from napari_seedbed.gui.tools.measurements.measurements_panel import MeasurementsPanel

# Label, row and column of the first pixel, side.
SQUARES = ((1, 5, 5, 10), (2, 5, 30, 14), (4, 40, 8, 6), (7, 40, 50, 20))


def squares(shape=(70, 80)):
    """Four squares, and an image in which each is as bright as ten times its label."""
    labels = np.zeros(shape, np.int32)
    for label, y, x, side in SQUARES:
        labels[..., y : y + side, x : x + side] = label
    return labels, labels * 10.0


class MeasurementsBench:
    """The panel on a viewer without a window, and short names for what tests do all the time."""

    def __init__(self, viewer, qtbot, labels=None, image=None, **layer) -> None:
        self.viewer, self.qtbot = viewer, qtbot
        if labels is None:
            labels, image = squares()
        if image is not None:
            viewer.add_image(image, name="grey", rgb=False, **layer)
        self.labels = viewer.add_labels(labels, name="squares", **layer)
        self.panel = MeasurementsPanel(viewer)
        self.form = self.panel.form
        if image is not None:
            self.form.inputs.others["other"].choose(viewer.layers["grey"])
        self._show()
        qtbot.waitUntil(lambda: not trials.is_busy, timeout=300000)
        self.wait_counted()

    def _show(self):
        self.qtbot.addWidget(self.panel)
        self.panel.resize(340, 700)
        self.panel.show()

    @property
    def table(self):
        """Columns of the table."""
        return self.panel.table.columns

    @property
    def view(self):
        """Table and plot."""
        return self.panel.view

    @property
    def status(self):
        """The line under the buttons."""
        return self.form.status.text()

    def click(self, button):
        """Click a button with the mouse."""
        self.form.ensureWidgetVisible(button)
        where = QPoint(8, button.height() // 2)
        QTest.mouseClick(button, Qt.MouseButton.LeftButton, pos=where)

    def measure(self):
        """Press Run and wait for the table."""
        self.click(self.form.run)
        self.qtbot.waitUntil(lambda: not self.panel.is_running, timeout=60000)
        if self.view is not None and self.view.parent() is None:
            self.qtbot.addWidget(self.view)
            self.view.resize(900, 300)
            self.view.show()
            self.qtbot.waitExposed(self.view)
        self.qtbot.wait(10)

    def wait_counted(self):
        """Wait until a change has been counted."""
        self.qtbot.waitUntil(lambda: not self.panel.count.is_busy, timeout=20000)
        self.qtbot.wait(10)

    def click_row(self, line, modifier=Qt.KeyboardModifier.NoModifier):
        """Click a line of the table."""
        table = self.view.table
        cell = table.visualRect(table.model().index(line, 0))
        QTest.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, modifier, cell.center())
        self.qtbot.wait(10)

    def selected_labels(self):
        """Labels of the rows selected in the table."""
        return self.table["label"][self.view.table.selected_rows()].tolist()

    def colour(self, label):
        """What the layer shows a label in, RGBA."""
        return np.asarray(self.labels.colormap.map(np.array([label])), float)[0]

    def drag_plot(self, *places, modifier=Qt.KeyboardModifier.NoModifier):
        """Drag the mouse over the plot from place to place, in the plot's coordinates."""
        plot = self.view.plot
        viewport = plot.plot.viewport()
        pixels = [plot.plot.mapFromScene(plot.box.mapViewToScene(QPointF(*p))) for p in places]
        kinds = QMouseEvent.Type
        _send(viewport, kinds.MouseMove, pixels[0], False, modifier)
        _send(viewport, kinds.MouseButtonPress, pixels[0], True, modifier)
        for a, b in pairwise(pixels):
            for step in range(1, 6):
                here = QPointF(a) + (QPointF(b) - QPointF(a)) * step / 5
                _send(viewport, kinds.MouseMove, here.toPoint(), True, modifier)
        kind = kinds.MouseButtonRelease
        _send(viewport, kind, pixels[-1], False, modifier, released=True)
        self.qtbot.wait(10)


class MeasurementsWindow(MeasurementsBench):
    """The same with a napari window, whose dock the panel is in."""

    def __init__(self, make_napari_viewer, qtbot, *args, **layer) -> None:
        viewer = make_napari_viewer(show=True)
        viewer.window.resize(1100, 700)
        super().__init__(viewer, qtbot, *args, **layer)

    def _show(self):
        self.viewer.window.add_dock_widget(self.panel, name="Measure objects")

    def click_picture(self, world, modifier=Qt.KeyboardModifier.NoModifier):
        """Click a world position in the picture."""
        click_still(self.viewer, world, modifier)


def _send(widget, kind, where, pressed, modifier, *, released=False):
    left, none = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
    button = left if released or kind == QMouseEvent.Type.MouseButtonPress else none
    place = QPointF(where)
    event = QMouseEvent(
        kind, place, QPointF(widget.mapToGlobal(where)), button, left if pressed else none, modifier
    )
    QApplication.sendEvent(widget, event)
    QTest.qWait(12)
