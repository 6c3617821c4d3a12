"""Images with changes at known places, and the differences panel on them."""

import numpy as np
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from scipy import ndimage as ndi

from napari_seedbed.gui.tools.differences.differences_panel import DifferencesPanel

BOXES = [((20, 40), (30, 60)), ((60, 10), (75, 22)), ((61, 90), (73, 104))]
STRENGTHS = (80, 60, 25)


def scene():
    smooth = ndi.gaussian_filter(np.random.default_rng(4).random((90, 120)), 3)
    return np.interp(smooth, (smooth.min(), smooth.max()), (20, 170)).astype(np.uint8)


def changed(count=3):
    """The scene with some of its changes, the strongest first."""
    second = scene()
    for ((top, left), (bottom, right)), strength in list(zip(BOXES, STRENGTHS, strict=True))[
        :count
    ]:
        second[top:bottom, left:right] += strength
    return second


class Bench:
    """The panel on a viewer without a window, or with one."""

    def __init__(self, viewer, qtbot, *images, axis_labels=None, register="none") -> None:
        self.viewer, self.qtbot = viewer, qtbot
        about = {"axis_labels": axis_labels} if axis_labels else {}
        self.images = [
            viewer.add_image(image, name=name, rgb=False, **about)
            for image, name in zip(images, ("second", "first"), strict=False)
        ]
        self.panel = DifferencesPanel(viewer)
        self.form = self.panel.form
        # Searching for moves takes most of the time, and is tested elsewhere.
        self.form.fields.set_value("register", register)
        qtbot.addWidget(self.panel)
        self.panel.resize(340, 900)
        if len(images) > 1:
            self.form.inputs.image.choose(viewer.layers["first"])
        self.panel.show()
        self.settle()

    def settle(self):
        """Wait until what was asked for is shown."""
        self.qtbot.wait(30)
        self.qtbot.waitUntil(lambda: not self.panel.is_busy, timeout=20000)

    def compare_series(self):
        self.form.source.setCurrentIndex(1)
        self.settle()

    def click(self, widget):
        if self.form.isAncestorOf(widget):
            self.form.ensureWidgetVisible(widget)
        self.qtbot.mouseClick(widget, Qt.MouseButton.LeftButton)

    def click_line(self, row):
        """Click a line of the list with the mouse."""
        changes = self.form.changes
        changes.scrollTo(changes.model().index(row, 0))
        place = changes.visualRect(changes.model().index(row, 1)).center()
        QTest.mouseClick(
            changes.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, place
        )

    def layer(self, start):
        (found,) = [layer for layer in self.viewer.layers if layer.name.startswith(start)]
        return found

    @property
    def status(self):
        return self.form.status.text()

    @property
    def middle(self):
        """What the camera looks at, as (y, x)."""
        return tuple(self.viewer.scene.camera.center[-2:])
