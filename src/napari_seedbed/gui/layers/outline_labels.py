"""Outlines on slices that overlap get the label of one object, unless a person wants it otherwise.

The feature `label` is what counts: it is filled in here, and can be changed in napari's table.
"""

from contextlib import suppress
from typing import Any
from weakref import WeakKeyDictionary, ref

import numpy as np
from napari.layers import Image as ImageLayer
from napari.layers import Shapes

from napari_seedbed.core.marks.outline_objects import object_of, objects_of
from napari_seedbed.errors import InputError
from napari_seedbed.gui.layers.grids import grid_of, spacing_of
from napari_seedbed.gui.layers.seed_layers import LABEL_FEATURE, label_count
from napari_seedbed.gui.layers.shape_layers import shapes_of


def join_outlines(layer: Shapes, like: ImageLayer, time_axis: int | None = None) -> None:
    """Let outlines on slices of a volume that overlap be one object, those to be drawn as well.

    Outlines that have labels keep them, and those of which it is unknown on which slice they lie
    get none; in an image of two dimensions nothing is done.
    """
    grid = grid_of(like, time_axis)
    if len(grid.spatial) != 3 or layer in _JOINED:
        return
    if LABEL_FEATURE not in layer.features:
        labels: list[int] = []
        if len(layer.data):
            try:
                shapes, _ = shapes_of(layer, like, time_axis=time_axis)
            except InputError:
                return
            labels = objects_of(shapes, spacing_of(like, grid)[0])
        features = layer.features.iloc[: len(labels)].copy()
        features[LABEL_FEATURE] = np.array(labels, np.int64)
        layer.features = features
        number_shapes(layer)
    _JOINED[layer] = _Joining(layer, like, time_axis)


def begin_object(layer: Shapes, like: ImageLayer, time_axis: int | None = None) -> None:
    """Let the outline that is drawn next be an object of its own, whatever it overlaps."""
    join_outlines(layer, like, time_axis)
    if layer in _JOINED:
        _JOINED[layer].is_apart = True


def objects_in_words(layer: Shapes) -> str:
    """``3 outlines of 1 object``; outlines alone where they have no labels yet."""
    if not len(layer.data):
        return "none yet"
    text = _counted(len(layer.data), "outline")
    if LABEL_FEATURE in layer.features:
        text += f" of {_counted(label_count(layer), 'object')}"
    return text


def number_shapes(layer: Shapes) -> None:
    """Give each shape that is drawn from now on a label of its own; napari repeats the last one."""
    layer.events.features.connect(_number_next_shape)
    layer.events.features()


class _Joining:
    """Gives an outline that was just drawn the label of the object that it continues."""

    def __init__(self, layer: Shapes, like: ImageLayer, time_axis: int | None) -> None:
        self._layer, self._like, self._time_axis = ref(layer), ref(like), time_axis
        self._count = len(layer.data)
        self.is_apart = False
        layer.events.data.connect(self._on_data)

    def _on_data(self, event: Any) -> None:
        layer, like = self._layer(), self._like()
        if layer is None or like is None:
            return
        before, self._count = self._count, len(layer.data)
        if event.action != "added" or self._count != before + 1:
            return
        is_apart, self.is_apart = self.is_apart, False
        if is_apart or LABEL_FEATURE not in layer.features:
            return
        labels = layer.features[LABEL_FEATURE].to_numpy()
        # One that was given to it, as to a copy of another outline, stays.
        if labels.dtype.kind not in "iu" or labels[-1] in labels[:-1]:
            return
        label = None
        with suppress(InputError):
            shapes, _ = shapes_of(layer, like, time_axis=self._time_axis)
            spacing, _ = spacing_of(like, grid_of(like, self._time_axis))
            label = object_of(shapes[-1], shapes[:-1], spacing)
        if label is not None:
            features = layer.features.copy()
            features.loc[features.index[-1], LABEL_FEATURE] = label
            layer.features = features


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


_JOINED: WeakKeyDictionary[Shapes, _Joining] = WeakKeyDictionary()


def _number_next_shape(event: Any) -> None:
    layer = event.source
    if LABEL_FEATURE not in layer.features or layer.features[LABEL_FEATURE].dtype.kind not in "iu":
        return
    labels = layer.features[LABEL_FEATURE].to_numpy()[: len(layer.data)]
    following = int(max(labels.max(initial=0), 0)) + 1
    defaults = layer.feature_defaults.copy()
    if int(defaults[LABEL_FEATURE].iloc[0]) != following:
        defaults[LABEL_FEATURE] = following
        layer.feature_defaults = defaults
