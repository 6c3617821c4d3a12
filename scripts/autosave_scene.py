"""The scene of the page on autosave: a window that offers what was drawn in one that was killed."""

import os
import shutil
from pathlib import Path

from napari import Viewer
from napari.components import ViewerModel
from qtpy.QtWidgets import QMainWindow
from waiting import wait_until

from napari_seedbed.gui.forms.restore_bar import RestoreBar, begin_autosave
from napari_seedbed.gui.hooks.npe2_hooks import open_nuclei_2d
from napari_seedbed.gui.layers.image_layers import add_seeds_layer
from napari_seedbed.gui.tools.walker.seeded_segmentation_panel import SeededSegmentationPanel
from napari_seedbed.pipeline.journal.folders import ROOT_VARIABLE, discard

_STROKES = ((60, 80), (200, 150), (120, 190))
_CLICKS = ((40, 200), (220, 60), (160, 180))


def build_restoring(viewer: Viewer) -> None:
    """Leave work as a killed process does, and open a panel in the next window."""
    _leave_work(Path(os.environ[ROOT_VARIABLE]))
    data, properties, _ = open_nuclei_2d()[0]
    viewer.add_image(data, **properties)
    panel = SeededSegmentationPanel(viewer)
    viewer.window.add_dock_widget(panel, name="Seeded segmentation (Seedbed)", area="right")
    wait_until(lambda: panel.findChild(RestoreBar).isVisible(), "the offer")


def _leave_work(root: Path) -> None:
    """Draw in a window that nobody sees, and keep its journal as it is while that is open."""
    model, window = ViewerModel(), QMainWindow()
    autosave = begin_autosave(model, window)  # type: ignore[arg-type]
    data, properties, _ = open_nuclei_2d()[0]
    seeds = add_seeds_layer(model, model.add_image(data, **properties))
    for label, (y, x) in enumerate(_STROKES, 1):
        with seeds.block_history():
            for step in range(30):
                seeds.paint((y, x + step), label)
    model.add_points(_CLICKS, name="mitoses", scale=seeds.scale)
    autosave.flush(10)
    folder = autosave.folder
    shutil.copytree(folder, root / "killed")
    window.close()
    discard(folder)
