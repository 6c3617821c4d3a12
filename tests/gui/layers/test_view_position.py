"""What is on screen, in voxels of the image, and the way to another place."""

import numpy as np
import pytest

from napari_seedbed.gui.layers.view_position import (
    data_position,
    show_place,
    slice_on_screen,
    take_brush,
    time_on_screen,
)


def add(viewer, shape, **properties):
    return viewer.add_image(np.zeros(shape, np.uint8), rgb=False, **properties)


def test_slice_is_found_through_scale_and_translate(viewer_model):
    layer = add(viewer_model, (10, 20, 30), scale=(2, 0.5, 0.5), translate=(100, 0, 0))
    viewer_model.dims.set_point(0, 108)
    assert slice_on_screen(viewer_model, layer) == (0, 4)


@pytest.mark.parametrize(("order", "axis"), [((1, 0, 2), 1), ((2, 0, 1), 2)])
def test_slice_of_a_turned_view_is_along_another_axis(viewer_model, order, axis):
    layer = add(viewer_model, (10, 20, 30))
    viewer_model.dims.order = order
    viewer_model.dims.set_point(axis, 7)
    assert slice_on_screen(viewer_model, layer) == (axis, 7)


def test_flat_image_is_all_on_screen(viewer_model):
    assert slice_on_screen(viewer_model, add(viewer_model, (20, 30))) == (0, 0)


def test_3d_display_has_no_slice(viewer_model):
    layer = add(viewer_model, (10, 20, 30))
    viewer_model.dims.ndisplay = 3
    assert slice_on_screen(viewer_model, layer) is None


def test_slice_stays_within_an_image_that_is_smaller_than_the_scene(viewer_model):
    layer = add(viewer_model, (10, 20, 30))
    add(viewer_model, (50, 20, 30))
    viewer_model.dims.set_point(0, 40)
    assert slice_on_screen(viewer_model, layer) == (0, 9)


def test_time_point_on_screen(viewer_model):
    layer = add(viewer_model, (5, 10, 20, 30), axis_labels=("t", "z", "y", "x"))
    viewer_model.dims.set_point(0, 3)
    viewer_model.dims.set_point(1, 6)
    assert time_on_screen(viewer_model, layer) == 3
    assert slice_on_screen(viewer_model, layer) == (0, 6)


def test_no_time_point_without_time(viewer_model):
    assert time_on_screen(viewer_model, add(viewer_model, (10, 20, 30))) is None


def test_place_of_a_volume_among_time_and_channels(viewer_model):
    layer = add(viewer_model, (5, 3, 10, 20, 30), axis_labels=("t", "c", "z", "y", "x"))
    assert data_position(layer, (4, 5, 6), time=2) == (2, 1, 4, 5, 6)


def test_show_place_moves_time_and_slice_but_not_the_channel(viewer_model):
    layer = add(
        viewer_model, (5, 3, 10, 20, 30), axis_labels=("t", "c", "z", "y", "x"),
        scale=(1, 1, 2, 0.5, 0.5),
    )  # fmt: skip
    viewer_model.dims.set_point(1, 0)
    show_place(viewer_model, layer, (4, 5, 6), time=2)
    assert viewer_model.dims.point[:3] == (2, 0, 8)
    assert viewer_model.scene.camera.center[1:] == (2.5, 3.0)


def test_show_place_leaves_3d_display(viewer_model):
    layer = add(viewer_model, (10, 20, 30))
    viewer_model.dims.ndisplay = 3
    show_place(viewer_model, layer, (4, 5, 6))
    assert viewer_model.dims.ndisplay == 2
    assert viewer_model.dims.point[0] == 4


def test_brush_fits_the_kind_of_seeds(viewer_model):
    kinds = {
        viewer_model.add_labels(np.zeros((4, 4), int)): "paint",
        viewer_model.add_points(ndim=2): "add",
        viewer_model.add_shapes(ndim=2): "add_path",
    }
    for layer, mode in kinds.items():
        layer.visible = False
        take_brush(viewer_model, layer)
        assert layer.mode == mode
        assert layer.visible
        assert viewer_model.layers.selection.active is layer


def test_picture_is_drawn_once_on_the_way_to_a_place(viewer_model):
    layer = add(viewer_model, (10, 20, 30), scale=(2, 0.5, 0.5))
    heard = []
    viewer_model.dims.events.point.connect(lambda event: heard.append(viewer_model.dims.point))
    show_place(viewer_model, layer, (4, 6, 8))
    assert heard == [(8.0, 3.0, 4.0)]
