"""A line over a canvas, in its pixels, where nothing of the picture could show it."""

from collections.abc import Sequence

from qtpy.QtCore import QPointF, Qt
from qtpy.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF
from qtpy.QtWidgets import QWidget

_WIDTH = 2.0


class CanvasLine(QWidget):
    """Covers a canvas and shows a line on it; the mouse goes through to the canvas.

    Parameters
    ----------
    canvas : QWidget
    colour : QColor
    """

    def __init__(self, canvas: QWidget, colour: QColor) -> None:
        super().__init__(canvas)
        self._colour = colour
        self.line = QPolygonF()
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setGeometry(canvas.rect())
        self.show()

    def draw(self, places: Sequence[tuple[float, float]]) -> None:
        """Show another line, through these pixels of the canvas."""
        self.line = QPolygonF([QPointF(x, y) for x, y in places])
        self.update()

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Draw the line."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(self._colour, _WIDTH))
        painter.drawPolyline(self.line)
