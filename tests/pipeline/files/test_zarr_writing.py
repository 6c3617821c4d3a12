"""OME-Zarr that is written: round trips, what another library reads, shards, and what stays."""

import json
import threading
from contextlib import ExitStack
from pathlib import Path

import dask.array
import ngff_zarr
import numpy as np
import pytest
import zarr

from napari_seedbed.core.progress import running
from napari_seedbed.errors import Cancelled, FileError, InputError
from napari_seedbed.pipeline.batch import run_batch
from napari_seedbed.pipeline.cli import main
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.files import images_of, read_image, write_image, write_result
from napari_seedbed.pipeline.files import zarr_levels as levels
from napari_seedbed.pipeline.files.atomic_files import moved_together
from napari_seedbed.pipeline.files.image_reading import lower_levels
from napari_seedbed.pipeline.files.zarr_writing import write_zarr
from napari_seedbed.pipeline.operations import run
from napari_seedbed.pipeline.recipes import recipe_from_record, save_recipe

MICRO = ("micrometer",) * 3


@pytest.fixture
def small_blocks(monkeypatch):
    """Let small images have several levels, of several shards each."""
    monkeypatch.setattr(levels, "_SMALLEST", 16)
    monkeypatch.setattr(levels, "_BLOCK_2D", (16, 16))
    monkeypatch.setattr(levels, "_BLOCK_3D", (2, 16, 16))
    monkeypatch.setattr(levels, "_BLOCKS_A_SHARD", {"y": 2, "x": 2})


@pytest.fixture
def image(rng) -> Image:
    array = rng.integers(0, 60000, (2, 2, 3, 40, 52)).astype(np.uint16)
    return Image(
        array,
        tuple("tczyx"),
        (0.5, 0.25, 0.5),
        MICRO,
        channel_names=("DAPI", ""),
        channel_colors=("#0000ff", "#123456"),
        name="cells",
        translate=(-3.0, 10.0, 0.125),
    )


@pytest.fixture
def labels(rng) -> Image:
    coarse = rng.integers(0, 4, (3, 8, 13)) * 3_000_000_000
    array = np.kron(coarse, np.ones((1, 5, 4), np.int64))
    return Image(array, tuple("zyx"), (0.5, 0.25, 0.5), MICRO, name="nuclei")


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


def assert_same(one: Image, other: Image) -> None:
    np.testing.assert_array_equal(np.asarray(one.array), np.asarray(other.array))
    for name in ("axes", "dtype", "spacing", "units", "translate", "channel_names",
                 "channel_colors", "rgb"):  # fmt: skip
        assert getattr(one, name) == getattr(other, name), name


@pytest.mark.parametrize("version", ["0.4", "0.5"])
@pytest.mark.parametrize("lazy", [False, True])
def test_image_and_labels_read_back_identical_and_by_another_library(
    tmp_path, image, labels, small_blocks, version, lazy
):
    path = tmp_path / "a.ome.zarr"
    given = image
    if lazy:
        chunks = (1, 1, 1, 40, 52)
        array = dask.array.from_array(image.array, chunks=chunks)
        given = Image(**{**vars(image), "array": array})
    write_zarr(path, given, {"nuclei": labels, "a/b": labels}, version=version)
    assert_same(read_image(path), image)
    assert not read_image(path).notes
    assert [one.name for one in images_of(path)] == ["cells", "nuclei", "a_b"]
    for number in (2, 3):
        assert_same(read_image(path, series=number), labels)
        assert read_image(path, series=number).holds_labels
    stored = ngff_zarr.from_ngff_zarr(str(path), validate=True)
    ours = [read_image(path), *lower_levels(path)]
    assert [level.shape[2:] for level in ours] == [(3, 40, 52), (3, 20, 26), (2, 10, 13)]
    for level, theirs in zip(ours, stored.images, strict=True):
        np.testing.assert_array_equal(np.asarray(level.array), np.asarray(theirs.data))
        np.testing.assert_allclose(level.spacing, [theirs.scale[axis] for axis in "zyx"])
        np.testing.assert_allclose(level.translate, [theirs.translation[axis] for axis in "zyx"])
    assert [channel.label for channel in stored.metadata.omero.channels] == ["DAPI", ""]
    assert [channel.color for channel in stored.metadata.omero.channels] == ["0000FF", "123456"]
    nuclei = ngff_zarr.from_ngff_zarr(str(path / "labels" / "nuclei")).images
    assert len(nuclei) == 3
    for level in nuclei:
        assert level.data.dtype == labels.dtype
        assert np.isin(np.asarray(level.data), labels.array).all()


def test_every_level_has_its_mass_where_the_image_has_it(tmp_path, small_blocks):
    """The half-voxel translations: a linear ramp is the same function of place in all levels."""
    y, x = np.indices((64, 96))
    ramp = Image((3.0 * y + 2.0 * x), ("y", "x"), (0.5, 0.25), MICRO[:2], translate=(7.0, -1.0))
    path = write_result(tmp_path / "ramp.ome.zarr", "image", ramp)
    found = [read_image(path), *lower_levels(path)]
    assert len(found) == 4
    for level in found:
        rows, columns = (
            begin + step * np.arange(n)
            for begin, step, n in zip(level.translate, level.spacing, level.shape, strict=True)
        )
        expected = 3 * (rows[:, None] - 7) / 0.5 + 2 * (columns + 1) / 0.25
        np.testing.assert_allclose(np.asarray(level.array), expected)


def test_thin_voxels_are_halved_first():
    (_, *lower) = levels.levels_of((100, 2000, 2000), "zyx", {"z": 1.0, "y": 0.25, "x": 0.25})
    assert [level.factors for level in lower] == [(1, 2, 2), (1, 4, 4), (2, 8, 8)]
    (full,) = levels.levels_of((100, 256, 256), "zyx", {"z": 1.0, "y": 0.25, "x": 0.25})
    assert full.factors == (1, 1, 1)


def test_every_task_writes_a_whole_shard(tmp_path, small_blocks, monkeypatch, rng):
    """Tasks that share a shard lose voxels: zarr-python, issue 3682."""
    array = rng.integers(1, 60000, (6, 100, 130)).astype(np.uint16)
    lazy = dask.array.from_array(array, chunks=(1, 7, 130))
    written: dict[tuple[str, tuple[slice, ...]], tuple[int, ...]] = {}
    lock, set_item = threading.Lock(), zarr.Array.__setitem__

    def noted(self, region, value):
        with lock:
            key = (self.path, *((part.start, part.stop) for part in region))
            assert key not in written
            written[key] = self.shards
            for part, shard, n in zip(region, self.shards, self.shape, strict=True):
                assert part.start % shard == 0
                assert part.stop == min(part.start + shard, n)
        set_item(self, region, value)

    monkeypatch.setattr(zarr.Array, "__setitem__", noted)
    path = write_zarr(tmp_path / "a.zarr", Image(lazy, tuple("zyx")))
    assert (2, 32, 32) in written.values()
    assert sum(key[0] == "0" for key in written) == 3 * 4 * 5
    np.testing.assert_array_equal(read_image(path).array, array)


@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint64", "float16", "float64"])
def test_types_stay(tmp_path, rng, dtype, small_blocks):
    image = Image((rng.random((40, 50)) * 100).astype(dtype), ("y", "x"))
    assert_same(read_image(write_result(tmp_path / "a.zarr", "image", image)), image)


def test_masks_and_colours_and_other_orders_of_axes(tmp_path, rng):
    mask = Image(rng.random((40, 50)) > 0.5, ("y", "x"))
    found = read_image(write_result(tmp_path / "mask.v04.ome.zarr", "mask", mask))
    assert (found.dtype, found.holds_labels) == (np.uint8, True)
    np.testing.assert_array_equal(found.array, mask.array)
    group = zarr.open_group(tmp_path / "mask.v04.ome.zarr", mode="r")
    assert group.metadata.zarr_format == 2
    picture = Image(rng.integers(0, 255, (40, 50, 3)).astype(np.uint8), tuple("yxc"), rgb=True)
    assert_same(read_image(write_result(tmp_path / "rgb.zarr", "image", picture)), picture)
    movie = Image(rng.integers(0, 255, (40, 3, 50)).astype(np.uint8), tuple("ytx"))
    found = read_image(write_result(tmp_path / "movie.zarr", "image", movie))
    assert found.axes == tuple("tyx")
    np.testing.assert_array_equal(found.array, movie.array.transpose(1, 0, 2))


def test_what_zarr_cannot_hold_is_refused(tmp_path):
    for kind, image in (
        ("labels", Image(np.ones((4, 5)), ("y", "x"))),
        ("image", Image(np.ones((4, 5), complex), ("y", "x"))),
        ("image", Image(np.ones((2, 4, 5)), ("p", "y", "x"))),
    ):
        with pytest.raises(InputError, match="image: it"):
            write_result(tmp_path / "a.zarr", kind, image)
    assert not list(tmp_path.iterdir())


def test_own_files_are_replaced_and_nothing_of_other_programs(tmp_path, image, labels):
    path, both = tmp_path / "a.zarr", {"nuclei": labels}
    write_zarr(path, image, both)
    write_zarr(path, labels)
    assert_same(read_image(path), labels)
    write_zarr(path, image, both)
    zarr.open_group(path / "labels" / "theirs", mode="w")
    zarr.open_group(tmp_path / "theirs.zarr", mode="w")
    for place in ("tables", "notes.txt", "labels/notes.txt", "labels/nuclei/tables"):
        with_more = write_zarr(tmp_path / f"with {place.replace('/', ' ')}.zarr", image, both)
        (with_more / place).mkdir()
    hidden = write_zarr(tmp_path.parent / "hidden.zarr", image, both)
    (hidden / ".DS_Store").touch()
    write_zarr(hidden, image)
    (tmp_path / "empty.zarr").mkdir()
    (tmp_path / "file.zarr").write_text("text")
    (tmp_path / "link.zarr").symlink_to(path)
    before = names_in(tmp_path)
    for name in before:
        with pytest.raises(FileError, match="not written by Seedbed"):
            write_zarr(tmp_path / name, image)
    assert names_in(tmp_path) == before
    with pytest.raises(FileError, match="folder does not exist"):
        write_zarr(tmp_path / "none" / "a.zarr", image)


@pytest.mark.parametrize("ends", ["damage", "cancelled", "interrupted"])
def test_whatever_stops_the_writing_the_old_one_stays(
    tmp_path, image, small_blocks, monkeypatch, ends
):
    path = write_zarr(tmp_path / "a.zarr", image)

    def fails(block):
        raise OSError(28, "No space left on device")

    array = dask.array.from_array(image.array, chunks=(1, 1, 1, 40, 52))
    if ends == "damage":
        array = array.map_blocks(fails, dtype=array.dtype)
        with pytest.raises(FileError, match="disk is full"):
            write_zarr(path, Image(array, image.axes))
    elif ends == "interrupted":
        # when the old one has made way, and the new one is not yet in its place
        rename, places = Path.rename, iter([None, KeyboardInterrupt])

        def renamed(self, target):
            error = next(places, None)
            if error is not None:
                raise error
            return rename(self, target)

        monkeypatch.setattr(Path, "rename", renamed)
        with pytest.raises(KeyboardInterrupt):
            write_zarr(path, image)
    else:
        asked = iter(range(4))
        with (
            pytest.raises(Cancelled),
            running(should_stop=lambda: next(asked, None) is None),
        ):
            write_zarr(path, Image(array, image.axes))
    assert names_in(tmp_path) == ["a.zarr"]
    assert_same(read_image(path), image)


def test_results_that_cannot_all_be_moved_leave_the_folders_that_were_there(
    tmp_path, image, labels
):
    write_zarr(tmp_path / "a.zarr", image)
    (tmp_path / "b.csv").mkdir()
    with ExitStack() as moves:
        stage = moves.enter_context(moved_together(tmp_path))
        write_zarr(stage / "a.zarr", labels)
        (stage / "b.csv").write_text("text")
        with pytest.raises(FileError, match=r"b\.csv could not be written"):
            moves.close()
    assert names_in(tmp_path) == ["a.zarr", "b.csv"]
    assert_same(read_image(tmp_path / "a.zarr"), image)
    with moved_together(tmp_path) as stage:
        write_zarr(stage / "a.zarr", labels)
    assert names_in(tmp_path) == ["a.zarr", "b.csv"]
    assert_same(read_image(tmp_path / "a.zarr"), labels)


def test_a_batch_writes_zarr_says_how_it_was_made_and_replaces_its_own(tmp_path, rng, capsys):
    image = Image(np.kron(np.diag([1, 0, 1]), np.ones((9, 9))).astype(np.uint8), ("y", "x"))
    write_image(tmp_path / "cells.tif", image)
    recipe = recipe_from_record(run("label", {"image": image}).record)
    save_recipe(tmp_path / "label.yaml", recipe)
    command = ["run", str(tmp_path / "label.yaml"), str(tmp_path / "cells.tif"), "-q"]
    command += ["-o", str(tmp_path / "out"), "--format", "ome-zarr"]
    assert main(command) == 0
    path = tmp_path / "out" / "cells_labels.ome.zarr"
    assert names_in(tmp_path / "out") == [
        "cells_labels.ome.zarr", "cells_objects.csv", "logs", "summary.json"
    ]  # fmt: skip
    record = json.loads((path / "zarr.json").read_text())["attributes"]["napari_seedbed"]["record"]
    again = run_batch(recipe_from_record(record), [tmp_path / "cells.tif"], tmp_path / "again")
    assert again["inputs"][0]["objects"] == 2
    assert main(command) == 1
    assert "is there already" in capsys.readouterr().err
    (path / "0" / "c" / "0" / "0").unlink()
    assert main([*command, "--overwrite"]) == 0
    assert len(np.unique(read_image(path).array)) == 3
    zarr.open_group(path / "labels" / "theirs", mode="w")
    assert main([*command, "--overwrite"]) == 1
    assert "not all written by seedbed" in capsys.readouterr().err
    assert (path / "labels" / "theirs").is_dir()
    with pytest.raises(InputError, match="format: 'png' given; it must be one of ome-tiff, "):
        run_batch(recipe, [tmp_path / "cells.tif"], tmp_path / "out", format="png")
