"""Long computations beside the window, which never make the window wait."""

import atexit
import threading
import time
from collections.abc import Callable
from functools import partial
from types import TracebackType
from typing import Any
from weakref import WeakMethod

from qtpy.QtCore import QCoreApplication, QObject, Qt, Signal

from napari_seedbed.core.progress import Progress, Report, running
from napari_seedbed.errors import SeedbedError

PROGRESS_INTERVAL = 1 / 15
"""Seconds between two progress reports; more of them only keep the window busy."""

JobFunction = Callable[[], Any]

_running: "set[Job]" = set()


class Job(QObject):
    """One run of `function()` in a thread of its own, as the running job there.

    The callbacks are called in the thread that made the job (the window's). A job is its own
    token: after `cancel` neither progress nor a late result comes through, only `on_cancelled`,
    once, when the thread has really ended and what it worked on may be used again. After
    `abandon` nothing comes through at all.

    Parameters
    ----------
    function : callable
        `function() -> result`. Released, with all it refers to, when it ends.
    on_done : callable
        Called with the result.
    on_error : callable
        Called with the exception.
    on_progress : callable, optional
        Called with a `Progress`, at most 15 times a second; those with a preview always come.
    on_cancelled : callable, optional
        Called without arguments when a cancelled job has ended.
    can_stop : bool
        False for a function that does not look whether it should stop: it is not waited for when
        Python ends.
    """

    _progressed = Signal(object)
    _ended = Signal(object)

    def __init__(
        self,
        function: JobFunction,
        *,
        on_done: Callable[[Any], None],
        on_error: Callable[[BaseException], None],
        on_progress: Callable[[Progress], None] | None = None,
        on_cancelled: Callable[[], None] | None = None,
        can_stop: bool = True,
    ) -> None:
        super().__init__(QCoreApplication.instance())
        self._function: JobFunction | None = function
        self._on_done: Callable[[Any], None] | None = on_done
        self._on_error: Callable[[BaseException], None] | None = on_error
        self._on_progress = on_progress
        self._on_cancelled = on_cancelled
        self._can_stop = can_stop
        self._stop = threading.Event()
        self._last_report = 0.0
        # Queued, to bound methods of an object that lives in the window's thread: a function or
        # a lambda would be called in the worker's thread.
        self._progressed.connect(self._deliver_progress, Qt.ConnectionType.QueuedConnection)
        self._ended.connect(self._deliver_end, Qt.ConnectionType.QueuedConnection)
        self._thread = threading.Thread(target=self._work, name="seedbed-job", daemon=True)

    def start(self) -> "Job":
        """Start the thread and return the job."""
        _running.add(self)
        self._thread.start()
        return self

    def cancel(self) -> None:
        """Ask the function to stop; its result is not wanted any more. Returns at once."""
        self._stop.set()

    def abandon(self) -> None:
        """Cancel, and call nobody back: for a window that is closing. Returns at once."""
        self._release_callbacks()
        self.cancel()

    @property
    def running(self) -> bool:
        """Whether the end has not been handed over yet."""
        return self in _running

    @property
    def cancelled(self) -> bool:
        """Whether the job was asked to stop."""
        return self._stop.is_set()

    # In the worker's thread

    def _work(self) -> None:
        outcome = _Outcome()
        function, self._function = self._function, None
        with outcome:
            assert function is not None, "a job is started once"
            with running(report=_weakly(self._report), should_stop=self._stop.is_set):
                outcome.result = function()
        del function
        self._tell("_ended", outcome)

    def _report(self, progress: Progress) -> None:
        now = time.monotonic()
        if self._stop.is_set():
            return
        if progress.preview is None and now - self._last_report < PROGRESS_INTERVAL:
            return
        self._last_report = now
        self._tell("_progressed", progress)

    def _tell(self, signal: str, what: object) -> None:
        try:
            getattr(self, signal).emit(what)
        except RuntimeError:
            # Python is ending: Qt has taken the window's side of the job away already.
            self._stop.set()

    # In the window's thread

    def _deliver_progress(self, progress: Progress) -> None:
        if self._on_progress is not None and not self._stop.is_set():
            self._on_progress(progress)

    def _deliver_end(self, outcome: "_Outcome") -> None:
        # The thread has nothing left to do but to let go of the job, which must not be it that
        # destroys it: a QObject that ends in another thread than its own crashes the window.
        self._thread.join()
        _running.discard(self)
        on_done, on_error, on_cancelled = self._on_done, self._on_error, self._on_cancelled
        self._release_callbacks()
        if self._stop.is_set():
            if on_cancelled is not None:
                on_cancelled()
        elif outcome.error is not None:
            if on_error is not None:
                on_error(outcome.error)
        elif on_done is not None:
            result, outcome.result = outcome.result, None
            on_done(result)
        self.deleteLater()

    def _release_callbacks(self) -> None:
        self._on_done = self._on_error = None
        self._on_progress = self._on_cancelled = None


def _weakly(method: Report) -> Report:
    """Call a method as long as its object lives.

    Helping threads let go of what a job has set after its end, and must not be the last to hold it.
    """
    known = WeakMethod(method)

    def report(progress: Progress) -> None:
        found = known()
        if found is not None:
            found(progress)

    return report


class Jobs(QObject):
    """The jobs of a panel or of a part of it: for each purpose one at a time.

    The newest wish wins: where a job is under way for its purpose, that is asked to stop, and the
    new one begins when the thread has ended, so that both never work on the same things.

    Parameters
    ----------
    parent : QObject

    Notes
    -----
    Signal: `changed()` whenever a job has begun or ended.
    """

    changed = Signal()

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._jobs: dict[str, Job] = {}
        self._next: dict[str, Callable[[], None]] = {}
        self._is_closed = False

    def __contains__(self, purpose: str) -> bool:
        """Whether a job is under way for a purpose, or will be."""
        return purpose in self._jobs

    def __len__(self) -> int:
        return len(self._jobs)

    def start(
        self,
        purpose: str,
        function: JobFunction,
        on_done: Callable[[Any], None],
        on_error: Callable[[BaseException], None],
        *,
        on_progress: Callable[[Progress], None] | None = None,
        on_cancelled: Callable[[], None] | None = None,
        can_stop: bool = True,
    ) -> None:
        """Begin a job as soon as its purpose is free; the callbacks are those of `Job`.

        A job that gives way to a newer one calls nobody.
        """

        def begin() -> None:
            self._jobs[purpose] = Job(
                function,
                on_done=partial(self._end, purpose, on_done),
                on_error=partial(self._end, purpose, on_error),
                on_progress=on_progress,
                on_cancelled=partial(self._end, purpose, on_cancelled),
                can_stop=can_stop,
            ).start()
            self.changed.emit()

        self.when_free(purpose, begin)

    def when_free(self, purpose: str, action: Callable[[], None]) -> None:
        """Stop what is under way for a purpose, and then do something else.

        Parameters
        ----------
        purpose : str
        action : callable
            Called when the thread has ended, at once where there is none; a later action takes
            the place of one that still waits.
        """
        if self._is_closed:
            return
        if purpose in self._jobs:
            self._next[purpose] = action
            self._jobs[purpose].cancel()
        else:
            action()

    def cancel(self, *purposes: str) -> None:
        """Stop what is under way for these purposes, or for all, and what was to follow."""
        for purpose in purposes or list(self._jobs):
            self._next.pop(purpose, None)
            if purpose in self._jobs:
                self._jobs[purpose].cancel()

    def is_stopping(self, purpose: str) -> bool:
        """Whether a job is under way whose result is not wanted any more."""
        return purpose in self._jobs and self._jobs[purpose].cancelled

    def close(self) -> None:
        """Stop all of them for good and call nobody any more. Returns at once."""
        self._is_closed = True
        self._next.clear()
        for job in self._jobs.values():
            job.abandon()
        self._jobs.clear()

    def _end(self, purpose: str, tell: Callable[..., None] | None, *what: Any) -> None:
        del self._jobs[purpose]
        following = self._next.pop(purpose, None)
        try:
            if following is not None:
                following()
            elif tell is not None:
                tell(*what)
        finally:
            self.changed.emit()


class _Outcome:
    """What a function returned or raised, carried from one thread to another."""

    def __init__(self) -> None:
        self.result: Any = None
        self.error: BaseException | None = None

    def __enter__(self) -> None:
        return None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        if isinstance(error, SeedbedError | MemoryError):
            # Its frames would keep the arrays of the failed run alive; the message is enough.
            error = error.with_traceback(None)
            error.__context__ = error.__cause__ = None
        self.error = error
        return True


def cancel_all(wait_seconds: float = 1.0) -> None:
    """Cancel every running job and wait a moment for those that can stop."""
    deadline = time.monotonic() + wait_seconds
    jobs = list(_running)
    for job in jobs:
        job.abandon()
    for job in jobs:
        if job._can_stop:
            job._thread.join(max(0.0, deadline - time.monotonic()))


# A thread that still computes while Python takes itself apart can crash the process.
atexit.register(cancel_all)
