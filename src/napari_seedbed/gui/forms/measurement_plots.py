"""A histogram of one column of a table, or two columns against each other; drags select rows."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from qtpy.QtCore import QSignalBlocker, Qt, Signal
from qtpy.QtWidgets import QComboBox, QWidget

from napari_seedbed.gui.qt.controls import choice, in_column, in_row
from napari_seedbed.gui.qt.drawing_box import DrawingBox
from napari_seedbed.gui.qt.sorted_columns import Rows

NOTHING = "how many"
_LETTERS = 8
_MOST_BARS = 60
_ALL = "#5b8fd9"
_SELECTED = "#ffb000"
_LEFT_OUT = ("label", "unit", "time_point", "nearest_label")


class MeasurementPlot(QWidget):
    """Shows columns of a table, and which rows are selected.

    Notes
    -----
    Signals: `rows_selected(rows)` when a person has drawn a box or a lasso, rising.
    """

    rows_selected = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._columns: dict[str, NDArray[np.float64]] = {}
        self._rows: Rows = np.empty(0, np.intp)
        self.box = DrawingBox("box")
        self.plot = pg.PlotWidget(viewBox=self.box, enableMenu=False, background=None)
        self.plot.hideButtons()
        self.plot.setMinimumSize(200, 100)
        self.plot.setToolTip(
            "Drag to select rows; with Shift they are added. Turn the wheel to look closer; "
            "double-click to see all."
        )
        self._bars, self._chosen_bars = _bars(_ALL), _bars(_SELECTED)
        self._dots = pg.ScatterPlotItem(size=5, pen=None, brush=pg.mkBrush(91, 143, 217, 170))
        self._chosen_dots = pg.ScatterPlotItem(size=7, pen=pg.mkPen("k"), brush=_SELECTED)
        self._outline = pg.PlotCurveItem(
            pen=pg.mkPen(_SELECTED, width=2, style=Qt.PenStyle.DashLine)
        )
        for item in (self._bars, self._chosen_bars, self._dots, self._chosen_dots):
            self.plot.addItem(item)
        self.plot.addItem(self._outline, ignoreBounds=True)
        self.across = choice("The column along the bottom.", letters=_LETTERS)
        self.up = choice(
            "The column along the side; without one, how many objects have a value.",
            letters=_LETTERS,
        )
        self.tools = self.box.buttons(
            {
                "box": "Drags select what is in a box.",
                "lasso": "Drags select what is within a line.",
                "move": "Drags move the plot.",
            }
        )
        axes = (self.across, 1), "against", (self.up, 1)
        in_column(self, in_row(*axes, *self.tools.values()), (self.plot, 1), spacing=4)
        self.across.currentIndexChanged.connect(self._show)
        self.up.currentIndexChanged.connect(self._show)
        self.box.drawn.connect(self._on_drawn)
        self.box.clicked.connect(self._on_clicked)

    def show_columns(self, columns: Mapping[str, Any]) -> None:
        """Offer the columns that hold numbers; the chosen ones stay where there are such."""
        self._columns = {
            name: np.asarray(column, np.float64)
            for name, column in columns.items()
            if np.asarray(column).dtype.kind in "iuf" and name not in _LEFT_OUT
        }
        self._rows = np.empty(0, np.intp)
        for combo, first in ((self.across, ()), (self.up, (NOTHING,))):
            if self._offered(combo) == [*first, *self._columns]:
                continue
            before = combo.currentText()
            with QSignalBlocker(combo):
                combo.clear()
                combo.addItems([*first, *self._columns])
                wanted = before if before in self._columns else _first_choice(self._columns, first)
                combo.setCurrentText(wanted)
        self._show()

    @staticmethod
    def _offered(combo: QComboBox) -> list[str]:
        return [combo.itemText(i) for i in range(combo.count())]

    def show_selected(self, rows: Rows) -> None:
        """Mark the rows that are selected."""
        self._rows = rows
        self._show_chosen()

    def show_theme(self, text: str, background: str) -> None:
        """Draw axes and their words in a colour, on another one."""
        # a transparent plot keeps the colour that lay behind it before
        self.plot.setBackground(background)
        for side in ("bottom", "left"):
            axis = self.plot.getAxis(side)
            axis.setPen(text)
            axis.setTextPen(text)

    # What is shown

    @property
    def _is_histogram(self) -> bool:
        return self.up.currentText() not in self._columns

    def _values(self) -> tuple[NDArray[np.float64], NDArray[np.float64] | None]:
        none = np.empty(0)
        x = self._columns.get(self.across.currentText(), none)
        return x, None if self._is_histogram else self._columns[self.up.currentText()]

    def _show(self) -> None:
        x, y = self._values()
        self._outline.setData([], [])
        self.tools["lasso"].setEnabled(y is not None)
        if y is None and self.box.tool == "lasso":
            self.tools["box"].setChecked(True)
        known = x[np.isfinite(x)]
        for item in (self._bars, self._chosen_bars):
            # what is not seen must not widen the axes
            item.setVisible(y is None)
        for item in (self._dots, self._chosen_dots):
            item.setVisible(y is not None)
        if y is None:
            self._edges = _edges(known)
            counts, _ = np.histogram(known, self._edges)
            self._bars.setData(self._edges, counts)
        else:
            finite = np.isfinite(x) & np.isfinite(y)
            self._dots.setData(x[finite], y[finite])
        self._show_chosen()
        self.box.enableAutoRange()

    def _show_chosen(self) -> None:
        x, y = self._values()
        rows = self._rows[self._rows < len(x)]
        if y is None:
            known = x[rows][np.isfinite(x[rows])]
            counts, _ = np.histogram(known, self._edges)
            self._chosen_bars.setData(self._edges, counts)
        else:
            finite = rows[np.isfinite(x[rows]) & np.isfinite(y[rows])]
            self._chosen_dots.setData(x[finite], y[finite])

    # What people do

    def _on_drawn(self, corners: NDArray[np.float64], finished: bool) -> None:
        if self._is_histogram:
            # a box over bars means the values below it
            low, high = self.box.viewRange()[1]
            (left, right) = corners[:, 0].min(), corners[:, 0].max()
            corners = np.array([[left, low], [right, low], [right, high], [left, high]])
        self._outline.setData(*np.concatenate([corners, corners[:1]]).T)
        if finished:
            self._select(np.flatnonzero(self._inside(corners)))

    def _on_clicked(self, x: float, y: float) -> None:
        """Select the bar, or the dot, below the mouse; a click beside them selects nothing."""
        values, others = self._values()
        if others is not None:
            size = [self.box.viewPixelSize()[axis] for axis in range(2)]
            away = np.hypot((values - x) / size[0], (others - y) / size[1])
            near = int(np.nanargmin(away)) if np.isfinite(away).any() else -1
            found = near >= 0 and away[near] <= 8
            self._select(np.array([near] if found else [], np.intp))
            return
        i = int(np.searchsorted(self._edges, x, side="right")) - 1
        if not 0 <= i < len(self._edges) - 1:
            self._select(np.empty(0, np.intp))
            return
        low, high = self._edges[i], self._edges[i + 1]
        is_last = i == len(self._edges) - 2
        below = values <= high if is_last else values < high
        self._select(np.flatnonzero((values >= low) & below))

    def _inside(self, corners: NDArray[np.float64]) -> NDArray[np.bool_]:
        x, y = self._values()
        if y is None:
            return (x >= corners[:, 0].min()) & (x <= corners[:, 0].max())
        from skimage.measure import points_in_poly

        # Scaled: the test loses digits where the axes are of very different size.
        low, span = corners.min(axis=0), np.ptp(corners, axis=0)
        places = (np.column_stack([x, y]) - low) / span
        inside = np.isfinite(places).all(axis=1)
        inside[inside] = points_in_poly(places[inside], (corners - low) / span)
        return inside

    def _select(self, rows: Rows) -> None:
        if self.box.is_adding:
            rows = np.union1d(self._rows, rows)
        self.show_selected(rows)
        self.rows_selected.emit(rows)


def _bars(colour: str) -> pg.PlotCurveItem:
    return pg.PlotCurveItem([0, 0], [0], stepMode="center", fillLevel=0, brush=colour, pen=None)


def _first_choice(columns: Mapping[str, Any], first: tuple[str, ...]) -> str:
    if first:
        return first[0]
    wanted = [name for name in ("area", "volume") if name in columns]
    return wanted[0] if wanted else next(iter(columns), "")


def _edges(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Bars as wide as the spread and the number of the values suggest."""
    if not len(values) or values.min() == values.max():
        middle = values[0] if len(values) else 0.0
        return np.array([middle - 0.5, middle + 0.5])
    edges = np.histogram_bin_edges(values, "fd" if len(values) > 10 else "sturges")
    bars = int(np.clip(len(edges) - 1, min(5, len(values)), _MOST_BARS))
    return np.linspace(values.min(), values.max(), bars + 1)
