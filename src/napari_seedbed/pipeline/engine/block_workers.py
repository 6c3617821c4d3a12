"""Who works on blocks: threads of this process, or the workers of a dask scheduler."""

import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from contextvars import copy_context
from functools import lru_cache
from itertools import islice
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any, Protocol

from napari_seedbed.core.progress import check_stop, running, running_job, unwatched
from napari_seedbed.core.threads import at_most_threads, thread_count
from napari_seedbed.errors import SeedbedError
from napari_seedbed.pipeline.data import memory
from napari_seedbed.pipeline.engine.clusters import Gone, connected
from napari_seedbed.pipeline.files.atomic_files import written_whole

if TYPE_CHECKING:
    from distributed import Client

_LOOK = 0.05
"""Seconds between looks for what has finished, and for the end of the run."""


class Room(Protocol):
    """What there is for blocks.

    Attributes
    ----------
    at_once : int
        How many are worked on at the same time.
    memory : int
        Bytes that each of those may take.
    """

    at_once: int
    memory: int


class Workers(Room, Protocol):
    """Something that calls a function for many items, several at once."""

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


class RoomHere:
    """What there is for so many threads of this process."""

    def __init__(self, at_once: int) -> None:
        self.at_once = at_once
        self.memory = memory.available_memory() // 2 // at_once


class Threads(RoomHere):
    """Threads of this process; each works with its share of the cores."""

    def __init__(self, pool: ThreadPoolExecutor, at_once: int) -> None:
        super().__init__(at_once)
        self._pool = pool

    def each(
        self, function: Callable[[Any, Any], Any], shared: Any, items: Sequence[Any]
    ) -> Iterator[tuple[int, Any]]:
        """See `Workers`."""
        threads = max(1, thread_count() // min(self.at_once, max(1, len(items))))
        job, is_over = running_job(), Event()

        def should_stop() -> bool:
            return is_over.is_set() or job.is_stopped()

        def work(item: Any) -> Any:
            with unwatched(), running(should_stop=should_stop), at_most_threads(threads):
                check_stop()
                return function(shared, item)

        left = iter(enumerate(items))
        places: dict[Future[Any], int] = {}
        try:
            while True:
                for place, item in islice(left, 2 * self.at_once - len(places)):
                    places[self._pool.submit(copy_context().run, work, item)] = place
                if not places:
                    return
                check_stop()
                for future in wait(places, _LOOK, FIRST_COMPLETED).done:
                    yield places.pop(future), future.result()
        finally:
            # What is still worked on must not be written: where one has failed the next run may
            # have begun in the same folder.
            is_over.set()
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


class RoomOnCluster:
    """What there is with all workers of a dask scheduler."""

    def __init__(self, client: "Client") -> None:
        self.at_once = max(1, sum(client.nthreads().values()))
        limits = [
            one["memory_limit"] // 2 // one["nthreads"]
            for one in client.scheduler_info()["workers"].values()
            if one["memory_limit"]
        ]
        self.memory = min(limits, default=memory.available_memory() // 2 // self.at_once)


class Cluster(RoomOnCluster):
    """The workers of a dask scheduler, which see the same folders.

    What a task is about lies in a file in the folder of the run: no voxels pass through this
    process, what was given to a worker that died is not lost, and when the file is gone workers
    stop.
    """

    def __init__(self, client: "Client", folder: Path) -> None:
        super().__init__(client)
        self._client, self._folder = client, folder

    def each(
        self, function: Callable[[Any, Any], Any], shared: Any, items: Sequence[Any]
    ) -> Iterator[tuple[int, Any]]:
        """See `Workers`."""
        from distributed import as_completed
        from distributed.protocol.pickle import dumps

        task = self._folder.absolute() / f".{secrets.token_hex(8)}{_TASK}"
        with written_whole(task) as temporary:
            temporary.write_bytes(dumps((function, shared)))
        finished = as_completed(loop=self._client.loop, with_results=True, raise_errors=False)
        left = iter(enumerate(items))
        places: dict[Any, int] = {}
        try:
            while True:
                while len(places) < _AHEAD * self.at_once:
                    place, item = next(left, (None, None))
                    if place is None:
                        break
                    future = self._client.submit(_work, task, item, pure=False, priority=-place)
                    places[future] = place
                    finished.add(future)
                if not places:
                    return
                check_stop()
                ready = list(finished.next_batch(block=False)) if finished.has_ready() else []
                if not ready and self._client.status == "closed":
                    raise SeedbedError(
                        "The scheduler of the workers ended in the middle. What is written stays; "
                        "run again to go on."
                    )
                for future, given in ready:
                    yield places.pop(future), _checked(future, given)
                if not ready:
                    time.sleep(_LOOK)
        finally:
            task.unlink(missing_ok=True)
            self._client.cancel(list(places))


_TASK = ".task"
_AHEAD = 3
"""Tasks a thread that workers have before them, so that none waits for the next."""


def _work(task: Path, item: Any) -> Any:
    """What a worker does for an item; its threads are for other items."""
    with running(should_stop=Gone(task)), at_most_threads(1):
        check_stop()
        function, shared = _of_file(task)
        return function(shared, item)


@lru_cache(maxsize=2)
def _of_file(task: Path) -> Any:
    from distributed.protocol.pickle import loads

    return loads(task.read_bytes())


def _checked(future: Any, given: Any) -> Any:
    """What a task gave; the error with which it failed is raised."""
    from distributed.scheduler import KilledWorker

    if future.status == "finished":
        return given
    error = given[1] if isinstance(given, tuple) else given
    if isinstance(error, KilledWorker):
        raise SeedbedError(
            "A worker ended in the middle of a block, and so did all others that tried it; perhaps "
            "there was not enough memory. Choose smaller blocks."
        ) from error
    raise error


@contextmanager
def cluster(address: str, folder: Path) -> Iterator[Cluster]:
    """Give the workers of a scheduler.

    Raises
    ------
    InputError
        When no scheduler answers.
    """
    with connected(address) as client:
        # of runs that were killed, whose workers so learn of it
        for left in folder.glob(f".*{_TASK}"):
            left.unlink(missing_ok=True)
        yield Cluster(client, folder)
