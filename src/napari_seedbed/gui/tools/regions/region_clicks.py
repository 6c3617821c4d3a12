"""Clicks on the picture, given as voxels, for as long as they are wanted."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from napari.components import ViewerModel
from napari.layers import Layer

from napari_seedbed.gui.layers.grids import grid_of

Voxel = tuple[int, ...]


class RegionClicks:
    """Listens to clicks, but not to drags, which move the picture.

    Parameters
    ----------
    viewer : ViewerModel or Viewer
    on_click : bound method
        Called with the voxel of the layer's spatial axes, z, y, x.
    """

    def __init__(self, viewer: ViewerModel, on_click: Callable[[Voxel], None]) -> None:
        self._viewer, self._on_click = viewer, on_click
        self._layer: Layer | None = None
        self._time_axis: int | None = None

    def listen(self, layer: Layer, time_axis: int | None) -> None:
        """Take the clicks on a layer's place."""
        self._layer, self._time_axis = layer, time_axis
        if self._on_press not in self._viewer.mouse_drag_callbacks:
            self._viewer.mouse_drag_callbacks.append(self._on_press)
        active = self._viewer.layers.selection.active
        # A brush must not paint where regions are clicked.
        if active is not None and active.mode != "pan_zoom":
            active.mode = "pan_zoom"

    def stop(self) -> None:
        """Leave clicks to others."""
        self._layer = None
        if self._on_press in self._viewer.mouse_drag_callbacks:
            self._viewer.mouse_drag_callbacks.remove(self._on_press)

    def _on_press(self, viewer: Any, event: Any) -> Iterator[None]:
        start = np.asarray(event.pos, float)
        moved = False
        yield
        while event.type == "mouse_move":
            moved = moved or bool(np.abs(np.asarray(event.pos, float) - start).max() > 3)
            yield
        layer = self._layer
        if moved or layer is None or event.button != 1:
            return
        voxel = voxel_at(layer, event.position, self._time_axis)
        if voxel is not None:
            self._on_click(voxel)


def voxel_at(layer: Layer, position: tuple[float, ...], time_axis: int | None) -> Voxel | None:
    """The voxel of a layer's spatial axes at a world position, None outside."""
    grid = grid_of(layer, time_axis)
    place = np.asarray(layer.world_to_data(position[-layer.ndim :]), float)
    shape = layer.data.shape if not layer.multiscale else layer.data[0].shape
    found = []
    for name in ("z", "y", "x"):
        if name in grid.axes:
            axis = grid.axes.index(name)
            index = round(float(place[axis]))
            if not 0 <= index < shape[axis]:
                return None
            found.append(index)
    return tuple(found)
