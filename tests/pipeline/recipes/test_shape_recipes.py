"""Recipes that start from shapes: replayed bit for bit, listed, applied to files."""

import json
from dataclasses import replace

import numpy as np
import pytest
import yaml

from napari_seedbed.errors import InputError, RecipeError
from napari_seedbed.pipeline.cli import DONE, FAILED, main
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.data.shapes import Shapes
from napari_seedbed.pipeline.files import read_image, write_image
from napari_seedbed.pipeline.operations import run
from napari_seedbed.pipeline.recipes import load_recipe, recipe_from_record, replay, save_recipe
from napari_seedbed.pipeline.recipes.methods_text import recipe_to_methods_text

PARAMETERS = {"radius": 1.5}


@pytest.fixture
def result(discs, movie, drawn):
    return run(discs, {"image": movie, "shapes": drawn}, PARAMETERS)


@pytest.fixture
def recipe(result):
    return recipe_from_record(result.record)


@pytest.fixture
def saved(tmp_path, recipe):
    return save_recipe(tmp_path / "discs.yaml", recipe)


def edit(path, change):
    content = yaml.safe_load(path.read_text("utf-8"))
    change(content["steps"][0])
    path.write_text(yaml.safe_dump(content), "utf-8")
    return path


def assert_same(one, other):
    np.testing.assert_array_equal(
        one.image("labels").array, other.image("labels").array, strict=True
    )
    for mine, theirs in zip(one.shapes().shapes, other.shapes().shapes, strict=True):
        assert (mine.label, mine.closed, mine.time) == (theirs.label, theirs.closed, theirs.time)
        assert mine.points.tobytes() == theirs.points.tobytes()


def test_saved_recipe_loads_the_same(saved, recipe):
    assert load_recipe(saved) == recipe


def test_replay_gives_every_bit_again(saved, movie, result):
    assert result.image("labels").array.any()
    assert_same(replay(load_recipe(saved), movie), result)


def test_replay_of_the_file_gives_every_bit_again(saved, movie, result, tmp_path):
    file = read_image(write_image(tmp_path / "movie.ome.tif", movie))
    again = replay(load_recipe(saved), file)
    moved = np.moveaxis(result.image("labels").array, 1, 0)
    np.testing.assert_array_equal(again.image("labels").array, moved)


def test_replay_keeps_the_notes_of_the_operation(saved, movie):
    other = replace(movie, array=movie.array + np.uint8(1), name="other")
    notes = replay(load_recipe(saved), other).record["notes"]
    assert "The recipe's shapes and parameters were reused" in notes[0]
    assert notes[1:] == ["Shapes were moved."]


def test_shapes_are_used_at_the_same_voxels_of_a_larger_image(recipe, movie, drawn, discs):
    larger = replace(movie, array=np.pad(movie.array, ((0, 4), (0, 2), (0, 7))))
    expected = run(discs, {"image": larger, "shapes": drawn}, PARAMETERS)
    assert_same(replay(recipe, larger), expected)


def test_image_without_the_time_point_is_refused(recipe, movie):
    shorter = replace(movie, array=movie.array[:, :2])
    with pytest.raises(RecipeError, match=r"time point 2, counted from 0, but movie has 2"):
        replay(recipe, shorter)


def test_image_of_other_dimensions_is_refused(recipe, movie):
    volume = Image(movie.array[None], ("z", "y", "t", "x"))
    with pytest.raises(RecipeError, match="2D image, but image is 3D"):
        replay(recipe, volume)


def test_image_far_from_the_shapes_is_refused(recipe, movie):
    with pytest.raises(InputError, match=r"^shapes: .* far outside the image of shape \(2, 2\)"):
        replay(recipe, replace(movie, array=movie.array[:2, :, :2]))


def test_start_from_seeds_is_replayed(discs, movie):
    marks = np.zeros(movie.shape, np.int32)
    marks[4, 1, 5] = 3
    result = run(discs, {"image": movie, "seeds": Image(marks, movie.axes)})
    recipe = recipe_from_record(result.record)
    assert recipe.steps[0].starts == ("seeds",)
    assert_same(replay(recipe, movie), result)


def test_shapes_on_a_smoothed_image_are_replayed_from_the_file(discs, movie, drawn):
    smooth = run("gaussian", {"image": movie}, {"sigma": 0.2}).outputs["image"]
    result = run(discs, {"image": smooth, "shapes": drawn}, {"radius": 3})
    recipe = recipe_from_record(result.record)
    assert [step.starts for step in recipe.steps] == [(), ("shapes",)]
    assert_same(replay(recipe, movie), result)


def test_left_out_length_takes_the_voxels_of_the_image(saved, movie, drawn, discs):
    recipe = load_recipe(edit(saved, lambda step: step["parameters"].pop("radius")))
    other = Image(movie.array, movie.axes, (2.0, 3.0), movie.units)
    coarse = replace(other, array=movie.array + np.uint8(1))
    expected = run(discs, {"image": coarse, "shapes": drawn})
    assert expected.record["parameters"]["radius"] == 8.0
    assert_same(replay(recipe, coarse), expected)


def test_recipes_from_before_there_were_shapes_still_load(saved, result):
    record = {key: value for key, value in result.record.items() if key != "notes"}
    assert recipe_from_record(record).steps[0].shapes
    walked = {**record, "operation": "threshold", "parameters": {}}
    del walked["shapes"]
    assert recipe_from_record(walked).steps[0].shapes is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.pop("shapes"), "has no shapes or seeds; it needs one"),
        (lambda s: s.update(shapes=[]), r"damaged at steps\.0\.shapes"),
        (lambda s: s.update(operation="gaussian", parameters={}), "Gaussian filter takes none"),
        (lambda s: s["shapes"][0].update(label=0), r"steps\.0\.shapes\.0\.label"),
        (lambda s: s["shapes"][0].update(label=1 << 40), r"shapes\.0\.label"),
        (lambda s: s["shapes"][1].update(time=-1), r"shapes\.1\.time"),
        (lambda s: s["shapes"][0].update(colour="red"), r"shapes\.0\.colour"),
        (lambda s: s["shapes"][0].update(points=[1, 2]), r"damaged at .*shapes\.0\.points"),
        (lambda s: s["shapes"][0].update(points="1 2, 3 nan"), r"points: 'nan' in point 2"),
        (lambda s: s["shapes"][0].update(points="1 2 3, 4 5 6"), "shape 1 is 3D .* 2D image"),
    ],
)
def test_wrong_shapes_are_refused(saved, change, message):
    with pytest.raises(RecipeError, match=message):
        load_recipe(edit(saved, change))


@pytest.mark.parametrize(
    "change", [{"time": 10**15}, {"points": "0 0, 0 1e300, 1 1"}, {"label": 2**31 - 1}]
)
def test_forged_shapes_take_no_memory(saved, movie, change):
    """Each is refused or done in the memory that the image needs; none makes a huge array."""
    import tracemalloc

    recipe = load_recipe(edit(saved, lambda step: step["shapes"][0].update(change)))
    tracemalloc.start()
    try:
        replay(recipe, movie)
    except (RecipeError, InputError):
        pass
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 50_000_000


def test_both_starts_are_refused(saved, movie, discs):
    marks = np.ones(movie.shape, np.int32)
    seeds = run(discs, {"image": movie, "seeds": Image(marks, movie.axes)}).record["seeds"]
    with pytest.raises(RecipeError, match="has both shapes and seeds"):
        load_recipe(edit(saved, lambda step: step.update(seeds=seeds)))


def test_file_shows_points_as_people_read_them(saved):
    text = saved.read_text("utf-8")
    assert "points: 0 1, -0.5 1e-07" in text
    assert max(map(len, text.splitlines())) <= 110


def test_methods_paragraph_counts_what_was_drawn(recipe, movie, drawn, discs):
    text = recipe_to_methods_text(recipe)
    assert "from 2 outlines and 1 open path of 2 objects drawn by hand." in text
    assert "radius 1.5 micrometer" in text
    one = run(discs, {"image": movie, "shapes": Shapes(drawn.shapes[:1])})
    text = recipe_to_methods_text(recipe_from_record(one.record))
    assert "from 1 outline of 1 object drawn by hand." in text


def test_info_tells_what_was_drawn(saved, capsys):
    assert main(["info", str(saved)]) == DONE
    assert "from 2 outlines and 1 open path of 2 objects" in capsys.readouterr().out


def test_list_tells_of_either_start_and_of_voxels(discs, capsys):
    assert main(["list"]) == DONE
    text = capsys.readouterr().out
    assert "discs   Discs: image + shapes or seeds -> labels, 2D and 3D" in text
    assert "default 4 voxels" in text


def test_list_as_json_has_the_start(discs, capsys):
    assert main(["list", "--json"]) == DONE
    entry = next(e for e in json.loads(capsys.readouterr().out) if e["name"] == "discs")
    assert (entry["one_of"], entry["series"]) == (["shapes", "seeds"], True)
    assert (entry["panel"], entry["parameters"][0]["in_voxels"]) == ("round_things", True)


@pytest.fixture
def replayed(saved, movie, tmp_path, monkeypatch):
    """Command line that replays the recipe on its image into the folder ``out``."""
    monkeypatch.chdir(tmp_path)
    write_image(tmp_path / "movie.ome.tif", movie)
    return lambda *more: main(["run", "discs.yaml", "movie.ome.tif", "-o", "out", "-q", *more])


def test_batch_writes_shapes_and_lists_them(replayed, result, tmp_path):
    assert replayed() == DONE
    (entry,) = json.loads((tmp_path / "out" / "summary.json").read_text("utf-8"))["inputs"]
    assert entry["outputs"] == {
        "labels": "movie_labels.ome.tif",
        "shapes": "movie_shapes.csv",
        "objects": "movie_objects.csv",
    }
    assert "Shapes were moved." in entry["notes"]
    rows = (tmp_path / "out" / "movie_shapes.csv").read_text("utf-8").splitlines()[1:]
    assert len(rows) == sum(len(shape.points) for shape in result.shapes().shapes)


def test_batch_replaces_shapes_only_when_asked(replayed, tmp_path, capsys):
    target = tmp_path / "out" / "movie_shapes.csv"
    assert replayed() == DONE
    for path in target.parent.glob("movie_[lo]*"):
        path.unlink()
    target.write_text("mine", "utf-8")
    assert replayed() == FAILED
    assert "movie_shapes.csv is there already" in capsys.readouterr().err
    assert target.read_text("utf-8") == "mine"
    assert replayed("--overwrite") == DONE
    assert target.read_text("utf-8") != "mine"


def test_batch_minds_outputs_that_come_by_default(replayed, saved, tmp_path):
    edit(saved, lambda step: step["parameters"].pop("shapes"))
    target = tmp_path / "out" / "movie_shapes.csv"
    target.parent.mkdir()
    target.write_text("mine", "utf-8")
    assert replayed() == FAILED
    assert target.read_text("utf-8") == "mine"


def test_batch_without_shapes_writes_none(replayed, saved, tmp_path):
    edit(saved, lambda step: step["parameters"].update(shapes=False))
    assert replayed() == DONE
    assert not (tmp_path / "out" / "movie_shapes.csv").exists()
