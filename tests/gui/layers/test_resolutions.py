"""What operations are given of images in several resolutions."""

import dask.array
import numpy as np
import pytest
from napari.layers import Image as ImageLayer

from napari_seedbed.core import Shape
from napari_seedbed.core.images.pyramids import halved_image
from napari_seedbed.gui.layers.image_layers import image_of
from napari_seedbed.gui.layers.resolutions import (
    image_for_statistics,
    inputs_at,
    level_in_view,
    resolution_in_words,
)
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.data.shapes import Shapes


def pyramid(shape=(8, 64, 48), axes=(1, 2), n_levels=3):
    """Resolutions that are halved along some axes, lazy as those of a file."""
    levels = [np.random.default_rng(0).integers(0, 1000, shape).astype(np.uint16)]
    while len(levels) < n_levels:
        levels.append(halved_image(levels[-1], axes))
    return [dask.array.from_array(level) for level in levels]


@pytest.fixture
def layer():
    place = {"scale": (3.0, 0.5, 0.5), "translate": (6.0, 1.0, 2.0), "units": ("um",) * 3}
    return ImageLayer(pyramid(), multiscale=True, rgb=False, **place)


def test_lower_resolution_begins_where_the_full_one_does_and_is_as_large(layer):
    image, full = (
        inputs_at({"image": image_of(layer)}, layer, (), None, 2)["image"],
        image_of(layer),
    )
    np.testing.assert_array_equal(image.array, layer.data[2])
    assert image.spacing == (3.0, 2.0, 2.0)
    assert (image.translate, image.units) == (full.translate, full.units)
    extents = [np.multiply(one.spacing, one.spatial_shape) for one in (image, full)]
    np.testing.assert_allclose(*extents)


def test_marks_and_a_second_image_come_along(layer):
    full = image_of(layer)
    strokes = np.zeros(full.shape, np.int32)
    strokes[3, 9:50, 21] = 2
    strokes[5, 63, 47] = -1
    outline = Shape(1, np.array([[3.0, 8, 4], [3, 8, 20], [3, 40, 20]]))
    inputs = {
        "image": full,
        "other": Image(np.arange(full.array.size).reshape(full.shape), full.axes, full.spacing),
        "seeds": Image(strokes, full.axes, full.spacing),
        "shapes": Shapes((outline,), "outlines"),
    }
    found = inputs_at(inputs, layer, (), None, 2)
    expected = np.zeros((8, 16, 12), np.int32)
    expected[3, 2:13, 5] = 2
    expected[5, 15, 11] = -1
    np.testing.assert_array_equal(found["seeds"].array, expected)
    np.testing.assert_array_equal(found["other"].array, inputs["other"].array[:, ::4, ::4])
    (moved,) = found["shapes"].shapes
    np.testing.assert_array_equal(moved.points, outline.points / (1, 4, 4))


def test_resolutions_are_said_as_parts_of_the_full_one(layer):
    assert [resolution_in_words(layer, level) for level in range(3)] == [
        "full resolution",
        "1/2 resolution",
        "1/4 resolution",
    ]
    uneven = ImageLayer([np.zeros(s) for s in ((8, 64, 64), (4, 16, 16))], multiscale=True)
    assert resolution_in_words(uneven, 1) == "1/4 and 1/2 resolution"
    assert level_in_view(ImageLayer(np.zeros((4, 4)))) == 0


def test_statistics_are_those_of_the_finest_resolution_that_is_quick_to_read(layer, monkeypatch):
    assert image_for_statistics(layer, (), None).shape == layer.data[0].shape
    for most, level in ((7000, 1), (10, 2)):
        monkeypatch.setattr("napari_seedbed.gui.layers.resolutions.STATISTICS_VOXELS", most)
        assert image_for_statistics(layer, (), None).shape == layer.data[level].shape
