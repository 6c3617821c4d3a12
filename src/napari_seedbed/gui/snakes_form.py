"""The widgets of the snakes panel, from top to bottom; what they do is the panel's."""

from collections.abc import Sequence
from typing import Literal

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QHBoxLayout,
    QPushButton,
    QSizePolicy,
)

from napari_seedbed.gui.layer_choice import ChannelBoxes, LayerCombo
from napari_seedbed.gui.panel_form import PanelForm, form_rows, rule
from napari_seedbed.gui.parameter_fields import FieldsWithMore
from napari_seedbed.gui.run_controls import RunControls, wrapped_label
from napari_seedbed.pipeline.operations import Operation

ResultMode = Literal["update", "shapes", "labels", "both"]

RESULTS: dict[ResultMode, str] = {
    "update": "Update the shapes",
    "shapes": "New shapes layer",
    "labels": "Labels layer",
    "both": "New shapes and labels",
}
GIVEN_BY_RESULT = "shapes"
"""The parameter that says whether shapes are given: the panel knows it from the kind of result."""


class MethodFields(FieldsWithMore):
    """The parameters of one method."""

    def __init__(self, operation: Operation) -> None:
        super().__init__([p for p in operation.parameters if p.name != GIVEN_BY_RESULT])


class SnakesForm(PanelForm):
    """All controls of the panel, in the order in which they are used.

    Parameters
    ----------
    methods : sequence of Operation
    """

    def __init__(self, methods: Sequence[Operation]) -> None:
        super().__init__()
        self._build_inputs()
        self._build_method(methods)
        self._build_results()
        self._build_run()
        self.column.addStretch(1)

    def _build_inputs(self) -> None:
        self.image = LayerCombo("open an image first", "The image that shapes shall fit.")
        self.channels = ChannelBoxes()
        self.channels.setToolTip("Channels that are used together.")
        self.start = LayerCombo(
            "none yet",
            "Where it begins: shapes that you drew, or a Labels layer, whose objects are then "
            "improved. A Labels layer is never changed.",
        )
        self.new_shapes = QPushButton("New shapes")
        self.new_shapes.setToolTip("Make an empty Shapes layer on the image, ready to draw on.")
        self.which = QComboBox()
        for value, text in (
            ("all", "All shapes"),
            ("selected", "Selected shapes"),
            ("slice", "Shapes on this slice"),
        ):
            self.which.addItem(text, value)
        # In the narrow dock there is a button beside it.
        self.which.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self.which.setMinimumContentsLength(7)
        self.which.setToolTip("Which of the layer's shapes move.")
        rows = form_rows()
        rows.addRow("Image", self.image)
        rows.addRow("Channels", self.channels)
        rows.addRow("Start from", self.start)
        marks = QHBoxLayout()
        marks.setSpacing(4)
        marks.addWidget(self.which, 1)
        marks.addWidget(self.new_shapes)
        rows.addRow("", marks)
        self._inputs = rows
        self.column.addLayout(rows)
        self.show_channels(False)

    def _build_method(self, methods: Sequence[Operation]) -> None:
        self.method = QComboBox()
        self.method.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._fields: dict[str, MethodFields] = {}
        self._methods = {method.name: method for method in methods}
        self.purpose = wrapped_label()
        rows = form_rows()
        rows.addRow("Method", self.method)
        self.column.addWidget(rule())
        self.column.addLayout(rows)
        self.column.addWidget(self.purpose)
        for method in methods:
            self.method.addItem(method.title, method.name)
            self.method.setItemData(
                self.method.count() - 1, method.help, Qt.ItemDataRole.ToolTipRole
            )
            fields = MethodFields(method)
            self._fields[method.name] = fields
            self.column.addWidget(fields)
        self.method.currentIndexChanged.connect(self._show_method)
        self._show_method()
        self.edges = QPushButton("Show edge map")
        self.column.addWidget(self.edges)

    def _build_run(self) -> None:
        self.pause = QPushButton("Pause")
        self.pause.setToolTip(
            "Hold still. The shapes can be edited then; Go on continues from there."
        )
        self.step = QPushButton("Step")
        self.step.setToolTip("One step on, and hold still: ten iterations of a contour, else one.")
        self.reset = QPushButton("Reset")
        self.reset.setToolTip("Stop, and bring back the shapes as they were before this run.")
        self.undo = QPushButton("Undo")
        self.undo.setToolTip("Bring back the shapes as they were before the last run or step back.")
        self.slowly = QCheckBox("Slowly")
        self.slowly.setToolTip("Show every step, so that you can watch it and hold it in time.")
        self.controls = RunControls(
            beside=self.slowly, below=(self.pause, self.step, self.reset, self.undo)
        )
        self.run = self.controls.run
        self.run.setToolTip("Let the shapes move until they settle.")
        self.cancel = self.controls.cancel
        self.cancel.setText("Stop")
        self.cancel.setToolTip("Stop here and keep what is shown.")
        self.status = self.controls.status
        self.forecast = self.controls.forecast
        self.column.addWidget(rule())
        self.column.addWidget(self.controls)
        self.column.addWidget(self.save_recipe)

    def _build_results(self) -> None:
        self.result = QComboBox()
        for value, text in RESULTS.items():
            self.result.addItem(text, value)
        self.result.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.result.setToolTip("What becomes of the outcome.")
        self.save_recipe = QPushButton("Save recipe…")
        self.save_recipe.setToolTip(
            "Write settings and starting shapes to a file that 'seedbed run' repeats exactly."
        )
        rows = form_rows()
        rows.addRow("Result", self.result)
        self.column.addWidget(rule())
        self.column.addLayout(rows)

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

    def fields(self, name: str | None = None) -> MethodFields:
        """Parameters of a method, the chosen one by default."""
        return self._fields[name or self.method_name()]

    def all_fields(self) -> list[MethodFields]:
        """Parameters of all methods."""
        return list(self._fields.values())

    def result_mode(self) -> ResultMode:
        """What becomes of the outcome."""
        mode: ResultMode = self.result.currentData()
        return mode

    def show_channels(self, visible: bool) -> None:
        """Show the channels only where there are some to choose from."""
        self._inputs.setRowVisible(self.channels, visible)

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
