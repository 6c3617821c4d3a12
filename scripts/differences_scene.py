"""Scenes of the differences panel: two photographs with six changes, and a film of nuclei."""

from importlib import resources

from napari import Viewer
from waiting import wait_until

from napari_seedbed.gui.tools.differences.differences_panel import DifferencesPanel

SAMPLES = resources.files("napari_seedbed") / "samples"


def build_differences(viewer: Viewer) -> DifferencesPanel:
    """Show the difference of two photographs, its boxes, and the list with one change chosen."""
    for name in ("candies_changed.jpg", "candies.jpg"):
        viewer.open(str(SAMPLES / name))
    panel = _panel(viewer)
    panel.form.inputs.image.choose(viewer.layers["candies"])
    wait_until(lambda: len(panel.form.changes) > 0 and not panel.is_busy, "the changes")
    viewer.reset_view(margin=0.02)
    panel.layers.select(6)
    panel.form.changes.selectRow(5)
    return panel


def build_film_differences(viewer: Viewer) -> DifferencesPanel:
    """Show what changed in a film since its first time point, at one of them."""
    viewer.open(str(SAMPLES / "nuclei_film.ome.tif"), plugin="napari-seedbed")
    panel = _panel(viewer)
    panel.form.source.setCurrentIndex(1)
    panel.form.fields.set_value("register", "none")
    panel.form.frames.set_value("against", "frame")
    viewer.dims.set_point(0, 12)
    wait_until(lambda: len(panel.form.changes) > 0 and not panel.is_busy, "the changes")
    viewer.reset_view(margin=0.02)
    return panel


def _panel(viewer: Viewer) -> DifferencesPanel:
    panel = DifferencesPanel(viewer)
    dock = viewer.window.add_dock_widget(panel, name="Differences", area="right")
    dock.setMinimumWidth(330)
    return panel
