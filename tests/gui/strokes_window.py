"""A napari window with an image, and a panel beside it that follows strokes."""

from qtpy.QtCore import Qt

from napari_seedbed.gui.layers.seed_layers import seeds_image
from napari_seedbed.pipeline import operations

SCALE = (2.0, 0.5, 0.5)
PLACE = (100.0, 10.0, 20.0)


class StrokesWindow:
    """The viewer, the panel in its dock, and short names for what tests do all the time.

    `panel_class`, `preparation`, `size` of the window, `middle`, an index of voxels in the slice to
    look at, and `scene`, which gives an image and its truth, are for each panel to say.
    """

    def __init__(self, make_napari_viewer, qtbot, image=None, **layer) -> None:
        self.qtbot = qtbot
        self.viewer = make_napari_viewer(show=True)
        # Software rendering takes as long as the picture is large.
        self.viewer.window.resize(*self.size)
        if image is None:
            image, self.truth = self.scene()
            layer = {"scale": SCALE, "translate": PLACE, "units": ("um",) * 3, **layer}
        self.image = self.viewer.add_image(image, **{"name": "cells", "rgb": False, **layer})
        self.panel = self.panel_class(self.viewer)
        self.viewer.window.add_dock_widget(self.panel, name=self.panel.about.capitalize())
        self.form = self.panel.form

    def wait_prepared(self):
        """On a machine that never ran the solver it is compiled first."""
        self.qtbot.waitUntil(lambda: self.preparation.is_done, timeout=300000)
        self.qtbot.wait(50)

    @property
    def seeds(self):
        """The chosen layer of strokes."""
        return self.form.seeds.layer()

    @property
    def result(self):
        """The labels, None before the first run."""
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
        """Press 'New' and look at the slice in the middle."""
        self.click(self.form.new_seeds)
        self.viewer.dims.set_point(0, self.world(self.middle)[0])
        self.qtbot.wait(50)
        return self.seeds

    def wait_final(self):
        """Wait for the exact result of the present strokes."""
        self.panel.seeds.look_if_due()
        self.qtbot.waitUntil(lambda: self.panel.session.is_final, timeout=60000)

    def expected(self):
        """What the single door gives for the strokes as they are now, from a fresh start."""
        inputs = {
            "image": self.panel.images.image(),
            "seeds": seeds_image(self.seeds, self.panel.images.layer),
        }
        result = operations.run(self.panel.operation, inputs, self.panel._parameters())
        return result.outputs["labels"].array
