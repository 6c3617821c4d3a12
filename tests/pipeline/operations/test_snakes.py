"""The operations of the snakes panel and the edge map, through the door that all callers use."""

import csv
import json
import tracemalloc
from dataclasses import fields

import numpy as np
import pytest

from napari_seedbed.core import edge_map, grow_snakes
from napari_seedbed.core.marks.shapes import Shape
from napari_seedbed.core.snakes.snake_methods import EdgeSurface, ElasticContour, RegionSurface
from napari_seedbed.errors import Cancelled, InputError
from napari_seedbed.pipeline.cli import DONE, main
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.data.shapes import Shapes
from napari_seedbed.pipeline.engine.jobs import Context
from napari_seedbed.pipeline.files import read_image, write_image
from napari_seedbed.pipeline.operations import forecast, get, run
from napari_seedbed.pipeline.recipes import load_recipe, recipe_from_record, replay, save_recipe

METHODS = {
    "elastic_contour": ElasticContour,
    "edge_surface": EdgeSurface,
    "region_surface": RegionSurface,
}
SURFACES = ("edge_surface", "region_surface")
EVERY = pytest.mark.parametrize("name", METHODS)
SURFACE = pytest.mark.parametrize("name", SURFACES)


def ball(shape=(96, 96), centre=(45, 50), radius=22.0, spacing=1.0):
    grid = np.moveaxis(np.indices(shape), 0, -1) * np.array(spacing)
    distance = np.linalg.norm(grid - np.array(centre), axis=-1) - radius
    return 0.5 * (1 - np.tanh(distance / 1.5))


def ellipse(centre=(45, 50), radii=(26.4, 17.6), n=60):
    """By default a fifth too high and a fifth too narrow for the disc."""
    angle = np.linspace(0, 2 * np.pi, n, endpoint=False)
    return np.stack([np.sin(angle), np.cos(angle)], axis=1) * radii + centre


def sixteen_bits(image, noise=0.05, seed=1):
    noise = noise * np.random.default_rng(seed).normal(size=image.shape)
    return np.clip(1000 + 3000 * (image + noise), 0, 65535).astype(np.uint16)


def on_slice(points, z):
    return np.insert(points, 0, z, axis=1)


def dice(one, other):
    one, other = np.asarray(one) != 0, np.asarray(other) != 0
    return 2 * np.count_nonzero(one & other) / (one.sum() + other.sum())


@pytest.fixture
def disc():
    return Image(sixteen_bits(ball()), ("y", "x"), (0.2, 0.2), ("micrometer",) * 2, name="disc")


@pytest.fixture
def drawn():
    return Shapes((Shape(4, ellipse()),))


@pytest.fixture
def film():
    frames = [sixteen_bits(ball(centre=(45, 40 + 2 * t)), 0.02, t) for t in range(4)]
    return Image(np.stack(frames, axis=1), ("y", "t", "x"), (0.2, 0.2), ("micrometer",) * 2)


def assert_same(one, other):
    np.testing.assert_array_equal(
        one.image("labels").array, other.image("labels").array, strict=True
    )
    for mine, theirs in zip(one.shapes().shapes, other.shapes().shapes, strict=True):
        assert (mine.label, mine.closed, mine.time) == (theirs.label, theirs.closed, theirs.time)
        assert mine.points.tobytes() == theirs.points.tobytes()


@EVERY
def test_each_field_of_a_method_is_a_parameter_of_its_operation(name):
    parameters = {parameter.name for parameter in get(name).parameters}
    assert {field.name for field in fields(METHODS[name])} <= parameters


# Defaults


@EVERY
@pytest.mark.parametrize("noise", [0.0, 0.05, 0.1])
@pytest.mark.parametrize("radii", [(26.4, 17.6), (26.4, 26.4), (17.6, 17.6)])
def test_defaults_find_a_noisy_disc_from_an_ellipse_that_is_a_fifth_off(name, noise, radii):
    image = Image(sixteen_bits(ball(), noise), ("y", "x"))
    shapes = Shapes((Shape(1, ellipse(radii=radii)),))
    labels = run(name, {"image": image, "shapes": shapes}).image("labels").array
    assert dice(labels, ball() >= 0.5) > 0.9


@EVERY
def test_defaults_find_a_dark_disc(name):
    image = Image(sixteen_bits(1 - ball()), ("y", "x"))
    labels = run(name, {"image": image, "shapes": Shapes((Shape(1, ellipse()),))}).image("labels")
    assert dice(labels.array, ball() >= 0.5) > 0.9


@EVERY
def test_defaults_follow_the_size_of_voxels(name, drawn):
    array = sixteen_bits(ball())
    results = [
        run(name, {"image": Image(array, ("y", "x"), (size, size)), "shapes": drawn})
        for size in (1.0, 0.065, 300.0)
    ]
    assert results[1].record["parameters"]["sigma"] == pytest.approx(
        0.065 * results[0].record["parameters"]["sigma"]
    )
    for other in results[1:]:
        assert dice(other.image("labels").array, results[0].image("labels").array) > 0.998


@SURFACE
def test_default_volume_is_the_ball_that_three_slices_were_drawn_of(name):
    spacing, centre = (2.0, 1.0, 1.0), (30, 32, 32)
    truth = ball((30, 64, 64), centre, 18, spacing)
    image = Image(sixteen_bits(truth), ("z", "y", "x"), spacing)
    shapes = [
        Shape(3, on_slice(ellipse((32, 32), (r, 0.9 * r)), z))
        for z, r in ((9, 13), (15, 18), (21, 13))
    ]
    found = run(name, {"image": image, "shapes": Shapes(tuple(shapes))}, {"extent": "volume"})
    assert dice(found.image("labels").array, truth >= 0.5) > 0.95


def test_default_path_lies_on_a_bright_line_when_told_to():
    columns = np.arange(128)
    middle = 32 + 6 * np.sin(columns / 20)
    line = np.exp(-((np.arange(64)[:, None] - middle) ** 2) / 4)
    start = np.array([[middle[10], 10], [30, 40], [35, 80], [middle[118], 118]])
    inputs = {
        "image": Image(sixteen_bits(line), ("y", "x")),
        "shapes": Shapes((Shape(1, start, closed=False),)),
    }
    (path,) = run("elastic_contour", inputs, {"attracted_by": "bright"}).shapes().shapes
    away = np.abs(path.points[:, 0] - np.interp(path.points[:, 1], columns, middle))
    assert not path.closed
    assert away.max() < 1.5


# What goes in and comes out


@EVERY
def test_operation_gives_the_voxels_of_the_core(name, disc, drawn):
    result = run(name, {"image": disc, "shapes": drawn}, {"shapes": True})
    parameters = result.record["parameters"]
    method = METHODS[name](**{f.name: parameters[f.name] for f in fields(METHODS[name])})
    expected = grow_snakes(
        lambda _: disc.array,
        1,
        disc.shape,
        method,
        shapes=drawn.shapes,
        spacing=disc.spacing,
        tolerance=parameters["tolerance"],
    )
    np.testing.assert_array_equal(result.image("labels").array, expected.labels[0])
    assert [s.points.tolist() for s in result.shapes().shapes] == [
        s.points.tolist() for s in expected.shapes
    ]
    assert result.record["notes"] == list(expected.notes)


@EVERY
def test_result_lies_on_the_grid_of_the_image(name, disc, drawn):
    result = run(name, {"image": disc, "shapes": drawn}, {"shapes": True})
    for output in (result.image("labels"), result.shapes()):
        assert (output.spacing, output.units) == (disc.spacing, disc.units)


@EVERY
def test_shapes_come_out_only_if_asked_for(name, disc, drawn):
    inputs = {"image": disc, "shapes": drawn}
    assert "shapes" not in run(name, inputs, {"shapes": False}).outputs
    assert len(run(name, inputs, {"shapes": True}).shapes().shapes) == 1


@EVERY
def test_seeds_can_start_it(name, disc):
    seeds = Image((ball(radius=19) >= 0.5).astype(np.uint16) * 9, disc.axes, disc.spacing)
    found = run(name, {"image": disc, "seeds": seeds}).image("labels").array
    assert set(np.unique(found)) == {0, 9}
    assert dice(found, ball() >= 0.5) > 0.95


@EVERY
def test_colours_count_together(name, drawn):
    """Red on green of the same brightness."""
    disc = ball()
    noise = np.random.default_rng(1).normal(scale=4, size=(96, 96, 3))
    colours = np.stack([200 * disc, 200 * (1 - disc), np.zeros_like(disc)], axis=-1) + 25 + noise
    image = Image(np.clip(colours, 0, 255).astype(np.uint8), ("y", "x", "c"), rgb=True)
    found = run(name, {"image": image, "shapes": drawn}).image("labels")
    assert found.axes == ("y", "x")
    assert dice(found.array, disc >= 0.5) > 0.95


@EVERY
def test_series_is_followed_along_its_time_axis(name, film):
    start = Shapes((Shape(4, ellipse((45, 40), (22, 22)), time=0),))
    result = run(name, {"image": film, "shapes": start}, {"follow": "forwards", "shapes": True})
    labels = result.image("labels")
    assert labels.axes == film.axes
    for t in range(4):
        assert dice(labels.array[:, t], ball(centre=(45, 40 + 2 * t)) >= 0.5) > 0.95
    assert [shape.time for shape in result.shapes().shapes] == [0, 1, 2, 3]


@EVERY
def test_series_that_is_not_followed_has_labels_only_where_it_was_drawn(name, film):
    start = Shapes((Shape(4, ellipse((45, 44), (22, 22)), time=2),))
    labels = run(name, {"image": film, "shapes": start}).image("labels").array
    assert [bool(labels[:, t].any()) for t in range(4)] == [False, False, True, False]


@EVERY
def test_forecast_grows_with_the_time_points_that_are_followed(name, film):
    inputs = {"image": film, "shapes": Shapes((Shape(4, ellipse((45, 40), (22, 22))),))}
    one, four = (forecast(name, inputs, {"follow": f}).seconds for f in ("off", "forwards"))
    assert four == pytest.approx(4 * one)


@EVERY
@pytest.mark.parametrize("extent", ["slice", "stack", "volume"])
def test_forecast_of_memory_holds(name, extent):
    if extent not in get(name).parameter("extent").choices:
        pytest.skip("active contours are no surfaces")
    image = Image(sixteen_bits(ball((16, 256, 256), (8, 64, 64), 7)), ("z", "y", "x"))
    shapes = Shapes((Shape(1, on_slice(ellipse((64, 64), (8, 8)), 8)),))
    inputs, parameters = {"image": image, "shapes": shapes}, {"extent": extent}
    run(name, inputs, parameters)
    tracemalloc.start()
    try:
        run(name, inputs, parameters)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < forecast(name, inputs, parameters).bytes


def test_progress_ends_at_one_and_shows_where_things_are(disc, drawn):
    told = []
    context = Context(watch=lambda _: True)
    inputs = {"image": disc, "shapes": drawn}
    result = run("region_surface", inputs, report=told.append, context=context)
    assert told[-1].fraction == 1
    assert [p.fraction for p in told] == sorted(p.fraction for p in told)
    last = [p.preview for p in told if p.preview is not None][-1]
    np.testing.assert_array_equal(last.labels, result.image("labels").array)


@EVERY
def test_stop_is_heeded(name, disc, drawn):
    asked = []
    with pytest.raises(Cancelled):
        run(
            name,
            {"image": disc, "shapes": drawn},
            should_stop=lambda: asked.append(1) or len(asked) > 6,
        )


def test_elastic_contour_offers_no_volume():
    assert "volume" not in get("elastic_contour").parameter("extent").choices


@SURFACE
def test_path_for_a_surface_is_refused(name, disc):
    path = Shapes((Shape(4, ellipse(), closed=False),))
    with pytest.raises(InputError, match="object 4 is drawn as an open path"):
        run(name, {"image": disc, "shapes": path})


@EVERY
def test_nan_is_refused(name, drawn):
    array = ball().astype(np.float32)
    array[2, 3] = np.nan
    with pytest.raises(InputError, match=r"NaN or infinite, the first at index \(2, 3\)"):
        run(name, {"image": Image(array, ("y", "x")), "shapes": drawn})


# Recipes and the command line


@EVERY
def test_recipe_gives_every_bit_again(name, film, tmp_path):
    start = Shapes((Shape(4, ellipse((45, 40), (22, 22))), Shape(7, ellipse((45, 46)), time=3)))
    parameters = {"follow": "both", "shapes": True}
    result = run(name, {"image": film, "shapes": start}, parameters)
    saved = save_recipe(tmp_path / "snake.yaml", recipe_from_record(result.record))
    assert_same(replay(load_recipe(saved), film), result)


@EVERY
def test_recipe_from_seeds_gives_every_bit_again(name, disc, tmp_path):
    seeds = Image((ball(radius=19) >= 0.5).astype(np.uint16) * 9, disc.axes, disc.spacing)
    result = run(name, {"image": disc, "seeds": seeds}, {"shapes": True})
    saved = save_recipe(tmp_path / "snake.yaml", recipe_from_record(result.record))
    assert_same(replay(load_recipe(saved), disc), result)


@EVERY
def test_command_line_writes_labels_objects_and_shapes(name, disc, drawn, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = run(name, {"image": disc, "shapes": drawn}, {"shapes": True})
    save_recipe("snake.yaml", recipe_from_record(result.record))
    write_image("disc.tif", disc)
    assert main(["run", "snake.yaml", "disc.tif", "-o", "out", "-q"]) == DONE
    (entry,) = json.loads((tmp_path / "out" / "summary.json").read_text("utf-8"))["inputs"]
    assert (entry["error"], entry["objects"]) == (None, 1)
    labels = read_image(tmp_path / "out" / entry["outputs"]["labels"])
    np.testing.assert_array_equal(labels.volume(), result.image("labels").array)
    with (tmp_path / "out" / entry["outputs"]["objects"]).open(encoding="utf-8") as file:
        assert [row["label"] for row in csv.DictReader(file)] == ["4"]
    with (tmp_path / "out" / entry["outputs"]["shapes"]).open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    points = [[float(row["axis-0"]), float(row["axis-1"])] for row in rows]
    np.testing.assert_array_equal(points, result.shapes().shapes[0].points)


# The edge map


@pytest.mark.parametrize("kind", ["strength", "stopping"])
def test_edge_map_is_that_of_the_core(disc, kind):
    result = run("edge_map", {"image": disc}, {"kind": kind, "sigma": 0.4, "steepness": 50.0})
    expected = edge_map(disc.array, 0.4, kind, steepness=50.0, spacing=disc.spacing)
    np.testing.assert_array_equal(result.image("image").array, expected)


def test_edge_map_of_a_series_is_made_frame_by_frame(film):
    found = run("edge_map", {"image": film}).image("image")
    one = run("edge_map", {"image": film.select_time(2)}).image("image")
    np.testing.assert_array_equal(found.array[:, 2], one.array)


def test_edge_map_of_colours_is_one_map(disc):
    image = Image(np.stack([disc.array] * 3, axis=-1), ("y", "x", "c"), disc.spacing)
    assert run("edge_map", {"image": image}).image("image").axes == ("y", "x")


def test_edge_map_is_made_again_from_its_recipe(disc):
    result = run("edge_map", {"image": disc})
    again = replay(recipe_from_record(result.record), disc)
    np.testing.assert_array_equal(again.image("image").array, result.image("image").array)


def test_edge_map_of_a_constant_image_is_refused():
    with pytest.raises(InputError, match="same value everywhere"):
        run("edge_map", {"image": Image(np.full((9, 9), 3), ("y", "x"))})
