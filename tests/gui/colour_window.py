"""A picture of two colours and the chromaticity panel, with a napari window or without one."""

from itertools import pairwise

import numpy as np
from painting import drag
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest

from napari_seedbed.gui.tools.colour.chromaticity_panel import ChromaticityPanel

BLUE, OCHRE = (0.2, 0.3, 0.5), (0.5, 0.35, 0.15)
"""Chromaticities of the left and the right half."""

LEFT = np.broadcast_to(np.arange(60) < 30, (40, 60))
"""Where the blue half is."""


def agrees(labels, truth, share=0.95):
    """Whether labels lie where they should, but for a few pixels."""
    return np.mean((np.asarray(labels) > 0) == truth) >= share


def two_colours(shape=(40, 60), noise=2.0):
    """Blue on the left, ochre on the right, of all kinds of brightness; the last axis is RGB."""
    rng = np.random.default_rng(4)
    left = np.arange(shape[-1]) < shape[-1] // 2
    hues = np.where(left[:, np.newaxis], BLUE, OCHRE)
    array = hues * rng.uniform(150, 400, (*shape, 1)) + rng.normal(0, noise, (*shape, 3))
    return np.clip(array, 0, 255).astype(np.uint8)


class ColourBench:
    """The panel on a viewer without a window."""

    def __init__(self, viewer, qtbot, image=None, **layer) -> None:
        self.viewer, self.qtbot = viewer, qtbot
        image = two_colours() if image is None else image
        self.image = viewer.add_image(image, **{"name": "picture", "rgb": True, **layer})
        self.panel = ChromaticityPanel(viewer)
        self.form = self.panel.form
        self._show()
        self.wait()

    def _show(self):
        self.qtbot.addWidget(self.panel)
        self.panel.resize(340, 900)
        self.panel.show()

    @property
    def status(self) -> str:
        """The line under the buttons."""
        return self.form.status.text()

    def wait(self, timeout=20000):
        """Wait until nothing is under way."""
        # One turn for what is told by events.
        self.qtbot.wait(20)
        self.qtbot.waitUntil(lambda: not self.panel.is_busy, timeout=timeout)

    def add_patch(self, top, left, size=8, label=1):
        """Draw a rectangle by program."""
        self.form.patch_class.setValue(label)
        self.panel.draw_patch()
        layer = self.form.patches.layer()
        corners = [(top, left), (top, left + size), (top + size, left + size), (top + size, left)]
        lead = self.image.data.ndim - 1 - 2
        index = [self.viewer.dims.current_step[i] for i in range(lead)]
        layer.add_rectangles([np.insert(np.array(corners, float), [0] * lead, index, axis=1)])
        self.wait()
        return layer

    def use(self, method, /, **parameters):
        """Choose a method and set its parameters."""
        self.form.choose(method)
        for name, value in parameters.items():
            self.form.fields[method].set_value(name, value)
        self.wait()

    def run(self):
        """Press Run and wait for the end."""
        self.qtbot.mouseClick(self.form.run, Qt.MouseButton.LeftButton)
        self.wait()

    def layers(self, word):
        """Layers with this word in their names."""
        return [layer for layer in self.viewer.layers if word in layer.name]

    def preview(self):
        """What the preview shows, None without one."""
        shown = self.panel.preview.layers
        assert len(shown) < 2
        return shown[0] if shown else None

    # The mouse on the histogram

    def draw_on_histogram(self, tool, places):
        """Choose a tool with a click, and drag the mouse from place to place, in coordinates."""
        plot = self.form.colour_plot
        self.form.ensureWidgetVisible(plot)
        self.qtbot.mouseClick(plot.tools[tool], Qt.MouseButton.LeftButton)
        view = plot.plot.viewport()
        # Axes change their width with their numbers, when they are drawn.
        self.qtbot.wait(50)
        points = [self._pixel(place) for place in places]
        QTest.mousePress(view, Qt.MouseButton.LeftButton, pos=points[0])
        for a, b in pairwise(points):
            for step in range(1, 5):
                here = QPoint(
                    a.x() + (b.x() - a.x()) * step // 4, a.y() + (b.y() - a.y()) * step // 4
                )
                QTest.mouseMove(view, here)
                QTest.qWait(12)
        QTest.mouseRelease(view, Qt.MouseButton.LeftButton, pos=points[-1])
        self.wait()

    def _pixel(self, place):
        plot = self.form.colour_plot
        scene = plot.box.mapViewToScene(_point(place))
        return plot.plot.mapFromScene(scene)


class ColourWindow(ColourBench):
    """The same with a napari window, whose dock the panel is in."""

    def __init__(self, make_napari_viewer, qtbot, image=None, **layer) -> None:
        viewer = make_napari_viewer(show=True)
        # Software rendering takes as long as the picture is large.
        viewer.window.resize(1000, 700)
        super().__init__(viewer, qtbot, image, **layer)

    def _show(self):
        self.viewer.window.add_dock_widget(self.panel, name="Chromaticity")

    def drag(self, start, end):
        """Drag the mouse on the picture; places in voxels (..., y, x)."""
        drag(self.viewer, self.image.data_to_world(start), self.image.data_to_world(end))
        self.wait()


def _point(place):
    from qtpy.QtCore import QPointF

    return QPointF(float(place[0]), float(place[1]))
