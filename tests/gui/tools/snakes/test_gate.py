"""A computation is held, stepped on, and asked for no more pictures than can be drawn."""

import threading
import time
from types import SimpleNamespace

import pytest

from bounds import bound
from napari_seedbed.core.progress import running
from napari_seedbed.gui.tools.snakes import gate as gate_module
from napari_seedbed.gui.tools.snakes.gate import UPDATE_SECONDS, Gate

SOON = 5.0  # seconds in which a thread surely gets somewhere
A_WHILE = 0.15  # seconds in which a thread that is not held would surely have moved


class Walker:
    """A computation in a thread of its own, which passes a gate at each step."""

    def __init__(self, gate):
        self.gate = gate
        self.stop = threading.Event()
        self.watched = []
        self.passed = 0
        self._thread = threading.Thread(target=self._walk, daemon=True)
        self._thread.start()

    def _walk(self):
        while not self.stop.is_set():
            self.watched.append(self.gate.watch(len(self.watched)))
            with running(should_stop=self.stop.is_set):
                self.gate.wait()
            self.passed += 1
            time.sleep(0.001)

    def reaches(self, passed):
        """Whether it soon has passed the gate so often."""
        deadline = time.monotonic() + SOON
        while self.passed < passed and time.monotonic() < deadline:
            time.sleep(0.002)
        return self.passed >= passed

    def is_at(self, step):
        """Whether it has come to the gate with its step of this number, and stays there."""
        deadline = time.monotonic() + SOON
        while len(self.watched) <= step and time.monotonic() < deadline:
            time.sleep(0.002)
        time.sleep(A_WHILE)
        return len(self.watched) == step + 1

    def end(self):
        """Stop it; seconds until it has noticed."""
        begin = time.monotonic()
        self.stop.set()
        self._thread.join(SOON)
        assert not self._thread.is_alive()
        return time.monotonic() - begin


@pytest.fixture
def walk():
    walkers = []

    def start(gate):
        walkers.append(Walker(gate))
        return walkers[-1]

    yield start
    for walker in walkers:
        walker.end()


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands still until it is set."""
    made = SimpleNamespace(now=100.0)
    monkeypatch.setattr(gate_module, "time", SimpleNamespace(monotonic=lambda: made.now))
    return made


# Which steps are worth a picture


def test_no_picture_is_asked_for_before_the_last_one_is_drawn(clock):
    gate = Gate()
    assert gate.watch(0)
    clock.now += 10
    assert not gate.watch(1)
    gate.shown(0.0)
    clock.now += 1
    assert gate.watch(2)


def test_pictures_are_asked_for_as_often_as_the_eye_sees(clock):
    gate = Gate()
    asked = 0
    for _ in range(3000):  # three seconds, a step each millisecond, drawn at once
        if gate.watch(0):
            asked += 1
            gate.shown(0.0)
        clock.now += 0.001
    assert asked == pytest.approx(3 / UPDATE_SECONDS, abs=2)


def test_window_gets_as_much_time_as_a_slow_picture_took(clock):
    gate = Gate()
    gate.watch(0)
    gate.shown(0.5)
    clock.now += 0.49
    assert not gate.watch(1)
    clock.now += 0.02
    assert gate.watch(2)


def test_time_for_a_quick_picture_counts_as_part_of_the_pause(clock):
    gate = Gate()
    gate.watch(0)
    clock.now += 0.02
    gate.shown(0.02)
    clock.now += UPDATE_SECONDS - 0.02 + 0.001
    assert gate.watch(1)


@pytest.mark.parametrize("way", ["held", "slowly"])
def test_every_step_is_shown_while(clock, way):
    gate = Gate(slowly=way == "slowly")
    if way == "held":
        gate.hold()
    assert [gate.watch(i) for i in range(4)] == [True] * 4


# Holding and going on


def test_open_gate_holds_nobody(walk):
    assert walk(Gate()).reaches(20)


def test_held_computation_stays_at_its_step(walk):
    gate = Gate()
    walker = walk(gate)
    assert walker.reaches(3)
    gate.hold()
    time.sleep(0.05)
    assert walker.is_at(len(walker.watched) - 1)


def test_released_computation_goes_on(walk):
    gate = Gate()
    gate.hold()
    walker = walk(gate)
    assert walker.is_at(0)
    gate.release()
    assert walker.reaches(10)


def test_step_is_one_step(walk):
    gate = Gate()
    gate.hold()
    walker = walk(gate)
    assert walker.is_at(0)
    gate.step()
    assert walker.is_at(1)
    gate.step()
    assert walker.is_at(2)


def test_steps_asked_for_quickly_are_all_made(walk):
    gate = Gate()
    gate.hold()
    walker = walk(gate)
    assert walker.is_at(0)
    for _ in range(3):
        gate.step()
    assert walker.is_at(3)


def test_steps_left_over_are_forgotten_when_held_anew(walk):
    gate = Gate()
    gate.step()
    gate.step()
    gate.hold()
    assert walk(gate).is_at(0)


def test_step_of_a_running_computation_holds_it(walk):
    gate = Gate()
    walker = walk(gate)
    assert walker.reaches(3)
    gate.step()
    time.sleep(0.05)
    assert walker.is_at(len(walker.watched) - 1)


def test_beginning_is_not_held_and_takes_no_step(walk):
    gate = Gate()
    gate.hold()
    gate.step()
    gate.wait(is_begin=True)
    walker = walk(gate)
    assert walker.is_at(1)


# Slowly


def test_slow_computation_waits_for_its_picture(walk):
    gate = Gate(slowly=True)
    walker = walk(gate)
    assert walker.is_at(0)
    gate.shown(0.0)
    assert walker.is_at(1)


def test_beginning_waits_for_its_picture_as_well():
    gate = Gate(slowly=True)
    gate.watch(0)
    begin = time.monotonic()
    threading.Timer(A_WHILE, gate.shown, [0.0]).start()
    gate.wait(is_begin=True)
    assert time.monotonic() - begin >= A_WHILE


def test_slow_computation_makes_no_more_steps_than_the_eye_sees(walk):
    gate = Gate(slowly=True)
    walker = walk(gate)
    begin = time.monotonic()
    for step in range(6):
        while len(walker.watched) <= step:
            time.sleep(0.001)
        gate.shown(0.0)
    assert time.monotonic() - begin > 4 * UPDATE_SECONDS


def test_computation_that_waits_for_a_picture_goes_on_when_it_need_not(walk):
    gate = Gate(slowly=True)
    walker = walk(gate)
    assert walker.is_at(0)
    gate.show_all(False)
    assert walker.reaches(10)


# Stopping


@pytest.mark.timing
@pytest.mark.parametrize("way", ["held", "slowly"])
def test_stop_is_noticed_at_the_gate(walk, way):
    gate = Gate(slowly=way == "slowly")
    if way == "held":
        gate.hold()
    walker = walk(gate)
    assert walker.is_at(0)
    assert walker.end() < bound(1)
