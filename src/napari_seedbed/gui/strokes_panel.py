"""What panels have in common that follow strokes on an image until the result is exact."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari.layers import Labels, Layer, Points, Shapes
from qtpy.QtCore import QTimer
from qtpy.QtGui import QHideEvent, QShowEvent
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_seedbed.core.progress import Progress
from napari_seedbed.errors import InputError
from napari_seedbed.gui import errors
from napari_seedbed.gui.image_choice import ImageChoice
from napari_seedbed.gui.label_in_hand import LabelInHand
from napari_seedbed.gui.layer_records import is_preview, is_seeds, is_truth
from napari_seedbed.gui.live_update import LiveUpdate
from napari_seedbed.gui.machine_speed import machine_speed
from napari_seedbed.gui.panel_life import PanelLife, removed_in_words
from napari_seedbed.gui.save_dialogs import ask_for_recipe_path
from napari_seedbed.gui.seed_layers import label_count
from napari_seedbed.gui.seeds_watch import SeedsWatch
from napari_seedbed.gui.strokes_form import StrokesForm
from napari_seedbed.gui.strokes_results import StrokesResults
from napari_seedbed.gui.view_position import time_on_screen
from napari_seedbed.pipeline import operations
from napari_seedbed.pipeline.operations import Result
from napari_seedbed.pipeline.recipes import recipe_from_record, save_recipe

if TYPE_CHECKING:
    from napari.viewer import Viewer

    from napari_seedbed.gui.pixel_classifier_session import PixelClassifierSession
    from napari_seedbed.gui.seeded_session import SeededSession

STROKE_SECONDS = 0.05

_WORKING = ("prepare", "live", "exact", "running")

STALE = "Older than the {} or settings; press Run to update."


class StrokesPanel(QWidget):
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
    title : str
        What it is called in names of files.
    marks : str
        What people call their marks.
    use_of_recipe : str
        What to do with a saved recipe, whose name takes the place of {}.
    status : dict
        What each state of the session is called.
    """

    operation: str
    title: str
    marks: str
    use_of_recipe: str
    status: Mapping[str, str]
    form: StrokesForm
    session: "SeededSession | PixelClassifierSession"
    results: StrokesResults
    live: LiveUpdate

    def __init__(self, viewer: "Viewer", form: StrokesForm, results: StrokesResults) -> None:
        super().__init__()
        self.viewer = viewer
        self.form, self.results = form, results
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(form)
        self.images = ImageChoice(viewer, form.image, form.channels, form.show_channels, self._say)
        self.seeds = SeedsWatch(self)
        self._hand = LabelInHand(self, self._say)
        self._final: Result | None = None
        self._shown_error = self._removed = ""
        self._was_final = False
        self._tell_removed = QTimer(self)
        self._tell_removed.setSingleShot(True)
        self._tell_removed.timeout.connect(self._say_removed)

    def _connect(self) -> None:
        """Connect what all panels have, when everything is there; each connects the rest."""
        form, session = self.form, self.session
        self.images.changed.connect(self._on_image_changed)
        form.times.activated.connect(self._on_settings_changed)
        form.controls.run.clicked.connect(self.run)
        form.controls.cancel.clicked.connect(self.cancel)
        form.accept.clicked.connect(self.accept)
        form.save_recipe.clicked.connect(self._ask_where_to_save)
        self.seeds.changed.connect(self._show_forecast)
        self.seeds.changed.connect(self._on_settings_changed)
        session.not_ready.connect(self._on_not_ready)
        session.failed.connect(self._on_failed)
        session.progressed.connect(self._on_progress)
        session.cancelled.connect(self._on_cancelled)
        session.state_changed.connect(self._on_state)
        self._life = PanelLife(self, self.viewer)
        self._life.layer_removed.connect(self._on_removed)
        self._life.ended.connect(self._on_ended)

    # What each panel says for itself

    def _parameters(self) -> dict[str, Any]:
        """What a run would be asked for now."""
        raise NotImplementedError

    def _may_be_marks(self, layer: Layer) -> bool:
        """Whether a layer may be offered as marks."""
        raise NotImplementedError

    def _enable(self) -> None:
        """Let the buttons be pressed that mean something now."""
        raise NotImplementedError

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
        self._when_exact(lambda: self._save_recipe(Path(path)))

    def reset_choices(self, event: Any = None) -> None:
        """Offer the layers that there are now."""
        self.images.offer()
        marks = [
            layer
            for layer in self.viewer.layers
            if isinstance(layer, Labels | Points | Shapes)
            and not (is_preview(layer) or is_truth(layer))
            and self._may_be_marks(layer)
        ]
        self.form.seeds.set_layers(sorted(marks, key=lambda layer: not is_seeds(layer)))
        self._enable()

    # The image and the settings

    def _on_image_changed(self) -> None:
        """Voxels, place or channels are other ones now."""
        self._forget_image()
        self._show_forecast()
        self._on_settings_changed()

    def _forget_image(self) -> None:
        self._final = None
        self._shown_error = ""

    def _forecast(self) -> operations.Forecast:
        """What a run on one time point would cost on this machine."""
        image = self.images.image()
        times = None if image.time_axis is None else [0]
        cost = operations.forecast(
            self.operation,
            {"image": image},
            self._parameters(),
            times=times,
            n_labels=label_count(self.seeds.layer),
        )
        return machine_speed.corrected(cost)

    def _show_forecast(self) -> operations.Forecast | None:
        controls = self.form.controls
        controls.forecast.setText("")
        if self.images.watched is None:
            return None
        try:
            is_series = self.images.image().n_times > 1
            self.form.show_times(is_series)
            forecast = self._forecast()
        except InputError as error:
            self._say(str(error))
            return None
        controls.show_forecast(forecast, each_time=is_series)
        return forecast

    def _on_parameters_changed(self) -> None:
        self._show_forecast()
        self._on_settings_changed()

    def _on_settings_changed(self, *args: Any) -> None:
        """Strokes or settings changed: follow when live."""
        self.live.follow()

    # The result

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

    def _ask_where_to_save(self) -> None:
        path = ask_for_recipe_path(self, f"{self.form.image.currentText()} {self.title}")
        if path is not None:
            self.save_recipe(path)

    def _save_recipe(self, path: Path) -> None:
        if self._final is None:
            return
        with errors.shown(self._say):
            save_recipe(path, recipe_from_record(self._final.record))
            self._say(f"Saved {path.name}. {self.use_of_recipe.format(path.name)}")

    # What the session tells

    def _say(self, text: str) -> None:
        self.form.controls.say(text)

    def _on_state(self, state: str) -> None:
        self.form.controls.show_running(state in _WORKING)
        was_final, self._was_final = self._was_final, state == "final"
        if state in self.status:
            self._say(self.status[state])
            return
        told = self.form.controls.status.text().startswith(tuple(self.status.values()))
        if state == "idle" and (told or was_final):
            self._say(STALE.format(self.marks) if self._shows_result() else "Ready.")

    def _shows_result(self) -> bool:
        image = self.images.watched
        return image is not None and self.results.labels(image) is not None

    def _on_progress(self, progress: Progress) -> None:
        self.form.controls.show_progress(progress)

    def _on_cancelled(self) -> None:
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
        self._tell_removed.stop()
        self.session.close()

    def showEvent(self, event: QShowEvent | None) -> None:
        """Catch up."""
        super().showEvent(event)
        self.live.resume()

    def hideEvent(self, event: QHideEvent | None) -> None:
        """Rest; a window that is only minimised goes on."""
        if event is None or not event.spontaneous():
            self.live.pause()
        super().hideEvent(event)
