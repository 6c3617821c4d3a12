"""The widgets of the scores panel, from top to bottom; what they do is the panel's."""

from qtpy.QtCore import Qt
from qtpy.QtGui import QColor, QPalette
from qtpy.QtWidgets import QComboBox, QLabel, QSpinBox, QWidget

from napari_seedbed.gui.forms.layer_choice import LayerCombo
from napari_seedbed.gui.forms.measurement_table import MeasurementTable
from napari_seedbed.gui.forms.panel_form import PanelForm, Section, rule
from napari_seedbed.gui.qt.controls import (
    button,
    check_box,
    form_rows,
    in_bold,
    in_row,
    save_recipe_button,
)
from napari_seedbed.gui.qt.run_controls import RunControls, wrapped_label

FOLLOW = "the newest one"

COLOURS = {1: "#35c9a5", 2: "#ff9d2e", 3: "#e0509f"}
"""Hits, misses and false parts: distinct with any kind of colour vision."""

MEANINGS = {1: "hit", 2: "missed", 3: "false"}


class ScoresForm(PanelForm):
    """All controls of the panel, in the order in which they are used."""

    def __init__(self) -> None:
        super().__init__()
        self._build_inputs()
        self._build_run()
        self._build_tables()
        self._build_hints()
        self.add(None)

    def _build_inputs(self) -> None:
        self.truth = LayerCombo(
            "open the ground truth first", "The labels or the mask that are right (ground truth)."
        )
        self.result = LayerCombo(
            "make labels first",
            "The labels or the mask to score. Left open, it is the newest preview, or else the "
            "newest Labels layer.",
            FOLLOW,
        )
        self.times = QComboBox()
        self.times.setToolTip("Which axis of the ground truth is time; its axis labels do not say.")
        self.background = QSpinBox()
        self.background.setRange(0, 2**31 - 1)
        self.background.setToolTip(
            "A label of the result that is no object, besides 0: after a random walk, that of the "
            "background."
        )
        self.rows = form_rows(
            ("Ground truth", self.truth),
            ("Result", self.result),
            ("Time axis", self.times),
            ("Background", self.background),
        )
        self.live = check_box(
            "Live score of what is on screen",
            "Score the slice in view again whenever the result or a preview moves.",
        )
        self.live_score = in_bold(wrapped_label())
        self.add(self.rows, self.live, self.live_score, rule())

    def _build_run(self) -> None:
        self.overlay = check_box(
            "Show",
            "A layer of hits (true positives), misses (false negatives) and false parts (false "
            "positives).",
        )
        legend = [one for n, word in MEANINGS.items() for one in (_swatch(COLOURS[n]), word)]
        self.copy = button("Copy", "Copy the scores for a spreadsheet.")
        self.save = button(
            "Save…", "All scores, errors and time points, as JSON; or the table as CSV."
        )
        self.save_recipe = save_recipe_button(
            "Write down how the result was made and scored, to repeat it on other files."
        )
        below = [self.copy, self.save, self.save_recipe]
        for one in below:
            one.setEnabled(False)
        self.controls = RunControls(below=below)
        self.add(in_row(self.overlay, *legend, None), self.controls)

    def _build_tables(self) -> None:
        self.scores = MeasurementTable(wide_column=0)
        self.scores.setMinimumHeight(170)
        self.errors_title = wrapped_label()
        self.errors = MeasurementTable()
        self.errors.setMinimumHeight(150)
        self.errors.setToolTip("Click a row to go there.")
        for table in (self.scores, self.errors):
            lines = table.verticalHeader()
            assert lines is not None
            lines.setVisible(False)
        self.add(self.scores, self.errors_title, self.errors)

    def _build_hints(self) -> None:
        self.image = LayerCombo("open an image first", "The image to look at.")
        self.entropy = button(
            "Local entropy", "Show how varied the grey values around each voxel are."
        )
        self.noise = button("Residual noise", "Show how noisy the image is around each voxel.")
        self.hints = wrapped_label(
            "Without a ground truth there is no score. These are hints: where the image is varied "
            "or noisy, a segmentation has less to go by."
        )
        rows = form_rows()
        rows.addRow(self.hints)
        rows.addRow("Image", self.image)
        rows.addRow(in_row(self.entropy, self.noise))
        content = QWidget()
        content.setLayout(rows)
        self.without_truth = Section("Without a ground truth", content)
        self.add(self.without_truth)


def _swatch(colour: str) -> QLabel:
    square = QLabel()
    square.setFixedSize(12, 12)
    square.setStyleSheet(f"background: {colour}; border-radius: 2px;")
    palette = square.palette()
    palette.setColor(QPalette.ColorRole.Window, QColor(colour))
    square.setPalette(palette)
    square.setAlignment(Qt.AlignmentFlag.AlignCenter)
    return square
