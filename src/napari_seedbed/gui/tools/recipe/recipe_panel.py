"""The panel that shows a recipe and runs it on an image of the window."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from napari.layers import Image as ImageLayer
from napari.layers import Labels, Layer

from napari_seedbed.core.library_calls import call_aside
from napari_seedbed.errors import InputError
from napari_seedbed.gui.forms.layer_choice import LayerCombo
from napari_seedbed.gui.forms.operation_results import Finished, OperationResults, counted
from napari_seedbed.gui.forms.panel import RunPanel
from napari_seedbed.gui.layers.image_layers import channel_choices, image_from_layers, image_of
from napari_seedbed.gui.layers.layer_records import is_preview, is_result
from napari_seedbed.gui.layers.output_layers import Origin
from napari_seedbed.gui.layers.plain_viewers import plain
from napari_seedbed.gui.qt import errors
from napari_seedbed.gui.tools.recipe.recipe_form import RecipeForm
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.operations import get
from napari_seedbed.pipeline.recipes import replay
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
        self.form.image.layer_chosen.connect(self._on_chosen)
        self.form.other.layer_chosen.connect(self._on_chosen)
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
        self.form.show_recipe(name, recipe)
        self._say("")
        self._enable()

    def run(self) -> None:
        """Do all steps beside the window."""
        if self.is_running or self.recipe is None:
            return
        with errors.shown(self._say):
            recipe = self.recipe.model_copy(update={"steps": self.form.steps.steps()})
            layer = self.form.image.layer()
            if layer is None:
                raise InputError("image: there is none; open an image first.")
            image = self._image(layer, recipe.channels)
            other = self.form.other.layer() if recipe.needs_other else None
            second = None if other is None else self._image(other, None)
            self._start(
                partial(_replayed, recipe, image, second),
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
        layers = (self.form.image.layer(), self.form.other.layer())
        return (*layers, self.form.steps.steps())

    def _on_chosen(self, *_: Any) -> None:
        """A run would perhaps give something else."""
        if self._made is not None:
            self.controls.outdate(self._made != self._chosen())
        self._enable()

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
        for combo in (self.form.image, self.form.other):
            self._offer(combo)
        self._enable()

    def _offer(self, combo: LayerCombo) -> None:
        layers = [
            layer
            for layer in self.viewer.layers
            if isinstance(layer, ImageLayer | Labels) and not is_preview(layer)
        ]
        ordered = sorted(layers, key=lambda one: (isinstance(one, Labels), is_result(one)))
        combo.set_layers(ordered, self.viewer.layers.selection.active)

    def _is_ready(self) -> bool:
        return self.recipe is not None and self.form.image.layer() is not None

    def _recipe_name(self) -> str:
        return f"{self.form.image.currentText()} {self.about}"


def _replayed(recipe: Recipe, image: Image, other: Image | None) -> Finished:
    return counted(call_aside(partial(replay, recipe, image, other=other)))
