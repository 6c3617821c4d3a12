"""The widgets of seeded segmentation, from top to bottom; what they do is the panel's."""

from qtpy.QtWidgets import QCheckBox, QPushButton, QSizePolicy, QSpinBox, QWidget

from napari_seedbed.gui.layer_choice import LayerCombo
from napari_seedbed.gui.panel_form import rule
from napari_seedbed.gui.parameter_fields import FieldsWithMore
from napari_seedbed.gui.strokes_form import StrokesForm, beside
from napari_seedbed.pipeline.parameters import Value


class SeededForm(StrokesForm):
    """All controls of the panel, in the order in which they are used.

    Parameters
    ----------
    background_key, filling_key, place_key : str
        Keys that the buttons tell of.
    """

    def __init__(self, background_key: str, filling_key: str, place_key: str) -> None:
        seeds = LayerCombo(
            "none yet",
            "Marks that say what is what: a Labels layer, Points or Shapes with a 'label' column. "
            "This layer is never changed.",
        )
        super().__init__("The image to segment.", seeds)
        self._background_key = background_key
        self._filling_key = filling_key
        self._place_key = place_key
        self._build_inputs()
        self._build_run()
        self._build_results()
        self.column.addStretch(1)

    def _build_inputs(self) -> None:
        self.new_seeds = QPushButton("New seeds")
        self.new_seeds.setToolTip("Make an empty Labels layer on the image, brush in hand.")
        self.clear = QPushButton("Clear seeds")
        self.clear.setToolTip("Take away all marks; Ctrl+Z brings them back.")
        self.take_background = QPushButton(f"Paint it ({self._background_key})")
        self.take_background.setCheckable(True)
        self.take_background.setToolTip(
            "Take the brush for the background, which stays empty in the result; once more for "
            f"the object before. Key: {self._background_key}, on the seeds layer."
        )
        self.background = QSpinBox()
        self.background.setRange(0, 2**31 - 1)
        self.background.setSpecialValueText("none")
        self.background.setKeyboardTracking(False)
        self.background.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.background.setToolTip(
            "The label that marks the background. Its strokes are grey, and it is empty in the "
            "result. A change can be undone with Ctrl+Z."
        )
        self.times.addItem("All time points with seeds", "all")
        self.times.setToolTip("Time points with fewer than two labels of seeds stay empty.")
        self._add_inputs(
            "Seeds",
            ("", beside(self.new_seeds, self.clear)),
            ("Background", beside(self.background, self.take_background)),
        )

    def _build_run(self) -> None:
        self.live.setToolTip("Follow every stroke, erasure, undo and redo.")
        self.run = self.controls.run
        self.run.setToolTip("Segment now, with the same result as the command line.")
        self.cancel = self.controls.cancel
        self.progress = self.controls.progress
        self.forecast = self.controls.forecast
        self.status = self.controls.status
        self._add_run()

    def _build_results(self) -> None:
        self.next_place = QPushButton(f"Next uncertain place ({self._place_key})")
        self.next_place.setToolTip(
            "Go to the largest region where the labels are in doubt, brush in hand. "
            f"Key: {self._place_key}."
        )
        self.filled = QCheckBox(f"Filled ({self._filling_key})")
        self.filled.setToolTip(
            "Show the result filled instead of as outlines; outlines while a stroke is drawn. "
            f"Key: {self._filling_key}, on the seeds layer."
        )
        self.accept.setToolTip(
            "Keep this result as an ordinary Labels layer; later strokes make a new one."
        )
        self.save_recipe.setToolTip(
            "Write settings and seeds to a file that 'seedbed run' repeats to the voxel."
        )
        self.open_recipe = QPushButton("Open recipe…")
        self.open_recipe.setToolTip(
            "Take seeds, background and settings from a recipe, to go on from there."
        )
        self.column.addWidget(rule())
        self.column.addWidget(beside(self.next_place, self.filled))
        self.column.addWidget(beside(self.accept, self.save_recipe, self.open_recipe))

    def add_parameters(self, fields: FieldsWithMore) -> None:
        """Put the parameters' editors below."""
        self._fields = fields
        self.column.insertWidget(self.column.count() - 1, rule())
        self.column.insertWidget(self.column.count() - 1, fields)

    def choose(self, name: str, **values: Value) -> None:
        """Choose some parameters, as a person would; there is one operation only."""
        for parameter, value in values.items():
            self._fields.set_value(parameter, value)

    def add_voxel_size(self, line: QWidget) -> None:
        """Put the question for the voxel size under the inputs."""
        self.column.insertWidget(1, line)
