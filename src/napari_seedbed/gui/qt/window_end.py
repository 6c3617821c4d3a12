"""The end of napari's window, as soon as it is sure and while everything is still there."""

from contextlib import suppress
from weakref import ref

from qtpy.QtCore import QEvent, QObject, Signal
from qtpy.QtWidgets import QMainWindow


class WindowEnd(QObject):
    """Notices that a window closes: when a program closes it, or a person really does.

    Parameters
    ----------
    parent : QObject
    window : QMainWindow

    Notes
    -----
    Signal: `ended()`; where a window is only hidden after somebody began to close it, perhaps more
    than once.
    """

    ended = Signal()

    def __init__(self, parent: QObject, window: QMainWindow) -> None:
        super().__init__(parent)
        self._window = ref(window)
        self._may_close = False
        window.installEventFilter(self)

    def leave(self) -> None:
        """Notice nothing any more."""
        window = self._window()
        if window is not None:
            with suppress(RuntimeError):  # Qt may have taken it apart
                window.removeEventFilter(self)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Notice what happens to the window."""
        kind = None if event is None or event.spontaneous() else event.type()
        if kind == QEvent.Type.Close or (kind == QEvent.Type.Hide and self._may_close):
            self.ended.emit()
        if event is not None and event.type() == QEvent.Type.Close:
            # where a person closes it, napari may ask whether that was meant
            self._may_close = event.spontaneous()
        return super().eventFilter(watched, event)
