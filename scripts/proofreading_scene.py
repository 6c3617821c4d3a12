"""Scene of the panel that proofreads labels, for pictures of the window."""

from typing import Any

import numpy as np
from qtpy.QtCore import Qt
from waiting import wait_until

DOCK_WIDTH = 330


def build_proofreading(viewer: Any) -> Any:
    """Nuclei found by a threshold, some checked, one that is two selected."""
    from scipy import ndimage as ndi
    from skimage import filters, measure

    from napari_seedbed.gui.hooks.npe2_hooks import open_nuclei
    from napari_seedbed.gui.tools.proofreading.proofreading_panel import ProofreadingPanel

    data, properties, _ = open_nuclei()[0]
    image = viewer.add_image(data, **properties)
    smooth = ndi.gaussian_filter(np.asarray(data, float), 1)
    labels = measure.label(smooth > filters.threshold_otsu(smooth)).astype(np.int32)
    counts = np.bincount(labels.ravel())
    labels[np.isin(labels, np.flatnonzero(counts < 200))] = 0
    place = {name: getattr(image, name) for name in ("scale", "translate", "units", "axis_labels")}
    viewer.add_labels(labels, name="nuclei", **place)
    panel = ProofreadingPanel(viewer)
    dock = viewer.window.add_dock_widget(panel, name="Proofread")
    viewer.window._qt_window.resizeDocks([dock], [DOCK_WIDTH], Qt.Orientation.Horizontal)
    wait_until(lambda: bool(panel.table.columns), "the measurements")
    panel.states.editor.edited.emit(["nucleus", "mitosis", "debris"])
    panel.form.order.setCurrentIndex(panel.form.order.findData("largest"))
    for number in (1, 1, 2):
        panel.next()
        panel.states.set_class_by_number(number)
        panel.form.check.click()
    panel.form.order.setCurrentIndex(panel.form.order.findData("doubt"))
    panel.selection.start_again()
    panel.next()
    panel.edits.act("fill_holes")
    panel.edits.act("smooth")
    wait_until(lambda: not panel.is_busy, "the edits")
    return panel
