"""The panel that crops an image: the form of the operation, and a button that takes the view."""

from contextlib import suppress
from typing import TYPE_CHECKING

import numpy as np
from napari.components import ViewerModel
from napari.layers import Image as ImageLayer
from napari.layers import Layer

from napari_seedbed.errors import InputError
from napari_seedbed.gui.forms.operation_form import OperationForm
from napari_seedbed.gui.layers.grids import SPATIAL, grid_of, layer_axes
from napari_seedbed.gui.layers.image_layers import level_0
from napari_seedbed.gui.layers.plain_viewers import plain
from napari_seedbed.gui.qt import errors
from napari_seedbed.gui.qt.controls import button
from napari_seedbed.pipeline import operations

if TYPE_CHECKING:
    from napari.viewer import Viewer


class CropPanel(OperationForm):
    """Crop to shapes, to typed ranges, or to what is in view.

    Parameters
    ----------
    napari_viewer : Viewer
    """

    operation = operations.get("crop")

    def __init__(self, napari_viewer: "Viewer") -> None:
        napari_viewer = plain(napari_viewer)
        super().__init__(napari_viewer)
        self.take_view = button(
            "Take the ranges from the view",
            "Write down which rows, columns or slices of the image the canvas shows now.",
        )
        self.take_view.clicked.connect(self._on_take_view)
        place = self.column.indexOf(self.parameters)
        self.column.insertWidget(place, self.take_view)

    def _on_image_chosen(self, layer: Layer | None) -> None:
        super()._on_image_chosen(layer)
        axes: tuple[str, ...] = ()
        if layer is not None:
            with suppress(InputError):
                axes = layer_axes(layer, self.inputs.time_axis)
        for axis in ("z", "t"):
            self.parameters.show_row(axis, axis in axes)

    def _on_take_view(self) -> None:
        with errors.shown(self._say):
            layer = self.inputs.layer
            if not isinstance(layer, ImageLayer):
                raise InputError("image: there is none; open an image first.")
            ranges = ranges_in_view(self.viewer, layer, self.inputs.time_axis)
            for axis, text in ranges.items():
                self.parameters.set_value(axis, text)
            self._say("Kept: " + ", ".join(f"{axis} {text}" for axis, text in ranges.items()))


def ranges_in_view(
    viewer: ViewerModel, layer: ImageLayer, time_axis: int | None = None
) -> dict[str, str]:
    """Ranges of a layer that the canvas shows, along the two axes that it displays.

    Parameters
    ----------
    viewer : ViewerModel or Viewer
        In 2D display.
    layer : Image layer
    time_axis : int, optional
        The layer's axis that is time, where its axis labels do not say so.

    Returns
    -------
    dict of str
        ``{'y': '10:200', 'x': '0:300'}``.

    Raises
    ------
    InputError
        In 3D display, and where nothing of the layer is in view.
    """
    if viewer.dims.ndisplay != 2:
        raise InputError("view: it is in 3D; switch to the 2D display to crop to it.")
    axes = grid_of(layer, time_axis).axes
    rows, columns = viewer.dims.displayed
    centre = np.asarray(viewer.scene.camera.center, float)[-2:]
    half = (
        np.asarray(viewer.canvas.viewbox_size(viewer.layers), float) / viewer.scene.camera.zoom / 2
    )
    first = viewer.dims.ndim - layer.ndim
    point = np.asarray(viewer.dims.point, float)
    corners = []
    for y in (-1, 1):
        for x in (-1, 1):
            corner = point.copy()
            corner[[rows, columns]] = centre + half * (y, x)
            corners.append(layer.world_to_data(corner[first:]))
    low, high = np.min(corners, axis=0), np.max(corners, axis=0)
    shape = level_0(layer).shape
    ranges = {}
    for shown in (rows, columns):
        place = shown - first
        if place < 0 or axes[place] not in SPATIAL:
            raise InputError(
                "view: it shows an axis that is not one of the image's rows, columns or slices."
            )
        # half a voxel of one at the border counts as in view
        start = max(0, int(np.floor(low[place] + 0.5)))
        stop = min(shape[place], int(np.ceil(high[place] + 0.5)))
        if stop <= start:
            raise InputError(f"view: nothing of '{layer.name}' is in it; move back to the image.")
        ranges[axes[place]] = f"{start}:{stop}"
    return ranges
