"""The controls of the differences panel."""

import math

from napari.components import ViewerModel
from qtpy.QtCore import QSignalBlocker, Qt
from qtpy.QtWidgets import QComboBox, QLabel, QSlider

from napari_seedbed.gui.forms.apply_choice import ApplyChoice
from napari_seedbed.gui.forms.inputs_panel import InputsForm
from napari_seedbed.gui.forms.operation_inputs import OperationInputs
from napari_seedbed.gui.forms.panel_form import rule
from napari_seedbed.gui.forms.parameter_fields import FieldsWithMore, ParameterFields
from napari_seedbed.gui.qt.controls import (
    allow_narrow,
    button,
    check_box,
    choice,
    form_rows,
    in_bold,
    in_grid,
    in_row,
    save_recipe_button,
)
from napari_seedbed.gui.qt.plugin_settings import key_of
from napari_seedbed.gui.qt.run_controls import RunControls
from napari_seedbed.gui.tools.differences.change_list import ChangeList
from napari_seedbed.pipeline.engine.parameters import Value
from napari_seedbed.pipeline.operations.difference_parameters import FRAMES, OUTPUTS
from napari_seedbed.pipeline.operations.differences import CHANGES, SERIES_CHANGES

IMAGES, SERIES = CHANGES.name, SERIES_CHANGES.name
THRESHOLD = "n_mads"

_LEAST, _MOST, _STEPS = 1.0, 100.0, 400
"""Ends of the threshold's slider, which is logarithmic."""

_LETTERS = 7
"""Room in the boxes of choices at least."""


class DifferencesForm(InputsForm):
    """All controls of the panel, in the order in which they are used.

    Run and what stands around it are in `controls`, which the panel puts below, always in sight.

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
        self.source = choice(items={IMAGES: "Two images", SERIES: "Time points of a series"})
        rows = form_rows(("Compare", self.source))
        self.apply_to = ApplyChoice(rows, slices=False)
        self._inputs = {
            IMAGES: OperationInputs(viewer, CHANGES),
            SERIES: OperationInputs(viewer, SERIES_CHANGES),
        }
        self.frames = ParameterFields(FRAMES)
        self.add(rows, *self._inputs.values(), self.frames)

    def _build_fields(self) -> None:
        outputs = {parameter.name for parameter in OUTPUTS}
        declared = [p for p in CHANGES.parameters if p.name not in outputs]
        self.fields = FieldsWithMore(declared)
        for combo in self.fields.findChildren(QComboBox):
            # Beside the longest label, not below it: eight lines less before the list is in sight.
            allow_narrow(combo, _LETTERS)
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(0, _STEPS)
        self.slider.setToolTip(
            "Drag to the left for more changes, to the right for fewer. The list follows."
        )
        self.count = in_bold(QLabel())
        self.count.setMinimumWidth(self.count.fontMetrics().horizontalAdvance("0000 changes"))
        self.add(self.fields, in_row((self.slider, 1), self.count, spacing=6))
        self.fields.changed.connect(self._follow_field)
        self.slider.valueChanged.connect(self._follow_slider)
        self._follow_field()

    def _build_list(self) -> None:
        self.changes = ChangeList()
        self.previous = button(
            "Previous", f"Go to the change before (key {key_of('previous_key')})."
        )
        self.next = button("Next", f"Go to the next change (key {key_of('next_key')}).")
        self.blink = button(
            "Blink",
            f"Show both images in turn. Key {key_of('blink_key')} shows the other one "
            f"by hand; {key_of('end_blinking_key')} ends it.",
            checkable=True,
        )
        self.add(rule(), (self.changes, 1), in_grid(3, self.previous, self.next, self.blink))

    def _build_run(self) -> None:
        self.live = check_box(
            "Preview",
            "Compare what is on screen, and follow every setting. Of a series that is the time "
            "point in view.",
            checked=True,
        )
        self.save_recipe = save_recipe_button()
        self.save_list = button("Save list…", "Write the list of changes as a table (CSV).")
        self.controls = RunControls(beside=self.live, below=(self.save_recipe, self.save_list))
        self.run.setToolTip("Compare everything, or what Apply to says, and keep the result.")
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

    def all_inputs(self) -> list[OperationInputs]:
        """Of two images, and of a series."""
        return list(self._inputs.values())

    def parameters(self) -> dict[str, Value]:
        """All that an operation needs, outputs included."""
        outputs = {parameter.name: True for parameter in OUTPUTS}
        frames = self.frames.values() if self.is_series else {}
        return {**frames, **self.fields.values(), **outputs}

    def show_count(self, count: int | None) -> None:
        """Show how many changes there are; nothing for None."""
        words = "" if count is None else f"{count} change{'' if count == 1 else 's'}"
        self.count.setText(words)
        for one in (self.previous, self.next):
            one.setEnabled(bool(count))

    def _show_source(self) -> None:
        self.inputs = self._inputs[self.source.currentData()]
        for name, inputs in self._inputs.items():
            inputs.setVisible(name == self.source.currentData())
        self.frames.setVisible(self.is_series)

    def _follow_field(self) -> None:
        value = max(float(self.fields.values()[THRESHOLD]), _LEAST)
        with QSignalBlocker(self.slider):
            self.slider.setValue(
                round(_STEPS * math.log(value / _LEAST) / math.log(_MOST / _LEAST))
            )

    def _follow_slider(self, step: int) -> None:
        value = _LEAST * (_MOST / _LEAST) ** (step / _STEPS)
        self.fields.set_value(THRESHOLD, float(f"{value:.3g}"))
