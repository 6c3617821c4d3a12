"""Measuring objects: a table linked with the picture, its plots, colours and numbers."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Image as ImageLayer
from napari.layers import Labels, Layer
from numpy.typing import NDArray
from qtpy.QtWidgets import QWidget

from napari_seedbed.errors import InputError
from napari_seedbed.gui.forms.inputs_panel import InputsPanel, Task
from napari_seedbed.gui.forms.measurement_view import MeasurementView
from napari_seedbed.gui.forms.operation_results import Finished
from napari_seedbed.gui.forms.panel import removed_in_words
from napari_seedbed.gui.forms.save_dialogs import ask_where_to_save, kinds_of_files
from napari_seedbed.gui.layers.grids import level_0
from napari_seedbed.gui.layers.layer_records import is_preview, is_result
from napari_seedbed.gui.layers.object_states import state_columns
from napari_seedbed.gui.layers.plain_viewers import plain
from napari_seedbed.gui.layers.view_position import time_on_screen
from napari_seedbed.gui.qt import errors
from napari_seedbed.gui.qt.delays import Delay
from napari_seedbed.gui.qt.sorted_columns import Rows
from napari_seedbed.gui.tools.measurements.measured_labels import TIME, ColourBy, MeasuredLabels
from napari_seedbed.gui.tools.measurements.measurements_form import OWN_COLOURS, MeasurementsForm
from napari_seedbed.gui.tools.measurements.numbered_overlay import NumberedOverlay
from napari_seedbed.gui.tools.measurements.object_count import ObjectCount
from napari_seedbed.pipeline import operations
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.data.tables import Table
from napari_seedbed.pipeline.files import write_result
from napari_seedbed.pipeline.operations import Operation

if TYPE_CHECKING:
    from napari.viewer import Viewer

OPERATION = "measure"
MOVED_SECONDS = 0.05
_NO_COLOURS = (TIME, "label", "nearest_label")


class MeasurementsPanel(InputsPanel):
    """Counts and measures the objects of a Labels layer.

    Parameters
    ----------
    napari_viewer : Viewer
    """

    about = "measurements"
    working = "Measuring…"
    form: MeasurementsForm

    def __init__(self, napari_viewer: "Viewer") -> None:
        napari_viewer = plain(napari_viewer)
        self.operation = operations.get(OPERATION)
        super().__init__(napari_viewer, MeasurementsForm(napari_viewer, self.operation))
        self.table: Table | None = None
        self.view: MeasurementView | None = None
        self._positions: dict[str, NDArray[Any]] | None = None
        self._counted: Labels | None = None
        self._has_offered = False
        # The labels that the last run was asked to measure.
        self._measured: Layer | None = None
        self.count = ObjectCount(self, napari_viewer, self._labels_image)
        self.linked = MeasuredLabels(self, napari_viewer, self.count.muted)
        self.overlay = NumberedOverlay(napari_viewer)
        self._moved = Delay(self, MOVED_SECONDS, self._show_count)
        self._connect()
        self.reset_choices()

    def _connect(self) -> None:
        form = self.form
        form.save_table.clicked.connect(self._ask_where_to_save_table)
        form.copy.clicked.connect(self.copy)
        form.inputs.times.activated.connect(self._offer_parts)
        for box in form.groups.values():
            box.toggled.connect(self._on_settings_changed)
        form.numbers.toggled.connect(self._show_numbers)
        form.colour_by.currentIndexChanged.connect(self._on_column)
        form.colormap.currentIndexChanged.connect(self._on_colormap)
        form.reset_limits.clicked.connect(self._set_limits)
        form.alone.toggled.connect(self._on_alone)
        for field in (form.low, form.high):
            field.valueChanged.connect(self._colour)
        self.count.counted.connect(self._on_counted)
        self.linked.rows_picked.connect(self._on_picked)
        self.linked.time_changed.connect(self._show_count)
        self._listen_to_view(self._on_moved)
        self._listen(self._on_theme, self.viewer.events.theme)

    def _chosen(self) -> tuple[Operation, Mapping[str, Any]]:
        return self.operation, self.form.chosen_groups()

    def _task(self) -> Task:
        task = super()._task()
        self._measured = task.given.like
        return task

    # What people do

    def select(self, rows: Rows) -> None:
        """Select rows of the table, in the table, the plot and the picture."""
        if self.view is not None:
            self.view.select_rows(rows)
        self._show_selected(rows, go_there=False)

    def copy(self) -> None:
        """Put the selected rows, or all, into the clipboard."""
        if self.view is not None:
            count = self.view.table.copy()
            self._say(f"Copied {count} row{'' if count == 1 else 's'} with their headings.")

    def save(self, path: str | Path) -> None:
        """Write the table to `path`: Parquet where it ends so, else CSV."""
        with errors.shown(self._say):
            if self.table is None:
                raise InputError("There is no table yet: press Run first.")
            written = write_result(path, "table", self.table)
            self._say(f"Saved {written.name}: {len(self.table)} rows.")

    def _ask_where_to_save_table(self) -> None:
        name = self.table.name if self.table is not None else "measurements"
        path = ask_where_to_save(self, "Save table", name, kinds_of_files("table"))
        if path is not None:
            self.save(path)

    # Events of the window

    def reset_choices(self, event: Any = None) -> None:
        """Offer the layers that there are now; napari calls it when they change."""
        super().reset_choices()
        self._watch()

    def _on_image_chosen(self, layer: Layer | None) -> None:
        self._watch()
        self._offer_parts()
        self._offer_intensities(layer)
        self._on_settings_changed()

    def _offer_intensities(self, labels: Layer | None) -> None:
        """Take the picture that the labels lie on, once; afterwards it is a person's choice."""
        if labels is None or self._has_offered:
            return
        alike = [
            layer
            for layer in self.viewer.layers
            if isinstance(layer, ImageLayer)
            and not (is_result(layer) or is_preview(layer) or layer.rgb)
            and level_0(layer).shape == level_0(labels).shape
        ]
        if alike:
            self._has_offered = True
            self.form.inputs.others["other"].choose(alike[0])

    def _watch(self) -> None:
        layer = self.form.inputs.image.layer()
        labels = layer if isinstance(layer, Labels) else None
        if labels is not self._counted:
            self._counted = labels
            self.count.watch(labels)

    def _on_removed(self, layer: Layer) -> None:
        if layer is self.linked.layer:
            self.linked.release()
        if layer is self._measured:
            self._stop_because(removed_in_words(layer))
        super()._on_removed(layer)

    def _on_moved(self, event: Any = None) -> None:
        if self._positions is not None and (TIME in self._positions or self.overlay.layer):
            self._moved.start()

    def _on_theme(self, event: Any = None) -> None:
        if self.view is not None:
            self.view.show_theme(self.viewer.theme)

    def _on_ended(self) -> None:
        super()._on_ended()
        self.count.close()
        # the labels look as before
        self.linked.close()
        self.overlay.remove()

    # Counting

    def _labels_image(self) -> Image | None:
        with suppress(InputError):
            return self.form.inputs.main_image()
        return None

    def _on_counted(self, columns: dict[str, NDArray[Any]] | None) -> None:
        self._positions = columns
        self._show_count()

    def _show_count(self) -> None:
        columns = self._positions
        if columns is None:
            self.form.count.setText("" if self._counted is None else "Press Run to count.")
            self.overlay.remove()
            return
        total = len(columns["label"])
        text = f"{total} object{'' if total == 1 else 's'}"
        if TIME in columns:
            text = f"{len(self._now())} at this time point, {total} in all"
        self.form.count.setText(text)
        self._show_numbers()

    def _now(self) -> Rows:
        """The counted objects at the time point on screen."""
        columns, layer = self._positions, self._counted
        assert columns is not None
        if TIME not in columns or layer is None:
            return np.arange(len(columns["label"]))
        time = time_on_screen(self.viewer, layer, time_axis=self.form.inputs.time_axis)
        return np.flatnonzero(columns[TIME] == time)

    def _show_numbers(self) -> None:
        columns, layer = self._positions, self._counted
        if columns is None or layer is None or not self.form.numbers.isChecked():
            self.overlay.remove()
            return
        now = self._now()
        objects = {name: column[now] for name, column in columns.items()}
        shown, in_view = self.overlay.show(layer, objects, self.form.inputs.time_axis)
        if shown < in_view:
            self._say(f"Numbers are on the {shown} largest of {in_view} objects in view.")

    # Results of jobs

    def _show(self, task: Task, finished: Finished) -> str:
        layer, result = task.given.like, finished.result
        assert isinstance(layer, Labels)
        measured = result.table()
        states = state_columns(layer.features, measured.columns)
        self.table = table = replace(measured, columns={**measured.columns, **states})
        if self.view is None:
            self._open_view()
        assert self.view is not None
        self.view.show_columns(table.name, table.columns)
        self.linked.show(layer, measured.columns, task.given.time_axis)
        self._offer_columns(table)
        dock = self.view.parent()
        if isinstance(dock, QWidget):
            dock.show()
        for button in (self.form.save_table, self.form.copy):
            button.setEnabled(True)
        words = [f"Measured at {task.part.words} alone."] if task.part.words else []
        return " ".join([*words, *result.record["notes"]])

    def _open_view(self) -> None:
        self.view = MeasurementView()
        self.view.rows_selected.connect(self._show_selected)
        self.view.show_theme(self.viewer.theme)
        window = getattr(self.viewer, "window", None)
        if window is not None:
            window.add_dock_widget(self.view, name="Measurements of objects", area="bottom")

    # Selection and colours

    def _on_picked(self, rows: Rows) -> None:
        if self.view is not None:
            self.view.select_rows(rows)
        self._show_selected(rows, go_there=False)

    def _show_selected(self, rows: Rows, *, go_there: bool = True) -> None:
        self.linked.select(
            rows,
            go_there=go_there and self.form.go_there.isChecked() and len(rows) == 1,
            alone=self.form.alone.isChecked(),
        )

    def _on_alone(self) -> None:
        if self.view is not None:
            self._show_selected(self.view.table.selected_rows(), go_there=False)

    def _offer_columns(self, table: Table) -> None:
        numbers = [
            name
            for name, column in table.columns.items()
            if np.asarray(column).dtype.kind in "iufb" and name not in _NO_COLOURS
        ]
        combo = self.form.colour_by
        before = combo.currentText()
        combo.blockSignals(True)
        combo.clear()
        combo.addItems([OWN_COLOURS, *numbers])
        combo.setCurrentText(before if before in numbers else OWN_COLOURS)
        combo.blockSignals(False)
        self._on_column()

    def _values(self) -> NDArray[np.float64] | None:
        name = self.form.colour_by.currentText()
        if self.table is None or name not in self.table.columns:
            return None
        return np.asarray(self.table.columns[name], float)

    def _on_column(self) -> None:
        self.form.show_colours(self._values() is not None)
        self._set_limits()

    def _set_limits(self) -> None:
        values = self._values()
        known = np.empty(0) if values is None else values[np.isfinite(values)]
        if len(known):
            low, high = np.percentile(known, [2, 98])
            for field, value in ((self.form.low, low), (self.form.high, high)):
                field.blockSignals(True)
                field.setValue(float(f"{value:.4g}"))
                field.blockSignals(False)
        self._colour()

    def _on_colormap(self) -> None:
        self.form.show_scale()
        self._colour()

    def _colour(self) -> None:
        wanted = None
        if self._values() is not None:
            limits = (self.form.low.value(), self.form.high.value())
            name, colormap = self.form.colour_by.currentText(), self.form.colormap.currentText()
            wanted = ColourBy(name, colormap, limits)
        self.linked.colour_by(wanted)
