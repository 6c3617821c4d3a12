"""Runs in blocks that end in the middle and are gone on with, here and on a dask scheduler."""

import json
import subprocess
import sys
import time
from contextlib import contextmanager

import numpy as np
import pytest
import zarr

from bounds import bound
from napari_seedbed.core import running
from napari_seedbed.core.marks.shapes import Shape
from napari_seedbed.errors import Cancelled, FileError, InputError
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.data.shapes import Shapes
from napari_seedbed.pipeline.engine.block_plans import BlockPlan, Blocks
from napari_seedbed.pipeline.engine.block_runs import BlockRun, identity
from napari_seedbed.pipeline.engine.inputs import Inputs
from napari_seedbed.pipeline.files import voxels_in_file
from napari_seedbed.pipeline.files.image_reading import read_image
from napari_seedbed.pipeline.files.zarr_writing import write_zarr
from napari_seedbed.pipeline.operations import get, run

SHAPE, BLOCK = (40, 96, 96), (20, 32, 32)
N_BLOCKS = 2 * 3 * 3
PARAMETERS = {"radius": 2.0}

KILLED = """
import os, signal, sys
from pathlib import Path
from napari_seedbed.pipeline.engine.block_plans import Blocks
from napari_seedbed.pipeline.files.image_reading import read_image
from napari_seedbed.pipeline.operations import run

seen = []
def watch(output, region):
    seen.append(region)
    if len(seen) == 5:
        os.kill(os.getpid(), signal.SIGKILL)

blocks = Blocks(Path(sys.argv[2]), (20, 32, 32), watch=watch)
run("median", {"image": read_image(sys.argv[1], lazy=True)}, {"radius": 2.0}, blocks=blocks)
"""


@pytest.fixture
def image(tmp_path, rng):
    """A volume in a file."""
    array = rng.integers(0, 4000, SHAPE).astype(np.uint16)
    path = write_zarr(tmp_path / "volume.zarr", Image(array, ("z", "y", "x"), (2.0, 1.0, 1.0)))
    return read_image(path, lazy=True)


def files_of(folder):
    """What the blocks of the output are written in, and when."""
    return {
        file: file.stat().st_mtime_ns
        for file in (folder / "image.zarr/0/c").rglob("[0-9]*/[0-9]*/[0-9]*")
    }


def test_run_that_is_killed_is_gone_on_with(image, tmp_path):
    folder = tmp_path / "results"
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path / "volume.zarr"), str(folder)]
    )
    assert killed.returncode == -9
    before = files_of(folder)
    assert 5 <= len(before) < N_BLOCKS
    seen = []
    blocks = Blocks(folder, BLOCK, watch=lambda *about: seen.append(about))
    found = run("median", {"image": image}, PARAMETERS, blocks=blocks)
    assert len(seen) == N_BLOCKS - len(before)
    assert files_of(folder).items() >= before.items()
    assert not list(folder.glob("**/.*"))
    whole = run("median", {"image": image}, PARAMETERS)
    np.testing.assert_array_equal(found.image("image").array, whole.image("image").array)
    assert found.record == whole.record == read_record(folder)
    # Other parameters begin anew.
    seen.clear()
    run("median", {"image": image}, {"radius": 1.0}, blocks=blocks)
    assert len(seen) == N_BLOCKS


def test_blocks_of_other_inputs_are_not_taken(image, tmp_path):
    """Neither where voxels are changed within a store, nor where only a shape is closed."""
    blocks = Blocks(tmp_path / "results", BLOCK)
    zarr.open_array(tmp_path / "volume.zarr/0", mode="r+")[:] = 7
    for value in (7, 9):
        zarr.open_array(tmp_path / "volume.zarr/0", mode="r+")[:20] = value
        again = read_image(tmp_path / "volume.zarr", lazy=True)
        found = run("median", {"image": again}, PARAMETERS, blocks=blocks).image("image")
        assert np.asarray(found.array).max() == value
    corners = np.array([(20, 20), (20, 70), (70, 70), (70, 20)], float)
    identities = []
    for rgb, closed in ((False, True), (False, False), (True, True)):
        colours = Image(np.zeros((96, 96, 3), np.uint8), ("y", "x", "c"), rgb=rgb)
        drawn = Shapes((Shape(1, corners, closed),))
        given = BlockRun(get("median"), Inputs(colours, shapes=drawn), {}, blocks, [0], ())
        identities.append(identity(given, BlockPlan((96, 96), (32, 32)))["given"])
    assert len(set(identities)) == 3


def test_a_result_does_not_replace_what_it_is_made_from(image, tmp_path):
    blocks = Blocks(tmp_path / "results", BLOCK)
    first = run("median", {"image": image}, PARAMETERS, blocks=blocks).image("image")
    before = np.asarray(first.array)
    part = first.crop([slice(0, 30)] * 3)
    for given in (first, part):
        with pytest.raises(InputError, match=r"^blocks: the folder .* replace image.zarr"):
            run("gaussian", {"image": given}, blocks=blocks)
    np.testing.assert_array_equal(first.array, before)


def read_record(folder):
    """What the store says of how it was made."""
    said = json.loads((folder / "image.zarr/zarr.json").read_text())["attributes"]
    assert "unfinished" not in said["napari_seedbed"]
    return said["napari_seedbed"]["record"]


def test_run_that_is_cancelled_ends_at_once_and_is_gone_on_with(image, tmp_path):
    asked = []

    def watch(*about):
        asked.append(time.monotonic())

    blocks = Blocks(tmp_path / "results", BLOCK, watch=watch)
    with running(should_stop=lambda: len(asked) >= 2), pytest.raises(Cancelled):
        run("median", {"image": image}, {"radius": 6.0}, blocks=blocks)
    assert time.monotonic() - asked[1] < bound(0.5)
    n_before = len(asked)
    assert n_before < N_BLOCKS
    found = run("median", {"image": image}, {"radius": 6.0}, blocks=blocks)
    assert len(asked) <= N_BLOCKS
    whole = run("median", {"image": image}, {"radius": 6.0})
    np.testing.assert_array_equal(found.image("image").array, whole.image("image").array)


def test_what_others_wrote_is_not_replaced(image, tmp_path):
    (tmp_path / "image.zarr").mkdir()
    (tmp_path / "image.zarr" / "notes.txt").write_text("mine")
    with pytest.raises(FileError, match=r"image.zarr is there already"):
        run("median", {"image": image}, PARAMETERS, blocks=Blocks(tmp_path, BLOCK))
    with pytest.raises(InputError, match=r"^blocks: the shape"):
        run("median", {"image": image}, PARAMETERS, blocks=Blocks(tmp_path, (8, 8)))


def test_numbers_that_become_infinite_are_refused(tmp_path):
    array = np.zeros((20, 20), np.float32)
    array[15, 15] = 3e38
    image = Image(array, ("y", "x"))
    parameters = {"kernel": "2 2 2"}
    for blocks in (None, Blocks(tmp_path, (8, 8))):
        with pytest.raises(InputError, match=r"divide the image by a large number first"):
            run("custom_kernel", {"image": image}, parameters, blocks=blocks)


@contextmanager
def dask(*arguments):
    """A command of dask."""
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen([sys.executable, "-m", "dask", *arguments], **quiet)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def test_workers_of_a_scheduler_of_which_one_is_killed(image, tmp_path, monkeypatch):
    """The client reads next to nothing of the voxels, and the others do the work of the victim."""
    n_read = []
    read = voxels_in_file._VoxelsInFile.__getitem__

    def counting(self, index):
        found = read(self, index)
        n_read.append(found.size)
        return found

    monkeypatch.setattr(voxels_in_file._VoxelsInFile, "__getitem__", counting)
    about = tmp_path / "scheduler.json"
    worker = ("worker", "--scheduler-file", str(about), "--nthreads", "1", "--no-dashboard")
    scheduler = ("scheduler", "--port", "0", "--host", "127.0.0.1", "--no-dashboard")
    with (
        dask(*scheduler, "--scheduler-file", str(about)),
        dask(*worker, "--no-nanny") as victim,
        dask(*worker, "--no-nanny"),
    ):
        until = time.monotonic() + 60
        while not (about.exists() and about.stat().st_size) and time.monotonic() < until:
            time.sleep(0.05)
        address = json.loads(about.read_text())["address"]
        sizes = []

        def watch(*seen):
            sizes.extend(file.stat().st_size for file in (tmp_path / "results").glob(".*.task"))
            if len(sizes) == 3:
                victim.kill()

        blocks = Blocks(tmp_path / "results", BLOCK, scheduler=address, watch=watch)
        found = run("median", {"image": image}, PARAMETERS, blocks=blocks)
        table = run(
            "convert_type", {"image": image}, blocks=Blocks(tmp_path / "8 bits", BLOCK, address)
        )
    assert victim.returncode == -9
    assert max(sizes) < 20_000
    assert sum(n_read) < 0.02 * np.prod(SHAPE)
    assert not list((tmp_path / "results").glob(".*"))
    for part, name, parameters in ((found, "median", PARAMETERS), (table, "convert_type", {})):
        whole = run(name, {"image": image}, parameters)
        np.testing.assert_array_equal(part.image("image").array, whole.image("image").array)
        assert part.record == whole.record
    with pytest.raises(InputError, match="no dask scheduler answers"):
        run("median", {"image": image}, PARAMETERS, blocks=blocks)
