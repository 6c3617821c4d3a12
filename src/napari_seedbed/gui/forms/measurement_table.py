"""The table of measurements: sorted by any column, its selection known by rows."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from qtpy.QtCore import QItemSelection, QItemSelectionModel, QSignalBlocker, Qt, Signal
from qtpy.QtWidgets import QAbstractItemView, QApplication, QHeaderView, QTableView, QWidget

from napari_seedbed.gui.qt.sorted_columns import Rows, SortedColumns, in_words

_MOST_RANGES = 500
"""Qt looks at all ranges of a selection for each cell it draws."""

_ROWS_FOR_WIDTH = 50


class MeasurementTable(QTableView):
    """Shows columns; rows keep their numbers whatever the order.

    Notes
    -----
    Signals: `rows_selected(rows)` when a person selects others, rows of the columns, rising.
    """

    rows_selected = Signal(object)

    def __init__(self, parent: QWidget | None = None, *, wide_column: int | None = None) -> None:
        super().__init__(parent)
        self._wide_column = wide_column
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setWordWrap(False)
        self._told: Rows = np.empty(0, np.intp)
        header = self.horizontalHeader()
        assert header is not None
        header.setSectionsClickable(True)
        header.setSortIndicatorShown(True)
        header.sortIndicatorChanged.connect(self._sort)
        header.setResizeContentsPrecision(_ROWS_FOR_WIDTH)
        lines = self.verticalHeader()
        assert lines is not None
        lines.setDefaultSectionSize(self.fontMetrics().height() + 6)
        self.show_columns({})

    def show_columns(self, columns: Mapping[str, Any]) -> None:
        """Show other columns; nothing is selected."""
        header = self.horizontalHeader()
        assert header is not None
        with QSignalBlocker(header):
            header.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        self._columns = SortedColumns(columns, self)
        self._selection().selectionChanged.connect(self._on_selected)
        self._told = np.empty(0, np.intp)
        self.resizeColumnsToContents()
        if self._wide_column is not None and self._wide_column < header.count():
            header.setSectionResizeMode(self._wide_column, QHeaderView.ResizeMode.Stretch)

    def renew_columns(self, columns: Mapping[str, Any]) -> None:
        """Show other values in the order that was chosen; nothing is selected."""
        header, bar = self.horizontalHeader(), self.verticalScrollBar()
        assert header is not None
        assert bar is not None
        sorted_by, order = header.sortIndicatorSection(), header.sortIndicatorOrder()
        names, place = self._columns.names, bar.value()
        if list(columns) != names:
            self.show_columns(columns)
            return
        with QSignalBlocker(self._selection()):
            self._selection().clear()
        self._columns.renew(columns)
        self._told = np.empty(0, np.intp)
        if 0 <= sorted_by < len(names):
            falling = order == Qt.SortOrder.DescendingOrder
            self._columns.set_order(self._columns.sorted_by(sorted_by, falling=falling))
        bar.setValue(place)

    def selected_rows(self) -> Rows:
        """The rows that are selected, rising."""
        ranges: Any = self._selection().selection()
        lines = [np.arange(part.top(), part.bottom() + 1) for part in ranges]
        if not lines:
            return np.empty(0, np.intp)
        return np.unique(self._columns.order[np.concatenate(lines)])

    def select_rows(self, rows: Rows) -> None:
        """Select rows and bring the first of them into view, without a signal.

        Where they are many and far apart, they come to the top of the table.
        """
        lines = self._lines_of(rows)
        if len(_ranges(lines)) > _MOST_RANGES:
            chosen = np.zeros(len(self._columns.order), bool)
            chosen[lines] = True
            order = self._columns.order
            self._columns.set_order(np.concatenate([order[chosen], order[~chosen]]))
            lines = np.arange(len(rows))
        found = QItemSelection()
        last = self._columns.columnCount() - 1
        for first, end in _ranges(lines):
            found.select(self._columns.index(first, 0), self._columns.index(end, last))
        selection = self._selection()
        with QSignalBlocker(selection):
            selection.select(found, QItemSelectionModel.SelectionFlag.ClearAndSelect)
            if len(lines):
                first_cell = self._columns.index(int(lines[0]), 0)
                selection.setCurrentIndex(first_cell, QItemSelectionModel.SelectionFlag.NoUpdate)
                self.scrollTo(first_cell)
        self._told = np.unique(rows)
        viewport = self.viewport()
        assert viewport is not None
        viewport.update()

    def copy(self) -> int:
        """Put the selected rows, or all, with their headings into the clipboard; say how many."""
        rows = self.selected_rows()
        chosen = np.isin(self._columns.order, rows) if len(rows) else slice(None)
        order = self._columns.order[chosen]
        columns = [
            [in_words(value) if value.dtype.kind == "b" else str(value) for value in column[order]]
            for column in self._columns.columns
        ]
        lines = ["\t".join(self._columns.names)]
        lines += ["\t".join(cells) for cells in zip(*columns, strict=True)]
        clipboard = QApplication.clipboard()
        assert clipboard is not None
        clipboard.setText("\n".join(lines))
        return len(order)

    def _selection(self) -> QItemSelectionModel:
        selection = self.selectionModel()
        assert selection is not None
        return selection

    def _lines_of(self, rows: Rows) -> Rows:
        line_of = np.empty(len(self._columns.order), np.intp)
        line_of[self._columns.order] = np.arange(len(line_of))
        return np.sort(line_of[np.asarray(rows, np.intp)])

    def _sort(self, column: int, order: Qt.SortOrder) -> None:
        if not 0 <= column < self._columns.columnCount():
            return
        rows = self.selected_rows()
        falling = order == Qt.SortOrder.DescendingOrder
        with QSignalBlocker(self._selection()):
            self._selection().clear()
            self._columns.set_order(self._columns.sorted_by(column, falling=falling))
        self.select_rows(rows)
        if not len(rows):
            self.scrollToTop()

    def _on_selected(self, *_: Any) -> None:
        rows = self.selected_rows()
        if not np.array_equal(rows, self._told):
            self._told = rows
            self.rows_selected.emit(rows)


def _ranges(lines: Rows) -> list[tuple[int, int]]:
    """First and last of each stretch of lines, which are rising, without a gap."""
    if not len(lines):
        return []
    gaps = np.flatnonzero(np.diff(lines) > 1)
    firsts = np.concatenate([[0], gaps + 1])
    lasts = np.concatenate([gaps, [len(lines) - 1]])
    return list(zip(lines[firsts].tolist(), lines[lasts].tolist(), strict=True))
