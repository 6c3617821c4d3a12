"""The measured objects of a layer, kept up to date while it is edited."""

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

import numpy as np
from napari.layers import Image as ImageLayer
from numpy.typing import NDArray
from qtpy.QtCore import QObject, Signal

from napari_seedbed.core.proofreading.doubt import UNCERTAINTY, doubt_of
from napari_seedbed.core.proofreading.label_edits import Box, LabelEdit
from napari_seedbed.gui.layers.image_layers import image_of
from napari_seedbed.gui.layers.object_states import CHECKED, CLASS, LOCKED, object_states
from napari_seedbed.gui.layers.seeds_watch import move_connections
from napari_seedbed.gui.qt import errors
from napari_seedbed.gui.qt.jobs import Jobs
from napari_seedbed.gui.qt.sorted_columns import Rows
from napari_seedbed.gui.tools.proofreading.edited_labels import EditedLabels
from napari_seedbed.gui.tools.proofreading.object_rows import (
    TIME,
    box_of_rows,
    changed_boxes,
    measured_again,
    measured_rows,
)
from napari_seedbed.pipeline.data.image import Image

_MEASURE = "measure"
_FIRST = (TIME, "label", CHECKED, LOCKED, CLASS, "doubt", "because", "touches_border")

Pending = dict[int | None, dict[int, Box]]


class ObjectTable(QObject):
    """Measures objects beside the window: all at first, afterwards those that an edit changed.

    Attributes
    ----------
    columns : dict of ndarray
        What is shown: states, doubt and measurements, one row an object and time point.

    Notes
    -----
    Signals: `measured(anew)` when there are other columns; `anew` where they are of all objects.
    `said(text)` when something went wrong.
    """

    measured = Signal(bool)
    said = Signal(str)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._jobs = Jobs(self)
        self._target: EditedLabels | None = None
        self._uncertainty: ImageLayer | None = None
        self._rows: Mapping[str, NDArray[Any]] = {}
        self._pending: Pending = {}
        self._unmeasured: set[int] = set()
        self.columns: dict[str, NDArray[Any]] = {}

    @property
    def labels(self) -> set[int]:
        """All objects at all time points, those that are still to be measured too."""
        known = self.columns.get("label", np.empty(0, np.int64))
        return self._unmeasured.union(known.tolist())

    def watch(self, target: EditedLabels | None) -> None:
        """Measure another layer."""
        self._target = target
        self._rows, self.columns = {}, {}
        self._unmeasured.clear()
        self.measure_all()

    def doubt_by(self, uncertainty: ImageLayer | None) -> None:
        """Take how doubtful objects are from a layer on their grid; None for their shapes."""
        if uncertainty is not self._uncertainty:
            move_connections(self._uncertainty, uncertainty, ("data",), self.measure_all)
            self._uncertainty = uncertainty
            self.measure_all()

    def measure_all(self, event: Any = None) -> None:
        """Measure all objects anew."""
        self._pending = {}
        self._jobs.cancel()
        if self._target is None:
            self.measured.emit(True)
            return
        work = partial(measured_rows, self._target.image(), self._uncertainty_of(self._target))
        self._jobs.start(_MEASURE, work, self._on_all, self._on_error)

    def change(self, edit: LabelEdit) -> None:
        """Measure what an edit of the whole layer changed."""
        target = self._target
        if target is None:
            return
        boxes = changed_boxes(edit)
        self._unmeasured.update(boxes)
        for label, box in boxes.items():
            for time in target.times_of(box):
                waiting = self._pending.setdefault(time, {})
                side = target.spatial(box)
                waiting[label] = _around(waiting.get(label, side), side)
        self._measure_changes()

    def show_states(self) -> None:
        """The states of objects are others now."""
        if self._rows:
            self._show()
            self.measured.emit(False)

    def _uncertainty_of(self, target: EditedLabels) -> Image | None:
        layer = self._uncertainty
        if layer is None or layer.data.shape != target.data.shape:
            return None
        return image_of(layer, time_axis=target.time_axis)

    # Rows

    def rows_of(self, labels: Iterable[int], time: int | None) -> Rows:
        """Rows of objects at a time point, in the order of the labels given."""
        now = self.rows_at(time)
        if not len(now):
            return np.empty(0, np.intp)
        wanted = np.fromiter(labels, np.int64)
        known = self.columns["label"][now]
        order = np.argsort(known, kind="stable")
        # of several rows of an object, at all time points, the last
        found = order[np.maximum(np.searchsorted(known[order], wanted, side="right") - 1, 0)]
        return now[found[known[found] == wanted]]

    def times_of(self, label: int) -> list[int]:
        """The time points at which an object is."""
        if TIME not in self.columns:
            return []
        times: list[int] = self.columns[TIME][self.columns["label"] == label].tolist()
        return times

    def rows_at(self, time: int | None) -> Rows:
        """All rows of a time point."""
        if TIME not in self.columns or time is None:
            return np.arange(len(self.columns.get("label", ())))
        return np.flatnonzero(self.columns[TIME] == time)

    def box_of(self, labels: Iterable[int], time: int | None) -> Box | None:
        """A box that holds all of these objects; None where that is not known for sure."""
        labels = list(labels)
        rows = self.rows_of(labels, time)
        if self._target is None or self._pending or len(self._jobs) or len(rows) < len(labels):
            return None
        return box_of_rows(self.columns, rows, len(self._target.spacing))

    # Measuring

    def _measure_changes(self) -> None:
        target = self._target
        if target is None or len(self._jobs) or not self._pending or not self._rows:
            return
        pending, self._pending = self._pending, {}
        uncertainty = self._uncertainty_of(target) if UNCERTAINTY in self._rows else None
        work = partial(_measured_changes, self._rows, target, pending, uncertainty)
        self._jobs.start(_MEASURE, work, self._on_changes, self._on_error)

    def _on_all(self, rows: dict[str, NDArray[Any]]) -> None:
        self._take(rows, anew=True)

    def _on_changes(self, rows: dict[str, NDArray[Any]]) -> None:
        self._take(rows, anew=False)

    def _take(self, rows: dict[str, NDArray[Any]], *, anew: bool) -> None:
        self._rows = rows
        if not self._pending:
            self._unmeasured.clear()
        self._show()
        self.measured.emit(anew)
        self._measure_changes()

    def _on_error(self, error: BaseException) -> None:
        self.said.emit(errors.show(error))

    def _show(self) -> None:
        assert self._target is not None
        rows = self._rows
        labels = rows["label"]
        states = object_states(self._target.layer)
        shown: dict[str, NDArray[Any]] = dict(rows)
        shown[CHECKED] = states.are_checked(labels, rows.get(TIME))
        shown[LOCKED] = np.isin(labels, sorted(states.locked))
        shown[CLASS] = np.array([states.class_of.get(int(n), "") for n in labels], np.str_)
        shown["doubt"], reasons = doubt_of(rows)
        shown.pop(UNCERTAINTY, None)
        shown["because"] = np.array(reasons, np.str_)
        names = [*_FIRST, *(name for name in shown if name not in _FIRST)]
        self.columns = {name: shown[name] for name in names if name in shown}


def _measured_changes(
    rows: Mapping[str, NDArray[Any]],
    target: EditedLabels,
    pending: Pending,
    uncertainty: Image | None,
) -> dict[str, NDArray[Any]]:
    for time, changes in pending.items():
        rows = measured_again(
            rows,
            target.volume(time),
            changes,
            spacing=target.spacing,
            unit=target.unit,
            time=time,
            uncertainty=None
            if uncertainty is None
            else uncertainty.select_time(time or 0).volume(),
        )
    return dict(rows)


def _around(box: Box, other: Box) -> Box:
    return tuple(
        slice(min(a.start, b.start), max(a.stop, b.stop)) for a, b in zip(box, other, strict=True)
    )
