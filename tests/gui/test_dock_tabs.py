"""Panels of one side of the window are tabs, except where one is of use only beside another."""

import pytest
from qtpy.QtWidgets import QDockWidget

from napari_seedbed.gui.operation_form import form_class

PLUGIN = "napari-seedbed"


@pytest.fixture
def window(make_napari_viewer):
    return make_napari_viewer(show=True).window


def open_panel(window, qtbot, title):
    dock, _ = window.add_plugin_dock_widget(PLUGIN, title)
    qtbot.wait(50)
    return dock


def behind(window, dock):
    return window._qt_window.tabifiedDockWidgets(dock)


def test_second_panel_comes_as_a_tab_in_front_of_the_first(window, qtbot):
    first = open_panel(window, qtbot, "All operations")
    second = open_panel(window, qtbot, "Threshold")
    assert behind(window, second) == [first]
    qtbot.waitUntil(lambda: not second.visibleRegion().isEmpty())
    assert first.visibleRegion().isEmpty()


def test_panel_behind_a_tab_is_hidden_and_comes_back_with_its_tab(window, qtbot):
    first = open_panel(window, qtbot, "All operations")
    second = open_panel(window, qtbot, "Threshold")
    qtbot.waitUntil(lambda: second.widget().isVisible() and not first.widget().isVisible())
    first.raise_()
    qtbot.waitUntil(lambda: first.widget().isVisible() and not second.widget().isVisible())
    first.close()
    qtbot.waitUntil(lambda: second.widget().isVisible())
    first.show()
    first.raise_()
    qtbot.waitUntil(lambda: first.widget().isVisible())


def test_form_of_an_operation_comes_as_a_tab(window, qtbot):
    first = open_panel(window, qtbot, "Threshold")
    form = form_class("gaussian")(window._qt_viewer.viewer)
    second = window.add_dock_widget(form, name="Gaussian filter", area="right")
    qtbot.wait(50)
    assert behind(window, second) == [first]


def test_panel_that_somebody_has_put_elsewhere_stays_there(window, qtbot):
    open_panel(window, qtbot, "All operations")
    second = open_panel(window, qtbot, "Threshold")
    second.setFloating(True)
    second.hide()
    second.show()
    qtbot.wait(50)
    assert second.isFloating()
    assert behind(window, second) == []


def test_scores_stay_beside_the_panel_whose_preview_they_score(window, qtbot):
    first = open_panel(window, qtbot, "Threshold")
    scores = open_panel(window, qtbot, "Score against a truth")
    assert behind(window, scores) == []
    qtbot.waitUntil(lambda: not first.visibleRegion().isEmpty())


def test_panels_of_others_are_left_alone(window, qtbot):
    open_panel(window, qtbot, "Threshold")
    for dock in window._qt_window.findChildren(QDockWidget):
        if "layer" in dock.windowTitle():
            assert behind(window, dock) == []
