"""The scene of cells from nuclei: two stains of cells in culture, nuclei made to cells."""

from pathlib import Path

from napari import Viewer
from waiting import wait_until

from napari_seedbed.gui.forms.operation_form import OperationForm, form_class

_DOCK_WIDTH = 340
_DNA, _CELLS = "cp_human_d0", "cp_human_d2"


def build_cells(viewer: Viewer, data: Path) -> OperationForm:
    """Threshold the nuclei, split those that touch, and grow them in the stain of the cells."""
    files = [str(data / "img2d" / f"{name}.tif") for name in (_DNA, _CELLS)]
    viewer.open(files, plugin="napari-seedbed")
    stain = viewer.layers[_CELLS]
    chosen = viewer.layers[_DNA]
    for operation in ("threshold", "split_touching"):
        form = form_class(operation)(viewer)
        form.image.choose(chosen)
        _run(form)
        chosen = viewer.layers[-1]
        form.close()
    dock, panel = viewer.window.add_plugin_dock_widget("napari-seedbed", "All operations")
    dock.setMinimumWidth(_DOCK_WIDTH)
    viewer.layers.selection.active = stain
    panel.search.setText("IdentifySecondaryObjects")
    form = panel.choose("cells_from_nuclei")
    form.image.choose(stain)
    _run(form)
    viewer.layers[-1].contour = 2
    stain.contrast_limits = (0, 120)
    viewer.reset_view(margin=0.02)
    viewer.scene.camera.zoom *= 1.6
    return form


def _run(form: OperationForm) -> None:
    form.run()
    wait_until(lambda: not form.is_running, "the result")
