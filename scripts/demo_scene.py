"""The demo scene: real nuclei in napari, strokes on two slices, and what they grow into."""

import sys
from pathlib import Path

import numpy as np
from napari import Viewer
from napari.layers import Image, Labels
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication
from waiting import wait_until

from napari_seedbed.gui.forms.preparation import preparation
from napari_seedbed.gui.tools.walker.seeded_segmentation_panel import SeededSegmentationPanel

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "examples"))
from nuclei_seeded_segmentation import IMAGES  # noqa: E402
from nuclei_strokes import BACKGROUND, STROKES  # noqa: E402
from painting_strokes import stroke_mask  # noqa: E402

NUCLEI = IMAGES / "nuclei.ome.tif"
SLICE = 60
DOCK_WIDTH = 340


def open_nuclei(viewer: Viewer) -> Image:
    """Open the volume with the plugin's reader."""
    (layer,) = viewer.open(NUCLEI, plugin="napari-seedbed")
    layer.contrast_limits = [float(v) for v in np.percentile(layer.data, (1, 99.8))]
    return layer


def open_panel(viewer: Viewer, image: Image) -> SeededSegmentationPanel:
    """Open seeded segmentation on an image, with an empty seeds layer."""
    dock, panel = viewer.window.add_plugin_dock_widget("napari-seedbed", "Seeded segmentation")
    # Wide enough for the dock's title and for the names of the layers.
    viewer.window._qt_window.resizeDocks([dock], [DOCK_WIDTH], Qt.Orientation.Horizontal)
    wait_until(panel.isVisible, "the panel")
    # Or the time that compiling takes would be taken for the speed of this machine.
    wait_until(lambda: preparation.is_done, "the end of compiling")
    panel.form.image.choose(image)
    panel.form.new_seeds.click()
    # What a person switches on stays on, however slow or busy the machine is.
    panel.form.live.setChecked(False)
    panel.form.live.click()
    return panel


def show_slice(viewer: Viewer, layer: Image | Labels, z: int) -> None:
    """Show one slice, filling the canvas."""
    viewer.dims.set_point(0, float(layer.scale[0]) * z)
    viewer.reset_view(margin=0.02)


def paint_strokes(panel: SeededSegmentationPanel) -> Labels:
    """Paint the strokes on the seeds layer, one by one, as a brush does."""
    seeds = panel.seeds.layer
    assert isinstance(seeds, Labels)
    panel.tools.history.set_background(BACKGROUND)
    for z, label, corners in STROKES:
        rows, columns = np.nonzero(stroke_mask(corners, seeds.data.shape[1:]))
        seeds.data_setitem((np.full_like(rows, z), rows, columns), label)
        QApplication.processEvents()
    return seeds


def wait_for_exact_result(panel: SeededSegmentationPanel) -> Labels:
    """Wait for the final result and return its layer."""
    wait_until(lambda: panel.session.is_final, "the result")
    result = panel.results.labels(panel.form.image.layer())
    assert result is not None
    return result


def build(viewer: Viewer) -> tuple[SeededSegmentationPanel, Labels]:
    """Build the whole scene in a viewer.

    Returns
    -------
    panel : SeededSegmentationPanel
    result : Labels layer
    """
    image = open_nuclei(viewer)
    panel = open_panel(viewer, image)
    show_slice(viewer, image, SLICE)
    paint_strokes(panel)
    result = wait_for_exact_result(panel)
    viewer.canvas.overlays.scale_bar.visible = True
    return panel, result
