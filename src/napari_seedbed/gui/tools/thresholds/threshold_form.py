"""The controls of the threshold panel."""

from collections.abc import Sequence

from napari.components import ViewerModel
from qtpy.QtCore import QSignalBlocker, Qt

from napari_seedbed.gui.forms.apply_choice import ApplyChoice
from napari_seedbed.gui.forms.histogram_plot import HistogramPlot
from napari_seedbed.gui.forms.inputs_panel import InputsForm
from napari_seedbed.gui.forms.operation_inputs import OperationInputs
from napari_seedbed.gui.forms.panel_form import rule
from napari_seedbed.gui.forms.parameter_fields import FieldsWithMore, ParameterFields
from napari_seedbed.gui.forms.value_range_line import ValueRangeLine
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
from napari_seedbed.pipeline.engine.declarations import Operation
from napari_seedbed.pipeline.engine.parameters import Value
from napari_seedbed.pipeline.operations.volume_thresholds import SMALLEST, SMOOTHING

SCOPES = {"slice": "Slice in view", "volume": "Volume in view", "series": "Whole series"}
"""What the histogram is of, which is what each automatic value is found in (`per`)."""

VALUES = ("value", "low", "high")
"""Parameters that are grey values, shown by lines."""

_CLEANING = (SMOOTHING, SMALLEST)
_SHARED = ("per", "objects", *_CLEANING)
"""Parameters that the form has once for all methods."""


class ThresholdForm(InputsForm):
    """All controls of the panel, in the order in which they are used.

    Parameters
    ----------
    viewer : ViewerModel or Viewer
    kinds : sequence of Operation
        The operations that people choose from.
    """

    def __init__(self, viewer: ViewerModel, kinds: Sequence[Operation]) -> None:
        super().__init__()
        self.kinds = {kind.name: kind for kind in kinds}
        self.inputs = OperationInputs(viewer, kinds[0], one_channel=True)
        self.inputs.channels.setToolTip("The channel to divide.")
        self.value_range = ValueRangeLine(self.inputs)
        self.add(self.inputs)
        self._build_histogram()
        self._build_kinds()
        self._build_run()
        self.add(None)
        self._show_kind()

    def _build_histogram(self) -> None:
        self.scope = choice(
            "Which voxels are counted. Automatic values are found in the same: one for each slice, "
            "for each volume, or one for the whole series."
        )
        self.log = check_box(
            "Log",
            "Show counts by their logarithm, so that few voxels are seen, too.",
            checked=True,
        )
        self.plot = HistogramPlot()
        self.add(in_row("Histogram", (self.scope, 1), self.log), self.plot)
        self.log.toggled.connect(self.plot.set_log)

    def _build_kinds(self) -> None:
        self.kind = choice()
        self.objects = choice(
            "Whether the objects are bright or dark against what is around them.",
            {"light": "Bright", "dark": "Dark"},
        )
        self._rows = form_rows(("Kind", self.kind), ("Objects", self.objects))
        self.add(self._rows)
        self._fields: dict[str, FieldsWithMore] = {}
        for number, kind in enumerate(self.kinds.values()):
            self.kind.addItem(kind.title, kind.name)
            self.kind.setItemData(number, kind.help, Qt.ItemDataRole.ToolTipRole)
            fields = FieldsWithMore(kind.parameters)
            for name in _SHARED:
                if self._shares(kind, name):
                    fields.show_row(name, False)
            self._fields[kind.name] = fields
            self.add(fields)
        of_all = next(iter(self.kinds.values())).parameters
        self.cleaning = ParameterFields([one for one in of_all if one.name in _CLEANING])
        self.add(self.cleaning)
        self.values = wrapped_label()
        self.add(self.values)
        self.compare = button(
            "Compare all…", "Show what every method marks on the slice in view; click on one."
        )
        self.kind.currentIndexChanged.connect(self._show_kind)

    def _build_run(self) -> None:
        self.apply_to = ApplyChoice()
        self.follow = check_box(
            "Preview", "Show the mask of the slice in view while the line is dragged.", checked=True
        )
        self.save_recipe = save_recipe_button()
        self.save_recipe.setEnabled(False)
        self.controls = RunControls(beside=self.follow, below=(self.compare, self.save_recipe))
        self.run.setToolTip("Make a layer of it.")
        self.add(rule(), self.apply_to.rows, self.controls)

    def _show_kind(self) -> None:
        name = self.kind_name()
        self.kind.setToolTip(self.kinds[name].help)
        for other, fields in self._fields.items():
            fields.setVisible(other == name)
        self._rows.setRowVisible(self.objects, self._shares(self.kinds[name], "objects"))

    def _shares(self, kind: Operation, name: str) -> bool:
        """Whether a method has a parameter that the form has once for all."""
        found = [parameter for parameter in kind.parameters if parameter.name == name]
        if name != "objects":
            return bool(found)
        return bool(found) and set(found[0].choices) == {"light", "dark"}

    # What is chosen

    def kind_name(self) -> str:
        """Name of the chosen operation."""
        return str(self.kind.currentData())

    def operation(self) -> Operation:
        """The chosen operation."""
        return self.kinds[self.kind_name()]

    def fields(self, name: str | None = None) -> FieldsWithMore:
        """Fields of an operation, the chosen one by default."""
        return self._fields[name or self.kind_name()]

    def all_fields(self) -> list[FieldsWithMore]:
        """Fields of all operations."""
        return list(self._fields.values())

    def parameters(self, name: str | None = None) -> dict[str, Value]:
        """Values of an operation's parameters, those included that all methods share."""
        kind = self.kinds[name or self.kind_name()]
        values = {**self.fields(kind.name).values(), **self.cleaning.values()}
        if self._shares(kind, "per"):
            values["per"] = self.scope_name()
        if self._shares(kind, "objects"):
            values["objects"] = str(self.objects.currentData())
        return values

    def scope_name(self) -> str:
        """'slice', 'volume' or 'series'."""
        return str(self.scope.currentData() or "volume")

    def choose(self, kind: str, **values: Value) -> None:
        """Choose an operation and some of its parameters, as a person would."""
        self.kind.setCurrentIndex(self.kind.findData(kind))
        for name, value in values.items():
            fields = self.cleaning if name in _CLEANING else self.fields(kind)
            fields.set_value(name, value)

    def smoothing(self) -> float:
        """Standard deviation of the Gaussian that smooths first."""
        return float(self.cleaning.values()[SMOOTHING])

    def set_quietly(self, **values: Value) -> None:
        """Write parameters of the chosen operation without a signal."""
        fields = self.fields()
        with QSignalBlocker(fields):
            for name, value in values.items():
                fields.set_value(name, value)

    # What can be chosen

    def offer_scopes(self, image: Image | None) -> None:
        """Offer what makes sense for an image; the choice stays where it can."""
        chosen = self.scope_name()
        is_deep = image is not None and len(image.spatial_shape) == 3
        is_series = image is not None and image.n_times > 1
        names = [*(["slice"] if is_deep else []), "volume", *(["series"] if is_series else [])]
        texts = dict(SCOPES)
        if not is_deep:
            texts["volume"] = "Time point in view" if is_series else "Image"
        with QSignalBlocker(self.scope):
            self.scope.clear()
            for name in names:
                self.scope.addItem(texts[name], name)
            self.scope.setCurrentIndex(max(self.scope.findData(chosen), 0) if chosen in names else
                                       names.index("volume"))  # fmt: skip

    def show_scale(self, unit: str, spacing: Sequence[float] | None) -> None:
        """Write the unit beside lengths, whose defaults follow the voxel size."""
        for fields in self._fields.values():
            fields.show_scale(unit, spacing)
        self.cleaning.show_scale(unit, spacing)

    def show_whole(self, on: bool) -> None:
        """Let grey values be whole numbers, as those of the image are, or any."""
        for fields in self._fields.values():
            fields.set_whole(VALUES, on)
