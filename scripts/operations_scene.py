"""The scene of the page on forms: touching nuclei split, as a preview, in the panel of all."""

from napari import Viewer
from waiting import wait_until

from napari_seedbed.gui.forms.operation_form import form_class

_DOCK_WIDTH = 340


def build_operations(viewer: Viewer) -> None:
    """Threshold an image, and preview the split of what touches, found by searching."""
    image, truth = viewer.open_sample("napari-seedbed", "nuclei_2d")
    viewer.layers.remove(truth)
    threshold = form_class("threshold")(viewer)
    threshold.image.choose(image)
    threshold.run()
    wait_until(lambda: not threshold.is_running, "the threshold")
    mask = viewer.layers[f"{image.name} > Otsu"]
    mask.visible = False
    threshold.close()
    dock, panel = viewer.window.add_plugin_dock_widget("napari-seedbed", "All operations")
    dock.setMinimumWidth(_DOCK_WIDTH)
    panel.search.setText("split")
    form = panel.choose("split_touching")
    form.image.choose(mask)
    form.follow.setChecked(True)
    wait_until(lambda: not form.preview.is_busy, "the preview")
    viewer.reset_view()
