"""The chromaticity panel: patches on an image, their colours, and all that has such colours."""

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari.layers import Image as ImageLayer
from napari.layers import Labels, Layer, Shapes
from qtpy.QtCore import QSignalBlocker, QTimer
from qtpy.QtGui import QHideEvent, QShowEvent
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_seedbed.core.colour.colour_classes import LEVELS
from napari_seedbed.errors import InputError
from napari_seedbed.gui import errors
from napari_seedbed.gui.chromaticity_form import OUTPUTS, SELECTION, ChromaticityForm
from napari_seedbed.gui.colour_patches import (
    Learnt,
    count_classes,
    draw_next,
    is_patches,
    learn,
    marks_of,
    new_patch_layer,
    set_next_class,
)
from napari_seedbed.gui.colour_results import ColourResults, compare_levels, show_classes
from napari_seedbed.gui.contact_sheet import ContactSheet, Picture
from napari_seedbed.gui.image_choice import ImageChoice
from napari_seedbed.gui.layer_records import is_preview, is_result, is_truth
from napari_seedbed.gui.live_preview import Asked, LivePreview
from napari_seedbed.gui.output_layers import Origin
from napari_seedbed.gui.panel_life import PanelLife
from napari_seedbed.gui.part_runs import run_part
from napari_seedbed.gui.purpose_jobs import PurposeJobs
from napari_seedbed.gui.save_dialogs import ask_for_recipe_path
from napari_seedbed.gui.seeds_watch import SeedsWatch
from napari_seedbed.gui.shown_histogram import ShownHistogram
from napari_seedbed.gui.view_position import part_in_view
from napari_seedbed.pipeline import operations
from napari_seedbed.pipeline.colour_encoding import outline_as_text
from napari_seedbed.pipeline.image import Image
from napari_seedbed.pipeline.operations import Operation, Result
from napari_seedbed.pipeline.recipes import recipe_from_record, save_recipe
from napari_seedbed.pipeline.shapes import Shapes as DrawnShapes

if TYPE_CHECKING:
    from napari.viewer import Viewer

PANEL = "chromaticity"
LOOK_MILLISECONDS = 60

_BEGIN = "Press New patch and drag a rectangle over the wanted colour."


class ChromaticityPanel(QWidget):
    """Dock widget of colours.

    Parameters
    ----------
    napari_viewer : Viewer
    """

    def __init__(self, napari_viewer: "Viewer") -> None:
        super().__init__()
        self.viewer = napari_viewer
        self.form = ChromaticityForm(
            [op for op in operations.operations.values() if op.panel == PANEL]
        )
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self.form, 1)
        column.addWidget(self.form.controls)
        self.results = ColourResults(napari_viewer)
        self.images = ImageChoice(
            napari_viewer, self.form.image, self.form.channels, self.form.show_channels, self._say
        )
        self.watch = SeedsWatch(self)
        self.preview = LivePreview(napari_viewer, self._asked, self._say, self)
        self.sheet = ContactSheet(
            "Levels",
            "Click the picture that shows what you want; its threshold is taken.",
            self,
        )
        self.jobs = PurposeJobs(self._enable)
        self.shown = ShownHistogram(napari_viewer, self.form, self.images, self.jobs, self._say)
        self._learnt: Learnt | None = None
        self._record: dict[str, Any] | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(LOOK_MILLISECONDS)
        self._timer.timeout.connect(self._learn)
        self._connect()
        self.reset_choices()
        self._enable()
        self._say(_BEGIN)

    def _connect(self) -> None:
        form = self.form
        self.images.chosen.connect(self._on_image)
        self.images.changed.connect(self._on_image_changed)
        form.patches.layer_chosen.connect(self._on_patches)
        self.watch.changed.connect(self._learn_soon)
        form.new_patch.clicked.connect(self.draw_patch)
        form.patch_class.valueChanged.connect(self._on_class)
        form.space.currentIndexChanged.connect(self._on_space)
        form.pair.changed.connect(self._on_space)
        self.shown.counted.connect(self._learn_soon)
        form.colour_plot.outline_changed.connect(self._on_outline)
        form.colour_plot.outline_cleared.connect(self._look)
        form.method.currentIndexChanged.connect(self._on_method)
        for fields in form.fields.values():
            fields.changed.connect(self._on_parameters)
        form.threshold.changed.connect(self._on_threshold)
        form.hold.toggled.connect(self._on_hold)
        form.colours.textChanged.connect(self._on_colours_typed)
        form.keeps.currentIndexChanged.connect(self._look)
        for box in form.wanted.values():
            box.toggled.connect(self._show_forecast)
        form.apply_to.activated.connect(self._show_forecast)
        form.compare.clicked.connect(self.compare)
        self.sheet.chosen.connect(self._on_level)
        form.follow.toggled.connect(self._on_follow)
        self.preview.shown.connect(self._on_preview)
        form.run.clicked.connect(self.run)
        form.cancel.clicked.connect(self.cancel)
        form.save_recipe.clicked.connect(self._ask_where_to_save)
        self._life = PanelLife(self, self.viewer)
        self._life.layer_removed.connect(self._on_removed)
        self._life.ended.connect(self._on_ended)

    # What people do

    def draw_patch(self) -> None:
        """Make the patches ready for the next rectangle; add a layer where there is none."""
        with errors.shown(self._say):
            layer = self.form.patches.layer()
            if isinstance(layer, Shapes) and is_patches(layer):
                draw_next(self.viewer, layer)
            else:
                layer = new_patch_layer(self.viewer, self.images.layer)
                self.form.patches.choose(layer)
            set_next_class(layer, self.form.patch_class.value())
            self.form.hold.setChecked(False)
            if self.form.operation().name == SELECTION:
                self.form.choose(next(iter(self.form.methods)))
            self._say("Drag a rectangle over the wanted colour; more of them if it varies.")

    def run(self) -> None:
        """Find the colours in what 'Apply to' says, and add the layers that are wanted."""
        if "run" in self.jobs:
            return
        with errors.shown(self._say):
            layer, image = self.images.layer, self.images.image()
            operation, inputs, parameters = self._task(kept=True)
            wanted = {name for name, box in self.form.wanted.items() if box.isChecked()}
            wanted &= {operation.gives, *operation.extra_outputs}
            if not wanted:
                raise InputError("Choose at least one of the layers that Run adds.")
            if "mask" in wanted and count_classes(inputs, parameters) > 1:
                wanted = (wanted - {"mask"}) | {"labels"}
            asked = {name: name in wanted for name in OUTPUTS}
            declared = {parameter.name for parameter in operation.parameters}
            parameters |= {name: on for name, on in asked.items() if name in declared}
            part = self.form.apply_to.part(self.viewer, layer, image, None)
            choices = tuple(self.form.channels.choices())
            self.preview.finish()
            origin = Origin(layer, image, choices, None, part.time)
            self.jobs.start(
                "run",
                partial(run_part, operation, dict(inputs), parameters, part),
                partial(self._on_result, origin, wanted, part.words),
                self._on_error,
                on_progress=self.form.controls.show_progress,
                on_cancelled=partial(self._say, "Cancelled."),
            )
            self._say("Working…")
            self._enable()

    def cancel(self) -> None:
        """Stop the run; what is shown stays."""
        if "run" in self.jobs:
            self._say("Stopping…")
            self.jobs.cancel("run")

    def compare(self) -> None:
        """Show the slice in view at several thresholds side by side."""
        with errors.shown(self._say):
            operation, inputs, parameters = self._task()
            part = part_in_view(self.viewer, self.images.layer, self.images.image(), None)
            self._say("Comparing levels…")
            self.jobs.start(
                "compare",
                partial(compare_levels, operation, inputs, parameters, part),
                self._on_pictures,
                self._on_error,
            )

    def _ask_where_to_save(self) -> None:
        name = f"{self.form.image.currentText()} {self.form.operation().name}"
        path = ask_for_recipe_path(self, name)
        if path is not None:
            self.save_recipe(path)

    def save_recipe(self, path: str | Path) -> None:
        """Write the recipe of the last result to `path`."""
        with errors.shown(self._say):
            if self._record is None:
                raise InputError("There is no result yet: press Run first.")
            written = save_recipe(Path(path), recipe_from_record(self._record))
            self._say(
                f"Saved {written.name}. Repeat it with: seedbed run {written.name} IMAGE -o FOLDER"
            )

    def reset_choices(self, event: Any = None) -> None:
        """Offer the layers that there are now."""
        self.images.offer()
        marks = [
            layer
            for layer in self.viewer.layers
            if isinstance(layer, Shapes | Labels) and not is_preview(layer)
        ]
        # Labels come as results, too: those are not chosen by themselves.
        usable = [one for one in marks if not is_result(one) or one is self.watch.layer]
        self.form.patches.set_layers(sorted(usable, key=_rank))
        self._enable()

    @property
    def is_busy(self) -> bool:
        """Whether anything is under way: counting, learning, a preview, a run."""
        waiting = self._timer.isActive() or self.shown.is_busy or self.watch.is_waiting
        return len(self.jobs) > 0 or waiting or self.preview.is_busy

    # What to do

    def _task(
        self, *, kept: bool = False
    ) -> tuple[Operation, dict[str, Image | DrawnShapes], dict[str, Any]]:
        """The operation with its inputs and parameters as the form has them.

        With `kept` by what the recipe shall keep; otherwise by the colours.
        """
        operation, image = self.form.operation(), self.images.image()
        inputs: dict[str, Image | DrawnShapes] = {"image": image}
        parameters = self.form.own_parameters()
        if operation.name == SELECTION:
            outline = self.form.colour_plot.outline()
            if outline is None:
                raise InputError("Draw a lasso or a box on the histogram.")
            return operation, inputs, {**parameters, "outline": outline_as_text(outline)}
        keeps_patches = kept and str(self.form.keeps.currentData()) == "patches"
        if keeps_patches and not self.form.hold.isChecked():
            marks = marks_of(self.form.patches.layer(), self.images.layer, self.viewer)
            if marks is None:
                raise InputError(_BEGIN)
            inputs["shapes" if isinstance(marks, DrawnShapes) else "seeds"] = marks
            return operation, inputs, parameters
        is_learning = "learn" in self.jobs or self._timer.isActive() or self.watch.is_waiting
        if kept and is_learning:
            raise InputError("The patches are being looked at; press Run again in a moment.")
        if self._learnt is None or not self._learnt.text.strip():
            raise InputError(_BEGIN)
        return operation, inputs, {**parameters, "colours": self._learnt.text}

    def _asked(self) -> Asked | None:
        """What the preview shall show: the mask, or the classes where there are several."""
        if "run" in self.jobs or self.images.watched is None or not self._knows_colours():
            return None
        operation, inputs, parameters = self._task()
        if operation.name != SELECTION:
            several = count_classes(inputs, parameters) > 1
            gives: Any = "labels" if several else "mask"
            operation = replace(operation, gives=gives)
            parameters[gives] = True
        layer = self.images.layer
        title = f"{layer.name} colours"
        choices = tuple(self.form.channels.choices())
        return Asked(operation, inputs, parameters, layer, None, title, choices)

    def _knows_colours(self) -> bool:
        if self.form.operation().name == SELECTION:
            return self.form.colour_plot.outline() is not None
        return self._learnt is not None and bool(self._learnt.text.strip())

    # Learning

    def _learn_soon(self, *_: Any) -> None:
        self._timer.start()

    def _on_parameters(self) -> None:
        self._learn_soon()
        # Black and saturated pixels are not counted.
        self.shown.look_again()
        self._show_forecast()

    def _learn(self) -> None:
        """Learn the colours of the patches, or read those that are held."""
        operation = self.form.operation()
        if self.images.watched is None or operation.name == SELECTION or not self.isVisible():
            self._look()
            return
        try:
            marks: DrawnShapes | Image | str | None = self.form.colours.toPlainText()
            if not self.form.hold.isChecked():
                marks = marks_of(self.form.patches.layer(), self.images.layer, self.viewer)
            if marks is None:
                self._forget()
                return
            image = self.images.image()
            parameters = {**operation.defaults(), **self.form.own_parameters()}
            if isinstance(marks, str):
                operation.parameter("colours").check(marks)
        except errors.MESSAGE_ONLY as error:
            self._on_not_learnt(error)
            return
        shown = None if self.shown.histogram is None else self.shown.histogram.bins
        self.jobs.start(
            "learn",
            partial(learn, operation.name, image, marks, parameters, shown),
            self._on_learnt,
            self._on_not_learnt,
        )

    def _on_learnt(self, learnt: Learnt) -> None:
        self._learnt = learnt
        self._write_colours(learnt.text)
        self.form.colour_plot.show_patches(learnt.patches)
        self._say("")
        self._look()

    def _on_not_learnt(self, error: BaseException) -> None:
        self._forget()
        if isinstance(error, errors.MESSAGE_ONLY):
            self._say(errors.message_of(error))
        else:
            self._say(errors.show(error))

    def _forget(self) -> None:
        self._learnt = None
        self._write_colours("")
        self.form.colour_plot.show_patches([])
        self._look()

    def _write_colours(self, text: str) -> None:
        edit = self.form.colours
        if not self.form.hold.isChecked() and edit.toPlainText() != text:
            blocker = QSignalBlocker(edit)
            edit.setPlainText(text)
            blocker.unblock()

    def _look(self, *_: Any) -> None:
        """What the preview shows may be another now."""
        self.preview.look_again()
        self._enable()

    # What jobs tell

    def _on_error(self, error: BaseException) -> None:
        self._say(errors.show(error))

    def _on_result(self, origin: Origin, wanted: set[str], where: str, result: Result) -> None:
        self._record = result.record
        with errors.shown(self._say):
            said = self.results.show(result, origin, wanted, where)
            self.form.controls.say_made(" ".join([*map(str, result.record["notes"]), said]))
        self.reset_choices()

    def _on_pictures(self, pictures: list[Picture]) -> None:
        level = self.form.threshold.value()
        self.sheet.show_pictures(pictures, LEVELS.index(level) if level in LEVELS else None)
        self.sheet.show()
        self.sheet.raise_()
        self._say("Click one of the pictures to take its threshold.")

    def _on_level(self, index: int) -> None:
        self._say("")
        self.form.threshold.set_value(LEVELS[index])

    # What the window tells

    def _on_image(self, layer: ImageLayer | None) -> None:
        self.shown.begin()
        self._on_image_changed()

    def _on_image_changed(self) -> None:
        if self.images.watched is None:
            self.shown.clear()
            self._enable()
            return
        with errors.shown(self._say):
            image = self.images.image()
            self.form.show_space(self.shown.channel_names())
            self.form.show_extent(len(image.spatial_axes) == 3)
            self.form.apply_to.offer(self.form.operation(), image)
            self.form.show_apply()
            self._on_parameters()
        self._enable()

    def _on_patches(self, layer: Layer | None) -> None:
        self.watch.watch(layer)
        self._show_forecast()
        self._learn_soon()

    def _on_class(self, label: int) -> None:
        layer = self.form.patches.layer()
        if isinstance(layer, Shapes) and is_patches(layer):
            set_next_class(layer, label)

    def _on_space(self, *_: Any) -> None:
        if self.images.watched is not None:
            with errors.shown(self._say):
                self.form.show_space(self.shown.channel_names())
        # An outline was drawn in other coordinates.
        self.form.colour_plot.clear_outline()
        self.shown.begin()
        self._learn_soon()

    def _on_outline(self, corners: Any) -> None:
        if self.form.operation().name != SELECTION:
            self.form.choose(SELECTION)
        self._look()

    def _on_method(self, index: int) -> None:
        self.form.show_method()
        if self.form.hold.isChecked():
            # The colours of one method mean nothing to another one.
            self.form.hold.setChecked(False)
        self._learn_soon()

    def _on_threshold(self) -> None:
        self.form.controls.outdate()
        self._look()

    def _on_hold(self, on: bool) -> None:
        self.form.colours.setReadOnly(not on)
        self.form.keeps.setEnabled(not on)
        self._learn_soon()

    def _on_colours_typed(self) -> None:
        if self.form.hold.isChecked():
            self._learn_soon()

    def _on_removed(self, layer: Layer) -> None:
        self.reset_choices()

    def _on_ended(self) -> None:
        self.jobs.close()
        self.preview.close()

    def _on_preview(self) -> None:
        for layer in self.preview.layers:
            show_classes(layer)

    def _on_follow(self, on: bool) -> None:
        self.preview.set_on(on and self.isVisible())

    def showEvent(self, event: QShowEvent | None) -> None:
        """Take counting and the preview up again."""
        super().showEvent(event)
        self.preview.set_on(self.form.follow.isChecked())
        self.shown.look_again()
        self._learn_soon()

    def hideEvent(self, event: QHideEvent | None) -> None:
        """Nobody sees the panel: show no preview that nobody can switch off."""
        super().hideEvent(event)
        self.preview.set_on(False)

    # What the panel shows

    def _say(self, text: str) -> None:
        self.form.controls.say(text)

    def _show_forecast(self, *_: Any) -> None:
        self.form.controls.forecast.setText("")
        if self.images.watched is None:
            return
        with errors.shown(self._say):
            image = self.images.image()
            if image.n_channels > 1:
                self.form.controls.show_forecast(self.form.cost(image))

    def _enable(self) -> None:
        form = self.form
        has_image, running = self.images.watched is not None, "run" in self.jobs
        ready = has_image and self._knows_colours()
        form.new_patch.setEnabled(has_image)
        form.run.setEnabled(ready and not running)
        form.compare.setEnabled(ready and not running)
        form.save_recipe.setEnabled(self._record is not None and not running)
        form.controls.show_running(running)


def _rank(layer: Layer) -> tuple[bool, bool, bool]:
    """Shapes made for patches first, then other shapes, then labels; truths last."""
    return (is_truth(layer), not is_patches(layer), not isinstance(layer, Shapes))
