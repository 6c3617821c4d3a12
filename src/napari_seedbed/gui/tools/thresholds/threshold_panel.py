"""The threshold panel: a histogram, a line to drag, and the mask of the slice in view."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import floor
from typing import TYPE_CHECKING, Any

from napari.utils.theme import get_theme

from napari_seedbed.core.progress import Progress
from napari_seedbed.errors import InputError
from napari_seedbed.gui.forms.inputs_panel import InputsPanel, ScaledFields, Task
from napari_seedbed.gui.forms.live_preview import Asked
from napari_seedbed.gui.forms.operation_results import Finished, OperationResults
from napari_seedbed.gui.layers.plain_viewers import plain
from napari_seedbed.gui.layers.resolutions import (
    image_at,
    level_for_statistics,
    resolution_in_words,
)
from napari_seedbed.gui.layers.view_position import Part, part_in_view
from napari_seedbed.gui.qt import errors
from napari_seedbed.gui.qt.delays import Delay
from napari_seedbed.gui.tools.thresholds.counted_images import CLASS_MARKS, Counted, CountedImages
from napari_seedbed.gui.tools.thresholds.threshold_comparison import Candidate, Comparison
from napari_seedbed.gui.tools.thresholds.threshold_form import VALUES, ThresholdForm
from napari_seedbed.pipeline import operations
from napari_seedbed.pipeline.engine.parameters import Value
from napari_seedbed.pipeline.operations import Operation
from napari_seedbed.pipeline.operations.thresholds import METHOD_TITLES, PANEL

if TYPE_CHECKING:
    from napari.viewer import Viewer

ONE, CLASSES, TWO = "threshold", "multi_otsu", ("threshold_between", "threshold_hysteresis")
LOCAL_TITLES = {"gaussian": "Local, Gaussian", "mean": "Local, mean", "median": "Local, median"}

_FOLLOW_SECONDS = 0.05


class ThresholdPanel(InputsPanel):
    """Dock widget of the thresholds.

    Parameters
    ----------
    napari_viewer : Viewer
    """

    about = "threshold"
    form: ThresholdForm

    def __init__(self, napari_viewer: "Viewer") -> None:
        napari_viewer = plain(napari_viewer)
        kinds = [op for op in operations.operations.values() if op.panel == PANEL]
        form = ThresholdForm(napari_viewer, kinds)
        super().__init__(napari_viewer, form, form.follow)
        self.counts = CountedImages(self)
        self.comparison = Comparison(self, self.jobs, self._say)
        self.counted: Counted | None = None
        self._smoothed_by, self._is_whole = 0.0, False
        self._results: dict[str, OperationResults] = {}
        self._shown: dict[str, dict[str, Value]] = {
            kind.name: {p.name: p.default for p in kind.parameters if p.name in VALUES}
            for kind in kinds
        }
        self._count_soon = Delay(self, _FOLLOW_SECONDS, self._count)
        self._connect()
        self._take_theme()
        self.reset_choices()

    def _connect(self) -> None:
        form = self.form
        form.scope.currentIndexChanged.connect(self._count)
        form.plot.moved.connect(self._on_line_moved)
        form.plot.chosen.connect(self.use_method)
        form.kind.currentIndexChanged.connect(self._on_kind)
        form.objects.currentIndexChanged.connect(self._on_parameters)
        for fields in form.all_fields():
            fields.changed.connect(self._on_parameters)
        form.cleaning.changed.connect(self._on_cleaning)
        form.compare.clicked.connect(self.compare)
        self.counts.counted.connect(self._on_counted)
        self.counts.failed.connect(self._on_count_failed)
        self.counts.progressed.connect(self._on_count_progress)
        self.comparison.chosen.connect(self._on_candidate)
        self._listen_to_view(self._count_soon.start_once)
        self._listen(self._take_theme, self.viewer.events.theme)

    # What the base asks for

    def _chosen(self) -> tuple[Operation, Mapping[str, Any]]:
        return self.form.operation(), self.form.parameters()

    def _scaled_fields(self) -> Sequence[ScaledFields]:
        return (self.form,)

    def _is_ready(self) -> bool:
        return self.form.inputs.is_ready

    # What people do

    def use_method(self, method: str) -> None:
        """Use an automatic value, whose name was clicked."""
        if method in CLASS_MARKS:
            self.form.choose(CLASSES, classes=len(CLASS_MARKS) + 1)
        else:
            self.form.choose(ONE, method=method)

    def compare(self) -> None:
        """Show what every method marks on the slice in view."""
        with errors.shown(self._say):
            given = self.form.inputs.given()
            part = part_in_view(self.viewer, given.like, given.image, given.time_axis)
            if part.region is None and len(given.image.spatial_shape) == 3:
                raise InputError("There is no slice in view in the 3D display; switch to 2D.")
            self.comparison.show(given.image, part, self._candidates())

    def _on_line_moved(self, values: tuple[float, ...]) -> None:
        kind = self.form.kind_name()
        values = self._whole(values)
        if kind == ONE:
            self.form.set_quietly(method="manual", value=values[0])
        elif kind in TWO:
            self.form.set_quietly(method="manual", low=values[0], high=values[1])
        self._show_values()
        self._on_settings_changed()

    def _on_kind(self) -> None:
        self._show_lines()
        self._offer_parts()
        self._on_settings_changed()

    def _on_parameters(self) -> None:
        fields = self.form.fields().values()
        typed = {name: fields[name] for name in VALUES if name in fields}
        if self._shown.get(self.form.kind_name()) != typed and "method" in fields and typed:
            # Somebody has typed another value.
            self.form.set_quietly(method="manual")
        self._show_lines()
        self._on_settings_changed()

    def _on_cleaning(self) -> None:
        """Smoothing or the smallest size are others: values are found in the smoothed image."""
        if self.form.smoothing() != self._smoothed_by:
            self.counted = None
            self._count()
        self._on_settings_changed()

    # Events of the window

    def _wake(self) -> None:
        super()._wake()
        self._count()

    def _rest(self) -> None:
        super()._rest()
        self.counts.stop()

    def _on_inputs_changed(self) -> None:
        self.counts.forget()
        self.counted = None
        self.form.plot.show_counts(None, None)
        self.form.plot.show_values({})
        outline = self._outline()
        self.form.offer_scopes(outline)
        self._is_whole = outline is not None and outline.dtype.kind in "iu"
        self.form.show_whole(self._is_whole)
        self._offer_parts()
        self._enable()
        self._count()
        self._on_settings_changed()

    def _take_theme(self, event: Any = None) -> None:
        theme = get_theme(self.viewer.theme)
        colours = (theme.text, theme.highlight, theme.background)
        self.form.plot.take_colours(*(colour.as_hex() for colour in colours))

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
            self._smoothed_by = self.form.smoothing()
            level = 0 if part.region is not None else level_for_statistics(given.like)
            image = given.image
            if level:
                image = image_at(given.like, given.choices, given.time_axis, level)
                resolution = resolution_in_words(given.like, level)
                self._say(f"The histogram is counted at {resolution}; Run counts all voxels.")
            known = self.counts.ask(image, part, self._smoothed_by)
            if known is not None:
                self._on_counted(known)

    def _on_counted(self, found: Counted) -> None:
        if found is self.counted:
            return
        self.counted = found
        self.controls.show_progress(Progress(0.0, ""))
        self.form.plot.show_values(
            {key: (title, self._whole([value])[0]) for key, (title, value) in found.marks().items()}
        )
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
        if not self.is_running:
            self.controls.show_progress(progress)

    def _whole(self, values: Sequence[float]) -> tuple[float, ...]:
        """Values that mark the same, whole numbers where the image holds such."""
        return tuple(map(floor, values)) if self._is_whole else tuple(values)

    def _values(self) -> tuple[float, ...]:
        """The values that divide the image in view now; empty where they are not known."""
        return self._whole(self._exact_values())

    def _exact_values(self) -> tuple[float, ...]:
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
        """What the preview shall show; nothing before its values are known."""
        kind = self.form.kind_name()
        if not self.isVisible() or (kind in (ONE, CLASSES, *TWO) and not self._values()):
            return None
        asked = super()._asked()
        if asked is None:
            return None
        return replace(asked, operation=kind, parameters=self._known_parameters(kind))

    # Comparing

    def _candidates(self) -> list[Candidate]:
        form = self.form
        found: list[Candidate] = []
        one = form.parameters(ONE)
        values = {} if self.counted is None else self.counted.values
        for method, title in METHOD_TITLES.items():
            if method in values:
                (value,) = self._whole([values[method]])
                known = {**one, "method": "manual", "value": value}
                found.append(Candidate(f"{title}, {value:.5g}", ONE, {"method": method}, known))
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

    # Results of jobs

    def _on_error(self, error: BaseException) -> None:
        super()._on_error(error)
        self.preview.look_again()

    def _on_cancelled(self) -> None:
        super()._on_cancelled()
        self.preview.look_again()

    def _show(self, task: Task, finished: Finished) -> str:
        name = task.operation.name
        if name not in self._results:
            self._results[name] = OperationResults(self.viewer, task.operation.title)
        return self._results[name].show(finished, task.origin, task.part.words)

    def _enable(self) -> None:
        super()._enable()
        self.form.compare.setEnabled(self._is_ready() and not self.comparison.is_busy)
