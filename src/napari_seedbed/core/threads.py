"""Run compiled kernels over ranges on all cores, and stop on the way when asked to.

Kernels release the interpreter lock and write to disjoint ranges, so plain threads do: numba's own
threading layers are not used (one of them aborts the process when two threads enter it at once).
The ranges depend on the problem alone, never on the number of threads: results are the same bit
for bit on any machine's core count.
"""

import itertools
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from functools import lru_cache, partial
from queue import SimpleQueue

from napari_seedbed.core.progress import check_stop

_most: ContextVar[int | None] = ContextVar("napari_seedbed_threads", default=None)


@contextmanager
def at_most_threads(count: int | None) -> Iterator[None]:
    """Let kernels that are called within a `with` block use so many threads; None is no limit."""
    token = _most.set(count)
    try:
        yield
    finally:
        _most.reset(token)


def thread_count() -> int:
    """Return how many threads kernels use here: the cores, or what `at_most_threads` leaves."""
    most = _most.get()
    return core_count() if most is None else max(1, min(most, core_count()))


def core_count() -> int:
    """Return how many cores there are to use: NUMBA_NUM_THREADS, or those of this process."""
    wanted = os.environ.get("NUMBA_NUM_THREADS", "")
    if wanted.isdigit() and int(wanted) > 0:
        return int(wanted)
    if hasattr(os, "sched_getaffinity"):
        return max(1, len(os.sched_getaffinity(0)))
    return os.cpu_count() or 1


Task = Callable[[], None]


@lru_cache(maxsize=1)
def _tasks() -> SimpleQueue[Task]:
    """Return the queue of the helping threads; they are started on first use."""
    tasks: SimpleQueue[Task] = SimpleQueue()

    def work() -> None:
        while True:
            tasks.get()()

    for number in range(core_count() - 1):
        threading.Thread(target=work, name=f"seedbed-kernel-{number}", daemon=True).start()
    return tasks


if hasattr(os, "register_at_fork"):
    # The threads stay behind in the parent: nobody would empty a queue that the child inherits.
    os.register_at_fork(after_in_child=_tasks.cache_clear)


Range = tuple[int, int]
Box = tuple[int, int, int, int]


def split(length: int, parts: int) -> list[Range]:
    """Cut `range(length)` into `parts` ranges of nearly equal length (fewer if it is short)."""
    parts = max(1, min(parts, length))
    edges = [length * i // parts for i in range(parts + 1)]
    return list(itertools.pairwise(edges))


def run_ranges(
    kernel: Callable[..., None],
    ranges: Sequence[Range] | Sequence[Box],
    *args: object,
) -> None:
    """Call `kernel(start, stop, *args)` for each range (or box of two ranges), on all cores.

    Raises
    ------
    Cancelled
        As soon as the running job should stop; ranges that have not begun are dropped.
    """
    check_stop()
    if len(ranges) == 1:
        kernel(*ranges[0], *args)
        return
    left = iter(ranges)
    finished: SimpleQueue[BaseException | None] = SimpleQueue()

    def help_out() -> None:
        for bounds in left:
            try:
                kernel(*bounds, *args)
            except BaseException as error:  # noqa: BLE001  (raised again by the caller)
                finished.put(error)
            else:
                finished.put(None)

    # This thread takes its share, and a helper that comes too late finds nothing left. Futures
    # would cost more than many a range: this is called hundreds of times a second.
    for _ in range(min(len(ranges), thread_count()) - 1):
        _tasks().put(partial(copy_context().run, help_out))
    own = 0
    problem: BaseException | None = None
    try:
        for bounds in left:
            own += 1
            kernel(*bounds, *args)
            check_stop()
    finally:
        dropped = sum(1 for _ in left)
        for _ in range(len(ranges) - own - dropped):
            problem = finished.get() or problem
    if problem is not None:
        raise problem
    check_stop()
