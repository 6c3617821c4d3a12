"""The scene of images larger than memory: a run into files that is paused halfway."""

import tempfile
from importlib.resources import as_file, files
from pathlib import Path

import numpy as np
from napari import Viewer
from qtpy.QtWidgets import QApplication
from waiting import wait_until

from napari_seedbed.gui.forms.operation_form import OperationForm, form_class
from napari_seedbed.gui.forms.storage_choice import FILES
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.files import read_image, zarr_levels, zarr_reading
from napari_seedbed.pipeline.files.zarr_writing import write_zarr

_DOCK_WIDTH = 340
_TIMES = (1, 8, 10)
_FOLDER = tempfile.TemporaryDirectory()


def build_large(viewer: Viewer) -> OperationForm:
    """Smooth a large volume block by block, and pause when some blocks are there."""
    # as if it did not fit into memory, in blocks as small as the picture
    zarr_reading.LAZY_ABOVE = 1
    zarr_levels._BLOCKS_A_SHARD = {"y": 1, "x": 1}
    zarr_levels._BLOCK_3D = (64, 128, 128)
    with as_file(files("napari_seedbed") / "samples" / "nuclei.ome.tif") as sample:
        nuclei = read_image(sample, lazy=False).channels()[0]
    many = np.tile(np.asarray(nuclei.array), _TIMES)
    folder = Path(_FOLDER.name) / "light sheet"
    folder.mkdir()
    image = Image(many, nuclei.axes, nuclei.spacing, nuclei.units, name="embryo")
    path = write_zarr(folder / "embryo.ome.zarr", image)
    (layer,) = viewer.open(str(path), plugin="napari-seedbed")
    viewer.dims.set_point(0, layer.extent.world[1][0] / 2)
    form: OperationForm = form_class("median")(viewer)
    dock = viewer.window.add_dock_widget(form, name=form.operation.title, area="right")
    dock.setMinimumWidth(_DOCK_WIDTH)
    form.parameters.set_value("radius", 1.5)
    way = form.storage.way
    way.setCurrentIndex(way.findData(FILES))
    way.activated.emit(way.currentIndex())
    form.run()
    wait_until(lambda: len(viewer.layers) > 1, "the first block")
    QApplication.processEvents()
    form.controls.pause.click()
    wait_until(lambda: not form.is_running, "the end of the run")
    return form
