"""The controls that forms of panels have in common that follow strokes on an image."""

from qtpy.QtWidgets import QCheckBox, QComboBox, QHBoxLayout, QPushButton, QWidget

from napari_seedbed.gui.layer_choice import ChannelBoxes, LayerCombo
from napari_seedbed.gui.panel_form import PanelForm, form_rows, rule
from napari_seedbed.gui.run_controls import RunControls


class StrokesForm(PanelForm):
    """An image, the marks on it, and a run that follows them.

    Parameters
    ----------
    purpose : str
        What the image is for.
    seeds : LayerCombo
        Chooses the marks.
    """

    def __init__(self, purpose: str, seeds: LayerCombo) -> None:
        super().__init__()
        self.image = LayerCombo("open an image first", purpose)
        self.channels = ChannelBoxes()
        self.channels.setToolTip("Channels that are used together.")
        self.seeds = seeds
        self.times = QComboBox()
        self.times.addItem("This time point", "current")
        self.live = QCheckBox("Live update")
        self.live.setChecked(True)
        self.controls = RunControls(beside=self.live)
        self.accept = QPushButton("Accept")
        self.save_recipe = QPushButton("Save recipe…")
        self._inputs = form_rows()

    def _add_inputs(self, title: str, *below: tuple[str, QWidget]) -> None:
        """Put the inputs below: the marks have a title, and rows of their own."""
        rows = (
            ("Image", self.image),
            ("Channels", self.channels),
            (title, self.seeds),
            *below,
            ("Time", self.times),
        )
        for name, field in rows:
            self._inputs.addRow(name, field)
        self.column.addLayout(self._inputs)
        self.show_channels(False)
        self.show_times(False)

    def _add_run(self) -> None:
        self.column.addWidget(rule())
        self.column.addWidget(self.controls)

    def show_channels(self, visible: bool) -> None:
        """Show the channels only where there are some to choose from."""
        self._inputs.setRowVisible(self.channels, visible)

    def show_times(self, visible: bool) -> None:
        """Show the choice of time points only for a time series."""
        self._inputs.setRowVisible(self.times, visible)


def beside(*widgets: QWidget) -> QWidget:
    """Widgets beside each other."""
    box = QWidget()
    row = QHBoxLayout(box)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(4)
    for widget in widgets:
        row.addWidget(widget)
    return box
