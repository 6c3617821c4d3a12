"""Recipes: how a result was made, as a file that makes it again."""

from napari_seedbed.pipeline.recipes.replays import (
    load_recipe,
    recipe_from_record,
    replay,
    save_recipe,
)

__all__ = [
    "load_recipe",
    "recipe_from_record",
    "replay",
    "save_recipe",
]
