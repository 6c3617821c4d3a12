"""The steps of a result: as its record has them, and as they are to be."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from napari.layers import Layer
from pydantic import ValidationError

from napari_seedbed.gui.layers.chain_names import step_name
from napari_seedbed.gui.layers.layer_records import METADATA_KEY, STEPS
from napari_seedbed.gui.tools.history.chain_sources import Source, sources_of
from napari_seedbed.gui.tools.history.step_edits import StepEdits, made_anew
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.engine.parameters import check_parameters
from napari_seedbed.pipeline.operations import get
from napari_seedbed.pipeline.recipes.kept_results import KeptResults
from napari_seedbed.pipeline.recipes.recipe_fitting import lengths_for
from napari_seedbed.pipeline.recipes.recipe_model import OTHER, Recipe
from napari_seedbed.pipeline.recipes.replays import Making, making_of


@dataclass(eq=False)
class ShownSteps:
    """A result, how it was made, and how it is to be made.

    Attributes
    ----------
    record : mapping
        Of the result.
    making : Making
        What the record says.
    recipe : Recipe
        The same, with the steps that are switched off.
    edits : StepEdits
    kept : KeptResults
        Of earlier runs of these steps.
    """

    record: Mapping[str, Any]
    making: Making
    recipe: Recipe
    edits: StepEdits
    kept: KeptResults = field(default_factory=KeptResults)

    @property
    def sources(self) -> dict[str, Source]:
        """What it was made from."""
        return sources_of(self.making)

    @property
    def prints(self) -> dict[str, str]:
        """Fingerprints of what it was made from."""
        return {name: source.fingerprint for name, source in self.sources.items()}

    @property
    def has_edits(self) -> bool:
        """Whether steps were changed since the run."""
        return self.edits.now != self.recipe.steps

    def take_edits_of(self, earlier: "ShownSteps") -> bool:
        """Make edits that were made in the steps of an earlier result; whether that can be."""
        if earlier.recipe.image.units != self.recipe.image.units:
            return False
        steps = made_anew(earlier.recipe.steps, earlier.edits.now, self.recipe.steps)
        if steps is not None:
            self.edits.take(steps)
        return steps is not None

    @property
    def wanted(self) -> Recipe:
        """The recipe with the edits."""
        return self.recipe.model_copy(update={"steps": self.edits.now})


def steps_of(layer: Layer, record: Mapping[str, Any]) -> ShownSteps:
    """The steps that a layer was made by, before any edit.

    Raises
    ------
    RecipeError
        Where the record does not say them all.
    """
    making = making_of(record)
    recipe = _kept_recipe(layer, making) or making.recipe
    return ShownSteps(record, making, recipe, StepEdits(recipe.steps))


def steps_after(
    shown: ShownSteps, wanted: Recipe, record: Mapping[str, Any], image: Image
) -> ShownSteps:
    """The steps of what was made by `wanted` on an image; edits go on where they ended."""
    making = making_of(record)
    now, steps = making.recipe, wanted.steps
    if now.image.units != wanted.image.units:
        steps = tuple(
            step.model_copy(update={"parameters": lengths_for(wanted, step, image)})
            for step in steps
        )
    made_on = {name: getattr(now, name) for name in ("image", "channels", "libraries")}
    made_on |= {"steps": steps, "created_with": now.created_with}
    edits = shown.edits if steps == wanted.steps else StepEdits(steps)
    recipe = wanted.model_copy(update=made_on)
    return ShownSteps(record, making, recipe, edits, shown.kept)


def keep_steps(layer: Layer, recipe: Recipe) -> None:
    """Keep steps that are switched off in a layer's metadata, since its record has none."""
    if any(step.skip for step in recipe.steps):
        kept = {**layer.metadata[METADATA_KEY], STEPS: recipe.model_dump(mode="json")}
        layer.metadata = {**layer.metadata, METADATA_KEY: kept}


def _kept_recipe(layer: Layer, making: Making) -> Recipe | None:
    """The recipe in a layer's metadata, where it is that of its record."""
    kept = layer.metadata.get(METADATA_KEY, {}).get(STEPS)
    try:
        recipe = None if kept is None else Recipe.model_validate(kept)
    except ValidationError:
        return None
    if recipe is None:
        return None
    done, recorded = (
        [(step.operation, step.parameters) for step in one.steps]
        for one in (recipe.in_force, making.recipe)
    )
    return recipe if done == recorded else None


def for_parts(recipe: Recipe, images: Mapping[str, Image]) -> Recipe:
    """The recipe for images that hold those channels alone that it takes of the files."""
    second = images.get(OTHER)
    steps = []
    for step in recipe.steps:
        chosen = step.other_channels if step.other == OTHER else None
        if chosen and second is not None and max(chosen) >= second.n_channels:
            step = step.model_copy(update={"other_channels": None})
        steps.append(step)
    return recipe.model_copy(update={"channels": None, "steps": tuple(steps)})


def names_of_steps(recipe: Recipe) -> list[str]:
    """What people call the steps that lead from the image to the result: Gaussian, Otsu."""
    steps = {step.name: step for step in recipe.in_force.steps}
    name, found = next(reversed(steps)), []
    while name in steps:
        step = steps[name]
        operation = get(step.operation)
        values = check_parameters(operation.parameters, step.parameters, recipe.image.spacing)
        found.append(step_name(operation, values))
        name = step.image.partition(".")[0]
    return found[::-1]
