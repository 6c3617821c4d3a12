"""What files say about their values: colours, calibration, units; what is not followed is noted."""

import logging
import struct
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
import tifffile

from napari_seedbed.errors import FileError
from napari_seedbed.pipeline.files import read_image

logging.getLogger("tifffile").setLevel(logging.CRITICAL)


def noted(image, *parts: str) -> bool:
    """Whether one note has all these parts."""
    return any(all(part in note for part in parts) for note in image.notes)


@pytest.mark.parametrize("lazy", [False, True])
@pytest.mark.parametrize("planar", ["contig", "separate"])
def test_inks_are_read_as_colours(tmp_path, rng, lazy, planar):
    path = tmp_path / "a.tif"
    inks = rng.integers(0, 256, (40, 50, 4), dtype=np.uint8)
    wanted = np.asarray(PIL.Image.fromarray(inks, "CMYK").convert("RGB")).astype(int)
    for stored, top in ((inks, 255), (inks.astype(np.uint16) * 257, 65535)):
        array = np.moveaxis(stored, -1, 0) if planar == "separate" else stored
        tifffile.imwrite(path, array, photometric="separated", planarconfig=planar, tile=(16, 16))
        image = read_image(path, lazy=lazy)
        assert (image.rgb, image.axes, image.dtype) == (True, ("y", "x", "c"), stored.dtype)
        assert np.abs(np.asarray(image.array) * (255 / top) - wanted).max() <= 1
        assert noted(image, "cyan", "RGB")


def test_other_inks_and_lab_keep_their_values_and_say_what_they_are(tmp_path, rng):
    path = tmp_path / "a.tif"
    array = rng.integers(0, 256, (20, 30, 4), dtype=np.uint8)
    inks = [(332, "H", 1, 2, True), (333, "s", 0, "gold\0silver\0red\0lacquer", True)]
    tifffile.imwrite(path, array, photometric="separated", extratags=inks)
    image = read_image(path)
    assert not image.rgb
    assert image.channel_names == ("gold", "silver", "red", "lacquer")
    np.testing.assert_array_equal(image.array, array)
    tifffile.imwrite(path, array[..., :3], photometric="cielab")
    image = read_image(path)
    assert (image.rgb, image.channel_names) == (False, ("L*", "a*", "b*"))
    assert noted(image, "L*a*b*", "as stored")


def ycbcr_tiff(path: Path, values: np.ndarray, steps: tuple[int, int] = (1, 1)) -> Path:
    """Uncompressed YCbCr, in which blocks of `steps` pixels share their colour."""
    (height, width), (across, down) = values.shape[:2], steps
    blocks = values.reshape(height // down, down, width // across, across, 3).swapaxes(1, 2)
    luma = blocks[..., 0].reshape(*blocks.shape[:2], -1)
    data = np.concatenate([luma, blocks.mean((2, 3)).round().astype(np.uint8)[..., 1:]], -1)
    data = data.tobytes()
    tags = [
        *((256, width), (257, height), (258, None), (259, 1), (262, 6), (273, None), (277, 3)),
        *((278, height), (279, len(data)), (284, 1), (530, across | down << 16)),
    ]
    start = 8 + 2 + 12 * len(tags) + 4
    raw = b"II*\0" + struct.pack("<IH", 8, len(tags))
    for code, value in tags:
        count = {258: 3, 530: 2}.get(code, 1)
        kind = 4 if code in (273, 279) else 3
        value = {258: start, 273: start + 6}.get(code, value)
        raw += struct.pack("<HHII", code, kind, count, value)
    path.write_bytes(raw + struct.pack("<IHHH", 0, 8, 8, 8) + data)
    return path


def test_colours_as_brightness_and_differences_become_rgb_or_are_refused(tmp_path):
    y, x = np.mgrid[:32, :48]
    rgb = np.stack([x * 5, y * 7, 255 - x * 2 - y], -1).clip(0, 255).astype(np.uint8)
    values = np.asarray(PIL.Image.fromarray(rgb).convert("YCbCr"))
    for lazy in (False, True):
        image = read_image(ycbcr_tiff(tmp_path / "a.tif", values), lazy=lazy)
        assert image.rgb
        assert np.abs(np.asarray(image.array).astype(int) - rgb).max() <= 3
    for steps in ((2, 1), (2, 2)):
        with pytest.raises(FileError, match=f"sub-sampled .{steps[0]} x {steps[1]} .* Save it as"):
            read_image(ycbcr_tiff(tmp_path / "a.tif", values, steps))


def imagej(path: Path, array: np.ndarray, **metadata) -> Path:
    tifffile.imwrite(path, array, imagej=True, resolution=(4, 2), metadata=metadata)
    return path


@pytest.mark.parametrize("lazy", [False, True])
@pytest.mark.parametrize(
    ("stored", "line", "dtype"),
    [
        (np.uint16, (-32768, 1), np.int16),
        (np.uint8, (255, -1), np.uint8),
        (np.uint8, (-100, 3), np.int16),
        (np.uint8, (0, 10), np.uint16),
        (np.uint16, (7, 100), np.int32),
        (np.uint16, (0.5, 0.25), np.float32),
    ],
)
def test_calibrated_values_are_read(tmp_path, stored, line, dtype, lazy):
    limits = np.iinfo(stored)
    array = np.linspace(limits.min, limits.max, 3 * 16 * 18).astype(stored).reshape(3, 16, 18)
    start, step = line
    path = imagej(tmp_path / "a.tif", array, cf=0, c0=float(start), c1=float(step))
    image = read_image(path, lazy=lazy)
    assert (image.dtype, image.is_lazy) == (dtype, lazy)
    np.testing.assert_array_equal(np.asarray(image.array), array * float(step) + start)
    assert noted(image, f"{start:g} + {step:g} ×")


def test_calibrations_that_change_nothing_or_cannot_be_followed(tmp_path):
    array = np.arange(288, dtype=np.uint16).reshape(16, 18)
    for metadata, told in (
        ({"cf": 0, "c0": 0.0, "c1": 1.0}, False),
        ({"cf": 20, "c0": 5.0, "c1": 2.0}, False),
        ({"cf": 8, "c0": 5.0, "c1": 2.0, "c2": 3.0}, True),
        ({"cf": 0, "c0": 5.0, "c1": 0.0}, True),
    ):
        image = read_image(imagej(tmp_path / "a.tif", array, **metadata))
        assert image.dtype == np.uint16
        np.testing.assert_array_equal(image.array, array)
        assert noted(image, "calibrates", "as stored") == told


@pytest.mark.parametrize(
    ("stated", "spacing", "notes"),
    [
        ({"unit": "um", "yunit": "nm", "zunit": "mm", "spacing": 0.001}, (1, 0.0005, 0.25), 0),
        ({"unit": "um", "zunit": "pixel", "spacing": 1.0}, (1, 0.5, 0.25), 2),
        ({"unit": "um", "yunit": "pixel", "spacing": 2.0}, (2, 0.25, 0.25), 1),
        ({"unit": "um", "spacing": -3.0}, (1, 0.5, 0.25), 2),
    ],
)
def test_imagej_states_a_unit_an_axis(tmp_path, stated, spacing, notes):
    array = np.zeros((3, 16, 18), np.uint16)
    image = read_image(imagej(tmp_path / "a.tif", array, axes="ZYX", **stated))
    assert image.units == ("micrometer",) * 3
    np.testing.assert_allclose(image.spacing, spacing)
    assert len(image.notes) == notes, image.notes


OME = """<?xml version="1.0" encoding="UTF-8"?>
<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Image ID="Image:0" Name="x">
<Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint8" SizeX="18" SizeY="16" SizeZ="3" SizeC="2"
SizeT="1" {pixels}>{channels}<TiffData IFD="0" {data}/></Pixels></Image></OME>"""


@pytest.mark.parametrize(
    ("pixels", "channels", "data", "spacing", "colours", "told"),
    [
        ("", '<Channel Color="red"/><Channel Color="65535"/>', 'PlaneCount="6"',
         (1, 1, 1), (None, "#0000ff"), ["'red'"]),
        ("", '<Channel Color="" SamplesPerPixel=""/><Channel Name=""/>',
         'PlaneCount="6" FirstZ="" FirstC=" "', (1, 1, 1), (), []),
        ('PhysicalSizeX="0.25" PhysicalSizeY="0.25" PhysicalSizeZ="1" '
         'PhysicalSizeZUnit="reference frame"', "", 'PlaneCount="6"',
         (1, 0.25, 0.25), (), ["along z is stated in pixel", "no distance between slices"]),
        ('PhysicalSizeX="0.5" PhysicalSizeY="" PhysicalSizeZ="zero"', "", 'PlaneCount="6"',
         (1, 0.5, 0.5), (), ["along z, 'zero'", "no distance between slices"]),
        ("", '<Channel Name="a"/><Channel Name="b"/><Channel Name="c"/>', 'PlaneCount="6"',
         (1, 1, 1), (), ["names 3 channels and has 2"]),
    ],
)  # fmt: skip
def test_odd_entries_of_ome_are_noted_and_the_rest_is_read(
    tmp_path, pixels, channels, data, spacing, colours, told
):
    path = tmp_path / "a.ome.tif"
    array = np.arange(6 * 16 * 18, dtype=np.uint8).reshape(6, 16, 18)
    text = OME.format(pixels=pixels, channels=channels, data=data).encode()
    tifffile.imwrite(path, array, description=text, metadata=None, photometric="minisblack")
    image = read_image(path)
    np.testing.assert_array_equal(image.array, array.reshape(2, 3, 16, 18))
    assert image.axes == ("c", "z", "y", "x")
    np.testing.assert_allclose(image.spacing, spacing)
    assert image.channel_colors == colours
    assert len(image.notes) == len(told)
    assert all(noted(image, part) for part in told), image.notes


@pytest.mark.parametrize("bigtiff", [False, True])
@pytest.mark.parametrize("compression", [None, "zlib"])
def test_a_pointer_to_nowhere_is_left_out_and_one_to_a_lost_page_is_not(
    tmp_path, rng, bigtiff, compression
):
    path = tmp_path / "a.tif"
    array = rng.integers(0, 60000, (3, 40, 50), dtype=np.uint16)
    options = {"compression": compression, "metadata": None, "photometric": "minisblack"}
    tifffile.imwrite(path, array, bigtiff=bigtiff, **options)
    raw = bytearray(path.read_bytes())
    with tifffile.TiffFile(path) as tif:
        last = tif.pages[2]
        place = last.offset + (8 if bigtiff else 2) + len(last.tags) * (20 if bigtiff else 12)
    for pointer, told in ((len(raw) + 100_000, True), (0xFFFFFFF0, True), (len(raw) + 500, False)):
        raw[place : place + 4] = struct.pack("<I", pointer)
        path.write_bytes(raw)
        if not told:
            with pytest.raises(FileError, match="page 4 begins after the end of the file"):
                read_image(path)
            continue
        image = read_image(path)
        np.testing.assert_array_equal(image.array, array)
        assert noted(image, "last of 3 pages points to another one where there is nothing")
        path.write_bytes(bytes(raw) + bytes(500))
        with pytest.raises(FileError, match="page 4 begins after the end of the file"):
            read_image(path)


def test_a_turned_image_is_read_as_stored_and_says_so(tmp_path):
    array = np.arange(288, dtype=np.uint8).reshape(16, 18)
    tifffile.imwrite(tmp_path / "a.tif", array, extratags=[(274, "H", 1, 6, True)])
    image = read_image(tmp_path / "a.tif")
    np.testing.assert_array_equal(image.array, array)
    assert noted(image, "turned", "orientation 6")
