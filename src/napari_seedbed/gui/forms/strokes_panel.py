"""What panels have in common that follow strokes on an image until the result is exact."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari.layers import Image as ImageLayer
from napari.layers import Layer

from napari_seedbed.core.progress import Preview
from napari_seedbed.errors import InputError
from napari_seedbed.gui.forms.live_update import LiveUpdate
from napari_seedbed.gui.forms.machine_speed import machine_speed, speed_name
from napari_seedbed.gui.forms.marks_panel import MarksPanel
from napari_seedbed.gui.forms.panel import removed_in_words
from napari_seedbed.gui.forms.strokes_form import StrokesForm
from napari_seedbed.gui.forms.strokes_results import StrokesResults
from napari_seedbed.gui.forms.strokes_session import StrokesSession
from napari_seedbed.gui.layers.label_in_hand import LabelInHand
from napari_seedbed.gui.layers.layer_records import is_seeds, is_truth
from napari_seedbed.gui.layers.seed_layers import label_count
from napari_seedbed.gui.layers.view_position import time_on_screen
from napari_seedbed.gui.qt import errors
from napari_seedbed.gui.qt.delays import Delay
from napari_seedbed.pipeline import operations
from napari_seedbed.pipeline.operations import Result

if TYPE_CHECKING:
    from napari.viewer import Viewer

STROKE_SECONDS = 0.05

_WORKING = ("prepare", "live", "exact", "running")

STALE = "Older than the {} or settings; press Run to update."


class StrokesPanel(MarksPanel):
    """The base of the panels; each says what a run is asked for, and shows what comes of it.

    Parameters
    ----------
    viewer : Viewer
    form : StrokesForm
    results : StrokesResults

    Attributes
    ----------
    operation : str
        Name of what is run.
    marks : str
        What people call their marks.
    status : dict
        What each state of the session is called.
    """

    operation: str
    marks: str
    status: Mapping[str, str]
    form: StrokesForm
    session: StrokesSession
    results: StrokesResults
    live: LiveUpdate

    def __init__(self, viewer: "Viewer", form: StrokesForm, results: StrokesResults) -> None:
        super().__init__(viewer, form)
        self.results = results
        self._hand = LabelInHand(self, self._say)
        self._final: Result | None = None
        self._shown_error = self._removed = ""
        self._was_final = False
        self._tell_removed = Delay(self, 0.0, self._say_removed)

    def _connect(self) -> None:
        """Connect what all panels have, when everything is there; each connects the rest."""
        form, session = self.form, self.session
        self.images.chosen.connect(self._on_image_chosen)
        self.images.chosen.connect(self._offer_marks)
        self.images.changed.connect(self._on_image_changed)
        form.seeds.layer_chosen.connect(self._on_seeds_chosen)
        form.times.activated.connect(self._on_settings_changed)
        form.accept.clicked.connect(self.accept)
        self.seeds.changed.connect(self._show_forecast)
        self.seeds.changed.connect(self._on_settings_changed)
        session.previewed.connect(self._on_preview)
        session.finished.connect(self._on_finished)
        session.timed.connect(self._on_timed)
        session.not_ready.connect(self._on_not_ready)
        session.failed.connect(self._on_failed)
        session.progressed.connect(self.controls.show_progress)
        session.cancelled.connect(self._on_session_cancelled)
        session.state_changed.connect(self._on_state)

    # What each panel says for itself

    def _parameters(self) -> dict[str, Any]:
        """What a run would be asked for now."""
        raise NotImplementedError

    def _on_image_chosen(self, layer: ImageLayer | None) -> None:
        """Another image is chosen."""
        raise NotImplementedError

    def _show_result(self, result: Result, request: Any, exact: bool) -> Result:
        """Show what a run gave, and give what a recipe shall be made of."""
        raise NotImplementedError

    def _has_marks(self) -> bool:
        """Whether there is something to begin from."""
        return self.seeds.layer is not None

    def _may_be_marks(self, layer: Layer) -> bool:
        return not is_truth(layer)

    def _rank_of_marks(self, layer: Layer) -> bool:
        return not is_seeds(layer)

    # What people do

    def run(self) -> None:
        """Run on all of the image now."""
        self._shown_error = ""
        self.seeds.look_if_due()
        self.session.run()

    def cancel(self) -> None:
        """Stop what is running."""
        self.session.cancel()

    def accept(self) -> None:
        """Keep the result as ordinary layers, as soon as it is exact."""
        self._when_exact(self._accept)

    def save_recipe(self, path: str | Path) -> None:
        """Write the recipe of the result to `path`, as soon as it is exact."""
        self._when_exact(lambda: super(StrokesPanel, self).save_recipe(path))

    # The image and the settings

    def _on_image_changed(self) -> None:
        """Voxels, place or channels are other ones now."""
        self._forget_image()
        self._show_forecast()
        self._on_settings_changed()

    def _forget_image(self) -> None:
        self._final = None
        self._shown_error = ""

    def _forecast(self) -> operations.Forecast | None:
        """What a run on one time point would cost, as it is declared."""
        if self.images.watched is None:
            return None
        image = self.images.image()
        self.forecasts_each_time = image.n_times > 1
        self.form.show_times(self.forecasts_each_time)
        return operations.forecast(
            self.operation,
            {"image": image},
            self._parameters(),
            times=None if image.time_axis is None else [0],
            n_labels=label_count(self.seeds.layer),
        )

    def _speed_name(self) -> str:
        return speed_name(operations.get(self.operation), self._parameters())

    def _on_parameters_changed(self) -> None:
        self._show_forecast()
        self._on_settings_changed()

    def _on_settings_changed(self, *args: Any) -> None:
        """Strokes or settings changed: follow when live."""
        self.live.follow()

    def _on_seeds_chosen(self, layer: Layer | None) -> None:
        self._final = None
        self.seeds.watch(layer)
        self._hand.watch(layer)
        self.live.has_seeds = self._has_marks()
        self._enable()
        self._show_forecast()

    def _enable(self) -> None:
        there = self.images.watched is not None
        for button in (self.controls.run, self.form.accept, self.form.save_recipe):
            button.setEnabled(there and self._has_marks())
        self.form.new_seeds.setEnabled(there)

    # The result

    def _on_preview(self, preview: Preview, request: Any) -> None:
        if request.layer in self.viewer.layers:
            count = len(self.viewer.layers)
            self.results.show_preview(preview, request.layer, request.image, request.time)
            if len(self.viewer.layers) != count:
                self.reset_choices()

    def _on_finished(self, result: Result, request: Any, exact: bool) -> None:
        if request.layer in self.viewer.layers:
            result = self._show_result(result, request, exact)
            self._final = result if exact else None
            self._shown_error = ""
            # Layers were inserted before their metadata told what they are.
            self.reset_choices()

    def _on_timed(self, forecast_seconds: float, seconds: float, anew: bool) -> None:
        machine_speed.learn(self._speed_name(), forecast_seconds, seconds)
        self._show_forecast()

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

    def _recipe_record(self) -> Mapping[str, Any]:
        self.record = None if self._final is None else self._final.record
        return super()._recipe_record()

    # Signals of the session

    def _on_state(self, state: str) -> None:
        self.controls.show_running(state in _WORKING)
        was_final, self._was_final = self._was_final, state == "final"
        if state in self.status:
            self._say(self.status[state])
            return
        told = self.controls.status.text().startswith(tuple(self.status.values()))
        if state == "idle" and (told or was_final):
            self._say(self._stale() if self._shows_result() else "Ready.")

    def _stale(self) -> str:
        """What is shown is older than something."""
        return STALE.format(self.marks)

    def _shows_result(self) -> bool:
        image = self.images.watched
        return image is not None and self.results.labels(image) is not None

    def _on_session_cancelled(self) -> None:
        self._say(f"Cancelled. What is shown may be older than the {self.marks}.")

    def _on_not_ready(self, message: str) -> None:
        image = self.images.watched
        if image is not None:
            self.results.clear(image, time_on_screen(self.viewer, image))
        self._say(message)

    def _on_failed(self, error: BaseException, asked: bool) -> None:
        message = errors.message_of(error)
        # While somebody draws, the same complaint after each stroke would only be in the way.
        if asked or message != self._shown_error:
            errors.show(error)
        self._shown_error = message
        self._say(message)

    # Layers and windows that go away

    def _on_removed(self, layer: Layer) -> None:
        busy = self.session.is_running or self.session.state == "waiting"
        needed = layer is self.images.watched or layer is self.seeds.layer
        self.reset_choices()
        if self.session.is_final and not self._shows_result():
            self.session.touched()
        if needed and busy:
            self.session.changed()
            self._removed = removed_in_words(layer)
            # A closing viewer removes its layers as well; by then nobody wants to hear it.
            self._tell_removed.start()

    def _say_removed(self) -> None:
        if self.isVisible():
            self._say(errors.show(InputError(self._removed)))

    def _on_ended(self) -> None:
        super()._on_ended()
        self.session.close()

    def _wake(self) -> None:
        self.live.resume()

    def _rest(self) -> None:
        self.live.pause()
