"""Layers of napari as plain values and arrays, and back."""

import inspect
from collections import defaultdict
from collections.abc import Iterable, Mapping
from tokenize import TokenError
from typing import Any

import numpy as np
from napari import layers as kinds_of_layers
from napari.layers import Layer
from napari.utils.colormaps import Colormap, CyclicLabelColormap, DirectLabelColormap
from numpy.typing import NDArray

from napari_seedbed.errors import InputError
from napari_seedbed.gui.layers.layer_records import METADATA_KEY, slot_of
from napari_seedbed.pipeline.data.layer_description import LayerDescription
from napari_seedbed.pipeline.data.plain_values import from_plain, to_plain

KINDS = {
    one.__name__.lower(): one
    for one in (
        kinds_of_layers.Image,
        kinds_of_layers.Labels,
        kinds_of_layers.Points,
        kinds_of_layers.Shapes,
        kinds_of_layers.Surface,
        kinds_of_layers.Tracks,
        kinds_of_layers.Vectors,
    )
}

# napari derives them from others.
_DERIVED = ("properties", "property_choices", "colormaps_dict", "locked_data_level")

_STATE = {
    "image": ("contrast_limits_range",),
    "labels": (
        "selected_label",
        "brush_size",
        "contour",
        "n_edit_dimensions",
        "contiguous",
        "preserve_labels",
    ),
    "points": ("current_size", "current_symbol", "current_face_color", "current_border_color"),
    "shapes": ("current_edge_width", "current_edge_color", "current_face_color"),
}
"""What is set once a layer is there, by its kind."""

_WRONG = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    TokenError,
    TypeError,
    ValueError,
)
"""What napari and its libraries raise for values of another kind."""

_MOST_AXES = 16
_FARTHEST = 1e15
"""Steps and places in the world; beyond it napari loses all digits."""

# The window's own marks of a layer: another layer in another window has others.
_OF_THIS_WINDOW = ("slot", "layer_id")


def described(layer: Layer, *, with_data: bool = True) -> LayerDescription:
    """What a layer is made of: data, names, transform, units, look, features, metadata, locks.

    Parameters
    ----------
    layer : Layer
        Of any kind that napari has.
    with_data : bool
        Whether the data are wanted; those of a lazy image, or of an image in several resolutions,
        cannot be.

    Returns
    -------
    LayerDescription
        Its arrays are those of the layer, not copies.

    Raises
    ------
    InputError
        Where the data are not in memory.
    """
    data, given, kind = layer.as_layer_data_tuple()
    arrays: dict[str, NDArray] = {}
    plain_data = None
    if with_data:
        plain_data = to_plain(_plain_data(layer, kind, data), arrays, "data")
    attributes: dict[str, Any] = {}
    left_out = []
    for name, value in given.items():
        if name in _DERIVED:
            continue
        if name == "metadata":
            attributes[name], lost = _plain_metadata(value, arrays)
            left_out += lost
            continue
        try:
            attributes[name] = to_plain(_known_value(value), arrays, name)
        except InputError:
            left_out.append(f"'{name}' of '{layer.name}'")
    # Elsewhere what a panel renews is a result to keep, unless `renew_slots` finds its image.
    slot = slot_of(layer)
    state: dict[str, Any] = {"id": str(layer.unique_id)}
    state["locked"] = bool(layer.locked or slot)
    state["editable"] = bool(layer.editable or slot)
    if slot and layer.metadata[METADATA_KEY].get("layer_id") == state["id"]:
        state["slot"] = {"name": slot, "locked": bool(layer.locked), "editable": layer.editable}
    for name in _STATE.get(kind, ()):
        state[name] = to_plain(_known_value(getattr(layer, name)), arrays, f"state/{name}")
    return LayerDescription(str(kind), plain_data, attributes, state, arrays, tuple(left_out))


def layer_of(description: LayerDescription) -> tuple[Any, dict[str, Any], str]:
    """Data, attributes and kind of a layer, as napari's readers give them.

    What a layer has beyond them, such as its locks, comes with `set_state`.

    Raises
    ------
    InputError
        Where the kind is unknown, or the data or the attributes are damaged.
    """
    kind, arrays = description.kind, description.arrays
    if kind not in KINDS:
        raise InputError(f"kind: there are no layers of kind '{kind}'; known are {[*KINDS]}.")
    known = inspect.signature(KINDS[kind]).parameters
    attributes = {
        name: _given_value(from_plain(value, arrays))
        for name, value in description.attributes.items()
        if name in known and name != "data"
    }
    ndim = attributes.get("ndim", 2)
    if not isinstance(ndim, int) or not 1 <= ndim <= _MOST_AXES:
        raise InputError(f"ndim: {ndim!r} given; it must be 1 to {_MOST_AXES}.")
    data = from_plain(description.data, arrays)
    if kind == "shapes":
        data = _separate(data)
    elif kind == "surface":
        data = tuple(data)
    return data, attributes, kind


def set_state(layer: Layer, description: LayerDescription) -> None:
    """Lock a layer as it was, put back what its tools held."""
    state = from_plain(description.state, description.arrays)
    for name in (*_STATE.get(description.kind, ()), "editable", "locked"):
        if name in state:
            setattr(layer, name, state[name])


def restored(description: LayerDescription) -> Layer:
    """The layer that a description is of; a result of a panel is one that was accepted.

    Raises
    ------
    InputError
        Where the description is damaged.
    """
    data, attributes, kind = layer_of(description)
    try:
        layer = Layer.create(data, attributes, kind)
        _check_place(layer)
        set_state(layer, description)
    except _WRONG as error:
        raise InputError(f"'{description.name}' is damaged: {error}.") from error
    return layer


def _check_place(layer: Layer) -> None:
    """Raise ValueError for what napari takes, but cannot show beside other layers."""
    if not all(isinstance(label, str) for label in (layer.name, *layer.axis_labels)):
        raise ValueError("its axes have no names")
    extent = np.asarray(layer.extent.world, float)
    steps = np.asarray(layer.extent.step, float)
    # an empty layer lies nowhere
    known = extent[np.isfinite(extent).all(axis=-1)] if _is_empty(layer) else extent
    if not (np.abs(known) < _FARTHEST).all() or not (steps > 1 / _FARTHEST).all():
        raise ValueError("it lies out of all bounds")


def _is_empty(layer: Layer) -> bool:
    return type(layer).__name__ in ("Points", "Shapes", "Vectors") and not len(layer.data)


def renew_slots(restored_layers: Iterable[tuple[LayerDescription, Layer]]) -> None:
    """Let panels go on with the results that they renewed, where the layers they are of are there.

    Parameters
    ----------
    restored_layers : iterable of (LayerDescription, Layer)
        All that were restored together.
    """
    pairs = list(restored_layers)
    ids = {str(one.state.get("id")): str(layer.unique_id) for one, layer in pairs}
    for one, layer in pairs:
        kept = one.state.get("slot")
        parts = str(kept.get("name")).split("/") if isinstance(kept, Mapping) else []
        if not isinstance(kept, Mapping) or ids.keys().isdisjoint(parts):
            continue
        slot = "/".join(ids.get(part, part) for part in parts)
        record = {
            **layer.metadata.get(METADATA_KEY, {}),
            "slot": slot,
            "layer_id": str(layer.unique_id),
        }
        layer.metadata = {**layer.metadata, METADATA_KEY: record}
        layer.locked, layer.editable = bool(kept.get("locked")), bool(kept.get("editable"))


# Data and attributes that need words of their own


def _plain_data(layer: Layer, kind: str, data: Any) -> Any:
    if kind == "shapes":
        # One array for all shapes; one for each of ten thousand would take minutes to write.
        lengths = np.array([len(one) for one in data], int)
        vertices = np.concatenate(data) if len(data) else np.zeros((0, layer.ndim), np.float32)
        return {"vertices": vertices, "lengths": lengths}
    if kind in ("image", "labels") and not isinstance(data, np.ndarray):
        raise InputError(
            f"'{layer.name}': its voxels are not in memory; keep the file that they are in."
        )
    return data


def _separate(data: Any) -> list[NDArray]:
    """The vertices of each shape."""
    try:
        vertices, lengths = np.asarray(data["vertices"]), np.asarray(data["lengths"], int)
    except (KeyError, TypeError, ValueError) as error:
        raise InputError("data: the shapes are damaged.") from error
    if (lengths < 1).any() or int(lengths.sum()) != len(vertices):
        raise InputError("data: the shapes are damaged: they have not as many corners as they say.")
    return np.split(vertices, np.cumsum(lengths)[:-1]) if len(lengths) else []


def _plain_metadata(
    metadata: Mapping[str, Any], arrays: dict[str, NDArray]
) -> tuple[dict[str, Any], list[str]]:
    """What of a layer's metadata can be kept, and what cannot, in words."""
    kept, lost = {}, []
    for key, value in metadata.items():
        if key == METADATA_KEY and isinstance(value, Mapping):
            value = {name: one for name, one in value.items() if name not in _OF_THIS_WINDOW}
        try:
            if not isinstance(key, str):
                raise InputError("metadata: a key is no text.")
            kept[key] = to_plain(value, arrays, f"metadata/{key}")
        except InputError:
            lost.append(f"the metadata '{key}'")
    return kept, lost


def _known_value(value: Any) -> Any:
    """A value of napari as numbers, texts, lists, mappings and arrays."""
    if isinstance(value, CyclicLabelColormap | DirectLabelColormap):
        return _plain_colours(value)
    if isinstance(value, Colormap):
        return value.model_dump()
    if hasattr(value, "to_numpy") and hasattr(value, "columns"):
        return {str(name): np.asarray(value[name]) for name in value.columns}
    if isinstance(value, tuple) and value and all(hasattr(one, "dimensionality") for one in value):
        return [str(one) for one in value]
    return value


def _given_value(value: Any) -> Any:
    """A value as napari takes it."""
    if isinstance(value, dict) and "label_colours" in value:
        return _label_colours(value)
    return value


def _plain_colours(colours: CyclicLabelColormap | DirectLabelColormap) -> dict[str, Any]:
    shared = {
        "name": colours.name,
        "use_selection": colours.use_selection,
        "selection": int(colours.selection),
        "background_value": int(colours.background_value),
    }
    if isinstance(colours, CyclicLabelColormap):
        cycle = {
            "colors": np.asarray(colours.colors),
            "controls": np.asarray(colours.controls),
            "seed": colours.seed,
        }
        return {"label_colours": "cyclic", **shared, **cycle}
    known = dict(colours.color_dict)
    other = known.pop(None, None)
    return {
        "label_colours": "direct",
        **shared,
        "labels": np.array(list(known), np.int64),
        "colors": np.array(list(known.values()), np.float32).reshape(-1, 4),
        "other": np.zeros(4, np.float32) if other is None else np.asarray(other, np.float32),
    }


def _label_colours(value: dict[str, Any]) -> CyclicLabelColormap | DirectLabelColormap:
    try:
        kind = value.pop("label_colours")
        if kind == "cyclic":
            return CyclicLabelColormap(**value)
        colours = dict(zip(value.pop("labels").tolist(), value.pop("colors"), strict=True))
        other = value.pop("other")
        by_label = defaultdict(lambda: other, {**colours, None: other})
        return DirectLabelColormap(color_dict=by_label, **value)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError("colormap: the colours of the labels are damaged.") from error
