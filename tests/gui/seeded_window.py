"""A napari window with a ball to segment and the panel of seeded segmentation beside it."""

import numpy as np
from strokes_window import SCALE, StrokesWindow

from napari_seedbed.gui.forms.preparation import preparation
from napari_seedbed.gui.tools.walker.seeded_segmentation_panel import SeededSegmentationPanel

SHAPE = (20, 32, 32)
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


class SeededWindow(StrokesWindow):
    """The window with the panel of seeded segmentation."""

    panel_class, preparation = SeededSegmentationPanel, preparation
    size, middle = (900, 560), CENTRE
    scene = staticmethod(ball)

    def __init__(self, make_napari_viewer, qtbot, image=None, engine="automatic", **layer) -> None:
        super().__init__(make_napari_viewer, qtbot, image, **layer)
        self.panel.parameters.set_value("engine", engine)
        self.panel.session.settle_seconds = 0.2  # the hand of a test rests quickly
        self.wait_prepared()

    def seed_by_program(self):
        """Mark the ball and the ground as a script would; the seeds are `data_setitem` edits."""
        seeds = self.seeds or self.new_seeds()
        z, y, x = np.mgrid[9:12, 14:19, 14:19].reshape(3, -1)
        seeds.data_setitem((z, y, x), 1)
        z, y, x = np.mgrid[9:12, 1:31, 1:3].reshape(3, -1)
        seeds.data_setitem((z, y, x), 2)
        return seeds

    def wait_idle(self):
        """Wait until nothing runs or is about to."""
        session = self.panel.session
        self.panel.seeds.look_if_due()
        self.qtbot.waitUntil(
            lambda: session.state in ("idle", "final") and not session.is_running, timeout=30000
        )
