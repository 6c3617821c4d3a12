"""Calls of libraries that cannot be interrupted, left to themselves when nobody wants them."""

import threading
from collections.abc import Callable
from typing import Any, TypeVar

from napari_seedbed.core.progress import ShouldStop, check_stop

Result = TypeVar("Result")

_LOOK_AGAIN = 0.02
"""Seconds between two looks at `should_stop`."""

# Calls that nobody waits for any more still take a core each: with a slider that starts a call at
# every step there would be dozens of them at once.
_places = threading.BoundedSemaphore(3)


def call_aside(function: Callable[[], Result], should_stop: ShouldStop | None) -> Result:
    """Call a function that cannot be interrupted; return from it at once when asked to stop.

    Parameters
    ----------
    function : callable
        Called without arguments, in a thread of its own where there is a `should_stop`. When it
        is stopped, it goes on to its end and what it gives is dropped: it must not write to
        anything that the caller uses. Of such functions no more than three run at a time; others
        wait.
    should_stop : callable or None
        Asked fifty times a second; true raises `Cancelled`.

    Returns
    -------
    object
        What `function` returns; what it raises is raised.
    """
    check_stop(should_stop)
    if should_stop is None:
        return function()
    while not _places.acquire(timeout=_LOOK_AGAIN):
        check_stop(should_stop)
    ended = threading.Event()
    outcome: dict[str, Any] = {}

    def work() -> None:
        try:
            outcome["result"] = function()
        except BaseException as error:  # noqa: BLE001  (raised again by the caller)
            outcome["error"] = error
        finally:
            _places.release()
            ended.set()

    threading.Thread(target=work, name="seedbed-library-call", daemon=True).start()
    while not ended.wait(_LOOK_AGAIN):
        check_stop(should_stop)
    check_stop(should_stop)
    if "error" in outcome:
        raise outcome["error"]
    result: Result = outcome["result"]
    return result
