"""Calls of libraries that cannot be interrupted, left to themselves when nobody wants them."""

import os
import threading
import time
from collections.abc import Callable
from contextvars import copy_context
from typing import Any, TypeVar

from napari_seedbed.core.progress import Progress, check_stop, progress_as, running_job

Result = TypeVar("Result")

_LOOK_AGAIN = 0.02
"""Seconds between two looks whether to stop."""

_MOST_LEFT = 3
"""Calls that nobody waits for any more still take a core each: with a slider that starts a call at
every step there would be dozens of them at once."""


class _Left:
    """Counts the calls that go on though nobody waits for them."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        self._lock = threading.Lock()
        self._calls: set[object] = set()

    def add(self, call: threading.Event) -> None:
        with self._lock:
            if not call.is_set():
                self._calls.add(call)

    def end(self, call: threading.Event) -> None:
        with self._lock:
            call.set()
            self._calls.discard(call)

    @property
    def are_many(self) -> bool:
        return len(self._calls) >= _MOST_LEFT


_left = _Left()
if hasattr(os, "register_at_fork"):
    # They go on in the parent alone: the child would wait for them for ever.
    os.register_at_fork(after_in_child=_left.forget)


def _still_wanted(progress: Progress) -> Progress:
    """Pass progress on; a call that nobody waits for any more ends here."""
    check_stop()
    return progress


def call_aside(function: Callable[[], Result]) -> Result:
    """Call a function that cannot be interrupted; return from it at once when asked to stop.

    Parameters
    ----------
    function : callable
        Called without arguments, in a thread of its own where the job can be stopped. When it
        is stopped, it goes on to its end and what it gives is dropped: it must not write to
        anything that the caller uses. While three of them go on like this, others wait.

    Returns
    -------
    object
        What `function` returns; what it raises is raised.
    """
    check_stop()
    if running_job().should_stop is None:
        return function()
    while _left.are_many:
        time.sleep(_LOOK_AGAIN)
        check_stop()
    ended = threading.Event()
    outcome: dict[str, Any] = {}

    def work() -> None:
        try:
            with progress_as(_still_wanted):
                outcome["result"] = function()
        except BaseException as error:  # noqa: BLE001  (raised again by the caller)
            outcome["error"] = error
        finally:
            _left.end(ended)

    threading.Thread(
        target=copy_context().run, args=(work,), name="seedbed-library-call", daemon=True
    ).start()
    try:
        while not ended.wait(_LOOK_AGAIN):
            check_stop()
    except BaseException:
        _left.add(ended)
        raise
    check_stop()
    if "error" in outcome:
        raise outcome["error"]
    result: Result = outcome["result"]
    return result
