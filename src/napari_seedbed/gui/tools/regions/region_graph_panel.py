"""The region graph panel: regions that are joined with a slider and by hand."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Layer
from numpy.typing import NDArray

from napari_seedbed.core.regions.region_edits import edits_text
from napari_seedbed.errors import InputError
from napari_seedbed.gui.forms.inputs_panel import InputsPanel, ScaledFields, Task
from napari_seedbed.gui.forms.operation_results import Finished, OperationResults
from napari_seedbed.gui.forms.part_runs import run_and_count
from napari_seedbed.gui.layers.covered_layers import hide
from napari_seedbed.gui.layers.layer_records import is_preview, record_of
from napari_seedbed.gui.layers.output_layers import Origin, OutputLayers
from napari_seedbed.gui.layers.plain_viewers import plain
from napari_seedbed.gui.layers.view_position import Part, part_in_view
from napari_seedbed.gui.qt import errors
from napari_seedbed.gui.qt.delays import Delay
from napari_seedbed.gui.tools.regions.region_graph_form import SLIDER_STEPS, RegionGraphForm
from napari_seedbed.gui.tools.regions.region_graph_layers import (
    FEW_LINES,
    MOST_LINES,
    RegionGraphLayers,
)
from napari_seedbed.gui.tools.regions.region_graph_session import (
    Built,
    Question,
    RegionGraphSession,
)
from napari_seedbed.gui.tools.regions.region_tools import RegionTools
from napari_seedbed.pipeline import operations
from napari_seedbed.pipeline.engine.parameters import Value
from napari_seedbed.pipeline.operations import Operation, Result

if TYPE_CHECKING:
    from napari.viewer import Viewer

_LOOK_SECONDS = 0.04
_DRAW_SECONDS = 0.12
"""The graph is drawn anew when the slider rests: a third of the time of a move is not spent."""


class RegionGraphPanel(InputsPanel):
    """Dock widget of the region graph.

    Parameters
    ----------
    napari_viewer : Viewer
    """

    about = "regions"
    form: RegionGraphForm

    def __init__(self, napari_viewer: "Viewer") -> None:
        napari_viewer = plain(napari_viewer)
        self.operation = operations.get("region_graph_merge")
        self._superpixels = operations.get("slic")
        form = RegionGraphForm(napari_viewer, self.operation, self._superpixels)
        # The controls are always in sight, however many changes by hand are told above.
        super().__init__(napari_viewer, form, fixed_controls=True)
        self.inputs = self.form.inputs
        self.session = RegionGraphSession(self.operation, self)
        self.layers = RegionGraphLayers(napari_viewer)
        self.results = OperationResults(napari_viewer, self.operation.title)
        self.tools = RegionTools(napari_viewer, self.form, self.session)
        self._regions_made = OutputLayers(napari_viewer)
        self._groups: NDArray[np.int64] | None = None
        self._wants_graph = False
        # The graph whose result was applied last, until something is changed.
        self._applied: Built | None = None
        self._look = Delay(self, _LOOK_SECONDS, self._look_now)
        self._draw = Delay(self, _DRAW_SECONDS, self._draw_graph)
        self._connect()
        self.form.fields.show_row("sigma", False)
        self.reset_choices()
        if self.inputs.others["other"].layer() is None:
            self.form.superpixels.toggle()

    def _connect(self) -> None:
        form, session = self.form, self.session
        form.fields.changed.connect(self._on_fields)
        form.make.clicked.connect(self.make_superpixels)
        form.slider.valueChanged.connect(self._on_slider)
        form.count.valueChanged.connect(self._on_count)
        form.level.valueChanged.connect(self._on_level)
        form.graph.toggled.connect(self._on_graph)
        form.average.toggled.connect(self._show_average)
        form.average.toggled.connect(self._on_settings_changed)
        self.tools.changed.connect(self._show_joined)
        self.tools.chosen.connect(self._show_chosen)
        self.tools.said.connect(self._say)
        session.built.connect(self._look_now)
        session.failed.connect(self._on_failed)
        self._listen_to_view(self._on_dims)

    # What the base asks for

    def _chosen(self) -> tuple[Operation, Mapping[str, Any]]:
        return self.operation, self.parameters()

    def _scaled_fields(self) -> Sequence[ScaledFields]:
        return (self.form.fields, self.form.superpixel_fields)

    def _is_ready(self) -> bool:
        return self._built is not None

    # What people do

    def make_superpixels(self) -> None:
        """Cut the image into regions, and take these."""
        if self.is_running:
            return
        with errors.shown(self._say):
            image, like = self.inputs.main_image(), self.inputs.layer
            origin = Origin(
                like, image, self.inputs.channels.choices(), self.inputs.time_axis, None
            )
            self._start(
                partial(
                    run_and_count,
                    self._superpixels,
                    {"image": image},
                    self.form.superpixel_fields.values(),
                    Part(),
                ),
                partial(self._on_superpixels, origin),
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

    # Events of the window

    def _wake(self) -> None:
        super()._wake()
        self._look.start()

    def _rest(self) -> None:
        super()._rest()
        self._put_away()

    def _put_away(self) -> None:
        self._look.stop()
        self._draw.stop()
        self.tools.put_away()
        self.layers.clear()

    def _on_image_chosen(self, layer: Layer | None) -> None:
        self._on_inputs_changed()

    def _on_inputs_changed(self) -> None:
        self.tools.forget_first()
        self._show_units()
        self._offer_parts()
        self._look.start()

    def _on_dims(self, event: Any = None) -> None:
        if self.isVisible():
            self._look.start_once()

    def _on_removed(self, layer: Layer) -> None:
        super()._on_removed(layer)
        if not is_preview(layer):
            self._look.start()

    def _on_ended(self) -> None:
        super()._on_ended()
        self._put_away()

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
            self._show_joined()

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
        self._show_joined()

    def _on_level(self, level: float) -> None:
        self.session.stop_at, self.session.level = "level", level
        self._show_joined()

    # What is shown

    def _show_joined(self) -> None:
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

    def _draw_graph(self) -> None:
        if self._groups is None or self._built is None or not self.isVisible():
            return
        with errors.shown(self._say):
            # what a person has ticked is drawn as far as it can be
            most = MOST_LINES if self._wants_graph else FEW_LINES
            on = self.form.graph.isChecked()
            why_not = self.layers.show_graph(self._groups, self.session.weight, on, most)
            if why_not:
                self._say(why_not)

    def _on_graph(self, on: bool) -> None:
        self._wants_graph = on
        self._draw_graph()

    # Runs

    def _on_superpixels(self, origin: Origin, finished: Finished) -> None:
        result = finished.result
        with errors.shown(self._say):
            shown = self._regions_made.show(
                "labels",
                result.image("labels"),
                origin,
                name="{} > superpixels",
                record=result.record,
                slot="region_graph/superpixels",
            )
            self.reset_choices()
            self.inputs.others["other"].choose(shown[0])
            # The merged regions lie over it, and show the same where nothing is merged.
            shown[0].visible = False
            self._look.start()

    def _task(self) -> Task:
        # where it is the same afterwards, the result is what is shown
        self._built_then = self._built
        return super()._task()

    def _show(self, task: Task, finished: Finished) -> str:
        text = self.results.show(finished, task.origin, task.part.words)
        if self._built_then is not self._built or not self._is_current():
            return text
        # Previews would hide what came out; they come back with the next change.
        self._draw.stop()
        self._applied = self._built
        self.layers.hide()
        if self.form.average.isChecked():
            self._hide_labels(finished.result)
        return text

    def _hide_labels(self, result: Result) -> None:
        """Let the picture in mean colours be seen, which its labels would cover."""
        for layer in list(self.viewer.layers):
            if record_of(layer) == result.record:
                hide(self.viewer, layer)

    # Small things

    def _enable(self) -> None:
        super()._enable()
        form, edits, is_built = self.form, self.tools.edits, self._built is not None
        form.make.setEnabled(not self.is_running and self.inputs.image.layer() is not None)
        for widget in (form.slider, form.count, form.level, *form.tools.values()):
            widget.setEnabled(is_built)
        form.undo.setEnabled(bool(edits))
        form.clear.setEnabled(bool(edits))
        form.show_changes(edits)
