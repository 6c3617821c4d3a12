"""The chromaticity panel: patches on an image, their colours, and all that has such colours."""

from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from napari.layers import Image as ImageLayer
from napari.layers import Labels, Layer, Shapes
from qtpy.QtCore import QSignalBlocker

from napari_seedbed.core.colour.colour_classes import LEVELS
from napari_seedbed.errors import InputError
from napari_seedbed.gui.forms.contact_sheet import ContactSheet, Picture
from napari_seedbed.gui.forms.live_preview import Asked
from napari_seedbed.gui.forms.marks_panel import MarksPanel
from napari_seedbed.gui.forms.part_runs import run_part
from napari_seedbed.gui.layers.chain_names import ARROW, name_in_chain
from napari_seedbed.gui.layers.image_layers import image_of
from napari_seedbed.gui.layers.layer_records import is_result, is_truth
from napari_seedbed.gui.layers.output_layers import Origin
from napari_seedbed.gui.layers.plain_viewers import plain
from napari_seedbed.gui.layers.view_position import part_in_view
from napari_seedbed.gui.qt import errors
from napari_seedbed.gui.qt.delays import Delay
from napari_seedbed.gui.tools.colour.chromaticity_form import OUTPUTS, SELECTION, ChromaticityForm
from napari_seedbed.gui.tools.colour.colour_patches import (
    Learnt,
    count_classes,
    draw_next,
    is_patches,
    learn,
    marks_of,
    new_patch_layer,
    set_next_class,
)
from napari_seedbed.gui.tools.colour.colour_results import (
    ColourResults,
    compare_levels,
    show_classes,
)
from napari_seedbed.gui.tools.colour.marked_area import area_in_words
from napari_seedbed.gui.tools.colour.shown_histogram import ShownHistogram
from napari_seedbed.pipeline import operations
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.data.shapes import Shapes as DrawnShapes
from napari_seedbed.pipeline.encodings.colour_encoding import outline_as_text
from napari_seedbed.pipeline.operations import Forecast, Operation, Result

if TYPE_CHECKING:
    from napari.viewer import Viewer

PANEL = "chromaticity"
LOOK_SECONDS = 0.06

_BEGIN = "Press New patch and drag a rectangle over the wanted colour."


class ChromaticityPanel(MarksPanel):
    """Dock widget of colours.

    Parameters
    ----------
    napari_viewer : Viewer
    """

    mark_kinds = (Shapes, Labels)
    form: ChromaticityForm

    def __init__(self, napari_viewer: "Viewer") -> None:
        napari_viewer = plain(napari_viewer)
        form = ChromaticityForm([op for op in operations.operations.values() if op.panel == PANEL])
        super().__init__(napari_viewer, form, form.follow, fixed_controls=True)
        self.results = ColourResults(napari_viewer)
        self.sheet = ContactSheet(
            "Levels",
            "Click the picture that shows what you want; its threshold is taken.",
            self,
        )
        self.shown = ShownHistogram(napari_viewer, form, self.images, self.jobs, self._say)
        self._learnt: Learnt | None = None
        # What the last result was made of.
        self._made: tuple[Image, tuple[Any, ...]] | None = None
        self._learn_soon = Delay(self, LOOK_SECONDS, self._learn)
        self._connect()
        self.reset_choices()
        self._say(_BEGIN)

    def _connect(self) -> None:
        form = self.form
        self.images.chosen.connect(self._on_image)
        self.images.chosen.connect(self._offer_marks)
        self.images.changed.connect(self._on_image_changed)
        form.patches.layer_chosen.connect(self._on_patches)
        self.seeds.changed.connect(self._learn_soon.start)
        form.new_patch.clicked.connect(self.draw_patch)
        form.patch_class.valueChanged.connect(self._on_class)
        form.space.currentIndexChanged.connect(self._on_space)
        form.pair.changed.connect(self._on_space)
        self.shown.counted.connect(self._learn_soon.start)
        form.colour_plot.outline_changed.connect(self._on_outline)
        form.colour_plot.outline_cleared.connect(self._look)
        form.method.currentIndexChanged.connect(self._on_method)
        for fields in form.fields.values():
            fields.changed.connect(self._on_parameters)
        form.threshold.changed.connect(self._look)
        form.hold.toggled.connect(self._on_hold)
        form.colours.textChanged.connect(self._on_colours_typed)
        form.keeps.currentIndexChanged.connect(self._look)
        for box in form.wanted.values():
            box.toggled.connect(self._show_forecast)
        form.apply_to.activated.connect(self._show_forecast)
        form.compare.clicked.connect(self.compare)
        self.sheet.chosen.connect(self._on_level)
        self.preview.shown.connect(self._on_preview)
        self.preview.cleared.connect(self.form.area.clear)

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
        if self.is_running:
            return
        with errors.shown(self._say):
            layer, image = self.images.layer, self.images.image()
            self.seeds.look_if_due()
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
            made = self._what_counts()
            self._start(
                partial(run_part, operation, dict(inputs), parameters, part),
                partial(self._on_result, origin, wanted, part.words, made),
            )

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

    def _recipe_name(self) -> str:
        return f"{self.form.image.currentText()} {self.form.operation().name}"

    def _may_be_marks(self, layer: Layer) -> bool:
        # Labels come as results, too: those are not chosen by themselves.
        return not is_result(layer) or layer is self.seeds.layer

    def _rank_of_marks(self, layer: Layer) -> tuple[bool, bool, bool]:
        """Shapes made for patches first, then other shapes, then labels; truths last."""
        return (is_truth(layer), not is_patches(layer), not isinstance(layer, Shapes))

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
        is_waiting = self._learn_soon.is_waiting or self.seeds.is_waiting
        is_learning = "learn" in self.jobs or is_waiting
        if kept and is_learning:
            raise InputError("The patches are being looked at; press Run again in a moment.")
        if self._learnt is None or not self._learnt.text.strip():
            raise InputError(_BEGIN)
        return operation, inputs, {**parameters, "colours": self._learnt.text}

    def _asked(self) -> Asked | None:
        """What the preview shall show: the mask, or the classes where there are several."""
        if self.is_running or self.images.watched is None or not self._knows_colours():
            return None
        operation, inputs, parameters = self._task()
        if operation.name != SELECTION:
            several = count_classes(inputs, parameters) > 1
            gives: Any = "labels" if several else "mask"
            operation = replace(operation, gives=gives)
            parameters[gives] = True
        layer = self.images.layer
        title = f"{name_in_chain(layer)}{ARROW}colours"
        choices = tuple(self.form.channels.choices())
        return Asked(operation, inputs, parameters, layer, None, title, choices)

    def _knows_colours(self) -> bool:
        if self.form.operation().name == SELECTION:
            return self.form.colour_plot.outline() is not None
        return self._learnt is not None and bool(self._learnt.text.strip())

    # Learning

    def _on_parameters(self) -> None:
        self._learn_soon.start()
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
        if not self.is_running:
            self.controls.say_again()
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
        self._tell_outdated()
        self.preview.look_again()
        self._enable()

    def _what_counts(self) -> tuple[Image, tuple[Any, ...]]:
        """What a result depends on: the image, and the method with its colours."""
        form, kept = self.form, str(self.form.keeps.currentData())
        colours: Any = "" if self._learnt is None else self._learnt.text
        outline = form.colour_plot.outline()
        if form.operation().name == SELECTION:
            colours = "" if outline is None else outline_as_text(outline)
        elif kept == "patches" and not form.hold.isChecked():
            # a run does not wait until they are learnt
            colours = self.seeds.layer, self.seeds.digest
        return self.images.image(), (form.operation().name, form.own_parameters(), colours, kept)

    def _tell_outdated(self) -> None:
        """Say it where a run would give something else than it has given."""
        is_current = False
        if self._made is not None and self.images.watched is not None:
            with suppress(InputError):
                image, key = self._what_counts()
                is_current = self._made[0] is image and self._made[1] == key
        self.controls.outdate(not is_current)

    # Results of jobs

    def _on_result(
        self,
        origin: Origin,
        wanted: set[str],
        where: str,
        made: tuple[Image, tuple[Any, ...]],
        result: Result,
    ) -> None:
        self.record, self._made = result.record, made
        with errors.shown(self._say):
            said = self.results.show(result, origin, wanted, where)
            areas = [
                area_in_words(result.image(key))
                for key in ("labels", "mask")
                if key in wanted and key in result.outputs
            ]
            notes = map(str, result.record["notes"])
            self.controls.say_made(" ".join([*areas[:1], *notes, said]))
        self.reset_choices()
        self._tell_outdated()

    def _on_pictures(self, pictures: list[Picture]) -> None:
        level = self.form.threshold.value()
        self.sheet.show_pictures(pictures, LEVELS.index(level) if level in LEVELS else None)
        self.sheet.show()
        self.sheet.raise_()
        self._say("Click one of the pictures to take its threshold.")

    def _on_level(self, index: int) -> None:
        self._say("")
        self.form.threshold.set_value(LEVELS[index])

    # Events of the window

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
            self._on_parameters()
        self._enable()

    def _on_patches(self, layer: Layer | None) -> None:
        self.seeds.watch(layer)
        self._show_forecast()
        self._learn_soon.start()

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
        self._learn_soon.start()

    def _on_outline(self, corners: Any) -> None:
        if self.form.operation().name != SELECTION:
            self.form.choose(SELECTION)
        self._look()

    def _on_method(self, index: int) -> None:
        self.form.show_method()
        if self.form.hold.isChecked():
            # The colours of one method mean nothing to another one.
            self.form.hold.setChecked(False)
        self._learn_soon.start()

    def _on_hold(self, on: bool) -> None:
        self.form.colours.setReadOnly(not on)
        self.form.keeps.setEnabled(not on)
        self._learn_soon.start()

    def _on_colours_typed(self) -> None:
        if self.form.hold.isChecked():
            self._learn_soon.start()

    def _on_preview(self) -> None:
        for layer in self.preview.layers:
            show_classes(layer)
        masks = [layer for layer in self.preview.layers if isinstance(layer, Labels)]
        self.form.area.setText(area_in_words(image_of(masks[0])) if masks else "")

    def _wake(self) -> None:
        super()._wake()
        self.shown.look_again()
        self._learn_soon.start()

    # What the panel shows

    def _forecast(self) -> Forecast | None:
        if self.images.watched is None or self.images.image().n_channels < 2:
            return None
        return self.form.cost(self.images.image())

    def _speed_name(self) -> str:
        return self.form.operation().name

    def _is_ready(self) -> bool:
        return self.images.watched is not None and self._knows_colours()

    def _enable(self) -> None:
        super()._enable()
        self.form.new_patch.setEnabled(self.images.watched is not None)
        self.form.compare.setEnabled(self._is_ready() and not self.is_running)
