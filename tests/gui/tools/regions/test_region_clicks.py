"""Regions joined and split with clicks: some with a real mouse, others with napari's events."""

from types import SimpleNamespace

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.utils.interactions import (
    mouse_move_callbacks,
    mouse_press_callbacks,
    mouse_release_callbacks,
)
from painting import drag
from regions_window import RegionsBench, blocks, middle

from napari_seedbed.gui.tools.regions.region_clicks import voxel_at


class ClickedBench(RegionsBench):
    """Without a window: the mouse's events are given to napari's own dispatcher."""

    def __init__(self, qtbot, **layer) -> None:
        super().__init__(ViewerModel(), qtbot, **layer)
        self.form.count.setValue(6)

    def press(self, label, *, to=None):
        """Click the middle of a block, or drag from there to that of another one."""
        event = SimpleNamespace(
            type="mouse_press", button=1, handled=False, modifiers=(), is_dragging=True
        )
        self._at(event, label)
        mouse_press_callbacks(self.viewer, event)
        if to is not None:
            event.type = "mouse_move"
            self._at(event, to)
            mouse_move_callbacks(self.viewer, event)
        event.type = "mouse_release"
        mouse_release_callbacks(self.viewer, event)

    def _at(self, event, label):
        event.position = tuple(self.image.data_to_world(middle(label)))
        event.pos = 10 * np.array(event.position)[::-1]


class RegionsWindow(RegionsBench):
    def __init__(self, make_napari_viewer, qtbot, **layer) -> None:
        viewer = make_napari_viewer(show=True)
        viewer.window.resize(1000, 700)
        super().__init__(viewer, qtbot, dock=True, **layer)
        self.form.count.setValue(6)
        self.wait_drawn()

    def press(self, label):
        """Click the middle of a block in the picture."""
        place = self.image.data_to_world(middle(label))
        drag(self.viewer, place, place, steps=1)
        self.wait_drawn()


@pytest.fixture
def bench(qtbot):
    return ClickedBench(qtbot, scale=(0.5, 0.5))


@pytest.fixture
def window(make_napari_viewer, qtbot):
    return RegionsWindow(make_napari_viewer, qtbot, scale=(0.5, 0.5))


def test_two_clicks_merge_two_regions(window):
    window.click(window.form.tools["merge"])
    window.press(2)
    assert "Region 2 is chosen" in window.status
    assert blocks(window.chosen) == [[0, 1, 0], [0, 0, 0]]
    window.press(5)
    assert blocks(window.shown) == [[1, 2, 3], [4, 2, 6]]
    assert window.chosen is None
    window.press(1)
    window.press(6)
    assert blocks(window.shown) == [[1, 2, 3], [4, 2, 1]]
    assert "2 by hand: merge 2 5; merge 1 6" in window.form.changes.text()


def test_clicks_do_not_wait_until_layers_are_removed(bench):
    bench.click(bench.form.tools["merge"])
    removed = []
    bench.viewer.layers.events.removed.connect(lambda event: removed.append(event.value.name))
    for label in (2, 5, 1, 6):
        bench.press(label)
    assert removed == []
    bench.press(1)
    assert blocks(bench.chosen) == [[1, 0, 0], [0, 0, 1]]
    bench.panel.hide()
    assert bench.layer("chosen region") is None


def test_a_brush_does_not_paint_where_regions_are_clicked(window):
    window.viewer.layers.selection.active = window.regions
    window.regions.mode = "paint"
    before = np.array(window.regions.data)
    window.click(window.form.tools["merge"])
    window.press(2)
    assert np.array_equal(window.regions.data, before)


def test_one_click_splits_a_region_back(bench):
    bench.form.count.setValue(3)
    assert blocks(bench.shown) == [[1, 1, 3], [1, 5, 3]]
    bench.click(bench.form.tools["split"])
    bench.press(4)
    assert blocks(bench.shown) == [[1, 2, 3], [1, 5, 3]]
    bench.press(3)
    assert blocks(bench.shown) == [[1, 2, 3], [1, 5, 6]]


def test_one_click_takes_a_superpixel_out(bench):
    bench.form.count.setValue(3)
    bench.click(bench.form.tools["take out"])
    bench.press(1)
    assert blocks(bench.shown) == [[1, 2, 3], [2, 5, 3]]


def test_changes_by_hand_stay_when_the_slider_moves(bench):
    bench.click(bench.form.tools["merge"])
    bench.press(2)
    bench.press(5)
    bench.form.count.setValue(5)
    assert blocks(bench.shown) == [[1, 2, 3], [1, 2, 6]]


def test_undo_and_clear_take_changes_back(bench):
    bench.click(bench.form.tools["merge"])
    for label in (2, 5, 1, 6):
        bench.press(label)
    bench.click(bench.form.undo)
    assert blocks(bench.shown) == [[1, 2, 3], [4, 2, 6]]
    bench.click(bench.form.clear)
    assert blocks(bench.shown) == [[1, 2, 3], [4, 5, 6]]
    assert not bench.form.undo.isEnabled()


def test_clicking_a_region_twice_changes_nothing(bench):
    bench.click(bench.form.tools["merge"])
    bench.press(2)
    bench.press(2)
    assert "Nothing to change" in bench.status
    assert bench.form.changes.text() == ""


def test_dragging_changes_nothing(bench):
    bench.click(bench.form.tools["merge"])
    bench.press(1, to=6)
    assert bench.chosen is None


def test_without_a_tool_clicks_do_nothing(bench):
    bench.click(bench.form.tools["merge"])
    bench.click(bench.form.tools["merge"])
    bench.press(2)
    assert bench.chosen is None


@pytest.mark.parametrize(
    ("place", "expected"), [((0.0, 0.0), (0, 0)), ((9.6, 3.2), (19, 6)), ((25.0, 3.0), None)]
)
def test_voxels_of_a_scaled_layer(bench, place, expected):
    assert voxel_at(bench.image, place, None) == expected


def test_a_hidden_panel_does_not_listen(bench):
    before = list(bench.viewer.mouse_drag_callbacks)
    bench.click(bench.form.tools["merge"])
    assert len(bench.viewer.mouse_drag_callbacks) == len(before) + 1
    bench.panel.hide()
    assert list(bench.viewer.mouse_drag_callbacks) == before
    assert bench.form.tool() is None
