"""The ranges taken from the view are the voxels that the canvas shows."""

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_seedbed.errors import InputError
from napari_seedbed.gui.forms.parameter_fields import TextField
from napari_seedbed.gui.tools.crop.crop_panel import CropPanel, ranges_in_view


@pytest.fixture
def viewer():
    model = ViewerModel()
    model.canvas.size = (100, 200)
    return model


def look_at(viewer, y, x, zoom):
    viewer.scene.camera.center = (0, y, x)
    viewer.scene.camera.zoom = zoom


def test_ranges_are_what_the_canvas_shows(viewer):
    layer = viewer.add_image(np.zeros((400, 600), np.uint8))
    look_at(viewer, 99.5, 199.5, 1.0)
    # 100 rows and 200 columns around the middle, from border to border of voxels
    assert ranges_in_view(viewer, layer) == {"y": "50:150", "x": "100:300"}


def test_ranges_count_voxels_of_their_size_and_place(viewer):
    layer = viewer.add_image(
        np.zeros((5, 400, 600), np.uint8), scale=(3, 0.5, 0.25), translate=(0, 10, 0)
    )
    look_at(viewer, 35.0, 25.0, 10.0)
    # 10 by 20 micrometres: rows 40 to 60, columns 60 to 140, and voxels at the border halved
    assert ranges_in_view(viewer, layer) == {"y": "40:61", "x": "60:141"}


def test_ranges_end_at_the_image(viewer):
    layer = viewer.add_image(np.zeros((40, 60), np.uint8))
    look_at(viewer, 0, 0, 1.0)
    assert ranges_in_view(viewer, layer) == {"y": "0:40", "x": "0:60"}


def test_other_axes_on_screen_are_those_that_are_cropped(viewer):
    layer = viewer.add_image(np.zeros((30, 40, 60), np.uint8))
    viewer.dims.order = (1, 0, 2)
    look_at(viewer, 15, 30, 10.0)
    assert list(ranges_in_view(viewer, layer)) == ["z", "x"]


def test_nothing_in_view_is_told(viewer):
    layer = viewer.add_image(np.zeros((40, 60), np.uint8))
    look_at(viewer, 1000, 1000, 1.0)
    with pytest.raises(InputError, match="nothing of"):
        ranges_in_view(viewer, layer)


def test_three_dimensions_on_screen_are_refused(viewer):
    layer = viewer.add_image(np.zeros((30, 40, 60), np.uint8))
    viewer.dims.ndisplay = 3
    with pytest.raises(InputError, match="2D display"):
        ranges_in_view(viewer, layer)


def test_the_view_is_cropped_in_its_place(viewer, qtbot):
    array = np.random.default_rng(1).integers(0, 255, (40, 60)).astype(np.uint8)
    viewer.add_image(array, scale=(2, 2), name="picture")
    panel = CropPanel(viewer)
    qtbot.addWidget(panel)
    look_at(viewer, 39, 59, 5.0)
    panel.take_view.click()
    panel.run()
    qtbot.waitUntil(lambda: not panel.is_running, timeout=10_000)
    cropped = viewer.layers[-1]
    np.testing.assert_array_equal(cropped.data, array[15:25, 20:40])
    assert tuple(cropped.translate) == (30, 40)


def test_only_axes_that_the_image_has_are_offered(viewer, qtbot):
    viewer.add_image(np.zeros((40, 60), np.uint8))
    panel = CropPanel(viewer)
    qtbot.addWidget(panel)
    panel.show()
    assert sum(field.isVisible() for field in panel.findChildren(TextField)) == 2
    viewer.add_image(np.zeros((3, 5, 40, 60), np.uint8), axis_labels=("t", "z", "y", "x"))
    panel.reset_choices()
    panel.image.choose(viewer.layers[-1])
    assert sum(field.isVisible() for field in panel.findChildren(TextField)) == 4
