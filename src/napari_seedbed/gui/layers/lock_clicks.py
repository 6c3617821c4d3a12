"""The locks in napari's list of layers, which a click opens."""

from typing import Any

from napari.components import ViewerModel
from napari.layers import Layer
from qtpy.QtCore import QEvent, QModelIndex, QObject, QPoint, QRect, Qt
from qtpy.QtGui import QHelpEvent, QMouseEvent
from qtpy.QtWidgets import QDockWidget, QListView, QToolTip

_TIP = "Locked, so that it is not deleted by mistake. Click the lock to unlock it."

# where napari draws its lock: a square, left of the icon that shows the type of the layer
_SIDE, _FROM_RIGHT, _MARGIN = 16, 46, 3


def open_locks_with_a_click(viewer: ViewerModel) -> None:
    """From now on a click on the lock of a layer unlocks it, where the viewer has a window."""
    window = getattr(viewer, "window", None)
    if window is None:
        return
    dock = window.main_menu.window().findChild(QDockWidget, "layer list")
    view = None if dock is None else dock.findChild(QListView)
    if view is not None and view.findChild(LockClicks) is None:
        LockClicks(view)


class LockClicks(QObject):
    """Unlocks a layer at a click on the lock in its row, which napari only draws.

    Parameters
    ----------
    view : QListView
        napari's list of layers.
    """

    def __init__(self, view: QListView) -> None:
        super().__init__(view)
        self._view = view
        self._pressed: Layer | None = None
        viewport = view.viewport()
        if viewport is not None:
            viewport.installEventFilter(self)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Take presses and releases on locks, and say what they are for."""
        kind = None if event is None else event.type()
        if kind == QEvent.Type.ToolTip:
            assert isinstance(event, QHelpEvent)
            if self._locked_at(event.pos()) is not None:
                QToolTip.showText(event.globalPos(), _TIP, self._view)
                return True
        elif kind in (QEvent.Type.MouseButtonPress, QEvent.Type.MouseButtonRelease):
            assert isinstance(event, QMouseEvent)
            if event.button() == Qt.MouseButton.LeftButton:
                return self._take(event.position().toPoint(), kind)
        return super().eventFilter(watched, event)

    def _take(self, place: QPoint, kind: Any) -> bool:
        layer = self._locked_at(place)
        if kind == QEvent.Type.MouseButtonPress:
            self._pressed = layer
            return layer is not None
        pressed, self._pressed = self._pressed, None
        if pressed is layer and layer is not None:
            layer.locked = False
        return pressed is not None

    def _locked_at(self, place: QPoint) -> Layer | None:
        """The layer whose lock is at a place of the list."""
        index = self._view.indexAt(place)
        if not index.isValid() or not self._lock_of(index).contains(place):
            return None
        layer: Layer | None = index.data(Qt.ItemDataRole.UserRole)
        return layer if layer is not None and layer.locked else None

    def _lock_of(self, index: QModelIndex) -> QRect:
        row = self._view.visualRect(index)
        lock = QRect(0, 0, _SIDE + 2 * _MARGIN, row.height())
        lock.moveTopLeft(QPoint(row.right() - _FROM_RIGHT - _MARGIN, row.top()))
        return lock
