"""Seeded segmentation: from a scribble to a segmentation that follows every stroke."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari.layers import Image as ImageLayer
from napari.layers import Labels, Layer, Points, Shapes
from qtpy.QtCore import Qt, QTimer
from qtpy.QtGui import QHideEvent, QShortcut, QShowEvent
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_seedbed.core.progress import Preview, Progress
from napari_seedbed.core.walker.uncertain_regions import UncertainRegion
from napari_seedbed.errors import InputError
from napari_seedbed.gui import errors
from napari_seedbed.gui.grids import unit_symbol
from napari_seedbed.gui.image_choice import ImageChoice
from napari_seedbed.gui.key_settings import key_of
from napari_seedbed.gui.layer_records import is_preview, is_seeds
from napari_seedbed.gui.lessons_line import TITLE, LessonsLine
from napari_seedbed.gui.live_update import LiveUpdate
from napari_seedbed.gui.machine_speed import machine_speed
from napari_seedbed.gui.panel_life import PanelLife, removed_in_words
from napari_seedbed.gui.parameter_fields import FieldsWithMore
from napari_seedbed.gui.preparation import preparation
from napari_seedbed.gui.recipe_dialog import ask_for_recipe_path
from napari_seedbed.gui.seed_tools import SeedTools
from napari_seedbed.gui.seeded_form import SeededForm
from napari_seedbed.gui.seeded_recipes import ask_for_recipe, open_recipe
from napari_seedbed.gui.seeded_requests import SeededRequests, shown_parameters
from napari_seedbed.gui.seeded_results import Filling, ResultLayers
from napari_seedbed.gui.seeded_session import OPERATION, Kind, Request, SeededSession
from napari_seedbed.gui.seeds_watch import SeedsWatch
from napari_seedbed.gui.time_watch import TimeWatch
from napari_seedbed.gui.uncertain_places import UncertainPlaces
from napari_seedbed.gui.view_position import show_place, take_brush, time_on_screen
from napari_seedbed.gui.viewer_keys import ViewerKey
from napari_seedbed.gui.voxel_size_line import VoxelSizeLine
from napari_seedbed.pipeline import operations
from napari_seedbed.pipeline.operations import Result
from napari_seedbed.pipeline.recipes import recipe_from_record, save_recipe
from napari_seedbed.pipeline.seeded_operations import WATERSHED

if TYPE_CHECKING:
    from napari.viewer import Viewer

STROKE_SECONDS = 0.05
SETTLE_SECONDS = 1.0

PREPARING = "Preparing for first use, for a minute in the background…"

STATUS = {
    "waiting": "Updating…",
    "live": "Updating…",
    "exact": "Updating…",
    "shown": "Quick result; the exact one follows when you pause.",
    "final": "Up to date: the command line gives the same labels.",
}

STALE = "Older than the seeds or settings; press Run to update."


class SeededSegmentationPanel(QWidget):
    """Dock widget of seeded segmentation.

    Parameters
    ----------
    napari_viewer : Viewer
    """

    def __init__(self, napari_viewer: "Viewer") -> None:
        super().__init__()
        self.viewer = napari_viewer
        place_key = key_of("uncertain_place_key")
        self.form = SeededForm(key_of("background_key"), key_of("filling_key"), place_key)
        self.parameters = FieldsWithMore(shown_parameters())
        self.form.add_parameters(self.parameters)
        self.voxel_size = VoxelSizeLine(napari_viewer)
        self.form.add_voxel_size(self.voxel_size)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.form)

        self.results = ResultLayers(napari_viewer)
        self.session = SeededSession(
            self._prepare, settle_seconds=SETTLE_SECONDS, debounce_seconds=STROKE_SECONDS
        )
        self.live = LiveUpdate(self.form.live, self.session)
        self.places = UncertainPlaces(self._on_place, self._on_search_failed)
        self._key = ViewerKey(napari_viewer, place_key, self.next_uncertain_place)
        self.images = ImageChoice(
            napari_viewer, self.form.image, self.form.channels, self.form.show_channels, self._say
        )
        self.filling = Filling(self.form.filled, self.results, self.images)
        self.seeds = SeedsWatch(self)
        self.tools = SeedTools(napari_viewer, self.form, self.images, self._say)
        self.lessons = LessonsLine(self.images, self.session, self._when_exact, self._say)
        self.parameters.add_row(TITLE, self.lessons)
        self.requests = SeededRequests(
            napari_viewer, self.images, self.seeds, self.tools, self.parameters, self.lessons,
            self._all_times,
        )  # fmt: skip
        self.times = TimeWatch(napari_viewer, self.images, self)
        self._final: Result | None = None
        self._is_timed = False
        self._shown_error = self._removed = ""
        self._tell_removed = QTimer(self)
        self._tell_removed.setSingleShot(True)
        self._tell_removed.timeout.connect(self._say_removed)
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
        form, session = self.form, self.session
        self.images.chosen.connect(self._on_image_chosen)
        self.images.changed.connect(self._on_image_changed)
        form.image.activated.connect(self._on_settings_changed)
        form.seeds.layer_chosen.connect(self._on_seeds_chosen)
        form.seeds.activated.connect(self._on_settings_changed)
        form.times.activated.connect(self._on_settings_changed)
        form.run.clicked.connect(self.run)
        form.cancel.clicked.connect(self.cancel)
        form.next_place.clicked.connect(self.next_uncertain_place)
        form.accept.clicked.connect(self.accept)
        form.save_recipe.clicked.connect(self._ask_where_to_save)
        form.open_recipe.clicked.connect(self._ask_what_to_open)
        self.tools.background_changed.connect(self._on_settings_changed)
        self.tools.filling_asked.connect(form.filled.toggle)
        self.tools.drawing.connect(self.filling.on_drawing)
        self.times.moved.connect(self._on_time)
        self._next_shortcut.activated.connect(self.next_uncertain_place)
        self.parameters.changed.connect(self._on_parameters_changed)
        preparation.finished.connect(self._show_prepared)
        self.seeds.changed.connect(self._on_settings_changed)
        self.lessons.changed.connect(self._on_settings_changed)
        session.previewed.connect(self._on_preview)
        session.finished.connect(self._on_finished)
        session.not_ready.connect(self._on_not_ready)
        session.failed.connect(self._on_failed)
        session.state_changed.connect(self._on_state)
        session.progressed.connect(self._on_progress)
        session.cancelled.connect(self._on_cancelled)
        session.timed.connect(self._on_timed)
        self._life = PanelLife(self, self.viewer)
        self._life.layer_removed.connect(self._on_removed)
        self._life.closing.connect(self._on_closing)
        # Not a method of the panel: that one is gone when it is destroyed.
        places = self.places
        self.destroyed.connect(lambda: _stop(session, places))

    # What people do

    def make_seeds(self) -> None:
        """Add an empty seeds layer on the image, brush in hand."""
        self.tools.make_seeds()

    def run(self) -> None:
        """Segment now."""
        self._shown_error = ""
        self.seeds.look_if_due()
        self.session.run()

    def cancel(self) -> None:
        """Stop what is running."""
        self.places.stop()
        self.session.cancel()

    def accept(self) -> None:
        """Keep the result as an ordinary layer, as soon as it is exact."""
        self._when_exact(self._accept)

    def next_uncertain_place(self) -> None:
        """Go to the largest uncertain region not yet visited."""
        if self.parameters.values()["engine"] == WATERSHED:
            self._say("A watershed does not say where it is in doubt; choose another engine.")
            return
        self.requests.wants_doubt = True
        if self._final is not None and "uncertainty" not in self._final.outputs:
            self._final = None
        self._when_exact(self._find_place)

    def save_recipe(self, path: str | Path) -> None:
        """Write the recipe of the result to `path`, as soon as it is exact."""
        self._when_exact(lambda: self._save_recipe(Path(path)))

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

    def reset_choices(self, event: Any = None) -> None:
        """Offer the layers that there are now."""
        layers = list(self.viewer.layers)
        self.images.offer()
        marks = [
            layer
            for layer in layers
            if isinstance(layer, Labels | Points | Shapes)
            and not self.results.is_live(layer)
            and not is_preview(layer)
        ]
        self.form.seeds.set_layers(sorted(marks, key=lambda layer: not is_seeds(layer)))
        self._enable()

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
        """Voxels, place or channels are other ones now."""
        self._forget_image()
        self._show_forecast()
        self._on_settings_changed()
        self._prepare_image()

    def _prepare_image(self) -> None:
        """Prepare while the first strokes are drawn."""
        wanted = self.images.watched is not None and self.form.live.isChecked()
        if wanted and preparation.is_done and self.isVisible():
            self.session.prepare_image()

    def _on_parameters_changed(self) -> None:
        self._show_forecast()
        self._on_settings_changed()

    def _forget_image(self) -> None:
        self._final = None
        self.requests.forget()
        self._shown_error = ""
        self.session.forget_image()
        self.places.forget()

    def _show_forecast(self) -> operations.Forecast | None:
        self.form.forecast.setText("")
        if self.images.watched is None:
            return None
        try:
            image = self.images.image()
            self.form.show_times(image.n_times > 1)
            self.parameters.show_scale(unit_symbol(self.images.layer.units[-1]), image.spacing)
            times = None if image.time_axis is None else [0]
            parameters = self.requests.parameters()
            cost = operations.forecast(OPERATION, {"image": image}, parameters, times=times)
            forecast = machine_speed.corrected(cost)
        except InputError as error:
            self._say(str(error))
            return None
        self.form.controls.show_forecast(forecast, each_time=image.n_times > 1)
        return forecast

    # The seeds

    def _on_seeds_chosen(self, layer: Layer | None) -> None:
        self.session.changed()
        self.places.forget()
        self.requests.forget()
        self._final = None
        self.seeds.watch(layer)
        self.tools.watch(layer)
        self.live.has_seeds = layer is not None
        self._enable()

    def _on_settings_changed(self, *args: Any) -> None:
        """Seeds or settings changed: follow when live."""
        self.parameters.show_row(TITLE, self.requests.can_learn)
        self.live.follow()

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

    def _when_exact(self, action: Callable[[], None]) -> None:
        self.seeds.look_if_due()
        if self.session.is_final and self._final is None:
            self.session.touched()
        self._shown_error = ""
        self.session.when_exact(action)

    def _accept(self) -> None:
        layer = self.results.accept(self.images.layer)
        if layer is None:
            # Taken away since: what was asked for comes from a new run.
            self.session.touched()
            self.session.when_exact(self._accept)
            return
        self.reset_choices()
        self.session.touched()
        self._say(f"'{layer.name}' is yours now: later strokes make a new result.")

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

    def _ask_where_to_save(self) -> None:
        path = ask_for_recipe_path(self, f"{self.form.image.currentText()} seeded segmentation")
        if path is not None:
            self.save_recipe(path)

    def _save_recipe(self, path: Path) -> None:
        if self._final is None:
            return
        with errors.shown(self._say):
            save_recipe(path, recipe_from_record(self._final.record))
            self._say(f"Saved {path.name}. Repeat it with: seedbed run {path.name} IMAGE -o FOLDER")

    # What the session tells

    def _say(self, text: str) -> None:
        self.form.controls.say(text)

    def _enable(self) -> None:
        self.parameters.show_row(TITLE, self.requests.can_learn)
        ready = self.images.watched is not None and self.seeds.layer is not None
        form = self.form
        for button in (form.run, form.accept, form.next_place, form.save_recipe, self.lessons.keep):
            button.setEnabled(ready)
        for button in (form.new_seeds, form.open_recipe):
            button.setEnabled(self.images.watched is not None)

    def _on_state(self, state: str) -> None:
        self.form.controls.show_running(state in ("prepare", "live", "exact"))
        if state in STATUS:
            self._say(STATUS[state])
        elif state == "idle" and self.form.status.text().startswith(tuple(STATUS.values())):
            image = self.images.watched
            shown = image is not None and self.results.labels(image) is not None
            self._say(STALE if shown else "Ready.")

    def _on_progress(self, progress: Progress) -> None:
        self.form.controls.show_progress(progress)

    def _on_cancelled(self) -> None:
        self._say("Cancelled. What is shown may be older than the seeds.")

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

    def _on_not_ready(self, message: str) -> None:
        if self.images.watched is not None:
            self.results.clear(
                self.images.watched, time_on_screen(self.viewer, self.images.watched)
            )
        self._say(message)

    def _on_failed(self, error: BaseException, asked: bool) -> None:
        message = errors.message_of(error)
        # While somebody draws, the same complaint after each stroke would only be in the way.
        if asked or message != self._shown_error:
            errors.show(error)
        self._shown_error = message
        self._say(message)

    def _on_search_failed(self, error: BaseException) -> None:
        self._say(errors.show(error))

    def _show_prepared(self, error: BaseException | None) -> None:
        if error is not None:
            self._say(errors.show(error))
        elif self.form.status.text() in (PREPARING, ""):
            self._say("Ready." if self.seeds.layer else "Press New seeds to begin.")
        self._prepare_image()

    # Layers and windows that go away

    def _on_removed(self, layer: Layer) -> None:
        busy = self.session.is_running or self.session.state == "waiting"
        needed = layer is self.images.watched or layer is self.seeds.layer
        self.reset_choices()
        if needed and busy:
            self.session.changed()
            self._removed = removed_in_words(layer)
            # A closing viewer removes its layers as well; by then nobody wants to hear it.
            self._tell_removed.start()

    def _say_removed(self) -> None:
        if self.isVisible():
            self._say(errors.show(InputError(self._removed)))

    def showEvent(self, event: QShowEvent | None) -> None:
        """Take the key, and catch up."""
        super().showEvent(event)
        self._key.take()
        self.tools.take_keys()
        self.live.resume()
        self._prepare_image()

    def hideEvent(self, event: QHideEvent | None) -> None:
        """Give the key back, and rest; a window that is only minimised goes on."""
        if event is None or not event.spontaneous():
            self._key.give_back()
            self.tools.give_back_keys()
            self.live.pause()
        super().hideEvent(event)

    def _on_closing(self) -> None:
        self.places.stop()
        self.session.changed()


def _stop(session: SeededSession, places: UncertainPlaces) -> None:
    session.close()
    places.stop()
