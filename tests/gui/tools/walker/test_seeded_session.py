"""When the session runs, what it drops, and who waits for the exact result."""

import threading
import time

import numpy as np
import pytest

from bounds import bound
from napari_seedbed.core.progress import Preview, check_stop, tell
from napari_seedbed.errors import InputError, MemoryForecastError
from napari_seedbed.gui.forms.strokes_session import NeedsMarks
from napari_seedbed.gui.qt import jobs
from napari_seedbed.gui.tools.walker.seeded_session import Request, SeededSession, check_seeds
from napari_seedbed.pipeline import operations
from napari_seedbed.pipeline.data.image import Image

AXES = ("y", "x")


class Bench:
    """A session on a tiny scene, with a solver that lasts as long as a test likes."""

    def __init__(self, monkeypatch) -> None:
        self.runs = []
        self.seconds = 0.0
        self.seconds_to_prepare = 0.0
        self.prepared = 0
        self.is_cold = False
        self.error = None
        self.seeds = np.array([[1, 0, 2]], np.int32)
        self.log = []
        self.at_once = 0
        self.most_at_once = 0
        self._lock = threading.Lock()
        monkeypatch.setattr(operations, "run", self._solve)
        monkeypatch.setattr(operations, "prepare", self._prepare_image)
        self.session = SeededSession(self._prepare, settle_seconds=0.15, debounce_seconds=0.02)
        session = self.session
        session.previewed.connect(lambda preview, request: self.log.append("preview"))
        session.finished.connect(self._finished)
        session.not_ready.connect(lambda text: self.log.append("not ready"))
        session.failed.connect(lambda error, asked: self.log.append(("failed", asked)))
        session.cancelled.connect(lambda: self.log.append("cancelled"))

    def _prepare(self, kind):
        image = Image(np.zeros((1, 3)), AXES)
        seeds = None if kind == "prepare" else Image(self.seeds.copy(), AXES)
        return Request(image, seeds, {}, is_cold=self.is_cold)

    def _prepare_image(self, operation, image, parameters, *, context, **options):
        self.prepared += 1
        end = time.monotonic() + self.seconds_to_prepare
        while "image" not in context.cache and time.monotonic() < end:
            check_stop()
            time.sleep(0.002)
        context.cache["image"] = True

    def _finished(self, result, request, exact):
        self.log.append(("exact" if exact else "live", int(result.outputs["labels"][0, 0])))

    def _solve(self, operation, inputs, parameters, *, context, times):
        with self._lock:
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            self.runs.append("live" if context.live else "exact")
            if self.error is not None:
                raise self.error
            seeds = inputs["seeds"].array.copy()
            if context.live:
                tell(0.1, "first", Preview(0, 0, seeds))
            end = time.monotonic() + self.seconds
            while time.monotonic() < end:
                check_stop()
                time.sleep(0.002)
            return operations.Result({"labels": seeds}, {})
        finally:
            with self._lock:
                self.at_once -= 1

    def paint(self, value):
        self.seeds[0, 0] = value
        self.session.stroke()


@pytest.fixture
def bench(qapp, monkeypatch):
    made = Bench(monkeypatch)
    yield made
    made.session.close()
    jobs.cancel_all()


def test_stroke_gives_a_preview_then_a_warm_then_an_exact_result(bench, qtbot):
    bench.paint(5)
    qtbot.waitUntil(lambda: bench.session.is_final)
    assert bench.log == ["preview", ("live", 5), ("exact", 5)]


def test_strokes_close_together_start_one_run(bench, qtbot):
    for value in range(3, 8):
        bench.paint(value)
    qtbot.waitUntil(lambda: bench.session.is_final)
    assert bench.runs == ["live", "exact"]


def test_new_stroke_restarts_a_run_with_the_newest_seeds(bench, qtbot):
    bench.seconds = 0.3
    bench.paint(5)
    qtbot.waitUntil(lambda: "preview" in bench.log)
    bench.paint(6)
    bench.seconds = 0.0
    qtbot.waitUntil(lambda: bench.session.is_final)
    assert [entry for entry in bench.log if entry != "preview"] == [("live", 6), ("exact", 6)]


def test_runs_never_overlap(bench, qtbot):
    bench.seconds = 0.05
    for value in range(3, 13):
        bench.paint(value)
        qtbot.wait(35)
    qtbot.waitUntil(lambda: bench.session.is_final)
    assert bench.most_at_once == 1
    assert bench.log[-1] == ("exact", 12)


def test_stroke_during_the_exact_run_makes_it_stale(bench, qtbot):
    bench.seconds = 0.2
    bench.paint(5)
    qtbot.waitUntil(lambda: bench.runs == ["live", "exact"])
    bench.paint(6)
    qtbot.waitUntil(lambda: bench.session.is_final)
    assert ("exact", 5) not in bench.log
    assert bench.log[-1] == ("exact", 6)


def test_action_waits_for_the_exact_result_without_blocking(bench, qtbot):
    bench.seconds = 0.1
    done = []
    bench.session.when_exact(lambda: done.append(list(bench.log)))
    assert done == []
    qtbot.waitUntil(lambda: bool(done))
    assert ("exact", 1) in done[0]


def test_action_is_immediate_when_the_result_is_exact(bench, qtbot):
    bench.session.run()
    qtbot.waitUntil(lambda: bench.session.is_final)
    done = []
    bench.session.when_exact(lambda: done.append(1))
    assert done == [1]
    assert bench.runs == ["exact"]


def test_two_actions_share_one_exact_run(bench, qtbot):
    done = []
    bench.seconds = 0.05
    bench.session.when_exact(lambda: done.append("accept"))
    bench.session.when_exact(lambda: done.append("save"))
    qtbot.waitUntil(lambda: len(done) == 2)
    assert bench.runs == ["exact"]


def test_action_that_waits_takes_a_later_stroke_along(bench, qtbot):
    bench.seconds = 0.1
    done = []
    bench.session.when_exact(lambda: done.append(bench.log[-1]))
    qtbot.wait(30)
    bench.paint(6)
    qtbot.waitUntil(lambda: bool(done))
    assert done == [("exact", 6)]


@pytest.mark.timing
def test_cancel_stops_the_run_and_forgets_what_waits(bench, qtbot):
    bench.seconds = 5
    done = []
    bench.session.when_exact(lambda: done.append(1))
    qtbot.waitUntil(lambda: bool(bench.runs))
    began = time.monotonic()
    bench.session.cancel()
    qtbot.waitUntil(lambda: bench.at_once == 0)
    assert time.monotonic() - began < bound(0.3)
    qtbot.wait(50)
    assert done == []
    assert bench.log == ["cancelled"]
    assert bench.session.state == "idle"


def test_run_may_begin_again_at_once_after_cancel(bench, qtbot):
    bench.seconds = 5
    bench.session.run()
    qtbot.waitUntil(lambda: bool(bench.runs))
    bench.session.cancel()
    bench.seconds = 0.0
    bench.session.run()
    qtbot.waitUntil(lambda: bench.session.is_final)
    assert bench.most_at_once == 1


def test_touched_while_not_live_lets_the_run_finish_but_not_count_as_latest(bench, qtbot):
    bench.seconds = 0.1
    bench.session.run()
    qtbot.waitUntil(lambda: bool(bench.runs))
    bench.session.touched()
    qtbot.waitUntil(lambda: ("exact", 1) in bench.log)
    assert not bench.session.is_final


def test_missing_label_is_quiet_while_drawing_and_said_when_asked(bench, qtbot):
    bench.seeds = np.array([[1, 0, 0]], np.int32)
    bench.session.stroke()
    qtbot.waitUntil(lambda: bool(bench.log))
    bench.session.run()
    qtbot.waitUntil(lambda: len(bench.log) == 2)
    assert bench.log == ["not ready", ("failed", True)]
    assert bench.runs == []


def test_failure_drops_waiting_actions_and_leaves_the_session_usable(bench, qtbot):
    bench.error = MemoryForecastError("needs 9 GB")
    done = []
    bench.session.when_exact(lambda: done.append(1))
    qtbot.waitUntil(lambda: bool(bench.log))
    assert bench.log == [("failed", True)]
    bench.error = None
    bench.session.run()
    qtbot.waitUntil(lambda: bench.session.is_final)
    assert done == []


def test_error_while_preparing_is_a_failure_too(bench, qtbot, monkeypatch):
    def refuse(kind):
        raise InputError("no image")

    monkeypatch.setattr(bench.session, "_prepare", refuse)
    bench.session.run()
    assert bench.log == [("failed", True)]


def test_pause_stops_what_only_follows_strokes(bench, qtbot):
    bench.seconds = 5
    bench.paint(5)
    qtbot.waitUntil(lambda: bool(bench.runs))
    assert bench.session.pause()
    qtbot.waitUntil(lambda: bench.at_once == 0)
    qtbot.wait(250)
    assert bench.runs == ["live"]
    assert bench.session.state == "idle"
    assert not bench.session.pause()


def test_pause_tells_of_a_stroke_that_was_about_to_count(bench, qtbot):
    bench.paint(5)
    assert bench.session.pause()
    qtbot.wait(250)
    assert bench.runs == []


def test_pause_leaves_a_run_that_was_asked_for(bench, qtbot):
    bench.seconds = 0.1
    bench.session.run()
    assert not bench.session.pause()
    qtbot.waitUntil(lambda: bench.session.is_final)


def test_first_and_exact_runs_are_timed_beside_their_forecast(bench, qtbot):
    timed = []
    bench.session.timed.connect(lambda *seconds: timed.append(seconds))
    bench.seconds = 0.1
    bench.paint(5)
    qtbot.waitUntil(lambda: bench.session.is_final)
    (forecast, first, anew), (_, measured, again) = timed
    assert forecast > 0
    assert min(first, measured) >= 0.1
    assert (anew, again) == (True, False)


def test_cold_engine_runs_once_and_is_final(bench, qtbot):
    bench.is_cold = True
    bench.paint(5)
    qtbot.waitUntil(lambda: bench.session.is_final)
    qtbot.wait(250)
    assert bench.runs == ["exact"]
    assert bench.log == [("exact", 5)]


def test_image_is_prepared_before_there_are_seeds(bench, qtbot):
    bench.session.prepare_image()
    assert not bench.session.is_running
    qtbot.waitUntil(lambda: bench.session.state == "idle" and bench.prepared == 1)
    qtbot.wait(30)
    assert (bench.runs, bench.log) == ([], [])


@pytest.mark.timing
def test_strokes_do_not_begin_preparing_anew(bench, qtbot):
    bench.is_cold = True
    bench.seconds_to_prepare = 0.4
    bench.session.prepare_image()
    began = time.monotonic()
    for value in range(3, 8):
        bench.paint(value)
        qtbot.wait(50)
    qtbot.waitUntil(lambda: bench.session.is_final)
    assert time.monotonic() - began < bound(0.7)
    assert bench.runs == ["exact"]
    assert bench.log == [("exact", 7)]


def test_first_stroke_alone_keeps_what_is_prepared(bench, qtbot):
    bench.seconds_to_prepare = 0.2
    bench.session.prepare_image()
    qtbot.waitUntil(lambda: bench.prepared == 1 and bench.session.state == "idle")
    bench.seeds = np.array([[1, 0, 0]], np.int32)
    bench.session.stroke()
    qtbot.waitUntil(lambda: bench.log == ["not ready"])
    timed = []
    bench.session.timed.connect(lambda *seconds: timed.append(seconds))
    bench.seconds_to_prepare = 5
    bench.is_cold = True
    bench.paint(2)
    bench.seeds = np.array([[1, 0, 2]], np.int32)
    qtbot.waitUntil(lambda: bench.session.is_final, timeout=2000)
    # what the early preparation took counts
    ((_, measured, anew),) = timed
    assert anew
    assert measured >= 0.2


@pytest.mark.timing
def test_cancel_stops_preparing(bench, qtbot):
    bench.seconds_to_prepare = 5
    bench.session.prepare_image()
    qtbot.waitUntil(lambda: bench.prepared == 1)
    bench.session.cancel()
    began = time.monotonic()
    qtbot.waitUntil(lambda: not bench.session.is_busy)
    assert time.monotonic() - began < bound(0.2)


@pytest.mark.timing
def test_closed_session_hands_over_nothing_and_returns_at_once(bench, qtbot):
    bench.seconds = 0.3
    bench.session.run()
    qtbot.waitUntil(lambda: bool(bench.runs))
    began = time.monotonic()
    bench.session.close()
    assert time.monotonic() - began < bound(0.05)
    qtbot.waitUntil(lambda: bench.at_once == 0)
    qtbot.wait(30)
    assert bench.log == []


@pytest.mark.parametrize(
    ("seeds", "message"),
    [
        ([[0, 0, 0]], "No seeds yet. Paint."),
        ([[0, -1, 0]], "No seeds yet"),
        ([[3, 3, -1]], "Only one label"),
    ],
)
def test_seeds_of_fewer_than_two_labels_are_refused(seeds, message):
    with pytest.raises(NeedsMarks, match=message):
        check_seeds(Image(np.array(seeds), AXES), None, "Paint.")


def test_seeds_count_at_the_chosen_time_points_only():
    seeds = np.zeros((3, 2, 2), int)
    seeds[1] = [[1, 2], [0, 0]]
    series = Image(seeds, ("t", *AXES))
    check_seeds(series, None)
    check_seeds(series, (0, 1))
    with pytest.raises(NeedsMarks, match="at this time point"):
        check_seeds(series, (0,))
