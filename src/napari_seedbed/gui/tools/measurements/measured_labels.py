"""The way between the rows of a table and the objects of a Labels layer, both ways."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from napari.components import ViewerModel
from napari.layers import Labels
from napari.utils.colormaps import DirectLabelColormap
from numpy.typing import NDArray
from qtpy.QtCore import QObject, Signal

from napari_seedbed.gui.layers.label_colours import (
    colours_of_values,
    direct_colormap,
    prepare_colours,
)
from napari_seedbed.gui.layers.label_features import show_features
from napari_seedbed.gui.layers.object_clicks import ObjectClicks
from napari_seedbed.gui.layers.view_position import show_place, time_on_screen
from napari_seedbed.gui.qt.delays import Delay
from napari_seedbed.gui.qt.jobs import Jobs
from napari_seedbed.gui.qt.sorted_columns import Rows

TIME = "time_point"
_LOOK_SECONDS = 0.05
_MANY = 2000
"""Making a colormap of more labels than this would keep the window waiting."""


@dataclass(frozen=True)
class ColourBy:
    """A column that colours objects, along a colormap between two limits."""

    column: str
    colormap: str
    limits: tuple[float, float]


class MeasuredLabels(QObject):
    """A Labels layer and the table that was measured on it.

    The layer's features hold the rows of the time point on screen. Selected objects keep their
    colours and all others are dimmed. The layer gets its own colours back in the end.

    Parameters
    ----------
    viewer : ViewerModel or Viewer
    muted : callable
        Gives a context in which the layer changes its looks, and nothing else.

    Notes
    -----
    Signals: `rows_picked(rows)` when a person clicks objects in the picture or chooses another
    label; `time_changed()` when another time point is on screen.
    """

    rows_picked = Signal(object)
    time_changed = Signal()

    def __init__(
        self,
        parent: QObject,
        viewer: ViewerModel,
        muted: Callable[[], AbstractContextManager[None]],
    ) -> None:
        super().__init__(parent)
        self._viewer, self._muted = viewer, muted
        self.layer: Labels | None = None
        self.columns: Mapping[str, NDArray[Any]] = {}
        self._time_axis: int | None = None
        self._time: int | None = None
        self._own: Any = None
        self._selected: Rows = np.empty(0, np.intp)
        self._colour_by: ColourBy | None = None
        self._label = 0
        self._is_coloured = False
        self._jobs = Jobs(self)
        self.clicks = ObjectClicks(self, viewer)
        self.clicks.clicked.connect(self._on_clicked)
        self._look_soon = Delay(self, _LOOK_SECONDS, self._look_at_time)
        viewer.dims.events.point.connect(self._on_moved)

    def show(
        self, layer: Labels, columns: Mapping[str, NDArray[Any]], time_axis: int | None
    ) -> None:
        """Link a layer to a table of its objects; nothing is selected."""
        prepare_colours()
        if layer is not self.layer:
            self.release()
            self.layer = layer
            self._own = layer.colormap
            self._label = layer.selected_label
            layer.events.selected_label.connect(self._on_label)
        self.columns, self._time_axis = columns, time_axis
        if self._colour_by is not None and self._colour_by.column not in columns:
            self._colour_by = None
        self._selected = np.empty(0, np.intp)
        self._time = time_on_screen(self._viewer, layer, time_axis=time_axis)
        self.clicks.watch(layer)
        self._show_features()
        self._colour()

    def release(self) -> None:
        """Let go of the layer; it looks as before."""
        layer, self.layer = self.layer, None
        self.clicks.watch(None)
        self.columns = {}
        self._jobs.cancel()
        if layer is not None:
            layer.events.selected_label.disconnect(self._on_label)
            with self._muted():
                layer.show_selected_label = False
                if self._is_coloured:
                    layer.colormap = self._own
        self._own, self._is_coloured = None, False

    def close(self) -> None:
        """Stop for good."""
        self._look_soon.stop()
        self._viewer.dims.events.point.disconnect(self._on_moved)
        self.release()

    # Calls of the panel

    def select(self, rows: Rows, *, go_there: bool, alone: bool) -> None:
        """Show which rows are selected.

        Parameters
        ----------
        rows : (N,) ndarray of int
        go_there : bool
            Whether the first of them comes to the middle of the picture, on its time point.
        alone : bool
            Whether napari shows nothing but the first one.
        """
        layer = self.layer
        if layer is None:
            return
        self._selected = np.asarray(rows, np.intp)
        if len(rows):
            self._choose(int(self.columns["label"][rows[0]]))
            if go_there:
                self._go_to(int(rows[0]))
        alone = alone and len(rows) > 0
        if alone != layer.show_selected_label:
            with self._muted():
                layer.show_selected_label = alone
        self._colour()

    def colour_by(self, wanted: ColourBy | None) -> None:
        """Colour the objects by a column; None gives them their own colours."""
        if wanted != self._colour_by:
            self._colour_by = wanted
            self._colour()

    def rows_now(self) -> Rows:
        """The rows of the time point on screen."""
        if TIME not in self.columns:
            return np.arange(len(self.columns.get("label", ())))
        return np.flatnonzero(self.columns[TIME] == self._time)

    # Events of the picture

    def _on_clicked(self, label: int, adding: bool) -> None:
        now = self.rows_now()
        rows = now[self.columns["label"][now] == label]
        if adding:
            rows = np.setxor1d(self._selected, rows)
        self.rows_picked.emit(rows)

    def _on_label(self, event: Any = None) -> None:
        layer = self.layer
        # napari emits a chosen label when the colours change, too
        if layer is None or layer.selected_label == self._label:
            return
        self._label = layer.selected_label
        now = self.rows_now()
        rows = now[self.columns["label"][now] == layer.selected_label]
        if len(rows):
            self.rows_picked.emit(rows)

    def _on_moved(self, event: Any = None) -> None:
        if self.layer is not None and TIME in self.columns:
            self._look_soon.start()

    def _look_at_time(self) -> None:
        if self.layer is None:
            return
        time = time_on_screen(self._viewer, self.layer, time_axis=self._time_axis)
        if time != self._time:
            self._time = time
            self._show_features()
            self._colour()
            self.time_changed.emit()

    # What is shown

    def _choose(self, label: int) -> None:
        assert self.layer is not None
        self._label = label
        with self._muted():
            self.layer.selected_label = label

    def _go_to(self, row: int) -> None:
        names = [name for name in self.columns if name.startswith("voxel_")]
        if self.layer is None or not names:
            return
        place = tuple(round(float(self.columns[name][row])) for name in names)
        time = int(self.columns[TIME][row]) if TIME in self.columns else None
        show_place(self._viewer, self.layer, place, time, self._time_axis)
        self._look_at_time()

    def _show_features(self) -> None:
        assert self.layer is not None
        now = self.rows_now()
        show_features(self.layer, {name: column[now] for name, column in self.columns.items()})

    def _colour(self) -> None:
        layer = self.layer
        if layer is None:
            return
        self._jobs.cancel()
        now, wanted = self.rows_now(), self._colour_by
        chosen = now[np.isin(now, self._selected)]
        if wanted is None and not len(self._selected):
            if self._is_coloured:
                self._is_coloured = False
                with self._muted():
                    layer.colormap = self._own
            return
        self._is_coloured = True
        rows = chosen if len(self._selected) else now
        labels = self.columns["label"][rows].tolist()
        if wanted is None:
            colours = np.asarray(self._own.map(np.array(labels)), np.float32).reshape(-1, 4)
            colours[:, 3] = 1
        else:
            values = np.asarray(self.columns[wanted.column][rows], float)
            colours = colours_of_values(values, wanted.colormap, wanted.limits)
        make = partial(direct_colormap, labels, colours, dim_others=len(self._selected) > 0)
        if len(rows) <= _MANY:
            with self._muted():
                layer.colormap = make()
            return

        kind = layer.dtype

        def work() -> DirectLabelColormap:
            colormap = make()
            # napari makes its tables when the first label is looked up: seconds for many labels
            colormap.map(np.zeros(1, kind))
            return colormap

        self._jobs.start("colours", work, self._on_colours, _ignore)

    def _on_colours(self, colormap: DirectLabelColormap) -> None:
        if self.layer is not None:
            with self._muted():
                self.layer.colormap = colormap


def _ignore(error: BaseException) -> None:
    """The objects keep the colours that they have."""
