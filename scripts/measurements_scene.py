"""Scenes of the measurements and scores panels, for pictures of the window."""

from typing import Any

import numpy as np
from qtpy.QtCore import Qt
from waiting import wait_until

DOCK_WIDTH = 330


def coins() -> tuple[Any, Any]:
    """The coins of scikit-image and labels of them, found by an Otsu threshold."""
    from scipy import ndimage as ndi
    from skimage import data, filters, measure, morphology

    image = data.coins()
    mask = ndi.binary_fill_holes(filters.sobel(filters.gaussian(image, 1)) > 0.025)
    mask = morphology.opening(mask, morphology.disk(5))
    labels = measure.label(mask)
    return image, labels.astype(np.int32)


def build_measurements(viewer: Any) -> Any:
    """Coins measured, coloured by their area, three of them selected."""
    from napari_seedbed.gui.tools.measurements.measurements_panel import MeasurementsPanel

    image, labels = coins()
    viewer.add_image(image, name="coins")
    viewer.add_labels(labels, name="coins (labels)", opacity=0.6)
    panel = MeasurementsPanel(viewer)
    dock = viewer.window.add_dock_widget(panel, name="Measure objects")
    viewer.window._qt_window.resizeDocks([dock], [DOCK_WIDTH], Qt.Orientation.Horizontal)
    panel.form.inputs.others["other"].choose(viewer.layers["coins"])
    panel.form.numbers.setChecked(True)
    panel.run()
    wait_until(lambda: not panel.is_running and not panel.count.is_busy, "the measurements")
    panel.form.colour_by.setCurrentText("area")
    viewer.reset_view()
    assert panel.view is not None
    panel.view.plot.across.setCurrentText("area")
    panel.view.plot.up.setCurrentText("mean_intensity")
    panel.select(np.flatnonzero(panel.table.columns["area"] > 2000))
    return panel


def build_scores(viewer: Any) -> Any:
    """Coins found by a threshold alone, scored against carefully found ones."""
    from skimage import filters, measure, morphology

    from napari_seedbed.gui.tools.scores.scores_panel import ScoresPanel

    image, truth = coins()
    rough = morphology.opening(image > filters.threshold_otsu(image), morphology.disk(2))
    viewer.add_image(image, name="coins")
    viewer.add_labels(truth, name="truth", visible=False)
    result = measure.label(rough).astype(np.int32)
    viewer.add_labels(result, name="threshold", visible=False)
    panel = ScoresPanel(viewer)
    dock = viewer.window.add_dock_widget(panel, name="Segmentation scores")
    viewer.window._qt_window.resizeDocks([dock], [DOCK_WIDTH], Qt.Orientation.Horizontal)
    panel.form.live.setChecked(True)
    panel.form.overlay.setChecked(True)
    panel.run()
    wait_until(lambda: not panel.is_busy, "the scores")
    wait_until(lambda: bool(panel.form.live_score.text()), "the live score")
    panel.form.errors.select_rows(np.array([0]))
    return panel
