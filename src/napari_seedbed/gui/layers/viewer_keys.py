"""Keys of a panel that work while the picture has the focus."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from weakref import WeakMethod

from app_model.types import KeyBinding

if TYPE_CHECKING:
    from napari.viewer import Viewer


class ViewerKey:
    """One key of one viewer; whoever bound it before keeps it.

    Parameters
    ----------
    viewer : Viewer
    key : str
    action : bound method
        Held weakly: the key does not keep a closed panel alive.
    """

    def __init__(self, viewer: "Viewer", key: str, action: Callable[[], None]) -> None:
        self._viewer = viewer
        self._key = KeyBinding.from_str(key)
        self._action = WeakMethod(action)
        self._bound: Callable[[Any], None] | None = None

    def take(self) -> None:
        """Bind the key, unless it is in use."""
        if self._key in self._viewer.keymap:
            return
        weak = self._action

        def press(viewer: "Viewer") -> None:
            action = weak()
            if action is not None:
                action()

        self._bound = press
        self._viewer.bind_key(str(self._key), press)

    def give_back(self) -> None:
        """Release the key."""
        if self._bound is not None and self._viewer.keymap.get(self._key) is self._bound:
            self._viewer.bind_key(str(self._key), None)
        self._bound = None
