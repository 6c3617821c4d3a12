"""Measuring objects: a table linked with the picture, its plots, colours and numbers."""

from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Image as ImageLayer
from napari.layers import Labels, Layer
from numpy.typing import NDArray
from qtpy.QtCore import QTimer
from qtpy.QtGui import QShowEvent
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_seedbed.errors import InputError
from napari_seedbed.gui import errors
from napari_seedbed.gui.grids import level_0
from napari_seedbed.gui.jobs import Job
from napari_seedbed.gui.layer_records import is_preview, is_result
from napari_seedbed.gui.measured_labels import TIME, ColourBy, MeasuredLabels
from napari_seedbed.gui.measurement_view import MeasurementView
from napari_seedbed.gui.measurements_form import OWN_COLOURS, MeasurementsForm
from napari_seedbed.gui.numbered_overlay import NumberedOverlay
from napari_seedbed.gui.object_count import ObjectCount
from napari_seedbed.gui.operation_inputs import Given
from napari_seedbed.gui.panel_job import PanelJob
from napari_seedbed.gui.panel_life import PanelLife, removed_in_words
from napari_seedbed.gui.part_runs import run_part
from napari_seedbed.gui.run_controls import RunControls
from napari_seedbed.gui.save_dialogs import ask_for_recipe_path, ask_where_to_save
from napari_seedbed.gui.sorted_columns import Rows
from napari_seedbed.gui.view_position import Part, time_on_screen
from napari_seedbed.pipeline import operations
from napari_seedbed.pipeline.image import Image
from napari_seedbed.pipeline.operations import Result
from napari_seedbed.pipeline.recipes import recipe_from_record, save_recipe
from napari_seedbed.pipeline.table_writing import save_table
from napari_seedbed.pipeline.tables import Table

if TYPE_CHECKING:
    from napari.viewer import Viewer

OPERATION = "measure"
MOVED_SECONDS = 0.05
_NO_COLOURS = (TIME, "label", "nearest_label")


class MeasurementsPanel(PanelJob, QWidget):
    """Counts and measures the objects of a Labels layer.

    Parameters
    ----------
    napari_viewer : Viewer
    """

    def __init__(self, napari_viewer: "Viewer") -> None:
        super().__init__()
        self.viewer = napari_viewer
        self.job: Job | None = None
        self.table: Table | None = None
        self.view: MeasurementView | None = None
        self._record: Mapping[str, Any] | None = None
        self._positions: dict[str, NDArray[Any]] | None = None
        self._counted: Labels | None = None
        self._has_offered = False
        # What the table was measured with, until something is changed.
        self._groups: dict[str, bool] | None = None
        self.form = MeasurementsForm(napari_viewer, operations.get(OPERATION))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.form)
        self.count = ObjectCount(self, napari_viewer, self._labels_image)
        self.linked = MeasuredLabels(self, napari_viewer, self.count.muted)
        self.overlay = NumberedOverlay(napari_viewer)
        self.life = PanelLife(self, napari_viewer)
        self._moved = QTimer(self)
        self._moved.setSingleShot(True)
        self._moved.setInterval(round(1000 * MOVED_SECONDS))
        self._connect()
        self.reset_choices()

    def _connect(self) -> None:
        form = self.form
        form.run.clicked.connect(self.measure)
        form.cancel.clicked.connect(self.cancel)
        form.save_table.clicked.connect(self._ask_where_to_save)
        form.copy.clicked.connect(self.copy)
        form.save_recipe.clicked.connect(self._ask_for_recipe)
        form.inputs.image_chosen.connect(self._on_labels_chosen)
        form.inputs.times.activated.connect(self._offer_parts)
        form.inputs.changed.connect(self._on_inputs_changed)
        for box in form.groups.values():
            box.toggled.connect(self._tell_outdated)
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
        dims = self.viewer.dims.events
        for event in (dims.point, dims.ndisplay, dims.order):
            event.connect(self._on_moved)
        self._moved.timeout.connect(self._show_count)
        self.viewer.events.theme.connect(self._on_theme)
        self.life.layer_removed.connect(self._on_layer_removed)
        self.life.ended.connect(self.close_down)

    # What people do

    def measure(self) -> None:
        """Measure beside the window."""
        if self.job is not None:
            return
        with errors.shown(self._say):
            given = self.form.inputs.given()
            if not isinstance(given.like, Labels):
                raise InputError("labels: there are none; make a Labels layer first.")
            groups = self.form.chosen_groups()
            part = self.form.apply_to.part(self.viewer, given.like, given.image, given.time_axis)
            self._start(
                partial(run_part, OPERATION, dict(given.inputs), groups, part),
                partial(self._show, given, groups, part),
                "Measuring…",
            )

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
                raise InputError("There is no table yet: press Measure first.")
            written = save_table(path, self.table.columns)
            self._say(f"Saved {written.name}: {len(self.table)} rows.")

    def _ask_where_to_save(self) -> None:
        name = self.table.name if self.table is not None else "measurements"
        kinds = "CSV (*.csv);;Parquet (*.parquet)"
        path = ask_where_to_save(self, "Save table", name, kinds)
        if path is not None:
            self.save(path)

    def _ask_for_recipe(self) -> None:
        path = ask_for_recipe_path(self, "measurements")
        if path is not None and self._record is not None:
            with errors.shown(self._say):
                written = save_recipe(path, recipe_from_record(self._record))
                self._say(f"Saved {written.name}.")

    # What the window tells

    def reset_choices(self, event: Any = None) -> None:
        """Offer the layers that there are now; napari calls it when they change."""
        self.form.inputs.offer()
        ready = self.form.inputs.image.layer() is not None
        self.form.run.setEnabled(ready and self.job is None)
        self._watch()

    def _on_labels_chosen(self, layer: Layer | None) -> None:
        self._watch()
        self._offer_parts()
        self._offer_intensities(layer)

    def _offer_parts(self) -> None:
        inputs, image = self.form.inputs, None
        if inputs.is_ready:
            with suppress(InputError):
                image = inputs.outline()
        self.form.offer_parts(image)

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

    def _on_layer_removed(self, layer: Layer) -> None:
        if layer is self.linked.layer:
            self.linked.release()
            if self.job is not None:
                self.job.cancel()
                self._say(removed_in_words(layer))
        self.reset_choices()

    def _on_moved(self, event: Any = None) -> None:
        if self._positions is not None and (TIME in self._positions or self.overlay.layer):
            self._moved.start()

    def _on_theme(self, event: Any = None) -> None:
        if self.view is not None:
            self.view.show_theme(self.viewer.theme)

    def showEvent(self, event: QShowEvent | None) -> None:
        """Notice what changes."""
        super().showEvent(event)
        self.form.inputs.watch(True)

    def close_down(self) -> None:
        """Stop all work; the labels look as before."""
        if self.job is not None:
            self.job.abandon()
            self.job = None
        self._moved.stop()
        self.form.inputs.watch(False)
        self.count.close()
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
            self.form.count.setText("" if self._counted is None else "Press Measure to count.")
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

    # What the job tells

    def _show(self, given: Given, groups: dict[str, bool], part: Part, result: Result) -> None:
        self._end("")
        layer = given.like
        if not isinstance(layer, Labels) or layer not in self.viewer.layers:
            return
        table = result.table()
        self.table, self._record = table, result.record
        if self.view is None:
            self._open_view()
        assert self.view is not None
        self.view.show_columns(table.name, table.columns)
        self.linked.show(layer, table.columns, given.time_axis)
        self._offer_columns(table)
        dock = self.view.parent()
        if isinstance(dock, QWidget):
            dock.show()
        for button in (self.form.save_table, self.form.copy, self.form.save_recipe):
            button.setEnabled(True)
        words = [f"Measured at {part.words} alone."] if part.words else []
        self.form.controls.say_made(" ".join([*words, *result.record["notes"]]))
        # not where something was changed during the run
        self._groups = groups if self.form.inputs.would_give(given) else None
        self._tell_outdated()

    def _on_inputs_changed(self) -> None:
        self._groups = None
        self._tell_outdated()

    def _tell_outdated(self, *_: Any) -> None:
        """Say it where the table is not what would be measured now."""
        self.form.controls.outdate(self._groups != self.form.chosen_groups())

    def _open_view(self) -> None:
        self.view = MeasurementView()
        self.view.rows_selected.connect(self._show_selected)
        self.view.show_theme(self.viewer.theme)
        window = getattr(self.viewer, "window", None)
        if window is not None:
            window.add_dock_widget(self.view, name="Measurements of objects", area="bottom")

    def _show_running(self, running: bool) -> None:
        self.form.run.setEnabled(not running and self.form.inputs.image.layer() is not None)
        self.form.controls.show_running(running)

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

    def _controls(self) -> RunControls:
        return self.form.controls
