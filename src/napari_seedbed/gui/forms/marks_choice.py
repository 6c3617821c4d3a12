"""What a recipe starts from: its own seeds or shapes, made ones, or those of a file or a layer."""

from pathlib import Path

import numpy as np
from napari.components import ViewerModel
from napari.layers import Labels, Layer, Points
from napari.layers import Shapes as ShapesLayer
from qtpy.QtCore import QSignalBlocker, Signal
from qtpy.QtWidgets import QFormLayout, QLabel, QLineEdit, QSizePolicy, QWidget

from napari_seedbed.errors import InputError
from napari_seedbed.gui.forms.layer_choice import LayerCombo
from napari_seedbed.gui.forms.operation_inputs import rank_of_marks
from napari_seedbed.gui.forms.parameter_fields import FieldsWithMore
from napari_seedbed.gui.layers.grids import unit_symbol
from napari_seedbed.gui.layers.image_layers import add_seeds_layer
from napari_seedbed.gui.layers.layer_records import is_preview, is_result
from napari_seedbed.gui.layers.seed_layers import seeds_image
from napari_seedbed.gui.layers.seed_roles import set_background
from napari_seedbed.gui.layers.shape_layers import shapes_of
from napari_seedbed.gui.layers.shape_results import new_shapes_layer
from napari_seedbed.gui.qt.controls import allow_narrow, button, in_row
from napari_seedbed.gui.qt.elided_texts import ElidedCombo
from napari_seedbed.gui.qt.path_button import PathButton
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.data.shapes import Shapes
from napari_seedbed.pipeline.files.vector_readers import is_vector_file
from napari_seedbed.pipeline.recipes.other_marks import (
    MAKERS,
    background_of_seeds,
    can_make_seeds,
    maker_parameters,
    maker_title,
    recipe_making_seeds,
    recipe_without_marks,
    roles_of,
)
from napari_seedbed.pipeline.recipes.recipe_model import Recipe

AS_RECIPE, FILES, LAYER = "recipe", "files", "layer"
"""Ways to start, beside the keys of `MAKERS`."""


class MarksChoice(QWidget):
    """A row to choose the way, and below it what that way needs; hidden where there is no choice.

    Parameters
    ----------
    files : str
        What taking marks from files is called.
    file_tip : str
    with_layers : bool
        Whether a layer of the window can be chosen.
    with_fields : bool
        Whether the parameters of operations that make seeds are shown here.

    Attributes
    ----------
    way : QComboBox
    file : QLineEdit
        Of marks, or a folder of such files.
    browse, new : QPushButton
    layer : LayerCombo
    fields : FieldsWithMore or None

    Notes
    -----
    Signal: `changed()` when a person has chosen something else.
    """

    changed = Signal()

    def __init__(
        self, files: str, file_tip: str, *, with_layers: bool = False, with_fields: bool = False
    ) -> None:
        super().__init__()
        self._files, self._with_layers, self._with_fields = files, with_layers, with_fields
        self._recipe: Recipe | None = None
        self.roles: tuple[str, ...] = ()
        self.way = ElidedCombo()
        self.way.setToolTip("What the recipe starts from.")
        self.way.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        allow_narrow(self.way, 14)
        self.file = QLineEdit()
        self.file.setToolTip(file_tip)
        self.browse = button("File…") if with_layers else PathButton(self.file, "Seeds or shapes")
        self.layer = LayerCombo("none yet", "Labels, Points or Shapes that mark things.")
        self.new = button("New", "Make an empty layer on the image to mark things on.")
        self.fields: FieldsWithMore | None = None
        self._fields_for: object = None
        self._title = QLabel("Seeds")
        self._file_row = in_row((self.file, 1), self.browse)
        self._layer_row = in_row((self.layer, 1), self.new)
        self._rows = rows = QFormLayout(self)
        rows.setSpacing(6)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow)
        rows.addRow(self._title, self.way)
        rows.addRow(self._file_row)
        rows.addRow(self._layer_row)
        self.way.currentIndexChanged.connect(self._on_way)
        self.file.editingFinished.connect(self.changed)
        self.layer.layer_chosen.connect(self._on_layer)
        self.show_recipe(None)

    def show_recipe(self, recipe: Recipe | None) -> None:
        """Offer what this recipe can start from; what was chosen stays where it is offered."""
        if recipe is not None and recipe == self._recipe:
            return
        chosen = self.chosen
        self._recipe = recipe
        self.roles = () if recipe is None else roles_of(recipe)
        self.setVisible(bool(self.roles))
        with QSignalBlocker(self.way):
            self.way.clear()
            self.way.addItem("As in the recipe", AS_RECIPE)
            if recipe is not None and can_make_seeds(recipe):
                for maker in MAKERS:
                    self.way.addItem(f"Made by {maker_title(maker)}", maker)
            if self.roles:
                self._title.setText(self.roles[0].capitalize())
                self.way.addItem(self._files, FILES)
                if self._with_layers:
                    self.way.addItem("From a layer", LAYER)
            self.way.setCurrentIndex(max(0, self.way.findData(chosen)))
        self._show_way()

    def begin(self) -> None:
        """Start as in the recipe again."""
        with QSignalBlocker(self.way):
            self.way.setCurrentIndex(0)
        self._show_way()

    @property
    def chosen(self) -> str:
        """The way: a key of `MAKERS`, or one of the constants of this module."""
        return str(self.way.currentData())

    def recipe(self) -> Recipe:
        """The recipe, with seeds that are made where that is chosen.

        Raises
        ------
        InputError
            Where the parameters of what makes them are not sensible.
        """
        assert self._recipe is not None
        if self.chosen not in MAKERS:
            return self._recipe
        values = {} if self.fields is None else self.fields.values()
        return recipe_making_seeds(self._recipe, self.chosen, values)

    def shown_recipe(self) -> Recipe:
        """The same, but without marks where they come from elsewhere."""
        is_elsewhere = self.chosen in (FILES, LAYER)
        return recipe_without_marks(self.recipe()) if is_elsewhere else self.recipe()

    def files(self, place: Path | None = None) -> dict[str, Path]:
        """The file of marks, or the folder of them, by role; empty where none is to be read.

        Parameters
        ----------
        place : Path, optional
            What counts where none is named.

        Raises
        ------
        InputError
            Where none is named.
        """
        if self.chosen != FILES:
            return {}
        named = self.file.text().strip()
        found = Path(named).expanduser() if named else place
        role = self.roles[0]
        if found is None:
            raise InputError(f"{role}: no file is named; choose the file with them.")
        is_image = found.is_file() and not is_vector_file(found)
        return {"seeds" if is_image and "seeds" in self.roles else role: found}

    def offer(self, viewer: ViewerModel, like: Layer | None) -> None:
        """Offer the layers that may mark things on an image."""
        kinds = (Labels, Points, ShapesLayer) if "seeds" in self.roles else (ShapesLayer,)
        layers = [
            layer
            for layer in viewer.layers
            if isinstance(layer, kinds) and not is_preview(layer) and layer is not like
        ]
        self.layer.set_layers_for(like, sorted(layers, key=rank_of_marks))

    def has_drawn_layer(self) -> bool:
        """Whether a layer is chosen that no operation made."""
        layer = self.layer.layer()
        return layer is not None and not is_result(layer)

    def _on_way(self, *_: object) -> None:
        self._show_way()
        self.changed.emit()

    def _on_layer(self, *_: object) -> None:
        if self.chosen == LAYER:
            self.changed.emit()

    def _show_way(self) -> None:
        self._rows.setRowVisible(self._file_row, self.chosen == FILES)
        self._rows.setRowVisible(self._layer_row, self.chosen == LAYER)
        made_on = None if self._recipe is None else self._recipe.image
        wanted = (self.chosen, made_on and (made_on.spacing, made_on.units))
        if wanted == self._fields_for:
            return
        self._fields_for = wanted
        if self.fields is not None:
            self._rows.removeRow(self.fields)
            self.fields = None
        if made_on is not None and self._with_fields and self.chosen in MAKERS:
            declared = [one for one in maker_parameters(self.chosen) if not one.is_output]
            self.fields = FieldsWithMore(declared)
            self.fields.show_scale(unit_symbol(made_on.units[-1]), made_on.spacing)
            self.fields.changed.connect(self.changed)
            self._rows.addRow(self.fields)


def add_marks_layer(viewer: ViewerModel, like: Layer, recipe: Recipe) -> Layer:
    """Add an empty layer on an image for a recipe's marks; its background keeps its label."""
    if roles_of(recipe)[0] == "shapes":
        return new_shapes_layer(viewer, like)
    layer = add_seeds_layer(viewer, like)
    background = background_of_seeds(recipe)
    if background:
        set_background(layer, background)
    return layer


def what_to_mark(layer: Layer, recipe: Recipe) -> str:
    """``Paint the seeds in 'seeds of cells'; label 2 is the background.``"""
    if isinstance(layer, ShapesLayer):
        return f"Draw the shapes in '{layer.name}'."
    background = background_of_seeds(recipe)
    label = f"; label {background} is the background" if background else ""
    return f"Paint the seeds in '{layer.name}'{label}."


def marks_in(
    layer: Layer, like: Layer, recipe: Recipe, viewer: ViewerModel
) -> dict[str, Image | Shapes]:
    """What is marked in a layer, on the grid of an image, by the role that it has in a recipe.

    Raises
    ------
    InputError
        Where nothing is, or it does not lie on the image.
    """
    if isinstance(layer, ShapesLayer) and "shapes" in roles_of(recipe):
        return {"shapes": Shapes(tuple(shapes_of(layer, like, viewer=viewer)[0]), layer.name)}
    seeds = seeds_image(layer, like)
    if not np.any(seeds.array):
        raise InputError(f"seeds: nothing is marked in '{layer.name}'; paint on the image.")
    return {"seeds": seeds}
