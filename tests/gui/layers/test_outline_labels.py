"""Outlines that overlap on slices get the label of one object, as they are drawn and before."""

import numpy as np
import pytest
from napari.layers import Image as ImageLayer
from napari.layers import Shapes

from napari_seedbed.gui.layers.outline_labels import (
    begin_object,
    join_outlines,
    objects_in_words,
)
from napari_seedbed.gui.layers.shape_results import new_shapes_layer, restore, take_snapshot

SQUARE = np.array([[2.0, 3.0], [2.0, 13.0], [12.0, 13.0], [12.0, 3.0]])


def at(z, move=0):
    return np.insert(SQUARE + np.array([0, move]), 0, z, axis=1)


@pytest.fixture
def image(viewer_model):
    return viewer_model.add_layer(
        ImageLayer(np.zeros((9, 20, 60), np.uint8), scale=(2, 1, 1), name="cells", rgb=False)
    )


@pytest.fixture
def layer(viewer_model, image):
    return new_shapes_layer(viewer_model, image)


def labels(layer):
    return layer.features["label"].tolist()


def draw(layer, *outlines):
    for outline in outlines:
        layer.add(outline, shape_type="polygon")


def test_outlines_of_two_objects_get_two_labels(layer):
    draw(layer, at(1), at(1, 30), at(4), at(4, 30), at(6, 28))
    assert labels(layer) == [1, 2, 1, 2, 2]
    assert objects_in_words(layer) == "5 outlines of 2 objects"


def test_new_object_is_one_of_its_own_and_goes_on_as_such(layer, image):
    draw(layer, at(1))
    begin_object(layer, image)
    draw(layer, at(4), at(5))
    assert labels(layer) == [1, 2, 2]


def test_label_that_was_given_stays(layer):
    draw(layer, at(1), at(1, 30))
    layer.feature_defaults = {"label": 2}
    draw(layer, at(3))
    assert labels(layer) == [1, 2, 2]
    layer.features = {"label": [1, 2, 9]}
    draw(layer, at(4))
    assert labels(layer) == [1, 2, 9, 9]


def test_shapes_that_are_brought_back_keep_their_labels(layer, image):
    draw(layer, at(1))
    begin_object(layer, image)
    draw(layer, at(2))
    before = take_snapshot(layer)
    layer.remove([1])
    restore(layer, before)
    assert labels(layer) == [1, 2]


def test_outlines_that_were_drawn_without_labels_get_some(viewer_model, image):
    mine = viewer_model.add_layer(
        Shapes([at(1), at(1, 30), at(4)], shape_type="polygon", scale=(2, 1, 1), name="mine")
    )
    assert objects_in_words(mine) == "3 outlines"
    join_outlines(mine, image)
    assert labels(mine) == [1, 2, 1]
    draw(mine, at(5, 30), at(5, 15))
    assert labels(mine) == [1, 2, 1, 2, 3]


def test_layers_without_slices_are_left_alone(viewer_model, image):
    flat = viewer_model.add_layer(ImageLayer(np.zeros((20, 60), np.uint8), name="flat"))
    on_flat = viewer_model.add_layer(Shapes([SQUARE], shape_type="polygon"))
    for like in (flat, image):
        join_outlines(on_flat, like)
        assert "label" not in on_flat.features
    drawn = new_shapes_layer(viewer_model, flat)
    draw(drawn, SQUARE, SQUARE)
    assert labels(drawn) == [1, 2]
