"""The end of a panel: once, in the window's thread, while everything is still there."""

from qtpy.QtCore import QEvent, QObject, Signal
from qtpy.QtWidgets import QMainWindow, QWidget

from napari_seedbed.gui.window_garbage import window_garbage

_GOING = (QEvent.Type.Close, QEvent.Type.DeferredDelete)


class PanelEnd(QObject):
    """Tells a panel that it is over: it was closed or taken out of its dock, or its window closed.

    Qt's `destroyed` would come too late, when the panel is gone, and in any thread.

    Parameters
    ----------
    panel : QWidget

    Notes
    -----
    Signal: `ended()`, once.
    """

    ended = Signal()

    def __init__(self, panel: QWidget) -> None:
        super().__init__(panel)
        self._panel = panel
        self._is_over = self._had_parent = self._may_close = False
        panel.installEventFilter(self)
        garbage = window_garbage()
        if garbage is not None:
            garbage.keep_from_threads(panel)

    def end(self) -> None:
        """End the panel and those within it, unless that was done before."""
        if self._is_over:
            return
        self._is_over = True
        for within in self._panel.findChildren(PanelEnd):
            within.end()
        self.ended.emit()

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Notice what happens to the panel, and to its window from when it is shown."""
        kind = None if event is None else event.type()
        if watched is self._panel:
            self._on_panel(kind)
        elif event is not None and kind == QEvent.Type.Close:
            # where a person closes it, napari may ask whether that was meant
            self._may_close = event.spontaneous()
            if not event.spontaneous():
                self.end()
        elif event is not None and kind == QEvent.Type.Hide and not event.spontaneous():
            self._on_window_hidden()
        return super().eventFilter(watched, event)

    def _on_window_hidden(self) -> None:
        if self._may_close:
            self.end()

    def _on_panel(self, kind: QEvent.Type | None) -> None:
        panel = self._panel
        if kind == QEvent.Type.Show:
            window = panel.window()
            if isinstance(window, QMainWindow):
                window.installEventFilter(self)
        elif kind == QEvent.Type.ParentChange:
            has_parent = panel.parent() is not None
            if self._had_parent and not has_parent:
                self.end()
            self._had_parent = has_parent
        elif kind in _GOING:
            self.end()
