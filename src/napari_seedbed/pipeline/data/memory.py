"""How much memory a new job may take on this machine."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from napari_seedbed.pipeline.data.memory_limits import (
    LATER_PAGES,
    left_by_groups,
    left_by_ulimit,
)

_sharers: ContextVar[int] = ContextVar("napari_seedbed_memory_sharers", default=1)


@contextmanager
def memory_shared_by(processes: int) -> Iterator[None]:
    """Let jobs within a `with` block leave their share to other processes that do the same."""
    token = _sharers.set(max(1, processes))
    try:
        yield
    finally:
        _sharers.reset(token)


def available_memory() -> int:
    """Bytes that can be taken without swapping, and without reaching a limit of this process.

    Returns
    -------
    int
        The smallest of what the system calls available, what the control groups leave (those of
        a container or of a job on a cluster) and what ``ulimit`` leaves, without what libraries
        will take when first used; a part of it where others share it.
    """
    import psutil

    left = min(int(psutil.virtual_memory().available), left_by_groups()) - LATER_PAGES
    return max(0, min(left, left_by_ulimit())) // _sharers.get()


def bytes_in_words(n: float) -> str:
    """``1.1 GB`` for 1.1e9: decimal units, as disks and file managers count."""
    for unit, size in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if n >= size:
            value = n / size
            return f"{value:.0f} {unit}" if value >= 10 else f"{value:.1f} {unit}"
    return f"{n:.0f} bytes"


def seconds_in_words(seconds: float) -> str:
    """``3 s``, ``4 min`` or ``2.5 h``; ``under 1 s`` for less."""
    if seconds < 1:
        return "under 1 s"
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
