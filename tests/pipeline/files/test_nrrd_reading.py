"""NRRD: voxels as pynrrd reads them, segmentations of Slicer, and files beside the header."""

import bz2
import re
from pathlib import Path

import nrrd
import numpy as np
import pytest

from napari_seedbed.errors import FileError, InputError
from napari_seedbed.pipeline.files import images_of, read_image

SAMPLES = Path(__file__).parent / "image_samples"
RAMP = np.add.outer(np.arange(4) * 100, np.add.outer(np.arange(5) * 10, np.arange(6)))


@pytest.mark.parametrize(
    ("name", "spacing", "place", "notes"),
    [
        (
            "sitk.nrrd",
            (2.5, 0.75, 0.5),
            (30, -20, 10),
            "x to the left, y to the back, z to the top",
        ),
        ("sitk_detached.nhdr", (2.5, 0.75, 0.5), (30, -20, 10), "taken to be mm, as in Slicer"),
        (
            "sitk_turned.nrrd",
            (2.5, 0.75, 0.5),
            (10, 30, -20),
            "x to the back, y to the top, z to the left",
        ),
    ],
)
def test_files_that_itk_wrote(name, spacing, place, notes):
    image = read_image(SAMPLES / name)
    np.testing.assert_array_equal(image.array, RAMP)
    assert (image.axes, image.spacing, image.translate) == (tuple("zyx"), spacing, place)
    assert image.units == ("millimeter",) * 3
    assert notes in " ".join(image.notes)


def test_segmentations_of_slicer_open_as_labels_a_layer_each():
    path = SAMPLES / "Segmentation.seg.nrrd"
    image = read_image(path)
    assert image.holds_labels
    assert image.axes == ("z", "y", "x")
    np.testing.assert_array_equal(image.array, nrrd.read(str(path), index_order="C")[0])
    stated = nrrd.read_header(str(path))
    for nth in range(sum(bool(re.fullmatch(r"Segment\d+_ID", key)) for key in stated)):
        number, name = (stated[f"Segment{nth}_{key}"] for key in ("LabelValue", "Name"))
        assert any(f"{number} {name}" in note for note in image.notes)
        assert (image.array == int(number)).any()
    path = SAMPLES / "SegmentationOverlapping.seg.nrrd"
    voxels = nrrd.read(str(path), index_order="C")[0]
    layers = images_of(path)
    assert [layer.shape for layer in layers] == [(34, 128, 128)] * 2
    assert layers[0].name.startswith("1 ribs, 2 cervical vertebral column, 3 thoracic")
    for nth in (1, 2):
        for lazy in (False, True):
            image = read_image(path, series=nth, lazy=lazy)
            assert image.holds_labels
            np.testing.assert_array_equal(image.array, voxels[..., nth - 1])
            assert any(layers[nth - 1].name in note for note in image.notes)
    with pytest.raises(InputError, match="series: 3 asked for"):
        read_image(path, series=3)
    assert "The file holds 2 images; the first was read." in read_image(path).notes


@pytest.mark.parametrize("encoding", ["raw", "gzip", "bzip2", "ASCII"])
@pytest.mark.parametrize("detached", [False, True])
def test_every_encoding_beside_its_header_or_in_it(tmp_path, rng, encoding, detached):
    array = rng.integers(0, 60_000, (6, 5, 4)).astype(">u2")
    path = tmp_path / ("a.nhdr" if detached else "a.nrrd")
    header = {"encoding": encoding, "spacings": [0.2, 0.3, 2.0], "units": ["um", "um", "nm"]}
    nrrd.write(str(path), array, header, detached_header=detached)
    path.write_bytes(path.read_bytes().replace(b"um", "µm".encode()))
    image = read_image(path, lazy=True)
    assert image.is_lazy == (encoding == "raw")
    np.testing.assert_array_equal(np.asarray(image.array), array.T)
    assert (image.spacing, image.unit) == ((0.002, 0.3, 0.2), "micrometer")


def test_axes_are_what_their_kinds_say(tmp_path, rng):
    colours = rng.integers(0, 255, (3, 6, 5), dtype=np.uint8)
    nrrd.write(str(tmp_path / "a.nrrd"), colours, {"kinds": ["RGB-color", "domain", "domain"]})
    image = read_image(tmp_path / "a.nrrd")
    assert image.rgb
    assert image.axes == ("y", "x", "c")
    np.testing.assert_array_equal(image.array, colours.T)
    film = rng.random((6, 5, 4, 3)).astype(np.float32)
    kinds = ["domain", "domain", "domain", "time"]
    nrrd.write(str(tmp_path / "b.nrrd"), film, {"kinds": kinds})
    assert read_image(tmp_path / "b.nrrd").axes == ("t", "z", "y", "x")
    nrrd.write(str(tmp_path / "c.nrrd"), film)
    assert "was read as t" in " ".join(read_image(tmp_path / "c.nrrd").notes)


def header(path, *lines, sizes="6 5 4", encoding="raw"):
    fixed = ("type: uint8", "dimension: 3", f"sizes: {sizes}", f"encoding: {encoding}")
    path.write_text("\n".join(["NRRD0004", *fixed, *lines]) + "\n\n")
    return path


def test_data_in_several_files_and_behind_other_headers(tmp_path, rng):
    planes = rng.integers(0, 255, (4, 5, 6), dtype=np.uint8)
    for nth, plane in enumerate(planes, start=1):
        (tmp_path / f"s{nth:02d}.raw").write_bytes(plane.tobytes())
    listed = [f"s{nth:02d}.raw" for nth in range(1, 5)]
    for lines in (["data file: s%02d.raw 1 4 1"], ["data file: LIST", *listed]):
        image = read_image(header(tmp_path / "a.nhdr", *lines))
        np.testing.assert_array_equal(image.array, planes)
    (tmp_path / "b.raw").write_bytes(b"one\ntwo\n???" + planes.tobytes())
    skips = ("line skip: 2", "byte skip: 3"), ("byte skip: -1",)
    for lines in skips:
        image = read_image(header(tmp_path / "b.nhdr", "data file: b.raw", *lines), lazy=True)
        np.testing.assert_array_equal(np.asarray(image.array), planes)


def test_nothing_outside_the_folder_is_read(tmp_path):
    secret = tmp_path / "secret.raw"
    secret.write_bytes(bytes(120))
    folder = tmp_path / "images"
    folder.mkdir()
    (folder / "link.raw").symlink_to(secret)
    for name in (str(secret), "../secret.raw", "link.raw", "..\\secret.raw", ".."):
        for lines in ([f"data file: {name}"], ["data file: LIST", name]):
            with pytest.raises(FileError, match=r"outside its folder|not in its folder"):
                read_image(header(folder / "a.nhdr", *lines))


def test_what_is_cut_off_or_absurd_is_refused_before_memory_is_taken(tmp_path):
    path = header(tmp_path / "a.nrrd")
    with pytest.raises(FileError, match=r"declares 120 bytes of voxels, and a\.nrrd has 0"):
        read_image(path)
    header(path, sizes="60000 50000 40000", encoding="bzip2")
    with path.open("ab") as file:
        file.write(bz2.compress(bytes(1 << 20)))
    with pytest.raises(FileError, match="declares an image of 40000 x 50000 x 60000 voxels"):
        read_image(path)
    for bad in ({"sizes": "6 5"}, {"sizes": "6 5 -4"}, {"encoding": "hex"}):
        with pytest.raises(FileError):
            read_image(header(path, **bad))
