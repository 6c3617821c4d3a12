"""The widgets of making objects one at a time; what they do is `one_object`'s."""

import numpy as np
from napari.utils.theme import get_theme
from qtpy.QtCore import QSignalBlocker, Signal
from qtpy.QtWidgets import QDoubleSpinBox, QWidget

from napari_seedbed.gui.forms.histogram_plot import HistogramPlot
from napari_seedbed.gui.forms.layer_choice import LayerCombo
from napari_seedbed.gui.forms.panel_form import Section
from napari_seedbed.gui.qt.controls import button, check_box, form_rows, in_column, in_row
from napari_seedbed.gui.qt.run_controls import wrapped_label
from napari_seedbed.gui.tools.walker.one_object_jobs import Brightness

KEEP_KEY, DISCARD_KEY = "Enter", "Escape"
PLOT_HEIGHT = 110
FARTHEST = 1e9


class OneObjectForm(QWidget):
    """Keep, throw away, and, as a section of its own for all ways, what is no object.

    Notes
    -----
    Signal: `background_chosen()` when a person says otherwise what is no object.
    """

    background_chosen = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.keep = button(
            "Keep (Enter)", "Keep the proposed object with the next number, and clear its strokes."
        )
        self.discard = button(
            "Discard (Esc)", "Throw the proposal and its strokes away; Ctrl+Z brings these back."
        )
        self.how = wrapped_label(
            "Click or paint in an object. Shift and the left button take away. Double-click an "
            "object to reopen it."
        )
        self.count = wrapped_label()
        self.darker = check_box("Darker than", "Voxels darker than this belong to no object.")
        self.value = QDoubleSpinBox()
        self.value.setRange(-FARTHEST, FARTHEST)
        self.value.setKeyboardTracking(False)
        self.value.setToolTip("The brightness; drag the yellow line to change it.")
        self.plot = HistogramPlot(height=PLOT_HEIGHT)
        self.mask_layer = LayerCombo(
            "no mask", "A Labels layer: what is marked in it belongs to no object.", none="no mask"
        )
        content = QWidget()
        in_column(
            content,
            in_row(self.darker, (self.value, 1)),
            self.plot,
            form_rows(("Mask", self.mask_layer)),
        )
        self.background = Section("What is no object", content)
        in_column(self, self.how, in_row(self.keep, self.discard), self.count)
        self.plot.moved.connect(self._on_line)
        self.value.valueChanged.connect(self._on_value)
        self.darker.toggled.connect(self.background_chosen)
        self.mask_layer.activated.connect(self.background_chosen)
        self.plot.set_lines([0.0])

    @property
    def darker_than(self) -> float:
        """The brightness below which nothing is an object; 0 where that does not matter."""
        return self.value.value() if self.darker.isChecked() else 0.0

    def choose_darker_than(self, value: float) -> None:
        """Set the brightness, as a person would; 0 for none."""
        if value:
            self.value.setValue(value)
        self.darker.setChecked(bool(value))

    def take_theme(self, name: str) -> None:
        """Draw the histogram in the colours of a theme."""
        theme = get_theme(name)
        colours = (theme.text, theme.highlight, theme.background)
        self.plot.take_colours(*(colour.as_hex() for colour in colours))

    def show_brightness(self, found: Brightness | None, *, whole: bool) -> None:
        """Show how bright another image is; the line is where it could be, switched off."""
        with QSignalBlocker(self.darker), QSignalBlocker(self.value):
            self.darker.setChecked(False)
            self.darker.setEnabled(found is not None)
            if found is None:
                self.plot.show_counts(None, None)
                return
            span = float(found.edges[-1] - found.edges[0])
            self.value.setDecimals(0 if whole else max(2, int(np.ceil(3 - np.log10(span)))))
            self.value.setSingleStep(1.0 if whole else span / 100)
            self.value.setValue(found.line)
        self.plot.set_lines([self.value.value()])
        self.plot.show_counts(found.edges, found.counts)

    def _on_line(self, values: tuple[float, ...]) -> None:
        if len(values) == 1:
            with QSignalBlocker(self.value):
                self.value.setValue(values[0])
            self._use()

    def _on_value(self, value: float) -> None:
        self.plot.set_lines([value])
        self._use()

    def _use(self) -> None:
        """Who moves the line wants it to count."""
        if self.darker.isChecked():
            self.background_chosen.emit()
        else:
            self.darker.setChecked(True)
