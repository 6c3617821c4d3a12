"""A recipe that starts from other seeds and shapes than those that are stored in it."""

from typing import Any

from napari_seedbed.errors import RecipeError
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.data.shapes import Shapes
from napari_seedbed.pipeline.encodings.seed_encoding import encode_seeds
from napari_seedbed.pipeline.encodings.shape_encoding import encode_shapes
from napari_seedbed.pipeline.operations import get
from napari_seedbed.pipeline.recipes.recipe_model import DrawnShape, Recipe, Seeds, Step


def recipe_from(recipe: Recipe, seeds: Image | None = None, shapes: Shapes | None = None) -> Recipe:
    """The recipe with these seeds or shapes in place of those of its steps.

    A step that can start from either starts from what is given.

    Parameters
    ----------
    recipe : Recipe
    seeds : Image, optional
        Labels on the grid of the image that the recipe is for.
    shapes : Shapes, optional
        In voxel coordinates of that image.

    Raises
    ------
    RecipeError
        Where no step starts from such marks that are stored in the recipe.
    """
    given: dict[str, Any] = {}
    if seeds is not None:
        given["seeds"] = Seeds(**encode_seeds(seeds.array, seeds.axes))
    if shapes is not None:
        given["shapes"] = tuple(DrawnShape(**one) for one in encode_shapes(shapes.shapes))
    for role, marks in given.items():
        steps = tuple(_step_from(step, role, marks) for step in recipe.steps)
        if steps == recipe.steps:
            raise RecipeError(
                f"{role}: no step of the recipe starts from {role} that are stored in it; leave "
                f"--{role} out."
            )
        recipe = recipe.with_marks(role, steps)
    return recipe


def _step_from(step: Step, role: str, marks: Any) -> Step:
    stored = {name for name in ("seeds", "shapes") if getattr(step, name) is not None}
    either = get(step.operation).one_of
    if role in stored:
        return step.model_copy(update={role: marks})
    if role in either and stored & set(either):
        return step.model_copy(update=dict.fromkeys(stored) | {role: marks})
    return step
