"""A napari window with two textures and the pixel classifier panel beside it."""

import numpy as np
from strokes_window import StrokesWindow

from napari_seedbed.gui.forms.preparation import classifier_preparation
from napari_seedbed.gui.tools.classifier.pixel_classifier_panel import PixelClassifierPanel

SHAPE = (4, 48, 64)


def cells(shape=SHAPE, seed=1, gain=1.0):
    """A bright smooth box in a dark, noisy ground, and the truth."""
    rng = np.random.default_rng(seed)
    truth = np.zeros(shape, bool)
    truth[..., 12:36, 20:44] = True
    image = 200 + gain * (600 * truth + rng.normal(0, 60, shape))
    return image.astype(np.uint16), truth


class ClassifierWindow(StrokesWindow):
    """The window with the panel of the pixel classifier."""

    panel_class, preparation = PixelClassifierPanel, classifier_preparation
    size, middle = (1000, 700), (1, 0, 0)
    scene = staticmethod(cells)

    def __init__(self, make_napari_viewer, qtbot, image=None, **layer) -> None:
        super().__init__(make_napari_viewer, qtbot, image, **layer)
        self.panel.session.settle_seconds = 0.2  # the hand of a test rests quickly
        self.wait_prepared()

    def new_seeds(self):
        """Press 'New' and look at the second slice, all of it."""
        seeds = super().new_seeds()
        self.viewer.reset_view()  # the dock has taken some of the canvas
        self.qtbot.wait(50)
        return seeds

    def mark_by_program(self, layer=None):
        """Mark box and ground as a script would."""
        layer = layer or self.new_seeds()
        lead = (1,) if layer.ndim == 3 else ()
        y, x = np.mgrid[20:26, 26:38].reshape(2, -1)
        layer.data_setitem((*(np.full(y.shape, z) for z in lead), y, x), 1)
        y, x = np.mgrid[2:6, 4:60].reshape(2, -1)
        layer.data_setitem((*(np.full(y.shape, z) for z in lead), y, x), 2)
        return layer
