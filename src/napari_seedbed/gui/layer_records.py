"""What a layer's metadata tells of it: how it was made, and whether it is a result or a preview."""

import re
from collections.abc import Mapping
from typing import Any

from napari.components import ViewerModel
from napari.layers import Layer

METADATA_KEY = "napari_seedbed"
SLOT_KEYS = ("kind", "slot", "layer_id")
"""What the window keeps in a layer's metadata for itself, beside the record."""

PREVIEW = {"preview": True}
"""Record of a layer that shows what a run would give, and goes away again."""

_TRUTH = {"truth", "groundtruth", "gt"}

# "nuclei (Superpixels (SLIC)) [1]": what results have behind the name of the picture
_LAST_STEP = re.compile(r" \((?:[^()]|\([^()]*\))*\)(?: \[\d+\])?$")


def record_of(layer: Layer) -> dict[str, Any] | None:
    """How the layer was made by an operation, None when it was not."""
    kept = layer.metadata.get(METADATA_KEY)
    if not isinstance(kept, Mapping) or "operation" not in kept:
        return None
    return {key: value for key, value in kept.items() if key not in SLOT_KEYS}


def notes_of(layer: Layer) -> tuple[str, ...]:
    """What looked odd when the layer's file was read, in plain words."""
    return tuple(layer.metadata.get(METADATA_KEY, {}).get("notes", ()))


def is_result(layer: Layer) -> bool:
    """Whether an operation of this plugin made the layer."""
    return record_of(layer) is not None


def name_of_source(layer: Layer) -> str:
    """The name of the picture that a chain of results began with, to name the next one by.

    A chain of five would have a name that no list of layers can show.
    """
    return _LAST_STEP.sub("", str(layer.name)) if is_result(layer) else str(layer.name)


def is_preview(layer: Layer) -> bool:
    """Whether the layer shows what a run would give: nothing to work on."""
    return bool(layer.metadata.get(METADATA_KEY, {}).get("preview"))


def is_truth(layer: Layer) -> bool:
    """Whether the layer is called a truth, to score results against, and was not made for seeds."""
    words = re.split(r"[^a-z]+", str(layer.name).lower())
    return not is_seeds(layer) and not _TRUTH.isdisjoint(words)


def is_seeds(layer: Layer) -> bool:
    """Whether the layer was made for seeds."""
    return layer.metadata.get(METADATA_KEY, {}).get("kind") == "seeds"


def find_result(viewer: ViewerModel, slot: str) -> Layer | None:
    """The layer that was added for `slot`; neither a copy of it nor an accepted one."""
    for layer in viewer.layers:
        kept = layer.metadata.get(METADATA_KEY, {})
        # a duplicated layer copies the metadata, but has an id of its own
        if kept.get("slot") == slot and kept.get("layer_id") == str(layer.unique_id):
            return layer
    return None


def keep_record(layer: Layer, kind: str, record: Mapping[str, Any], slot: str) -> None:
    """Keep in the metadata of a layer how it was made, so that `find_result` finds it."""
    kept = {**record, "kind": kind, "slot": slot, "layer_id": str(layer.unique_id)}
    layer.metadata = {**layer.metadata, METADATA_KEY: kept}


def accept(layer: Layer) -> None:
    """Make a result an ordinary layer: later runs leave it alone, and it can be edited."""
    kept = dict(layer.metadata.get(METADATA_KEY, {}))
    for key in ("slot", "layer_id"):
        kept.pop(key, None)
    layer.metadata = {**layer.metadata, METADATA_KEY: kept}
    layer.editable = True
