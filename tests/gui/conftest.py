"""Fixtures for tests of the window; most need no Qt at all."""

import gc
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from napari.components import ViewerModel
from qtpy.QtCore import QSettings

from napari_seedbed.gui.forms.machine_speed import machine_speed
from napari_seedbed.pipeline.journal.folders import ROOT_VARIABLE

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot
    from qtpy.QtWidgets import QWidget

# The screen is Xvfb's, also where windows are Wayland's otherwise.
if shutil.which("Xvfb"):
    os.environ["QT_QPA_PLATFORM"] = "xcb"


@pytest.fixture(scope="module", autouse=True)
def only_new_objects_are_collected() -> Iterator[None]:
    """Let Python look for garbage among the objects of this module's tests alone.

    napari collects whenever a layer goes, in each of four views, and a process that has run
    hundreds of tests has millions of objects to look at.
    """
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture(autouse=True)
def unknown_machine(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Let no test know what runs of others took, nor write into the settings of who runs it."""
    QSettings.setPath(
        QSettings.Format.IniFormat,
        QSettings.Scope.UserScope,
        str(tmp_path_factory.mktemp("settings")),
    )
    machine_speed.forget()


@pytest.fixture(autouse=True)
def journals(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that autosave writes to, a new one in each test and never the user's."""
    folder = tmp_path_factory.mktemp("journals")
    monkeypatch.setenv(ROOT_VARIABLE, str(folder))
    return folder


@pytest.fixture
def viewer_model() -> ViewerModel:
    """A viewer without a window: layers, events and dims work, Qt is not loaded."""
    return ViewerModel()


def patient(wait: Callable[..., Any]) -> Callable[..., Any]:
    """Let a wait of pytest-qt, 5 s unless told, last as long as a loaded machine may need."""
    return lambda *what, timeout=0, **how: wait(*what, timeout=max(timeout, 60_000), **how)


@pytest.fixture
def qtbot(qtbot: "QtBot", monkeypatch: pytest.MonkeyPatch) -> Iterator["QtBot"]:
    """The one of pytest-qt, which waits long and keeps widgets until it has closed them.

    Otherwise Python would, at the end of a test, take apart in any order what is still on screen,
    and a plot that is painted meanwhile ends the process.
    """
    kept: list[QWidget] = []
    add = qtbot.addWidget

    def add_and_keep(
        widget: "QWidget", *, before_close_func: "Callable[[QWidget], None] | None" = None
    ) -> None:
        kept.append(widget)
        add(widget, before_close_func=before_close_func)

    monkeypatch.setattr(qtbot, "addWidget", add_and_keep)
    for name in ("waitUntil", "waitSignal"):
        monkeypatch.setattr(qtbot, name, patient(getattr(qtbot, name)))
    yield qtbot
    kept.clear()
