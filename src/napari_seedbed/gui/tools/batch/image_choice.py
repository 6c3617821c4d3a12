"""Which images of files a batch takes: wells and fields of plates, each with a box."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from qtpy.QtCore import QSignalBlocker, Qt, Signal
from qtpy.QtWidgets import QAbstractItemView, QTreeWidget, QTreeWidgetItem

from napari_seedbed.pipeline.batch.wells import well_and_field

_CHECKED, _UNCHECKED = Qt.CheckState.Checked, Qt.CheckState.Unchecked
_NUMBER = Qt.ItemDataRole.UserRole

Images = Mapping[Path, Sequence[tuple[int, str]]]
"""Numbers, counted from 1, and names of the images of files."""


class ImageChoice(QTreeWidget):
    """Files, their wells and their images, all chosen at first.

    Notes
    -----
    The box of a file or a well is that of all its images, and the box of a selected row that of
    all selected rows. `changed()` is emitted when another choice is made.
    """

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._leaves: dict[tuple[Path, int], QTreeWidgetItem] = {}
        self.setHeaderHidden(True)
        self.setUniformRowHeights(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setMinimumHeight(120)
        # An empty box would be as dark as a dark window.
        self.setStyleSheet(
            "QTreeView::indicator:unchecked { width: 10px; height: 10px; border: 1px solid #888; }"
        )
        self.setToolTip(
            "The images to work on. Select several rows with Shift or Ctrl: the box of one of them "
            "is that of all."
        )
        self.itemChanged.connect(self._on_changed)

    def show_images(self, images: Images) -> None:
        """Offer these images; those that were not chosen before stay so."""
        left_out = {key for key, leaf in self._leaves.items() if leaf.checkState(0) == _UNCHECKED}
        with QSignalBlocker(self):
            self.clear()
            self._leaves.clear()
            for path, numbered in images.items():
                file = _row(self, path.name)
                file.setToolTip(0, str(path))
                wells: dict[str, QTreeWidgetItem] = {}
                for number, title in numbered:
                    well, field = well_and_field(title)
                    if well and well not in wells:
                        wells[well] = _row(file, well)
                    leaf = _row(wells.get(well, file), field)
                    leaf.setData(0, _NUMBER, number)
                    self._leaves[path, number] = leaf
                file.setExpanded(True)
            for key in left_out & self._leaves.keys():
                self._leaves[key].setCheckState(0, _UNCHECKED)
        self.changed.emit()

    def chosen(self) -> dict[Path, list[int]]:
        """The numbers of the images to take, of each file."""
        found: dict[Path, list[int]] = {path: [] for path, _ in self._leaves}
        for (path, number), leaf in self._leaves.items():
            if leaf.checkState(0) == _CHECKED:
                found[path].append(number)
        return found

    def in_words(self) -> str:
        """How many images are chosen."""
        count = sum(map(len, self.chosen().values()))
        return f"{count} of {len(self._leaves)} images chosen."

    def _on_changed(self, item: QTreeWidgetItem, column: int) -> None:
        state = item.checkState(column)
        if item.isSelected() and state != Qt.CheckState.PartiallyChecked:
            with QSignalBlocker(self):
                for other in self.selectedItems():
                    for leaf in _leaves_under(other):
                        leaf.setCheckState(0, state)
        self.changed.emit()


def _row(parent: QTreeWidget | QTreeWidgetItem, text: str) -> QTreeWidgetItem:
    row = QTreeWidgetItem(parent, [text])
    row.setFlags(row.flags() | Qt.ItemFlag.ItemIsAutoTristate | Qt.ItemFlag.ItemIsUserCheckable)
    row.setCheckState(0, _CHECKED)
    return row


def _leaves_under(item: QTreeWidgetItem) -> Iterator[QTreeWidgetItem]:
    if not item.childCount():
        yield item
    for n in range(item.childCount()):
        child = item.child(n)
        assert child is not None
        yield from _leaves_under(child)
