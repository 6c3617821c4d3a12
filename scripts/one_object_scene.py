"""Nuclei made one at a time: some are kept, one is proposed."""

from pathlib import Path

import numpy as np
import tifffile
from demo_scene import open_panel, show_slice
from many_nuclei_scene import SPACING, stroke_in
from napari import Viewer
from napari.layers import Labels
from waiting import wait_until

from napari_seedbed.gui.tools.walker.seeded_form import ONE_AT_A_TIME
from napari_seedbed.gui.tools.walker.seeded_segmentation_panel import SeededSegmentationPanel

KEPT = 6
BACKGROUND = 2
TOUCHING = 18.0


def build_one_by_one(viewer: Viewer, data: Path) -> SeededSegmentationPanel:
    """Build the scene in a viewer: six large nuclei of a slice kept, the next one proposed.

    Parameters
    ----------
    viewer : Viewer
    data : Path
        Folder that holds ``vol3d/cells3d_nuclei.tif`` and its labels.
    """
    volume = tifffile.imread(data / "vol3d" / "cells3d_nuclei.tif")
    truth = tifffile.imread(data / "vol3d" / "cells3d_nuclei_label.tif")
    image = viewer.add_image(volume, name="cells3d nuclei", scale=SPACING, units=("um",) * 3)
    image.contrast_limits = [float(v) for v in np.percentile(volume, (1, 99.8))]
    panel = open_panel(viewer, image)
    panel.form.way.setCurrentIndex(panel.form.way.findData(ONE_AT_A_TIME))
    seeds = panel.seeds.layer
    assert isinstance(seeds, Labels)
    labels, counts = np.unique(truth[len(truth) // 2], return_counts=True)
    largest = [int(label) for label in labels[np.argsort(-counts)] if label][: KEPT + 1]
    panel.tools.history.set_background(BACKGROUND)
    strokes = {label: np.nonzero(stroke_in(truth == label)) for label in largest}
    middles = {label: np.mean(places, axis=1) * SPACING for label, places in strokes.items()}
    for nth, (label, stroke) in enumerate(strokes.items()):
        # A person sees where two touch, and says with Shift that the other one is not meant.
        apart = {one: float(np.linalg.norm(middles[one] - middles[label])) for one in largest}
        nearest = sorted(apart, key=apart.__getitem__)[1]
        if apart[nearest] < TOUCHING and nth < KEPT:
            seeds.data_setitem(strokes[nearest], BACKGROUND)
        show_slice(viewer, image, int(stroke[0][0]))
        seeds.data_setitem(stroke, 1)
        wait_until(lambda: panel.form.status.text().startswith("Proposed"), "the proposal")
        if nth < KEPT:
            panel.one_object.keep()
    panel.form.one_object.background.toggle()
    wait_until(lambda: not panel.is_busy, "the histogram")
    return panel
