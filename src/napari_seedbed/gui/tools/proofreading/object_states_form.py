"""The controls that show and change states of the selected objects, and how far the list is."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from qtpy.QtCore import QObject, Signal

from napari_seedbed.errors import InputError
from napari_seedbed.gui.layers.object_states import (
    CHECKED,
    LOCKED,
    MOST_CLASSES,
    ObjectState,
    check_class_names,
    class_names,
    object_states,
    states_after,
)
from napari_seedbed.gui.tools.proofreading.class_colours import ClassColours
from napari_seedbed.gui.tools.proofreading.class_editor import ClassEditor
from napari_seedbed.gui.tools.proofreading.edited_labels import EditedLabels
from napari_seedbed.gui.tools.proofreading.labels_history import LabelsHistory
from napari_seedbed.gui.tools.proofreading.object_selection import ObjectSelection
from napari_seedbed.gui.tools.proofreading.object_table import ObjectTable
from napari_seedbed.gui.tools.proofreading.proofreading_form import ProofreadingForm


class StateControls(QObject):
    """Checked, locked and class of the selected objects.

    Notes
    -----
    Signal: `said(text)`.
    """

    said = Signal(str)

    def __init__(
        self,
        parent: QObject,
        form: ProofreadingForm,
        selection: ObjectSelection,
        table: ObjectTable,
        history: LabelsHistory,
    ) -> None:
        super().__init__(parent)
        self._form, self._selection = form, selection
        self._table, self._history = table, history
        self._target: EditedLabels | None = None
        self.editor = ClassEditor()
        self._colours = ClassColours(self)
        form.add_class_editor(self.editor)
        form.check.clicked.connect(self._on_check)
        form.lock.clicked.connect(self._on_lock)
        form.classes.activated.connect(self._on_class)
        form.edit_classes.clicked.connect(self._on_edit_classes)
        form.class_colours.toggled.connect(self._show_colours)
        self.editor.edited.connect(self._on_names)

    def watch(self, target: EditedLabels | None) -> None:
        """Show the states of another layer's objects."""
        self._target = target
        if target is not None:
            self.editor.show_names(class_names(target.layer))
        self._show_colours()
        self.show()

    # What people do

    def _on_check(self, on: bool) -> None:
        time = self._selection.time
        if time is None:
            self._set("check" if on else "uncheck", lambda _, state: state._replace(checked=on))
            return
        # somebody looks at one time point; the others are not seen by that
        self._set(
            f"{'check' if on else 'uncheck'} at t {time}:",
            lambda label, state: state.checked_also(time, on, self._table.times_of(label)),
        )

    def _on_lock(self, on: bool) -> None:
        self._set("lock" if on else "unlock", lambda _, state: state._replace(locked=on))

    def _on_class(self, _: int) -> None:
        self._set_class(self._form.classes.currentData())

    def _set_class(self, name: str, classes: tuple[str, ...] | None = None) -> None:
        self._set(
            f"class {name}:" if name else "no class:",
            lambda _, state: state._replace(class_name=name),
            classes,
        )

    def set_class_by_number(self, number: int) -> None:
        """Give the selected objects the class of a key, a new one if need be; 0 for none."""
        names: list[str] = []
        if self._target is not None and self._selection.labels:
            names += class_names(self._target.layer)
            while len(names) < min(number, MOST_CLASSES):
                names.append(_free_name(names))
        self._set_class(names[number - 1] if number and names else "", tuple(names))

    def _set(
        self,
        verb: str,
        change: Callable[[int, ObjectState], ObjectState],
        classes: tuple[str, ...] | None = None,
    ) -> None:
        target, labels = self._target, self._selection.labels
        if target is None or not labels:
            self.said.emit("Select an object first, with a click on it.")
            self.show()
            return
        states = object_states(target.layer)
        objects = ", ".join(map(str, labels)) if len(labels) < 4 else f"{len(labels)} objects"
        new = {label: change(label, states.of(label)) for label in labels}
        name = f"{verb} {objects}"
        self._history.set_states(name, new, classes)
        everywhere = ""
        if target.has_time and " at t " not in verb:
            everywhere = ", at all time points: link objects first, so that a cell has one number"
        self.said.emit(f"{name[:1].upper()}{name[1:]}{everywhere}.")
        self.show()

    def _on_edit_classes(self) -> None:
        section = self._form.class_section
        section.setVisible(section.isHidden())

    def _on_names(self, given: Sequence[str]) -> None:
        if self._target is None:
            return
        layer = self._target.layer
        before = class_names(layer)
        try:
            names = check_class_names(given)
        except InputError as error:
            self.said.emit(str(error))
            self.editor.show_names(before)
            return
        states = states_after(object_states(layer), before, names)
        self._history.set_states(_change_of_classes(before, names), states, names)

    # What is shown

    def restated(self) -> None:
        """States of objects, or the classes that are offered, are others now."""
        if self._target is not None:
            self.editor.show_names(class_names(self._target.layer))
        self._table.show_states()
        if self._form.class_colours.isChecked():
            self._show_colours()
        self.show()

    def _show_colours(self, *_: Any) -> None:
        on = self._form.class_colours.isChecked() and self._target is not None
        self._colours.show(self._target.layer if on and self._target is not None else None)

    def show(self) -> None:
        """Show the states of the selected objects, and how many are checked."""
        form, target = self._form, self._target
        labels = self._selection.labels
        for one in (form.check, form.lock, form.classes):
            one.setEnabled(bool(labels))
        form.edit_classes.setEnabled(target is not None)
        if target is None:
            form.selected.setText("")
            form.count.setText("")
            form.offer_classes([], "")
            return
        known = object_states(target.layer)
        states = [known.of(label) for label in labels]
        time = self._selection.time
        form.check.setChecked(bool(states) and all(state.is_checked(time) for state in states))
        form.lock.setChecked(bool(states) and all(state.locked for state in states))
        classes = {state.class_name for state in states}
        form.offer_classes(class_names(target.layer), classes.pop() if len(classes) == 1 else None)
        form.selected.setText(self._selected_in_words())
        form.count.setText(self._count_in_words())

    def _selected_in_words(self) -> str:
        labels = self._selection.labels
        if not labels:
            return "Nothing is selected: click an object, or press Next."
        names = " + ".join(map(str, labels[:4]))
        if len(labels) > 4:
            return f"{len(labels)} objects are selected."
        words = [f"Selected: {names}"]
        rows = self._table.rows_of(labels, self._selection.time)
        columns = self._table.columns
        if len(labels) == 1 and len(rows):
            size = next((name for name in ("volume", "area") if name in columns), "voxels")
            unit = "" if self._target is None else self._target.symbol
            power = {"volume": "³", "area": "²"}.get(size, "")
            words.append(f"{columns[size][rows[0]]:.4g} {unit}{power}")
            if why := columns["because"][rows[0]]:
                words.append(str(why))
            if columns["touches_border"][rows[0]]:
                words.append("touches the border")
        return ", ".join(words)

    def _count_in_words(self) -> str:
        columns = self._table.columns
        if not columns:
            return "Measuring the objects…"
        labels = columns["label"]
        total = len(labels)
        words = [f"{np.count_nonzero(columns[CHECKED])} of {total} checked"]
        for name, what in ((LOCKED, "locked"), ("touches_border", "at the border")):
            if count := np.count_nonzero(columns[name]):
                words.append(f"{count} {what}")
        return ", ".join(words)


def _free_name(names: list[str]) -> str:
    number = len(names) + 1
    while f"class {number}" in names:
        number += 1
    return f"class {number}"


def _change_of_classes(before: Sequence[str], after: Sequence[str]) -> str:
    gone = [name for name in before if name not in after]
    new = [name for name in after if name not in before]
    if len(before) == len(after) and gone:
        return f"rename class {', '.join(gone)} to {', '.join(new)}"
    words = "remove class" if gone else "add class" if new else "order of classes"
    return " ".join([words, ", ".join(gone or new)]).strip()
