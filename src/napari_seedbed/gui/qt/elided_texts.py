"""Widgets whose text is cut with an ellipsis where there is no room for it."""

from qtpy.QtCore import QMargins, QSize, Qt
from qtpy.QtGui import QPaintEvent, QResizeEvent
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QSizePolicy,
    QStyle,
    QStyleOptionComboBox,
    QStylePainter,
)

_ROUNDING = 2
"""Pixels by which a text may come out longer than it was measured."""

_AROUND_TEXT = 4
"""Pixels that napari's style sheet takes of a combo box beside those that Qt counts."""


class ElidedCombo(QComboBox):
    """A choice whose text is cut with an ellipsis; Qt cuts it off within a letter.

    Parameters
    ----------
    mode : Qt.TextElideMode
        Where the ellipsis stands.
    """

    def __init__(self, mode: Qt.TextElideMode = Qt.TextElideMode.ElideRight) -> None:
        super().__init__()
        self._mode = mode

    def sizeHint(self) -> QSize:
        """Room for the longest text."""
        return super().sizeHint().grownBy(QMargins(0, 0, _AROUND_TEXT, 0))

    def minimumSizeHint(self) -> QSize:
        """Room for the longest text, or for as many letters as were asked for."""
        return super().minimumSizeHint().grownBy(QMargins(0, 0, _AROUND_TEXT, 0))

    def elided_text(self, room: int) -> str:
        """The chosen text, cut to `room` pixels."""
        return self.fontMetrics().elidedText(self.currentText(), self._mode, max(room, 0))

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Draw the text with an ellipsis."""
        painter, option = QStylePainter(self), QStyleOptionComboBox()
        self.initStyleOption(option)
        painter.drawComplexControl(QStyle.ComplexControl.CC_ComboBox, option)
        style = self.style()
        if style is not None:
            field = style.subControlRect(
                QStyle.ComplexControl.CC_ComboBox,
                option,
                QStyle.SubControl.SC_ComboBoxEditField,
                self,
            )
            option.currentText = self.elided_text(field.width() - _AROUND_TEXT)
        painter.drawControl(QStyle.ControlElement.CE_ComboBoxLabel, option)


class ElidedCheckBox(QCheckBox):
    """A check box whose long text is cut with an ellipsis rather than widening the dock."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._whole = text
        self.setToolTip(text)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        """Room for the whole text, also while it is cut."""
        whole = self._around() + self._length(self._whole) + _ROUNDING
        return QSize(whole, super().sizeHint().height())

    def minimumSizeHint(self) -> QSize:
        """Room for the box and a few letters."""
        return QSize(min(80, self.sizeHint().width()), super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """Show as much of the text as there is room for."""
        super().resizeEvent(event)
        room = self.width() - self._around()
        self.setText(self.fontMetrics().elidedText(self._whole, Qt.TextElideMode.ElideMiddle, room))

    def _length(self, text: str) -> int:
        return self.fontMetrics().horizontalAdvance(text)

    def _around(self) -> int:
        """Pixels that the box and the gaps take."""
        return super().sizeHint().width() - self._length(self.text())
