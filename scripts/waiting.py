"""Waiting for a window without stopping it."""

import time
from collections.abc import Callable

from qtpy.QtWidgets import QApplication

LONGEST_WAIT = 300.0
"""Seconds; the first time, numba compiles."""


def wait_until(condition: Callable[[], bool], what: str) -> None:
    """Let the window live until something is true."""
    started = time.monotonic()
    while not condition():
        QApplication.processEvents()
        time.sleep(0.01)
        if time.monotonic() - started > LONGEST_WAIT:
            raise SystemExit(f"{what} did not come within {LONGEST_WAIT:.0f} seconds")
