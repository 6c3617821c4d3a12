"""NumPy's files: arrays as they were saved, several with names, and no pickles."""

import io
import zipfile

import numpy as np
import pytest

from napari_seedbed.errors import FileError
from napari_seedbed.pipeline.files import images_of, read_image


@pytest.mark.parametrize(
    ("shape", "axes"), [((5, 6), "yx"), ((4, 5, 6), "zyx"), ((3, 4, 5, 6), "tzyx")]
)
@pytest.mark.parametrize("lazy", [False, True])
def test_arrays_come_back_as_they_were_saved(tmp_path, rng, shape, axes, lazy):
    array = rng.integers(-500, 500, shape)
    for dtype in (np.uint8, np.int16, ">f4", np.float64, bool):
        for order in "CF":
            saved = np.asarray(array.astype(dtype), order=order)
            np.save(tmp_path / "cells.npy", saved)
            image = read_image(tmp_path / "cells.npy", lazy=lazy)
            assert (image.name, image.axes, image.is_lazy) == ("cells", tuple(axes), lazy)
            np.testing.assert_array_equal(np.asarray(image.array), saved)
            assert image.dtype == saved.dtype.newbyteorder("=")


def test_labels_of_ilastik_lose_their_axis_of_channels_and_open_as_labels(tmp_path, rng):
    labels = rng.integers(0, 9, (4, 5, 6, 1), dtype=np.uint8)
    for name, is_so in (
        ("a_Object Identities", True),
        ("a_Simple Segmentation", True),
        ("a", False),
    ):
        np.save(tmp_path / f"{name}.npy", labels)
        image = read_image(tmp_path / f"{name}.npy")
        assert (image.axes, image.holds_labels) == (("z", "y", "x"), is_so)
        np.testing.assert_array_equal(image.array, labels[..., 0])


def test_an_archive_lists_its_arrays_that_can_be_images(tmp_path, rng):
    arrays = {
        "raw": rng.random((4, 5, 6)),
        "label": rng.integers(0, 9, (5, 6)),
        "line": np.arange(5),
    }
    for save in (np.savez, np.savez_compressed):
        save(tmp_path / "a.npz", **arrays, names=np.array(["a"], object))
        assert [image.name for image in images_of(tmp_path / "a.npz")] == ["raw", "label"]
        for nth, name in enumerate(("raw", "label"), start=1):
            image = read_image(tmp_path / "a.npz", series=nth)
            np.testing.assert_array_equal(image.array, arrays[name])
            assert (image.name, image.holds_labels) == (f"a - {name}", name == "label")
    np.savez(tmp_path / "b.npz", line=np.arange(5))
    with pytest.raises(FileError, match="none of its arrays has 2 or more axes"):
        read_image(tmp_path / "b.npz")
    with zipfile.ZipFile(tmp_path / "c.npz", "w") as archive:
        archive.writestr("a.txt", "hello")
    with pytest.raises(FileError, match=r"it is no .*NumPy archive"):
        read_image(tmp_path / "c.npz")


def header_alone(shape, descr="<f8"):
    stream = io.BytesIO()
    fields = {"descr": descr, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(stream, fields)
    return stream.getvalue()


def test_pickles_cut_off_arrays_and_absurd_ones_are_refused(tmp_path):
    ran = tmp_path / "ran"

    class Harmful:
        def __reduce__(self):
            return (ran.touch, ())

    path = tmp_path / "a.npy"
    np.save(path, np.array([[Harmful()]], object), allow_pickle=True)
    with pytest.raises(FileError, match=r"a pickle\), which could run any program"):
        read_image(path)
    assert not ran.exists()
    np.save(path, np.arange(5))
    with pytest.raises(FileError, match=r"its shape is \(5,\)"):
        read_image(path)
    path.write_bytes(header_alone((300, 200)) + bytes(1000))
    with pytest.raises(FileError, match=r"declares 480000 bytes of voxels, and a\.npy has 1000"):
        read_image(path)
    for shape in ((1 << 40, 1 << 40), (0, 5), (-3, 5)):
        path.write_bytes(header_alone(shape) + bytes(1000))
        with pytest.raises(FileError, match="declares an image"):
            read_image(path)
    for descr in ("<U5", "<c8", [("a", "<f4")]):
        path.write_bytes(header_alone((5, 6), descr) + bytes(1000))
        with pytest.raises(FileError, match="of the type"):
            read_image(path)
    with zipfile.ZipFile(tmp_path / "b.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.npy", header_alone((1 << 15, 1 << 15, 1 << 10)) + bytes(1 << 20))
        archive.writestr("b.npy", header_alone((5, 6)) + bytes(100))
    for nth, words in ((1, "declares an image"), (2, "b.npy ends too early")):
        with pytest.raises(FileError, match=words):
            read_image(tmp_path / "b.npz", series=nth)
