"""Snakes are held, stepped on, edited and let go on, and all that was drawn comes back."""

import numpy as np
import pytest
from napari.layers import Shapes
from painting import drag
from snakes_window import Heartbeat, SnakesBench, SnakesWindow, circle, disc, overlap

from bounds import bound
from napari_seedbed.gui.layers.seed_layers import seeds_digest
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.recipes import recipe_from_record


@pytest.fixture
def bench(viewer_model, qtbot):
    return SnakesBench(viewer_model, qtbot)


@pytest.fixture
def drawn(bench):
    """A bench with a circle around its disc, and the layer."""
    return bench, bench.add_shapes(circle())


def steps_to(bench, iteration):
    """Press Step until this state is on screen."""
    while bench.iteration < iteration:
        before = bench.iteration
        bench.click(bench.form.step)
        bench.qtbot.waitUntil(lambda before=before: bench.iteration > before, timeout=15000)


def run_slowly_to(bench, iteration):
    """Press Run, watch, and press Pause."""
    bench.form.slowly.setChecked(True)
    bench.click(bench.form.run)
    bench.wait_moved(iteration)
    bench.click(bench.form.pause)
    bench.qtbot.wait(100)


def set_corner(layer, shape, corner, place):
    """Edit a shape by program, as a dragged corner does."""
    data = layer.data
    data[shape][corner] = place
    layer.data = data


def expect_run_from(bench, layer, start):
    """A layer shows what the single door gives for this start."""
    expected = bench.expected([start]).shapes().shapes[0].points
    np.testing.assert_array_equal(bench.final.shapes().shapes[0].points, expected)
    np.testing.assert_allclose(layer.data[0], expected, atol=1e-4)


def enabled(form):
    """Which of the buttons can be pressed."""
    names = ("run", "pause", "step", "cancel", "reset", "undo")
    return {name for name in names if getattr(form, name).isEnabled()}


# Pause


@pytest.mark.timing
def test_pause_holds_and_the_window_lives_on(drawn):
    bench, layer = drawn
    run_slowly_to(bench, 20)
    held, shown = bench.iteration, seeds_digest(layer)
    with Heartbeat() as heartbeat:
        bench.qtbot.wait(300)
    assert heartbeat.stuck < bound(0.5)
    assert bench.iteration == held
    assert seeds_digest(layer) == shown
    assert f"Paused at iteration {held}" in bench.status
    assert bench.form.run.text() == "Go on"


def test_going_on_without_an_edit_gives_the_uninterrupted_result(drawn):
    bench, _ = drawn
    shapes = bench.drawn()
    run_slowly_to(bench, 20)
    bench.form.slowly.setChecked(False)
    bench.run()
    np.testing.assert_array_equal(
        bench.final.shapes().shapes[0].points,
        bench.expected(shapes).shapes().shapes[0].points,
    )
    assert bench.form.run.text() == "Run"


def test_step_makes_one_state_and_holds(drawn):
    bench, layer = drawn
    bench.click(bench.form.step)
    bench.wait_moved(10)
    for iteration in (20, 30):
        before = seeds_digest(layer)
        bench.click(bench.form.step)
        bench.wait_moved(iteration)
        bench.qtbot.wait(120)
        assert bench.iteration == iteration
        assert seeds_digest(layer) != before
    assert bench.session.state == "paused"


def test_steps_to_the_end_give_the_result_of_a_run(drawn):
    bench, layer = drawn
    bench.use("elastic_contour", max_num_iter=40)
    shapes = bench.drawn()
    steps_to(bench, 40)
    bench.click(bench.form.step)
    bench.wait_idle()
    expected = bench.expected(shapes).shapes().shapes[0].points
    np.testing.assert_allclose(layer.data[0], expected, atol=1e-4)


@pytest.mark.display
def test_corner_dragged_in_a_pause_is_where_it_goes_on_from(make_napari_viewer, qtbot):
    window = SnakesWindow(make_napari_viewer, qtbot)
    layer = window.lasso(circle())
    steps_to(window, 20)
    assert window.viewer.layers.selection.active is layer
    assert layer.mode == "direct"
    # The shape must be selected before one of its corners can be dragged.
    layer.selected_data = {0}
    qtbot.wait(50)
    corner = np.asarray(layer.data[0][0], float)
    place = corner + np.array([2, 6])
    drag(window.viewer, window.world(corner), window.world(place))
    (edited,) = window.drawn()
    np.testing.assert_allclose(edited.points[0], place, atol=0.5)
    window.run()
    expect_run_from(window, layer, edited)
    (start,) = recipe_from_record(window.final.record).steps[0].shapes
    np.testing.assert_array_equal(start.decode().points, edited.points)


def test_edit_and_step_goes_on_from_the_edit_and_holds(drawn):
    bench, layer = drawn
    steps_to(bench, 20)
    set_corner(layer, 0, 0, (34, 70))
    bench.click(bench.form.step)
    bench.qtbot.waitUntil(lambda: 0 <= bench.iteration <= 10, timeout=15000)
    bench.wait_moved(10)
    bench.qtbot.wait(100)
    assert bench.session.state == "paused"
    assert np.asarray(layer.data[0])[:, 1].max() > 62


def test_shapes_that_did_not_run_stay_out_after_an_edit(viewer_model, qtbot):
    bench = SnakesBench(viewer_model, qtbot, np.hstack([disc()[0], disc()[0]]))
    layer = bench.add_shapes(circle(), circle((34, 122)))
    layer.selected_data = {1}
    bench.choose(bench.form.which, "selected")
    other = layer.data[0].copy()
    steps_to(bench, 20)
    set_corner(layer, 1, 0, (34, 146))
    bench.run()
    np.testing.assert_array_equal(layer.data[0], other)
    assert len(bench.final.shapes().shapes) == 1


def test_shape_added_in_a_pause_joins_in(viewer_model, qtbot):
    bench = SnakesBench(viewer_model, qtbot, np.hstack([disc()[0], disc()[0]]))
    layer = bench.add_shapes(circle(), features={"label": [1]})
    steps_to(bench, 20)
    layer.add(circle((34, 122)), shape_type="polygon")
    layer.features = {"label": [1, 2]}
    bench.run()
    second = np.asarray(layer.data[1]) - np.array([0, 80])
    assert overlap(second, disc()[1]) > 0.9


def test_edited_result_layer_is_where_it_goes_on_from(drawn):
    bench, layer = drawn
    before = seeds_digest(layer)
    bench.choose(bench.form.result, "shapes")
    steps_to(bench, 20)
    set_corner(bench.shapes(), 0, 0, (34, 70))
    (edited,) = bench.drawn(bench.shapes())
    n_layers = len(bench.viewer.layers)
    bench.run()
    expect_run_from(bench, bench.shapes(), edited)
    assert seeds_digest(layer) == before
    assert len(bench.viewer.layers) == n_layers


def test_labels_painted_in_a_pause_are_where_it_goes_on_from(drawn):
    bench, _ = drawn
    bench.choose(bench.form.result, "labels")
    bench.use("region_surface", max_num_iter=6)
    steps_to(bench, 3)
    labels = bench.labels()
    assert labels.editable
    labels.data_setitem((np.arange(26, 42), np.arange(26, 42)), 0)
    labels.data_setitem((np.full(6, 34), np.arange(60, 66)), 1)
    edited = labels.data.copy()
    bench.run()
    expected = bench.expected(seeds=Image(edited, ("y", "x")))
    np.testing.assert_array_equal(bench.labels().data, expected.image("labels").array)


@pytest.mark.parametrize("result", ["update", "shapes", "labels"])
def test_parameter_changed_in_a_pause_counts_from_there_on(drawn, result):
    bench, layer = drawn
    bench.choose(bench.form.result, result)
    bench.use("region_surface", max_num_iter=4)
    steps_to(bench, 2)
    bench.use("region_surface", smoothing=0)
    if result == "labels":
        start = {"seeds": Image(bench.labels().data.copy(), ("y", "x"))}
    else:
        start = {"shapes": bench.drawn(layer if result == "update" else bench.shapes())}
    bench.run()
    expected = bench.expected(**start).image("labels").array
    np.testing.assert_array_equal(bench.final.image("labels").array, expected)
    assert bench.final.record["parameters"]["smoothing"] == 0


def test_all_shapes_deleted_in_a_pause_is_said_and_reset_brings_them_back(drawn):
    bench, layer = drawn
    steps_to(bench, 20)
    layer.data = []
    bench.click(bench.form.run)
    assert "no shapes" in bench.status
    assert bench.session.state == "paused"
    bench.click(bench.form.reset)
    bench.wait_idle()
    np.testing.assert_allclose(layer.data[0], circle(), atol=1e-5)


# Stop, Reset and Undo


@pytest.mark.parametrize("held", [False, True])
def test_stop_keeps_what_is_shown(drawn, held):
    bench, layer = drawn
    bench.form.slowly.setChecked(True)
    bench.click(bench.form.run)
    bench.wait_moved(20)
    if held:
        bench.click(bench.form.pause)
        bench.qtbot.wait(100)
    shown = seeds_digest(layer)
    bench.click(bench.form.cancel)
    bench.wait_idle()
    bench.qtbot.wait(100)
    assert seeds_digest(layer) == shown
    assert "Stopped" in bench.status
    assert layer.editable


def test_reset_brings_back_exactly_what_was_drawn(drawn):
    bench, layer = drawn
    before = [part.copy() for part in layer.data], list(layer.shape_type)
    bench.run()
    assert overlap(layer.data[0], bench.truth) > 0.9
    bench.click(bench.form.reset)
    np.testing.assert_array_equal(layer.data[0], before[0][0])
    assert layer.shape_type == before[1]


def test_reset_of_a_running_snake_brings_back_what_was_drawn(drawn):
    bench, layer = drawn
    before = seeds_digest(layer)
    bench.form.slowly.setChecked(True)
    bench.click(bench.form.run)
    bench.wait_moved(20)
    assert seeds_digest(layer) != before
    bench.click(bench.form.reset)
    bench.wait_idle()
    assert seeds_digest(layer) == before
    assert "as it was before" in bench.status


def test_reset_after_an_edit_goes_back_to_before_the_run(drawn):
    bench, layer = drawn
    before = seeds_digest(layer)
    steps_to(bench, 20)
    set_corner(layer, 0, 0, (34, 70))
    bench.run()
    bench.click(bench.form.reset)
    assert seeds_digest(layer) == before


def test_undo_after_an_edit_goes_back_to_the_edit_and_then_to_the_beginning(drawn):
    bench, layer = drawn
    before = seeds_digest(layer)
    steps_to(bench, 20)
    set_corner(layer, 0, 0, (34, 70))
    edited = seeds_digest(layer)
    bench.run()
    bench.click(bench.form.undo)
    assert seeds_digest(layer) == edited
    bench.click(bench.form.undo)
    assert seeds_digest(layer) == before


def test_undo_steps_back_one_run_at_a_time(drawn):
    bench, layer = drawn
    bench.use("elastic_contour", max_num_iter=30)
    digests = [seeds_digest(layer)]
    for _ in range(2):
        bench.run()
        digests.append(seeds_digest(layer))
    assert len(set(digests)) == 3
    bench.click(bench.form.undo)
    assert seeds_digest(layer) == digests[1]
    bench.click(bench.form.undo)
    assert seeds_digest(layer) == digests[0]
    assert not bench.form.undo.isEnabled()


def test_ellipse_comes_back_as_an_ellipse(bench):
    corners = np.array([[14, 22], [14, 62], [54, 62], [54, 22]], float)
    layer = bench.add_shapes(corners, kind="ellipse")
    bench.run()
    assert layer.shape_type == ["polygon"]
    bench.click(bench.form.undo)
    assert layer.shape_type == ["ellipse"]
    np.testing.assert_array_equal(layer.data[0], corners)


def test_reset_concerns_the_last_run_alone(drawn):
    bench, layer = drawn
    bench.run()
    moved = seeds_digest(layer)
    bench.choose(bench.form.result, "labels")
    bench.run()
    assert not bench.form.reset.isEnabled()
    bench.panel.reset()
    assert seeds_digest(layer) == moved
    assert bench.form.undo.isEnabled()


def test_run_that_came_to_nothing_is_nothing_to_undo(drawn):
    bench, _ = drawn
    bench.image.data = np.full(bench.image.data.shape, np.nan)
    bench.run()
    assert "NaN" in bench.status
    assert not bench.form.undo.isEnabled()
    assert not bench.form.reset.isEnabled()


# Buttons


def test_buttons_can_be_pressed_when_they_make_sense(bench):
    form = bench.form
    assert enabled(form) == set()
    layer = bench.add_shapes(circle())
    assert enabled(form) == {"run", "step"}
    form.slowly.setChecked(True)
    bench.click(form.run)
    assert enabled(form) == {"pause", "cancel", "reset", "undo"}
    assert not form.method.isEnabled()
    bench.wait_moved(10)
    assert not layer.editable
    bench.click(form.pause)
    bench.qtbot.wait(100)
    assert enabled(form) == {"run", "step", "cancel", "reset", "undo"}
    assert layer.editable
    bench.click(form.run)
    assert enabled(form) == {"pause", "cancel", "reset", "undo"}
    bench.click(form.cancel)
    assert "run" not in enabled(form)
    bench.wait_idle()
    assert enabled(form) == {"run", "step", "reset", "undo"}
    assert form.method.isEnabled()
    bench.click(form.undo)
    assert enabled(form) == {"run", "step"}


def test_recipe_can_be_saved_when_there_is_a_result(drawn):
    bench, _ = drawn
    assert not bench.form.save_recipe.isEnabled()
    bench.run()
    assert bench.form.save_recipe.isEnabled()
    bench.click(bench.form.step)
    assert not bench.form.save_recipe.isEnabled()


def test_layer_under_the_mouse_is_chosen_to_be_edited(drawn):
    bench, layer = drawn
    bench.viewer.layers.selection.active = bench.image
    steps_to(bench, 10)
    assert bench.viewer.layers.selection.active is layer
    assert isinstance(layer, Shapes)


def test_resting_shape_deleted_in_a_pause_lets_no_other_one_move(viewer_model, qtbot):
    bench = SnakesBench(viewer_model, qtbot, np.hstack([disc()[0], disc()[0]]))
    layer = bench.add_shapes(circle(), circle(), circle((34, 122)))
    layer.selected_data = {1}
    bench.choose(bench.form.which, "selected")
    run_slowly_to(bench, 20)
    layer.selected_data = {0}
    layer.remove_selected()
    before = seeds_digest(layer)
    bench.click(bench.form.run)
    assert "was deleted" in bench.status
    assert "Press Stop" in bench.status
    assert seeds_digest(layer) == before
    assert bench.panel.session.state == "paused"
    bench.click(bench.form.controls.cancel)
    bench.qtbot.waitUntil(lambda: bench.panel.session.state == "idle")
    assert layer.editable
