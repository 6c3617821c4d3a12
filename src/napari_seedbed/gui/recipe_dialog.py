"""Asking where a recipe should be saved."""

from pathlib import Path

from qtpy.QtWidgets import QFileDialog, QWidget

from napari_seedbed.gui.plugin_settings import in_recipe_folder


def ask_for_recipe_path(parent: QWidget, name: str) -> Path | None:
    """Show the file dialog.

    Parameters
    ----------
    parent : QWidget
    name : str
        What the recipe is about; becomes the suggested file name.

    Returns
    -------
    Path or None
        With a suffix; None when the dialog was cancelled.
    """
    stem = "".join(c if c.isalnum() or c in "-_." else "_" for c in name)
    given, _ = QFileDialog.getSaveFileName(
        parent, "Save recipe", in_recipe_folder(f"{stem}.yaml"), "Recipes (*.yaml *.yml)"
    )
    if not given:
        return None
    path = Path(given)
    # Not `with_suffix`: that would cut off part of a name such as 'cells 1.5 um'.
    return path if path.suffix in (".yaml", ".yml") else path.with_name(f"{path.name}.yaml")
