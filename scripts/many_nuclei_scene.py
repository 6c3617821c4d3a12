"""The volume without voxel size: twenty nuclei of cells in culture, a stroke or peak in each."""

from pathlib import Path

import numpy as np
import tifffile
from demo_scene import open_panel, show_slice
from napari import Viewer
from napari.layers import Labels
from numpy.typing import NDArray
from qtpy.QtWidgets import QApplication
from scipy import ndimage as ndi
from skimage.morphology import skeletonize
from waiting import wait_until

from napari_seedbed.gui.tools.walker.seeded_segmentation_panel import SeededSegmentationPanel

SPACING = (0.29, 0.26, 0.26)
LEAST_VOXELS = 500
DIAMETER = 11.0
HALF_LENGTH, SLOPE = 5, 0.4
FAR = 2


def stroke_in(nucleus: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """A stroke of 11 x 3 pixels through the deepest point of the nucleus' middle slice."""
    z = int(np.median(np.nonzero(nucleus)[0]))
    inside = ndi.binary_fill_holes(nucleus[z])
    depth = ndi.distance_transform_edt(np.pad(inside, 1))[1:-1, 1:-1]
    y, x = np.unravel_index(depth.argmax(), depth.shape)
    line = np.zeros(inside.shape, bool)
    for step in range(-HALF_LENGTH, HALF_LENGTH + 1):
        row, column = round(y + SLOPE * step), int(x) + step
        if 0 <= row < line.shape[0] and 0 <= column < line.shape[1]:
            line[row, column] = True
    stroke = np.zeros(nucleus.shape, bool)
    stroke[z] = ndi.binary_dilation(line, np.ones((3, 3))) & inside
    return stroke


def line_between(objects: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The longest line in the middle of what lies between the objects of a slice."""
    lines, _ = ndi.label(skeletonize(ndi.distance_transform_edt(~objects) > FAR), np.ones((3, 3)))
    sizes = np.bincount(lines.ravel())
    sizes[0] = 0
    longest: NDArray[np.bool_] = ndi.binary_dilation(lines == sizes.argmax()) & ~objects
    return longest


def open_volume(viewer: Viewer, data: Path) -> SeededSegmentationPanel:
    """Open the volume and the panel, at the slice in the middle."""
    volume = tifffile.imread(data / "vol3d" / "cells3d_nuclei.tif")
    image = viewer.add_image(
        volume,
        name="cells3d nuclei",
        scale=SPACING,
        units=("um",) * 3,
        axis_labels=("z", "y", "x"),
    )
    image.contrast_limits = [float(v) for v in np.percentile(volume, (1, 99.8))]
    panel = open_panel(viewer, image)
    show_slice(viewer, image, len(volume) // 2)
    viewer.canvas.overlays.scale_bar.visible = True
    return panel


def build_peaks(viewer: Viewer, data: Path) -> SeededSegmentationPanel:
    """Build the scene of peaks that are about to become seeds; parameters as in `build_many`."""
    panel = open_volume(viewer, data)
    many = panel.form.many
    panel.form.many_section.toggle()
    many.diameter.setValue(DIAMETER)
    many.show_peaks.click()
    wait_until(lambda: "peaks" in many.count.text(), "the peaks")
    return panel


def build_many(viewer: Viewer, data: Path) -> SeededSegmentationPanel:
    """Build the scene in a viewer: image, panel, strokes, and the result that followed them.

    Parameters
    ----------
    viewer : Viewer
    data : Path
        Folder that holds ``vol3d/cells3d_nuclei.tif`` and its labels.
    """
    truth = tifffile.imread(data / "vol3d" / "cells3d_nuclei_label.tif")
    panel = open_volume(viewer, data)
    seeds = panel.seeds.layer
    assert isinstance(seeds, Labels)
    labels, counts = np.unique(truth[truth > 0], return_counts=True)
    large = labels[counts >= LEAST_VOXELS]
    for number, label in enumerate(large, start=1):
        seeds.data_setitem(np.nonzero(stroke_in(truth == label)), number)
        QApplication.processEvents()
    background = len(large) + 1
    panel.tools.history.set_background(background)
    for z in (len(truth) // 4, len(truth) // 2, 3 * len(truth) // 4):
        rows, columns = np.nonzero(line_between(truth[z] > 0))
        seeds.data_setitem((np.full_like(rows, z), rows, columns), background)
        QApplication.processEvents()
    wait_until(lambda: panel.session.is_final, "the result")
    return panel
