"""Who hears how far a job is and may stop it, also in nested jobs and in other threads."""

import threading
import time
from contextlib import suppress

import pytest

from napari_seedbed.core import running, threads
from napari_seedbed.core.library_calls import call_aside
from napari_seedbed.core.progress import (
    Progress,
    RunningJob,
    check_stop,
    part_of,
    running_job,
    tell,
    unwatched,
)
from napari_seedbed.core.threads import run_ranges
from napari_seedbed.errors import Cancelled


def test_parts_of_parts_add_up_to_the_whole_job():
    told = []
    with running(report=told.append):
        for nth in range(2):
            with part_of(nth, 2, f"{nth + 1} of 2: "):
                for inner in range(2):
                    with part_of(inner, 2):
                        tell(0.5, "working")
        with unwatched():
            tell(0.3, "unheard")
        tell(1.0, "Done")
    tell(0.0, "nobody listens any more")
    parts = [Progress(f, m) for f, m in zip((1, 3, 5, 7), "1122", strict=True)]
    assert told == [
        *(Progress(p.fraction / 8, f"{p.message} of 2: working") for p in parts),
        Progress(1.0, "Done"),
    ]


class Fault(Exception):
    pass


def test_inner_job_hides_the_outer_one_until_it_ends_however_it_ends():
    with running(should_stop=lambda: True):
        with suppress(Fault), running(should_stop=lambda: False):
            check_stop()
            raise Fault
        for within in (running(report=print), unwatched(), part_of(0, 2)):
            with within, pytest.raises(Cancelled):
                check_stop()
        with pytest.raises(Cancelled):
            check_stop()
    check_stop()
    assert running_job() == RunningJob()


def test_helping_threads_work_for_the_job_of_their_caller(monkeypatch):
    monkeypatch.setattr(threads, "thread_count", lambda: 4)
    threads._tasks.cache_clear()
    told, stop = [], threading.Event()

    def work(start, end):
        tell(start / 8, threading.current_thread().name)
        time.sleep(0.01)

    def job(name):
        with running(report=lambda p: told.append((name, p.message)), should_stop=lambda: False):
            run_ranges(work, [(n, n + 1) for n in range(8)])
            call_aside(lambda: tell(1.0, "aside"))

    callers = [threading.Thread(target=job, args=(name,), name=name) for name in "ab"]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join(20)
    threads._tasks.cache_clear()
    assert sorted(name for name, _ in told) == 9 * ["a"] + 9 * ["b"]
    assert any(message.startswith("seedbed-kernel") for _, message in told)
    assert not {("a", "b"), ("b", "a")} & set(told)

    def stopped(start, end):
        stop.set()
        check_stop()

    with running(should_stop=stop.is_set), pytest.raises(Cancelled):
        run_ranges(stopped, [(0, 1), (1, 2)])
