"""All operations in one panel: a list by groups that can be searched, and the chosen one's form."""

from typing import TYPE_CHECKING

from qtpy.QtCore import QSignalBlocker, QSize, Qt
from qtpy.QtGui import QShowEvent
from qtpy.QtWidgets import (
    QLineEdit,
    QSizePolicy,
    QSplitter,
    QStackedWidget,
    QTreeWidget,
    QTreeWidgetItem,
    QWidget,
)

from napari_seedbed.gui.forms.panel_form import rule
from napari_seedbed.gui.forms.restore_bar import RestoreBar
from napari_seedbed.gui.hooks.operation_search import matches, name_that_matches, rank
from napari_seedbed.gui.hooks.operation_widgets import choose_method, widget_class
from napari_seedbed.gui.layers.plain_viewers import plain
from napari_seedbed.gui.qt.controls import in_column
from napari_seedbed.gui.qt.dock_tabs import DockTab
from napari_seedbed.gui.qt.panel_end import PanelEnd
from napari_seedbed.gui.qt.run_controls import wrapped_label
from napari_seedbed.pipeline.engine.declarations import GROUPS, Operation
from napari_seedbed.pipeline.operations import operations

if TYPE_CHECKING:
    from napari.viewer import Viewer

_LIST_HEIGHT = 180


class OperationsPanel(QWidget):
    """Dock widget that leads to every operation.

    Parameters
    ----------
    napari_viewer : Viewer
    """

    def __init__(self, napari_viewer: "Viewer") -> None:
        napari_viewer = plain(napari_viewer)
        super().__init__()
        self.viewer = napari_viewer
        self._forms: dict[str, QWidget] = {}
        self._pointed_at: QTreeWidgetItem | None = None
        self.search = QLineEdit()
        self.search.setPlaceholderText("Search, for example: edge, threshold, top-hat")
        self.search.setClearButtonEnabled(True)
        self.search.textChanged.connect(self._filter)
        self.search.returnPressed.connect(self._choose_first)
        self.list = QTreeWidget()
        self.list.setHeaderHidden(True)
        self.list.setRootIsDecorated(True)
        self.list.setIndentation(14)
        self._fill()
        self.list.currentItemChanged.connect(self._on_chosen)
        # the one that the search has selected is current already
        self.list.itemClicked.connect(self._on_pressed)
        self.list.itemActivated.connect(self._on_pressed)
        self.forms = QStackedWidget()
        hint = wrapped_label("Choose an operation above: its form opens here.")
        hint.setAlignment(Qt.AlignmentFlag.AlignTop)
        hint.setContentsMargins(8, 6, 8, 6)
        self.forms.addWidget(hint)
        self.forms.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding)
        above = self.search, (self.list, 1), rule()
        top = in_column(QWidget(), *above, spacing=4, margins=(8, 6, 8, 0))
        self.parts = QSplitter(Qt.Orientation.Vertical)
        self.parts.setChildrenCollapsible(False)
        self.parts.addWidget(top)
        self.parts.addWidget(self.forms)
        self.parts.setStretchFactor(1, 1)
        self.parts.setSizes([_LIST_HEIGHT, 3 * _LIST_HEIGHT])
        self._restore_bar = RestoreBar(napari_viewer)
        in_column(self, self._restore_bar, (self.parts, 1))
        PanelEnd(self).ended.connect(DockTab(self).leave)

    def sizeHint(self) -> QSize:
        """As narrow as the forms."""
        return QSize(320, 4 * _LIST_HEIGHT)

    def showEvent(self, event: QShowEvent | None) -> None:
        """Keep what is drawn from now on, and offer earlier work, as every panel does."""
        super().showEvent(event)
        self._restore_bar.begin()

    # What people do

    def choose(self, name: str) -> QWidget:
        """Show the form of an operation, by its name, and return it."""
        for item in self._items():
            if item.data(0, Qt.ItemDataRole.UserRole) == name:
                self.list.setCurrentItem(item)
                self.list.scrollToItem(item)
        return self._show(operations[name])

    # The list

    def _fill(self) -> None:
        for group in GROUPS:
            own = [operation for operation in operations.values() if operation.group == group]
            if not own:
                continue
            heading = QTreeWidgetItem([group])
            heading.setFlags(Qt.ItemFlag.ItemIsEnabled)
            for operation in own:
                item = QTreeWidgetItem([operation.title])
                item.setToolTip(0, operation.help)
                item.setData(0, Qt.ItemDataRole.UserRole, operation.name)
                heading.addChild(item)
            self.list.addTopLevelItem(heading)
        self.list.expandAll()

    def _items(self) -> list[QTreeWidgetItem]:
        """The operations, without the headings."""
        found = []
        for row in range(self.list.topLevelItemCount()):
            heading = self.list.topLevelItem(row)
            assert heading is not None
            children = [heading.child(i) for i in range(heading.childCount())]
            found += [child for child in children if child is not None]
        return found

    def _filter(self, text: str) -> None:
        """Show what is found, say by which name, and select the best match."""
        with_matches = set()
        for item in self._items():
            operation = operations[item.data(0, Qt.ItemDataRole.UserRole)]
            found = matches(operation, text)
            item.setHidden(not found)
            elsewhere = name_that_matches(operation, text) if found else ""
            item.setText(0, f"{operation.title}  ({elsewhere})" if elsewhere else operation.title)
            item.setToolTip(0, f"{elsewhere}\n{operation.help}".strip())
            if found:
                with_matches.add(operation.group)
        for row in range(self.list.topLevelItemCount()):
            heading = self.list.topLevelItem(row)
            assert heading is not None
            heading.setHidden(heading.text(0) not in with_matches)
        self._point_at_best()

    def _point_at_best(self) -> None:
        """Select the best match, which Enter opens; nothing is opened by typing."""
        best = self.best() if self.search.text().strip() else None
        with QSignalBlocker(self.list):
            self.list.setCurrentItem(best)
        self._pointed_at = best
        if best is None:
            self.list.scrollToTop()
        else:
            self.list.scrollToItem(best)

    def best(self) -> QTreeWidgetItem | None:
        """The operation that the search means most likely; None where nothing is found."""
        text = self.search.text()
        found = [item for item in self._items() if not item.isHidden()]
        return min(
            found,
            key=lambda item: rank(operations[item.data(0, Qt.ItemDataRole.UserRole)], text),
            default=None,
        )

    def shown(self) -> list[str]:
        """Names of the operations that the search leaves."""
        return [
            item.data(0, Qt.ItemDataRole.UserRole) for item in self._items() if not item.isHidden()
        ]

    def _choose_first(self) -> None:
        best = self.best()
        if best is not None:
            self.choose(best.data(0, Qt.ItemDataRole.UserRole))

    def _on_chosen(self, item: QTreeWidgetItem | None, before: QTreeWidgetItem | None) -> None:
        name = None if item is None else item.data(0, Qt.ItemDataRole.UserRole)
        if name is not None:
            self._show(operations[name])

    def _on_pressed(self, item: QTreeWidgetItem, column: int) -> None:
        if item is self._pointed_at:
            self._pointed_at = None
            self._on_chosen(item, None)

    def _show(self, operation: Operation) -> QWidget:
        form = self._forms.get(operation.command)
        if form is None:
            form = widget_class(operation)(self.viewer)
            self._forms[operation.command] = form
            self.forms.addWidget(form)
        self.forms.setCurrentWidget(form)
        choose_method(form, f"{operation.command}_{operation.name}")
        return form
