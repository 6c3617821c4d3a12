"""The labels of objects as numbers in the picture."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from napari.components import ViewerModel
from napari.layers import Labels, Points
from numpy.typing import NDArray

from napari_seedbed.gui.layers.grids import grid_of
from napari_seedbed.gui.layers.kept_selection import selection_kept
from napari_seedbed.gui.layers.layer_records import METADATA_KEY, PREVIEW
from napari_seedbed.gui.layers.view_position import slice_on_screen

MOST_NUMBERS = 5000
"""More of them could not be read, and would make the picture slow."""

_TEXT_SIZE = 10
_COLOUR = "#ff5a36"
"""Seen on black, grey and white alike."""


class NumberedOverlay:
    """A Points layer without points to see: a number at each centroid.

    It has spatial axes only, so that napari shows it at every time point. On a slice of a volume
    it has the objects that reach that slice; whoever owns it shows it again when the view moves.

    Parameters
    ----------
    viewer : ViewerModel or Viewer
    """

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = viewer
        self.layer: Points | None = None

    def show(
        self, labels: Labels, objects: Mapping[str, NDArray[Any]], time_axis: int | None = None
    ) -> tuple[int, int]:
        """Show the numbers of the objects that are in view.

        Parameters
        ----------
        labels : Labels
        objects : mapping
            ``label``, ``voxel_y`` … and ``bbox_z_start`` … of the time point on screen, as
            `ObjectCount` gives them.
        time_axis : int, optional
            The layer's axis that is time, where its axis labels do not say so.

        Returns
        -------
        (int, int)
            How many numbers are shown, of how many objects in view.
        """
        axes = [name[-1] for name in objects if name.startswith("voxel_")]
        places = np.column_stack([objects[f"voxel_{axis}"] for axis in axes])
        starts = np.column_stack([objects[f"bbox_{axis}_start"] for axis in axes])
        stops = np.column_stack([objects[f"bbox_{axis}_stop"] for axis in axes])
        seen = np.arange(len(places))
        plane = slice_on_screen(self._viewer, labels, time_axis=time_axis)
        if plane is not None and len(axes) == 3:
            axis, index = plane
            seen = np.flatnonzero((starts[:, axis] <= index) & (index < stops[:, axis]))
            places[:, axis] = index
        in_view = len(seen)
        if in_view > MOST_NUMBERS:
            sizes = np.prod(stops[seen] - starts[seen], axis=1)
            seen = seen[np.argsort(-sizes, kind="stable")[:MOST_NUMBERS]]
        grid = grid_of(labels, time_axis)
        rows = [*grid.spatial, len(grid.axes)]
        layer = self._layer_for(labels, len(axes), [grid.units[i] for i in grid.spatial])
        layer.affine = grid.affine[np.ix_(rows, rows)]
        layer.data = places[seen]
        layer.features = {"label": np.asarray(objects["label"])[seen]}
        return len(seen), in_view

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
            size=1,
            units=units,
        )
        layer.metadata[METADATA_KEY] = PREVIEW
        with selection_kept(self._viewer):
            self._viewer.add_layer(layer)
        layer.editable = False
        self.layer = layer
        return layer
