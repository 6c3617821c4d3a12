"""The region graph panel: regions that are joined with a slider and by hand."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Layer
from numpy.typing import NDArray
from qtpy.QtCore import QTimer
from qtpy.QtGui import QHideEvent, QShowEvent
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_seedbed.core.progress import Progress
from napari_seedbed.core.regions.region_edits import edits_text
from napari_seedbed.errors import InputError
from napari_seedbed.gui import errors
from napari_seedbed.gui.covered_layers import hide
from napari_seedbed.gui.grids import unit_symbol
from napari_seedbed.gui.jobs import Job
from napari_seedbed.gui.layer_records import is_preview, record_of
from napari_seedbed.gui.operation_inputs import Given
from napari_seedbed.gui.operation_results import Finished, OperationResults
from napari_seedbed.gui.output_layers import Origin, OutputLayers
from napari_seedbed.gui.panel_life import PanelLife
from napari_seedbed.gui.part_runs import run_and_count
from napari_seedbed.gui.region_graph_form import SLIDER_STEPS, RegionGraphForm
from napari_seedbed.gui.region_graph_layers import RegionGraphLayers
from napari_seedbed.gui.region_graph_session import Built, Question, RegionGraphSession
from napari_seedbed.gui.region_tools import RegionTools
from napari_seedbed.gui.save_dialogs import ask_for_recipe_path
from napari_seedbed.gui.view_position import Part, part_in_view
from napari_seedbed.pipeline import operations
from napari_seedbed.pipeline.image import Image
from napari_seedbed.pipeline.operations import Operation, Result
from napari_seedbed.pipeline.parameters import Value
from napari_seedbed.pipeline.recipes import recipe_from_record, save_recipe
from napari_seedbed.pipeline.shapes import Shapes

if TYPE_CHECKING:
    from napari.viewer import Viewer

_LOOK_MS = 40
_DRAW_MS = 120
"""The graph is drawn anew when the slider rests: a third of the time of a move is not spent."""


class RegionGraphPanel(QWidget):
    """Dock widget of the region graph.

    Parameters
    ----------
    napari_viewer : Viewer
    """

    def __init__(self, napari_viewer: "Viewer") -> None:
        super().__init__()
        self.viewer = napari_viewer
        self.operation = operations.get("region_graph_merge")
        self._superpixels = operations.get("slic")
        self.form = RegionGraphForm(napari_viewer, self.operation, self._superpixels)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self.form, 1)
        # Always in sight, however many changes by hand are told above.
        column.addWidget(self.form.controls)
        self.inputs = self.form.inputs
        self.session = RegionGraphSession(self.operation, self)
        self.layers = RegionGraphLayers(napari_viewer)
        self.results = OperationResults(napari_viewer, self.operation)
        self.tools = RegionTools(napari_viewer, self.form, self.session)
        self.job: Job | None = None
        self._regions_made = OutputLayers(napari_viewer)
        self._record: Any = None
        self._groups: NDArray[np.int64] | None = None
        # The graph whose result was applied last, until something is changed.
        self._applied: Built | None = None
        self._look = self._timer(_LOOK_MS, self._look_now)
        self._draw = self._timer(_DRAW_MS, self._draw_graph)
        self._connect()
        self.form.fields.show_row("sigma", False)
        self.reset_choices()
        if self.inputs.others["other"].layer() is None:
            self.form.superpixels.toggle()

    def _timer(self, interval: int, action: Any) -> QTimer:
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.setInterval(interval)
        timer.timeout.connect(action)
        return timer

    def _connect(self) -> None:
        form, session = self.form, self.session
        self.inputs.image_chosen.connect(self._on_inputs)
        self.inputs.changed.connect(self._on_inputs)
        form.fields.changed.connect(self._on_fields)
        form.make.clicked.connect(self.make_superpixels)
        form.slider.valueChanged.connect(self._on_slider)
        form.count.valueChanged.connect(self._on_count)
        form.level.valueChanged.connect(self._on_level)
        form.graph.toggled.connect(self._draw_graph)
        form.average.toggled.connect(self._show_average)
        self.tools.changed.connect(self._show)
        self.tools.chosen.connect(self._show_chosen)
        self.tools.said.connect(self._say)
        form.controls.run.clicked.connect(self.apply)
        form.controls.cancel.clicked.connect(self.cancel)
        form.save_recipe.clicked.connect(self._ask_where_to_save)
        session.built.connect(self._look_now)
        session.failed.connect(self._on_failed)
        self._life = PanelLife(self, self.viewer)
        self._life.layer_removed.connect(self._on_removed)
        self._life.ended.connect(self._on_ended)

    # What people do

    def make_superpixels(self) -> None:
        """Cut the image into regions, and take these."""
        if self.job is not None:
            return
        with errors.shown(self._say):
            image, like = self.inputs.main_image(), self.inputs.layer
            origin = Origin(
                like, image, self.inputs.channels.choices(), self.inputs.time_axis, None
            )
            self._start(
                self._superpixels,
                {"image": image},
                self.form.superpixel_fields.values(),
                Part(),
                partial(self._on_superpixels, origin),
            )

    def apply(self) -> None:
        """Keep what the slider and the changes by hand give, as layers of their own."""
        if self.job is not None:
            return
        with errors.shown(self._say):
            given = self.inputs.given()
            part = self.form.apply_to.part(self.viewer, given.like, given.image, given.time_axis)
            self._start(
                self.operation,
                dict(given.inputs),
                self.parameters(),
                part,
                partial(self._on_applied, given, part, self._asked()),
            )

    def cancel(self) -> None:
        """Stop; what is shown stays."""
        if self.job is not None:
            self._say("Stopping…")
            self.job.cancel()

    def save_recipe(self, path: str | Path) -> None:
        """Write the recipe of the last result to `path`."""
        with errors.shown(self._say):
            if self._record is None:
                raise InputError("There is no result yet: press Apply first.")
            written = save_recipe(Path(path), recipe_from_record(self._record))
            self._say(
                f"Saved {written.name}. Repeat it with: seedbed run {written.name} IMAGE -o FOLDER"
            )

    def parameters(self) -> dict[str, Value]:
        """What a run is given: what the panel shows now."""
        session = self.session
        return {
            **self.form.values(),
            "stop_at": session.stop_at,
            "level": float(self.form.level.value()),
            "n_regions": session.n_regions,
            "edits": edits_text(self.tools.edits),
            "average": self.form.average.isChecked(),
        }

    # What the window tells

    def reset_choices(self, event: Any = None) -> None:
        """Offer the layers that there are now."""
        self.inputs.offer()
        self._enable()

    def showEvent(self, event: QShowEvent | None) -> None:
        """Show the graph again."""
        super().showEvent(event)
        self._follow(True)
        self._look.start()

    def hideEvent(self, event: QHideEvent | None) -> None:
        """Nobody sees the panel: leave no preview and no tool behind."""
        super().hideEvent(event)
        self._follow(False)
        self._rest()

    def _follow(self, on: bool) -> None:
        """Notice what changes, or cease to."""
        self.inputs.watch(on)
        dims = self.viewer.dims.events
        for event in (dims.point, dims.ndisplay, dims.order):
            event.disconnect(self._on_dims)
            if on:
                event.connect(self._on_dims)

    def _rest(self) -> None:
        self._look.stop()
        self._draw.stop()
        self.tools.put_away()
        self.layers.clear()

    def _on_inputs(self, layer: Any = None) -> None:
        self.tools.forget_first()
        self._show_units()
        self._look.start()

    def _on_dims(self, event: Any = None) -> None:
        if self.isVisible() and not self._look.isActive():
            self._look.start()

    def _on_removed(self, layer: Layer) -> None:
        self.reset_choices()
        if not is_preview(layer):
            self._look.start()

    def _on_ended(self) -> None:
        self._rest()
        self.session.close()
        if self.job is not None:
            self.job.abandon()

    def _show_units(self) -> None:
        if not self.inputs.is_ready:
            return
        with errors.shown(self._say):
            image = self.inputs.main_image()
            for fields in (self.form.fields, self.form.superpixel_fields):
                fields.show_scale(unit_symbol(self.inputs.layer.units[-1]), image.spacing)
            self.form.apply_to.offer(self.operation, image)
            self.form.show_apply_to()

    # The graph

    def _look_now(self) -> None:
        """Ask for the graph of what is chosen, and show it where it is there."""
        if not self.isVisible():
            return
        if not self.inputs.is_ready or self.inputs.others["other"].layer() is None:
            self._forget("Open an image, and choose its regions or make superpixels.")
            return
        try:
            given = self.inputs.given()
            part = part_in_view(self.viewer, given.like, given.image, given.time_axis)
            question = Question(given, part.time, float(self.form.values()["sigma"]))
            self.session.ask(question)
        except InputError as error:
            self._forget(str(error))
            return
        built = self.session.now
        if built is None or not question.same_as(built.question):
            self._say("Finding out which regions touch…")
            self._enable()
            return
        if not len(built.graph.labels):
            self.layers.clear()
            self._groups = None
            name = self.inputs.others["other"].currentText()
            self._say(f"'{name}' holds no regions here.")
            return
        self.layers.look_at(built, part)
        self._enable()
        # What was applied is not covered again before something changes.
        if self._applied is not built:
            self._show()

    @property
    def _built(self) -> Built | None:
        """The graph on screen; None while there is none, or another one than was asked for."""
        built = self.session.now
        return built if built is self.layers.built and not self.session.is_busy else None

    def _forget(self, why: str) -> None:
        """Show nothing: there is nothing to work on."""
        self.session.forget()
        self.tools.put_away()
        self.layers.clear()
        self._groups = None
        self._say(why)
        self._enable()

    def _on_failed(self, error: BaseException) -> None:
        self._forget(errors.show(error))

    def _on_fields(self) -> None:
        values = self.form.values()
        self.session.method = values["method"]  # type: ignore[assignment]
        self.session.weight = values["weight"]  # type: ignore[assignment]
        self.form.fields.show_row("sigma", values["weight"] == "boundary")
        # The level of one weight means nothing for another; the number of regions does.
        self.session.stop_at = "n_regions"
        self._applied = None
        self._look.start()

    def _on_slider(self, position: int) -> None:
        built = self._built
        if built is not None:
            self._stop_at_count(round(len(built.graph.labels) ** (1 - position / SLIDER_STEPS)))

    def _on_count(self, count: int) -> None:
        self._stop_at_count(count)

    def _stop_at_count(self, count: int) -> None:
        self.session.stop_at, self.session.n_regions = "n_regions", max(1, count)
        self._show()

    def _on_level(self, level: float) -> None:
        self.session.stop_at, self.session.level = "level", level
        self._show()

    # What is shown

    def _show(self) -> None:
        """Show the regions as they are joined now; the graph follows."""
        built = self._built
        if built is None or not len(built.graph.labels) or not self.isVisible():
            return
        self._applied = None
        self._groups, notes = self.session.groups(tuple(self.tools.edits))
        with errors.shown(self._say):
            self.layers.show_labels(self._groups)
            self._show_average()
        self.tools.forget_first()
        self._show_chosen(None)
        self._draw.start()
        self._show_stop()
        left = len(np.unique(self._groups))
        self._say(" ".join([f"{len(built.graph.labels):,} regions, joined to {left:,}.", *notes]))
        self._enable()

    def _show_stop(self) -> None:
        session, built = self.session, self.session.now
        assert built is not None
        count = len(built.graph.labels)
        left = count - session.steps
        share = np.log(max(left, 1)) / np.log(count) if count > 1 else 1.0
        level = session.level if session.stop_at == "level" else session.tree.level_of(
            session.steps
        )  # fmt: skip
        self.form.show_stop(round(SLIDER_STEPS * (1 - float(share))), left, count, level)
        if session.stop_at == "level":
            session.n_regions = max(left, 1)

    def _show_average(self, checked: bool = False) -> None:
        if self._groups is not None and self._built is not None and self.isVisible():
            self.layers.show_average(self._groups, self.form.average.isChecked())

    def _show_chosen(self, region: int | None) -> None:
        """Mark the group of a region, or none."""
        if region is None or self._groups is None or self._built is None:
            self.layers.show_chosen(None, None)
        else:
            self.layers.show_chosen(self._groups, int(self._groups[region]))

    def _draw_graph(self, checked: bool = False) -> None:
        if self._groups is None or self._built is None or not self.isVisible():
            return
        with errors.shown(self._say):
            why_not = self.layers.show_graph(
                self._groups, self.session.weight, self.form.graph.isChecked()
            )
            if why_not:
                self._say(why_not)

    # Runs

    def _start(
        self,
        operation: Operation,
        inputs: dict[str, Image | Shapes],
        parameters: dict[str, Value],
        part: Part,
        on_done: Any,
    ) -> None:
        self.job = Job(
            partial(run_and_count, operation, inputs, parameters, part),
            on_done=on_done,
            on_error=self._on_error,
            on_progress=self._on_progress,
            on_cancelled=partial(self._end, "Cancelled."),
        )
        self._say("Working…")
        self.form.controls.show_running(True)
        self._enable()
        self.job.start()

    def _on_superpixels(self, origin: Origin, finished: Finished) -> None:
        result: Result = finished.result
        self._end("")
        with errors.shown(self._say):
            shown = self._regions_made.show(
                "labels",
                result.image("labels"),
                origin,
                name="{} superpixels",
                record=result.record,
                slot="region_graph/superpixels",
            )
            self.reset_choices()
            self.inputs.others["other"].choose(shown[0])
            # The merged regions lie over it, and show the same where nothing is merged.
            shown[0].visible = False
            self._look.start()

    def _asked(self) -> tuple[Built | None, dict[str, Value]]:
        """What is applied: where it is the same afterwards, the result is what is shown."""
        return self._built, self.parameters()

    def _on_applied(
        self,
        given: Given,
        part: Part,
        asked: tuple[Built | None, dict[str, Value]],
        finished: Finished,
    ) -> None:
        self._record = finished.result.record
        self._end("")
        with errors.shown(self._say):
            origin = Origin(given.like, given.image, given.choices, given.time_axis, part.time)
            text = self.results.show(finished, origin, part.words)
            if asked != self._asked():
                self._say(f"{text} The settings have changed since.")
                return
            # Previews would hide what came out; they come back with the next change.
            self._draw.stop()
            self._applied = self._built
            self.layers.hide()
            if self.form.average.isChecked():
                self._hide_labels(finished.result)
            self._say(text)

    def _hide_labels(self, result: Result) -> None:
        """Let the picture in mean colours be seen, which its labels would cover."""
        for layer in list(self.viewer.layers):
            if record_of(layer) == result.record:
                hide(self.viewer, layer)

    def _on_progress(self, progress: Progress) -> None:
        self.form.controls.show_progress(progress)

    def _on_error(self, error: BaseException) -> None:
        self._end(errors.show(error))

    def _end(self, message: str) -> None:
        self.job = None
        self.form.controls.show_running(False)
        self._enable()
        self._say(message)

    def _ask_where_to_save(self) -> None:
        path = ask_for_recipe_path(self, f"{self.inputs.image.currentText()} regions")
        if path is not None:
            self.save_recipe(path)

    # Small things

    def _enable(self) -> None:
        form, idle = self.form, self.job is None
        is_built = self._built is not None
        edits = self.tools.edits
        form.make.setEnabled(idle and self.inputs.image.layer() is not None)
        form.controls.run.setEnabled(idle and is_built)
        form.save_recipe.setEnabled(idle and self._record is not None)
        for widget in (form.slider, form.count, form.level, *form.tools.values()):
            widget.setEnabled(is_built)
        form.undo.setEnabled(bool(edits))
        form.clear.setEnabled(bool(edits))
        form.show_changes(edits)

    def _say(self, message: str) -> None:
        self.form.controls.say(message)
