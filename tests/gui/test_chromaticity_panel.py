"""The chromaticity panel: patches, histogram, preview, results, recipes; with a real mouse."""

import numpy as np
import pytest
from colour_window import BLUE, OCHRE, ColourBench, ColourWindow, two_colours
from napari.layers import Labels, Shapes
from painting import move_to
from qtpy.QtCore import Qt
from snakes_window import Heartbeat

from napari_seedbed.core.colour.colour_classes import LEVELS
from napari_seedbed.pipeline.image import Image
from napari_seedbed.pipeline.operations import run
from napari_seedbed.pipeline.recipes import load_recipe, replay

LEFT = np.broadcast_to(np.arange(60) < 30, (40, 60))
BLUE_BOX = [(0.12, 0.22), (0.28, 0.38)]


def agrees(labels, truth, share=0.95):
    return np.mean((np.asarray(labels) > 0) == truth) >= share


@pytest.fixture
def bench(viewer_model, qtbot):
    return ColourBench(viewer_model, qtbot)


@pytest.fixture
def learnt(bench):
    bench.add_patch(10, 4)
    bench.form.threshold.set_value(0.02)
    bench.wait()
    return bench


def test_patch_and_lasso_drawn_with_the_mouse_find_their_colours(make_napari_viewer, qtbot):
    window = ColourWindow(make_napari_viewer, qtbot)
    window.qtbot.mouseClick(window.form.new_patch, Qt.MouseButton.LeftButton)
    window.drag((8, 5), (20, 20))
    patches = window.form.patches.layer()
    assert isinstance(patches, Shapes)
    assert len(patches.data) == 1
    np.testing.assert_allclose(patches.data[0].min(axis=0), (8, 5), atol=1)
    window.form.threshold.set_value(0.02)
    window.wait()
    assert agrees(window.preview().data, LEFT)
    # A lasso among the colours of the other half takes over.
    r, g = OCHRE[:2]
    turns = np.linspace(0, 2 * np.pi, 9)
    places = [(r + 0.06 * np.cos(t), g + 0.06 * np.sin(t)) for t in turns]
    window.draw_on_histogram("lasso", places)
    assert window.form.operation().name == "colour_selection"
    assert len(window.form.colour_plot.outline()) >= 8
    assert agrees(window.preview().data, ~LEFT)
    # The pixel under the mouse is shown in the histogram.
    move_to(window.viewer, window.image.data_to_world((20, 10)))
    spots = window.form.colour_plot._cursor.points()
    assert len(spots) == 1
    assert abs(spots[0].pos().x() - BLUE[0]) < 0.05
    assert abs(spots[0].pos().y() - BLUE[1]) < 0.05
    move_to(window.viewer, window.image.data_to_world((-30, 10)))
    assert len(window.form.colour_plot._cursor.points()) == 0


def test_box_on_the_histogram_selects_pixels_until_it_is_cleared(bench):
    bench.form.colour_plot.box.setRange(xRange=(0, 0.7), yRange=(0, 0.7))
    bench.draw_on_histogram("box", BLUE_BOX)
    corners = bench.form.colour_plot.outline()
    np.testing.assert_allclose(corners.min(axis=0), BLUE_BOX[0], atol=0.01)
    np.testing.assert_allclose(corners.max(axis=0), BLUE_BOX[1], atol=0.01)
    assert agrees(bench.preview().data, LEFT)
    bench.run()
    (mask,) = bench.layers("mask")
    assert agrees(mask.data, LEFT)
    bench.qtbot.mouseClick(bench.form.colour_plot.clear, Qt.MouseButton.LeftButton)
    bench.wait()
    assert bench.preview() is None
    assert not bench.form.run.isEnabled()


def test_dragging_with_no_tool_moves_the_histogram_and_selects_nothing(bench):
    before = bench.form.colour_plot.box.viewRange()
    bench.draw_on_histogram("move", [(0.3, 0.3), (0.35, 0.32)])
    assert bench.form.colour_plot.outline() is None
    assert bench.form.colour_plot.box.viewRange() != before
    assert bench.form.operation().name != "colour_selection"


@pytest.mark.parametrize("method", ["chromaticity_gaussian", "histogram_backprojection"])
def test_preview_is_what_the_operation_gives_and_follows_the_threshold(learnt, method):
    learnt.use(method)
    for threshold in (0.02, 0.6):
        learnt.form.threshold.set_value(threshold)
        learnt.wait()
        shapes = learnt.panel.watch.layer
        assert isinstance(shapes, Shapes)
        colours = learnt.form.colours.toPlainText()
        expected = run(
            method, {"image": Image(learnt.image.data, ("y", "x", "c"), rgb=True)},
            {"colours": colours, "threshold": threshold, "mask": True},
        )  # fmt: skip
        np.testing.assert_array_equal(learnt.preview().data > 0, expected.image("mask").array)


def test_patches_of_two_classes_become_labels_in_their_colours(learnt):
    layer = learnt.add_patch(12, 44, label=2)
    assert list(layer.features["label"]) == [1, 2]
    assert not np.array_equal(layer.edge_color[0], layer.edge_color[1])
    labels = learnt.preview().data
    assert agrees(labels == 1, LEFT)
    assert agrees(labels == 2, ~LEFT)
    np.testing.assert_allclose(learnt.preview().get_color(2), layer.edge_color[1], atol=0.01)
    learnt.run()
    (result,) = learnt.layers("labels")
    np.testing.assert_array_equal(np.unique(result.data), [0, 1, 2])


def test_moving_a_patch_learns_anew(learnt):
    layer = learnt.form.patches.layer()
    layer.data = [layer.data[0] + (0, 40)]
    learnt.wait()
    assert agrees(learnt.preview().data, ~LEFT)
    layer.data = []
    learnt.wait()
    assert learnt.preview() is None
    assert not learnt.form.run.isEnabled()


def test_labels_layer_marks_patches_as_well(bench):
    marks = Labels(np.zeros((40, 60), np.int32), name="strokes")
    marks.data[5:9, 40:50] = 3
    bench.viewer.add_layer(marks)
    bench.form.patches.choose(marks)
    bench.form.threshold.set_value(0.02)
    bench.wait()
    assert agrees(bench.preview().data, ~LEFT)


def test_all_wanted_layers_come_and_are_updated_in_place(learnt):
    for box in learnt.form.wanted.values():
        box.setChecked(True)
    learnt.run()
    names = sorted(layer.name for layer in learnt.viewer.layers)
    assert names == sorted([
        "picture", "patches of picture", "picture mask", "picture probability",
        "picture in colour", "picture probability of r", "picture probability of g",
        "picture probability of label 1",
    ])  # fmt: skip
    assert learnt.preview() is None
    probability = learnt.viewer.layers["picture probability"]
    assert tuple(probability.contrast_limits) == (0, 1)
    product = (
        learnt.viewer.layers["picture probability of r"].data
        * learnt.viewer.layers["picture probability of g"].data
    )
    np.testing.assert_allclose(probability.data, product, atol=1e-5)
    composite = learnt.viewer.layers["picture in colour"]
    assert composite.rgb
    mask = learnt.viewer.layers["picture mask"].data > 0
    np.testing.assert_array_equal(composite.data[mask], learnt.image.data[mask])
    learnt.form.threshold.set_value(0.9)
    learnt.run()
    assert len(learnt.viewer.layers) == len(names)
    assert (learnt.viewer.layers["picture mask"].data > 0).sum() < mask.sum()


def test_recipe_of_colours_finds_them_in_a_picture_of_another_size(learnt, tmp_path):
    learnt.run()
    learnt.panel.save_recipe(tmp_path / "blue.yaml")
    recipe = load_recipe(tmp_path / "blue.yaml")
    assert not recipe.steps[0].starts
    other = Image(two_colours((30, 80)), ("y", "x", "c"), rgb=True)
    mask = replay(recipe, other).image("mask").array
    assert agrees(mask, np.broadcast_to(np.arange(80) < 40, (30, 80)))


def test_recipe_of_patches_keeps_their_places(learnt, tmp_path):
    learnt.form.keeps.setCurrentIndex(learnt.form.keeps.findData("patches"))
    learnt.run()
    (mask,) = learnt.layers("mask")
    learnt.panel.save_recipe(tmp_path / "patch.yaml")
    recipe = load_recipe(tmp_path / "patch.yaml")
    assert recipe.steps[0].starts == ("shapes",)
    image = Image(learnt.image.data, ("y", "x", "c"), rgb=True)
    np.testing.assert_array_equal(replay(recipe, image).image("mask").array, mask.data > 0)
    flipped = Image(learnt.image.data[:, ::-1].copy(), ("y", "x", "c"), rgb=True)
    assert agrees(replay(recipe, flipped).image("mask").array, ~LEFT[:, ::-1], 0)
    assert replay(recipe, flipped).image("mask").array[:, :30].mean() > 0.9


@pytest.mark.parametrize("method", ["chromaticity_gaussian", "histogram_backprojection"])
def test_held_colours_are_found_in_another_image(learnt, method):
    learnt.use(method)
    learnt.form.hold.setChecked(True)
    learnt.wait()
    other = learnt.viewer.add_image(two_colours((24, 80)), rgb=True, name="other")
    learnt.form.image.choose(other)
    learnt.wait()
    assert agrees(learnt.preview().data, np.broadcast_to(np.arange(80) < 40, (24, 80)))
    assert learnt.form.run.isEnabled()


def test_held_colours_can_be_typed_and_what_is_wrong_is_told(learnt):
    learnt.form.hold.setChecked(True)
    learnt.form.colours.setPlainText("1: mean 0.5 0.35 sigma 0.05 0.05")
    learnt.wait()
    assert agrees(learnt.preview().data, ~LEFT)
    learnt.form.colours.setPlainText("1: mean 0.5")
    learnt.wait()
    assert "sigma or covariance" in learnt.status
    assert learnt.preview() is None


def test_click_on_a_level_takes_its_threshold(learnt):
    learnt.qtbot.mouseClick(learnt.form.compare, Qt.MouseButton.LeftButton)
    learnt.wait()
    sheet = learnt.panel.sheet
    assert sheet.isVisible()
    assert [button.text().split(":")[0] for button in sheet.buttons] == [f"{n:g}" for n in LEVELS]
    learnt.qtbot.mouseClick(sheet.buttons[2], Qt.MouseButton.LeftButton)
    assert learnt.form.threshold.value() == LEVELS[2]
    learnt.wait()
    colours = learnt.form.colours.toPlainText()
    expected = run(
        "chromaticity_gaussian", {"image": Image(learnt.image.data, ("y", "x", "c"), rgb=True)},
        {"colours": colours, "threshold": LEVELS[2], "mask": True},
    )  # fmt: skip
    np.testing.assert_array_equal(learnt.preview().data > 0, expected.image("mask").array)


@pytest.mark.parametrize("space", ["hue", "hue_saturation", "channels"])
def test_back_projection_works_in_the_space_that_is_shown(learnt, space):
    learnt.use("histogram_backprojection", method="patch", smoothing=2.0)
    learnt.form.space.setCurrentIndex(learnt.form.space.findData(space))
    learnt.wait()
    assert learnt.form.own_parameters()["space"] == space
    share = 0.8 if space == "channels" else 0.95
    assert agrees(learnt.preview().data, LEFT, share)


def test_volume_previews_its_slice_and_runs_on_all_of_it(viewer_model, qtbot):
    bench = ColourBench(viewer_model, qtbot, two_colours((5, 40, 60)), scale=(2, 1, 1))
    bench.viewer.dims.set_point(0, 4.0)
    bench.wait()
    bench.add_patch(10, 4)
    bench.form.threshold.set_value(0.02)
    bench.wait()
    assert agrees(np.squeeze(bench.preview().data), LEFT)
    bench.form.apply_to.setCurrentIndex(bench.form.apply_to.findData("slice"))
    bench.run()
    (part,) = bench.layers("mask, z 2")
    assert part.data.size == 40 * 60
    bench.form.apply_to.setCurrentIndex(bench.form.apply_to.findData("all"))
    bench.run()
    (mask,) = [layer for layer in bench.layers("mask") if layer is not part]
    assert mask.data.shape == (5, 40, 60)
    np.testing.assert_array_equal(mask.data[2], np.squeeze(part.data))


def test_histogram_counts_the_slice_or_the_volume(viewer_model, qtbot):
    bench = ColourBench(viewer_model, qtbot, two_colours((5, 40, 60)))
    assert bench.panel.shown.histogram.total == 40 * 60
    bench.form.extent.setCurrentIndex(1)
    bench.wait()
    assert bench.panel.shown.histogram.total == 5 * 40 * 60


def test_colours_of_a_patch_on_one_frame_are_found_in_the_whole_series(viewer_model, qtbot):
    film = two_colours((4, 40, 60))
    bench = ColourBench(viewer_model, qtbot, film, axis_labels=("t", "y", "x"))
    bench.viewer.dims.set_point(0, 2)
    bench.add_patch(10, 4)
    bench.form.threshold.set_value(0.02)
    bench.run()
    (mask,) = bench.layers("mask")
    assert mask.data.shape == (4, 40, 60)
    assert all(agrees(frame, LEFT) for frame in mask.data)


def test_separate_channels_count_as_colours(viewer_model, qtbot):
    colours = np.moveaxis(two_colours(), -1, 0)
    stack = np.concatenate([colours, 255 - colours[:1]]).astype(np.uint16)
    bench = ColourBench(viewer_model, qtbot, stack, rgb=False, axis_labels=("c", "y", "x"))
    assert bench.form.pair.first.count() == 4
    marks = Labels(np.zeros((40, 60), np.int32), name="strokes")
    marks.data[5:15, 5:15] = 1
    bench.viewer.add_layer(marks)
    bench.form.patches.choose(marks)
    bench.form.threshold.set_value(0.001)
    bench.wait()
    found = np.squeeze(np.asarray(bench.preview().data)) > 0
    assert found[:, :30].mean() > 0.8
    assert not found[:, 30:].any()


def test_one_channel_is_told_and_not_run(viewer_model, qtbot):
    bench = ColourBench(viewer_model, qtbot, two_colours()[..., 0], rgb=False)
    assert "two channels" in bench.status
    assert not bench.form.run.isEnabled()


def test_patch_outside_the_image_is_told(bench):
    bench.add_patch(100, 200)
    assert "outside" in bench.status
    assert bench.preview() is None


def test_window_lives_while_a_large_image_is_worked_on(viewer_model, qtbot):
    bench = ColourBench(viewer_model, qtbot, two_colours((2048, 2048)))
    with Heartbeat() as beat:
        bench.add_patch(300, 300, size=200)
        for threshold in (0.1, 0.3, 0.5):
            bench.form.threshold.set_value(threshold)
            qtbot.wait(30)
        bench.wait()
    assert bench.preview() is not None
    assert beat.stuck < 0.5


def test_closed_panel_leaves_nothing_behind(learnt):
    learnt.panel.hide()
    learnt.wait()
    assert learnt.preview() is None
    assert {layer.name for layer in learnt.viewer.layers} == {"picture", "patches of picture"}
