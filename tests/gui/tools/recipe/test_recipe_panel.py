"""Recipes that are dragged into the window: the chain is shown, and run to the voxel."""

import numpy as np
import pytest
import yaml
from napari.layers import Labels
from npe2 import PluginManager
from painting import drop
from qtpy.QtCore import QPoint, Qt
from qtpy.QtWidgets import QLabel

from napari_seedbed.gui.hooks import npe2_hooks, recipe_opening
from napari_seedbed.pipeline import operations
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.recipes import load_recipe, recipe_from_record, replay, save_recipe

pytestmark = pytest.mark.display
SPACING = (0.5, 0.5)


@pytest.fixture
def picture(rng):
    """Two bright squares and noise."""
    array = rng.normal(100, 5, (60, 70))
    array[10:20, 10:20] += 90
    array[30:45, 40:60] += 90
    return array.astype(np.float32)


@pytest.fixture
def path(tmp_path, picture):
    """A recipe of two steps, whose sigma no field of a form shows to the last digit."""
    image = Image(picture, ("y", "x"), SPACING, ("micrometer",) * 2, name="squares")
    smooth = operations.run("gaussian", {"image": image}, {"sigma": 0.1 + 0.2 + 1e-15})
    by_hand = {"method": "manual", "value": 150.0}
    labels = operations.run("threshold", {"image": smooth.outputs["image"]}, by_hand)
    return save_recipe(tmp_path / "squares.yaml", recipe_from_record(labels.record))


@pytest.fixture
def window(make_napari_viewer, qtbot, picture):
    """A window with the picture, into which a file can be dragged."""
    PluginManager.instance().discover()
    viewer = make_napari_viewer(show=True)
    place = {"scale": SPACING, "units": ("um", "um")}
    viewer.add_image(picture, name="squares", rgb=False, **place)
    return viewer


def open_by_drop(window, qtbot, path):
    drop(window, path)
    qtbot.waitUntil(lambda: "Recipe (Seedbed)" in window.window.dock_widgets, timeout=20000)
    panel = window.window.dock_widgets["Recipe (Seedbed)"]
    qtbot.waitUntil(lambda: panel.recipe is not None, timeout=20000)
    return panel


def run_by_mouse(panel, qtbot):
    qtbot.mouseClick(panel.controls.run, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not panel.is_running, timeout=60000)
    return next(layer for layer in panel.viewer.layers if isinstance(layer, Labels))


def test_chain_is_shown_and_run_to_the_voxel(window, qtbot, path, picture):
    panel = open_by_drop(window, qtbot, path)
    assert panel.form.steps.boxes["gaussian"].text() == "1  Gaussian filter"
    texts = [label.text() for label in panel.form.findChildren(QLabel)]
    assert "on the result of step 1" in texts
    assert panel.form.steps.fields["threshold"].values()["value"] == 150
    image = Image(picture, ("y", "x"), SPACING, ("micrometer",) * 2, name="squares")
    layer = run_by_mouse(panel, qtbot)
    expected = replay(load_recipe(path), image)
    np.testing.assert_array_equal(layer.data, expected.outputs["mask"].array)
    assert panel.record["inputs"] == expected.record["inputs"]
    assert panel.form.save_recipe.isEnabled()
    # what a person changes counts
    panel.form.steps.fields["threshold"].set_value("value", 95.0)
    assert panel.controls.status.text().startswith("Older than what is chosen now")
    brighter = layer.data.copy()
    again = run_by_mouse(panel, qtbot)
    assert again is layer
    assert panel.controls.status.text().startswith("Done")
    assert again.data.sum() > brighter.sum()
    # and so does what is left out
    box = panel.form.steps.boxes["gaussian"]
    qtbot.mouseClick(box, Qt.MouseButton.LeftButton, pos=QPoint(8, box.height() // 2))
    again = run_by_mouse(panel, qtbot)
    np.testing.assert_array_equal(again.data, picture > 95)
    qtbot.mouseClick(box, Qt.MouseButton.LeftButton, pos=QPoint(8, box.height() // 2))
    assert panel.controls.status.text().startswith("Older than what is chosen now")
    box = panel.form.steps.boxes["threshold"]
    qtbot.mouseClick(box, Qt.MouseButton.LeftButton, pos=QPoint(8, box.height() // 2))
    assert not box.isChecked()


def test_another_recipe_takes_its_place_and_the_room_it_needs(window, qtbot, path, samples):
    panel = open_by_drop(window, qtbot, path)
    drop(window, samples / "nuclei_seeded_segmentation.yaml")
    qtbot.waitUntil(lambda: "seeded_segmentation" in panel.form.steps.fields, timeout=20000)
    assert "gaussian" not in panel.form.steps.fields
    inside = panel.form.widget()
    qtbot.waitUntil(lambda: panel.form.viewport().width() >= inside.minimumSizeHint().width())
    assert panel.visibleRegion().boundingRect().width() == panel.width()


def test_damaged_recipe_says_what_is_wrong(window, qtbot, path, monkeypatch):
    told = []
    monkeypatch.setattr(recipe_opening.errors, "show_error", told.append)
    path.write_text(path.read_text().replace("operation: gaussian", "operation: gausian"))
    drop(window, path)
    qtbot.waitUntil(lambda: bool(told), timeout=20000)
    assert "the operation 'gausian'" in told[0]


def test_yaml_of_other_programs_is_left_to_them(window, tmp_path):
    (tmp_path / "environment.yaml").write_text(yaml.dump({"dependencies": ["python"]}))
    assert npe2_hooks.get_reader(str(tmp_path / "environment.yaml")) is None
    assert npe2_hooks.get_reader(str(tmp_path / "missing.yaml")) is None
