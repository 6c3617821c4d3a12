"""The form of an operation in the window, made from its declaration."""

from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari.layers import Layer
from qtpy.QtGui import QHideEvent, QShowEvent
from qtpy.QtWidgets import QCheckBox, QPushButton

from napari_seedbed.errors import InputError
from napari_seedbed.gui import errors
from napari_seedbed.gui.apply_choice import ApplyChoice
from napari_seedbed.gui.canvas_context import CanvasContext
from napari_seedbed.gui.covered_layers import hide
from napari_seedbed.gui.grids import unit_symbol
from napari_seedbed.gui.jobs import Job
from napari_seedbed.gui.layer_records import name_of_source
from napari_seedbed.gui.live_preview import Asked, LivePreview
from napari_seedbed.gui.operation_inputs import Given, OperationInputs
from napari_seedbed.gui.operation_results import Finished, OperationResults
from napari_seedbed.gui.output_layers import Origin
from napari_seedbed.gui.panel_end import PanelEnd
from napari_seedbed.gui.panel_form import PanelForm, form_rows
from napari_seedbed.gui.panel_job import PanelJob
from napari_seedbed.gui.parameter_fields import FieldsWithMore
from napari_seedbed.gui.part_runs import run_and_count
from napari_seedbed.gui.run_controls import RunControls, wrapped_label
from napari_seedbed.gui.save_dialogs import ask_for_recipe_path
from napari_seedbed.gui.value_range_line import ValueRangeLine
from napari_seedbed.gui.view_position import Part, part_in_view
from napari_seedbed.pipeline import operations
from napari_seedbed.pipeline.image import Image
from napari_seedbed.pipeline.operations import Operation
from napari_seedbed.pipeline.parameters import Value
from napari_seedbed.pipeline.recipes import recipe_from_record, save_recipe

if TYPE_CHECKING:
    from napari.viewer import Viewer


class OperationForm(PanelJob, PanelForm):
    """Inputs, parameters, preview, Run and Cancel of one operation.

    Subclasses are made by `form_class`. The result of a further run replaces that of the one
    before, except where somebody has painted on it: then it is left alone and a new layer is made.

    Parameters
    ----------
    napari_viewer : Viewer
    """

    operation: Operation

    def __init__(self, napari_viewer: "Viewer") -> None:
        super().__init__()
        self.viewer = napari_viewer
        self.job: Job | None = None
        self.results = OperationResults(napari_viewer, self.operation)
        # The last result: its record, and what it was made with.
        self._record: Mapping[str, Any] | None = None
        self._done: tuple[Given, dict[str, Value], Part] | None = None
        self._build()
        self.preview = LivePreview(napari_viewer, self._asked, self._say, self)
        CanvasContext(self, napari_viewer)
        self.inputs.image_chosen.connect(self._on_image_chosen)
        self.inputs.changed.connect(self._on_inputs_changed)
        self.parameters.changed.connect(self._on_parameters_changed)
        self.apply_to.activated.connect(self._show_forecast)
        self.follow.toggled.connect(self._on_follow)
        self.run_button.clicked.connect(self.run)
        self.cancel_button.clicked.connect(self.cancel)
        self.save_button.clicked.connect(self._ask_where_to_save)
        PanelEnd(self).ended.connect(self._on_ended)
        self.reset_choices()

    def _build(self) -> None:
        self.inputs = OperationInputs(self.viewer, self.operation)
        is_shown = self.operation.group == "Images"
        self.value_range = ValueRangeLine(self.inputs) if is_shown else None
        self.image, self.channels = self.inputs.image, self.inputs.channels
        self.times = self.inputs.times
        self.parameters = FieldsWithMore(self.operation.parameters)
        self.apply_to = ApplyChoice()
        self._rows = form_rows()
        self._rows.addRow("Apply to", self.apply_to)
        self.follow = QCheckBox("Preview")
        self.follow.setToolTip(
            "Show what Run would give on the slice in view, and follow sliders and parameters. "
            "Nothing is kept of it."
        )
        self.follow.setEnabled(self.operation.gives != "table")
        self.save_button = QPushButton("Save recipe…")
        self.save_button.setToolTip("Write down how the last result was made, to repeat it.")
        self.save_button.setEnabled(False)
        self.controls = RunControls(below=[self.save_button])
        self.run_button = self.controls.run
        self.cancel_button = self.controls.cancel
        self.forecast = self.controls.forecast
        self.status = self.controls.status
        self.column.addWidget(wrapped_label(self.operation.help))
        self.column.addWidget(self.inputs)
        if self.operation.parameters:
            self.column.addWidget(self.parameters)
        self.column.addLayout(self._rows)
        self.column.addWidget(self.follow)
        self.column.addWidget(self.controls)
        self.column.addStretch(1)

    # What people do

    def run(self) -> None:
        """Start the operation beside the window."""
        if self.job is not None:
            return
        with errors.shown(self._say):
            given = self.inputs.given()
            parameters = self.parameters.values()
            part = self.apply_to.part(self.viewer, given.like, given.image, given.time_axis)
            self.preview.finish()
            self._start(
                partial(run_and_count, self.operation, dict(given.inputs), parameters, part),
                partial(self._show, given, parameters, part),
                "Working…",
            )

    def save_recipe(self, path: str | Path) -> None:
        """Write the recipe of the last result to `path`."""
        with errors.shown(self._say):
            if self._record is None:
                raise InputError("There is no result yet: press Run first.")
            written = save_recipe(Path(path), recipe_from_record(self._record))
            self._say(
                f"Saved {written.name}. Repeat it with: seedbed run {written.name} IMAGE -o FOLDER"
            )

    def _ask_where_to_save(self) -> None:
        path = ask_for_recipe_path(self, f"{self.image.currentText()} {self.operation.name}")
        if path is not None:
            self.save_recipe(path)

    # What the window tells

    def reset_choices(self, event: Any = None) -> None:
        """Offer the layers that there are now; napari calls it when they change."""
        self.inputs.offer()
        self.run_button.setEnabled(self.image.layer() is not None and self.job is None)

    def showEvent(self, event: QShowEvent | None) -> None:
        """Take the preview up again."""
        super().showEvent(event)
        self.inputs.watch(True)
        self._on_follow()

    def hideEvent(self, event: QHideEvent | None) -> None:
        """Nobody sees the form: show no preview that nobody can switch off."""
        super().hideEvent(event)
        self.inputs.watch(False)
        self._on_follow(on=False)

    def _on_follow(self, checked: bool = False, *, on: bool | None = None) -> None:
        on = self.follow.isChecked() if on is None else on
        self.preview.set_on(on)

    def _on_ended(self) -> None:
        if self.job is not None:
            self.job.abandon()
        self.preview.close()
        if self.value_range is not None:
            self.value_range.abandon()

    def _on_image_chosen(self, layer: Layer | None) -> None:
        self._show_units(layer)
        self._say("")
        self._on_changed()

    def _on_inputs_changed(self) -> None:
        self._done = None
        self.controls.outdate()
        self._on_changed()

    def _on_parameters_changed(self) -> None:
        self.controls.outdate(not self._is_current())
        self._on_changed()

    def _is_current(self) -> bool:
        """Whether a run would give again what it has given."""
        return self._done is not None and self._done[1] == self.parameters.values()

    def _on_changed(self) -> None:
        self._show_forecast()
        self.preview.look_again()

    def _outline(self) -> Image | None:
        """What is known of the main input; None where nothing is yet."""
        if self.inputs.is_ready:
            with suppress(InputError):
                return self.inputs.outline()
        return None

    def _show_units(self, layer: Layer | None) -> None:
        image = self._outline()
        unit = "pixels" if layer is None else unit_symbol(layer.units[-1])
        self.parameters.show_scale(unit, None if image is None else image.spacing)

    def _show_forecast(self) -> None:
        self.forecast.setText("")
        image = self._outline()
        self.apply_to.offer(self.operation, image)
        self._rows.setRowVisible(self.apply_to, self.apply_to.count() > 1)
        if not self.inputs.is_ready:
            return
        try:
            # Without seeds and shapes, whose placing takes longer than forecasts may.
            image = self.inputs.outline()
            layer, time_axis = self.inputs.layer, self.inputs.time_axis
            part = self.apply_to.part(self.viewer, layer, image, time_axis)
            cost = operations.forecast(
                self.operation,
                {"image": image},
                self.parameters.values(),
                times=part.times,
                region=part.region,
                n_labels=self.inputs.label_count(),
            )
        except InputError as error:
            self.forecast.setText(str(error))
            return
        self.controls.show_forecast(cost)

    def _asked(self) -> Asked | None:
        """What the preview shall show; nothing where the result is shown already."""
        if self.job is not None or not self.inputs.is_ready:
            return None
        given, parameters = self.inputs.given(), self.parameters.values()
        if self._done is not None and self._done[:2] == (given, parameters):
            here = part_in_view(self.viewer, given.like, given.image, given.time_axis)
            if self._done[2].covers(here):
                return None
        return Asked(
            self.operation,
            given.inputs,
            parameters,
            given.like,
            given.time_axis,
            f"{name_of_source(given.like)} {self.operation.title}",
            given.choices,
        )

    # What the job tells

    def _show(
        self, given: Given, parameters: dict[str, Value], part: Part, finished: Finished
    ) -> None:
        # not where something was changed during the run
        self._done = (given, parameters, part) if self.inputs.would_give(given) else None
        self._record = finished.result.record
        self._end("")
        with errors.shown(self._say):
            origin = Origin(
                given.like,
                given.image,
                given.choices,
                given.time_axis,
                part.time,
                self.operation.whole,
            )
            self.controls.say_made(self.results.show(finished, origin, part.words))
            self.controls.outdate(not self._is_current())
            if self.operation.gives in ("labels", "mask") and part == Part():
                # what the result has no more would show through it
                hide(self.viewer, given.like)

    # Small things

    def _show_running(self, running: bool) -> None:
        self.run_button.setEnabled(not running and self.image.layer() is not None)
        self.save_button.setEnabled(not running and self._record is not None)
        self.controls.show_running(running)

    def _controls(self) -> RunControls:
        return self.controls


def form_class(name: str) -> type[OperationForm]:
    """The form of the operation of that name."""
    operation = operations.get(name)
    return type(f"{_camel_case(name)}Form", (OperationForm,), {"operation": operation})


def __getattr__(name: str) -> type[OperationForm]:
    """The manifest names a form after its operation: GaussianForm, ThresholdOtsuForm …"""
    for operation in operations.names():
        if name == f"{_camel_case(operation)}Form":
            globals()[name] = form_class(operation)
            return globals()[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def _camel_case(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("_"))
