"""The widgets of the snakes panel, from top to bottom; what they do is the panel's."""

from collections.abc import Sequence
from typing import Literal

from qtpy.QtCore import Qt

from napari_seedbed.gui.forms.layer_choice import LayerCombo
from napari_seedbed.gui.forms.marks_panel import MarksForm
from napari_seedbed.gui.forms.panel_form import rule
from napari_seedbed.gui.forms.parameter_fields import FieldsWithMore
from napari_seedbed.gui.layers.grids import unit_symbol
from napari_seedbed.gui.qt.controls import (
    button,
    check_box,
    choice,
    form_rows,
    in_row,
    save_recipe_button,
)
from napari_seedbed.gui.qt.run_controls import RunControls, wrapped_label
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.operations import Operation

ResultMode = Literal["update", "shapes", "labels", "both"]

RESULTS: dict[ResultMode, str] = {
    "update": "Move my shapes",
    "shapes": "New shapes layer",
    "labels": "Labels layer",
    "both": "New shapes and labels",
}
GIVEN_BY_RESULT = "shapes"
"""The parameter that says whether shapes are given: the panel knows it from the kind of result."""


class SnakesForm(MarksForm):
    """All controls of the panel, in the order in which they are used.

    Parameters
    ----------
    methods : sequence of Operation
    """

    def __init__(self, methods: Sequence[Operation]) -> None:
        self.start = LayerCombo(
            "none yet",
            "Where it begins: shapes that you drew, or a Labels layer, whose objects are then "
            "improved. A Labels layer is never changed.",
        )
        super().__init__(
            "The image that shapes shall fit.", "Channels that are used together.", self.start
        )
        self._build_inputs()
        self._build_method(methods)
        self._suggested = self.method_name()
        self._build_results()
        self._build_run()
        self.add(None)

    def _build_inputs(self) -> None:
        self.new_shapes = button(
            "New shapes", "Make an empty Shapes layer on the image, ready to draw on."
        )
        self.which = choice(
            "Which of the layer's shapes move.",
            {
                "all": "All shapes",
                "selected": "Selected shapes",
                "slice": "Shapes on this slice",
            },
            # In the narrow dock there is a button beside it.
            letters=7,
        )
        self.new_object = button(
            "New object",
            "Let the next outline be an object of its own. Otherwise outlines on different slices "
            "that overlap are one object; the feature 'label' says which.",
        )
        self.objects = wrapped_label()
        self._objects_row = in_row((self.objects, 1), self.new_object)
        self._inputs.addRow("Start from", self.start)
        self._inputs.addRow("", in_row((self.which, 1), self.new_shapes))
        self._inputs.addRow("Objects", self._objects_row)
        self.add(self._inputs)

    def _build_method(self, methods: Sequence[Operation]) -> None:
        self.method = choice()
        self._fields: dict[str, FieldsWithMore] = {}
        self._methods = {method.name: method for method in methods}
        self.purpose = wrapped_label()
        self.add(rule(), form_rows(("Method", self.method)), self.purpose)
        for nth, method in enumerate(methods):
            self.method.addItem(method.title, method.name)
            self.method.setItemData(nth, method.help, Qt.ItemDataRole.ToolTipRole)
            own = [p for p in method.parameters if p.name != GIVEN_BY_RESULT]
            self._fields[method.name] = FieldsWithMore(own)
            self.add(self._fields[method.name])
        self.method.currentIndexChanged.connect(self._show_method)
        self._show_method()
        self.edges = button("Show edge map")
        self.add(self.edges)

    def _build_run(self) -> None:
        self.pause = button(
            "Pause", "Hold still. The shapes can be edited then; Go on continues from there."
        )
        self.step = button(
            "Step", "One step on, and hold still: ten iterations of a contour, else one."
        )
        self.reset = button(
            "Reset", "Stop, and bring back the shapes as they were before this run."
        )
        self.undo = button(
            "Undo", "Bring back the shapes as they were before the last run or step back."
        )
        self.slowly = check_box(
            "Slowly", "Show every step, so that you can watch it and hold it in time."
        )
        self.controls = RunControls(
            beside=self.slowly, below=(self.pause, self.step, self.reset, self.undo)
        )
        self.run.setToolTip("Let the shapes move until they converge.")
        self.cancel.setText("Stop")
        self.cancel.setToolTip("Stop here and keep what is shown.")
        self.save_recipe = save_recipe_button(
            "Write settings and starting shapes to a file that 'seedbed run' repeats exactly."
        )
        self.add(rule(), self.controls, self.save_recipe)

    def _build_results(self) -> None:
        self.result = choice(
            "What becomes of the outcome. Shapes that you drew move where they are; what lies on "
            "other slices or at other time points comes into a Labels layer then.",
            RESULTS,
        )
        self.add(rule(), form_rows(("Result", self.result)))

    def _show_method(self) -> None:
        name = self.method_name()
        method = self._methods[name]
        # The last sentence says what the method is for; all of it would take half of the panel.
        purpose = method.help.rsplit(". ", 1)[-1]
        self.purpose.setText(f"{method.term[:1].upper()}{method.term[1:]}. {purpose}")
        self.method.setToolTip(method.help)
        for other, fields in self._fields.items():
            fields.setVisible(other == name)

    def method_name(self) -> str:
        """Name of the chosen operation."""
        return str(self.method.currentData())

    def choose(self, name: str) -> None:
        """Choose a method by its name."""
        self.method.setCurrentIndex(self.method.findData(name))

    def suggest_method(self, *, in_volume: bool) -> None:
        """Offer a surface in a volume and a contour elsewhere, unless another was chosen."""
        if self.method_name() == self._suggested:
            self._suggested = "region_surface" if in_volume else "elastic_contour"
            self.choose(self._suggested)

    def show_scale(self, image: Image) -> None:
        """Show lengths in the unit of an image, and the parameters that count in it."""
        for fields in self.all_fields():
            fields.show_scale(unit_symbol(image.unit), image.spacing)
            fields.show_row("extent", len(image.spatial_axes) == 3)
            fields.show_row("cap", len(image.spatial_axes) == 3)
            fields.show_row("follow", image.n_times > 1)

    def fields(self, name: str | None = None) -> FieldsWithMore:
        """Parameters of a method, the chosen one by default."""
        return self._fields[name or self.method_name()]

    def all_fields(self) -> list[FieldsWithMore]:
        """Parameters of all methods."""
        return list(self._fields.values())

    def result_mode(self) -> ResultMode:
        """What becomes of the outcome."""
        mode: ResultMode = self.result.currentData()
        return mode

    def show_objects(self, text: str | None) -> None:
        """Say how many objects were drawn in a volume; None hides it."""
        self._inputs.setRowVisible(self._objects_row, text is not None)
        self.objects.setText(text or "")

    def show_which(self, visible: bool) -> None:
        """Show the choice among shapes only where shapes are the start."""
        self.which.setVisible(visible)

    def offer_update(self, possible: bool) -> None:
        """Labels to start from are never changed: then there is nothing to update."""
        model = self.result.model()
        row = list(RESULTS).index("update")
        item = model.item(row) if model is not None else None  # type: ignore[attr-defined]
        if item is not None:
            item.setEnabled(possible)
        if not possible and self.result_mode() == "update":
            self.result.setCurrentIndex(self.result.findData("labels"))
