"""When things go wrong: one clear message, the right exit status, nothing left behind.

Each failure goes through `run` and, where a file can carry it, through the command line.
"""

import errno
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tifffile

from napari_seedbed.errors import InputError, MemoryForecastError
from napari_seedbed.pipeline.cli import DONE, FAILED, WRONG_USE, main
from napari_seedbed.pipeline.data import memory
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.files import read_image, table_writing, write_image
from napari_seedbed.pipeline.operations import run
from napari_seedbed.pipeline.recipes import recipe_from_record, save_recipe


@pytest.fixture
def place(tmp_path, recipe, monkeypatch):
    """A folder with recipe.yaml, in which the command line runs."""
    save_recipe(tmp_path / "recipe.yaml", recipe)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def seedbed_run(capsys, *inputs, recipe="recipe.yaml"):
    """Status, lines on standard error, and the summary's entries."""
    status = main(["run", recipe, *inputs, "-o", "out"])
    lines = capsys.readouterr().err.splitlines()
    path = Path("out/summary.json")
    entries = json.loads(path.read_text("utf-8"))["inputs"] if path.exists() else []
    return status, lines, entries


def assert_one_failure(outcome, *words):
    """The input is named with one message; only the summary is in the folder."""
    status, lines, (entry,) = outcome
    assert status == FAILED
    assert len(lines) == 2
    assert lines[0].startswith("seedbed: ")
    for word in words:
        assert word in lines[0]
        assert word in entry["error"]
    assert entry["outputs"] == {}
    assert sorted(path.name for path in Path("out").iterdir()) == ["logs", "summary.json"]
    assert not list(Path("out/logs").glob("*.json"))


def walk(image, seeds):
    return run("random_walker", {"image": image, "seeds": seeds})


def test_no_seeds(cells, seeds):
    with pytest.raises(InputError, match="seed"):
        walk(cells, replace(seeds, array=np.zeros_like(seeds.array)))


def test_one_label_only(cells, seeds):
    with pytest.raises(InputError, match=r"label"):
        walk(cells, replace(seeds, array=np.where(seeds.array == 1, 1, 0)))


def test_seeds_of_another_shape(cells, seeds):
    with pytest.raises(InputError, match=r"\(7, 20, 24\).*\(8, 20, 24\)"):
        walk(cells, replace(seeds, array=seeds.array[:7]))


def test_image_of_another_shape_than_the_recipe(place, cells, capsys):
    write_image("small.ome.tif", replace(cells, array=cells.array[:, :-1]))
    outcome = seedbed_run(capsys, "small.ome.tif")
    assert_one_failure(outcome, "(8, 20, 24)", "(8, 19, 24)", "mark seeds")


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_nan_or_infinity(place, cells, capsys, bad):
    array = cells.array.astype(np.float32)
    array[4, 4, 4] = bad
    write_image("bad.ome.tif", replace(cells, array=array))
    assert_one_failure(seedbed_run(capsys, "bad.ome.tif"), "NaN or infinite")


@pytest.mark.parametrize("name", ["gaussian", "threshold"])
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_nan_or_infinity_in_other_operations(name, bad):
    array = np.ones((6, 7))
    array[2, 3] = bad
    with pytest.raises(InputError, match="NaN or infinite"):
        run(name, {"image": Image(array, ("y", "x"))})


def test_empty_image(seeds):
    for name in ("gaussian", "threshold"):
        with pytest.raises(InputError, match="empty"):
            run(name, {"image": Image(np.zeros((0, 7)), ("y", "x"))})
    with pytest.raises(InputError, match="empty"):
        walk(Image(np.zeros((0, 7)), ("y", "x")), Image(np.zeros((0, 7), int), ("y", "x")))


def test_constant_image_is_split_by_distance_alone():
    seeds = np.zeros((9, 10), int)
    seeds[:, 0], seeds[:, -1] = 1, 2
    labels = walk(Image(np.full((9, 10), 7), ("y", "x")), Image(seeds, ("y", "x")))
    expected = np.repeat([1, 2], 5)[np.newaxis].repeat(9, axis=0)
    np.testing.assert_array_equal(labels.outputs["labels"].array, expected)


def test_constant_image_has_no_otsu_threshold():
    with pytest.raises(InputError, match="image"):
        run("threshold", {"image": Image(np.full((9, 10), 7), ("y", "x"))})


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_axis_of_one_voxel(cells, seeds, axis):
    index = [slice(None)] * 3
    index[axis] = slice(4, 5) if axis == 0 else slice(5, 6)
    thin = replace(cells, array=cells.array[tuple(index)])
    marks = np.zeros(thin.shape, np.int32)
    flat = np.squeeze(marks, axis)
    flat[0, :2], flat[-1, -2:] = 1, 2
    labels = walk(thin, Image(marks, thin.axes)).outputs["labels"]
    assert labels.shape == thin.shape
    assert set(np.unique(labels.array)) == {1, 2}
    assert run("gaussian", {"image": thin}).outputs["image"].shape == thin.shape


@pytest.mark.parametrize("name", ["random_walker", "gaussian", "threshold"])
def test_complex_data(name, seeds):
    inputs = {"image": Image(np.zeros(seeds.shape, complex), seeds.axes), "seeds": seeds}
    if name != "random_walker":
        del inputs["seeds"]
    with pytest.raises(InputError, match="complex numbers"):
        run(name, inputs)


def test_complex_file(place, capsys):
    tifffile.imwrite("complex.tif", np.zeros((8, 20, 24), np.complex64))
    assert_one_failure(seedbed_run(capsys, "complex.tif"), "complex numbers")


def test_truncated_tiff(place, cells, capsys):
    path = write_image("cut.ome.tif", cells)
    path.write_bytes(path.read_bytes()[:-500])
    assert_one_failure(seedbed_run(capsys, "cut.ome.tif"), "cut.ome.tif is cut off")


def test_unreadable_tiff(place, capsys):
    Path("junk.tif").write_bytes(b"II*\0" + bytes(range(200)))
    assert_one_failure(seedbed_run(capsys, "junk.tif"), "junk.tif")


def test_newer_recipe(place, cells, capsys):
    write_image("cells.ome.tif", cells)
    text = Path("recipe.yaml").read_text("utf-8")
    Path("newer.yaml").write_text(text.replace("format_version: 1", "format_version: 99"), "utf-8")
    status, lines, entries = seedbed_run(capsys, "cells.ome.tif", recipe="newer.yaml")
    assert (status, len(lines), entries) == (WRONG_USE, 1, [])
    assert "Update napari-seedbed" in lines[0]
    assert not Path("out").exists()


def test_too_little_memory(place, cells, seeds, capsys, monkeypatch):
    write_image("cells.ome.tif", cells)
    monkeypatch.setattr(memory, "available_memory", lambda: 5000)
    with pytest.raises(MemoryForecastError, match="of memory"):
        walk(cells, seeds)
    outcome = seedbed_run(capsys, "cells.ome.tif")
    assert_one_failure(outcome, "of memory and only 5.0 kB are free", "Close other programs")


@pytest.mark.parametrize("at", ["labels", "objects"])
def test_full_disk(place, cells, capsys, monkeypatch, at):
    """Whether the first or the last file meets the full disk, none of the input's stays."""
    write_image("cells.ome.tif", cells)

    def refuse(*args, **kwargs):
        raise OSError(errno.ENOSPC, "No space left on device")

    if at == "labels":
        monkeypatch.setattr(tifffile.FileHandle, "write", refuse)
    else:
        monkeypatch.setattr(table_writing.csv, "writer", refuse)
    outcome = seedbed_run(capsys, "cells.ome.tif")
    assert_one_failure(outcome, "could not be written: the disk is full")


def test_folder_that_cannot_be_made(place, cells, capsys):
    write_image("cells.ome.tif", cells)
    Path("out").write_text("a file")
    assert main(["run", "recipe.yaml", "cells.ome.tif", "-o", "out"]) == FAILED
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("seedbed: out could not be made")


def test_seeds_are_not_changed_by_a_run(cells, seeds):
    before = seeds.array.copy()
    walk(cells, seeds)
    np.testing.assert_array_equal(seeds.array, before)


def test_otsu_on_two_channels_gives_a_mask_for_each(place, cells, capsys):
    stack = replace(
        cells, array=np.stack([cells.array, cells.array[::-1]]), axes=("c", "z", "y", "x")
    )
    result = run("threshold", {"image": stack})
    save_recipe("otsu.yaml", recipe_from_record(result.record))
    write_image("stack.ome.tif", stack)
    status, _, (entry,) = seedbed_run(capsys, "stack.ome.tif", recipe="otsu.yaml")
    assert (status, entry["objects"]) == (DONE, None)
    mask = read_image("out/stack_mask.ome.tif")
    np.testing.assert_array_equal(mask.array, result.outputs["mask"].array)
    np.testing.assert_array_equal(mask.array[0], mask.array[1, ::-1])
