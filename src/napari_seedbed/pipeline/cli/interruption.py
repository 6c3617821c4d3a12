"""Signals that end a program: they ask the job to stop, and end what does not listen."""

import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from napari_seedbed.core.progress import ShouldStop
from napari_seedbed.pipeline.cli.output_streams import complain

INTERRUPTED = 130

_PATIENCE = 1.2
"""Seconds for a job to stop by itself; who sent the signal waits two or more."""

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")


def _signals() -> list[signal.Signals]:
    """Those that there are on this system, but for a hangup that was to be ignored (nohup)."""
    found = [signal.Signals[name] for name in _NAMES if name in signal.Signals.__members__]
    return [
        one for one in found if one.name != "SIGHUP" or signal.getsignal(one) is not signal.SIG_IGN
    ]


def end_as_ctrl_c_does() -> None:
    """Let every signal that ends the program raise KeyboardInterrupt."""
    for one in _signals():
        signal.signal(one, signal.default_int_handler)


@contextmanager
def interruptible(*, ends_program: bool) -> Iterator[ShouldStop]:
    """Give a function that says whether a signal asked to stop; a second one stops at once.

    Parameters
    ----------
    ends_program : bool
        Whether a job that does not look whether it should stop is ended with its program. Only for
        a program that writes files under other names until they are whole.
    """
    asked = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield asked.is_set
        return

    def ask(number: int, frame: Any) -> None:
        if asked.is_set():
            raise KeyboardInterrupt
        asked.set()

    before = {one: signal.signal(one, ask) for one in _signals()}
    stop_watching = _watch(asked) if ends_program else lambda: None
    try:
        yield asked.is_set
    finally:
        stop_watching()
        for one, handler in before.items():
            signal.signal(one, handler)


def _watch(asked: threading.Event) -> Callable[[], None]:
    """End the program a while after a signal; give what ends the watch if none came.

    Handlers in Python wait until the main thread comes back from compiled code. The bytes that
    arrive here do not.
    """
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    before = signal.set_wakeup_fd(theirs.fileno(), warn_on_full_buffer=False)
    numbers = {int(one) for one in _signals()}
    is_over = threading.Event()

    def wait() -> None:
        while not numbers.intersection(ours.recv(64) or numbers):
            continue
        if is_over.is_set() and not asked.is_set():
            return
        asked.set()
        # Also where the job has ended: its threads may not have.
        told = is_over.wait(_PATIENCE)
        if told:
            threading.Event().wait(_PATIENCE)
        else:
            complain("cancelled.")
        os._exit(INTERRUPTED)

    def stop() -> None:
        signal.set_wakeup_fd(before)
        is_over.set()
        theirs.close()

    threading.Thread(target=wait, name="signals", daemon=True).start()
    return stop
