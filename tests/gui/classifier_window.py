"""A napari window with two textures and the pixel classifier panel beside it."""

import numpy as np
from qtpy.QtCore import Qt

from napari_seedbed.gui.pixel_classifier_panel import PixelClassifierPanel
from napari_seedbed.gui.preparation import classifier_preparation
from napari_seedbed.gui.seed_layers import seeds_image
from napari_seedbed.pipeline import operations

SHAPE = (4, 48, 64)
SCALE = (2.0, 0.5, 0.5)
PLACE = (100.0, 10.0, 20.0)


def cells(shape=SHAPE, seed=1, gain=1.0):
    """A bright smooth box in a dark, noisy ground, and the truth."""
    rng = np.random.default_rng(seed)
    truth = np.zeros(shape, bool)
    truth[..., 12:36, 20:44] = True
    image = 200 + gain * (600 * truth + rng.normal(0, 60, shape))
    return image.astype(np.uint16), truth


class ClassifierWindow:
    """The viewer, the panel in its dock, and short names for what tests do all the time."""

    def __init__(self, make_napari_viewer, qtbot, image=None, **layer) -> None:
        self.qtbot = qtbot
        self.viewer = make_napari_viewer(show=True)
        # Software rendering takes as long as the picture is large.
        self.viewer.window.resize(1000, 700)
        if image is None:
            image, self.truth = cells()
            layer = {"scale": SCALE, "translate": PLACE, "units": ("um",) * 3, **layer}
        self.image = self.viewer.add_image(image, **{"name": "cells", "rgb": False, **layer})
        self.panel = PixelClassifierPanel(self.viewer)
        self.viewer.window.add_dock_widget(self.panel, name="Pixel classifier")
        self.form = self.panel.form
        self.panel.session.settle_seconds = 0.2  # the hand of a test rests quickly
        qtbot.waitUntil(lambda: classifier_preparation.is_done, timeout=300000)
        qtbot.wait(50)

    @property
    def seeds(self):
        """The chosen layer of strokes."""
        return self.form.seeds.layer()

    @property
    def result(self):
        """The classes, None before the first run."""
        return self.panel.results.labels(self.panel.images.layer)

    @property
    def status(self) -> str:
        """The line under the buttons."""
        return self.form.controls.status.text()

    def world(self, index):
        """World position of a voxel of the image."""
        return self.image.data_to_world(index)

    def click(self, button):
        """Press a button with the mouse."""
        self.qtbot.mouseClick(button, Qt.MouseButton.LeftButton)

    def new_seeds(self):
        """Press 'New strokes' and look at the second slice."""
        self.click(self.form.new_seeds)
        self.viewer.dims.set_point(0, self.world((1, 0, 0))[0])
        self.viewer.reset_view()  # the dock has taken some of the canvas
        self.qtbot.wait(50)
        return self.seeds

    def mark_by_program(self, layer=None):
        """Mark box and ground as a script would."""
        layer = layer or self.new_seeds()
        lead = (1,) if layer.ndim == 3 else ()
        y, x = np.mgrid[20:26, 26:38].reshape(2, -1)
        layer.data_setitem((*(np.full(y.shape, z) for z in lead), y, x), 1)
        y, x = np.mgrid[2:6, 4:60].reshape(2, -1)
        layer.data_setitem((*(np.full(y.shape, z) for z in lead), y, x), 2)
        return layer

    def wait_final(self):
        """Wait for the result on all of the image for the present strokes."""
        self.panel.seeds.look_if_due()
        self.qtbot.waitUntil(lambda: self.panel.session.is_final, timeout=60000)

    def expected(self):
        """What the single door gives for the strokes as they are now."""
        image = self.panel.images.image()
        seeds = seeds_image(self.seeds, self.panel.images.layer)
        parameters = self.panel.form.fields.values()
        result = operations.run(
            "pixel_classification", {"image": image, "seeds": seeds}, parameters
        )
        return result.outputs["labels"].array
