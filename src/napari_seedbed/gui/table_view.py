"""Tables of results: shown below the picture, saved as CSV, and beside the labels they tell of."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from napari.components import ViewerModel
from napari.layers import Labels
from qtpy.QtCore import QAbstractTableModel, QModelIndex, Qt
from qtpy.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from napari_seedbed.gui import errors
from napari_seedbed.pipeline.image_writing import write_table
from napari_seedbed.pipeline.tables import Table

LABEL = "label"
INDEX = "index"
"""The column of a layer's features that napari looks labels up in."""


class _Columns(QAbstractTableModel):
    """Columns of NumPy arrays, read as they are drawn: long tables open at once."""

    def __init__(self, table: Table) -> None:
        super().__init__()
        self._names = list(table.columns)
        self._columns = [np.asarray(column) for column in table.columns.values()]
        self._rows = len(table)

    def rowCount(self, parent: QModelIndex | None = None) -> int:
        """How many rows there are."""
        return self._rows

    def columnCount(self, parent: QModelIndex | None = None) -> int:
        """How many columns there are."""
        return len(self._columns)

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """What a cell says."""
        value = self._columns[index.column()][index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return f"{value:.6g}" if isinstance(value, float | np.floating) else str(value)
        if role == Qt.ItemDataRole.TextAlignmentRole and not isinstance(value, str):
            return int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        return None

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        """Names of the columns; rows are counted from 1."""
        if role != Qt.ItemDataRole.DisplayRole:
            return None
        return self._names[section] if orientation == Qt.Orientation.Horizontal else section + 1


class TableView(QWidget):
    """One table, and a button that saves it."""

    def __init__(self) -> None:
        super().__init__()
        self.table: Table | None = None
        self.view = QTableView()
        self.view.setAlternatingRowColors(True)
        self.title = QLabel()
        self.save = QPushButton("Save as CSV…")
        self.save.clicked.connect(self._ask_where_to_save)
        row = QHBoxLayout()
        row.addWidget(self.title, 1)
        row.addWidget(self.save)
        column = QVBoxLayout(self)
        column.setContentsMargins(6, 4, 6, 4)
        column.setSpacing(4)
        column.addLayout(row)
        column.addWidget(self.view, 1)

    def show_table(self, table: Table) -> None:
        """Show another table."""
        self.table = table
        # kept alive here: a view does not own its model
        self._model = _Columns(table)
        self.view.setModel(self._model)
        self.view.resizeColumnsToContents()
        rows = len(table)
        self.title.setText(f"{table.name}: {rows} row{'' if rows == 1 else 's'}")

    def save_csv(self, path: str | Path) -> None:
        """Write the table."""
        if self.table is not None:
            with errors.shown():
                write_table(path, self.table.columns)

    def _ask_where_to_save(self) -> None:
        name = self.table.name if self.table is not None else "table"
        stem = "".join(c if c.isalnum() or c in "-_." else "_" for c in name)
        given, _ = QFileDialog.getSaveFileName(self, "Save table", f"{stem}.csv", "Tables (*.csv)")
        if given:
            path = Path(given)
            self.save_csv(path if path.suffix else path.with_name(f"{path.name}.csv"))


class TableDock:
    """The dock below the picture in which one form shows its tables.

    Parameters
    ----------
    viewer : ViewerModel or Viewer
    name : str
        Of the dock.
    """

    def __init__(self, viewer: ViewerModel, name: str) -> None:
        self._viewer, self._name = viewer, name
        self.view: TableView | None = None

    def show(self, table: Table) -> None:
        """Show a table, in the dock that there is or in a new one."""
        if self.view is None:
            self.view = TableView()
            window = getattr(self._viewer, "window", None)
            if window is not None:
                window.add_dock_widget(self.view, name=self._name, area="bottom")
        self.view.show_table(table)
        dock = self.view.parent()
        if isinstance(dock, QWidget):
            dock.show()


def add_features(layer: Labels, columns: Mapping[str, Any]) -> bool:
    """Put rows with a column 'label' into the features of a Labels layer.

    Columns of other names that the layer has stay, and so do rows of other labels.

    Returns
    -------
    bool
        False where the rows are none of labels, or several of one label.
    """
    if LABEL not in columns:
        return False
    labels = np.asarray(columns[LABEL])
    if labels.dtype.kind not in "iu" or len(np.unique(labels)) < len(labels):
        return False
    old = layer.features
    # napari's own kind of table
    new = type(old)({name: np.asarray(column) for name, column in columns.items()})
    new = new.rename(columns={LABEL: INDEX}).set_index(INDEX)
    if INDEX in old and len(old):
        kept = old.set_index(INDEX)
        kept = kept[[name for name in kept if name not in new]]
        new = new.join(kept[~kept.index.duplicated()], how="outer" if len(kept.columns) else "left")
    layer.features = new.reset_index()
    return True
