"""Operations on two images, and points and tables: what they are given, and how recipes replay."""

import csv
import json
from dataclasses import replace

import numpy as np
import pytest
from pydantic import ValidationError

from napari_seedbed.core.marks.shapes import Shape
from napari_seedbed.errors import InputError, RecipeError
from napari_seedbed.pipeline import operations
from napari_seedbed.pipeline.cli import main
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.data.tables import PointsFound
from napari_seedbed.pipeline.engine.declarations import Need, Operation, SecondImage
from napari_seedbed.pipeline.engine.parameters import Parameter, output
from napari_seedbed.pipeline.files import write_image, write_points
from napari_seedbed.pipeline.operations import run
from napari_seedbed.pipeline.recipes import load_recipe, recipe_from_record, replay, save_recipe
from napari_seedbed.pipeline.recipes.recipe_model import Recipe


def _brightest(job):
    """The brightest voxel of each label, in the second image."""
    labels, image = job.load(), job.other()
    values = np.unique(labels[labels > 0])
    places = [np.argwhere(labels == v)[image[labels == v].argmax()] for v in values]
    top = np.array([image[tuple(place)] for place in places])
    job.notes.append(f"{len(values)} labels.")
    points = np.array(places, float).reshape(-1, labels.ndim)
    return {
        "points": PointsFound(points, {"label": values, "top": top}),
        "table": {"label": values, "top": top},
        "shapes": [
            Shape(int(v), p[np.newaxis], False) for v, p in zip(values, points, strict=True)
        ],
    }


def _copy(job):
    return {"labels": (job.load() > job.parameters["above"]).astype(np.int32)}


@pytest.fixture
def brightest(monkeypatch):
    common = {
        "menu": "napari/layers/segment",
        "channels": "joint",
        "estimate": lambda *_: Need(1000, 1.0),
        "help": "Marks voxels.",
        "reference": "Euclid (1956). The elements. Dover.",
    }
    above = Parameter("above", "int", 400, "Above", "Value.", minimum=0)
    extra = [output(name, True, name.title(), "More.") for name in ("table", "shapes")]
    made = Operation(
        name="brightest",
        title="Brightest voxel",
        function=_brightest,
        parameters=tuple(extra),
        other=SecondImage(),
        gives="points",
        image_kind="labels",
        **common,
    )
    split = Operation(
        name="above",
        title="Above",
        function=_copy,
        parameters=(above,),
        gives="labels",
        **common,
    )
    monkeypatch.setitem(operations.operations, "brightest", made)
    monkeypatch.setitem(operations.operations, "above", split)
    return made


@pytest.fixture
def chain(brightest, cells):
    """Labels of the image, and then the brightest voxels of these in the image itself."""
    labels = run("above", {"image": cells}).image("labels")
    return run(brightest, {"image": labels, "other": cells})


def test_labels_come_as_int32_and_the_second_image_as_it_is(brightest, cells):
    marks = (cells.array > 400).astype(np.uint16) * 7
    result = run(brightest, {"image": replace(cells, array=marks), "other": cells})
    place = np.unravel_index(cells.array.argmax(), cells.shape)
    np.testing.assert_array_equal(result.points().points, [place])
    assert result.points().columns["label"].tolist() == [7]
    assert result.table().columns["top"].tolist() == [cells.array.max()]
    assert result.record["notes"] == ["1 labels."]


def test_mask_counts_as_the_label_one(brightest, cells):
    mask = replace(cells, array=cells.array > 400)
    assert run(brightest, {"image": mask, "other": cells}).table().columns["label"].tolist() == [1]


def test_series_gives_rows_for_each_time_point_and_takes_a_second_image_without_time(brightest):
    array = np.zeros((3, 6, 8), np.uint8)
    array[0, 1, 1] = array[2, 4, 5] = array[2, 0, 0] = 9
    movie = Image(np.where(array > 0, [[[1]], [[2]], [[3]]], 0), ("t", "y", "x"))
    still = Image(np.arange(48).reshape(6, 8), ("y", "x"))
    result = run(brightest, {"image": movie, "other": still})
    assert result.table().columns["time_point"].tolist() == [0, 2]
    assert result.points().times.tolist() == [0, 2]
    assert result.points().n_times == 3
    np.testing.assert_array_equal(result.points().points, [[1, 1], [4, 5]])
    assert [shape.time for shape in result.shapes().shapes] == [0, 2]
    assert "Time point 3: 1 labels." in result.record["notes"]


def test_no_labels_give_empty_points_and_tables(brightest, cells):
    result = run(brightest, {"image": replace(cells, array=cells.array > 9999), "other": cells})
    assert result.points().points.shape == (0, 3)
    assert list(result.table().columns) == ["label", "top"]
    assert len(result.table()) == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"image": lambda i: replace(i, array=i.array.astype(float))}, r"^image: it holds float64"),
        ({"other": lambda i: i.crop((slice(0, 3),) * 3)}, r"^other: its shape \(3, 3, 3\)"),
        ({"other": lambda i: replace(i, array=i.array[0], axes=("y", "x"), spacing=(), units=(),
                                     translate=())}, "^other: .*2D"),
        ({"other": lambda i: Image(np.zeros((2, *i.shape)), ("t", *i.axes))}, "^other: .*2 time"),
    ],
)  # fmt: skip
def test_images_that_do_not_fit_are_refused(brightest, cells, change, message):
    inputs = {"image": replace(cells, array=cells.array // 300), "other": cells}
    inputs |= {role: make(inputs[role]) for role, make in change.items()}
    with pytest.raises(InputError, match=message):
        run(brightest, inputs)


def test_second_image_that_is_the_source_is_found_again(chain, cells, tmp_path):
    recipe = load_recipe(save_recipe(tmp_path / "r.yaml", recipe_from_record(chain.record)))
    first, second = recipe.steps
    assert (first.operation, first.image, first.other) == ("above", "image", None)
    assert (second.image, second.other) == ("above", "image")
    assert recipe.other_names == ()
    again = replay(recipe, cells)
    np.testing.assert_array_equal(again.points().points, chain.points().points)


def test_second_image_that_is_taken_twice_has_one_name(cells):
    second = replace(cells, array=cells.array + 1, name="plus 1")
    once = run("image_difference", {"image": cells, "other": second}).image("image")
    recipe = recipe_from_record(run("image_difference", {"image": once, "other": second}).record)
    assert [step.other for step in recipe.steps] == ["other", "other"]
    assert recipe.other_names == ("other",)


def test_mask_keeps_its_name_when_it_comes_back_from_the_window(brightest, cells):
    mask = run("threshold", {"image": cells}).image("mask")
    shown = replace(mask, array=mask.array.astype(np.uint8))
    recipe = recipe_from_record(run(brightest, {"image": shown, "other": cells}).record)
    assert [step.operation for step in recipe.steps] == ["threshold", "brightest"]


def test_edited_labels_are_a_source_of_their_own(brightest, cells):
    labels = run("above", {"image": cells}).image("labels")
    array = labels.array.copy()
    array[0, 0, 0] = 5
    recipe = recipe_from_record(
        run(brightest, {"image": replace(labels, array=array), "other": cells}).record
    )
    assert [(step.image, step.other) for step in recipe.steps] == [("image", "other")]
    with pytest.raises(RecipeError, match="two images"):
        replay(recipe, labels)


def test_seeds_that_an_operation_made_are_made_again(brightest, cells):
    made = run("above", {"image": cells}, {"above": 90}).image("labels")
    recipe = recipe_from_record(
        run("edge_surface", {"image": cells, "seeds": made}, {"max_num_iter": 2}).record
    )
    assert (recipe.steps[1].seeds, recipe.steps[1].seeds_from) == (None, "above")
    assert replay(recipe, cells).record["inputs"][1]["made_as"] == "labels"


def recipe_of_steps(cells, *steps):
    source = run("mean", {"image": cells}).record
    content = recipe_from_record(source).model_dump(exclude_none=True)
    return Recipe.model_validate({**content, "steps": steps})


def test_points_of_a_step_are_seeds_of_another(brightest, cells):
    recipe = recipe_of_steps(
        cells,
        {"name": "a", "operation": "above"},
        {"name": "b", "operation": "brightest", "image": "a", "other": "image"},
        {"name": "c", "operation": "edge_surface", "seeds_from": "b",
         "parameters": {"max_num_iter": 1, "smoothing": 0, "balloon": 0}},
    )  # fmt: skip
    labels = replay(recipe, cells).image("labels").array
    assert labels[np.unravel_index(cells.array.argmax(), cells.shape)] == 1


@pytest.mark.parametrize(
    ("step", "message"),
    [
        ({"name": "b", "operation": "brightest", "image": "a"}, "no second image"),
        ({"name": "b", "operation": "mean", "other": "image"}, "second image.* takes none"),
        ({"name": "b", "operation": "brightest", "image": "a", "other": "x"}, "takes 'x'"),
        ({"name": "b", "operation": "edge_surface", "seeds_from": "x"}, "starts from 'x'"),
        ({"name": "b.c", "operation": "mean"}, "a dot"),
    ],
)
def test_recipes_that_do_not_hang_together_are_refused(brightest, cells, step, message):
    with pytest.raises(ValidationError, match=message):
        recipe_of_steps(cells, {"name": "a", "operation": "above"}, step)


def test_command_line_takes_the_second_image_from_a_file_or_a_folder(
    brightest, cells, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "second").mkdir()
    labels = replace(cells, array=(cells.array > 400).astype(np.uint8), name="labels")
    write_image("labels.ome.tif", labels)
    write_image("second/labels.ome.tif", cells)
    recipe = recipe_of_steps(
        labels,
        {"name": "b", "operation": "brightest", "other": "other"},
    )
    save_recipe("r.yaml", recipe)
    assert "r.yaml IMAGE --other SECOND_IMAGE" in (tmp_path / "r.yaml").read_text("utf-8")
    assert main(["run", "r.yaml", "labels.ome.tif", "-o", "out"]) == 2
    for second in ("second", "second/labels.ome.tif"):
        arguments = ["run", "r.yaml", "labels.ome.tif", "--other", second, "-o", second + "-out"]
        assert main(arguments) == 0
        folder = tmp_path / (second + "-out")
        (entry,) = json.loads((folder / "summary.json").read_text("utf-8"))["inputs"]
        assert set(entry["outputs"]) == {"points", "table", "shapes"}
        with (folder / entry["outputs"]["table"]).open(encoding="utf-8") as file:
            assert list(csv.reader(file))[1:] == [["1", str(cells.array.max())]]


def test_points_are_written_as_napari_reads_them(chain, tmp_path):
    path = write_points(tmp_path / "p.csv", chain.points())
    with path.open(encoding="utf-8") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["index", "axis-0", "axis-1", "axis-2", "label", "top"]
    place = [str(float(n)) for n in chain.points().points[0]]
    assert rows[1][:4] == ["0", *place]
