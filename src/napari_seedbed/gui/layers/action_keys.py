"""Keys that do something while the picture, or a widget beside it, has the focus."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, Qt
from qtpy.QtGui import QKeySequence
from qtpy.QtWidgets import QShortcut, QWidget

from napari_seedbed.gui.layers.viewer_keys import ViewerKey

if TYPE_CHECKING:
    from napari.viewer import Viewer


class ActionKeys(QObject):
    """Keys of a panel, each with what it does.

    Parameters
    ----------
    parent : QObject
    owner : Viewer or Layer
        Keys of a layer come before those that napari gives to its type.
    actions : mapping
        Key, as napari writes it, to what it does.
    """

    def __init__(
        self, parent: QObject, owner: "Viewer | Any", actions: "dict[str, Callable[[], None]]"
    ) -> None:
        super().__init__(parent)
        self._actions = actions
        # a key holds its action weakly
        self._presses = [_Press(action) for action in actions.values()]
        self._keys = [
            ViewerKey(owner, key, press.press)
            for key, press in zip(actions, self._presses, strict=True)
        ]

    def take(self) -> None:
        """Take the keys, unless they are in use."""
        for key in self._keys:
            key.take()

    def give_back(self) -> None:
        """Release them."""
        for key in self._keys:
            key.give_back()

    def add_to(self, widget: QWidget) -> None:
        """Let the keys do the same while a widget has the focus."""
        for key, action in self._actions.items():
            shortcut = QShortcut(QKeySequence(key), widget)
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(action)


class _Press:
    def __init__(self, action: Callable[[], None]) -> None:
        self._action = action

    def press(self) -> None:
        self._action()
