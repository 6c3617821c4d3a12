"""A napari window that paints until it is killed: a process of its own.

Arguments: the file of the image, a folder for what was painted, and what goes on meanwhile.
"""

import sys
import threading
from pathlib import Path

import napari
import numpy as np
from painting import drag
from qtpy.QtTest import QTest

from napari_seedbed.gui.forms.preparation import preparation
from napari_seedbed.gui.layers.image_layers import image_of
from napari_seedbed.gui.tools.walker.seeded_segmentation_panel import SeededSegmentationPanel
from napari_seedbed.pipeline.files import write_result

REST = 600
"""Milliseconds between two strokes, as a quick hand takes."""


def main(image: str, folder: Path, meanwhile: str) -> None:
    """Paint horizontal strokes, each with a label of its own, and say when each is done."""
    viewer = napari.Viewer(show=True)
    viewer.window.resize(900, 560)
    viewer.open(image, plugin="napari-seedbed")
    layer = viewer.layers[0]
    panel = SeededSegmentationPanel(viewer)
    viewer.window.add_dock_widget(panel)
    panel.form.live.setChecked(False)
    QTest.qWait(200)
    panel.form.new_seeds.click()
    seeds = viewer.layers[-1]
    seeds.brush_size = 2
    points = viewer.add_points(ndim=seeds.ndim, name="clicks", scale=layer.scale)
    viewer.layers.selection.active = seeds
    n_planes, n_rows, n_columns = seeds.data.shape
    viewer.dims.set_point(0, layer.data_to_world((n_planes // 2, 0, 0))[0])
    if meanwhile == "run":
        while not preparation.is_done:
            QTest.qWait(50)
    if meanwhile == "save":
        threading.Thread(target=save_for_ever, args=(folder, image_of(layer)), daemon=True).start()
    for stroke in range(1, n_rows // 4 - 2):
        seeds.selected_label = stroke
        row = 4 * stroke
        places = [
            layer.data_to_world((n_planes // 2, row, x)) for x in (n_columns / 4, n_columns / 2)
        ]
        drag(viewer, *places)
        points.add([(n_planes // 2, row, 3)])
        np.save(folder / "painted.npy", seeds.data)
        QTest.qWait(REST)
        print(stroke, int(np.count_nonzero(seeds.data == stroke)), flush=True)
        if meanwhile == "run" and stroke == 2:
            panel.run()


def save_for_ever(folder: Path, image: object) -> None:
    """Write a file again and again."""
    while True:
        write_result(folder / "saved.ome.tif", "image", image)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3])
