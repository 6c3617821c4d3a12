"""The controls of the recipe panel: the image, and each step of the chain with its parameters."""

from napari_seedbed.gui.forms.layer_choice import LayerCombo
from napari_seedbed.gui.forms.marks_choice import MarksChoice
from napari_seedbed.gui.forms.other_layers import OtherLayers
from napari_seedbed.gui.forms.panel_form import PanelForm, rule
from napari_seedbed.gui.forms.step_list import StepList
from napari_seedbed.gui.qt.controls import form_rows, save_recipe_button
from napari_seedbed.gui.qt.run_controls import RunControls, wrapped_label
from napari_seedbed.pipeline.recipes.recipe_model import Recipe


class RecipeForm(PanelForm):
    """What the recipe is run on, its steps, and Run.

    Attributes
    ----------
    image : LayerCombo
    others : OtherLayers
        The further images of a recipe that works on several.
    marks : MarksChoice
        What the recipe starts from.
    steps : StepList
    """

    def __init__(self) -> None:
        super().__init__()
        self.about = wrapped_label("Drag a recipe, a .yaml file, into the window.")
        self.image = LayerCombo("open an image first", "The image to run the recipe on.")
        self.others = OtherLayers("open a further image")
        self.marks = MarksChoice(
            "From a file",
            "Seeds or shapes: labels, ROIs of Fiji, annotations of QuPath, or a table of them.",
            with_layers=True,
        )
        self.steps = StepList()
        self.save_recipe = save_recipe_button("Write the recipe down with the parameters as run.")
        self.controls = RunControls(below=[self.save_recipe])
        self.run.setToolTip("Do all steps on the image, as 'seedbed run' does.")
        self.add(
            self.about,
            form_rows(("Image", self.image)),
            self.others,
            self.marks,
            self.steps,
            rule(),
            self.controls,
            None,
        )

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
        self.others.show_recipe(recipe)
        self.steps.show_recipe(recipe)
