"""Tools of the mouse on the picture: a lasso, a cut, strokes, points."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from napari.components import ViewerModel
from napari.layers import Labels
from numpy.typing import NDArray
from qtpy.QtCore import QObject, Signal

from napari_seedbed.gui.tools.proofreading.picture_marks import PictureMarks
from napari_seedbed.gui.tools.proofreading.seen_planes import SeenLine

Tool = Literal["lasso", "cut", "strokes", "points", "merge", "redo"]

_STILL = 3.0
"""Pixels that the mouse may move between press and release of a click."""

_LEAST_STEP = 2.0
"""Pixels between two points of a line."""

_AT_ONCE = ("lasso", "cut")
_IN_3D = ("cut", "merge")


@dataclass(frozen=True, eq=False)
class Line:
    """A line that was drawn.

    Attributes
    ----------
    points : (N, D) ndarray of float
        In voxels of the layer.
    is_beside : bool
        Whether it takes away, drawn with Shift held.
    """

    points: NDArray[np.float64]
    is_beside: bool = False


class PictureTools(QObject):
    """Takes drags and clicks for one tool; drags do not move the picture meanwhile.

    Parameters
    ----------
    viewer : ViewerModel or Viewer
    marks : PictureMarks
        Shows what is drawn.

    Notes
    -----
    Signals: `drawn(tool, lines)` when a line is finished, or with strokes and points when `finish`
    is called; `counted(number)` of strokes and points so far; `clicked(label)` with the tool that
    merges; `cutting(seen)` while a cut is drawn in the 3D display and `cut(seen)` when it is
    finished, a `SeenLine` each; `refused()` where the tool is none of the 3D display.
    """

    drawn = Signal(str, object)
    counted = Signal(int)
    clicked = Signal(int)
    cutting = Signal(object)
    cut = Signal(object)
    refused = Signal()

    def __init__(self, parent: QObject, viewer: ViewerModel, marks: PictureMarks) -> None:
        super().__init__(parent)
        self._viewer, self._marks = viewer, marks
        self.tool: Tool | None = None
        self._layer: Labels | None = None
        self.lines: list[Line] = []

    def take(self, tool: Tool, layer: Labels) -> None:
        """Take a tool for a layer."""
        self.put_away()
        self.tool, self._layer = tool, layer
        self._viewer.layers.selection.active = layer
        if layer.mode != "pan_zoom":
            layer.mode = "pan_zoom"
        if tool != "merge":
            layer.mouse_pan = False
        self._viewer.mouse_drag_callbacks.append(self._on_press)

    def put_away(self) -> None:
        """Leave the mouse to others; what was drawn and not finished is gone."""
        layer, self._layer = self._layer, None
        self.tool = None
        if self._on_press in self._viewer.mouse_drag_callbacks:
            self._viewer.mouse_drag_callbacks.remove(self._on_press)
        if layer is not None and layer.mode == "pan_zoom":
            layer.mouse_pan = True
        self._clear()

    def finish(self) -> None:
        """Hand over strokes or points."""
        tool, lines = self.tool, list(self.lines)
        if tool is not None and lines:
            self._clear()
            self.drawn.emit(tool, lines)

    def take_back(self) -> bool:
        """Forget the last stroke or point; return whether there was one."""
        if not self.lines:
            return False
        self.lines.pop()
        self._show()
        return True

    def _clear(self) -> None:
        if self.lines:
            self.lines = []
            self._show()

    def _show(self, *more: Line) -> None:
        lines = [*self.lines, *more]
        self._marks.draw(
            [line.points for line in lines if not line.is_beside],
            [line.points for line in lines if line.is_beside],
        )
        if not more:
            self.counted.emit(len(lines))

    def _on_press(self, viewer: ViewerModel, event: Any) -> Iterator[None]:
        layer, tool = self._layer, self.tool
        active = viewer.layers.selection.active
        if layer is None or tool is None or event.button != 1 or active is not layer:
            return
        if layer.mode != "pan_zoom":
            return
        if viewer.dims.ndisplay == 3 and (tool not in _IN_3D or layer.ndim < 3):
            self.refused.emit()
        elif tool == "merge":
            yield from self._clicked(layer, event)
        elif viewer.dims.ndisplay == 3:
            yield from self._cut_in_3d(layer, event)
        else:
            yield from self._drawn(tool, event)

    def _clicked(self, layer: Labels, event: Any) -> Iterator[None]:
        began, seen = np.asarray(event.pos, float), SeenLine(layer, event)
        yield
        while event.type == "mouse_move":
            yield
        if np.linalg.norm(np.asarray(event.pos, float) - began) <= _STILL and self.tool == "merge":
            self.clicked.emit(seen.labels[0])

    def _cut_in_3d(self, layer: Labels, event: Any) -> Iterator[None]:
        seen, last = SeenLine(layer, event), np.asarray(event.pos, float)
        yield
        while event.type == "mouse_move":
            here = np.asarray(event.pos, float)
            if np.linalg.norm(here - last) >= _LEAST_STEP:
                last = here
                seen.go_on(event)
                self.cutting.emit(seen)
            yield
        if self.tool == "cut" and len(seen.labels) > 1:
            self.cut.emit(seen)

    def _drawn(self, tool: Tool, event: Any) -> Iterator[None]:
        path, last = [self._voxel(event)], np.asarray(event.pos, float)
        began, far = last, 0.0
        modifiers = {str(getattr(key, "name", key)) for key in event.modifiers}
        beside = tool == "redo" and "Shift" in modifiers
        yield
        while event.type == "mouse_move":
            here = np.asarray(event.pos, float)
            far = max(far, float(np.linalg.norm(here - began)))
            if np.linalg.norm(here - last) >= _LEAST_STEP and tool != "points":
                last = here
                path.append(self._voxel(event))
                self._show(Line(np.array(path), beside))
            yield
        if self.tool != tool:
            return
        if tool == "points" or far <= _STILL:
            path = path[:1]
        line = Line(np.array(path), beside)
        if tool in _AT_ONCE:
            self._marks.draw([])
            if len(path) > 1:
                self.drawn.emit(tool, [line])
            return
        self.lines.append(line)
        self._show()

    def _voxel(self, event: Any) -> NDArray[np.float64]:
        assert self._layer is not None
        position = tuple(event.position)[-self._layer.ndim :]
        return np.asarray(self._layer.world_to_data(position), float)
