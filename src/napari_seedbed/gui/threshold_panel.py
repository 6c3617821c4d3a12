"""The threshold panel: a histogram, a line to drag, and the mask of the slice in view."""

from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari.layers import Layer
from napari.utils.theme import get_theme
from qtpy.QtCore import QTimer
from qtpy.QtGui import QHideEvent, QShowEvent
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_seedbed.core.progress import Progress
from napari_seedbed.errors import InputError
from napari_seedbed.gui import errors
from napari_seedbed.gui.counted_images import CLASS_MARKS, Counted, CountedImages
from napari_seedbed.gui.grids import unit_symbol
from napari_seedbed.gui.jobs import Job
from napari_seedbed.gui.layer_records import name_of_source
from napari_seedbed.gui.live_preview import Asked, LivePreview
from napari_seedbed.gui.operation_inputs import Given
from napari_seedbed.gui.operation_results import Finished, OperationResults
from napari_seedbed.gui.output_layers import Origin
from napari_seedbed.gui.panel_life import PanelLife
from napari_seedbed.gui.part_runs import run_and_count
from napari_seedbed.gui.save_dialogs import ask_for_recipe_path
from napari_seedbed.gui.threshold_comparison import Candidate, Comparison
from napari_seedbed.gui.threshold_form import ThresholdForm
from napari_seedbed.gui.view_position import Part, part_in_view
from napari_seedbed.pipeline import operations
from napari_seedbed.pipeline.image import Image
from napari_seedbed.pipeline.parameters import Value
from napari_seedbed.pipeline.recipes import recipe_from_record, save_recipe
from napari_seedbed.pipeline.threshold_operations import METHOD_TITLES, PANEL

if TYPE_CHECKING:
    from napari.viewer import Viewer

VALUES = ("value", "low", "high")
"""Parameters that are grey values, shown by lines."""

ONE, CLASSES, TWO = "threshold", "multi_otsu", ("threshold_between", "threshold_hysteresis")
LOCAL_TITLES = {"gaussian": "Local, Gaussian", "mean": "Local, mean", "median": "Local, median"}

_FOLLOW_SECONDS = 0.05


class ThresholdPanel(QWidget):
    """Dock widget of the thresholds.

    Parameters
    ----------
    napari_viewer : Viewer
    """

    def __init__(self, napari_viewer: "Viewer") -> None:
        super().__init__()
        self.viewer = napari_viewer
        # The one without parameters is for recipes: here it is a method of another.
        kinds = [op for op in operations.operations.values() if op.panel == PANEL and op.parameters]
        self.form = ThresholdForm(napari_viewer, kinds)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.form)
        self.counts = CountedImages(self)
        self.comparison = Comparison(self)
        self.preview = LivePreview(napari_viewer, self._asked, self._say, self)
        self.job: Job | None = None
        self.counted: Counted | None = None
        self._results: dict[str, OperationResults] = {}
        self._record: Mapping[str, Any] | None = None
        self._done: tuple[Given, str, dict[str, Value], Part] | None = None
        self._shown: dict[str, dict[str, Value]] = {
            kind.name: {p.name: p.default for p in kind.parameters if p.name in VALUES}
            for kind in kinds
        }
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(round(1000 * _FOLLOW_SECONDS))
        self._connect()
        self._take_theme()
        self.reset_choices()

    def _connect(self) -> None:
        form = self.form
        form.inputs.image_chosen.connect(self._on_image_chosen)
        form.inputs.changed.connect(self._on_image_changed)
        form.scope.currentIndexChanged.connect(self._count)
        form.plot.moved.connect(self._on_line_moved)
        form.plot.chosen.connect(self.use_method)
        form.kind.currentIndexChanged.connect(self._on_kind)
        form.objects.currentIndexChanged.connect(self._on_parameters)
        for fields in form.all_fields():
            fields.changed.connect(self._on_parameters)
        form.follow.toggled.connect(self._on_follow)
        form.run.clicked.connect(self.run)
        form.cancel.clicked.connect(self.cancel)
        form.compare.clicked.connect(self.compare)
        form.save_recipe.clicked.connect(self._ask_where_to_save)
        self.counts.counted.connect(self._on_counted)
        self.counts.failed.connect(self._on_count_failed)
        self.counts.progressed.connect(self._on_count_progress)
        self.comparison.chosen.connect(self._on_candidate)
        self.comparison.failed.connect(self._on_compare_failed)
        self.comparison.ended.connect(self._on_compare_ended)
        self._timer.timeout.connect(self._count)
        self.viewer.dims.events.point.connect(self._on_dims)
        self.viewer.dims.events.ndisplay.connect(self._on_dims)
        self.viewer.dims.events.order.connect(self._on_dims)
        self.viewer.events.theme.connect(self._take_theme)
        self._life = PanelLife(self, self.viewer)
        self._life.layer_removed.connect(self.reset_choices)
        self._life.ended.connect(self._on_ended)

    # What people do

    def use_method(self, method: str) -> None:
        """Use an automatic value, whose name was clicked."""
        if method in CLASS_MARKS:
            self.form.choose(CLASSES, classes=len(CLASS_MARKS) + 1)
        else:
            self.form.choose(ONE, method=method)

    def run(self) -> None:
        """Make a layer of it."""
        if self.job is not None:
            return
        with errors.shown(self._say):
            given, kind = self.form.inputs.given(), self.form.kind_name()
            parameters = self.form.parameters()
            part = self.form.apply_to.part(self.viewer, given.like, given.image, given.time_axis)
            self.preview.finish()
            self.job = Job(
                partial(run_and_count, kind, {"image": given.image}, parameters, part),
                on_done=partial(self._show, given, kind, parameters, part),
                on_error=self._on_error,
                on_progress=self._on_progress,
                on_cancelled=self._on_cancelled,
            )
            self._say("Working…")
            self._show_running(True)
            self.job.start()

    def cancel(self) -> None:
        """Stop; what is shown stays."""
        if self.job is not None:
            self._say("Stopping…")
            self.job.cancel()

    def compare(self) -> None:
        """Show what every method marks on the slice in view."""
        with errors.shown(self._say):
            given = self.form.inputs.given()
            part = part_in_view(self.viewer, given.like, given.image, given.time_axis)
            if part.region is None and len(given.image.spatial_shape) == 3:
                raise InputError("There is no slice in view in the 3D display; switch to 2D.")
            self.form.compare.setEnabled(False)
            self._say("Making pictures of all methods…")
            self.comparison.show(given.image, part, self._candidates())

    def save_recipe(self, path: str | Path) -> None:
        """Write the recipe of the last result to `path`."""
        with errors.shown(self._say):
            if self._record is None:
                raise InputError("There is no result yet: press Apply first.")
            written = save_recipe(Path(path), recipe_from_record(self._record))
            self._say(
                f"Saved {written.name}. Repeat it with: seedbed run {written.name} IMAGE -o FOLDER"
            )

    def _ask_where_to_save(self) -> None:
        path = ask_for_recipe_path(self, f"{self.form.inputs.image.currentText()} threshold")
        if path is not None:
            self.save_recipe(path)

    def _on_line_moved(self, values: tuple[float, ...]) -> None:
        kind = self.form.kind_name()
        if kind == ONE:
            self.form.set_quietly(method="manual", value=values[0])
        elif kind in TWO:
            self.form.set_quietly(method="manual", low=values[0], high=values[1])
        self._show_values()
        self._tell_outdated()
        self.preview.look_again()

    def _on_kind(self) -> None:
        self._show_lines()
        self._tell_outdated()
        self.form.apply_to.offer(self.form.operation(), self._image())
        self.preview.look_again()

    def _on_parameters(self) -> None:
        fields = self.form.fields().values()
        typed = {name: fields[name] for name in VALUES if name in fields}
        if self._shown.get(self.form.kind_name()) != typed and "method" in fields and typed:
            # Somebody has typed another value.
            self.form.set_quietly(method="manual")
        self._show_lines()
        self._tell_outdated()
        self.preview.look_again()

    def _tell_outdated(self) -> None:
        """Say it where a run would give something else than it has given."""
        now = (self.form.kind_name(), self.form.parameters())
        self.form.controls.outdate(self._done is None or self._done[1:3] != now)

    # What the window tells

    def reset_choices(self, event: Any = None) -> None:
        """Offer the layers that there are now; napari calls it when they change."""
        self.form.inputs.offer()
        self._enable()

    def showEvent(self, event: QShowEvent | None) -> None:
        """Take up again what nobody saw."""
        super().showEvent(event)
        self._on_follow()
        self._count()

    def hideEvent(self, event: QHideEvent | None) -> None:
        """Nobody sees the panel: show no preview that nobody can switch off."""
        super().hideEvent(event)
        self._on_follow(on=False)
        self.counts.stop()

    def _on_follow(self, checked: bool = False, *, on: bool | None = None) -> None:
        on = self.form.follow.isChecked() if on is None else on
        self.form.inputs.watch(self.isVisible())
        self.preview.set_on(on)

    def _on_dims(self, event: Any = None) -> None:
        if not self._timer.isActive() and self.isVisible():
            self._timer.start()

    def _on_image_chosen(self, layer: Layer | None) -> None:
        image = self._image()
        unit = "pixels" if layer is None else unit_symbol(layer.units[-1])
        self.form.show_scale(unit, None if image is None else image.spacing)
        self._say("")
        self._on_image_changed()

    def _on_image_changed(self) -> None:
        self._done = None
        self._tell_outdated()
        self.counts.forget()
        self.counted = None
        self.form.plot.show_counts(None, None)
        self.form.plot.show_values({})
        self.form.offer_scopes(self._image())
        self._enable()
        self._count()
        self.preview.look_again()

    def _on_ended(self) -> None:
        self._timer.stop()
        self.counts.close()
        self.comparison.abandon()
        self.form.value_range.abandon()
        if self.job is not None:
            self.job.abandon()
        self.preview.close()

    def _take_theme(self, event: Any = None) -> None:
        theme = get_theme(self.viewer.theme)
        self.form.plot.take_colours(theme.text.as_hex(), theme.highlight.as_hex())

    # The histogram

    def _count(self) -> None:
        """Show the histogram of what is in view."""
        if not self.isVisible() or not self.form.inputs.is_ready:
            return
        with errors.shown(self._say):
            given = self.form.inputs.given()
            here = part_in_view(self.viewer, given.like, given.image, given.time_axis)
            scope = self.form.scope_name()
            part = Part(
                here.region if scope == "slice" else None,
                None if scope == "series" else here.time,
            )
            known = self.counts.ask(given.image, part)
            if known is not None:
                self._on_counted(known)

    def _on_counted(self, found: Counted) -> None:
        if found is self.counted:
            return
        self.counted = found
        self.form.controls.show_progress(Progress(0.0, ""))
        self.form.plot.show_values(found.marks())
        self._show_lines()
        self.form.plot.show_counts(found.histogram.edges, found.histogram.counts)
        self.preview.look_again()

    def _on_count_failed(self, error: BaseException) -> None:
        self.counted = None
        self.form.plot.show_counts(None, None)
        self.form.plot.show_values({})
        self._say(errors.message_of(error))
        if not isinstance(error, errors.MESSAGE_ONLY):
            errors.show(error)

    def _on_count_progress(self, progress: Progress) -> None:
        if self.job is None:
            self.form.controls.show_progress(progress)

    def _values(self) -> tuple[float, ...]:
        """The values that divide the image in view now; empty where they are not known."""
        kind, parameters = self.form.kind_name(), self.form.fields().values()
        if kind == ONE:
            method = str(parameters["method"])
            if method == "manual":
                return (float(parameters["value"]),)
            found = {} if self.counted is None else self.counted.values
            return (found[method],) if method in found else ()
        if kind in TWO:
            if parameters["method"] == "manual":
                return tuple(sorted((float(parameters["low"]), float(parameters["high"]))))
            return () if self.counted is None else self.counted.classes(3)
        if kind == CLASSES and self.counted is not None:
            return self.counted.classes(int(parameters["classes"]))
        return ()

    def _show_lines(self) -> None:
        kind, plot = self.form.kind_name(), self.form.plot
        values = self._values()
        plot.set_lines(values, movable=kind != CLASSES)
        parameters = self.form.fields().values()
        automatic = kind in (ONE, *TWO) and parameters["method"] != "manual"
        if automatic and values:
            # So that typing, or dragging, begins where the line is.
            names = ("value",) if kind == ONE else ("low", "high")
            self.form.set_quietly(**dict(zip(names, values, strict=True)))
        self._show_values()

    def _remember(self) -> None:
        """What the fields say, to know later what somebody has typed."""
        fields = self.form.fields().values()
        self._shown[self.form.kind_name()] = {
            name: fields[name] for name in VALUES if name in fields
        }

    def _show_values(self) -> None:
        """Say what the values are, and which name is in use."""
        self._remember()
        kind, values = self.form.kind_name(), self._values()
        method = str(self.form.fields().values().get("method", ""))
        is_named = kind == ONE and method != "manual"
        is_marked = kind == CLASSES and len(values) == len(CLASS_MARKS)
        self.form.plot.mark_chosen([method] if is_named else CLASS_MARKS if is_marked else ())
        why_not = {} if self.counted is None else self.counted.why_not
        if is_named and method in why_not:
            self.form.values.setText(why_not[method])
        elif kind == CLASSES and values:
            listed = ", ".join(f"{value:.6g}" for value in values)
            self.form.values.setText(f"Classes end at {listed}.")
        else:
            self.form.values.setText("")
        self.form.values.setVisible(bool(self.form.values.text()))

    # The preview

    def _known_parameters(self, kind: str) -> dict[str, Value]:
        """Parameters of the preview: values that are known need not be found anew."""
        parameters, values = self.form.parameters(kind), self._values()
        if kind != self.form.kind_name() or not values:
            return parameters
        if kind == ONE:
            return {**parameters, "method": "manual", "value": values[0]}
        if kind in TWO:
            return {**parameters, "method": "manual", "low": values[0], "high": values[1]}
        return parameters

    def _asked(self) -> Asked | None:
        """What the preview shall show; nothing where the result is shown already."""
        form = self.form
        if self.job is not None or not form.inputs.is_ready or not self.isVisible():
            return None
        given, kind = form.inputs.given(), form.kind_name()
        if kind in (ONE, CLASSES, *TWO) and not self._values():
            return None
        if self._done is not None and self._done[:3] == (given, kind, form.parameters()):
            here = part_in_view(self.viewer, given.like, given.image, given.time_axis)
            if self._done[3].covers(here):
                return None
        return Asked(
            kind,
            given.inputs,
            self._known_parameters(kind),
            given.like,
            given.time_axis,
            f"{name_of_source(given.like)} threshold",
            given.choices,
        )

    # Comparing

    def _candidates(self) -> list[Candidate]:
        form = self.form
        found: list[Candidate] = []
        one = form.parameters(ONE)
        values = {} if self.counted is None else self.counted.values
        for method, title in METHOD_TITLES.items():
            if method in values:
                known = {**one, "method": "manual", "value": values[method]}
                found.append(
                    Candidate(f"{title}, {values[method]:.5g}", ONE, {"method": method}, known)
                )
        for kind in (CLASSES, *TWO, "threshold_local", "sauvola", "niblack"):
            parameters, title = form.parameters(kind), form.kinds[kind].title
            if kind == "threshold_local":
                found += [
                    Candidate(title, kind, {"method": method}, {**parameters, "method": method})
                    for method, title in LOCAL_TITLES.items()
                ]
            else:
                found.append(Candidate(title, kind, {}, parameters))
        return found

    def _on_candidate(self, candidate: Candidate) -> None:
        self._say("")
        self.form.choose(candidate.kind, **candidate.chosen)

    def _on_compare_failed(self, error: BaseException) -> None:
        self._say(errors.show(error))

    def _on_compare_ended(self) -> None:
        self._enable()
        self._say("Click the picture that fits best.")

    # What the job tells

    def _on_progress(self, progress: Progress) -> None:
        self.form.controls.show_progress(progress)
        self._say(progress.message)

    def _on_error(self, error: BaseException) -> None:
        self._end(errors.show(error))
        self.preview.look_again()

    def _on_cancelled(self) -> None:
        self._end("Cancelled.")
        self.preview.look_again()

    def _show(
        self,
        given: Given,
        kind: str,
        parameters: dict[str, Value],
        part: Part,
        finished: Finished,
    ) -> None:
        # not where something was changed during the run
        is_current = self.form.inputs.would_give(given)
        self._done = (given, kind, parameters, part) if is_current else None
        self._record = finished.result.record
        self._end("")
        with errors.shown(self._say):
            origin = Origin(given.like, given.image, given.choices, given.time_axis, part.time)
            if kind not in self._results:
                self._results[kind] = OperationResults(self.viewer, self.form.kinds[kind])
            self.form.controls.say_made(self._results[kind].show(finished, origin, part.words))
            self._tell_outdated()

    # Small things

    def _image(self) -> Image | None:
        """The image; None where there is none, or not known how to read it."""
        if self.form.inputs.is_ready:
            with suppress(InputError):
                return self.form.inputs.main_image()
        return None

    def _enable(self) -> None:
        is_ready = self.form.inputs.is_ready
        self.form.run.setEnabled(is_ready and self.job is None)
        self.form.compare.setEnabled(is_ready and not self.comparison.is_busy)

    def _show_running(self, running: bool) -> None:
        self._enable()
        self.form.save_recipe.setEnabled(not running and self._record is not None)
        self.form.controls.show_running(running)

    def _end(self, message: str) -> None:
        self.job = None
        self._show_running(False)
        self._say(message)

    def _say(self, message: str) -> None:
        self.form.controls.say(message)
