"""Undo and redo of everything that is done to labels: edits, states, strokes of napari's tools."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from napari.layers import Labels
from numpy.typing import NDArray
from qtpy.QtCore import QObject, Signal

from napari_seedbed.core.proofreading.edit_history import EditHistory
from napari_seedbed.core.proofreading.label_edits import LabelEdit, edit_of_voxels
from napari_seedbed.core.proofreading.named_edits import EditCommand
from napari_seedbed.core.proofreading.voxel_runs import VoxelRuns
from napari_seedbed.errors import InputError
from napari_seedbed.gui.layers.object_states import (
    ObjectState,
    class_names,
    object_states,
    set_class_names,
    write_states,
)
from napari_seedbed.gui.layers.painted_voxels import Voxels, painted_voxels
from napari_seedbed.gui.layers.seeds_watch import move_connections
from napari_seedbed.gui.layers.viewer_keys import ViewerKey
from napari_seedbed.gui.qt.delays import Delay

UNDO_KEY, REDO_KEY = "Ctrl+Z", "Ctrl+Shift+Z"

States = Mapping[int, ObjectState]


@dataclass(frozen=True)
class Beside:
    """What belongs to a step beside its voxels.

    Attributes
    ----------
    command : EditCommand or None
        How a recipe repeats it; None where nothing of the voxels changed.
    before, after : mapping
        States of objects by label, of those that changed.
    classes : (tuple of str, tuple of str) or None
        Names of the classes before and after; None where they stay.
    """

    command: EditCommand | None = None
    before: States = field(default_factory=dict)
    after: States = field(default_factory=dict)
    classes: tuple[tuple[str, ...], tuple[str, ...]] | None = None


@dataclass
class _Past:
    """Steps of one layer: the voxels, and beside them, from the end, what belongs to each."""

    history: EditHistory = field(default_factory=EditHistory)
    done: list[Beside] = field(default_factory=list)
    undone: list[Beside] = field(default_factory=list)
    is_napari_right: bool = True
    """Whether napari's own history of the layer could be gone through as well."""
    left_to_napari: list[Any] = field(default_factory=list)
    """Steps of that history when the layer was watched last."""
    oldest: Any = None
    """The first step of that history, while nobody watches."""
    forgotten: list[Any] = field(default_factory=list)
    """Steps before it that napari, which keeps a hundred, has forgotten meanwhile."""

    def push(self, edit: LabelEdit, beside: Beside) -> None:
        self.history.push(edit)
        self.done.append(beside)
        self.undone.clear()

    def forget_last(self, count: int) -> None:
        """Forget the last steps, which somebody else has taken back."""
        if count:
            self.history.forget_last(count)
            self.undone.clear()
            del self.done[-count:]


class LabelsHistory(QObject):
    """One history a layer, whoever changed it.

    Strokes become steps as napari tells of them. While it watches a layer it has napari's keys
    there; when it lets go, napari's own history is emptied unless it tells the same.

    Notes
    -----
    Signals: `edited(edit)` when a stroke came, or a step was undone or redone, with the voxels
    that changed; `restated(labels)` when states of objects were; `replaced()` when other labels
    took the place of all; `changed()` when other steps can be undone or redone; `said(text)`.
    """

    edited = Signal(object)
    restated = Signal(object)
    changed = Signal()
    replaced = Signal()
    said = Signal(str)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._layer: Labels | None = None
        self._pasts: WeakKeyDictionary[Labels, _Past] = WeakKeyDictionary()
        self._keys: list[ViewerKey] = []
        self._strokes: list[Any] = []
        self.before_undo: Callable[[], bool] = lambda: False
        """Takes back what is no step yet, and says whether there was anything."""
        self.version = 0
        """Grows with each change of the voxels."""
        # Some of napari's tools tell of what they will write, and write it afterwards.
        self._soon = Delay(self, 0, self.take_strokes)

    # Whose history it is

    def watch(self, layer: Labels | None) -> None:
        """Follow another layer; what was done on the others can be undone when they come back."""
        if layer is self._layer:
            return
        self.take_strokes()
        self._let_go()
        move_connections(self._layer, layer, ("paint",), self._on_paint)
        move_connections(self._layer, layer, ("data",), self._on_data)
        self._layer = layer
        if layer is not None:
            self._adopt(layer)
            self._keys = [
                ViewerKey(layer, UNDO_KEY, self.undo), ViewerKey(layer, REDO_KEY, self.redo),
            ]  # fmt: skip
            for key in self._keys:
                key.take()
        self.changed.emit()

    def _let_go(self) -> None:
        for key in self._keys:
            key.give_back()
        self._keys = []
        layer = self._layer
        if layer is None:
            return
        past = self._past
        if not past.is_napari_right and layer.editable:
            mode = layer.mode
            # napari forgets its steps of a layer that cannot be edited
            layer.editable = False
            layer.editable = True
            layer.mode = mode
        steps = _steps_of_napari(layer)
        past.left_to_napari = steps if past.is_napari_right else []
        past.oldest = steps[0] if steps else None
        move_connections(None, layer, ("paint",), self._on_paint_elsewhere)
        move_connections(None, layer, ("data",), self._on_data_elsewhere)

    def _on_paint_elsewhere(self, event: Any) -> None:
        """A stroke on a layer that nobody watches: keep what napari forgets for it."""
        past, steps = self._pasts[event.source], _steps_of_napari(event.source)
        is_full = bool(steps) and len(steps) == event.source._undo_history.maxlen
        if is_full and past.oldest is not None and steps[0] is not past.oldest:
            past.forgotten.append(past.oldest)
        past.oldest = steps[0] if steps else None

    def _on_data_elsewhere(self, event: Any) -> None:
        self._pasts[event.source] = _Past()

    def _adopt(self, layer: Labels) -> None:
        """Take over the strokes that were made while nobody watched."""
        past = self._past
        move_connections(layer, None, ("paint",), self._on_paint_elsewhere)
        move_connections(layer, None, ("data",), self._on_data_elsewhere)
        steps, left = [*past.forgotten, *_steps_of_napari(layer)], past.left_to_napari
        past.forgotten, past.left_to_napari, past.oldest = [], [], None
        known = len(past.history) > 0 and not past.is_napari_right
        # napari's steps are those known, and what was done or undone meanwhile
        same = 0
        while same < min(len(steps), len(left)) and steps[same] is left[same]:
            same += 1
        undone = [item for item in left[same:] if self._edit_of(self._voxels_of(item)) is not None]
        past.forget_last(len(undone))
        for item in steps[same:]:
            self._push_stroke(self._voxels_of(item))
        past.is_napari_right = not known

    # What was done

    @property
    def undo_name(self) -> str | None:
        """What `undo` would take back."""
        return None if self._layer is None else self._past.history.undo_name

    @property
    def redo_name(self) -> str | None:
        """What `redo` would make again."""
        return None if self._layer is None else self._past.history.redo_name

    @property
    def commands(self) -> list[EditCommand]:
        """How a recipe repeats all that was done to the voxels of the layer, in order."""
        if self._layer is None:
            return []
        return [one.command for one in self._past.done if one.command is not None]

    def push(self, edit: LabelEdit, command: EditCommand, states: States | None = None) -> None:
        """Make an edit of the whole layer, with other states of its objects, as one step."""
        layer = self._layer
        assert layer is not None, "edits are made on the layer that is watched"
        self.take_strokes()
        edit.apply(layer.data)
        self.version += 1
        self._past.is_napari_right = False
        self._push_states(edit, command, states or {})
        layer.refresh()

    def set_states(self, name: str, states: States, classes: tuple[str, ...] | None = None) -> None:
        """Change states of objects and the classes that are offered, as a step."""
        layer = self._layer
        assert layer is not None, "states are changed on the layer that is watched"
        self.take_strokes()
        now = object_states(layer)
        states = {label: state for label, state in states.items() if state != now.of(label)}
        known = class_names(layer)
        named = None if classes is None or classes == known else (known, classes)
        if states or named:
            self._past.is_napari_right = False
            self._push_states(_nothing(name, layer.data.shape), None, states, named)

    def _push_states(
        self,
        edit: LabelEdit,
        command: EditCommand | None,
        states: States,
        classes: tuple[tuple[str, ...], tuple[str, ...]] | None = None,
    ) -> None:
        assert self._layer is not None
        now = object_states(self._layer)
        before = {label: now.of(label) for label in states}
        self._past.push(edit, Beside(command, before, dict(states), classes))
        self._restate(states, None if classes is None else classes[1])
        self.changed.emit()

    def undo(self) -> None:
        """Take back the last step."""
        if not self.before_undo():
            self._step(back=True)

    def redo(self) -> None:
        """Make the step again that was taken back last."""
        self._step(back=False)

    def _step(self, *, back: bool) -> None:
        layer = self._layer
        if layer is None:
            return
        self.take_strokes()
        past = self._past
        edit = past.history.last_done() if back else past.history.last_undone()
        if edit is None:
            self.said.emit(f"There is nothing to {'undo' if back else 'redo'}.")
            return
        if not _fits(edit, layer.data, after=back):
            self._on_data()
            self._past.is_napari_right = False
            self.said.emit(
                "These labels were changed by something else meanwhile, so earlier steps cannot "
                f"be {'undone' if back else 'redone'} any more."
            )
            return
        past.is_napari_right = False
        (past.history.undo if back else past.history.redo)(layer.data)
        source, target = (past.done, past.undone) if back else (past.undone, past.done)
        beside = source.pop()
        target.append(beside)
        names = None if beside.classes is None else beside.classes[0 if back else 1]
        self._restate(beside.before if back else beside.after, names)
        if edit.voxels:
            self.version += 1
            layer.refresh()
            self.edited.emit(edit)
        self.said.emit(f"{'Undone' if back else 'Done again'}: {edit.name}.")
        self.changed.emit()

    def _restate(self, states: States, classes: tuple[str, ...] | None) -> None:
        if self._layer is None or (not states and classes is None):
            return
        # first, as classes that objects have are offered as well
        write_states(self._layer, states)
        if classes is not None:
            set_class_names(self._layer, classes)
        self.restated.emit(list(states))

    @property
    def _past(self) -> _Past:
        assert self._layer is not None, "a history is that of a layer"
        return self._pasts.setdefault(self._layer, _Past())

    # Strokes

    def _on_paint(self, event: Any) -> None:
        self.version += 1
        self._strokes.append(event.value)
        self._soon.start()

    def _on_data(self, event: Any = None) -> None:
        """Other labels took the place of those edited."""
        self._soon.stop()
        self._strokes.clear()
        self.version += 1
        if self._layer is not None:
            self._pasts[self._layer] = _Past()
            self.changed.emit()
            self.replaced.emit()

    def take_strokes(self) -> None:
        """Make steps of the strokes that napari has told of; put back what is locked."""
        self._soon.stop()
        strokes, self._strokes = self._strokes, []
        layer = self._layer
        if layer is None or not strokes:
            return
        locked = object_states(layer).locked
        voxels = [self._voxels_of(atoms) for atoms in strokes]
        wrong, kept = np.empty(0, np.int64), []
        for indices, before, after in voxels:
            # what is written where a stroke before it is put back is so, too
            wrong = np.append(wrong, indices[_of(locked, before) | _of(locked, after)])
            kept.append(np.isin(indices, wrong))
        if len(wrong):
            self._put_back(voxels, kept, locked)
        for (indices, before, after), back in zip(voxels, kept, strict=True):
            edit = self._push_stroke((indices[~back], before[~back], after[~back]))
            if edit is not None:
                self.edited.emit(edit)
        self.changed.emit()

    def _put_back(
        self,
        voxels: Sequence[Voxels],
        kept: Sequence[NDArray[np.bool_]],
        locked: Iterable[int],
    ) -> None:
        layer = self._layer
        assert layer is not None
        indices, before, after = (
            np.concatenate([part[back] for part, back in zip(parts, kept, strict=True)])
            for parts in zip(*voxels, strict=True)
        )
        # of a voxel that was written twice the first counts
        places = np.unravel_index(indices[::-1], layer.data.shape)
        layer.data[places] = before[::-1]
        self._past.is_napari_right = False
        layer.refresh()
        touched = sorted(set(locked) & {*before.tolist(), *after.tolist()})
        are = "are" if len(touched) > 1 else "is"
        names = ", ".join(map(str, touched[:5]))
        objects = f"Object{'s' if len(touched) > 1 else ''} {names}"
        self.said.emit(f"{objects} {are} locked: what was painted there was put back.")

    def _voxels_of(self, item: Any) -> Voxels:
        assert self._layer is not None
        return painted_voxels(item, self._layer.data.shape)

    def _edit_of(self, voxels: Voxels) -> LabelEdit | None:
        """A stroke as a step; None where it was painted over within itself."""
        assert self._layer is not None
        indices, before, after = voxels
        values = np.unique(after)
        name = "stroke" if len(values) != 1 else "erase" if values[0] == 0 else f"paint {values[0]}"
        try:
            return edit_of_voxels(indices, before, after, name, shape=self._layer.data.shape)
        except InputError:
            return None

    def _push_stroke(self, voxels: Voxels) -> LabelEdit | None:
        edit = self._edit_of(voxels)
        if edit is None:
            return None
        written = EditCommand("write", options={"voxels": VoxelRuns.after(edit)})
        self._past.push(edit, Beside(written))
        return edit


def _nothing(name: str, shape: tuple[int, ...]) -> LabelEdit:
    """A step that changes no voxel."""
    none = np.empty(0, np.uint8)
    return LabelEdit(name, tuple(shape), none, none, none, none)


def _fits(edit: LabelEdit, labels: NDArray[np.integer], *, after: bool) -> bool:
    """Whether the labels still are as an edit has left or found them."""
    if edit.shape != labels.shape:
        return False
    return bool(np.array_equal(edit.read(labels), edit.after if after else edit.before))


def _of(labels: Iterable[int], values: NDArray[np.integer]) -> NDArray[np.bool_]:
    chosen = np.array(sorted(labels), np.int64)
    return np.isin(values, chosen)


def _steps_of_napari(layer: Labels) -> list[Any]:
    is_plain = isinstance(layer.data, np.ndarray)
    return list(getattr(layer, "_undo_history", ())) if is_plain else []
