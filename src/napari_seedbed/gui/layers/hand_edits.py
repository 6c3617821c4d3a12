"""Results that somebody has changed by hand since they were made."""

import math
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
from napari.layers import Labels, Layer
from numpy.typing import NDArray

from napari_seedbed.gui.layers.image_layers import image_of
from napari_seedbed.gui.layers.layer_records import record_of
from napari_seedbed.gui.layers.painted_voxels import painted_voxels
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


class HandStrokes:
    """Knows whether strokes of a person are in labels that a panel writes.

    napari does not tell what its undo changed, so the voxels that were painted are compared with
    what they were. What was written while a stroke was there counts as changed for good.
    """

    def __init__(self) -> None:
        self._places: NDArray[np.int64] = np.empty(0, np.int64)
        self._before: NDArray[np.int64] = np.empty(0, np.int64)
        self._seen: NDArray[np.int64] = np.empty(0, np.int64)
        self._is_for_good = False

    def note(self, event: Any) -> None:
        """Take note of what napari tells of a stroke."""
        indices, *values = painted_voxels(event.value, event.source.data.shape)
        before, after = (value.astype(np.int64) for value in values)
        # of a voxel that was painted twice the first stroke knows what it was, the last what it is
        places, first = np.unique(indices, return_index=True)
        last = len(indices) - 1 - np.unique(indices[::-1], return_index=True)[1]
        known = np.searchsorted(self._places, places)
        known = np.minimum(known, len(self._places) - 1)
        is_new = self._places[known] != places if len(self._places) else np.ones(len(places), bool)
        self._seen[known[~is_new]] = after[last[~is_new]]
        joined = np.concatenate([self._places, places[is_new]])
        order = np.argsort(joined)
        self._places = joined[order]
        self._before = np.concatenate([self._before, before[first[is_new]]])[order]
        self._seen = np.concatenate([self._seen, after[last[is_new]]])[order]

    def replace(self) -> None:
        """Other labels took the place of those that the panel wrote."""
        self._places = self._before = self._seen = np.empty(0, np.int64)
        self._is_for_good = True

    def are_in(self, layer: Labels) -> bool:
        """Whether what the layer holds is not the panel's alone."""
        return self._is_for_good or not np.array_equal(self._now(layer), self._before)

    def were_moved(self, layer: Labels) -> bool:
        """Whether strokes were undone or made again since this was asked or noted last."""
        now = self._now(layer)
        is_other = not np.array_equal(now, self._seen)
        self._seen = now
        return is_other

    @contextmanager
    def writing(self, layer: Labels) -> Iterator[None]:
        """Let what the panel writes meanwhile be its own."""
        self._is_for_good = self.are_in(layer)
        yield
        self._before = self._seen = self._now(layer)

    def _now(self, layer: Labels) -> NDArray[np.int64]:
        data = np.asarray(layer.data)
        # of other labels, which are not told of yet, there may be fewer voxels
        places = self._places[self._places < data.size]
        return data.flat[places].astype(np.int64)
