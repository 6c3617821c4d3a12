"""Shapes layers that snakes start from and show their shapes in, written while they move."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from napari.components import ViewerModel
from napari.layers import Image as ImageLayer
from napari.layers import Layer, Shapes
from napari.utils.colormaps import label_colormap
from numpy.typing import NDArray

from napari_seedbed.core.marks.shapes import Plane, Shape, plane_of
from napari_seedbed.errors import InputError
from napari_seedbed.gui.layers.grids import grid_of, level_0
from napari_seedbed.gui.layers.image_layers import insert_result, take_place
from napari_seedbed.gui.layers.layer_records import METADATA_KEY, keep_record, result_to_renew
from napari_seedbed.gui.layers.outline_labels import join_outlines, number_shapes
from napari_seedbed.gui.layers.placement import place_of_marks
from napari_seedbed.gui.layers.seed_layers import LABEL_FEATURE, marked_labels
from napari_seedbed.gui.layers.shape_layers import ShapesLink, link_shapes

KIND = "snake shapes"

# Of the picture's longer side, so that a line is about two pixels wide when all is on screen.
WIDTH_SHARE = 1 / 400

# How many colours a new Labels layer has, their seed, and the label without a colour.
LABEL_COLORS = (49, 0.5, 0)


@dataclass(frozen=True, eq=False)
class Snapshot:
    """All that a person sees of the shapes of a layer; features are tables as napari takes them."""

    vertices: Sequence[NDArray[np.floating]]
    kinds: Sequence[str]
    features: Any
    feature_defaults: Any
    edge_color: NDArray[np.floating]
    face_color: NDArray[np.floating]
    edge_width: Sequence[float]
    z_index: list[int]
    selected: frozenset[int]


# Layers


def new_shapes_layer(
    viewer: ViewerModel, like: ImageLayer, *, time_axis: int | None = None
) -> Shapes:
    """Add an empty Shapes layer on an image's grid, ready to draw around an object.

    Each shape that is drawn gets a label of its own in the feature `label`, or that of the object
    that it continues on another slice (`join_outlines`).

    Parameters
    ----------
    viewer : ViewerModel or Viewer
    like : Image layer
        The image layer: its spatial axes and its time axis, without its channels.
    time_axis : int, optional
        The image's axis that is time, where its axis labels do not say so.

    Returns
    -------
    Shapes
        Active, in lasso mode: one drag around an object is an outline.
    """
    layer = empty_shapes_layer(like, f"shapes of {like.name}", time_axis)
    layer.metadata[METADATA_KEY] = {"kind": KIND}
    layer.current_edge_color = "yellow"
    join_outlines(layer, like, time_axis)
    viewer.add_layer(layer)
    viewer.layers.selection.active = layer
    layer.mode = "add_polygon_lasso"
    return layer


def is_snake_shapes(layer: Layer) -> bool:
    """Whether the layer was made to draw the shapes that snakes start from."""
    return layer.metadata.get(METADATA_KEY, {}).get("kind") == KIND


def show_shapes(
    viewer: ViewerModel,
    shapes: Sequence[Shape],
    like: ImageLayer,
    *,
    name: str,
    record: Mapping[str, Any],
    slot: str,
    time_axis: int | None = None,
    live: bool = False,
) -> Shapes:
    """Show shapes in a result layer, made the first time and updated in place after that.

    They have the colours that a Labels layer gives their labels. The layer cannot be edited until
    it is accepted, since the next run would overwrite it.

    Parameters
    ----------
    viewer : ViewerModel or Viewer
    shapes : sequence of Shape
        On the grid of `like`.
    like : Image layer
    name, record, slot, time_axis
        As for `add_or_update`.
    live : bool
        The next shapes follow at once: see `write_shapes`.
    """
    place = place_of_marks(like, grid_of(like, time_axis))
    layer = result_to_renew(viewer, slot, Shapes, len(place["scale"]))
    if layer is None:
        layer = empty_shapes_layer(like, name, time_axis)
        # before it comes in, so that nobody offers it as shapes that were drawn
        keep_record(layer, "shapes", record, slot)
        insert_result(viewer, layer, like)
    else:
        take_place(layer, place)
    link = link_shapes(layer, like, time_axis)
    vertices = [_vertices(shape, link) for shape in shapes]
    labels = np.array([shape.label for shape in shapes], dtype=np.int64)
    kinds = [_kind(shape) for shape in shapes]
    if _has_labels(layer, labels):
        _write_in_place(layer, vertices, kinds, live)
    else:
        count = len(labels)
        restore(
            layer,
            Snapshot(
                vertices=vertices,
                kinds=kinds,
                features={LABEL_FEATURE: labels},
                feature_defaults={},
                edge_color=label_colors(labels),
                face_color=np.zeros((count, 4)),
                edge_width=[layer.current_edge_width] * count,
                z_index=[0] * count,
                selected=frozenset(),
            ),
            live=live,
        )
    layer.editable = False
    keep_record(layer, "shapes", record, slot)
    return layer


def label_colors(labels: NDArray[np.integer]) -> NDArray[np.floating]:
    """Colours (N, 4) that a new Labels layer of napari gives to these labels."""
    if not len(labels):
        return np.empty((0, 4))
    return np.asarray(label_colormap(*LABEL_COLORS).map(labels), dtype=float)


# Writing


def write_shapes(
    layer: Shapes,
    indices: Sequence[int],
    shapes: Sequence[Shape],
    like: ImageLayer,
    *,
    live: bool = False,
) -> list[int] | None:
    """Move shapes of a layer to where snakes have moved them; the others stay untouched.

    Labels, colours, widths, order, selection and tool stay as they are.

    Parameters
    ----------
    layer : Shapes layer
    indices : sequence of int
        For each of `shapes` the place in the layer of the shape that it goes on from. Where one
        place comes twice the snake has split: the first takes the place, the others come at the
        end with the same features and colours, and their own labels.
    shapes : sequence of Shape
        On the voxel grid of the image.
    like : Image layer
    live : bool
        The next shapes follow at once: the thumbnail waits, and no `data` event notifies the rest
        of napari, which saves half of the time for a few shapes (8.6 instead of 11.5 ms without
        the thumbnail, 4.1 ms without both, for one outline of 60 corners). The last write of a
        run must not be live.

    Returns
    -------
    list of int or None
        The place of each shape now. None when nothing was written, because a person is just
        drawing or dragging a shape: napari would end that.
    """
    if len(indices) != len(shapes):
        raise InputError(f"indices: {len(indices)} given for {len(shapes)} shapes.")
    count = len(layer.data)
    wrong = [i for i in indices if not 0 <= i < count]
    if wrong:
        raise InputError(f"indices: '{layer.name}' has {count} shapes, none at place {wrong[0]}.")
    if in_use(layer):
        return None
    link = link_shapes(layer, like)
    old = layer.data
    vertices, kinds = list(old), list(layer.shape_type)
    rows, places, taken = list(range(count)), [], set()
    for origin, shape in zip(indices, shapes, strict=True):
        moved = _vertices(shape, link, old[origin])
        if origin in taken:
            places.append(len(vertices))
            vertices.append(moved)
            kinds.append(_kind(shape))
            rows.append(origin)
        else:
            taken.add(origin)
            places.append(origin)
            vertices[origin], kinds[origin] = moved, _kind(shape)
    if len(rows) == count:
        _write_in_place(layer, vertices, kinds, live)
        return places
    before = take_snapshot(layer)
    features = before.features.iloc[rows].reset_index(drop=True)
    known = marked_labels(layer)[0][rows]
    wanted = known.copy()
    for place, shape in zip(places, shapes, strict=True):
        if place >= count:
            wanted[place] = shape.label
    if LABEL_FEATURE not in features:
        # Without it shapes are labelled by their places, which say nothing of those that come.
        features[LABEL_FEATURE] = wanted
        number_shapes(layer)
    elif not np.array_equal(wanted, known):
        values = list(features[LABEL_FEATURE])
        as_given = str if isinstance(values[0], str) else int
        for row in np.flatnonzero(wanted != known):
            values[row] = as_given(wanted[row])
        features[LABEL_FEATURE] = values
    restore(
        layer,
        # New ones on top: napari shows parts of shapes of other slices where an order falls.
        Snapshot(
            vertices=vertices,
            kinds=kinds,
            features=features,
            feature_defaults=before.feature_defaults,
            edge_color=before.edge_color[rows],
            face_color=before.face_color[rows],
            edge_width=[before.edge_width[i] for i in rows],
            z_index=before.z_index + [max(before.z_index)] * (len(rows) - count),
            selected=before.selected,
        ),
        live=live,
    )
    return places


def origins(
    before: Sequence[Shape], indices: Sequence[int], after: Sequence[Shape]
) -> list[int | None]:
    """Which shape of a layer each shape goes on from: of its label, on its slice, at its time.

    Parameters
    ----------
    before : sequence of Shape
        What snakes started from.
    indices : sequence of int
        Their places in the layer (`shapes_of`).
    after : sequence of Shape
        What snakes have become.

    Returns
    -------
    list of int or None
        One for each of `after`; the last one again where there are more than before, None for
        a shape where none of its label was.
    """
    waiting: dict[tuple[int, int, Plane | None], list[int]] = defaultdict(list)
    for shape, index in zip(before, indices, strict=True):
        waiting[_identity(shape)].append(index)
    found: list[int | None] = []
    for shape in after:
        mine = waiting.get(_identity(shape))
        found.append(None if not mine else mine.pop(0) if len(mine) > 1 else mine[0])
    return found


def in_use(layer: Shapes) -> bool:
    """Whether a person is just drawing a shape, or holds one or a corner of it."""
    # napari emits no event; setting data ends the drawing, and drops what is held
    return bool(layer._is_creating or layer._is_moving or layer._drag_start is not None)


def finish_drawing(layer: Shapes) -> None:
    """End a polygon or path that is being clicked; the corner under the mouse is no part of it."""
    # Choosing another tool would keep that corner: napari looks at the new tool when it ends.
    if layer._is_creating:
        layer._finish_drawing()


def take_snapshot(layer: Shapes) -> Snapshot:
    """Remember the shapes of a layer as they are, to be put back by `restore`."""
    return Snapshot(
        vertices=[np.array(part) for part in layer.data],
        kinds=list(layer.shape_type),
        # a layer that was emptied by `layer.data = []` keeps the features of what it had
        features=layer.features.iloc[: len(layer.data)].copy(),
        feature_defaults=layer.feature_defaults.copy(),
        edge_color=np.array(layer.edge_color),
        face_color=np.array(layer.face_color),
        edge_width=list(layer.edge_width),
        z_index=[int(z) for z in layer.z_index],
        selected=frozenset(int(i) for i in layer.selected_data),
    )


def restore(layer: Shapes, snapshot: Snapshot, *, live: bool = False) -> None:
    """Put back the shapes of a layer as they were when the snapshot was taken.

    Parameters
    ----------
    layer : Shapes layer
    snapshot : Snapshot
    live : bool
        See `write_shapes`.
    """
    with _kept(layer, live):
        # Emptied and filled again, all comes in one go: setting the order of 200 shapes one by
        # one, as `z_index` does, takes napari 0.2 to 0.5 s.
        with ExitStack() as stack:
            if snapshot.vertices:
                for event in (layer.events.data, layer.events.features):
                    stack.enter_context(event.blocker())
            layer.data = []
        if snapshot.vertices:
            layer.add(
                [np.array(part) for part in snapshot.vertices],
                shape_type=list(snapshot.kinds),
                edge_width=list(snapshot.edge_width),
                edge_color=snapshot.edge_color.copy(),
                face_color=snapshot.face_color.copy(),
                z_index=list(snapshot.z_index),
            )
        layer.features = snapshot.features.copy()
        if len(snapshot.feature_defaults.keys()):
            layer.feature_defaults = snapshot.feature_defaults.copy()
        layer.selected_data = set(snapshot.selected)


def put_back(layer: Shapes, indices: Sequence[int], snapshot: Snapshot) -> None:
    """Put back some shapes of a layer alone, whose places are those of the snapshot."""
    if not indices:
        return
    vertices, kinds = list(layer.data), list(layer.shape_type)
    for i in indices:
        vertices[i], kinds[i] = np.array(snapshot.vertices[i]), snapshot.kinds[i]
    _write_in_place(layer, vertices, kinds, live=False)


def _write_in_place(
    layer: Shapes, vertices: Sequence[NDArray[np.floating]], kinds: Sequence[str], live: bool
) -> None:
    if not vertices:
        return
    selected = set(layer.selected_data)
    with _kept(layer, live):
        layer.data = list(zip(vertices, kinds, strict=True))
        if selected:
            layer.selected_data = selected


@contextmanager
def _kept(layer: Shapes, live: bool) -> Iterator[None]:
    """Keep whether the layer can be edited, which napari resets with the data."""
    editable = layer.editable
    with ExitStack() as stack:
        stack.enter_context(layer.events.editable.blocker())
        if live:
            stack.enter_context(layer.block_thumbnail_update())
            stack.enter_context(layer.events.data.blocker())
        try:
            yield
        finally:
            layer.editable = editable


# From the image's grid to the layer's


def _vertices(
    shape: Shape, link: ShapesLink, old: NDArray[np.floating] | None = None
) -> NDArray[np.float64]:
    """Vertices of a shape in the data coordinates of a layer; those of `old` along channels."""
    found = in_layer(shape.points, shape.time, link)
    if old is not None and "c" in link.axes[link.missing :]:
        c = link.axes.index("c") - link.missing
        found[:, c] = np.asarray(old)[0, c]
    return found


def in_layer(
    points: NDArray[np.floating], times: int | NDArray[np.integer], link: ShapesLink
) -> NDArray[np.float64]:
    """Voxel coordinates (N, S) of an image in the data coordinates of a layer."""
    found = np.zeros((len(points), len(link.axes)))
    to_layer = link.map.spatial
    found[:, link.spatial] = np.asarray(points, float) @ to_layer[:-1, :-1].T + to_layer[:-1, -1]
    if link.map.time is not None and link.time is not None:
        factor, offset = link.map.time
        found[:, link.time] = factor * np.asarray(times) + offset
    return found[:, link.missing :]


def _has_labels(layer: Shapes, labels: NDArray[np.integer]) -> bool:
    if len(layer.data) != len(labels) or LABEL_FEATURE not in layer.features:
        return False
    return np.array_equal(layer.features[LABEL_FEATURE].to_numpy()[: len(labels)], labels)


def _kind(shape: Shape) -> str:
    return "polygon" if shape.closed else "path"


def _identity(shape: Shape) -> tuple[int, int, Plane | None]:
    return shape.label, shape.time, plane_of(shape)


def empty_shapes_layer(
    like: ImageLayer, name: str, time_axis: int | None = None, *, numbered: bool = True
) -> Shapes:
    """A Shapes layer without shapes on an image's grid, with the feature `label`.

    Parameters
    ----------
    like : Image layer
    name : str
    time_axis : int, optional
        The image's axis that is time, where its axis labels do not say so.
    numbered : bool
        Whether each shape that is drawn gets a label of its own.
    """
    place = place_of_marks(like, grid_of(like, time_axis))
    layer = Shapes(
        ndim=len(place["scale"]),
        name=name,
        features={LABEL_FEATURE: np.empty(0, np.int64)},
        face_color="transparent",
        opacity=1.0,
        **place,
    )
    spatial = [level_0(like).shape[i] for i in grid_of(like, time_axis).spatial]
    layer.current_edge_width = max(spatial[-2:]) * WIDTH_SHARE
    layer.feature_defaults = {LABEL_FEATURE: 1}
    if numbered:
        number_shapes(layer)
    return layer
