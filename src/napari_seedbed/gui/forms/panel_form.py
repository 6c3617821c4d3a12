"""What the panels' forms have in common: a column that scrolls, and sections that open."""

from qtpy.QtCore import QEvent, QObject, QSize, Qt
from qtpy.QtWidgets import QFrame, QLabel, QPushButton, QScrollArea, QVBoxLayout, QWidget

from napari_seedbed.gui.qt.controls import Part, fill, in_column
from napari_seedbed.gui.qt.run_controls import RunControls


class Section(QWidget):
    """A heading that shows and hides what is under it, hidden at first."""

    def __init__(self, title: str, content: QWidget) -> None:
        super().__init__()
        self._title = title
        self._content = content
        self._heading = QPushButton()
        # It is a heading that opens, not a button that is switched on.
        self._heading.setStyleSheet("text-align: left; background: transparent; padding: 3px 0;")
        self._heading.clicked.connect(self.toggle)
        in_column(self, self._heading, content)
        self._show_state(False)

    def toggle(self) -> None:
        """Open or close."""
        self._show_state(self._content.isHidden())

    def _show_state(self, is_open: bool) -> None:
        self._heading.setText(f"{'▾' if is_open else '▸'} {self._title}")
        self._content.setVisible(is_open)


class PanelForm(QScrollArea):
    """A column of controls, no narrower than they need; `column` is where they go.

    Attributes
    ----------
    controls : RunControls
    save_recipe : QPushButton
        These two are made by the forms of panels that run something.
    """

    controls: RunControls
    save_recipe: QPushButton

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

    def add(self, *parts: Part | tuple[Part, int]) -> None:
        """Add parts below, each alone or with its stretch."""
        fill(self.column, *parts)

    @property
    def run(self) -> QPushButton:
        """The button of the controls."""
        return self.controls.run

    @property
    def cancel(self) -> QPushButton:
        """The button of the controls."""
        return self.controls.cancel

    @property
    def status(self) -> QLabel:
        """What the controls say."""
        return self.controls.status

    @property
    def forecast(self) -> QLabel:
        """What a run will cost, as the controls say."""
        return self.controls.forecast

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Ask for another width when the contents need one, as in napari's fonts and margins."""
        if event is not None and event.type() == QEvent.Type.LayoutRequest:
            self.updateGeometry()
        return super().eventFilter(watched, event)

    def minimumSizeHint(self) -> QSize:
        """As wide as the contents need, since there is no horizontal scroll bar."""
        bar = self.verticalScrollBar()
        needed = self._body.minimumSizeHint().width() + (bar.sizeHint().width() if bar else 0)
        return QSize(max(needed, 310), 120)

    def sizeHint(self) -> QSize:
        """As narrow as it may be: the picture matters more."""
        return QSize(self.minimumSizeHint().width(), 600)


def rule() -> QFrame:
    """A thin line between groups of controls."""
    line = QFrame()
    line.setFrameShape(QFrame.Shape.HLine)
    line.setFixedHeight(1)
    return line
