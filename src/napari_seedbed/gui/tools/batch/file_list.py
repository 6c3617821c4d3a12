"""The files of a batch: a row each, with what became of it."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from qtpy.QtCore import QMimeData, Qt, Signal
from qtpy.QtGui import QDragEnterEvent, QDragMoveEvent, QDropEvent
from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QTableWidget, QTableWidgetItem

from napari_seedbed.errors import FileError
from napari_seedbed.pipeline.batch import NEEDS
from napari_seedbed.pipeline.files import collection_files, is_folder

COLUMNS = ("File", "State", "Objects", "Seconds")
_STATE, _OBJECTS, _SECONDS = range(1, len(COLUMNS))
WAITING, WORKING = "waiting", "working…"


class FileList(QTableWidget):
    """Files and what became of each; files and folders can be dropped on it.

    Attributes
    ----------
    files : list of Path
        In the order of the rows.

    Notes
    -----
    Signals: `changed()` when there are other files; `said(str)` what is wrong with those that a
    person wanted to add; `opened(object)` the entries of a batch whose row a person double-clicked:
    several where each image of a file was an input.
    """

    changed = Signal()
    said = Signal(str)
    opened = Signal(object)

    def __init__(self) -> None:
        super().__init__(0, len(COLUMNS))
        self.files: list[Path] = []
        self._entries: dict[int, list[Mapping[str, Any]]] = {}
        self.setHorizontalHeaderLabels(COLUMNS)
        lines, header = self.verticalHeader(), self.horizontalHeader()
        assert lines is not None
        assert header is not None
        lines.hide()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setAcceptDrops(True)
        self.setMinimumHeight(140)
        self.setToolTip(
            "Drop files or folders here. A double click on a row opens the file with its results, "
            "or to paint the seeds that it needs."
        )
        self.cellDoubleClicked.connect(self._on_double_click)

    def add(self, places: Iterable[Path]) -> None:
        """Add files, and the images of folders; those that are in the list stay as they are."""
        found: list[Path] = []
        for place in places:
            try:
                found += collection_files(place) if is_folder(place) else [place]
            except (FileError, OSError) as error:
                self.said.emit(str(error))
        known = set(self.files)
        for file in dict.fromkeys(found):
            if file not in known:
                self._append(file)
        self.changed.emit()

    def remove_chosen(self) -> None:
        """Take the selected rows out of the list, or all where none is selected."""
        rows = {index.row() for index in self.selectedIndexes()} or range(len(self.files))
        for row in sorted(rows, reverse=True):
            self.removeRow(row)
            del self.files[row]
        self._entries.clear()
        self.begin()
        self.changed.emit()

    def begin(self) -> None:
        """All files wait."""
        self._entries.clear()
        for row in range(len(self.files)):
            self._show(row, WAITING, "", "")

    def show_working(self, name: str) -> None:
        """Show that the file of a name is worked on."""
        for row, file in enumerate(self.files):
            if file.name == name and row not in self._entries:
                self._text(row, _STATE, WORKING)

    def show_entry(self, entry: Mapping[str, Any]) -> None:
        """Show what became of an input, as a batch tells it."""
        row = next((n for n, file in enumerate(self.files) if str(file) == entry["input"]), None)
        if row is None:
            return
        entries = self._entries.setdefault(row, [])
        entries.append(entry)
        state = "there already" if all("resumed" in one for one in entries) else "done"
        counts = [one["objects"] for one in entries if one["objects"] is not None]
        wanted = [what for one in entries for what in one.get(NEEDS, ())]
        if wanted:
            state = f"needs {wanted[0]}"
        elif any(one["error"] for one in entries):
            state = "failed"
        self._show(
            row,
            state,
            str(sum(counts)) if counts else "",
            f"{sum(one['seconds'] for one in entries):.1f}",
        )
        told = "\n".join(
            line for one in entries for line in filter(None, [one["error"], *one["notes"]])
        )
        for column in range(len(COLUMNS)):
            self._cell(row, column).setToolTip(f"{self.files[row]}\n{told}".strip())
        self.scrollToItem(self._cell(row, 0))

    def stop(self) -> None:
        """What is not finished waits again."""
        for row in range(len(self.files)):
            if row not in self._entries:
                self._text(row, _STATE, WAITING)

    def states(self) -> list[str]:
        """The states that are shown, from above."""
        return [self._cell(row, _STATE).text() for row in range(len(self.files))]

    def _append(self, file: Path) -> None:
        row = self.rowCount()
        self.insertRow(row)
        self.files.append(file)
        self._text(row, 0, file.name)
        self._cell(row, 0).setToolTip(os.fspath(file))
        self._show(row, WAITING, "", "")

    def _show(self, row: int, state: str, objects: str, seconds: str) -> None:
        for column, text in ((_STATE, state), (_OBJECTS, objects), (_SECONDS, seconds)):
            self._text(row, column, text)

    def _text(self, row: int, column: int, text: str) -> None:
        cell = self._cell(row, column)
        cell.setText(text)
        if column in (_OBJECTS, _SECONDS):
            cell.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)

    def _cell(self, row: int, column: int) -> QTableWidgetItem:
        cell = self.item(row, column)
        if cell is None:
            cell = QTableWidgetItem()
            self.setItem(row, column, cell)
        return cell

    def _on_double_click(self, row: int, column: int) -> None:
        if row in self._entries:
            self.opened.emit(self._entries[row])

    # Files that are dropped

    def dragEnterEvent(self, event: QDragEnterEvent | None) -> None:
        """Take files."""
        if event is not None and _places(event.mimeData()):
            event.acceptProposedAction()

    def dragMoveEvent(self, event: QDragMoveEvent | None) -> None:
        """Take files anywhere."""
        if event is not None and _places(event.mimeData()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent | None) -> None:
        """Add files."""
        if event is not None:
            self.add(_places(event.mimeData()))
            event.acceptProposedAction()


def _places(data: QMimeData | None) -> list[Path]:
    urls = [] if data is None else data.urls()
    return [Path(url.toLocalFile()) for url in urls if url.isLocalFile()]
