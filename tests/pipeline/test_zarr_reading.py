"""OME-Zarr: axes, voxel size, place and channels in both versions, and what is refused."""

import json
import shutil

import numpy as np
import pytest
import zarr

from napari_seedbed.errors import FileError
from napari_seedbed.pipeline import zarr_reading
from napari_seedbed.pipeline.batch import run_batch
from napari_seedbed.pipeline.files import read_image
from napari_seedbed.pipeline.operations import run
from napari_seedbed.pipeline.recipes import recipe_from_record

AXES = {
    "t": {"name": "t", "type": "time", "unit": "second"},
    "c": {"name": "c", "type": "channel"},
    "p": {"name": "position", "type": "space"},
    **{axis: {"name": axis, "type": "space", "unit": "micrometer"} for axis in "zyx"},
}


def write(path, array, axes, version=0.5, steps=(), channels=(), chunks=None, **more):
    """An image of one resolution, with transformations of the resolution and of the image."""
    group = zarr.open_group(path, mode="w", zarr_format=3 if version == 0.5 else 2)
    stored = group.create_array(
        "0", shape=array.shape, chunks=chunks or array.shape, dtype=array.dtype
    )
    stored[...] = array
    own, shared = steps or ((), ())
    image = {
        "axes": [AXES[axis] | more.get(axis, {}) for axis in axes],
        "datasets": [{"path": "0", "coordinateTransformations": list(own)}],
        "coordinateTransformations": list(shared),
    }
    described = {"version": str(version), "multiscales": [image]}
    if channels:
        described["omero"] = {"channels": [{"label": n, "color": c} for n, c in channels]}
    group.attrs.update({"ome": described} if version == 0.5 else described)
    return path


def scale(*values):
    return {"type": "scale", "scale": list(values)}


def move(*values):
    return {"type": "translation", "translation": list(values)}


@pytest.mark.parametrize("version", [0.4, 0.5])
@pytest.mark.parametrize("lazy", [False, True])
def test_axes_voxel_size_place_and_channels(tmp_path, rng, version, lazy):
    array = rng.integers(0, 60000, (2, 3, 4, 30, 40), dtype=np.uint16)
    steps = (
        [scale(5, 1, 2, 0.25, 0.5), move(0, 0, 10, 20, 30)],
        [scale(1, 1, 1, 2, 1), move(0, 0, 0, 0, 1)],
    )
    channels = (("DAPI", "0000FF"), ("GFP", "none"), ("", ""))
    path = write(
        tmp_path / "cells.ome.zarr", array, "tczyx", version, steps, channels, (1, 1, 2, 16, 16),
        z={"unit": "nanometer"},
    )  # fmt: skip
    image = read_image(path, lazy=lazy)
    assert (image.name, image.axes, image.is_lazy) == ("cells", tuple("tczyx"), lazy)
    np.testing.assert_array_equal(np.asarray(image.array), array)
    assert image.units == ("micrometer",) * 3
    np.testing.assert_allclose(image.spacing, (0.002, 0.5, 0.5))
    np.testing.assert_allclose(image.translate, (0.01, 40, 31))
    assert image.channel_names == ("DAPI", "GFP", "")
    assert image.channel_colors == ("#0000ff", None, None)
    assert not image.notes


def test_the_shared_images_read_as_they_say(shared_data, monkeypatch):
    folder = shared_data / "formats"
    for name, axes, spacing, unit in (
        ("ngio_test_image_czyx.zarr", "czyx", (2, 0.5, 0.5), "micrometer"),
        ("ngio_test_image_tczyx.zarr", "tczyx", (2, 0.5, 0.5), "micrometer"),
        ("ngio_test_image_yx.zarr", "yx", (0.5, 0.5), "micrometer"),
        ("ome_zarr_simple_0.4.zarr", "yx", (4, 30), "nanometer"),
        ("ome_zarr_simple_0.5.zarr", "yx", (4, 30), "nanometer"),
    ):
        image = read_image(folder / name)
        assert ("".join(image.axes), image.spacing, image.unit) == (axes, spacing, unit)
    assert not read_image(folder / name).is_lazy
    monkeypatch.setattr(zarr_reading, "LAZY_ABOVE", 100)
    assert read_image(folder / name).is_lazy


def test_what_is_not_followed_and_blocks_that_are_missing_are_noted(tmp_path, rng):
    array = rng.integers(1, 250, (2, 3, 30, 40), dtype=np.uint8)
    steps = ([scale(1, 1, -1, 1), {"type": "rotation", "rotation": [1, 0]}], [])
    path = write(tmp_path / "a.zarr", array, "pzyx", 0.5, steps, chunks=(2, 1, 30, 40))
    shutil.rmtree(path / "0" / "c" / "0" / "1")
    array[:, 1] = 0
    image = read_image(path)
    np.testing.assert_array_equal(image.array, array[0])
    notes = " ".join(image.notes)
    for part in ("2 entries along its axis P", "1 of 3 blocks are not in the file; they were read "
                 "as 0", "not above 0", "'rotation'"):  # fmt: skip
        assert part in notes


def test_other_zarr_and_damage_are_refused(tmp_path):
    array = np.zeros((8, 9), np.uint8)
    zarr.save_array(tmp_path / "plain.zarr", array)
    for name, described, message in (
        ("plain.zarr", None, "without the description of an image"),
        ("plate.zarr", {"ome": {"plate": {}}}, "plate with many images"),
        ("bf.zarr", {"ome": {"bioformats2raw.layout": 3}}, "without the description"),
        ("odd.zarr", {"ome": {"multiscales": [{"datasets": []}]}}, "damaged"),
        ("outside.zarr", {"ome": {"multiscales": [
            {"axes": [AXES["y"], AXES["x"]], "datasets": [{"path": "../plain.zarr"}]}
        ]}}, "could not be read"),
    ):  # fmt: skip
        if described is not None:
            zarr.open_group(tmp_path / name, mode="w").attrs.update(described)
        with pytest.raises(FileError, match=message):
            read_image(tmp_path / name)
    path = write(tmp_path / "a.zarr", array + 1, "yx")
    (path / "0" / "c" / "0" / "0").write_bytes(b"no block")
    with pytest.raises(FileError, match="damaged"):
        read_image(path)
    (path / "zarr.json").write_text("{no json")
    with pytest.raises(FileError, match="damaged"):
        read_image(path)


def test_a_batch_takes_zarr_as_one_input(tmp_path, rng):
    array = rng.integers(0, 60000, (30, 40), dtype=np.uint16)
    path = write(tmp_path / "cells.ome.zarr", array, "yx")
    image = read_image(path)
    result = run("median", {"image": image}, {"radius": 1})
    recipe = recipe_from_record(result.record)
    summary = run_batch(recipe, [path], tmp_path / "out")
    assert [entry["error"] for entry in summary["inputs"]] == [None]
    (name,) = summary["inputs"][0]["outputs"].values()
    again = read_image(tmp_path / "out" / name)
    np.testing.assert_array_equal(again.array, result.image("image").array)
    assert name.startswith("cells_")
    assert json.loads((tmp_path / "out" / "summary.json").read_text())["inputs"][0]["error"] is None
