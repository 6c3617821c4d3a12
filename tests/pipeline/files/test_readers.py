"""One row makes a kind of file known wherever images are read."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from napari_seedbed.errors import FileError, InputError
from napari_seedbed.pipeline.cli import DONE, main
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.files import (
    images_of,
    is_folder,
    open_collection,
    other_kinds,
    read_image,
    readers,
)
from napari_seedbed.pipeline.files.readers import Reader


def read_grid(path, name):
    return Image(np.loadtxt(path, dtype=np.uint8), ("y", "x"), name=name)


GRID = Reader(
    name="Grid",
    suffixes=(".txt", ".grid.txt"),
    reads=read_grid,
    keeps=(),
    help="numbers as text",
)
KNOWN_BY = {
    "its start": replace(GRID, starts=(b"#grid", b"#no")),
    "its name": GRID,
    "a function": replace(GRID, recognises=lambda path: b"grid" in path.read_bytes()),
    "a header": replace(GRID, header=lambda path: ((4, 5), "numbers")),
}


@pytest.fixture
def grids(tmp_path, rng):
    folder = tmp_path / "plate"
    folder.mkdir()
    planes = rng.integers(0, 256, (3, 4, 5), dtype=np.uint8)
    for n, plane in enumerate(planes):
        np.savetxt(folder / f"g{n}.grid.txt", plane, fmt="%d", header="#grid", comments="")
    return folder, planes


@pytest.mark.parametrize("by", KNOWN_BY)
def test_one_row_is_enough_to_read_list_and_stack(monkeypatch, capsys, grids, by):
    folder, planes = grids
    monkeypatch.setattr(readers, "READERS", (*readers.READERS, KNOWN_BY[by]))
    path = folder / "g1.grid.txt"
    image = read_image(path)
    assert (image.name, images_of(path)) == ("g1", [])
    np.testing.assert_array_equal(image.array, planes[1])
    with pytest.raises(InputError, match="series: 2 asked for"):
        read_image(path, series=2)
    np.testing.assert_array_equal(np.asarray(open_collection(folder).array), planes)
    for source, words in (
        (path, "Format      Grid"),
        (folder, "of 3 files along z\nFormat      Grid"),
    ):
        assert main(["info", str(source)]) == DONE
        assert words in capsys.readouterr().out
    assert main(["list"]) == DONE
    assert "reads Grid (.txt, .grid.txt): numbers as text" in capsys.readouterr().out
    for command in ("info", "run"):
        with pytest.raises(SystemExit):
            main([command, "--help"])
        assert "Grid (.txt, .grid.txt)" in " ".join(capsys.readouterr().out.split())


def test_folders_of_a_kind_are_one_image(monkeypatch, grids):
    folder, planes = grids
    plate = replace(
        GRID,
        suffixes=(".plate",),
        reads=lambda path, name: Image(
            np.stack([np.loadtxt(file) for file in sorted(path.iterdir())]), ("z", "y", "x")
        ),
        is_folder=True,
    )
    monkeypatch.setattr(readers, "READERS", (*readers.READERS, plate))
    assert is_folder(folder)
    image = folder.rename(folder.with_name("a.plate"))
    assert not is_folder(image)
    np.testing.assert_array_equal(read_image(image).array, planes)


def test_a_file_that_nothing_reads_names_what_is_read(grids):
    with pytest.raises(FileError) as error:
        read_image(grids[0] / "g1.grid.txt")
    for row in readers.READERS:
        assert str(row) in str(error.value)


def test_kinds_that_others_read_are_named_with_what_reads_them(tmp_path):
    for ending, words in other_kinds.READ_ELSEWHERE.items():
        (tmp_path / f"a{ending}").write_bytes(b"something else")
        with pytest.raises(FileError) as error:
            read_image(tmp_path / f"a{ending}")
        assert words in str(error.value)
    read_here = {suffix for row in readers.READERS for suffix in row.suffixes}
    assert read_here.isdisjoint(other_kinds.READ_ELSEWHERE)


def test_libraries_of_readers_are_imported_when_one_runs():
    libraries = ["nibabel", "nrrd", "h5py", "nd2", "liffile", "czifile", "tifffile", "zarr", "PIL"]
    code = (
        "import sys, napari_seedbed.pipeline.files as f; "
        f"print([name for name in {libraries} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_row_can_be_told_from_the_others():
    starts = [start for row in readers.READERS for start in row.starts]
    suffixes = [suffix for row in readers.READERS for suffix in row.suffixes]
    assert len(set(suffixes)) == len(suffixes)
    assert [(a, b) for a in starts for b in starts if a is not b and a.startswith(b)] == []
    assert all(suffix.startswith(".") and suffix.islower() for suffix in suffixes)
