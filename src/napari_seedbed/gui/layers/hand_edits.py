"""Results that somebody has changed by hand since they were made."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from napari.layers import Labels, Layer

from napari_seedbed.gui.layers.image_layers import image_of
from napari_seedbed.gui.layers.layer_records import record_of
from napari_seedbed.pipeline.data.fingerprint import Fingerprint
from napari_seedbed.pipeline.data.image import Image


def changed_by_hand(layers: Iterable[Layer], record: Mapping[str, Any]) -> list[str]:
    """Names of the labels that this record is of, and that hold other voxels than it says.

    Of layers that show a part of a result alone, such as one time point, nothing is known.
    """
    found = []
    for layer in layers:
        if not isinstance(layer, Labels) or not isinstance(layer.data, np.ndarray):
            continue
        own = record_of(layer)
        is_of_it = own is not None and own.get("outputs") == record.get("outputs")
        if is_of_it and holds_others(image_of(layer), record):
            found.append(str(layer.name))
    return found


def holds_others(labels: Image, record: Mapping[str, Any]) -> bool:
    """Whether labels hold other voxels than their record says, as far as that is known."""
    known = {name for names in (record.get("outputs") or {}).values() for name in names}
    if not known or record.get("region"):
        return False
    (made_on, *_) = record["inputs"]
    size = math.prod(
        n for axis, n in zip(made_on["axes"], made_on["shape"], strict=True) if axis != "c"
    )
    is_whole = math.prod(labels.shape) == size
    return is_whole and known.isdisjoint(Fingerprint(labels).channels())
