"""Who works on blocks: threads of this process, or the workers of a dask scheduler."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from contextvars import copy_context
from typing import Any, Protocol

from napari_seedbed.core.progress import check_stop, unwatched
from napari_seedbed.core.threads import at_most_threads, thread_count

_LOOK = 0.05
"""Seconds between looks for what has finished, and for the end of the run."""


class Workers(Protocol):
    """Something that calls a function for many items, several at once."""

    at_once: int

    def each(
        self, function: Callable[[Any, Any], Any], shared: Any, items: Sequence[Any]
    ) -> Iterator[tuple[int, Any]]:
        """Call ``function(shared, item)`` for each item; give places and results as they come.

        Raises
        ------
        Cancelled
            When the running job should stop.
        """
        ...


class Threads:
    """Threads of this process; each works with its share of the cores."""

    def __init__(self, pool: ThreadPoolExecutor, at_once: int) -> None:
        self.at_once = at_once
        self._pool = pool

    def each(
        self, function: Callable[[Any, Any], Any], shared: Any, items: Sequence[Any]
    ) -> Iterator[tuple[int, Any]]:
        """See `Workers`."""
        threads = max(1, thread_count() // min(self.at_once, max(1, len(items))))

        def work(item: Any) -> Any:
            with unwatched(), at_most_threads(threads):
                check_stop()
                return function(shared, item)

        left = iter(enumerate(items))
        places: dict[Future[Any], int] = {}
        try:
            while True:
                for place, item in left:
                    places[self._pool.submit(copy_context().run, work, item)] = place
                    if len(places) >= 2 * self.at_once:
                        break
                if not places:
                    return
                check_stop()
                for future in wait(places, _LOOK, FIRST_COMPLETED).done:
                    yield places.pop(future), future.result()
        finally:
            for future in places:
                future.cancel()


@contextmanager
def threads(at_once: int) -> Iterator[Threads]:
    """Give so many threads; when the job is stopped, they end by themselves a little later."""
    pool = ThreadPoolExecutor(at_once, "seedbed-block")
    try:
        yield Threads(pool, at_once)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
