"""Objects to proofread and the panel, with a napari window or, quicker, without one."""

import numpy as np
from painting import click_still
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest

from napari_seedbed.gui.tools.proofreading.proofreading_panel import ProofreadingPanel

# Label, row and column of the first pixel, side.
SQUARES = ((1, 5, 5, 10), (2, 5, 30, 14), (4, 40, 8, 6), (7, 40, 50, 20))


def squares(shape=(70, 80)):
    """Four squares, in a volume on all slices but the outermost."""
    labels = np.zeros(shape, np.int32)
    inner = slice(None) if len(shape) == 2 else slice(1, -1)
    for label, y, x, side in SQUARES:
        index = (slice(y, y + side), slice(x, x + side))
        labels[index if len(shape) == 2 else (..., inner, *index)] = label
    return labels


class ProofreadingBench:
    """The panel on a viewer without a window, and short names for what tests do all the time."""

    def __init__(self, viewer, qtbot, labels=None, image=None, **layer) -> None:
        self.viewer, self.qtbot = viewer, qtbot
        if image is not None:
            viewer.add_image(image, name="grey", **layer)
        self.layer = viewer.add_labels(
            squares() if labels is None else labels, name="squares", **layer
        )
        self.panel = ProofreadingPanel(viewer)
        self.form = self.panel.form
        self._show()
        self.wait()

    def _show(self):
        self.qtbot.addWidget(self.panel)
        self.panel.resize(340, 900)
        self.panel.show()

    def wait(self):
        """Wait until edits are made and measured."""
        self.qtbot.waitUntil(lambda: not self.panel.is_busy, timeout=300000)
        self.qtbot.wait(1)
        self.qtbot.waitUntil(lambda: not self.panel.is_busy, timeout=300000)

    @property
    def status(self):
        """The line under the buttons."""
        return self.form.status_line.text()

    @property
    def selected(self):
        """Labels of the selected objects."""
        return self.panel.selection.labels

    @property
    def columns(self):
        """Of the table."""
        return self.panel.table.columns

    def labels(self):
        """The objects that there are."""
        return sorted(set(np.unique(self.layer.data).tolist()) - {0})

    def click(self, button):
        """Click a button with the mouse, and wait for what it does."""
        self.form.ensureWidgetVisible(button)
        QTest.mouseClick(button, Qt.MouseButton.LeftButton, pos=QPoint(8, button.height() // 2))
        self.wait()

    def act(self, name, *objects):
        """Select objects and press the button of an edit."""
        if objects:
            self.panel.selection.select(objects)
        self.click(self.form.edits[name])


class ProofreadingWindow(ProofreadingBench):
    """The same with a napari window, whose dock the panel is in."""

    def __init__(self, make_napari_viewer, qtbot, *args, **layer) -> None:
        viewer = make_napari_viewer(show=True)
        viewer.window.resize(1366, 768)
        super().__init__(viewer, qtbot, *args, **layer)
        viewer.reset_view()
        qtbot.wait(50)

    def _show(self):
        self.viewer.window.add_dock_widget(self.panel, name="Proofread")

    def click_picture(self, world, modifier=Qt.KeyboardModifier.NoModifier):
        """Click a world position in the picture."""
        click_still(self.viewer, world, modifier)
        self.wait()

    def press(self, key, modifier=Qt.KeyboardModifier.NoModifier):
        """Press a key while the picture has the focus."""
        native = self.viewer.window._qt_viewer.canvas.native
        native.setFocus()
        QTest.keyClick(native, key, modifier)
        self.wait()

    def click_row(self, line, modifier=Qt.KeyboardModifier.NoModifier):
        """Click a line of the table."""
        table = self.panel.selection.view.table
        cell = table.visualRect(table.model().index(line, 0))
        QTest.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, modifier, cell.center())
        self.wait()
