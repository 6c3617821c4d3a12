"""One run of snakes at a time is started, held, stepped on, released and stopped."""

import time

import numpy as np
import pytest
from snakes_window import circle, disc

from bounds import bound
from napari_seedbed.core.marks.shapes import Shape
from napari_seedbed.core.progress import Moving, Progress, check_stop
from napari_seedbed.errors import InputError
from napari_seedbed.gui.tools.snakes.snakes_session import Request, SnakesSession
from napari_seedbed.pipeline import operations
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.data.shapes import Shapes
from napari_seedbed.pipeline.operations import Result

IMAGE = Image(disc()[0], ("y", "x"))
START = Shapes((Shape(1, circle()),))
REQUEST = Request("elastic_contour", IMAGE, START, {"max_num_iter": 100})
STEPS = 12


class Listener:
    """A session, and all that it told, in order."""

    def __init__(self, qtbot):
        self.qtbot = qtbot
        self.session = SnakesSession()
        self.told, self.iterations, self.states = [], [], []
        self.results, self.errors = [], []
        session = self.session
        session.moved.connect(lambda moving: self.iterations.append(moving.iteration))
        session.state_changed.connect(self.states.append)
        session.finished.connect(lambda result: self._end("finished", self.results, result))
        session.failed.connect(lambda error: self._end("failed", self.errors, error))
        session.stopped.connect(lambda: self._end("stopped", [], None))

    def _end(self, word, kept, what):
        self.told.append(word)
        kept.append(what)

    def wait(self, condition):
        self.qtbot.waitUntil(condition, timeout=15000)

    def wait_end(self):
        self.wait(lambda: not self.session.is_busy)

    def rests_at(self, iteration):
        """Whether it comes to this state and stays there."""
        self.wait(lambda: bool(self.iterations) and self.iterations[-1] >= iteration)
        self.qtbot.wait(150)
        return self.iterations[-1] == iteration


@pytest.fixture
def listener(qtbot):
    made = Listener(qtbot)
    yield made
    made.session.close()


class Walk:
    """Stands for `operations.run`: so many steps, each shown if it shall be."""

    def __init__(self, first=0, steps=STEPS, seconds=0.005, error=None, between=None):
        self.first, self.steps, self.seconds, self.error = first, steps, seconds, error
        self.between = between or (lambda i: None)
        self.calls, self.now, self.together, self.last = [], 0, 0, -1

    def __call__(self, operation, inputs, parameters, *, report, context):
        self.calls.append((operation, inputs, parameters))
        self.now += 1
        self.together = max(self.together, self.now)
        try:
            for i in range(self.first, self.steps):
                check_stop()
                shown = None
                self.last = i
                if context.watch(i):
                    shown = Moving([], None, 0, None, None, i, 0.0)
                self.between(i)
                report(Progress(i / self.steps, f"iteration {i}", shown))
                time.sleep(self.seconds)
            check_stop()
            if self.error is not None:
                raise self.error
            report(Progress(1.0, "Done"))
            return Result({}, {"notes": ["walked"]})
        finally:
            self.now -= 1


@pytest.fixture
def walk(monkeypatch):
    def replace(**options):
        made = Walk(**options)
        monkeypatch.setattr(operations, "run", made)
        return made

    return replace


def points(result):
    return [shape.points for shape in result.shapes().shapes]


# What runs


def test_result_is_that_of_the_single_door(listener):
    listener.session.start(REQUEST)
    listener.wait_end()
    expected = operations.run(
        "elastic_contour", {"image": IMAGE, "shapes": START}, {"max_num_iter": 100}
    )
    (result,) = listener.results
    np.testing.assert_array_equal(result.image("labels").array, expected.image("labels").array)
    np.testing.assert_array_equal(points(result), points(expected))


def test_labels_to_start_from_are_seeds():
    labels = Image(np.ones((4, 4), np.int32), ("y", "x"))
    assert Request("region_surface", IMAGE, labels, {}).inputs == {"image": IMAGE, "seeds": labels}


def test_shapes_to_start_from_are_shapes():
    assert REQUEST.inputs == {"image": IMAGE, "shapes": START}


def test_states_of_an_undisturbed_run(listener, walk):
    walk()
    listener.session.start(REQUEST)
    listener.wait_end()
    assert listener.states == ["running", "idle"]
    assert listener.told == ["finished"]


def test_error_of_the_run_is_told_and_the_next_run_works(listener, walk):
    error = InputError("image: no.")
    walk(error=error)
    listener.session.start(REQUEST)
    listener.wait_end()
    assert listener.errors == [error]
    walk()
    listener.session.start(REQUEST)
    listener.wait_end()
    assert listener.told == ["failed", "finished"]


# Holding


def test_paused_run_stays_where_it_is(listener, walk):
    walk(steps=1000)
    listener.session.start(REQUEST)
    listener.wait(lambda: bool(listener.iterations))
    listener.session.pause()
    listener.qtbot.wait(50)
    assert listener.session.state == "paused"
    assert listener.rests_at(listener.iterations[-1])


def test_what_is_held_is_what_is_seen(listener, walk):
    def hold(i):  # when it is settled already whether this state will be shown
        if i == 5:
            listener.session._gate.hold()

    walked = walk(steps=1000, between=hold)
    listener.session.start(REQUEST)
    listener.wait(lambda: walked.last >= 5)
    listener.qtbot.wait(100)
    assert listener.rests_at(walked.last)


def test_run_that_goes_on_after_a_pause_gives_the_uninterrupted_result(listener):
    listener.session.show_all(True)
    listener.session.start(REQUEST)
    listener.wait(lambda: 30 in listener.iterations)
    listener.session.pause()
    listener.qtbot.wait(150)
    listener.session.show_all(False)
    listener.session.resume()
    listener.wait_end()
    expected = operations.run(REQUEST.operation, REQUEST.inputs, REQUEST.parameters)
    np.testing.assert_array_equal(points(listener.results[0]), points(expected))
    assert listener.states == ["running", "paused", "running", "idle"]


@pytest.mark.parametrize(("first", "shown"), [(0, [0, 1]), (1, [1])])
def test_run_started_held_makes_one_step_and_waits(listener, walk, first, shown):
    walk(first=first)  # some methods show what they begin with, others the first step
    listener.session.start(REQUEST, hold=True)
    assert listener.session.state == "paused"
    assert listener.rests_at(1)
    assert listener.iterations == shown


def test_step_shows_the_next_state_and_no_other(listener, walk):
    walk()
    listener.session.start(REQUEST, hold=True)
    assert listener.rests_at(1)
    listener.session.step()
    assert listener.rests_at(2)
    assert listener.iterations == [0, 1, 2]


def test_step_after_the_last_state_ends_the_run(listener, walk):
    walk(steps=3)
    listener.session.start(REQUEST, hold=True)
    assert listener.rests_at(1)
    listener.session.step()
    assert listener.rests_at(2)
    listener.session.step()
    listener.wait_end()
    assert listener.told == ["finished"]


@pytest.mark.parametrize("action", ["resume", "step"])
def test_run_that_is_not_held_cannot_be(listener, walk, action):
    walk()
    listener.session.start(REQUEST)
    getattr(listener.session, action)()
    listener.wait_end()
    assert listener.states == ["running", "idle"]


def test_nothing_that_runs_cannot_be_held(listener):
    listener.session.pause()
    assert listener.states == []


# Slowly


def test_every_state_is_shown_slowly_also_in_later_runs(listener, walk):
    walk(seconds=0)
    listener.session.show_all(True)
    for _ in range(2):
        listener.iterations.clear()
        listener.session.start(REQUEST)
        listener.wait_end()
        assert listener.iterations == list(range(STEPS))


def test_states_are_shown_no_faster_than_they_are_drawn(listener, walk):
    walk(steps=200, seconds=0.001)
    listener.session.moved.connect(lambda moving: time.sleep(0.05))
    begin = time.monotonic()
    listener.session.start(REQUEST)
    listener.wait_end()
    seconds = time.monotonic() - begin
    assert 1 <= len(listener.iterations) <= seconds / 0.1 + 2


# Stopping


@pytest.mark.parametrize("held", [False, True])
def test_stopped_run_tells_so_once_and_gives_no_result(listener, walk, held):
    walk(steps=10000)
    listener.session.start(REQUEST, hold=held)
    listener.wait(lambda: bool(listener.iterations))
    listener.session.stop()
    assert listener.session.state == "stopping"
    listener.wait_end()
    assert listener.session.state == "idle"
    assert listener.told == ["stopped"]


def test_what_shall_follow_a_stop_follows_when_the_run_has_ended(listener, walk):
    walked = walk(steps=10000)
    at_work = []
    listener.session.start(REQUEST)
    listener.wait(lambda: bool(listener.iterations))
    listener.session.stop(lambda: at_work.append((walked.now, listener.told[-1])))
    listener.wait(lambda: bool(at_work))
    assert at_work == [(0, "stopped")]


def test_what_shall_follow_a_stop_follows_at_once_where_nothing_runs(listener):
    done = []
    listener.session.stop(lambda: done.append(1))
    assert done == [1]
    assert listener.told == []


def test_new_run_waits_for_the_end_of_the_old_one(listener, walk):
    walked = walk(steps=30)
    other = Request("region_surface", IMAGE, START, {})
    listener.session.start(REQUEST)
    listener.session.start(other)
    listener.wait_end()
    assert listener.told == ["finished"]
    assert [call[0] for call in walked.calls] == ["elastic_contour", "region_surface"]
    assert walked.together == 1


def test_what_shall_follow_a_stop_is_dropped_by_a_new_run(listener, walk):
    walk(steps=30)
    done = []
    listener.session.start(REQUEST)
    listener.session.stop(lambda: done.append(1))
    listener.session.start(REQUEST)
    listener.wait_end()
    assert (listener.told, done) == (["finished"], [])


def test_new_run_that_waits_is_dropped_by_a_stop(listener, walk):
    walked = walk(steps=1000)
    listener.session.start(REQUEST)
    listener.wait(lambda: bool(walked.calls))
    listener.session.start(REQUEST)
    listener.session.stop()
    listener.wait_end()
    listener.qtbot.wait(50)
    assert len(walked.calls) == 1
    assert not listener.session.is_busy


@pytest.mark.timing
def test_closed_session_returns_at_once_and_tells_nothing(listener, walk):
    walked = walk(steps=10000)
    listener.session.start(REQUEST, hold=True)
    listener.wait(lambda: bool(listener.iterations))
    begin = time.monotonic()
    listener.session.close()
    assert time.monotonic() - begin < bound(0.1)
    listener.wait(lambda: walked.now == 0)
    listener.qtbot.wait(50)
    assert listener.told == []
