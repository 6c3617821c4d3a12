"""Asking where something should be saved."""

import re
from pathlib import Path

from qtpy.QtCore import QRect
from qtpy.QtGui import QShowEvent
from qtpy.QtWidgets import QFileDialog, QWidget

from napari_seedbed.gui.plugin_settings import recipe_folder


class SaveDialog(QFileDialog):
    """A file dialog that lies within the screen, with the buttons at its lower edge.

    Parameters
    ----------
    parent : QWidget
    title : str
    name : str
        The suggested file name.
    kinds : str
        As Qt takes them: ``Tables (*.csv);;Everything (*.json)``.
    folder : str
        Where it begins; empty for the folder of the last file.
    """

    def __init__(
        self, parent: QWidget, title: str, name: str, kinds: str, folder: str = ""
    ) -> None:
        super().__init__(parent, title, folder, kinds)
        self.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        self.setDefaultSuffix(_endings(kinds)[0][1:])
        self.selectFile(name)

    def showEvent(self, event: QShowEvent | None) -> None:
        """Come within the screen; Qt opens it in the middle of the window, wherever that is."""
        super().showEvent(event)
        screen = self.screen()
        if screen is not None:
            self.setGeometry(within(self.geometry(), screen.availableGeometry()))


def within(place: QRect, room: QRect) -> QRect:
    """A rectangle made as small and moved as far as needed to lie in another one."""
    size = place.size().boundedTo(room.size())
    found = QRect(place.topLeft(), size)
    found.moveLeft(max(room.left(), min(place.left(), room.right() + 1 - size.width())))
    found.moveTop(max(room.top(), min(place.top(), room.bottom() + 1 - size.height())))
    return found


def ask_where_to_save(
    parent: QWidget, title: str, about: str, kinds: str, folder: str = ""
) -> Path | None:
    """Show the file dialog.

    Parameters
    ----------
    parent : QWidget
    title : str
    about : str
        What the file is about; becomes the suggested file name.
    kinds, folder : str
        As for `SaveDialog`.

    Returns
    -------
    Path or None
        With one of the endings of `kinds`; None when the dialog was cancelled.
    """
    stem = "".join(c if c.isalnum() or c in "-_." else "_" for c in about)
    endings = _endings(kinds)
    dialog = SaveDialog(parent, title, f"{stem}{endings[0]}", kinds, folder)
    accepted = dialog.exec()
    given, kind = dialog.selectedFiles(), dialog.selectedNameFilter()
    dialog.deleteLater()
    if not accepted or not given:
        return None
    path = Path(given[0])
    # Not `with_suffix`: that would cut off part of a name such as 'cells 1.5 um'.
    return path if path.suffix in endings else path.with_name(path.name + _endings(kind)[0])


def ask_for_recipe_path(parent: QWidget, about: str) -> Path | None:
    """Ask where a recipe should be saved; None when the dialog was cancelled."""
    kinds = "Recipes (*.yaml *.yml)"
    return ask_where_to_save(parent, "Save recipe", about, kinds, recipe_folder())


def _endings(kinds: str) -> list[str]:
    return re.findall(r"\*(\.\w+)", kinds)
