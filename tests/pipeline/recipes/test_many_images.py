"""Recipes that work on several files: made from their records, replayed, run and written."""

import csv
import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import tifffile

from napari_seedbed.errors import InputError, RecipeError
from napari_seedbed.pipeline.cli import main
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.files import read_image, write_image
from napari_seedbed.pipeline.operations import run
from napari_seedbed.pipeline.recipes import load_recipe, recipe_from_record, replay, save_recipe
from napari_seedbed.pipeline.recipes.methods_text import recipe_to_methods_text
from napari_seedbed.pipeline.recipes.other_images import files_by_name

NAMES = ("nuclei", "membranes", "spots", "drawn")
PLACE = {"spacing": (0.5, 0.25), "units": ("micrometer",) * 2}


def four_images(seed):
    """Three pictures of bright squares on noise, and labels, all on one grid."""
    rng = np.random.default_rng(seed)
    found = {}
    for nth, name in enumerate(NAMES):
        voxels = np.zeros((40, 60)) if name == "drawn" else rng.normal(60, 5, (40, 60))
        for label in (1, 2, 3):
            y, x = rng.integers(0, 28), rng.integers(0, 28) + 6 * nth
            voxels[y : y + 9, x : x + 8] = label if name == "drawn" else 150 + 20 * label
        kind = np.uint8 if name == "drawn" else np.uint16
        found[name] = Image(voxels.astype(kind), ("y", "x"), name=name, **PLACE)
    return found


def labels_of(images):
    """Objects of the nuclei without what is near membranes, joined with those that are drawn."""
    smooth = run("gaussian", {"image": images["membranes"]}, {"sigma": 0.5}).image("image")
    rest = run("image_difference", {"image": images["nuclei"], "other": smooth}).image("image")
    mask = run("threshold", {"image": rest}).image("mask")
    labels = run("label", {"image": mask}).image("labels")
    joined = run("combine_labels", {"image": labels, "other": images["drawn"]}, {"how": "or"})
    return joined


def table_of(images):
    """These objects measured in two channels, one of which is a file of its own."""
    pair = {"image": images["spots"], "other": images["nuclei"]}
    stacked = run("stack_channels", pair).image("image")
    labels = labels_of(images).image("labels")
    return run("measure", {"image": labels, "other": stacked})


def others_of(recipe, images):
    return {name: images[recipe.others[name].name] for name in recipe.other_names}


def assert_same_table(table, expected):
    assert list(table.columns) == list(expected.columns)
    for name, column in expected.columns.items():
        np.testing.assert_array_equal(table.columns[name], column, name)


def test_chain_of_four_files_gives_the_same_on_them_and_on_others(tmp_path):
    made_on, others = four_images(1), four_images(2)
    made = table_of(made_on)
    recipe = load_recipe(save_recipe(tmp_path / "r.yaml", recipe_from_record(made.record)))
    assert recipe.image.name == "nuclei"
    names = {recipe.others[name].name for name in recipe.other_names}
    assert names == {"membranes", "drawn", "spots"}
    assert set(recipe.other_names) == {"other", "other_2", "other_3"}
    for images, differ in ((made_on, 0), (others, 4)):
        again = replay(recipe, images["nuclei"], other=others_of(recipe, images))
        assert_same_table(again.table(), table_of(images).table())
        notes = again.record["notes"]
        assert sum("is not the" in note for note in notes) == differ
    assert any("spots is not the" in note and "image that" in note for note in notes)
    text = recipe_to_methods_text(recipe)
    assert all(f"the {nth} image" in text for nth in ("second", "third", "fourth"))
    less = others_of(recipe, made_on)
    del less["other_2"]
    with pytest.raises(RecipeError, match=r"4 images; give the third image, made on '\w+', too"):
        replay(recipe, made_on["nuclei"], other=less)


def test_lengths_of_steps_on_further_images_are_in_the_unit_of_the_first():
    images = four_images(1)
    recipe = recipe_from_record(labels_of(images).record)
    expected = labels_of(images).image("labels").array
    nanometers = {
        name: replace(one, spacing=(500, 250), units=("nanometer",) * 2)
        for name, one in images.items()
    }
    bare = {name: replace(one, spacing=(), units=()) for name, one in images.items()}
    changed = replace(nanometers["nuclei"], array=images["nuclei"].array.copy())
    changed.array[0, 0] += 1
    plus = {**images, "nuclei": replace(images["nuclei"], array=changed.array)}
    for first, others, wanted in (
        (images["nuclei"], nanometers, expected),
        (nanometers["nuclei"], images, expected),
        (bare["nuclei"], bare, expected),
        (changed, images, labels_of(plus).image("labels").array),
        (changed, bare, labels_of(plus).image("labels").array),
    ):
        again = replay(recipe, first, other=others_of(recipe, others)).image("labels")
        np.testing.assert_array_equal(again.array, wanted)
    assert "gaussian" in {step.operation for step in recipe.steps if step.image == "other"}


def test_channels_of_one_further_file_are_one_image():
    first = four_images(1)["nuclei"]
    voxels = np.stack([four_images(n)["nuclei"].array for n in (2, 3, 4)])
    file = Image(voxels, ("c", "y", "x"), name="other file", **PLACE)
    made = first
    for channels in ([2], [0], [0, 2]):
        pair = {"image": made, "other": file.select_channels(channels)}
        made = run("stack_channels", pair).image("image")
    recipe = recipe_from_record(made.record)
    assert recipe.other_names == ("other",)
    assert [step.other_channels for step in recipe.steps] == [(2,), (0,), (0, 2)]
    assert recipe.others["other"].channels == (0, 2)
    again = replay(recipe, first, other=file)
    np.testing.assert_array_equal(again.image("image").array, made.array)
    assert not [note for note in again.record["notes"] if "is not the" in note]


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder of nuclei, a folder for each kind of companion, and the recipes."""
    monkeypatch.chdir(tmp_path)
    for seed in (1, 2):
        for name, image in four_images(seed).items():
            (tmp_path / name).mkdir(exist_ok=True)
            write_image(f"{name}/{seed}.ome.tif", replace(image, name=f"{name} {seed}"))
    for name, make in (("labels", labels_of), ("table", table_of)):
        save_recipe(f"{name}.yaml", recipe_from_record(make(four_images(1)).record))
    return tmp_path


def test_command_line_takes_files_by_name_in_order_and_by_folder(place, capsys):
    recipe = load_recipe("table.yaml")
    images = [recipe.others[name].name for name in recipe.other_names]
    head = (place / "table.yaml").read_text("utf-8").splitlines()[0]
    assert head.endswith("--other other_2=THIRD_IMAGE --other other_3=FOURTH_IMAGE")
    in_order = [f"{name}/2.ome.tif" for name in images]
    by_name = [
        f"{recipe.other_names[2]}={in_order[2]}",
        in_order[0],
        f"{images[1]}={in_order[1]}",
    ]
    expected = table_of(four_images(2)).table()
    for number, given in enumerate((in_order, by_name)):
        options = [word for one in given for word in ("--other", one)]
        assert main(["run", "table.yaml", "nuclei/2.ome.tif", *options, "-o", str(number)]) == 0
        head, *rows = csv.reader((place / str(number) / "2_table.csv").open(encoding="utf-8"))
        assert [name.partition("_")[0] for name in head]
        assert len(rows) == len(expected.columns["label"])
        sizes = next(name for name in expected.columns if name.startswith("area"))
        found = [float(row[head.index(sizes)]) for row in rows]
        np.testing.assert_allclose(found, expected.columns[sizes], rtol=1e-12)
    capsys.readouterr()
    for given, message in (
        (in_order[:2], f"the fourth image, made on '{images[2]}'"),
        ([*in_order, "x.tif"], "x.tif is one image too many"),
        (["other=a.tif", "other=b.tif"], "two files are given for other"),
    ):
        options = [word for one in given for word in ("--other", one)]
        assert main(["run", "table.yaml", "nuclei/2.ome.tif", *options, "-o", "no"]) == 2
        assert message in capsys.readouterr().err
    assert main(["info", "table.yaml"]) == 0
    said = capsys.readouterr().out
    assert all(f"which steps call {name}" in said for name in recipe.other_names)


def test_batch_takes_the_companions_of_each_input_from_folders(place):
    recipe = load_recipe("labels.yaml")
    options = []
    for name in recipe.other_names:
        options += ["--other", f"{name}={recipe.others[name].name}"]
    files = ["nuclei/1.ome.tif", "nuclei/2.ome.tif"]
    arguments = ["run", "labels.yaml", *files, *options, "-o", "out"]
    assert main(arguments) == 0
    for seed in (1, 2):
        labels = read_image(place / "out" / f"{seed}_labels.ome.tif")
        wanted = labels_of(four_images(seed)).image("labels")
        np.testing.assert_array_equal(labels.array, wanted.array)
    # other voxels of a companion, and only its input is done again
    (place / "drawn" / "2.ome.tif").unlink()
    write_image("drawn/2.ome.tif", four_images(3)["drawn"])
    assert main([*arguments, "--resume", "--overwrite"]) == 0
    entries = json.loads((place / "out" / "summary.json").read_text("utf-8"))["inputs"]
    assert ["resumed" in entry for entry in entries] == [True, False]


def test_script_of_four_files_gives_the_same_voxels(place):
    images = four_images(2)
    recipe = load_recipe("labels.yaml")
    assert main(["script", "labels.yaml", "-o", "labels.py"]) == 0
    files = [f"{recipe.others[name].name}/2.ome.tif" for name in recipe.other_names]
    command = [sys.executable, "labels.py", "nuclei/2.ome.tif", *files]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    written = tifffile.imread(place / "nuclei" / "2.ome_labels.tif")
    np.testing.assert_array_equal(written, labels_of(images).image("labels").array)
    coarse = replace(images["membranes"], spacing=(1, 1))
    save_recipe(
        "coarse.yaml", recipe_from_record(labels_of({**images, "membranes": coarse}).record)
    )
    assert main(["script", "coarse.yaml"]) == 2


def test_files_are_told_by_the_names_of_the_recipe(place):
    recipe = load_recipe("labels.yaml")
    assert files_by_name(recipe, ["a=b.tif", "other=c.tif"]) == {
        "other": "c.tif",
        "other_2": "a=b.tif",
    }
    with pytest.raises(InputError, match="one image too many"):
        files_by_name(recipe, ["other=c.tif", "a", "b"])
