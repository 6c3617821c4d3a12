"""What a layer's metadata records: how it was made, and whether it is a result or a preview."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar, overload

from napari.components import ViewerModel
from napari.layers import Layer

LayerT = TypeVar("LayerT", bound=Layer)

METADATA_KEY = "napari_seedbed"
BEFORE = "before"
"""The record of labels before they were proofread."""

STEPS = "steps"
"""The recipe of a result, where some of its steps are switched off: its record knows of none."""

SLOT_KEYS = ("kind", "slot", "layer_id", "classes", BEFORE, STEPS)
"""What the window keeps in a layer's metadata for itself, beside the record."""

PREVIEW = {"preview": True}
"""Record of a layer that shows what a run would give, and goes away again."""

_TRUTH = {"truth", "groundtruth", "gt"}


def record_of(layer: Layer) -> dict[str, Any] | None:
    """How the layer was made by an operation, None when it was not."""
    kept = layer.metadata.get(METADATA_KEY)
    if not isinstance(kept, Mapping) or "operation" not in kept:
        return None
    return {key: value for key, value in kept.items() if key not in SLOT_KEYS}


def is_of_the_same_run(layer: Layer, labels: Layer) -> bool:
    """Whether the run that made some labels, which may have been proofread since, gave a layer."""
    made = labels.metadata.get(METADATA_KEY, {}).get(BEFORE) or record_of(labels)
    return made is not None and record_of(layer) == made


def notes_of(layer: Layer) -> tuple[str, ...]:
    """What looked odd when the layer's file was read, in plain words."""
    return tuple(layer.metadata.get(METADATA_KEY, {}).get("notes", ()))


def kind_of(layer: Layer) -> str:
    """What a result is, such as 'labels' or 'uncertainty'; empty for other layers."""
    return str(layer.metadata.get(METADATA_KEY, {}).get("kind", ""))


def is_result(layer: Layer) -> bool:
    """Whether an operation of this plugin made the layer."""
    return record_of(layer) is not None


def slot_of(layer: Layer) -> str:
    """Which results the layer shows, those of one widget; '' where no run changes it any more."""
    return str(layer.metadata.get(METADATA_KEY, {}).get("slot", ""))


def is_preview(layer: Layer) -> bool:
    """Whether the layer shows what a run would give: nothing to work on."""
    return bool(layer.metadata.get(METADATA_KEY, {}).get("preview"))


def is_truth(layer: Layer) -> bool:
    """Whether the layer is called a truth, to score results against, and was not made for seeds.

    Or comes from a folder of truths, as the Cell Tracking Challenge names them.
    """
    words = re.split(r"[^a-z]+", str(layer.name).lower())
    source = layer.metadata.get(METADATA_KEY, {}).get("source") or {}
    folders = Path(source.get("path", "")).parts
    is_called_so = not _TRUTH.isdisjoint(words) or any(part.endswith("_GT") for part in folders)
    return not is_seeds(layer) and is_called_so


def is_seeds(layer: Layer) -> bool:
    """Whether the layer was made for seeds."""
    return kind_of(layer) == "seeds"


@overload
def find_result(viewer: ViewerModel, slot: str) -> Layer | None: ...
@overload
def find_result(viewer: ViewerModel, slot: str, kind: type[LayerT]) -> LayerT | None: ...
def find_result(viewer: ViewerModel, slot: str, kind: type[Layer] = Layer) -> Layer | None:
    """The layer that was added for `slot`; neither a copy of it nor an accepted one.

    None where it is of another kind.
    """
    for layer in viewer.layers:
        kept = layer.metadata.get(METADATA_KEY, {})
        # a duplicated layer copies the metadata, but has an id of its own
        if kept.get("slot") == slot and kept.get("layer_id") == str(layer.unique_id):
            return layer if isinstance(layer, kind) else None
    return None


def result_to_renew(viewer: ViewerModel, slot: str, kind: type[LayerT], ndim: int) -> LayerT | None:
    """The layer of `slot` where it can show the next result; one that cannot is taken away."""
    layer = find_result(viewer, slot)
    if layer is None or (isinstance(layer, kind) and layer.ndim == ndim):
        return layer
    viewer.layers.remove(layer)
    return None


def keep_record(layer: Layer, kind: str, record: Mapping[str, Any], slot: str) -> None:
    """Keep in the metadata of a layer how it was made, so that `find_result` finds it."""
    kept = {**record, "kind": kind, "slot": slot, "layer_id": str(layer.unique_id)}
    layer.metadata = {**layer.metadata, METADATA_KEY: kept}


def lock_result(layer: Layer) -> None:
    """Lock what a run gave for good: napari deletes it only after a person has unlocked it."""
    record = record_of(layer)
    if record is not None and not (record.get("preview") or record.get("live")):
        layer.locked = True


def accept(layer: Layer) -> None:
    """Make a result an ordinary layer: later runs leave it alone, and it can be edited.

    It stays locked against being deleted by mistake.
    """
    kept = dict(layer.metadata.get(METADATA_KEY, {}))
    for key in ("slot", "layer_id"):
        kept.pop(key, None)
    layer.metadata = {**layer.metadata, METADATA_KEY: kept}
    layer.editable = layer.locked = True
