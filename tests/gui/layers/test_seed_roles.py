"""Which label of a seeds layer is background; no window is opened."""

import numpy as np
import pytest
from napari.layers import Labels, Points

from napari_seedbed.gui.layers.layer_records import METADATA_KEY, is_seeds
from napari_seedbed.gui.layers.seed_roles import QUIET, background_of, set_background, unused_label
from napari_seedbed.gui.tools.walker.seed_history import SeedHistory


@pytest.fixture
def layer():
    made = Labels(np.zeros((4, 5), np.int32))
    made.metadata[METADATA_KEY] = {"kind": "seeds"}
    return made


def test_role_is_kept_beside_what_else_the_layer_remembers(layer):
    set_background(layer, 3)
    assert background_of(layer) == 3
    assert is_seeds(layer)
    copy = Labels(layer.data, metadata=layer.metadata)
    assert background_of(copy) == 3
    set_background(layer, 0)
    assert background_of(layer) == 0
    assert layer.metadata[METADATA_KEY] == {"kind": "seeds"}


def test_what_is_no_label_is_no_background(layer):
    layer.metadata[METADATA_KEY]["background"] = "soil"
    assert background_of(layer) == 0
    assert background_of(None) == 0


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.int32, np.int64])
def test_colour_is_seen_whatever_type_the_layer_has(dtype):
    layer = Labels(np.zeros((4, 5), dtype))
    plain = [layer.get_color(label) for label in (1, 2, 60, 100)]
    set_background(layer, 99)
    np.testing.assert_allclose(layer.get_color(99), QUIET)
    coloured = [layer.get_color(label) for label in (1, 2, 60, 100)]
    np.testing.assert_allclose(coloured, plain)


def test_unused_label_is_the_one_in_the_hand_unless_it_is_taken(layer):
    layer.selected_label = 2
    assert unused_label(layer) == 2
    layer.data[0, 0], layer.data[0, 1] = 2, -1
    assert unused_label(layer) == 3
    layer.selected_label = 7
    set_background(layer, 7)
    assert unused_label(layer) == 8


def test_points_are_background_by_their_word():
    points = Points([[0, 0], [1, 1]], features={"label": ["Background", "cell"]})
    assert background_of(points) == 1
    numbered = Points([[0, 0], [1, 1]], features={"label": [4, 5]})
    assert background_of(numbered) == 0
    wrong = Points([[0, 0], [1, 1]], features={"label": [4, 5.5]})
    assert background_of(wrong) == 0


def test_history_of_each_layer_is_its_own(layer, qapp):
    other = Labels(np.zeros((4, 5), np.int32))
    history = SeedHistory()
    history.watch(layer)
    history.set_background(1)
    history.watch(other)
    history.undo()
    assert background_of(layer) == 1
    history.watch(layer)
    history.undo()
    assert background_of(layer) == 0
    history.redo()
    assert background_of(layer) == 1


def test_strokes_from_before_can_be_undone_and_a_new_change_ends_what_could_be_redone(layer, qapp):
    layer.data_setitem((np.array([0]), np.array([0])), 1)
    history = SeedHistory()
    history.watch(layer)
    history.undo()
    assert not layer.data.any()
    history.redo()
    assert layer.data[0, 0] == 1
    history.undo()
    history.set_background(1)
    history.redo()
    assert not layer.data.any()
    history.clear()
    history.undo()
    assert background_of(layer) == 0
