"""The differences panel: changes live, in a list that is clicked, and shown in turn."""

import csv
import re

import numpy as np
import pytest
from differences_window import BOXES, Bench, changed, scene
from napari.layers import Shapes
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QComboBox, QLabel

from napari_seedbed.gui.tools.differences.blinking import views_of_layers
from napari_seedbed.pipeline.operations import run
from napari_seedbed.pipeline.recipes import load_recipe, replay


@pytest.fixture
def bench(viewer_model, qtbot):
    return Bench(viewer_model, qtbot, changed(), scene())


@pytest.fixture
def film_bench(viewer_model, qtbot):
    film = np.stack([scene(), changed(1), changed(2)])
    bench = Bench(viewer_model, qtbot, film, axis_labels=("t", "y", "x"))
    viewer_model.dims.set_point(0, 2)
    bench.compare_series()
    return bench


# Live


def test_changes_are_shown_as_soon_as_two_images_are_chosen(bench):
    assert bench.form.count.text() == "3 changes"
    assert len(bench.form.changes) == 3
    mask = np.asarray(bench.layer("changes").data) > 0
    truth = scene() != changed()
    assert np.array_equal(mask, truth)


def test_difference_is_coloured_symmetrically_around_zero(bench):
    layer = bench.layer("difference")
    low, high = layer.contrast_limits
    assert (low, high) == (-80, 80)
    assert np.array_equal(layer.data, scene().astype(float) - changed())
    colours = layer.colormap.map(np.array([0.0, 0.5, 1.0]))[:, :3]
    assert colours[1].max() < 0.2
    assert colours[0].argmax() == 2
    assert colours[2].argmax() == 0


def test_boxes_are_numbered_and_lie_around_the_changes(bench):
    boxes = bench.layer("boxes")
    assert isinstance(boxes, Shapes)
    found = [(tuple(c.min(axis=0) + 0.5), tuple(c.max(axis=0) + 0.5)) for c in boxes.data]
    assert sorted(found) == sorted(BOXES)
    assert list(boxes.text.values) == ["1", "2", "3"]


def test_dragging_the_threshold_lets_the_count_follow(bench):
    slider = bench.form.slider
    bench.form.ensureWidgetVisible(slider)
    # The noise of these images is none: the least contrast alone would count.
    bench.form.fields.set_value("min_contrast", 0.0)
    bench.images[0].data = changed() + np.random.default_rng(1).integers(0, 5, (90, 120)).astype(
        np.uint8
    )
    bench.settle()
    few = len(bench.form.changes)
    handle = slider.rect().center()
    handle.setX(round(slider.width() * slider.value() / slider.maximum()))
    far = slider.rect().center()
    far.setX(slider.width() - 2)
    QTest.mousePress(slider, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, handle)
    QTest.mouseMove(slider, far)
    QTest.mouseRelease(slider, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, far)
    bench.settle()
    assert bench.form.fields.values()["n_mads"] > 50
    assert len(bench.form.changes) < few
    words = bench.form.count.text()
    assert words.startswith(f"{len(bench.form.changes)} change")


def test_a_changed_layer_is_compared_again(bench):
    bench.images[0].data = changed(1)
    bench.settle()
    assert bench.form.count.text() == "1 change"


def test_nothing_is_computed_while_live_is_off(bench):
    bench.click(bench.form.live)
    bench.images[0].data = changed(1)
    bench.settle()
    assert bench.form.count.text() == "3 changes"


def test_equal_images_have_no_changes_and_no_lines(bench):
    bench.images[0].data = scene()
    bench.settle()
    assert bench.form.count.text() == "0 changes"
    assert len(bench.layer("boxes").data) == 0
    bench.panel.next_change()
    assert bench.form.changes.current == -1


def test_nothing_found_says_how_strong_the_noise_is_and_where_to_drag(viewer_model, qtbot):
    rng = np.random.default_rng(8)
    first, second = (scene() + rng.normal(0, 6, scene().shape) for _ in "ab")
    second[30:44, 50:66] += 40
    bench = Bench(viewer_model, qtbot, second, first)
    bench.form.fields.set_value("n_mads", 12.0)
    bench.settle()
    assert bench.form.count.text() == "0 changes"
    said = re.search(
        r"more than 12 times the noise, whose standard deviation is (\S+)\.", bench.status
    )
    assert float(said[1]) == pytest.approx(6 * 2**0.5, rel=0.1)
    nearest = re.search(r"strongest differences are (\S+) times", bench.status)
    step = round(400 * np.log(float(nearest[1])) / np.log(100)) - 1
    bench.form.slider.setValue(step)
    bench.settle()
    assert bench.form.count.text() == "1 change"


def test_images_of_different_size_are_named_by_both_shapes(bench):
    bench.images[0].data = changed()[:, :100]
    bench.settle()
    assert "(90, 120)" in bench.status
    assert "(90, 100)" in bench.status


@pytest.mark.parametrize(
    ("mode", "limits"), [("absolute", (0, 80)), ("ratio", (0, 2)), ("similarity", (0, 1))]
)
def test_each_kind_of_difference_has_limits_of_its_own(bench, mode, limits):
    bench.form.fields.set_value("mode", mode)
    bench.settle()
    assert tuple(bench.layer("difference").contrast_limits) == limits


# The list


def test_clicking_a_line_goes_to_the_change_and_marks_its_box(bench):
    bench.click_line(2)
    columns = bench.form.changes.columns
    assert bench.middle == pytest.approx(
        (
            (columns["bbox_y_start"][2] + columns["bbox_y_stop"][2]) // 2,
            (columns["bbox_x_start"][2] + columns["bbox_x_stop"][2]) // 2,
        )
    )
    boxes = bench.layer("boxes")
    assert boxes.selected_data == {2}
    assert not np.array_equal(boxes.edge_color[2], boxes.edge_color[0])


def test_next_and_previous_go_round(bench):
    for button, wanted in ((bench.form.next, (0, 1, 2, 0)), (bench.form.previous, (2, 1))):
        for row in wanted:
            bench.click(button)
            assert bench.form.changes.current == row
            assert bench.layer("boxes").selected_data == {row}


def test_keys_go_to_the_next_change_and_back_from_the_picture(make_napari_viewer, qtbot):
    viewer = make_napari_viewer()
    bench = Bench(viewer, qtbot, changed(), scene())
    canvas = viewer.window._qt_viewer.canvas.native
    QTest.keyClick(canvas, Qt.Key.Key_N)
    QTest.keyClick(canvas, Qt.Key.Key_N)
    assert bench.form.changes.current == 1
    QTest.keyClick(canvas, Qt.Key.Key_N, Qt.KeyboardModifier.ShiftModifier)
    assert bench.form.changes.current == 0
    QTest.keyClick(canvas, Qt.Key.Key_B)
    assert not viewer.layers["first"].visible
    assert viewer.layers["second"].visible
    QTest.keyClick(canvas, Qt.Key.Key_B)
    assert viewer.layers["first"].visible
    QTest.keyClick(canvas, Qt.Key.Key_B, Qt.KeyboardModifier.ShiftModifier)
    assert viewer.layers["first"].visible
    assert viewer.layers["second"].visible


def test_list_is_saved_as_csv(bench, tmp_path):
    bench.panel.save_list(tmp_path / "list")
    with (tmp_path / "list.csv").open() as lines:
        rows = list(csv.DictReader(lines))
    assert [int(row["change"]) for row in rows] == [1, 2, 3]
    assert {int(row["bbox_y_start"]) for row in rows} == {20, 60, 61}
    assert float(rows[0]["mean_difference"]) == pytest.approx(-80)


# Apply


def test_apply_gives_what_the_operation_gives_and_a_recipe_that_repeats_it(bench, tmp_path):
    assert not bench.form.save_recipe.isEnabled()
    assert not any(layer.locked for layer in bench.viewer.layers)
    bench.click(bench.form.run)
    bench.settle()
    assert all(layer.locked for layer in bench.panel.layers.shown.all)
    bench.panel.save_recipe(tmp_path / "r.yaml")
    assert "--other" in bench.status
    image, other = bench.form.inputs.given().inputs.values()
    again = replay(load_recipe(tmp_path / "r.yaml"), image, other=other)
    expected = run("changes", {"image": image, "other": other}).image("mask").array
    assert np.array_equal(again.image("mask").array, expected)
    assert np.array_equal(np.asarray(bench.layer("changes").data) > 0, expected)


def test_moved_image_is_found_and_told(viewer_model, qtbot):
    wide = np.pad(scene(), 8, mode="reflect")
    second = np.roll(wide, (3, -2), axis=(0, 1))
    bench = Bench(viewer_model, qtbot, second[8:-8, 8:-8], scene(), register="auto")
    assert bench.form.count.text() == "0 changes"
    assert "shifted by 3.00, -2.00 pixels" in bench.status


# A series


def test_time_point_in_view_is_compared_with_the_one_before(film_bench):
    assert film_bench.form.count.text() == "1 change"
    columns = film_bench.form.changes.columns
    assert (columns["bbox_y_start"][0], columns["bbox_x_start"][0]) == BOXES[1][0]
    film_bench.viewer.dims.set_point(0, 1)
    film_bench.settle()
    assert film_bench.form.changes.columns["bbox_y_start"][0] == BOXES[0][0][0]
    film_bench.viewer.dims.set_point(0, 0)
    film_bench.settle()
    assert film_bench.form.count.text() == "0 changes"


def test_time_point_in_view_is_compared_with_a_chosen_one(film_bench):
    film_bench.form.frames.set_value("against", "frame")
    film_bench.settle()
    assert film_bench.form.count.text() == "2 changes"
    film_bench.form.frames.set_value("frame", 9)
    film_bench.settle()
    assert "there is no 9" in film_bench.status


def test_apply_compares_the_whole_series_and_the_list_goes_through_time(film_bench):
    film_bench.click(film_bench.form.run)
    film_bench.settle()
    assert film_bench.layer("changes").data.shape == (3, 90, 120)
    assert film_bench.form.changes.columns["time_point"].tolist() == [1, 2]
    film_bench.click_line(0)
    assert film_bench.viewer.dims.point[0] == 1
    assert film_bench.layer("boxes").selected_data == {0}
    film_bench.click_line(1)
    assert film_bench.viewer.dims.point[0] == 2
    assert film_bench.layer("boxes").selected_data == {1}


def test_time_point_in_view_of_two_films_is_compared_alone(viewer_model, qtbot, tmp_path):
    films = np.stack([changed(1), changed(3)]), np.stack([scene(), scene()])
    bench = Bench(viewer_model, qtbot, *films, axis_labels=("t", "y", "x"))
    bench.form.live.setChecked(False)
    bench.form.apply_to.setCurrentText("Time point in view")
    viewer_model.dims.set_point(0, 1)
    bench.click(bench.form.run)
    bench.settle()
    assert bench.form.count.text() == "3 changes"
    (mask,) = [one for one in viewer_model.layers if one.name == "changes of first (t 1)"]
    assert mask.data.shape == (1, 90, 120)
    bench.panel.save_recipe(tmp_path / "r.yaml")
    given = bench.form.inputs.given().inputs
    again = replay(load_recipe(tmp_path / "r.yaml"), given["image"], other=given["other"])
    assert np.array_equal(again.image("mask").array[1], np.asarray(mask.data)[0] > 0)
    assert not again.image("mask").array[0].any()


def test_one_time_point_of_two_films_after_another_keeps_both(viewer_model, qtbot):
    films = np.stack([changed(1), changed(3)]), np.stack([scene(), scene()])
    bench = Bench(viewer_model, qtbot, *films, axis_labels=("t", "y", "x"))
    bench.form.live.setChecked(False)
    bench.form.apply_to.setCurrentText("Time point in view")
    for time in (0, 1):
        viewer_model.dims.set_point(0, time)
        bench.click(bench.form.run)
        bench.settle()
    names = [layer.name for layer in viewer_model.layers]
    assert {"changes of first (t 0)", "changes of first (t 1)"} <= set(names)


def test_images_without_time_and_series_have_no_choice_of_a_part(bench):
    assert not bench.form.apply_to.isVisible()
    bench.compare_series()
    assert not bench.form.apply_to.isVisible()


def test_series_without_time_is_refused_in_words(bench):
    bench.compare_series()
    assert "no time axis" in bench.status


def test_blinking_goes_between_two_time_points_and_back(film_bench):
    film_bench.click(film_bench.form.blink)
    assert film_bench.panel.blinking.is_on
    film_bench.panel.blinking.flip()
    assert film_bench.viewer.dims.point[0] == 1
    film_bench.panel.blinking.flip()
    assert film_bench.viewer.dims.point[0] == 2
    film_bench.panel.blinking.flip()
    film_bench.click(film_bench.form.blink)
    assert film_bench.viewer.dims.point[0] == 2


# Blinking


def test_blinking_shows_both_images_in_turn_and_then_what_was_shown(bench):
    before = {layer.name: layer.visible for layer in bench.viewer.layers}
    bench.click(bench.form.blink)
    first, second = bench.viewer.layers["first"], bench.viewer.layers["second"]
    seen = set()

    def both_seen():
        seen.add((first.visible, second.visible))
        return {(True, False), (False, True)} <= seen

    bench.qtbot.waitUntil(both_seen, timeout=5000)
    assert not bench.layer("difference").visible
    bench.click(bench.form.blink)
    assert {layer.name: layer.visible for layer in bench.viewer.layers} == before
    assert not bench.form.blink.isChecked()


def test_layer_that_goes_ends_the_blinking(bench):
    bench.click(bench.form.blink)
    bench.viewer.layers.remove("second")
    assert not bench.panel.blinking.is_on
    bench.settle()


def test_hidden_panel_stops_blinking_and_gives_keys_back(bench):
    bench.click(bench.form.blink)
    bench.panel.hide()
    assert not bench.panel.blinking.is_on
    assert not any("N" in str(key) for key in bench.viewer.keymap)


def test_views_of_layers_are_restored(viewer_model):
    first, second = (viewer_model.add_image(np.zeros((4, 4))) for _ in range(2))
    second.visible = False
    views = views_of_layers(first, second, [])
    views.second()
    assert (first.visible, second.visible) == (False, True)
    views.restore()
    assert (first.visible, second.visible) == (True, False)


def test_apply_and_what_is_said_stay_in_sight_in_a_low_window(bench):
    bench.panel.resize(320, 450)
    bench.qtbot.wait(20)
    for widget in (bench.form.run, bench.form.status):
        whole = widget.rect().size()
        assert widget.visibleRegion().boundingRect().size() == whole


def test_choices_stand_beside_their_names_in_a_narrow_dock(bench):
    bench.panel.resize(bench.panel.minimumSizeHint().width(), 900)
    bench.qtbot.wait(20)
    fields = bench.form.fields
    (name,) = [label for label in fields.findChildren(QLabel) if label.text() == "Registration"]
    (choice,) = [box for box in fields.findChildren(QComboBox) if box.findData("rotation") >= 0]
    assert choice.x() > name.geometry().right()


def test_panel_without_images_waits_for_some(viewer_model, qtbot):
    bench = Bench(viewer_model, qtbot)
    assert not bench.form.run.isEnabled()
    viewer_model.add_image(changed(), name="second")
    viewer_model.add_image(scene(), name="first")
    bench.settle()
    assert bench.form.count.text() == "3 changes"
