"""Panels of one side of the window are tabs, except where one is of use only beside another."""

import pytest
from qtpy.QtWidgets import QDockWidget

from napari_seedbed.gui.forms.operation_form import form_class

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
    scores = open_panel(window, qtbot, "Segmentation scores")
    assert behind(window, scores) == []
    qtbot.waitUntil(lambda: not first.visibleRegion().isEmpty())


def test_panels_of_others_are_left_alone(window, qtbot):
    open_panel(window, qtbot, "Threshold")
    for dock in window._qt_window.findChildren(QDockWidget):
        if "layer" in dock.windowTitle():
            assert behind(window, dock) == []


def test_menu_entry_brings_a_panel_behind_a_tab_to_the_front(window, qtbot):
    entry = Entries(window)
    first, second = entry.open("All operations", qtbot), entry.open("Threshold", qtbot)
    qtbot.waitUntil(lambda: in_front(second) and not in_front(first))
    entry.press("All operations")
    qtbot.waitUntil(lambda: in_front(first) and not in_front(second))
    entry.press("Threshold")
    qtbot.waitUntil(lambda: in_front(second) and not in_front(first))


def test_menu_entry_never_closes_an_open_panel_and_opens_a_closed_one_in_front(window, qtbot):
    entry = Entries(window)
    first, second = entry.open("All operations", qtbot), entry.open("Threshold", qtbot)
    for _ in range(2):
        entry.press("Threshold")
        qtbot.wait(50)
        qtbot.waitUntil(lambda: in_front(second))
    for closed in (second, first):
        other = first if closed is second else second
        closed.close()
        qtbot.waitUntil(lambda: in_front(other))  # noqa: B023
        qtbot.wait(50)
        assert closed.isHidden()
        entry.press("Threshold" if closed is second else "All operations")
        qtbot.waitUntil(lambda: in_front(closed) and not in_front(other))  # noqa: B023


def test_panel_that_is_taken_out_of_the_window_stays_away(window, qtbot):
    dock = Entries(window).open("Threshold", qtbot)
    window.remove_dock_widget(dock)
    qtbot.wait(50)
    assert not any(
        "Threshold" in one.windowTitle() and one.isVisible()
        for one in window._qt_window.findChildren(QDockWidget)
    )


class Entries:
    """The entries of panels in napari's menu of plugins."""

    def __init__(self, window) -> None:
        self.window = window

    def press(self, title):
        (action,) = [one for one in self._actions() if one.text().startswith(title)]
        action.trigger()

    def open(self, title, qtbot):
        self.press(title)
        qtbot.wait(50)
        docks = self.window._wrapped_dock_widgets
        return next(dock for name, dock in docks.items() if name.startswith(title))

    def _actions(self):
        menus = [self.window.plugins_menu]
        for menu in menus:
            menu.aboutToShow.emit()
            menus += [action.menu() for action in menu.actions() if action.menu()]
        return [action for menu in menus for action in menu.actions() if not action.menu()]


def in_front(dock):
    return dock.isVisible() and not dock.visibleRegion().isEmpty() and dock.widget().isVisible()
