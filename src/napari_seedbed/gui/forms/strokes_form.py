"""The controls that forms of panels have in common that follow strokes on an image."""

from qtpy.QtWidgets import QComboBox, QLayout, QPushButton, QWidget

from napari_seedbed.gui.forms.layer_choice import LayerCombo
from napari_seedbed.gui.forms.marks_panel import MarksForm
from napari_seedbed.gui.forms.panel_form import rule
from napari_seedbed.gui.qt.controls import check_box, save_recipe_button
from napari_seedbed.gui.qt.run_controls import RunControls


class StrokesForm(MarksForm):
    """An image, the marks on it, and a run that follows them.

    Parameters
    ----------
    purpose : str
        What the image is for.
    seeds : LayerCombo
        Chooses the marks.
    """

    def __init__(self, purpose: str, seeds: LayerCombo) -> None:
        super().__init__(purpose, "Channels that are used together.", seeds)
        self.seeds = seeds
        self.times = QComboBox()
        self.times.addItem("This time point", "current")
        self.live = check_box("Live update", checked=True)
        self.controls = RunControls(beside=self.live)
        self.new_seeds = QPushButton()
        self.accept = QPushButton("Accept")
        self.save_recipe = save_recipe_button()

    def _add_inputs(self, title: str, *rows: tuple[str, QWidget | QLayout]) -> None:
        """Put the inputs below: the marks have a title, and rows of their own."""
        for name, field in ((title, self.seeds), *rows, ("Time", self.times)):
            self._inputs.addRow(name, field)
        self.add(self._inputs)
        self.show_times(False)

    def _add_run(self) -> None:
        self.add(rule(), self.controls)

    def show_times(self, visible: bool) -> None:
        """Show the choice of time points only for a time series."""
        self._inputs.setRowVisible(self.times, visible)
