"""How much memory a new job may take on this machine."""

from napari_seedbed.pipeline.memory_limits import left_by_groups, left_by_ulimit


def available_memory() -> int:
    """Bytes that can be taken without swapping, and without reaching a limit of this process.

    Returns
    -------
    int
        The smallest of what the system calls available, what the control groups leave (those of
        a container or of a job on a cluster) and what ``ulimit`` leaves.
    """
    import psutil

    return min(int(psutil.virtual_memory().available), left_by_groups(), left_by_ulimit())


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
