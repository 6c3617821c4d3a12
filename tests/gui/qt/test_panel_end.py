"""Panels end once and in the window's thread; no other thread takes anything of theirs apart."""

import gc
import re
import threading
import weakref
from pathlib import Path

import numpy as np
import pytest
from napari.utils._proxies import PublicOnlyProxy
from npe2 import PluginManager
from qtpy.QtCore import QCoreApplication, QObject
from qtpy.QtGui import QCloseEvent
from qtpy.QtWidgets import QGraphicsObject, QMainWindow, QWidget

import napari_seedbed.gui
from napari_seedbed.gui.forms.operation_form import form_class
from napari_seedbed.gui.forms.preparation import Preparation, Trials
from napari_seedbed.gui.qt.jobs import Job
from napari_seedbed.gui.qt.panel_end import PanelEnd
from napari_seedbed.gui.qt.window_end import WindowEnd
from napari_seedbed.gui.qt.window_garbage import window_garbage

PLUGIN = "napari-seedbed"


@pytest.fixture
def viewer(make_napari_viewer):
    viewer = make_napari_viewer(show=True)
    viewer.add_image(np.random.default_rng(0).random((40, 50)), name="cells")
    viewer.add_labels(np.kron([[1, 2], [3, 4]], np.ones((20, 25), int)), name="parts")
    return viewer


def ends_of(panel):
    (end,) = [one for one in panel.findChildren(PanelEnd) if one.parent() is panel]
    told = []
    end.ended.connect(lambda: told.append(threading.current_thread()))
    return told


def helpers_of(thing, found=None):
    """All objects that this plugin has made and that are reached from one."""
    found = {} if found is None else found
    for value in list(vars(thing).values()):
        for one in value.values() if isinstance(value, dict) else [value]:
            ours = type(one).__module__.startswith("napari_seedbed.gui")
            if ours and hasattr(one, "__dict__") and id(one) not in found:
                found[id(one)] = one
                helpers_of(one, found)
    return list(found.values())


def test_every_helper_of_every_panel_has_a_parent_in_qt_and_the_viewer_itself(viewer, qtbot):
    # the first two are there as long as the application, plots belong to their scenes
    kept = (Preparation, Trials, QGraphicsObject)
    manifest = PluginManager.instance().get_manifest(PLUGIN)
    titles = [widget.display_name for widget in manifest.contributions.widgets]
    looked_at = 0
    for title in titles:
        _, panel = viewer.window.add_plugin_dock_widget(PLUGIN, title)
        if title == "All operations":
            panel.choose("gaussian")
        helpers = helpers_of(panel)
        # napari hands over a stand-in, whose layers are never the same objects as the viewer's
        assert panel.viewer is viewer
        stand_ins = [
            (type(one).__name__, name)
            for one in helpers
            for name, value in vars(one).items()
            if isinstance(value, PublicOnlyProxy)
        ]
        assert stand_ins == [], title
        helpers = [one for one in helpers if isinstance(one, QObject)]
        looked_at += len(helpers)
        lost = [
            type(one).__name__
            for one in helpers
            if one.parent() is None and not isinstance(one, kept)
        ]
        assert lost == [], title
        viewer.window.remove_dock_widget(panel)
    assert looked_at > 100


@pytest.mark.parametrize("how", ["dock", "close", "viewer", "deleted"])
def test_panel_and_the_forms_within_end_once(viewer, qtbot, how):
    if how in ("close", "deleted"):
        panel = form_class("gaussian")(viewer)
        panel.show()
        told = ends_of(panel)
    else:
        _, panel = viewer.window.add_plugin_dock_widget(PLUGIN, "All operations")
        form = panel.choose("gaussian")
        assert ends_of(form) == []
        within, told = ends_of(form), ends_of(panel)
        qtbot.waitUntil(panel.isVisible)
    end = {
        "dock": lambda: viewer.window.remove_dock_widget(panel),
        "close": panel.close,
        "viewer": viewer.close,
        "deleted": panel.deleteLater,
    }[how]
    end()
    qtbot.waitUntil(lambda: len(told) == 1)
    if how == "close":
        panel.deleteLater()
    qtbot.wait(50)
    assert told == [threading.main_thread()]
    if how in ("dock", "viewer"):
        assert within == [threading.main_thread()]


class AskingWindow(QMainWindow):
    """Asks whether it may close, as napari's does where a person closes it."""

    def __init__(self, *answers) -> None:
        super().__init__()
        self.answers = list(answers)

    def closeEvent(self, event):
        event.setAccepted(self.answers.pop(0))


def test_panel_goes_on_when_a_person_does_not_close_the_window_after_all(qtbot, monkeypatch):
    # as from the window manager
    monkeypatch.setattr(QCloseEvent, "spontaneous", lambda event: True)
    window, panel = AskingWindow(False, True), QWidget()
    qtbot.addWidget(window)
    PanelEnd(panel)
    told = ends_of(panel)
    window.setCentralWidget(panel)
    window.show()
    window.close()
    assert window.isVisible()
    assert told == []
    window.close()
    assert told == [threading.main_thread()]


def test_garbage_is_collected_in_the_window_s_thread_while_there_is_a_panel(viewer, qtbot):
    class Ring:
        def __init__(self) -> None:
            self.itself = self

    collected = set()

    def litter():
        for _ in range(4):
            ring = Ring()
            weakref.finalize(ring, lambda: collected.add(threading.current_thread()))
            del ring
            # so many objects make Python collect, if it may
            kept = [[] for _ in range(5 * gc.get_threshold()[0])]
            del kept

    _, panel = viewer.window.add_plugin_dock_widget(PLUGIN, "Threshold")
    assert not gc.isenabled()
    done = []
    Job(litter, on_done=done.append, on_error=done.append).start()
    qtbot.waitUntil(lambda: done == [None])
    assert collected <= {threading.main_thread()}
    window_garbage().collect()
    qtbot.waitUntil(lambda: bool(collected), timeout=5000)
    assert collected == {threading.main_thread()}
    viewer.window.remove_dock_widget(panel)
    panel.deleteLater()
    QCoreApplication.sendPostedEvents()
    del panel

    def is_left_to_python():
        gc.collect()  # panels of other tests are garbage, too
        return gc.isenabled()

    qtbot.waitUntil(is_left_to_python)


def test_no_other_module_meddles_with_the_collection_of_garbage():
    folder = Path(napari_seedbed.gui.__file__).parent
    touching = [
        path.name for path in folder.rglob("*.py") if re.search(r"\bgc\b", path.read_text())
    ]
    assert touching == ["window_garbage.py"]


def test_nothing_waits_for_qt_to_destroy_a_panel():
    folder = Path(napari_seedbed.gui.__file__).parent
    waiting = [path.name for path in folder.rglob("*.py") if ".destroyed" in path.read_text()]
    # a dialog that is destroyed with its window ends what waits for its answer
    assert sorted(waiting) == ["waiting.py", "window_garbage.py"]


def test_what_has_ended_sees_no_more_events(qtbot, monkeypatch):
    # Python may take it apart before Qt does, and an event would then find it half gone.
    seen = []

    def seeing(kind):
        def see(self, watched, event):
            seen.append(watched)
            return kind_sees(self, watched, event)

        kind_sees = kind.eventFilter
        monkeypatch.setattr(kind, "eventFilter", see)

    seeing(PanelEnd)
    seeing(WindowEnd)
    window, panel = QMainWindow(), QWidget()
    qtbot.addWidget(window)
    end = PanelEnd(panel)
    window.setCentralWidget(panel)
    window.show()
    assert {window, panel} <= set(seen)
    end.end()
    seen.clear()
    window.resize(300, 200)
    window.hide()
    assert seen == []
