"""Run compiled kernels over ranges on all cores, and look at `should_stop` on the way.

Kernels release the interpreter lock and write to disjoint ranges, so plain threads do: numba's own
threading layers are not used (one of them aborts the process when two threads enter it at once).
The ranges depend on the problem alone, never on the number of threads: results are the same bit
for bit on any machine's core count.
"""

import itertools
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from functools import lru_cache

from napari_seedbed.core.progress import ShouldStop, check_stop


def thread_count() -> int:
    """Return how many threads kernels use: NUMBA_NUM_THREADS, or the cores of this process."""
    wanted = os.environ.get("NUMBA_NUM_THREADS", "")
    if wanted.isdigit() and int(wanted) > 0:
        return int(wanted)
    if hasattr(os, "sched_getaffinity"):
        return max(1, len(os.sched_getaffinity(0)))
    return os.cpu_count() or 1


@lru_cache(maxsize=1)
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(thread_count(), thread_name_prefix="seedbed-kernel")


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
    should_stop: ShouldStop | None = None,
) -> None:
    """Call `kernel(start, stop, *args)` for each range (or box of two ranges), on all cores.

    Raises
    ------
    Cancelled
        As soon as `should_stop` is true; ranges that have not begun are dropped.
    """
    check_stop(should_stop)
    if len(ranges) == 1:
        kernel(*ranges[0], *args)
        return
    left = iter(ranges)

    def help_out() -> None:
        for bounds in left:
            kernel(*bounds, *args)

    # This thread takes its share: waking others costs more than a small range.
    n_helpers = min(len(ranges), thread_count()) - 1
    helpers = [_pool().submit(help_out) for _ in range(n_helpers)]
    try:
        for bounds in left:
            kernel(*bounds, *args)
            check_stop(should_stop)
    finally:
        for _ in left:
            pass
        for helper in helpers:
            helper.cancel()
        wait([helper for helper in helpers if not helper.cancelled()])
    for helper in helpers:
        if not helper.cancelled():
            helper.result()
    check_stop(should_stop)
