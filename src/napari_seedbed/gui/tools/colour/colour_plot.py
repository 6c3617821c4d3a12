"""A histogram of two colour coordinates: patches on top, a lasso or a box to draw on it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from qtpy.QtCore import QRectF, Qt, Signal
from qtpy.QtWidgets import QWidget

from napari_seedbed.core.colour.colour_histograms import ColourHistogram
from napari_seedbed.gui.qt.controls import button, in_column, in_row
from napari_seedbed.gui.qt.drawing_box import DrawingBox

HEIGHT = 190
"""Pixels: the threshold below is still in sight on a small screen."""

CLASS_COLOURS = ("#ffd400", "#00c8ff", "#ff5cf4", "#ff8c2e", "#6ee76e", "#ff5050", "#b49bff")
_OUTLINE = "#ffffff"
_RARE = 1e-3
"""Share of the pixels that may be out of view at each side: a few dark ones have odd colours."""


@dataclass(frozen=True, eq=False)
class PatchColours:
    """What the histogram shows of one class.

    Attributes
    ----------
    label : int
    counts : ndarray
        Of the histogram's shape.
    ellipse : (N, 2) ndarray or None
        Outline of its Gaussian.
    """

    label: int
    counts: NDArray[Any]
    ellipse: NDArray[np.float64] | None = None


def class_colour(label: int) -> str:
    """The colour that stands for a class, ``#rrggbb``."""
    return CLASS_COLOURS[(label - 1) % len(CLASS_COLOURS)]


class ColourPlot(QWidget):
    """The histogram, and the buttons of what the mouse does on it.

    Notes
    -----
    Signals: `outline_changed(corners)` while and after a lasso or box is drawn, (N, 2) in the two
    coordinates; `outline_cleared()` when it was taken away.
    """

    outline_changed = Signal(object)
    outline_cleared = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.box = DrawingBox()
        self._corners: NDArray[np.float64] | None = None
        self.plot = pg.PlotWidget(viewBox=self.box, enableMenu=False)
        self.plot.setFixedHeight(HEIGHT)
        self.plot.hideButtons()
        for side in ("bottom", "left"):
            self.plot.getAxis(side).enableAutoSIPrefix(False)
        self._histogram: ColourHistogram | None = None
        self._image = pg.ImageItem(axisOrder="col-major")
        self._image.setColorMap(pg.colormap.get("viridis"))
        self._patches = pg.ImageItem(axisOrder="col-major")
        self._cursor = pg.ScatterPlotItem(
            size=11, symbol="o", pen=pg.mkPen(_OUTLINE, width=2), brush=None
        )
        self._outline = pg.PlotCurveItem(
            pen=pg.mkPen(_OUTLINE, width=2, style=Qt.PenStyle.DashLine)
        )
        self._ellipses: list[pg.PlotCurveItem] = []
        for item, depth in ((self._image, 0), (self._patches, 1), (self._outline, 3)):
            item.setZValue(depth)
            self.plot.addItem(item)
        self._cursor.setZValue(4)
        self.plot.addItem(self._cursor, ignoreBounds=True)
        self.tools = self.box.buttons(
            {
                "move": "Drag to move the histogram, turn the wheel to zoom.",
                "box": "Drag a box: pixels of its colours are marked in the image.",
                "lasso": "Drag around colours: their pixels are marked in the image.",
            }
        )
        self.clear = button("Clear", "Take the lasso or box away.")
        self.clear.clicked.connect(self.clear_outline)
        in_column(self, self.plot, in_row(*self.tools.values(), self.clear), spacing=4)
        self.box.drawn.connect(self._on_drawn)

    # What is shown

    def show_histogram(
        self, histogram: ColourHistogram | None, names: Sequence[str] = ("", ""), *, fit: bool
    ) -> None:
        """Show another histogram; with `fit` all of its colours come into view."""
        self._histogram = histogram
        if histogram is None:
            self._image.clear()
            return
        self._image.setImage(np.log1p(histogram.counts.astype(np.float32)))
        self._image.setRect(_rectangle(histogram))
        for side, name in zip(("bottom", "left"), names, strict=True):
            self.plot.setLabel(side, name)
        if fit:
            self._fit(histogram)

    def show_patches(self, patches: Sequence[PatchColours]) -> None:
        """Lay the colours of classes over the histogram, each in its own colour."""
        for item in self._ellipses:
            self.plot.removeItem(item)
        self._ellipses = []
        if self._histogram is None or not patches:
            self._patches.clear()
            return
        shape = self._histogram.bins.shape
        painted = np.zeros((*shape, 4), np.uint8)
        for patch in patches:
            if patch.counts.shape == shape and patch.counts.any():
                strength = np.log1p(patch.counts) / np.log1p(patch.counts.max())
                inside = patch.counts > 0
                painted[inside, :3] = pg.mkColor(class_colour(patch.label)).getRgb()[:3]
                painted[inside, 3] = (90 + 165 * strength[inside]).astype(np.uint8)
            if patch.ellipse is not None:
                closed = np.concatenate([patch.ellipse, patch.ellipse[:1]])
                curve = pg.PlotCurveItem(
                    *closed.T, pen=pg.mkPen(class_colour(patch.label), width=2)
                )
                curve.setZValue(2)
                self.plot.addItem(curve, ignoreBounds=True)
                self._ellipses.append(curve)
        self._patches.setImage(painted, levels=(0, 255))
        self._patches.setRect(_rectangle(self._histogram))

    def show_cursor(self, place: tuple[float, float] | None) -> None:
        """Mark the colour of the pixel under the mouse in the picture; None takes it away."""
        self._cursor.setData(
            [] if place is None else [place[0]], [] if place is None else [place[1]]
        )

    def show_theme(self, colours: Mapping[str, str]) -> None:
        """Draw axes in the colours of the window: 'background' and 'text'."""
        self.plot.setBackground(colours["background"])
        for side in ("bottom", "left"):
            axis = self.plot.getAxis(side)
            axis.setPen(colours["text"])
            axis.setTextPen(colours["text"])

    def outline(self) -> NDArray[np.float64] | None:
        """Corners of what was drawn; None where there is nothing."""
        return self._corners

    def clear_outline(self) -> None:
        """Take the lasso or box away."""
        if self._corners is not None:
            self._corners = None
            self._outline.setData([], [])
            self.outline_cleared.emit()

    def _on_drawn(self, corners: NDArray[np.float64], finished: bool) -> None:
        self._corners = corners
        closed = np.concatenate([corners, corners[:1]])
        self._outline.setData(*closed.T)
        self.outline_changed.emit(corners)

    def _fit(self, histogram: ColourHistogram) -> None:
        if not histogram.counts.any():
            return
        spans = []
        for axis in range(2):
            along = np.cumsum(histogram.counts.sum(axis=1 - axis))
            first, last = np.searchsorted(along, along[-1] * np.array([_RARE, 1 - _RARE]))
            edges = histogram.bins.edges(axis)
            spans.append((edges[first], edges[last + 1]))
        self.box.setRange(xRange=spans[0], yRange=spans[1], padding=0.1)


def _rectangle(histogram: ColourHistogram) -> QRectF:
    (left, right), (bottom, top) = histogram.bins.ranges
    return QRectF(left, bottom, right - left, top - bottom)
