import threading
import time

import pytest

from napari_seedbed.core.library_calls import call_aside
from napari_seedbed.errors import Cancelled


def test_result_comes_back():
    assert call_aside(lambda: 7, lambda: False) == 7


def test_error_of_the_function_is_raised():
    def fail():
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        call_aside(fail, lambda: False)


def test_without_should_stop_it_is_a_plain_call():
    assert call_aside(threading.current_thread, None) is threading.current_thread()


def test_cancel_returns_at_once_from_a_function_that_goes_on():
    release, begun = threading.Event(), threading.Event()

    def work():
        begun.set()
        release.wait(10)

    start = time.perf_counter()
    with pytest.raises(Cancelled):
        call_aside(work, begun.is_set)
    assert time.perf_counter() - start < 1
    release.set()


def test_no_more_than_three_run_at_a_time():
    release = threading.Event()
    begun = []

    def work():
        begun.append(1)
        release.wait(10)

    for _ in range(5):
        stop = threading.Timer(0.1, lambda: None)
        stop.start()
        with pytest.raises(Cancelled):
            call_aside(work, lambda: not stop.is_alive())  # noqa: B023
    assert len(begun) == 3
    release.set()
