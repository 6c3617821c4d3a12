"""Scenes of the chromaticity panel: the water of a woodcut from one patch."""

import sys
from pathlib import Path

from napari import Viewer
from qtpy.QtCore import Qt
from waiting import wait_until

from napari_seedbed.gui.tools.colour.chromaticity_panel import ChromaticityPanel
from napari_seedbed.pipeline.files.image_reading import read_image

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "examples"))
from water_painting import PATCH, PICTURE  # noqa: E402

DOCK_WIDTH = 340


def build_water(viewer: Viewer) -> ChromaticityPanel:
    """Draw a patch on the water and show the mask that it gives."""
    viewer.add_image(read_image(PICTURE).array, rgb=True, name="great_wave")
    dock, panel = viewer.window.add_plugin_dock_widget("napari-seedbed", "Chromaticity")
    viewer.window._qt_window.resizeDocks([dock], [DOCK_WIDTH], Qt.Orientation.Horizontal)
    wait_until(panel.isVisible, "the panel")
    panel.form.new_patch.click()
    patches = panel.form.patches.layer()
    patches.add_rectangles([shape.points for shape in PATCH.shapes])
    patches.mode = "pan_zoom"
    panel.form.threshold.set_value(0.2)
    wait_until(lambda: not panel.is_busy, "the preview")
    viewer.reset_view(margin=0.02)
    return panel
