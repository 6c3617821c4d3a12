"""Objects in the colours of their classes, in the picture."""

from functools import partial
from typing import Any

import numpy as np
from napari.layers import Labels
from napari.utils.colormaps import DirectLabelColormap
from qtpy.QtCore import QObject
from qtpy.QtGui import QColor

from napari_seedbed.gui.layers.label_colours import direct_colormap, prepare_colours
from napari_seedbed.gui.layers.object_states import CLASS_COLOURS, class_names, object_states
from napari_seedbed.gui.qt.jobs import Jobs


class ClassColours(QObject):
    """Colours one layer by class, those without a class dimmed; it gets its own colours back."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._jobs = Jobs(self)
        self._layer: Labels | None = None
        self._own: Any = None

    def show(self, layer: Labels | None) -> None:
        """Colour a layer as its classes are now, and no other; None for none."""
        if layer is not self._layer:
            self._give_back()
            self._layer = layer
            if layer is not None:
                prepare_colours()
                self._own = layer.colormap
        if layer is None:
            return
        number = {name: nth for nth, name in enumerate(class_names(layer))}
        classes = object_states(layer).class_of
        labels = [label for label, name in classes.items() if name in number]
        colours = np.array([_rgba(number[classes[label]]) for label in labels], np.float32)
        work = partial(_made, labels, colours.reshape(-1, 4), layer.dtype)
        self._jobs.start("colours", work, self._on_made, _ignore)

    def _on_made(self, colormap: DirectLabelColormap) -> None:
        if self._layer is not None:
            self._layer.colormap = colormap

    def _give_back(self) -> None:
        self._jobs.cancel()
        layer, self._layer = self._layer, None
        if layer is not None:
            layer.colormap = self._own
        self._own = None


def _rgba(nth: int) -> tuple[float, ...]:
    colour = QColor(CLASS_COLOURS[nth])
    return colour.redF(), colour.greenF(), colour.blueF(), 1.0


def _made(labels: list[int], colours: Any, kind: Any) -> DirectLabelColormap:
    colormap = direct_colormap(labels, colours, dim_others=True)
    # napari makes its tables when the first label is looked up
    colormap.map(np.zeros(1, kind))
    return colormap


def _ignore(error: BaseException) -> None:
    """The objects keep the colours that they have."""
