"""Undo and redo for a seeds layer: napari's own for strokes, and which label is background."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

from napari.layers import Labels, Layer
from qtpy.QtCore import QObject, Signal

from napari_seedbed.gui.layers.seed_layers import voxels_of_labels
from napari_seedbed.gui.layers.seed_roles import background_of, set_background
from napari_seedbed.gui.layers.seeds_watch import move_connections
from napari_seedbed.gui.layers.viewer_keys import ViewerKey
from napari_seedbed.pipeline.data.sparse_labels import places_in

UNDO_KEY, REDO_KEY = "Ctrl+Z", "Ctrl+Shift+Z"

_Change = tuple[int, int]
"""The background before and after."""


@dataclass
class _Past:
    """Changes of one layer in their order; None stands for one that napari keeps."""

    done: list[_Change | None] = field(default_factory=list)
    undone: list[_Change | None] = field(default_factory=list)


class SeedHistory(QObject):
    """Remembers in which order strokes and changes of the background came.

    napari keeps strokes, fills and clearings; here stands only where among them the background
    changed. Its keys are taken on the watched layer alone.

    Notes
    -----
    Signal: `background_changed()`.
    """

    background_changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._layer: Labels | None = None
        self._pasts: WeakKeyDictionary[Labels, _Past] = WeakKeyDictionary()
        self._keys: list[ViewerKey] = []
        self._are_taken = False

    def watch(self, layer: Layer | None) -> None:
        """Follow another layer; what was done on the others can be undone when they come back."""
        labels = layer if isinstance(layer, Labels) else None
        if labels is self._layer:
            return
        taken = self._are_taken
        self.give_back_keys()
        move_connections(self._layer, labels, ("paint",), self._on_paint)
        self._layer = labels
        if labels is not None:
            self._keys = [
                ViewerKey(labels, UNDO_KEY, self.undo), ViewerKey(labels, REDO_KEY, self.redo),
            ]  # fmt: skip
        else:
            self._keys = []
        if taken:
            self.take_keys()

    def take_keys(self) -> None:
        """Take the keys on the layer, in place of napari's."""
        self._are_taken = True
        for key in self._keys:
            key.take()

    def give_back_keys(self) -> None:
        """Give them back."""
        self._are_taken = False
        for key in self._keys:
            key.give_back()

    def set_background(self, label: int) -> None:
        """Let a label be the background, which can be undone; 0 for none."""
        if self._layer is None or background_of(self._layer) == label:
            return
        change = background_of(self._layer), label
        self._past.done.append(change)
        self._past.undone.clear()
        self._be(label)

    def clear(self) -> None:
        """Take away all marks at all slices and time points, which can be undone."""
        if self._layer is None:
            return
        marked = places_in(voxels_of_labels(self._layer))
        if marked[0].size:
            self._layer.data_setitem(marked, 0)

    def undo(self) -> None:
        """Take back the last change."""
        self._move(self._past.done, self._past.undone, Labels.undo, before=True)

    def redo(self) -> None:
        """Do again what was taken back last."""
        self._move(self._past.undone, self._past.done, Labels.redo, before=False)

    def _move(
        self,
        source: list[_Change | None],
        target: list[_Change | None],
        by_napari: Callable[[Labels], None],
        before: bool,
    ) -> None:
        if self._layer is None:
            return
        if not source and not before and target:
            return  # napari would redo strokes over a later change
        change = source.pop() if source else None
        if change is None:
            # also strokes from before this layer was watched
            by_napari(self._layer)
            target.append(None)
        else:
            target.append(change)
            self._be(change[0 if before else 1])

    def _be(self, label: int) -> None:
        assert self._layer is not None
        set_background(self._layer, label)
        self.background_changed.emit()

    @property
    def _past(self) -> _Past:
        assert self._layer is not None
        return self._pasts.setdefault(self._layer, _Past())

    def _on_paint(self, event: Any) -> None:
        self._past.done.append(None)
        self._past.undone.clear()
