"""The widgets of the measurements panel, from top to bottom; what they do is the panel's."""

from napari.components import ViewerModel
from qtpy.QtCore import Qt
from qtpy.QtGui import QImage, QPixmap
from qtpy.QtWidgets import QCheckBox, QLabel, QSizePolicy

from napari_seedbed.gui.forms.apply_choice import ApplyChoice
from napari_seedbed.gui.forms.inputs_panel import InputsForm
from napari_seedbed.gui.forms.operation_inputs import OperationInputs
from napari_seedbed.gui.forms.panel_form import rule
from napari_seedbed.gui.forms.parameter_fields import NumberField
from napari_seedbed.gui.layers.label_colours import COLORMAPS, steps_of
from napari_seedbed.gui.qt.controls import (
    button,
    check_box,
    choice,
    form_rows,
    in_bold,
    in_grid,
    in_row,
    save_recipe_button,
)
from napari_seedbed.gui.qt.run_controls import RunControls, wrapped_label
from napari_seedbed.pipeline.engine.declarations import Operation
from napari_seedbed.pipeline.engine.parameters import Parameter

OWN_COLOURS = "their own colours"
_LETTERS = 10


class MeasurementsForm(InputsForm):
    """All controls of the panel, in the order in which they are used.

    Parameters
    ----------
    viewer : ViewerModel or Viewer
    operation : Operation
        What measures; its bool parameters are the groups of columns.
    """

    def __init__(self, viewer: ViewerModel, operation: Operation) -> None:
        super().__init__()
        self.inputs = OperationInputs(viewer, operation)
        self.count = in_bold(wrapped_label())
        self.numbers = check_box(
            "Numbers on the objects",
            "Write the label of each object on it. Follows edits of the labels.",
        )
        self.groups: dict[str, QCheckBox] = {
            group.name: check_box(group.label, group.help, checked=bool(group.default))
            for group in operation.parameters
        }
        self.add(self.inputs, self.count, self.numbers, rule(), in_grid(2, *self.groups.values()))
        self._build_run()
        self._build_colours()
        self.add(None)

    def _build_run(self) -> None:
        self.apply_to = ApplyChoice()
        self.save_table = button("Save…", "As CSV, or as Parquet where pyarrow is installed.")
        self.copy = button("Copy", "Copy the selected rows, or all, for a spreadsheet.")
        self.save_recipe = save_recipe_button(
            "Write down how the table was made, to repeat it on other files."
        )
        below = [self.save_table, self.copy, self.save_recipe]
        for one in below:
            one.setEnabled(False)
        self.controls = RunControls(below=below)
        self.add(self.apply_to.rows, self.controls, rule())

    def _build_colours(self) -> None:
        self.colour_by = choice(
            "Colour each object by its value in a column of the table.",
            {None: OWN_COLOURS},
            _LETTERS,
        )
        self.colormap = choice(items={name: name for name in COLORMAPS}, letters=_LETTERS)
        self.low, self.high = _limit("low"), _limit("high")
        self.reset_limits = button("Auto", "From the 2nd to the 98th percentile of the column.")
        self.scale = QLabel()
        self.scale.setFixedHeight(12)
        self.scale.setScaledContents(True)
        self.scale.setMinimumWidth(60)
        self.scale.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._colours = form_rows(
            ("Colour by", self.colour_by),
            ("Colours", self.colormap),
            ("", self.scale),
            ("Limits", in_row((self.low, 1), (self.high, 1), self.reset_limits)),
        )
        self.go_there = check_box("Centre the selected object", checked=True)
        self.alone = check_box("Show the selected object alone")
        self.add(self._colours, self.go_there, self.alone)
        self.show_colours(False)
        self.show_scale()

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
