"""Reading: axes, voxel size and channels of real and made-up files; damage is always told."""

import logging
import re
from pathlib import Path

import numpy as np
import pytest
import tifffile

from napari_seedbed.errors import FileError
from napari_seedbed.pipeline.cli import main
from napari_seedbed.pipeline.data.image_statistics import range_of_image
from napari_seedbed.pipeline.files import read_image, tiff_reading, write_image

logging.getLogger("tifffile").setLevel(logging.CRITICAL)

# Shape, axes, spacing, unit: what MANIFEST.md of the shared data and the files themselves say.
MICRO = "micrometer"
FORMATS = {
    "chessboard_GRAY_U16B.tif": ((200, 200), "yx", (1, 1), "pixel"),
    "measure_shapes_labels.tif": ((253, 269), "yx", (0.2, 0.2), MICRO),
    "napari_stress_ExampleTifSequence.tif": ((21, 16, 30, 31), "tzyx", (1, 1, 1), "pixel"),
    "test_imagej.tiff": ((4, 2, 72, 70), "zcyx", (0.21, 0.07752, 0.07752), MICRO),
    "test_imagej_greyscale.tiff": ((2, 128, 128), "cyx", (9.0998, 9.0998), MICRO),
    "test_imagej_with_time.tiff": ((4, 2, 72, 70), "tcyx", (0.07752, 0.07752), MICRO),
    "test_ome.tiff": ((4, 2, 72, 70), "zcyx", (0.21, 0.07752, 0.07752), MICRO),
    "test_ome_with_time.tiff": ((4, 2, 72, 70), "tcyx", (0.07752, 0.07752), MICRO),
    "tiffs/12bit.cropped.tiff": ((64, 64), "yx", (1, 1), "pixel"),
    "tiffs/BigTIFF.tif": ((64, 64, 3), "yxc", (1, 1), "pixel"),
    "tiffs/BigTIFFMotorola.tif": ((64, 64, 3), "yxc", (1, 1), "pixel"),
    "tiffs/cmyk-4c-8b.tiff": ((151, 157, 4), "yxc", (1, 1), "pixel"),
    "tiffs/gradient-1c-64b-float.tiff": ((1, 256), "yx", (1, 1), "pixel"),
    "tiffs/int16_rgb.tif": ((64, 64, 3), "yxc", (1, 1), "pixel"),
    "tiffs/int16_zstd.tif": ((64, 64), "yx", (1, 1), "pixel"),
    "tiffs/int8.tif": ((64, 64), "yx", (1, 1), "pixel"),
    "tiffs/minisblack-1c-i16b.tiff": ((151, 157), "yx", (1, 1), "pixel"),
    "tiffs/miniswhite-1c-1b.tiff": ((151, 157), "yx", (1, 1), "pixel"),
    "tiffs/palette-1c-8b.tiff": ((151, 157), "yx", (1, 1), "pixel"),
    "tiffs/planar-rgb-u8.tif": ((499, 374, 3), "yxc", (1, 1), "pixel"),
    "tiffs/predictor-3-gray-f32.tif": ((200, 200), "yx", (1, 1), "pixel"),
    "tiffs/quad-tile.jpg.tiff": ((384, 512, 3), "yxc", (1, 1), "pixel"),
    "tiffs/random-fp16.tiff": ((16, 16), "yx", (1, 1), "pixel"),
    "xy_16bit__h2b_withROIs.tif": ((42, 60), "yx", (1, 1), "pixel"),
    "xyz_8bit__mitotic_plate_badZcalibrated.tif": (
        (6, 263, 263),
        "zyx",
        (1, 0.0852, 0.0852),
        MICRO,
    ),
}


def test_every_tiff_of_the_collection_reads_as_listed_or_is_refused(shared_data):
    folder = shared_data / "formats"
    seen = set()
    for path in sorted(folder.rglob("*.tif*")):
        name = path.relative_to(folder).as_posix()
        if name.startswith("corrupt/"):
            with pytest.raises(FileError, match=re.escape(str(path))):
                read_image(path)
            continue
        image = read_image(path)
        if name.startswith("c_elegans_em_series/"):
            assert image.shape == (256, 256)
            continue
        shape, axes, spacing, unit = FORMATS[name]
        assert (image.shape, "".join(image.axes), image.unit) == (shape, axes, unit), name
        np.testing.assert_allclose(image.spacing, spacing, rtol=1e-3, err_msg=name)
        assert image.dtype.isnative
        seen.add(name)
    assert seen == set(FORMATS)


@pytest.mark.parametrize(
    "name",
    ["test_ome.tiff", "test_imagej.tiff", "tiffs/planar-rgb-u8.tif", "tiffs/quad-tile.jpg.tiff"],
)
def test_lazy_gives_the_same_voxels(shared_data, name):
    path = shared_data / "formats" / name
    lazy, whole = read_image(path, lazy=True), read_image(path)
    assert lazy.is_lazy
    assert (lazy.axes, lazy.spacing, lazy.rgb) == (whole.axes, whole.spacing, whole.rgb)
    np.testing.assert_array_equal(np.asarray(lazy.array), whole.array)


def test_large_files_are_lazy_by_themselves(tmp_path, monkeypatch):
    path = imagej(tmp_path / "a.tif")
    assert not read_image(path).is_lazy
    monkeypatch.setattr(tiff_reading, "LAZY_ABOVE", 1000)
    lazy = read_image(path)
    assert lazy.is_lazy
    assert lazy.array.chunksize == (1, 16, 18)


def test_channel_names_and_colours(shared_data):
    for name in ("test_ome.tiff", "test_imagej.tiff"):
        image = read_image(shared_data / "formats" / name)
        assert image.channel_names == ("Ch1-T1", "ChS2-T3")
        assert image.channel_colors == ("#ff0000", "#0000ff")


def test_missing_slice_distance_is_noted(shared_data):
    image = read_image(shared_data / "formats/xyz_8bit__mitotic_plate_badZcalibrated.tif")
    assert "distance between slices" in image.notes[0]


def imagej(path: Path, shape=(4, 16, 18), axes="ZYX", **metadata) -> Path:
    array = np.arange(np.prod(shape), dtype=np.uint16).reshape(shape)
    tifffile.imwrite(
        path, array, imagej=True, resolution=(4, 4), metadata={"axes": axes, **metadata}
    )
    return path


def test_odd_slice_distance_is_kept_and_noted(tmp_path):
    image = read_image(imagej(tmp_path / "a.tif", spacing=1e6, unit="um"))
    assert image.spacing == (1e6, 0.25, 0.25)
    assert "looks wrong" in image.notes[0]


@pytest.mark.parametrize(
    ("stated", "unit"),
    [
        ("\\u00B5m", "micrometer"),
        ("micron", "micrometer"),
        ("um", "micrometer"),
        ("inch", "inch"),
        ("nm", "nanometer"),
        ("millimeter", "millimeter"),
        ("pixel", "pixel"),
    ],
)
def test_units_of_imagej(tmp_path, stated, unit):
    assert read_image(imagej(tmp_path / "a.tif", spacing=0.5, unit=stated)).unit == unit


def test_unknown_unit_is_noted(tmp_path):
    image = read_image(imagej(tmp_path / "a.tif", spacing=0.5, unit="furlong"))
    assert image.unit == "pixel"
    assert "furlong" in image.notes[0]


def test_ome_units_are_brought_to_one(tmp_path):
    path = tmp_path / "a.ome.tif"
    sizes = {"PhysicalSizeX": 100, "PhysicalSizeXUnit": "nm", "PhysicalSizeY": 0.1}
    sizes |= {"PhysicalSizeYUnit": "µm", "PhysicalSizeZ": 0.5, "PhysicalSizeZUnit": "µm"}
    tifffile.imwrite(path, np.zeros((3, 8, 9), np.uint8), metadata={"axes": "ZYX", **sizes})
    image = read_image(path)
    assert image.units == ("nanometer",) * 3
    np.testing.assert_allclose(image.spacing, (500, 100, 100))
    assert image.name == "a"


def test_plain_stack_is_z_and_says_so(tmp_path):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, np.zeros((5, 8, 9), np.float32))
    image = read_image(path)
    assert image.axes == ("z", "y", "x")
    assert "read as z" in image.notes[0]


def test_plain_four_dimensional_stack_is_time_and_z(tmp_path):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, np.zeros((6, 5, 8, 9), np.float32))
    assert read_image(path).axes == ("t", "z", "y", "x")


@pytest.mark.parametrize(("per", "n"), [(3, 100_000), (2, 254_000)])
def test_fine_resolution_tags_are_a_pixel_size(tmp_path, per, n):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, np.zeros((8, 9), np.uint8), resolution=(n, n), resolutionunit=per)
    image = read_image(path)
    np.testing.assert_allclose(image.spacing, (0.1, 0.1), rtol=1e-6)
    assert image.unit == "micrometer"


def test_printing_resolution_is_no_pixel_size(tmp_path):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, np.zeros((8, 9), np.uint8), resolution=(300, 300), resolutionunit=2)
    assert read_image(path).units == ("pixel", "pixel")


@pytest.mark.parametrize("kind", ["imagej", "ome", "plain", "compressed"])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9, 0.99])
def test_cut_off_stacks_are_refused(tmp_path, rng, kind, share):
    path = tmp_path / "a.tif"
    array = rng.integers(0, 60000, (12, 40, 50), dtype=np.uint16)
    options = {
        "imagej": {"imagej": True},
        "ome": {"ome": True, "metadata": {"axes": "ZYX"}},
        "plain": {},
        "compressed": {"compression": "zlib"},
    }[kind]
    tifffile.imwrite(path, array, **options)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(FileError, match=r"cut off|damaged"):
        read_image(path)


def test_stack_of_which_pages_were_lost_is_refused(tmp_path):
    path = imagej(tmp_path / "a.tif", (1, 16, 18))
    raw = path.read_bytes().replace(b"images=1", b"images=9", 1)
    path.write_bytes(raw)
    with pytest.raises(FileError, match="should hold 9 planes and has 1"):
        read_image(path)


def without_data(path: Path, missing: dict[int, slice], *, offsets: bool = False) -> Path:
    """Set lengths of strips or tiles of some pages to 0, and their places if wanted."""
    raw = bytearray(path.read_bytes())
    with tifffile.TiffFile(path) as tif:
        for number, which in missing.items():
            page = tif.pages[number]
            kind = "Tile" if page.is_tiled else "Strip"
            for name in (f"{kind}ByteCounts", f"{kind}Offsets")[: 1 + offsets]:
                tag = page.tags[name]
                size = tag.valuebytecount // tag.count
                for i in range(*which.indices(tag.count)):
                    start = tag.valueoffset + i * size
                    raw[start : start + size] = bytes(size)
    path.write_bytes(raw)
    return path


def test_strips_that_were_never_written_are_refused_and_their_planes_named(
    tmp_path, shared_data, rng
):
    faults = shared_data / "faults"
    array = rng.integers(0, 60000, (9, 40, 50), dtype=np.uint16)
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, array, compression="zlib", rowsperstrip=8, photometric="minisblack")
    without_data(path, {0: slice(4, 5), 2: slice(0, 1), 3: slice(None), 8: slice(2)}, offsets=True)
    for file, planes in (
        (faults / "stack_last4planes_count0.tif", "planes 7 to 10 are"),
        (faults / "z_three_strips_count0.tif", "plane 1 is"),
        (path, "planes 1, 3 to 4 and 9 are"),
    ):
        for lazy in (False, True):
            with pytest.raises(FileError, match=f"cut off or damaged: strips of {planes} missing"):
                read_image(file, lazy=lazy)


@pytest.mark.parametrize("compression", [None, "zlib"])
def test_tiles_that_were_left_out_are_noted(tmp_path, rng, compression):
    array = rng.integers(1, 60000, (3, 40, 50), dtype=np.uint16)
    path = tmp_path / "a.tif"
    with tifffile.TiffWriter(path) as tif:
        for plane in array:
            tif.write(
                plane, compression=compression, tile=(16, 16), metadata=None, contiguous=False
            )
    without_data(path, {1: slice(0, 1), 2: slice(None)}, offsets=True)
    array[1, :16, :16] = 0
    array[2] = 0
    for lazy in (False, True):
        image = read_image(path, lazy=lazy)
        np.testing.assert_array_equal(np.asarray(image.array), array)
        assert "Tiles of planes 2 to 3 are missing in the file; they were read as 0." in image.notes


def test_absurd_size_is_refused_before_memory_is_taken(tmp_path):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, np.zeros((64, 64), np.uint8), compression="zlib", rowsperstrip=64)
    raw = bytearray(path.read_bytes())
    with tifffile.TiffFile(path) as tif:
        for tag in ("ImageWidth", "ImageLength", "RowsPerStrip"):
            entry = tif.pages[0].tags[tag]
            raw[entry.offset + 2 : entry.offset + 12] = (
                (4).to_bytes(2, "little")
                + (1).to_bytes(4, "little")
                + (1_900_000).to_bytes(4, "little")
            )
    path.write_bytes(raw)
    with pytest.raises(FileError, match=r"declares 3610 GB"):
        read_image(path)


def test_damage_in_a_lazy_file_is_told_when_it_is_met(tmp_path, rng):
    path = tmp_path / "a.tif"
    array = rng.integers(0, 60000, (4, 40, 50), dtype=np.uint16)
    tifffile.imwrite(path, array, compression="zlib", photometric="minisblack")
    with tifffile.TiffFile(path) as tif:
        start, length = tif.pages[2].dataoffsets[0], tif.pages[2].databytecounts[0]
    raw = bytearray(path.read_bytes())
    raw[start : start + length] = bytes(length)
    path.write_bytes(raw)
    image = read_image(path, lazy=True)
    with pytest.raises(FileError, match="damaged"):
        image.volume()
    with pytest.raises(FileError):
        read_image(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty"),
        (b"hello", "no .*TIFF"),
        (b"II*\0", "empty|damaged|TIFF"),
        (b"\x89PNGxxxx", "could not be read"),
    ],
)
def test_other_things_are_refused(tmp_path, content, message):
    path = tmp_path / "a.tif"
    path.write_bytes(content)
    with pytest.raises(FileError, match=message):
        read_image(path)


def test_random_garbage_is_refused(tmp_path, rng):
    path = tmp_path / "a.tif"
    for header in (
        b"II*\0",
        b"MM\0*",
        b"II+\0\x08\0\0\0",
        b"\xff\xd8\xff\xe0",
        b"\x89PNG\r\n\x1a\n",
    ):
        for _ in range(10):
            path.write_bytes(header + rng.bytes(300))
            with pytest.raises(FileError):
                read_image(path)


def test_missing_file_folder_and_permission(tmp_path):
    with pytest.raises(FileError, match="no such file"):
        read_image(tmp_path / "none.tif")
    with pytest.raises(FileError, match="folder"):
        read_image(tmp_path)
    path = imagej(tmp_path / "a.tif")
    path.chmod(0)
    try:
        path.open("rb").close()
    except PermissionError:
        with pytest.raises(FileError, match="not allowed"):
            read_image(path)


def test_values_whose_range_overflows_are_read_and_worked_on(tmp_path, shared_data):
    path = shared_data / "faults/range_overflow.tif"
    stored = tifffile.imread(path)
    assert np.isinf(float(stored.max()) - float(stored.min()))
    for lazy in (False, True):
        image = read_image(path, lazy=lazy)
        np.testing.assert_array_equal(np.asarray(image.array), stored)
        assert range_of_image(image).text == "float64, -1.7e+308 to 1.7e+308"
        again = read_image(write_image(tmp_path / "again.ome.tif", image))
        np.testing.assert_array_equal(again.array, stored)
    # Entropy counts steps between the extremes: a power of two changes none of them.
    tifffile.imwrite(tmp_path / "small.tif", np.ldexp(stored, -1000))
    recipe = str(shared_data / "faults/local_entropy.yaml")
    inputs = [str(path), str(tmp_path / "small.tif")]
    assert main(["run", recipe, *inputs, "-o", str(tmp_path / "out"), "-q"]) == 0
    large, small = (
        read_image(tmp_path / "out" / f"{name}_local_entropy.ome.tif").array
        for name in ("range_overflow", "small")
    )
    np.testing.assert_array_equal(large, small)
    assert large.max() > 0


def test_pictures(shared_data):
    color = read_image(shared_data / "tutorial/chelsea.png")
    assert (color.shape, color.axes, color.rgb) == ((300, 451, 3), ("y", "x", "c"), True)
    grey = read_image(shared_data / "tutorial/coins.png")
    assert (grey.shape, grey.axes) == ((303, 384), ("y", "x"))
    photo = read_image(shared_data / "tutorial/balloon.jpg")
    assert photo.rgb


def test_grey_picture_with_alpha_loses_the_alpha(tmp_path, rng):
    imageio = pytest.importorskip("imageio.v3")
    array = rng.integers(0, 255, (8, 9, 2), dtype=np.uint8)
    imageio.imwrite(tmp_path / "a.png", array)
    image = read_image(tmp_path / "a.png")
    np.testing.assert_array_equal(image.array, array[..., 0])
    assert "transparency" in image.notes[0]


@pytest.mark.parametrize("kind", ["imagej", "ome", "compressed"])
def test_changed_bytes_give_an_image_or_a_refusal(tmp_path, rng, kind):
    path = tmp_path / "a.tif"
    options = {
        "imagej": {"imagej": True, "metadata": {"axes": "ZYX", "unit": "um", "spacing": 2.0}},
        "ome": {"ome": True, "metadata": {"axes": "ZYX", "PhysicalSizeX": 0.1}},
        "compressed": {"compression": "zlib"},
    }[kind]
    tifffile.imwrite(path, rng.integers(0, 60000, (5, 12, 14), dtype=np.uint16), **options)
    whole = np.frombuffer(path.read_bytes(), np.uint8)
    # Headers and descriptions are at both ends; the middle is voxels, where all bytes are right.
    ends = np.r_[0:500, len(whole) - 500 : len(whole)]
    for _ in range(60):
        changed = whole.copy()
        changed[rng.choice(ends, 3)] = rng.integers(0, 256, 3)
        path.write_bytes(changed.tobytes())
        try:
            image = read_image(path)
        except FileError:
            continue
        assert len(image.shape) == len(image.axes)
