"""Work on all cores in processes that were forked after threads had been started."""

import multiprocessing
import os
import threading
import time
from functools import partial

import dask
import numpy as np
import pytest

from napari_seedbed.core import RandomWalker, SeededSegmenter, threads
from napari_seedbed.core.library_calls import call_aside
from napari_seedbed.core.progress import Cancelled, running

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork"),
    # What this test is about: newer Pythons warn of it.
    pytest.mark.filterwarnings("ignore:This process .* is multi-threaded"),
]
FORKED = multiprocessing.get_context("fork") if hasattr(os, "fork") else multiprocessing


@pytest.fixture
def four_threads(monkeypatch):
    """Helping threads even where there is one core, started anew."""
    monkeypatch.setenv("NUMBA_NUM_THREADS", "4")
    threads._tasks.cache_clear()
    yield
    threads._tasks.cache_clear()


def scene():
    image = np.random.default_rng(0).normal(size=(48, 64, 64)).astype(np.float32)
    image[:, :32] += 2
    seeds = np.zeros(image.shape, np.int32)
    seeds[24, 10, 10:50], seeds[24, 50, 10:50] = 1, 2
    return image, seeds


def walk(_=None):
    image, seeds = scene()
    return RandomWalker(image).solve(seeds)


def walk_and_look(out):
    found = [walk() for _ in range(2)][-1]
    helpers = [t for t in threading.enumerate() if t.name.startswith("seedbed-kernel")]
    deadline = time.monotonic() + 5
    while threads._tasks().qsize() and time.monotonic() < deadline:
        time.sleep(0.01)
    out.put((found, len(helpers), threads._tasks().qsize()))


def test_forked_worker_has_threads_of_its_own_and_leaves_nothing_behind(four_threads):
    expected = walk()
    out = FORKED.Queue()
    worker = FORKED.Process(target=walk_and_look, args=(out,))
    worker.start()
    found, helpers, waiting = out.get(timeout=120)
    worker.join(60)
    assert worker.exitcode == 0
    np.testing.assert_array_equal(found, expected)
    assert (helpers, waiting) == (3, 0)


def test_dask_and_pools_that_fork_give_the_same(four_threads):
    expected = walk()
    with dask.config.set({"multiprocessing.context": "fork"}):
        found = dask.compute(
            *[dask.delayed(walk)(n) for n in range(3)], scheduler="processes", num_workers=2
        )
    with FORKED.Pool(2) as pool:
        found += tuple(pool.map(walk, range(3)))
    assert all(np.array_equal(one, expected) for one in found)


def segment(out):
    image, seeds = scene()
    out.put(SeededSegmenter(image[20:28]).solve(seeds[20:28]))


def test_default_engine_works_in_a_forked_worker(four_threads):
    out = FORKED.Queue()
    segment(out)
    expected = out.get(timeout=60)
    worker = FORKED.Process(target=segment, args=(out,))
    worker.start()
    np.testing.assert_array_equal(out.get(timeout=120), expected)
    worker.join(60)
    assert worker.exitcode == 0


def test_calls_that_go_on_in_the_parent_are_not_waited_for():
    goes_on = threading.Event()
    for _ in range(3):
        asked = iter([False, True])
        stop = partial(next, asked, True)
        with running(should_stop=stop), pytest.raises(Cancelled):
            call_aside(goes_on.wait)
    out = FORKED.Queue()
    with running(should_stop=lambda: False):
        worker = FORKED.Process(target=lambda: out.put(call_aside(lambda: 7)))
        worker.start()
    try:
        assert out.get(timeout=20) == 7
    finally:
        goes_on.set()
        worker.kill()
        worker.join()
