"""The controls for seeds of many objects: a stroke each, peaks, and points as strokes."""

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QDoubleSpinBox, QLabel, QSizePolicy, QSlider, QWidget

from napari_seedbed.gui.qt.controls import button, check_box, form_rows, in_column, in_row

STEPS = 1000
STRENGTH = 0.1
"""Of the strongest peak, so strong those are that are shown at first."""


class ManyForm(QWidget):
    """What the section holds; `ManySeeds` acts."""

    def __init__(self) -> None:
        super().__init__()
        self.next_label = check_box(
            "Next label after each stroke",
            "Mark an object a click or stroke: each takes the next free label. The background "
            "stays in the hand.",
        )
        self.show_peaks = button(
            "Show peaks",
            "Find bright spots of about this size, such as nuclei, and show how many there are.",
            checkable=True,
        )
        self.dark = check_box("Dark", "Look for dark objects on a bright background.")
        self.diameter = QDoubleSpinBox()
        self.diameter.setDecimals(2)
        self.diameter.setRange(0.0, 1e9)
        self.diameter.setKeyboardTracking(False)
        self.diameter.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.diameter.setToolTip("How large the objects are across.")
        self.strength = QSlider(Qt.Orientation.Horizontal)
        self.strength.setRange(0, STEPS)
        self.set_share(STRENGTH)
        self.strength.setToolTip(
            "How strong a peak must be, as a share of the strongest: fewer of them to the right."
        )
        self.count = QLabel("")
        self.take = button(
            "Use as seeds",
            "Give each peak a dot with a label of its own, where no seed is yet; Ctrl+Z takes "
            "them back.",
        )
        self.from_points = button(
            "Points to strokes",
            "Make a Labels layer of the points or shapes that are chosen as seeds, to go on "
            "with the brush, object by object.",
        )
        rows = form_rows(
            ("Diameter", in_row((self.diameter, 1), self.dark)),
            ("Strength", in_row((self.strength, 1), self.count)),
        )
        in_column(
            self,
            self.next_label,
            rows,
            in_row(self.show_peaks, self.take),
            self.from_points,
            spacing=4,
        )

    def share(self) -> float:
        """The share of the strongest peak that the slider stands for."""
        return float((self.strength.value() / STEPS) ** 2)

    def set_share(self, share: float) -> None:
        """Move the slider, which has more room for weak peaks: most objects are no outliers."""
        self.strength.setValue(round(STEPS * share**0.5))
