"""Recipes on other images: seeds made anew by operations, from files, and asked for."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from napari_seedbed.core import seeds_from_points
from napari_seedbed.errors import FileError, InputError, RecipeError
from napari_seedbed.pipeline.batch.companion_marks import MissingMarksError, companion
from napari_seedbed.pipeline.cli import DONE, FAILED, main
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.files import read_image, write_image
from napari_seedbed.pipeline.files.writers import write_result
from napari_seedbed.pipeline.operations import run
from napari_seedbed.pipeline.recipes import load_recipe, recipe_from_record, replay, save_recipe
from napari_seedbed.pipeline.recipes.other_marks import (
    MAKERS,
    can_make_seeds,
    recipe_from,
    recipe_making_seeds,
    roles_of,
)

CHANNELS = pytest.mark.parametrize("n_channels", [1, 3])


def spots(places, shape, n_channels=1, spacing=0.5):
    """Round spots in the first channel, and brighter noise in the others."""
    rng = np.random.default_rng(0)
    array = rng.integers(0, 60, (n_channels, *shape)).astype(np.uint8)
    rows, columns = np.indices(shape)
    array[0] = 0
    for y, x in places:
        away = (rows - y) ** 2 + (columns - x) ** 2
        array[0] = np.maximum(array[0], 200 * np.exp(-away / 18)).astype(np.uint8)
    axes = ("c", "y", "x")
    if n_channels == 1:
        array, axes = array[0], axes[1:]
    return Image(array, axes, (spacing, spacing), ("micrometer",) * 2, name=f"spots{len(places)}")


def seeds_on(image, places):
    """A voxel of a label of its own at each place."""
    array = np.zeros(image.spatial_shape, np.int32)
    for label, place in enumerate(places, start=1):
        array[place] = label
    return Image(array, ("y", "x"), image.spacing, image.units)


TWO, THREE = [(10, 10), (10, 30)], [(10, 12), (30, 12), (20, 40)]


def painted(n_channels=1, operation="seeded_watershed", **parameters):
    """A recipe whose seeds were painted."""
    image = spots(TWO, (24, 40), n_channels)
    given = {"image": image, "seeds": seeds_on(image, TWO)}
    return recipe_from_record(run(operation, given, parameters).record)


def made_by_hand(maker, image):
    """Seeds as a person makes them with the operations, one after the other."""
    first = run(maker, {"image": image.select_channels([0])})
    if maker == "h_maxima":
        return first.image("labels")
    if maker == "threshold":
        return run("label", {"image": first.image("mask")}).image("labels")
    points = first.points().points
    array = seeds_from_points(points, np.arange(1, len(points) + 1), image.spatial_shape, 0)
    return Image(array, ("y", "x"), image.spacing, image.units)


@CHANNELS
@pytest.mark.parametrize("maker", MAKERS)
def test_operations_make_the_seeds_anew_on_another_image(maker, n_channels, tmp_path):
    recipe, other = painted(n_channels), spots(THREE, (40, 56), n_channels)
    with pytest.raises(RecipeError, match="seeds are for an image of shape"):
        replay(recipe, other)
    result = replay(recipe_making_seeds(recipe, maker), other)
    seeds = made_by_hand(maker, other)
    assert len(np.unique(seeds.array)) == 1 + len(THREE)
    expected = run("seeded_watershed", {"image": other, "seeds": seeds}).image("labels")
    np.testing.assert_array_equal(result.image("labels").array, expected.array)
    assert result.record["notes"][0].startswith("Its seeds are made by ")
    # what was run can be written down, and holds no seeds
    again = load_recipe(save_recipe(tmp_path / "r.yaml", recipe_from_record(result.record)))
    assert [step.operation for step in again.steps] == [*MAKERS[maker], "seeded_watershed"]
    assert (again.seeds, again.other_names) == (None, ())
    first = spots(TWO, (24, 40), n_channels)
    repeated = replay(again, first)
    assert len(np.unique(repeated.image("labels").array)) == len(TWO)
    assert any("and seeds were made anew by" in note for note in repeated.record["notes"])
    np.testing.assert_array_equal(
        replay(again, other).image("labels").array, result.image("labels").array
    )


def test_lengths_of_made_seeds_are_physical():
    recipe = recipe_making_seeds(painted(), "local_maxima", {"distance": 3.0})
    # 12 voxels apart: 6 micrometer on the recipe's voxels, and 1.2 on these
    fine = spots([(20, 14), (20, 26)], (40, 40), spacing=0.1)
    with pytest.raises(InputError, match="label"):
        replay(recipe_making_seeds(painted(operation="random_walker"), "local_maxima"), fine)
    assert set(np.unique(replay(recipe, fine).image("labels").array)) == {1}
    assert set(
        np.unique(replay(recipe, replace(fine, spacing=(0.5, 0.5))).image("labels").array)
    ) == {1, 2}


def test_no_made_seed_is_the_background():
    recipe = painted(operation="seeded_segmentation", background=1)
    made = recipe_making_seeds(recipe, "local_maxima")
    assert (recipe.steps[-1].parameters["background"], made.steps[-1].parameters["background"]) == (
        1,
        0,
    )
    result = replay(made, spots(THREE, (40, 56)))
    assert set(np.unique(result.image("labels").array)) == {1, 2, 3}
    assert "None of these seeds is the background." in result.record["notes"][0]


def test_what_cannot_make_seeds_is_refused():
    with pytest.raises(InputError, match=r"'median' makes none; choose one of local_maxima, "):
        recipe_making_seeds(painted(), "median")
    with pytest.raises(InputError, match="did you mean distance"):
        recipe_making_seeds(painted(), "local_maxima", {"distanc": 2})
    classes = painted(operation="pixel_classification")
    assert not can_make_seeds(classes)
    assert roles_of(classes) == ("seeds",)
    with pytest.raises(RecipeError, match="seeds of objects"):
        recipe_making_seeds(classes, "local_maxima")


def test_painted_seeds_take_the_place_of_made_ones():
    image = spots(THREE, (40, 56))
    recipe = recipe_making_seeds(painted(), "threshold")
    seeds = seeds_on(image, THREE[:2])
    found = recipe_from(recipe, seeds=seeds, source="the layer 'marks'")
    assert [step.operation for step in found.steps] == ["seeded_watershed"]
    result = replay(found, image)
    expected = run("seeded_watershed", {"image": image, "seeds": seeds}).image("labels")
    np.testing.assert_array_equal(result.image("labels").array, expected.array)
    assert any("seeds of the layer 'marks'" in note for note in result.record["notes"])


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder with a recipe and two images, in which the command line runs."""
    monkeypatch.chdir(tmp_path)
    save_recipe("r.yaml", painted())
    write_image("two.ome.tif", spots(TWO, (24, 40)))
    write_image("three.ome.tif", spots(THREE, (40, 56)))
    return tmp_path


def entries(folder):
    return json.loads(Path(folder, "summary.json").read_text("utf-8"))["inputs"]


def test_command_line_makes_seeds(place, capsys):
    command = ["run", "r.yaml", "two.ome.tif", "three.ome.tif", "-o"]
    assert main([*command, "out", "--make-seeds", "local_maxima threshold=0.3 dark=false"]) == DONE
    assert [entry["objects"] for entry in entries("out")] == [2, 3]
    recipe = recipe_making_seeds(load_recipe("r.yaml"), "local_maxima", {"threshold": 0.3})
    expected = replay(recipe, read_image("three.ome.tif")).image("labels")
    found = read_image("out/three_labels.ome.tif")
    np.testing.assert_array_equal(found.array, expected.array)
    for wrong, words in (("peaks", "local_maxima, h_maxima"), ("local_maxima radius=2", "radius")):
        assert main([*command, "b", "--make-seeds", wrong]) == 2
        assert words in capsys.readouterr().err
    assert not Path("b").exists()


def test_input_without_its_file_of_seeds_is_named_and_the_others_run(place, capsys):
    three = read_image("three.ome.tif")
    Path("seeds").mkdir()
    write_result("seeds/three_seeds.ome.tif", "labels", seeds_on(three, THREE))
    command = ["run", "r.yaml", "two.ome.tif", "three.ome.tif", "-o"]
    assert main([*command, "out", "--seeds", "seeds"]) == FAILED
    assert "Call it two_seeds.ome.tif" in capsys.readouterr().err
    two, three = entries("out")
    assert two["needs"] == {"seeds": str(Path("seeds", "two_seeds.ome.tif"))}
    assert (three["error"], three["objects"]) == (None, 3)
    assert any("the seeds of three_seeds.ome.tif" in note for note in three["notes"])
    # a folder that is still to come holds none
    assert main([*command, "b", "--seeds", "later"]) == FAILED
    assert [len(entry["needs"]) for entry in entries("b")] == [1, 1]


def test_images_of_one_file_have_seeds_of_their_own(tmp_path):
    for name in ("plate_seeds", "plate_2_seeds"):
        (tmp_path / f"{name}.ome.tif").touch()
    plate = Path("plate.zarr")
    found = [companion(plate, tmp_path, "seeds", f"plate_{n}").name for n in (1, 2)]
    assert found == ["plate_seeds.ome.tif", "plate_2_seeds.ome.tif"]
    (tmp_path / "plate_seeds.ome.tif").unlink()
    with pytest.raises(MissingMarksError, match=r"Call it plate_1_seeds\.ome\.tif") as caught:
        companion(plate, tmp_path, "seeds", "plate_1")
    assert caught.value.expected == tmp_path / "plate_1_seeds.ome.tif"
    # nobody paints a table
    with pytest.raises(FileError, match="no single file of classes") as caught:
        companion(plate, tmp_path, "classes", "plate_1")
    assert not isinstance(caught.value, MissingMarksError)
