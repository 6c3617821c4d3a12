"""The part of a plot on which the mouse draws a box or a lasso."""

from collections.abc import Mapping
from functools import partial
from typing import Any, Literal

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QButtonGroup, QPushButton

from napari_seedbed.gui.qt.controls import button

Tool = Literal["move", "box", "lasso"]

_LEAST_STEP = 3.0
"""Pixels between two corners of a lasso."""


class DrawingBox(pg.ViewBox):
    """Drags move the plot, or draw a box or a lasso on it.

    Notes
    -----
    Signals: `drawn(corners, finished)`: (N, 2) in the plot's coordinates, while the mouse moves and
    once more when it is released; `clicked(x, y)`.
    """

    drawn = Signal(object, bool)
    clicked = Signal(float, float)

    def __init__(self, tool: Tool = "move") -> None:
        super().__init__(enableMenu=False)
        self.tool: Tool = tool
        self.is_adding = False
        """Whether Shift was held when the last drag or click began."""
        self._path: list[tuple[float, float]] = []
        self._last = (0.0, 0.0)

    def buttons(self, tips: Mapping[Tool, str]) -> dict[Tool, QPushButton]:
        """Buttons with tips that choose among tools."""
        group = QButtonGroup(self)
        made: dict[Tool, QPushButton] = {}
        for tool, tip in tips.items():
            made[tool] = button(tool.capitalize(), tip, checkable=True)
            made[tool].setChecked(tool == self.tool)
            made[tool].toggled.connect(partial(self._take, tool))
            group.addButton(made[tool])
        return made

    def _take(self, tool: Tool, on: bool) -> None:
        if on:
            self.tool = tool

    def mouseDragEvent(self, event: Any, axis: int | None = None) -> None:
        """Draw, or move as plots do."""
        if self.tool == "move" or event.button() != Qt.MouseButton.LeftButton:
            super().mouseDragEvent(event, axis)
            return
        event.accept()
        here = event.pos()
        if event.isStart():
            begin = event.buttonDownPos()
            self._path = [self._place(begin)]
            self._last = (begin.x(), begin.y())
            self.is_adding = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        far = np.hypot(here.x() - self._last[0], here.y() - self._last[1]) >= _LEAST_STEP
        if self.tool == "box":
            self._path[1:] = [self._place(here)]
        elif far or event.isFinish():
            self._path.append(self._place(here))
            self._last = (here.x(), here.y())
        corners = self._corners()
        if corners is not None:
            self.drawn.emit(corners, event.isFinish())

    def mouseClickEvent(self, event: Any) -> None:
        """Emit where it was clicked; a double click shows all."""
        if event.button() != Qt.MouseButton.LeftButton:
            super().mouseClickEvent(event)
            return
        event.accept()
        if event.double():
            self.enableAutoRange()
            return
        self.is_adding = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        self.clicked.emit(*self._place(event.pos()))

    def _place(self, position: Any) -> tuple[float, float]:
        point = self.mapToView(position)
        return point.x(), point.y()

    def _corners(self) -> NDArray[np.float64] | None:
        """What is drawn so far; None where it encloses nothing."""
        path = self._path
        if self.tool == "box" and len(path) > 1:
            (x, y), (to_x, to_y) = path
            path = [(x, y), (to_x, y), (to_x, to_y), (x, to_y)]
        corners = np.array(path, float)
        if len(corners) < 3 or not (np.ptp(corners, axis=0) > 0).all():
            return None
        return corners
