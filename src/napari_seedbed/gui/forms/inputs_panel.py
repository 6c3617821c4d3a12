"""Panels of operations whose inputs are chosen in a form: what was asked for, and what is now."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from napari.layers import Layer

from napari_seedbed.gui.forms.apply_choice import ApplyChoice
from napari_seedbed.gui.forms.live_preview import Asked
from napari_seedbed.gui.forms.machine_speed import speed_name
from napari_seedbed.gui.forms.operation_inputs import Given, OperationInputs
from napari_seedbed.gui.forms.operation_results import Finished
from napari_seedbed.gui.forms.panel import RunPanel
from napari_seedbed.gui.forms.panel_form import PanelForm
from napari_seedbed.gui.forms.part_runs import run_and_count
from napari_seedbed.gui.layers.chain_names import ARROW, name_in_chain, step_name
from napari_seedbed.gui.layers.grids import unit_symbol
from napari_seedbed.gui.layers.output_layers import Origin
from napari_seedbed.gui.layers.view_position import Part, part_in_view
from napari_seedbed.gui.qt import errors
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.operations import Operation

if TYPE_CHECKING:
    from napari.viewer import Viewer
    from qtpy.QtWidgets import QCheckBox


class ScaledFields(Protocol):
    """Fields of lengths."""

    def show_scale(self, unit: str, spacing: Sequence[float] | None) -> None:
        """Write the unit beside lengths."""


@dataclass(frozen=True, eq=False)
class Task:
    """What a run is asked for, as things were when it began.

    Attributes
    ----------
    operation : Operation
    given : Given
    parameters : dict
    part : Part
    """

    operation: Operation
    given: Given
    parameters: Mapping[str, Any]
    part: Part

    @property
    def origin(self) -> Origin:
        """Where results go."""
        given = self.given
        return Origin(
            given.like,
            given.image,
            given.choices,
            given.time_axis,
            self.part.time,
            self.operation.whole,
        )


class InputsForm(PanelForm):
    """The form of such a panel.

    Attributes
    ----------
    inputs : OperationInputs
        What is chosen from now.
    apply_to : ApplyChoice
        Which part is worked on.
    """

    inputs: OperationInputs
    apply_to: ApplyChoice

    def all_inputs(self) -> Sequence[OperationInputs]:
        """What there is to choose from at other times, too."""
        return (self.inputs,)


class InputsPanel(RunPanel):
    """A panel that runs an operation on what `OperationInputs` gives.

    Parameters
    ----------
    viewer, form, follow, fixed_controls
        As for `RunPanel`.

    Attributes
    ----------
    made : Task or None
        What the last result is of.
    """

    form: InputsForm

    def __init__(
        self,
        viewer: "Viewer",
        form: InputsForm,
        follow: "QCheckBox | None" = None,
        *,
        fixed_controls: bool = False,
    ) -> None:
        super().__init__(viewer, form, follow, fixed_controls=fixed_controls)
        self.made: Task | None = None
        for inputs in form.all_inputs():
            inputs.image_chosen.connect(self._on_image_chosen)
            inputs.changed.connect(self._on_inputs_changed)

    # What each panel says for itself

    def _chosen(self) -> tuple[Operation, Mapping[str, Any]]:
        """The operation and its parameters."""
        raise NotImplementedError

    def _scaled_fields(self) -> Sequence[ScaledFields]:
        """Fields that show the unit of the image."""
        return ()

    def _show(self, task: Task, finished: Finished) -> str:
        """Show a result, and give what to say of it."""
        raise NotImplementedError

    # A run

    def run(self) -> None:
        """Start the operation beside the window."""
        if self.is_running:
            return
        with errors.shown(self._say):
            task = self._task()
            if self._follow_box is not None:
                self.preview.finish()
            self._start(
                partial(
                    run_and_count,
                    task.operation,
                    dict(task.given.inputs),
                    task.parameters,
                    task.part,
                ),
                partial(self._on_made, task),
            )

    def _speed_name(self) -> str:
        return speed_name(*self._chosen())

    def _task(self) -> Task:
        given = self.form.inputs.given()
        operation, parameters = self._chosen()
        part = self.form.apply_to.part(self.viewer, given.like, given.image, given.time_axis)
        return Task(operation, given, parameters, part)

    def _on_made(self, task: Task, finished: Finished) -> None:
        self.made, self.record = task, finished.result.record
        with errors.shown(self._say):
            self.controls.say_made(self._show(task, finished))
            self._tell_outdated()

    def _is_current(self) -> bool:
        """Whether a run would give again what it has given."""
        made = self.made
        if made is None or not self.form.inputs.would_give(made.given):
            return False
        operation, parameters = self._chosen()
        return (made.operation.name, made.parameters) == (operation.name, parameters)

    def _is_shown(self) -> bool:
        """Whether what a run would give for the place in view is what it has given."""
        if self.made is None or not self._is_current():
            return False
        given = self.made.given
        here = part_in_view(self.viewer, given.like, given.image, given.time_axis)
        return self.made.part.covers(here)

    def _tell_outdated(self, *_: Any) -> None:
        """Say it where a run would give something else than it has given."""
        self.controls.outdate(not self._is_current())

    def _asked(self) -> Asked | None:
        """What a run would give; nothing where that is shown already."""
        if self.is_running or not self.form.inputs.is_ready:
            return None
        given = self.form.inputs.given()
        if self._is_shown():
            return None
        operation, parameters = self._chosen()
        title = name_in_chain(given.like) + ARROW + step_name(operation, parameters)
        return Asked(
            operation,
            given.inputs,
            parameters,
            given.like,
            given.time_axis,
            title,
            given.choices,
        )

    # The layers

    def reset_choices(self, event: Any = None) -> None:
        """Offer the layers that there are now; napari calls it when they change."""
        for inputs in self.form.all_inputs():
            inputs.offer()
        self._enable()

    def _on_image_chosen(self, layer: Layer | None) -> None:
        self._show_units()
        self._say("")
        self._on_inputs_changed()

    def _on_inputs_changed(self) -> None:
        """A run would be given something else."""
        self._offer_parts()
        self._on_settings_changed()

    def _offer_parts(self) -> None:
        """Offer the parts of the image that the chosen operation can be applied to."""
        self.form.apply_to.offer(self._chosen()[0], self._outline())

    def _on_settings_changed(self, *_: Any) -> None:
        """A run would give something else, or do it otherwise."""
        self._tell_outdated()
        self._show_forecast()
        if self._follow_box is not None:
            self.preview.look_again()

    def _outline(self) -> Image | None:
        """What is known of the main input."""
        return self.form.inputs.known_outline()

    def _show_units(self) -> None:
        image, layer = self._outline(), self.form.inputs.image.layer()
        unit = "pixels" if layer is None else unit_symbol(layer.units[-1])
        for fields in self._scaled_fields():
            fields.show_scale(unit, None if image is None else image.spacing)

    def _recipe_name(self) -> str:
        return f"{self.form.inputs.image.currentText()} {self.about or self._chosen()[0].name}"

    def _is_ready(self) -> bool:
        return self.form.inputs.image.layer() is not None

    def _wake(self) -> None:
        for inputs in self.form.all_inputs():
            inputs.watch(inputs is self.form.inputs)
        super()._wake()

    def _rest(self) -> None:
        for inputs in self.form.all_inputs():
            inputs.watch(False)
        super()._rest()

    def _on_ended(self) -> None:
        super()._on_ended()
        for inputs in self.form.all_inputs():
            inputs.end()
