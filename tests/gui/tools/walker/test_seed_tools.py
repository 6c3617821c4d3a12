"""Background in the hand, undo, clearing and looks, with real keys and mouse in a real window."""

import threading

import numpy as np
import pytest
from napari.layers import Labels
from painting import drag, move_to, press_key
from qtpy.QtCore import Qt
from seeded_window import SeededWindow

from napari_seedbed.gui.layers.seed_roles import QUIET, background_of
from napari_seedbed.gui.qt import plugin_settings
from napari_seedbed.pipeline import operations
from napari_seedbed.pipeline.recipes import load_recipe

pytestmark = pytest.mark.display

CONTROL = Qt.KeyboardModifier.ControlModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def window(make_napari_viewer, qtbot):
    return SeededWindow(make_napari_viewer, qtbot, engine="watershed")


def stroke_ball(window):
    drag(window.viewer, window.world((10, 16, 13)), window.world((10, 16, 19)))


def stroke_ground(window, y=2):
    drag(window.viewer, window.world((10, y, 2)), window.world((10, y, 29)))


def point_at(window, place):
    """Move the mouse; napari may hold the move back."""
    move_to(window.viewer, place)
    cursor = window.viewer.cursor
    window.qtbot.waitUntil(lambda: np.allclose(cursor.position, place, atol=0.3), timeout=10000)


def paint_ball_and_background(window):
    """As the panel says: a stroke in the object, the key, a line of background."""
    seeds = window.new_seeds()
    stroke_ball(window)
    press_key(window.viewer, Qt.Key.Key_G)
    stroke_ground(window)
    return seeds


def test_key_takes_the_background_in_the_hand_and_its_label_is_empty_in_the_result(window):
    assert "press G and draw a line of background" in (window.new_seeds() and window.status)
    stroke_ball(window)
    press_key(window.viewer, Qt.Key.Key_G)
    seeds = window.seeds
    assert (seeds.selected_label, background_of(seeds)) == (2, 2)
    assert window.form.take_background.isChecked()
    assert window.form.background.value() == 2
    stroke_ground(window)
    window.wait_final()
    assert set(np.unique(window.result.data)) == {0, 1}
    assert window.result.data[10, 16, 16] == 1
    np.testing.assert_array_equal(window.result.data, window.expected())
    # once more: back to the object
    press_key(window.viewer, Qt.Key.Key_G)
    assert seeds.selected_label == 1
    assert not window.form.take_background.isChecked()


def test_key_takes_the_object_under_the_mouse_from_the_result_on_any_slice(window):
    seeds = paint_ball_and_background(window)
    window.wait_final()
    press_key(window.viewer, Qt.Key.Key_G)
    press_key(window.viewer, Qt.Key.Key_M)
    seeds.mode = "pan_zoom"
    window.viewer.dims.set_point(0, window.world((11, 0, 0))[0])
    assert not seeds.data[11].any()
    point_at(window, window.world((11, 2, 2)))
    press_key(window.viewer, Qt.Key.Key_T)
    assert (seeds.selected_label, seeds.mode) == (3, "pan_zoom")
    assert "No object is here: label 3 stays in the hand." in window.status
    point_at(window, window.world((11, 16, 16)))
    press_key(window.viewer, Qt.Key.Key_T)
    assert (seeds.selected_label, seeds.mode) == (1, "paint")
    assert "Label 1 in hand" in window.status


def test_button_does_what_the_key_does_also_before_anything_is_painted(window):
    seeds = window.new_seeds()
    window.qtbot.mouseClick(window.form.take_background, Qt.MouseButton.LeftButton)
    assert (seeds.selected_label, background_of(seeds)) == (1, 1)
    assert seeds.mode == "paint"
    stroke_ground(window)
    press_key(window.viewer, Qt.Key.Key_M)
    assert seeds.selected_label == 2
    assert not window.form.take_background.isChecked()
    stroke_ball(window)
    window.wait_final()
    assert set(np.unique(window.result.data)) == {0, 2}


def test_background_has_one_quiet_colour_and_objects_those_of_their_results(window):
    seeds = paint_ball_and_background(window)
    window.wait_final()
    np.testing.assert_allclose(seeds.get_color(2), QUIET)
    for label in (1, 3, 49, 51, 52, 200):
        np.testing.assert_allclose(seeds.get_color(label), window.result.get_color(label))
    window.form.background.setValue(1)
    np.testing.assert_allclose(seeds.get_color(1), QUIET)
    np.testing.assert_allclose(seeds.get_color(2), window.result.get_color(2))


def test_undo_and_redo_go_through_strokes_and_roles_in_their_order(window):
    seeds = paint_ball_and_background(window)
    seeds.selected_label = 1
    drag(window.viewer, window.world((10, 18, 13)), window.world((10, 18, 19)))
    window.form.background.setValue(1)
    window.wait_final()
    assert set(np.unique(window.result.data)) == {0, 2}

    def state():
        return background_of(seeds), bool(seeds.data[10, 18].any()), bool((seeds.data == 2).any())

    seen = [state()]
    for _ in range(4):
        press_key(window.viewer, Qt.Key.Key_Z, CONTROL)
        seen.append(state())
    assert seen == [
        (1, True, True),
        (2, True, True),
        (2, False, True),
        (2, False, False),
        (0, False, False),
    ]
    assert seeds.data.any()  # the first stroke is still there
    for expected in reversed(seen[:-1]):
        press_key(window.viewer, Qt.Key.Key_Z, CONTROL | SHIFT)
        assert state() == expected
    window.wait_final()
    assert window.form.background.value() == 1
    assert set(np.unique(window.result.data)) == {0, 2}


def test_role_that_is_taken_back_is_followed(window):
    paint_ball_and_background(window)
    window.wait_final()
    window.form.background.setValue(0)
    window.qtbot.waitUntil(lambda: 2 in window.result.data, timeout=10000)
    press_key(window.viewer, Qt.Key.Key_Z, CONTROL)
    window.qtbot.waitUntil(lambda: 2 not in window.result.data, timeout=10000)


def test_clearing_can_be_undone(window):
    seeds = paint_ball_and_background(window)
    window.wait_final()
    before, result = seeds.data.copy(), window.result.data.copy()
    window.qtbot.mouseClick(window.form.clear, Qt.MouseButton.LeftButton)
    assert not seeds.data.any()
    window.qtbot.waitUntil(lambda: not window.result.data.any(), timeout=10000)
    seeds_layer_is_active = window.viewer.layers.selection.active is seeds
    assert seeds_layer_is_active
    press_key(window.viewer, Qt.Key.Key_Z, CONTROL)
    np.testing.assert_array_equal(seeds.data, before)
    window.wait_final()
    np.testing.assert_array_equal(window.result.data, result)


def test_keys_are_taken_on_the_seeds_alone_and_given_back(window):
    seeds = window.new_seeds()
    other = window.viewer.add_labels(np.zeros((20, 32, 32), int), name="other")
    press_key(window.viewer, Qt.Key.Key_G)
    assert background_of(seeds) == background_of(other) == 0
    assert len(seeds.keymap) == 5
    assert not other.keymap
    window.panel.parentWidget().close()
    assert not seeds.keymap
    window.panel.parentWidget().show()
    assert len(seeds.keymap) == 5
    window.form.seeds.choose(other)
    assert not seeds.keymap
    assert len(other.keymap) == 5


def test_keys_can_be_changed_and_nonsense_leaves_the_default(
    make_napari_viewer, qtbot, monkeypatch
):
    class Settings:
        class seeded_segmentation:
            background_key = "Alt+1"
            filling_key = "no key at all"
            uncertain_place_key = "u"

    monkeypatch.setattr(plugin_settings, "get_plugin_settings", lambda name: Settings)
    window = SeededWindow(make_napari_viewer, qtbot)
    assert window.form.take_background.text() == "Paint it (Alt+1)"
    assert window.form.filled.text() == "Filled (O)"
    seeds = window.new_seeds()
    press_key(window.viewer, Qt.Key.Key_G)
    assert background_of(seeds) == 0
    press_key(window.viewer, Qt.Key.Key_1, Qt.KeyboardModifier.AltModifier)
    assert background_of(seeds) == 1


def test_key_fills_the_result_and_strokes_show_outlines(window):
    paint_ball_and_background(window)
    window.wait_final()
    assert (window.result.contour, window.result.opacity) == (1, 1.0)
    press_key(window.viewer, Qt.Key.Key_O)
    assert window.result.contour == 0
    seen = []
    window.panel.tools.drawing.connect(lambda on: seen.append((on, window.result.contour)))
    stroke_ground(window, y=29)
    assert seen == [(True, 1), (False, 0)]
    window.wait_final()
    press_key(window.viewer, Qt.Key.Key_O)
    assert window.result.contour == 1


def test_background_is_kept_in_the_recipe_and_comes_back_from_it(window, tmp_path):
    seeds = paint_ball_and_background(window)
    window.panel.parameters.set_value("compactness", 0.5)
    path = tmp_path / "ball.yaml"
    window.panel.save_recipe(path)
    window.qtbot.waitUntil(path.exists, timeout=30000)
    kept = window.result.data.copy()
    assert load_recipe(path).steps[-1].parameters["background"] == 2
    window.panel.parameters.set_value("compactness", 0.0)
    window.panel.open_recipe(path)
    again = window.seeds
    assert isinstance(again, Labels)
    assert again is not seeds
    np.testing.assert_array_equal(again.data, seeds.data)
    assert background_of(again) == window.form.background.value() == 2
    np.testing.assert_allclose(again.get_color(2), QUIET)
    assert window.panel.parameters.values()["compactness"] == 0.5
    window.wait_final()
    np.testing.assert_array_equal(window.result.data, kept)


def test_recipe_for_another_image_is_refused_with_its_shape(window, tmp_path):
    paint_ball_and_background(window)
    path = tmp_path / "ball.yaml"
    window.panel.save_recipe(path)
    window.qtbot.waitUntil(path.exists, timeout=30000)
    small = window.viewer.add_image(np.zeros((9, 8, 7)), name="small")
    window.form.image.choose(small)
    count = len(window.viewer.layers)
    window.panel.open_recipe(path)
    assert "(20, 32, 32)" in window.status
    assert "(9, 8, 7)" in window.status
    assert len(window.viewer.layers) == count


def test_points_of_the_word_background_are_background(window):
    points = window.viewer.add_points(
        [window.world((10, 16, 16)), window.world((10, 2, 2))],
        size=2,
        features={"label": ["nucleus", "background"]},
    )
    window.form.seeds.choose(points)
    assert window.form.background.value() == 1
    assert not window.form.take_background.isEnabled()
    window.form.run.click()
    window.wait_final()
    assert set(np.unique(window.result.data)) == {0, 2}


def test_engine_that_cannot_tell_doubt_says_so(window):
    paint_ball_and_background(window)
    window.wait_final()
    window.form.next_place.click()
    assert "watershed does not say" in window.status
    assert window.panel.session.is_final


def test_result_that_is_older_than_the_seeds_does_not_claim_to_be_up_to_date(window):
    seeds = paint_ball_and_background(window)
    window.wait_final()
    assert window.status.startswith("Up to date")
    window.form.live.click()
    seeds.data_setitem((np.array([15] * 9), np.arange(9), np.arange(9)), 3)
    window.panel.seeds.look_if_due()
    assert window.status == "1 stroke since the last run; press Run to update."
    for row in (17, 19):
        seeds.data_setitem((np.array([15] * 9), np.full(9, row), np.arange(9)), 3)
        window.panel.seeds.look()
    assert window.status == "3 strokes since the last run; press Run to update."
    seeds.undo()
    window.panel.seeds.look()
    assert window.status == "2 strokes since the last run; press Run to update."
    window.form.run.click()
    window.wait_final()
    assert window.status.startswith("Up to date")
    window.panel.parameters.set_value("compactness", 2.0)
    assert window.status == "Other settings since the last run; press Run to update."


def test_stroke_during_a_run_counts_from_when_it_began(window, monkeypatch):
    seeds = paint_ball_and_background(window)
    window.wait_final()
    window.form.live.click()
    real, go_on = operations.run, threading.Event()

    def slow(*args, **options):
        result = real(*args, **options)
        assert go_on.wait(30)
        return result

    monkeypatch.setattr(operations, "run", slow)
    window.form.run.click()
    window.qtbot.waitUntil(lambda: window.panel.session.state == "exact")
    seeds.data_setitem((np.array([15] * 9), np.arange(9), np.arange(9)), 3)
    window.panel.seeds.look()
    go_on.set()
    window.qtbot.waitUntil(lambda: not window.panel.session.is_running, timeout=30000)
    assert not window.panel.session.is_final
    assert window.status == "1 stroke since the last run; press Run to update."
