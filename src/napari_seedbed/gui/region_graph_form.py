"""The widgets of the region graph panel, from top to bottom; what they do is the panel's."""

from collections.abc import Sequence

from napari.components import ViewerModel
from qtpy.QtCore import QSignalBlocker, Qt
from qtpy.QtWidgets import (
    QCheckBox,
    QGridLayout,
    QHBoxLayout,
    QPushButton,
    QSizePolicy,
    QSlider,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from napari_seedbed.core.regions.region_edits import RegionEdit, Verb, edits_text
from napari_seedbed.gui.apply_choice import ApplyChoice
from napari_seedbed.gui.operation_inputs import OperationInputs
from napari_seedbed.gui.panel_form import PanelForm, Section, form_rows, rule
from napari_seedbed.gui.parameter_fields import NumberField, ParameterFields
from napari_seedbed.gui.run_controls import RunControls, wrapped_label
from napari_seedbed.pipeline.operations import Operation
from napari_seedbed.pipeline.parameters import Parameter, Value

SLIDER_STEPS = 1000
SHOWN_AS_FIELDS = ("weight", "method", "sigma")
"""Parameters that the panel shows as the forms of operations do; the others have widgets here."""

_TOOLS: dict[Verb, tuple[str, str]] = {
    "merge": ("Merge", "Click one region and then another: they become one."),
    "split": ("Split", "Click a region: the last step in which it was joined is undone."),
    "take out": (
        "Take out",
        "Click a place: the first region that lies there becomes one of its own again.",
    ),
}


class RegionGraphForm(PanelForm):
    """All controls of the panel, in the order in which they are used.

    Parameters
    ----------
    viewer : ViewerModel or Viewer
    operation : Operation
        The one that merges regions.
    superpixels : Operation
        The one that makes regions where there are none.
    """

    def __init__(self, viewer: ViewerModel, operation: Operation, superpixels: Operation) -> None:
        super().__init__()
        self.inputs = OperationInputs(viewer, operation)
        self.column.addWidget(self.inputs)
        self._build_superpixels(superpixels)
        self.column.addWidget(rule())
        self.fields = ParameterFields(
            [p for p in operation.parameters if p.name in SHOWN_AS_FIELDS]
        )
        self.column.addWidget(self.fields)
        self._build_level(operation.parameter("level"))
        self._build_look()
        self.column.addWidget(rule())
        self._build_tools()
        self.column.addWidget(rule())
        self._build_run()
        self.column.addStretch(1)

    def _build_superpixels(self, superpixels: Operation) -> None:
        self.superpixel_fields = ParameterFields(
            [p for p in superpixels.parameters if p.name in ("n_segments", "compactness", "sigma")]
        )
        self.make = QPushButton("Make superpixels")
        self.make.setToolTip(
            "Cut the image into regions like these (SLIC). Labels of any other origin do as well."
        )
        self.superpixels = Section("Superpixels")
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addWidget(self.superpixel_fields)
        column.addWidget(self.make)
        self.superpixels.set_content(content)
        self.column.addWidget(self.superpixels)

    def _build_level(self, level: Parameter) -> None:
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(0, SLIDER_STEPS)
        self.slider.setToolTip("To the right more regions are joined.")
        self.count = QSpinBox()
        self.count.setRange(1, 2**31 - 1)
        self.count.setKeyboardTracking(False)
        self.count.setToolTip("How many regions are left, before changes by hand.")
        self.count.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.level = NumberField(level)
        self.level.setToolTip(level.help)
        rows = form_rows()
        rows.addRow("Join", self.slider)
        rows.addRow("Regions left", self.count)
        rows.addRow("Level", self.level)
        self.column.addLayout(rows)

    def _build_look(self) -> None:
        self.graph = QCheckBox("Graph")
        self.graph.setChecked(True)
        self.graph.setToolTip(
            "Lines between neighbouring regions: from cyan where they are alike to magenta where "
            "they differ."
        )
        self.average = QCheckBox("Average colours")
        self.average.setToolTip("Each region in its mean colour.")
        row = QHBoxLayout()
        row.addWidget(self.graph)
        row.addWidget(self.average)
        row.addStretch(1)
        self.column.addLayout(row)

    def _build_tools(self) -> None:
        self.tools: dict[Verb, QPushButton] = {}
        grid = QGridLayout()
        grid.setSpacing(4)
        for column, (verb, (title, tip)) in enumerate(_TOOLS.items()):
            button = QPushButton(title)
            button.setCheckable(True)
            button.setToolTip(tip)
            self.tools[verb] = button
            grid.addWidget(button, 0, column)
        self.undo = QPushButton("Undo")
        self.undo.setToolTip("Take back the last change by hand.")
        self.clear = QPushButton("Clear")
        self.clear.setToolTip("Take back all changes by hand.")
        grid.addWidget(self.undo, 1, 0)
        grid.addWidget(self.clear, 1, 1)
        self.column.addWidget(wrapped_label("By hand, with clicks on the picture:"))
        self.column.addLayout(grid)
        self.changes = wrapped_label()
        self.column.addWidget(self.changes)

    def _build_run(self) -> None:
        self.apply_to = ApplyChoice()
        self._apply_rows = form_rows()
        self._apply_rows.addRow("Apply to", self.apply_to)
        self.column.addLayout(self._apply_rows)
        self.save_recipe = QPushButton("Save recipe…")
        self.save_recipe.setToolTip(
            "Write how the last result was made, changes by hand included, to a file that "
            "'seedbed run' repeats exactly."
        )
        self.controls = RunControls(below=[self.save_recipe])
        self.controls.run.setText("Apply")
        self.controls.run.setToolTip("Keep what is shown as layers of their own.")
        self.controls.setContentsMargins(8, 0, 8, 6)

    def tool(self) -> Verb | None:
        """The tool that clicks are for."""
        return next((verb for verb, button in self.tools.items() if button.isChecked()), None)

    def choose_tool(self, verb: Verb | None) -> None:
        """Switch one tool on and the others off."""
        for other, button in self.tools.items():
            blocker = QSignalBlocker(button)
            button.setChecked(other == verb)
            blocker.unblock()

    def show_stop(self, position: int, count: int, most: int, level: float) -> None:
        """Show how far regions are joined, without telling anybody."""
        for widget in (self.slider, self.count, self.level):
            widget.blockSignals(True)
        self.slider.setValue(position)
        self.count.setMaximum(max(most, 1))
        self.count.setValue(count)
        self.level.setValue(float(f"{level:.6g}"))
        for widget in (self.slider, self.count, self.level):
            widget.blockSignals(False)

    def show_apply_to(self) -> None:
        """Show the choice of what to apply to only where there is one."""
        self._apply_rows.setRowVisible(self.apply_to, self.apply_to.count() > 1)

    def show_changes(self, edits: Sequence[RegionEdit]) -> None:
        """Say how many changes were made by hand, and the last ones."""
        if not edits:
            self.changes.setText("")
            return
        last = edits_text(edits[-3:])
        more = "… " if len(edits) > 3 else ""
        self.changes.setText(f"{len(edits)} by hand: {more}{last}")

    def values(self) -> dict[str, Value]:
        """The parameters of `fields`."""
        return self.fields.values()
