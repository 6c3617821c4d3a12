"""MetaImage: files that ITK and SimpleITK wrote, and headers of other kinds."""

import tracemalloc
import zlib
from pathlib import Path

import numpy as np
import pytest

from napari_seedbed.errors import FileError
from napari_seedbed.pipeline.files import read_image

SAMPLES = Path(__file__).parent / "image_samples"
RAMP = np.add.outer(np.arange(4) * 100, np.add.outer(np.arange(5) * 10, np.arange(6)))


@pytest.mark.parametrize(
    ("name", "place", "notes"),
    [
        ("sitk_packed.mha", (30, -20, 10), "x to the left, y to the back, z to the top"),
        ("sitk_detached.mhd", (30, -20, 10), "taken to be mm, as in ITK"),
        ("sitk_turned.mha", (10, 30, -20), "x to the back, y to the top, z to the left"),
    ],
)
def test_files_that_simpleitk_wrote(name, place, notes):
    image = read_image(SAMPLES / name)
    np.testing.assert_array_equal(image.array, RAMP)
    assert image.dtype == np.uint16
    assert (image.axes, image.spacing) == (("z", "y", "x"), (2.5, 0.75, 0.5))
    assert (image.translate, image.units) == (place, ("millimeter",) * 3)
    assert notes in " ".join(image.notes)


@pytest.mark.parametrize("lazy", [False, True])
def test_slices_of_itk_with_their_voxels_in_a_file_of_their_own(lazy):
    image = read_image(SAMPLES / "BrainProtonDensity3Slices.mha", lazy=lazy)
    raw = np.fromfile(SAMPLES / "BrainProtonDensity3Slices.raw", np.uint8)
    assert image.is_lazy == lazy
    np.testing.assert_array_equal(np.asarray(image.array), raw.reshape(3, 217, 181))


def test_colours_are_red_green_and_blue():
    image = read_image(SAMPLES / "sitk_colours.mha")
    assert image.rgb
    assert image.axes == ("y", "x", "c")
    np.testing.assert_array_equal(image.array, np.moveaxis(RAMP[:3].astype(np.uint8), 0, -1))


def meta(path, data=b"", **fields):
    stated = {
        "ObjectType": "Image",
        "NDims": "3",
        "DimSize": "6 5 4",
        "ElementType": "MET_SHORT",
        **fields,
    }
    stated["ElementDataFile"] = stated.pop("ElementDataFile", "LOCAL")
    path.write_bytes("".join(f"{k} = {v}\n" for k, v in stated.items()).encode() + data)
    return path


def test_headers_of_other_kinds(tmp_path):
    swapped = RAMP.astype(">i2")
    path = meta(tmp_path / "a.mha", swapped.tobytes(), ElementByteOrderMSB="True")
    image = read_image(path)
    np.testing.assert_array_equal(image.array, RAMP)
    assert (image.spacing, image.unit) == ((1, 1, 1), "pixel")
    text = " ".join(map(str, RAMP.ravel())).encode()
    np.testing.assert_array_equal(read_image(meta(path, text, BinaryData="False")).array, RAMP)
    for nth, plane in enumerate(RAMP.astype("<i2")):
        (tmp_path / f"s{nth}.raw").write_bytes(plane.tobytes())
    names = "\n".join(f"s{nth}.raw" for nth in range(4)).encode()
    listed = meta(tmp_path / "b.mhd", names, ElementDataFile="LIST", DistanceUnits="um")
    counted = meta(tmp_path / "c.mhd", ElementDataFile="s%d.raw 0 3 1", ElementSpacing="2 2 3")
    for path in (listed, counted):
        np.testing.assert_array_equal(read_image(path).array, RAMP)
    assert read_image(counted).spacing == (3, 2, 2)
    (tmp_path / "d.raw").write_bytes(b"header" + RAMP.astype("<i2").tobytes())
    for size in ("6", "-1"):
        path = meta(tmp_path / "d.mhd", HeaderSize=size, ElementDataFile="d.raw")
        np.testing.assert_array_equal(read_image(path).array, RAMP)


def test_what_is_cut_off_absurd_or_elsewhere_is_refused_before_memory_is_taken(tmp_path):
    packed = zlib.compress(RAMP.astype("<i2").tobytes())
    path = tmp_path / "a.mha"
    read_image(meta(path, packed, CompressedData="True"))
    for data in (packed[:-20], packed[:-5] + b"12345"):
        with pytest.raises(FileError, match="cut off or damaged"):
            read_image(meta(path, data, CompressedData="True"))
    bomb = zlib.compress(bytes(1 << 28))
    tracemalloc.start()
    with pytest.raises(FileError, match="declares an image of 30000 x 30000 x 30000 voxels"):
        read_image(meta(path, bomb, CompressedData="True", DimSize="30000 30000 30000"))
    assert not read_image(meta(path, bomb, CompressedData="True")).array.any()
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 1 << 26
    (tmp_path / "secret.raw").write_bytes(bytes(1000))
    (tmp_path / "images").mkdir()
    for name in ("../secret.raw", str(tmp_path / "secret.raw"), "none.raw", "%s.raw 1 4 1"):
        with pytest.raises(FileError, match=r"outside its folder|not in its folder"):
            read_image(meta(tmp_path / "images" / "a.mhd", ElementDataFile=name))
    for bad in ({"NDims": "7"}, {"ElementType": "MET_OTHER"}, {"DimSize": "6 5 0"}):
        with pytest.raises(FileError):
            read_image(meta(path, bytes(240), **bad))
