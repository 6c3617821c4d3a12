"""NIfTI files: voxels as nibabel reads them, voxel sizes, and what is said of their directions."""

import gzip
import re
import tracemalloc
from pathlib import Path

import nibabel
import numpy as np
import pytest

from napari_seedbed.errors import FileError
from napari_seedbed.pipeline.files import read_image

OF_NIBABEL = Path(nibabel.__file__).parent / "tests" / "data"
MM = "millimeter"


def by_nibabel(path):
    """The values, the slowest axis first."""
    return np.asarray(nibabel.load(path).dataobj).T


@pytest.mark.parametrize(
    ("name", "axes", "spacing", "notes"),
    [
        ("anatomical.nii", "zyx", (2, 2, 2), "x to the left, y to the front, z to the top"),
        ("example4d.nii.gz", "tzyx", (2.199999, 2, 2), "tilted by 9.3 degrees"),
        ("example_nifti2.nii.gz", "tzyx", (2.199999, 2, 2), "tilted by 9.3 degrees"),
        ("functional.nii", "tzyx", (8, 4, 4), r"3100\.76 \+ 0\.075407 × the stored ones"),
        ("reoriented_anat_moved.nii", "zyx", (4, 4, 4), "x to the right, y to the front"),
    ],
)
@pytest.mark.parametrize("lazy", [False, True])
def test_real_files_have_the_voxels_of_nibabel(name, axes, spacing, notes, lazy):
    path = OF_NIBABEL / name
    image = read_image(path, lazy=lazy)
    assert image.is_lazy == (lazy and not name.endswith("gz"))
    assert (image.axes, image.units) == (tuple(axes), (MM,) * 3)
    assert image.spacing == spacing
    np.testing.assert_allclose(np.asarray(image.array), by_nibabel(path), rtol=1e-6)
    assert image.name == name.partition(".")[0]
    assert re.search(notes, " ".join(image.notes))


def saved(path, array, affine=None, unit="micron", kind=nibabel.Nifti1Image, **header):
    image = kind(array, np.diag([0.5, 0.75, 2.5, 1.0]) if affine is None else affine)
    image.header.set_xyzt_units(xyz=unit)
    for key, value in header.items():
        image.header[key] = value
    nibabel.save(image, path)
    return path


def test_place_is_kept_along_the_axes(tmp_path, rng):
    array = rng.integers(0, 1000, (6, 5, 4)).astype(np.int16)
    affine = np.diag([0.5, 0.75, 2.5, 1.0])
    affine[:3, 3] = (10, -20, 30)
    image = read_image(saved(tmp_path / "a.nii.gz", array, affine))
    assert image.translate == (30, -20, 10)
    assert (image.spacing, image.unit) == ((2.5, 0.75, 0.5), "micrometer")
    np.testing.assert_array_equal(image.array, array.T)
    turned = affine[:, [2, 0, 1, 3]] * [1, -1, 1, 1]
    image = read_image(saved(tmp_path / "turned.nii", array, turned))
    assert image.translate == (-20, -10, 30)
    assert image.spacing == (0.75, 0.5, 2.5)
    assert "x to the top, y to the left, z to the front" in " ".join(image.notes)
    np.testing.assert_array_equal(image.array, array.T)


def test_a_part_lies_where_it_was_cut_from_whatever_the_directions(tmp_path, rng):
    array = rng.integers(0, 1000, (9, 8, 7)).astype(np.int16)
    a, b = np.radians((20, 35))
    turn = np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, -1]])
    turn = turn @ [[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]]
    affine = np.eye(4)
    affine[:3, :3], affine[:3, 3] = turn * (0.5, 0.75, 2.5), (10, -20, 30)
    whole = read_image(saved(tmp_path / "a.nii", array, affine))
    affine[:3, 3] += affine[:3, :3] @ (3, 1, 2)
    part = read_image(saved(tmp_path / "b.nii", array[3:, 1:, 2:], affine))
    shift = np.subtract(part.translate, whole.translate)
    np.testing.assert_allclose(shift, np.multiply((2, 1, 3), whole.spacing), rtol=1e-5)
    assert "counted along its axes" in " ".join(part.notes)
    affine[:3, 0] += 0.2
    sheared = read_image(saved(tmp_path / "c.nii", array, affine))
    assert sheared.translate == (0, 0, 0)
    assert "place in space was left out" in " ".join(sheared.notes)


def test_kinds_of_voxels(tmp_path, rng):
    labels = rng.integers(0, 9, (6, 5, 4)).astype(np.uint8)
    image = read_image(saved(tmp_path / "a.nii", labels, unit="unknown", intent_code=1002))
    assert image.holds_labels
    assert image.unit == "pixel"
    assert "The file names no unit for its voxel size." in image.notes
    flat = saved(tmp_path / "flat.nii", labels[..., :1])
    assert read_image(flat).axes == ("y", "x")
    colour = np.zeros((6, 5, 4), [("R", "u1"), ("G", "u1"), ("B", "u1")])
    for nth, name in enumerate("RGB"):
        colour[name] = labels + nth
    image = read_image(saved(tmp_path / "colour.nii", colour))
    assert image.rgb
    assert image.axes == ("z", "y", "x", "c")
    np.testing.assert_array_equal(image.array[..., 2], labels.T + 2)
    five = saved(tmp_path / "vectors.nii.gz", rng.random((6, 5, 4, 1, 3)).astype(np.float32))
    assert read_image(five).axes == ("c", "z", "y", "x")
    pair = saved(tmp_path / "b.img", labels, kind=nibabel.Nifti1Pair).with_suffix(".hdr")
    np.testing.assert_array_equal(read_image(pair).array, labels.T)
    pair.with_suffix(".img").unlink()
    with pytest.raises(FileError, match=r"in the file b\.img, which is not in its folder"):
        read_image(pair)
    with pytest.raises(FileError, match="voxels are of the type complex64"):
        read_image(saved(tmp_path / "odd.nii", np.zeros((3, 4, 5), np.complex64)))


def test_what_is_cut_off_or_absurd_is_refused_before_memory_is_taken(tmp_path, rng):
    array = rng.integers(0, 1000, (30, 20, 10)).astype(np.int16)
    for name in ("a.nii", "a.nii.gz"):
        path = saved(tmp_path / name, array)
        whole = path.read_bytes()
        path.write_bytes(whole[: len(whole) * 2 // 3])
        with pytest.raises(FileError, match="cut off or damaged"):
            read_image(path)
    raw = bytearray(gzip.decompress(whole))
    raw[42:48] = np.array([30_000] * 3, "<i2").tobytes()
    path.write_bytes(gzip.compress(raw))
    bomb = gzip.compress(gzip.decompress(whole) + bytes(1 << 28))
    tracemalloc.start()
    with pytest.raises(FileError, match="declares an image of 30000 x 30000 x 30000 voxels"):
        read_image(path)
    # what follows what the header declares is not unpacked
    path.write_bytes(bomb)
    np.testing.assert_array_equal(read_image(path).array, array.T)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 1 << 25
    changed = bytearray(whole)
    changed[-6] ^= 1
    path.write_bytes(changed)
    with pytest.raises(FileError, match="CRC"):
        read_image(path)
