"""Part of an image worked on by itself: the same as of the whole, in its place, and repeatable."""

from dataclasses import replace

import numpy as np
import pytest
from operation_scenes import inputs_for, parameters_for, scene

from napari_seedbed.core.marks.shapes import Shape
from napari_seedbed.errors import InputError
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.data.shapes import Shapes
from napari_seedbed.pipeline.data.tables import Points
from napari_seedbed.pipeline.engine.run_costs import BESIDE_VOXELS
from napari_seedbed.pipeline.operations import Context, forecast, operations, run
from napari_seedbed.pipeline.recipes import load_recipe, recipe_from_record, replay, save_recipe

MICRO = ("micrometer",) * 3
REGION = (slice(9, 10), slice(5, 33), slice(0, 11))


@pytest.mark.parametrize("name", operations)
def test_region_has_the_voxels_that_it_has_in_the_whole(name):
    operation = operations[name]
    array = scene((20, 40, 22)).astype(np.uint8)
    inputs = inputs_for(operation, array, spacing=(2.0, 1.0, 1.0))
    parameters = parameters_for(operation)
    whole = run(operation, inputs, parameters)
    part = run(operation, inputs, parameters, region=REGION)
    for key, output in part.outputs.items():
        if isinstance(output, Image) and whole.image(key).spatial_shape == array.shape:
            wanted = whole.image(key).crop(REGION)
            assert output.translate == wanted.translate == (18, 5, 0)
            room = 1e-5 * np.abs(np.asarray(wanted.array, float)).max()
            np.testing.assert_allclose(
                np.asarray(output.array, float), np.asarray(wanted.array, float), rtol=0, atol=room
            )


def test_local_operation_looks_at_no_more_than_it_needs(cells):
    region = (slice(4, 5), slice(0, 20), slice(0, 24))
    part = forecast("mean", {"image": cells}, {"radius": 0.3}, region=region)
    whole = forecast("mean", {"image": cells}, {"radius": 0.3})
    assert 8 * part.seconds == pytest.approx(3 * whole.seconds)
    assert BESIDE_VOXELS < part.bytes < whole.bytes


@pytest.mark.parametrize(
    ("region", "message"),
    [
        ((slice(0, 4), slice(0, 4)), "2 slices"),
        ((slice(3, 3), slice(0, 4), slice(0, 4)), "no voxels"),
        ((slice(90, 99), slice(0, 4), slice(0, 4)), "no voxels"),
        ((slice(0, 4, 2), slice(0, 4), slice(0, 4)), "no voxels"),
    ],
)
def test_region_without_voxels_is_refused(cells, region, message):
    with pytest.raises(InputError, match=rf"^region: .*{message}"):
        run("mean", {"image": cells}, region=region)


def test_region_is_kept_in_the_recipe(cells, tmp_path):
    region = (slice(4, 5), slice(2, 20), slice(0, 24))
    result = run("mean", {"image": cells}, {"radius": 0.3}, region=region)
    recipe = load_recipe(save_recipe(tmp_path / "r.yaml", recipe_from_record(result.record)))
    assert recipe.steps[0].region == ((4, 5), (2, 20), (0, 24))
    again = replay(recipe, cells)
    assert not again.record["notes"]
    np.testing.assert_array_equal(again.image("image").array, result.image("image").array)


def test_live_run_of_a_region_leaves_no_name_of_the_voxels(cells):
    region = (slice(4, 5), slice(2, 20), slice(0, 24))
    result = run("mean", {"image": cells}, region=region, context=Context(live=True))
    assert result.record["live"]
    assert result.record["inputs"][0]["fingerprint"] is None


def test_points_and_shapes_of_a_region_keep_their_place(cells, monkeypatch):
    def find(job):
        peaks = np.argwhere(job.load() > 0).astype(float)
        columns = {"value": job.load()[job.load() > 0]}
        return {
            "points": _found(peaks, columns),
            "shapes": [Shape(i, peak[np.newaxis]) for i, peak in enumerate(peaks, start=1)],
            "table": {"shape": np.arange(1, len(peaks) + 1), "value": columns["value"]},
        }

    def _found(peaks, columns):
        from napari_seedbed.pipeline.data.tables import PointsFound

        return PointsFound(peaks, columns)

    array = np.zeros(cells.shape, np.uint8)
    array[5, 7, 8], array[5, 19, 23], array[2, 7, 8] = 50, 60, 70
    operation = replace(operations["mean"], function=find, gives="points", halo=None, name="find")
    image = replace(cells, array=array, spacing=(2.0, 1.0, 1.0))
    result = run(operation, {"image": image}, region=(slice(5, 6), slice(6, 12), slice(1, 24)))
    points = result.points()
    assert isinstance(points, Points)
    np.testing.assert_array_equal(points.points, [[0, 1, 7]])
    assert points.columns["value"].tolist() == [50]
    assert points.translate == (10, 6, 1)
    shapes = result.shapes()
    assert isinstance(shapes, Shapes)
    np.testing.assert_array_equal([shape.points for shape in shapes.shapes], [[[0, 1, 7]]])
    assert {name: list(c) for name, c in result.table().columns.items()} == {
        "shape": [2],
        "value": [50],
    }
