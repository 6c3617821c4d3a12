"""The image that a panel works on: chosen, watched, and read once until it changes."""

import numpy as np
import pytest
from napari.layers import Image as ImageLayer
from qtpy.QtWidgets import QWidget

from napari_seedbed.errors import InputError
from napari_seedbed.gui.forms.image_choice import ImageChoice
from napari_seedbed.gui.forms.layer_choice import ChannelBoxes, LayerCombo
from napari_seedbed.gui.layers.layer_records import METADATA_KEY

GREY = np.zeros((6, 8), np.uint8)


class Panel:
    """A choice, and what it told."""

    def __init__(self, viewer, qtbot):
        self.holder = QWidget()
        qtbot.addWidget(self.holder)
        self.viewer = viewer
        self.combo = LayerCombo("none", "Choose.")
        self.boxes = ChannelBoxes()
        for widget in (self.combo, self.boxes):
            widget.setParent(self.holder)
        self.channels_shown, self.said, self.chosen, self.changed = [], [], [], 0
        self.choice = ImageChoice(
            viewer, self.combo, self.boxes, self.channels_shown.append, self.said.append
        )
        self.choice.chosen.connect(self.chosen.append)
        self.choice.changed.connect(self._count)
        self.choice.offer()

    def _count(self):
        self.changed += 1

    def add(self, array=GREY, **properties):
        layer = ImageLayer(array, **{"rgb": False, **properties})
        self.viewer.add_layer(layer)
        self.choice.offer()
        return layer


@pytest.fixture
def panel(viewer_model, qtbot):
    return Panel(viewer_model, qtbot)


# Which layer


def test_without_an_image_there_is_a_clear_error(panel):
    assert panel.choice.watched is None
    with pytest.raises(InputError, match="Open or choose an image"):
        panel.choice.image()


def test_first_image_is_chosen_and_told(panel):
    layer = panel.add()
    assert panel.chosen == [layer]
    assert panel.choice.layer is layer
    assert panel.choice.image().shape == GREY.shape


def test_chosen_image_stays_when_others_come(panel):
    first = panel.add(name="first")
    panel.add(name="second")
    assert panel.choice.layer is first
    assert panel.chosen == [first]


def test_another_choice_is_told_and_read(panel):
    panel.add(name="first")
    second = panel.add(np.ones((3, 4)), name="second")
    panel.combo.choose(second)
    assert panel.chosen[-1] is second
    assert panel.choice.image().shape == (3, 4)


def test_results_are_offered_last(panel):
    result = panel.add(
        name="result", metadata={METADATA_KEY: {"operation": "edge_map", "parameters": {}}}
    )
    raw = panel.add(name="raw")
    assert [panel.combo.itemData(i) for i in range(panel.combo.count())] == [raw, result]


def test_removed_image_gives_way_to_the_next_one(panel):
    first, second = panel.add(name="first"), panel.add(name="second")
    panel.viewer.layers.remove(first)
    panel.choice.offer()
    assert panel.chosen == [first, second]
    panel.viewer.layers.remove(second)
    panel.choice.offer()
    assert panel.chosen[-1] is None
    assert panel.choice.watched is None


# Read once, and anew when it changes


def test_image_is_read_once(panel):
    panel.add()
    assert panel.choice.image() is panel.choice.image()


@pytest.mark.parametrize(
    "change",
    [
        lambda layer: setattr(layer, "data", np.ones((6, 8))),
        lambda layer: setattr(layer, "scale", (2, 3)),
        lambda layer: setattr(layer, "translate", (5, 6)),
        lambda layer: setattr(layer, "units", ("um", "um")),
    ],
)
def test_change_of_the_image_is_told_and_read(panel, change):
    layer = panel.add()
    before = panel.choice.image()
    change(layer)
    assert panel.changed >= 1
    assert panel.choice.image() is not before


def test_voxel_size_is_that_of_the_layer(panel):
    panel.add(scale=(2, 0.5), units=("um", "um"))
    assert panel.choice.image().spacing == (2, 0.5)


@pytest.mark.parametrize(
    "change",
    [lambda layer: setattr(layer, "name", "x"), lambda layer: setattr(layer, "visible", False)],
)
def test_looks_of_the_image_do_not_matter(panel, change):
    layer = panel.add()
    before = panel.choice.image()
    change(layer)
    assert panel.changed == 0
    assert panel.choice.image() is before


def test_image_that_is_not_chosen_any_more_is_not_watched(panel):
    first, second = panel.add(name="first"), panel.add(name="second")
    panel.combo.choose(second)
    before = panel.changed
    first.scale = (2, 2)
    assert panel.changed == before


# Channels


def test_channels_of_a_colour_picture_are_all_used(panel):
    panel.add(np.zeros((6, 8, 3), np.uint8), rgb=True)
    assert panel.channels_shown[-1] is True
    assert panel.choice.image().n_channels == 3


def test_unchecked_channel_is_left_out_and_told(panel):
    panel.add(np.zeros((6, 8, 3), np.uint8), rgb=True)
    before = panel.changed
    panel.boxes._boxes[0].setChecked(False)
    assert panel.changed == before + 1
    assert panel.choice.image().n_channels == 2


def test_single_grey_image_has_no_channels_to_choose(panel):
    panel.add()
    assert panel.channels_shown[-1] is False


def test_other_layers_on_the_grid_join_only_when_somebody_says_so(panel):
    panel.add(name="first")
    panel.add(name="second")
    assert panel.channels_shown[-1] is True
    assert panel.choice.image().n_channels == 1
    panel.boxes._boxes[1].setChecked(True)
    assert panel.choice.image().n_channels == 2


def test_results_on_the_grid_are_no_channels(panel):
    panel.add(name="raw")
    panel.add(metadata={METADATA_KEY: {"operation": "edge_map", "parameters": {}}})
    assert [choice.name for choice in panel.boxes.all_choices()] == ["raw"]


def test_no_channel_at_all_is_an_error(panel):
    panel.add(np.zeros((6, 8, 3), np.uint8), rgb=True)
    for box in panel.boxes._boxes:
        box.setChecked(False)
    with pytest.raises(InputError, match="none is chosen"):
        panel.choice.image()


def test_unclear_axes_are_said_when_the_image_is_read(panel):
    panel.add(np.zeros((2, 3, 6, 8)))
    with pytest.raises(InputError, match="time axis 't'"):
        panel.choice.image()
