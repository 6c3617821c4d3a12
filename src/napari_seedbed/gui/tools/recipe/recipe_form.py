"""The controls of the recipe panel: the image, and each step of the chain with its parameters."""

from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QLabel, QWidget

from napari_seedbed.gui.forms.layer_choice import LayerCombo
from napari_seedbed.gui.forms.marks_choice import MarksChoice
from napari_seedbed.gui.forms.panel_form import PanelForm, rule
from napari_seedbed.gui.forms.parameter_fields import FieldsWithMore
from napari_seedbed.gui.layers.grids import unit_symbol
from napari_seedbed.gui.qt.controls import form_rows, in_bold, in_column, save_recipe_button
from napari_seedbed.gui.qt.run_controls import RunControls, wrapped_label
from napari_seedbed.pipeline.encodings.learnt_text import LEARNT
from napari_seedbed.pipeline.engine.parameters import Value, check_parameters
from napari_seedbed.pipeline.operations import get
from napari_seedbed.pipeline.recipes.methods_text import start_in_words
from napari_seedbed.pipeline.recipes.recipe_model import Recipe, Step


def _input_in_words(name: str, recipe: Recipe) -> str:
    """What a step works on: the image, the second one, or what an earlier step has given."""
    step, _, output = name.partition(".")
    places = {one.name: number for number, one in enumerate(recipe.steps, start=1)}
    if step not in places:
        return {"image": "the image"}.get(step, "the second image")
    return f"the {output or 'result'} of step {places[step]}"


class RecipeForm(PanelForm):
    """What the recipe is run on, its steps, and Run.

    Attributes
    ----------
    image, other : LayerCombo
        The image, and the second one of a recipe that works on two.
    marks : MarksChoice
        What the recipe starts from.
    fields : dict of str to FieldsWithMore
        The parameters of each step, by its name.

    Notes
    -----
    Signal: `changed()` when a parameter is another one.
    """

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.about = wrapped_label("Drag a recipe, a .yaml file, into the window.")
        self.image = LayerCombo("open an image first", "The image to run the recipe on.")
        self.other = LayerCombo("open a second image", "The second image of the recipe.")
        self._rows = form_rows(("Image", self.image), ("Second image", self.other))
        self.marks = MarksChoice(
            "From a file",
            "Seeds or shapes: labels, ROIs of Fiji, annotations of QuPath, or a table of them.",
            with_layers=True,
        )
        self._steps = QWidget()
        self.fields: dict[str, FieldsWithMore] = {}
        self._shown: dict[str, dict[str, Value]] = {}
        self.save_recipe = save_recipe_button("Write the recipe down with the parameters as run.")
        self.controls = RunControls(below=[self.save_recipe])
        self.run.setToolTip("Do all steps on the image, as 'seedbed run' does.")
        self.add(self.about, self._rows, self.marks, self._steps, rule(), self.controls, None)
        self._rows.setRowVisible(self.other, False)

    def show_recipe(self, name: str, recipe: Recipe) -> None:
        """Show the steps of a recipe with their parameters."""
        made_on = recipe.image
        shape = " x ".join(map(str, made_on.shape))
        count = len(recipe.steps)
        self.about.setText(
            " ".join(
                [
                    f"{name}: {count} step{'s' * (count != 1)}, made on {made_on.name} ({shape}).",
                    *recipe.notes,
                ]
            )
        )
        self._rows.setRowVisible(self.other, recipe.needs_other)
        steps = QWidget()
        self.fields, self._shown = {}, {}
        parts: list[Any] = []
        for number, step in enumerate(recipe.steps, start=1):
            parts += self._step(number, step, recipe)
        in_column(steps, *parts)
        self.column.replaceWidget(self._steps, steps)
        # it may go much later, and would be drawn over the new ones until then
        self._steps.hide()
        self._steps.deleteLater()
        self._steps = steps
        # The dock has to become as wide as the new steps need.
        self.column.activate()
        self.updateGeometry()

    def changed_parameters(self) -> dict[str, dict[str, Value]]:
        """Of each step the parameters that a person has changed; others stay to the digit."""
        return {
            step: {
                name: value
                for name, value in fields.values().items()
                if value != self._shown[step][name]
            }
            for step, fields in self.fields.items()
        }

    def _step(self, number: int, step: Step, recipe: Recipe) -> list[QWidget]:
        operation = get(step.operation)
        title = in_bold(QLabel(f"{number}  {operation.title}"))
        title.setToolTip(operation.help)
        shown: list[QWidget] = [title]
        given = [_input_in_words(name, recipe) for name in (step.image, step.other) if name]
        start = start_in_words(step)
        words = [f"on {' and '.join(given)}"] if given != ["the image"] else []
        words += [f"from {start}"] if start else []
        if words:
            shown.append(wrapped_label(", ".join(words)))
        if operation.parameters:
            spacing = recipe.image.spacing
            fields = FieldsWithMore(operation.parameters)
            fields.show_scale(unit_symbol(recipe.image.units[-1]), spacing)
            values = check_parameters(operation.parameters, step.parameters, spacing)
            for name, value in values.items():
                fields.set_value(name, value)
            # What was learnt is thousands of letters.
            fields.show_row(LEARNT, False)
            fields.changed.connect(self.changed)
            self.fields[step.name] = fields
            self._shown[step.name] = fields.values()
            shown.append(fields)
        return shown
