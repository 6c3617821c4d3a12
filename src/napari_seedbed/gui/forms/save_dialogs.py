"""Asking where something should be saved."""

import re
from collections.abc import Mapping
from pathlib import Path

from napari import current_viewer
from napari.components import ViewerModel
from napari.layers import Layer
from qtpy.QtCore import QRect
from qtpy.QtGui import QShowEvent
from qtpy.QtWidgets import QFileDialog, QLineEdit, QWidget

from napari_seedbed.gui.forms.layer_choice import LayerCombo
from napari_seedbed.gui.layers.layer_records import METADATA_KEY, record_of
from napari_seedbed.gui.qt.plugin_settings import recipe_folder
from napari_seedbed.pipeline.files.writers import writers_of
from napari_seedbed.pipeline.recipes.scripts import SUFFIX


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
        self._all_endings = _endings(kinds)
        self.filterSelected.connect(self._on_kind)

    def _on_kind(self, kind: str) -> None:
        """Let the name end as files of the kind do that was chosen."""
        own = _endings(kind)
        self.setDefaultSuffix(own[0][1:])
        edit = self.findChild(QLineEdit, "fileNameEdit")
        stem = edit.text() if edit is not None else ""
        # The longest first: .ome.tif before .tif.
        for ending in sorted(self._all_endings, key=len, reverse=True):
            if stem.endswith(ending) and ending not in own:
                self.selectFile(stem.removesuffix(ending) + own[0])
                return

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
    kinds : str
        As for `SaveDialog`.
    folder : str
        Where it begins; beside the image by default.

    Returns
    -------
    Path or None
        With one of the endings of `kinds`; None when the dialog was cancelled.
    """
    stem = "".join(c if c.isalnum() or c in "-_." else "_" for c in about)
    endings = _endings(kinds)
    folder = folder or folder_beside(parent, getattr(parent, "viewer", None) or current_viewer())
    dialog = SaveDialog(parent, title, f"{stem}{endings[0]}", kinds, folder)
    accepted = dialog.exec()
    given, kind = dialog.selectedFiles(), dialog.selectedNameFilter()
    dialog.deleteLater()
    if not accepted or not given:
        return None
    path = Path(given[0])
    # Not `with_suffix`: that would cut off part of a name such as 'cells 1.5 um'.
    return (
        path
        if path.name.endswith(tuple(endings))
        else path.with_name(path.name + _endings(kind)[0])
    )


def ask_for_recipe_path(parent: QWidget, about: str) -> Path | None:
    """Ask where a recipe, or a script of it, should be saved; None when this was cancelled."""
    kinds = f"Recipes (*.yaml *.yml);;Python script (*{SUFFIX})"
    return ask_where_to_save(parent, "Save recipe", about, kinds, recipe_folder())


def folder_beside(parent: QWidget, viewer: ViewerModel | None) -> str:
    """The folder of the image that a panel works on; of another one where that came from no file.

    Parameters
    ----------
    parent : QWidget
        The panel: images that are chosen in it come first, then those that are selected.
    viewer : ViewerModel or None

    Returns
    -------
    str
        Empty where no image came from a file.
    """
    if viewer is None:
        return ""
    chosen = [combo.layer() for combo in parent.findChildren(LayerCombo)]
    first = [layer for layer in chosen if layer is not None]
    by_name = {str(layer.name): layer for layer in viewer.layers}
    for layer in [*first, viewer.layers.selection.active, *viewer.layers]:
        folder = "" if layer is None else _folder_of(layer, by_name)
        if folder:
            return folder
    return ""


def _folder_of(layer: Layer, by_name: Mapping[str, Layer]) -> str:
    """The folder of the file that a layer came from, or the image that a result was made from."""
    record = record_of(layer)
    while record is not None:
        inputs = record.get("inputs") or [{}]
        first, record = inputs[0], inputs[0].get("made_by")
        layer = by_name.get(str(first.get("name")), layer)
    source = layer.metadata.get(METADATA_KEY, {}).get("source") or {}
    path = str(source.get("path") or layer.source.path or "")
    folder = Path(path).parent if path else None
    return str(folder) if folder is not None and folder.is_dir() else ""


def kinds_of_files(kind: str) -> str:
    """The kinds of files for a kind of results, as Qt takes them, the usual one first."""
    return ";;".join(
        f"{row.name} ({' '.join(f'*{suffix}' for suffix in row.suffixes)})"
        for row in writers_of(kind)
    )


def _endings(kinds: str) -> list[str]:
    return re.findall(r"\*((?:\.\w+)+)", kinds)
