"""The table of measurements and its plot, side by side below the picture."""

from collections.abc import Mapping
from typing import Any

from napari.utils.theme import get_theme
from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QLabel, QSizePolicy, QSplitter, QWidget

from napari_seedbed.gui.forms.measurement_plots import MeasurementPlot
from napari_seedbed.gui.forms.measurement_table import MeasurementTable
from napari_seedbed.gui.qt.controls import in_column
from napari_seedbed.gui.qt.sorted_columns import Rows


class MeasurementView(QWidget):
    """Shows one table; what is selected in the table is selected in the plot, and the other way.

    Notes
    -----
    Signals: `rows_selected(rows)` when a person selects others, in the table or in the plot.
    """

    rows_selected = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.table = MeasurementTable()
        self.plot = MeasurementPlot()
        self.title = QLabel()
        # a long name is cut off rather than making the window wider than the screen
        self.title.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        left = in_column(QWidget(), self.title, (self.table, 1), spacing=4)
        splitter = QSplitter(Qt.Orientation.Horizontal)
        splitter.addWidget(left)
        splitter.addWidget(self.plot)
        splitter.setStretchFactor(0, 3)
        splitter.setStretchFactor(1, 2)
        splitter.setChildrenCollapsible(False)
        splitter.setSizes([600, 400])
        in_column(self, splitter, margins=(6, 4, 6, 4))
        self.table.rows_selected.connect(self._on_table)
        self.plot.rows_selected.connect(self._on_plot)

    def show_columns(self, name: str, columns: Mapping[str, Any]) -> None:
        """Show another table."""
        self._name = name
        self._count = len(next(iter(columns.values()), ()))
        self.table.show_columns(columns)
        self.plot.show_columns(columns)
        self._show_title(0)

    def renew_columns(self, columns: Mapping[str, Any]) -> None:
        """Show other values of the same objects, or of fewer or more; nothing is selected."""
        self._count = len(next(iter(columns.values()), ()))
        self.table.renew_columns(columns)
        self.plot.show_columns(columns)
        self._show_title(0)

    def select_rows(self, rows: Rows) -> None:
        """Select rows without a signal."""
        self.table.select_rows(rows)
        self.plot.show_selected(rows)
        self._show_title(len(rows))

    def show_theme(self, theme: str) -> None:
        """Draw the plot in the colours of a theme of napari."""
        colours = get_theme(theme)
        self.plot.show_theme(colours.text.as_hex(), colours.background.as_hex())

    def _on_table(self, rows: Rows) -> None:
        self.plot.show_selected(rows)
        self._show_title(len(rows))
        self.rows_selected.emit(rows)

    def _on_plot(self, rows: Rows) -> None:
        self.table.select_rows(rows)
        self._show_title(len(rows))
        self.rows_selected.emit(rows)

    def _show_title(self, selected: int) -> None:
        objects = f"{self._count} object{'' if self._count == 1 else 's'}"
        chosen = f", {selected} selected" if selected else ""
        text = f"{objects}{chosen}: {self._name}"
        self.title.setText(text)
        self.title.setToolTip(text)
