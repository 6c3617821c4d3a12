"""Microscopes' own files, ND2, LIF and CZI: voxels of their libraries, with sizes and channels."""

import builtins
import sys
import zlib
from pathlib import Path
from types import SimpleNamespace

import imagecodecs
import numpy as np
import pytest
from lif_files import write_lif
from nd2_files import write_chunks, write_nd2, write_old_nd2

from napari_seedbed.errors import FileError, InputError
from napari_seedbed.pipeline.files import czi_reading, images_of, read_image

SAMPLES = Path(__file__).parent / "image_samples"
ND2, CZI = SAMPLES / "cluster.nd2", SAMPLES / "xyz__multiple_images.czi"
MICRO = "micrometer"
CHANNELS = (("DAPI", 0xFF0000), ("GFP", 0x00FF00))


@pytest.mark.parametrize("lazy", [False, True])
def test_an_nd2_file_has_the_voxels_of_its_library(lazy):
    nd2 = pytest.importorskip("nd2")
    image = read_image(ND2, lazy=lazy)
    assert image.is_lazy == lazy
    assert image.axes == ("t", "z", "c", "y", "x")
    np.testing.assert_array_equal(np.asarray(image.array), nd2.imread(ND2))
    part = image.array[1, 2:9:3, 1, 5:20, ::-2]
    np.testing.assert_array_equal(np.asarray(part), nd2.imread(ND2)[1, 2:9:3, 1, 5:20, ::-2])
    assert image.spacing == pytest.approx((0.5, 0.167809, 0.167809), rel=1e-5)
    assert image.units == (MICRO,) * 3
    assert image.channel_names == ("5-FAM/pH 9.0", "FM 4-64/2% CHAPS")
    assert image.channel_colors == ("#78e90f", "#fe0100")
    with pytest.raises(InputError, match="series: 2 asked for"):
        read_image(ND2, series=2)


def test_planes_that_are_not_in_an_nd2_file_are_told(tmp_path):
    pytest.importorskip("nd2")
    whole = ND2.read_bytes()
    path = tmp_path / "a.nd2"
    path.write_bytes(whole.replace(b"ImageDataSeq|7!", b"ImageDataSeq|9!"))
    image = read_image(path)
    assert "1 of 30 planes are not in the file; they were read as 0." in image.notes
    assert not image.array[0, 7].any()
    # in the map of the file alone, which comes last
    place = whole.rindex(b"ImageDataSeq|7!")
    path.write_bytes(whole[:place] + whole[place:].replace(b"|7!", b"|9!", 1))
    with pytest.raises(FileError, match="plane 10 is not where it should be"):
        read_image(path)
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(FileError):
        read_image(path)


@pytest.mark.parametrize("kind", ["plain", "packed", "rows with padding", "packed, with padding"])
def test_each_position_of_an_nd2_file_is_read(tmp_path, rng, kind):
    nd2 = pytest.importorskip("nd2")
    array = rng.integers(0, 60_000, (2, 3, 4, 2, 5, 7)).astype(np.uint16)
    path = write_nd2(
        tmp_path / "a.nd2",
        array,
        "TPZCYX",
        channels=CHANNELS,
        positions=("left", "", "right"),
        is_packed="packed" in kind,
        row_padding=4 if "padding" in kind else 0,
    )
    np.testing.assert_array_equal(nd2.imread(path), array)
    assert [one.name for one in images_of(path)] == ["left", "", "right"]
    for nth, name in enumerate(("a - left", "a - image 2", "a - right"), start=1):
        image = read_image(path, series=nth, lazy=nth == 1)
        assert (image.name, image.axes, image.notes) == (name, ("t", "z", "c", "y", "x"), ())
        np.testing.assert_array_equal(np.asarray(image.array), array[:, nth - 1])
        assert (image.spacing, image.units) == ((0.5, 0.25, 0.25), (MICRO,) * 3)
        assert image.channel_names == ("DAPI", "GFP")
        assert image.channel_colors == ("#0000ff", "#00ff00")


def test_an_nd2_file_that_ended_early_or_was_not_calibrated_says_so(tmp_path, rng):
    pytest.importorskip("nd2")
    array = rng.integers(0, 255, (4, 2, 1, 6, 5)).astype(np.uint8)
    path = tmp_path / "a.nd2"
    written = {"channels": CHANNELS[:1], "positions": ("a", "b"), "is_calibrated": False}
    write_nd2(path, array, "TPCYX", seen=5, **written)
    image = read_image(path, series=2)
    assert image.notes == ("2 of 4 planes are not in the file; they were read as 0.",)
    np.testing.assert_array_equal(image.array[:2], array[:2, 1, 0])
    assert not image.array[2:].any()
    assert (image.spacing, image.units) == ((1, 1), ("pixel", "pixel"))
    colours = rng.integers(0, 255, (2, 4, 5, 3)).astype(np.uint8)
    write_nd2(path, np.moveaxis(colours, -1, 1), "TCYX", channels=[("camera", 0)])
    image = read_image(path)
    assert (image.axes, image.rgb) == (("t", "y", "x", "c"), True)
    np.testing.assert_array_equal(image.array, colours)


@pytest.mark.parametrize("lazy", [False, True])
def test_an_nd2_file_of_before_2009_is_read(tmp_path, rng, lazy):
    nd2 = pytest.importorskip("nd2")
    array = rng.integers(0, 60_000, (3, 4, 2, 40, 50)).astype(np.uint16)
    path = write_old_nd2(tmp_path / "a.nd2", array, channels=CHANNELS)
    np.testing.assert_array_equal(nd2.imread(path), array)
    image = read_image(path, lazy=lazy)
    np.testing.assert_array_equal(np.asarray(image.array), array)
    assert (image.axes, image.spacing) == (("t", "z", "c", "y", "x"), (0.5, 0.25, 0.25))
    assert (image.channel_names, image.notes) == (("DAPI", "GFP"), ())
    whole = path.read_bytes()
    size = (50).to_bytes(4, "big") + (40).to_bytes(4, "big")
    place = whole.index(b"\xff\x4f\xff\x51") + 8
    assert whole[place : place + 8] == size
    path.write_bytes(whole[:place] + b"\x00\x01\x00\x00" * 2 + whole[place + 8 :])
    with pytest.raises(FileError, match="not of"):
        np.asarray(read_image(path, lazy=lazy).array)


def test_what_an_nd2_file_cannot_hold_is_refused_before_memory_is_taken(tmp_path):
    pytest.importorskip("nd2")
    path = tmp_path / "a.nd2"
    array = np.ones((2, 2, 1, 6, 5), np.uint8)
    for loops in ({"T": 2**31}, {"T": 2**16, "Z": 2**16}):
        write_nd2(path, array, "TZCYX", channels=CHANNELS[:1], loops=loops)
        for read in (read_image, images_of):
            with pytest.raises(FileError, match=r"declares \d{10} planes"):
                read(path)
    write_nd2(path, array, "TZCYX", channels=CHANNELS[:1], loops={"T": 1})
    (note,) = read_image(path).notes
    assert (
        note
        == "2 of the 4 planes in the file belong to no time, position or slice; they were left out."
    )
    bomb = b"L" + bytes(11) + zlib.compress(bytes(70 << 20))
    for name in (b"ImageAttributesLV!", b"ImageTextInfoLV!"):
        write_chunks(path, {name: b"L" + bytes(11) + zlib.compress(bomb)})
        with pytest.raises(FileError, match="longer than a description"):
            read_image(path)
    packed = np.zeros((1, 1, 4000, 4000), np.uint8)
    write_nd2(path, packed, "TCYX", channels=CHANNELS[:1], is_packed=True)
    whole = path.read_bytes()
    # a frame of 16 million voxels in an image of which 16 are declared
    path.write_bytes(whole.replace((4000).to_bytes(4, "little"), (4).to_bytes(4, "little")))
    assert read_image(path).shape == (4, 4)


@pytest.mark.parametrize("lazy", [False, True])
def test_each_image_of_a_lif_file_is_read(tmp_path, rng, lazy):
    pytest.importorskip("liffile")
    images = {
        "cells": (rng.integers(0, 255, (2, 3, 5, 6), dtype=np.uint8), "CZYX"),
        "film": (rng.integers(0, 60_000, (4, 5, 6), dtype=np.uint16), "TYX"),
        "section": (rng.integers(0, 255, (5, 6), dtype=np.uint8), "ZX"),
    }
    path = write_lif(tmp_path / "a.lif", images)
    assert [image.name for image in images_of(path)] == list(images)
    for nth, (name, (array, axes)) in enumerate(images.items(), start=1):
        image = read_image(path, series=nth, lazy=lazy)
        assert image.is_lazy == lazy
        np.testing.assert_array_equal(np.asarray(image.array), array)
        assert image.dtype == array.dtype
        assert (image.name, image.unit) == (f"a - {name}", MICRO)
        assert image.spacing == pytest.approx((0.2,) * len(image.spacing))
        assert image.axes == tuple(axes.lower() if axes != "ZX" else "yx")
    assert any("z was read as y" in note for note in image.notes)
    assert read_image(path, series=1).channel_colors == ("#00ff00", "#ff0000")
    assert read_image(path, series=2).channel_colors == ("#00ff00",)
    whole = path.read_bytes()
    path.write_bytes(whole[:-10])
    read_image(path, series=1)
    with pytest.raises(FileError):
        read_image(path, series=3)


def test_tiles_of_a_lif_file_are_images_and_channels_have_the_names_of_dyes(tmp_path, rng):
    liffile = pytest.importorskip("liffile")
    array = rng.integers(0, 255, (2, 3, 5, 6), dtype=np.uint8)
    images = dict.fromkeys(("stated", "confocal", "camera", "sequence"), (array, "CZYX"))
    images["tiled"] = (rng.integers(0, 60_000, (3, 2, 4, 5, 6), dtype=np.uint16), "MCZYX")
    dyes = "<ChannelProperty><Key>{}</Key><Value>{}</Value></ChannelProperty>".format
    bands = "".join(
        f'<MultiBand Channel="{n}" DyeName="{dye}"/>'
        f'<Detector Channel="{n}" IsActive="{int(dye != "")}"/>'
        for n, dye in enumerate(("Leica/FITC", "", "Leica/TRITC"), start=1)
    )
    cubes = "".join(
        f'<WideFieldChannelInfo LUT="{lut}" UserDefName="{name}" FluoCubeName="{cube}"/>'
        for lut, name, cube in (("Red", "", "TXR"), ("Green", "GFP", "L5"))
    )
    path = write_lif(
        tmp_path / "a.lif",
        images,
        channel_xml={
            "stated": [dyes("ChannelGroup", n) + dyes("DyeName", f"ALEXA {n}") for n in (405, 488)]
        },
        hardware_xml={
            "stated": bands,
            "confocal": bands,
            "camera": cubes,
            "sequence": f"{bands}<LDM_Block_Sequential/>",
        },
    )
    listed = images_of(path)
    tiles = ["tiled tile 1", "tiled tile 2", "tiled tile 3"]
    assert [one.name for one in listed] == [*list(images)[:-1], *tiles]
    assert listed[-1].shape == (2, 4, 5, 6)
    with liffile.LifFile(path) as file:
        np.testing.assert_array_equal(file.images["tiled"].asarray(), images["tiled"][0])
    for lazy, (nth, tile) in zip((False, True, None), enumerate(images["tiled"][0]), strict=True):
        image = read_image(path, series=5 + nth, lazy=lazy)
        assert (image.axes, image.notes) == (tuple("czyx"), ())
        np.testing.assert_array_equal(np.asarray(image.array), tile)
    assert [read_image(path, series=n).channel_names for n in range(1, 5)] == [
        ("ALEXA 405", "ALEXA 488"),
        ("FITC", "TRITC"),
        ("GFP", "TXR"),
        (),
    ]


def test_what_a_lif_file_cannot_hold_is_refused_before_memory_is_taken(tmp_path):
    pytest.importorskip("liffile")
    images = {"a": (np.ones((3, 4, 5, 6), np.uint8), "MZYX")}
    for axis, message in (("M", "images and tiles"), ("Z", "declares")):
        path = write_lif(tmp_path / "a.lif", images, declared={axis: 2**40})
        with pytest.raises(FileError, match=message):
            read_image(path)


def test_a_file_that_leica_wrote(shared_data):
    liffile = pytest.importorskip("liffile")
    path = shared_data / "formats/xz-example.lif"
    images = images_of(path)
    assert [image.name for image in images] == ["xzt", "xzy", "xz"]
    with liffile.LifFile(path) as file:
        for nth, whole in enumerate(file.images, start=1):
            image = read_image(path, series=nth)
            order = {"xzy": (2, 1, 0, 3)}.get(whole.name)
            expected = whole.asarray()
            np.testing.assert_array_equal(
                image.array, expected.transpose(order) if order else expected
            )
            assert image.channel_colors == ("#00ff00", "#ff0000")
            assert image.channel_names == ("FITC", "TRITC")


@pytest.mark.parametrize("lazy", [False, True])
def test_each_scene_of_a_czi_file_is_read(lazy):
    czifile = pytest.importorskip("czifile")
    with czifile.CziFile(CZI) as file:
        voxels = file.asarray(max_workers=1)[0, 0, :, 0, 0, :, :, :, 0]
    assert len(images_of(CZI)) == len(voxels) == 2
    for nth, scene in enumerate(voxels, start=1):
        image = read_image(CZI, series=nth, lazy=lazy)
        assert image.is_lazy == lazy
        assert (image.axes, image.units) == (("z", "y", "x"), (MICRO,) * 3)
        np.testing.assert_array_equal(np.asarray(image.array), scene)
        assert image.spacing == pytest.approx((0.3, 0.195644, 0.195644), rel=1e-5)
    assert len({array.tobytes() for array in voxels}) == 2


def test_a_czi_file_that_was_cut_off_is_refused(tmp_path):
    pytest.importorskip("czifile")
    whole = CZI.read_bytes()
    path = tmp_path / "a.czi"
    for share in (0.2, 0.6, 0.95):
        path.write_bytes(whole[: int(len(whole) * share)])
        with pytest.raises(FileError):
            read_image(path)


def test_without_the_extra_the_message_says_what_to_install(monkeypatch, tmp_path, rng):
    lif = write_lif(tmp_path / "a.lif", {"a": (rng.integers(0, 9, (5, 6), np.uint8), "YX")})
    real = builtins.__import__

    def without(name, *others, **more):
        if name.partition(".")[0] in ("nd2", "liffile", "czifile"):
            raise ModuleNotFoundError(f"No module named {name!r}")
        return real(name, *others, **more)

    for name in [name for name in sys.modules if name.startswith(("nd2", "liffile", "czifile"))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(builtins, "__import__", without)
    for path, kind in ((ND2, "ND2"), (CZI, "CZI"), (lif, "LIF")):
        for read in (read_image, images_of):
            with pytest.raises(
                FileError, match=rf"{kind} files need .*'napari-seedbed\[formats\]'"
            ):
                read(path)


def entry(voxels, packed, compression, smaller=1, **starts):
    """What czifile says of a block of one plane; `smaller` copies stand for more voxels."""
    sizes = {"Y": voxels.shape[0] * smaller, "X": voxels.shape[1] * smaller}
    dimensions = [
        SimpleNamespace(
            dimension=axis,
            start=start,
            size=sizes.get(axis, 1),
            stored_size=sizes.get(axis, 1) // (smaller if axis in sizes else 1),
        )
        for axis, start in starts.items()
    ]
    samples = voxels.shape[2] if voxels.ndim == 3 else 1
    segment = SimpleNamespace(data_size=len(packed), data_offset=1, data=lambda raw: packed)
    return SimpleNamespace(
        dimension_entries=dimensions,
        dtype=f"<{samples}{voxels.dtype.str[1:]}" if samples > 1 else voxels.dtype.str,
        shape=(1, samples),
        compression=compression,
        data_segment=lambda: segment,
    )


def with_header(voxels):
    """Zstandard as new files have it: low bytes and high bytes apart, behind a header of three."""
    apart = np.ascontiguousarray(voxels).view(np.uint8).reshape(-1, 2).T.tobytes()
    return b"\x03\x01\x01" + imagecodecs.zstd_encode(apart)


def test_planes_of_a_czi_file_are_put_together_from_tiles(monkeypatch, tmp_path, rng):
    whole = rng.integers(0, 60_000, (2, 2, 40, 60), dtype=np.uint16)
    packings = {
        0: lambda voxels: voxels.tobytes(),
        5: lambda voxels: imagecodecs.zstd_encode(voxels.tobytes()),
        6: with_header,
        4: lambda voxels: imagecodecs.jpegxr_encode(voxels, level=1.0),
    }
    # one plane is missing, and tiles share some rows and columns
    whole[1, 1] = 0
    entries = []
    for c, z in ((0, 0), (0, 1), (1, 0)):
        for kind, (y, x) in zip(packings, ((0, 0), (0, 28), (18, 0), (18, 28)), strict=True):
            tile = np.ascontiguousarray(whole[c, z, y : y + 22, x : x + 32])
            place = {"C": c, "Z": 5 + z, "S": 0, "Y": y - 100, "X": x + 900, "M": len(entries)}
            entries.append(entry(tile, packings[kind](tile), kind, **place))
    entries.append(entry(whole[0, 0, ::2, ::2], b"", 0, smaller=2, S=0, Z=5, C=0, Y=-100, X=900))
    colours = rng.integers(0, 255, (7, 9, 3), dtype=np.uint8)
    bgr = np.ascontiguousarray(colours[..., ::-1])
    entries.append(entry(bgr, bgr.tobytes(), 0, S=1, Y=5_000_000, X=7_000_000))
    path = tmp_path / "a.czi"
    path.write_bytes(b"ZISRAWFILE")
    opened = SimpleNamespace(
        subblock_directory=entries,
        header=SimpleNamespace(metadata_position=0),
        close=lambda: None,
    )
    monkeypatch.setattr(czi_reading, "_opened", lambda path: opened)
    for lazy in (False, True):
        image = read_image(path, series=1, lazy=lazy)
        assert image.axes == ("c", "z", "y", "x")
        np.testing.assert_array_equal(np.asarray(image.array), whole)
        assert "1 of 4 planes are not in the file; they were read as 0." in image.notes
        image = read_image(path, series=2, lazy=lazy)
        assert image.rgb
        np.testing.assert_array_equal(np.asarray(image.array), colours)
