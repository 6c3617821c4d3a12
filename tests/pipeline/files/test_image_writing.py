"""Writing: read back identical, whole or not at all, and every refusal in plain words."""

import errno
from dataclasses import replace

import dask.array
import numpy as np
import pytest
import tifffile

from napari_seedbed.core.images.pyramids import halved_image, halved_labels
from napari_seedbed.errors import FileError, InputError
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.files import (
    image_writing,
    read_image,
    write_image,
    write_labels,
    write_result,
    write_table,
)
from napari_seedbed.pipeline.files.atomic_files import written_whole

MICRO = ("micrometer",) * 3


def hyperstack(rng):
    array = rng.integers(0, 60000, (3, 2, 4, 20, 30), dtype=np.uint16)
    return Image(
        array,
        ("t", "c", "z", "y", "x"),
        (0.28371234567, 0.1268, 0.1268),
        MICRO,
        channel_names=("DAPI", "GFP µ"),
        channel_colors=("#0000ff", "#00ff00"),
        translate=(-3.1, 0.1 + 0.2, 1e-7),
        name="cells",
    )


def assert_same(read, written):
    np.testing.assert_array_equal(read.array, written.array)
    for name in (
        "axes", "spacing", "units", "translate", "rgb", "channel_names", "channel_colors"
    ):  # fmt: skip
        assert getattr(read, name) == getattr(written, name)
    assert read.dtype == written.dtype


def test_hyperstack_reads_back_identical(tmp_path, rng):
    image = hyperstack(rng)
    assert_same(read_image(write_image(tmp_path / "cells.ome.tif", image)), image)


def test_a_place_along_axes_of_several_units_comes_in_that_of_x(tmp_path):
    units = ("nanometer", "micrometer", "micrometer")
    array, place = np.zeros((2, 3, 4), np.uint8), (500.0, 2.0, 3.0)
    image = Image(array, ("z", "y", "x"), (1.0, 0.5, 0.5), units, translate=place)
    read = read_image(write_image(tmp_path / "a.ome.tif", image))
    assert read.units == MICRO
    assert read.translate == pytest.approx((0.5, 2.0, 3.0))


@pytest.mark.parametrize("place", ["1 2", "1 2 x", "1 2 inf"])
def test_a_place_that_is_none_is_left_out(tmp_path, rng, monkeypatch, place):
    monkeypatch.setattr(image_writing, "place_as_text", lambda *_: place)
    read = read_image(write_image(tmp_path / "a.ome.tif", hyperstack(rng)))
    assert read.translate == (0, 0, 0)


def test_rgb_stack_reads_back_identical(tmp_path, rng):
    array = rng.integers(0, 255, (5, 20, 30, 3), dtype=np.uint8)
    image = Image(array, ("z", "y", "x", "c"), (0.5, 0.1, 0.1), MICRO, rgb=True)
    assert_same(read_image(write_image(tmp_path / "a.ome.tif", image)), image)


@pytest.mark.parametrize("dtype", ["uint8", "int8", "uint32", "int32", "float32", "float64"])
def test_types_stay(tmp_path, rng, dtype):
    image = Image((rng.random((7, 9)) * 99).astype(dtype), ("y", "x"), (0.5, 0.25), MICRO[:2])
    assert_same(read_image(write_image(tmp_path / "a.ome.tif", image)), image)


@pytest.mark.parametrize(
    ("given", "stored"),
    [("bool", "uint8"), ("float16", "float32"), ("int64", "uint32"), ("uint64", "uint32")],
)
def test_types_that_ome_lacks_become_ones_that_hold_the_values(tmp_path, given, stored):
    image = Image(np.eye(9).astype(given), ("y", "x"))
    read = read_image(write_image(tmp_path / "a.ome.tif", image))
    assert read.dtype == stored
    np.testing.assert_array_equal(read.array, image.array.astype(stored))


@pytest.mark.parametrize(
    ("low", "high", "dtype"),
    [
        (0, 255, "uint8"),
        (0, 256, "uint16"),
        (0, 70000, "uint32"),
        (-1, 100, "int8"),
        (-1, 200, "int16"),
    ],
)
def test_labels_take_the_smallest_type_that_holds_them(tmp_path, low, high, dtype):
    labels = Image(np.linspace(low, high, 42).astype(np.int64).reshape(6, 7), ("y", "x"))
    read = read_image(write_labels(tmp_path / "a.ome.tif", labels))
    assert read.dtype == dtype
    np.testing.assert_array_equal(read.array, labels.array)


def test_lazy_image_is_written_plane_by_plane(tmp_path, rng):
    dask_array = pytest.importorskip("dask.array")
    image = hyperstack(rng)
    lazy = replace(image, array=dask_array.from_array(image.array, chunks=(1, 1, 1, -1, -1)))
    assert_same(read_image(write_image(tmp_path / "a.ome.tif", lazy)), image)


def test_file_is_compressed_ome(tmp_path):
    path = write_labels(tmp_path / "a.ome.tif", Image(np.zeros((64, 64), int), ("y", "x")))
    with tifffile.TiffFile(path) as tif:
        assert tif.is_ome
        assert tif.pages[0].compression == 8
    assert path.stat().st_size < 64 * 64


def test_values_that_do_not_fit_are_refused(tmp_path):
    with pytest.raises(InputError, match="whole numbers"):
        write_labels(tmp_path / "a.tif", Image(np.zeros((4, 4)), ("y", "x")))
    with pytest.raises(InputError, match="32 bits"):
        write_labels(tmp_path / "a.tif", Image(np.full((4, 4), 1 << 40), ("y", "x")))
    with pytest.raises(InputError, match="complex"):
        write_image(tmp_path / "a.tif", Image(np.zeros((4, 4), complex), ("y", "x")))
    assert not list(tmp_path.iterdir())


def fill_disk(monkeypatch):
    """Refuse every write of an image, as a full file system does."""

    def refuse(*args, **kwargs):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tifffile.FileHandle, "write", refuse)
    monkeypatch.setattr(tifffile.FileHandle, "write_array", refuse)


def test_full_disk_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch, rng):
    image = hyperstack(rng)
    path = write_image(tmp_path / "a.ome.tif", image)
    before = path.read_bytes()
    fill_disk(monkeypatch)
    with pytest.raises(FileError, match=r"a\.ome\.tif could not be written: the disk is full"):
        write_image(path, image)
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.ome.tif"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError, MemoryError])
def test_whatever_stops_the_writing_nothing_is_left(tmp_path, error):
    def write_half():
        with written_whole(tmp_path / "a.txt") as temporary:
            temporary.write_text("half")
            raise error

    with pytest.raises(error):
        write_half()
    assert not list(tmp_path.iterdir())


def test_missing_folder_and_folder_of_that_name(tmp_path):
    with pytest.raises(FileError, match="folder does not exist"):
        write_table(tmp_path / "none" / "a.csv", {"a": [1]})
    (tmp_path / "b.csv").mkdir()
    with pytest.raises(FileError, match="folder of that name"):
        write_table(tmp_path / "b.csv", {"a": [1]})
    assert [entry.name for entry in tmp_path.iterdir()] == ["b.csv"]


def test_table_keeps_full_precision(tmp_path):
    path = write_table(
        tmp_path / "a.csv",
        {"label": np.array([1, 2]), "volume (µm³)": np.array([0.1, 1 / 3]), "name": ["a,b", "c"]},
    )
    assert path.read_text("utf-8").splitlines() == [
        "label,volume (µm³),name",
        '1,0.1,"a,b"',
        "2,0.3333333333333333,c",
    ]


@pytest.mark.parametrize("kind", ["stack", "colour", "labels"])
def test_pyramid_reads_back_identical_with_its_levels(tmp_path, rng, kind, monkeypatch):
    """Levels by tifffile, which reads SubIFDs as QuPath does."""
    if kind == "stack":
        array, axes = rng.integers(0, 60000, (2, 3, 301, 520), dtype=np.uint16), tuple("czyx")
    elif kind == "colour":
        array, axes = rng.integers(0, 255, (301, 520, 3), dtype=np.uint8), tuple("yxc")
    else:
        array, axes = rng.integers(0, 3, (301, 520), dtype=np.uint8) * 100, ("y", "x")
    spacing = (0.5, 0.1, 0.1) if "z" in axes else (0.1, 0.1)
    place = (12.5, 0.25, 7.0)[-len(spacing) :]
    units = MICRO[: len(spacing)]
    image = Image(array, axes, spacing, units, translate=place, rgb=kind == "colour")
    lazy = replace(image, array=dask.array.from_array(array, chunks=100))
    # the full resolution alone would fit into a classic file
    monkeypatch.setattr(image_writing, "_LARGEST_CLASSIC", array.nbytes)
    name = "a.pyramid.ome.tif"
    path = write_result(tmp_path / name, "labels" if kind == "labels" else "image", lazy)
    assert_same(read_image(path), image)
    assert_same(read_image(path, lazy=True), image)
    assert read_image(path).holds_labels == (kind == "labels")
    halve = halved_labels if kind == "labels" else halved_image
    plane = [axes.index("y"), axes.index("x")]
    with tifffile.TiffFile(path) as tif:
        assert len(tif.series) == 1
        assert len(tif.series[0].levels) == 3
        assert tif.pages[0].is_tiled
        assert tif.is_bigtiff
        for level in tif.series[0].levels:
            np.testing.assert_array_equal(level.asarray(), array)
            array = halve(array, plane)
