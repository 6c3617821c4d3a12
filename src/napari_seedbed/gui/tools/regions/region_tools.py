"""The tools of the region graph panel that clicks on the picture are for, and what they changed."""

from functools import partial

import numpy as np
from napari.components import ViewerModel
from numpy.typing import NDArray
from qtpy.QtCore import QObject, Signal

from napari_seedbed.core.regions.region_edits import RegionEdit, Verb
from napari_seedbed.gui.tools.regions.region_clicks import RegionClicks, Voxel
from napari_seedbed.gui.tools.regions.region_graph_form import RegionGraphForm
from napari_seedbed.gui.tools.regions.region_graph_session import RegionGraphSession


class RegionTools(QObject):
    """Merges, splits and takes out regions by clicks.

    Parameters
    ----------
    viewer : ViewerModel or Viewer
    form : RegionGraphForm
    session : RegionGraphSession

    Notes
    -----
    Signals: `changed()` when other changes are to be shown; `chosen(region or None)` for the first
    of two regions; `said(text)`.
    """

    changed = Signal()
    chosen = Signal(object)
    said = Signal(str)

    def __init__(
        self, viewer: ViewerModel, form: RegionGraphForm, session: RegionGraphSession
    ) -> None:
        super().__init__(form)
        self._viewer, self._form, self._session = viewer, form, session
        self.clicks = RegionClicks(viewer, self._on_click)
        # By the Labels layer whose regions they name.
        self._edits: dict[str, list[RegionEdit]] = {}
        self._first: int | None = None
        for verb, button in form.tools.items():
            button.toggled.connect(partial(self._on_tool, verb))
        form.undo.clicked.connect(self.undo)
        form.clear.clicked.connect(self.clear)

    @property
    def edits(self) -> list[RegionEdit]:
        """The changes by hand of the regions that are chosen now."""
        layer = self._form.inputs.others["other"].layer()
        return self._edits.setdefault("" if layer is None else str(layer.unique_id), [])

    def undo(self) -> None:
        """Take back the last change by hand."""
        if self.edits:
            self.edits.pop()
            self.changed.emit()

    def clear(self) -> None:
        """Take back all changes by hand."""
        self.edits.clear()
        self.changed.emit()

    def forget_first(self) -> None:
        """The first of two regions is not chosen any more."""
        if self._first is not None:
            self._first = None
            self.chosen.emit(None)

    def put_away(self) -> None:
        """Leave clicks to others."""
        self._form.choose_tool(None)
        self.clicks.stop()
        self.forget_first()

    def _on_tool(self, verb: Verb, on: bool) -> None:
        self._form.choose_tool(verb if on else None)
        self.forget_first()
        inputs = self._form.inputs
        if not on or not inputs.is_ready:
            self.clicks.stop()
            return
        self.clicks.listen(inputs.layer, inputs.time_axis)
        self.said.emit(self._form.tools[verb].toolTip())

    def _on_click(self, voxel: Voxel) -> None:
        verb, built = self._form.tool(), self._session.now
        if verb is None or built is None or self._session.is_busy:
            return
        if self._viewer.dims.ndisplay == 3:
            self.said.emit("Switch to the 2D display to click regions.")
            return
        region = int(built.graph.numbers[voxel]) - 1
        if region < 0:
            self.said.emit("There is no region here.")
            return
        label = int(built.graph.labels[region])
        if verb != "merge":
            self._change(RegionEdit(verb, (label,)))
        elif self._first is None:
            self._first = label
            self.chosen.emit(region)
            self.said.emit(f"Region {label} is chosen. Click the one that it shall be joined with.")
        else:
            first, self._first = self._first, None
            self._change(RegionEdit(verb, (first, label)))

    def _change(self, edit: RegionEdit) -> None:
        before = self._groups()
        self.edits.append(edit)
        is_same = np.array_equal(self._groups(), before)
        if is_same:
            self.edits.pop()
        self.changed.emit()
        if is_same:
            what = "one region already" if edit.verb == "merge" else "not joined with any"
            self.said.emit(f"Nothing to change: {what}.")

    def _groups(self) -> NDArray[np.int64]:
        return self._session.groups(tuple(self.edits))[0]
