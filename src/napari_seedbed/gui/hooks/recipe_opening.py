"""Opening recipes: a panel shows the chain, to run it on an image of the window."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from napari_seedbed.errors import Cancelled
from napari_seedbed.gui.forms.project_saving import PANELS, window_of
from napari_seedbed.gui.qt import errors
from napari_seedbed.gui.qt.waiting import done_aside
from napari_seedbed.gui.tools.recipe.recipe_panel import RecipePanel
from napari_seedbed.pipeline.recipes import load_recipe

if TYPE_CHECKING:
    from napari.viewer import Viewer

RECIPES = (".yaml", ".yml")
_DOCK = f"Recipe {PANELS}"
# Every recipe says its format in the first lines.
_START, _SIGN = 1 << 12, b"format_version"


def is_recipe(path: str) -> bool:
    """Whether a YAML file is a recipe, and not one of another program."""
    try:
        with Path(path).open("rb") as file:
            return _SIGN in file.read(_START)
    except OSError:
        return False


def open_recipe(viewer: "Viewer", path: Path) -> None:
    """Show a recipe in its panel, which is opened where it is not open yet."""
    with errors.shown():
        try:
            recipe = done_aside("Reading the recipe", partial(load_recipe, path), window_of(viewer))
        except Cancelled:
            return
        panel = viewer.window.dock_widgets.get(_DOCK)
        if isinstance(panel, RecipePanel):
            panel.show_recipe(path.name, recipe)
        else:
            panel = RecipePanel(viewer)
            panel.show_recipe(path.name, recipe)
            viewer.window.add_dock_widget(panel, name=_DOCK, area="right", tabify=True)
        dock = panel.parentWidget()
        if dock is not None:
            dock.show()
            dock.raise_()
