"""The form of an operation in the window, made from its declaration."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from napari.layers import Layer

from napari_seedbed.gui.forms.apply_choice import ALL, ApplyChoice
from napari_seedbed.gui.forms.inputs_panel import InputsForm, InputsPanel, ScaledFields, Task
from napari_seedbed.gui.forms.into_files import IntoFiles
from napari_seedbed.gui.forms.operation_inputs import OperationInputs
from napari_seedbed.gui.forms.operation_results import Finished, OperationResults
from napari_seedbed.gui.forms.parameter_fields import FieldsWithMore
from napari_seedbed.gui.forms.value_range_line import ValueRangeLine
from napari_seedbed.gui.layers.covered_layers import hide
from napari_seedbed.gui.layers.plain_viewers import plain
from napari_seedbed.gui.layers.view_position import Part
from napari_seedbed.gui.qt.controls import check_box, save_recipe_button
from napari_seedbed.gui.qt.run_controls import RunControls, wrapped_label
from napari_seedbed.pipeline import operations
from napari_seedbed.pipeline.operations import Forecast, Operation

if TYPE_CHECKING:
    from napari.viewer import Viewer


class OperationForm(IntoFiles, InputsPanel):
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
        super().__init__(napari_viewer, form, self.follow)
        self.results = OperationResults(napari_viewer, self.operation.title)
        self._build(form)
        self._offer_files(self.results)
        self.parameters.changed.connect(self._on_settings_changed)
        self.apply_to.activated.connect(self._show_forecast)
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
        form.add(self.apply_to.rows, self.follow, self.controls, None)

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

    def _is_into_files(self) -> bool:
        return super()._is_into_files() and self.apply_to.currentData() in (None, ALL)

    def _task_into_files(self) -> Task:
        # a run that is gone on with is of all, whatever part is chosen now
        return Task(self.operation, self.inputs.given(), self.parameters.values(), Part())

    def _take_parameters(self, parameters: Mapping[str, Any]) -> None:
        for name, value in parameters.items():
            self.parameters.set_value(name, value)

    def _on_made(self, task: Task, finished: Finished) -> None:
        InputsPanel._on_made(self, task, finished)

    def _on_image_chosen(self, layer: Layer | None) -> None:
        super()._on_image_chosen(layer)
        self._offer_storage(layer, self._outline(), self.operation)

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
