"""Painting with a real mouse in a real window, and what the result layer then holds."""

import time
from dataclasses import replace

import numpy as np
import pytest
from napari.layers import Image as ImageLayer
from napari.layers import Labels
from painting import drag, press_key
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QPushButton
from seeded_window import SeededWindow, ball, dice
from strokes_window import PLACE, SCALE

from napari_seedbed.core.progress import Preview, check_stop, tell
from napari_seedbed.gui.forms import live_update
from napari_seedbed.gui.forms.machine_speed import machine_speed
from napari_seedbed.gui.layers.seed_layers import seeds_digest
from napari_seedbed.pipeline import operations

pytestmark = pytest.mark.display

CONTROL = Qt.KeyboardModifier.ControlModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def window(make_napari_viewer, qtbot):
    return SeededWindow(make_napari_viewer, qtbot)


def paint_two_labels(window):
    """Stroke the ball with label 1 and the ground with label 2, by mouse."""
    seeds = window.new_seeds()
    drag(window.viewer, window.world((10, 16, 13)), window.world((10, 16, 19)))
    seeds.selected_label = 2
    drag(window.viewer, window.world((10, 2, 2)), window.world((10, 2, 29)))
    return seeds


def test_two_strokes_give_the_segmentation_of_the_volume(make_napari_viewer, qtbot):
    window = SeededWindow(make_napari_viewer, qtbot)
    seeds = paint_two_labels(window)
    assert set(np.unique(seeds.data)) == {0, 1, 2}
    window.wait_final()
    assert dice(window.result.data == 1, window.truth) > 0.9
    np.testing.assert_array_equal(window.result.data, window.expected())


def test_result_lies_where_the_image_lies(window):
    window.seed_by_program()
    window.wait_final()
    result = window.result
    np.testing.assert_array_equal(result.scale, SCALE)
    np.testing.assert_array_equal(result.translate, PLACE)
    assert result.units == window.image.units


def test_further_stroke_updates_the_layer_in_place(window):
    seeds = paint_two_labels(window)
    window.wait_final()
    before, count = window.result, len(window.viewer.layers)
    seeds.selected_label = 3
    drag(window.viewer, window.world((10, 28, 3)), window.world((10, 28, 28)))
    assert 3 in seeds.data
    window.wait_final()
    assert window.result is before
    assert len(window.viewer.layers) == count
    assert 3 in window.result.data
    np.testing.assert_array_equal(window.result.data, window.expected())


def test_eraser_takes_a_label_back(window):
    seeds = paint_two_labels(window)
    seeds.selected_label = 3
    drag(window.viewer, window.world((10, 28, 3)), window.world((10, 28, 28)))
    window.wait_final()
    assert 3 in window.result.data
    seeds.mode = "erase"
    seeds.brush_size = 6
    drag(window.viewer, window.world((10, 28, 1)), window.world((10, 28, 30)), steps=12)
    assert 3 not in seeds.data
    window.wait_final()
    assert 3 not in window.result.data
    np.testing.assert_array_equal(window.result.data, window.expected())


def test_undo_and_redo_keys_are_followed(window):
    seeds = paint_two_labels(window)
    window.wait_final()
    two = window.result.data.copy()
    seeds.selected_label = 3
    drag(window.viewer, window.world((10, 28, 3)), window.world((10, 28, 28)))
    window.wait_final()
    three = window.result.data.copy()
    press_key(window.viewer, Qt.Key.Key_Z, CONTROL)
    assert 3 not in seeds.data
    window.qtbot.waitUntil(lambda: not window.panel.session.is_final)
    window.wait_final()
    np.testing.assert_array_equal(window.result.data, two)
    press_key(window.viewer, Qt.Key.Key_Z, CONTROL | SHIFT)
    assert 3 in seeds.data
    window.qtbot.waitUntil(lambda: not window.panel.session.is_final)
    window.wait_final()
    np.testing.assert_array_equal(window.result.data, three)


def test_undo_of_the_second_label_blanks_the_result_and_hints(window):
    seeds = paint_two_labels(window)
    window.wait_final()
    seeds.undo()
    window.qtbot.waitUntil(lambda: "Only one label" in window.status)
    assert not window.result.data.any()


def test_slider_starts_nothing(window):
    window.seed_by_program()
    window.wait_final()
    for step in range(4):
        window.viewer.dims.set_current_step(0, step)
        window.qtbot.wait(30)
    window.qtbot.wait(200)
    assert window.panel.session.is_final


def test_seeds_are_never_written(window):
    seeds = window.seed_by_program()
    before = seeds_digest(seeds), seeds.data
    window.wait_final()
    assert seeds_digest(seeds) == before[0]
    assert seeds.data is before[1]


def test_slice_on_screen_is_shown_before_the_whole_volume(window, monkeypatch):
    shown = []

    def slow(operation, inputs, parameters, *, context, times):
        axis, index = context.view
        tell(0.1, "first", Preview(axis, index, np.full(plane, 7)))
        while not shown:
            check_stop()
            time.sleep(0.002)
        return real(operation, inputs, parameters, context=context, times=times)

    plane = window.image.data.shape[1:]
    real = operations.run
    monkeypatch.setattr(operations, "run", slow)
    window.seed_by_program()
    window.qtbot.waitUntil(lambda: window.result is not None and window.result.data.any())
    data = window.result.data
    assert (data[10] == 7).all()
    assert not np.delete(data, 10, axis=0).any()
    shown.append(True)
    window.wait_final()
    monkeypatch.undo()
    np.testing.assert_array_equal(window.result.data, window.expected())


def test_points_are_seeds(window):
    points = window.viewer.add_points(
        [window.world((10, 16, 16)), window.world((10, 2, 2))],
        size=2,
        features={"label": [1, 2]},
        name="marks",
    )
    window.form.seeds.choose(points)
    window.form.run.click()
    window.wait_final()
    assert window.result.data[10, 16, 16] == 1
    np.testing.assert_array_equal(window.result.data, window.expected())
    points.add(window.world((10, 30, 30)))
    points.features = {"label": [1, 2, 3]}
    window.wait_final()
    window.qtbot.waitUntil(lambda: window.result.data[10, 30, 30] == 3, timeout=10000)


def test_shapes_are_seeds(make_napari_viewer, qtbot):
    window = SeededWindow(make_napari_viewer, qtbot)

    def corners(*places):
        return np.array([window.world((10, y, x)) for y, x in places])

    shapes = window.viewer.add_shapes(
        [corners((14, 14), (14, 18), (18, 18), (18, 14)), corners((1, 1), (1, 30))],
        shape_type=["polygon", "path"],
        edge_width=1,
        features={"label": [1, 2]},
    )
    window.form.seeds.choose(shapes)
    window.form.run.click()
    window.wait_final()
    assert dice(window.result.data == 1, window.truth) > 0.9


def test_uncertainty_and_probability_layers_come_and_go_as_asked(window):
    window.seed_by_program()
    window.wait_final()
    window.panel.parameters.set_value("uncertainty", True)
    window.panel.parameters.set_value("probabilities", True)
    window.wait_final()
    extra = {
        layer.name: layer
        for layer in window.viewer.layers
        if isinstance(layer, ImageLayer) and layer is not window.image
    }
    assert set(extra) == {
        "cells uncertainty",
        "cells probability of label 1",
        "cells probability of label 2",
    }
    first = extra["cells probability of label 1"]
    np.testing.assert_array_equal(first.scale, SCALE)
    clear = abs(first.data - 0.5) > 1e-3
    np.testing.assert_array_equal((first.data > 0.5)[clear], (window.result.data == 1)[clear])
    assert window.result.metadata["napari_seedbed"]["parameters"]["uncertainty"] is True
    window.panel.parameters.set_value("probabilities", False)
    window.wait_final()
    names = [layer.name for layer in window.viewer.layers]
    assert "cells probability of label 1" not in names
    assert "cells uncertainty" in names


def test_accepted_result_is_left_alone_by_later_strokes(window):
    seeds = window.seed_by_program()
    window.form.accept.click()
    window.qtbot.waitUntil(lambda: "is yours" in window.status, timeout=30000)
    accepted = next(layer for layer in window.viewer.layers if layer.name == "cells segmentation")
    kept = accepted.data.copy()
    np.testing.assert_array_equal(kept, window.expected())
    assert accepted.editable
    assert accepted.locked
    assert accepted.metadata["napari_seedbed"]["operation"] == "seeded_segmentation"
    seeds.data_setitem((np.array([15] * 9), np.arange(9), np.arange(9)), 3)
    window.wait_final()
    assert window.result is not accepted
    assert not window.result.locked
    np.testing.assert_array_equal(accepted.data, kept)
    assert 3 in window.result.data


@pytest.mark.parametrize("filled", [False, True])
def test_next_result_lies_over_the_accepted_one_which_looks_otherwise(window, filled):
    window.form.filled.setChecked(filled)
    seeds = window.seed_by_program()
    window.form.accept.click()
    window.qtbot.waitUntil(lambda: "is yours" in window.status, timeout=30000)
    accepted = next(layer for layer in window.viewer.layers if layer.name == "cells segmentation")
    assert accepted.contour == int(not filled)
    seeds.data_setitem((np.array([15] * 9), np.arange(9), np.arange(9)), 3)
    window.wait_final()
    layers = list(window.viewer.layers)
    assert layers == [window.image, accepted, window.result, seeds]
    assert accepted.contour == int(filled)
    assert window.result.contour == int(not filled)


def test_looks_chosen_for_an_accepted_layer_stay(window):
    seeds = window.seed_by_program()
    window.form.accept.click()
    window.qtbot.waitUntil(lambda: "is yours" in window.status, timeout=30000)
    accepted = next(layer for layer in window.viewer.layers if layer.name == "cells segmentation")
    accepted.contour, accepted.opacity = 3, 0.4
    seeds.data_setitem((np.array([15] * 9), np.arange(9), np.arange(9)), 3)
    window.wait_final()
    assert (accepted.contour, accepted.opacity) == (3, 0.4)


def test_live_update_rests_while_the_dock_is_hidden_and_catches_up(window):
    seeds = window.seed_by_program()
    window.wait_final()
    dock = window.panel.parentWidget()
    dock.close()
    seeds.data_setitem((np.array([15] * 9), np.arange(9), np.arange(9)), 3)
    window.panel.seeds.look_if_due()
    window.qtbot.wait(400)
    assert not window.panel.session.is_running
    assert 3 not in window.result.data
    dock.show()
    window.qtbot.waitUntil(lambda: 3 in window.result.data, timeout=30000)
    window.wait_final()
    np.testing.assert_array_equal(window.result.data, window.expected())


def test_hidden_dock_that_missed_nothing_starts_nothing(window):
    window.seed_by_program()
    window.wait_final()
    dock = window.panel.parentWidget()
    dock.close()
    dock.show()
    window.qtbot.wait(200)
    assert window.panel.session.is_final


def test_accept_goes_on_while_the_dock_is_hidden(window):
    window.seed_by_program()
    window.form.accept.click()
    window.panel.parentWidget().close()
    window.qtbot.waitUntil(lambda: "is yours" in window.status, timeout=30000)


def test_accept_while_a_run_is_on_waits_for_the_exact_result(window):
    window.seed_by_program()
    window.form.accept.click()
    assert window.result is None or window.result.metadata["napari_seedbed"].get("slot")
    window.qtbot.waitUntil(lambda: "is yours" in window.status, timeout=30000)
    accepted = [layer for layer in window.viewer.layers if layer.name == "cells segmentation"]
    assert accepted[0].metadata["napari_seedbed"]["live"] is False


def test_real_uncertainty_is_known_without_showing_it(window):
    window.seed_by_program()
    window.form.next_place.click()
    window.qtbot.waitUntil(lambda: "Undecided" in window.status, timeout=30000)
    assert "uncertainty" in window.panel._final.outputs
    assert window.result.metadata["napari_seedbed"]["parameters"]["uncertainty"] is False
    assert all("uncertainty" not in layer.name for layer in window.viewer.layers)


def test_next_uncertain_place_during_a_run_that_was_not_asked_for_doubt(window):
    window.seed_by_program()
    window.qtbot.waitUntil(lambda: window.panel.session.state == "exact")
    window.form.next_place.click()
    window.qtbot.waitUntil(lambda: "Undecided" in window.status, timeout=30000)
    assert "uncertainty" in window.panel._final.outputs


def test_key_is_free_in_napari_and_given_back(window):
    viewer = window.viewer
    pressed = []
    dock = window.panel.parentWidget()
    dock.close()
    viewer.bind_key("U", lambda viewer: pressed.append(1))
    press_key(viewer, Qt.Key.Key_U)
    assert pressed == [1]
    dock.show()
    press_key(viewer, Qt.Key.Key_U)
    assert pressed == [1, 1]


def test_live_update_starts_switched_off_where_a_run_takes_long(
    make_napari_viewer, qtbot, monkeypatch
):
    monkeypatch.setattr(live_update, "seconds_of", lambda section: -1.0)
    window = SeededWindow(make_napari_viewer, qtbot)
    assert not window.form.live.isChecked()
    assert "Live update is off" in window.status
    window.seed_by_program()
    qtbot.wait(400)
    assert window.result is None
    window.form.run.click()
    window.wait_final()
    np.testing.assert_array_equal(window.result.data, window.expected())


def test_run_that_takes_long_here_switches_live_update_off_with_a_hint(window, monkeypatch):
    monkeypatch.setattr(live_update, "seconds_of", lambda section: 0.0)
    window.seed_by_program()
    window.wait_final()
    # The first run prepares the image; how long strokes take shows from the next one on.
    window.form.run.click()
    window.qtbot.waitUntil(lambda: not window.form.live.isChecked(), timeout=30000)
    assert window.panel.session.is_final
    assert "Live update is off" in window.status
    window.form.live.click()
    window.form.run.click()
    window.wait_final()
    assert window.form.live.isChecked()


def test_forecast_follows_what_runs_really_take(make_napari_viewer, qtbot, monkeypatch):
    # Before the window is there: runs of other tests have told how fast a busy machine is.
    machine_speed.forget()
    window = SeededWindow(make_napari_viewer, qtbot)
    assert "under 1 s" in window.form.forecast.text()
    window.panel._is_timed = True
    window.panel.session.timed.emit(1.0, 1e5, True)
    assert "under 1 s" not in window.form.forecast.text()
    # a run on an image that is prepared already is another thing
    window.panel.session.timed.emit(1.0, 2e-3, False)
    assert window.form.live.isChecked()
    assert window.panel.session.is_prepared
    assert "under 1 s" in window.form.forecast.text()
    window.panel.session.timed.emit(1.0, 1e5, False)
    assert not window.form.live.isChecked()


def test_forecast_counts_the_labels_that_are_marked(make_napari_viewer, qtbot, monkeypatch):
    machine_speed.forget()
    window = SeededWindow(make_napari_viewer, qtbot, engine="random_walker")
    window.form.live.setChecked(False)
    panel, before = window.panel, window.panel._forecast()
    seeds = window.new_seeds()
    seeds.data_setitem((np.full(30, 3), np.arange(30), np.arange(30)), np.arange(1, 31))
    panel.seeds.look()
    inputs = {"image": panel.images.image()}
    inputs["seeds"] = replace(inputs["image"], array=np.asarray(seeds.data))
    wanted = operations.forecast("seeded_segmentation", inputs, panel._parameters())
    assert panel._forecast().seconds == wanted.seconds > 10 * before.seconds
    assert wanted.text in window.form.forecast.text()


def test_forecast_is_shown_before_any_run(window):
    assert "about" in window.form.forecast.text()
    assert window.result is None


def test_cancel_leaves_what_is_shown(window, monkeypatch):
    window.seed_by_program()
    window.wait_final()
    kept = window.result.data.copy()

    def endless(*args, **options):
        while True:
            check_stop()
            time.sleep(0.002)

    monkeypatch.setattr(operations, "run", endless)
    window.form.run.click()
    assert window.form.cancel.isEnabled()
    window.form.cancel.click()
    assert not window.form.cancel.isEnabled()
    window.qtbot.waitUntil(lambda: not window.panel.session.is_running)
    assert "Cancelled" in window.status
    np.testing.assert_array_equal(window.result.data, kept)


def test_layers_on_the_same_grid_can_be_channels(window):
    image, _ = ball(noise=0.2)
    window.viewer.add_image(image, name="other", scale=SCALE, translate=PLACE, units=("um",) * 3)
    names = [choice.name for choice in window.form.channels.all_choices()]
    assert names == ["cells", "other"]
    assert [choice.name for choice in window.form.channels.choices()] == ["cells"]
    window.form.channels._boxes[1].setChecked(True)
    assert window.panel.images.image().n_channels == 2
    window.seed_by_program()
    window.wait_final()
    np.testing.assert_array_equal(window.result.data, window.expected())


def test_colour_picture_uses_all_its_colours(make_napari_viewer, qtbot):
    rng = np.random.default_rng(0)
    picture = rng.integers(0, 20, (40, 48, 3), dtype=np.uint8)
    picture[10:30, 10:30, 0] += 150
    window = SeededWindow(make_napari_viewer, qtbot, picture, rgb=True)
    assert window.panel.images.image().n_channels == 3
    seeds = window.new_seeds()
    assert seeds.data.shape == (40, 48)
    seeds.data_setitem((np.full(5, 20), np.arange(18, 23)), 1)
    for row in (2, 37):
        seeds.data_setitem((np.full(40, row), np.arange(2, 42)), 2)
    window.wait_final()
    truth = np.zeros((40, 48), bool)
    truth[10:30, 10:30] = True
    assert dice(window.result.data == 1, truth) > 0.95


def test_panel_survives_its_only_image_being_removed(window):
    window.seed_by_program()
    window.wait_final()
    window.viewer.layers.remove(window.image)
    assert not window.form.run.isEnabled()
    assert isinstance(window.seeds, Labels)


def test_everything_fits_a_small_screen_without_scrolling(window):
    window.viewer.window.resize(1366, 768)
    window.panel.parameters.more.toggle()
    window.panel._say("A message of three lines. " * 4)
    window.qtbot.wait(100)
    assert window.form.verticalScrollBar().maximum() == 0
    for button in window.form.findChildren(QPushButton):
        if button.isVisible():
            assert button.width() >= button.minimumSizeHint().width(), button.text()


def test_panel_opens_from_the_menu_of_plugins(make_napari_viewer):
    viewer = make_napari_viewer()
    _, panel = viewer.window.add_plugin_dock_widget("napari-seedbed", "Seeded segmentation")
    assert panel.viewer is viewer


def test_image_that_comes_after_the_panel_is_taken(make_napari_viewer, qtbot):
    viewer = make_napari_viewer()
    _, panel = viewer.window.add_plugin_dock_widget("napari-seedbed", "Seeded segmentation")
    assert not panel.form.new_seeds.isEnabled()
    layer = viewer.add_image(ball()[0], name="later")
    assert panel.form.image.layer() is layer
    panel.make_seeds()
    assert viewer.layers.selection.active is panel.form.seeds.layer()
