"""The label that a person paints with, which picking beside all marks must not take away."""

from collections.abc import Callable
from typing import Any

from napari.layers import Labels, Layer
from qtpy.QtCore import QObject

from napari_seedbed.gui.layers.seeds_watch import move_connections


class LabelInHand(QObject):
    """Keeps the label of one layer where a pick finds none.

    napari's picker takes 0 from where nothing is marked, and with that in the hand every further
    stroke erases.

    Parameters
    ----------
    parent : QObject
    say : callable
        Called with a message where there is nothing to pick.
    """

    def __init__(self, parent: QObject, say: Callable[[str], None]) -> None:
        super().__init__(parent)
        self._say = say
        self._layer: Labels | None = None
        self._label = 0

    def watch(self, layer: Layer | None) -> None:
        """Look after another layer."""
        labels = layer if isinstance(layer, Labels) else None
        move_connections(self._layer, labels, ("selected_label",), self._on_label)
        self._layer = labels
        self._label = 0 if labels is None else int(labels.selected_label)

    def _on_label(self, event: Any = None) -> None:
        layer = self._layer
        if layer is None:
            return
        if layer.selected_label == 0 and layer.mode == "pick" and self._label:
            layer.selected_label = self._label
            self._say(f"Nothing is marked here: label {self._label} stays in the hand.")
        self._label = int(layer.selected_label)
