"""What a form shows of a run: labels, points, shapes, tables, numbers, recipes, previews."""

import csv

import numpy as np
import pytest
from form_window import FormBench, discs
from napari.layers import Labels, Points
from napari.layers import Shapes as ShapesLayer
from scipy import ndimage as ndi

from napari_seedbed.gui.forms.table_view import TableView, add_features
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.data.tables import Table
from napari_seedbed.pipeline.recipes import replays as recipes


@pytest.fixture
def open_form(qtbot, viewer_model):
    return lambda operation: FormBench(viewer_model, qtbot, operation)


def test_number_of_objects_is_said(open_form, viewer_model):
    picture, count = discs()
    viewer_model.add_labels((picture > 0).astype(np.uint8), name="mask")
    bench = open_form("label")
    bench.run()
    assert bench.form.status.text().startswith(f"{count} objects found.")


def test_count_is_said_and_takes_no_window_for_one_number(open_form, viewer_model):
    picture, count = discs()
    viewer_model.add_labels((picture > 0).astype(np.uint8), name="mask")
    bench = open_form("count")
    bench.run()
    assert bench.form.status.text() == f"{count} objects found. Done."
    assert bench.form.results.tables.view is None


def test_mask_of_many_objects_is_not_said_to_be_one(open_form, viewer_model):
    picture, count = discs()
    assert count > 1
    viewer_model.add_labels((picture > 0).astype(np.uint8), name="mask")
    bench = open_form("fill_holes")
    bench.follow()
    assert bench.form.status.text() == "Preview: 1 label in the image."
    bench.run()
    assert bench.form.status.text().startswith("1 label. Done")


def test_mask_that_an_operation_made_can_be_worked_on_as_labels(open_form, viewer_model):
    picture, count = discs()
    viewer_model.add_image(picture, name="cells", rgb=False)
    mask = open_form("threshold").run()[0]
    bench = open_form("label")
    assert bench.form.image.layer() is mask
    found = next(layer for layer in bench.run() if layer is not mask)
    wanted, n = ndi.label(picture > 0)
    assert n == count
    np.testing.assert_array_equal(found.data, wanted)


def test_chain_goes_on_from_the_newest_labels(open_form, viewer_model):
    data, _ = discs()
    viewer_model.add_labels(data.astype(np.int32), name="truth")
    image = viewer_model.add_image(data, name="cells")
    (mask,) = open_form("threshold").run()
    viewer_model.layers.selection.active = image
    filling = open_form("fill_holes")
    assert filling.form.image.layer() is mask
    filling.run()
    assert open_form("label").form.image.currentText() == "cells > Otsu > Fill holes"


def test_name_tells_the_picture_and_the_steps_of_a_chain(open_form, viewer_model):
    data, _ = discs()
    viewer_model.add_image(data, name="scan (1)")
    open_form("threshold").run()
    open_form("slic").run()
    (layer,) = (one for one in viewer_model.layers if "SLIC" in one.name)
    bench = open_form("fill_holes")
    bench.form.image.choose(layer)
    bench.run()
    assert [one.name for one in viewer_model.layers] == [
        "scan (1)",
        "scan (1) > Otsu",
        "scan (1) > SLIC",
        "scan (1) > SLIC > Fill holes",
    ]


def test_name_follows_the_method_until_a_person_gives_one(open_form, viewer_model):
    data, _ = discs()
    viewer_model.add_image(data, name="cells")
    bench = open_form("threshold")
    (mask,) = bench.run()
    assert mask.name == "cells > Otsu"
    bench.set(method="li")
    bench.run()
    assert mask.name == "cells > Li"
    mask.name = "mine"
    bench.set(method="yen")
    bench.run()
    assert mask.name == "mine"
    filling = open_form("fill_holes")
    filling.run()
    assert "mine > Fill holes" in viewer_model.layers


def test_labels_that_a_result_was_made_of_do_not_show_through_it(open_form, viewer_model):
    data, _ = discs()
    viewer_model.add_image(data, name="cells")
    drawn = viewer_model.add_labels((data > 0).astype(np.int32), name="drawn")
    viewer_model.layers.selection.active = viewer_model.layers["cells"]
    (mask,) = open_form("threshold").run()
    (found,) = set(open_form("label").run()) - {mask}
    assert (mask.visible, found.visible) == (False, True)
    bench = open_form("expand_labels")
    bench.form.image.choose(drawn)
    bench.run()
    assert drawn.visible


def test_result_that_was_hidden_is_seen_when_it_is_made_again(open_form, viewer_model):
    viewer_model.add_image(discs()[0], name="cells")
    bench = open_form("threshold")
    (mask,) = bench.run()
    open_form("label").run()
    assert not mask.visible
    bench.run()
    assert mask.visible


def test_preview_is_not_mixed_with_what_it_is_made_of_nor_with_the_last_result(
    open_form, viewer_model
):
    data, _ = discs()
    viewer_model.add_image(data, name="cells")
    open_form("threshold").run()
    (found,) = (one for one in open_form("label").run() if "Label" in one.name)
    bench = open_form("remove_by_size")
    bench.run()
    (kept,) = (one for one in bench.results if "Remove" in one.name)
    found.visible = True
    bench.set(smallest=50.0)
    bench.follow()
    assert len(bench.previews) == 1
    assert (found.visible, kept.visible) == (False, False)
    bench.follow(on=False)
    assert (found.visible, kept.visible) == (True, True)


def test_selected_layer_is_worked_on(open_form, viewer_model):
    data, _ = discs()
    for name in ("cells", "cells smoothed"):
        viewer_model.add_image(data, name=name)
    bench = open_form("threshold")
    assert bench.form.image.currentText() == "cells smoothed"
    viewer_model.layers.selection.active = viewer_model.layers["cells"]
    bench.form.reset_choices()
    assert bench.form.image.currentText() == "cells smoothed"


def test_preview_is_not_hidden_by_an_earlier_result(open_form, viewer_model):
    data, _ = discs()
    viewer_model.add_image(data, name="cells")
    (result,) = open_form("gaussian").run()
    bench = open_form("median")
    bench.follow()
    assert viewer_model.layers.index(bench.previews[0]) > viewer_model.layers.index(result)


def test_points_come_as_points_with_what_is_known_of_them(open_form, viewer_model):
    # a plus: four end points and one branch point
    cross = np.zeros((21, 21), np.uint8)
    cross[10, 2:19] = 1
    cross[2:19, 10] = 1
    viewer_model.add_labels(cross, name="lines", scale=(0.5, 0.5), translate=(7, 9))
    bench = open_form("skeleton_points")
    (found,) = bench.run()
    assert isinstance(found, Points)
    ends = {(2, 10), (18, 10), (10, 2), (10, 18)}
    assert ends <= {tuple(np.round(point).astype(int)) for point in found.data}
    assert len(found.features) == len(found.data)
    at = next(i for i, point in enumerate(found.data) if tuple(np.round(point)) == (2, 10))
    np.testing.assert_allclose(found.data_to_world(found.data[at]), (7 + 1, 9 + 5), atol=0.3)


def test_shapes_come_as_shapes(open_form, viewer_model):
    picture, _ = discs(centres=((20, 25),), radius=12)
    viewer_model.add_labels((picture > 0).astype(np.uint8), name="disc")
    bench = open_form("fit_circle")
    bench.run()
    (found,) = [layer for layer in bench.results if isinstance(layer, ShapesLayer)]
    centre = found.data[0].mean(axis=0)
    np.testing.assert_allclose(centre, (20, 25), atol=1)


def test_table_is_shown_and_saved(open_form, viewer_model, tmp_path):
    picture, _ = discs()
    viewer_model.add_labels(ndi.label(picture)[0].astype(np.int32), name="cells")
    bench = open_form("branch_table")
    bench.run()
    view = bench.form.results.tables.view
    assert view.view.model().rowCount() == len(view.table)
    view.save_to(tmp_path / "table.csv")
    with (tmp_path / "table.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == list(view.table.columns)
    assert len(rows) == 1 + len(view.table)


def test_cells_of_a_table_say_numbers_shortly(qtbot):
    view = TableView()
    qtbot.addWidget(view)
    view.show_table(Table({"label": np.array([3]), "area": np.array([1 / 3])}, "cells"))
    model = view.view.model()
    assert [model.data(model.index(0, i)) for i in range(2)] == ["3", "0.333333"]


def test_rows_of_labels_become_features_beside_those_that_are_there():
    layer = Labels(np.array([[1, 2, 3]]))
    layer.features = {"index": [1, 2, 3], "name": ["a", "b", "c"], "area": [0, 0, 0]}
    assert add_features(layer, {"label": np.array([3, 1]), "area": np.array([30.0, 10.0])})
    found = {row["index"]: (row["name"], row["area"]) for _, row in layer.features.iterrows()}
    assert found[1] == ("a", 10.0)
    assert found[3] == ("c", 30.0)
    assert found[2][0] == "b"


def test_rows_of_several_time_points_are_no_features():
    layer = Labels(np.array([[1, 2]]))
    assert not add_features(layer, {"label": np.array([1, 1]), "area": np.array([1.0, 2.0])})
    assert not add_features(layer, {"area": np.array([1.0])})


def test_saved_recipe_repeats_a_chain_of_forms(open_form, viewer_model, tmp_path):
    picture = np.random.default_rng(0).integers(0, 1000, (30, 40)).astype(np.uint16)
    viewer_model.add_image(picture, name="cells", rgb=False)
    smoothing = open_form("gaussian")
    assert not smoothing.form.save_button.isEnabled()
    smoothed = smoothing.run()[0]
    bench = open_form("threshold")
    bench.form.image.choose(smoothed)
    bench.run()
    assert bench.form.save_button.isEnabled()
    bench.form.save_recipe(tmp_path / "chain.yaml")
    recipe = recipes.load_recipe(tmp_path / "chain.yaml")
    assert [step.operation for step in recipe.steps] == ["gaussian", "threshold"]
    repeated = recipes.replay(recipe, Image(picture, ("y", "x"))).image("mask")
    found = next(layer for layer in bench.results if isinstance(layer, Labels))
    np.testing.assert_array_equal(repeated.array != 0, found.data != 0)


def test_preview_gives_way_to_the_result_and_comes_back_with_other_parameters(
    open_form, viewer_model
):
    viewer_model.add_image(np.random.default_rng(0).random((20, 24)).astype(np.float32), rgb=False)
    bench = open_form("gaussian")
    bench.follow()
    assert len(bench.previews) == 1
    bench.run()
    bench.wait()
    assert bench.previews == []
    bench.set(sigma=3.0)
    bench.wait()
    assert len(bench.previews) == 1
    bench.follow(False)
    assert bench.previews == []


def test_preview_goes_with_the_form_and_comes_back_with_it(open_form, viewer_model):
    viewer_model.add_image(np.random.default_rng(0).random((20, 24)).astype(np.float32), rgb=False)
    bench = open_form("gaussian")
    bench.follow()
    bench.form.hide()
    bench.wait()
    assert bench.previews == []
    bench.form.show()
    bench.wait()
    assert len(bench.previews) == 1


def test_preview_follows_paint_on_the_labels_that_are_worked_on(open_form, viewer_model):
    picture, count = discs()
    layer = viewer_model.add_labels((picture > 0).astype(np.int32), name="mask")
    bench = open_form("label")
    bench.follow()
    assert f"{count} objects" in bench.form.status.text()
    layer.data_setitem((np.array([39]), np.array([49])), 1)
    bench.qtbot.waitUntil(
        lambda: f"{count + 1} objects" in bench.form.status.text(), timeout=20_000
    )


def test_points_are_seeds_for_operations_that_start_from_marks(open_form, viewer_model):
    picture, count = discs()
    viewer_model.add_image(picture, name="cells", rgb=False)
    points = viewer_model.add_points([(10, 12), (12, 36), (30, 24), (1, 1)], size=2)
    bench = open_form("seeded_watershed")
    assert bench.form.inputs.others["start"].layer() is points
    (found,) = bench.run()
    assert len(np.unique(found.data)) >= count + 1


def test_new_makes_a_layer_to_draw_on_and_chooses_it(open_form, viewer_model):
    viewer_model.add_image(np.zeros((20, 24), np.uint8), rgb=False)
    bench = open_form("crop")
    combo = bench.form.inputs.others["shapes"]
    assert combo.layer() is None
    bench.form.inputs._make_marks("shapes", "shapes")
    assert isinstance(combo.layer(), ShapesLayer)
    assert viewer_model.layers.selection.active is combo.layer()


def test_input_that_is_missing_is_named(open_form, viewer_model, monkeypatch):
    shown = []
    monkeypatch.setattr("napari_seedbed.gui.qt.errors.show_warning", shown.append)
    viewer_model.add_image(np.zeros((20, 24), np.uint8), rgb=False)
    bench = open_form("seeded_watershed")
    assert bench.run() == []
    assert "press New" in shown[0]
