"""Seeded segmentation: from a scribble to a segmentation that follows every stroke."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari.layers import Image as ImageLayer
from napari.layers import Layer
from qtpy.QtCore import Qt
from qtpy.QtGui import QShortcut

from napari_seedbed.core.progress import Preview
from napari_seedbed.gui.forms.inputs_panel import Task
from napari_seedbed.gui.forms.into_files import IntoFiles
from napari_seedbed.gui.forms.live_update import LiveUpdate
from napari_seedbed.gui.forms.machine_speed import machine_speed
from napari_seedbed.gui.forms.operation_inputs import Given
from napari_seedbed.gui.forms.operation_results import Finished, OperationResults
from napari_seedbed.gui.forms.panel import RunPanel
from napari_seedbed.gui.forms.parameter_fields import FieldsWithMore
from napari_seedbed.gui.forms.preparation import preparation
from napari_seedbed.gui.forms.strokes_panel import STROKE_SECONDS, StrokesPanel
from napari_seedbed.gui.forms.voxel_size_line import VoxelSizeLine
from napari_seedbed.gui.layers.grids import unit_symbol
from napari_seedbed.gui.layers.plain_viewers import plain
from napari_seedbed.gui.layers.view_position import Part, time_on_screen
from napari_seedbed.gui.layers.viewer_keys import ViewerKey
from napari_seedbed.gui.qt import errors
from napari_seedbed.gui.qt.plugin_settings import key_of
from napari_seedbed.gui.tools.walker.lessons_line import TITLE, LessonsLine
from napari_seedbed.gui.tools.walker.many_seeds import ManySeeds
from napari_seedbed.gui.tools.walker.one_object import OneObject
from napari_seedbed.gui.tools.walker.seed_tools import SeedTools
from napari_seedbed.gui.tools.walker.seeded_form import (
    ALL_AT_ONCE,
    ONE_AT_A_TIME,
    SeededForm,
)
from napari_seedbed.gui.tools.walker.seeded_recipes import ask_for_recipe, open_recipe
from napari_seedbed.gui.tools.walker.seeded_requests import SeededRequests, shown_parameters
from napari_seedbed.gui.tools.walker.seeded_results import Filling, ResultLayers
from napari_seedbed.gui.tools.walker.seeded_session import (
    OPERATION,
    Kind,
    Request,
    SeededSession,
    check_seeds,
)
from napari_seedbed.gui.tools.walker.stroke_count import StrokeCount
from napari_seedbed.gui.tools.walker.suggestions import Suggestions
from napari_seedbed.gui.tools.walker.time_watch import TimeWatch
from napari_seedbed.pipeline import operations
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.data.shapes import Shapes
from napari_seedbed.pipeline.operations import Result
from napari_seedbed.pipeline.operations.seeded import DARKER, WATERSHED

if TYPE_CHECKING:
    from napari.viewer import Viewer

SETTLE_SECONDS = 1.0

PREPARING = "Preparing for first use, for a minute in the background…"

IN_VIEW = "Shown for the slice in view; the volume follows…"

STATUS = {
    "in view": IN_VIEW,
    "waiting": "Updating…",
    "live": "Updating…",
    "exact": "Updating…",
    "shown": "Quick result; the exact one follows when you pause.",
    "final": "Up to date: the command line gives the same labels.",
}


class SeededSegmentationPanel(IntoFiles, StrokesPanel):
    """Dock widget of seeded segmentation.

    Parameters
    ----------
    napari_viewer : Viewer
    """

    operation = OPERATION
    about = "seeded segmentation"
    marks = "seeds"
    status = STATUS
    form: SeededForm
    session: SeededSession
    results: ResultLayers

    def __init__(self, napari_viewer: "Viewer") -> None:
        napari_viewer = plain(napari_viewer)
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
        self.suggestions = Suggestions(
            napari_viewer, self.images, self.jobs, self._say, self.next_uncertain_place,
            self._on_error, self,
        )  # fmt: skip
        self.strokes = StrokeCount()
        self._asked_with: dict[str, Any] = {}
        self._key = ViewerKey(napari_viewer, place_key, self.next_uncertain_place)
        self.filling = Filling(self.form.filled, self.results, self.images)
        self.tools = SeedTools(napari_viewer, self.form, self.images, self._say)
        self.lessons = LessonsLine(self.images, self.session, self._when_exact, self._say)
        self.parameters.add_row(TITLE, self.lessons)
        self.requests = SeededRequests(
            napari_viewer, self.images, self.seeds, self.tools, self.parameters, self.lessons,
            self.form.one_object, self._all_times,
        )  # fmt: skip
        self.many = ManySeeds(
            napari_viewer, self.form, self.images, self.tools, self.jobs, self._say
        )
        self.times = TimeWatch(napari_viewer, self.images, self)
        self.one_object = OneObject(
            napari_viewer, self.form.one_object, self.images, self.tools,
            self.seeds, lambda: self.session.cache, self._say,
        )  # fmt: skip
        self.written = OperationResults(napari_viewer, self.about.capitalize())
        self._offer_files(self.written)
        self.form.show_way(ALL_AT_ONCE)
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
        self._listen_to_view(self.many.look_again)
        self.seeds.changed.connect(self._on_stroke)
        super()._connect()
        form = self.form
        form.image.activated.connect(self._on_settings_changed)
        form.seeds.activated.connect(self._on_settings_changed)
        form.next_place.clicked.connect(self.next_uncertain_place)
        form.open_recipe.clicked.connect(self._ask_what_to_open)
        self.tools.background_changed.connect(self._on_settings_changed)
        self.tools.object_asked.connect(self._take_object)
        self.tools.filling_asked.connect(form.filled.toggle)
        self.tools.drawing.connect(self.filling.on_drawing)
        self.tools.drawing.connect(self.suggestions.on_drawing)
        self.seeds.changed.connect(self.suggestions.on_seeds_changed)
        self.times.moved.connect(self._on_time)
        self._next_shortcut.activated.connect(self.next_uncertain_place)
        self.parameters.changed.connect(self._on_parameters_changed)
        preparation.finished.connect(self._show_prepared)
        form.way.currentIndexChanged.connect(self._on_way)
        self._listen(self._take_theme, self.viewer.events.theme)
        self._take_theme()
        self.one_object.progressed.connect(self.controls.show_progress)
        self.one_object.working.connect(self.controls.show_running)
        self.lessons.changed.connect(self._on_settings_changed)
        form.one_object.background_chosen.connect(self._on_settings_changed)

    # What people do

    def make_seeds(self) -> None:
        """Add an empty seeds layer on the image, brush in hand."""
        self.tools.make_seeds()

    def cancel(self) -> None:
        """Stop what is running."""
        self.suggestions.places.stop()
        self.one_object.cancel()
        super().cancel()

    def next_uncertain_place(self) -> None:
        """Go to the uncertain region not yet visited whose answer would change most."""
        if self.one_object.is_on:
            self._say("Suggestions are for all labels at once; here each object is proposed.")
            return
        if self.parameters.values()["engine"] == WATERSHED:
            self._say("A watershed does not say where it is in doubt; choose another engine.")
            return
        self.requests.wants_doubt = True
        if self._final is not None and "second_label" not in self._final.outputs:
            self._final = None
        self._when_exact(self._find_place)

    def _take_object(self) -> None:
        image = self.images.watched
        self.tools.take_object(None if image is None else self.results.labels(image))

    def open_recipe(self, path: str | Path) -> None:
        """Take seeds, background and settings from a recipe."""
        with errors.shown(self._say):
            layer, parameters = open_recipe(self.viewer, self.images.layer, Path(path))
            self.form.one_object.choose_darker_than(float(parameters.pop(DARKER, 0.0)))
            for name, value in parameters.items():
                self.parameters.set_value(name, value)
            self.lessons.take_from(Path(path).stem, parameters)
            self.form.seeds.choose(layer)
            self._say(f"Seeds of {Path(path).name}: go on painting.")
            self.live.follow()

    def _may_be_marks(self, layer: Layer) -> bool:
        is_result = self.results.is_live(layer) or self.one_object.layers.owns(layer)
        return super()._may_be_marks(layer) and not is_result

    def reset_choices(self, event: Any = None) -> None:
        """Offer the layers that there are now, as masks, too."""
        super().reset_choices(event)
        self.one_object.look_at_layers()

    # The image

    def _on_image_chosen(self, layer: ImageLayer | None) -> None:
        self.session.changed()
        self._forget_image()
        with errors.shown(self._say):
            image = None if layer is None else self.images.image()
            self._offer_storage(layer, image, operations.get(OPERATION))
        forecast = self._show_forecast()
        hint = "" if forecast is None else self.live.begin_image(forecast.seconds)
        if hint:
            self._say(hint)
        with errors.shown(self._say):
            self.voxel_size.watch(layer)
            self.many.begin_image()
        self._prepare_image()
        self.one_object.begin_image()
        self.one_object.follow()

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
        self.suggestions.forget()
        self.one_object.forget_image()

    def _parameters(self) -> dict[str, Any]:
        return self.requests.parameters()

    def _forecast(self) -> operations.Forecast | None:
        if self.images.watched is not None:
            unit = unit_symbol(self.images.layer.units[-1])
            self.parameters.show_scale(unit, self.images.image().spacing)
        return super()._forecast()

    # The seeds

    def _on_seeds_chosen(self, layer: Layer | None) -> None:
        self.session.changed()
        self.suggestions.forget()
        self.requests.forget()
        self.tools.watch(layer)
        self.one_object.watch(layer)
        super()._on_seeds_chosen(layer)
        self.strokes.forget(self.seeds.digest)

    def _on_stroke(self) -> None:
        self.strokes.note(self.seeds.digest)

    def _on_settings_changed(self, *args: Any) -> None:
        self.parameters.show_row(TITLE, self.requests.can_learn)
        if self.one_object.is_on:
            self.session.touched()
            self.one_object.follow()
            return
        super()._on_settings_changed()
        if self.session.state == "idle" and not self.session.is_running and self._shows_result():
            self._say(self._stale())

    def _take_theme(self, event: Any = None) -> None:
        self.form.one_object.take_theme(self.viewer.theme)

    def _on_way(self) -> None:
        """Another way to segment is chosen."""
        way = str(self.form.way.currentData())
        self.session.changed()
        self.suggestions.stop()
        self.many.stop()
        self.form.show_way(way)
        self.one_object.set_on(way == ONE_AT_A_TIME)
        if way == ALL_AT_ONCE:
            self._say("Ready.")
            self.live.follow()

    def _recipe_record(self) -> Mapping[str, Any]:
        return self.one_object.record() if self.one_object.is_on else super()._recipe_record()

    def save_recipe(self, path: str | Path) -> None:
        """Write the recipe of the result to `path`, as soon as it is exact."""
        if self.one_object.is_on:
            RunPanel.save_recipe(self, path)
        else:
            super().save_recipe(path)

    # A run

    def _prepare(self, kind: Kind) -> Request:
        # A run that waits for the compiler says nothing about the machine.
        self._is_timed = preparation.is_done
        request = self.requests.make(kind)
        if kind != "prepare":
            self.strokes.begin(self.seeds.digest)
            self._asked_with = self._parameters()
        return request

    def _on_preview(self, preview: Preview, request: Request) -> None:
        super()._on_preview(preview, request)
        if len(request.image.spatial_axes) == 3 and self.session.is_running:
            self._say(IN_VIEW)

    def _show_result(self, result: Result, request: Request, exact: bool) -> Result:
        # The panel computes the uncertainty for itself; the record keeps what was asked for.
        parameters = {
            **result.record["parameters"],
            "uncertainty": "uncertainty" in request.wanted,
            "second_label": False,
        }
        result = replace(result, record={**result.record, "parameters": parameters})
        t = None if exact else request.time
        self.results.show(result, request.layer, t, request.wanted)
        self.strokes.finish()
        return result

    # Runs into files

    def _task_into_files(self) -> Task:
        request = self.requests.make("exact")
        assert request.seeds is not None
        check_seeds(request.seeds, request.times, request.guide)
        inputs: dict[str, Image | Shapes] = {"image": request.image, "seeds": request.seeds}
        if request.other is not None:
            inputs["other"] = request.other
        given = Given(inputs, request.layer, self.images.choices(), None)
        return Task(operations.get(OPERATION), given, request.parameters, Part())

    def _take_parameters(self, parameters: Mapping[str, Any]) -> None:
        for one in shown_parameters():
            self.parameters.set_value(one.name, parameters[one.name])

    def _on_made(self, task: Task, finished: Finished) -> None:
        self._final = finished.result
        with errors.shown(self._say):
            self._say(self.written.show(finished, task.origin, ""))

    def _find_place(self) -> None:
        if self._final is None:
            return
        if "second_label" not in self._final.outputs:
            # The run that was under way had been asked for less.
            self.next_uncertain_place()
            return
        self.suggestions.find(self._final, self.seeds.layer, self.tools.background())

    def _speed_name(self) -> str:
        again = self._speed_name_again
        is_quicker = self.session.is_prepared and machine_speed.knows(again)
        return again if is_quicker else super()._speed_name()

    @property
    def _speed_name_again(self) -> str:
        """What runs on an image are called that is prepared already."""
        return f"{super()._speed_name()} again"

    def _ask_what_to_open(self) -> None:
        if (path := ask_for_recipe(self)) is not None:
            self.open_recipe(path)

    # Signals of the session

    def _on_state(self, state: str) -> None:
        super()._on_state(state)
        if state == "final":
            if missing := self._missing_on_screen():
                self._say(missing)
            self.suggestions.on_exact()

    def _stale(self) -> str:
        """What came since the run whose result is shown."""
        count = self.strokes.count
        if count:
            said = f"{count} {'stroke' if count == 1 else 'strokes'} since the last run"
        elif self._asked_with and self._parameters() != self._asked_with:
            said = "Other settings since the last run"
        else:
            return super()._stale()
        return f"{said}; press Run to update."

    def _enable(self) -> None:
        self.parameters.show_row(TITLE, self.requests.can_learn)
        super()._enable()
        ready = self.images.watched is not None and self._has_marks()
        for button in (self.form.next_place, self.lessons.keep):
            button.setEnabled(ready)
        self.form.open_recipe.setEnabled(self.images.watched is not None)

    def _on_timed(self, forecast_seconds: float, seconds: float, anew: bool) -> None:
        if not self._is_timed:
            return
        name = super()._speed_name() if anew else self._speed_name_again
        machine_speed.learn(name, forecast_seconds, seconds)
        self._show_forecast()
        if not anew:
            self._say(f"{self.form.status.text()} {self.live.judge(seconds)}".rstrip())

    # Time points

    def _all_times(self) -> bool:
        return bool(self.form.times.currentData() == "all")

    def _missing_on_screen(self) -> str:
        """What the time point on screen has too few seeds for; empty where it has enough."""
        if self.images.watched is None or self.seeds.layer is None:
            return ""
        t = time_on_screen(self.viewer, self.images.layer)
        return "" if t is None else self.requests.missing(t)

    def _on_time(self, t: int) -> None:
        """Say what a time point shows; segment it where it has seeds and was not yet."""
        if self.one_object.is_on:
            self.one_object.follow()
            return
        if self.seeds.layer is None or self.session.is_running:
            return
        missing = self.requests.missing(t)
        has_all = self._all_times() and self._shows_result()
        if missing:
            self._say(missing)
        elif t not in self.requests.solved and not has_all:
            self._say("This time point has seeds and is not segmented yet; press Run.")
            if self.form.live.isChecked():
                self.live.follow()
        elif self.session.is_final:
            self._say(STATUS["final"])
        elif self._shows_result():
            self._say(self._stale())

    def _show_prepared(self, error: BaseException | None) -> None:
        if error is not None:
            self._say(errors.show(error))
        elif self.form.status.text() in (PREPARING, ""):
            self._say("Ready." if self.seeds.layer else "Press New seeds to begin.")
        self._prepare_image()

    # Layers and windows that go away

    def _wake(self) -> None:
        super()._wake()
        self._key.take()
        self.tools.take_keys()
        self.one_object.set_awake(True)
        self._prepare_image()

    def _rest(self) -> None:
        self._key.give_back()
        self.tools.give_back_keys()
        self.suggestions.stop()
        self.one_object.set_awake(False)
        self.many.stop()
        super()._rest()
