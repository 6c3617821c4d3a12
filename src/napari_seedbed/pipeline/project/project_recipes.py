"""The recipes that a project holds: how its results were made."""

from collections.abc import Mapping

from napari_seedbed.errors import InputError, RecipeError
from napari_seedbed.pipeline.data.plain_values import from_plain
from napari_seedbed.pipeline.project.project_model import Project
from napari_seedbed.pipeline.recipes import recipe_from_record
from napari_seedbed.pipeline.recipes.recipe_model import Recipe

_KEY = "napari_seedbed"


def recipes_of(project: Project) -> dict[str, Recipe]:
    """The recipe of each result that can be made again, by the name of its layer.

    Results of live runs, and those whose records are damaged, have none.
    """
    found = {}
    for layer in project.layers:
        if layer is None:
            continue
        about = layer.description
        try:
            metadata = from_plain(about.attributes.get("metadata", {}), about.arrays)
            record = metadata.get(_KEY) if isinstance(metadata, Mapping) else None
            if isinstance(record, Mapping) and "operation" in record:
                found[about.name] = recipe_from_record(record)
        except (InputError, RecipeError, KeyError, TypeError, ValueError, AttributeError):
            continue
    return found


def recipe_named(project: Project, layer: str | None, name: str) -> Recipe:
    """The recipe of a result.

    Parameters
    ----------
    project : Project
    layer : str or None
        The name of the result's layer; None for the only one.
    name : str
        What the project is called.

    Raises
    ------
    InputError
        Where there is none, or it is not clear which is meant.
    """
    found = recipes_of(project)
    if not found:
        raise InputError(f"{name} holds no result that can be made again.")
    names = ", ".join(f"'{one}'" for one in found)
    if layer is None and len(found) > 1:
        raise InputError(f"layer: {name} holds several results, {names}; name one with --layer.")
    if layer is not None and layer not in found:
        raise InputError(f"layer: {name} holds no result '{layer}'; it has {names}.")
    return found[layer] if layer is not None else next(iter(found.values()))
