"""Tools of the mouse on the picture: a lasso, a cut, strokes, points."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from napari.components import ViewerModel
from napari.layers import Labels
from numpy.typing import NDArray
from qtpy.QtCore import QObject, Signal

from napari_seedbed.gui.tools.proofreading.picture_marks import PictureMarks
from napari_seedbed.gui.tools.proofreading.seen_planes import SeenLine
from napari_seedbed.gui.tools.proofreading.seen_rays import Ray, SeenOutline

Place = NDArray[np.float64]
Tool = Literal["lasso", "cut", "strokes", "points", "merge", "redo"]

_STILL = 3.0
"""Pixels that the mouse may move between press and release of a click."""

_LEAST_STEP = 2.0
"""Pixels between two points of a line."""

_AT_ONCE = ("lasso", "cut")
IN_3D: tuple[Tool, ...] = ("lasso", "merge", "cut", "strokes", "points")
"""Tools of volumes in the 3D display, where strokes and points lie on the surfaces of objects. What
is beside an object, which growing anew asks for, is not seen there."""


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
    merges; in the 3D display `cutting(seen)` while a cut is drawn and `cut(seen)` when it is
    finished, a `SeenLine` each, `surrounded(seen)`, a `SeenOutline`, when a lasso is, and
    `missed()` after a stroke beside all objects.
    """

    drawn = Signal(str, object)
    counted = Signal(int)
    clicked = Signal(int)
    cutting = Signal(object)
    cut = Signal(object)
    surrounded = Signal(object)
    missed = Signal()

    def __init__(self, parent: QObject, viewer: ViewerModel, marks: PictureMarks) -> None:
        super().__init__(parent)
        self._viewer, self._marks = viewer, marks
        self.tool: Tool | None = None
        self._layer: Labels | None = None
        self.lines: list[Line] = []
        self.works_here: Callable[[Tool], bool] = lambda tool: True
        """Whether a tool works in the display there is."""

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
        if not self.works_here(tool):
            return
        is_deep = viewer.dims.ndisplay == 3
        if tool == "merge":
            yield from self._clicked(layer, event)
        elif tool == "cut" and is_deep:
            yield from self._cut_in_3d(layer, event)
        elif tool == "lasso" and is_deep:
            yield from self._lasso_in_3d(layer, event)
        else:
            yield from self._drawn(tool, layer, event, _on_surface if is_deep else _voxel)

    def _clicked(self, layer: Labels, event: Any) -> Iterator[None]:
        began = np.asarray(event.pos, float)
        value = layer.get_value(
            event.position,
            view_direction=event.view_direction,
            dims_displayed=event.dims_displayed,
            world=True,
        )
        yield
        while event.type == "mouse_move":
            yield
        if np.linalg.norm(np.asarray(event.pos, float) - began) <= _STILL and self.tool == "merge":
            self.clicked.emit(int(value or 0))

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

    def _lasso_in_3d(self, layer: Labels, event: Any) -> Iterator[None]:
        rays, pixels = [Ray(layer, event)], [(float(event.pos[0]), float(event.pos[1]))]
        yield
        while event.type == "mouse_move":
            here = float(event.pos[0]), float(event.pos[1])
            if np.hypot(here[0] - pixels[-1][0], here[1] - pixels[-1][1]) >= _LEAST_STEP:
                rays.append(Ray(layer, event))
                pixels.append(here)
                self._marks.draw_outline(pixels)
            yield
        self._marks.draw_outline(())
        if self.tool == "lasso" and len(rays) > 2:
            self.surrounded.emit(SeenOutline(rays))

    def _drawn(
        self, tool: Tool, layer: Labels, event: Any, place: Callable[[Labels, Any], Place | None]
    ) -> Iterator[None]:
        found, last = place(layer, event), np.asarray(event.pos, float)
        path = [] if found is None else [found]
        began, far = last, 0.0
        modifiers = {str(getattr(key, "name", key)) for key in event.modifiers}
        beside = tool == "redo" and "Shift" in modifiers
        yield
        while event.type == "mouse_move":
            here = np.asarray(event.pos, float)
            far = max(far, float(np.linalg.norm(here - began)))
            if np.linalg.norm(here - last) >= _LEAST_STEP and tool != "points":
                last = here
                found = place(layer, event)
                if found is not None:
                    path.append(found)
                    self._show(Line(np.array(path), beside))
            yield
        if self.tool != tool:
            return
        if not path:
            self.missed.emit()
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


def _voxel(layer: Labels, event: Any) -> Place:
    position = tuple(event.position)[-layer.ndim :]
    return np.asarray(layer.world_to_data(position), float)


def _on_surface(layer: Labels, event: Any) -> Place | None:
    found = Ray(layer, event).first_voxel()
    return None if found is None else found.astype(float)
