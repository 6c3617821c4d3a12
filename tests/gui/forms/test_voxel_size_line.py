"""When the voxel size is asked for, and what an answer changes."""

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Image
from seeded_window import SeededWindow, ball

from napari_seedbed.gui.forms.voxel_size_line import asks_for_voxel_size


@pytest.mark.parametrize(
    ("shape", "properties", "asked"),
    [
        ((60, 256, 256), {}, True),
        ((5, 60, 256, 256), {"axis_labels": ("t", "z", "y", "x")}, True),
        ((60, 2, 256, 256), {"axis_labels": ("z", "c", "y", "x")}, True),
        ((60, 256, 256), {"scale": (2, 2, 2)}, True),
        ((60, 256, 256), {"scale": (0.3, 0.1, 0.1)}, False),
        ((60, 256, 256), {"units": ("um",) * 3}, False),
        ((200, 256, 256), {}, False),
        ((60, 256, 100), {}, False),
        ((1, 256, 256), {}, False),
        ((256, 256), {}, False),
        ((9, 256, 256), {"axis_labels": ("t", "y", "x")}, False),
    ],
)
def test_only_thin_stacks_without_a_voxel_size_are_asked_about(shape, properties, asked):
    layer = Image(np.broadcast_to(np.uint8(0), shape), rgb=False, **properties)
    assert asks_for_voxel_size(layer) is asked


def test_nothing_is_asked_without_an_image():
    assert not asks_for_voxel_size(None)
    assert ViewerModel().layers == []


@pytest.fixture
def window(make_napari_viewer, qtbot):
    array, _ = ball(shape=(12, 32, 32), centre=(6, 16, 16))
    return SeededWindow(make_napari_viewer, qtbot, array, engine="watershed")


@pytest.mark.display
def test_answer_scales_the_image_and_all_that_lies_on_it(window):
    line, viewer = window.panel.voxel_size, window.viewer
    assert line.isVisible()
    other = viewer.add_image(window.image.data, name="other channel")
    elsewhere = viewer.add_image(window.image.data[:5], name="elsewhere")
    seeds = window.new_seeds()
    z, y, x = np.mgrid[5:8, 14:19, 14:19].reshape(3, -1)
    seeds.data_setitem((z, y, x), 1)
    z, y, x = np.mgrid[5:8, 1:31, 1:3].reshape(3, -1)
    seeds.data_setitem((z, y, x), 2)
    window.wait_final()
    line.step.setValue(4.0)
    window.wait_final()
    for layer in (window.image, other, seeds, window.result):
        np.testing.assert_array_equal(layer.scale, (4, 1, 1))
    np.testing.assert_array_equal(elsewhere.scale, (1, 1, 1))
    spacing = window.result.metadata["napari_seedbed"]["inputs"][0]["spacing"]
    assert spacing == [4, 1, 1]
    # a slip can be mended
    assert line.isVisible()
    line.step.setValue(3.0)
    np.testing.assert_array_equal(seeds.scale, (3, 1, 1))


@pytest.mark.display
def test_question_can_be_dismissed_for_an_image(window):
    line = window.panel.voxel_size
    line.dismiss.click()
    assert not line.isVisible()
    other = window.viewer.add_image(window.image.data, name="other")
    window.form.image.choose(other)
    assert line.isVisible()
    window.form.image.choose(window.image)
    assert not line.isVisible()
    np.testing.assert_array_equal(window.image.scale, (1, 1, 1))
