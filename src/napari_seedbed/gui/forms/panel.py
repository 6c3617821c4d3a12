"""What all panels have in common: layers, jobs, messages, recipes, and the end."""

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakMethod

from napari.layers import Layer
from napari.utils.notifications import show_info
from qtpy.QtGui import QHideEvent, QShowEvent
from qtpy.QtWidgets import QCheckBox, QVBoxLayout, QWidget

from napari_seedbed.core.progress import Progress
from napari_seedbed.errors import Cancelled, InputError
from napari_seedbed.gui.forms.live_preview import Asked, LivePreview
from napari_seedbed.gui.forms.machine_speed import machine_speed
from napari_seedbed.gui.forms.panel_form import PanelForm
from napari_seedbed.gui.forms.project_saving import ask_for_project_path, save_layers
from napari_seedbed.gui.forms.restore_bar import RestoreBar
from napari_seedbed.gui.forms.save_dialogs import ask_for_recipe_path
from napari_seedbed.gui.layers.canvas_context import CanvasContext
from napari_seedbed.gui.layers.hand_edits import changed_by_hand
from napari_seedbed.gui.qt import errors
from napari_seedbed.gui.qt.controls import button, in_row
from napari_seedbed.gui.qt.delays import Delay
from napari_seedbed.gui.qt.dock_tabs import DockTab
from napari_seedbed.gui.qt.jobs import JobFunction, Jobs
from napari_seedbed.gui.qt.panel_end import PanelEnd
from napari_seedbed.pipeline.operations import Forecast
from napari_seedbed.pipeline.recipes import recipe_from_record
from napari_seedbed.pipeline.recipes.recipe_model import Recipe
from napari_seedbed.pipeline.recipes.scripts import SUFFIX, USE, save_recipe_or_script

if TYPE_CHECKING:
    from napari.viewer import Viewer

RUN = "run"
"""The purpose of the job that **Run** begins."""


class Panel(QWidget):
    """A widget that lives in a dock: it follows the layers, works beside the window, and ends.

    It ends once, whether it was closed, taken out of its dock, or its viewer closed. All jobs and
    delays below it, its own and those of its parts, stop then.

    Parameters
    ----------
    viewer : Viewer
    content : QWidget
    tabbed : bool
        Whether the panel shares its side with others as tabs, which hide each other.

    Attributes
    ----------
    jobs : Jobs
    offers_earlier_work : bool
        Whether a line at the top offers the work of a window that ended at once.
    """

    offers_earlier_work = True

    def __init__(self, viewer: "Viewer", content: QWidget, *, tabbed: bool = True) -> None:
        super().__init__()
        self.viewer = viewer
        self.jobs = Jobs(self)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(4)
        self._restore_bar = RestoreBar(viewer)
        self._column.addWidget(self._restore_bar)
        self._column.addWidget(content, 1)
        self.save_project = button(
            "Save project…",
            "Keep all layers, what is chosen in the panels and what is in view in one file, to go "
            "on from there: drag the file into the window, or File > Open.",
        )
        self.save_project.setFlat(True)
        self.save_project.clicked.connect(self._ask_where_to_save_project)
        self._foot = in_row(None, self.save_project)
        self._foot.setContentsMargins(8, 0, 8, 2)
        self._column.addLayout(self._foot)
        CanvasContext(self, viewer)
        self._heard: list[tuple[Any, WeakMethod[Callable[..., None]]]] = []
        layers = viewer.layers.events
        self._listen(self.reset_choices, layers.inserted, layers.reordered, layers.renamed)
        self._listen(self._on_layers_removed, layers.removed)
        end = PanelEnd(self)
        end.ended.connect(self._on_ended)
        if tabbed:
            end.ended.connect(DockTab(self).leave)

    # What each panel says for itself

    def reset_choices(self, event: Any = None) -> None:
        """Offer the layers that there are now; napari calls it when they change."""

    def _wake(self) -> None:
        """Somebody sees the panel again: catch up."""

    def _rest(self) -> None:
        """Nobody sees the panel: work on nothing, and leave nothing that only it can take away."""

    def _on_removed(self, layer: Layer) -> None:
        """A layer is gone."""
        self.reset_choices()

    def _on_ended(self) -> None:
        """The panel is over, while everything is still there."""
        for delay in self.findChildren(Delay):
            delay.stop()
        for jobs in self.findChildren(Jobs):
            jobs.close()
        for emitter, method in self._heard:
            slot = method()
            if slot is not None:
                emitter.disconnect(slot)
        # napari connects this as well, for what is in a dock
        self.viewer.layers.events.removed.disconnect(self.reset_choices)

    # What serves all panels

    def _listen(self, slot: Callable[..., None], *emitters: Any) -> None:
        """Call `slot` at these events of napari, until the panel is over."""
        for emitter in emitters:
            emitter.connect(slot)
            self._heard.append((emitter, WeakMethod(slot)))

    def _listen_to_view(self, slot: Callable[..., None]) -> None:
        """Call `slot` when another slice or another display is in view."""
        dims = self.viewer.dims.events
        self._listen(slot, dims.point, dims.ndisplay, dims.order)

    @property
    def is_busy(self) -> bool:
        """Whether anything is under way beside the window, or soon will be."""
        return any(len(jobs) for jobs in self.findChildren(Jobs)) or any(
            delay.is_waiting for delay in self.findChildren(Delay)
        )

    def _ask_where_to_save_project(self) -> None:
        path = ask_for_project_path(self, self.viewer)
        if path is None:
            return
        with errors.shown(), suppress(Cancelled):
            show_info(save_layers(path, self.viewer, list(self.viewer.layers)))

    def _on_layers_removed(self, event: Any) -> None:
        self._on_removed(event.value)

    def showEvent(self, event: QShowEvent | None) -> None:
        """Catch up."""
        super().showEvent(event)
        self._restore_bar.begin(offer=self.offers_earlier_work)
        self._wake()

    def hideEvent(self, event: QHideEvent | None) -> None:
        """Rest; a window that is only minimised goes on."""
        if event is None or not event.spontaneous():
            self._rest()
        super().hideEvent(event)


class RunPanel(Panel):
    """A panel with Run, Cancel, a status line, and a recipe of the last result.

    Parameters
    ----------
    viewer : Viewer
    form : PanelForm
        With `controls` and a button `save_recipe`.
    follow : QCheckBox, optional
        Switches on a preview of what `_asked` returns.
    fixed_controls : bool
        Whether the controls of the run stand below the form, always in sight.
    tabbed : bool
        As for `Panel`.

    Attributes
    ----------
    record : dict or None
        How the last result was made.
    about : str
        What results are of, for names of files.
    working : str
        The message until a run reports how far it is.
    use_of_recipe : str
        What to do with a saved recipe, whose name takes the place of {}.
    cancellable : tuple of str
        Purposes of the jobs that Cancel stops.
    forecasts_each_time : bool
        Whether forecasts are of one time point of several.
    preview : LivePreview
        Where there is a box to follow.
    """

    forecasts_each_time = False
    form: PanelForm
    preview: LivePreview
    cancellable: tuple[str, ...] = (RUN,)
    about = ""
    working = "Working…"
    use_of_recipe = "Repeat it with: seedbed run {} IMAGE -o FOLDER"

    def __init__(
        self,
        viewer: "Viewer",
        form: PanelForm,
        follow: QCheckBox | None = None,
        *,
        fixed_controls: bool = False,
        tabbed: bool = True,
    ) -> None:
        super().__init__(viewer, form, tabbed=tabbed)
        self.form, self.controls = form, form.controls
        self.record: Mapping[str, Any] | None = None
        self._follow_box = follow
        # Why a run is being stopped, where nobody asked for it.
        self._why_stopped = ""
        self._foretold: Forecast | None = None
        self._save_button = form.save_recipe
        if fixed_controls:
            self._column.insertWidget(self._column.count() - 1, self.controls)
        self.controls.run.clicked.connect(self.run)
        self.controls.cancel.clicked.connect(self.cancel)
        self._save_button.clicked.connect(self._ask_where_to_save)
        self.jobs.changed.connect(self._enable)
        if follow is not None:
            self.preview = LivePreview(viewer, self._asked, self._say, self)
            follow.toggled.connect(self._follow)

    # What each panel says for itself

    def run(self) -> None:
        """Start the run beside the window."""
        raise NotImplementedError

    def _recipe_name(self) -> str:
        """What a recipe is called where nobody says otherwise."""
        return self.about

    def _is_ready(self) -> bool:
        """Whether there is something to run on."""
        return True

    def _forecast(self) -> Forecast | None:
        """What a run would cost, as it is declared; None where nothing can be said."""
        return None

    def _speed_name(self) -> str:
        """What runs are called that take alike, see `machine_speed`; empty where nothing is."""
        return ""

    def _asked(self) -> Asked | None:
        """What the preview shall show; None for nothing."""
        return None

    # A run

    @property
    def is_running(self) -> bool:
        """Whether a run is under way."""
        return RUN in self.jobs

    def cancel(self) -> None:
        """Stop; what is shown stays."""
        if self.is_running:
            self._say("Stopping…")
        self.jobs.cancel(*self.cancellable)

    def _start(
        self, function: JobFunction, on_done: Callable[[Any], None], *, is_foretold: bool = True
    ) -> None:
        """Begin a run beside the window, of which forecasts are, or one of another kind."""

        name = self._speed_name() if is_foretold else ""
        foretold, began = self._foretold, time.monotonic()

        def done(result: Any) -> None:
            seconds = time.monotonic() - began
            self._say("")
            on_done(result)
            if name and foretold is not None:
                machine_speed.learn(name, foretold.seconds, seconds)
                self._show_forecast()

        self._say(self.working)
        self.jobs.start(
            RUN,
            function,
            done,
            self._on_error,
            on_progress=self._on_progress,
            on_cancelled=self._on_cancelled,
        )

    def _on_progress(self, progress: Progress) -> None:
        self.controls.show_progress(progress)
        if progress.message:
            self._say(f"{progress.message[:1].upper()}{progress.message[1:]}…")

    def _on_error(self, error: BaseException) -> None:
        self._say(errors.show(error))

    def _on_cancelled(self) -> None:
        why, self._why_stopped = self._why_stopped, ""
        self._say(why or "Cancelled.")

    def _stop_because(self, why: str) -> None:
        """Stop a run that nobody wants any more, and say why."""
        if self.is_running:
            self._why_stopped = why
            self.jobs.cancel(RUN)

    def _enable(self) -> None:
        """Let the buttons be pressed that mean something now."""
        running = self.is_running
        self.controls.run.setEnabled(self._is_ready() and not running)
        self._save_button.setEnabled(self.record is not None and not running)
        self.controls.show_running(any(one in self.jobs for one in self.cancellable))

    # The recipe

    def save_recipe(self, path: str | Path) -> None:
        """Write the recipe of the last result to `path`, as a script where that ends in .py."""
        with errors.shown(self._say):
            recipe = self._recipe()
            written = save_recipe_or_script(path, recipe)
            use = USE if written.suffix == SUFFIX else self.use_of_recipe
            use = use.format(written.name)
            self._say(" ".join([f"Saved {written.name}.", *recipe.notes, use]).rstrip())

    def _recipe(self) -> Recipe:
        """The recipe of the last result."""
        return recipe_from_record(self._with_lacks(self._recipe_record()))

    def _with_lacks(self, record: Mapping[str, Any]) -> Mapping[str, Any]:
        """The record, which says what its result has beyond it."""
        lacks = [
            f"'{name}' was changed by hand after it was made, which the recipe does not hold; that "
            "of Proofread holds what is edited there."
            for name in changed_by_hand(self.viewer.layers, record)
        ]
        return {**record, "lacks": [*record.get("lacks", ()), *lacks]}

    def _recipe_record(self) -> Mapping[str, Any]:
        """How the last result was made; InputError where that cannot be repeated."""
        if self.record is None:
            raise InputError(f"There is no result yet: press {self.controls.run.text()} first.")
        return self.record

    def _ask_where_to_save(self) -> None:
        path = ask_for_recipe_path(self, self._recipe_name())
        if path is not None:
            self.save_recipe(path)

    # What is said and shown

    def _say(self, text: str) -> None:
        self.controls.say(text)

    def _show_forecast(self, *_: Any) -> Forecast | None:
        """Say what a run will cost, or in the same place why that is not known."""
        forecast = None
        self.controls.forecast.setText("")
        try:
            forecast = self._expected()
        except InputError as error:
            self.controls.forecast.setText(str(error))
        if forecast is not None:
            self.controls.show_forecast(forecast, each_time=self.forecasts_each_time)
        return forecast

    def _expected(self) -> Forecast | None:
        """What a run would cost on this machine."""
        self._foretold = self._forecast()
        if self._foretold is None or not (name := self._speed_name()):
            return self._foretold
        return machine_speed.corrected(name, self._foretold)

    def _follow(self, *_: Any) -> None:
        """Show a preview where that is wanted and somebody sees it."""
        if self._follow_box is not None:
            self.preview.set_on(self._follow_box.isChecked() and self.isVisible())

    def _wake(self) -> None:
        self._follow()

    def _rest(self) -> None:
        if self._follow_box is not None:
            self.preview.set_on(False)

    def _on_ended(self) -> None:
        super()._on_ended()
        if self._follow_box is not None:
            self.preview.close()


def removed_in_words(layer: Layer) -> str:
    """The message where a layer was removed that was in use."""
    return (
        f"'{layer.name}' was removed while it was in use, so the run was stopped. Choose another "
        "layer, or open it again."
    )
