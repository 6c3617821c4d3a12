"""Going on from a recipe: its seeds as a layer, and its settings."""

from pathlib import Path
from typing import Any

from napari.components import ViewerModel
from napari.layers import Image as ImageLayer
from napari.layers import Labels
from qtpy.QtWidgets import QFileDialog, QWidget

from napari_seedbed.errors import RecipeError
from napari_seedbed.gui.layers.grids import grid_of, level_0
from napari_seedbed.gui.layers.image_layers import add_seeds_layer
from napari_seedbed.gui.layers.seed_roles import set_background
from napari_seedbed.gui.qt.plugin_settings import recipe_folder
from napari_seedbed.gui.tools.walker.seeded_session import OPERATION
from napari_seedbed.pipeline.recipes import load_recipe


def ask_for_recipe(parent: QWidget) -> Path | None:
    """Show the file dialog; None when it was cancelled."""
    given, _ = QFileDialog.getOpenFileName(
        parent, "Open recipe", recipe_folder(), "Recipes (*.yaml *.yml)"
    )
    return Path(given) if given else None


def open_recipe(
    viewer: ViewerModel, image: ImageLayer, path: Path
) -> tuple[Labels, dict[str, Any]]:
    """Add the seeds of a recipe on an image, with the background that they have there.

    Returns
    -------
    layer : Labels
    parameters : dict
        Of the panel's operation; empty where the recipe's seeds were for another one.

    Raises
    ------
    RecipeError
        When it is no recipe, has no seeds, or its seeds do not fit the image.
    """
    recipe = load_recipe(path)
    step = next((step for step in reversed(recipe.steps) if step.seeds is not None), None)
    if step is None or step.seeds is None:
        raise RecipeError(f"{path.name} holds no seeds.")
    # no channels, as `add_seeds_layer` makes it
    sides = {
        axis: n for axis, n in zip(grid_of(image).axes, level_0(image).shape, strict=False)
        if axis != "c"
    }  # fmt: skip
    marks = step.seeds.decode()
    if dict(zip(step.seeds.axes, marks.shape, strict=True)) != sides:
        raise RecipeError(
            f"The seeds of {path.name} are for an image of shape {marks.shape} "
            f"({', '.join(step.seeds.axes)}), but '{image.name}' has {tuple(sides.values())} "
            f"({', '.join(sides)})."
        )
    layer = add_seeds_layer(viewer, image, name=f"seeds of {path.stem}")
    layer.data[...] = marks.transpose([step.seeds.axes.index(axis) for axis in sides])
    layer.refresh()
    parameters = dict(step.parameters) if step.operation == OPERATION else {}
    set_background(layer, int(parameters.pop("background", 0)))
    return layer, parameters
