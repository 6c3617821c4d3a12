"""The controls of the history panel: the layer, what it was made from, and its steps."""

from napari_seedbed.gui.forms.layer_choice import LayerCombo
from napari_seedbed.gui.forms.other_layers import OtherLayers
from napari_seedbed.gui.forms.panel_form import PanelForm
from napari_seedbed.gui.forms.step_list import StepList
from napari_seedbed.gui.qt.controls import button, form_rows, in_row, save_recipe_button
from napari_seedbed.gui.qt.run_controls import RunControls, wrapped_label
from napari_seedbed.pipeline.recipes.recipe_model import Recipe

UNDO_KEY, REDO_KEY = "Ctrl+Z", "Ctrl+Shift+Z"


class HistoryForm(PanelForm):
    """A result, the steps that it was made by, and Run.

    Attributes
    ----------
    layer : LayerCombo
        The result.
    image : LayerCombo
    others : OtherLayers
        What it was made from.
    undo, redo : QPushButton
        Of edits in the list.
    steps : StepList
    state : QLabel
        Whether the layer shows what the steps give.
    """

    def __init__(self) -> None:
        super().__init__()
        self.layer = LayerCombo("make a result first", "The result whose steps are shown.")
        self.image = LayerCombo("open the image first", "The image that it was made from.")
        self.others = OtherLayers("open the image first")
        self._rows = form_rows(("Layer", self.layer), ("Image", self.image))
        self.undo, self.redo = button("Undo"), button("Redo")
        self.steps = StepList()
        self.state = wrapped_label()
        self.state.setContentsMargins(8, 4, 8, 0)
        self.save_recipe = save_recipe_button("Write the recipe down with the steps as run.")
        self.controls = RunControls(below=[self.save_recipe])
        self.controls.forecast.hide()
        self.controls.setContentsMargins(8, 0, 8, 6)
        self.run.setToolTip("Do the steps again, from the first one on that has changed.")
        self.add(self._rows, self.others, in_row(self.undo, self.redo), self.steps, None)
        self.show_recipe(None)

    def show_recipe(self, recipe: Recipe | None) -> None:
        """Show the steps of a result, or none."""
        self._rows.setRowVisible(self.image, recipe is not None)
        self.others.show_recipe(recipe)
        self.steps.show_recipe(recipe)

    def show_edits(self, undo: str, redo: str) -> None:
        """Say what Undo and Redo do; nothing where they have nothing to do."""
        for made, words, key in ((self.undo, undo, UNDO_KEY), (self.redo, redo, REDO_KEY)):
            made.setEnabled(bool(words))
            made.setToolTip(f"{made.text()}: {words}. Key {key}." if words else f"Key {key}.")
