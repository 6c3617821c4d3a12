"""Files that hold several images: each can be read, in a batch too, and all are listed."""

import json

import numpy as np
import PIL.Image
import pytest
import tifffile
import zarr

from napari_seedbed.errors import FileError, InputError
from napari_seedbed.pipeline.cli import DONE, FAILED, WRONG_USE, main
from napari_seedbed.pipeline.files import images_of, read_image
from napari_seedbed.pipeline.operations import run
from napari_seedbed.pipeline.recipes import recipe_from_record, save_recipe

FIRST = np.arange(3 * 16 * 18, dtype=np.uint16).reshape(3, 16, 18)
SECOND = np.arange(2 * 20 * 24, dtype=np.uint8).reshape(2, 20, 24)
THIRD = np.arange(10 * 12, dtype=np.float32).reshape(10, 12)
ALL = {"nucleus": FIRST, "membrane": SECOND, "overview": THIRD}


def write_ome(path, **options):
    with tifffile.TiffWriter(path, ome=True) as tif:
        for nth, (name, array) in enumerate(ALL.items(), start=1):
            size = dict.fromkeys(("PhysicalSizeX", "PhysicalSizeY", "PhysicalSizeZ"), nth / 4)
            metadata = {"axes": "ZYX"[-array.ndim :], "Name": name, **size}
            tif.write(array, metadata=metadata, photometric="minisblack", **options)
    return path


def write_plain(path, **options):
    with tifffile.TiffWriter(path) as tif:
        for array in ALL.values():
            tif.write(array, photometric="minisblack", **options)
    return path


def described(array, name, path="0"):
    axes = [{"name": axis, "type": "space"} for axis in "zyx"[-array.ndim :]]
    return {"name": name, "axes": axes, "datasets": [{"path": path}]}


def write_zarr(path, apart: bool):
    """All in one group, or as Bio-Formats writes them: each in a group of its own."""
    root = zarr.open_group(path, mode="w")
    for nth, (name, array) in enumerate(ALL.items()):
        group = root.create_group(str(nth)) if apart else root
        stored = group.create_array("0" if apart else name, shape=array.shape, dtype=array.dtype)
        stored[...] = array
        if apart:
            group.attrs["ome"] = {"multiscales": [described(array, name)]}
    together = {"multiscales": [described(array, name, name) for name, array in ALL.items()]}
    root.attrs["ome"] = {"bioformats2raw.layout": 3} if apart else together
    return path


WRITERS = {
    "a.ome.tif": write_ome,
    "zlib.ome.tif": lambda path: write_ome(path, compression="zlib"),
    "a.tif": write_plain,
    "zlib.tif": lambda path: write_plain(path, compression="zlib"),
    "together.zarr": lambda path: write_zarr(path, apart=False),
    "apart.zarr": lambda path: write_zarr(path, apart=True),
}


@pytest.mark.parametrize("lazy", [False, True])
@pytest.mark.parametrize("name", WRITERS)
def test_each_image_of_a_file_can_be_read(tmp_path, name, lazy):
    path = WRITERS[name](tmp_path / name)
    named = name != "a.tif" and name != "zlib.tif"
    found = images_of(path)
    assert [image.shape for image in found] == [array.shape for array in ALL.values()]
    assert [image.dtype for image in found] == ["uint16", "uint8", "float32"]
    if named:
        assert [image.name for image in found] == list(ALL)
    for number, (title, array) in enumerate(ALL.items(), start=1):
        image = read_image(path, lazy=lazy, series=number)
        np.testing.assert_array_equal(np.asarray(image.array), array)
        assert image.dtype == array.dtype
        assert not any("holds" in note for note in image.notes)
        if named:
            assert image.name.endswith(f" - {title}")
        if name.endswith(".ome.tif"):
            assert set(image.spacing) == {number / 4}
    first = read_image(path, lazy=lazy)
    np.testing.assert_array_equal(np.asarray(first.array), FIRST)
    assert "The file holds 3 images; the first was read." in first.notes
    for number in (0, 4, -1):
        with pytest.raises(InputError, match=rf"series: {number} asked for, but .* holds 3 images"):
            read_image(path, series=number)


def test_a_file_with_one_image_has_no_second(tmp_path):
    PIL.Image.fromarray(SECOND[0]).save(tmp_path / "a.png")
    tifffile.imwrite(tmp_path / "a.tif", FIRST)
    for name in ("a.png", "a.tif"):
        assert len(images_of(tmp_path / name)) < 2
        read_image(tmp_path / name, series=1)
        with pytest.raises(InputError, match=r"series: 2 asked for, but .* holds 1 image"):
            read_image(tmp_path / name, series=2)
    (tmp_path / "b.tif").write_bytes(b"hello")
    with pytest.raises(FileError, match=r"no .*TIFF"):
        images_of(tmp_path / "b.tif")


def test_a_cut_off_later_image_is_refused(tmp_path):
    path = write_ome(tmp_path / "a.ome.tif", compression="zlib")
    with tifffile.TiffFile(path) as tif:
        tag = tif.series[1].keyframe.tags["StripByteCounts"]
        place, size = tag.valueoffset, tag.valuebytecount
    raw = bytearray(path.read_bytes())
    raw[place : place + size] = bytes(size)
    path.write_bytes(raw)
    read_image(path, series=1)
    with pytest.raises(FileError, match="plane 1 is missing"):
        read_image(path, series=2)


def test_info_lists_images_and_a_batch_takes_the_one_that_is_named(tmp_path, capsys):
    path = write_ome(tmp_path / "a.ome.tif")
    assert main(["info", str(path)]) == DONE
    text = capsys.readouterr().out
    assert "Series 1    nucleus: 3 x 16 x 18, uint16" in text
    assert "Series 3    overview: 10 x 12, float32" in text
    assert main(["info", str(path), "--series", "2"]) == DONE
    assert "z 2, y 20, x 24" in capsys.readouterr().out
    assert main(["info", str(path), "--series", "9"]) == WRONG_USE
    result = run("median", {"image": read_image(path, series=2)}, {"radius": 1})
    save_recipe(tmp_path / "r.yaml", recipe_from_record(result.record))
    tifffile.imwrite(tmp_path / "one.tif", SECOND)
    inputs = [str(path), str(tmp_path / "one.tif")]
    out = tmp_path / "out"
    command = ["run", str(tmp_path / "r.yaml"), *inputs, "-o", str(out), "--series", "2"]
    assert main(command) == FAILED
    done, refused = json.loads((out / "summary.json").read_text())["inputs"]
    assert "series: 2 asked for" in refused["error"]
    made = read_image(out / done["outputs"]["image"])
    np.testing.assert_array_equal(made.array, result.image("image").array)
    assert main([*command[:2], inputs[0], *command[4:], "--stack", "t"]) == WRONG_USE
    assert "--stack" not in capsys.readouterr().out
