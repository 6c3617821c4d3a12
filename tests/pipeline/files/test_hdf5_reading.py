"""HDF5: datasets of ilastik and PlantSeg, chosen by name; nothing outside the file is read."""

import json
import zlib
from pathlib import Path

import h5py
import numpy as np
import pytest

from napari_seedbed.errors import FileError
from napari_seedbed.pipeline.cli import DONE, main
from napari_seedbed.pipeline.files import images_of, read_image

SAMPLES = Path(__file__).parent / "image_samples"


def axistags(axes, resolution=0.0):
    tags = [{"key": axis, "typeFlags": 2, "resolution": resolution} for axis in axes]
    return json.dumps({"axes": tags})


def test_a_file_of_plantseg_lists_image_before_labels(tmp_path, capsys, rng):
    arrays = {
        "label": rng.integers(0, 99, (4, 5, 6)).astype(np.uint16),
        "raw": rng.random((4, 5, 6)),
    }
    path = tmp_path / "ovule.h5"
    with h5py.File(path, "w") as file:
        for name, array in arrays.items():
            dataset = file.create_dataset(name, data=array, compression="gzip", chunks=(2, 5, 6))
            dataset.attrs["element_size_um"] = [0.235, 0.15, 0.15]
        file["names"] = "text"
        file["line"] = np.arange(5)
    assert [str(image) for image in images_of(path)] == [
        "raw: 4 x 5 x 6, float64",
        "label: 4 x 5 x 6, uint16",
    ]
    for lazy in (False, True):
        for nth, name in enumerate(("raw", "label"), start=1):
            image = read_image(path, series=nth, lazy=lazy)
            assert image.is_lazy == lazy
            np.testing.assert_array_equal(np.asarray(image.array), arrays[name])
            assert (image.spacing, image.unit) == ((0.235, 0.15, 0.15), "micrometer")
            assert (image.name, image.holds_labels) == (f"ovule - {name}", name == "label")
            assert image.notes == ()
    assert main(["info", str(path), "--series", "2"]) == DONE
    assert "Series 2    label: 4 x 5 x 6, uint16" in capsys.readouterr().out


@pytest.mark.parametrize("tags", ["zyxc", "tzyxc", "yxc", "xy"])
def test_axes_of_ilastik_are_followed(tmp_path, rng, tags):
    sizes = dict(zip("tczyx", (2, 3, 4, 5, 6), strict=True))
    array = rng.integers(0, 9, [sizes[axis] for axis in tags], dtype=np.uint8)
    with h5py.File(tmp_path / "a_Probabilities.h5", "w") as file:
        file["exported_data"] = array
        file["exported_data"].attrs["axistags"] = axistags(tags, 0.5)
    image = read_image(tmp_path / "a_Probabilities.h5")
    assert dict(zip(image.axes, image.shape, strict=True)) == {axis: sizes[axis] for axis in tags}
    turned = array.T if tags == "xy" else array
    np.testing.assert_array_equal(image.array, turned)
    assert set(image.spacing) == {0.5}
    labels = array[..., :1] if tags.endswith("c") else array
    with h5py.File(tmp_path / "a_Object Identities.h5", "w") as file:
        file["exported_data"] = labels
        file["exported_data"].attrs["axistags"] = axistags(tags)
    image = read_image(tmp_path / "a_Object Identities.h5")
    assert image.holds_labels
    assert "c" not in image.axes


def test_a_file_that_ilastik_exported():
    path = SAMPLES / "ilastik_exported.h5"
    named, unnamed = sorted(images_of(path), key=lambda image: -len(image.shape))
    assert (named.name, named.shape) == ("exported_data", (256, 256, 256, 1))
    image = read_image(path, series=images_of(path).index(named) + 1, lazy=True)
    assert (image.axes, image.shape) == (("z", "y", "x"), (256, 256, 256))
    assert any("blocks are not in the file" in note for note in image.notes)
    assert (unnamed.name, unnamed.shape) == ("dataset_without_axes", (64, 64))


def test_datasets_without_names_of_axes(tmp_path, rng):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["group/inner/stack"] = rng.random((2, 4, 5, 6))
        file["labelled"] = rng.random((5, 3, 6))
        for dimension, label in zip(file["labelled"].dims, "ycx", strict=True):
            dimension.label = label
    named = read_image(tmp_path / "a.h5", series=2)
    assert named.axes == ("t", "z", "y", "x")
    assert named.name == "a - group/inner/stack"
    assert any("was read as t" in note for note in named.notes)
    assert read_image(tmp_path / "a.h5", series=1).axes == ("y", "c", "x")


def test_only_what_is_in_the_file_is_read(tmp_path, rng):
    secret = tmp_path / "secret.h5"
    with h5py.File(secret, "w") as file:
        file["secret"] = rng.random((5, 6))
    raw = tmp_path / "secret.raw"
    raw.write_bytes(bytes(240))
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["own"] = np.ones((5, 6))
        file["external"] = h5py.ExternalLink(str(secret), "secret")
        file["soft"] = h5py.SoftLink("/own")
        file["again"] = file["own"]
        file["loop/within"] = file["/"]
        file.create_dataset("outside", (5, 6), "f8", external=[(str(raw), 0, 240)])
        layout = h5py.VirtualLayout((5, 6), "f8")
        layout[:] = h5py.VirtualSource(str(secret), "secret", (5, 6))
        file.create_virtual_dataset("virtual", layout)
    (only,) = images_of(path)
    assert only.shape == (5, 6)
    assert only.name in ("own", "again")
    assert (read_image(path).array == 1).all()


@pytest.mark.parametrize("libver", ["earliest", "latest"])
def test_text_that_would_be_read_for_ever_is_refused(tmp_path, libver):
    path, voxels = tmp_path / "a.h5", np.arange(12, dtype=np.uint8).reshape(3, 4)
    with h5py.File(path, "w", libver=libver) as file:
        dataset = file.create_dataset("a", data=voxels)
        dataset.attrs["axistags"] = axistags("yx")
        for n in range(300):
            dataset.attrs[f"note {n % 40}"] = "text " * (n % 17)
    assert read_image(path).axes == ("y", "x")
    whole = path.read_bytes()
    place = whole.index(b"GCOL") + 16
    for damaged in (bytes(16), b"\x01\x00\x01\x00" + bytes(4) + b"\xf0" + b"\xff" * 7):
        path.write_bytes(whole[:place] + damaged + whole[place + 16 :])
        with pytest.raises(FileError, match=r"text in it, .* has no end"):
            read_image(path)


def test_absurd_and_cut_off_files_are_refused(tmp_path):
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("huge", (1 << 20, 1 << 20, 1 << 10), "f8", chunks=(64, 64, 64))
    with pytest.raises(FileError, match="declares an image of 1048576 x 1048576 x 1024 voxels"):
        read_image(path, lazy=True)
    with h5py.File(path, "w") as file:
        bomb = file.create_dataset("a", (64, 64), "u1", chunks=(64, 64), compression="gzip")
        bomb.id.write_direct_chunk((0, 0), zlib.compress(bytes(1 << 28)))
    with pytest.raises(FileError, match=r"A block of 4\.1 kB takes 261 kB in it"):
        read_image(path)
    with h5py.File(path, "w") as file:
        file["a"] = np.ones((50, 60))
    whole = path.read_bytes()
    for share in (0.1, 0.5, 0.95):
        path.write_bytes(whole[: int(len(whole) * share)])
        with pytest.raises(FileError):
            read_image(path)
    with h5py.File(path, "w") as file:
        file["line"] = np.arange(5)
    with pytest.raises(FileError, match="none of its datasets are numbers along 2 or more axes"):
        read_image(path)
    path.rename(tmp_path / "a.ims")
    with pytest.raises(FileError, match="It is a file of Imaris"):
        read_image(tmp_path / "a.ims")
