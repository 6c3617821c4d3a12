"""The form of an operation in the window, made from its declaration."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from napari.layers import Layer

from napari_seedbed.core.progress import Progress
from napari_seedbed.gui.forms.apply_choice import ALL, ApplyChoice
from napari_seedbed.gui.forms.block_runs import BlockRuns
from napari_seedbed.gui.forms.inputs_panel import InputsForm, InputsPanel, ScaledFields, Task
from napari_seedbed.gui.forms.operation_inputs import OperationInputs
from napari_seedbed.gui.forms.operation_results import Finished, OperationResults
from napari_seedbed.gui.forms.parameter_fields import FieldsWithMore
from napari_seedbed.gui.forms.storage_choice import StorageChoice
from napari_seedbed.gui.forms.value_range_line import ValueRangeLine
from napari_seedbed.gui.layers.covered_layers import hide
from napari_seedbed.gui.layers.plain_viewers import plain
from napari_seedbed.gui.layers.view_position import Part
from napari_seedbed.gui.qt import errors
from napari_seedbed.gui.qt.controls import check_box, save_recipe_button
from napari_seedbed.gui.qt.run_controls import RunControls, wrapped_label
from napari_seedbed.pipeline import operations
from napari_seedbed.pipeline.data.memory import seconds_in_words
from napari_seedbed.pipeline.files.run_folders import UnfinishedRun
from napari_seedbed.pipeline.operations import Forecast, Operation

if TYPE_CHECKING:
    from napari.viewer import Viewer


class OperationForm(InputsPanel):
    """Inputs, parameters, preview, Run and Cancel of one operation.

    Subclasses are made by `form_class`. The result of a further run replaces that of the one
    before, except where somebody has painted on it: then it is left alone and a new layer is made.

    Parameters
    ----------
    napari_viewer : Viewer
    """

    operation: Operation

    def __init__(self, napari_viewer: "Viewer") -> None:
        napari_viewer = plain(napari_viewer)
        form = InputsForm()
        form.save_recipe = save_recipe_button()
        form.controls = RunControls(below=[form.save_recipe])
        self.follow = check_box(
            "Preview",
            "Show what Run would give on the slice in view, and follow sliders and parameters. "
            "Nothing is kept of it.",
        )
        self.follow.setEnabled(self.operation.gives != "table")
        self.inputs = form.inputs = OperationInputs(napari_viewer, self.operation)
        self.apply_to = form.apply_to = ApplyChoice()
        self.storage = StorageChoice()
        super().__init__(napari_viewer, form, self.follow)
        self.results = OperationResults(napari_viewer, self.operation.title)
        self.block_runs = BlockRuns(napari_viewer, self.storage, self.results, self)
        self._build(form)
        self.parameters.changed.connect(self._on_settings_changed)
        self.apply_to.activated.connect(self._show_forecast)
        self.inputs.image_chosen.connect(self._offer_storage)
        self.storage.changed.connect(self._show_forecast)
        self.storage.resumed.connect(self._resume)
        self.storage.discarded.connect(self.block_runs.discard)
        self.controls.pause.clicked.connect(self._pause)
        self.reset_choices()

    def _build(self, form: InputsForm) -> None:
        is_shown = self.operation.group == "Images"
        self.value_range = ValueRangeLine(self.inputs) if is_shown else None
        self.image, self.channels = self.inputs.image, self.inputs.channels
        self.times = self.inputs.times
        self.parameters = FieldsWithMore(self.operation.parameters)
        self.save_button, self.run_button = form.save_recipe, self.controls.run
        self.cancel_button = self.controls.cancel
        self.forecast, self.status = self.controls.forecast, self.controls.status
        self.column = form.column
        parameters = [self.parameters] if self.operation.parameters else []
        form.add(wrapped_label(self.operation.help), self.inputs, *parameters)
        form.add(self.apply_to.rows, self.storage, self.follow, self.controls, None)

    # What the base asks for

    def _chosen(self) -> tuple[Operation, Mapping[str, Any]]:
        return self.operation, self.parameters.values()

    def _scaled_fields(self) -> Sequence[ScaledFields]:
        return (self.parameters,)

    def _forecast(self) -> Forecast | None:
        if not self.inputs.is_ready:
            return None
        # Without seeds and shapes, whose placing takes longer than forecasts may.
        image = self.inputs.outline()
        layer, time_axis = self.inputs.layer, self.inputs.time_axis
        part = self.apply_to.part(self.viewer, layer, image, time_axis)
        return operations.forecast(
            self.operation,
            {"image": image},
            self.parameters.values(),
            times=part.times,
            region=part.region,
            n_labels=self.inputs.label_count(),
        )

    # Runs into files

    def run(self) -> None:
        """Start the operation beside the window."""
        if self._is_into_files():
            self._run_into_files(None)
        else:
            super().run()

    def _is_into_files(self) -> bool:
        return self.storage.in_files and self.apply_to.currentData() in (None, ALL)

    def _offer_storage(self, layer: Layer | None) -> None:
        self.block_runs.offer(layer, self.inputs.known_outline(), self.operation)
        self._show_forecast()

    def _run_into_files(self, unfinished: UnfinishedRun | None) -> None:
        if self.is_running:
            return
        with errors.shown(self._say):
            task = self._task()
            work = self.block_runs.begin(task, unfinished)
            self.preview.finish()
            self._start(work, partial(self._on_written, task))
            self.controls.pause.show()

    def _resume(self) -> None:
        unfinished = self.storage.unfinished
        if unfinished is not None and not self.is_running:
            for name, value in unfinished.parameters.items():
                self.parameters.set_value(name, value)
            self._run_into_files(unfinished)

    def _pause(self) -> None:
        self.block_runs.pause()
        self.cancel()

    def _on_written(self, task: Task, finished: Finished) -> None:
        self.block_runs.on_finished()
        self._on_made(task, finished)

    def _on_progress(self, progress: Progress) -> None:
        super()._on_progress(progress)
        if self.block_runs.is_on and progress.message:
            self._say(self.block_runs.in_words(progress))

    def _on_cancelled(self) -> None:
        told = self.block_runs.on_stopped()
        super()._on_cancelled()
        if told:
            self._say(told)

    def _on_error(self, error: BaseException) -> None:
        super()._on_error(error)
        if self.block_runs.is_on:
            self.block_runs.keep(self.status.text())

    def _enable(self) -> None:
        super()._enable()
        self.storage.set_running(self.is_running)

    def _show_forecast(self, *_: Any) -> Forecast | None:
        forecast = super()._show_forecast()
        if forecast is not None:
            self.storage.suggest(fits=forecast.fits)
        if forecast is not None and self._is_into_files():
            seconds = seconds_in_words(forecast.seconds)
            self.forecast.setText(f"One run, block by block into files: about {seconds}.")
        return forecast

    def _on_ended(self) -> None:
        super()._on_ended()
        self.block_runs.close()

    def _show(self, task: Task, finished: Finished) -> str:
        text = self.results.show(finished, task.origin, task.part.words)
        if self.operation.gives in ("labels", "mask") and task.part == Part():
            # what the result has no more would show through it
            hide(self.viewer, task.given.like)
        return text


def form_class(name: str) -> type[OperationForm]:
    """The form of the operation of that name."""
    operation = operations.get(name)
    return type(f"{_camel_case(name)}Form", (OperationForm,), {"operation": operation})


def __getattr__(name: str) -> type[OperationForm]:
    """The manifest names a form after its operation: GaussianForm, MedianForm …"""
    for operation in operations.names():
        if name == f"{_camel_case(operation)}Form":
            globals()[name] = form_class(operation)
            return globals()[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def _camel_case(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("_"))
