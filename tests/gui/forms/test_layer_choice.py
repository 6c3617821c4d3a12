"""Choosing a layer: long names are cut, and told in full in the tool tip."""

import numpy as np
import pytest
from napari.layers import Image as ImageLayer
from qtpy.QtWidgets import QCheckBox

from napari_seedbed.gui.forms.layer_choice import ChannelBoxes, LayerCombo
from napari_seedbed.gui.layers.image_layers import ChannelChoice

LONG = "2024-05-31 experiment 17 ovule in water, confocal, deconvolved, channel 2 smoothed"


def layer(name, **metadata):
    return ImageLayer(np.zeros((4, 4)), name=name, metadata={"napari_seedbed": metadata})


@pytest.fixture
def combo(qtbot):
    made = LayerCombo("nothing", "The image to segment.")
    qtbot.addWidget(made)
    return made


def test_long_name_is_cut_in_the_middle(combo):
    combo.set_layers([layer(LONG)])
    cut = combo.elided_text(150)
    assert "…" in cut
    assert cut.startswith("20")
    assert cut.endswith("ed")
    assert combo.fontMetrics().horizontalAdvance(cut) <= 150


def test_long_name_does_not_widen_the_form(combo):
    combo.set_layers([layer("a")])
    narrow = combo.minimumSizeHint().width()
    combo.set_layers([layer(LONG)])
    assert combo.minimumSizeHint().width() == narrow


def test_short_name_is_whole(combo):
    combo.set_layers([layer("cells")])
    assert combo.elided_text(150) == "cells"


def test_tool_tip_tells_the_name_and_what_was_odd_about_the_file(combo):
    combo.set_layers([layer(LONG, notes=("In this file 0 means white.",))])
    assert combo.toolTip() == f"{LONG}\nIn this file 0 means white.\nThe image to segment."


def test_tool_tip_follows_the_choice_and_the_name(combo):
    first, second = layer("first"), layer("second")
    combo.set_layers([first, second])
    combo.choose(second)
    assert combo.toolTip().startswith("second")
    second.name = "renamed"
    combo.set_layers([first, second])
    assert combo.toolTip().startswith("renamed")
    combo.set_layers([])
    assert combo.toolTip() == "The image to segment."


def test_layer_to_begin_with_is_chosen_only_where_none_was(combo):
    first, second, third = (layer(name) for name in "abc")
    combo.set_layers([first, second], second)
    assert combo.layer() is second
    combo.set_layers([first, second, third], third)
    assert combo.layer() is second


@pytest.mark.parametrize("only_one", [True, False])
def test_other_channels_come_without_telling_of_the_old_ones(qtbot, only_one):
    boxes = ChannelBoxes(only_one=only_one)
    qtbot.addWidget(boxes)
    heard = []
    boxes.chosen.connect(lambda: heard.append(boxes.choices()))
    for name in ("cells", "cells smoothed"):
        image = layer(name)
        boxes.set_choices([ChannelChoice(name, image, None)] * 2, [True, False])
    assert heard == []
    assert [choice.name for choice in boxes.choices()] == ["cells smoothed"]


def test_short_names_of_channels_are_whole_again_where_there_is_room(qtbot):
    boxes = ChannelBoxes()
    qtbot.addWidget(boxes)
    image = layer("photograph")
    names = ("Red", "Green", "Blue")
    boxes.set_choices([ChannelChoice(name, image, i) for i, name in enumerate(names)], [True] * 3)
    enough = boxes.sizeHint()
    boxes.show()
    for width in (90, enough.width()):
        boxes.resize(width, enough.height())
        qtbot.wait(20)
    assert [box.text() for box in boxes.findChildren(QCheckBox)] == list(names)
