"""The widgets of the measurements panel, from top to bottom; what they do is the panel's."""

from napari.components import ViewerModel
from qtpy.QtCore import Qt
from qtpy.QtGui import QImage, QPixmap
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
)

from napari_seedbed.gui.apply_choice import ApplyChoice
from napari_seedbed.gui.label_colours import COLORMAPS, steps_of
from napari_seedbed.gui.operation_inputs import OperationInputs
from napari_seedbed.gui.panel_form import PanelForm, form_rows, rule
from napari_seedbed.gui.parameter_fields import NumberField
from napari_seedbed.gui.run_controls import RunControls, wrapped_label
from napari_seedbed.pipeline.declarations import Operation
from napari_seedbed.pipeline.image import Image
from napari_seedbed.pipeline.parameters import Parameter

OWN_COLOURS = "their own colours"


class MeasurementsForm(PanelForm):
    """All controls of the panel, in the order in which they are used.

    Parameters
    ----------
    viewer : ViewerModel or Viewer
    operation : Operation
        What measures; its bool parameters are the groups of columns.
    """

    def __init__(self, viewer: ViewerModel, operation: Operation) -> None:
        super().__init__()
        self._operation = operation
        self.inputs = OperationInputs(viewer, operation)
        self.column.addWidget(self.inputs)
        self._build_count()
        self._build_groups(operation)
        self._build_run()
        self._build_colours()
        self.column.addStretch(1)

    def _build_count(self) -> None:
        self.count = wrapped_label()
        font = self.count.font()
        font.setBold(True)
        self.count.setFont(font)
        self.numbers = QCheckBox("Numbers on the objects")
        self.numbers.setToolTip(
            "Write the label of each object on it. Follows edits of the labels."
        )
        self.column.addWidget(self.count)
        self.column.addWidget(self.numbers)
        self.column.addWidget(rule())

    def _build_groups(self, operation: Operation) -> None:
        self.groups: dict[str, QCheckBox] = {}
        grid = QGridLayout()
        grid.setSpacing(4)
        for nth, parameter in enumerate(operation.parameters):
            box = QCheckBox(parameter.label)
            box.setToolTip(parameter.help)
            box.setChecked(bool(parameter.default))
            grid.addWidget(box, *divmod(nth, 2))
            self.groups[parameter.name] = box
        self.column.addLayout(grid)

    def _build_run(self) -> None:
        self.apply_to = ApplyChoice()
        self._apply_rows = form_rows()
        self._apply_rows.addRow("Apply to", self.apply_to)
        self._apply_rows.setRowVisible(self.apply_to, False)
        self.column.addLayout(self._apply_rows)
        self.save_table = QPushButton("Save…")
        self.save_table.setToolTip("As CSV, or as Parquet where pyarrow is installed.")
        self.copy = QPushButton("Copy")
        self.copy.setToolTip("Copy the selected rows, or all, for a spreadsheet.")
        self.save_recipe = QPushButton("Recipe…")
        self.save_recipe.setToolTip(
            "Write down how the table was made, to repeat it on other files."
        )
        below = [self.save_table, self.copy, self.save_recipe]
        for button in below:
            button.setEnabled(False)
        self.controls = RunControls(below=below)
        self.run = self.controls.run
        self.run.setText("Measure")
        self.cancel = self.controls.cancel
        self.status = self.controls.status
        self.column.addWidget(self.controls)
        self.column.addWidget(rule())

    def _build_colours(self) -> None:
        self.colour_by = QComboBox()
        self.colour_by.addItem(OWN_COLOURS)
        self.colour_by.setToolTip("Colour each object by its value in a column of the table.")
        self.colormap = QComboBox()
        self.colormap.addItems(COLORMAPS)
        for combo in (self.colour_by, self.colormap):
            combo.setSizeAdjustPolicy(
                QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
            )
            combo.setMinimumContentsLength(10)
            combo.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.low, self.high = _limit("low"), _limit("high")
        self.reset_limits = QPushButton("Auto")
        self.reset_limits.setToolTip("From the 2nd to the 98th percentile of the column.")
        self.scale = QLabel()
        self.scale.setFixedHeight(12)
        self.scale.setScaledContents(True)
        self.scale.setMinimumWidth(60)
        self.scale.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.scale.setFrameShape(QFrame.Shape.NoFrame)
        limits = QHBoxLayout()
        limits.setSpacing(4)
        limits.addWidget(self.low, 1)
        limits.addWidget(self.high, 1)
        limits.addWidget(self.reset_limits)
        self._colours = form_rows()
        self._colours.addRow("Colour by", self.colour_by)
        self._colours.addRow("Colours", self.colormap)
        self._colours.addRow("", self.scale)
        self._colours.addRow("Limits", limits)
        self.go_there = QCheckBox("Centre the selected object")
        self.go_there.setChecked(True)
        self.alone = QCheckBox("Show the selected object alone")
        self.column.addLayout(self._colours)
        self.column.addWidget(self.go_there)
        self.column.addWidget(self.alone)
        self.show_colours(False)
        self.show_scale()

    def offer_parts(self, image: Image | None) -> None:
        """Offer the parts of the labels that can be measured by themselves."""
        self.apply_to.offer(self._operation, image)
        self._apply_rows.setRowVisible(self.apply_to, self.apply_to.count() > 1)

    def show_colours(self, shown: bool) -> None:
        """Show the rows that say how a column becomes colours, or hide them."""
        for row in range(1, self._colours.rowCount()):
            self._colours.setRowVisible(row, shown)

    def show_scale(self) -> None:
        """Show the colours from the lower limit to the upper one."""
        steps = (steps_of(self.colormap.currentText()) * 255).astype("uint8")
        data = steps.tobytes() * self.scale.height()
        size = len(steps), self.scale.height()
        picture = QImage(data, *size, 4 * len(steps), QImage.Format.Format_RGBA8888)
        self.scale.setPixmap(QPixmap.fromImage(picture.copy()))
        self.scale.setToolTip("Colours from the lower limit to the upper one.")

    def chosen_groups(self) -> dict[str, bool]:
        """Which columns are to be measured."""
        return {name: box.isChecked() for name, box in self.groups.items()}


def _limit(name: str) -> NumberField:
    field = NumberField(Parameter(name, "float", 0.0, name, ""))
    field.setButtonSymbols(NumberField.ButtonSymbols.NoButtons)
    # napari's themes ask for more, and the form would be wider than the dock
    field.setStyleSheet("QDoubleSpinBox { min-width: 40px; }")
    field.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
    field.setAlignment(Qt.AlignmentFlag.AlignRight)
    return field
