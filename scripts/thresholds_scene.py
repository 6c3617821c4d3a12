"""A scene of the threshold panel: nuclei, with the line at one of the marked values."""

from napari import Viewer
from waiting import wait_until

from napari_seedbed.gui.tools.thresholds.threshold_panel import ThresholdPanel


def build_thresholds(viewer: Viewer) -> ThresholdPanel:
    """Show the histogram of an image and the mask that Li's value gives."""
    viewer.open_sample("napari-seedbed", "nuclei_2d")
    panel = ThresholdPanel(viewer)
    dock = viewer.window.add_dock_widget(panel, name="Threshold", area="right")
    dock.setMinimumWidth(330)
    viewer.layers.selection.active = viewer.layers[0]

    def is_shown() -> bool:
        return panel.counted is not None and not panel.preview.is_busy

    wait_until(is_shown, "the histogram")
    panel.use_method("li")
    wait_until(lambda: not panel.preview.is_busy, "the mask")
    viewer.reset_view(margin=0.02)
    return panel
