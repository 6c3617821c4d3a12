"""The pixel classifier panel: strokes teach what each class looks like, in one image or several."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Image as ImageLayer
from napari.layers import Labels, Layer
from qtpy.QtWidgets import QFileDialog

from napari_seedbed.core.progress import Preview
from napari_seedbed.errors import InputError
from napari_seedbed.gui.forms.live_update import LiveUpdate
from napari_seedbed.gui.forms.preparation import classifier_preparation
from napari_seedbed.gui.forms.strokes_panel import STROKE_SECONDS, StrokesPanel
from napari_seedbed.gui.layers.grids import unit_symbol
from napari_seedbed.gui.layers.image_layers import add_seeds_layer, level_0
from napari_seedbed.gui.layers.layer_records import is_result, is_seeds
from napari_seedbed.gui.layers.plain_viewers import plain
from napari_seedbed.gui.layers.view_position import take_brush, time_on_screen, visible_part
from napari_seedbed.gui.qt import errors
from napari_seedbed.gui.tools.classifier.pixel_classifier_form import PixelClassifierForm
from napari_seedbed.gui.tools.classifier.pixel_classifier_results import ClassLayers
from napari_seedbed.gui.tools.classifier.pixel_classifier_session import (
    PixelClassifierSession,
    Request,
)
from napari_seedbed.gui.tools.classifier.training_sources import TrainingSources
from napari_seedbed.pipeline import operations
from napari_seedbed.pipeline.encodings.sample_encoding import samples_from_text
from napari_seedbed.pipeline.operations import Result
from napari_seedbed.pipeline.operations.pixel_classification import NAME
from napari_seedbed.pipeline.recipes import load_recipe
from napari_seedbed.pipeline.recipes.recipe_fitting import lengths_for

if TYPE_CHECKING:
    from napari.viewer import Viewer

SETTLE_SECONDS = 0.5
WHOLE_SECONDS = 60.0
"""Images that take longer are classified as a whole only when somebody presses Run."""

VIEW_VOXELS = 1 << 18
"""What is classified at once after a stroke: more could not come within a moment."""

OWN_PARAMETERS = ("training", "table")

STATUS = {
    "waiting": "Updating…",
    "running": "Learning…",
    "preview": "Quick result in view; all of the image follows when you pause.",
    "view": "Shown in view. Press Run to classify all of the image.",
    "final": "Up to date: the command line gives the same.",
}


class PixelClassifierPanel(StrokesPanel):
    """Dock widget of the pixel classifier.

    Parameters
    ----------
    napari_viewer : Viewer
    """

    operation = NAME
    about = "pixel classifier"
    marks = "strokes"
    status = STATUS
    use_of_recipe = "Apply it to other images with: seedbed run {} IMAGE… -o FOLDER"
    form: PixelClassifierForm
    session: PixelClassifierSession
    results: ClassLayers

    def __init__(self, napari_viewer: "Viewer") -> None:
        napari_viewer = plain(napari_viewer)
        declared = operations.get(NAME).parameters
        super().__init__(
            napari_viewer,
            PixelClassifierForm([p for p in declared if p.name not in OWN_PARAMETERS]),
            ClassLayers(napari_viewer),
        )
        self.session = PixelClassifierSession(
            self._prepare,
            settle_seconds=SETTLE_SECONDS,
            debounce_seconds=STROKE_SECONDS,
            parent=self,
        )
        self.live = LiveUpdate(self.form.live, self.session)
        self.sources = TrainingSources(self.form.sources)
        # Time points that are shown so far.
        self._solved: set[int] = set()
        self._is_choosing = False
        # Features of the part in view, which further strokes need again.
        self._view_cache: dict[Any, Any] = {}
        self._connect()
        self.reset_choices()
        classifier_preparation.start()
        self._say("" if self.seeds.layer else "Press New strokes to begin.")

    def _connect(self) -> None:
        super()._connect()
        form = self.form
        form.new_seeds.clicked.connect(self.make_seeds)
        form.clear_seeds.clicked.connect(self.clear_seeds)
        form.load.clicked.connect(self._ask_what_to_load)
        form.fields.changed.connect(self._on_parameters_changed)
        self.sources.changed.connect(self._on_settings_changed)
        camera = self.viewer.scene.camera.events
        for event in (self.viewer.dims.events.point, camera.center, camera.zoom):
            event.connect(self._on_view_changed)

    # What people do

    def make_seeds(self) -> None:
        """Add an empty layer for strokes on the image, brush in hand."""
        with errors.shown(self._say):
            image = self.images.layer
            layer = add_seeds_layer(self.viewer, image, name=f"strokes on {image.name}")
            self.form.seeds.choose(layer)
            self._say(
                "Paint on what is of the first class, then press M for the next class and paint "
                "on that."
            )

    def clear_seeds(self) -> None:
        """Take all strokes away, as one step that undo brings back."""
        layer = self.seeds.layer
        if isinstance(layer, Labels):
            where = np.nonzero(np.asarray(level_0(layer)))
            if len(where[0]):
                layer.data_setitem(where, 0)
            take_brush(self.viewer, layer)

    def run(self) -> None:
        """Classify all of the image now; voxels that a program has changed count as well."""
        self._view_cache = {}
        self.sources.forget_features()
        super().run()

    def load(self, path: str | Path) -> None:
        """Learn also from what a recipe of this tool has learnt."""
        with errors.shown(self._say):
            recipe = load_recipe(path)
            steps = [one for one in recipe.steps if one.operation == NAME]
            values = steps[-1].parameters if steps else {}
            if steps and self.images.watched is not None:
                values = lengths_for(recipe, steps[-1], self.images.image())
            samples = samples_from_text(str(values.get("training", "")))
            if samples is None:
                raise InputError(
                    f"{Path(path).name} is no recipe that the pixel classifier's panel has saved."
                )
            for name in ("sigma", "n_scales", "intensities"):
                self.form.fields.set_value(name, values[name])
            self.sources.add_learnt(Path(path).name, samples)
            self.live.has_seeds = True
            self._enable()
            self._on_settings_changed()

    def _may_be_marks(self, layer: Layer) -> bool:
        image = self.images.watched
        taken = image is not None and self.sources.is_taken(layer, image)
        return super()._may_be_marks(layer) and not (is_result(layer) or taken)

    # The image

    def _on_image_chosen(self, layer: ImageLayer | None) -> None:
        self.session.changed()
        self._forget_image()
        if layer is None:
            return
        seeds = self.sources.seeds_of(layer) or self._fitting_seeds(layer)
        # Strokes of the image before are no choice for this one: what is chosen on the way
        # there means nothing.
        self._is_choosing = True
        self.reset_choices()
        if seeds is None:
            self.form.seeds.setCurrentIndex(0)
        else:
            self.form.seeds.choose(seeds)
        self._is_choosing = False
        self._on_seeds_chosen(self.form.seeds.layer())
        with errors.shown(self._say):
            image = self.images.image()
            self.form.fields.show_scale(unit_symbol(layer.units[-1]), image.spacing)
        self._show_forecast()

    def _fitting_seeds(self, image: ImageLayer) -> Layer | None:
        """Strokes that were made on an image of this place and size, and belong to none yet."""
        shape = level_0(image).shape[-2:] if not image.rgb else level_0(image).shape[-3:-1]
        for layer in self.viewer.layers:
            fits = isinstance(layer, Labels) and is_seeds(layer)
            if fits and level_0(layer).shape[-2:] == shape and image.name in layer.name:
                return None if self.sources.is_taken(layer, image) else layer
        return None

    def _on_image_changed(self) -> None:
        """Voxels, place or channels are other ones now."""
        if self.images.watched is not None:
            self.sources.forget_features()
            self._pair()
        super()._on_image_changed()

    def _forget_image(self) -> None:
        super()._forget_image()
        self._solved = set()
        self._view_cache = {}

    def _parameters(self) -> dict[str, Any]:
        return dict(self.form.fields.values())

    # The strokes

    def _on_seeds_chosen(self, layer: Layer | None) -> None:
        if self._is_choosing:
            return
        super()._on_seeds_chosen(layer)
        self._pair()
        self._on_settings_changed()

    def _has_marks(self) -> bool:
        return super()._has_marks() or bool(self.sources.learnt())

    def _pair(self) -> None:
        image = self.images.watched
        if image is not None:
            several = len(self.form.channels.all_choices()) > 1
            choices = self.form.channels.choices() if several else None
            self.sources.pair(image, self.seeds.layer, choices)

    def _on_settings_changed(self, *args: Any) -> None:
        self._final = None
        super()._on_settings_changed()

    def _on_view_changed(self, event: Any = None) -> None:
        """Another part came into view before all of the image was classified."""
        image = self.images.watched
        if image is None or not self.isVisible():
            return
        t = time_on_screen(self.viewer, image)
        if not self.session.is_final or (t not in self._solved and self._only_on_screen(t)):
            self.live.follow()

    def _only_on_screen(self, t: int | None) -> bool:
        return t is not None and self.form.times.currentData() == "current"

    # A run

    def _prepare(self) -> Request:
        layer = self.images.layer
        image = self.images.image()
        parameters, forecast = self._parameters(), self._expected()
        t = time_on_screen(self.viewer, layer)
        times = None
        if t is not None and self._only_on_screen(t):
            self._solved.add(t)
            times = tuple(sorted(self._solved))
        return Request(
            image=image,
            parameters=parameters,
            marked=self.sources.marked(parameters, layer, image),
            learnt=self.sources.learnt(),
            region=visible_part(self.viewer, layer, image, VIEW_VOXELS),
            time=t,
            times=times,
            whole=forecast is not None and forecast.seconds <= WHOLE_SECONDS,
            layer=layer,
            cache=self._view_cache,
        )

    def _on_preview(self, preview: Preview, request: Request) -> None:
        super()._on_preview(preview, request)
        self._say(STATUS["preview"])

    def _show_result(self, result: Result, request: Request, exact: bool) -> Result:
        table = result.table()
        pairs = zip(table.columns["feature"], table.columns["importance"], strict=True)
        self.form.show_insight(result.record["notes"], [(str(a), float(b)) for a, b in pairs])
        # The panel asks for the table for itself; the record keeps what was asked for.
        record = {**result.record, "parameters": {**result.record["parameters"], "table": False}}
        outputs = {key: one for key, one in result.outputs.items() if key != "table"}
        result = Result(outputs, record)
        self.results.show(result, request.layer)
        return result

    def _ask_what_to_load(self) -> None:
        given, _ = QFileDialog.getOpenFileName(
            self, "Learn from a recipe", "", "Recipes (*.yaml *.yml)"
        )
        if given:
            self.load(given)

    # Signals of the session

    def _enable(self) -> None:
        super()._enable()
        self.form.clear_seeds.setEnabled(isinstance(self.seeds.layer, Labels))

    def _on_not_ready(self, message: str) -> None:
        super()._on_not_ready(message)
        self.form.show_insight((), ())

    # Layers and windows that go away

    def _on_removed(self, layer: Layer) -> None:
        learnt_from = self.sources.forget(layer)
        super()._on_removed(layer)
        if learnt_from and not self._tell_removed.is_waiting:
            self._on_settings_changed()
