"""The end of a panel: once, in the window's thread, while everything is still there."""

from qtpy.QtCore import QEvent, QObject, Signal
from qtpy.QtWidgets import QMainWindow, QWidget

from napari_seedbed.gui.qt.window_end import WindowEnd
from napari_seedbed.gui.qt.window_garbage import window_garbage

_GOING = (QEvent.Type.Close, QEvent.Type.DeferredDelete)


class PanelEnd(QObject):
    """Ends a panel once: when it is closed or taken out of its dock, or its window closes.

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
        self._window_end: WindowEnd | None = None
        self._is_over = self._had_parent = False
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
        # Python may take this object apart before Qt does: no event must find it half gone.
        self._panel.removeEventFilter(self)
        self._leave_window()

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Notice what happens to the panel, and to its window from when it is shown."""
        if watched is self._panel:
            self._on_panel(None if event is None else event.type())
        return super().eventFilter(watched, event)

    def _leave_window(self) -> None:
        if self._window_end is not None:
            self._window_end.leave()
            self._window_end = None

    def _on_panel(self, kind: QEvent.Type | None) -> None:
        panel = self._panel
        if kind == QEvent.Type.Show:
            window = panel.window()
            if isinstance(window, QMainWindow):
                self._leave_window()
                self._window_end = WindowEnd(self, window)
                self._window_end.ended.connect(self.end)
        elif kind == QEvent.Type.ParentChange:
            has_parent = panel.parent() is not None
            if self._had_parent and not has_parent:
                self.end()
            self._had_parent = has_parent
        elif kind in _GOING:
            self.end()
