"""Objects through time: linked, carried on, and what happened to them as a list to jump by."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from napari.components import ViewerModel
from numpy.typing import NDArray
from qtpy.QtCore import QObject, Signal
from qtpy.QtWidgets import QWidget

from napari_seedbed.core import carry_objects, link_objects
from napari_seedbed.core.proofreading.label_edits import LabelEdit, changed
from napari_seedbed.core.proofreading.named_edits import EditCommand
from napari_seedbed.core.proofreading.voxel_runs import VoxelRuns
from napari_seedbed.errors import InputError
from napari_seedbed.gui.forms.measurement_table import MeasurementTable
from napari_seedbed.gui.forms.panel_form import Section
from napari_seedbed.gui.layers.object_states import object_states, states_linked
from napari_seedbed.gui.layers.view_position import show_place, show_time
from napari_seedbed.gui.qt.controls import button, in_column, in_row
from napari_seedbed.gui.qt.run_controls import wrapped_label
from napari_seedbed.gui.qt.sorted_columns import Rows
from napari_seedbed.gui.tools.proofreading.edit_runs import EditRuns, Wish
from napari_seedbed.gui.tools.proofreading.edited_labels import EditedLabels
from napari_seedbed.gui.tools.proofreading.labels_history import LabelsHistory, States
from napari_seedbed.gui.tools.proofreading.object_selection import ObjectSelection
from napari_seedbed.gui.tools.proofreading.object_table import ObjectTable
from napari_seedbed.pipeline.data.image import Image

_HEIGHT = 140
_SHOWN = ("time", "event", "label", "other")
_PLURALS = {"split": "splits", "merge": "merges", "loss": "losses", "appearance": "appearances"}

Columns = Mapping[str, NDArray[Any]]


class TimeForm(QWidget):
    """The buttons and the list, under a heading that opens."""

    def __init__(self) -> None:
        super().__init__()
        self.link = button(
            "Link",
            "Give objects that overlap from one time point to the next the same label, and list "
            "splits, merges, losses and appearances.",
        )
        self.carry = button(
            "Carry on",
            "Move the selected objects, or all, to the next time point by the shift of the image, "
            "and grow them anew there. It needs the image.",
        )
        self.summary = wrapped_label("Link lists what happens to the objects.")
        self.events = MeasurementTable()
        self.events.setToolTip("Click a line to go there.")
        self.events.setMinimumHeight(_HEIGHT)
        in_column(
            self, in_row((self.link, 1), (self.carry, 1)), self.summary, self.events, spacing=4
        )

    def section(self) -> Section:
        """It, under its heading."""
        return Section("Through time", self)


@dataclass(frozen=True, eq=False)
class _Linked:
    edit: LabelEdit | None
    events: Columns


class ThroughTime(QObject):
    """Links objects and carries them on, as steps of the history.

    Parameters
    ----------
    viewer : ViewerModel or Viewer
    form : TimeForm
    runs : EditRuns
    selection : ObjectSelection
    table : ObjectTable
    history : LabelsHistory
    image : callable
        The image that objects are grown in; None for none.

    Notes
    -----
    Signals: `made(edit)` after an edit of the whole layer was written; `said(text)`.
    """

    made = Signal(object)
    said = Signal(str)

    def __init__(
        self,
        parent: QObject,
        viewer: ViewerModel,
        form: TimeForm,
        runs: EditRuns,
        selection: ObjectSelection,
        table: ObjectTable,
        history: LabelsHistory,
        image: Callable[[], Image | None],
    ) -> None:
        super().__init__(parent)
        self._viewer, self._form, self._runs = viewer, form, runs
        self._selection, self._table = selection, table
        self._history, self._image = history, image
        self._target: EditedLabels | None = None
        self.events: Columns = {}
        self._version = -1
        form.link.clicked.connect(self.link)
        form.carry.clicked.connect(self.carry)
        form.events.rows_selected.connect(self._on_rows)
        history.changed.connect(self._show_age)

    def watch(self, target: EditedLabels | None) -> None:
        """Follow the objects of another layer."""
        if target is None or self._target is None or target.layer is not self._target.layer:
            self._show_events({})
        self._target = target

    # What people do

    def link(self) -> None:
        """Link all objects over time, and list what happens to them."""
        target = self._target
        if target is None:
            return

        def begin() -> Callable[[], _Linked]:
            return partial(_linked, target.data, object_states(target.layer).locked)

        self._runs.want(Wish("Link", begin, self._on_linked))

    def carry(self) -> None:
        """Carry the selected objects, or all, to the next time point."""
        target, time = self._target, self._selection.time
        image = self._image()
        if target is None or time is None:
            return
        if image is None:
            self.said.emit("Carry on needs the image: choose it above.")
            return
        if time + 1 >= target.n_times:
            self.said.emit("This is the last time point: there is none to carry objects to.")
            return
        objects = list(self._selection.labels) or None

        def make(locked: Collection[int]) -> LabelEdit:
            now, after = (
                image.select_time(min(t, image.n_times - 1)).volume() for t in (time, time + 1)
            )
            return carry_objects(
                target.volume(time),
                target.volume(time + 1),
                now,
                after,
                objects,
                channel_axis=0 if now.ndim > len(target.spacing) else None,
                spacing=target.spacing,
                locked=sorted(locked),
            )

        def begin() -> Callable[[], LabelEdit]:
            return partial(make, object_states(target.layer).locked)

        self._runs.want(Wish("Carry on", begin, partial(self._on_carried, time + 1)))

    # What comes of it

    def _on_linked(self, linked: _Linked) -> None:
        if linked.edit is not None and self._target is not None:
            states = object_states(self._target.layer)
            self._write(
                linked.edit, states_linked(_moves(linked.edit), states, self._table.times_of)
            )
        self._version = self._history.version
        self._show_events(linked.events)
        self.said.emit(
            "Objects are linked over time." if linked.edit else "All are linked already."
        )

    def _on_carried(self, time: int, edit: LabelEdit) -> None:
        if self._target is None:
            return
        self._write(self._target.whole(edit, time))
        # Whoever looked elsewhere meanwhile sees where the objects went, too.
        target = self._target
        show_time(self._viewer, target.layer, time, time_axis=target.time_axis)
        self.said.emit(f"{edit.name[:1].upper()}{edit.name[1:]}: done; here is where they went.")

    def _write(self, whole: LabelEdit, states: States | None = None) -> None:
        runs = VoxelRuns.after(whole)
        self._history.push(whole, EditCommand("write", options={"voxels": runs}), states)
        self.made.emit(whole)

    # The list

    def _show_events(self, events: Columns) -> None:
        self.events = events
        self._form.events.show_columns({name: events[name] for name in _SHOWN if name in events})
        self._show_age()

    def _show_age(self) -> None:
        kinds = self.events.get("event")
        if kinds is None:
            self._form.summary.setText("Link lists what happens to the objects.")
            return
        counts = [
            f"{count} {kind if count == 1 else plural}"
            for kind, plural in _PLURALS.items()
            if (count := int((kinds == kind).sum()))
        ]
        old = (
            ""
            if self._version == self._history.version
            else " Older than the last edit: link anew."
        )
        self._form.summary.setText(f"{', '.join(counts) or 'Nothing happens'}.{old}")

    def _on_rows(self, rows: Rows) -> None:
        target = self._target
        if target is None or len(rows) != 1:
            return
        events, row = self.events, int(rows[0])
        place = tuple(
            round(float(events[name][row])) for name in events if name.startswith("voxel_")
        )
        time, label = int(events["time"][row]), int(events["label"][row])
        if events["event"][row] in ("loss", "merge"):
            # it is seen last at the time point before
            time -= 1
        show_place(self._viewer, target.layer, place, time, target.time_axis)
        other = int(events["other"][row])
        self._selection.select([label, other] if other else [label])


def _moves(edit: LabelEdit) -> list[tuple[int, int, int]]:
    """Time point, label before and label after of each object of a film that an edit renumbers."""
    times = edit.starts.astype(np.int64) // int(np.prod(edit.shape[1:]))
    values = [np.broadcast_to(v, times.shape) for v in (edit.values_before, edit.values_after)]
    rows = np.unique(np.stack([times, *(v.astype(np.int64) for v in values)], axis=1), axis=0)
    return [(time, old, new) for time, old, new in rows.tolist()]


def _linked(labels: NDArray[np.integer], locked: Collection[int]) -> _Linked:
    before = labels.copy()
    found = link_objects(before)
    top = int(found.labels.max())
    if top > np.iinfo(labels.dtype).max:
        raise InputError(
            f"labels: linked objects need labels up to {top}, which do not fit into those of type "
            f"{labels.dtype}. Convert the labels to a larger type first."
        )
    try:
        whole = tuple(slice(0, n) for n in labels.shape)
        after = found.labels.astype(labels.dtype)
        edit = changed(before, after, whole, "link over time", shape=labels.shape)
    except InputError:
        return _Linked(None, found.events)
    kept = sorted(set(edit.objects) & set(locked))
    if kept:
        raise InputError(f"Object {kept[0]} is locked and would change; unlock it first.")
    return _Linked(edit, found.events)
