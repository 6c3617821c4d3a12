"""Strokes with a real mouse in a real window, and what the pixel classifier makes of them."""

import json

import numpy as np
import pytest
from classifier_window import ClassifierWindow, cells
from napari.layers import Image as ImageLayer
from painting import drag, press_key
from qtpy.QtCore import Qt
from strokes_window import PLACE, SCALE

from napari_seedbed.pipeline.cli import main
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.files import read_image, write_image

pytestmark = pytest.mark.display

CONTROL = Qt.KeyboardModifier.ControlModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def window(make_napari_viewer, qtbot):
    return ClassifierWindow(make_napari_viewer, qtbot)


def paint_two_classes(window):
    """Stroke the box with label 1 and the ground with label 2, by mouse."""
    seeds = window.new_seeds()
    drag(window.viewer, window.world((1, 24, 26)), window.world((1, 24, 38)))
    press_key(window.viewer, Qt.Key.Key_M)
    assert seeds.selected_label == 2
    drag(window.viewer, window.world((1, 4, 4)), window.world((1, 4, 60)))
    return seeds


def test_two_strokes_classify_the_volume_as_the_command_line_does(window):
    seeds = paint_two_classes(window)
    assert set(np.unique(seeds.data)) == {0, 1, 2}
    window.wait_final()
    assert np.mean((window.result.data == 1) == window.truth) > 0.95
    np.testing.assert_array_equal(window.result.data, window.expected())
    np.testing.assert_array_equal(window.result.scale, SCALE)
    np.testing.assert_array_equal(window.result.translate, PLACE)
    assert "out-of-bag error" in window.form.insight.text()
    assert " %  " in window.form.insight.text()


def test_slice_in_view_is_shown_before_the_rest(window):
    window.panel.session.settle_seconds = 3600
    paint_two_classes(window)
    window.panel.seeds.look_if_due()
    truth = window.truth[1]
    window.qtbot.waitUntil(
        lambda: window.result is not None and np.mean((window.result.data[1] == 1) == truth) > 0.95,
        timeout=30000,
    )
    # Good enough may have come before the last stroke was seen.
    window.qtbot.wait(1500)
    shown = window.result.data
    assert not shown[[0, 2, 3]].any()
    assert not window.panel.session.is_final
    view = shown[1].copy()
    window.click(window.form.controls.run)
    window.wait_final()
    np.testing.assert_array_equal(window.result.data[1], view)


def test_undo_and_redo_of_a_stroke_and_of_clearing_are_followed(window):
    seeds = paint_two_classes(window)
    window.wait_final()
    two, layer = window.result.data.copy(), window.result
    press_key(window.viewer, Qt.Key.Key_M)
    drag(window.viewer, window.world((1, 44, 4)), window.world((1, 44, 60)))
    assert 3 in seeds.data
    window.wait_final()
    assert 3 in layer.data
    press_key(window.viewer, Qt.Key.Key_Z, CONTROL)
    assert 3 not in seeds.data
    window.wait_final()
    np.testing.assert_array_equal(layer.data, two)
    press_key(window.viewer, Qt.Key.Key_Z, CONTROL | SHIFT)
    assert 3 in seeds.data
    window.wait_final()
    assert 3 in layer.data

    painted = seeds.data.copy()
    window.click(window.form.clear_seeds)
    assert not seeds.data.any()
    window.panel.seeds.look_if_due()
    window.qtbot.waitUntil(lambda: not layer.data.any(), timeout=30000)
    assert "No strokes yet" in window.status
    press_key(window.viewer, Qt.Key.Key_Z, CONTROL)
    np.testing.assert_array_equal(seeds.data, painted)
    window.wait_final()
    assert 3 in layer.data


def test_second_image_is_learnt_from_together_with_the_first(window):
    window.mark_by_program()
    window.wait_final()
    # as bright as the ground of the first one: nothing there is like its box
    other, truth = cells(seed=2)
    layer = window.viewer.add_image(other, name="others", scale=SCALE, units=("um",) * 3)
    window.form.image.choose(layer)
    assert window.seeds is None
    assert window.form.sources.count() == 1
    assert window.form.sources.item(0).text().startswith("cells")
    window.click(window.form.new_seeds)
    seeds = window.seeds
    seeds.data_setitem((np.array([2]), np.array([3]), np.array([3])), 3)
    seeds.data_setitem((np.array([2] * 8), np.arange(8) + 20, np.array([28] * 8)), 1)
    window.wait_final()
    assert window.form.sources.count() == 2
    assert np.mean((window.result.data == 1) == truth) > 0.95
    alone = window.expected()
    assert not np.array_equal(window.result.data, alone)

    window.form.sources.item(0).setCheckState(Qt.CheckState.Unchecked)
    window.wait_final()
    np.testing.assert_array_equal(window.result.data, alone)

    window.form.image.choose(window.image)
    assert window.seeds.name == "strokes on cells"
    assert window.form.sources.count() == 2


def test_time_points_are_classified_as_they_come_on_screen(make_napari_viewer, qtbot):
    frames = np.stack([cells((48, 64), seed)[0] for seed in range(3)])
    window = ClassifierWindow(make_napari_viewer, qtbot, frames, axis_labels=("t", "y", "x"))
    seeds = window.new_seeds()
    window.mark_by_program(seeds)
    window.wait_final()
    assert [frame.any() for frame in window.result.data] == [False, True, False]
    window.viewer.dims.set_point(0, 2)
    qtbot.waitUntil(lambda: window.result.data[2].any(), timeout=30000)
    window.wait_final()
    assert [frame.any() for frame in window.result.data] == [False, True, True]
    truth = cells((48, 64))[1]
    for frame in window.result.data[1:]:
        assert np.mean((frame == 1) == truth) > 0.9


def test_recipe_classifies_an_image_without_strokes_and_is_learnt_from_again(window, tmp_path):
    window.mark_by_program()
    window.wait_final()
    recipe = tmp_path / "cells.yaml"
    window.panel.save_recipe(recipe)
    assert "Saved cells.yaml" in window.status
    text = recipe.read_text("utf-8")
    assert "seeds:" not in text
    assert "!!" not in text

    other, truth = cells(seed=3, gain=0.5)
    path = write_image(
        tmp_path / "other.ome.tif", Image(other, ("z", "y", "x"), SCALE, ("micrometer",) * 3)
    )
    assert main(["run", str(recipe), str(path), "-o", str(tmp_path / "out")]) == 0
    (entry,) = json.loads((tmp_path / "out" / "summary.json").read_text("utf-8"))["inputs"]
    written = np.squeeze(read_image(tmp_path / "out" / entry["outputs"]["labels"]).array)
    assert np.mean((written == 1) == truth) > 0.95

    # The same size in another unit, to which the lengths of the recipe are converted.
    scale = 1000 * np.array(SCALE)
    layer = window.viewer.add_image(other, name="other", scale=scale, units=("nm",) * 3)
    window.form.image.choose(layer)
    sigma = window.form.fields.values()["sigma"]
    window.panel.load(recipe)
    assert window.form.fields.values()["sigma"] == pytest.approx(sigma)
    window.form.sources.item(0).setCheckState(Qt.CheckState.Unchecked)
    window.click(window.form.controls.run)
    window.wait_final()
    np.testing.assert_array_equal(window.result.data, written)


def test_objects_and_probabilities_come_as_layers_and_stay_when_accepted(window):
    window.form.fields.set_value("result", "objects")
    window.form.fields.set_value("min_size", 100.0)
    window.form.fields.set_value("probabilities", True)
    window.mark_by_program()
    window.wait_final()
    result = window.result
    assert result.data.max() == 1
    assert np.mean((result.data == 1) == window.truth) > 0.95
    maps = [one for one in window.viewer.layers if "probability of" in one.name]
    assert [one.name for one in maps] == [
        "cells probability of label 1",
        "cells probability of label 2",
    ]
    assert all(isinstance(one, ImageLayer) for one in maps)
    np.testing.assert_allclose(sum(one.data for one in maps), 1, atol=1e-5)
    window.image.data[:, 12:36, 20:24] = 200
    window.click(window.form.controls.run)
    window.wait_final()
    np.testing.assert_array_equal(window.result.data, window.expected())
    window.click(window.form.accept)
    assert window.result is None
    window.mark_by_program(window.seeds)
    window.seeds.data_setitem((np.array([0]), np.array([0]), np.array([0])), 2)
    window.wait_final()
    assert window.result is not result
    assert result in window.viewer.layers


def test_marking_one_class_only_says_what_is_missing(window):
    seeds = window.new_seeds()
    drag(window.viewer, window.world((1, 24, 26)), window.world((1, 24, 38)))
    assert (seeds.data == 1).any()
    window.panel.seeds.look_if_due()
    window.qtbot.waitUntil(lambda: "Only one class is marked" in window.status, timeout=30000)
    assert window.result is None


def test_colours_of_the_same_brightness_are_told_apart(make_napari_viewer, qtbot):
    truth = cells((48, 64))[1]
    image = np.where(truth[..., None], (200, 90, 90), (90, 200, 90)).astype(np.uint8)
    window = ClassifierWindow(make_napari_viewer, qtbot, image, rgb=True)
    window.new_seeds()
    window.mark_by_program(window.seeds)
    window.wait_final()
    assert np.mean((window.result.data == 1) == truth) > 0.97
    assert "green: intensity" in window.form.insight.text()
    np.testing.assert_array_equal(window.result.data, window.expected())


def test_strokes_that_are_removed_while_they_are_learnt_from_stop_the_run(window):
    session = window.panel.session
    session.settle_seconds = 3600  # a run that nobody stops lasts as long
    seeds = window.mark_by_program()
    window.panel.seeds.look_if_due()
    window.qtbot.waitUntil(lambda: session.is_running, timeout=30000)
    states = []
    session.state_changed.connect(states.append)
    window.viewer.layers.remove(seeds)
    window.qtbot.waitUntil(lambda: "was removed while it was in use" in window.status)
    window.qtbot.waitUntil(lambda: not session.is_running, timeout=30000)
    # Neither the end of that run nor the strokes that are gone have begun another one.
    assert session.state == "idle"
    assert "running" not in states
    assert window.form.sources.count() == 0
    assert not window.form.controls.run.isEnabled()
