"""Panels that share a side of the window as tabs, each with all of its height."""

from qtpy.compat import isalive
from qtpy.QtCore import QEvent, QObject, Qt
from qtpy.QtWidgets import QDockWidget, QMainWindow, QWidget

from napari_seedbed.gui.qt.delays import Delay

_TABBED = "napari_seedbed_tab"


def bring_to_front(dock: QDockWidget) -> None:
    """Show a dock, in front of those that share its place as tabs."""
    dock.show()
    # Qt takes no notice of raising what the window has raised or added last
    dock.lower()
    dock.raise_()


class DockTab(QObject):
    """Puts the dock of a panel behind that of another panel of this plugin, as a tab.

    napari puts docks of one side below each other, which on a small screen leaves each panel too
    little. Only a dock that is shown for the first time is moved: afterwards people may put it
    where they like. The menu's entry of an open panel brings it to the front, and that of a closed
    one opens it in front of the others; napari would hide the one, and open the other behind a tab.

    Parameters
    ----------
    panel : QWidget
    """

    def __init__(self, panel: QWidget) -> None:
        super().__init__(panel)
        self._panel = panel
        panel.setProperty(_TABBED, True)
        # when the panel is shown, napari is still at work on the dock
        self._later = Delay(self, 0.0, self._join)
        self._to_front = Delay(self, 0.0, self._come_to_front)
        self._dock: QDockWidget | None = None
        self._is_closing = False
        self._is_away = False
        panel.installEventFilter(self)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Notice when the panel is shown, and when its dock is hidden or shown again."""
        kind = None if event is None else event.type()
        if watched is self._panel:
            if kind == QEvent.Type.Show and self._dock is None:
                self._panel.removeEventFilter(self)
                self._later.start()
        elif watched is self._dock and self._dock is not None:
            if kind == QEvent.Type.Close:
                self._is_closing = True
                self._to_front.stop()
            elif kind == QEvent.Type.Hide and self._dock.isHidden():
                self._is_away = True
                # what is hidden without being closed is so by the menu's entry
                if not self._is_closing:
                    self._to_front.start()
                self._is_closing = False
            elif kind == QEvent.Type.Show and self._is_away:
                self._is_away = False
                self._to_front.start()
        return super().eventFilter(watched, event)

    def leave(self) -> None:
        """See no more events: Python may take this object apart before Qt does."""
        for delay in (self._later, self._to_front):
            delay.stop()
        for watched in (self._panel, self._dock):
            if watched is not None and isalive(watched):
                watched.removeEventFilter(self)

    def _come_to_front(self) -> None:
        dock = self._dock
        if dock is None or not isalive(dock):
            return
        window = dock.parent()
        # one that napari takes out of the window is hidden, too
        if isinstance(window, QMainWindow) and (
            dock.isFloating() or window.dockWidgetArea(dock) != Qt.DockWidgetArea.NoDockWidgetArea
        ):
            self._is_away = False
            bring_to_front(dock)

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
            bring_to_front(own)

    def _on_visibility(self, visible: bool) -> None:
        """Hide a panel behind a tab: Qt only moves it away, and its preview would stay."""
        window = self._panel.window()
        if visible or window is None or not window.isMinimized():
            self._panel.setVisible(visible)


def _is_panel(widget: QWidget | None) -> bool:
    return widget is not None and bool(widget.property(_TABBED))
