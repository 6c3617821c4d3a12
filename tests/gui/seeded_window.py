"""A napari window with a ball to segment and the panel of seeded segmentation beside it."""

import numpy as np

from napari_seedbed.gui.preparation import preparation
from napari_seedbed.gui.seed_layers import seeds_image
from napari_seedbed.gui.seeded_segmentation_panel import SeededSegmentationPanel
from napari_seedbed.pipeline import operations

SHAPE = (20, 32, 32)
SCALE = (2.0, 0.5, 0.5)
PLACE = (100.0, 10.0, 20.0)
CENTRE = (10, 16, 16)
RADIUS = 5.0  # in the unit of the scale: 2.5 planes, 10 rows, 10 columns


def ball(shape=SHAPE, scale=SCALE, centre=CENTRE, noise=0.05):
    """A noisy bright ball on a dark ground, and the truth."""
    grids = np.ogrid[tuple(slice(n) for n in shape)]
    distance = sum(((g - c) * s) ** 2 for g, c, s in zip(grids, centre, scale, strict=True))
    truth = distance < RADIUS**2
    rng = np.random.default_rng(1)
    image = truth + rng.normal(0, noise, shape)
    return (1000 * (image + 1)).clip(0).astype(np.uint16), truth


def dice(a, b):
    """Overlap of two masks, from 0 to 1."""
    return 2 * np.count_nonzero(a & b) / (np.count_nonzero(a) + np.count_nonzero(b))


class SeededWindow:
    """The viewer, the panel in its dock, and short names for what tests do all the time."""

    def __init__(self, make_napari_viewer, qtbot, image=None, engine="automatic", **layer) -> None:
        self.qtbot = qtbot
        self.viewer = make_napari_viewer(show=True)
        # Software rendering takes as long as the picture is large.
        self.viewer.window.resize(900, 560)
        if image is None:
            image, self.truth = ball()
            layer = {"scale": SCALE, "translate": PLACE, "units": ("um",) * 3, **layer}
        self.image = self.viewer.add_image(image, **{"name": "cells", "rgb": False, **layer})
        self.panel = SeededSegmentationPanel(self.viewer)
        self.viewer.window.add_dock_widget(self.panel, name="Seeded segmentation")
        self.form = self.panel.form
        self.panel.parameters.set_value("engine", engine)
        self.panel.session._settle.setInterval(200)  # the hand of a test rests quickly
        # On a machine that never ran the solver it is compiled first.
        qtbot.waitUntil(lambda: preparation.is_done, timeout=300000)
        qtbot.wait(50)

    @property
    def seeds(self):
        """The chosen seeds layer."""
        return self.form.seeds.layer()

    @property
    def result(self):
        """The segmentation, None before the first run."""
        return self.panel.results.labels(self.image)

    @property
    def status(self) -> str:
        """The line under the buttons."""
        return self.form.status.text()

    def world(self, index):
        """World position of a voxel of the image."""
        return self.image.data_to_world(index)

    def new_seeds(self):
        """Press 'New seeds' and look at the middle slice."""
        self.qtbot.mouseClick(self.form.new_seeds, _left())
        self.viewer.dims.set_point(0, self.world(CENTRE)[0])
        self.qtbot.wait(50)
        return self.seeds

    def seed_by_program(self):
        """Mark the ball and the ground as a script would; the seeds are `data_setitem` edits."""
        seeds = self.seeds or self.new_seeds()
        z, y, x = np.mgrid[9:12, 14:19, 14:19].reshape(3, -1)
        seeds.data_setitem((z, y, x), 1)
        z, y, x = np.mgrid[9:12, 1:31, 1:3].reshape(3, -1)
        seeds.data_setitem((z, y, x), 2)
        return seeds

    def wait_final(self):
        """Wait for the exact result of the present seeds."""
        self.panel.seeds.look_if_due()
        self.qtbot.waitUntil(lambda: self.panel.session.is_final, timeout=30000)

    def wait_idle(self):
        """Wait until nothing runs or is about to."""
        session = self.panel.session
        self.panel.seeds.look_if_due()
        self.qtbot.waitUntil(
            lambda: session.state in ("idle", "final") and not session.is_running, timeout=30000
        )

    def expected(self):
        """What the single door gives for the seeds as they are now, from a fresh start."""
        image = self.panel.images.image()
        seeds = seeds_image(self.seeds, self.image)
        parameters = self.panel.requests.parameters()
        result = operations.run("seeded_segmentation", {"image": image, "seeds": seeds}, parameters)
        return result.outputs["labels"].array


def _left():
    from qtpy.QtCore import Qt

    return Qt.MouseButton.LeftButton
