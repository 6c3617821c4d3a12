"""The widgets of the scores panel, from top to bottom; what they do is the panel's."""

from qtpy.QtCore import Qt
from qtpy.QtGui import QColor, QPalette
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSpinBox,
    QWidget,
)

from napari_seedbed.gui.layer_choice import LayerCombo
from napari_seedbed.gui.measurement_table import MeasurementTable
from napari_seedbed.gui.panel_form import PanelForm, Section, form_rows, rule
from napari_seedbed.gui.run_controls import RunControls, wrapped_label

FOLLOW = "the newest one"

COLOURS = {1: "#35c9a5", 2: "#ff9d2e", 3: "#e0509f"}
"""Hits, misses and false parts: told apart with any kind of colour vision."""

MEANINGS = {1: "hit", 2: "missed", 3: "false"}


class ScoresForm(PanelForm):
    """All controls of the panel, in the order in which they are used."""

    def __init__(self) -> None:
        super().__init__()
        self._build_inputs()
        self._build_live()
        self._build_run()
        self._build_tables()
        self._build_hints()
        self.column.addStretch(1)

    def _build_inputs(self) -> None:
        self.truth = LayerCombo("open the truth first", "The labels or the mask that are right.")
        self.result = LayerCombo(
            "make labels first",
            "The labels or the mask to score. Left open, it is the newest preview, or else the "
            "newest Labels layer.",
            FOLLOW,
        )
        self.times = QComboBox()
        self.times.setToolTip("Which axis of the truth is time; its axis labels do not say.")
        self.background = QSpinBox()
        self.background.setRange(0, 2**31 - 1)
        self.background.setToolTip(
            "A label of the result that is no object, besides 0: after a random walk, that of the "
            "background."
        )
        self.rows = form_rows()
        self.rows.addRow("Truth", self.truth)
        self.rows.addRow("Result", self.result)
        self.rows.addRow("Time axis", self.times)
        self.rows.addRow("Background", self.background)
        self.column.addLayout(self.rows)

    def _build_live(self) -> None:
        self.live = QCheckBox("Live score of what is on screen")
        self.live.setToolTip(
            "Score the slice in view again whenever the result or a preview moves."
        )
        self.live_score = wrapped_label()
        font = self.live_score.font()
        font.setBold(True)
        self.live_score.setFont(font)
        self.column.addWidget(self.live)
        self.column.addWidget(self.live_score)
        self.column.addWidget(rule())

    def _build_run(self) -> None:
        self.overlay = QCheckBox("Show")
        self.overlay.setToolTip("A layer that says for each voxel whether the result hits it.")
        legend = QHBoxLayout()
        legend.setSpacing(4)
        legend.addWidget(self.overlay)
        for number, meaning in MEANINGS.items():
            legend.addWidget(_swatch(COLOURS[number]))
            legend.addWidget(QLabel(meaning))
        legend.addStretch(1)
        self.copy = QPushButton("Copy")
        self.copy.setToolTip("Copy the scores for a spreadsheet.")
        self.save = QPushButton("Save…")
        self.save.setToolTip("All scores, errors and time points, as JSON; or the table as CSV.")
        self.save_recipe = QPushButton("Recipe…")
        self.save_recipe.setToolTip(
            "Write down how the result was made and scored, to repeat it on other files."
        )
        below = [self.copy, self.save, self.save_recipe]
        for button in below:
            button.setEnabled(False)
        self.controls = RunControls(below=below)
        self.run = self.controls.run
        self.run.setText("Score")
        self.cancel = self.controls.cancel
        self.status = self.controls.status
        self.column.addLayout(legend)
        self.column.addWidget(self.controls)

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
            self.column.addWidget(table)
            if table is self.scores:
                self.column.addWidget(self.errors_title)

    def _build_hints(self) -> None:
        self.image = LayerCombo("open an image first", "The image to look at.")
        self.entropy = QPushButton("Local entropy")
        self.entropy.setToolTip("Show how varied the grey values around each voxel are.")
        self.noise = QPushButton("Residual noise")
        self.noise.setToolTip("Show how noisy the image is around each voxel.")
        self.hints = wrapped_label(
            "Without a truth there is no score. These are hints: where the image is varied or "
            "noisy, a segmentation has less to go by."
        )
        buttons = QHBoxLayout()
        buttons.setSpacing(4)
        buttons.addWidget(self.entropy)
        buttons.addWidget(self.noise)
        rows = form_rows()
        rows.addRow(self.hints)
        rows.addRow("Image", self.image)
        rows.addRow(buttons)
        content = QWidget()
        content.setLayout(rows)
        self.without_truth = Section("Without a truth")
        self.without_truth.set_content(content)
        self.column.addWidget(self.without_truth)


def _swatch(colour: str) -> QLabel:
    square = QLabel()
    square.setFixedSize(12, 12)
    square.setStyleSheet(f"background: {colour}; border-radius: 2px;")
    palette = square.palette()
    palette.setColor(QPalette.ColorRole.Window, QColor(colour))
    square.setPalette(palette)
    square.setAlignment(Qt.AlignmentFlag.AlignCenter)
    return square
