"""The layers for the further images of a recipe, a row for each."""

from collections.abc import Mapping, Sequence

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QWidget

from napari_seedbed.gui.forms.layer_choice import LayerCombo
from napari_seedbed.gui.qt.controls import form_rows
from napari_seedbed.pipeline.recipes.other_images import made_on_in_words, nth_image
from napari_seedbed.pipeline.recipes.recipe_model import Recipe


class OtherLayers(QWidget):
    """Rows of layers, by what the steps of the recipe call their images; hidden without any.

    Signals: `changed()` when another layer is chosen.

    Parameters
    ----------
    nothing : str
        Shown where there is no layer to choose.

    Attributes
    ----------
    combos : dict of str to LayerCombo
    """

    changed = Signal()

    def __init__(self, nothing: str) -> None:
        super().__init__()
        self._nothing = nothing
        self.combos: Mapping[str, LayerCombo] = {}
        self._titles: Sequence[str] = ()
        self._rows = form_rows()
        self.setLayout(self._rows)
        self.show_recipe(None)

    def show_recipe(self, recipe: Recipe | None) -> None:
        """Ask for the further images of a recipe; what was chosen stays where it asks for them."""
        names = () if recipe is None else recipe.other_names
        titles = [] if recipe is None else [_title(recipe, name) for name in names]
        self.setVisible(bool(names))
        if (tuple(self.combos), self._titles) == (names, titles):
            return
        before, self.combos, self._titles = self.combos, {}, titles
        for combo in before.values():
            self._rows.removeRow(combo)
        for name, tip in zip(names, titles, strict=True):
            assert recipe is not None
            combo = LayerCombo(self._nothing, f"{tip}.")
            combo.layer_chosen.connect(self._on_chosen)
            self._rows.addRow(nth_image(recipe, name).capitalize(), combo)
            self.combos = {**self.combos, name: combo}

    def _on_chosen(self, _: object) -> None:
        self.changed.emit()


def _title(recipe: Recipe, name: str) -> str:
    return f"The {nth_image(recipe, name)} of the recipe{made_on_in_words(recipe, name)}"
