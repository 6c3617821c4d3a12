"""The labels of objects as numbers in the picture."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from napari.components import ViewerModel
from napari.layers import Labels, Points
from numpy.typing import NDArray

from napari_seedbed.gui.grids import grid_of
from napari_seedbed.gui.layers import METADATA_KEY, PREVIEW

MOST_NUMBERS = 5000
"""More of them could not be read, and would make the picture slow."""

_TEXT_SIZE = 10
_COLOUR = "#ff5a36"
"""Seen on black, grey and white alike."""


class NumberedOverlay:
    """A Points layer without points to see: a number at each centroid.

    It has spatial axes only, so that napari shows it at every time point; whoever owns it gives it
    the objects of the time point on screen. In a volume, a number is seen on all slices that its
    object reaches.

    Parameters
    ----------
    viewer : ViewerModel or Viewer
    """

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = viewer
        self.layer: Points | None = None

    def show(
        self, labels: Labels, objects: Mapping[str, NDArray[Any]], time_axis: int | None = None
    ) -> int:
        """Show the numbers of objects; gives how many are shown.

        Parameters
        ----------
        labels : Labels
        objects : mapping
            ``label``, ``voxel_y`` … and ``bbox_z_start`` …, as `ObjectCount` gives them.
        time_axis : int, optional
            The layer's axis that is time, where its axis labels do not say so.
        """
        axes = [name[-1] for name in objects if name.startswith("voxel_")]
        places = np.column_stack([objects[f"voxel_{axis}"] for axis in axes])
        boxes = np.column_stack(
            [objects[f"bbox_{axis}_stop"] - objects[f"bbox_{axis}_start"] for axis in axes]
        )
        numbers = np.asarray(objects["label"])
        if len(numbers) > MOST_NUMBERS:
            largest = np.argsort(-boxes.prod(axis=1), kind="stable")[:MOST_NUMBERS]
            places, boxes, numbers = places[largest], boxes[largest], numbers[largest]
        grid = grid_of(labels, time_axis)
        inner = grid.affine[np.ix_(grid.spatial, grid.spatial)]
        places = places @ inner.T + grid.affine[grid.spatial, -1]
        # Half of it is how far a point is seen on other slices.
        reach = boxes[:, 0] * np.linalg.norm(inner[:, 0]) if len(axes) == 3 else np.ones(len(boxes))
        units = [grid.units[i] for i in grid.spatial]
        layer = self._layer_for(labels, len(axes), units)
        layer.data = places
        layer.features = {"label": numbers}
        if len(reach):
            layer.size = reach
        return len(numbers)

    def remove(self) -> None:
        """Take the numbers away."""
        if self.layer is not None and self.layer in self._viewer.layers:
            self._viewer.layers.remove(self.layer)
        self.layer = None

    def _layer_for(self, labels: Labels, ndim: int, units: list[Any]) -> Points:
        layer = self.layer
        if layer is not None and layer in self._viewer.layers and layer.ndim == ndim:
            layer.name = f"numbers of {labels.name}"
            return layer
        self.remove()
        layer = Points(
            ndim=ndim,
            name=f"numbers of {labels.name}",
            features={"label": np.empty(0, int)},
            text={"string": "{label}", "size": _TEXT_SIZE, "color": _COLOUR, "anchor": "center"},
            face_color="transparent",
            border_color="transparent",
            out_of_slice_display=ndim == 3,
            units=units,
        )
        layer.metadata[METADATA_KEY] = PREVIEW
        selected, active = set(self._viewer.layers.selection), self._viewer.layers.selection.active
        self._viewer.add_layer(layer)
        self._viewer.layers.selection = selected
        self._viewer.layers.selection.active = active
        layer.editable = False
        self.layer = layer
        return layer
