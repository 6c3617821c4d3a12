"""Edits of the selected objects: worked out beside the window, made, and remembered."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Image as ImageLayer
from numpy.typing import NDArray
from qtpy.QtCore import QObject, Signal

from napari_seedbed.core.proofreading.edit_commands import edit_of
from napari_seedbed.core.proofreading.label_edits import LabelEdit
from napari_seedbed.core.proofreading.named_edits import EditCommand
from napari_seedbed.core.proofreading.object_boxes import free_labels
from napari_seedbed.core.proofreading.voxel_runs import VoxelRuns
from napari_seedbed.errors import InputError
from napari_seedbed.gui.layers.image_layers import image_of
from napari_seedbed.gui.layers.object_states import ObjectState, ObjectStates, object_states
from napari_seedbed.gui.tools.proofreading.drawn_edits import (
    drawn_command,
    object_under,
    plane_command,
)
from napari_seedbed.gui.tools.proofreading.edit_actions import ACTIONS
from napari_seedbed.gui.tools.proofreading.edit_runs import EditRuns, Wish
from napari_seedbed.gui.tools.proofreading.edited_labels import EditedLabels
from napari_seedbed.gui.tools.proofreading.labels_history import LabelsHistory, States
from napari_seedbed.gui.tools.proofreading.object_selection import ObjectSelection
from napari_seedbed.gui.tools.proofreading.object_table import ObjectTable
from napari_seedbed.pipeline.data.image import Image

if TYPE_CHECKING:
    from napari_seedbed.gui.tools.proofreading.picture_tools import Line, Tool

Path = NDArray[np.float64]

_MOST_NAMED = 5


class ObjectEdits(QObject):
    """Makes edits of the objects that are selected when they are wanted.

    Parameters
    ----------
    runs : EditRuns
    selection : ObjectSelection
    table : ObjectTable
    history : LabelsHistory
    numbers : callable
        The form's numbers by name.

    Notes
    -----
    Signals: `made(edit)` after an edit of the whole layer was written; `said(text)`.
    """

    made = Signal(object)
    said = Signal(str)

    def __init__(
        self,
        parent: QObject,
        runs: EditRuns,
        selection: ObjectSelection,
        table: ObjectTable,
        history: LabelsHistory,
        numbers: Callable[[], Mapping[str, float]],
    ) -> None:
        super().__init__(parent)
        self._runs, self._selection, self._table = runs, selection, table
        self._history, self._numbers = history, numbers
        self._target: EditedLabels | None = None
        self.image: ImageLayer | None = None

    def watch(self, target: EditedLabels | None) -> None:
        """Edit another layer."""
        self._target = target
        self._runs.cancel()

    # What people want

    def act(self, name: str, objects: Sequence[int] | None = None) -> None:
        """Make one of `ACTIONS` on the selected objects, or on others."""
        action = ACTIONS[name]
        if self._target is None:
            return
        chosen = list(self._selection.labels if objects is None else objects)
        if action.is_of_all:
            # at all time points alike, so that a cell keeps one number
            self._want(action.title, action.command((), self._numbers(), None))
            return
        if not action.least <= len(chosen) <= action.most:
            self.said.emit(f"{action.title}: {_how_many(action.least, action.most)}")
            return
        if action.verb == "redo" and self.image is None:
            self.said.emit(f"{action.title} needs the image: choose it above.")
            return
        self._want(action.title, action.command(chosen, self._numbers(), self._selection.time))

    def draw(self, tool: "Tool", lines: Sequence["Line"], axis: int | None = None) -> None:
        """Split the object that lines were drawn on, or grow it anew from them.

        In a volume they were drawn on a slice of this axis.
        """
        target, time = self._target, self._selection.time
        if target is None:
            return
        volume, chosen = target.volume(time), self._selection.labels
        inside, beside = (
            [line.points[:, -volume.ndim :] for line in lines if line.is_beside == which]
            for which in (False, True)
        )
        try:
            if tool == "redo" and len(chosen) == 1:
                label = chosen[0]
            else:
                label = object_under(volume, inside or beside, chosen)
        except InputError as error:
            self.said.emit(str(error))
            return
        has_image = self.image is not None
        title = "Grow anew" if tool == "redo" else "Split"
        about: dict[str, Any] = {"has_image": has_image, "time": time, "axis": axis}
        command = drawn_command(tool, label, inside, beside, **about)
        self._want(title, command)

    def cut(self, label: int, point: Path, normal: Path) -> None:
        """Cut an object along a plane, given in voxels of the layer."""
        target, time = self._target, self._selection.time
        if target is not None:
            own = slice(-len(target.spacing), None)
            self._want("Split", plane_command(label, point[own], normal[own], time))

    # How it comes about

    def _want(self, title: str, command: EditCommand) -> None:
        target = self._target
        assert target is not None
        volume = target.volume(command.time)
        image = self._image() if command.verb == "redo" or command.options.get("image") else None

        def begin() -> Callable[[], LabelEdit]:
            # edits and strokes before it have changed what is locked, and where objects lie
            self._history.take_strokes()
            about: dict[str, Any] = {
                "spacing": target.spacing,
                "locked": sorted(object_states(target.layer).locked),
                "box": self._table.box_of(command.objects, command.time),
            }

            def make() -> LabelEdit:
                voxels, channel_axis = (None, None) if image is None else image()
                return edit_of(command, volume, image=voxels, channel_axis=channel_axis, **about)

            return make

        self._runs.want(Wish(title, begin, partial(self._make, command)))

    def whole_image(self) -> Image | None:
        """The image that objects are grown in."""
        if self.image is None or self._target is None:
            return None
        return image_of(self.image, time_axis=self._target.time_axis)

    def _image(self) -> Callable[[], tuple[Any, int | None]] | None:
        """What reads the image's voxels at the time point on screen."""
        image, time = self.whole_image(), self._selection.time
        if image is None:
            return None

        def read() -> tuple[Any, int | None]:
            now = image.select_time(time) if time is not None else image
            voxels = now.volume()
            assert self._target is not None
            return voxels, 0 if voxels.ndim > len(self._target.spacing) else None

        return read

    def _make(self, command: EditCommand, edit: LabelEdit) -> None:
        target, time, objects = self._target, command.time, list(command.objects)
        if target is None:
            return
        here = self._table.rows_at(time)
        known = set(self._table.columns["label"][here].tolist()) if self._table.columns else set()
        own = edit
        edit = self._with_labels_of_no_time(edit, _new_labels(edit, known, objects))
        if edit is not own:
            runs = VoxelRuns.after(target.whole(edit, time))
            command = EditCommand("write", options={"voxels": runs})
        new = _new_labels(edit, known, objects)
        around = self._table.box_of(objects, time) or (slice(None),) * len(edit.shape)
        around = tuple(_both(a, b) for a, b in zip(around, edit.box, strict=True))
        states_now = object_states(target.layer)
        moved = _renumbered(edit) if command.verb == "renumber" else {}
        states: States
        if moved:
            states = _states_moved(moved, states_now, time)
        else:
            states = _states_of_new(edit, new, states_now)
        whole = target.whole(edit, time)
        self._history.push(whole, command, states)
        self.said.emit(f"{edit.name[:1].upper()}{edit.name[1:]}: done.{_named(new)}")
        self.made.emit(whole)
        if moved:
            self._selection.select([moved.get(n, n) for n in self._selection.labels])
            return
        volume = target.volume(time)
        # Not what came off: whoever deletes or checks next means one part, not all.
        self._selection.select([n for n in objects if (volume[around] == n).any()])

    def _with_labels_of_no_time(self, edit: LabelEdit, new: Sequence[int]) -> LabelEdit:
        """A new object of one time point must not have the label of another time point's."""
        labels = self._table.labels
        taken = labels & set(new)
        if not taken:
            return edit
        known = labels.union(new)
        values = edit.values_after.copy()
        fresh = list(islice(free_labels(max(known), values.dtype, lambda: known), len(taken)))
        if len(fresh) < len(taken):
            raise InputError(f"label: objects have all labels of type {values.dtype}.")
        for label, other in zip(sorted(taken), fresh, strict=True):
            values[edit.values_after == label] = other
        return replace(edit, values_after=values)


def _states_of_new(edit: LabelEdit, new: Sequence[int], states: ObjectStates) -> States:
    """Objects that an edit made are of the class of those that they were, and not checked."""
    found = {}
    runs = edit.lengths.shape
    before = np.broadcast_to(edit.values_before, runs)
    after = np.broadcast_to(edit.values_after, runs)
    for label in new:
        parents = {int(n) for n in np.unique(before[after == label]) if n > 0}
        classes = {states.class_of.get(parent, "") for parent in parents}
        found[label] = ObjectState(class_name=classes.pop() if len(classes) == 1 else "")
    return found


def _renumbered(edit: LabelEdit) -> dict[int, int]:
    """The new number of each object that an edit has numbered anew."""
    runs = edit.lengths.shape
    before, after = (np.broadcast_to(v, runs) for v in (edit.values_before, edit.values_after))
    labels, first = np.unique(before, return_index=True)
    return dict(zip(labels.tolist(), after[first].tolist(), strict=True))


def _states_moved(
    moved: Mapping[int, int], states: ObjectStates, time: int | None
) -> dict[int, ObjectState]:
    """Objects keep their states under other numbers, at one time point or at all."""
    if time is None:
        gone = {old: ObjectState() for old in moved}
        return {**gone, **{new: states.of(old) for old, new in moved.items()}}
    return {
        new: state._replace(checked=frozenset({time}) if state.is_checked(time) else False)
        for old, new in moved.items()
        for state in [states.of(old)]
    }


def _new_labels(edit: LabelEdit, known: set[int], objects: Sequence[int]) -> list[int]:
    """Labels that an edit gives and no object had."""
    after = {int(label) for label in np.unique(edit.values_after) if label > 0}
    return sorted(after - known - set(objects))


def _named(new: Sequence[int]) -> str:
    """Say which objects an edit made, where they are few."""
    if not 0 < len(new) <= _MOST_NAMED:
        return ""
    return f" New: object{'s' * (len(new) > 1)} {', '.join(map(str, new))}."


def _both(side: slice, other: slice) -> slice:
    if side.start is None:
        return side
    return slice(min(side.start, other.start), max(side.stop, other.stop))


def _how_many(least: int, most: int) -> str:
    if most == 1:
        return "select one object first, with a click on it."
    if least == 2:
        return "select two objects or more first: click one, then others with Shift."
    return "select an object first, with a click on it."
