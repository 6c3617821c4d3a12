"""The steps of a result, changed in the window with mouse and keys, and done again."""

import time

import numpy as np
import pytest
import yaml
from napari.layers import Image as ImageLayer
from napari.layers import Labels
from painting import drag
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QLineEdit

from napari_seedbed.core.progress import check_stop, tell
from napari_seedbed.gui.forms.operation_form import form_class
from napari_seedbed.gui.layers.layer_records import record_of
from napari_seedbed.gui.tools.history.history_panel import HistoryPanel
from napari_seedbed.gui.tools.thresholds.threshold_panel import ThresholdPanel
from napari_seedbed.pipeline.batch import run_batch
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.engine.declarations import Operation
from napari_seedbed.pipeline.files import read_image, write_image
from napari_seedbed.pipeline.operations import run
from napari_seedbed.pipeline.recipes import load_recipe, recipe_from_record

pytestmark = pytest.mark.display
SPACING = (0.5, 0.5)
PATIENCE = 60_000
BETWEEN = {"method": "manual", "low": 140.0, "high": 300.0}


@pytest.fixture
def picture(rng):
    """Squares of three sizes, with holes, and noise."""
    array = rng.normal(100, 8, (60, 70))
    array[10:20, 10:20] += 90
    array[30:45, 40:60] += 90
    array[35:38, 47:50] -= 90
    array[50:53, 5:8] += 90
    return array.astype(np.float32)


@pytest.fixture
def image(picture):
    """The picture as the pipeline takes it."""
    return Image(picture, ("y", "x"), SPACING, ("micrometer",) * 2, name="squares")


@pytest.fixture
def viewer(make_napari_viewer, picture):
    """A window with the picture."""
    viewer = make_napari_viewer(show=True)
    place = {"scale": SPACING, "units": ("um", "um")}
    viewer.add_image(picture, name="squares", rgb=False, **place)
    return viewer


@pytest.fixture
def runs(monkeypatch):
    """Names of the operations whose functions are called, in order."""
    called = []
    call = Operation.call

    def counted(self, job):
        called.append(self.name)
        return call(self, job)

    monkeypatch.setattr(Operation, "call", counted)
    return called


def make(viewer, qtbot, operation, layer, **parameters):
    """Run an operation in its form on a layer, and give the layer that comes out."""
    form = form_class(operation)(viewer)
    qtbot.addWidget(form)
    form.inputs.image.choose(layer)
    for name, value in parameters.items():
        form.parameters.set_value(name, value)
    before = set(viewer.layers)
    form.run()
    qtbot.waitUntil(lambda: not form.is_running, timeout=PATIENCE)
    (made,) = set(viewer.layers) - before
    return made


@pytest.fixture
def labels(viewer, qtbot):
    """Labels made by four operations in their forms."""
    smooth = make(viewer, qtbot, "gaussian", viewer.layers["squares"], sigma=1.0)
    mask = make(viewer, qtbot, "threshold_between", smooth, **BETWEEN)
    filled = make(viewer, qtbot, "fill_holes", mask)
    return make(viewer, qtbot, "label", filled)


def open_history(viewer, qtbot, layer):
    viewer.layers.selection.active = layer
    panel = HistoryPanel(viewer)
    viewer.window.add_dock_widget(panel, name="History")
    qtbot.waitUntil(panel.isVisible, timeout=PATIENCE)
    QApplication.setActiveWindow(panel.window())
    assert panel.form.layer.layer() is layer
    return panel


def wait_for_state(panel, qtbot, begins):
    qtbot.waitUntil(lambda: panel.form.state.text().startswith(begins), timeout=PATIENCE)


def run_by_mouse(panel, qtbot):
    qtbot.waitUntil(panel.controls.run.isEnabled, timeout=PATIENCE)
    QTest.mouseClick(panel.controls.run, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not panel.is_running, timeout=PATIENCE)


def switch(panel, name):
    """Click on the box of a step."""
    box = panel.form.steps.boxes[name]
    panel.form.ensureWidgetVisible(box)
    QTest.mouseClick(box, Qt.MouseButton.LeftButton, pos=QPoint(8, box.height() // 2))


def type_number(panel, step, name, text):
    """Type another number into a field, as a person does."""
    fields = panel.form.steps.fields[step]
    field = next(part._fields[name] for part in fields._parts if name in part._fields)
    panel.form.ensureWidgetVisible(field)
    QTest.mouseDClick(field.findChild(QLineEdit), Qt.MouseButton.LeftButton)
    field.selectAll()
    QTest.keyClicks(field, text)
    QTest.keyClick(field, Qt.Key.Key_Return)
    return field


def test_steps_are_changed_and_only_they_are_done_again(viewer, qtbot, labels, image, runs):
    panel = open_history(viewer, qtbot, labels)
    form = panel.form
    titles = [box.text() for box in form.steps.boxes.values()]
    assert titles[0] == "1  Gaussian filter"
    assert len(titles) == 4
    wait_for_state(panel, qtbot, "Up to date.")
    before, names = labels.data.copy(), [layer.name for layer in viewer.layers]

    # the second step: the first one's layer is there, the third and the fourth follow
    type_number(panel, "threshold_between", "low", "120")
    wait_for_state(panel, qtbot, "Changed since the last run: from step 2.")
    run_by_mouse(panel, qtbot)
    assert runs == ["threshold_between", "fill_holes", "label"]
    wait_for_state(panel, qtbot, "Up to date.")
    smooth = run("gaussian", {"image": image}, {"sigma": 1.0}).image("image")
    wider = {**BETWEEN, "low": 120.0}
    mask = run("threshold_between", {"image": smooth}, wider).image("mask")
    filled = run("fill_holes", {"image": mask}).image("labels")
    expected = run("label", {"image": filled}).image("labels").array
    np.testing.assert_array_equal(labels.data, expected)
    assert not np.array_equal(before, expected)
    # in the same layer, with its record
    assert [layer.name for layer in viewer.layers] == names
    steps = recipe_from_record(record_of(labels)).steps
    assert steps[1].parameters["low"] == 120

    # the first step: without its layer, too
    viewer.layers["squares > Gaussian"].locked = False
    viewer.layers.remove("squares > Gaussian")
    runs.clear()
    type_number(panel, "gaussian", "sigma", "0.5")
    wait_for_state(panel, qtbot, "Changed since the last run: from step 1.")
    run_by_mouse(panel, qtbot)
    assert runs == ["gaussian", "threshold_between", "fill_holes", "label"]
    runs.clear()
    type_number(panel, "threshold_between", "low", "150")
    run_by_mouse(panel, qtbot)
    assert runs == ["threshold_between", "fill_holes", "label"]
    wait_for_state(panel, qtbot, "Up to date.")

    # voxels of the image that change are noticed
    layer = viewer.layers["squares"]
    layer.data[5, 5] += 1
    layer.refresh()
    wait_for_state(panel, qtbot, "'squares' holds other voxels than at the last run: from step 1.")
    runs.clear()
    run_by_mouse(panel, qtbot)
    assert len(runs) == 4
    wait_for_state(panel, qtbot, "Up to date.")


def test_steps_are_switched_off_as_in_a_file(viewer, qtbot, labels, image, tmp_path):
    panel = open_history(viewer, qtbot, labels)
    form = panel.form
    switch(panel, "threshold_between")
    assert form.steps.boxes["threshold_between"].isChecked()
    assert "takes labels and would be given an image" in form.status.text()
    switch(panel, "gaussian")
    switch(panel, "fill_holes")
    assert not form.steps.fields["gaussian"].isEnabled()
    wait_for_state(panel, qtbot, "Changed since the last run: from step 1.")
    panel.save_recipe(tmp_path / "all.yaml")
    assert load_recipe(tmp_path / "all.yaml").in_force.steps[0].operation == "gaussian"
    run_by_mouse(panel, qtbot)
    wait_for_state(panel, qtbot, "Up to date.")

    # the same edits by hand in the file of before
    content = yaml.safe_load((tmp_path / "all.yaml").read_text("utf-8"))
    for nth in (0, 2):
        content["steps"][nth]["skip"] = True
    (tmp_path / "edited.yaml").write_text(yaml.dump(content), "utf-8")
    panel.save_recipe(tmp_path / "saved.yaml")
    write_image(tmp_path / "squares.ome.tif", image)
    for name in ("edited", "saved"):
        recipe = load_recipe(tmp_path / f"{name}.yaml")
        run_batch(recipe, [tmp_path / "squares.ome.tif"], tmp_path / name)
        written = read_image(tmp_path / name / "squares_labels.ome.tif")
        np.testing.assert_array_equal(written.array, labels.data)

    # the steps that are off are known wherever the layer is opened again
    other = HistoryPanel(viewer)
    qtbot.addWidget(other)
    other.form.layer.choose(labels)
    assert [box.isChecked() for box in other.form.steps.boxes.values()] == [0, 1, 0, 1]

    # the last one off: the result is another kind of layer, and the list goes on with it
    switch(panel, "label")
    run_by_mouse(panel, qtbot)
    mask = form.layer.layer()
    assert mask is not labels
    assert isinstance(mask, Labels)
    assert mask.data.max() == 1
    assert mask.name == "squares > Between two values"
    wait_for_state(panel, qtbot, "Up to date.")
    switch(panel, "label")
    run_by_mouse(panel, qtbot)
    assert form.layer.layer() is labels


def test_edits_are_undone_and_done_again(viewer, qtbot, labels):
    panel = open_history(viewer, qtbot, labels)
    form, fields = panel.form, panel.form.steps.fields
    assert not form.undo.isEnabled()
    assert not form.redo.isEnabled()
    wait_for_state(panel, qtbot, "Up to date.")
    type_number(panel, "gaussian", "sigma", "2")
    switch(panel, "fill_holes")
    field = type_number(panel, "threshold_between", "low", "111")
    assert form.undo.toolTip() == "Undo: Lower value of step 2. Key Ctrl+Z."
    # keys in a field undo in the list, and not the letters
    field.setFocus()
    QTest.keyClick(field, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert fields["threshold_between"].values()["low"] == 140
    assert form.undo.toolTip().startswith("Undo: step 3 switched off")
    QTest.mouseClick(form.undo, Qt.MouseButton.LeftButton)
    assert form.steps.boxes["fill_holes"].isChecked()
    assert fields["fill_holes"].isEnabled()
    QTest.mouseClick(form.undo, Qt.MouseButton.LeftButton)
    wait_for_state(panel, qtbot, "Up to date.")
    assert not form.undo.isEnabled()
    both = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
    QTest.keyClick(field, Qt.Key.Key_Z, both)
    assert fields["gaussian"].values()["sigma"] == 2
    wait_for_state(panel, qtbot, "Changed since the last run: from step 1.")
    QTest.mouseClick(form.redo, Qt.MouseButton.LeftButton)
    assert not form.steps.boxes["fill_holes"].isChecked()
    # another edit: what was undone is gone
    switch(panel, "label")
    assert not form.redo.isEnabled()
    # each layer has edits of its own
    smooth = viewer.layers["squares > Gaussian"]
    form.layer.choose(smooth)
    assert list(form.steps.boxes) == ["gaussian"]
    assert not form.undo.isEnabled()
    form.layer.choose(labels)
    assert form.undo.isEnabled()
    assert form.steps.fields["gaussian"].values()["sigma"] == 2


def test_changes_stay_when_another_panel_makes_the_layer_anew(viewer, qtbot):
    smooth = make(viewer, qtbot, "gaussian", viewer.layers["squares"], sigma=1.0)
    form = form_class("threshold_between")(viewer)
    qtbot.addWidget(form)
    form.inputs.image.choose(smooth)

    def run_form(low):
        for name, value in {**BETWEEN, "low": low}.items():
            form.parameters.set_value(name, value)
        form.run()
        qtbot.waitUntil(lambda: not form.is_running, timeout=PATIENCE)

    run_form(140.0)
    mask = viewer.layers[-1]
    panel = open_history(viewer, qtbot, mask)
    wait_for_state(panel, qtbot, "Up to date")
    type_number(panel, "gaussian", "sigma", "2")
    wait_for_state(panel, qtbot, "Changed since the last run: from step 1")
    run_form(150.0)
    assert viewer.layers[-1] is mask
    qtbot.waitUntil(lambda: "changes of its steps are kept" in panel.form.status.text())
    values = {name: fields.values() for name, fields in panel.form.steps.fields.items()}
    assert (values["gaussian"]["sigma"], values["threshold_between"]["low"]) == (2.0, 150.0)
    wait_for_state(panel, qtbot, "Changed since the last run: from step 1")

    # Changed by hand, the smoothed image is where the steps begin: there are others now.
    smooth.data = smooth.data + 1
    run_form(160.0)
    qtbot.waitUntil(lambda: "those before are gone" in panel.form.status.text())
    assert list(panel.form.steps.fields) == ["threshold_between"]
    assert panel.form.steps.fields["threshold_between"].values()["low"] == 160.0


def test_what_was_painted_stays(viewer, qtbot, labels):
    panel = open_history(viewer, qtbot, labels)
    viewer.layers.selection.active = labels
    labels.mode, labels.selected_label = "paint", 9
    drag(viewer, (25, 5), (25, 15))
    assert (labels.data == 9).any()
    painted = labels.data.copy()
    wait_for_state(panel, qtbot, "The layer was changed by hand: it stays")
    type_number(panel, "threshold_between", "low", "150")
    wait_for_state(panel, qtbot, "Changed since the last run: from step 2. The layer was changed")
    run_by_mouse(panel, qtbot)
    np.testing.assert_array_equal(labels.data, painted)
    new = panel.form.layer.layer()
    assert new is not labels
    assert not (new.data == 9).any()
    wait_for_state(panel, qtbot, "Up to date.")
    # and is updated by the next run
    count = len(viewer.layers)
    type_number(panel, "threshold_between", "low", "130")
    run_by_mouse(panel, qtbot)
    assert panel.form.layer.layer() is new
    assert len(viewer.layers) == count
    wait_for_state(panel, qtbot, "Up to date.")


def test_a_run_is_cancelled_and_what_is_missing_is_said(viewer, qtbot, labels, monkeypatch):
    panel = open_history(viewer, qtbot, labels)
    before = labels.data.copy()
    call = Operation.call

    def endless(self, job):
        while self.name == "label":
            tell(0.5, "labelling")
            check_stop()
            time.sleep(0.01)
        return call(self, job)

    monkeypatch.setattr(Operation, "call", endless)
    type_number(panel, "gaussian", "sigma", "2")
    QTest.mouseClick(panel.controls.run, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: panel.controls.progress.value() >= 700, timeout=PATIENCE)
    QTest.mouseClick(panel.controls.cancel, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not panel.is_running, timeout=PATIENCE)
    assert panel.form.status.text() == "Cancelled."
    np.testing.assert_array_equal(labels.data, before)
    wait_for_state(panel, qtbot, "Changed since the last run: from step 1.")
    # what was done before it was cancelled is not done again
    called = []
    monkeypatch.setattr(Operation, "call", lambda s, j: called.append(s.name) or call(s, j))
    run_by_mouse(panel, qtbot)
    assert called == ["label"]
    wait_for_state(panel, qtbot, "Up to date.")
    viewer.layers.remove("squares")
    wait_for_state(panel, qtbot, "Open 'squares', which it was made from")
    assert not panel.controls.run.isEnabled()


def test_results_of_colours_and_of_panels_of_their_own(viewer, qtbot, rng):
    colours = rng.integers(0, 255, (30, 40, 3)).astype(np.uint8)
    cat = viewer.add_image(colours, name="cat", rgb=True)
    smooth = make(viewer, qtbot, "gaussian", cat, sigma=1.0)
    panel = open_history(viewer, qtbot, smooth)
    wait_for_state(panel, qtbot, "Up to date.")
    type_number(panel, "gaussian", "sigma", "3")
    run_by_mouse(panel, qtbot)
    wait_for_state(panel, qtbot, "Up to date.")
    expected = run("gaussian", {"image": Image(colours, ("y", "x", "c"), rgb=True)}, {"sigma": 3})
    assert panel.form.layer.layer() is smooth
    assert isinstance(smooth, ImageLayer)
    np.testing.assert_array_equal(smooth.data, expected.image("image").array)

    threshold = ThresholdPanel(viewer)
    qtbot.addWidget(threshold)
    threshold.form.inputs.image.choose(viewer.layers["squares"])
    threshold.run()
    qtbot.waitUntil(lambda: not threshold.is_busy, timeout=PATIENCE)
    mask = next(layer for layer in viewer.layers if isinstance(layer, Labels))
    panel.form.layer.choose(mask)
    wait_for_state(panel, qtbot, "Up to date.")
    (step,) = panel.form.steps.fields
    panel.form.steps.fields[step].set_value("method", "mean")
    run_by_mouse(panel, qtbot)
    wait_for_state(panel, qtbot, "Up to date.")
    assert panel.form.layer.layer() is mask
    np.testing.assert_array_equal(
        mask.data, viewer.layers["squares"].data > viewer.layers["squares"].data.mean()
    )
