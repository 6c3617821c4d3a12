"""Snakes in the panel on volumes and time series: what is seen on the way, and what comes out."""

import numpy as np
import pytest
from snakes_window import SnakesBench, SnakesWindow, circle, disc, on_slice

from napari_seedbed.gui.layers.seed_layers import seeds_digest
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.files import read_image
from napari_seedbed.pipeline.recipes import recipe_from_record, replay

BALL_SHAPE = (14, 40, 44)
BALL_CENTRE = (7, 19, 22)
BALL_SPACING = (2.0, 1.0, 1.0)
BALL_RADIUS = 11.0  # five slices each way

FILM_SHAPE = (44, 60)
FILM_STEP = 3.0
FILM_RADIUS = 9.0


def ball():
    return disc(BALL_SHAPE, BALL_CENTRE, BALL_RADIUS, BALL_SPACING)


def ball_outline(z, closer=3.0):
    """A circle on a slice, inside the ball by so much."""
    height = (z - BALL_CENTRE[0]) * BALL_SPACING[0]
    radius = np.sqrt(BALL_RADIUS**2 - height**2) - closer
    return on_slice(circle(BALL_CENTRE[1:], radius, n=20), z)


@pytest.fixture
def bench(viewer_model, qtbot):
    """A ball in a volume, and the method that suits it."""
    made = SnakesBench(viewer_model, qtbot, ball()[0], scale=BALL_SPACING, units=("um",) * 3)
    made.use("region_surface")
    return made


def film_centre(t):
    return (22.0, 14.0 + FILM_STEP * t)


def film(n_times=5, gone_from=None):
    """A disc that moves to the right, (t, y, x); it is not there any more from `gone_from` on."""
    dark = disc(FILM_SHAPE, radius=0.0)[0]
    return np.stack(
        [
            disc(FILM_SHAPE, film_centre(t), FILM_RADIUS)[0]
            if gone_from is None or t < gone_from
            else dark
            for t in range(n_times)
        ]
    )


def film_bench(viewer_model, qtbot, **options):
    made = SnakesBench(viewer_model, qtbot, film(**options), axis_labels=("t", "y", "x"))
    made.use("region_surface", follow="forwards")
    return made


def dice(a, b):
    return 2 * np.count_nonzero(a & b) / (np.count_nonzero(a) + np.count_nonzero(b))


def step(bench):
    """Press Step and wait for what it shows."""
    before = bench.iteration
    bench.click(bench.form.step)
    bench.qtbot.waitUntil(lambda: bench.iteration > before, timeout=15000)
    bench.qtbot.wait(20)


# From slice to slice


def test_stack_grows_from_one_slice_to_all_that_the_ball_is_on(bench):
    layer = bench.add_shapes(ball_outline(7), features={"label": [1]})
    drawn, before = bench.drawn(), seeds_digest(layer)
    bench.use("region_surface", extent="stack")
    bench.choose(bench.form.result, "labels")
    bench.run()
    result = bench.labels()
    np.testing.assert_array_equal(result.data, bench.expected(drawn).image("labels").array)
    assert dice(result.data == 1, ball()[1]) > 0.85
    np.testing.assert_array_equal(result.scale, BALL_SPACING)
    assert seeds_digest(layer) == before


@pytest.mark.parametrize("extent", ["stack", "volume"])
def test_moved_shapes_stay_as_many_and_labels_show_the_other_slices(bench, extent):
    layer = bench.add_shapes(ball_outline(7), features={"label": [4]})
    drawn, before = bench.drawn(), layer.data[0].copy()
    bench.use("region_surface", extent=extent)
    bench.run()
    (moved,) = layer.data
    assert set(moved[:, 0]) == {7}
    assert len(moved) != len(before) or not np.allclose(moved, before)
    assert dice(bench.labels().data == 4, ball()[1]) > 0.85
    np.testing.assert_array_equal(bench.labels().data, bench.expected(drawn).image("labels").array)
    bench.click(bench.form.undo)
    np.testing.assert_array_equal(layer.data[0], before)


def test_stack_gives_new_shapes_on_every_slice_and_takes_its_labels_away(bench):
    layer = bench.add_shapes(ball_outline(7), features={"label": [4]})
    bench.use("region_surface", extent="stack")
    bench.choose(bench.form.result, "shapes")
    bench.run()
    slices = {round(float(part[0, 0])) for part in bench.shapes().data}
    assert slices >= set(range(4, 11))
    assert set(bench.shapes().features["label"]) == {4}
    assert bench.labels() is None
    assert len(layer.data) == 1


def test_elastic_contour_goes_through_a_stack(bench):
    bench.add_shapes(ball_outline(7, closer=-3))
    bench.use("elastic_contour", extent="stack")
    bench.choose(bench.form.result, "shapes")
    bench.run()
    assert {round(float(part[0, 0])) for part in bench.shapes().data} >= set(range(5, 10))


# As a surface


def expect_replayed(bench):
    """The recipe of the result gives it again, to the bit."""
    final = bench.final
    again = replay(recipe_from_record(final.record), bench.panel.images.image())
    np.testing.assert_array_equal(again.image("labels").array, final.image("labels").array)
    if "shapes" in final.outputs:
        pairs = zip(again.shapes().shapes, final.shapes().shapes, strict=True)
        for repeated, shape in pairs:
            np.testing.assert_array_equal(repeated.points, shape.points)


def volume_of_three(bench):
    bench.use("region_surface", extent="volume")
    return bench.add_shapes(*(ball_outline(z) for z in (4, 7, 10)), features={"label": [2] * 3})


def test_surface_from_three_outlines_is_that_of_the_single_door(bench):
    volume_of_three(bench)
    drawn = bench.drawn()
    bench.choose(bench.form.result, "labels")
    bench.run()
    result = bench.labels()
    np.testing.assert_array_equal(result.data, bench.expected(drawn).image("labels").array)
    assert dice(result.data == 2, ball()[1]) > 0.93
    assert bench.status.startswith("Stopped after")
    expect_replayed(bench)


@pytest.mark.parametrize("mode", ["update", "shapes", "labels", "both"])
def test_surface_is_seen_moving_as_labels(bench, mode):
    layer = volume_of_three(bench)
    before = seeds_digest(layer)
    bench.choose(bench.form.result, mode)
    step(bench)
    moving = bench.labels()
    seen = [moving.data.copy()]
    step(bench)
    seen.append(moving.data.copy())
    assert bench.labels() is moving
    assert all(np.count_nonzero(data == 2) > 100 for data in seen)
    assert (seen[0] != seen[1]).any()
    assert seeds_digest(layer) == before
    bench.run()
    assert (bench.labels() is moving) == (mode != "shapes")


def test_surface_gives_shapes_on_the_slices_in_between(bench):
    layer = volume_of_three(bench)
    bench.choose(bench.form.result, "shapes")
    bench.run()
    assert {round(float(part[0, 0])) for part in bench.shapes().data} >= set(range(4, 11))
    assert [part[0, 0] for part in layer.data] == [4, 7, 10]


@pytest.mark.parametrize("mode", ["update", "shapes", "labels"])
def test_surface_painted_on_in_a_pause_goes_on_from_there(bench, mode):
    layer = volume_of_three(bench)
    bench.use("region_surface", extent="volume", max_num_iter=5)
    bench.choose(bench.form.result, mode)
    step(bench)
    labels = bench.labels()
    data = labels.data.copy()
    data[6:9, 10:29, 22:34][data[6:9, 10:29, 22:34] == 2] = 3
    changed = np.nonzero(data == 3)
    labels.data_setitem(changed, 3)
    edited = labels.data.copy()
    bench.run()
    expected = bench.expected(seeds=Image(edited, ("z", "y", "x"), BALL_SPACING, ("um",) * 3))
    found = bench.final.image("labels").array
    np.testing.assert_array_equal(found, expected.image("labels").array)
    assert 3 in np.unique(found)
    if mode == "shapes":
        assert set(bench.shapes().features["label"]) == {2, 3}
    else:
        np.testing.assert_array_equal(bench.labels().data, found)
    assert set(layer.features["label"]) == {2}
    assert len(layer.data) == 3
    assert layer.editable


def test_shapes_are_at_hand_again_when_the_labels_have_gone(bench):
    layer = volume_of_three(bench)
    bench.choose(bench.form.result, "shapes")
    step(bench)
    assert bench.viewer.layers.selection.active is bench.labels()
    bench.run()
    assert bench.viewer.layers.selection.active is layer


def test_volume_starts_from_labels_that_are_never_changed(bench):
    rough = np.zeros(BALL_SHAPE, np.int32)
    rough[5:10, 14:25, 16:28] = 6
    start = bench.viewer.add_labels(
        rough.copy(), name="rough", scale=BALL_SPACING, units=("um",) * 3
    )
    bench.form.start.choose(start)
    bench.use("region_surface", extent="volume")
    bench.choose(bench.form.result, "both")
    bench.run()
    np.testing.assert_array_equal(start.data, rough)
    assert dice(bench.labels().data == 6, ball()[1]) > 0.93
    expect_replayed(bench)
    assert set(bench.shapes().features["label"]) == {6}


# Through time


def test_disc_is_followed_through_a_film(viewer_model, qtbot):
    bench = film_bench(viewer_model, qtbot)
    layer = bench.add_shapes(on_slice(circle(film_centre(0), FILM_RADIUS - 3), 0))
    drawn = bench.drawn()
    bench.choose(bench.form.result, "both")
    bench.run()
    expected = bench.expected(drawn)
    result = bench.labels()
    np.testing.assert_array_equal(result.data, expected.image("labels").array)
    for t in range(5):
        truth = disc(FILM_SHAPE, film_centre(t), FILM_RADIUS)[1]
        assert dice(result.data[t] == 1, truth) > 0.9
    assert sorted(int(part[0, 0]) for part in bench.shapes().data) == list(range(5))
    assert len(layer.data) == 1
    expect_replayed(bench)


def test_followed_shapes_stay_as_many_and_labels_show_the_other_time_points(viewer_model, qtbot):
    bench = film_bench(viewer_model, qtbot)
    layer = bench.add_shapes(on_slice(circle(film_centre(0), FILM_RADIUS - 3), 0))
    bench.run()
    assert [int(part[0, 0]) for part in layer.data] == [0]
    assert all((bench.labels().data[t] == 1).any() for t in range(5))


def test_message_says_where_an_object_was_lost(viewer_model, qtbot):
    bench = film_bench(viewer_model, qtbot, gone_from=3)
    bench.add_shapes(on_slice(circle(film_centre(0), FILM_RADIUS - 3), 0))
    bench.choose(bench.form.result, "labels")
    bench.run()
    assert "Object 1 was lost" in bench.status
    assert "time point 3" in bench.status
    data = bench.labels().data
    assert all(data[t].any() for t in range(3))
    assert not data[3:].any()


def test_film_that_is_not_followed_moves_what_was_drawn_alone(viewer_model, qtbot):
    bench = film_bench(viewer_model, qtbot)
    bench.use("region_surface", follow="off")
    rings = [on_slice(circle(film_centre(t), FILM_RADIUS - 3), t) for t in (1, 3)]
    layer = bench.add_shapes(*rings)
    bench.run()
    assert [int(part[0, 0]) for part in layer.data] == [1, 3]
    assert bench.labels() is None


def test_choice_to_follow_does_not_count_in_a_single_picture(viewer_model, qtbot):
    bench = film_bench(viewer_model, qtbot)
    bench.viewer.add_image(disc()[0], name="single")
    bench.form.image.setCurrentText("single")
    layer = bench.viewer.add_shapes([circle(radius=13)], shape_type="polygon", name="mine")
    bench.form.start.choose(layer)
    before = seeds_digest(layer)
    step(bench)
    step(bench)
    assert seeds_digest(layer) != before
    assert bench.labels() is None


def test_layer_without_time_is_not_filled_with_all_time_points(viewer_model, qtbot):
    bench = film_bench(viewer_model, qtbot)
    layer = bench.viewer.add_shapes([circle(film_centre(2), 6)], shape_type="polygon")
    bench.form.start.choose(layer)
    bench.viewer.dims.set_point(0, 2)
    bench.run()
    assert len(layer.data) == 1
    np.testing.assert_allclose(np.mean(layer.data[0], axis=0), film_centre(2), atol=1)
    assert bench.labels().data.any(axis=(1, 2)).tolist() == [False, False, True, True, True]
    bench.choose(bench.form.result, "shapes")
    bench.run()
    assert sorted(int(part[0, 0]) for part in bench.shapes().data) == [2, 3, 4]


def test_layer_without_time_is_updated_where_it_stays_at_its_time_point(viewer_model, qtbot):
    bench = film_bench(viewer_model, qtbot)
    bench.use("region_surface", follow="off")
    layer = bench.viewer.add_shapes([circle(film_centre(2), 6)], shape_type="polygon")
    bench.form.start.choose(layer)
    bench.viewer.dims.set_point(0, 2)
    bench.run()
    assert len(layer.data) == 1
    np.testing.assert_allclose(np.mean(layer.data[0], axis=0), film_centre(2), atol=1)


def test_flat_layer_is_not_filled_with_all_slices(bench):
    layer = bench.viewer.add_shapes(
        [circle(BALL_CENTRE[1:], 8)], shape_type="polygon", units=("um",) * 2
    )
    bench.form.start.choose(layer)
    bench.viewer.dims.set_point(0, 7 * BALL_SPACING[0])
    bench.use("region_surface", extent="stack")
    bench.run()
    assert len(layer.data) == 1
    assert dice(bench.labels().data == 1, ball()[1]) > 0.85


# Objects


def test_three_outlines_of_a_nucleus_are_one_object(make_napari_viewer, qtbot, samples):
    """Drawn with the mouse on the sample volume, without a choice of anything."""
    image = read_image(samples / "nuclei.ome.tif")
    truth = np.asarray(read_image(samples / "nuclei_truth.ome.tif").array)
    nucleus = np.bincount(truth[truth > 0]).argmax()
    here = np.flatnonzero((truth == nucleus).any(axis=(1, 2)))
    quarter = (here[-1] - here[0]) // 4
    slices = [here[0] + n * quarter for n in (1, 2, 3)]
    window = SnakesWindow(
        make_napari_viewer, qtbot, np.asarray(image.array), scale=image.spacing, units=image.units
    )
    window.click(window.form.new_shapes)
    for z in slices:
        window.viewer.dims.set_point(0, window.world((z, 0, 0))[0])
        qtbot.wait(50)
        mask = truth[z] == nucleus
        radius = np.sqrt(mask.sum() / np.pi)
        window.lasso(on_slice(circle(np.argwhere(mask).mean(axis=0), radius, n=24), z))
        qtbot.wait(200)
    assert window.start.features["label"].tolist() == [1, 1, 1]
    assert window.form.objects.text() == "3 outlines of 1 object"
    assert window.form.method_name() == "region_surface"
    assert window.form.fields().values()["extent"] == "volume"
    window.run()
    assert len(window.start.data) == 3
    assert np.unique(window.labels().data).tolist() == [0, 1]
    assert dice(window.labels().data == 1, truth == nucleus) > 0.8
    window.click(window.form.new_object)
    window.viewer.dims.set_point(0, window.world((z - 1, 0, 0))[0])
    window.viewer.layers.selection.active = window.start
    window.start.mode = "add_polygon_lasso"
    window.lasso(on_slice(circle(np.argwhere(mask).mean(axis=0), radius, n=24), z - 1))
    qtbot.waitUntil(lambda: window.form.objects.text() == "4 outlines of 2 objects")
