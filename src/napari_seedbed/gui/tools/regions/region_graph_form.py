"""The widgets of the region graph panel, from top to bottom; what they do is the panel's."""

from collections.abc import Sequence

from napari.components import ViewerModel
from qtpy.QtCore import QSignalBlocker, Qt
from qtpy.QtWidgets import QPushButton, QSizePolicy, QSlider, QSpinBox, QWidget

from napari_seedbed.core.regions.region_edits import RegionEdit, Verb, edits_text
from napari_seedbed.gui.forms.apply_choice import ApplyChoice
from napari_seedbed.gui.forms.inputs_panel import InputsForm
from napari_seedbed.gui.forms.operation_inputs import OperationInputs
from napari_seedbed.gui.forms.panel_form import Section, rule
from napari_seedbed.gui.forms.parameter_fields import NumberField, ParameterFields
from napari_seedbed.gui.qt.controls import (
    button,
    check_box,
    form_rows,
    in_column,
    in_grid,
    in_row,
    save_recipe_button,
)
from napari_seedbed.gui.qt.run_controls import RunControls, wrapped_label
from napari_seedbed.pipeline.engine.parameters import Parameter, Value
from napari_seedbed.pipeline.operations import Operation

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


class RegionGraphForm(InputsForm):
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
        self.fields = ParameterFields(
            [p for p in operation.parameters if p.name in SHOWN_AS_FIELDS]
        )
        self._build_superpixels(superpixels)
        self.add(self.inputs, self.superpixels, rule(), self.fields)
        self._build_level(operation.parameter("level"))
        self._build_look()
        self._build_tools()
        self._build_run()
        self.add(None)

    def _build_superpixels(self, superpixels: Operation) -> None:
        self.superpixel_fields = ParameterFields(
            [p for p in superpixels.parameters if p.name in ("n_segments", "compactness", "sigma")]
        )
        self.make = button(
            "Make superpixels",
            "Cut the image into regions like these (SLIC). Labels of any other origin do as well.",
        )
        self.superpixels = Section(
            "Superpixels", in_column(QWidget(), self.superpixel_fields, self.make)
        )

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
        rows = ("Join", self.slider), ("Regions left", self.count), ("Level", self.level)
        self.add(form_rows(*rows))

    def _build_look(self) -> None:
        self.graph = check_box(
            "Graph",
            "Lines between neighbouring regions: from cyan where they are alike to magenta where "
            "they differ.",
            checked=True,
        )
        self.average = check_box("Average colours", "Each region in its mean colour.")
        self.add(in_row(self.graph, self.average, None, spacing=-1))

    def _build_tools(self) -> None:
        self.tools: dict[Verb, QPushButton] = {
            verb: button(title, tip, checkable=True) for verb, (title, tip) in _TOOLS.items()
        }
        self.undo = button("Undo", "Take back the last change by hand.")
        self.clear = button("Clear", "Take back all changes by hand.")
        self.changes = wrapped_label()
        self.add(rule(), wrapped_label("By hand, with clicks on the picture:"))
        self.add(in_grid(3, *self.tools.values(), self.undo, self.clear), self.changes, rule())

    def _build_run(self) -> None:
        self.apply_to = ApplyChoice()
        self.save_recipe = save_recipe_button(
            "Write how the last result was made, changes by hand included, to a file that "
            "'seedbed run' repeats exactly."
        )
        self.controls = RunControls(below=[self.save_recipe])
        self.run.setToolTip("Keep what is shown as layers of their own.")
        self.controls.setContentsMargins(8, 0, 8, 6)
        self.add(self.apply_to.rows)

    def tool(self) -> Verb | None:
        """The tool that clicks are for."""
        return next((verb for verb, button in self.tools.items() if button.isChecked()), None)

    def choose_tool(self, verb: Verb | None) -> None:
        """Switch one tool on and the others off."""
        for other, tool in self.tools.items():
            with QSignalBlocker(tool):
                tool.setChecked(other == verb)

    def show_stop(self, position: int, count: int, most: int, level: float) -> None:
        """Show how far regions are joined, without a signal."""
        for widget in (self.slider, self.count, self.level):
            widget.blockSignals(True)
        self.slider.setValue(position)
        self.count.setMaximum(max(most, 1))
        self.count.setValue(count)
        self.level.setValue(float(f"{level:.6g}"))
        for widget in (self.slider, self.count, self.level):
            widget.blockSignals(False)

    def show_changes(self, edits: Sequence[RegionEdit]) -> None:
        """Show how many changes were made by hand, and the last ones."""
        if not edits:
            self.changes.setText("")
            return
        last = edits_text(edits[-3:])
        more = "… " if len(edits) > 3 else ""
        self.changes.setText(f"{len(edits)} by hand: {more}{last}")

    def values(self) -> dict[str, Value]:
        """The parameters of `fields`."""
        return self.fields.values()
