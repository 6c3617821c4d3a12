"""Scene of the pixel classifier: nuclei of cultured cells from eight strokes."""

from typing import Any

import numpy as np
from qtpy.QtCore import Qt
from waiting import wait_until

DOCK_WIDTH = 330


def build_classifier(viewer: Any) -> Any:
    """Strokes in some nuclei and between them; all pixels are classified."""
    from napari_seedbed.gui.hooks.npe2_hooks import open_nuclei_2d
    from napari_seedbed.gui.tools.classifier.pixel_classifier_panel import PixelClassifierPanel

    (data, properties, _), (truth, _, _) = open_nuclei_2d()
    image = viewer.add_image(data, **properties)
    panel = PixelClassifierPanel(viewer)
    dock = viewer.window.add_dock_widget(panel, name="Pixel classifier")
    viewer.window._qt_window.resizeDocks([dock], [DOCK_WIDTH], Qt.Orientation.Horizontal)
    panel.make_seeds()
    seeds = panel.seeds.layer
    for label, lines in strokes(np.asarray(truth)).items():
        for rows, columns in lines:
            seeds.data_setitem((rows, columns), label)
    seeds.mode = "pan_zoom"
    panel.session.settle_seconds = 0.0
    panel.seeds.look_if_due()
    wait_until(lambda: panel.session.is_final, "the classes")
    viewer.reset_view()
    viewer.layers.selection.active = image
    return panel


def strokes(truth: np.ndarray) -> dict[int, list[tuple[np.ndarray, np.ndarray]]]:
    """A stroke through the middle of each of five nuclei, and three lines where there are none."""
    found: dict[int, list[tuple[np.ndarray, np.ndarray]]] = {1: [], 2: []}
    sizes = np.bincount(truth.ravel())
    sizes[0] = 0
    for value in np.argsort(sizes)[-5:]:
        rows, columns = np.nonzero(truth == value)
        middle = round(rows.mean())
        inside = columns[np.abs(rows - middle) <= 1]
        found[1].append(_stroke(middle, inside.min() + 3, inside.max() - 2))
    empty = np.cumsum(truth > 0, axis=1)
    lengths = empty[:, 60:] == empty[:, :-60]
    for part in np.array_split(np.arange(3, len(truth) - 3), 3):
        row = part[np.argmax(lengths[part].any(axis=1) & (part % 7 == 0))]
        start = int(np.argmax(lengths[row])) + 5
        found[2].append(_stroke(int(row), start, start + 50))
    return found


def _stroke(row: int, start: int, stop: int) -> tuple[np.ndarray, np.ndarray]:
    rows, columns = np.mgrid[row - 1 : row + 2, start:stop]
    return rows.ravel(), columns.ravel()
