"""The panel that shows a recipe and runs it on an image of the window."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari.layers import Image as ImageLayer
from napari.layers import Labels, Layer
from qtpy.QtWidgets import QFileDialog

from napari_seedbed.core.library_calls import call_aside
from napari_seedbed.errors import InputError
from napari_seedbed.gui.forms.layer_choice import LayerCombo
from napari_seedbed.gui.forms.marks_choice import (
    LAYER,
    add_marks_layer,
    marks_in,
    what_to_mark,
)
from napari_seedbed.gui.forms.operation_results import Finished, OperationResults, counted
from napari_seedbed.gui.forms.panel import RunPanel
from napari_seedbed.gui.layers.image_layers import channel_choices, image_from_layers, image_of
from napari_seedbed.gui.layers.layer_records import is_preview, is_result
from napari_seedbed.gui.layers.output_layers import Origin
from napari_seedbed.gui.layers.plain_viewers import plain
from napari_seedbed.gui.layers.seeds_watch import SeedsWatch
from napari_seedbed.gui.qt import errors
from napari_seedbed.gui.tools.recipe.recipe_form import RecipeForm
from napari_seedbed.pipeline.batch.companion_marks import recipe_with_marks
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.operations import get
from napari_seedbed.pipeline.recipes import replay
from napari_seedbed.pipeline.recipes.other_marks import recipe_from
from napari_seedbed.pipeline.recipes.recipe_model import Recipe

if TYPE_CHECKING:
    from napari.viewer import Viewer


class RecipePanel(RunPanel):
    """The chain of a recipe with its parameters, run on the chosen image.

    Parameters
    ----------
    napari_viewer : Viewer
    """

    form: RecipeForm

    def __init__(self, napari_viewer: "Viewer") -> None:
        napari_viewer = plain(napari_viewer)
        super().__init__(napari_viewer, RecipeForm())
        self.recipe: Recipe | None = None
        self._results: OperationResults | None = None
        self.about = "recipe"
        self._made: tuple[Any, ...] | None = None
        self.form.steps.changed.connect(self._on_chosen)
        self.form.steps.refused.connect(self._say)
        self.form.image.layer_chosen.connect(self._on_image)
        self.form.others.changed.connect(self._on_chosen)
        self.form.marks.changed.connect(self._on_marks)
        self.form.marks.way.currentIndexChanged.connect(self._on_way)
        self.form.marks.browse.clicked.connect(self._ask_for_marks)
        self.form.marks.new.clicked.connect(self._make_marks)
        self._painted = SeedsWatch(self)
        self._painted.changed.connect(self._on_chosen)
        self.reset_choices()

    def show_recipe(self, name: str, recipe: Recipe) -> None:
        """Show a recipe instead of the one before.

        Parameters
        ----------
        name : str
            What its file is called.
        recipe : Recipe
        """
        self.jobs.cancel()
        self.recipe, self.about, self.record = recipe, name, None
        self._made = None
        self._results = OperationResults(self.viewer, name)
        self.form.marks.begin()
        self.form.marks.show_recipe(recipe)
        self.form.steps.show_recipe(None)
        self._show_steps()
        self._say("")
        self.reset_choices()

    def run(self) -> None:
        """Do all steps beside the window."""
        if self.is_running or self.recipe is None:
            return
        with errors.shown(self._say):
            marks = self.form.marks
            recipe = marks.recipe()
            steps = self.form.steps.edited(recipe.steps)
            recipe = recipe.model_copy(update={"steps": steps})
            self._painted.look_if_due()
            layer = self.form.image.layer()
            if layer is None:
                raise InputError("image: there is none; open an image first.")
            image = self._image(layer, recipe.channels)
            start = _Start(marks.files())
            if marks.chosen == LAYER:
                drawn = marks.layer.layer()
                if drawn is None:
                    raise InputError(f"{marks.roles[0]}: no layer is chosen; press New for one.")
                start = _Start({}, marks_in(drawn, layer, recipe, self.viewer), drawn.name)
            others = {}
            for name, combo in self.form.others.combos.items():
                chosen, known = combo.layer(), recipe.others.get(name)
                if chosen is not None:
                    others[name] = self._image(chosen, known.channels if known else None)
            self._start(
                partial(_replayed, recipe, image, others, start),
                partial(self._on_made, self._chosen(), Origin(layer, image)),
            )

    def _image(self, layer: Layer, channels: Sequence[int] | None) -> Image:
        """The layer, with the channels beside it where the recipe counts these."""
        if not isinstance(layer, ImageLayer):
            return image_of(layer)
        choices = channel_choices(layer, self.viewer.layers)
        if channels is not None and max(channels) < len(choices):
            return image_from_layers(layer, choices)
        return image_of(layer)

    def _chosen(self) -> tuple[Any, ...]:
        """What a run would be given now."""
        form, marks = self.form, self.form.marks
        layers = [one.layer() for one in (form.image, *form.others.combos.values())]
        painted = self._painted.layer, self._painted.digest
        return (*layers, form.steps.steps(), marks.chosen, marks.file.text(), painted)

    def _on_chosen(self, *_: Any) -> None:
        """A run would perhaps give something else."""
        if self._made is not None:
            self.controls.outdate(self._made != self._chosen())
        self._enable()

    def _on_image(self, *_: Any) -> None:
        self.form.marks.offer(self.viewer, self.form.image.layer())
        self._on_chosen()

    def _on_way(self, *_: Any) -> None:
        """Another start: show the steps from there, with what was changed in them."""
        marks = self.form.marks
        with errors.shown(self._say):
            self._show_steps()
            self._on_chosen()
            if marks.chosen == LAYER and not marks.has_drawn_layer():
                self._make_marks()

    def _show_steps(self) -> None:
        recipe = self.form.marks.shown_recipe()
        edited = self.form.steps.edited(recipe.steps)
        self.form.show_recipe(self.about, recipe)
        self.form.steps.show_steps(edited)

    def _on_marks(self) -> None:
        marks = self.form.marks
        self._painted.watch(marks.layer.layer() if marks.chosen == LAYER else None)
        self._on_chosen()

    def _make_marks(self) -> None:
        """Add a layer to mark things on, and choose it."""
        with errors.shown(self._say):
            image = self.form.image.layer()
            if image is None:
                raise InputError("image: there is none; open an image first.")
            assert self.recipe is not None
            made = add_marks_layer(self.viewer, image, self.recipe)
            self.form.marks.layer.choose(made)
            self._say(what_to_mark(made, self.recipe))

    def _ask_for_marks(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Seeds or shapes")
        if path:
            self.form.marks.file.setText(path)
            self._on_marks()

    def _on_made(self, chosen: tuple[Any, ...], origin: Origin, finished: Finished) -> None:
        self.record, self._made = finished.result.record, chosen
        with errors.shown(self._say):
            if origin.like not in self.viewer.layers:
                raise InputError("image: it was removed while the recipe was run.")
            origin = replace(origin, whole=get(finished.result.record["operation"]).whole)
            assert self._results is not None
            self.controls.say_made(self._results.show(finished, origin, ""))
        self._on_chosen()

    def reset_choices(self, event: Any = None) -> None:
        """Offer the layers that there are now; napari calls it when they change."""
        self._offer(self.form.image)
        for name, combo in self.form.others.combos.items():
            known = self.recipe.others.get(name) if self.recipe else None
            self._offer(combo, known.name if known else "")
        self.form.marks.offer(self.viewer, self.form.image.layer())
        self._enable()

    def _offer(self, combo: LayerCombo, name: str = "") -> None:
        """Offer images and labels; first the layer of that name is chosen, or the active one."""
        layers = [
            layer
            for layer in self.viewer.layers
            if isinstance(layer, ImageLayer | Labels) and not is_preview(layer)
        ]
        ordered = sorted(layers, key=lambda one: (isinstance(one, Labels), is_result(one)))
        named = next((layer for layer in ordered if layer.name == name), None)
        combo.set_layers(ordered, named or self.viewer.layers.selection.active)

    def _is_ready(self) -> bool:
        return self.recipe is not None and self.form.image.layer() is not None

    def _recipe_name(self) -> str:
        return f"{self.form.image.currentText()} {self.about}"


@dataclass(frozen=True, eq=False)
class _Start:
    """What to start from: files, or what is drawn in a layer; neither for the recipe's own."""

    files: Mapping[str, Path]
    drawn: Mapping[str, Any] = field(default_factory=dict)
    layer: str = ""


def _replayed(recipe: Recipe, image: Image, others: Mapping[str, Image], start: _Start) -> Finished:
    marked = recipe_with_marks(recipe, Path(image.name), image, start.files)
    recipe = marked.recipe
    if start.drawn:
        recipe = recipe_from(recipe, **start.drawn, source=f"the layer '{start.layer}'")
    result = call_aside(partial(replay, recipe, image, other=others))
    record = {**result.record, "notes": [*marked.notes, *result.record["notes"]]}
    return counted(replace(result, record=record))
