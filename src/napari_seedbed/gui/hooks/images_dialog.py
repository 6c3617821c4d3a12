"""Asking which images of a file should be opened."""

from collections.abc import Sequence

from qtpy.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QDialog,
    QDialogButtonBox,
    QListWidget,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from napari_seedbed.gui.qt.run_controls import wrapped_label
from napari_seedbed.pipeline.files.images_of_file import ImageOfFile


class ImagesDialog(QDialog):
    """A list of the images of a file, of which one or more can be chosen.

    Parameters
    ----------
    file_name : str
    images : sequence of ImageOfFile
    parent : QWidget, optional
    """

    def __init__(
        self, file_name: str, images: Sequence[ImageOfFile], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(f"Images in {file_name}")
        self.list = QListWidget(self)
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.list.addItems([f"{number}   {image}" for number, image in enumerate(images, start=1)])
        self.list.setCurrentRow(0)
        self.list.setToolTip("Click with Ctrl or Shift to choose several images.")
        self.list.itemDoubleClicked.connect(self.accept)
        buttons = QDialogButtonBox(self)
        self.open_button = QPushButton("Open", buttons)
        self.open_button.setToolTip("Open the chosen images, each as layers of its own.")
        buttons.addButton(self.open_button, QDialogButtonBox.ButtonRole.AcceptRole)
        buttons.addButton(QDialogButtonBox.StandardButton.Cancel)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        self.list.itemSelectionChanged.connect(self._on_selection)
        layout = QVBoxLayout(self)
        layout.addWidget(wrapped_label(f"{file_name} holds {len(images)} images. Open which?"))
        layout.addWidget(self.list)
        layout.addWidget(buttons)
        self.resize(520, 360)

    @property
    def chosen(self) -> list[int]:
        """Numbers of the images, counted from 1, in the order of the file."""
        return sorted(index.row() + 1 for index in self.list.selectedIndexes())

    def _on_selection(self) -> None:
        self.open_button.setEnabled(bool(self.chosen))


def ask_for_images(file_name: str, images: Sequence[ImageOfFile]) -> list[int]:
    """Show the dialog over the window.

    Returns
    -------
    list of int
        Counted from 1; empty when the dialog was cancelled.
    """
    dialog = ImagesDialog(file_name, images, QApplication.activeWindow())
    try:
        return dialog.chosen if dialog.exec() else []
    finally:
        dialog.deleteLater()
