"""Many files are one image, read file by file."""

import imageio.v3
import numpy as np
import pytest
import tifffile

from napari_seedbed.errors import FileError, InputError
from napari_seedbed.pipeline.cli import main
from napari_seedbed.pipeline.files import (
    collection_files,
    image_collection,
    open_collection,
    read_image,
)
from napari_seedbed.pipeline.operations import run
from napari_seedbed.pipeline.recipes import recipe_from_record, save_recipe


@pytest.fixture
def slices(tmp_path, rng):
    """Twelve pictures whose names sort wrongly as texts, a note and a hidden file."""
    folder = tmp_path / "plate"
    folder.mkdir()
    array = rng.integers(0, 256, (12, 5, 6), dtype=np.uint8)
    for n, plane in enumerate(array):
        imageio.v3.imwrite(folder / f"slice{n + 1}.png", plane)
    (folder / "notes.txt").write_text("three mice")
    (folder / "._slice1.png").write_text("of a file manager")
    return folder, array


@pytest.mark.parametrize("axis", ["z", "t", "c"])
def test_files_of_a_folder_in_the_order_of_their_numbers(slices, axis):
    folder, array = slices
    image = open_collection(folder, axis)
    assert (image.axes, image.name, image.is_lazy) == ((axis, "y", "x"), "plate", True)
    np.testing.assert_array_equal(np.asarray(image.array), array)


def test_files_of_a_pattern(slices):
    folder, array = slices
    image = open_collection(str(folder / "slice1?.png"))
    np.testing.assert_array_equal(np.asarray(image.array), array[9:])


def test_arrays_beside_images_are_left_out_and_those_alone_are_taken(slices, tmp_path, rng):
    folder, planes = slices
    volume = rng.random((3, 5, 6))
    for name in ("a.npy", "slice1_seg.npy"):
        np.save(folder / name, volume)
    np.savez(folder / "a.npz", volume)
    (folder / "a.h5").write_bytes(b"never read")
    np.testing.assert_array_equal(np.asarray(open_collection(folder).array), planes)
    arrays = tmp_path / "arrays"
    arrays.mkdir()
    for nth, plane in enumerate(volume):
        np.save(arrays / f"{nth}.npy", plane)
    np.testing.assert_array_equal(np.asarray(open_collection(arrays).array), volume)


def test_given_files_are_sorted_too(slices):
    folder, array = slices
    image = open_collection([folder / f"slice{n}.png" for n in (10, 9, 2)])
    np.testing.assert_array_equal(np.asarray(image.array), array[[1, 8, 9]])


def test_only_files_that_are_looked_at_are_read(slices, monkeypatch):
    folder, array = slices
    image = open_collection(folder)
    read = []

    def noting(path, **how):
        read.append(path.name)
        return read_image(path, **how)

    monkeypatch.setattr(image_collection, "read_image", noting)
    np.testing.assert_array_equal(np.asarray(image.array[3]), array[3])
    np.testing.assert_array_equal(np.asarray(image.array[[1, 7], 2:4]), array[[1, 7], 2:4])
    assert sorted(read) == ["slice2.png", "slice4.png", "slice8.png"]


def test_colours_stay_colours(tmp_path, rng):
    array = rng.integers(0, 256, (3, 5, 6, 3), dtype=np.uint8)
    for n, picture in enumerate(array):
        imageio.v3.imwrite(tmp_path / f"{n}.png", picture)
    image = open_collection(tmp_path, "t")
    assert (image.axes, image.rgb) == (("t", "y", "x", "c"), True)
    np.testing.assert_array_equal(np.asarray(image.array), array)


def test_volumes_become_a_series(tmp_path, rng):
    array = rng.integers(0, 4096, (3, 4, 5, 6), dtype=np.uint16)
    for n, volume in enumerate(array):
        tifffile.imwrite(
            tmp_path / f"t{n}.tif",
            volume,
            imagej=True,
            resolution=(2, 2),
            metadata={"axes": "ZYX", "spacing": 3.0, "unit": "um"},
        )
    image = open_collection(tmp_path)
    assert image.axes == ("t", "z", "y", "x")
    assert image.spacing == (3.0, 0.5, 0.5)
    np.testing.assert_array_equal(np.asarray(image.array[1, 2]), array[1, 2])
    np.testing.assert_array_equal(np.asarray(image.array), array)


def test_distance_of_slices_is_that_of_rows_unless_given(tmp_path, rng):
    for n in range(2):
        tifffile.imwrite(
            tmp_path / f"{n}.tif",
            rng.random((4, 5), dtype=np.float32),
            imagej=True,
            resolution=(4, 4),
            metadata={"unit": "um"},
        )
    image = open_collection(tmp_path, "z")
    assert image.spacing == (0.25, 0.25, 0.25)
    assert "distance of slices is not known" in image.notes[-1]
    given = open_collection(tmp_path, "z", step=2)
    assert (given.spacing, given.notes) == ((2.0, 0.25, 0.25), ())
    assert len(set(given.units)) == 1


@pytest.mark.parametrize("other", [np.zeros((5, 7), np.uint8), np.zeros((5, 6, 3), np.uint8)])
def test_a_file_unlike_the_others_is_named(slices, other):
    folder, _ = slices
    imageio.v3.imwrite(folder / "slice7.png", other)
    with pytest.raises(
        FileError, match=r"slice7\.png is PNG, 5 x [67], (grey|RGB) of 8 bits, but slice1\.png"
    ):
        open_collection(folder)


def test_a_file_of_another_type_is_named(tmp_path):
    tifffile.imwrite(tmp_path / "1.tif", np.zeros((4, 5), np.uint8))
    tifffile.imwrite(tmp_path / "2.tif", np.zeros((4, 5), np.uint16))
    with pytest.raises(FileError, match=r"2\.tif is TIFF, 4 x 5, uint16"):
        open_collection(tmp_path)


def test_a_damaged_file_is_named(slices):
    folder, _ = slices
    (folder / "slice7.png").write_bytes(b"\x89PNG and then nothing")
    with pytest.raises(FileError, match=r"slice7\.png could not be read"):
        open_collection(folder)


def test_a_file_that_changed_since_is_named(slices):
    folder, _ = slices
    image = open_collection(folder)
    imageio.v3.imwrite(folder / "slice7.png", np.zeros((3, 3), np.uint8))
    with pytest.raises(FileError, match=r"slice7\.png has changed"):
        np.asarray(image.array[6])


@pytest.mark.parametrize("source", ["nothing", "*.png"])
def test_no_files_are_refused(tmp_path, source):
    (tmp_path / "nothing").mkdir()
    with pytest.raises(InputError, match="no image"):
        collection_files(tmp_path / source)


def test_an_axis_that_the_files_have_is_refused(tmp_path):
    tifffile.imwrite(tmp_path / "1.tif", np.zeros((3, 4, 5), np.uint8), metadata={"axes": "ZYX"})
    with pytest.raises(InputError, match="slices of their own; stack them along t or c"):
        open_collection(tmp_path, "z")


def test_info_of_a_folder(slices, capsys):
    folder, _ = slices
    assert main(["info", str(folder)]) == 0
    said = capsys.readouterr().out
    assert "12 files along z" in said
    assert "z 12, y 5, x 6" in said


@pytest.mark.parametrize("by", ["folder", "files"])
def test_a_recipe_on_a_stack_gives_one_result(slices, tmp_path, by):
    folder, _ = slices
    result = run("median", {"image": open_collection(folder, "z")}, {"radius": 1})
    recipe = tmp_path / "median.yaml"
    save_recipe(recipe, recipe_from_record(result.record))
    inputs = [str(folder)] if by == "folder" else [str(path) for path in folder.glob("slice*")]
    out = tmp_path / "out"
    assert main(["run", str(recipe), *inputs, "--stack", "z", "-o", str(out), "-q"]) == 0
    found = read_image(out / "plate_median.ome.tif")
    np.testing.assert_array_equal(found.array, result.image("image").array)


def test_a_step_without_a_stack_is_wrong_use(slices, tmp_path):
    folder, _ = slices
    assert main(["run", "none.yaml", str(folder), "--step", "2", "-o", str(tmp_path)]) == 2
