"""Annotations of files as Shapes and Points layers, and such layers as annotations."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Image as ImageLayer
from napari.layers import Layer, Points, Shapes
from numpy.typing import NDArray

from napari_seedbed.core.marks.polygon_rings import bridged
from napari_seedbed.errors import InputError
from napari_seedbed.gui.layers.grids import grid_of, layer_axes, level_0
from napari_seedbed.gui.layers.layer_records import METADATA_KEY
from napari_seedbed.gui.layers.placement import place_of_marks
from napari_seedbed.gui.layers.seed_layers import LABEL_FEATURE
from napari_seedbed.gui.layers.shape_results import WIDTH_SHARE, label_colors
from napari_seedbed.pipeline.data.annotation_places import placed
from napari_seedbed.pipeline.data.annotations import Annotation, Annotations, checked_label
from napari_seedbed.pipeline.data.visible_text import visible

if TYPE_CHECKING:
    from napari.types import LayerDataTuple

NAME, CLASS, CHANNEL = "name", "class", "channel"
_NOT_GIVEN = ("", "nan", "none", "<na>")


def layers_of_annotations(
    annotations: Annotations, path: str, like: ImageLayer | None = None
) -> "list[LayerDataTuple]":
    """Layers of what a file holds: shapes apart from points, and one for each set of axes.

    What is on all slices has no z axis, and napari shows it on each. Holes of polygons are reached
    by lines that run there and back. Features are `label`, and `name`, `class` and `channel` where
    any has one.

    Parameters
    ----------
    annotations : Annotations
    path : str
        Where they come from.
    like : Image layer, optional
        The image that they lie on: its voxel size, place and axes are theirs.

    Returns
    -------
    list of (data, properties, 'shapes' or 'points')

    Raises
    ------
    InputError
        Where one lies on a slice or time point that the image does not have.
    """
    items = _on_axes(annotations.labelled(), like)
    groups: dict[tuple[Any, ...], list[Annotation]] = {}
    for item in items:
        groups.setdefault((item.form == "points", item.axes), []).append(item)
    layers = []
    for (are_points, axes), members in groups.items():
        name = annotations.name
        if len(groups) > 1:
            where = "" if axes == max((key[1] for key in groups), key=len) else " on all slices"
            name = f"{name} {'points' if are_points else 'shapes'}{where}"
        properties = {"name": name, **_place(axes, like)}
        properties["metadata"] = {METADATA_KEY: {"source": {"path": str(Path(path).resolve())}}}
        layers.append((_points_layer if are_points else _shapes_layer)(members, properties, like))
    return layers


def annotations_of_layer(layer: Shapes | Points) -> Annotations:
    """What a layer holds, in its own coordinates, which are taken as voxels.

    Raises
    ------
    InputError
        For a shape that is not at one time point, and for axes that are no space or time.
    """
    axes = layer_axes(layer)
    if "c" in axes:
        raise InputError(
            f"'{layer.name}' has a channel axis; save shapes with axes for time and space alone."
        )
    features = {str(name): list(layer.features[name]) for name in layer.features}
    colours = layer.face_color if isinstance(layer, Points) else layer.edge_color
    kinds: Sequence[str] = (
        ["points"] * len(layer.data) if isinstance(layer, Points) else list(layer.shape_type)
    )
    items = []
    for n, (kind, data) in enumerate(zip(kinds, layer.data, strict=True)):
        said = {name: values[n] for name, values in features.items()}
        points, time = _without_time(np.atleast_2d(np.asarray(data, np.float64)), axes, layer, n)
        item = Annotation(
            kind,  # type: ignore[arg-type]
            ((points,),),
            label=_label(said),
            name=_text(said.get(NAME)),
            group=_text(said.get(CLASS)),
            colour=_code(colours[n]),
            t=time,
            c=_channel(said),
        )
        items.append(item.on_its_slice().with_holes())
    return Annotations(tuple(items), layer.name)


def _on_axes(annotations: Annotations, like: ImageLayer | None) -> Iterator[Annotation]:
    """The annotations at their places along the axes that the image has.

    Without an image an axis counts only where they lie at different places on it.
    """
    if like is not None:
        grid = grid_of(like)
        sizes = dict(zip(grid.axes, level_0(like).shape, strict=False))
        # a channel of a file is a layer; places in the file's stack run through all of them
        source = like.metadata.get(METADATA_KEY, {}).get("source") or {}
        sizes.setdefault("c", int(source.get("n_channels") or 1))
        yield from (placed(item, sizes) for item in annotations.items)
        return
    items = annotations.unstacked().items
    spread = {axis: any(getattr(item, axis) for item in items) for axis in ("t", "z")}
    spatial = any(item.is_spatial for item in items)
    for item in items:
        kept = {axis: getattr(item, axis) for axis, known in spread.items() if known}
        if spatial and not item.is_spatial and item.z is not None:
            kept["z"] = item.z
        yield replace(item, **{"t": None, "z": None} | kept)


def _place(axes: Sequence[str], like: ImageLayer | None) -> dict[str, Any]:
    """Scale, place and units of some of the image's axes."""
    if like is None:
        return {"axis_labels": tuple(axes)}
    grid = grid_of(like)
    place = place_of_marks(like, grid)
    have = [axis for axis in grid.axes if axis != "c"]
    if len(have) == len(axes):
        return place
    kept = [have.index(axis) for axis in axes]
    return {
        "scale": np.asarray(place["scale"])[kept],
        "translate": np.asarray(place["translate"])[kept],
        "units": tuple(place["units"][n] for n in kept),
        "axis_labels": tuple(axes),
    }


def _shapes_layer(
    items: Sequence[Annotation], properties: dict[str, Any], like: ImageLayer | None
) -> "LayerDataTuple":
    owners = [item for item in items for _ in item.parts]
    data = [item.on_its_axes(bridged(part)) for item in items for part in item.parts]
    if like is not None:
        properties["edge_width"] = max(level_0(like).shape[-2:]) * WIDTH_SHARE
    properties |= {
        "shape_type": [item.form for item in owners],
        "features": _features(owners),
        "edge_color": _colours(owners),
        "face_color": "transparent",
        "opacity": 1.0,
    }
    return data, properties, "shapes"


def _points_layer(
    items: Sequence[Annotation], properties: dict[str, Any], like: ImageLayer | None
) -> "LayerDataTuple":
    pairs = [(item, line) for item in items for (line,) in item.parts]
    owners = [item for item, line in pairs for _ in range(len(line))]
    data = np.concatenate([item.on_its_axes(line) for item, line in pairs])
    properties |= {
        "features": _features(owners),
        "face_color": _colours(owners),
        "border_color": "black",
    }
    if like is not None:
        properties["size"] = float(np.clip(max(level_0(like).shape[-2:]) / 64, 2, 20))
    return data, properties, "points"


def _features(owners: Sequence[Annotation]) -> dict[str, Any]:
    columns: dict[str, Any] = {LABEL_FEATURE: np.array([item.label for item in owners], np.int64)}
    if any(item.name for item in owners):
        columns[NAME] = [item.name for item in owners]
    if any(item.group for item in owners):
        columns[CLASS] = [item.group for item in owners]
    if any(item.c is not None for item in owners):
        # counted from 0 as all that is in a layer; -1 is on all
        columns[CHANNEL] = np.array([-1 if item.c is None else item.c for item in owners])
    return columns


def _colours(owners: Sequence[Annotation]) -> NDArray[np.floating]:
    """Those of the file, else those that a Labels layer gives to the labels."""
    colours = label_colors(np.array([item.label for item in owners], np.int64))
    for n, item in enumerate(owners):
        if item.colour:
            code = item.colour
            colours[n, :3] = [int(code[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    return colours


def _without_time(
    points: NDArray[np.float64], axes: Sequence[str], layer: Layer, n: int
) -> tuple[NDArray[np.float64], int | None]:
    if "t" not in axes:
        return points, None
    place = axes.index("t")
    times = np.unique(np.rint(points[:, place]))
    if len(times) > 1 or times[0] < 0:
        raise InputError(
            f"Number {n + 1} of '{layer.name}' is not at one time point; draw it at one."
        )
    return np.delete(points, place, axis=1), int(times[0])


def _label(said: Mapping[str, Any]) -> int | None:
    value = said.get(LABEL_FEATURE)
    if isinstance(value, str):
        value = int(value) if value.strip().isdecimal() else None
    return checked_label(value)


def _channel(said: Mapping[str, Any]) -> int | None:
    value = said.get(CHANNEL)
    known = isinstance(value, int | float | np.number) and np.isfinite(value) and value >= 0
    return int(value) if known and value is not None else None


def _code(colour: NDArray[np.floating]) -> str:
    return "#" + "".join(f"{int(part):02x}" for part in np.rint(np.asarray(colour)[:3] * 255))


def _text(value: Any) -> str:
    text = str(value).strip()
    return "" if value is None or text.lower() in _NOT_GIVEN else visible(text)
