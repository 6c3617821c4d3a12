"""Hundreds of random actions in a real window: each does what it should, and nothing goes wrong.

`SEEDBED_RANDOM_SEEDS="1 2 3"` plays other games than the one that is always played.
"""

import os
import threading

import numpy as np
import pytest
from napari.layers import Image, Labels
from napari.utils.notifications import NotificationSeverity, notification_manager
from npe2 import PluginManager
from painting import drag
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QAbstractButton, QAbstractSpinBox, QCheckBox, QComboBox, QSlider

from napari_seedbed.gui.layers.layer_records import is_preview
from napari_seedbed.gui.qt.run_controls import RunControls

PLUGIN = "napari-seedbed"
SEEDS = [int(seed) for seed in os.environ.get("SEEDBED_RANDOM_SEEDS", "1").split()]
ACTIONS = 300
MOST_PANELS, MOST_LAYERS = 4, 7


class Game:
    """A viewer that somebody uses at random; an action asserts its own effect."""

    def __init__(self, make_napari_viewer, qtbot, seed) -> None:
        self.make, self.qtbot = make_napari_viewer, qtbot
        self.random = np.random.default_rng(seed)
        self.played: list[str] = []
        self.begin()
        contributed = PluginManager.instance().get_manifest(PLUGIN).contributions.widgets
        self.titles = [one.display_name for one in contributed]

    def begin(self):
        self.viewer = self.make(show=True)
        self.viewer.window.resize(900, 560)
        self.docks = {}
        self.add_image()

    # What is there

    def one_of(self, things):
        things = list(things)
        return things[self.random.integers(len(things))] if things else None

    def layers(self, kind=object):
        return [one for one in self.viewer.layers if isinstance(one, kind) and not is_preview(one)]

    def visible_panels(self):
        return [dock.widget() for dock in self.docks.values() if dock.widget().isVisible()]

    # Actions

    def add_image(self):
        shape = self.one_of([(40, 50), (5, 32, 40), (32, 40, 3), (3, 4, 24, 30)])
        image = self.random.random(shape) + np.indices(shape)[-1] // 12
        rgb = shape[-1] == 3
        axes = {"axis_labels": ("t", "z", "y", "x")} if len(shape) == 4 else {}
        name = f"image {len(self.played)}"
        layer = self.viewer.add_image(image / image.max(), name=name, rgb=rgb, **axes)
        assert self.viewer.layers[name] is layer

    def add_labels(self):
        image = self.one_of(self.layers(Image))
        if image is None:
            return
        shape = image.data.shape[: image.ndim]
        parts = np.indices(shape)[-1] // 12 + 1
        layer = self.viewer.add_labels(parts, name=f"labels {len(self.played)}")
        assert layer in self.viewer.layers

    def open_panel(self):
        title = self.one_of([one for one in self.titles if one not in self.docks])
        if title is None or len(self.docks) >= MOST_PANELS:
            self.close_panel()
            return
        dock, panel = self.viewer.window.add_plugin_dock_widget(PLUGIN, title)
        self.docks[title] = dock
        self.qtbot.waitUntil(panel.isVisible)

    def close_panel(self):
        title = self.one_of(self.docks)
        if title is None:
            return
        dock = self.docks.pop(title)
        panel = dock.widget()
        self.viewer.window.remove_dock_widget(dock)
        assert all(one is not panel for one in self.viewer.window.dock_widgets.values())

    def choose_tab(self):
        dock = self.one_of(self.docks.values())
        if dock is None:
            return
        dock.show()
        dock.raise_()
        self.qtbot.waitUntil(dock.widget().isVisible)

    def rename_layer(self):
        layer = self.one_of(self.viewer.layers)
        if layer is not None:
            name = self.one_of(["truth", "{cells}", "ä ö", "a" * 60, "seeds of image (x) [1]"])
            layer.name = name
            # napari counts on where another layer has the name
            assert layer.name.startswith(name.removesuffix(" [1]"))

    def remove_layer(self):
        if len(self.viewer.layers) == 0:
            self.add_image()
            return
        layer = self.one_of(self.viewer.layers)
        self.viewer.layers.remove(layer)
        assert layer not in self.viewer.layers

    def move_layer(self):
        count = len(self.viewer.layers)
        if count > 1:
            at = int(self.random.integers(count))
            layer = self.viewer.layers[at]
            self.viewer.layers.move(at, 0)
            assert self.viewer.layers.index(layer) == 0

    def paint(self):
        """A stroke with the mouse, and at times undo."""
        layer = self.one_of(one for one in self.layers(Labels) if one.editable)
        if layer is None or self.viewer.dims.ndisplay == 3:
            self.show_2d()
            return
        self.viewer.layers.selection.active = layer
        layer.visible = True
        layer.mode = "paint"
        before = np.array(layer.data)
        layer.selected_label = int(before.max()) + 1
        self.viewer.reset_view()
        self.qtbot.wait(5)
        low, high = np.asarray(layer.extent.world)
        middle, step = (low + high) / 2, (high - low) / 8
        middle[:-2] = np.asarray(self.viewer.dims.point)[-layer.ndim :][:-2]
        if not np.all((low <= middle) & (middle <= high)):
            return  # napari itself raises where a stroke is beyond the layer
        lead = np.asarray(self.viewer.dims.point)[: self.viewer.dims.ndim - layer.ndim]
        end = middle.copy()
        end[-1] += step[-1]
        drag(self.viewer, (*lead, *middle), (*lead, *end))
        # a result that comes meanwhile is what napari selects
        if self.viewer.layers.selection.active is layer:
            assert (np.asarray(layer.data) != before).any()
            if self.random.random() < 0.4:
                layer.undo()
                assert np.array_equal(layer.data, before)

    def show_2d(self):
        self.viewer.dims.ndisplay = 2
        assert self.viewer.dims.ndisplay == 2

    def show_3d(self):
        self.viewer.dims.ndisplay = 3
        assert self.viewer.dims.ndisplay == 3

    def move_slider(self):
        dims = self.viewer.dims
        axis = int(self.random.integers(dims.ndim))
        step = int(self.random.integers(max(1, dims.nsteps[axis])))
        dims.set_current_step(axis, step)
        assert dims.current_step[axis] == step

    def run(self):
        self.press("run")

    def cancel(self):
        self.press("cancel")

    def press(self, name):
        panel = self.one_of(self.visible_panels())
        controls = [] if panel is None else panel.findChildren(RunControls)
        for one in controls:
            button = getattr(one, name)
            if one.isVisible() and button.isEnabled():
                self.qtbot.mouseClick(button, Qt.MouseButton.LeftButton)

    def press_another_button(self):
        panel = self.one_of(self.visible_panels())
        if panel is None:
            return
        buttons = [
            one
            for one in panel.findChildren(QAbstractButton)
            if one.isVisible() and one.isEnabled() and "…" not in one.text()
        ]
        button = self.one_of(buttons)
        if button is not None:
            button.click()

    def change_a_field(self):
        """Another value in a field, as a person may choose it."""
        panel = self.one_of(self.visible_panels())
        fields = () if panel is None else (
            one
            for kind in (QComboBox, QSlider, QAbstractSpinBox, QCheckBox)
            for one in panel.findChildren(kind)
            if one.isVisible() and one.isEnabled()
        )  # fmt: skip
        field = self.one_of(fields)
        if isinstance(field, QComboBox) and field.count():
            field.setCurrentIndex(int(self.random.integers(field.count())))
            field.activated.emit(field.currentIndex())
        elif isinstance(field, QSlider):
            field.setValue(int(self.random.integers(field.minimum(), field.maximum() + 1)))
        elif isinstance(field, QAbstractSpinBox):
            field.stepBy(int(self.random.integers(-3, 4)))
        elif isinstance(field, QCheckBox):
            field.click()

    def other_viewer(self):
        self.viewer.close()
        self.wait_for_threads()
        self.begin()

    # The game

    def play(self, count):
        often = {
            self.open_panel: 5, self.close_panel: 2, self.choose_tab: 4, self.rename_layer: 2,
            self.remove_layer: 2, self.move_layer: 1, self.paint: 5, self.show_2d: 2,
            self.show_3d: 1, self.move_slider: 3, self.run: 5, self.cancel: 2,
            self.press_another_button: 3, self.change_a_field: 6, self.add_image: 1,
            self.add_labels: 1,
        }  # fmt: skip
        actions, weights = list(often), np.array(list(often.values()), float)
        for nth in range(count):
            action = self.random.choice(len(actions), p=weights / weights.sum())
            act = self.other_viewer if nth in (count // 3, 2 * count // 3) else actions[action]
            self.played.append(act.__name__)
            if len(self.viewer.layers) > MOST_LAYERS:
                act = self.remove_layer
            act()
            self.qtbot.wait(int(self.random.integers(1, 30)))
            self.check()

    def check(self):
        bad = [
            record
            for record in notification_manager.records
            if NotificationSeverity(record.severity) == NotificationSeverity.ERROR
        ]
        notification_manager.records.clear()
        assert [str(one) for one in bad] == [], self.played[-10:]

    def end(self):
        self.viewer.close()
        self.wait_for_threads()
        self.check()

    def wait_for_threads(self):
        """No work goes on for a viewer that is closed; kernels that compile may finish."""
        self.qtbot.waitUntil(lambda: not working(), timeout=60000)


def working():
    return [one.name for one in threading.enumerate() if one.name == "seedbed-job"]


@pytest.mark.parametrize("seed", SEEDS)
def test_random_actions_do_what_they_should_and_leave_nothing_behind(
    make_napari_viewer, qtbot, seed
):
    notification_manager.records.clear()
    game = Game(make_napari_viewer, qtbot, seed)
    try:
        game.play(ACTIONS)
    except BaseException:
        print(f"seed {seed}, after", *game.played[-25:])
        raise
    game.end()
