"""A truth, a result with one error of each kind, and the scores panel."""

import numpy as np
from painting import canvas_position
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest

from napari_seedbed.gui.tools.scores.scores_panel import ScoresPanel


def pair():
    """Four objects: one split, two merged, one missed; and one added."""
    truth, result = np.zeros((2, 60, 80), np.int32)
    truth[5:15, 5:15], truth[5:15, 25:35], truth[5:15, 35:45], truth[40:50, 5:15] = 1, 2, 3, 4
    result[5:15, 5:10], result[5:15, 10:15], result[5:15, 25:45] = 1, 2, 3
    result[45:55, 60:70] = 4
    return truth, result


class ScoresBench:
    """The panel on a viewer without a window, and short names for what tests do all the time."""

    def __init__(self, viewer, qtbot, truth=None, result=None, **layer) -> None:
        self.viewer, self.qtbot = viewer, qtbot
        if truth is None:
            truth, result = pair()
        self.truth = viewer.add_labels(truth, name="truth", **layer)
        self.result = None
        if result is not None:
            self.result = viewer.add_labels(result, name="result", **layer)
        self.panel = ScoresPanel(viewer)
        self.form = self.panel.form
        self._show()

    def _show(self):
        self.qtbot.addWidget(self.panel)
        self.panel.resize(340, 900)
        self.panel.show()

    @property
    def status(self):
        """The line under the buttons."""
        return self.form.status.text()

    @property
    def live(self):
        """The live score."""
        return self.form.live_score.text()

    def click(self, button):
        """Click a button with the mouse."""
        self.form.ensureWidgetVisible(button)
        QTest.mouseClick(button, Qt.MouseButton.LeftButton, pos=QPoint(8, button.height() // 2))

    def score(self):
        """Press Run and wait for the end."""
        self.click(self.form.run)
        self.qtbot.waitUntil(lambda: not self.panel.is_running, timeout=60000)

    def value(self, name, column=1):
        """A score out of the table."""
        columns = self.form.scores._columns.columns
        return columns[column][columns[0].tolist().index(name)]

    def errors(self):
        """Kind and label of each row of the list of errors."""
        columns = dict(
            zip(self.form.errors._columns.names, self.form.errors._columns.columns, strict=True)
        )
        return list(zip(columns["error"].tolist(), columns["label"].tolist(), strict=True))

    def click_error(self, line):
        """Click a row of the list of errors."""
        table = self.form.errors
        self.form.ensureWidgetVisible(table)
        cell = table.visualRect(table.model().index(line, 0))
        QTest.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=cell.center())

    def wait_live(self, said):
        """Wait until the live score says something."""
        self.qtbot.waitUntil(lambda: said in self.live, timeout=10000)

    def overlay(self):
        """The layer of hits and misses."""
        found = [one for one in self.viewer.layers if one.name.startswith("hits and misses")]
        assert len(found) < 2
        return found[0] if found else None


class ScoresWindow(ScoresBench):
    """The same with a napari window, whose dock the panel is in."""

    def __init__(self, make_napari_viewer, qtbot, *args, **layer) -> None:
        viewer = make_napari_viewer(show=True)
        viewer.window.resize(1100, 800)
        super().__init__(viewer, qtbot, *args, **layer)

    def _show(self):
        self.viewer.window.add_dock_widget(self.panel, name="Segmentation scores")

    def middle(self):
        """Pixel of the canvas in its middle."""
        canvas = self.viewer.window._qt_viewer.canvas.native
        return canvas.width() / 2, canvas.height() / 2

    def pixel(self, world):
        """Pixel of the canvas that shows a world position."""
        where = canvas_position(self.viewer, world)
        return where.x(), where.y()
