"""Fixtures for tests of the window; most need no Qt at all."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest
from napari.components import ViewerModel

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot
    from qtpy.QtWidgets import QWidget


@pytest.fixture
def viewer_model() -> ViewerModel:
    """A viewer without a window: layers, events and dims work, Qt is not loaded."""
    return ViewerModel()


@pytest.fixture
def qtbot(qtbot: "QtBot", monkeypatch: pytest.MonkeyPatch) -> Iterator["QtBot"]:
    """The one of pytest-qt, which alone does not keep widgets until it closes them.

    At the end of a test Python would take apart in any order what is still on screen, and a plot
    that is painted meanwhile ends the process.
    """
    kept: list[QWidget] = []
    add = qtbot.addWidget

    def add_and_keep(
        widget: "QWidget", *, before_close_func: "Callable[[QWidget], None] | None" = None
    ) -> None:
        kept.append(widget)
        add(widget, before_close_func=before_close_func)

    monkeypatch.setattr(qtbot, "addWidget", add_and_keep)
    yield qtbot
    kept.clear()
