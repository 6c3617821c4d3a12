"""Seeds of a recipe on another image, in its panel: made anew, from a file, or painted there."""

import numpy as np
import pytest
from napari.layers import Labels, Layer
from painting import drag
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLabel, QWidget

from napari_seedbed.core import seeds_from_points
from napari_seedbed.gui.layers.layer_records import is_result
from napari_seedbed.gui.layers.seed_roles import background_of
from napari_seedbed.gui.tools.recipe.recipe_panel import RecipePanel
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.files.writers import write_result
from napari_seedbed.pipeline.operations import run
from napari_seedbed.pipeline.recipes import load_recipe, recipe_from_record

SPACING = (0.5, 0.5)
WATERSHED = {"engine": "watershed", "sigma": 0.5}
pytestmark = pytest.mark.display


def as_image(array: np.ndarray, name: str) -> Image:
    return Image(array, ("y", "x"), SPACING, ("micrometer",) * 2, name=name)


@pytest.fixture
def picture(rng: np.random.Generator) -> Image:
    """Two bright squares and noise."""
    array = rng.normal(100, 2, (60, 70))
    array[10:22, 10:22] += 90
    array[30:45, 40:60] += 90
    return as_image(array.astype(np.float32), "squares")


@pytest.fixture
def panel(make_napari_viewer, qtbot, picture: Image) -> RecipePanel:
    """The panel in a window with the picture; its recipe has seeds of a smaller one."""
    viewer = make_napari_viewer(show=True)
    units = ("um", "um")
    viewer.add_image(picture.array, name="squares", rgb=False, scale=SPACING, units=units)
    panel = RecipePanel(viewer)
    viewer.window.add_dock_widget(panel, name="Recipe", area="right")
    small, seeds = np.zeros((30, 30), np.float32), np.zeros((30, 30), np.int32)
    small[5:12, 5:12] = 90
    seeds[8, 6:10], seeds[20, 5:25] = 1, 2
    given = {"image": as_image(small, "small"), "seeds": as_image(seeds, "seeds")}
    labels = run("seeded_segmentation", given, {**WATERSHED, "background": 2})
    panel.show_recipe("small.yaml", recipe_from_record(labels.record))
    return panel


def choose(panel: RecipePanel, qtbot, text: str) -> None:
    """Choose what the recipe starts from with the arrow keys, as a person does."""
    way = panel.form.marks.way
    assert way.isVisible()
    qtbot.keyClick(way, Qt.Key.Key_Home)
    while not way.currentText().startswith(text):
        before = way.currentIndex()
        qtbot.keyClick(way, Qt.Key.Key_Down)
        assert way.currentIndex() == before + 1


def click(widget: QWidget, qtbot) -> None:
    qtbot.mouseClick(widget, Qt.MouseButton.LeftButton)


def run_by_mouse(panel: RecipePanel, qtbot) -> Layer:
    click(panel.controls.run, qtbot)
    qtbot.waitUntil(lambda: not panel.is_running, timeout=60000)
    return next(x for x in panel.viewer.layers if isinstance(x, Labels) and is_result(x))


def texts(panel: RecipePanel) -> list[str]:
    boxes = panel.form.steps.boxes.values()
    return [part.text() for part in (*boxes, *panel.form.findChildren(QLabel))]


def grown(picture: Image, seeds: np.ndarray, background: int) -> np.ndarray:
    """What the operation makes of seeds by itself."""
    given = {"image": picture, "seeds": as_image(seeds, "seeds")}
    made = run("seeded_segmentation", given, {**WATERSHED, "background": background})
    return made.image("labels").array


def test_seeds_are_made_by_operations_that_are_steps_like_others(panel, qtbot, picture, tmp_path):
    panel.form.steps.fields["seeded_segmentation"].set_value("sigma", 1.5)
    choose(panel, qtbot, "Made by Local maxima")
    assert "1  Local maxima" in texts(panel)
    assert "from the result of local_maxima" in texts(panel)
    panel.form.steps.fields["local_maxima"].set_value("distance", 8.0)
    layer = run_by_mouse(panel, qtbot)
    points = run("local_maxima", {"image": picture}, {"distance": 8.0}).points().points
    labels = np.arange(1, len(points) + 1)
    seeds = as_image(seeds_from_points(points, labels, picture.shape, 0), "seeds")
    sigma = {**WATERSHED, "sigma": 1.5}
    expected = run("seeded_segmentation", {"image": picture, "seeds": seeds}, sigma)
    np.testing.assert_array_equal(layer.data, expected.image("labels").array)
    assert "Its seeds are made by Local maxima" in panel.controls.status.text()
    # its own seeds are for another picture
    choose(panel, qtbot, "As in")
    assert panel.controls.status.text().startswith("Older than")
    assert "1  Seeded segmentation" in texts(panel)
    assert panel.form.steps.fields["seeded_segmentation"].values()["sigma"] == 1.5
    panel.save_recipe(tmp_path / "made.yaml")
    saved = load_recipe(tmp_path / "made.yaml")
    assert (saved.seeds, saved.steps[-1].seeds_from) == (None, "local_maxima")
    run_by_mouse(panel, qtbot)
    assert "seeds are for an image of shape (30, 30)" in panel.controls.status.text()


def test_seeds_are_painted_on_the_image_that_asks_for_them(panel, qtbot, picture):
    choose(panel, qtbot, "From a layer")
    viewer = panel.viewer
    seeds = viewer.layers["seeds of squares"]
    assert panel.form.marks.layer.layer() is seeds is viewer.layers.selection.active
    assert background_of(seeds) == 2
    assert panel.controls.status.text().endswith("label 2 is the background.")
    run_by_button = panel.controls.run
    click(run_by_button, qtbot)
    assert "nothing is marked in 'seeds of squares'" in panel.controls.status.text()
    # world coordinates: half of the voxels'
    drag(viewer, (7, 6), (7, 9))
    seeds.selected_label = 3
    drag(viewer, (18, 22), (18, 27))
    seeds.selected_label = 2
    drag(viewer, (26, 4), (26, 30))
    assert set(np.unique(seeds.data)) == {0, 1, 2, 3}
    layer = run_by_mouse(panel, qtbot)
    assert set(np.unique(layer.data)) == {0, 1, 3}
    np.testing.assert_array_equal(layer.data, grown(picture, seeds.data, 2))
    assert "the seeds of the layer 'seeds of squares'" in panel.controls.status.text()
    drag(viewer, (27, 4), (27, 30))
    qtbot.waitUntil(lambda: panel.controls.status.text().startswith("Older than"), timeout=60000)
    # another layer is made only where a person asks for one
    click(panel.form.marks.new, qtbot)
    assert panel.form.marks.layer.layer() is not seeds
    panel.form.marks.layer.choose(layer)
    assert len([one for one in viewer.layers if one.name.startswith("seeds of")]) == 2


def test_seeds_come_from_a_file(panel, qtbot, picture, tmp_path):
    seeds = np.zeros(picture.shape, np.int32)
    seeds[15, 12:18], seeds[38, 45:55], seeds[52, 5:60] = 1, 3, 2
    path = write_result(tmp_path / "marks.ome.tif", "labels", as_image(seeds, "marks"))
    choose(panel, qtbot, "From a file")
    click(panel.controls.run, qtbot)
    assert "no file is named" in panel.controls.status.text()
    qtbot.keyClicks(panel.form.marks.file, str(path))
    layer = run_by_mouse(panel, qtbot)
    np.testing.assert_array_equal(layer.data, grown(picture, seeds, 2))
    assert "the seeds of marks.ome.tif" in panel.controls.status.text()
