"""Seeds of the files of a batch: made anew for each, from files beside, or painted when asked."""

import threading
from pathlib import Path

import numpy as np
import pytest
from napari.layers import Labels
from painting import drag, trace
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QWidget

from napari_seedbed.core.marks.shapes import Shape
from napari_seedbed.core.progress import check_stop
from napari_seedbed.gui.layers.seed_roles import background_of
from napari_seedbed.gui.tools.batch.batch_panel import BatchPanel
from napari_seedbed.pipeline.batch import items
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.data.shapes import Shapes
from napari_seedbed.pipeline.files import read_image, write_image
from napari_seedbed.pipeline.files.writers import write_result
from napari_seedbed.pipeline.operations import run
from napari_seedbed.pipeline.recipes import load_recipe, recipe_from_record, replay, save_recipe
from napari_seedbed.pipeline.recipes.other_marks import recipe_making_seeds

WATERSHED = {"engine": "watershed", "sigma": 0.5}
pytestmark = pytest.mark.display


def squares(n: int, height: int = 40) -> Image:
    """A picture with n bright squares."""
    array = np.zeros((height, 60), np.uint8)
    for i in range(n):
        array[5:15, 15 * i + 3 : 15 * i + 12] = 200
    return Image(array, ("y", "x"), (0.5, 0.5), ("micrometer",) * 2, name=f"s{n}")


def seeds_of(n: int, height: int = 40) -> Image:
    """A stroke in each square, and one of background with the label 9."""
    array = np.zeros((height, 60), np.int32)
    for i in range(n):
        array[10, 15 * i + 6 : 15 * i + 9] = i + 1
    array[22, 5:55] = 9
    return Image(array, ("y", "x"), (0.5, 0.5), ("micrometer",) * 2, name="seeds")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with pictures, and a recipe with painted seeds of another one."""
    (tmp_path / "images").mkdir()
    for n in (2, 3):
        write_image(tmp_path / "images" / f"s{n}.ome.tif", squares(n))
    given = {"image": squares(1, 30), "seeds": seeds_of(1, 30)}
    labels = run("seeded_segmentation", given, {**WATERSHED, "background": 9})
    save_recipe(tmp_path / "painted.yaml", recipe_from_record(labels.record))
    return tmp_path


@pytest.fixture
def panel(make_napari_viewer, place: Path) -> BatchPanel:
    """The panel in a window, with the recipe and the pictures."""
    viewer = make_napari_viewer(show=True)
    panel = BatchPanel(viewer)
    viewer.window.add_dock_widget(panel, name="Batch processing", area="right")
    panel.show_recipe(place / "painted.yaml")
    panel.form.files.add([place / "images"])
    panel.form.folder.setText(str(place / "out"))
    return panel


def choose(panel: BatchPanel, qtbot, text: str) -> None:
    """Choose what the recipe starts from with the arrow keys, as a person does."""
    way = panel.form.marks.way
    assert way.isVisible()
    qtbot.keyClick(way, Qt.Key.Key_Home)
    while not way.currentText().startswith(text):
        before = way.currentIndex()
        qtbot.keyClick(way, Qt.Key.Key_Down)
        assert way.currentIndex() == before + 1


def click(widget: QWidget, panel: BatchPanel, qtbot) -> None:
    """Click, and wait for what follows."""
    assert widget.isVisible()
    qtbot.mouseClick(widget, Qt.MouseButton.LeftButton)
    wait(panel, qtbot)


def wait(panel: BatchPanel, qtbot) -> None:
    qtbot.waitUntil(lambda: not panel.is_busy, timeout=120_000)


def double_click(panel: BatchPanel, row: int, qtbot) -> None:
    files = panel.form.files
    cell = files.visualItemRect(files.item(row, 0)).center()
    qtbot.mouseClick(files.viewport(), Qt.MouseButton.LeftButton, pos=cell)
    qtbot.mouseDClick(files.viewport(), Qt.MouseButton.LeftButton, pos=cell)
    wait(panel, qtbot)


def test_files_without_seeds_ask_for_them_and_go_on(panel, qtbot, place):
    form, viewer = panel.form, panel.viewer
    click(form.run, panel, qtbot)
    assert form.files.states() == ["failed", "failed"]
    beside = place / "out" / "seeds"
    beside.mkdir()
    write_result(beside / "s3.ome.tif", "labels", seeds_of(3))
    choose(panel, qtbot, "From files")
    click(form.run, panel, qtbot)
    assert form.files.states() == ["needs seeds", "done"]
    assert "1 of 2 files done, 3 objects. 1 needs seeds" in form.status.text()
    assert "Call it s2_seeds.ome.tif" in form.files.item(0, 0).toolTip()
    assert not form.use_marks.isVisible()

    double_click(panel, 0, qtbot)
    image, seeds = viewer.layers
    assert (image.name, seeds.name, background_of(seeds)) == ("s2", "seeds of s2", 9)
    assert form.asked.text() == "Paint the seeds in 'seeds of s2'; label 9 is the background."
    click(form.use_marks, panel, qtbot)
    assert "nothing is marked in 'seeds of s2'" in form.status.text()
    # world coordinates: half of the voxels'
    drag(viewer, (5, 3), (5, 4))
    seeds.selected_label = 4
    drag(viewer, (5, 10.5), (5, 11.5))
    double_click(panel, 0, qtbot)
    assert len(viewer.layers) == 2
    seeds.selected_label = 9
    drag(viewer, (14, 3), (14, 27))
    click(form.use_marks, panel, qtbot)
    assert form.files.states() == ["done", "there already"]
    np.testing.assert_array_equal(read_image(beside / "s2_seeds.ome.tif").array, seeds.data)
    given = {"image": squares(2), "seeds": Image(seeds.data, ("y", "x"), (0.5, 0.5))}
    expected = run("seeded_segmentation", given, {**WATERSHED, "background": 9}).image("labels")
    assert set(np.unique(expected.array)) == {0, 1, 4}
    found = read_image(place / "out" / "s2_labels.ome.tif").array
    np.testing.assert_array_equal(found, expected.array)
    assert [entry["objects"] for entry in panel.summary["inputs"]] == [2, 3]
    # a row that is done shows its result
    double_click(panel, 0, qtbot)
    assert isinstance(viewer.layers[-1], Labels)
    np.testing.assert_array_equal(viewer.layers[-1].data, expected.array)


def test_seeds_that_are_used_during_a_run_count_in_one_after_it(panel, qtbot, place, monkeypatch):
    form = panel.form
    beside = place / "out" / "seeds"
    beside.mkdir(parents=True)
    write_result(beside / "s3.ome.tif", "labels", seeds_of(3))
    choose(panel, qtbot, "From files")
    form.workers.setValue(1)
    click(form.run, panel, qtbot)
    double_click(panel, 0, qtbot)
    asked = panel.viewer.layers["seeds of s2"]
    asked.data[:] = seeds_of(2).array

    # A second run is held at its second file, after the first one had no seeds.
    form.overwrite.setChecked(True)
    form.resume.setChecked(False)
    saved = threading.Event()
    read = items.read_image

    def read_when_saved(path, **options):
        while path.name.startswith("s3") and not saved.is_set():
            check_stop()
        return read(path, **options)

    monkeypatch.setattr(items, "read_image", read_when_saved)
    qtbot.mouseClick(form.run, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: form.files.states()[0] == "needs seeds", timeout=120_000)
    qtbot.mouseClick(form.use_marks, Qt.MouseButton.LeftButton)
    qtbot.waitUntil((beside / "s2_seeds.ome.tif").exists, timeout=120_000)
    qtbot.waitUntil(lambda: panel._runs_again, timeout=120_000)
    assert form.files.states()[0] == "needs seeds"
    saved.set()
    wait(panel, qtbot)
    assert form.files.states()[0] == "done"
    assert form.files.states()[1] in ("done", "there already")
    given = {"image": squares(2), "seeds": seeds_of(2)}
    expected = run("seeded_segmentation", given, {**WATERSHED, "background": 9}).image("labels")
    found = read_image(place / "out" / "s2_labels.ome.tif").array
    np.testing.assert_array_equal(found, expected.array)


def test_shapes_are_asked_for_where_a_recipe_starts_from_some(panel, qtbot, place):
    form, viewer = panel.form, panel.viewer
    ring = Shape(1, np.array([[4.0, 2], [4, 13], [16, 13], [16, 2]]))
    given = {"image": squares(1, 30), "shapes": Shapes((ring,))}
    steps = {"max_num_iter": 3}
    made = run("region_surface", given, steps)
    panel.show_recipe(save_recipe(place / "snake.yaml", recipe_from_record(made.record)))
    choose(panel, qtbot, "From files")
    click(form.run, panel, qtbot)
    assert form.files.states() == ["needs shapes"] * 2
    double_click(panel, 1, qtbot)
    drawn = viewer.layers["shapes of s3"]
    trace(viewer, [(2, 8), (2, 14), (8, 14), (8, 8)])
    assert form.asked.text() == "Draw the shapes in 'shapes of s3'."
    assert form.use_marks.text() == "Use these shapes"
    click(form.use_marks, panel, qtbot)
    assert form.files.states() == ["needs shapes", "done"]
    shape = Shape(1, np.asarray(drawn.data[0], np.float64))
    expected = run("region_surface", {"image": squares(3), "shapes": Shapes((shape,))}, steps)
    found = read_image(place / "out" / "s3_labels.ome.tif").array
    assert found.any()
    np.testing.assert_array_equal(found, expected.image("labels").array)


def test_seeds_are_made_anew_with_parameters_of_the_form(panel, qtbot, place):
    choose(panel, qtbot, "Made by Local maxima")
    panel.form.marks.fields.set_value("distance", 4.0)
    click(panel.form.run, panel, qtbot)
    assert panel.form.files.states() == ["done", "done"]
    recipe = recipe_making_seeds(
        load_recipe(place / "painted.yaml"), "local_maxima", {"distance": 4.0}
    )
    for n, row in ((2, 0), (3, 1)):
        made = replay(recipe, read_image(place / "images" / f"s{n}.ome.tif")).image("labels")
        found = read_image(place / "out" / f"s{n}_labels.ome.tif")
        np.testing.assert_array_equal(found.array, made.array)
        assert "Its seeds are made by Local maxima" in panel.form.files.item(row, 0).toolTip()
    # what was chosen outlives layers that come
    panel.viewer.add_labels(np.ones((4, 4), int))
    assert panel.form.marks.fields.values()["distance"] == 4.0
