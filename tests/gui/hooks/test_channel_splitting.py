"""Each channel becomes a layer of its own that knows its recipe."""

import numpy as np
import pytest
from napari.components import ViewerModel
from skimage import data

from napari_seedbed.errors import InputError
from napari_seedbed.gui.hooks.channel_splitting import split
from napari_seedbed.gui.layers.layer_records import record_of

CAT = data.chelsea()[::8, ::8]


@pytest.mark.parametrize("colours", [True, False])
def test_channels_become_layers(qtbot, colours):
    viewer = ViewerModel()
    if colours:
        layer = viewer.add_image(CAT, rgb=True, name="cat")
    else:
        layer = viewer.add_image(CAT.transpose(2, 0, 1), axis_labels=("c", "y", "x"), name="cat")
    split(viewer, layer)
    qtbot.waitUntil(lambda: len(viewer.layers) == 4, timeout=10_000)
    found = [one for one in viewer.layers if one is not layer]
    by_channel = sorted(found, key=lambda one: record_of(one)["parameters"]["channel"])
    for index, one in enumerate(by_channel):
        np.testing.assert_array_equal(np.squeeze(one.data), CAT[..., index])
        assert record_of(one)["operation"] == "take_channel"


def test_one_channel_is_refused(qtbot):
    viewer = ViewerModel()
    layer = viewer.add_image(CAT[..., 0])
    with pytest.raises(InputError, match="one channel only"):
        split(viewer, layer)
