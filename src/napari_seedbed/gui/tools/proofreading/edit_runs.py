"""Edits that are worked out beside the window, one after the other."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from qtpy.QtCore import QObject, Signal

from napari_seedbed.core.progress import Progress
from napari_seedbed.errors import InputError
from napari_seedbed.gui.qt import errors
from napari_seedbed.gui.qt.jobs import Jobs

_EDIT = "edit"


@dataclass(frozen=True, eq=False)
class Wish:
    """An edit that somebody wants.

    Attributes
    ----------
    name : str
        What it is called until it is made.
    begin : callable
        Called in the window's thread when its turn comes; returns what works it out in another
        thread and writes nothing.
    done : callable
        Called with it, in the window's thread; writes it.
    """

    name: str
    begin: Callable[[], Callable[[], Any]]
    done: Callable[[Any], None]


class EditRuns(QObject):
    """Works edits out in the order in which they were wanted.

    One for which the labels changed meanwhile is worked out again.

    Parameters
    ----------
    version : callable
        A number that grows with each change of the labels.

    Notes
    -----
    Signals: `changed()` when one has begun or ended; `progressed(Progress)`; `said(text)`.
    """

    changed = Signal()
    progressed = Signal(object)
    said = Signal(str)

    def __init__(self, parent: QObject, version: Callable[[], int]) -> None:
        super().__init__(parent)
        self._version = version
        self._jobs = Jobs(self)
        self._wishes: deque[Wish] = deque()

    @property
    def is_busy(self) -> bool:
        """Whether an edit is being worked out."""
        return len(self._jobs) > 0

    def want(self, wish: Wish) -> None:
        """Work an edit out as soon as those before it are done."""
        self._wishes.append(wish)
        self._next()

    def cancel(self) -> None:
        """Stop, and forget what was wanted besides."""
        self._wishes.clear()
        self._jobs.cancel()

    def _next(self) -> None:
        if self.is_busy or not self._wishes:
            return
        wish = self._wishes.popleft()
        self._jobs.start(
            _EDIT,
            wish.begin(),
            partial(self._on_done, wish, self._version()),
            self._on_error,
            on_progress=self._on_progress,
            on_cancelled=self._on_cancelled,
        )
        self.changed.emit()

    def _on_done(self, wish: Wish, version: int, edit: Any) -> None:
        if version != self._version():
            self._wishes.appendleft(wish)
        else:
            try:
                wish.done(edit)
            except InputError as error:
                self.said.emit(str(error))
        self._go_on()

    def _on_error(self, error: BaseException) -> None:
        # that nothing would change, or that something is locked, is no reason for a warning
        text = str(error) if isinstance(error, InputError) else errors.show(error)
        self.said.emit(f"{text[:1].upper()}{text[1:]}")
        self._go_on()

    def _on_cancelled(self) -> None:
        self.said.emit("Cancelled: nothing was changed.")
        self._go_on()

    def _on_progress(self, progress: Progress) -> None:
        self.progressed.emit(progress)

    def _go_on(self) -> None:
        self._next()
        self.changed.emit()
