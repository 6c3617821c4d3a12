"""Whether a file of labels opens as a Labels layer: as the preferences say, or by a question."""

from napari import current_viewer
from qtpy.QtWidgets import QApplication, QCheckBox, QMessageBox

from napari_seedbed.gui.qt.plugin_settings import keep_setting, setting

SECTION, NAME = "files", "label_images"
ASK, AS_LABELS, AS_IMAGES = "ask", "labels", "images"


class LabelQuestion(QMessageBox):
    """Asks once, and keeps the answer where it shall. Esc and the window's cross are no answer.

    Parameters
    ----------
    file_name : str
    """

    def __init__(self, file_name: str) -> None:
        super().__init__(QApplication.activeWindow())
        self.setWindowTitle("Labels or image?")
        self.setText(f"{file_name} looks like labels of objects. Open it as which kind of layer?")
        self.labels = self.addButton("Labels", QMessageBox.ButtonRole.AcceptRole)
        self.image = self.addButton("Image", QMessageBox.ButtonRole.AcceptRole)
        self.cancel = self.addButton(QMessageBox.StandardButton.Cancel)
        self.setDefaultButton(self.labels)
        self.setEscapeButton(self.cancel)
        self.remember = QCheckBox("Do so from now on (Preferences > Seedbed > Files)")
        self.remember.setChecked(True)
        self.setCheckBox(self.remember)

    def answer(self) -> bool | None:
        """Show it, and return whether labels are wanted; None where there is no answer."""
        self.exec()
        if self.clickedButton() not in (self.labels, self.image):
            return None
        as_labels = self.clickedButton() is self.labels
        if self.remember.isChecked():
            keep_setting(SECTION, NAME, AS_LABELS if as_labels else AS_IMAGES)
        return as_labels


def opens_as_labels(file_name: str) -> bool | None:
    """Whether a file of labels opens as a Labels layer; None where it shall not open at all."""
    chosen = setting(SECTION, NAME)
    if chosen != ASK or current_viewer() is None:
        return chosen != AS_IMAGES
    question = LabelQuestion(file_name)
    try:
        return question.answer()
    finally:
        question.deleteLater()
