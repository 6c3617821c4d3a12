"""Columns of numbers as a table that sorts at once, however long it is."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QAbstractTableModel, QModelIndex, Qt
from qtpy.QtWidgets import QTableView

Rows = NDArray[np.intp]


class SortedColumns(QAbstractTableModel):
    """Columns of NumPy arrays, read as they are drawn, in an order of their own.

    Sorting with a proxy of Qt asks Python for every comparison: seconds for 70,000 rows.

    Parameters
    ----------
    columns : dict of (N,) array_like
    view : QTableView
        Shows them instead of those that it has shown before.
    """

    def __init__(self, columns: Mapping[str, Any], view: QTableView) -> None:
        super().__init__(view)
        self.names = list(columns)
        self.columns = [np.asarray(column) for column in columns.values()]
        self._count = len(self.columns[0]) if self.columns else 0
        self.order: Rows = np.arange(self._count)
        """Which row of the columns each line of the table shows."""
        before = view.model()
        view.setModel(self)
        if before is not None:
            before.deleteLater()

    def rowCount(self, parent: QModelIndex | None = None) -> int:
        """How many lines there are."""
        return self._count

    def columnCount(self, parent: QModelIndex | None = None) -> int:
        """How many columns there are."""
        return len(self.columns)

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """What a cell says."""
        value = self.columns[index.column()][self.order[index.row()]]
        if role == Qt.ItemDataRole.DisplayRole:
            return in_words(value)
        if role == Qt.ItemDataRole.TextAlignmentRole and not isinstance(value, str):
            return int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        return None

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        """Names of the columns; lines are counted from 1."""
        if role != Qt.ItemDataRole.DisplayRole:
            return None
        if orientation == Qt.Orientation.Vertical:
            return section + 1
        # a header that is not on screen may still ask for those of the table before
        return self.names[section] if section < len(self.names) else None

    def renew(self, columns: Mapping[str, Any]) -> None:
        """Show other values under the same names, in the order of the columns.

        A new model would make all headings anew.
        """
        arrays = [np.asarray(column) for column in columns.values()]
        before, count = self._count, len(arrays[0]) if arrays else 0
        everywhere = QModelIndex()
        if count < before:
            self.beginRemoveRows(everywhere, count, before - 1)
        elif count > before:
            self.beginInsertRows(everywhere, before, count - 1)
        self.columns, self._count, self.order = arrays, count, np.arange(count)
        if count < before:
            self.endRemoveRows()
        elif count > before:
            self.endInsertRows()
        if count:
            self.dataChanged.emit(self.index(0, 0), self.index(count - 1, len(arrays) - 1))

    def set_order(self, order: Rows) -> None:
        """Show the rows in another order."""
        self.layoutAboutToBeChanged.emit()
        self.order = order
        self.layoutChanged.emit()

    def sorted_by(self, column: int, *, falling: bool) -> Rows:
        """The order in which a column rises or falls; equal rows stay as they were before."""
        values = self.columns[column]
        order = np.argsort(values, kind="stable")
        if falling:
            # turned as a whole, equal ones would change places
            order = len(order) - 1 - np.argsort(values[::-1], kind="stable")[::-1]
            if values.dtype.kind == "f":
                unknown = np.isnan(values[order])
                order = np.concatenate([order[~unknown], order[unknown]])
        return order


def in_words(value: Any) -> str:
    """A number as short as it can be read; yes and no for truth values."""
    if isinstance(value, float | np.floating):
        return "" if np.isnan(value) else f"{value:.6g}"
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    return str(value)
