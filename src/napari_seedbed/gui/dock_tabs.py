"""Panels that share a side of the window as tabs, each with all of its height."""

from qtpy.QtCore import QEvent, QObject, QTimer
from qtpy.QtWidgets import QDockWidget, QMainWindow, QWidget

_TABBED = "napari_seedbed_tab"


class DockTab(QObject):
    """Puts the dock of a panel behind that of another panel of this plugin, as a tab.

    napari puts docks of one side below each other, which on a small screen leaves each panel too
    little. Only a dock that is shown for the first time is moved: afterwards people may put it
    where they like.

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
        panel.installEventFilter(self)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Notice when the panel is shown."""
        if event is not None and event.type() == QEvent.Type.Show and watched is self._panel:
            self._panel.removeEventFilter(self)
            self._later.start()
        return super().eventFilter(watched, event)

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
