"""The controls of the differences panel."""

import math

from napari.components import ViewerModel
from qtpy.QtCore import QSignalBlocker, Qt
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QSlider,
)

from napari_seedbed.gui.apply_choice import ApplyChoice
from napari_seedbed.gui.change_list import ChangeList
from napari_seedbed.gui.operation_inputs import OperationInputs
from napari_seedbed.gui.panel_form import PanelForm, form_rows, rule
from napari_seedbed.gui.parameter_fields import FieldsWithMore, ParameterFields
from napari_seedbed.gui.plugin_settings import key_of
from napari_seedbed.gui.run_controls import RunControls
from napari_seedbed.pipeline.difference_operations import CHANGES, SERIES_CHANGES
from napari_seedbed.pipeline.difference_parameters import FRAMES, OUTPUTS
from napari_seedbed.pipeline.image import Image
from napari_seedbed.pipeline.parameters import Value

IMAGES, SERIES = CHANGES.name, SERIES_CHANGES.name
THRESHOLD = "n_mads"

_LEAST, _MOST, _STEPS = 1.0, 100.0, 400
"""Ends of the threshold's slider, which is logarithmic."""

_LETTERS = 7
"""Room in the boxes of choices at least."""


class DifferencesForm(PanelForm):
    """All controls of the panel, in the order in which they are used.

    Apply and what stands around it are in `controls`, which the panel puts below, always in sight.

    Parameters
    ----------
    viewer : ViewerModel or Viewer
    """

    def __init__(self, viewer: ViewerModel) -> None:
        super().__init__()
        self._build_inputs(viewer)
        self._build_fields()
        self._build_list()
        self._build_run()
        self.source.currentIndexChanged.connect(self._show_source)
        self._show_source()

    def _build_inputs(self, viewer: ViewerModel) -> None:
        self.source = QComboBox()
        self.source.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.source.addItem("Two images", IMAGES)
        self.source.addItem("Time points of a series", SERIES)
        self.apply_to = ApplyChoice()
        self._rows = form_rows()
        self._rows.addRow("Compare", self.source)
        self._rows.addRow("Apply to", self.apply_to)
        self._inputs = {
            IMAGES: OperationInputs(viewer, CHANGES),
            SERIES: OperationInputs(viewer, SERIES_CHANGES),
        }
        self.column.addLayout(self._rows)
        for inputs in self._inputs.values():
            self.column.addWidget(inputs)
        self.frames = ParameterFields(FRAMES)
        self.column.addWidget(self.frames)

    def _build_fields(self) -> None:
        outputs = {parameter.name for parameter in OUTPUTS}
        declared = [p for p in CHANGES.parameters if p.name not in outputs]
        self.fields = FieldsWithMore(declared)
        for combo in self.fields.findChildren(QComboBox):
            # Beside the longest label, not below it: eight lines less before the list is in sight.
            combo.setSizeAdjustPolicy(
                QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
            )
            combo.setMinimumContentsLength(_LETTERS)
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(0, _STEPS)
        self.slider.setToolTip(
            "Drag to the left for more changes, to the right for fewer. The list follows."
        )
        self.count = QLabel()
        font = self.count.font()
        font.setBold(True)
        self.count.setFont(font)
        self.count.setMinimumWidth(self.count.fontMetrics().horizontalAdvance("0000 changes"))
        row = QHBoxLayout()
        row.setSpacing(6)
        row.addWidget(self.slider, 1)
        row.addWidget(self.count)
        self.column.addWidget(self.fields)
        self.column.addLayout(row)
        self.fields.changed.connect(self._follow_field)
        self.slider.valueChanged.connect(self._follow_slider)
        self._follow_field()

    def _build_list(self) -> None:
        self.changes = ChangeList()
        self.previous = QPushButton("Previous")
        self.previous.setToolTip(f"Go to the change before (key {key_of('previous_key')}).")
        self.next = QPushButton("Next")
        self.next.setToolTip(f"Go to the next change (key {key_of('next_key')}).")
        self.blink = QPushButton("Blink")
        self.blink.setCheckable(True)
        self.blink.setToolTip(
            f"Show both images in turn. Key {key_of('blink_key')} shows the other one "
            f"by hand; {key_of('end_blinking_key')} ends it."
        )
        self.column.addWidget(rule())
        self.column.addWidget(self.changes, 1)
        buttons = QGridLayout()
        buttons.setSpacing(4)
        for place, button in enumerate((self.previous, self.next, self.blink)):
            buttons.addWidget(button, 0, place)
        self.column.addLayout(buttons)

    def _build_run(self) -> None:
        self.live = QCheckBox("Live")
        self.live.setChecked(True)
        self.live.setToolTip(
            "Compare what is on screen, and follow every setting. Of a series that is the time "
            "point in view."
        )
        self.save_recipe = QPushButton("Save recipe…")
        self.save_recipe.setToolTip("Write down how the last result was made, to repeat it.")
        self.save_list = QPushButton("Save list…")
        self.save_list.setToolTip("Write the list of changes as a table (CSV).")
        self.controls = RunControls(beside=self.live, below=(self.save_recipe, self.save_list))
        self.run, self.cancel = self.controls.run, self.controls.cancel
        self.run.setText("Apply")
        self.run.setToolTip("Compare everything, or what Apply to says, and keep the result.")
        self.status = self.controls.status
        self.controls.forecast.hide()
        self.controls.setContentsMargins(8, 0, 8, 6)

    # What is chosen

    @property
    def is_series(self) -> bool:
        """Whether time points of one series are compared."""
        return bool(self.source.currentData() == SERIES)

    def choose(self, name: str) -> None:
        """Choose what is compared by the name of the operation."""
        self.source.setCurrentIndex(self.source.findData(name))

    @property
    def inputs(self) -> OperationInputs:
        """What is compared."""
        return self._inputs[self.source.currentData()]

    def all_inputs(self) -> list[OperationInputs]:
        """Of two images, and of a series."""
        return list(self._inputs.values())

    def parameters(self) -> dict[str, Value]:
        """All that an operation needs, outputs included."""
        outputs = {parameter.name: True for parameter in OUTPUTS}
        frames = self.frames.values() if self.is_series else {}
        return {**frames, **self.fields.values(), **outputs}

    def offer_parts(self, image: Image | None) -> None:
        """Offer the parts of the first image that can be compared by themselves."""
        operation = SERIES_CHANGES if self.is_series else CHANGES
        self.apply_to.offer(operation, image, slices=False)
        self._rows.setRowVisible(self.apply_to, self.apply_to.count() > 1)

    def show_count(self, count: int | None) -> None:
        """Say how many changes there are; nothing for None."""
        words = "" if count is None else f"{count} change{'' if count == 1 else 's'}"
        self.count.setText(words)
        for button in (self.previous, self.next):
            button.setEnabled(bool(count))

    def _show_source(self) -> None:
        for name, inputs in self._inputs.items():
            inputs.setVisible(name == self.source.currentData())
        self.frames.setVisible(self.is_series)

    def _follow_field(self) -> None:
        value = max(float(self.fields.values()[THRESHOLD]), _LEAST)
        blocker = QSignalBlocker(self.slider)
        self.slider.setValue(round(_STEPS * math.log(value / _LEAST) / math.log(_MOST / _LEAST)))
        blocker.unblock()

    def _follow_slider(self, step: int) -> None:
        value = _LEAST * (_MOST / _LEAST) ** (step / _STEPS)
        self.fields.set_value(THRESHOLD, float(f"{value:.3g}"))
