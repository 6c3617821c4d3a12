"""The buttons of the mouse's tools: lasso, cuts, strokes, merges by clicks, and napari's brush."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from napari.layers import Labels
from qtpy.QtCore import QObject, QSignalBlocker, Signal

from napari_seedbed.gui.layers.action_keys import ActionKeys
from napari_seedbed.gui.layers.seeds_watch import move_connections
from napari_seedbed.gui.tools.proofreading.drawn_edits import objects_within
from napari_seedbed.gui.tools.proofreading.edited_labels import EditedLabels
from napari_seedbed.gui.tools.proofreading.object_edits import ObjectEdits
from napari_seedbed.gui.tools.proofreading.object_selection import ObjectSelection
from napari_seedbed.gui.tools.proofreading.picture_marks import PictureMarks
from napari_seedbed.gui.tools.proofreading.picture_tools import IN_3D, Line, PictureTools, Tool
from napari_seedbed.gui.tools.proofreading.proofreading_form import ProofreadingForm
from napari_seedbed.gui.tools.proofreading.seen_planes import SeenLine
from napari_seedbed.gui.tools.proofreading.seen_rays import SeenOutline

if TYPE_CHECKING:
    from napari.viewer import Viewer

_LABEL_EVENTS = ("mode", "visible", "preserve_labels", "selected_label")
_DRAWN: tuple[Tool, ...] = ("strokes", "points", "redo")


class ToolControls(QObject):
    """Takes tools and puts them away, and hands on what was drawn.

    Parameters
    ----------
    viewer : Viewer
    form : ProofreadingForm
    selection : ObjectSelection
    edits : ObjectEdits
    marks : PictureMarks
    is_editable : callable
        Whether edits can be written now.

    Notes
    -----
    Signal: `said(text)`.
    """

    said = Signal(str)

    def __init__(
        self,
        parent: QObject,
        viewer: "Viewer",
        form: ProofreadingForm,
        selection: ObjectSelection,
        edits: ObjectEdits,
        marks: PictureMarks,
        is_editable: Callable[[], bool],
    ) -> None:
        super().__init__(parent)
        self._viewer, self._form, self._selection = viewer, form, selection
        self._edits, self._marks, self._is_editable = edits, marks, is_editable
        self._target: EditedLabels | None = None
        self._listened: Labels | None = None
        self._walls_before = False
        self._first = 0
        self._keys: ActionKeys | None = None
        self.picture = PictureTools(self, viewer, marks)
        for tool, one in form.tools.items():
            one.toggled.connect(partial(self._on_tool, tool))
        form.split.clicked.connect(self.picture.finish)
        form.paint.clicked.connect(partial(self._on_brush, "paint"))
        form.erase.clicked.connect(partial(self._on_brush, "erase"))
        form.walls.toggled.connect(self._show_walls)
        self.picture.drawn.connect(self._on_drawn)
        self.picture.counted.connect(self._on_counted)
        self.picture.clicked.connect(self._on_merge_click)
        self.picture.cutting.connect(self._on_cutting)
        self.picture.cut.connect(self._on_cut)
        self.picture.surrounded.connect(self._on_surrounded)
        self.picture.missed.connect(self._on_missed)
        self.picture.works_here = self._works_here

    def watch(self, target: EditedLabels | None) -> None:
        """Work on another layer."""
        self.put_away()
        self._target = target
        before, layer = self._listened, None if target is None else target.layer
        if before is layer:
            return
        move_connections(before, layer, _LABEL_EVENTS, self._on_layer)
        if before is not None:
            before.preserve_labels = self._walls_before
        self._listened = layer
        if layer is not None:
            self._walls_before = bool(layer.preserve_labels)
            layer.preserve_labels = self._form.walls.isChecked()

    def _on_tool(self, tool: Tool, on: bool) -> None:
        form = self._form
        if not on:
            if self.picture.tool == tool:
                self.put_away()
            return
        if tool == "redo" and self._edits.image is None:
            self.said.emit("Grow strokes needs the image: choose it above.")
            form.tools[tool].setChecked(False)
            return
        if not self._is_editable() or self._target is None:
            form.tools[tool].setChecked(False)
            return
        if not self._works_here(tool):
            form.tools[tool].setChecked(False)
            return
        for other, one in form.tools.items():
            if other != tool:
                one.setChecked(False)
        layer = self._target.layer
        self.picture.take(tool, layer)
        self._selection.clicks.watch(layer if tool == "lasso" else None)
        self._keys = ActionKeys(
            self, layer, {"Escape": self.put_away, "Enter": self.picture.finish}
        )
        self._keys.take()
        self.said.emit(form.tools[tool].toolTip())

    def take_back(self) -> bool:
        """Forget the last stroke or point that is not finished; whether there was one."""
        return self.picture.take_back()

    def put_away(self) -> None:
        """Leave the mouse to napari."""
        tool, self._first = self.picture.tool, 0
        self.picture.put_away()
        if self._keys is not None:
            self._keys.give_back()
            self._keys = None
        if tool is not None:
            self._form.tools[tool].setChecked(False)
        if self._target is not None:
            self._selection.clicks.watch(self._target.layer)

    def finish(self, tool: Tool) -> bool:
        """Make the edit of the strokes that are drawn with a tool; whether there were some."""
        if self.picture.tool != tool or not self.picture.lines:
            return False
        self.picture.finish()
        return True

    def _on_cutting(self, seen: SeenLine) -> None:
        """A cut is being drawn in the 3D display: show what it would part, and where."""
        label = seen.object_under(self._selection.labels)
        if label is not None:
            if label not in self._selection.labels:
                self._selection.select([label])
            self._marks.show_plane(seen.plane)

    def _on_cut(self, seen: SeenLine) -> None:
        self._marks.show_plane(None)
        label = seen.object_under(self._selection.labels)
        if label is None:
            self._on_missed()
        else:
            self._edits.cut(label, *seen.plane)

    def _on_missed(self) -> None:
        self.said.emit("There is no object where you have drawn. Draw on the object.")

    def _works_here(self, tool: Tool) -> bool:
        """Whether a tool works in the display there is; says what to do where it does not."""
        target = self._target
        if target is None or self._viewer.dims.ndisplay == 2:
            return True
        title = self._form.tools[tool].text()
        if len(target.spacing) < 3:
            self.said.emit(f"{title} needs slices, as these labels are flat: press Ctrl+Y.")
        elif tool not in IN_3D:
            self.said.emit(
                f"{title} needs slices, where you see what is beside an object: press Ctrl+Y, "
                "then draw."
            )
        else:
            return True
        return False

    def look_at_display(self, event: Any = None) -> None:
        """Slices or the 3D display are shown now: a tool that does not work there is put away."""
        tool = self.picture.tool
        if tool is not None and not self.picture.lines and not self._works_here(tool):
            self.put_away()

    def _on_drawn(self, tool: Tool, lines: list[Line]) -> None:
        target = self._target
        if target is None:
            return
        if tool == "lasso":
            ahead = self._viewer.dims.ndim - target.layer.ndim
            displayed = [axis - ahead for axis in self._viewer.dims.displayed]
            self._select_by_lasso(objects_within(target.data, lines[0].points, displayed))
        else:
            self._edits.draw(tool, lines, self._axis_across(target))
            if tool in _DRAWN:
                self.put_away()

    def _on_surrounded(self, seen: SeenOutline) -> None:
        labels, places = self._selection.places()
        if not len(labels):
            self.said.emit("The objects are still being measured.")
            return
        self._select_by_lasso(labels[seen.holds(places[:, seen.axes])].tolist())

    def _select_by_lasso(self, found: Sequence[int]) -> None:
        self._selection.select(found)
        self.put_away()
        objects = f"{len(found)} object{'' if len(found) == 1 else 's'}"
        self.said.emit(f"Lasso: {objects} selected.")

    def _axis_across(self, target: EditedLabels) -> int | None:
        """The axis of a volume whose slice is on screen."""
        ahead = self._viewer.dims.ndim - len(target.spacing)
        shown = {axis - ahead for axis in self._viewer.dims.displayed}
        hidden = [axis for axis in range(len(target.spacing)) if axis not in shown]
        return hidden[0] if len(hidden) == 1 else None

    def _on_counted(self, number: int) -> None:
        tool = self.picture.tool
        self._form.split.setEnabled(number > 1 and tool != "redo")
        if number and tool == "redo":
            self.said.emit(
                "Draw in the object, with Shift beside it; press Enter to grow it anew from that."
            )
        elif number and tool in _DRAWN:
            what = "stroke" if tool == "strokes" else "point"
            more = "draw one in each other part" if number == 1 else "press Enter to split"
            self.said.emit(f"{number} {what}{'s' if number > 1 else ''}: {more}.")

    def _on_merge_click(self, label: int) -> None:
        first, self._first = self._first, 0
        if not label:
            self._selection.select([])
        elif first and first != label and first in self._selection.labels:
            # the next click begins anew: what was merged is not meant by it
            self._edits.act("merge", [first, label])
        else:
            self._first = label
            self._selection.select([label])
            self.said.emit(f"Object {label}: now click the one that it shall be joined with.")

    def _on_brush(self, mode: str, on: bool) -> None:
        if not self._is_editable() or self._target is None:
            self._on_layer()
            return
        self.put_away()
        layer = self._target.layer
        self._viewer.layers.selection.active = layer
        if on and self._selection.labels:
            layer.selected_label = self._selection.labels[0]
        layer.mode = mode if on else "pan_zoom"

    def _show_walls(self, on: bool) -> None:
        if self._target is not None:
            self._target.layer.preserve_labels = on

    def _on_layer(self, event: Any = None) -> None:
        """The tool, the visibility or the walls of the layer are others now."""
        layer = self._listened
        if layer is None:
            return
        mode = str(layer.mode)
        self._form.paint.setChecked(mode == "paint")
        self._form.erase.setChecked(mode == "erase")
        if mode != "pan_zoom" and self.picture.tool is not None:
            self.put_away()
        with QSignalBlocker(self._form.walls):
            self._form.walls.setChecked(bool(layer.preserve_labels))
        label = int(layer.selected_label)
        if mode == "pick" and label and (label,) != self._selection.labels:
            self._selection.select([label])
        self._marks.show()
