"""Seeded segmentation: from a scribble to a segmentation that follows every stroke."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari.layers import Image as ImageLayer
from napari.layers import Layer
from qtpy.QtCore import Qt
from qtpy.QtGui import QHideEvent, QShortcut, QShowEvent

from napari_seedbed.core.progress import Preview
from napari_seedbed.core.walker.uncertain_regions import UncertainRegion
from napari_seedbed.gui import errors
from napari_seedbed.gui.grids import unit_symbol
from napari_seedbed.gui.lessons_line import TITLE, LessonsLine
from napari_seedbed.gui.live_update import LiveUpdate
from napari_seedbed.gui.machine_speed import machine_speed
from napari_seedbed.gui.parameter_fields import FieldsWithMore
from napari_seedbed.gui.plugin_settings import key_of
from napari_seedbed.gui.preparation import preparation
from napari_seedbed.gui.seed_tools import SeedTools
from napari_seedbed.gui.seeded_form import SeededForm
from napari_seedbed.gui.seeded_recipes import ask_for_recipe, open_recipe
from napari_seedbed.gui.seeded_requests import SeededRequests, shown_parameters
from napari_seedbed.gui.seeded_results import Filling, ResultLayers
from napari_seedbed.gui.seeded_session import OPERATION, Kind, Request, SeededSession
from napari_seedbed.gui.strokes_panel import STROKE_SECONDS, StrokesPanel
from napari_seedbed.gui.time_watch import TimeWatch
from napari_seedbed.gui.uncertain_places import UncertainPlaces
from napari_seedbed.gui.view_position import show_place, take_brush, time_on_screen
from napari_seedbed.gui.viewer_keys import ViewerKey
from napari_seedbed.gui.voxel_size_line import VoxelSizeLine
from napari_seedbed.pipeline import operations
from napari_seedbed.pipeline.operations import Result
from napari_seedbed.pipeline.seeded_operations import WATERSHED

if TYPE_CHECKING:
    from napari.viewer import Viewer

SETTLE_SECONDS = 1.0

PREPARING = "Preparing for first use, for a minute in the background…"

STATUS = {
    "waiting": "Updating…",
    "live": "Updating…",
    "exact": "Updating…",
    "shown": "Quick result; the exact one follows when you pause.",
    "final": "Up to date: the command line gives the same labels.",
}


class SeededSegmentationPanel(StrokesPanel):
    """Dock widget of seeded segmentation.

    Parameters
    ----------
    napari_viewer : Viewer
    """

    operation = OPERATION
    title = "seeded segmentation"
    marks = "seeds"
    status = STATUS
    use_of_recipe = "Repeat it with: seedbed run {} IMAGE -o FOLDER"
    form: SeededForm
    session: SeededSession
    results: ResultLayers

    def __init__(self, napari_viewer: "Viewer") -> None:
        place_key = key_of("uncertain_place_key")
        super().__init__(
            napari_viewer,
            SeededForm(key_of("background_key"), key_of("filling_key"), place_key),
            ResultLayers(napari_viewer),
        )
        self.parameters = FieldsWithMore(shown_parameters())
        self.form.add_parameters(self.parameters)
        self.voxel_size = VoxelSizeLine(napari_viewer)
        self.form.add_voxel_size(self.voxel_size)
        self.session = SeededSession(
            self._prepare,
            settle_seconds=SETTLE_SECONDS,
            debounce_seconds=STROKE_SECONDS,
            parent=self,
        )
        self.live = LiveUpdate(self.form.live, self.session)
        self.places = UncertainPlaces(self._on_place, self._on_search_failed)
        self._key = ViewerKey(napari_viewer, place_key, self.next_uncertain_place)
        self.filling = Filling(self.form.filled, self.results, self.images)
        self.tools = SeedTools(napari_viewer, self.form, self.images, self._say)
        self.lessons = LessonsLine(self.images, self.session, self._when_exact, self._say)
        self.parameters.add_row(TITLE, self.lessons)
        self.requests = SeededRequests(
            napari_viewer, self.images, self.seeds, self.tools, self.parameters, self.lessons,
            self._all_times,
        )  # fmt: skip
        self.times = TimeWatch(napari_viewer, self.images, self)
        self._is_timed = False
        self._next_shortcut = QShortcut(place_key, self)
        self._next_shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        self._connect()
        self.reset_choices()
        preparation.start()
        if preparation.is_done:
            self._show_prepared(None)
        elif not self.form.status.text():
            self._say(PREPARING)

    def _connect(self) -> None:
        super()._connect()
        form, session = self.form, self.session
        self.images.chosen.connect(self._on_image_chosen)
        form.seeds.layer_chosen.connect(self._on_seeds_chosen)
        session.previewed.connect(self._on_preview)
        session.finished.connect(self._on_finished)
        session.timed.connect(self._on_timed)
        form.image.activated.connect(self._on_settings_changed)
        form.seeds.activated.connect(self._on_settings_changed)
        form.next_place.clicked.connect(self.next_uncertain_place)
        form.open_recipe.clicked.connect(self._ask_what_to_open)
        self.tools.background_changed.connect(self._on_settings_changed)
        self.tools.filling_asked.connect(form.filled.toggle)
        self.tools.drawing.connect(self.filling.on_drawing)
        self.times.moved.connect(self._on_time)
        self._next_shortcut.activated.connect(self.next_uncertain_place)
        self.parameters.changed.connect(self._on_parameters_changed)
        preparation.finished.connect(self._show_prepared)
        self.lessons.changed.connect(self._on_settings_changed)

    # What people do

    def make_seeds(self) -> None:
        """Add an empty seeds layer on the image, brush in hand."""
        self.tools.make_seeds()

    def cancel(self) -> None:
        """Stop what is running."""
        self.places.stop()
        super().cancel()

    def next_uncertain_place(self) -> None:
        """Go to the largest uncertain region not yet visited."""
        if self.parameters.values()["engine"] == WATERSHED:
            self._say("A watershed does not say where it is in doubt; choose another engine.")
            return
        self.requests.wants_doubt = True
        if self._final is not None and "uncertainty" not in self._final.outputs:
            self._final = None
        self._when_exact(self._find_place)

    def open_recipe(self, path: str | Path) -> None:
        """Take seeds, background and settings from a recipe."""
        with errors.shown(self._say):
            layer, parameters = open_recipe(self.viewer, self.images.layer, Path(path))
            for name, value in parameters.items():
                self.parameters.set_value(name, value)
            self.lessons.take_from(Path(path).stem, parameters)
            self.form.seeds.choose(layer)
            self._say(f"Seeds of {Path(path).name}: go on painting.")
            self.live.follow()

    def _may_be_marks(self, layer: Layer) -> bool:
        return not self.results.is_live(layer)

    # The image

    def _on_image_chosen(self, layer: ImageLayer | None) -> None:
        self.session.changed()
        self._forget_image()
        forecast = self._show_forecast()
        hint = "" if forecast is None else self.live.begin_image(forecast.seconds)
        if hint:
            self._say(hint)
        with errors.shown(self._say):
            self.voxel_size.watch(layer)
        self._prepare_image()

    def _on_image_changed(self) -> None:
        super()._on_image_changed()
        self._prepare_image()

    def _prepare_image(self) -> None:
        """Prepare while the first strokes are drawn."""
        wanted = self.images.watched is not None and self.form.live.isChecked()
        if wanted and preparation.is_done and self.isVisible():
            self.session.prepare_image()

    def _forget_image(self) -> None:
        super()._forget_image()
        self.requests.forget()
        self.session.forget_image()
        self.places.forget()

    def _parameters(self) -> dict[str, Any]:
        return self.requests.parameters()

    def _forecast(self) -> operations.Forecast:
        unit = unit_symbol(self.images.layer.units[-1])
        self.parameters.show_scale(unit, self.images.image().spacing)
        return super()._forecast()

    # The seeds

    def _on_seeds_chosen(self, layer: Layer | None) -> None:
        self.session.changed()
        self.places.forget()
        self.requests.forget()
        self._final = None
        self.seeds.watch(layer)
        self._hand.watch(layer)
        self.tools.watch(layer)
        self.live.has_seeds = layer is not None
        self._enable()
        self._show_forecast()

    def _on_settings_changed(self, *args: Any) -> None:
        self.parameters.show_row(TITLE, self.requests.can_learn)
        super()._on_settings_changed()

    # A run

    def _prepare(self, kind: Kind) -> Request:
        # A run that waits for the compiler says nothing about the machine.
        self._is_timed = preparation.is_done
        return self.requests.make(kind)

    def _on_preview(self, preview: Preview, request: Request) -> None:
        if request.layer in self.viewer.layers:
            count = len(self.viewer.layers)
            self.results.show_preview(preview, request.layer, request.image, request.time)
            if len(self.viewer.layers) != count:
                self.reset_choices()

    def _on_finished(self, result: Result, request: Request, exact: bool) -> None:
        if request.layer not in self.viewer.layers:
            return
        # The panel computes the uncertainty for itself; the record tells what was asked for.
        parameters = {
            **result.record["parameters"],
            "uncertainty": "uncertainty" in request.wanted,
        }
        result = replace(result, record={**result.record, "parameters": parameters})
        t = None if exact else request.time
        self.results.show(result, request.layer, t, request.wanted)
        self._final = result if exact else None
        self._shown_error = ""
        # Layers were inserted before their metadata told what they are.
        self.reset_choices()

    def _find_place(self) -> None:
        if self._final is None:
            return
        image = self.images.layer
        t = time_on_screen(self.viewer, image)
        shown, labels = (
            output if t is None else output.select_time(t)
            for output in (self._final.image("uncertainty"), self._final.image("labels"))
        )
        self._say("Looking for the next uncertain place…")
        self.places.find(shown.volume(), labels.volume(), shown.spacing, t)

    def _on_place(self, region: UncertainRegion | None, t: int | None) -> None:
        if region is None:
            self._say("No uncertain place is left that you have not seen.")
            return
        with errors.shown(self._say):
            show_place(self.viewer, self.images.layer, region.center, t)
            if self.seeds.layer is not None:
                take_brush(self.viewer, self.seeds.layer)
            self._say(
                f"Uncertain region of {region.size:,} voxels. A stroke of the right label "
                "settles it."
            )

    def _ask_what_to_open(self) -> None:
        if (path := ask_for_recipe(self)) is not None:
            self.open_recipe(path)

    # What the session tells

    def _enable(self) -> None:
        self.parameters.show_row(TITLE, self.requests.can_learn)
        ready = self.images.watched is not None and self.seeds.layer is not None
        form = self.form
        for button in (form.run, form.accept, form.next_place, form.save_recipe, self.lessons.keep):
            button.setEnabled(ready)
        for button in (form.new_seeds, form.open_recipe):
            button.setEnabled(self.images.watched is not None)

    def _on_timed(self, forecast_seconds: float, seconds: float, anew: bool) -> None:
        if not self._is_timed:
            return
        if anew:
            machine_speed.learn(forecast_seconds, seconds)
            self._show_forecast()
        else:
            self._say(f"{self.form.status.text()} {self.live.judge(seconds)}".rstrip())

    # Time points

    def _all_times(self) -> bool:
        return bool(self.form.times.currentData() == "all")

    def _on_time(self, t: int) -> None:
        """Say what a time point shows; segment it where it has seeds and was not yet."""
        if self.seeds.layer is None or self.session.is_running:
            return
        missing = self.requests.missing(t)
        if missing:
            self._say(missing)
        elif t not in self.requests.solved:
            self._say("This time point has seeds and is not segmented yet; press Run.")
            if self.form.live.isChecked():
                self.live.follow()
        elif self.session.is_final:
            self._say(STATUS["final"])

    def _on_search_failed(self, error: BaseException) -> None:
        self._say(errors.show(error))

    def _show_prepared(self, error: BaseException | None) -> None:
        if error is not None:
            self._say(errors.show(error))
        elif self.form.status.text() in (PREPARING, ""):
            self._say("Ready." if self.seeds.layer else "Press New seeds to begin.")
        self._prepare_image()

    # Layers and windows that go away

    def showEvent(self, event: QShowEvent | None) -> None:
        """Take the keys, and catch up."""
        super().showEvent(event)
        self._key.take()
        self.tools.take_keys()
        self._prepare_image()

    def hideEvent(self, event: QHideEvent | None) -> None:
        """Give the keys back, and rest; a window that is only minimised goes on."""
        if event is None or not event.spontaneous():
            self._key.give_back()
            self.tools.give_back_keys()
        super().hideEvent(event)

    def _on_ended(self) -> None:
        self.places.stop()
        super()._on_ended()
