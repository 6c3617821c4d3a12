"""All operations in one panel: a list by groups that can be searched, and the chosen one's form."""

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QSize, Qt
from qtpy.QtWidgets import (
    QLineEdit,
    QSizePolicy,
    QSplitter,
    QStackedWidget,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from napari_seedbed.gui.dock_tabs import DockTab
from napari_seedbed.gui.operation_widgets import choose_method, widget_class
from napari_seedbed.gui.panel_end import PanelEnd
from napari_seedbed.gui.panel_form import rule
from napari_seedbed.gui.run_controls import wrapped_label
from napari_seedbed.pipeline.declarations import GROUPS, Operation
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
        super().__init__()
        self.viewer = napari_viewer
        self._forms: dict[str, QWidget] = {}
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
        self.forms = QStackedWidget()
        hint = wrapped_label("Choose an operation above: its form opens here.")
        hint.setAlignment(Qt.AlignmentFlag.AlignTop)
        hint.setContentsMargins(8, 6, 8, 6)
        self.forms.addWidget(hint)
        self.forms.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding)
        top = QWidget()
        above = QVBoxLayout(top)
        above.setContentsMargins(8, 6, 8, 0)
        above.setSpacing(4)
        above.addWidget(self.search)
        above.addWidget(self.list, 1)
        above.addWidget(rule())
        self.parts = QSplitter(Qt.Orientation.Vertical)
        self.parts.setChildrenCollapsible(False)
        self.parts.addWidget(top)
        self.parts.addWidget(self.forms)
        self.parts.setStretchFactor(1, 1)
        self.parts.setSizes([_LIST_HEIGHT, 3 * _LIST_HEIGHT])
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.parts)
        DockTab(self)
        PanelEnd(self)

    def sizeHint(self) -> QSize:
        """As narrow as the forms."""
        return QSize(320, 4 * _LIST_HEIGHT)

    # What people do

    def choose(self, name: str) -> QWidget:
        """Show the form of an operation, by its name, and return it."""
        for item in self._items():
            if item.data(0, Qt.ItemDataRole.UserRole) == name:
                self.list.setCurrentItem(item)
                self.list.scrollToItem(item)
        return self._show(operations[name])

    def reset_choices(self, event: Any = None) -> None:
        """Let the forms that were opened offer the layers that there are now."""
        for form in self._forms.values():
            offer = getattr(form, "reset_choices", None)
            if offer is not None:
                offer()

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
        """Show what has all words of the text in its titles, terms, group or help."""
        words = text.lower().split()
        with_matches = set()
        for item in self._items():
            operation = operations[item.data(0, Qt.ItemDataRole.UserRole)]
            said = _said_of(operation)
            matches = all(word in said for word in words)
            item.setHidden(not matches)
            if matches:
                with_matches.add(operation.group)
        for row in range(self.list.topLevelItemCount()):
            heading = self.list.topLevelItem(row)
            assert heading is not None
            heading.setHidden(heading.text(0) not in with_matches)
        self.list.scrollToTop()

    def shown(self) -> list[str]:
        """Names of the operations that the search leaves."""
        return [
            item.data(0, Qt.ItemDataRole.UserRole) for item in self._items() if not item.isHidden()
        ]

    def _choose_first(self) -> None:
        left = self.shown()
        if left:
            self.choose(left[0])

    def _on_chosen(self, item: QTreeWidgetItem | None, before: QTreeWidgetItem | None) -> None:
        name = None if item is None else item.data(0, Qt.ItemDataRole.UserRole)
        if name is not None:
            self._show(operations[name])

    def _show(self, operation: Operation) -> QWidget:
        form = self._forms.get(operation.command)
        if form is None:
            form = widget_class(operation)(self.viewer)
            self._forms[operation.command] = form
            self.forms.addWidget(form)
        else:
            self.reset_choices()
        self.forms.setCurrentWidget(form)
        choose_method(form, f"{operation.command}_{operation.name}")
        return form


def _said_of(operation: Operation) -> str:
    parts = (
        operation.title,
        operation.command_title,
        operation.term,
        operation.group,
        operation.name.replace("_", " "),
        operation.help,
    )
    return " ".join(parts).lower()
