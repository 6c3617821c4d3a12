"""Files that fit are named while typing, and open as one image."""

import imageio.v3
import numpy as np
import pytest
from napari.components import ViewerModel

from napari_seedbed.gui.qt import errors
from napari_seedbed.gui.tools.collection.image_collection_panel import ImageCollectionPanel
from napari_seedbed.pipeline.files import read_image, readers


@pytest.fixture
def folder(tmp_path):
    planes = np.random.default_rng(3).integers(0, 255, (12, 6, 7)).astype(np.uint8)
    for n, plane in enumerate(planes):
        imageio.v3.imwrite(tmp_path / f"plane{n + 1}.png", plane)
    return tmp_path, planes


@pytest.fixture
def panel(qtbot):
    made = ImageCollectionPanel(ViewerModel())
    qtbot.addWidget(made)
    return made


def press_open(panel, qtbot):
    panel.open.click()
    qtbot.waitUntil(lambda: not panel.is_busy, timeout=10_000)


def test_files_are_counted_in_their_order(panel, folder):
    panel.source.setText(str(folder[0]))
    assert panel.found.text() == "12 files: plane1.png to plane12.png"
    panel.source.setText(str(folder[0] / "plane1?.png"))
    assert panel.found.text() == "3 files: plane10.png to plane12.png"


def test_what_is_taken_from_a_folder_is_named(qtbot, monkeypatch):
    grid = readers.Reader("Grid", (".grid",), read_image, (), "numbers")
    monkeypatch.setattr(readers, "READERS", (*readers.READERS, grid))
    made = ImageCollectionPanel(ViewerModel())
    qtbot.addWidget(made)
    assert f"({', '.join(readers.file_suffixes())}) are taken" in made.source.toolTip()
    assert ".grid)" in made.source.toolTip()


def test_nothing_can_be_opened_where_nothing_fits(panel, folder):
    panel.source.setText(str(folder[0] / "*.tif"))
    assert "no image" in panel.found.text()
    assert not panel.open.isEnabled()


@pytest.mark.parametrize(("axis", "shape"), [("z", (12, 6, 7)), ("t", (12, 6, 7))])
def test_a_folder_opens_as_one_layer(panel, folder, qtbot, axis, shape):
    panel.source.setText(str(folder[0]))
    panel.axis.setCurrentIndex(panel.axis.findData(axis))
    press_open(panel, qtbot)
    (layer,) = panel.viewer.layers
    assert (layer.data.shape, layer.axis_labels[0]) == (shape, axis)
    np.testing.assert_array_equal(np.asarray(layer.data), folder[1])


def test_channels_open_as_layers(panel, folder, qtbot):
    panel.source.setText(str(folder[0] / "plane[12].png"))
    panel.axis.setCurrentIndex(panel.axis.findData("c"))
    press_open(panel, qtbot)
    assert [layer.name.split()[0] for layer in panel.viewer.layers] == ["plane1", "plane2"]


def test_distance_of_slices_becomes_the_scale(panel, folder, qtbot):
    panel.source.setText(str(folder[0]))
    panel.axis.setCurrentIndex(panel.axis.findData("z"))
    panel.step.setValue(2.5)
    press_open(panel, qtbot)
    assert tuple(panel.viewer.layers[0].scale) == (2.5, 1, 1)


def test_an_odd_file_is_named(panel, folder, qtbot, monkeypatch):
    monkeypatch.setattr(errors, "show_error", lambda message: None)
    imageio.v3.imwrite(folder[0] / "plane5.png", np.zeros((3, 3), np.uint8))
    panel.source.setText(str(folder[0]))
    press_open(panel, qtbot)
    assert "plane5.png" in panel.found.text()
    assert not panel.viewer.layers
