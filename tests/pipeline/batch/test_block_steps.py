"""Recipes whose steps work in blocks: chosen by memory or by hand, and gone on with."""

import json
from pathlib import Path

import numpy as np
import pytest
import zarr

from napari_seedbed.core import running
from napari_seedbed.errors import Cancelled, FileError
from napari_seedbed.pipeline.batch import items, run_batch
from napari_seedbed.pipeline.batch.block_steps import BlockSteps
from napari_seedbed.pipeline.cli import DONE, FAILED, main
from napari_seedbed.pipeline.data import memory
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.files import read_image
from napari_seedbed.pipeline.files.zarr_blocks import BlockStore
from napari_seedbed.pipeline.files.zarr_writing import write_zarr
from napari_seedbed.pipeline.operations import run
from napari_seedbed.pipeline.recipes import load_recipe, recipe_from_record, save_recipe


@pytest.fixture
def mask(tmp_path, rng, monkeypatch):
    """A folder with a volume and a recipe of two steps; what they give in memory."""
    array = rng.integers(0, 400, (40, 90, 80)).astype(np.uint16)
    array[10:30, 40:80, 50:70] += 3000
    image = Image(array, ("z", "y", "x"), (2.0, 1.0, 1.0), ("micrometer",) * 3, name="cells")
    write_zarr(tmp_path / "cells.zarr", image)
    smooth = run("gaussian", {"image": image}, {"sigma": 2.0}).image("image")
    found = run("threshold", {"image": smooth})
    save_recipe(tmp_path / "mask.yaml", recipe_from_record(found.record))
    monkeypatch.chdir(tmp_path)
    return found.image("mask").array


def seedbed_run(*options, folder="out"):
    return main(["run", "mask.yaml", "cells.zarr", "-o", folder, "-q", *options])


def test_chain_in_blocks_gives_what_memory_gives(mask):
    assert seedbed_run("--blocks", "always") == DONE
    assert seedbed_run("--blocks", "always", "--format", "ome-tiff", folder="tiff") == DONE
    for place in ("out/cells_mask.ome.zarr", "tiff/cells_mask.ome.tif"):
        np.testing.assert_array_equal(read_image(place).array, mask)
    (entry,) = json.loads(Path("out/summary.json").read_text())["inputs"]
    assert entry["notes"][0].startswith("Otsu's threshold is")
    assert not [path for path in Path("out").iterdir() if path.name.startswith(".")]
    # What is there is not replaced unasked, and is known again.
    assert seedbed_run("--blocks", "always") == FAILED
    assert seedbed_run("--blocks", "always", "--resume") == DONE
    assert json.loads(Path("out/summary.json").read_text())["inputs"][0]["resumed"]


@pytest.mark.parametrize("n_channels", [1, 2])
def test_objects_are_measured_in_blocks_as_in_memory(tmp_path, rng, monkeypatch, n_channels):
    monkeypatch.chdir(tmp_path)
    array = rng.integers(0, 400, (n_channels, 20, 60, 50)).astype(np.uint16)
    array[:, 5:9, 10:20, 30:40] += 3000
    array[:, 12:15, 30:50, 10:20] += 2000
    image = Image(array, ("c", "z", "y", "x"), (2.0, 1.0, 1.0), ("micrometer",) * 3, name="a")
    write_zarr("a.zarr", image)
    first = run("take_channel", {"image": image}, {"channel": 1}).image("image")
    mask = run("threshold", {"image": first}).image("mask")
    save_recipe("r.yaml", recipe_from_record(run("label", {"image": mask}).record))
    for how in ("never", "always"):
        assert main(["run", "r.yaml", "a.zarr", "-o", how, "-q", "--blocks", how]) == DONE
    tables = [Path(how, "a_objects.csv").read_text() for how in ("never", "always")]
    assert tables[0] == tables[1]
    assert tables[0].count("\n") == 3
    assert ("mean_intensity" in tables[0]) == (n_channels == 1)


def test_memory_decides(mask, monkeypatch, capsys):
    assert seedbed_run(folder="enough") == DONE
    assert Path("enough/cells_mask.ome.tif").is_file()
    # Enough for a block, not for the whole with what the filter takes beside it.
    monkeypatch.setattr(memory, "available_memory", lambda: 18_000_000)
    assert seedbed_run("--blocks", "never", folder="never") == FAILED
    assert "only 18 MB are free" in capsys.readouterr().err
    assert seedbed_run(folder="little") == DONE
    (found,) = Path("little").glob("cells_mask.*")
    np.testing.assert_array_equal(read_image(found).array, mask)


def test_run_that_is_ended_is_gone_on_with_step_by_step(mask, monkeypatch):
    written = []
    write = BlockStore.write

    def watched(store, values, place):
        write(store, values, place)
        written.append((store.path.name, tuple(part.start for part in place.values())))

    monkeypatch.setattr(BlockStore, "write", watched)
    recipe = load_recipe("mask.yaml")
    about = {"in_blocks": "always"}
    with running(should_stop=lambda: any(store == "mask.zarr" for store, _ in written)):
        assert run_batch(recipe, ["cells.zarr"], "out", **about)["cancelled"]
    before = list(written)
    assert {store for store, _ in before} == {"image.zarr", "mask.zarr"}
    summary = run_batch(recipe, ["cells.zarr"], "out", resume=True, **about)
    assert summary["inputs"][0]["error"] is None
    again = written[len(before) :]
    assert "image.zarr" not in {store for store, _ in again}
    np.testing.assert_array_equal(read_image("out/cells_mask.ome.zarr").array, mask)


@pytest.fixture
def ended(mask, monkeypatch):
    """A run in blocks that was ended in its second step, of an image that stays in its file."""
    monkeypatch.setattr("napari_seedbed.pipeline.files.zarr_reading.LAZY_ABOVE", 1)
    write = BlockStore.write

    def ends(store, values, place):
        if store.path.name == "mask.zarr":
            raise Cancelled
        write(store, values, place)

    with monkeypatch.context() as patched:
        patched.setattr(BlockStore, "write", ends)
        summary = run_batch(load_recipe("mask.yaml"), ["cells.zarr"], "out", in_blocks="always")
    assert summary["cancelled"]
    assert list(Path("out").glob(".*/*/mask.zarr"))


@pytest.mark.usefixtures("mask")
def test_blocks_stay_where_another_result_cannot_be_written(monkeypatch):
    image = read_image("cells.zarr")
    found = run("threshold", {"image": image}).image("mask")
    recipe = recipe_from_record(run("label", {"image": found}).record)

    def fails(path, kind, output):
        raise FileError(f"{path} could not be written: the disk is full.")

    with monkeypatch.context() as patched:
        patched.setattr(items, "write_result", fails)
        summary = run_batch(recipe, ["cells.zarr"], "out", in_blocks="always")
    assert "the disk is full" in summary["inputs"][0]["error"]

    def writes(store, values, place):
        raise AssertionError("a block is worked on again")

    monkeypatch.setattr(BlockStore, "write", writes)
    summary = run_batch(recipe, ["cells.zarr"], "out", in_blocks="always")
    assert summary["inputs"][0]["error"] is None


@pytest.mark.usefixtures("ended")
def test_blocks_of_other_voxels_are_made_anew():
    voxels = zarr.open_group("cells.zarr")["0"]
    voxels[...] = voxels[...][:, ::-1]
    recipe = load_recipe("mask.yaml")
    for how, folder in (("always", "out"), ("never", "memory")):
        run_batch(recipe, ["cells.zarr"], folder, in_blocks=how)
    np.testing.assert_array_equal(
        read_image("out/cells_mask.ome.zarr").array, read_image("memory/cells_mask.ome.tif").array
    )


@pytest.mark.usefixtures("ended")
def test_what_an_ended_run_left_is_no_result_where_memory_does_now(mask):
    recipe = load_recipe("mask.yaml")
    assert run_batch(recipe, ["cells.zarr"], "out")["inputs"][0]["error"] is None
    (found,) = Path("out").glob("cells_mask.*")
    np.testing.assert_array_equal(read_image(found).array, mask)
    assert not [path for path in Path("out").iterdir() if path.name.startswith(".")]


def test_names_of_steps_are_no_paths(mask, tmp_path):
    recipe = load_recipe("mask.yaml")
    outside = tmp_path / "outside"
    names = (str(outside), "x" * 300)
    first, second = recipe.steps
    first = first.model_copy(update={"name": names[0]})
    second = second.model_copy(update={"name": names[1], "image": names[0]})
    recipe = recipe.model_copy(update={"steps": (first, second)})
    summary = run_batch(recipe, ["cells.zarr"], "out", in_blocks="always")
    assert summary["inputs"][0]["error"] is None
    assert not outside.exists()
    np.testing.assert_array_equal(read_image("out/cells_mask.ome.zarr").array, mask)


@pytest.mark.usefixtures("mask")
def test_what_was_made_from_other_images_is_removed(tmp_path):
    step, image = load_recipe("mask.yaml").steps[0], read_image("cells.zarr")
    left = tmp_path / "blocks" / "left"
    for made_from, stays in (("one", False), ("one", True), ("other", False)):
        assert BlockSteps("always", tmp_path / "blocks", made_from).of_step(step, {"image": image})
        assert left.exists() == stays
        left.touch()
