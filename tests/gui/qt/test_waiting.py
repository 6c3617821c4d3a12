"""Work that the next step waits for: the window lives, shows how far it is, and can cancel."""

import time

import pytest
from qtpy.QtCore import Qt, QTimer
from qtpy.QtWidgets import QApplication, QMainWindow, QProgressDialog, QPushButton

from bounds import bound
from napari_seedbed.core.progress import check_stop, tell
from napari_seedbed.errors import Cancelled, InputError
from napari_seedbed.gui.qt.waiting import done_aside

pytestmark = pytest.mark.display


@pytest.fixture
def window(qtbot):
    made = QMainWindow()
    qtbot.addWidget(made)
    made.show()
    return made


def shown_dialog():
    found = [one for one in QApplication.topLevelWidgets() if isinstance(one, QProgressDialog)]
    return next((one for one in found if one.isVisible()), None)


def work(seconds=0.8):
    """Tell how far it is until the time is over."""
    begun = time.monotonic()
    while time.monotonic() < begun + seconds:
        check_stop()
        tell((time.monotonic() - begun) / seconds, "working")
        time.sleep(0.01)
    return "done"


def test_dialog_shows_how_far_it_is_and_goes(window):
    values = []

    def look():
        dialog = shown_dialog()
        if dialog is not None:
            values.append(dialog.value())

    timer = QTimer(window)
    timer.timeout.connect(look)
    timer.start(20)
    assert done_aside("Saving", work, window) == "done"
    assert len(values) > 5
    assert values == sorted(values)
    assert values[-1] > values[0]
    assert shown_dialog() is None


def test_short_work_shows_nothing(window):
    seen = []
    timer = QTimer(window)
    timer.timeout.connect(lambda: seen.append(shown_dialog()))
    timer.start(5)
    assert done_aside("Saving", lambda: work(0.1), window) == "done"
    assert set(seen) == {None}


@pytest.mark.timing
def test_cancel_ends_at_once_what_never_looks_whether_it_should_stop(window, qtbot):
    pressed = []

    def press():
        dialog = shown_dialog()
        if dialog is not None and not pressed:
            pressed.append(time.monotonic())
            qtbot.mouseClick(dialog.findChild(QPushButton), Qt.MouseButton.LeftButton)

    timer = QTimer(window)
    timer.timeout.connect(press)
    timer.start(20)
    with pytest.raises(Cancelled):
        done_aside("Saving", lambda: time.sleep(1.5), window)
    assert time.monotonic() - pressed[0] < bound(0.2)
    assert shown_dialog() is None


def test_window_that_closes_meanwhile_cancels(qtbot):
    window = QMainWindow()
    window.show()
    QTimer.singleShot(500, window.deleteLater)
    with pytest.raises(Cancelled):
        done_aside("Saving", lambda: work(3), window)


def test_what_it_raises_is_raised(window):
    def fail():
        raise InputError("layers: there are none.")

    with pytest.raises(InputError, match="there are none"):
        done_aside("Saving", fail, window)
