"""What the limits of this process leave of the machine's memory: control groups and ``ulimit``."""

import ctypes
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from napari_seedbed.core.threads import core_count

UNLIMITED = 1 << 62
"""Bytes: more than any machine has."""

LATER_PAGES = 150_000_000
"""Bytes that libraries take when first used, beside the arrays."""

_SKLEARN_ADDRESSES, _OTHER_ADDRESSES = 270_000_000, 100_000_000
"""Addresses that scikit-learn reserves when first used, and all other libraries together."""

_STACK, _ARENA = 8 << 20, 64 << 20
"""Addresses of the stack of a thread, and of a part of the allocator."""

_THREADS_A_CORE = 2
"""Those of the kernels, and of the operations that work on several parts at once."""

_M_ARENA_MAX, _ARENAS = -8, 2
"""The parameter of glibc's allocator for how many parts it divides memory into, and how many."""


@dataclass(frozen=True)
class _Files:
    """Where one version of control groups says what in a group's folder."""

    mounts: tuple[str, ...]
    limits: tuple[str, ...]
    used: str
    reclaimable: str


# The page cache counts as used, but is given back on demand.
_VERSIONS = {
    "": _Files(("", "unified"), ("memory.max", "memory.high"), "memory.current", "inactive_file"),
    "memory": _Files(
        ("memory",),
        ("memory.limit_in_bytes",),
        "memory.usage_in_bytes",
        "total_inactive_file",
    ),
}


def left_by_groups(root: Path = Path("/")) -> int:
    """Return how many bytes the control groups of this process leave.

    A group is held to the limits of all groups around it. Both versions are looked at. In a
    container the path of the group may be that outside: then the folder at the top is its own.

    Parameters
    ----------
    root : Path
        Where ``proc`` and ``sys`` are.

    Returns
    -------
    int
        `UNLIMITED` or more where there is no limit.

    References
    ----------
    Linux kernel: Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/memory.rst.
    """
    paths = dict.fromkeys(_VERSIONS, "/")
    for line in _lines(root / "proc/self/cgroup"):
        _, controllers, path = line.split(":", 2)
        paths.update((name, path) for name in controllers.split(",") if name in paths)
    left = UNLIMITED
    for version, files in _VERSIONS.items():
        parts = [part for part in paths[version].split("/") if part not in ("", "..")]
        for mount in files.mounts:
            top = root / "sys/fs/cgroup" / mount
            for depth in range(len(parts) + 1):
                left = min(left, _left_in(top.joinpath(*parts[:depth]), files))
    return left


def _left_in(group: Path, files: _Files) -> int:
    limits = [limit for name in files.limits for limit in _numbers(group / name)]
    if not limits:
        return UNLIMITED
    used = sum(_numbers(group / files.used))
    for line in _lines(group / "memory.stat"):
        name, _, number = line.partition(" ")
        if name == files.reclaimable:
            used -= int(number)
    return max(min(limits) - used, 0)


def left_by_ulimit() -> int:
    """Return how many bytes ``ulimit -v`` and ``ulimit -d`` leave to this process on Linux.

    Other systems do not hold processes to them. Where there is a limit, the allocator is told to
    reserve addresses for few threads: by default, each has 64 MB that nothing else can use.

    Returns
    -------
    int
        `UNLIMITED` where there is no limit. What libraries and threads will reserve
        (`later_addresses`) is left out.
    """
    import psutil

    if not psutil.LINUX:
        return UNLIMITED
    process = psutil.Process()
    used = process.memory_info()
    left = UNLIMITED
    for limit, taken in ((psutil.RLIMIT_AS, used.vms), (psutil.RLIMIT_DATA, used.data)):
        soft, _ = process.rlimit(limit)
        if soft != psutil.RLIM_INFINITY:
            _reserve_for_few_threads()
            left = min(left, soft - taken - later_addresses())
    return max(left, 0)


def later_addresses() -> int:
    """Return how many addresses libraries and threads reserve that are not there yet."""
    libraries = _OTHER_ADDRESSES + (0 if "sklearn" in sys.modules else _SKLEARN_ADDRESSES)
    threads = _THREADS_A_CORE * core_count()
    missing = max(0, threads - (threading.active_count() - 1)) / threads
    return libraries + int((_STACK * threads + _ARENA * _ARENAS) * missing)


@lru_cache(maxsize=1)
def _reserve_for_few_threads() -> None:
    # Other C libraries do not have the function, and reserve nothing.
    with suppress(AttributeError):
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, _ARENAS)


def _numbers(path: Path) -> Iterator[int]:
    """The number in a file, or none where it says ``max`` or there is no such file."""
    return (int(line) for line in _lines(path) if line.isdecimal())


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text().splitlines()
    except OSError:
        return []
