"""Points layers that show what an operation found."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from napari.components import ViewerModel
from napari.layers import Layer
from napari.layers import Points as PointsLayer

from napari_seedbed.gui.layers.grids import grid_of, level_0
from napari_seedbed.gui.layers.image_layers import insert_result, take_place
from napari_seedbed.gui.layers.layer_records import keep_record, result_to_renew
from napari_seedbed.gui.layers.placement import Shift, place_of_marks
from napari_seedbed.gui.layers.shape_layers import link_shapes
from napari_seedbed.gui.layers.shape_results import in_layer
from napari_seedbed.pipeline.data.tables import Points

KIND_COLOURS = {
    "end": "yellow",
    "branch": "cyan",
    "isolated": "magenta",
    "split": "cyan",
    "merged": "magenta",
    "missed": "orange",
    "added": "yellow",
}
"""Colours of points of different kinds, as the column 'kind' names them."""


def show_points(
    viewer: ViewerModel,
    found: Points,
    like: Layer,
    *,
    name: str,
    record: Mapping[str, Any],
    slot: str,
    time_axis: int | None = None,
    shift: Shift | None = None,
) -> PointsLayer:
    """Show points in a result layer, made the first time and updated in place after that.

    Parameters
    ----------
    viewer : ViewerModel or Viewer
    found : Points
        In voxels of `like`, moved by `shift`; their columns become the layer's features, and a
        column 'kind' gives their colours.
    like : Image or Labels layer
    name, record, slot, time_axis
        As for `add_or_update`.
    shift : Shift, optional
        Where the points lie, when they were found in a part of `like`.
    """
    grid = grid_of(like, time_axis)
    place = place_of_marks(like, grid)
    layer = result_to_renew(viewer, slot, PointsLayer, len(place["scale"]))
    is_new = layer is None
    if layer is None:
        plane = [level_0(like).shape[i] for i in grid.spatial[-2:]]
        layer = PointsLayer(
            ndim=len(place["scale"]),
            name=name,
            face_color="yellow",
            border_color="black",
            # as the brush for seeds: seen when all is on screen, and still placed
            size=float(np.clip(max(plane) / 64, 2, 20)),
            **place,
        )
    else:
        take_place(layer, place)
    points = found.points
    if shift is not None:
        points = np.asarray(points) * shift.factor + shift.offset
        if shift.time is not None:
            found = replace(found, times=np.full(len(points), shift.time))
    layer.data = in_layer(points, found.times, link_shapes(layer, like, time_axis))
    layer.features = dict(found.columns) if len(points) else {}
    _colour_by_kind(layer, found)
    keep_record(layer, "points", record, slot)
    if is_new:
        insert_result(viewer, layer, like)
    layer.editable = False
    return layer


def _colour_by_kind(layer: PointsLayer, found: Points) -> None:
    kinds = [str(kind) for kind in found.columns.get("kind", ())]
    if kinds and set(kinds) <= set(KIND_COLOURS):
        layer.face_color = [KIND_COLOURS[kind] for kind in kinds]
