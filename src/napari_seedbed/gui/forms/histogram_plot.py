"""A histogram with lines to drag and values to click."""

from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from qtpy.QtCore import QPointF, QSignalBlocker, Qt, Signal
from qtpy.QtGui import QColor
from qtpy.QtWidgets import QWidget

_BARS = 600
"""Most bars on screen: more cannot be distinguished, and would take long to draw."""

_BAR_TOP = 0.5
"""How much of the height the bars take; the names of values are above them."""

_NAME_ROWS = 9
_LINE = "#ffb000"
_MARK = "#3aa7ff"


class ValueName(pg.TextItem):
    """A name that is clicked."""

    clicked = Signal()

    def mouseClickEvent(self, event: Any) -> None:
        """Emit that it was clicked."""
        if event.button() == Qt.MouseButton.LeftButton:
            event.accept()
            self.clicked.emit()

    def hoverEvent(self, event: Any) -> None:
        """Show that it can be clicked."""
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        if not event.isExit():
            event.acceptClicks(Qt.MouseButton.LeftButton)


class HistogramPlot(pg.PlotWidget):
    """Shows how often each grey value occurs.

    Parameters
    ----------
    parent : QWidget, optional
    height : int
        Pixels.

    Notes
    -----
    Signals: `moved(values)` while a person drags a line, with the values of all lines, rising;
    `chosen(name)` when a person clicks a marked value.
    """

    moved = Signal(object)
    chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None, *, height: int = 228) -> None:
        super().__init__(parent, background=None)
        self._is_log = True
        self._edges: NDArray[np.float64] | None = None
        self._counts: NDArray[np.int64] | None = None
        self._lines: list[pg.InfiniteLine] = []
        self._marks: dict[str, tuple[pg.InfiniteLine, ValueName]] = {}
        self._values: dict[str, float] = {}
        self._text = QColor("gray")
        self.setFixedHeight(height)
        self.setMinimumWidth(120)
        self.setMenuEnabled(False)
        self.hideButtons()
        self.setMouseEnabled(x=True, y=False)
        self.setToolTip(
            "Drag the yellow line, or click the name of a value. Turn the mouse wheel to look "
            "closer; double-click to see all."
        )
        view = self.getViewBox()
        view.setDefaultPadding(0)
        view.setYRange(0, 1, padding=0)
        view.sigXRangeChanged.connect(self._on_range)
        self._curve = pg.PlotCurveItem([0, 1], [0], stepMode="center", fillLevel=0)
        self.addItem(self._curve)
        self.getAxis("left").setWidth(34)
        self.getAxis("bottom").setHeight(22)
        self.take_colours("#dddddd", "#888888", None)

    # What is shown

    def take_colours(self, text: str, bars: str, background: str | None) -> None:
        """Draw in the colours of another theme."""
        # a transparent plot keeps the colour that lay behind it before
        self.setBackground(background)
        self._text = QColor(text)
        fill = QColor(bars)
        self._curve.setPen(None)
        self._curve.setBrush(pg.mkBrush(fill))
        for side in ("left", "bottom"):
            axis = self.getAxis(side)
            axis.setPen(pg.mkPen(self._text))
            axis.setTextPen(pg.mkPen(self._text))
        for _, name in self._marks.values():
            name.setColor(self._text)

    def show_counts(
        self, edges: NDArray[np.float64] | None, counts: NDArray[np.int64] | None
    ) -> None:
        """Show another histogram, or none: edges (N + 1,) and counts (N,)."""
        before, self._edges, self._counts = self._edges, edges, counts
        self._draw()
        if edges is None or counts is None:
            return
        span = (float(edges[0]), float(edges[-1]))
        if before is None or span != (float(before[0]), float(before[-1])):
            self.getViewBox().setLimits(xMin=span[0], xMax=span[1])
            self.show_most()

    def set_log(self, on: bool) -> None:
        """Show counts by their logarithm, or as they are."""
        self._is_log = on
        self._draw()

    def show_values(self, values: Mapping[str, tuple[str, float]]) -> None:
        """Mark values: by what `chosen` emits, their names and places."""
        for line, name in self._marks.values():
            self.removeItem(line)
            self.removeItem(name)
        self._marks = {}
        self._values = {key: value for key, (_, value) in values.items()}
        ranked = sorted(values.items(), key=lambda item: item[1][1])
        for nth, (key, (title, value)) in enumerate(ranked):
            line = pg.InfiniteLine(value, pen=pg.mkPen(_MARK, width=1, style=Qt.PenStyle.DashLine))
            line.sigClicked.connect(partial(self._on_mark, key))
            # With room beside the line, which is wider where it is dragged.
            name = ValueName(f"\u00a0{title}\u00a0", color=self._text, anchor=(0, 0.5))
            # Other lines may cross it.
            name.setZValue(5)
            name.clicked.connect(partial(self._on_mark, key))
            # Each in a row of its own: near values would be written over each other.
            row = nth % _NAME_ROWS
            name.setPos(value, _BAR_TOP + (1 - _BAR_TOP) * (_NAME_ROWS - row - 0.5) / _NAME_ROWS)
            font = name.textItem.font()
            font.setPixelSize(10)
            name.setFont(font)
            name.textItem.document().setDocumentMargin(0)
            name.updateTextPos()
            self.addItem(line)
            self.addItem(name)
            self._marks[key] = (line, name)
        self._turn_names()

    def mark_chosen(self, keys: Collection[str]) -> None:
        """Set off the values that are in use."""
        for one, (_, name) in self._marks.items():
            name.setColor(QColor(_LINE) if one in keys else self._text)

    def set_lines(self, values: Sequence[float], *, movable: bool = True) -> None:
        """Put as many lines as there are values at their places."""
        if len(values) != len(self._lines):
            for line in self._lines:
                self.removeItem(line)
            self._lines = [self._new_line() for _ in values]
        for line, value in zip(self._lines, values, strict=True):
            line.setMovable(movable)
            with QSignalBlocker(line):
                line.setValue(value)

    @property
    def values(self) -> tuple[float, ...]:
        """Where the lines are, rising."""
        return tuple(sorted(float(line.value()) for line in self._lines))

    @property
    def marked(self) -> dict[str, float]:
        """The marked values."""
        return dict(self._values)

    def show_most(self) -> None:
        """Show the range of nearly all voxels, with all lines and marks."""
        if self._edges is None or self._counts is None:
            return
        share = np.cumsum(self._counts) / self._counts.sum()
        low, high = float(self._edges[0]), float(self._edges[-1])
        if len(share) > 64:
            # One bright speck must not squeeze all others into the first bars.
            last = min(int(np.searchsorted(share, 0.9999)) + 1, len(share))
            high = float(self._edges[last])
        shown = [*self.values, *self._values.values()]
        low, high = min([low, *shown]), max([high, *shown])
        room = 0.02 * (high - low)
        self.setXRange(low - room, high + room, padding=0)

    # Drawing

    def _draw(self) -> None:
        """Draw as many bars as there is room for, of the range in view."""
        if self._edges is None or self._counts is None:
            self._curve.setData([0, 1], [0], stepMode="center", fillLevel=0)
            self.getAxis("left").setTicks([[]])
            return
        edges, counts = self._in_view(self._edges, self._counts)
        most = max(1, int(counts.max()))
        self._curve.setData(edges, self._heights(counts, most), stepMode="center", fillLevel=0)
        if self._is_log:
            marks = [10**power for power in range(int(np.log10(most)) + 1)]
            marks = marks[:: -(-len(marks) // 4)]
        else:
            marks = [0, most // 2, most] if most > 1 else [0, most]
        places = self._heights(np.array(marks), most)
        ticks = [(float(p), _short(m)) for p, m in zip(places, marks, strict=True)]
        self.getAxis("left").setTicks([ticks])

    def _in_view(
        self, edges: NDArray[np.float64], counts: NDArray[np.int64]
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        low, high = self.getViewBox().viewRange()[0]
        first = int(np.clip(np.searchsorted(edges, low) - 1, 0, len(counts) - 1))
        last = int(np.clip(np.searchsorted(edges, high), first + 1, len(counts)))
        size = -(-(last - first) // _BARS)
        # The same bars wherever the view begins.
        first -= first % size
        starts = np.arange(first, last, size)
        ends = np.minimum(starts + size, len(counts))
        totals = np.concatenate([[0], np.cumsum(counts[first : ends[-1]])])
        return np.append(edges[starts], edges[ends[-1]]), np.diff(
            totals[np.append(starts, ends[-1]) - first]
        )

    def _heights(self, counts: NDArray[Any], most: int) -> NDArray[np.float64]:
        # One more, so that a single voxel is seen, too.
        share = np.log1p(counts) / np.log1p(most) if self._is_log else counts / most
        return np.asarray(_BAR_TOP * share, np.float64)

    def _new_line(self) -> pg.InfiniteLine:
        line = pg.InfiniteLine(
            0.0,
            movable=True,
            pen=pg.mkPen(_LINE, width=2),
            hoverPen=pg.mkPen(_LINE, width=4),
        )
        # Above the marks: where they lie on each other, it is the line that is dragged.
        line.setZValue(10)
        line.sigPositionChanged.connect(self._on_line)
        self.addItem(line)
        return line

    def _on_range(self, *_: Any) -> None:
        self._turn_names()
        self._draw()

    def _turn_names(self) -> None:
        """Write names on the side of their lines where there is more room."""
        low, high = self.getViewBox().viewRange()[0]
        for key, (_, name) in self._marks.items():
            is_right = self._values[key] > low + 0.7 * (high - low)
            name.setAnchor(QPointF(1.0 if is_right else 0.0, 0.5))

    # What people do

    def mouseDoubleClickEvent(self, event: Any) -> None:
        """Show all, or most again."""
        super().mouseDoubleClickEvent(event)
        if self._edges is None:
            return
        low, high = self.getViewBox().viewRange()[0]
        span = float(self._edges[-1] - self._edges[0])
        if high - low < 0.999 * span:
            self.setXRange(float(self._edges[0]), float(self._edges[-1]), padding=0)
        else:
            self.show_most()

    def _on_line(self) -> None:
        self.moved.emit(self.values)

    def _on_mark(self, key: str, *clicked: Any) -> None:
        for event in clicked[1:]:
            event.accept()
        self.chosen.emit(key)


def _short(count: int) -> str:
    """``950``, ``12k``, ``3M``."""
    for size, letter in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if count >= size:
            return f"{count / size:.3g}{letter}"
    return str(count)
