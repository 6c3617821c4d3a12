"""The differences panel: what changed between two images, or along a series, live and listed."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari.layers import Layer
from qtpy.QtCore import Qt, QTimer
from qtpy.QtGui import QHideEvent, QShortcut, QShowEvent
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_seedbed.core.progress import Progress
from napari_seedbed.errors import InputError
from napari_seedbed.gui import errors
from napari_seedbed.gui.blinking import Blinking, TwoViews, views_of_layers, views_of_times
from napari_seedbed.gui.difference_layers import DifferenceLayers
from napari_seedbed.gui.differences_form import DifferencesForm
from napari_seedbed.gui.grids import grid_of, unit_symbol
from napari_seedbed.gui.operation_inputs import Given
from napari_seedbed.gui.output_layers import Origin
from napari_seedbed.gui.panel_life import PanelLife
from napari_seedbed.gui.part_runs import run_part
from napari_seedbed.gui.plugin_settings import key_of, seconds_of
from napari_seedbed.gui.purpose_jobs import PurposeJobs
from napari_seedbed.gui.save_dialogs import ask_for_recipe_path, ask_where_to_save
from napari_seedbed.gui.view_position import Part, show_place, time_on_screen
from napari_seedbed.gui.viewer_keys import ViewerKey
from napari_seedbed.pipeline import operations
from napari_seedbed.pipeline.difference_operations import CHANGES, SERIES_CHANGES
from napari_seedbed.pipeline.difference_parameters import FRAMES
from napari_seedbed.pipeline.image import Image
from napari_seedbed.pipeline.memory import seconds_in_words
from napari_seedbed.pipeline.operations import Context, Result
from napari_seedbed.pipeline.parameters import Value
from napari_seedbed.pipeline.recipes import recipe_from_record, save_recipe

if TYPE_CHECKING:
    from napari.viewer import Viewer

_LIVE, _RUN = "live", "run"
_SLOT, _SLOT_IN_VIEW = "differences", "differences in view"
_WAIT = 80


@dataclass(frozen=True, eq=False)
class _Wish:
    """What shall be compared: two images without time, and where they come from."""

    given: Given
    parameters: Mapping[str, Value]
    time: int | None
    other_time: int | None
    pair: Mapping[str, Image]

    @property
    def key(self) -> tuple[Any, ...]:
        """What tells it from others."""
        return (self.given, tuple(self.parameters.items()), self.time, self.other_time)


class DifferencesPanel(QWidget):
    """Dock widget of the differences.

    Parameters
    ----------
    napari_viewer : Viewer
    """

    def __init__(self, napari_viewer: "Viewer") -> None:
        super().__init__()
        self.viewer = napari_viewer
        self.form = DifferencesForm(napari_viewer)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self.form, 1)
        column.addWidget(self.form.controls)
        self.layers = DifferenceLayers(napari_viewer)
        self.jobs = PurposeJobs(self._show_state)
        self.blinking = Blinking(self)
        self._context = Context(live=True)
        # What is shown, and the record of the last result that a recipe can repeat.
        self._origin: Origin | None = None
        self._key: tuple[Any, ...] | None = None
        self._done: tuple[Given, dict[str, Value], Part] | None = None
        self._record: Mapping[str, Any] | None = None
        # Why what is chosen cannot be compared, while that is said.
        self._complaint = ""
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_WAIT)
        self._keys: list[ViewerKey] = []
        for name, action in (
            ("next_key", self.next_change),
            ("previous_key", self.previous_change),
            ("blink_key", self.flip),
            ("end_blinking_key", self.blinking.stop),
        ):
            key = key_of(name)
            self._keys.append(ViewerKey(napari_viewer, key, action))
            # The same while the panel has the focus, after a click on the list.
            shortcut = QShortcut(key, self)
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(action)
        self._connect()
        self.reset_choices()

    def _connect(self) -> None:
        form = self.form
        for inputs in form.all_inputs():
            inputs.image_chosen.connect(self._on_image_chosen)
            inputs.times.activated.connect(partial(self._on_image_chosen, None))
            inputs.changed.connect(self._look_soon)
        form.source.currentIndexChanged.connect(self._on_source)
        form.fields.changed.connect(self._look_soon)
        form.frames.changed.connect(self._look_soon)
        form.live.toggled.connect(self._look_soon)
        form.changes.chosen.connect(self._go_to)
        form.next.clicked.connect(self.next_change)
        form.previous.clicked.connect(self.previous_change)
        form.blink.toggled.connect(self._on_blink)
        form.run.clicked.connect(self.run)
        form.cancel.clicked.connect(self.cancel)
        form.save_recipe.clicked.connect(self._ask_where_to_save_recipe)
        form.save_list.clicked.connect(self._ask_where_to_save_list)
        self.blinking.stopped.connect(partial(form.blink.setChecked, False))
        self._timer.timeout.connect(self._look)
        self.viewer.dims.events.point.connect(self._on_dims)
        self._life = PanelLife(self, self.viewer)
        self._life.layer_removed.connect(self._on_removed)
        self._life.ended.connect(self._on_ended)

    # What people do

    def run(self) -> None:
        """Compare everything, or the time point in view, and keep it."""
        if _RUN in self.jobs:
            return
        with errors.shown(self._say):
            self.blinking.stop()
            self.jobs.cancel(_LIVE)
            given, parameters = self.form.inputs.given(), self.form.parameters()
            name = (SERIES_CHANGES if self.form.is_series else CHANGES).name
            part = self.form.apply_to.part(self.viewer, given.like, given.image, given.time_axis)
            self._say("Working…")
            self.jobs.start(
                _RUN,
                partial(run_part, name, dict(given.inputs), parameters, part),
                partial(self._on_run_done, given, parameters, part),
                self._on_error,
                on_progress=self._on_progress,
                on_cancelled=partial(self._say, "Cancelled."),
            )
            self._show_state()

    def cancel(self) -> None:
        """Stop; what is shown stays."""
        for purpose in (_RUN, _LIVE):
            self.jobs.cancel(purpose)

    def next_change(self) -> None:
        """Go to the next change of the list."""
        self.form.changes.step(1)

    def previous_change(self) -> None:
        """Go to the change before."""
        self.form.changes.step(-1)

    def flip(self) -> None:
        """Show the other one of both images."""
        if not self.blinking.is_on:
            self._start_blinking(by_itself=False)
        self.blinking.flip()

    def save_recipe(self, path: str | Path) -> None:
        """Write the recipe of the last result to `path`."""
        with errors.shown(self._say):
            if self._record is None:
                raise InputError("There is no result yet that can be repeated: press Apply first.")
            written = save_recipe(Path(path), recipe_from_record(self._record))
            other = "" if self._record["operation"] == SERIES_CHANGES.name else " --other IMAGE"
            self._say(
                f"Saved {written.name}. Repeat it with: seedbed run {written.name} IMAGE{other} "
                "-o FOLDER"
            )

    def save_list(self, path: str | Path) -> None:
        """Write the list of changes to `path`."""
        with errors.shown(self._say):
            written = self.form.changes.save_csv(path)
            self._say(f"Saved {written.name}.")

    def _ask_where_to_save_recipe(self) -> None:
        path = ask_for_recipe_path(self, f"{self.form.inputs.image.currentText()} changes")
        if path is not None:
            self.save_recipe(path)

    def _ask_where_to_save_list(self) -> None:
        path = ask_where_to_save(self, "Save list of changes", "changes", "Tables (*.csv)")
        if path is not None:
            self.save_list(path)

    def _go_to(self, row: int) -> None:
        """Bring a change into the middle of the picture, and mark its box."""
        origin = self._origin
        if origin is None or origin.like not in self.viewer.layers:
            return
        place, time = self.form.changes.place(row)
        time = origin.time if time is None else time
        show_place(self.viewer, origin.like, place, time, origin.time_axis)
        self.layers.select(int(self.form.changes.columns["change"][row]), time)

    # Blinking

    def _on_blink(self, on: bool) -> None:
        if not on:
            self.blinking.stop()
        elif not self.blinking.is_on:
            self._start_blinking(by_itself=True)

    def _start_blinking(self, *, by_itself: bool) -> None:
        with errors.shown(self._say):
            self.blinking.start(self._two_views(), by_itself=by_itself)
        self.form.blink.setChecked(self.blinking.is_on)

    def _two_views(self) -> TwoViews:
        inputs = self.form.inputs
        first = inputs.layer
        boxes = None if self.layers.shown is None else self.layers.shown.boxes
        if not self.form.is_series:
            second = inputs.others["other"].layer()
            if second is None or second is first:
                raise InputError("Second image: there is none to show in turn with the first.")
            hidden = [layer for layer in self.viewer.layers if layer not in (first, second, boxes)]
            return views_of_layers(first, second, hidden)
        wish = self._wish()
        if wish is None or wish.time is None or wish.other_time in (None, wish.time):
            raise InputError("Go to a time point that is compared with another one.")
        axis = grid_of(first, inputs.time_axis).axes.index("t")
        places = []
        for t in (wish.time, wish.other_time):
            position = [0.0] * first.ndim
            position[axis] = float(t or 0)
            places.append(float(first.data_to_world(position)[axis]))
        hidden = [layer for layer in self.viewer.layers if layer not in (first, boxes)]
        axis += self.viewer.dims.ndim - first.ndim
        return views_of_times(self.viewer, axis, places[0], places[1], hidden)

    # What the window tells

    def reset_choices(self, event: Any = None) -> None:
        """Offer the layers that there are now; napari calls it when they change."""
        for inputs in self.form.all_inputs():
            inputs.offer()
        self._show_state()

    def showEvent(self, event: QShowEvent | None) -> None:
        """Take up again what nobody saw."""
        super().showEvent(event)
        for key in self._keys:
            key.take()
        self._watch(on=True)
        self._look_soon()

    def hideEvent(self, event: QHideEvent | None) -> None:
        """Nobody sees the panel: give back the keys, and work on nothing."""
        super().hideEvent(event)
        for key in self._keys:
            key.give_back()
        self._watch(on=False)
        self.blinking.stop()
        self.jobs.cancel(_LIVE)

    def _watch(self, *, on: bool) -> None:
        for inputs in self.form.all_inputs():
            inputs.watch(on and inputs is self.form.inputs)

    def _on_source(self) -> None:
        self.blinking.stop()
        self._watch(on=self.isVisible())
        self._on_image_chosen()

    def _on_image_chosen(self, layer: Layer | None = None) -> None:
        image, layer = self._image(), self.form.inputs.image.layer()
        unit = "pixels" if layer is None else unit_symbol(layer.units[-1])
        self.form.fields.show_scale(unit, None if image is None else image.spacing)
        self.form.offer_parts(image)
        self.form.fields.show_row("channels", image is not None and image.n_channels > 1)
        self._show_state()
        self._look_soon()

    def _on_removed(self, layer: Layer) -> None:
        self.blinking.stop()
        self.reset_choices()

    def _on_ended(self) -> None:
        self._timer.stop()
        self.blinking.stop()
        self.jobs.close()

    def _on_dims(self, event: Any = None) -> None:
        image = self._image()
        if image is not None and image.time_axis is not None:
            self._look_soon()

    # The live look

    def _look_soon(self, *_: Any) -> None:
        self._timer.start()

    def _look(self) -> None:
        """Compare what is on screen, unless that is what is shown."""
        if not self.isVisible() or _RUN in self.jobs or self.blinking.is_on:
            return
        is_live = self.form.live.isChecked()
        try:
            wish = self._wish()
        except InputError as error:
            self.jobs.cancel(_LIVE)
            if is_live:
                self._complain(str(error))
            else:
                self.form.controls.outdate()
            return
        if wish is None:
            return
        if wish.key == self._key or self._is_done(wish):
            self.jobs.cancel(_LIVE)
            self._say_current()
            return
        self.form.controls.outdate()
        if not is_live:
            return
        cost = operations.forecast(CHANGES, {"image": wish.pair["image"]}, wish.parameters)
        if cost.seconds > seconds_of("differences"):
            self.form.live.setChecked(False)
            self._say(
                "Live is off, because comparing takes about "
                f"{seconds_in_words(cost.seconds)} here. Press Apply."
            )
            return
        self.jobs.start(
            _LIVE,
            partial(
                run_part,
                CHANGES.name,
                dict(wish.pair),
                dict(wish.parameters),
                Part(),
                context=self._context,
            ),
            partial(self._on_live_done, wish),
            self._on_live_error,
            on_progress=self._on_progress,
        )
        self._show_state()

    def _complain(self, message: str) -> None:
        """Say what is wrong with what is chosen now, and that it is not what is shown."""
        is_shown = self._origin is not None
        self._complaint = f"{message} What is shown is older." if is_shown else message
        self._say(self._complaint)

    def _say_current(self) -> None:
        """What is chosen is what is shown, again."""
        if self._complaint and self.form.status.text() == self._complaint:
            self.form.controls.say_again()
        self._complaint = ""
        self.form.controls.outdate(False)

    def _is_done(self, wish: _Wish) -> bool:
        """Whether Apply has given what is asked for."""
        if self._done is None:
            return False
        given, parameters, part = self._done
        same = (given, parameters) == (self.form.inputs.given(), self.form.parameters())
        return same and part.covers(Part(time=wish.time))

    def _wish(self) -> _Wish | None:
        inputs = self.form.inputs
        if not inputs.is_ready or (not self.form.is_series and inputs.others["other"].count() == 0):
            return None
        given = inputs.given()
        image, other = given.image, given.inputs.get("other")
        frames = {parameter.name for parameter in FRAMES}
        parameters = {k: v for k, v in self.form.parameters().items() if k not in frames}
        time = other_time = None
        if image.time_axis is not None:
            time = time_on_screen(self.viewer, given.like, time_axis=given.time_axis)
        if self.form.is_series:
            if time is None:
                raise InputError(
                    f"'{given.like.name}' has no time axis; choose a series, or compare two images."
                )
            other, other_time = image, self._compared_with(time, image.n_times)
            if other_time == time:
                parameters |= {"register": "none", "match": "none"}
        assert isinstance(other, Image)
        at = other_time if other_time is not None else min(time or 0, other.n_times - 1)
        pair = {"image": image.select_time(time or 0), "other": other.select_time(at)}
        if pair["image"].spatial_shape != pair["other"].spatial_shape:
            raise InputError(
                f"The images have different sizes, {pair['image'].spatial_shape} and "
                f"{pair['other'].spatial_shape}; crop or rescale one to the other's."
            )
        return _Wish(given, parameters, time, other_time, pair)

    def _compared_with(self, time: int, n_times: int) -> int:
        frames = self.form.frames.values()
        if frames["against"] == "previous":
            return max(0, time - 1)
        frame = int(frames["frame"])
        if frame >= n_times:
            raise InputError(
                f"Time point: there is no {frame}; the series has {n_times}, counted from 0."
            )
        return frame

    # What jobs tell

    def _on_live_done(self, wish: _Wish, result: Result) -> None:
        if not self.form.live.isChecked() or _RUN in self.jobs or self.blinking.is_on:
            return
        self._key, self._done = wish.key, None
        slot, where = (_SLOT, "") if wish.time is None else (_SLOT_IN_VIEW, "preview")
        self._show(wish.given, result, wish.parameters, wish.time, slot, where)

    def _on_live_error(self, error: BaseException) -> None:
        # A live look follows every setting: a message box for each would be in the way.
        self._complain(errors.message_of(error))
        if not isinstance(error, errors.MESSAGE_ONLY):
            errors.show(error)

    def _on_run_done(
        self, given: Given, parameters: dict[str, Value], part: Part, result: Result
    ) -> None:
        self._done, self._key = (given, parameters, part), None
        self._record = result.record
        self.layers.remove(_SLOT_IN_VIEW)
        slot = f"{_SLOT} {part.words}" if part.words else _SLOT
        self._show(given, result, parameters, part.time, slot, part.words)
        # what was changed during the run
        self._look_soon()

    def _on_error(self, error: BaseException) -> None:
        self._say(errors.show(error))

    def _on_progress(self, progress: Progress) -> None:
        self.form.controls.show_progress(progress)
        if _RUN in self.jobs:
            self._say(f"{progress.message[:1].upper()}{progress.message[1:]}…")

    def _show(
        self,
        given: Given,
        result: Result,
        parameters: Mapping[str, Value],
        time: int | None,
        slot: str,
        where: str,
    ) -> None:
        with errors.shown(self._say):
            origin = Origin(given.like, given.image, given.choices, given.time_axis, time)
            self.layers.show(result, origin, str(parameters["mode"]), slot, where)
            self._origin = origin
            table = result.table().columns
            self.form.changes.show_changes(table)
            self.form.show_count(len(table["change"]))
            self.form.controls.say_made(" ".join(result.record["notes"]))

    # Small things

    def _image(self) -> Image | None:
        """The image; None where there is none, or not known how to read it."""
        if self.form.inputs.is_ready:
            with suppress(InputError):
                return self.form.inputs.main_image()
        return None

    def _show_state(self) -> None:
        form, is_running = self.form, _RUN in self.jobs
        form.run.setEnabled(form.inputs.is_ready and not is_running)
        form.save_recipe.setEnabled(self._record is not None and not is_running)
        form.save_list.setEnabled(bool(form.changes.columns))
        form.controls.show_running(len(self.jobs) > 0)

    def _say(self, message: str) -> None:
        self.form.controls.say(message)
