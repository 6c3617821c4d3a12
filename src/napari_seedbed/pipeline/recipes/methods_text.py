"""A recipe summed up as a paragraph for a methods section."""

import re

from napari_seedbed.pipeline.encodings.learnt_text import LEARNT
from napari_seedbed.pipeline.encodings.lesson_encoding import lesson_from_text
from napari_seedbed.pipeline.encodings.sample_encoding import samples_from_text
from napari_seedbed.pipeline.engine.parameters import Parameter, Value, check_parameters
from napari_seedbed.pipeline.operations import get
from napari_seedbed.pipeline.operations.listing import in_one_line
from napari_seedbed.pipeline.operations.seeded import SEEDED_SEGMENTATION
from napari_seedbed.pipeline.recipes.other_images import nth_image
from napari_seedbed.pipeline.recipes.recipe_model import Recipe, Step

# A histogram would take a page.
_LONGEST_TEXT = 120


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
    recipe = recipe.in_force
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
    values = check_parameters(operation.parameters, step.parameters, recipe.image.spacing)
    unit = recipe.image.units[-1]
    stated = [
        _setting(parameter, values[parameter.name], unit, len(recipe.image.spacing))
        for parameter in operation.parameters
        if parameter.type != "bool" and values[parameter.name] != "" and parameter.name != LEARNT
    ]
    cited = re.match(r"(\w+).*?\((\d{4})\)", operation.reference)
    author = " ".join(cited.groups()) if cited else operation.reference
    subject = _subject(recipe, step.image)
    text = f"{operation.title} ({author}) was applied to {subject}"
    if step.image == "image" and recipe.channels is not None:
        chosen = ", ".join(str(channel + 1) for channel in recipe.channels)
        text += f" (channel {chosen})"
    if step.other is not None:
        text += f" and {_subject(recipe, step.other)}"
    if stated:
        text += f" with {', '.join(stated)}"
    start = start_in_words(step)
    return f"{text}, from {start}." if start else f"{text}."


def _subject(recipe: Recipe, name: str) -> str:
    """What a step works on: ``the third image``, ``the result of otsu``."""
    if name == "image":
        return "the image"
    if name in recipe.other_names:
        return f"the {nth_image(recipe, name)}"
    return f"the result of {name}"


def start_in_words(step: Step) -> str:
    """What people marked and drew for a step: ``3 outlines of 2 objects drawn by hand``."""
    parts = []
    if step.seeds is not None:
        n_labels = sum(label > 0 for label in step.seeds.labels)
        parts.append(f"{step.seeds.voxels} seed voxels of {n_labels} labels marked by hand")
    if step.seeds_from is not None:
        parts.append(f"the result of {step.seeds_from}")
    learnt = _learnt_in_words(step)
    if learnt:
        parts.append(learnt)
    if step.shapes_from is not None:
        parts.append(f"the shapes of {step.shapes_from}")
    if step.shapes is not None:
        closed = sum(shape.closed for shape in step.shapes)
        paths = len(step.shapes) - closed
        kinds = [_counted(closed, "outline")] if closed else []
        kinds += [_counted(paths, "open path")] if paths else []
        objects = _counted(len({shape.label for shape in step.shapes}), "object")
        parts.append(f"{' and '.join(kinds)} of {objects} drawn by hand")
    return " and ".join(parts)


def _learnt_in_words(step: Step) -> str:
    text = str(step.parameters.get(LEARNT, ""))
    if step.operation == SEEDED_SEGMENTATION.name:
        lesson = lesson_from_text(text)
        if lesson is None:
            return ""
        objects = _counted(lesson.n_objects, "object")
        n_voxels = len(lesson.is_background)
        return f"{n_voxels} voxels of {objects} and background marked by hand on other images"
    samples = samples_from_text(text)
    if samples is None:
        return ""
    n_classes = len(samples.label_values)
    return f"{len(samples.labels)} voxels of {n_classes} classes marked by hand before"


def _counted(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def _setting(parameter: Parameter, value: Value, unit: str, n_axes: int) -> str:
    shown = f"{value:g}" if isinstance(value, float) else in_one_line(value)
    if len(shown) > _LONGEST_TEXT:
        shown = f"{shown[:_LONGEST_TEXT].rsplit(' ', 1)[0]} … (all of it is in the recipe)"
    if parameter.choice_labels:
        shown = dict(zip(parameter.choices, parameter.choice_labels, strict=True))[str(value)]
        shown = shown[0].lower() + shown[1:]
    power = {"physical": "", "physical_size": f"^{n_axes}"}
    suffix = f" {unit}{power[parameter.unit]}" if parameter.unit is not None else ""
    colon = ":" if parameter.choice_labels else ""
    return f"{parameter.label.lower()}{colon} {shown}{suffix}"
