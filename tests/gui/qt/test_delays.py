"""Delays act once, a while after the last wish or soon after the first, or not at all."""

import time

from qtpy.QtCore import QObject

from napari_seedbed.gui.qt.delays import Delay


def test_many_wishes_act_once_a_while_after_the_last(qtbot):
    acted, parent = [], QObject()
    delay = Delay(parent, 0.1, lambda: acted.append(time.monotonic()))
    for _ in range(4):
        delay.start()
        assert delay.is_waiting
        qtbot.wait(30)
        last = time.monotonic()
    assert acted == []
    qtbot.waitUntil(lambda: len(acted) == 1)
    assert acted[0] > last
    assert not delay.is_waiting
    qtbot.wait(150)
    assert len(acted) == 1


def test_wishes_that_keep_coming_do_not_put_off_what_is_done_soon(qtbot):
    acted, parent = [], QObject()
    delay = Delay(parent, 0.1, lambda: acted.append(None))
    began = time.monotonic()
    while not acted and time.monotonic() < began + 5:
        delay.start_once()
        qtbot.wait(20)
    assert len(acted) == 1


def test_what_was_stopped_is_not_done_and_can_be_wished_again(qtbot):
    acted, parent = [], QObject()
    delay = Delay(parent, 0.05, lambda: acted.append(None))
    delay.start()
    delay.stop()
    assert not delay.is_waiting
    qtbot.wait(120)
    assert acted == []
    delay.start()
    qtbot.waitUntil(lambda: len(acted) == 1)


def test_action_may_wish_itself_again(qtbot):
    acted, parent = [], QObject()

    def act():
        acted.append(None)
        if len(acted) < 3:
            delay.start()

    delay = Delay(parent, 0.01, act)
    delay.start()
    qtbot.waitUntil(lambda: len(acted) == 3)
    qtbot.wait(50)
    assert len(acted) == 3
