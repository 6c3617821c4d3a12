"""The steps of a recipe as a list, each with its parameters and a box that switches it off."""

from functools import partial

from qtpy.QtCore import QSignalBlocker, Signal
from qtpy.QtWidgets import QWidget

from napari_seedbed.errors import RecipeError
from napari_seedbed.gui.forms.parameter_fields import FieldsWithMore
from napari_seedbed.gui.layers.grids import unit_symbol
from napari_seedbed.gui.qt.controls import in_column
from napari_seedbed.gui.qt.elided_texts import ElidedCheckBox
from napari_seedbed.gui.qt.run_controls import wrapped_label
from napari_seedbed.pipeline.encodings.learnt_text import LEARNT
from napari_seedbed.pipeline.engine.parameters import Value, check_parameters
from napari_seedbed.pipeline.operations import get
from napari_seedbed.pipeline.recipes.methods_text import start_in_words
from napari_seedbed.pipeline.recipes.other_images import nth_image
from napari_seedbed.pipeline.recipes.recipe_model import Recipe, Step
from napari_seedbed.pipeline.recipes.switched_off import steps_in_force


class StepList(QWidget):
    """Steps of a recipe that people change; what they leave alone stays to the last digit.

    Attributes
    ----------
    fields : dict of str to FieldsWithMore
        The parameters of each step, by its name.
    boxes : dict of str to QCheckBox
        Whether each step is switched on.

    Notes
    -----
    Signals: `changed()` when a step is another one; `refused(str)`, with the reason, where a step
    cannot be switched.
    """

    changed = Signal()
    refused = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.fields: dict[str, FieldsWithMore] = {}
        self.boxes: dict[str, ElidedCheckBox] = {}
        self._shown: dict[str, dict[str, Value]] = {}
        self._recipe: Recipe | None = None
        self._rows = QWidget()
        in_column(self, self._rows)

    def show_recipe(self, recipe: Recipe | None) -> None:
        """Show the steps of another recipe, or none."""
        self.fields, self.boxes, self._shown, self._recipe = {}, {}, {}, recipe
        rows, parts = QWidget(), list[QWidget]()
        if recipe is not None:
            for number, step in enumerate(recipe.steps, start=1):
                parts += self._row(number, step, recipe)
        in_column(rows, *parts)
        layout = self.layout()
        assert layout is not None
        layout.replaceWidget(self._rows, rows)
        # it may go much later, and would be drawn over the new ones until then
        self._rows.hide()
        self._rows.deleteLater()
        self._rows = rows
        # the dock has to become as wide as the new steps need
        layout.activate()
        self.updateGeometry()

    def steps(self) -> tuple[Step, ...]:
        """The steps as they are now."""
        return () if self._recipe is None else self.edited(self._recipe.steps)

    def edited(self, steps: tuple[Step, ...]) -> tuple[Step, ...]:
        """Steps with what was changed in those of the same names that are shown."""
        return tuple(self._now(step) if step.name in self.boxes else step for step in steps)

    def show_steps(self, steps: tuple[Step, ...]) -> None:
        """Show the same steps with other parameters, others switched off; `changed` is silent."""
        assert self._recipe is not None
        with QSignalBlocker(self):
            for step in steps:
                self.boxes[step.name].setChecked(not step.skip)
                if step.name in self.fields:
                    self._show_values(step, self._recipe)

    def _show_values(self, step: Step, recipe: Recipe) -> None:
        fields, parameters = self.fields[step.name], get(step.operation).parameters
        values = check_parameters(parameters, step.parameters, recipe.image.spacing)
        for name, now in fields.values().items():
            if values[name] != now:
                fields.set_value(name, values[name])

    def _now(self, step: Step) -> Step:
        shown = self._shown.get(step.name, {})
        values = self.fields[step.name].values() if shown else {}
        changed = {name: value for name, value in values.items() if value != shown[name]}
        update = {"parameters": {**step.parameters, **changed}} if changed else {}
        skip = not self.boxes[step.name].isChecked()
        return step.model_copy(update={**update, "skip": skip})

    def _row(self, number: int, step: Step, recipe: Recipe) -> list[QWidget]:
        operation = get(step.operation)
        box = ElidedCheckBox(f"{number}  {operation.title}")
        # a style sheet: napari's would undo a font
        box.setStyleSheet("font-weight: bold")
        box.setToolTip(f"{operation.help}\nUntick it to leave this step out.")
        box.setChecked(not step.skip)
        self.boxes[step.name] = box
        shown: list[QWidget] = [box]
        given = [_input_in_words(name, recipe) for name in (step.image, step.other) if name]
        start = start_in_words(step)
        words = [f"on {' and '.join(given)}"] if given != ["the image"] else []
        words += [f"from {start}"] if start else []
        if words:
            shown.append(wrapped_label(", ".join(words)))
        if operation.parameters:
            fields = FieldsWithMore(operation.parameters)
            fields.show_scale(unit_symbol(recipe.image.units[-1]), recipe.image.spacing)
            self.fields[step.name] = fields
            self._show_values(step, recipe)
            # What was learnt is thousands of letters.
            fields.show_row(LEARNT, False)
            fields.setEnabled(not step.skip)
            self._shown[step.name] = fields.values()
            fields.changed.connect(self.changed)
            shown.append(fields)
        box.toggled.connect(partial(self._on_switched, step.name))
        return shown

    def _on_switched(self, name: str, on: bool) -> None:
        try:
            steps_in_force(self.steps())
        except RecipeError as error:
            box = self.boxes[name]
            with QSignalBlocker(box):
                box.setChecked(not on)
            self.refused.emit(str(error))
            return
        if name in self.fields:
            self.fields[name].setEnabled(on)
        self.changed.emit()


def _input_in_words(name: str, recipe: Recipe) -> str:
    """What a step works on: the image, a further one, or what an earlier step has given."""
    step, _, output = name.partition(".")
    places = {one.name: number for number, one in enumerate(recipe.steps, start=1)}
    if step not in places:
        return "the image" if step == "image" else f"the {nth_image(recipe, step)}"
    return f"the {output or 'result'} of step {places[step]}"
