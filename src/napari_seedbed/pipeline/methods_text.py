"""A recipe summed up as a paragraph for a methods section."""

import re

from napari_seedbed.pipeline.operations import get
from napari_seedbed.pipeline.parameters import Parameter, Value, check_parameters
from napari_seedbed.pipeline.recipes import Recipe, Step


def recipe_to_methods_text(recipe: Recipe) -> str:
    """A paragraph that says what was done, with what versions, and where the methods come from.

    Parameters
    ----------
    recipe : Recipe

    Returns
    -------
    str
        One paragraph, and a line a reference.
    """
    versions = ", ".join(f"{name} {version}" for name, version in recipe.libraries.items())
    sentences = [
        f"Images were processed with napari-seedbed {recipe.created_with}"
        + (f" ({versions})." if versions else "."),
        _voxels(recipe),
        *(_step(recipe, step) for step in recipe.steps),
    ]
    references = dict.fromkeys(get(step.operation).reference for step in recipe.steps)
    return " ".join(filter(None, sentences)) + "\n\n" + "\n".join(references)


def _voxels(recipe: Recipe) -> str:
    unit = recipe.image.units[-1]
    if unit == "pixel" and set(recipe.image.spacing) == {1.0}:
        return ""
    size = " x ".join(f"{step:g}" for step in recipe.image.spacing)
    axes = ", ".join(axis for axis in recipe.image.axes if axis in ("z", "y", "x"))
    return f"The voxel size was {size} {unit} ({axes})."


def _step(recipe: Recipe, step: Step) -> str:
    operation = get(step.operation)
    values = check_parameters(operation.parameters, step.parameters)
    unit = recipe.image.units[-1]
    stated = [
        _setting(parameter, values[parameter.name], unit)
        for parameter in operation.parameters
        if parameter.type != "bool"
    ]
    cited = re.match(r"(\w+).*?\((\d{4})\)", operation.reference)
    author = " ".join(cited.groups()) if cited else operation.reference
    subject = {"image": "the image"}.get(step.image, f"the result of {step.image}")
    text = f"{operation.title} ({author}) was applied to {subject}"
    if step.image == "image" and recipe.channels is not None:
        chosen = ", ".join(str(channel + 1) for channel in recipe.channels)
        text += f" (channel {chosen})"
    if stated:
        text += f" with {', '.join(stated)}"
    if step.seeds is not None:
        n_labels = sum(label > 0 for label in step.seeds.labels)
        text += f", from {step.seeds.voxels} seed voxels of {n_labels} labels marked by hand"
    return text + "."


def _setting(parameter: Parameter, value: Value, unit: str) -> str:
    shown = f"{value:g}" if isinstance(value, float) else str(value)
    if parameter.choice_labels:
        shown = dict(zip(parameter.choices, parameter.choice_labels, strict=True))[str(value)]
        shown = shown[0].lower() + shown[1:]
    suffix = f" {unit}" if parameter.unit == "physical" else ""
    colon = ":" if parameter.choice_labels else ""
    return f"{parameter.label.lower()}{colon} {shown}{suffix}"
