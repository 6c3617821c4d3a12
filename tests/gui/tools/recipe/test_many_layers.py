"""Results of several files in the window: recipe, history and batch ask for each of them."""

import numpy as np
import pytest
from napari.layers import Labels
from npe2 import PluginManager
from qtpy.QtWidgets import QLabel

from napari_seedbed.gui.forms.operation_form import form_class
from napari_seedbed.gui.layers.layer_records import record_of
from napari_seedbed.gui.tools.batch.batch_panel import BatchPanel
from napari_seedbed.gui.tools.history.history_panel import HistoryPanel
from napari_seedbed.gui.tools.recipe.recipe_panel import RecipePanel
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.files import read_image, write_image
from napari_seedbed.pipeline.recipes import load_recipe, recipe_from_record, replay, save_recipe

NAMES = ("nuclei", "membranes", "spots", "drawn")
PATIENCE = 120_000


@pytest.fixture
def place(tmp_path):
    """Two sets of three pictures and labels, a folder for each kind."""
    for seed in (1, 2):
        rng = np.random.default_rng(seed)
        for nth, name in enumerate(NAMES):
            kind = np.uint8 if name == "drawn" else np.uint16
            voxels = np.zeros((40, 60)) if name == "drawn" else rng.normal(60, 5, (40, 60))
            for label in (1, 2, 3):
                y, x = rng.integers(0, 28), rng.integers(0, 28) + 6 * nth
                voxels[y : y + 9, x : x + 8] = label if name == "drawn" else 150 + 20 * label
            (tmp_path / name).mkdir(exist_ok=True)
            image = Image(
                voxels.astype(kind), ("y", "x"), (0.5, 0.25), ("micrometer",) * 2, name=name
            )
            write_image(tmp_path / name / f"{name}_{seed}.ome.tif", image)
            write_image(tmp_path / name / f"{seed}.ome.tif", image)
    return tmp_path


@pytest.fixture
def opened(viewer_model, place):
    """A function that opens the files of a set, and gives their layers by kind."""
    PluginManager.instance().discover()

    def of_set(seed):
        found = {}
        for name in NAMES:
            file = place / name / f"{name}_{seed}.ome.tif"
            kind = "labels" if name == "drawn" else "image"
            (found[name],) = viewer_model.open(file, plugin="napari-seedbed", layer_type=kind)
        return found

    return of_set


@pytest.fixture
def make(viewer_model, qtbot):
    """A function that runs an operation in its form on layers, and gives the layer of it."""

    def run(operation, image, other=None, **parameters):
        form = form_class(operation)(viewer_model)
        qtbot.addWidget(form)
        form.inputs.image.choose(image)
        if other is not None:
            form.inputs.others["other"].choose(other)
        for name, value in parameters.items():
            form.parameters.set_value(name, value)
        before = set(viewer_model.layers)
        form.run()
        qtbot.waitUntil(lambda: not form.is_running, timeout=PATIENCE)
        (made,) = [layer for layer in viewer_model.layers if layer not in before]
        return made

    return run


def finish(panel, qtbot):
    panel.run()
    qtbot.waitUntil(lambda: not panel.is_running, timeout=PATIENCE)
    assert "Done" in panel.form.status.text(), panel.form.status.text()


def images_of_set(place, recipe, seed):
    """The first image of a recipe, and the others by its names."""

    def read(name):
        kind = name.removesuffix("_1.ome").removesuffix("_1")
        return read_image(place / kind / f"{kind}_{seed}.ome.tif")

    return read(recipe.image.name), {key: read(one.name) for key, one in recipe.others.items()}


def test_result_of_four_files_is_saved_replayed_and_changed(
    viewer_model, opened, make, place, qtbot
):
    layers = opened(1)
    smooth = make("gaussian", layers["membranes"], sigma=0.5)
    rest = make("image_difference", layers["nuclei"], smooth)
    more = make("image_difference", rest, layers["spots"], mode="absolute")
    mask = make("threshold", more)
    labels = make("label", mask)
    joined = make("combine_labels", labels, layers["drawn"], how="or")
    before = np.array(joined.data)
    assert before.any()

    path = save_recipe(place / "four.yaml", recipe_from_record(record_of(joined)))
    recipe = load_recipe(path)
    assert len(recipe.other_names) == 3

    history = HistoryPanel(viewer_model)
    qtbot.addWidget(history)
    history.form.layer.choose(joined)
    combos = history.form.others.combos
    chosen = {name: combo.layer().name for name, combo in combos.items()}
    assert chosen == {name: recipe.others[name].name for name in recipe.other_names}
    # switched off, a step leaves its file out of the record; switched on, it takes it again
    boxes = history.form.steps.boxes
    for off in ("image_difference", "combine_labels"):
        boxes[off].setChecked(False)
        finish(history, qtbot)
        now = history.form.layer.layer()
        assert len(recipe_from_record(record_of(now)).other_names) == 2
        history.form.steps.boxes[off].setChecked(True)
        assert set(history.form.others.combos) == set(recipe.other_names)
        finish(history, qtbot)
        now = history.form.layer.layer()
        np.testing.assert_array_equal(now.data, before)
        boxes = history.form.steps.boxes

    others = opened(2)
    panel = RecipePanel(viewer_model)
    qtbot.addWidget(panel)
    panel.show_recipe("four", recipe)
    titles = [label.text() for label in panel.form.others.findChildren(QLabel)]
    assert titles == ["Second image", "Third image", "Fourth image"]
    panel.form.image.choose(others["nuclei"])
    for name, combo in panel.form.others.combos.items():
        assert combo.layer().name == recipe.others[name].name
        kind = recipe.others[name].name.partition("_")[0]
        combo.choose(others[kind])
        assert recipe.others[name].name in combo.toolTip()
    known = set(viewer_model.layers)
    finish(panel, qtbot)
    (made,) = [one for one in viewer_model.layers if one not in known and isinstance(one, Labels)]
    first, further = images_of_set(place, recipe, 2)
    expected = replay(recipe, first, other=further).image("labels")
    np.testing.assert_array_equal(made.data, expected.array)
    assert (expected.array != before).any()

    batch = BatchPanel(viewer_model)
    qtbot.addWidget(batch)
    batch.show_recipe(path)
    for name, line in batch.form.others.lines.items():
        line.setText(str(place / recipe.others[name].name.partition("_")[0]))
    batch.form.files.add([place / "nuclei" / "1.ome.tif", place / "nuclei" / "2.ome.tif"])
    batch.form.folder.setText(str(place / "out"))
    batch.form.workers.setValue(1)
    batch.run()
    qtbot.waitUntil(lambda: not batch.is_busy, timeout=PATIENCE)
    assert batch.form.files.states() == ["done", "done"], batch.form.status.text()
    for seed, wanted in ((1, before), (2, expected.array)):
        found = read_image(place / "out" / f"{seed}_labels.ome.tif")
        np.testing.assert_array_equal(found.array, wanted)
