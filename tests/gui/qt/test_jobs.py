"""Jobs run beside the window, stop when asked, and hand nothing over late."""

import gc
import os
import subprocess
import sys
import threading
import time
import weakref
from functools import partial

import numpy as np
import pytest
from qtpy.QtCore import QObject

from bounds import bound
from napari_seedbed.core.progress import Preview, Progress, check_stop, running_job, tell
from napari_seedbed.errors import InputError
from napari_seedbed.gui.qt import jobs
from napari_seedbed.gui.qt.jobs import Job, Jobs


class Record:
    """What came back from a job, and in which thread."""

    def __init__(self) -> None:
        self.done, self.errors, self.progress, self.cancelled = [], [], [], 0
        self.threads = set()

    def start(self, function, **options) -> Job:
        return Job(
            function,
            on_done=self._done,
            on_error=self._error,
            on_progress=self._progress,
            on_cancelled=self._cancelled,
            **options,
        ).start()

    def _done(self, result):
        self.done.append(result)
        self.threads.add(threading.get_ident())

    def _error(self, error):
        self.errors.append(error)
        self.threads.add(threading.get_ident())

    def _progress(self, progress):
        self.progress.append(progress)
        self.threads.add(threading.get_ident())

    def _cancelled(self):
        self.cancelled += 1
        self.threads.add(threading.get_ident())


@pytest.fixture
def record(qapp):
    yield Record()
    jobs.cancel_all()


def wait_for_stop():
    """Work until asked to stop, for ten seconds at most, as a solver does."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        check_stop()
        time.sleep(0.005)
    return "never stopped"


def test_result_comes_in_the_window_thread(record, qtbot):
    job = record.start(lambda: threading.get_ident())
    qtbot.waitUntil(lambda: not job.running)
    assert record.done[0] != threading.get_ident()
    assert record.threads == {threading.get_ident()}


def test_error_is_handed_over_without_the_frames_of_the_run(record, qtbot):
    def fail():
        raise InputError("`beta` must be positive.")

    job = record.start(fail)
    qtbot.waitUntil(lambda: not job.running)
    assert str(record.errors[0]) == "`beta` must be positive."
    assert record.errors[0].__traceback__ is None
    assert not record.done


def test_bug_keeps_its_traceback(record, qtbot):
    def fail():
        return {}["missing"]

    job = record.start(fail)
    qtbot.waitUntil(lambda: not job.running)
    assert isinstance(record.errors[0], KeyError)
    assert record.errors[0].__traceback__ is not None


def test_progress_is_throttled_but_previews_always_come(record, qtbot):
    preview = Preview(axis=0, index=1, labels=np.zeros((2, 2), int))

    def busy():
        for step in range(1000):
            tell(step / 1000, "working")
        for _ in range(5):
            tell(1.0, "first look", preview)

    job = record.start(busy)
    qtbot.waitUntil(lambda: not job.running)
    assert sum(progress.preview is not None for progress in record.progress) == 5
    assert len(record.progress) < 30


@pytest.mark.timing
def test_cancel_stops_the_function_soon_and_says_so_once(record, qtbot):
    job = record.start(wait_for_stop)
    qtbot.wait(20)
    began = time.monotonic()
    job.cancel()
    assert time.monotonic() - began < bound(0.05)
    qtbot.waitUntil(lambda: not job.running, timeout=1000)
    assert time.monotonic() - began < bound(0.3)
    assert (record.cancelled, record.done, record.errors) == (1, [], [])


def test_result_that_is_ready_when_cancelled_is_dropped(record, qtbot):
    release = threading.Event()

    def stubborn():
        release.wait(5)
        tell(1.0, "too late", Preview(0, 0, np.zeros((1, 1), int)))
        return "too late"

    job = record.start(stubborn)
    job.cancel()
    release.set()
    qtbot.waitUntil(lambda: not job.running)
    assert (record.cancelled, record.done, record.progress) == (1, [], [])


def test_abandoned_job_calls_nobody(record, qtbot):
    job = record.start(wait_for_stop)
    job.abandon()
    qtbot.waitUntil(lambda: not job.running)
    assert (record.cancelled, record.done, record.errors) == (0, [], [])


def test_arguments_are_released_when_the_job_ends(record, qtbot):
    class Big:
        pass

    big = Big()
    gone = weakref.ref(big)
    job = record.start(lambda big=big: None)
    del big
    qtbot.waitUntil(lambda: not job.running)
    gc.collect()
    assert gone() is None


@pytest.mark.timing
def test_end_of_the_program_does_not_wait_for_what_cannot_stop(record, qtbot):
    release = threading.Event()
    job = record.start(lambda: release.wait(5), can_stop=False)
    began = time.monotonic()
    jobs.cancel_all()
    assert time.monotonic() - began < bound(0.5)
    release.set()
    qtbot.waitUntil(lambda: not job.running)


def test_end_of_the_program_waits_for_jobs_that_stop(record, qtbot):
    job = record.start(wait_for_stop)
    jobs.cancel_all()
    assert not job._thread.is_alive()
    qtbot.waitUntil(lambda: not job.running)


def test_job_whose_side_of_the_window_is_gone_ends_quietly(record, monkeypatch):
    sip = pytest.importorskip("PyQt6.sip")
    raised, may_end = [], threading.Event()
    monkeypatch.setattr(threading, "excepthook", raised.append)
    job = record.start(lambda: may_end.wait(10))
    sip.delete(job)
    may_end.set()
    job._thread.join(10)
    jobs._running.discard(job)
    assert raised == []


QUIT_AT_ONCE = """
import numpy as np
from napari.components import ViewerModel
from qtpy.QtWidgets import QApplication
from napari_seedbed.gui.forms.operation_form import form_class
app = QApplication([])
viewer = ViewerModel()
viewer.add_image(np.zeros((20, 30), np.uint16))
form = form_class("slic")(viewer)
form.show()
app.processEvents()
app.quit()
"""


def test_window_closed_while_operations_are_compiled_ends_quietly():
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    ended = subprocess.run(
        [sys.executable, "-c", QUIT_AT_ONCE],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert "Exception" not in ended.stderr
    assert "Traceback" not in ended.stderr


def test_threads_that_a_job_leaves_behind_do_not_keep_it(record, qtbot):
    left = []
    gone = weakref.ref(record.start(lambda: left.append(running_job())))
    qtbot.waitUntil(lambda: gone() is None)
    left[0].tell(Progress(0.5, "too late"))
    assert record.progress == []


# Jobs for purposes


@pytest.fixture
def purposes(qapp):
    parent = QObject()
    made = Jobs(parent)
    yield made
    made.close()
    jobs.cancel_all()


def test_newest_wish_waits_for_its_predecessor_and_is_the_only_one_answered(purposes, qtbot):
    log, at_once, most = [], set(), []

    def work(number):
        def run():
            at_once.add(number)
            most.append(len(at_once))
            while number < 3 and not running_job().is_stopped():
                time.sleep(0.002)
            time.sleep(0.02)
            at_once.discard(number)
            return number

        return run

    for number in range(4):
        purposes.start("look", work(number), log.append, log.append,
                       on_cancelled=lambda: log.append("cancelled"))  # fmt: skip
        qtbot.wait(5 * number)
    other = []
    purposes.start("other", lambda: 9, other.append, other.append)
    qtbot.waitUntil(lambda: not len(purposes))
    assert log == [3]
    assert other == [9]
    assert max(most) == 1


def test_cancelled_purpose_says_so_once_and_forgets_what_was_to_follow(purposes, qtbot):
    log = []
    on_cancelled = partial(log.append, "cancelled")
    purposes.start("run", wait_for_stop, log.append, log.append, on_cancelled=on_cancelled)
    purposes.when_free("run", partial(log.append, "followed"))
    assert purposes.is_stopping("run")
    purposes.cancel("run")
    assert "run" in purposes
    qtbot.waitUntil(lambda: "run" not in purposes)
    assert log == ["cancelled"]
    purposes.when_free("run", partial(log.append, "at once"))
    assert log == ["cancelled", "at once"]


def test_every_beginning_and_end_is_told_also_where_a_listener_fails(purposes, qtbot):
    told = []
    purposes.changed.connect(lambda: told.append(len(purposes)))
    with qtbot.captureExceptions() as raised:
        purposes.start("run", lambda: 1, lambda result: 1 / 0, told.append)
        qtbot.waitUntil(lambda: told == [1, 0])
    assert [kind for kind, *_ in raised] == [ZeroDivisionError]


def test_closed_jobs_begin_nothing_and_tell_nobody(purposes, qtbot):
    log = []
    purposes.start("run", wait_for_stop, log.append, log.append)
    purposes.when_free("run", partial(log.append, "followed"))
    purposes.close()
    purposes.start("run", lambda: 1, log.append, log.append)
    qtbot.waitUntil(lambda: not jobs._running)
    assert not len(purposes)
    assert log == []
