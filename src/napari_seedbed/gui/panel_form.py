"""What the panels' forms have in common: a column that scrolls, and sections that open."""

from qtpy.QtCore import QSize, Qt
from qtpy.QtWidgets import QFormLayout, QFrame, QPushButton, QScrollArea, QVBoxLayout, QWidget

from napari_seedbed.gui.dock_tabs import DockTab


class Section(QWidget):
    """A heading that shows and hides what is under it."""

    def __init__(self, title: str) -> None:
        super().__init__()
        self._title = title
        self._heading = QPushButton()
        # It is a heading that opens, not a button that is switched on.
        self._heading.setStyleSheet("text-align: left; background: transparent; padding: 3px 0;")
        self._heading.clicked.connect(self.toggle)
        self._content: QWidget | None = None
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(6)
        self._column.addWidget(self._heading)
        self._show_state(False)

    def set_content(self, widget: QWidget) -> None:
        """Put a widget under the heading, hidden at first."""
        self._content = widget
        self._column.addWidget(widget)
        self._show_state(False)

    def toggle(self) -> None:
        """Open or close."""
        self._show_state(self._content is not None and self._content.isHidden())

    def _show_state(self, is_open: bool) -> None:
        self._heading.setText(f"{'▾' if is_open else '▸'} {self._title}")
        if self._content is not None:
            self._content.setVisible(is_open)


class PanelForm(QScrollArea):
    """A column of controls, no narrower than they need; `column` is where they go."""

    def __init__(self) -> None:
        super().__init__()
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._body = QWidget()
        self.column = QVBoxLayout(self._body)
        self.column.setContentsMargins(8, 6, 8, 6)
        self.column.setSpacing(6)
        self.setWidget(self._body)
        # where the form is the whole panel
        DockTab(self)

    def minimumSizeHint(self) -> QSize:
        """As wide as the contents need, since there is no horizontal scroll bar."""
        bar = self.verticalScrollBar()
        needed = self._body.minimumSizeHint().width() + (bar.sizeHint().width() if bar else 0)
        return QSize(max(needed, 310), 120)

    def sizeHint(self) -> QSize:
        """As narrow as it may be: the picture matters more."""
        return QSize(self.minimumSizeHint().width(), 600)


def form_rows() -> QFormLayout:
    """Rows of labels and fields."""
    form = QFormLayout()
    form.setSpacing(6)
    form.setContentsMargins(0, 0, 0, 0)
    form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow)
    return form


def rule() -> QFrame:
    """A thin line between groups of controls."""
    line = QFrame()
    line.setFrameShape(QFrame.Shape.HLine)
    line.setFixedHeight(1)
    return line
