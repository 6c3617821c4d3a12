"""Snakes are seen in the right layers, and the history brings back what shapes were."""

import numpy as np
import pytest
from napari.layers import Image as ImageLayer
from napari.layers import Labels, Shapes

from napari_seedbed.core.marks.shapes import Shape
from napari_seedbed.core.progress import Moving
from napari_seedbed.gui.layers.image_layers import image_from_layers
from napari_seedbed.gui.layers.layer_records import is_result
from napari_seedbed.gui.layers.seed_layers import seeds_digest
from napari_seedbed.gui.layers.shape_layers import shapes_of
from napari_seedbed.gui.tools.snakes.snakes_results import Scene, ShapeHistory, SnakeLayers
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.data.shapes import Shapes as DrawnShapes
from napari_seedbed.pipeline.operations import Result

SQUARE = np.array([[2.0, 3.0], [2.0, 9.0], [8.0, 9.0], [8.0, 3.0]])
MOVED = SQUARE + np.array([1.0, 2.0])
RECORD = {"operation": "region_surface", "parameters": {}, "notes": ["Stopped."]}
FLAT, VOLUME, FILM = (20, 24), (4, 20, 24), (3, 20, 24)


def on(flat, *leading):
    return np.insert(flat, [0] * len(leading), leading, axis=1)


class Stage:
    """A viewer with an image and two squares, and the layers of snakes."""

    def __init__(self, viewer, shape=FLAT, leading=((),) * 2, **layer):
        self.viewer = viewer
        self.image = viewer.add_layer(
            ImageLayer(np.zeros(shape, np.uint8), rgb=False, name="image", **layer)
        )
        self.drawn = viewer.add_layer(
            Shapes(
                [on(SQUARE, *leading[0]), on(SQUARE + 9, *leading[1])],
                shape_type="polygon",
                features={"label": [4, 7]},
                name="drawn",
            )
        )
        self.layers = SnakeLayers(viewer)
        self.history = ShapeHistory(viewer)

    def begin(self, mode, in_place=True, which=(0, 1), start=None, goes_on=False):
        """A run of some shapes."""
        shapes, indices = shapes_of(self.drawn, self.image)
        scene = Scene(
            image=self.image,
            start=start or self.drawn,
            shapes=[] if start else [shapes[i] for i in which],
            indices=[] if start else [indices[i] for i in which],
            n_shapes=0 if start else len(shapes),
            mode=mode,
            in_place=in_place,
            grid=image_from_layers(self.image),
        )
        self.layers.begin(scene, goes_on=goes_on)
        return scene

    def labels(self):
        return next((layer for layer in self.viewer.layers if layer.name == "image snakes"), None)

    def shapes(self):
        return next((layer for layer in self.viewer.layers if layer.name == "image outlines"), None)


@pytest.fixture
def stage(viewer_model):
    return Stage(viewer_model)


def moving(shapes, labels=None, time=0, axis=None, index=None):
    return Moving(shapes, labels, time, axis, index, 1, 0.5)


def result(labels, shapes=None):
    """What a run gives; labels (..., y, x)."""
    axes = {2: ("y", "x"), 3: ("z", "y", "x")}[labels.ndim]
    outputs = {"labels": Image(labels.astype(np.int32), axes)}
    if shapes is not None:
        outputs["shapes"] = DrawnShapes(tuple(shapes))
    return Result(outputs, RECORD)


def filled(shape=FLAT, value=4):
    labels = np.zeros(shape, np.int32)
    labels[..., 3:9, 5:11] = value
    return labels


# On the way


def test_shapes_move_in_the_layer_that_is_updated(stage):
    stage.begin("update")
    stage.layers.show_moving(moving([Shape(4, MOVED), Shape(7, SQUARE + 9)]))
    np.testing.assert_array_equal(stage.drawn.data[0], MOVED)
    np.testing.assert_array_equal(stage.drawn.data[1], SQUARE + 9)
    assert stage.labels() is None
    assert stage.shapes() is None


def test_shapes_that_do_not_run_stay(stage):
    stage.begin("update", which=(1,))
    stage.layers.show_moving(moving([Shape(7, MOVED)]))
    np.testing.assert_array_equal(stage.drawn.data[0], SQUARE)
    np.testing.assert_array_equal(stage.drawn.data[1], MOVED)


def test_pieces_are_seen_at_the_end_and_not_on_the_way(stage):
    stage.begin("update")
    pieces = [Shape(4, MOVED), Shape(4, SQUARE), Shape(7, SQUARE + 9)]
    stage.layers.show_moving(moving(pieces))
    assert len(stage.drawn.data) == 2
    stage.layers.finish(result(filled(), pieces))
    assert len(stage.drawn.data) == 3
    assert list(stage.drawn.features["label"]) == [4, 7, 4]


def test_slices_move_one_after_the_other(viewer_model):
    stage = Stage(viewer_model, VOLUME, leading=((1,), (3,)))
    stage.begin("update")
    stage.layers.show_moving(moving([Shape(4, on(MOVED, 1))], axis=0, index=1))
    np.testing.assert_array_equal(stage.drawn.data[0], on(MOVED, 1))
    np.testing.assert_array_equal(stage.drawn.data[1], on(SQUARE + 9, 3))
    stage.layers.show_moving(moving([Shape(7, on(MOVED, 3))], axis=0, index=3))
    np.testing.assert_array_equal(stage.drawn.data[0], on(MOVED, 1))
    np.testing.assert_array_equal(stage.drawn.data[1], on(MOVED, 3))


def test_new_outlines_hold_all_slices_while_one_moves(viewer_model):
    stage = Stage(viewer_model, VOLUME, leading=((1,), (3,)))
    stage.begin("shapes")
    stage.layers.show_moving(moving([Shape(4, on(MOVED, 1))], axis=0, index=1))
    np.testing.assert_array_equal(stage.shapes().data[0], on(MOVED, 1))
    np.testing.assert_array_equal(stage.shapes().data[1], on(SQUARE + 9, 3))
    np.testing.assert_array_equal(stage.drawn.data[0], on(SQUARE, 1))


def test_labels_are_written_on_their_slice(viewer_model):
    stage = Stage(viewer_model, VOLUME, leading=((1,), (3,)))
    stage.begin("labels")
    stage.layers.show_moving(moving([], filled(), axis=0, index=1))
    assert stage.labels().data[1].any()
    assert not np.delete(stage.labels().data, 1, axis=0).any()


def test_labels_are_written_at_their_time_point(viewer_model):
    stage = Stage(viewer_model, FILM, ((1,), (2,)), axis_labels=("t", "y", "x"))
    stage.begin("labels", in_place=False)
    stage.layers.show_moving(moving([], filled(), time=2))
    assert stage.labels().data[2].any()
    assert not stage.labels().data[:2].any()


@pytest.mark.parametrize("mode", ["update", "shapes"])
def test_what_does_not_stay_on_its_slice_is_seen_as_labels_until_the_end(viewer_model, mode):
    stage = Stage(viewer_model, VOLUME, leading=((1,), (3,)))
    stage.begin(mode, in_place=False)
    stage.layers.show_moving(moving([], filled(VOLUME)))
    np.testing.assert_array_equal(stage.labels().data, filled(VOLUME))
    stage.layers.finish(result(filled(VOLUME), [Shape(4, on(MOVED, z)) for z in range(4)]))
    if mode == "shapes":
        assert stage.labels() is None
        shown = stage.shapes().data
        assert sorted(part[0, 0] for part in shown if part[0, 1] == 3) == [0, 1, 2, 3]
    else:
        np.testing.assert_array_equal(stage.labels().data, filled(VOLUME))
        np.testing.assert_array_equal(stage.drawn.data[0], on(MOVED, 1))
        assert len(stage.drawn.data) == 2


def test_result_of_an_earlier_run_is_cleared_first(stage):
    stage.begin("labels")
    stage.layers.finish(result(filled()))
    stage.begin("labels")
    assert not stage.labels().data.any()


def test_picture_that_comes_after_the_end_changes_nothing(stage):
    stage.begin("update")
    stage.layers.stop()
    stage.layers.show_moving(moving([Shape(4, MOVED)]))
    np.testing.assert_array_equal(stage.drawn.data[0], SQUARE)


def test_picture_without_its_image_changes_nothing(stage):
    stage.begin("update")
    stage.viewer.layers.remove(stage.image)
    stage.layers.show_moving(moving([Shape(4, MOVED)]))
    stage.layers.finish(result(filled(), [Shape(4, MOVED)]))
    np.testing.assert_array_equal(stage.drawn.data[0], SQUARE)


# Editing


@pytest.mark.parametrize("mode", ["update", "shapes", "labels"])
def test_what_moves_cannot_be_edited_until_it_is_held(stage, mode):
    stage.begin(mode)
    stage.layers.show_moving(moving([Shape(4, MOVED), Shape(7, SQUARE + 9)], filled()))
    shown = stage.layers.editable_layer()
    assert (
        shown is {"update": stage.drawn, "shapes": stage.shapes(), "labels": stage.labels()}[mode]
    )
    assert not shown.editable
    stage.layers.hold()
    assert shown.editable
    assert stage.viewer.layers.selection.active is shown
    stage.layers.release()
    assert not shown.editable
    stage.layers.stop()
    assert shown.editable


def test_held_shapes_have_their_corners_at_hand(stage):
    stage.begin("update")
    stage.layers.hold()
    assert stage.drawn.mode == "direct"


def test_edit_is_noticed(stage):
    stage.begin("update")
    stage.layers.hold()
    assert not stage.layers.is_edited()
    stage.drawn.selected_data = {0}
    assert not stage.layers.is_edited()
    stage.drawn.data = [MOVED, SQUARE + 9]
    assert stage.layers.is_edited()


def test_painted_labels_are_noticed(stage):
    stage.begin("labels")
    stage.layers.hold()
    assert not stage.layers.is_edited()
    stage.labels().data_setitem((np.array([1]), np.array([1])), 4)
    assert stage.layers.is_edited()


def test_removed_layer_is_no_edit(stage):
    stage.begin("labels")
    stage.layers.hold()
    stage.viewer.layers.remove(stage.labels())
    assert stage.layers.editable_layer() is None
    assert not stage.layers.is_edited()


def test_deleted_shape_disturbs_a_run_that_updates(stage):
    stage.begin("update")
    assert not stage.layers.is_disturbed()
    stage.drawn.selected_data = {0}
    stage.drawn.remove_selected()
    assert stage.layers.is_disturbed()


def test_deleted_shape_does_not_matter_to_other_results(stage):
    stage.begin("labels")
    stage.drawn.selected_data = {0}
    stage.drawn.remove_selected()
    assert not stage.layers.is_disturbed()


# The end


def test_updated_shapes_keep_what_told_where_they_are_drawn(stage):
    stage.drawn.metadata["napari_seedbed"] = {"kind": "snake shapes"}
    stage.begin("update")
    stage.layers.finish(result(filled(), [Shape(4, MOVED), Shape(7, SQUARE + 9)]))
    kept = stage.drawn.metadata["napari_seedbed"]
    assert kept["kind"] == "snake shapes"
    assert kept["operation"] == "region_surface"


def test_lost_shape_is_as_it_was_drawn(stage):
    stage.begin("update")
    stage.layers.show_moving(moving([Shape(4, MOVED), Shape(7, SQUARE + 10)]))
    stage.layers.finish(result(filled(), [Shape(4, MOVED)]))
    np.testing.assert_array_equal(stage.drawn.data[1], SQUARE + 9)


def test_result_layers_can_be_edited_after_the_end_and_are_locked(stage):
    stage.begin("both")
    assert not stage.labels().locked
    stage.layers.finish(result(filled(), [Shape(4, MOVED)]))
    assert stage.labels().editable
    assert stage.shapes().editable
    assert stage.labels().locked
    assert stage.shapes().locked


def test_failure_takes_away_what_is_empty(stage):
    stage.begin("labels")
    stage.layers.fail()
    assert stage.labels() is None


def test_failure_leaves_what_was_found(stage):
    stage.begin("labels")
    stage.layers.show_moving(moving([], filled()))
    stage.layers.fail()
    assert stage.labels().data.any()


def test_untouched_result_is_used_again(stage):
    stage.begin("labels")
    stage.layers.finish(result(filled()))
    first = stage.labels()
    stage.begin("labels")
    stage.layers.finish(result(filled(value=7)))
    assert [layer for layer in stage.viewer.layers if isinstance(layer, Labels)] == [first]
    assert first.data.max() == 7


def test_painted_result_is_left_alone(stage):
    stage.begin("labels")
    stage.layers.finish(result(filled()))
    first = stage.labels()
    first.data_setitem((np.array([1]), np.array([1])), 9)
    before = seeds_digest(first)
    stage.begin("labels")
    stage.layers.finish(result(filled(value=7)))
    assert seeds_digest(first) == before
    assert len([layer for layer in stage.viewer.layers if isinstance(layer, Labels)]) == 2


def test_result_that_a_run_starts_from_is_left_alone(stage):
    stage.begin("labels")
    stage.layers.finish(result(filled()))
    first = stage.labels()
    before = seeds_digest(first)
    stage.begin("labels", start=first)
    stage.layers.finish(result(filled(value=7)))
    assert seeds_digest(first) == before


def test_result_that_is_edited_in_a_pause_goes_on_in_the_same_layer(stage):
    stage.begin("labels")
    stage.layers.show_moving(moving([], filled()))
    stage.layers.hold()
    layer = stage.labels()
    layer.data_setitem((np.array([1]), np.array([1])), 4)
    stage.begin("labels", goes_on=True)
    stage.layers.finish(result(filled(value=7)))
    assert [other for other in stage.viewer.layers if isinstance(other, Labels)] == [layer]


# History


def run_to(stage, flat):
    """What a run does to the first shape."""
    stage.history.begin()
    stage.history.remember(stage.drawn)
    set_first(stage, flat)


def set_first(stage, flat):
    stage.drawn.data = [flat, *stage.drawn.data[1:]]


def first(stage):
    return stage.drawn.data[0]


def test_nothing_to_go_back_to(stage):
    assert not stage.history.can_undo()
    assert not stage.history.can_reset()
    assert stage.history.undo() == ""
    assert stage.history.reset() == ""


def test_undo_goes_back_run_by_run(stage):
    run_to(stage, MOVED)
    run_to(stage, MOVED + 1)
    assert stage.history.undo() == "drawn"
    np.testing.assert_array_equal(first(stage), MOVED)
    assert stage.history.undo() == "drawn"
    np.testing.assert_array_equal(first(stage), SQUARE)
    assert not stage.history.can_undo()


def test_reset_goes_back_over_the_edits_of_a_run(stage):
    run_to(stage, MOVED)
    run_to(stage, MOVED + 1)
    stage.history.remember(stage.drawn)  # goes on from an edit
    set_first(stage, MOVED + 2)
    assert stage.history.reset() == "drawn"
    np.testing.assert_array_equal(first(stage), MOVED)
    assert not stage.history.can_reset()
    assert stage.history.can_undo()


def test_run_that_remembers_nothing_cannot_be_reset(stage):
    run_to(stage, MOVED)
    stage.history.begin()
    assert not stage.history.can_reset()
    assert stage.history.reset() == ""
    np.testing.assert_array_equal(first(stage), MOVED)


def test_removed_layer_is_passed_over(stage):
    run_to(stage, MOVED)
    other = stage.viewer.add_layer(Shapes([SQUARE], shape_type="polygon"))
    stage.history.begin()
    stage.history.remember(other)
    stage.viewer.layers.remove(other)
    assert stage.history.undo() == "drawn"
    np.testing.assert_array_equal(first(stage), SQUARE)


def test_reset_does_not_reach_past_a_removed_layer(stage):
    run_to(stage, MOVED)
    other = stage.viewer.add_layer(Shapes([SQUARE], shape_type="polygon"))
    stage.history.begin()
    stage.history.remember(other)
    stage.viewer.layers.remove(other)
    assert stage.history.reset() == ""
    np.testing.assert_array_equal(first(stage), MOVED)


def test_run_without_effect_is_forgotten(stage):
    stage.history.begin()
    stage.history.remember(stage.drawn)
    stage.history.forget_unchanged()
    assert not stage.history.can_undo()


def test_run_with_effect_is_not_forgotten(stage):
    run_to(stage, MOVED)
    stage.history.forget_unchanged()
    assert stage.history.can_undo()


def test_undo_brings_back_kinds_labels_and_looks(viewer_model):
    stage = Stage(viewer_model)
    stage.drawn.add(SQUARE, shape_type="ellipse", edge_color="red", edge_width=3)
    stage.drawn.features = {"label": [4, 7, 9]}
    before = seeds_digest(stage.drawn), stage.drawn.edge_color.copy()
    stage.history.begin()
    stage.history.remember(stage.drawn)
    stage.drawn.data = [MOVED]
    assert stage.history.undo() == "drawn"
    assert seeds_digest(stage.drawn) == before[0]
    np.testing.assert_array_equal(stage.drawn.edge_color, before[1])
    assert list(stage.drawn.features["label"]) == [4, 7, 9]


def test_undo_takes_back_what_is_said_of_how_shapes_were_made(stage):
    stage.history.begin()
    stage.history.remember(stage.drawn)
    stage.begin("update")
    stage.layers.finish(result(filled(), [Shape(4, MOVED), Shape(7, SQUARE + 9)]))
    assert is_result(stage.drawn)
    stage.history.undo()
    assert not is_result(stage.drawn)
