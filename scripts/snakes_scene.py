"""Scenes of the snakes panel: the astronaut's head from a circle, and nuclei from three slices."""

import sys
from pathlib import Path

from napari import Viewer
from napari.layers import Shapes
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication
from skimage.data import astronaut
from waiting import wait_until

from napari_seedbed.gui.forms.preparation import snakes_preparation
from napari_seedbed.gui.tools.snakes.snakes_panel import SnakesPanel

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "examples"))
from snakes_drawn import astronaut_circle, drawn  # noqa: E402

DOCK_WIDTH = 340
SLICE = 48
"""A slice of the volume on which two of the nuclei were outlined."""


def build_astronaut(viewer: Viewer) -> SnakesPanel:
    """Let a circle contract onto the astronaut's head."""
    viewer.add_image(astronaut(), rgb=True, name="astronaut")
    panel, shapes = _open(viewer)
    shapes.add_polygons([circle.points for circle in astronaut_circle()])
    _run(panel)
    viewer.reset_view(margin=0.02)
    return panel


def build_volume(viewer: Viewer) -> SnakesPanel:
    """Let outlines of nuclei on three slices each become surfaces in 3D."""
    viewer.open_sample("napari-seedbed", "nuclei")
    panel, shapes = _open(viewer)
    outlines = drawn("nuclei_slice_outlines.csv")
    shapes.add_polygons([outline.points for outline in outlines])
    shapes.features = {"label": [outline.label for outline in outlines]}
    panel.form.result.setCurrentIndex(panel.form.result.findData("labels"))
    _run(panel)
    viewer.dims.set_point(0, float(viewer.layers[0].scale[0]) * SLICE)
    viewer.reset_view(margin=0.02)
    return panel


def _open(viewer: Viewer) -> tuple[SnakesPanel, Shapes]:
    dock, panel = viewer.window.add_plugin_dock_widget("napari-seedbed", "Snakes")
    viewer.window._qt_window.resizeDocks([dock], [DOCK_WIDTH], Qt.Orientation.Horizontal)
    wait_until(panel.isVisible, "the panel")
    wait_until(lambda: snakes_preparation.is_done, "the end of compiling")
    panel.form.new_shapes.click()
    shapes = panel.form.start.layer()
    assert isinstance(shapes, Shapes)
    return panel, shapes


def _run(panel: SnakesPanel) -> None:
    panel.form.run.click()
    wait_until(lambda: panel.session.state == "idle", "the end of the run")
    QApplication.processEvents()
