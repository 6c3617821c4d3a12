"""The differences panel: what changed between two images, or along a series, live and listed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari.layers import Layer
from qtpy.QtCore import Qt
from qtpy.QtGui import QShortcut

from napari_seedbed.errors import InputError
from napari_seedbed.gui.forms.inputs_panel import InputsPanel, ScaledFields, Task
from napari_seedbed.gui.forms.operation_inputs import Given
from napari_seedbed.gui.forms.operation_results import Finished
from napari_seedbed.gui.forms.panel import RUN
from napari_seedbed.gui.forms.part_runs import run_part
from napari_seedbed.gui.forms.save_dialogs import ask_where_to_save, kinds_of_files
from napari_seedbed.gui.layers.grids import grid_of
from napari_seedbed.gui.layers.output_layers import Origin
from napari_seedbed.gui.layers.plain_viewers import plain
from napari_seedbed.gui.layers.view_position import Part, show_place, time_on_screen
from napari_seedbed.gui.layers.viewer_keys import ViewerKey
from napari_seedbed.gui.qt import errors
from napari_seedbed.gui.qt.delays import Delay
from napari_seedbed.gui.qt.plugin_settings import key_of, seconds_of
from napari_seedbed.gui.tools.differences.blinking import (
    Blinking,
    TwoViews,
    views_of_layers,
    views_of_times,
)
from napari_seedbed.gui.tools.differences.difference_layers import DifferenceLayers
from napari_seedbed.gui.tools.differences.differences_form import DifferencesForm
from napari_seedbed.pipeline import operations
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.data.memory import seconds_in_words
from napari_seedbed.pipeline.engine.parameters import Value
from napari_seedbed.pipeline.operations import Context, Operation, Result
from napari_seedbed.pipeline.operations.difference_parameters import FRAMES
from napari_seedbed.pipeline.operations.differences import CHANGES, SERIES_CHANGES

if TYPE_CHECKING:
    from napari.viewer import Viewer

_LIVE = "live"
_SLOT, _SLOT_IN_VIEW = "differences", "differences in view"
_WAIT_SECONDS = 0.08
_USE = "Repeat it with: seedbed run {{}} IMAGE{} -o FOLDER"


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
        """Equal for comparisons of the same things."""
        return (self.given, tuple(self.parameters.items()), self.time, self.other_time)


class DifferencesPanel(InputsPanel):
    """Dock widget of the differences.

    Parameters
    ----------
    napari_viewer : Viewer
    """

    about = "changes"
    cancellable = (RUN, _LIVE)
    form: DifferencesForm

    def __init__(self, napari_viewer: "Viewer") -> None:
        napari_viewer = plain(napari_viewer)
        super().__init__(napari_viewer, DifferencesForm(napari_viewer), fixed_controls=True)
        self.layers = DifferenceLayers(napari_viewer)
        self.blinking = Blinking(self)
        self._context = Context(live=True)
        # What is shown.
        self._origin: Origin | None = None
        self._key: tuple[Any, ...] | None = None
        # Why what is chosen cannot be compared, while that is said.
        self._complaint = ""
        self._look_soon = Delay(self, _WAIT_SECONDS, self._look)
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
            inputs.times.activated.connect(self._on_image_chosen)
        form.source.currentIndexChanged.connect(self._on_source)
        for signal in (form.fields.changed, form.frames.changed, form.live.toggled):
            signal.connect(self._look_soon.start)
        form.changes.chosen.connect(self._go_to)
        form.next.clicked.connect(self.next_change)
        form.previous.clicked.connect(self.previous_change)
        form.blink.toggled.connect(self._on_blink)
        form.save_list.clicked.connect(self._ask_where_to_save_list)
        self.blinking.stopped.connect(partial(form.blink.setChecked, False))
        self._listen(self._on_dims, self.viewer.dims.events.point)

    # What the base asks for

    def _chosen(self) -> tuple[Operation, Mapping[str, Any]]:
        return (SERIES_CHANGES if self.form.is_series else CHANGES), self.form.parameters()

    def _scaled_fields(self) -> Sequence[ScaledFields]:
        return (self.form.fields,)

    def _is_ready(self) -> bool:
        return self.form.inputs.is_ready

    def _show(self, task: Task, finished: Finished) -> str:
        self._key = None
        self.layers.remove(_SLOT_IN_VIEW)
        where = task.part.words
        is_series = task.operation is SERIES_CHANGES
        self.use_of_recipe = _USE.format("" if is_series else " --other IMAGE")
        # what was changed during the run
        self._look_soon.start()
        slot = f"{_SLOT} {where}" if where else _SLOT
        return self._show_changes(task.origin, finished.result, task.parameters, slot, where)

    # What people do

    def run(self) -> None:
        """Compare everything, or the time point in view, and keep it."""
        self.blinking.stop()
        self.jobs.cancel(_LIVE)
        super().run()

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

    def save_list(self, path: str | Path) -> None:
        """Write the list of changes to `path`."""
        with errors.shown(self._say):
            written = self.form.changes.save(path)
            self._say(f"Saved {written.name}.")

    def _ask_where_to_save_list(self) -> None:
        path = ask_where_to_save(self, "Save list of changes", "changes", kinds_of_files("table"))
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

    # Events of the window

    def _wake(self) -> None:
        super()._wake()
        for key in self._keys:
            key.take()
        self._look_soon.start()

    def _rest(self) -> None:
        super()._rest()
        for key in self._keys:
            key.give_back()
        self.blinking.stop()
        self.jobs.cancel(_LIVE)

    def _on_source(self) -> None:
        self.blinking.stop()
        for inputs in self.form.all_inputs():
            inputs.watch(self.isVisible() and inputs is self.form.inputs)
        self._on_image_chosen()

    def _on_image_chosen(self, layer: Any = None) -> None:
        image = self._outline()
        self._show_units()
        self._offer_parts()
        self.form.fields.show_row("channels", image is not None and image.n_channels > 1)
        self._enable()
        self._look_soon.start()

    def _on_settings_changed(self, *_: Any) -> None:
        # the look shows whether the result is older
        self._look_soon.start()

    def _on_removed(self, layer: Layer) -> None:
        self.blinking.stop()
        super()._on_removed(layer)

    def _on_ended(self) -> None:
        super()._on_ended()
        self.blinking.stop()

    def _on_dims(self, event: Any = None) -> None:
        image = self._outline()
        if image is not None and image.time_axis is not None:
            self._look_soon.start()

    # The live look

    def _look(self) -> None:
        """Compare what is on screen, unless that is what is shown."""
        if not self.isVisible() or self.is_running or self.blinking.is_on:
            return
        is_live = self.form.live.isChecked()
        try:
            wish = self._wish()
        except InputError as error:
            self.jobs.cancel(_LIVE)
            if is_live:
                self._complain(str(error))
            else:
                self.controls.outdate()
            return
        if wish is None:
            return
        if wish.key == self._key or self._is_done(wish):
            self.jobs.cancel(_LIVE)
            self._say_current()
            return
        self.controls.outdate()
        if not is_live:
            return
        cost = operations.forecast(CHANGES, {"image": wish.pair["image"]}, wish.parameters)
        if cost.seconds > seconds_of("differences"):
            self.form.live.setChecked(False)
            self._say(
                "Preview is off, because comparing takes about "
                f"{seconds_in_words(cost.seconds)} here. Press Run."
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
            on_progress=self.controls.show_progress,
        )

    def _complain(self, message: str) -> None:
        """Say what is wrong with what is chosen now, and that it is not what is shown."""
        is_shown = self._origin is not None
        self._complaint = f"{message} What is shown is older." if is_shown else message
        self._say(self._complaint)

    def _say_current(self) -> None:
        """What is chosen is what is shown, again."""
        if self._complaint and self.form.status.text() == self._complaint:
            self.controls.say_again()
        self._complaint = ""
        self.controls.outdate(False)

    def _is_done(self, wish: _Wish) -> bool:
        """Whether a run has given what is asked for."""
        made = self.made
        return made is not None and self._is_current() and made.part.covers(Part(time=wish.time))

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

    # Results of jobs

    def _on_live_done(self, wish: _Wish, result: Result) -> None:
        if not self.form.live.isChecked() or self.is_running or self.blinking.is_on:
            return
        self._key, self.made = wish.key, None
        given = wish.given
        origin = Origin(given.like, given.image, given.choices, given.time_axis, wish.time)
        slot, where = (_SLOT, "") if wish.time is None else (_SLOT_IN_VIEW, "preview")
        with errors.shown(self._say):
            text = self._show_changes(origin, result, wish.parameters, slot, where)
            self.controls.say_made(text)

    def _on_live_error(self, error: BaseException) -> None:
        # A live look follows every setting: a message box for each would be in the way.
        self._complain(errors.message_of(error))
        if not isinstance(error, errors.MESSAGE_ONLY):
            errors.show(error)

    def _show_changes(
        self,
        origin: Origin,
        result: Result,
        parameters: Mapping[str, Value],
        slot: str,
        where: str,
    ) -> str:
        # the grid stays, whatever else an operation on all of it might do
        self._origin = origin = replace(origin, whole=False)
        self.layers.show(result, origin, str(parameters["mode"]), slot, where)
        table = result.table().columns
        self.form.changes.show_changes(table)
        self.form.show_count(len(table["change"]))
        return " ".join(result.record["notes"])

    def _enable(self) -> None:
        super()._enable()
        self.form.save_list.setEnabled(bool(self.form.changes.columns))
