"""Pictures of results: outlines over the image, and a scale bar as long as it says."""

import numpy as np
import pytest
from PIL import Image as Pillow

from napari_seedbed.errors import InputError
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.files import picture_writing
from napari_seedbed.pipeline.files.picture_writing import bar_length, text_and_font, write_picture

ROWS, COLUMNS = 200, 400
UNITS = ("micrometer",) * 2


@pytest.fixture
def image():
    """Grey rows from dark to bright, of 0.25 µm along x and 0.5 µm along y."""
    ramp = np.repeat(np.arange(ROWS, dtype=np.uint16)[:, None] * 20, COLUMNS, axis=1)
    return Image(ramp, ("y", "x"), (0.5, 0.25), UNITS, name="ramp")


@pytest.fixture
def labels():
    array = np.zeros((ROWS, COLUMNS), np.uint8)
    array[20:60, 40:120] = 1
    array[20:60, 120:200] = 2
    return Image(array, ("y", "x"), (0.5, 0.25), UNITS, name="cells")


def opened(path):
    with Pillow.open(path) as picture:
        return np.asarray(picture.convert("RGB")).astype(int)


def is_coloured(picture):
    return np.ptp(picture, axis=2) > 20


def test_outlines_lie_over_the_image_in_the_colours_of_objects(tmp_path, image, labels):
    picture = opened(write_picture(tmp_path / "a.png", image, labels))
    # 100 µm by 100 µm, enlarged to square pixels of 0.125 µm
    assert picture.shape == (800, 800, 3)
    coloured = is_coloured(picture)
    # a pixel of the labels is 4 rows and 2 columns of the picture
    assert coloured[80:240, 80:82].all()
    assert coloured[80:82, 80:400].all()
    assert not coloured[90:230, 90:230].any()
    assert not coloured[:70].any()
    assert not coloured[250:].any()
    colours = [tuple(picture[160, place]) for place in (80, 238, 241, 399)]
    assert colours[0] == colours[1] != colours[2] == colours[3]
    assert (np.diff(picture[250:700, 10, 0]) >= 0).all()


@pytest.mark.parametrize("width", [0.37, 1.0, 12.0, 100.0, 5000.0])
def test_bars_are_round_numbers_of_at_most_a_quarter(width):
    length = bar_length(width)
    assert width / 10 < length <= width / 4 * (1 + 1e-9)
    assert f"{length:.0e}"[0] in "125"


def test_bar_is_as_long_as_it_says(tmp_path, labels):
    picture = opened(write_picture(tmp_path / "a.png", None, labels))
    white = (picture == 255).all(axis=2)
    lowest = max(row for row in range(800) if white[row, 500:].sum() > 50)
    # 20 µm of 100 µm; its edge is black
    assert white[lowest].sum() + 2 == 160


@pytest.mark.parametrize("has_fonts", [True, False])
def test_every_sign_of_a_unit_is_in_the_font(monkeypatch, has_fonts):
    if not has_fonts:
        monkeypatch.setattr(picture_writing, "_FONTS", ())
    text, font = text_and_font("12.5 µm Å nm", 20)
    assert text in ("12.5 µm Å nm", "12.5 um A nm")
    unknown = bytes(font.getmask("\uffff"))
    assert all(bytes(font.getmask(sign)) != unknown for sign in text if sign != " ")


def test_channels_have_their_colours_and_slices_are_chosen(tmp_path):
    array = np.zeros((2, 3, 40, 40), np.uint8)
    array[0, 1, :20] = 200
    array[1, 2, 20:] = 90
    image = Image(array, ("c", "z", "y", "x"), channel_colors=("#ff0000", "#00ff00"))
    middle = opened(write_picture(tmp_path / "a.png", image))
    assert middle[100, 100].tolist() == [255, 0, 0]
    last = opened(write_picture(tmp_path / "b.png", image, z=2))
    assert (last[100, 100].tolist(), last[500, 100].tolist()) == ([0, 0, 0], [0, 255, 0])
    with pytest.raises(InputError, match="slice 4 asked for"):
        write_picture(tmp_path / "c.png", image, z=3)


def test_labels_alone_are_filled_and_other_grids_refused(tmp_path, image, labels):
    picture = opened(write_picture(tmp_path / "a.png", None, labels))
    assert is_coloured(picture)[80:240, 80:400].all()
    small = Image(np.ones((4, 4), np.uint8), ("y", "x"))
    with pytest.raises(InputError, match="not the image's shape"):
        write_picture(tmp_path / "b.png", image, small)
    assert not (tmp_path / "b.png").exists()
