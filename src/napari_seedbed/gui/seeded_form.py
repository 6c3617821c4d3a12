"""The widgets of the random walker panel, from top to bottom; what they do is the panel's."""

from qtpy.QtWidgets import QCheckBox, QComboBox, QHBoxLayout, QPushButton, QWidget

from napari_seedbed.gui.layer_choice import ChannelBoxes, LayerCombo
from napari_seedbed.gui.panel_form import PanelForm, Section, form_rows, rule
from napari_seedbed.gui.run_controls import RunControls

NEXT_KEY = "U"


class SeededForm(PanelForm):
    """All controls of the panel, in the order in which they are used."""

    def __init__(self) -> None:
        super().__init__()
        self._build_inputs()
        self._build_run()
        self._build_results()
        self._build_options()
        self.column.addStretch(1)

    def _build_inputs(self) -> None:
        self.image = LayerCombo("open an image first", "The image to segment.")
        self.channels = ChannelBoxes()
        self.channels.setToolTip("Channels that are used together.")
        self.seeds = LayerCombo(
            "none yet",
            "Marks that say what is what: a Labels layer, Points or Shapes with a 'label' column. "
            "This layer is never changed.",
        )
        self.new_seeds = QPushButton("New seeds")
        self.new_seeds.setToolTip("Make an empty Labels layer on the image, brush in hand.")
        self.times = QComboBox()
        self.times.addItem("This time point", "current")
        self.times.addItem("All time points with seeds", "all")
        self.times.setToolTip("Time points with fewer than two labels of seeds stay empty.")
        form = form_rows()
        form.addRow("Image", self.image)
        form.addRow("Channels", self.channels)
        form.addRow("Seeds", self.seeds)
        form.addRow("", self.new_seeds)
        form.addRow("Time", self.times)
        self._inputs = form
        self.column.addLayout(form)
        self.show_channels(False)
        self.show_times(False)

    def _build_run(self) -> None:
        self.live = QCheckBox("Live update")
        self.live.setChecked(True)
        self.live.setToolTip("Follow every stroke, erasure, undo and redo.")
        self.controls = RunControls(beside=self.live)
        self.run = self.controls.run
        self.run.setToolTip("Segment now, with the same result as the command line.")
        self.cancel = self.controls.cancel
        self.progress = self.controls.progress
        self.forecast = self.controls.forecast
        self.status = self.controls.status
        self.column.addWidget(rule())
        self.column.addWidget(self.controls)

    def _build_results(self) -> None:
        self.next_place = QPushButton(f"Next uncertain place ({NEXT_KEY})")
        self.next_place.setToolTip(
            "Go to the largest region where the labels are in doubt, brush in hand. "
            f"Key: {NEXT_KEY}."
        )
        self.accept = QPushButton("Accept")
        self.accept.setToolTip(
            "Keep this result as an ordinary Labels layer; later strokes make a new one."
        )
        self.save_recipe = QPushButton("Save recipe…")
        self.save_recipe.setToolTip(
            "Write settings and seeds to a file that 'seedbed run' repeats to the voxel."
        )
        row = QHBoxLayout()
        row.setSpacing(4)
        row.addWidget(self.accept)
        row.addWidget(self.save_recipe)
        self.column.addWidget(rule())
        self.column.addWidget(self.next_place)
        self.column.addLayout(row)

    def _build_options(self) -> None:
        self.options = Section("More options")
        self.column.addWidget(rule())
        self.column.addWidget(self.options)

    def add_options(self, widget: QWidget) -> None:
        """Put the parameters' editors under 'More options'."""
        self.options.set_content(widget)

    def show_channels(self, visible: bool) -> None:
        """Show the channels only where there are some to choose from."""
        self._inputs.setRowVisible(self.channels, visible)

    def show_times(self, visible: bool) -> None:
        """Show the choice of time points only for a time series."""
        self._inputs.setRowVisible(self.times, visible)
