"""When panels run that follow strokes, and who waits for the result that is exact."""

from collections.abc import Callable
from typing import Any

from qtpy.QtCore import QObject, Signal

from napari_seedbed.core.progress import Preview, Progress
from napari_seedbed.errors import InputError
from napari_seedbed.gui.qt.delays import Delay
from napari_seedbed.gui.qt.jobs import Jobs

RUN = "run"


class NeedsMarks(InputError):
    """There are not yet two labels of marks: something to say quietly while a person draws."""


class StrokesSession(QObject):
    """Decides what runs when, and hands over only what is still wanted.

    No widgets and no layers here.

    Parameters
    ----------
    settle_seconds : float
        Rest after the last stroke before the exact run begins.
    debounce_seconds : float
        Strokes closer together than this start one run.
    parent : QObject, optional

    Notes
    -----
    Signals: `previewed(Preview, request)`; `finished(Result, request, exact)`; `not_ready(str)`
    when marks are missing while drawing; `failed(error, asked)`; `state_changed(str)`;
    `progressed(Progress)`; `cancelled()`; `timed(forecast, measured, anew)` in seconds, after an
    exact run and after one that had to prepare the image anew.
    """

    previewed = Signal(object, object)
    finished = Signal(object, object, bool)
    timed = Signal(float, float, bool)
    not_ready = Signal(str)
    failed = Signal(object, bool)
    state_changed = Signal(str)
    progressed = Signal(object)
    cancelled = Signal()

    def __init__(
        self,
        settle_seconds: float = 1.0,
        debounce_seconds: float = 0.15,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.settle_seconds = settle_seconds
        self._jobs = Jobs(self)
        self._debounce = Delay(self, debounce_seconds, self._run_soon)
        self._pending: list[Callable[[], None]] = []
        self._state = "idle"
        self._is_stale = False

    @property
    def state(self) -> str:
        """`waiting` for the hand to rest, `final`, `idle`, or one of those each session has."""
        return self._state

    @property
    def is_busy(self) -> bool:
        """Whether anything is under way."""
        return len(self._jobs) > 0

    @property
    def is_running(self) -> bool:
        """Whether a run is in progress or about to begin."""
        return self.is_busy

    @property
    def is_final(self) -> bool:
        """Whether what was handed over last is exact and nothing changed since."""
        return self._state == "final"

    # What happens to it

    def stroke(self) -> None:
        """Marks or settings changed while live: run soon, and exactly when the hand rests."""
        raise NotImplementedError

    def run(self) -> None:
        """Run exactly, now."""
        raise NotImplementedError

    def pause(self) -> bool:
        """Stop what nobody asked for; whether there was such a thing, under way or to come."""
        raise NotImplementedError

    def touched(self) -> None:
        """Marks or settings changed while not live: what is shown is not the latest any more.

        A run in progress goes on; its result is right for the marks that it started with.
        """
        self._is_stale = True
        if not self.is_busy and self._state != "idle":
            self._set_state("idle")

    def changed(self) -> None:
        """Image or marks are other layers now: stop what is on its way."""
        self._rest()
        self._set_state("idle")

    def cancel(self) -> None:
        """Stop the run and forget what waits for it; what is shown stays as it is."""
        was_running = self.is_running
        self._rest()
        if was_running:
            self.cancelled.emit()
        self._set_state("idle")

    def when_exact(self, action: Callable[[], None]) -> None:
        """Call `action` as soon as the exact result of the present marks is shown."""
        if self.is_final:
            action()
        else:
            self._pending.append(action)
            self._run_for_pending()

    def close(self) -> None:
        """Stop everything, call nobody any more; returns at once."""
        self._rest()
        self._jobs.close()

    # What each session does

    def _run_soon(self) -> None:
        """The strokes of a moment are over."""
        raise NotImplementedError

    def _run_for_pending(self) -> None:
        self.run()

    def _rest(self) -> None:
        """Stop everything, and forget who waits."""
        self._debounce.stop()
        self._pending.clear()
        self._jobs.cancel()

    # What serves both

    def _set_state(self, state: str) -> None:
        self._state = state
        self.state_changed.emit(state)

    def _end_exactly(self) -> None:
        """An exact result was handed over: serve who waits."""
        self._set_state("idle" if self._is_stale else "final")
        actions, self._pending = self._pending, []
        for action in actions:
            action()

    def _fail(self, error: BaseException, asked: bool) -> None:
        self._pending.clear()
        self._set_state("idle")
        if isinstance(error, NeedsMarks) and not asked:
            self.not_ready.emit(str(error))
        else:
            self.failed.emit(error, asked)

    def _on_progress(self, request: Any, progress: Progress) -> None:
        if isinstance(progress.preview, Preview):
            self.previewed.emit(progress.preview, request)
        self.progressed.emit(progress)
