"""Layers of one viewer shown in another one as well: the same voxels, looks and brush."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from app_model.types import KeyBinding
from napari.components import ViewerModel
from napari.layers import Image, Labels, Layer, Points, Shapes, Vectors
from napari.layers.base import ActionType
from qtpy.QtCore import QObject

from napari_seedbed.gui.layers.painted_voxels import painted_voxels
from napari_seedbed.gui.layers.seeds_watch import move_connections
from napari_seedbed.gui.qt.delays import Delay

_UNDO, _REDO = KeyBinding.from_str("Ctrl+Z"), KeyBinding.from_str("Ctrl+Shift+Z")
_KINDS = (Image, Labels, Points, Shapes, Vectors)
_PLACE = ("scale", "translate", "rotate", "shear", "affine", "units", "axis_labels")
_LOOK = ("visible", "opacity", "blending", *_PLACE)
_IMAGE_LOOK = ("colormap", "contrast_limits", "gamma", "interpolation2d")
_BRUSH = ("selected_label", "brush_size", "mode")
_LABELS_LOOK = (
    "colormap",
    "contour",
    "show_selected_label",
    "contiguous",
    "preserve_labels",
    "editable",
    *_BRUSH,
)
_POINTS_LOOK = ("size", "symbol", "face_color", "border_color", "border_width")
_SHAPES_LOOK = ("edge_width", "edge_color", "face_color")
_DONE = (ActionType.ADDED, ActionType.CHANGED, ActionType.REMOVED)
_REFRESH_SECONDS = 0.04


class MirroredLayer(QObject):
    """A copy of a layer that shares its voxels; what is painted on it is painted on the layer.

    Undo works on the layer: a stroke in any view is one step there. Points that are added, moved or
    deleted on the copy are those of the layer, too. Shapes and vectors are only shown.

    Parameters
    ----------
    layer : Layer
    parent : QObject

    Attributes
    ----------
    copy : Layer
    """

    def __init__(self, layer: Layer, parent: QObject) -> None:
        super().__init__(parent)
        self.layer = layer
        data, state, kind = layer.as_layer_data_tuple()
        # records of results are about the layer alone
        self.copy = Layer.create(data, {**state, "metadata": {}}, kind)
        self._is_taking = False
        self._strokes: list[Any] = []
        self._refresh = Delay(self, _REFRESH_SECONDS, self.copy.refresh)
        self._home = Delay(self, 0.0, self._bring_home)
        self._renew = Delay(self, 0.0, self._take_marks)
        self._looks = [name for name in self._shared() if name in layer.events]
        move_connections(None, layer, self._looks, self._on_look)
        move_connections(None, layer, self._data_events(), self._on_data)
        self._tools = self._shared_tools()
        # what a layer's state leaves out
        for name in self._tools:
            self._take(layer, self.copy, name)
        move_connections(None, self.copy, self._tools, self._on_brush)
        if isinstance(self.copy, Labels):
            self.copy.events.paint.connect(self._on_painted)
            self.copy.bind_key("Control-Z", self._undo, overwrite=True)
            self.copy.bind_key("Control-Shift-Z", self._redo, overwrite=True)
        elif isinstance(self.copy, Points):
            self.copy.events.data.connect(self._on_marked)
        elif not isinstance(self.copy, Image):
            self.copy.editable = False

    def end(self) -> None:
        """Follow the layer no more."""
        self._refresh.stop()
        self._home.stop()
        self._renew.stop()
        if self._strokes:
            self._bring_home()
        move_connections(self.layer, None, self._looks, self._on_look)
        move_connections(self.layer, None, self._data_events(), self._on_data)
        move_connections(self.copy, None, self._tools, self._on_brush)
        if isinstance(self.copy, Labels):
            self.copy.events.paint.disconnect(self._on_painted)
        elif isinstance(self.copy, Points):
            self.copy.events.data.disconnect(self._on_marked)

    def _shared(self) -> tuple[str, ...]:
        if isinstance(self.layer, Labels):
            return (*_LOOK, *_LABELS_LOOK)
        if isinstance(self.layer, Points):
            return (*_LOOK, "editable", "mode")
        return (*_LOOK, *_IMAGE_LOOK) if isinstance(self.layer, Image) else _LOOK

    def _shared_tools(self) -> tuple[str, ...]:
        if isinstance(self.layer, Labels):
            return _BRUSH
        return ("mode",) if isinstance(self.layer, Points) else ()

    def _data_events(self) -> tuple[str, ...]:
        return tuple(one for one in ("data", "set_data", "paint") if one in self.layer.events)

    # From the layer

    def _on_look(self, event: Any) -> None:
        self._take(self.layer, self.copy, event.type)

    def _on_brush(self, event: Any) -> None:
        self._take(self.copy, self.layer, event.type)

    def _take(self, source: Layer, target: Layer, name: str) -> None:
        if not self._is_taking:
            with self._taking():
                setattr(target, name, getattr(source, name))

    @contextmanager
    def _taking(self) -> Iterator[None]:
        """While one of both follows the other, not the other way round as well."""
        self._is_taking = True
        try:
            yield
        finally:
            self._is_taking = False

    def _on_data(self, event: Any = None) -> None:
        if self._is_taking:
            return
        if isinstance(self.layer, Points | Shapes):
            self._take_marks()
        elif self.copy.data is not self.layer.data and event is not None and event.type == "data":
            self.copy.data = self.layer.data
        else:
            self._refresh.start_once()

    def _take_marks(self) -> None:
        """Points and shapes are copied one by one, with their kinds and looks."""
        layer = self.layer
        is_shapes = isinstance(layer, Shapes)
        kinds = list(zip(layer.data, layer.shape_type, strict=True)) if is_shapes else layer.data
        looks = _SHAPES_LOOK if is_shapes else _POINTS_LOOK
        with self._taking():
            self.copy.data = kinds
            for name in looks if len(layer.data) else ():
                setattr(self.copy, name, getattr(layer, name))

    # To the layer

    def _on_painted(self, event: Any) -> None:
        # some tools tell it before they write
        self._strokes += event.value
        self._home.start_once()

    def _bring_home(self) -> None:
        """Paint on the layer what was painted on the copy, as one step of its history."""
        strokes, self._strokes = self._strokes, []
        data = self.layer.data
        indices, before, after = painted_voxels(strokes, data.shape)
        if not len(indices):
            return
        first = np.unique(indices, return_index=True)[1]
        last = len(indices) - 1 - np.unique(indices[::-1], return_index=True)[1]
        places = np.unravel_index(indices[first], data.shape)
        data[places] = before[first]
        self.layer.data_setitem(places, after[last])

    def _on_marked(self, event: Any) -> None:
        """Points were added, moved or deleted in this view: do it to the layer's."""
        if self._is_taking or event.action not in _DONE:
            return
        chosen = list(event.data_indices)
        with self._taking():
            if event.action == ActionType.ADDED:
                self.layer.add(event.value[chosen])
            elif event.action == ActionType.REMOVED:
                self.layer.remove(chosen)
            else:
                self.layer.data = np.array(event.value)
        # the layer knows their looks; napari is not yet done with the copy
        self._renew.start_once()

    def _undo(self, layer: Labels) -> None:
        self._press(_UNDO, self.layer.undo)

    def _redo(self, layer: Labels) -> None:
        self._press(_REDO, self.layer.redo)

    def _press(self, key: KeyBinding, otherwise: Callable[[], None]) -> None:
        """Do what a key does on the layer, which a panel may have taken."""
        bound = self.layer.keymap.get(key)
        if callable(bound):
            bound(self.layer)
        else:
            otherwise()


class MirroredLayers(QObject):
    """Keeps the layers of one viewer in another one, in the same order, between start and end.

    Parameters
    ----------
    source, target : ViewerModel
    parent : QObject
    """

    def __init__(self, source: ViewerModel, target: ViewerModel, parent: QObject) -> None:
        super().__init__(parent)
        self._source, self._target = source, target
        self._mirrored: dict[Layer, MirroredLayer] = {}
        self._events = ("inserted", "removed", "reordered")
        self._is_following = False

    def start(self) -> None:
        """Show the layers of the source, and follow them."""
        if self._is_following:
            return
        self._is_following = True
        move_connections(None, self._source.layers, self._events, self._update)
        self._source.layers.selection.events.active.connect(self._on_active)
        self._update()

    def copy_of(self, layer: Layer) -> Layer | None:
        """The copy of a layer, where there is one."""
        found = self._mirrored.get(layer)
        return None if found is None else found.copy

    def end(self) -> None:
        """Follow the source no more, and let go of all layers."""
        if not self._is_following:
            return
        self._is_following = False
        move_connections(self._source.layers, None, self._events, self._update)
        self._source.layers.selection.events.active.disconnect(self._on_active)
        for layer in list(self._mirrored):
            self._drop(layer)

    def _update(self, event: Any = None) -> None:
        wanted = [layer for layer in self._source.layers if isinstance(layer, _KINDS)]
        for layer in [one for one in self._mirrored if one not in wanted]:
            self._drop(layer)
        for nth, layer in enumerate(wanted):
            if layer not in self._mirrored:
                self._mirrored[layer] = MirroredLayer(layer, self)
                self._target.layers.insert(nth, self._mirrored[layer].copy)
            elif self._target.layers.index(self._mirrored[layer].copy) != nth:
                self._target.layers.move(self._target.layers.index(self._mirrored[layer].copy), nth)
        self._on_active()

    def _drop(self, layer: Layer) -> None:
        gone = self._mirrored.pop(layer)
        gone.end()
        if gone.copy in self._target.layers:
            self._target.layers.remove(gone.copy)
        gone.deleteLater()

    def _on_active(self, event: Any = None) -> None:
        active = self._source.layers.selection.active
        copy = None if active is None else self.copy_of(active)
        self._target.layers.selection.active = copy
