"""A button that asks for a file or a folder."""

from qtpy.QtWidgets import QFileDialog, QLineEdit, QMenu, QPushButton


class PathButton(QPushButton):
    """Its menu asks for a file or for a folder, and what is picked goes into a line.

    Parameters
    ----------
    line : QLineEdit
        It emits `editingFinished` when something was picked.
    title : str
        Of the dialog.
    kinds : str
        Which files the dialog shows, as Qt writes it.
    """

    def __init__(self, line: QLineEdit, title: str, kinds: str = "All (*)") -> None:
        super().__init__("Browse…")
        self._line, self._title, self._kinds = line, title, kinds
        menu = QMenu(self)
        menu.addAction("File…", self._ask_for_file)
        menu.addAction("Folder…", self._ask_for_folder)
        self.setMenu(menu)

    def _ask_for_file(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, self._title, self._line.text(), self._kinds)
        self._pick(path)

    def _ask_for_folder(self) -> None:
        self._pick(QFileDialog.getExistingDirectory(self, self._title, self._line.text()))

    def _pick(self, path: str) -> None:
        if path:
            self._line.setText(path)
            self._line.editingFinished.emit()
