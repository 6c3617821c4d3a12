"""The scenes of a kernel that is typed, of a crop to the view, and of a collection of files."""

import atexit
import shutil
import tempfile
from pathlib import Path

from napari import Viewer
from qtpy.QtWidgets import QWidget
from skimage import data, io
from waiting import wait_until

from napari_seedbed.gui.hooks.operation_widgets import widget_class
from napari_seedbed.pipeline import operations

_DOCK_WIDTH = 340


def _opened(viewer: Viewer, name: str) -> QWidget:
    operation = operations.get(name)
    form = widget_class(operation)(viewer)
    dock = viewer.window.add_dock_widget(form, name=operation.title, area="right")
    dock.setMinimumWidth(_DOCK_WIDTH)
    return form


def build_kernel(viewer: Viewer) -> None:
    """Preview the slope along x of the coins by a typed kernel."""
    coins = viewer.add_image(data.coins(), name="coins", axis_labels=("y", "x"))
    form = _opened(viewer, "custom_kernel")
    form.image.choose(coins)
    form.parameters.set_value("kernel", "-1/8 0 1/8\n-2/8 0 2/8\n-1/8 0 1/8")
    form.follow.setChecked(True)
    wait_until(lambda: not form.preview.is_busy, "the preview")
    viewer.reset_view()


def build_crop(viewer: Viewer) -> None:
    """Take the ranges of what is in view."""
    viewer.add_image(data.astronaut(), name="astronaut")
    form = _opened(viewer, "crop")
    viewer.reset_view()
    viewer.scene.camera.center, viewer.scene.camera.zoom = (120, 225), 3.4
    wait_until(lambda: form.take_view.isVisible(), "the form")
    form.take_view.click()


def build_collection(viewer: Viewer) -> None:
    """Open the slices of a volume that lie in files of their own."""
    nuclei = viewer.open_sample("napari-seedbed", "nuclei")[0]
    folder = Path(tempfile.gettempdir()) / "nuclei_slices"
    folder.mkdir(exist_ok=True)
    # the files are read for as long as somebody looks at them
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    for number, plane in enumerate(nuclei.data, start=1):
        io.imsave(folder / f"slice{number}.tif", plane, check_contrast=False)
    viewer.layers.clear()
    title = "Open image collection…"
    dock, panel = viewer.window.add_plugin_dock_widget("napari-seedbed", title)
    dock.setMinimumWidth(_DOCK_WIDTH)
    panel.source.setText(str(folder))
    panel.axis.setCurrentIndex(panel.axis.findData("z"))
    panel.open_files()
    wait_until(lambda: len(viewer.layers) > 0, "the collection")
    viewer.reset_view()
