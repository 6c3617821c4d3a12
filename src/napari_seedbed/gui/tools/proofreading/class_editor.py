"""Fields for the names of classes, one a key and a colour."""

from collections.abc import Sequence

from qtpy.QtCore import QSize, Signal
from qtpy.QtWidgets import QGridLayout, QLabel, QLineEdit, QSizePolicy, QWidget

from napari_seedbed.gui.layers.object_states import CLASS_COLOURS
from napari_seedbed.gui.tools.proofreading.proofreading_form import class_icon


class ClassEditor(QWidget):
    """Nine fields; those with a name are classes.

    Notes
    -----
    Signal: `edited(names)` when a person has finished a field.
    """

    edited = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(3)
        grid.setColumnStretch(1, 1)
        grid.setColumnStretch(3, 1)
        self.fields: list[QLineEdit] = []
        for nth, colour in enumerate(CLASS_COLOURS):
            square = QLabel()
            square.setPixmap(class_icon(colour).pixmap(QSize(12, 12)))
            field = QLineEdit()
            field.setPlaceholderText(f"Alt+{nth + 1}")
            field.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
            field.editingFinished.connect(self._on_edited)
            row, column = nth % 5, 2 * (nth // 5)
            grid.addWidget(square, row, column)
            grid.addWidget(field, row, column + 1)
            self.fields.append(field)
        self._shown: list[str] = []

    def show_names(self, names: Sequence[str]) -> None:
        """Show the classes that there are."""
        self._shown = list(names)
        for nth, field in enumerate(self.fields):
            field.setText(names[nth] if nth < len(names) else "")

    def _on_edited(self) -> None:
        names = [name for field in self.fields if (name := field.text().strip())]
        if names != self._shown:
            self._shown = names
            self.edited.emit(names)
