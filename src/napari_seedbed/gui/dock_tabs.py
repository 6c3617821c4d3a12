"""Panels that share a side of the window as tabs, each with all of its height."""

from qtpy.compat import isalive
from qtpy.QtCore import QEvent, QObject, QTimer
from qtpy.QtWidgets import QDockWidget, QMainWindow, QWidget

_TABBED = "napari_seedbed_tab"


class DockTab(QObject):
    """Puts the dock of a panel behind that of another panel of this plugin, as a tab.

    napari puts docks of one side below each other, which on a small screen leaves each panel too
    little. Only a dock that is shown for the first time is moved: afterwards people may put it
    where they like. The menu's entry of a panel behind a tab brings it to the front; napari, to
    which what is behind a tab is open, would hide it.

    Parameters
    ----------
    panel : QWidget
    """

    def __init__(self, panel: QWidget) -> None:
        super().__init__(panel)
        self._panel = panel
        panel.setProperty(_TABBED, True)
        # when the panel is shown, napari is still at work on the dock
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.setInterval(0)
        self._later.timeout.connect(self._join)
        self._to_front = QTimer(self)
        self._to_front.setSingleShot(True)
        self._to_front.setInterval(0)
        self._to_front.timeout.connect(self._come_to_front)
        self._dock: QDockWidget | None = None
        self._is_closing = False
        panel.installEventFilter(self)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Notice when the panel is shown, and when its dock is hidden that lies behind a tab."""
        kind = None if event is None else event.type()
        if watched is self._panel:
            if kind == QEvent.Type.Show and self._dock is None:
                self._panel.removeEventFilter(self)
                self._later.start()
        elif watched is self._dock and self._dock is not None:
            if kind == QEvent.Type.Close:
                self._is_closing = True
            elif kind == QEvent.Type.Hide and self._dock.isHidden():
                # a panel that is hidden already is one behind a tab
                if self._panel.isHidden() and not self._is_closing:
                    self._to_front.start()
                self._is_closing = False
        return super().eventFilter(watched, event)

    def _come_to_front(self) -> None:
        if self._dock is not None and isalive(self._dock):
            self._dock.show()
            self._dock.raise_()

    def _join(self) -> None:
        window = self._panel.window()
        # the panel may have a window of its own
        if not isinstance(window, QMainWindow):
            return
        docks = [
            dock
            for dock in window.findChildren(QDockWidget)
            if _is_panel(dock.widget()) and not (dock.isHidden() or dock.isFloating())
        ]
        own = next((dock for dock in docks if dock.widget() is self._panel), None)
        if own is None:
            return
        self._dock = own
        own.installEventFilter(self)
        own.visibilityChanged.connect(self._on_visibility)
        side = window.dockWidgetArea(own)
        beside = [one for one in docks if one is not own and window.dockWidgetArea(one) == side]
        if beside:
            window.tabifyDockWidget(beside[-1], own)
            own.raise_()

    def _on_visibility(self, visible: bool) -> None:
        """Hide a panel behind a tab: Qt only moves it away, and its preview would stay."""
        window = self._panel.window()
        if visible or window is None or not window.isMinimized():
            self._panel.setVisible(visible)


def _is_panel(widget: QWidget | None) -> bool:
    return widget is not None and bool(widget.property(_TABBED))
