"""A scene of the differences panel: two photographs of candies, and the six changes between them."""

from importlib import resources

from napari import Viewer
from waiting import wait_until

from napari_seedbed.gui.differences_panel import DifferencesPanel


def build_differences(viewer: Viewer) -> DifferencesPanel:
    """Show the difference, its boxes, and the list of changes with one chosen."""
    samples = resources.files("napari_seedbed") / "samples"
    for name in ("candies_changed.jpg", "candies.jpg"):
        viewer.open(str(samples / name))
    panel = DifferencesPanel(viewer)
    dock = viewer.window.add_dock_widget(panel, name="Differences", area="right")
    dock.setMinimumWidth(330)
    panel.form.inputs.image.choose(viewer.layers["candies"])
    wait_until(lambda: len(panel.form.changes) > 0 and not len(panel.jobs), "the changes")
    viewer.reset_view(margin=0.02)
    panel.layers.select(6)
    panel.form.changes.selectRow(5)
    return panel
