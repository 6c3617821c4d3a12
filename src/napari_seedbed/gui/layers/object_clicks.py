"""Clicks on objects in the picture."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from napari.components import ViewerModel
from napari.layers import Labels
from qtpy.QtCore import QObject, Signal

_STILL = 3.0
"""Pixels that the mouse may move between press and release of a click."""


class ObjectClicks(QObject):
    """Emits which object of a layer is clicked, whichever layer is active.

    Drags move the picture as ever, and while a tool draws it does not listen.

    Parameters
    ----------
    viewer : ViewerModel or Viewer

    Notes
    -----
    Signals: `clicked(label, adding)`: 0 beside all objects; `adding` where Shift or Control was
    held.
    """

    clicked = Signal(int, bool)

    def __init__(self, parent: QObject, viewer: ViewerModel) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._layer: Labels | None = None

    def watch(self, layer: Labels | None) -> None:
        """Listen for clicks on the objects of another layer."""
        callbacks = self._viewer.mouse_drag_callbacks
        if self._layer is None and layer is not None:
            callbacks.append(self._on_press)
        elif self._layer is not None and layer is None and self._on_press in callbacks:
            callbacks.remove(self._on_press)
        self._layer = layer

    def _on_press(self, viewer: ViewerModel, event: Any) -> Iterator[None]:
        layer = self._layer
        active = self._viewer.layers.selection.active
        mode = str(getattr(active, "mode", "pan_zoom"))
        if layer is None or not layer.visible or event.button != 1 or mode != "pan_zoom":
            return
        pressed = np.asarray(event.pos, float)
        position, direction = event.position, event.view_direction
        displayed = event.dims_displayed
        yield
        while event.type == "mouse_move":
            yield
        if np.linalg.norm(np.asarray(event.pos, float) - pressed) > _STILL:
            return
        value = layer.get_value(
            position, view_direction=direction, dims_displayed=displayed, world=True
        )
        if layer.multiscale and value is not None:
            value = value[1]
        modifiers = {str(getattr(key, "name", key)) for key in event.modifiers}
        self.clicked.emit(int(value or 0), bool(modifiers & {"Shift", "Control"}))
