"""Shapes are written into napari's layers in place, and all that a person sees of them stays."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from napari.layers import Image as ImageLayer
from napari.layers import Labels, Shapes
from painting import canvas_position, trace

from napari_seedbed.core.marks.shapes import Shape
from napari_seedbed.errors import InputError
from napari_seedbed.gui.layers.layer_records import accept, is_result
from napari_seedbed.gui.layers.seed_layers import seeds_digest
from napari_seedbed.gui.layers.shape_layers import shapes_of
from napari_seedbed.gui.layers.shape_results import (
    in_use,
    is_snake_shapes,
    label_colors,
    new_shapes_layer,
    origins,
    restore,
    show_shapes,
    take_snapshot,
    write_shapes,
)

TRIANGLE = np.array([[3.0, 4.0], [3.0, 12.0], [11.0, 12.0]])
SQUARE = np.array([[2.0, 3.0], [2.0, 9.0], [8.0, 9.0], [8.0, 3.0]])
TIMED = {"axis_labels": ("t", "z", "y", "x")}
RECORD = {"operation": "elastic_contour", "params": {}}


def picture(shape=(20, 24), **properties):
    return ImageLayer(np.zeros(shape, np.uint8), rgb=False, name="image", **properties)


def on_slice(flat, *places):
    return np.column_stack([*(np.full(len(flat), float(place)) for place in places), flat])


@pytest.fixture
def drawn(viewer_model):
    """An image and three shapes that differ in all that a person can set."""
    image = viewer_model.add_layer(picture())
    layer = Shapes(
        [TRIANGLE, SQUARE, TRIANGLE + 3],
        shape_type=["polygon", "rectangle", "path"],
        features={"label": [4, 9, 2], "note": ["a", "b", "c"]},
        edge_color=["red", "lime", "blue"],
        face_color=["white", "transparent", "black"],
        edge_width=[1, 2, 3],
        z_index=[0, 2, 1],
    )
    viewer_model.add_layer(layer)
    return image, layer


def seen(layer):
    """All that a person sees, without the vertices."""
    return {
        "kinds": list(layer.shape_type),
        "features": layer.features.to_dict("list"),
        "edge": layer.edge_color.tolist(),
        "face": layer.face_color.tolist(),
        "width": list(layer.edge_width),
        "z": [int(z) for z in layer.z_index],
        "selected": set(layer.selected_data),
        "mode": layer.mode,
        "editable": layer.editable,
    }


# New layers


def test_new_shapes_lie_on_the_images_grid(viewer_model):
    image = picture((3, 2, 20, 24), axis_labels=("c", "z", "y", "x"), scale=(1, 5, 2, 2))
    image.translate = (0, 1, 2, 3)
    viewer_model.add_layer(image)
    layer = new_shapes_layer(viewer_model, image)
    assert layer.ndim == 3
    assert tuple(layer.scale) == (5, 2, 2)
    assert tuple(layer.translate) == (1, 2, 3)
    assert layer.axis_labels == ("z", "y", "x")


def test_new_shapes_of_a_series_with_channels_in_the_middle_are_read_back(viewer_model):
    image = viewer_model.add_layer(picture((3, 2, 20, 24), axis_labels=("t", "c", "y", "x")))
    layer = new_shapes_layer(viewer_model, image)
    layer.add(on_slice(TRIANGLE, 2, 0), shape_type="polygon")
    (shape,), _ = shapes_of(layer, image)
    assert shape.time == 2
    np.testing.assert_array_equal(shape.points, TRIANGLE)


def test_new_shapes_layer_is_ready_for_a_lasso(viewer_model):
    layer = new_shapes_layer(viewer_model, viewer_model.add_layer(picture()))
    assert viewer_model.layers.selection.active is layer
    assert layer.mode == "add_polygon_lasso"
    assert is_snake_shapes(layer)


def test_new_shapes_have_no_fill_and_an_edge_that_can_be_seen(viewer_model):
    layer = new_shapes_layer(viewer_model, viewer_model.add_layer(picture((600, 800))))
    layer.add(TRIANGLE, shape_type="polygon")
    assert layer.face_color[0, 3] == 0
    assert layer.edge_width == [2]


def test_each_new_shape_gets_a_label_of_its_own(viewer_model):
    layer = new_shapes_layer(viewer_model, viewer_model.add_layer(picture()))
    for _ in range(3):
        layer.add(TRIANGLE, shape_type="polygon")
    layer.remove([0])
    layer.add(TRIANGLE, shape_type="polygon")
    assert layer.features["label"].tolist() == [2, 3, 4]


def test_a_label_that_a_person_gave_is_not_given_again(viewer_model):
    layer = new_shapes_layer(viewer_model, viewer_model.add_layer(picture()))
    layer.add(TRIANGLE, shape_type="polygon")
    layer.features = {"label": [7]}
    layer.add(TRIANGLE, shape_type="polygon")
    assert layer.features["label"].tolist() == [7, 8]


# Writing in place


@given(
    scale=st.tuples(*[st.floats(0.2, 5)] * 3),
    angle=st.floats(-180, 180),
    shift=st.tuples(*[st.floats(-50, 50)] * 3),
    own=st.tuples(*[st.floats(0.2, 5)] * 3),
)
@settings(max_examples=25, deadline=None)
def test_what_is_written_is_read_back(scale, angle, shift, own):
    image = picture((6, 20, 24), scale=scale, rotate=(0, 0, angle), translate=shift)
    layer = Shapes([on_slice(TRIANGLE, 2)], shape_type="polygon", scale=own)
    moved = on_slice(SQUARE, 4)
    assert write_shapes(layer, [0], [Shape(1, moved)], image) == [0]
    (shape,), _ = shapes_of(layer, image)
    # napari keeps 24 bits of a coordinate of the layer, which may be 700 here
    np.testing.assert_allclose(shape.points, moved, atol=2e-3)


def test_vertices_are_written_in_the_layers_own_units():
    image = picture(scale=(0.5, 0.25), translate=(1, 2), units=("um",) * 2)
    layer = Shapes([TRIANGLE * 100], shape_type="polygon", units=("nm",) * 2)
    write_shapes(layer, [0], [Shape(1, SQUARE)], image)
    wanted = 1000 * (SQUARE * [0.5, 0.25] + [1, 2])
    np.testing.assert_allclose(layer.data[0], wanted, rtol=1e-6)


def test_time_is_written():
    image = picture((3, 6, 20, 24), scale=(10, 1, 1, 1), **TIMED)
    layer = Shapes([on_slice(TRIANGLE, 0, 1)], shape_type="polygon")
    write_shapes(layer, [0], [Shape(1, on_slice(SQUARE, 4), time=2)], image)
    np.testing.assert_array_equal(layer.data[0], on_slice(SQUARE, 20, 4))


def test_flat_shapes_stay_flat(viewer_model):
    image = viewer_model.add_layer(picture((3, 20, 24), axis_labels=("t", "y", "x")))
    layer = Shapes([TRIANGLE], shape_type="polygon")
    write_shapes(layer, [0], [Shape(1, SQUARE, time=2)], image)
    np.testing.assert_array_equal(layer.data[0], SQUARE)


def test_only_the_shapes_written_move(drawn):
    image, layer = drawn
    before = [part.copy() for part in layer.data]
    write_shapes(layer, [1], [Shape(9, SQUARE + 1)], image)
    np.testing.assert_array_equal(layer.data[0], before[0])
    np.testing.assert_array_equal(layer.data[1], SQUARE + 1)
    np.testing.assert_array_equal(layer.data[2], before[2])


@pytest.mark.parametrize("live", [False, True])
def test_all_else_stays_when_shapes_are_written(drawn, live):
    image, layer = drawn
    layer.mode = "direct"
    layer.selected_data = {0, 2}
    before = seen(layer)
    write_shapes(layer, [0], [Shape(4, SQUARE)], image, live=live)
    assert seen(layer) == before


def test_shapes_that_cannot_be_edited_stay_so(drawn):
    image, layer = drawn
    layer.editable = False
    write_shapes(layer, [0], [Shape(4, SQUARE)], image)
    assert not layer.editable


def test_kind_follows_what_the_shape_has_become(drawn):
    image, layer = drawn
    write_shapes(layer, [1, 2], [Shape(9, SQUARE), Shape(2, SQUARE, closed=False)], image)
    assert layer.shape_type == ["polygon", "polygon", "path"]


def test_parts_of_a_split_shape_share_its_features_and_colours(drawn):
    image, layer = drawn
    layer.selected_data = {1}
    parts = [Shape(9, SQUARE), Shape(9, TRIANGLE)]
    assert write_shapes(layer, [1, 1], parts, image) == [1, 3]
    assert layer.features["label"].tolist() == [4, 9, 2, 9]
    assert layer.features["note"].tolist() == ["a", "b", "c", "b"]
    np.testing.assert_array_equal(layer.edge_color[3], layer.edge_color[1])
    assert layer.edge_width == [1, 2, 3, 2]
    assert set(layer.selected_data) == {1}
    np.testing.assert_array_equal(layer.data[3], TRIANGLE)


def test_parts_of_a_shape_without_a_label_feature_stay_one_object(viewer_model):
    image = viewer_model.add_layer(picture())
    layer = viewer_model.add_layer(Shapes([TRIANGLE, SQUARE], shape_type="polygon"))
    write_shapes(layer, [0, 1, 0], [Shape(1, TRIANGLE), Shape(2, SQUARE), Shape(1, SQUARE)], image)
    assert [shape.label for shape in shapes_of(layer, image)[0]] == [1, 2, 1]
    layer.add(TRIANGLE, shape_type="polygon")
    assert list(layer.features["label"]) == [1, 2, 1, 3]


@pytest.mark.parametrize(("given", "kept"), [([4, 9], [4, 9, 5]), (["a", "b"], ["a", "b", "5"])])
def test_shape_of_a_new_object_gets_its_own_label(viewer_model, given, kept):
    image = viewer_model.add_layer(picture())
    layer = Shapes([TRIANGLE, SQUARE], shape_type="polygon", features={"label": given})
    viewer_model.add_layer(layer)
    first, second = shapes_of(layer, image)[0]
    write_shapes(layer, [0, 1, 1], [first, second, Shape(5, SQUARE)], image)
    assert list(layer.features["label"]) == kept


def test_part_of_a_split_shape_lies_on_top_so_that_slices_show_their_own_shapes_alone(viewer_model):
    image = viewer_model.add_layer(picture((4, 20, 24)))
    layer = new_shapes_layer(viewer_model, image)
    for z in range(4):
        layer.add(on_slice(TRIANGLE, z), shape_type="polygon")
    shapes, places = shapes_of(layer, image)
    parts = [*shapes, replace(shapes[0], points=shapes[0].points + np.array([0, 4, 4]))]
    write_shapes(layer, [*places, 0], parts, image)
    assert len(layer.data) == 5
    assert layer.z_index == sorted(layer.z_index)


def test_parts_of_a_split_shape_move_on_where_they_are(drawn):
    image, layer = drawn
    parts = [Shape(9, SQUARE), Shape(9, TRIANGLE)]
    places = write_shapes(layer, [1, 1], parts, image)
    assert write_shapes(layer, places, parts, image) == places
    assert len(layer.data) == 4


def test_place_that_the_layer_does_not_have_is_refused(drawn):
    image, layer = drawn
    with pytest.raises(InputError, match="has 3 shapes, none at place 3"):
        write_shapes(layer, [3], [Shape(1, SQUARE)], image)


def test_live_writing_tells_nobody_that_a_person_edited(drawn):
    image, layer = drawn
    told = Counter()
    layer.events.data.connect(lambda event: told.update(["data"]))
    write_shapes(layer, [0], [Shape(4, SQUARE)], image, live=True)
    assert not told
    write_shapes(layer, [0], [Shape(4, SQUARE)], image)
    assert told


def test_digest_tells_a_persons_edit_from_what_was_written(drawn):
    image, layer = drawn
    write_shapes(layer, [0], [Shape(4, SQUARE)], image)
    written = seeds_digest(layer)
    write_shapes(layer, [0], [Shape(4, SQUARE)], image)
    assert seeds_digest(layer) == written
    layer.data = [layer.data[0] + 0.25, *layer.data[1:]]
    assert seeds_digest(layer) != written


# Which shape goes on from which


def test_shapes_go_on_from_those_of_their_label_slice_and_time():
    def at(label, z, time=0):
        return Shape(label, on_slice(SQUARE, z), time=time)

    before = [at(1, 2), at(2, 2), at(1, 2), at(1, 5), at(1, 2, time=1)]
    after = [at(2, 2), at(1, 2, time=1), at(1, 2), at(1, 2), at(1, 2), at(3, 2), at(1, 4)]
    assert origins(before, [10, 11, 12, 13, 14], after) == [11, 14, 10, 12, 12, None, None]


# Results


def test_shapes_are_shown_in_one_layer_on_the_images_grid(viewer_model):
    image = viewer_model.add_layer(picture(scale=(0.5, 0.25), units=("um",) * 2))
    how = {"name": "contours", "record": RECORD, "slot": "snakes"}
    first = show_shapes(viewer_model, [Shape(3, SQUARE)], image, **how)
    second = show_shapes(viewer_model, [Shape(3, TRIANGLE), Shape(5, SQUARE)], image, **how)
    assert second is first
    assert is_result(first)
    assert tuple(first.scale) == (0.5, 0.25)
    assert first.features["label"].tolist() == [3, 5]
    np.testing.assert_array_equal(first.data[0], TRIANGLE)


def test_result_cannot_be_edited_until_it_is_accepted(viewer_model):
    image = viewer_model.add_layer(picture())
    how = {"name": "contours", "record": RECORD, "slot": "snakes"}
    layer = show_shapes(viewer_model, [Shape(3, SQUARE)], image, **how)
    assert not layer.editable
    accept(layer)
    assert layer.editable
    assert show_shapes(viewer_model, [Shape(3, SQUARE)], image, **how) is not layer


def test_result_may_become_empty_and_come_back(viewer_model):
    image = viewer_model.add_layer(picture((6, 20, 24)))
    how = {"name": "contours", "record": RECORD, "slot": "snakes"}
    shapes = [Shape(3, on_slice(SQUARE, 2)), Shape(4, on_slice(SQUARE, 3))]
    layer = show_shapes(viewer_model, shapes, image, **how)
    show_shapes(viewer_model, [], image, **how)
    assert not layer.data
    assert not len(layer.features)
    show_shapes(viewer_model, shapes[:1], image, **how)
    assert layer.features["label"].tolist() == [3]


def test_shapes_are_shown_over_images_and_labels_and_the_selection_stays(viewer_model):
    image = viewer_model.add_layer(picture())
    viewer_model.add_layer(Labels(np.zeros((20, 24), int), name="labels"))
    mine = new_shapes_layer(viewer_model, image)
    how = {"name": "contours", "record": RECORD, "slot": "snakes"}
    show_shapes(viewer_model, [Shape(3, SQUARE)], image, **how)
    names = [layer.name for layer in viewer_model.layers]
    assert names == ["image", "labels", "contours", "shapes of image"]
    assert viewer_model.layers.selection.active is mine


def test_outlines_have_the_colours_of_the_labels():
    labels = Labels(np.zeros((4, 4), int))
    wanted = [labels.get_color(label) for label in (1, 2, 49, 50, 1000)]
    np.testing.assert_allclose(label_colors(np.array([1, 2, 49, 50, 1000])), wanted, atol=1e-6)


# Snapshots


@pytest.mark.parametrize("live", [False, True])
def test_snapshot_brings_back_all_that_a_person_sees(drawn, live):
    image, layer = drawn
    layer.selected_data = {1}
    before, vertices = seen(layer), [part.copy() for part in layer.data]
    snapshot = take_snapshot(layer)
    write_shapes(layer, [0, 0], [Shape(4, SQUARE + 5), Shape(4, SQUARE)], image)
    layer.edge_color = "cyan"
    layer.edge_width = 9
    layer.features = {"label": [1, 2, 3, 4]}
    layer.selected_data = {2}
    layer.remove([1])
    restore(layer, snapshot, live=live)
    assert seen(layer) == before
    for now, then in zip(layer.data, vertices, strict=True):
        np.testing.assert_array_equal(now, then)


def test_snapshot_is_not_touched_by_later_changes(drawn):
    _, layer = drawn
    snapshot = take_snapshot(layer)
    restore(layer, snapshot)
    layer.data[0][:] = 0
    layer.features.loc[0, "label"] = 99
    restore(layer, snapshot)
    np.testing.assert_array_equal(layer.data[0], TRIANGLE)
    assert layer.features["label"].tolist() == [4, 9, 2]


def test_snapshot_of_an_empty_layer_empties_it_again(viewer_model):
    layer = new_shapes_layer(viewer_model, viewer_model.add_layer(picture()))
    snapshot = take_snapshot(layer)
    layer.add(TRIANGLE, shape_type="polygon")
    restore(layer, snapshot)
    assert not layer.data
    assert not len(layer.features)
    layer.add(TRIANGLE, shape_type="polygon")
    assert layer.features["label"].tolist() == [1]


def test_snapshot_keeps_colours_that_follow_a_feature():
    layer = Shapes(
        [TRIANGLE, SQUARE],
        shape_type="polygon",
        features={"label": ["a", "b"]},
        edge_color="label",
        edge_color_cycle=["red", "blue"],
    )
    snapshot, colors = take_snapshot(layer), layer.edge_color.copy()
    layer.remove([0])
    restore(layer, snapshot)
    assert layer.edge_color_mode == "cycle"
    np.testing.assert_array_equal(layer.edge_color, colors)


def test_restored_layer_takes_shapes_as_before(drawn):
    _, layer = drawn
    restore(layer, take_snapshot(layer))
    layer.add(TRIANGLE, shape_type="polygon")
    assert len(layer.features) == 4
    assert len(layer.edge_color) == 4


# In a window


@pytest.fixture
def window(make_napari_viewer, qtbot):
    viewer = make_napari_viewer(show=True)
    viewer.add_image(np.zeros((5, 120, 160), np.uint8), scale=(2, 0.5, 0.5), translate=(1, 2, 3))
    layer = new_shapes_layer(viewer, viewer.layers[0])
    viewer.dims.set_point(0, 7)
    qtbot.wait(50)
    return viewer, layer


def lasso(viewer, layer, corners):
    trace(viewer, [layer.data_to_world(corner) for corner in corners], steps=8)


SQUARE_ON_SCREEN = on_slice([[25.0, 35], [25, 95], [85, 95], [85, 35]], 3)
BOX = on_slice([[30.0, 40], [30, 110], [90, 110], [90, 40], [32, 40]], 3)


def test_outline_drawn_with_the_mouse_arrives_on_its_voxels(window):
    viewer, layer = window
    lasso(viewer, layer, BOX)
    (shape,), _ = shapes_of(layer, viewer.layers[0], "slice", viewer=viewer)
    assert shape.closed
    assert set(shape.points[:, 0]) == {3.0}
    # the nearest half screen pixel, and napari leaves out what bends less than half a voxel
    for corner in BOX[:4]:
        assert np.abs(shape.points - corner).max(axis=1).min() < 1.5
    np.testing.assert_allclose(shape.points.min(axis=0), (3, 30, 40), atol=1.5)
    np.testing.assert_allclose(shape.points.max(axis=0), (3, 90, 110), atol=1.5)


def test_shape_that_is_being_drawn_is_left_alone(window):
    viewer, layer = window
    image = viewer.layers[0]
    lasso(viewer, layer, BOX)
    assert not in_use(layer)
    layer.mode = "add_polygon"
    trace(viewer, [layer.data_to_world((3, 10, 10))] * 2, steps=1)
    trace(viewer, [layer.data_to_world((3, 10, 30))] * 2, steps=1)
    assert in_use(layer)
    assert write_shapes(layer, [0], [Shape(1, on_slice(SQUARE, 3))], image) is None
    assert in_use(layer)


def test_shape_that_is_held_is_left_alone_from_press_to_release(window):
    viewer, layer = window
    lasso(viewer, layer, BOX)
    layer.mode = "select"
    held = []

    def spy(layer, event):
        held.append((event.type, in_use(layer)))
        yield
        while event.type == "mouse_move":
            held.append((event.type, in_use(layer)))
            yield

    layer.mouse_drag_callbacks.append(spy)
    trace(viewer, [layer.data_to_world((3, *place)) for place in ((60, 60), (64, 66))])
    assert held[0] == ("mouse_press", True)
    assert ("mouse_move", True) in held
    assert all(used for _, used in held)
    assert not in_use(layer)


def test_written_shapes_are_on_screen(window):
    viewer, layer = window
    lasso(viewer, layer, BOX)
    layer.selected_data = set()
    layer.edge_width = 4.0
    write_shapes(layer, [0], [Shape(1, SQUARE_ON_SCREEN)], viewer.layers[0], live=True)
    shown = viewer.screenshot(canvas_only=True, flash=False)

    def brightness(*place):
        pixel = canvas_position(viewer, layer.data_to_world(place))
        return int(shown[round(pixel.y()), round(pixel.x()), :3].max())

    assert brightness(3, 25, 60) > 200
    assert brightness(3, 90, 75) < 50
