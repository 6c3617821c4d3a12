"""Recipes: saved, loaded, replayed bit for bit, and refused when they are not right."""

import os
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest
import yaml
from skimage.filters import threshold_otsu

from bounds import bound
from napari_seedbed.core.progress import running
from napari_seedbed.errors import Cancelled, FileError, InputError, RecipeError
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.files import read_image, write_image
from napari_seedbed.pipeline.operations import Context, run
from napari_seedbed.pipeline.recipes import (
    load_recipe,
    recipe_from_record,
    recipe_text,
    replay,
    save_recipe,
)
from napari_seedbed.pipeline.recipes import replays as recipes
from napari_seedbed.pipeline.recipes.methods_text import recipe_to_methods_text


def assert_same_outputs(one, other):
    assert one.outputs.keys() == other.outputs.keys()
    for key, image in one.outputs.items():
        np.testing.assert_array_equal(image.array, other.outputs[key].array, strict=True)


class NoAliases(yaml.SafeDumper):
    def ignore_aliases(self, data):
        return True


def edit(path, change):
    content = yaml.safe_load(path.read_text("utf-8"))
    change(content)
    path.write_text(yaml.dump(content, Dumper=NoAliases), "utf-8")
    return path


@pytest.fixture
def saved(tmp_path, recipe):
    return save_recipe(tmp_path / "cells.yaml", recipe)


def test_saved_recipe_loads_the_same(saved, recipe):
    assert load_recipe(saved) == recipe


def test_recipe_that_names_an_operation_as_it_was_called_before_still_runs(tmp_path, cells):
    made = run("threshold", {"image": cells}, {"method": "li"})
    file = save_recipe(tmp_path / "otsu.yaml", recipe_from_record(made.record))
    old = load_recipe(
        edit(
            file,
            lambda content: content["steps"][0].update(operation="threshold_otsu", parameters={}),
        )
    )
    expected = cells.array > threshold_otsu(cells.array)
    for result in (replay(old, cells), run("threshold_otsu", {"image": cells})):
        assert result.record["operation"] == "threshold"
        np.testing.assert_array_equal(result.image("mask").array, expected)
    assert load_recipe(save_recipe(tmp_path / "new.yaml", old)) == old
    assert "Otsu N (1979)" in recipe_to_methods_text(old)


def test_replay_gives_every_bit_again(saved, cells, segmented, tmp_path):
    assert_same_outputs(replay(load_recipe(saved), cells), segmented)
    file = read_image(write_image(tmp_path / "cells.ome.tif", cells))
    result = replay(load_recipe(saved), file)
    assert_same_outputs(result, segmented)
    assert result.record["notes"] == []


def test_exact_run_of_a_live_session_is_what_the_recipe_gives(cells, seeds, saved):
    context = Context(live=True)
    fewer = replace(seeds, array=np.where(seeds.array == 2, 0, seeds.array))
    parameters = {"probabilities": True, "uncertainty": True}
    for strokes in (fewer, seeds):
        live = run("random_walker", {"image": cells, "seeds": strokes}, parameters, context=context)
    context.live = False
    exact = run("random_walker", {"image": cells, "seeds": seeds}, parameters, context=context)
    assert_same_outputs(exact, replay(load_recipe(saved), cells))
    with pytest.raises(RecipeError, match="live preview"):
        recipe_from_record(live.record)


def test_type_of_the_seeds_does_not_matter(cells, seeds, segmented):
    for dtype in (np.uint8, np.int64, np.uint16):
        other = replace(seeds, array=seeds.array.astype(dtype))
        parameters = {"probabilities": True, "uncertainty": True}
        result = run("random_walker", {"image": cells, "seeds": other}, parameters)
        assert_same_outputs(result, segmented)
    huge = replace(seeds, array=seeds.array * np.int64(1 << 40))
    with pytest.raises(InputError, match="labels must lie between"):
        run("random_walker", {"image": cells, "seeds": huge})


def test_number_of_threads_does_not_matter(tmp_path, rng):
    """The window's laptop and the command line's server have different numbers of cores."""
    array = rng.integers(0, 200, (40, 80, 90)).astype(np.uint16)
    array[10:30, 20:60, 30:70] += 60
    image = Image(array, ("z", "y", "x"), (2.0, 1.0, 1.0), name="noise")
    marks = np.zeros(array.shape, np.int32)
    marks[20, 40, 40:60], marks[20, 5], marks[5, :, 5] = 1, 2, 3
    result = run("random_walker", {"image": image, "seeds": Image(marks, image.axes)})
    save_recipe(tmp_path / "noise.yaml", recipe_from_record(result.record))
    write_image(tmp_path / "noise.ome.tif", image)
    for threads in ("1", "2"):
        command = (sys.executable, "-m", "napari_seedbed.pipeline.cli", "run")
        subprocess.run(
            [*command, "noise.yaml", "noise.ome.tif", "-o", f"out{threads}"],
            cwd=tmp_path,
            env=os.environ | {"NUMBA_NUM_THREADS": threads},
            check=True,
        )
        labels = read_image(tmp_path / f"out{threads}" / "noise_labels.ome.tif")
        np.testing.assert_array_equal(labels.array, result.outputs["labels"].array)


def test_chain_of_steps_is_replayed(cells, seeds, tmp_path):
    smooth = run("gaussian", {"image": cells}, {"sigma": 0.15}).outputs["image"]
    result = run("random_walker", {"image": smooth, "seeds": seeds})
    recipe = recipe_from_record(result.record)
    assert [(step.name, step.image) for step in recipe.steps] == [
        ("gaussian", "image"),
        ("random_walker", "gaussian"),
    ]
    again = load_recipe(save_recipe(tmp_path / "chain.yaml", recipe))
    assert_same_outputs(replay(again, cells), result)


def test_chosen_channel_of_a_file_is_chosen_again(cells, seeds, rng):
    other = rng.integers(0, 9, cells.shape).astype(np.uint16)
    stack = Image(
        np.stack([other, cells.array], axis=1), ("z", "c", "y", "x"), cells.spacing, cells.units
    )
    result = run("random_walker", {"image": stack.select_channels([1]), "seeds": seeds})
    recipe = recipe_from_record(result.record)
    assert recipe.channels == (1,)
    assert_same_outputs(replay(recipe, stack), result)
    with pytest.raises(RecipeError, match=r"channel 2, but .* has only 1"):
        replay(recipe, cells)


def test_channel_of_unknown_index_is_found_by_its_voxels(cells, seeds, rng):
    result = run("random_walker", {"image": cells, "seeds": seeds})
    other = rng.integers(0, 9, cells.shape).astype(np.uint16)
    stack = Image(np.stack([other, cells.array]), ("c", "z", "y", "x"), cells.spacing, cells.units)
    recipe = recipe_from_record(result.record)
    assert_same_outputs(replay(recipe, stack), result)
    changed = replace(stack, array=stack.array + np.uint16(1))
    with pytest.raises(RecipeError, match=r"made on 1 channel\(s\), .* has 2"):
        replay(recipe, changed)


def test_all_channels_are_used_jointly_whatever_their_axis(cells, seeds, rng):
    noise = rng.integers(0, 500, cells.shape).astype(np.uint16)
    first = Image(np.stack([cells.array, noise]), ("c", "z", "y", "x"), cells.spacing, cells.units)
    last = replace(first, array=np.moveaxis(first.array, 0, 1), axes=("z", "c", "y", "x"))
    result = run("random_walker", {"image": first, "seeds": seeds})
    assert_same_outputs(replay(recipe_from_record(result.record), last), result)


def test_time_series_with_seeds_at_some_points(cells, seeds):
    movie = replace(cells, array=np.stack([cells.array] * 3), axes=("t", *cells.axes))
    marks = np.stack([seeds.array, 0 * seeds.array, seeds.array])
    result = run("random_walker", {"image": movie, "seeds": Image(marks, movie.axes)})
    labels = result.outputs["labels"].array
    assert not labels[1].any()
    np.testing.assert_array_equal(labels[0], labels[2])
    assert_same_outputs(replay(recipe_from_record(result.record), movie), result)


def test_another_image_reuses_seeds_and_says_so(recipe, cells):
    other = replace(cells, array=cells.array + np.uint16(3), name="other")
    notes = replay(recipe, other).record["notes"]
    assert "other is not the image that the recipe was made on (cells)" in notes[0]
    assert "fingerprint differs" in notes[0]


def test_voxel_size_of_the_recipe_counts_on_the_same_voxels_only(cells, seeds):
    result = run("random_walker", {"image": cells, "seeds": seeds})
    recipe = recipe_from_record(result.record)
    bare = Image(cells.array, cells.axes)
    again = replay(recipe, bare)
    assert again.outputs["labels"].spacing == cells.spacing
    assert "voxel size was taken from the recipe: 0.3 x 0.1 x 0.1" in again.record["notes"][0]
    other = Image(cells.array + np.uint16(1), cells.axes, (1.0, 0.5, 0.5), cells.units)
    assert replay(recipe, other).outputs["labels"].spacing == (1.0, 0.5, 0.5)


def test_image_of_another_shape_is_refused_in_plain_words(recipe, cells):
    cropped = replace(cells, array=cells.array[:, 1:])
    with pytest.raises(RecipeError, match=r"seeds are for .* \(8, 20, 24\).* \(8, 19, 24\)"):
        replay(recipe, cropped)
    flat = Image(cells.array[0], ("y", "x"))
    with pytest.raises(RecipeError, match="3D image, but image is 2D"):
        replay(recipe, flat)


def test_parameters_left_out_take_their_defaults(saved, cells, segmented):
    def keep_flags(content):
        flags = {"probabilities": True, "uncertainty": True}
        content["steps"][0]["parameters"] = flags

    assert_same_outputs(replay(load_recipe(edit(saved, keep_flags)), cells), segmented)


def test_other_versions_are_noted(saved, cells):
    recipe = load_recipe(edit(saved, lambda content: content.update(created_with="0.0.1")))
    assert "made with napari-seedbed 0.0.1" in replay(recipe, cells).record["notes"][0]


def test_newer_format_says_to_update(saved):
    edit(saved, lambda content: content.update(format_version=2, created_with="9.0", new="thing"))
    with pytest.raises(RecipeError, match=r"newer napari-seedbed \(9\.0\).*Update"):
        load_recipe(saved)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c["steps"][0].update(operation="spline"), "'spline'.*update napari-seedbed"),
        (lambda c: c["steps"][0]["parameters"].update(beta=-1), "beta: -1 is out of bounds"),
        (lambda c: c["steps"][0]["parameters"].update(gamma=1), "gamma: there is no such"),
        (lambda c: c["steps"][0].update(image="step 7"), "neither 'image' nor"),
        (lambda c: c["steps"][0].pop("seeds"), "has no seeds"),
        (lambda c: c["steps"].append(dict(c["steps"][0])), "two steps of the name"),
        (lambda c: c.update(steps=[]), "damaged at steps"),
        (lambda c: c.update(colour="red"), "damaged at colour"),
        (lambda c: c["image"].pop("shape"), r"damaged at image\.shape"),
        (lambda c: c.update(format_version="new"), "its format_version is 'new'"),
        (lambda c: c.pop("format_version"), "no format_version"),
    ],
)
def test_wrong_recipes_are_refused(saved, change, message):
    with pytest.raises(RecipeError, match=message):
        load_recipe(edit(saved, change))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"axes": ["y"]}, "axes.*z, y, x in this order"),
        ({"axes": ["x", "y", "z"]}, "axes.*z, y, x in this order"),
        ({"axes": ["z", "y", "x", "c"]}, "shape.*3 lengths for 4 axes"),
        ({"shape": [8, 20, 0]}, "shape: .*not the size of an image"),
        ({"shape": [1 << 30] * 3}, "shape: .*not the size of an image"),
        ({"spacing": [1e-300, 1, 1]}, "spacing: .*not the size of a voxel"),
        ({"spacing": [float("nan"), 1, 1]}, "spacing: .*not the size of a voxel"),
        ({"spacing": [1.0]}, "spacing: .*1 values"),
        ({"units": ["micrometer"]}, "units: .*1 values"),
    ],
)
def test_image_of_a_recipe_is_one(saved, change, message):
    with pytest.raises(RecipeError, match=message):
        load_recipe(edit(saved, lambda content: content["image"].update(change)))


@pytest.mark.timing
@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("0x" + "f" * 100_000, "100002 digits"),
        ("1" * 100_000, "100000 digits"),
        ("1." + "0" * 100_000, "100002 digits"),
        ("59" + ":59" * 70_000, "format_version"),
        ("-1_000", "format_version"),
        ('"\\ud800"', "not valid YAML in line 1"),
        ("[" + "1," * 5_000_000 + "]", "more than 100000 values"),
        ("[" * 30 + "]" * 30, "more than 20 deep"),
        ("[" * 5_000_000, "not a recipe"),
        ("1  #" + " " * (64 << 20), "more than 64 MiB"),
        ("!!timestamp x", "of what kind a value is"),
    ],
)
def test_what_would_take_long_or_break_is_refused_at_once(tmp_path, value, message):
    path = tmp_path / "a.yaml"
    path.write_text(f"format_version: {value}\n", "utf-8")
    start = time.perf_counter()
    with pytest.raises(RecipeError, match=message) as refused:
        load_recipe(path)
    assert time.perf_counter() - start < bound(10)
    assert len(str(refused.value)) < 1000


@pytest.mark.parametrize("loader", [yaml.SafeLoader, recipe_text.SafeLoader])
def test_numbers_are_those_of_yaml_1_2(tmp_path, loader, monkeypatch):
    """The library's own reader in Python gives the same as the one in C."""
    path = tmp_path / "a.yaml"
    expected = {
        "1e-5": 1e-5, "1E3": 1e3, "012": 12, "0o17": 15, "0x1F": 31, "+7": 7, "-.5": -0.5,
        "3.": 3.0, "1:30": "1:30", "1_000": "1_000", "yes": "yes", "true": True, "~": None,
        "2001-01-01": "2001-01-01", "'1e5'": "1e5", ".inf": float("inf"), "0b1": "0b1",
        "<<": "<<", "1e5x": "1e5x",
    }  # fmt: skip
    path.write_text("".join(f"- {text}\n" for text in expected), "utf-8")
    monkeypatch.setattr(
        recipe_text, "_Loader", type("L", (loader,), dict(vars(recipe_text._Loader)))
    )
    assert recipe_text.read_yaml(path) == list(expected.values())
    texts = [*expected, *map(str, expected.values()), "on", "1.5", "12:30:45", "0b1", "", "null"]
    path.write_text(recipe_text.yaml_text(texts), "utf-8")
    assert recipe_text.read_yaml(path) == texts == yaml.safe_load(path.read_text("utf-8"))


def test_image_called_as_a_number(recipe, tmp_path):
    """Programs that read YAML 1.1 write such names without quotes."""
    path = save_recipe(tmp_path / "a.yaml", recipe)
    path.write_text(path.read_text("utf-8").replace("name: cells", "name: 12e03"), "utf-8")
    assert float(load_recipe(path).image.name) == 12e3


@pytest.mark.parametrize("change", [{"voxels": 36}, {"voxels": 10**30}, {"labels": [1, 2]}])
def test_counts_of_seeds_are_checked(saved, cells, change):
    recipe = load_recipe(edit(saved, lambda content: content["steps"][0]["seeds"].update(change)))
    with pytest.raises(RecipeError, match=f"{next(iter(change))} is not what its data hold"):
        replay(recipe, cells)
    with pytest.raises(RecipeError, match="damaged"):
        recipe.steps[0].seeds.check()


@pytest.mark.parametrize("what", ["data", "checksum"])
def test_damaged_seeds_are_refused(saved, cells, what):
    def damage(content):
        text = content["steps"][0]["seeds"][what]
        content["steps"][0]["seeds"][what] = text[:4] + ("A" if text[4] != "A" else "B") + text[5:]

    recipe = load_recipe(edit(saved, damage))
    with pytest.raises(RecipeError, match="seeds in the recipe are damaged"):
        replay(recipe, cells)


@pytest.mark.parametrize(
    "text",
    [
        b"\xff\xfe\x00binary",
        b"{",
        b"- 1\n- 2\n",
        b"",
        b"!!python/object/apply:os.system ['true']",
        b"format_version: 1\na: &a [1]\nb: *a\n",
        b"[" * 5000,
    ],
)
def test_what_is_no_recipe_is_refused(tmp_path, text):
    path = tmp_path / "a.yaml"
    path.write_bytes(text)
    with pytest.raises(RecipeError, match="not a recipe"):
        load_recipe(path)


def test_missing_recipe_is_a_file_error(tmp_path):
    with pytest.raises(FileError, match="no such file"):
        load_recipe(tmp_path / "none.yaml")


def test_recipe_is_written_whole_or_not_at_all(saved, recipe, monkeypatch):
    before = saved.read_bytes()

    def fail(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(recipes.Path, "write_text", fail)
    with pytest.raises(FileError, match="disk is full"):
        save_recipe(saved, recipe)
    assert saved.read_bytes() == before
    assert [entry.name for entry in saved.parent.iterdir()] == [saved.name]


def test_replay_can_be_cancelled(recipe, cells):
    with running(should_stop=lambda: True), pytest.raises(Cancelled):
        replay(recipe, cells)


def test_errors_of_the_operation_pass_through(recipe, cells):
    broken = cells.array.astype(np.float32)
    broken[0, 0, 0] = np.nan
    with pytest.raises(InputError, match="NaN"):
        replay(recipe, replace(cells, array=broken))


def test_methods_paragraph_names_versions_settings_and_sources(recipe):
    text = recipe_to_methods_text(recipe)
    for part in (
        f"napari-seedbed {recipe.created_with}",
        f"numpy {np.__version__}",
        "0.3 x 0.1 x 0.1 micrometer (z, y, x)",
        "Random walker (Grady 2006)",
        f"beta (edge sensitivity) {recipe.steps[0].parameters['beta']:g}",
        "35 seed voxels of 3 labels",
        "Grady L (2006). Random walks for image segmentation.",
    ):
        assert part in text
