"""Each thing that can go wrong gives one clear message, and nothing that was drawn is lost."""

import time

import numpy as np
import pytest
from napari.utils.notifications import notification_manager
from painting import drag, move_to, press_key
from qtpy.QtCore import Qt
from snakes_window import SnakesBench, SnakesWindow, circle, disc, on_slice, overlap

from bounds import bound
from napari_seedbed.gui.layers.seed_layers import seeds_digest
from napari_seedbed.pipeline import operations
from napari_seedbed.pipeline.data import memory

SURFACES = ["edge_surface", "region_surface"]
METHODS = ["elastic_contour", *SURFACES]


@pytest.fixture
def bench(viewer_model, qtbot):
    made = SnakesBench(viewer_model, qtbot)
    notification_manager.records.clear()
    return made


@pytest.fixture
def volume(viewer_model, qtbot):
    made = SnakesBench(viewer_model, qtbot, disc((5, 72, 80))[0])
    notification_manager.records.clear()
    return made


def messages():
    """What popped up in the window; napari's own remark on mixed units is not ours."""
    found = [str(record.message) for record in notification_manager.records]
    return [message for message in found if "Inconsistent units" not in message]


def expect_one_message(bench, *words):
    """One popup, the same text in the status line."""
    found = messages()
    assert len(found) == 1, found
    for word in words:
        assert word in found[0]
    assert bench.status == found[0]


def expect_usable(bench):
    """What was wrong is mended, and the panel works as if nothing had been."""
    notification_manager.records.clear()
    data, truth = disc(bench.image.data.shape)
    if bench.image in bench.viewer.layers:
        bench.image.data = data
    else:
        bench.viewer.add_layer(bench.image)
        bench.form.image.choose(bench.image)
    flat = data.ndim == 2
    layer = bench.add_shapes(circle() if flat else on_slice(circle(), 2), name="good")
    bench.choose(bench.form.which, "all")
    bench.choose(bench.form.result, "update")
    bench.use("elastic_contour")
    bench.form.slowly.setChecked(False)
    bench.run()
    assert messages() == []
    assert overlap(np.asarray(layer.data[0])[:, -2:], truth if flat else truth[2]) > 0.9


def expect_refusal(bench, layer, *words):
    """Run gives a message, changes nothing, and can be pressed again after mending."""
    before, n_layers = seeds_digest(layer), len(bench.viewer.layers)
    bench.run()
    expect_one_message(bench, *words)
    assert seeds_digest(layer) == before
    assert len(bench.viewer.layers) == n_layers
    assert layer.editable
    assert not bench.form.undo.isEnabled()
    expect_usable(bench)
    assert seeds_digest(layer) == before


# What was drawn


def test_no_layer_of_shapes(bench):
    assert not bench.form.run.isEnabled()
    bench.panel.run()
    expect_one_message(bench, "New shapes")
    expect_usable(bench)


@pytest.mark.parametrize("method", METHODS)
def test_empty_layer_of_shapes(bench, method):
    bench.use(method)
    bench.click(bench.form.new_shapes)
    notification_manager.records.clear()
    expect_refusal(bench, bench.start, "no shapes", "draw")


@pytest.mark.parametrize("method", METHODS)
def test_outline_of_two_points(bench, method):
    bench.use(method)
    layer = bench.add_shapes(np.array([[30.0, 30.0], [40.0, 44.0], [30.0, 30.0]]))
    expect_refusal(bench, layer, "shape 1", "at least 3")


def test_outline_that_is_one_point_over_and_over(bench):
    layer = bench.add_shapes(np.full((4, 2), 30.0))
    expect_refusal(bench, layer, "shape 1", "at least 3")


@pytest.mark.parametrize("method", METHODS)
def test_points_that_were_clicked_twice_do_no_harm(bench, method):
    bench.use(method)
    layer = bench.add_shapes(np.repeat(circle(radius=18), 2, axis=0))
    bench.run()
    assert messages() == []
    assert overlap(layer.data[0], bench.truth) > 0.9


@pytest.mark.parametrize("method", METHODS)
def test_outline_that_crosses_itself_is_taken_for_its_loops(bench, method):
    bench.use(method)
    ring = circle(radius=18)
    ring[[3, 4]] = ring[[4, 3]]
    layer = bench.add_shapes(ring)
    bench.run()
    assert messages() == []
    assert overlap(layer.data[0], bench.truth) > 0.9


@pytest.mark.parametrize("method", METHODS)
def test_outline_beside_the_image(bench, method):
    bench.use(method)
    layer = bench.add_shapes(circle((200, 300)))
    expect_refusal(bench, layer, "Shape number 1", "outside the image")


@pytest.mark.parametrize("method", METHODS)
def test_outline_partly_beside_the_image_works(viewer_model, qtbot, method):
    at_border = (34, 4)
    image, truth = disc(centre=at_border)
    bench = SnakesBench(viewer_model, qtbot, image)
    notification_manager.records.clear()
    bench.use(method)
    layer = bench.add_shapes(circle(at_border, 18))
    bench.run()
    assert messages() == []
    assert overlap(layer.data[0], truth) > 0.85


@pytest.mark.parametrize("method", METHODS)
def test_outline_outside_the_volume(volume, method):
    volume.use(method)
    layer = volume.add_shapes(on_slice(circle(), 9))
    expect_refusal(volume, layer, "Shape number 1", "outside the image")


@pytest.mark.parametrize("method", METHODS)
def test_outline_that_spans_slices(volume, method):
    volume.use(method)
    slanted = on_slice(circle(), 1)
    slanted[: len(slanted) // 2, 0] = 3
    layer = volume.add_shapes(slanted)
    expect_refusal(volume, layer, "Shape number 1", "z = 1.0 to 3.0", "one slice")


@pytest.mark.parametrize("method", SURFACES)
def test_open_path_is_no_start_of_a_surface(bench, method):
    bench.use(method)
    layer = bench.add_shapes(circle()[:10], kind="path")
    expect_refusal(bench, layer, "open path", "closed")


def test_nothing_selected(bench):
    layer = bench.add_shapes(circle())
    layer.selected_data = set()
    bench.choose(bench.form.which, "selected")
    expect_refusal(bench, layer, "No shape", "selected")


def test_nothing_on_this_slice(volume):
    layer = volume.add_shapes(on_slice(circle(), 1))
    volume.viewer.dims.set_point(0, 4)
    volume.choose(volume.form.which, "slice")
    expect_refusal(volume, layer, "slice 4")


def test_shape_without_a_label(bench):
    layer = bench.add_shapes(circle(), features={"label": [0]})
    expect_refusal(bench, layer, "label 0", "above 0")


def test_layer_with_too_few_axes(volume):
    layer = volume.viewer.add_shapes([circle()[:, :1].repeat(4, 1)], shape_type="path", ndim=4)
    volume.form.start.choose(layer)
    expect_refusal(volume, layer, "axes")


# Snakes that come to nothing


def test_outline_that_shrinks_to_nothing_stays_as_drawn(bench):
    bench.use("elastic_contour", balloon=-1.0, pull=1e-3)
    layer = bench.add_shapes(circle((10, 12), 6), circle(), features={"label": [1, 2]})
    before = layer.data[0].copy()
    bench.run()
    assert "Object" in bench.status
    assert "1 was lost" in bench.status
    np.testing.assert_array_equal(layer.data[0], before)
    assert len(layer.data) == 2


def test_contour_without_any_pull_follows_its_tension(bench):
    layer = bench.add_shapes(circle())
    bench.use("elastic_contour", pull=0.0, convergence=0.0, max_num_iter=200)
    bench.run()
    assert messages() == []
    assert np.ptp(layer.data[0], axis=0).max() < 39


def test_ellipse_that_shrinks_to_nothing_stays_an_ellipse(bench):
    corners = np.array([[4, 4], [4, 16], [14, 16], [14, 4]], np.float32)
    layer = bench.add_shapes(corners, kind="ellipse")
    bench.use("elastic_contour", balloon=-1.0, pull=1e-3)
    bench.run()
    assert "Object 1 was lost" in bench.status
    assert layer.shape_type == ["ellipse"]
    np.testing.assert_array_equal(layer.data[0], corners)


@pytest.mark.parametrize("result", ["update", "shapes", "labels", "both"])
def test_surface_that_shrinks_to_nothing_leaves_what_was_drawn(bench, result):
    layer = bench.add_shapes(circle((10, 12), 3))
    before = seeds_digest(layer)
    bench.use("edge_surface", balloon=-1.0, edge_share=0.0)
    bench.choose(bench.form.result, result)
    bench.run()
    assert "lost" in bench.status
    assert seeds_digest(layer) == before
    expect_usable(bench)


# The image


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda a: np.where(a > 1900, np.nan, a), "NaN"),
        (lambda a: np.where(a > 1900, np.inf, a), "infinite"),
        (lambda a: np.full_like(a, 7), "same"),
    ],
)
def test_image_that_no_snake_can_see(bench, method, spoil, words):
    bench.image.data = spoil(bench.image.data.astype(float))
    bench.use(method)
    layer = bench.add_shapes(circle())
    expect_refusal(bench, layer, words)


@pytest.mark.parametrize("result", ["shapes", "labels", "both"])
def test_no_empty_layer_is_left_by_a_failure(bench, result):
    bench.image.data = np.full(bench.image.data.shape, 7)
    bench.choose(bench.form.result, result)
    expect_refusal(bench, bench.add_shapes(circle()), "same")


def test_no_channel_chosen(viewer_model, qtbot):
    picture = np.stack([disc()[0]] * 3, axis=-1)
    bench = SnakesBench(viewer_model, qtbot, picture, rgb=True)
    notification_manager.records.clear()
    layer = bench.add_shapes(circle())
    before = seeds_digest(layer)
    for box in bench.form.channels._boxes:
        box.setChecked(False)
    notification_manager.records.clear()
    bench.run()
    expect_one_message(bench, "channel")
    assert seeds_digest(layer) == before


# Layers and windows that go away or change during a run


def begin(bench, held):
    """A slow run, in a pause or not."""
    layer = bench.add_shapes(circle())
    bench.form.slowly.setChecked(True)
    bench.click(bench.form.run)
    bench.wait_moved(20)
    if held:
        bench.click(bench.form.pause)
        bench.qtbot.wait(100)
    notification_manager.records.clear()
    return layer


@pytest.mark.parametrize("held", [False, True])
@pytest.mark.parametrize("which", ["image", "shapes"])
def test_layer_removed_during_a_run(bench, which, held):
    layer = begin(bench, held)
    gone = bench.image if which == "image" else layer
    bench.viewer.layers.remove(gone)
    bench.wait_idle()
    bench.qtbot.wait(50)
    expect_one_message(bench, f"'{gone.name}'", "removed")
    assert len(layer.data) == 1
    assert layer.editable
    expect_usable(bench)


@pytest.mark.parametrize("held", [False, True])
def test_removed_shapes_that_come_back_can_be_used(bench, held):
    layer = begin(bench, held)
    bench.viewer.layers.remove(layer)
    bench.wait_idle()
    bench.viewer.layers.append(layer)
    assert bench.start is layer
    bench.click(bench.form.reset)
    np.testing.assert_allclose(layer.data[0], circle(), atol=1e-5)


@pytest.mark.parametrize("held", [False, True])
def test_image_replaced_during_a_run(bench, held):
    layer = begin(bench, held)
    bench.image.data = bench.image.data[::-1].copy()
    bench.wait_idle()
    bench.qtbot.wait(50)
    expect_one_message(bench, "'cells'", "changed")
    assert layer.editable
    bench.click(bench.form.reset)
    np.testing.assert_allclose(layer.data[0], circle(), atol=1e-5)
    expect_usable(bench)


@pytest.mark.parametrize("result", ["shapes", "labels"])
def test_result_removed_during_a_run_comes_back_at_its_end(bench, result):
    bench.choose(bench.form.result, result)
    begin(bench, False)
    shown = bench.shapes() if result == "shapes" else bench.labels()
    bench.viewer.layers.remove(shown)
    bench.form.slowly.setChecked(False)
    bench.wait_idle()
    again = bench.shapes() if result == "shapes" else bench.labels()
    assert again is not None
    assert len(again.data)
    assert messages() == []


def test_result_removed_in_a_pause(bench):
    bench.choose(bench.form.result, "labels")
    begin(bench, True)
    bench.viewer.layers.remove(bench.labels())
    bench.run()
    assert messages() == []
    assert bench.labels().data.any()


def test_layers_renamed_during_a_run(bench):
    layer = begin(bench, False)
    bench.image.name, layer.name = "a", "b"
    bench.form.slowly.setChecked(False)
    bench.wait_idle()
    assert (bench.form.image.currentText(), bench.form.start.currentText()) == ("a", "b")
    assert overlap(layer.data[0], bench.truth) > 0.9
    assert messages() == []


def test_another_layer_added_and_removed_during_a_run(bench):
    layer = begin(bench, False)
    other = bench.viewer.add_points([[3, 3]])
    bench.viewer.layers.remove(other)
    bench.form.slowly.setChecked(False)
    bench.wait_idle()
    assert overlap(layer.data[0], bench.truth) > 0.9
    assert messages() == []


@pytest.mark.display
@pytest.mark.parametrize("slowly", [True, False])
def test_shape_deleted_by_a_key_during_a_run(make_napari_viewer, qtbot, slowly):
    window = SnakesWindow(make_napari_viewer, qtbot)
    layer = begin(window, False)
    layer.selected_data = {0}
    press_key(window.viewer, Qt.Key.Key_Delete)
    assert len(layer.data) == 0
    window.form.slowly.setChecked(slowly)
    window.wait_idle()
    expect_one_message(window, "deleted", "Undo")
    window.click(window.form.undo)
    np.testing.assert_allclose(layer.data[0], circle(), atol=1e-5)
    expect_usable(window)


def test_shape_deleted_in_a_pause_is_out(viewer_model, qtbot):
    bench = SnakesBench(viewer_model, qtbot, np.hstack([disc()[0], disc()[0]]))
    layer = bench.add_shapes(circle(), circle((34, 122)), features={"label": [1, 2]})
    bench.form.slowly.setChecked(True)
    bench.click(bench.form.run)
    bench.wait_moved(20)
    bench.click(bench.form.pause)
    bench.qtbot.wait(100)
    notification_manager.records.clear()
    layer.selected_data = {0}
    layer.remove_selected()
    bench.form.slowly.setChecked(False)
    bench.run()
    assert messages() == []
    assert list(layer.features["label"]) == [2]
    assert overlap(np.asarray(layer.data[0]) - np.array([0, 80]), disc()[1]) > 0.9


@pytest.mark.display
def test_polygon_that_is_being_clicked_is_finished_by_a_run(make_napari_viewer, qtbot):
    window = SnakesWindow(make_napari_viewer, qtbot)
    window.click(window.form.new_shapes)
    window.start.mode = "add_polygon"
    for corner in circle(n=8):
        drag(window.viewer, window.world(corner), window.world(corner), steps=1)
    move_to(window.viewer, window.world((40, 78)))
    window.run()
    (start,) = window.panel._scene.shapes
    np.testing.assert_allclose(start.points, circle(n=8), atol=0.5)
    assert overlap(window.start.data[0], window.truth) > 0.9


@pytest.mark.timing
@pytest.mark.display
@pytest.mark.parametrize("held", [False, True])
def test_window_closed_during_a_run(make_napari_viewer, qtbot, held):
    window = SnakesWindow(make_napari_viewer, qtbot)
    begin(window, held)
    begun = time.monotonic()
    window.viewer.close()
    assert time.monotonic() - begun < bound(3)
    qtbot.waitUntil(lambda: not window.session.is_busy)
    qtbot.wait(50)
    assert messages() == []


@pytest.mark.display
@pytest.mark.parametrize("held", [False, True])
def test_dock_closed_during_a_run(make_napari_viewer, qtbot, held):
    window = SnakesWindow(make_napari_viewer, qtbot)
    begin(window, held)
    session = window.session
    window.viewer.window.remove_dock_widget(window.panel)
    window.panel.deleteLater()
    qtbot.waitUntil(lambda: not session.is_busy)
    assert messages() == []


# Machine


def test_too_little_memory_is_said_before_anything_is_computed(bench, monkeypatch):
    layer = bench.add_shapes(circle())
    with monkeypatch.context() as patch:
        patch.setattr(memory, "available_memory", lambda: 1000)
        bench.run()
    expect_one_message(bench, "memory")
    assert not bench.form.undo.isEnabled()
    assert layer.editable
    expect_usable(bench)


def test_memory_that_runs_out_during_a_run(bench, monkeypatch):
    def run(*args, **options):
        raise MemoryError

    layer = bench.add_shapes(circle())
    before = seeds_digest(layer)
    with monkeypatch.context() as patch:
        patch.setattr(operations, "run", run)
        bench.run()
    expect_one_message(bench, "not enough memory")
    assert seeds_digest(layer) == before
    expect_usable(bench)


def test_folder_that_is_not_there_when_a_recipe_is_saved(bench, tmp_path):
    bench.add_shapes(circle())
    bench.run()
    bench.panel.save_recipe(tmp_path / "gone" / "mine.yaml")
    assert len(messages()) == 1
