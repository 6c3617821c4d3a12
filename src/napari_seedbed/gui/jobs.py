"""Long computations beside the window, which never make the window wait."""

import atexit
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any

from qtpy.QtCore import QCoreApplication, QObject, Qt, Signal

from napari_seedbed.core.progress import Progress, Report, ShouldStop
from napari_seedbed.errors import SeedbedError

PROGRESS_INTERVAL = 1 / 15
"""Seconds between two progress reports; more of them only keep the window busy."""

JobFunction = Callable[[Report, ShouldStop], Any]

_running: "set[Job]" = set()


class Job(QObject):
    """One run of `function(report, should_stop)` in a thread of its own.

    The callbacks are called in the thread that made the job (the window's). A job is its own
    token: after `cancel` neither progress nor a late result comes through, only `on_cancelled`,
    once, when the thread has really ended and what it worked on may be used again. After
    `abandon` nothing comes through at all.

    Parameters
    ----------
    function : callable
        `function(report, should_stop) -> result`. Released, with all it refers to, when it ends.
    on_done : callable
        Called with the result.
    on_error : callable
        Called with the exception.
    on_progress : callable, optional
        Called with a `Progress`, at most 15 times a second; those with a preview always come.
    on_cancelled : callable, optional
        Called without arguments when a cancelled job has ended.
    can_stop : bool
        False for a function that cannot look at `should_stop`: it is not waited for when Python
        ends.
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
            outcome.result = function(self._report, self._stop.is_set)
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
