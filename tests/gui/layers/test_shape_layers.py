"""Shapes drawn in any layer and transform become shapes on the image's grid, and come back."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from napari.layers import Image as ImageLayer
from napari.layers import Shapes

from napari_seedbed.errors import InputError
from napari_seedbed.gui.layers.shape_layers import shapes_of

SHAPE = (6, 20, 24)
TIMED = {"axis_labels": ("t", "z", "y", "x")}
TRIANGLE = np.array([[3.0, 4.0], [3.0, 12.0], [11.0, 12.0]])
# napari keeps vertices as float32: 24 bits of a coordinate
FLOAT32 = 1e-5


def picture(shape=SHAPE, **properties):
    return ImageLayer(np.zeros(shape, np.uint8), rgb=False, name="image", **properties)


def on_slice(flat, *places):
    """The same polygon with coordinates for the axes before y and x."""
    return np.column_stack([*(np.full(len(flat), float(place)) for place in places), flat])


def drawn(*shapes, kind="polygon", **properties):
    return Shapes(list(shapes), shape_type=kind, name="drawn", **properties)


def only(layer, image, *args, **keywords):
    (shape,), (index,) = shapes_of(layer, image, *args, **keywords)
    assert index == 0
    return shape


# Where they lie


def test_polygon_on_the_images_grid_keeps_its_corners():
    shape = only(drawn(on_slice(TRIANGLE, 2)), picture())
    np.testing.assert_array_equal(shape.points, on_slice(TRIANGLE, 2))
    assert shape.closed
    assert shape.time == 0


def test_translate_of_both_layers_counts():
    layer = drawn(on_slice(TRIANGLE, 2), translate=(3, 10, 20))
    shape = only(layer, picture(translate=(1, 6, 22)))
    np.testing.assert_allclose(shape.points, on_slice(np.add(TRIANGLE, (4, -2)), 4), atol=1e-9)


def test_shapes_in_the_world_are_divided_by_an_anisotropic_voxel_size():
    layer = drawn(on_slice(TRIANGLE, 6))
    shape = only(layer, picture(scale=(2, 0.5, 4)))
    np.testing.assert_allclose(shape.points, on_slice(TRIANGLE * [2, 0.25], 3), atol=1e-9)


def test_rotation_by_a_right_angle_swaps_the_axes():
    # turned by 90 degrees the voxel (y, x) lies at (-x, y) in the world
    y, x = TRIANGLE.T
    shape = only(drawn(np.column_stack([-x, y])), picture((20, 24), rotate=90))
    np.testing.assert_allclose(shape.points, TRIANGLE, atol=1e-9)


def test_nanometres_meet_micrometres():
    layer = drawn(on_slice(TRIANGLE * 500, 2000), units=("nm",) * 3)
    shape = only(layer, picture(scale=(1, 0.5, 0.5), units=("um",) * 3))
    np.testing.assert_allclose(shape.points, on_slice(TRIANGLE, 2), atol=1e-9)


@given(
    scale=st.tuples(*[st.floats(0.2, 5)] * 3),
    angle=st.floats(-180, 180),
    shift=st.tuples(*[st.floats(-50, 50)] * 3),
)
@settings(max_examples=25, deadline=None)
def test_what_lies_on_a_voxel_in_the_world_lies_there_in_the_image(scale, angle, shift):
    image = picture(scale=scale, rotate=(0, 0, angle), translate=shift)
    wanted = on_slice(TRIANGLE, 2)
    layer = drawn([image.data_to_world(tuple(point)) for point in wanted])
    np.testing.assert_allclose(only(layer, image).points, wanted, atol=1e-3)


def test_shape_lies_on_its_slice_to_the_last_bit():
    layer = drawn(on_slice(TRIANGLE, 2.2))
    assert set(only(layer, picture()).points[:, 0]) == {2.0}


def test_shape_may_lie_on_a_slice_across_another_axis():
    corners = np.array([[0, 7.0, 4], [4, 7, 4], [4, 7, 12]])
    np.testing.assert_array_equal(only(drawn(corners), picture()).points, corners)


# What they are


def test_rectangle_is_closed():
    box = np.array([[2.0, 3], [2, 9], [7, 9], [7, 3]])
    shape = only(drawn(box, kind="rectangle"), picture((20, 24)))
    np.testing.assert_array_equal(shape.points, box)
    assert shape.closed


def test_corners_of_an_ellipse_lie_on_it():
    box = np.array([[2.0, 4], [2, 16], [12, 16], [12, 4]])
    y, x = only(drawn(box, kind="ellipse"), picture((20, 24))).points.T
    np.testing.assert_allclose(((y - 7) / 5) ** 2 + ((x - 10) / 6) ** 2, 1)
    assert len(y) >= 32


@pytest.mark.parametrize("kind", ["path", "line"])
def test_paths_and_lines_are_open(kind):
    assert not only(drawn(TRIANGLE[:2], kind=kind), picture((20, 24))).closed


def test_first_corner_of_a_closed_outline_is_not_repeated():
    closed = np.vstack([TRIANGLE, TRIANGLE[:1]])
    np.testing.assert_array_equal(only(drawn(closed), picture((20, 24))).points, TRIANGLE)


def test_labels_are_the_numbers_of_the_shapes():
    shapes, indices = shapes_of(drawn(TRIANGLE, TRIANGLE + 2), picture((20, 24)))
    assert [shape.label for shape in shapes] == [1, 2]
    assert indices == [0, 1]


def test_label_feature_gives_the_labels():
    layer = drawn(TRIANGLE, TRIANGLE + 2, features={"label": [7, 3]})
    assert [shape.label for shape in shapes_of(layer, picture((20, 24)))[0]] == [7, 3]


def test_labels_that_are_words_are_numbered():
    layer = drawn(TRIANGLE, TRIANGLE + 2, features={"label": ["nucleus", "cell"]})
    assert [shape.label for shape in shapes_of(layer, picture((20, 24)))[0]] == [2, 1]


@pytest.mark.parametrize("label", [0, -1])
def test_label_that_is_not_above_zero_is_refused(label):
    layer = drawn(TRIANGLE, TRIANGLE, features={"label": [1, label]})
    with pytest.raises(InputError, match=f"Shape number 2 of 'drawn' has the label {label}"):
        shapes_of(layer, picture((20, 24)))


# Time, channels, missing axes


def test_time_comes_from_the_layers_time_axis():
    layer = drawn(on_slice(TRIANGLE, 2, 3), scale=(0.5, 1, 1, 1))
    shape = only(layer, picture((3, *SHAPE), **TIMED))
    assert shape.time == 1
    np.testing.assert_array_equal(shape.points, on_slice(TRIANGLE, 3))


def test_layer_without_time_is_read_at_the_time_on_screen(viewer_model):
    image = viewer_model.add_layer(picture((3, *SHAPE), **TIMED))
    layer = viewer_model.add_layer(drawn(on_slice(TRIANGLE, 3)))
    viewer_model.dims.set_point(0, 2)
    assert only(layer, image, viewer=viewer_model).time == 2
    assert only(layer, image).time == 0


def test_time_axis_can_be_named_where_labels_do_not_say_so(viewer_model):
    image = viewer_model.add_layer(picture((3, *SHAPE)))
    layer = viewer_model.add_layer(drawn(on_slice(TRIANGLE, 1, 3)))
    assert only(layer, image, time_axis=0, viewer=viewer_model).time == 1


def test_channel_that_was_on_screen_does_not_matter():
    image = picture((3, 2, 20, 24), axis_labels=("t", "c", "y", "x"))
    shape = only(drawn(on_slice(TRIANGLE, 2, 1)), image)
    assert shape.time == 2
    np.testing.assert_array_equal(shape.points, TRIANGLE)


def test_flat_shapes_over_a_volume_lie_on_the_slice_on_screen(viewer_model):
    image = viewer_model.add_layer(picture(scale=(2, 1, 1), translate=(10, 0, 0)))
    layer = viewer_model.add_layer(drawn(TRIANGLE))
    viewer_model.dims.set_point(0, 16)
    np.testing.assert_array_equal(
        only(layer, image, viewer=viewer_model).points, on_slice(TRIANGLE, 3)
    )


def test_flat_shapes_over_a_volume_are_refused_without_a_view(viewer_model):
    with pytest.raises(InputError, match="'drawn' has no z axis"):
        shapes_of(drawn(TRIANGLE), picture())


def test_flat_shapes_over_slices_that_are_turned_are_refused(viewer_model):
    image = viewer_model.add_layer(picture(rotate=(0, 90, 0)))
    layer = viewer_model.add_layer(drawn(TRIANGLE))
    with pytest.raises(InputError, match="turned out of its plane"):
        shapes_of(layer, image, viewer=viewer_model)


def test_layer_with_more_axes_than_the_image_is_refused():
    with pytest.raises(InputError, match="has 3 axes and the image 'image' has 2"):
        shapes_of(drawn(on_slice(TRIANGLE, 1)), picture((20, 24)))


# Which of them


@pytest.fixture
def series(viewer_model):
    """A series of volumes, and shapes at (time, slice) (0, 1), (0, 3), (2, 3)."""
    image = viewer_model.add_layer(picture((3, *SHAPE), **TIMED))
    places = [(0, 1), (0, 3), (2, 3)]
    layer = viewer_model.add_layer(drawn(*(on_slice(TRIANGLE, *place) for place in places)))
    return viewer_model, image, layer


def test_selected_shapes_are_those_selected(series):
    _, image, layer = series
    layer.selected_data = {2, 1}
    shapes, indices = shapes_of(layer, image, "selected")
    assert indices == [1, 2]
    assert [shape.label for shape in shapes] == [2, 3]


def test_shapes_on_screen_are_those_on_the_slice_and_at_the_time(series):
    viewer, image, layer = series
    viewer.dims.set_point((0, 1), (2, 3))
    assert shapes_of(layer, image, "slice", viewer=viewer)[1] == [2]
    viewer.dims.set_point(0, 0)
    assert shapes_of(layer, image, "slice", viewer=viewer)[1] == [1]


def test_all_shapes_of_a_flat_image_are_on_screen(viewer_model):
    image = viewer_model.add_layer(picture((20, 24)))
    layer = viewer_model.add_layer(drawn(TRIANGLE, TRIANGLE + 1))
    assert shapes_of(layer, image, "slice", viewer=viewer_model)[1] == [0, 1]


def test_tilted_shape_elsewhere_does_not_matter_to_the_slice_on_screen(viewer_model):
    image = viewer_model.add_layer(picture())
    tilted = np.column_stack([[1, 1, 4], TRIANGLE])
    layer = viewer_model.add_layer(drawn(tilted, on_slice(TRIANGLE, 1)))
    viewer_model.dims.set_point(0, 1)
    assert shapes_of(layer, image, "slice", viewer=viewer_model)[1] == [1]


def test_empty_layer_is_refused():
    with pytest.raises(InputError, match="draw a shape first"):
        shapes_of(Shapes(ndim=3), picture())


def test_nothing_selected_is_refused():
    with pytest.raises(InputError, match="No shape of 'drawn' is selected"):
        shapes_of(drawn(on_slice(TRIANGLE, 1)), picture(), "selected")


def test_nothing_on_this_slice_is_refused(series):
    viewer, image, layer = series
    viewer.dims.set_point((0, 1), (1, 3))
    with pytest.raises(InputError, match="'drawn' lies on slice 3 at time point 1"):
        shapes_of(layer, image, "slice", viewer=viewer)


def test_slice_is_refused_in_3d_display(series):
    viewer, image, layer = series
    viewer.dims.ndisplay = 3
    with pytest.raises(InputError, match="no slice on screen"):
        shapes_of(layer, image, "slice", viewer=viewer)


# What cannot be used


def test_shape_across_slices_is_refused():
    tilted = np.column_stack([[1, 1, 4], TRIANGLE])
    with pytest.raises(InputError, match=r"Shape number 1 of 'drawn' spans several slices.*1\.0 "):
        shapes_of(drawn(tilted), picture())


def test_shape_across_time_points_is_refused():
    spanning = np.column_stack([[0, 0, 1], [2, 2, 2], TRIANGLE])
    with pytest.raises(InputError, match="number 1 of 'drawn' spans the time points 0 to 1"):
        shapes_of(drawn(spanning), picture((3, *SHAPE), **TIMED))


def test_shape_outside_says_where():
    with pytest.raises(InputError, match=r"number 2 of 'drawn' lies outside .*\(2\.0, 43\.0, 4\.0"):
        shapes_of(drawn(on_slice(TRIANGLE, 2), on_slice(np.add(TRIANGLE, (40, 0)), 2)), picture())


def test_shape_that_reaches_out_of_the_image_is_taken():
    far = TRIANGLE - [6, 0]
    np.testing.assert_array_equal(only(drawn(far), picture((20, 24))).points, far)


def test_shape_after_the_last_time_point_is_refused():
    with pytest.raises(InputError, match="at time point 5; the image has 3"):
        shapes_of(drawn(on_slice(TRIANGLE, 5, 2)), picture((3, *SHAPE), **TIMED))


def test_points_that_are_not_finite_are_refused():
    layer = drawn(TRIANGLE, [[1, 1], [np.nan, 2], [3, 3]], kind="path")
    with pytest.raises(InputError, match="number 2 of 'drawn' has points that are not finite"):
        shapes_of(layer, picture((20, 24)))
