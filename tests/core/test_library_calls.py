import threading
import time

import pytest

from bounds import bound
from napari_seedbed.core import library_calls, running
from napari_seedbed.core.library_calls import call_aside
from napari_seedbed.errors import Cancelled


def test_result_comes_back():
    with running(should_stop=lambda: False):
        assert call_aside(lambda: 7) == 7


def test_error_of_the_function_is_raised():
    def fail():
        raise ValueError("no")

    with running(should_stop=lambda: False), pytest.raises(ValueError, match="no"):
        call_aside(fail)


def test_what_nobody_can_stop_is_a_plain_call():
    assert call_aside(threading.current_thread) is threading.current_thread()


@pytest.mark.timing
def test_cancel_returns_at_once_from_a_function_that_goes_on():
    release, begun = threading.Event(), threading.Event()

    def work():
        begun.set()
        release.wait(10)

    start = time.perf_counter()
    with running(should_stop=begun.is_set), pytest.raises(Cancelled):
        call_aside(work)
    assert time.perf_counter() - start < bound(1)
    release.set()


@pytest.fixture
def nothing_left(monkeypatch):
    """Calls that earlier tests have left do not count."""
    monkeypatch.setattr(library_calls, "_left", library_calls._Left())


def cancelled_after(seconds, function):
    end = time.perf_counter() + seconds
    with running(should_stop=lambda: time.perf_counter() > end), pytest.raises(Cancelled):
        call_aside(function)


def test_no_more_than_three_are_left_to_themselves(nothing_left):
    release, begun = threading.Event(), []

    def work():
        begun.append(1)
        release.wait(10)

    for _ in range(5):
        cancelled_after(0.1, work)
    assert len(begun) == 3
    release.set()
    with running(should_stop=lambda: False):
        assert call_aside(lambda: 7) == 7


def test_calls_that_are_waited_for_do_not_wait_for_each_other(nothing_left):
    together = threading.Barrier(6)

    def wait():
        with running(should_stop=lambda: False):
            call_aside(together.wait)

    threads = [threading.Thread(target=wait) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert not together.broken
    assert not any(thread.is_alive() for thread in threads)
