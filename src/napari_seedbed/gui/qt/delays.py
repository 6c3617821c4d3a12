"""Things that are done a moment after they were wanted, once for many wishes."""

from collections.abc import Callable
from typing import Any

from qtpy.QtCore import QObject
from superqt.utils import QSignalDebouncer


class Delay(QSignalDebouncer):
    """Does something a while after it was last wanted.

    Parameters
    ----------
    parent : QObject
    seconds : float
    action : callable
    """

    def __init__(self, parent: QObject, seconds: float, action: Callable[[], Any]) -> None:
        super().__init__(parent=parent)
        self.setTimeout(round(1000 * seconds))
        self.is_waiting = False
        self.triggered.connect(self._settle)
        # Qt does not keep alive whose method it is, as an attribute would
        self.triggered.connect(action)

    def start(self, *_: Any) -> None:
        """Do it a while from now, and no sooner."""
        self.is_waiting = True
        self.throttle()

    def start_once(self, *_: Any) -> None:
        """Do it soon; wishes that keep coming do not put it off."""
        if not self.is_waiting:
            self.start()

    def stop(self) -> None:
        """Do not do it after all."""
        self.is_waiting = False
        self.cancel()

    def _settle(self) -> None:
        self.is_waiting = False
