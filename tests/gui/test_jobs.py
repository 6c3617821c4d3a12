"""Jobs run beside the window, stop when asked, and hand nothing over late."""

import gc
import os
import subprocess
import sys
import threading
import time
import weakref

import numpy as np
import pytest

from napari_seedbed.core.progress import Preview, Progress, check_stop
from napari_seedbed.errors import InputError
from napari_seedbed.gui import jobs
from napari_seedbed.gui.jobs import Job


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


def wait_for_stop(report, should_stop):
    """Work until asked to stop, for ten seconds at most, as a solver does."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        check_stop(should_stop)
        time.sleep(0.005)
    return "never stopped"


def test_result_comes_in_the_window_thread(record, qtbot):
    job = record.start(lambda report, should_stop: threading.get_ident())
    qtbot.waitUntil(lambda: not job.running)
    assert record.done[0] != threading.get_ident()
    assert record.threads == {threading.get_ident()}


def test_error_is_handed_over_without_the_frames_of_the_run(record, qtbot):
    def fail(report, should_stop):
        raise InputError("`beta` must be positive.")

    job = record.start(fail)
    qtbot.waitUntil(lambda: not job.running)
    assert str(record.errors[0]) == "`beta` must be positive."
    assert record.errors[0].__traceback__ is None
    assert not record.done


def test_bug_keeps_its_traceback(record, qtbot):
    def fail(report, should_stop):
        return {}["missing"]

    job = record.start(fail)
    qtbot.waitUntil(lambda: not job.running)
    assert isinstance(record.errors[0], KeyError)
    assert record.errors[0].__traceback__ is not None


def test_progress_is_throttled_but_previews_always_come(record, qtbot):
    preview = Preview(axis=0, index=1, labels=np.zeros((2, 2), int))

    def busy(report, should_stop):
        for step in range(1000):
            report(Progress(step / 1000, "working"))
        for _ in range(5):
            report(Progress(1.0, "first look", preview))

    job = record.start(busy)
    qtbot.waitUntil(lambda: not job.running)
    assert sum(progress.preview is not None for progress in record.progress) == 5
    assert len(record.progress) < 30


def test_cancel_stops_the_function_soon_and_says_so_once(record, qtbot):
    job = record.start(wait_for_stop)
    qtbot.wait(20)
    began = time.monotonic()
    job.cancel()
    assert time.monotonic() - began < 0.05
    qtbot.waitUntil(lambda: not job.running, timeout=1000)
    assert time.monotonic() - began < 0.3
    assert (record.cancelled, record.done, record.errors) == (1, [], [])


def test_result_that_is_ready_when_cancelled_is_dropped(record, qtbot):
    release = threading.Event()

    def stubborn(report, should_stop):
        release.wait(5)
        report(Progress(1.0, "too late", Preview(0, 0, np.zeros((1, 1), int))))
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
    job = record.start(lambda report, should_stop, big=big: None)
    del big
    qtbot.waitUntil(lambda: not job.running)
    gc.collect()
    assert gone() is None


def test_end_of_the_program_does_not_wait_for_what_cannot_stop(record, qtbot):
    release = threading.Event()
    job = record.start(lambda report, should_stop: release.wait(5), can_stop=False)
    began = time.monotonic()
    jobs.cancel_all()
    assert time.monotonic() - began < 0.5
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
    job = record.start(lambda report, should_stop: may_end.wait(10))
    sip.delete(job)
    may_end.set()
    job._thread.join(10)
    jobs._running.discard(job)
    assert raised == []


QUIT_AT_ONCE = """
import numpy as np
from napari.components import ViewerModel
from qtpy.QtWidgets import QApplication
from napari_seedbed.gui.operation_form import form_class
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
