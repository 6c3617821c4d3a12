"""The chromaticity panel: patches, preview, levels, results, recipes."""

import numpy as np
import pytest
from colour_window import LEFT, ColourBench, agrees, two_colours
from napari.layers import Labels, Shapes
from qtpy.QtCore import Qt

from napari_seedbed.core.colour.colour_classes import LEVELS
from napari_seedbed.gui.layers.shape_results import WIDTH_SHARE
from napari_seedbed.gui.tools.colour.marked_area import area_in_words
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.operations import run
from napari_seedbed.pipeline.recipes import load_recipe, replay


@pytest.fixture
def bench(viewer_model, qtbot):
    return ColourBench(viewer_model, qtbot)


@pytest.fixture
def learnt(bench):
    bench.add_patch(10, 4)
    bench.form.threshold.set_value(0.02)
    bench.wait()
    return bench


@pytest.mark.parametrize("method", ["chromaticity_gaussian", "histogram_backprojection"])
def test_preview_is_what_the_operation_gives_and_follows_the_threshold(learnt, method):
    learnt.use(method)
    for threshold in (0.02, 0.6):
        learnt.form.threshold.set_value(threshold)
        learnt.wait()
        shapes = learnt.panel.seeds.layer
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
        "picture", "patches of picture", "picture > mask", "picture > probability",
        "picture > in colour", "picture > probability of r", "picture > probability of g",
        "picture > probability of label 1",
    ])  # fmt: skip
    assert learnt.preview() is None
    probability = learnt.viewer.layers["picture > probability"]
    assert tuple(probability.contrast_limits) == (0, 1)
    product = (
        learnt.viewer.layers["picture > probability of r"].data
        * learnt.viewer.layers["picture > probability of g"].data
    )
    np.testing.assert_allclose(probability.data, product, atol=1e-5)
    composite = learnt.viewer.layers["picture > in colour"]
    assert composite.rgb
    mask = learnt.viewer.layers["picture > mask"].data > 0
    np.testing.assert_array_equal(composite.data[mask], learnt.image.data[mask])
    learnt.form.threshold.set_value(0.9)
    learnt.run()
    assert len(learnt.viewer.layers) == len(names)
    assert (learnt.viewer.layers["picture > mask"].data > 0).sum() < mask.sum()


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


def test_outlines_of_patches_are_twice_as_wide_as_those_of_results(learnt):
    patches = learnt.form.patches.layer()
    assert set(patches.edge_width) == {2 * max(LEFT.shape) * WIDTH_SHARE}


def test_click_on_a_level_takes_its_threshold(learnt):
    learnt.qtbot.mouseClick(learnt.form.compare, Qt.MouseButton.LeftButton)
    learnt.wait()
    sheet = learnt.panel.sheet
    assert sheet.isVisible()
    assert [button.text().split(":")[0] for button in sheet.buttons] == [f"{n:g}" for n in LEVELS]
    learnt.qtbot.mouseClick(sheet.buttons[2], Qt.MouseButton.LeftButton)
    assert learnt.form.threshold.value() == LEVELS[2]
    learnt.wait()
    assert "Click" not in learnt.status
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


def test_patch_outside_the_image_is_told(bench):
    bench.add_patch(100, 200)
    assert "outside" in bench.status
    assert bench.preview() is None


def test_closed_panel_leaves_nothing_behind(learnt):
    learnt.panel.hide()
    learnt.wait()
    assert learnt.preview() is None
    assert {layer.name for layer in learnt.viewer.layers} == {"picture", "patches of picture"}


def test_area_and_share_of_the_picture_follow_the_threshold(viewer_model, qtbot):
    bench = ColourBench(viewer_model, qtbot, scale=(0.5, 0.5), units=("um", "um"))
    assert bench.form.area.text() == ""
    bench.add_patch(10, 5)
    for threshold in (0.2, 0.9):
        bench.form.threshold.set_value(threshold)
        bench.wait()
        (layer,) = bench.panel.preview.layers
        count = int((np.asarray(layer.data) > 0).sum())
        assert count
        area, share = count * 0.25, 100 * count / (40 * 60)
        area = f"{area:.0f}" if area >= 100 else f"{area:.3g}"
        assert bench.form.area.text() == f"Marked: {area} µm², {share:.3g} % of the picture."
    bench.run()
    assert f"Marked: {area} µm²" in bench.status
    assert bench.form.area.text() == ""


def test_each_class_of_a_volume_has_a_share():
    classes = np.zeros((2, 5, 10), int)
    classes[0, 0], classes[1] = 1, 2
    image = Image(classes, ("z", "y", "x"), (2.0, 1.0, 1.0), ("micrometer",) * 3)
    assert area_in_words(image) == (
        "Marked: class 1 20 µm³, 10 %; class 2 100 µm³, 50 % of the volume."
    )
    film = Image(classes > 0, ("t", "y", "x"))
    assert area_in_words(film) == "Marked: 60 % of the series."
    assert area_in_words(film.select_time(0)) == "Marked: 10 pixels, 20 % of the picture."
