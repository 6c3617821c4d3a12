"""Inputs of a batch one after the other in this process, or on the workers of a dask cluster."""

import os
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_seedbed.core.one_thread import one_library_thread
from napari_seedbed.core.progress import check_stop, part_of, running, tell
from napari_seedbed.core.threads import at_most_threads, core_count
from napari_seedbed.errors import Cancelled, InputError
from napari_seedbed.pipeline.batch.batch_inputs import Item
from napari_seedbed.pipeline.batch.items import SHORT_OF_MEMORY, Job, new_entry
from napari_seedbed.pipeline.data.memory import available_memory, memory_shared_by
from napari_seedbed.pipeline.engine.clusters import Gone, connected
from napari_seedbed.pipeline.engine.local_workers import local_scheduler

if TYPE_CHECKING:
    from distributed import Client, Future

Numbered = tuple[int, Item]
Done = Callable[[int, dict[str, Any]], None]

_WORTH = 15.0
"""Seconds of work from which processes of their own are worth their start."""
_LOOK = 0.05
"""Seconds between looks for what has finished."""
_STOPPING = 0.7
"""Seconds for workers to stop by themselves; who asked the program to end waits two or more."""


@dataclass(frozen=True)
class Workers:
    """Where the inputs of a batch are worked on.

    Attributes
    ----------
    count : int or None
        Processes; 1 is this one. None: as many as cores and memory allow, where the work is worth
        their start.
    threads : int or None
        Of the kernels of each; by default the processes share the cores.
    scheduler : str or None
        Address of a dask scheduler, whose workers do the work instead.

    Raises
    ------
    InputError
        When a number is less than 1, or workers are asked for beside those of a scheduler.
    """

    count: int | None = 1
    threads: int | None = None
    scheduler: str | None = None

    def __post_init__(self) -> None:
        for name, value in (("workers", self.count), ("threads", self.threads)):
            if value is not None and value < 1:
                raise InputError(f"{name}: {value} given; give 1 or more.")
        if self.scheduler is not None and self.count not in (None, 1):
            raise InputError(
                f"workers: {self.count} given, but those of the scheduler do the work; leave one "
                "of the two out."
            )


def run_items(
    job: Job, items: Sequence[Numbered], workers: Workers, token: Path, done: Done
) -> None:
    """Work on all inputs; one that fails does not stop the others.

    Parameters
    ----------
    job : Job
    items : sequence of (int, Item)
    workers : Workers
    token : Path
        A file that is there as long as the run goes on: workers look at it.
    done : callable
        ``(number, entry)``, called as soon as an input is finished.

    Raises
    ------
    Cancelled
        When the running job should stop.
    InputError
        When no scheduler answers.
    """
    left = deque(items)
    begin = time.monotonic()
    while left:
        n_done = len(items) - len(left)
        took = (time.monotonic() - begin) / n_done if n_done else 0.0
        count = _process_count(job, workers, left, took)
        if count > 1 or workers.scheduler is not None:
            again = _run_elsewhere(job, list(left), count, workers, token, done, len(items))
            workers, left = Workers(threads=workers.threads), deque(again)
            continue
        number, item = left[0]
        check_stop()
        with (
            at_most_threads(workers.threads),
            part_of(n_done, len(items), f"{item.path.name}: "),
        ):
            entry = job.run(item)
        entry.pop(SHORT_OF_MEMORY, None)
        left.popleft()
        done(number, entry)


def _process_count(job: Job, workers: Workers, left: Sequence[Numbered], took: float) -> int:
    """How many processes to work with from here on; inputs took so many seconds each so far."""
    if workers.count is not None:
        return min(workers.count, len(left))
    if took * len(left) < _WORTH or core_count() < 2:
        return 1
    by_memory = available_memory() // max(1, job.bytes_for(left[0][1]))
    return max(1, min(core_count(), len(left), by_memory))


def _run_elsewhere(
    job: Job,
    items: list[Numbered],
    count: int,
    workers: Workers,
    token: Path,
    done: Done,
    n_all: int,
) -> list[Numbered]:
    """Work on inputs on workers; give those that had too little memory beside the others."""
    threads = workers.threads or (1 if workers.scheduler else max(1, core_count() // count))
    again: list[Numbered] = []
    n_done = n_all - len(items)
    tell(n_done / n_all, "starting workers")
    with _client(workers.scheduler, count) as client:
        by_future = _submitted(client, job, items, threads, count, token)
        try:
            for future, given in _as_finished(client, list(by_future)):
                number, item = by_future[future]
                entry = _entry_of(given, item)
                if entry.pop(SHORT_OF_MEMORY, False) and count > 1:
                    again.append((number, item))
                else:
                    done(number, entry)
                    n_done += 1
                tell(n_done / n_all, f"{n_done} of {n_all} inputs")
        except BaseException:
            _stop(client, by_future, token)
            raise
    return sorted(again, key=lambda numbered: numbered[0])


def _submitted(
    client: "Client", job: Job, items: list[Numbered], threads: int, count: int, token: Path
) -> dict["Future", Numbered]:
    # a task of its own, so that what a recipe holds is sent once and is not lost with a worker
    shared = client.submit(_itself, job.for_any_folder(), pure=False)
    futures = client.map(
        partial(_work, token=token.absolute(), threads=threads, sharers=count),
        [shared] * len(items),
        [item.for_any_folder() for _, item in items],
        pure=False,
    )
    return dict(zip(futures, items, strict=True))


def _itself(job: Job) -> Job:
    return job


def _work(job: Job, item: Item, token: Path, threads: int, sharers: int) -> dict[str, Any] | None:
    """What a worker does for an input; None where the run is over."""
    with ExitStack() as stack:
        stack.enter_context(running(should_stop=Gone(token)))
        stack.enter_context(at_most_threads(threads))
        stack.enter_context(memory_shared_by(sharers))
        # Looking for the libraries takes 1 ms, and dask has mostly set this for its workers.
        if threads == 1 and os.environ.get("OMP_NUM_THREADS") != "1":
            stack.enter_context(one_library_thread())
        try:
            check_stop()
            return job.run(item)
        except Cancelled:
            return None


@contextmanager
def _client(scheduler: str | None, count: int) -> Iterator["Client"]:
    with ExitStack() as stack:
        if scheduler is None:
            local = stack.enter_context(local_scheduler(count))
            # It takes 0.4 s, in which the workers begin to start.
            import_module("distributed")
            scheduler = local()
        yield stack.enter_context(connected(scheduler))


def _as_finished(client: "Client", futures: "list[Future]") -> "Iterator[tuple[Future, Any]]":
    """Each with what it gave: a type of error, the error and where, when it failed."""
    from distributed import CancelledError, as_completed

    finished = as_completed(futures, loop=client.loop, with_results=True, raise_errors=False)
    left = dict.fromkeys(futures)
    while left:
        check_stop()
        batch = list(finished.next_batch(block=False)) if finished.has_ready() else []
        if not batch and client.status == "closed":
            # The scheduler is gone for good. Who finished at that moment is never reported.
            batch = [(future, CancelledError()) for future in left]
        yield from batch
        for future, _ in batch:
            del left[future]
        if not batch:
            time.sleep(_LOOK)


def _entry_of(given: Any, item: Item) -> dict[str, Any]:
    """The summary's entry, from what a future gave."""
    from distributed import CancelledError
    from distributed.scheduler import KilledWorker

    if given is None:
        raise Cancelled("The run was ended from elsewhere.")
    if isinstance(given, dict):
        return {**given, "input": item.shown}
    error = given[1] if isinstance(given, tuple) else given
    if isinstance(error, KilledWorker):
        said = (
            "Its worker ended in the middle, and so did all others that tried it; perhaps there "
            "was not enough memory."
        )
    elif isinstance(error, CancelledError):
        said = "The scheduler of the workers ended in the middle; run again with --resume."
    else:
        said = f"It stopped with an unexpected error, {type(error).__name__}: {error}."
    return new_entry(item) | {"error": said}


def _stop(client: "Client", futures: "Sequence[Future] | dict[Future, Any]", token: Path) -> None:
    """Ask workers to stop, and wait a little for it."""
    with suppress(OSError):
        token.unlink(missing_ok=True)
    pending = [future for future in futures if not future.done()]
    until = time.monotonic() + _STOPPING
    client.cancel([future for future in pending if future.status == "pending"])
    while time.monotonic() < until and any(client.processing().values()):
        time.sleep(_LOOK)
