"""The selected objects: the same in the picture, in the table and in the plot."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QObject, Signal
from qtpy.QtWidgets import QWidget

from napari_seedbed.gui.forms.measurement_view import MeasurementView
from napari_seedbed.gui.layers.object_clicks import ObjectClicks
from napari_seedbed.gui.layers.object_states import CHECKED
from napari_seedbed.gui.layers.view_position import show_place, time_on_screen
from napari_seedbed.gui.qt.sorted_columns import Rows
from napari_seedbed.gui.tools.proofreading.edited_labels import EditedLabels
from napari_seedbed.gui.tools.proofreading.object_rows import TIME, box_of_rows
from napari_seedbed.gui.tools.proofreading.object_table import ObjectTable
from napari_seedbed.gui.tools.proofreading.picture_marks import PictureMarks
from napari_seedbed.gui.tools.proofreading.review_order import Order, next_row, ordered_rows

if TYPE_CHECKING:
    from napari.viewer import Viewer

DOCK = "Objects"


class ObjectSelection(QObject):
    """Holds which objects are selected, and shows it everywhere.

    Parameters
    ----------
    viewer : Viewer
    table : ObjectTable
    marks : PictureMarks

    Attributes
    ----------
    labels : tuple of int
        In the order in which they were selected.

    Notes
    -----
    Signals: `changed()` when others are selected; `opened()` when the table was put into the
    window.
    """

    changed = Signal()
    opened = Signal()

    def __init__(
        self, parent: QObject, viewer: "Viewer", table: ObjectTable, marks: PictureMarks
    ) -> None:
        super().__init__(parent)
        self._viewer, self._table, self._marks = viewer, table, marks
        self._target: EditedLabels | None = None
        self.labels: tuple[int, ...] = ()
        self.view: MeasurementView | None = None
        # where the list was left, should the object there be gone
        self._place = -1
        self._is_new_order = False
        self.clicks = ObjectClicks(self, viewer)
        self.clicks.clicked.connect(self._on_clicked)
        table.measured.connect(self._on_measured)

    def watch(self, target: EditedLabels | None) -> None:
        """Select objects of another layer; none at first."""
        self._target = target
        self.labels, self._place = (), -1
        layer = None if target is None else target.layer
        self.clicks.watch(layer)
        self._marks.watch(layer)
        self.changed.emit()

    @property
    def time(self) -> int | None:
        """The time point on screen; None without time."""
        if self._target is None or not self._target.has_time:
            return None
        return time_on_screen(self._viewer, self._target.layer, time_axis=self._target.time_axis)

    def places(self) -> tuple[NDArray[np.integer], NDArray[np.float64]]:
        """Labels of the objects on screen, and a voxel in the middle of each, (N, D)."""
        columns, time = self._table.columns, self.time
        if not columns or self._target is None:
            return np.empty(0, np.int64), np.empty((0, 3))
        rows = self._table.rows_at(time)
        places = np.zeros((len(rows), self._target.layer.ndim))
        names = [name for name in columns if name.startswith("voxel_")]
        for axis, name in enumerate(names, start=-len(names)):
            places[:, axis] = columns[name][rows]
        return columns["label"][rows], places

    # Selecting

    def select(self, labels: Iterable[int], *, go_there: bool = False) -> None:
        """Select these objects and no others."""
        self.labels = tuple(dict.fromkeys(int(label) for label in labels))
        rows = self._rows()
        if self.view is not None:
            self.view.select_rows(rows)
        self._show(rows, go_there=go_there)

    def _show(self, rows: Rows, *, go_there: bool) -> None:
        if go_there and len(rows):
            self._go_to(int(rows[0]))
        target = self._target
        layer = None if target is None else target.layer
        if layer is not None and self.labels:
            layer.selected_label = self.labels[0]
        self._mark(rows)
        self.changed.emit()

    def _mark(self, rows: Rows) -> None:
        box = None
        if self._target is not None and len(rows):
            found = box_of_rows(self._table.columns, rows, len(self._target.spacing))
            time = self.time
            box = found if time is None or found is None else (slice(time, time + 1), *found)
        self._marks.select(self.labels, box)

    def _rows(self) -> Rows:
        """Rows of the selected objects: those on screen, or the first of each."""
        rows = self._table.rows_of(self.labels, self.time)
        if len(rows) == len(self.labels) or TIME not in self._table.columns:
            return rows
        return np.concatenate([rows, self._table.rows_of(self._missing(rows), None)])

    def _missing(self, rows: Rows) -> list[int]:
        found = set(self._table.columns["label"][rows].tolist())
        return [label for label in self.labels if label not in found]

    def _on_clicked(self, label: int, adding: bool) -> None:
        if adding and label:
            kept = [one for one in self.labels if one != label]
            added = [] if label in self.labels else [label]
            self.select([*kept, *added])
        elif not adding:
            self.select([label] if label else [])

    def _on_rows(self, rows: Rows) -> None:
        labels = self._table.columns["label"][rows].tolist()
        kept = [label for label in self.labels if label in labels]
        self.labels = tuple(dict.fromkeys([*kept, *labels]))
        self._show(rows, go_there=len(rows) == 1)

    # The list

    def start_again(self) -> None:
        """The list is in another order: the next object is its first."""
        self._is_new_order = True

    def step(self, by: int, order: Order, *, unchecked_only: bool) -> bool:
        """Select the next object of the list, or the one before, and go there.

        Returns
        -------
        bool
            False where there is none.
        """
        columns = self._table.columns
        if not columns or not len(columns["label"]):
            return False
        rows = ordered_rows(columns, order)
        at = None if self._is_new_order else self._at(rows)
        self._is_new_order = False
        allowed = ~columns[CHECKED] if unchecked_only else np.ones(len(rows), bool)
        found = next_row(rows, at, by, allowed)
        if found is None:
            return False
        self._place = int(np.flatnonzero(rows == found)[0])
        if TIME in columns:
            self._go_to(found)
        self.select([int(columns["label"][found])], go_there=True)
        return True

    def _at(self, rows: Rows) -> int | None:
        """The row that is looked at, as a place in the list."""
        selected = self._rows()
        if len(selected):
            return int(selected[0])
        # the object is gone: go on with the one that took its place
        return int(rows[self._place - 1]) if 0 < self._place <= len(rows) else None

    def _go_to(self, row: int) -> None:
        columns, target = self._table.columns, self._target
        if target is None:
            return
        names = [name for name in columns if name.startswith("voxel_")]
        place = tuple(round(float(columns[name][row])) for name in names)
        time = int(columns[TIME][row]) if TIME in columns else None
        show_place(self._viewer, target.layer, place, time, target.time_axis)

    # The table

    def _on_measured(self, anew: bool) -> None:
        columns = self._table.columns
        if not columns:
            if self.view is not None:
                self.view.show_columns("", {})
            return
        if self.view is None:
            self._open()
        assert self.view is not None
        assert self._target is not None
        if anew:
            self.view.show_columns(self._target.layer.name, columns)
        else:
            self.view.renew_columns(columns)
        present = set(columns["label"].tolist())
        before, self.labels = self.labels, tuple(n for n in self.labels if n in present)
        rows = self._rows()
        self.view.select_rows(rows)
        self._mark(rows)
        if before != self.labels or anew:
            self.changed.emit()

    def look_again(self) -> None:
        """Another time point is on screen, or another plane."""
        self._marks.look_soon()
        if self.view is not None and self.labels and TIME in self._table.columns:
            self.view.select_rows(self._rows())

    def _open(self) -> None:
        self.view = MeasurementView()
        self.view.rows_selected.connect(self._on_rows)
        self.view.show_theme(self._viewer.theme)
        window: Any = getattr(self._viewer, "window", None)
        if window is not None:
            window.add_dock_widget(self.view, name=DOCK, area="bottom")
        self.opened.emit()

    def close(self) -> None:
        """Take the table and the outlines away."""
        self.clicks.watch(None)
        self._marks.remove()
        view, self.view = self.view, None
        window: Any = getattr(self._viewer, "window", None)
        if view is not None and window is not None and isinstance(view.parent(), QWidget):
            window.remove_dock_widget(view)
        if view is not None:
            view.deleteLater()
