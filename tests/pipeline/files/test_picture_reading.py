"""PNG and JPEG: every kind of PNG in its own depth, and large ones; losses are noted."""

import struct
import zlib
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
import tifffile

from napari_seedbed.errors import FileError
from napari_seedbed.pipeline.files import declared_size, read_image

GREY, RGB, PALETTE, GREY_ALPHA, RGB_ALPHA = 0, 2, 3, 4, 6


def chunk(kind: bytes, content: bytes) -> bytes:
    check = struct.pack(">I", zlib.crc32(kind + content))
    return struct.pack(">I", len(content)) + kind + content + check


def write_png(
    path: Path, size: tuple[int, int], depth: int, kind: int, data: bytes, before: bytes = b""
) -> Path:
    """A PNG by hand: `data` are the bytes of all rows, without filters."""
    height, width = size
    row = len(data) // height
    rows = b"".join(b"\0" + data[i * row : (i + 1) * row] for i in range(height))
    header = struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + before
        + chunk(b"IDAT", zlib.compress(rows, 1))
        + chunk(b"IEND", b"")
    )
    return path


@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize(
    ("kind", "samples"), [(GREY, 1), (RGB, 3), (GREY_ALPHA, 2), (RGB_ALPHA, 4)]
)
def test_pictures_keep_their_depth(tmp_path, rng, depth, kind, samples):
    values = rng.integers(0, 2**depth, (6, 8, samples))
    data = values.astype(">u2" if depth == 16 else np.uint8).tobytes()
    image = read_image(write_png(tmp_path / "a.png", (6, 8), depth, kind, data))
    assert image.dtype == (np.uint16 if depth == 16 else np.uint8)
    assert image.rgb == (samples > 2)
    wanted = values if samples > 2 else values[..., 0]
    np.testing.assert_array_equal(image.array, wanted)
    assert [("transparency was left out" in note) for note in image.notes] == [True] * (
        kind == GREY_ALPHA
    )


@pytest.mark.parametrize("depth", [1, 2, 4, 8])
def test_palettes_are_colours_and_shallow_greys_are_values(tmp_path, depth):
    top = 2**depth - 1
    values = np.arange(8 * 8).reshape(8, 8) % (top + 1)
    bits = (values[..., np.newaxis] >> np.arange(depth)[::-1]) & 1
    data = np.packbits(bits.reshape(8, -1).astype(np.uint8), axis=1).tobytes()
    grey = read_image(write_png(tmp_path / "a.png", (8, 8), depth, GREY, data))
    np.testing.assert_array_equal(grey.array, values if depth == 1 else values * (255 // top))
    assert (grey.dtype == bool) == (depth == 1)
    palette = np.random.default_rng(depth).integers(0, 256, (top + 1, 3), dtype=np.uint8)
    before = chunk(b"PLTE", palette.tobytes())
    colour = read_image(write_png(tmp_path / "a.png", (8, 8), depth, PALETTE, data, before))
    np.testing.assert_array_equal(colour.array, palette[values])
    before += chunk(b"tRNS", b"\0")
    clear = read_image(write_png(tmp_path / "a.png", (8, 8), depth, PALETTE, data, before))
    np.testing.assert_array_equal(clear.array[..., :3], palette[values])
    np.testing.assert_array_equal(clear.array[..., 3], np.where(values == 0, 0, 255))


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P"])
@pytest.mark.parametrize("depth", [8, 16])
def test_colours_that_are_all_grey_and_opaque_are_grey(tmp_path, rng, mode, depth):
    if mode == "P":
        values = rng.integers(0, 256, (6, 8), dtype=np.uint8)
        palette = np.repeat(np.arange(256, dtype=np.uint8), 3).tobytes()
        path = write_png(
            tmp_path / "a.png", (6, 8), 8, PALETTE, values.tobytes(), chunk(b"PLTE", palette)
        )
        np.testing.assert_array_equal(read_image(path).array, values)
        return
    top, kind = 2**depth - 1, RGB if mode == "RGB" else RGB_ALPHA
    values = rng.integers(0, top + 1, (6, 8))
    colours = np.stack([values] * len(mode), axis=-1)
    colours[..., 3:] = top

    def read(array, **options):
        data = array.astype(">u2" if depth == 16 else np.uint8).tobytes()
        return read_image(write_png(tmp_path / "a.png", (6, 8), depth, kind, data), **options)

    grey = read(colours)
    assert (grey.axes, grey.rgb) == (("y", "x"), False)
    np.testing.assert_array_equal(grey.array, values)
    np.testing.assert_array_equal(read(colours, as_stored=True).array, colours)
    for channel in range(len(mode)):
        other = colours.copy()
        other[2, 3, channel] ^= 1
        assert read(other).rgb


def test_tiff_with_a_colour_table_of_16_bits_keeps_its_values(tmp_path, rng):
    values = rng.integers(0, 65536, (6, 8), dtype=np.uint16)
    table = rng.integers(0, 65536, (3, 65536), dtype=np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", values, photometric="palette", colormap=table)
    for lazy in (False, True):
        image = read_image(tmp_path / "a.tif", lazy=lazy)
        np.testing.assert_array_equal(np.asarray(image.array), values)
        assert "colour table" in image.notes[0]


def test_large_pictures_open_and_impossible_ones_are_refused_before_memory_is_taken(
    tmp_path, monkeypatch
):
    path = write_png(tmp_path / "a.png", (15_000, 15_000), 1, GREY, bytes(15_000 * 1875))
    assert read_image(path).shape == (15_000, 15_000)
    PIL.Image.new("1", (14_000, 14_000)).convert("L").save(tmp_path / "a.jpg")
    assert read_image(tmp_path / "a.jpg").shape == (14_000, 14_000)
    monkeypatch.setattr(declared_size, "available_memory", lambda: 10_000_000)
    with pytest.raises(FileError, match=r"15000 x 15000 pixels take 225 MB, and 10 MB are free"):
        read_image(path)
    monkeypatch.undo()
    path = write_png(tmp_path / "b.png", (60_000, 60_000), 16, RGB, bytes(60_000))
    with pytest.raises(FileError, match=r"damaged. It declares a picture of 60000 x 60000 pixels"):
        read_image(path)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_cut_off_pictures_are_refused(tmp_path, rng, suffix, share):
    path = tmp_path / f"a.{suffix}"
    PIL.Image.fromarray(rng.integers(0, 256, (90, 80, 3), dtype=np.uint8)).save(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(FileError, match="could not be read"):
        read_image(path)


def test_what_a_picture_says_and_is_not_followed_is_noted(tmp_path, rng):
    inks = PIL.Image.fromarray(rng.integers(0, 256, (16, 24, 4), dtype=np.uint8), "CMYK")
    inks.save(tmp_path / "inks.jpg", quality=100)
    with PIL.Image.open(tmp_path / "inks.jpg") as stored:
        wanted = np.asarray(stored.convert("RGB"))
    image = read_image(tmp_path / "inks.jpg")
    np.testing.assert_array_equal(image.array, wanted)
    assert "cyan" in image.notes[0]
    turned = PIL.Image.Exif()
    turned[274] = 6
    grey = PIL.Image.fromarray(rng.integers(0, 256, (16, 24), dtype=np.uint8))
    grey.save(tmp_path / "turned.jpg", exif=turned)
    image = read_image(tmp_path / "turned.jpg")
    assert image.shape == (16, 24)
    assert "orientation 6" in image.notes[0]
    moving = [grey, PIL.Image.fromarray(255 - np.asarray(grey))]
    moving[0].save(tmp_path / "moving.png", save_all=True, append_images=moving[1:])
    image = read_image(tmp_path / "moving.png")
    np.testing.assert_array_equal(image.array, np.asarray(grey))
    assert "moves" in image.notes[0]
