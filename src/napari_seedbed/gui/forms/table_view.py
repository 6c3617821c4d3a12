"""Tables of results: shown below the picture, saved, and beside the labels they describe."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from napari.components import ViewerModel
from napari.layers import Labels
from qtpy.QtWidgets import QLabel, QSizePolicy, QWidget

from napari_seedbed.gui.forms.measurement_table import MeasurementTable
from napari_seedbed.gui.forms.save_dialogs import ask_where_to_save, kinds_of_files
from napari_seedbed.gui.layers.label_features import show_features
from napari_seedbed.gui.qt import errors
from napari_seedbed.gui.qt.controls import button, in_column, in_row
from napari_seedbed.pipeline.data.tables import Table
from napari_seedbed.pipeline.files import write_result

LABEL = "label"


class TableView(QWidget):
    """One table, and a button that saves it."""

    def __init__(self) -> None:
        super().__init__()
        self.table: Table | None = None
        self.view = MeasurementTable()
        self.title = QLabel()
        # a long name is cut off rather than making the window wider than the screen
        self.title.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.save = button("Save…")
        self.save.clicked.connect(self._ask_where_to_save)
        above = in_row((self.title, 1), self.save, spacing=-1)
        in_column(self, above, (self.view, 1), spacing=4, margins=(6, 4, 6, 4))

    def show_table(self, table: Table) -> None:
        """Show another table."""
        self.table = table
        self.view.show_columns(table.columns)
        rows = len(table)
        text = f"{rows} row{'' if rows == 1 else 's'}: {table.name}"
        self.title.setText(text)
        self.title.setToolTip(text)

    def save_to(self, path: str | Path) -> None:
        """Write the table; as Parquet where the file is called so."""
        if self.table is not None:
            with errors.shown():
                write_result(path, "table", self.table)

    def _ask_where_to_save(self) -> None:
        name = self.table.name if self.table is not None else "table"
        path = ask_where_to_save(self, "Save table", name, kinds_of_files("table"))
        if path is not None:
            self.save_to(path)


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
    show_features(layer, columns, LABEL)
    return True
