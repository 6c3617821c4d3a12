"""A disc to outline and the snakes panel, with a napari window or, quicker, without one."""

import time
from functools import partial

import numpy as np
from napari.layers import Labels, Shapes
from painting import trace
from qtpy.QtCore import Qt, QTimer
from skimage.draw import polygon2mask

from napari_seedbed.gui.forms.preparation import snakes_preparation
from napari_seedbed.gui.layers.shape_layers import shapes_of
from napari_seedbed.gui.tools.snakes.snakes_panel import SnakesPanel
from napari_seedbed.pipeline import operations
from napari_seedbed.pipeline.data.shapes import Shapes as DrawnShapes

SHAPE = (72, 80)
CENTRE = (34.0, 42.0)
RADIUS = 16.0


def disc(shape=SHAPE, centre=CENTRE, radius=RADIUS, spacing=(1.0, 1.0), noise=0.05):
    """A noisy bright disc, the same on all planes of `shape`, and the truth.

    With three numbers in `centre` and `spacing` it is a ball; `radius` is in the spacing's unit.
    """
    grids = np.ogrid[tuple(slice(n) for n in shape)][-len(centre) :]
    distance = sum(((g - c) * s) ** 2 for g, c, s in zip(grids, centre, spacing, strict=True))
    truth = np.broadcast_to(distance < radius**2, shape)
    image = truth + np.random.default_rng(1).normal(0, noise, shape)
    return (1000 * (image + 1)).clip(0).astype(np.uint16), truth


def circle(centre=CENTRE, radius=20.0, n=32, spacing=(1.0, 1.0)):
    """Corners (n, 2) of a circle in voxels; `radius` in the spacing's unit."""
    angles = np.linspace(0, 2 * np.pi, n, endpoint=False)
    ring = radius * np.stack([np.sin(angles), np.cos(angles)], axis=1)
    return np.asarray(centre) + ring / np.asarray(spacing)


def on_slice(flat, *leading):
    """Corners of a plane at these indexes of the axes before it."""
    return np.insert(np.asarray(flat, float), [0] * len(leading), leading, axis=1)


def overlap(outline, truth):
    """Intersection over union of an outline in voxels, filled by scikit-image, and a mask."""
    mask = polygon2mask(truth.shape, outline)
    return np.count_nonzero(mask & truth) / np.count_nonzero(mask | truth)


class SnakesBench:
    """The panel on a viewer without a window, and short names for what tests do all the time."""

    def __init__(self, viewer, qtbot, image=None, **layer) -> None:
        self.viewer, self.qtbot = viewer, qtbot
        if image is None:
            image, self.truth = disc()
        self.image = viewer.add_image(image, **{"name": "cells", "rgb": False, **layer})
        self.panel = SnakesPanel(viewer)
        self.form = self.panel.form
        # What the last run gave.
        self.final = None
        self.panel.session.finished.connect(partial(setattr, self, "final"))
        self._show()
        # On a machine that never ran snakes they are compiled first.
        qtbot.waitUntil(lambda: snakes_preparation.is_done, timeout=300000)
        qtbot.wait(20)

    def _show(self):
        self.qtbot.addWidget(self.panel)
        self.panel.resize(360, 900)
        self.panel.show()

    @property
    def session(self):
        return self.panel.session

    @property
    def start(self):
        """The layer chosen to start from."""
        return self.form.start.layer()

    @property
    def status(self) -> str:
        """The line under the buttons."""
        return self.form.status.text()

    def world(self, index):
        """World position of a voxel of the image."""
        return self.image.data_to_world(index)

    # What people do

    def click(self, button):
        """Click a button with the mouse, as far as it can be clicked."""
        self.form.ensureWidgetVisible(button)
        self.qtbot.mouseClick(button, Qt.MouseButton.LeftButton)

    def choose(self, box, value):
        """Choose an entry of a combo box by its value."""
        row = box.findData(value)
        assert row >= 0, value
        box.setCurrentIndex(row)

    def use(self, method, **parameters):
        """Choose a method and set its parameters."""
        self.choose(self.form.method, method)
        for name, value in parameters.items():
            self.form.fields().set_value(name, value)

    def add_shapes(self, *outlines, kind="polygon", **properties):
        """Put outlines (in voxels) on a Shapes layer in the image's place, by program."""
        layer = self.viewer.add_shapes(
            list(outlines),
            shape_type=kind,
            scale=self.image.scale[-len(outlines[0][0]) :],
            translate=self.image.translate[-len(outlines[0][0]) :],
            units=self.image.units[-len(outlines[0][0]) :],
            edge_width=1,
            face_color="transparent",
            **{"name": "mine", **properties},
        )
        self.form.start.choose(layer)
        return layer

    def run(self):
        """Press Run and wait for the end."""
        self.click(self.form.run)
        self.wait_idle()

    # What is waited for

    def wait_idle(self, timeout=30000):
        """Wait until nothing runs."""
        self.qtbot.waitUntil(lambda: not self.session.is_busy, timeout=timeout)

    def wait_moved(self, iteration=1):
        """Wait until a state from this iteration on was shown."""
        self.qtbot.waitUntil(lambda: self.iteration >= iteration, timeout=15000)

    @property
    def iteration(self) -> int:
        """Of the state on screen; -1 before the first one."""
        moving = self.panel._moving
        return -1 if moving is None else moving.iteration

    # What should come out

    def drawn(self, layer=None, which="all"):
        """Shapes of a layer on the image's grid, as operations take them."""
        return shapes_of(layer or self.start, self.image, which, viewer=self.viewer)[0]

    def expected(self, shapes=None, **inputs):
        """What the single door gives for shapes, or other inputs, with the panel's settings."""
        if shapes is not None:
            inputs["shapes"] = DrawnShapes(tuple(shapes))
        return operations.run(
            self.form.method_name(),
            {"image": self.panel.images.image(), **inputs},
            {**self.form.fields().values(), "shapes": True},
        )

    def labels(self) -> Labels | None:
        """The Labels layer of the results."""
        return self._result(Labels)

    def shapes(self) -> Shapes | None:
        """The Shapes layer of the results."""
        return self._result(Shapes)

    def _result(self, kind):
        found = [
            layer
            for layer in self.viewer.layers
            if isinstance(layer, kind) and "slot" in layer.metadata.get("napari_seedbed", {})
        ]
        assert len(found) < 2
        return found[0] if found else None


class SnakesWindow(SnakesBench):
    """The same with a napari window, whose dock the panel is in."""

    def __init__(self, make_napari_viewer, qtbot, image=None, **layer) -> None:
        viewer = make_napari_viewer(show=True)
        # Software rendering takes as long as the picture is large.
        viewer.window.resize(900, 600)
        super().__init__(viewer, qtbot, image, **layer)

    def _show(self):
        self.dock = self.viewer.window.add_dock_widget(self.panel, name="Snakes")

    def lasso(self, corners):
        """Draw a closed outline on the picture with the mouse; corners in voxels (..., y, x)."""
        if not isinstance(self.start, Shapes):
            self.click(self.form.new_shapes)
            self.qtbot.wait(20)
        trace(self.viewer, [self.world(place) for place in corners], steps=1)
        return self.start


_NOTICED = 0.2


class Heartbeat:
    """Measures how long the event loop was kept from its work."""

    def __init__(self, milliseconds=5) -> None:
        self.gaps = []
        self._last = time.perf_counter()
        self._timer = QTimer()
        self._timer.setInterval(milliseconds)
        self._timer.timeout.connect(self._beat)

    def _beat(self):
        now = time.perf_counter()
        self.gaps.append(now - self._last)
        self._last = now

    def __enter__(self):
        self._last = time.perf_counter()
        self._timer.start()
        return self

    def __exit__(self, *error):
        self._timer.stop()

    @property
    def longest(self) -> float:
        """Seconds of the longest gap; it depends on what else the machine does."""
        return max(self.gaps, default=0.0)

    @property
    def stuck(self) -> float:
        """Share of the time in which the window did nothing for longer than a person notices."""
        return sum(gap for gap in self.gaps if gap > _NOTICED) / sum(self.gaps)
