"""Scores in the window are those of the core; errors are gone to, hits and misses shown."""

import json

import numpy as np
import pytest
from form_window import FormBench, discs
from napari.layers import Image as ImageLayer
from painting import drag
from scores_window import ScoresBench, ScoresWindow, pair

from napari_seedbed.core import segmentation_scores
from napari_seedbed.gui.forms import panel as panel_base
from napari_seedbed.gui.layers.image_layers import image_of
from napari_seedbed.gui.layers.layer_records import METADATA_KEY, PREVIEW
from napari_seedbed.gui.tools.scores.score_rows import TITLES
from napari_seedbed.pipeline.recipes import load_recipe, replay


@pytest.fixture
def bench(viewer_model, qtbot):
    return ScoresBench(viewer_model, qtbot)


def dice_of(truth, result):
    both = np.count_nonzero((truth > 0) & (result > 0))
    return 2 * both / (np.count_nonzero(truth > 0) + np.count_nonzero(result > 0))


# Scoring


def test_all_scores_stand_in_the_table(bench):
    bench.score()
    expected = segmentation_scores(*pair())
    assert bench.value("Dice") == pytest.approx(expected["dice"], rel=1e-3)
    assert bench.value("IoU") == pytest.approx(expected["iou"], rel=1e-3)
    assert bench.value("panoptic quality") == pytest.approx(expected["panoptic_quality"], rel=1e-3)
    assert bench.value("F1 at IoU 0.5") == pytest.approx(expected["object_f1"][0], rel=1e-3)
    assert bench.value("adapted Rand error") == pytest.approx(
        expected["adapted_rand_error"], rel=1e-3
    )
    assert "Dice" in bench.status


def test_distances_are_in_the_unit_of_the_truth(viewer_model, qtbot):
    bench = ScoresBench(viewer_model, qtbot, scale=(0.5, 0.5), units=("um", "um"))
    bench.score()
    expected = segmentation_scores(*pair(), spacing=(0.5, 0.5))["hausdorff_distance"]
    assert bench.value("Hausdorff distance (micrometer)") == pytest.approx(expected, rel=1e-3)


def test_errors_are_listed_with_their_objects(bench):
    bench.score()
    found = bench.errors()
    assert ("split", 1) in found
    assert ("merged", 3) in found
    assert ("missed", 4) in found
    assert ("added", 4) in found
    assert bench.form.errors_title.text().startswith("1 split, 1 merged, 1 missed, 1 added")


def test_a_click_on_an_error_goes_there_and_chooses_the_object(bench):
    bench.score()
    line = bench.errors().index(("missed", 4))
    bench.click_error(line)
    assert bench.viewer.scene.camera.center[1:] == (44.0, 10.0)
    assert bench.truth.selected_label == 4


def test_a_click_on_an_error_goes_to_its_slice_and_time_point(viewer_model, qtbot):
    truth, result = np.zeros((2, 3, 8, 30, 30), np.int32)
    truth[2, 5:7, 10:20, 10:20] = 6
    result[2, 0:2, 22:28, 22:28] = 3
    truth[0, :, 2:5, 2:5] = result[0, :, 2:5, 2:5] = 1
    bench = ScoresBench(viewer_model, qtbot, truth, result, axis_labels=("t", "z", "y", "x"))
    bench.score()
    bench.click_error(bench.errors().index(("missed", 6)))
    assert viewer_model.dims.point[:2] == (2, 6)


def test_series_show_the_mean_and_the_time_point_on_screen(viewer_model, qtbot):
    truth, result = pair()
    films = np.stack([truth, truth]), np.stack([truth, result])
    bench = ScoresBench(viewer_model, qtbot, *films, axis_labels=("t", "y", "x"))
    viewer_model.dims.set_point(0, 0)
    bench.score()
    half = dice_of(truth, result)
    assert bench.value("Dice", 1) == pytest.approx((1 + half) / 2, rel=1e-3)
    assert bench.value("Dice", 2) == 1
    viewer_model.dims.set_point(0, 1)
    assert bench.value("Dice", 2) == pytest.approx(half, rel=1e-3)


def test_the_background_of_a_random_walk_is_named(viewer_model, qtbot):
    truth, _ = pair()
    bench = ScoresBench(viewer_model, qtbot, truth, truth + 1)
    bench.score()
    assert bench.value("Dice") < 1
    bench.form.background.setValue(1)
    bench.score()
    assert bench.value("Dice") == 1


def test_a_result_on_another_grid_is_scored_where_it_lies(viewer_model, qtbot):
    truth, _ = pair()
    bench = ScoresBench(viewer_model, qtbot, truth)
    viewer_model.add_labels(truth[:, 3:].copy(), name="cut", translate=(0, 3))
    bench.score()
    assert bench.value("Dice") == 1


def test_without_a_truth_there_is_nothing_to_press(viewer_model, qtbot):
    bench = ScoresBench(viewer_model, qtbot, pair()[0])
    assert not bench.form.run.isEnabled()


def test_everything_is_saved_as_json_and_scores_as_csv(bench, tmp_path):
    bench.score()
    bench.panel.save(tmp_path / "scores.json")
    bench.panel.save(tmp_path / "scores.csv")
    saved = json.loads((tmp_path / "scores.json").read_text())
    assert saved["scores"]["dice"] == pytest.approx(dice_of(*pair()))
    assert (tmp_path / "scores.csv").read_text().startswith("score,value\nDice,")


# Hits and misses


def test_hits_misses_and_false_parts_are_shown_in_place(viewer_model, qtbot):
    bench = ScoresBench(viewer_model, qtbot, scale=(0.5, 2), translate=(3, 4))
    bench.click(bench.form.overlay)
    bench.score()
    truth, result = pair()
    shown = bench.overlay()
    assert np.array_equal(shown.data == 1, (truth > 0) & (result > 0))
    assert np.array_equal(shown.data == 2, (truth > 0) & (result == 0))
    assert np.array_equal(shown.data == 3, (truth == 0) & (result > 0))
    assert np.allclose(shown.scale, (0.5, 2))
    colours = {tuple(shown.colormap.map(np.array([n]))[0]) for n in (1, 2, 3)}
    assert len(colours) == 3
    assert bench.form.result.findText(shown.name) == -1
    bench.click(bench.form.overlay)
    assert bench.overlay() is None


# Live


def test_the_live_score_follows_the_result(bench):
    bench.click(bench.form.live)
    truth, result = pair()
    bench.wait_live(f"Dice {dice_of(truth, result):.3f}")
    bench.result.data_setitem(np.nonzero(truth == 4), 9)
    result[truth == 4] = 9
    bench.wait_live(f"Dice {dice_of(truth, result):.3f}")


def test_the_live_score_is_that_of_the_slice_in_view(viewer_model, qtbot):
    truth, result = pair()
    volumes = np.stack([truth, truth]), np.stack([truth, result])
    bench = ScoresBench(viewer_model, qtbot, *volumes, scale=(3, 1, 1))
    bench.click(bench.form.live)
    viewer_model.dims.set_point(0, 0)
    bench.wait_live("Dice 1.000")
    assert "on z 0" in bench.live
    viewer_model.dims.set_point(0, 3)
    bench.wait_live(f"Dice {dice_of(truth, result):.3f}")


def test_a_preview_is_scored_before_any_result(bench):
    truth, _ = pair()
    bench.click(bench.form.live)
    bench.wait_live("result: ")
    preview = bench.viewer.add_labels(
        truth.copy(), name="threshold (preview)", metadata={METADATA_KEY: PREVIEW}
    )
    bench.wait_live("Dice 1.000")
    assert "threshold (preview)" in bench.live
    bench.viewer.layers.remove(preview)
    bench.wait_live("result: ")


def test_a_preview_of_one_slice_is_scored_on_that_slice(viewer_model, qtbot):
    truth, result = pair()
    bench = ScoresBench(viewer_model, qtbot, np.stack([truth, truth, truth]), scale=(2, 1, 1))
    viewer_model.dims.set_point(0, 2)
    preview = {"metadata": {METADATA_KEY: PREVIEW}, "scale": (2, 1, 1), "translate": (2, 0, 0)}
    viewer_model.add_labels(result[np.newaxis], name="slice (preview)", **preview)
    bench.click(bench.form.live)
    bench.wait_live(f"Dice {dice_of(truth, result):.3f}")
    assert "on z 1" in bench.live


def test_a_live_preview_of_an_operation_is_scored(viewer_model, qtbot):
    from napari_seedbed.gui.forms.live_preview import Asked, LivePreview
    from napari_seedbed.gui.layers.image_layers import image_of

    truth, _ = pair()
    grey = viewer_model.add_image(truth * 50.0 + 10, name="grey", rgb=False)
    bench = ScoresBench(viewer_model, qtbot, truth)
    bench.click(bench.form.live)
    threshold = {"value": 20.0, "method": "manual"}

    def ask():
        return Asked("threshold", {"image": image_of(grey)}, dict(threshold), grey, None, "light")

    preview = LivePreview(viewer_model, ask, lambda text: None)
    preview.set_on(True)
    bench.wait_live("Dice 1.000")
    threshold["value"] = 150.0
    preview.look_again()
    bench.wait_live(f"Dice {dice_of(truth, truth >= 3):.3f}")
    preview.close()


def test_live_stops_when_switched_off(bench):
    bench.click(bench.form.live)
    bench.wait_live("Dice")
    bench.click(bench.form.live)
    assert bench.live == ""
    bench.result.data_setitem((np.array([0]), np.array([0])), 9)
    bench.qtbot.wait(200)
    assert bench.live == ""


# Without a ground truth


@pytest.mark.parametrize(
    ("button", "name"), [("entropy", "Local entropy"), ("noise", "Residual noise")]
)
def test_hints_are_maps_named_as_hints(viewer_model, qtbot, rng, button, name):
    image = rng.normal(100, 3, (60, 80))
    viewer_model.add_image(image, name="grey")
    bench = ScoresBench(viewer_model, qtbot)
    bench.form.without_truth.toggle()
    bench.click(getattr(bench.form, button))
    qtbot.waitUntil(lambda: not bench.panel.is_busy, timeout=60000)
    [made] = [
        layer
        for layer in viewer_model.layers
        if isinstance(layer, ImageLayer) and layer.name != "grey"
    ]
    assert made.name == f"grey ({name}, a hint)"
    said = bench.form.hints.text()
    assert "a hint and no score" in said
    assert "In the objects" in said
    if button == "noise":
        assert np.mean(made.data) == pytest.approx(3, rel=0.05)


# In a window, with the mouse


@pytest.mark.display
def test_an_error_comes_to_the_middle_and_strokes_mend_the_live_score(make_napari_viewer, qtbot):
    window = ScoresWindow(make_napari_viewer, qtbot)
    window.score()
    window.click_error(window.errors().index(("missed", 4)))
    qtbot.wait(50)
    assert np.allclose(window.pixel((44.5, 9.5)), window.middle(), atol=12)
    window.click(window.form.live)
    window.wait_live("Dice")
    before = window.live
    window.viewer.layers.selection.active = window.result
    window.result.mode = "paint"
    window.result.brush_size = 6
    drag(window.viewer, (45, 7), (45, 12))
    qtbot.waitUntil(lambda: window.live != before, timeout=10000)
    truth, _ = pair()
    window.wait_live(f"Dice {dice_of(truth, window.result.data):.3f}")


def test_values_are_in_view_in_a_narrow_dock(bench):
    bench.panel.resize(320, 700)
    bench.score()
    table = bench.form.scores
    for _ in range(2):
        edge = table.columnViewportPosition(1) + table.columnWidth(1)
        assert 0 < edge <= table.viewport().width()
        bench.score()


def test_a_saved_recipe_makes_the_result_and_the_scores_again(
    viewer_model, qtbot, tmp_path, monkeypatch
):
    picture, _ = discs()
    place = {"scale": (0.5, 0.5), "units": ("um", "um")}
    layer = viewer_model.add_image(picture, **place)
    FormBench(viewer_model, qtbot, "slic").run()
    known = np.roll((picture > 500).astype(np.int32), 2, 1)
    bench = ScoresBench(viewer_model, qtbot, known, **place)
    bench.score()
    path = tmp_path / "scores.yaml"
    monkeypatch.setattr(panel_base, "ask_for_recipe_path", lambda *_: path)
    bench.click(bench.form.save_recipe)
    recipe = load_recipe(path)
    assert [step.operation for step in recipe.steps] == ["slic", "scores"]
    again = replay(recipe, image_of(layer), other=image_of(bench.truth)).table().columns
    values = dict(zip(again["score"], again["value"], strict=True))
    for name, title in TITLES.items():
        unit = f" ({bench.panel.scoring['unit']})" if "distance" in name else ""
        assert bench.value(title + unit) == pytest.approx(values[name], rel=1e-3), name


def test_scores_of_a_live_preview_have_no_recipe(bench):
    bench.result.metadata[METADATA_KEY] = PREVIEW
    bench.score()
    bench.click(bench.form.save_recipe)
    assert "live preview" in bench.status
