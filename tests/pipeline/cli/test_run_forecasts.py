"""What a run takes is said before it, on the command line."""

import re
from pathlib import Path

import numpy as np
import pytest

from napari_seedbed.pipeline.cli import main
from napari_seedbed.pipeline.data import memory
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.files import write_image
from napari_seedbed.pipeline.files.zarr_writing import write_zarr
from napari_seedbed.pipeline.operations import run
from napari_seedbed.pipeline.recipes import load_recipe, recipe_from_record, save_recipe


@pytest.fixture
def place(tmp_path, monkeypatch, rng):
    """An OME-Zarr of 16 MB, and a recipe of two steps made on another image."""
    monkeypatch.chdir(tmp_path)
    small = Image(rng.integers(0, 99, (8, 30, 30)).astype(np.uint16), ("z", "y", "x"))
    smooth = run("gaussian", {"image": small}, {"sigma": 2.0}).image("image")
    mask = run("threshold", {"image": smooth})
    save_recipe("recipe.yaml", recipe_from_record(mask.record))
    write_zarr("large.zarr", Image(rng.integers(0, 99, (64, 256, 512), np.uint16), ("z", "y", "x")))
    return tmp_path


def said(capsys, *options):
    assert main(["run", "recipe.yaml", "large.zarr", "-o", "out", *options]) == 0
    captured = capsys.readouterr()
    return captured.out.splitlines(), captured.err.splitlines()


def test_forecast_names_every_step_and_runs_nothing(place, capsys, monkeypatch):
    out, _ = said(capsys, "--forecast")
    costs = r"about [\d.]+ MB, (under 1|\d+) s; in blocks [\d.]+ MB, (under 1|\d+) s\."
    assert len(out) == 2
    assert re.fullmatch(rf"large\.zarr: Gaussian filter: {costs}", out[0])
    assert re.fullmatch(rf"large\.zarr: Threshold: {costs}", out[1])
    monkeypatch.setattr(memory, "available_memory", lambda: 100_000_000)
    out, _ = said(capsys, "--forecast")
    assert out[0].endswith("It will work in blocks, with 100 MB free.")
    assert "blocks," not in out[1]
    out, _ = said(capsys, "--forecast", "--blocks", "never")
    assert "That is more memory than the 100 MB that are free. Run it in blocks" in out[0]
    out, _ = said(capsys, "--forecast", "--blocks", "always")
    assert out[1].endswith("It will work in blocks, with 100 MB free.")
    assert not (place / "out").exists()


def test_steps_that_work_in_blocks_are_said_before_the_run(place, capsys, monkeypatch):
    _, err = said(capsys, "--overwrite")
    assert not any("blocks" in line for line in err)
    monkeypatch.setattr(memory, "available_memory", lambda: 100_000_000)
    _, err = said(capsys, "--overwrite")
    (told,) = [line for line in err if "It will work in blocks" in line]
    assert told.startswith("large.zarr: Gaussian filter: about ")
    _, err = said(capsys, "--overwrite", "-q")
    assert err == []


def test_forecast_is_of_what_the_run_works_on(place, capsys, rng):
    recipe = load_recipe("recipe.yaml")
    first, second = recipe.steps
    skipped = first.model_copy(update={"skip": True})
    save_recipe("recipe.yaml", recipe.model_copy(update={"steps": (skipped, second)}))
    (threshold,), _ = said(capsys, "--forecast")
    assert threshold.startswith("large.zarr: Threshold: ")

    save_recipe("recipe.yaml", recipe.model_copy(update={"steps": (first,)}))
    one = Image(rng.integers(0, 99, (256, 512), np.uint16), ("y", "x"))
    Path("slices").mkdir()
    for number in range(20):
        write_image(f"slices/{number}.tif", one)
    write_zarr("volume.zarr", Image(np.stack([one.array] * 20), ("z", "y", "x")))
    written = [f"slices/{number}.tif" for number in range(20)]
    asked = {
        "stack": [*written, "--stack", "z"],
        "volume": ["volume.zarr"],
        "slice": ["slices/0.tif"],
    }
    costs = {}
    for name, inputs in asked.items():
        assert main(["run", "recipe.yaml", *inputs, "-o", "out", "--forecast"]) == 0
        (line,) = capsys.readouterr().out.splitlines()
        costs[name] = re.search("about ([^;]*)", line)[1]
    assert costs["stack"] == costs["volume"] != costs["slice"]
