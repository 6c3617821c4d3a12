"""The controls of the threshold panel."""

from collections.abc import Sequence

from napari.components import ViewerModel
from qtpy.QtCore import QSignalBlocker, Qt
from qtpy.QtWidgets import QCheckBox, QComboBox, QHBoxLayout, QLabel, QPushButton, QSizePolicy

from napari_seedbed.gui.apply_choice import ApplyChoice
from napari_seedbed.gui.histogram_plot import HistogramPlot
from napari_seedbed.gui.operation_inputs import OperationInputs
from napari_seedbed.gui.panel_form import PanelForm, form_rows, rule
from napari_seedbed.gui.parameter_fields import FieldsWithMore
from napari_seedbed.gui.run_controls import RunControls, wrapped_label
from napari_seedbed.gui.value_range_line import ValueRangeLine
from napari_seedbed.pipeline.declarations import Operation
from napari_seedbed.pipeline.image import Image
from napari_seedbed.pipeline.parameters import Value

SCOPES = {"slice": "Slice in view", "volume": "Volume in view", "series": "Whole series"}
"""What the histogram is of, which is what each automatic value is found in (`per`)."""

_SHARED = ("per", "objects")
"""Parameters that the form has once for all methods."""


class ThresholdForm(PanelForm):
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
        self.column.addWidget(self.inputs)
        self._build_histogram()
        self._build_kinds()
        self._build_run()
        self.column.addStretch(1)
        self._show_kind()

    def _build_histogram(self) -> None:
        self.scope = QComboBox()
        self.scope.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.scope.setToolTip(
            "Which voxels are counted. Automatic values are found in the same: one for each slice, "
            "for each volume, or one for the whole series."
        )
        self.log = QCheckBox("Log")
        self.log.setToolTip("Show counts by their logarithm, so that few voxels are seen, too.")
        self.log.setChecked(True)
        row = QHBoxLayout()
        row.setSpacing(4)
        row.addWidget(QLabel("Histogram"))
        row.addWidget(self.scope, 1)
        row.addWidget(self.log)
        self.plot = HistogramPlot()
        self.column.addLayout(row)
        self.column.addWidget(self.plot)
        self.log.toggled.connect(self.plot.set_log)

    def _build_kinds(self) -> None:
        self.kind = QComboBox()
        self.kind.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.objects = QComboBox()
        self.objects.setToolTip(
            "Whether the objects are lighter or darker than what is around them."
        )
        self.objects.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        for value, text in (("light", "Light"), ("dark", "Dark")):
            self.objects.addItem(text, value)
        rows = form_rows()
        rows.addRow("Kind", self.kind)
        rows.addRow("Objects", self.objects)
        self._rows = rows
        self.column.addLayout(rows)
        self._fields: dict[str, FieldsWithMore] = {}
        for number, kind in enumerate(self.kinds.values()):
            self.kind.addItem(kind.title, kind.name)
            self.kind.setItemData(number, kind.help, Qt.ItemDataRole.ToolTipRole)
            fields = FieldsWithMore(kind.parameters)
            for name in _SHARED:
                if self._shares(kind, name):
                    fields.show_row(name, False)
            self._fields[kind.name] = fields
            self.column.addWidget(fields)
        self.values = wrapped_label()
        self.column.addWidget(self.values)
        self.compare = QPushButton("Compare all…")
        self.compare.setToolTip("Show what every method marks on the slice in view; click on one.")
        self.kind.currentIndexChanged.connect(self._show_kind)

    def _build_run(self) -> None:
        self.apply_to = ApplyChoice()
        self._apply_rows = form_rows()
        self._apply_rows.addRow("Apply to", self.apply_to)
        self.follow = QCheckBox("Preview")
        self.follow.setChecked(True)
        self.follow.setToolTip("Show the mask of the slice in view while the line is dragged.")
        self.save_recipe = QPushButton("Save recipe…")
        self.save_recipe.setToolTip("Write down how the last result was made, to repeat it.")
        self.save_recipe.setEnabled(False)
        self.controls = RunControls(beside=self.follow, below=(self.compare, self.save_recipe))
        self.run = self.controls.run
        self.run.setText("Apply")
        self.run.setToolTip("Make a layer of it.")
        self.cancel = self.controls.cancel
        self.status = self.controls.status
        self.column.addWidget(rule())
        self.column.addLayout(self._apply_rows)
        self.column.addWidget(self.controls)

    def _show_kind(self) -> None:
        name = self.kind_name()
        self.kind.setToolTip(self.kinds[name].help)
        for other, fields in self._fields.items():
            fields.setVisible(other == name)
        self._rows.setRowVisible(self.objects, self._shares(self.kinds[name], "objects"))

    def _shares(self, kind: Operation, name: str) -> bool:
        """Whether a method has a parameter that the form has once for all."""
        found = [parameter for parameter in kind.parameters if parameter.name == name]
        if name == "per":
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
        values = self.fields(kind.name).values()
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
            self.fields(kind).set_value(name, value)

    def set_quietly(self, **values: Value) -> None:
        """Write parameters of the chosen operation without telling anybody."""
        fields = self.fields()
        blocker = QSignalBlocker(fields)
        for name, value in values.items():
            fields.set_value(name, value)
        blocker.unblock()

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
        blocker = QSignalBlocker(self.scope)
        self.scope.clear()
        for name in names:
            self.scope.addItem(texts[name], name)
        self.scope.setCurrentIndex(max(self.scope.findData(chosen), 0) if chosen in names else
                                   names.index("volume"))  # fmt: skip
        blocker.unblock()
        self.apply_to.offer(self.operation(), image)
        self._apply_rows.setRowVisible(self.apply_to, self.apply_to.count() > 1)

    def show_scale(self, unit: str, spacing: Sequence[float] | None) -> None:
        """Write the unit beside lengths, whose defaults follow the voxel size."""
        for fields in self._fields.values():
            fields.show_scale(unit, spacing)
