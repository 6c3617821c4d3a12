"""Shapes drawn with a real mouse in a real window settle on what they were drawn around."""

from pathlib import Path

import numpy as np
import pytest
from napari.layers import Labels, Shapes
from painting import trace
from qtpy.QtWidgets import QPushButton
from snakes_window import SnakesBench, SnakesWindow, circle, disc, on_slice, overlap

from napari_seedbed.gui.forms.save_dialogs import SaveDialog
from napari_seedbed.gui.layers.seed_layers import seeds_digest
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.recipes import load_recipe, recipe_from_record, replay

OBLONG = {"scale": (0.5, 0.25), "translate": (100.0, 20.0), "units": ("um", "um")}
BESIDE = (34, 122)  # centre of the second one of two discs
IN_OBLONG = {"centre": (36, 72), "spacing": OBLONG["scale"]}


@pytest.fixture
def bench(viewer_model, qtbot):
    return SnakesBench(viewer_model, qtbot)


def flat_window(make_napari_viewer, qtbot):
    window = SnakesWindow(make_napari_viewer, qtbot)
    return window, circle(), window.truth


def scaled_window(make_napari_viewer, qtbot):
    image, truth = disc((72, 144), radius=9.0, **IN_OBLONG)
    window = SnakesWindow(make_napari_viewer, qtbot, image, **OBLONG)
    return window, circle(radius=11.0, **IN_OBLONG), truth


def slice_window(make_napari_viewer, qtbot):
    image, truth = disc((5, 72, 80))
    place = {"scale": (2, 0.5, 0.5), "translate": (7, 8, 9), "units": ("um",) * 3}
    window = SnakesWindow(make_napari_viewer, qtbot, image, **place)
    window.viewer.dims.set_point(0, window.world((3, 0, 0))[0])
    window.use("elastic_contour")
    return window, on_slice(circle(), 3), truth[3]


def two_discs():
    """A picture with two discs side by side."""
    return np.hstack([disc()[0], disc()[0]])


def start_of(layer):
    """The shapes that the result in a layer started from, out of its record."""
    record = layer.metadata["napari_seedbed"]
    return [shape.decode() for shape in recipe_from_record(record).steps[0].shapes]


# Drawn, run, and where it ends


@pytest.mark.display
@pytest.mark.parametrize("make", [flat_window, scaled_window, slice_window])
def test_lasso_and_run_outline_the_disc_in_place(make_napari_viewer, qtbot, make, tmp_path):
    window, ring, truth = make(make_napari_viewer, qtbot)
    layer = window.lasso(ring)
    assert layer.shape_type == ["polygon"]
    drawn = window.drawn()
    begin = overlap(drawn[0].points[:, -2:], truth)
    n_layers = len(window.viewer.layers)
    window.run()
    (settled,) = window.drawn()
    assert begin < 0.75
    assert overlap(settled.points[:, -2:], truth) > 0.9
    assert "converged" in window.status
    assert window.start is layer
    assert len(window.viewer.layers) == n_layers
    # To the bit what the single door gives; napari keeps corners in single precision.
    expected = window.expected(drawn)
    (shown,) = window.final.shapes().shapes
    np.testing.assert_array_equal(shown.points, expected.shapes().shapes[0].points)
    np.testing.assert_allclose(settled.points, shown.points, atol=1e-4)
    # And what the recipe gives.
    window.panel.save_recipe(tmp_path / "snakes.yaml")
    assert "seedbed run snakes.yaml" in window.status
    again = replay(load_recipe(tmp_path / "snakes.yaml"), window.panel.images.image())
    np.testing.assert_array_equal(again.shapes().shapes[0].points, shown.points)
    labels = window.final.image("labels").array
    np.testing.assert_array_equal(again.image("labels").array, labels)
    np.testing.assert_array_equal(labels, expected.image("labels").array)
    assert labels.any()


@pytest.mark.display
def test_two_outlines_drawn_one_after_the_other_are_two_objects(make_napari_viewer, qtbot):
    window = SnakesWindow(make_napari_viewer, qtbot, two_discs())
    layer = window.lasso(circle())
    window.lasso(circle(BESIDE))
    assert list(layer.features["label"]) == [1, 2]
    window.run()
    for i, shape in enumerate(window.drawn()):
        assert overlap(shape.points - (0, 80 * i), disc()[1]) > 0.9
        assert shape.label == i + 1


def test_outline_keeps_its_look_and_its_selection(bench):
    layer = bench.add_shapes(circle(), edge_color="magenta", features={"note": ["mine"]})
    layer.selected_data = {0}
    bench.run()
    np.testing.assert_array_equal(layer.edge_color, [[1, 0, 1, 1]])
    assert layer.features["note"].tolist() == ["mine"]
    assert layer.selected_data == {0}
    assert layer.edge_width == [1]


def test_shapes_tell_how_they_were_made(bench):
    layer = bench.add_shapes(circle())
    (drawn,) = bench.drawn()
    bench.use("elastic_contour", sigma=1.25)
    bench.run()
    record = layer.metadata["napari_seedbed"]
    assert record["operation"] == "elastic_contour"
    assert record["parameters"]["sigma"] == 1.25
    assert record["notes"] == [bench.status]
    (start,) = start_of(layer)
    np.testing.assert_array_equal(start.points, drawn.points)


def test_button_saves_the_recipe_where_a_person_says(bench, tmp_path, monkeypatch):
    bench.add_shapes(circle())
    bench.run()
    offered = []

    def choose(dialog):
        offered.append(Path(dialog.selectedFiles()[0]).name)
        dialog.selectFile(str(tmp_path / "mine"))
        return True

    monkeypatch.setattr(SaveDialog, "exec", choose)
    bench.click(bench.form.save_recipe)
    assert (tmp_path / "mine.yaml").exists()
    assert offered == ["cells_snakes.yaml"]
    assert "seedbed run mine.yaml" in bench.status


def test_second_run_goes_on_from_where_the_first_one_ended(bench):
    layer = bench.add_shapes(circle())
    bench.use("elastic_contour", max_num_iter=50)
    bench.run()
    between = bench.drawn()
    bench.run()
    np.testing.assert_array_equal(start_of(layer)[0].points, between[0].points)


# Which of them


@pytest.mark.display
def test_only_selected_shapes_move(make_napari_viewer, qtbot):
    window = SnakesWindow(make_napari_viewer, qtbot, two_discs())
    layer = window.add_shapes(circle(), circle(BESIDE))
    window.choose(window.form.which, "selected")
    layer.mode = "select"
    before = [part.copy() for part in layer.data]
    y, x = before[1][0]
    trace(window.viewer, [window.world((y, x)), window.world((y, x))])
    assert layer.selected_data == {1}
    window.run()
    np.testing.assert_array_equal(layer.data[0], before[0])
    assert overlap(np.asarray(layer.data[1]) - (0, 80), disc()[1]) > 0.9


def test_surface_in_3d_comes_first_in_a_volume_unless_another_method_was_chosen(
    viewer_model, qtbot
):
    bench = SnakesBench(viewer_model, qtbot)
    assert bench.form.method_name() == "elastic_contour"
    bench.viewer.add_image(disc((5, 72, 80))[0], name="volume")
    bench.form.image.setCurrentText("volume")
    assert bench.form.method_name() == "region_surface"
    assert bench.form.fields().values()["extent"] == "volume"
    bench.viewer.add_shapes([on_slice(circle(), z) for z in (1, 3)], shape_type="polygon")
    bench.form.start.setCurrentText("Shapes")
    assert bench.form.new_object.isVisible()
    assert bench.form.objects.text() == "2 outlines"
    bench.click(bench.form.new_object)
    qtbot.waitUntil(lambda: bench.form.objects.text() == "2 outlines of 1 object")
    bench.form.image.setCurrentText("cells")
    assert bench.form.method_name() == "elastic_contour"
    assert not bench.form.new_object.isVisible()
    bench.use("edge_surface")
    bench.form.image.setCurrentText("volume")
    assert bench.form.method_name() == "edge_surface"


def test_only_shapes_on_this_slice_move(viewer_model, qtbot):
    bench = SnakesBench(viewer_model, qtbot, disc((5, 72, 80))[0])
    layer = bench.add_shapes(on_slice(circle(), 1), on_slice(circle(), 3))
    before = [part.copy() for part in layer.data]
    bench.viewer.dims.set_point(0, 3)
    bench.choose(bench.form.which, "slice")
    bench.run()
    np.testing.assert_array_equal(layer.data[0], before[0])
    assert overlap(np.asarray(layer.data[1])[:, 1:], disc()[1]) > 0.9


def test_shapes_of_one_object_keep_their_places_in_the_layer(viewer_model, qtbot):
    bench = SnakesBench(viewer_model, qtbot, disc((5, 72, 80))[0])
    layer = bench.add_shapes(
        on_slice(circle(), 3), on_slice(circle(), 1), features={"label": [7, 7]}
    )
    bench.run()
    assert [float(part[0, 0]) for part in layer.data] == [3, 1]
    assert list(layer.features["label"]) == [7, 7]


# What becomes of the outcome


def test_new_shapes_layer_leaves_what_was_drawn(bench):
    bench.image.translate = (5, 6)
    layer = bench.add_shapes(circle())
    before = seeds_digest(layer)
    (drawn,) = bench.drawn()
    bench.choose(bench.form.result, "shapes")
    bench.run()
    assert seeds_digest(layer) == before
    result = bench.shapes()
    assert bench.labels() is None
    assert overlap(result.data[0], bench.truth) > 0.9
    assert result.editable
    np.testing.assert_array_equal(result.translate, (5, 6))
    assert result.units == bench.image.units
    np.testing.assert_array_equal(start_of(result)[0].points, drawn.points)
    assert bench.start is layer


def test_labels_layer_holds_the_labels_of_the_run(viewer_model, qtbot):
    image, truth = disc((72, 144), radius=9.0, **IN_OBLONG)
    bench = SnakesBench(viewer_model, qtbot, image, **OBLONG)
    layer = bench.add_shapes(circle(radius=11.0, **IN_OBLONG))
    before, drawn = seeds_digest(layer), bench.drawn()
    bench.choose(bench.form.result, "labels")
    bench.run()
    result = bench.labels()
    assert bench.shapes() is None
    np.testing.assert_array_equal(result.data, bench.expected(drawn).image("labels").array)
    assert np.count_nonzero((result.data == 1) & truth) > 0.9 * np.count_nonzero(truth)
    np.testing.assert_array_equal(result.scale, OBLONG["scale"])
    np.testing.assert_array_equal(result.translate, OBLONG["translate"])
    assert result.units == bench.image.units
    assert result.metadata["napari_seedbed"]["notes"]
    assert seeds_digest(layer) == before


def test_both_layers_at_once(bench):
    bench.add_shapes(circle())
    bench.choose(bench.form.result, "both")
    drawn = bench.drawn()
    bench.run()
    expected = bench.expected(drawn)
    np.testing.assert_array_equal(bench.labels().data, expected.image("labels").array)
    (outline,) = bench.drawn(bench.shapes())
    np.testing.assert_allclose(outline.points, expected.shapes().shapes[0].points, atol=1e-4)


def test_further_run_updates_the_result_layers(bench):
    bench.add_shapes(circle())
    bench.choose(bench.form.result, "both")
    bench.use("elastic_contour", max_num_iter=20)
    bench.run()
    labels, shapes, n_layers = bench.labels(), bench.shapes(), len(bench.viewer.layers)
    before = labels.data.copy()
    bench.use("elastic_contour", max_num_iter=1500)
    bench.run()
    assert bench.labels() is labels
    assert bench.shapes() is shapes
    assert len(bench.viewer.layers) == n_layers
    assert (labels.data != before).any()


def test_result_that_was_painted_on_is_left_alone(bench):
    bench.add_shapes(circle())
    bench.choose(bench.form.result, "labels")
    bench.run()
    painted = bench.labels()
    painted.data_setitem((np.array([2]), np.array([3])), 5)
    kept = painted.data.copy()
    bench.run()
    assert bench.labels() is not painted
    np.testing.assert_array_equal(painted.data, kept)
    assert painted in bench.viewer.layers
    assert 5 not in bench.labels().data


def test_result_whose_corner_was_dragged_is_left_alone(bench):
    bench.add_shapes(circle())
    bench.choose(bench.form.result, "shapes")
    bench.run()
    edited = bench.shapes()
    data = edited.data
    data[0][0] += 3
    edited.data = data
    kept = seeds_digest(edited)
    bench.run()
    assert bench.shapes() is not edited
    assert seeds_digest(edited) == kept


def test_start_from_labels_gives_labels_and_never_changes_them(bench):
    mask = np.zeros(bench.image.data.shape, np.int32)
    mask[26:44, 34:50] = 3
    start = bench.viewer.add_labels(mask.copy(), name="rough")
    bench.form.start.choose(start)
    assert not bench.form.which.isVisible()
    bench.use("region_surface")
    assert bench.form.result_mode() == "labels"
    bench.run()
    result = bench.labels()
    assert result is not start
    np.testing.assert_array_equal(start.data, mask)
    expected = bench.expected(seeds=Image(mask, ("y", "x"))).image("labels")
    np.testing.assert_array_equal(result.data, expected.array)
    overlapping = np.count_nonzero((result.data == 3) & bench.truth)
    assert overlapping > 0.95 * np.count_nonzero(bench.truth)


def test_path_along_a_bright_line_stays_open(viewer_model, qtbot):
    image = np.random.default_rng(0).normal(0, 0.05, (60, 60))
    image[29:32] += 1
    bench = SnakesBench(viewer_model, qtbot, image)
    bent = np.stack([30 + 4 * np.sin(np.linspace(0, np.pi, 9)), np.linspace(5, 54, 9)], axis=1)
    layer = bench.add_shapes(bent, kind="path")
    bench.use("elastic_contour", attracted_by="bright")
    bench.run()
    assert layer.shape_type == ["path"]
    y = np.interp(np.arange(8, 52), layer.data[0][:, 1], layer.data[0][:, 0])
    assert np.abs(y - 30).max() < 1


# The panel itself


@pytest.mark.display
@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("kind", ["rgb", "volume"])
def test_panel_fits_beside_the_picture(make_napari_viewer, qtbot, theme, kind):
    if kind == "rgb":
        picture = np.random.default_rng(0).integers(0, 255, (40, 48, 3), dtype=np.uint8)
        window = SnakesWindow(make_napari_viewer, qtbot, picture, rgb=True)
        assert len(window.form.channels.all_choices()) == 3
    else:
        window = SnakesWindow(make_napari_viewer, qtbot, disc((5, 72, 80))[0])
    window.viewer.theme = theme
    window.viewer.window.resize(1366, 768)
    window.form.fields().more.toggle()
    qtbot.wait(100)
    form = window.form
    assert form.minimumSizeHint().width() <= 340
    for button in form.findChildren(QPushButton):
        if button.isVisible():
            assert button.width() >= button.minimumSizeHint().width(), button.text()


def test_parameters_are_shown_where_they_mean_something(viewer_model, qtbot):
    bench = SnakesBench(viewer_model, qtbot)

    def shown(name):
        fields = [f for part in bench.form.fields()._parts for f in [part._fields.get(name)] if f]
        return fields[0].isVisibleTo(bench.form)

    bench.use("region_surface")
    assert not shown("extent")
    assert not shown("follow")
    bench.viewer.add_image(disc((5, 72, 80))[0], name="volume")
    bench.form.image.setCurrentText("volume")
    assert shown("extent")
    assert not shown("follow")
    bench.viewer.add_image(disc((3, 72, 80))[0], name="film", axis_labels=("t", "y", "x"))
    bench.form.image.setCurrentText("film")
    assert not shown("extent")
    assert shown("follow")


@pytest.mark.display
def test_panel_opens_from_the_menu_of_plugins(make_napari_viewer, qtbot):
    viewer = make_napari_viewer()
    _, panel = viewer.window.add_plugin_dock_widget("napari-seedbed", "Snakes")
    assert not panel.form.run.isEnabled()
    image = viewer.add_image(disc()[0], name="later")
    assert panel.form.image.layer() is image
    assert panel.form.new_shapes.isEnabled()
    assert not any(isinstance(layer, Shapes | Labels) for layer in viewer.layers)
