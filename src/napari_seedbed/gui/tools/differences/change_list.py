"""The list of changes: one line each, of which one is chosen."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QSize, Signal
from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QSizePolicy, QTableView

from napari_seedbed.errors import InputError
from napari_seedbed.gui.qt.sorted_columns import SortedColumns
from napari_seedbed.pipeline.files.writers import usual_suffix, write_result

AXES = ("z", "y", "x")
_DIGITS = 4
_HEIGHT = 132


class ChangeList(QTableView):
    """Changes as lines; a click or a key chooses one.

    Notes
    -----
    Signal: `chosen(int)`, the line that somebody chose, from 0.
    """

    chosen = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self.columns: Mapping[str, NDArray[Any]] = {}
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Expanding)
        self.setMinimumHeight(100)
        header = self.verticalHeader()
        if header is not None:
            header.hide()
            header.setDefaultSectionSize(self.fontMetrics().height() + 4)
        self.clicked.connect(lambda index: self.chosen.emit(index.row()))
        self.activated.connect(lambda index: self.chosen.emit(index.row()))
        self.show_changes({})

    def sizeHint(self) -> QSize:
        """Room for some lines: the panel is long enough."""
        return QSize(super().sizeHint().width(), _HEIGHT)

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()))) if self.columns else 0

    @property
    def current(self) -> int:
        """The line that is chosen; -1 for none."""
        model = self.selectionModel()
        rows = model.selectedRows() if model is not None else []
        return int(rows[0].row()) if rows else -1

    def show_changes(self, columns: Mapping[str, NDArray[Any]]) -> None:
        """Show another table, as the operations on changes give it."""
        self.columns = columns
        SortedColumns(_in_short(columns), self)
        header = self.horizontalHeader()
        if header is not None:
            header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
            header.setStretchLastSection(True)

    def choose(self, row: int) -> None:
        """Choose a line, as a click on it does."""
        if 0 <= row < len(self):
            self.selectRow(row)
            self.chosen.emit(row)

    def step(self, by: int) -> None:
        """Choose a later line, or an earlier one; after the last one comes the first."""
        if len(self):
            at = self.current
            self.choose((at + by) % len(self) if at >= 0 else (0 if by > 0 else len(self) - 1))

    def place(self, row: int) -> tuple[tuple[int, ...], int | None]:
        """Voxel in the middle of a change's box, and its time point where there is one."""
        middle = [
            (int(self.columns[f"bbox_{axis}_start"][row]) + self.columns[f"bbox_{axis}_stop"][row])
            // 2
            for axis in AXES
            if f"bbox_{axis}_start" in self.columns
        ]
        time = self.columns.get("time_point")
        return tuple(int(i) for i in middle), None if time is None else int(time[row])

    def save(self, path: str | Path) -> Path:
        """Write all columns of the list, as the name of the file asks for."""
        if not self.columns:
            raise InputError("There is no list of changes yet.")
        target = Path(path)
        if not target.suffix:
            target = target.with_name(f"{target.name}{usual_suffix('table')}")
        return write_result(target, "table", self.columns)


def _in_short(columns: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """What there is room for in a narrow dock."""
    if not columns:
        return {}
    short: dict[str, NDArray[Any]] = {"#": columns["change"]}
    if "time_point" in columns:
        short["t"] = columns["time_point"]
    for axis in AXES:
        if f"centroid_{axis}" in columns:
            short[axis] = _rounded(columns[f"centroid_{axis}"])
    size = "area" if "area" in columns else "volume"
    short[size] = _rounded(columns[size])
    short["mean"] = _rounded(columns["mean_difference"])
    short["extreme"] = _rounded(columns["extreme_difference"])
    return short


def _rounded(column: NDArray[Any]) -> NDArray[np.float64]:
    return np.array([float(f"{value:.{_DIGITS}g}") for value in column], dtype=float)
