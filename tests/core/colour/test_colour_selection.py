"""Colours inside an outline: exact for boxes, and as scikit-image has it for other outlines."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from skimage.measure import points_in_poly

from napari_seedbed.core import colour_space, colours_in_polygon
from napari_seedbed.errors import InputError

RG = colour_space("rg", 3)
BOX = np.array([[0.2, 0.25], [0.2, 0.5], [0.45, 0.5], [0.45, 0.25]])


def shares(image):
    wide = image.astype(float)
    return wide[..., :2] / wide.sum(axis=-1, keepdims=True)


@pytest.fixture
def image(rng):
    return rng.integers(1, 256, (60, 70, 3)).astype(np.uint8)


def test_box_takes_the_colours_between_its_sides(image):
    r, g = np.moveaxis(shares(image), -1, 0)
    expected = (r > 0.2) & (r < 0.45) & (g > 0.25) & (g < 0.5)
    border = np.min([abs(r - 0.2), abs(r - 0.45), abs(g - 0.25), abs(g - 0.5)], axis=0) < 1e-5
    found = colours_in_polygon(image, BOX, RG)
    assert 100 < expected.sum() < expected.size - 100
    np.testing.assert_array_equal(found[~border], expected[~border])


@given(angle=st.floats(0, 6.3), corners=st.integers(3, 9))
def test_lasso_differs_from_the_exact_rule_only_along_its_line(angle, corners):
    image = np.random.default_rng(3).integers(1, 256, (50, 50, 3)).astype(np.uint8)
    turns = angle + np.linspace(0, 2 * np.pi, corners, endpoint=False)
    lasso = 0.35 + 0.15 * np.stack([np.cos(turns), np.sin(turns)], axis=1)
    inside = points_in_poly(shares(image).reshape(-1, 2), lasso).reshape(50, 50)
    found = colours_in_polygon(image, lasso, RG)
    # The line is about one unit long, and a step is 0.3 / 256 wide.
    assert np.mean(found != inside) < 0.02


def test_channels_are_compared_by_their_values(rng):
    volume = rng.integers(0, 4096, (3, 5, 20, 20)).astype(np.uint16)
    space = colour_space("channels", 3, channels=(2, 0))
    box = [(1000, 500), (1000, 3000), (2000, 3000), (2000, 500)]
    found = colours_in_polygon(volume, box, space, channel_axis=0)
    first, second = volume[2].astype(int), volume[0].astype(int)
    inner = (first > 1010) & (first < 1990) & (second > 520) & (second < 2980)
    outer = (first > 990) & (first < 2010) & (second > 480) & (second < 3020)
    assert found[inner].all()
    assert not found[~outer].any()


def test_parts_of_an_image_give_parts_of_the_result(image):
    whole = colours_in_polygon(image, BOX, RG)
    np.testing.assert_array_equal(colours_in_polygon(image[7:30, 5:9], BOX, RG), whole[7:30, 5:9])


def test_pixels_without_a_colour_are_outside(image):
    image[:10] = 0
    everything = [(-1, -1), (-1, 2), (2, 2), (2, -1)]
    found = colours_in_polygon(image, everything, RG)
    assert not found[:10].any()
    assert found[10:].all()


@pytest.mark.parametrize(
    "polygon", [[(0, 0), (1, 1)], [(0, 0), (0, 1), (0, 2)], [(0, 0), (1, np.nan), (1, 1)]]
)
def test_outlines_that_enclose_nothing_are_refused(image, polygon):
    with pytest.raises(InputError, match="polygon"):
        colours_in_polygon(image, polygon, RG)


def test_outline_needs_two_coordinates(image):
    with pytest.raises(InputError, match="needs 2"):
        colours_in_polygon(image, BOX, colour_space("hue", 3))
