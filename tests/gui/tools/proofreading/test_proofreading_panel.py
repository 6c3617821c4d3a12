"""Edits, states, undo and the list of the panel that proofreads labels."""

import csv
from dataclasses import replace

import numpy as np
import pytest
from proofreading_window import ProofreadingBench, squares

from napari_seedbed.gui.hooks.npe2_hooks import write_objects_table
from napari_seedbed.gui.layers.layer_records import METADATA_KEY, is_of_the_same_run, record_of
from napari_seedbed.gui.layers.object_states import class_names, object_states
from napari_seedbed.gui.tools.measurements.measurements_panel import MeasurementsPanel
from napari_seedbed.gui.tools.proofreading import proofreading_panel
from napari_seedbed.gui.tools.proofreading.object_rows import measured_rows
from napari_seedbed.gui.tools.proofreading.picture_tools import Line
from napari_seedbed.pipeline.encodings.edit_encoding import edit_text
from napari_seedbed.pipeline.operations import run
from napari_seedbed.pipeline.recipes import load_recipe, replay


@pytest.fixture
def bench(viewer_model, qtbot):
    return ProofreadingBench(viewer_model, qtbot)


def test_edits_are_undone_and_redone_by_name(bench):
    first = bench.layer.data.copy()
    bench.act("merge", 1, 2)
    assert bench.labels() == [1, 4, 7]
    assert bench.selected == (1,)
    assert bench.form.undo.toolTip().startswith("Undo merge 1 + 2.")
    merged = bench.layer.data.copy()
    bench.act("delete", 4)
    assert bench.labels() == [1, 7]
    bench.click(bench.form.undo)
    np.testing.assert_array_equal(bench.layer.data, merged)
    bench.click(bench.form.undo)
    np.testing.assert_array_equal(bench.layer.data, first)
    assert not bench.form.undo.isEnabled()
    assert bench.form.redo.toolTip().startswith("Redo merge 1 + 2.")
    bench.click(bench.form.redo)
    np.testing.assert_array_equal(bench.layer.data, merged)


def test_the_table_follows_each_edit(bench):
    for name, objects in (("merge", (1, 2)), ("grow", (7,)), ("delete", (4,))):
        bench.act(name, *objects)
        expected = measured_rows(bench.panel.target.image())
        for column, values in expected.items():
            is_number = values.dtype.kind == "f"
            same = np.testing.assert_allclose if is_number else np.testing.assert_array_equal
            same(bench.columns[column], values, err_msg=column)
    bench.click(bench.form.undo)
    assert bench.columns["label"].tolist() == bench.labels()


def test_strokes_of_napari_are_steps_like_any_other(bench):
    first = bench.layer.data.copy()
    bench.act("delete", 4)
    bench.layer.preserve_labels = False
    bench.layer.brush_size = 5
    bench.layer.selected_label = 9
    with bench.layer.block_history():
        bench.layer.paint((30, 20), 9)
        bench.layer.paint((30, 24), 9)
    bench.wait()
    assert bench.columns["label"].tolist() == [1, 2, 7, 9]
    bench.act("delete", 1)
    for left in ([1, 2, 7, 9], [1, 2, 7], [1, 2, 4, 7]):
        bench.panel.history.undo()
        bench.wait()
        assert bench.labels() == left
    np.testing.assert_array_equal(bench.layer.data, first)
    for _ in range(3):
        bench.click(bench.form.redo)
    assert bench.labels() == [2, 7, 9]


def test_locked_objects_are_changed_by_nothing(bench):
    bench.panel.selection.select([2])
    bench.click(bench.form.lock)
    before = bench.layer.data.copy()
    for name in ("delete", "grow"):
        bench.act(name, 2)
        assert "locked" in bench.status
    bench.act("merge", 1, 2)
    assert "locked" in bench.status
    np.testing.assert_array_equal(bench.layer.data, before)
    bench.layer.preserve_labels = False
    bench.layer.brush_size = 9
    bench.layer.paint((18, 30), 1)  # over its corner and beside it
    bench.wait()
    assert "locked" in bench.status
    np.testing.assert_array_equal(bench.layer.data == 2, before == 2)
    assert (bench.layer.data == 1).sum() > (before == 1).sum()
    bench.layer.paint_polygon([[0, 0], [0, 20], [20, 20], [20, 0]], 2)
    bench.wait()
    np.testing.assert_array_equal(bench.layer.data == 2, before == 2)
    # two strokes that come at once, of which the second knows nothing of what was there first
    steps = len(bench.panel.history.commands)
    for label in (7, 0):
        bench.layer.data_setitem((np.array([10]), np.array([35])), label)
    bench.wait()
    np.testing.assert_array_equal(bench.layer.data == 2, before == 2)
    assert len(bench.panel.history.commands) == steps
    bench.panel.history.undo()
    bench.wait()
    np.testing.assert_array_equal(bench.layer.data, before)
    bench.panel.history.undo()
    assert object_states(bench.layer).locked == set()


def test_the_list_is_gone_through_until_all_are_checked(bench):
    assert bench.form.count.text().startswith("0 of 4 checked")
    bench.form.order.setCurrentIndex(bench.form.order.findData("smallest"))
    visited = []
    for _ in range(4):
        bench.click(bench.form.next)
        visited += bench.selected
        bench.click(bench.form.check)
    assert visited == [4, 1, 2, 7]
    assert bench.form.count.text().startswith("4 of 4 checked")
    bench.click(bench.form.next)
    assert bench.status == "All objects are checked."
    bench.form.unchecked.setChecked(False)
    bench.click(bench.form.previous)
    assert bench.selected == (2,)
    bench.act("delete")
    bench.click(bench.form.next)
    assert bench.selected == (7,)


def test_a_cut_object_passes_its_class_on_and_its_larger_part_stays_selected(bench):
    bench.panel.selection.select([7])
    bench.panel.states.set_class_by_number(2)
    bench.click(bench.form.check)
    bench.panel.edits.draw("cut", [Line(np.array([[38.0, 63.0], [62.0, 63.0]]))])
    bench.wait()
    assert bench.labels() == [1, 2, 4, 7, 8]
    assert (bench.layer.data == 7).sum() > (bench.layer.data == 8).sum()
    assert bench.selected == (7,)
    assert bench.status.endswith("New: object 8.")
    states = object_states(bench.layer)
    assert states.of(7) == (True, False, "class 2")
    assert states.of(8) == (False, False, "class 2")
    bench.click(bench.form.undo)
    assert bench.labels() == [1, 2, 4, 7]
    np.testing.assert_array_equal(bench.layer.data, squares())


def test_large_objects_are_coarser_in_the_3d_display(viewer_model, qtbot):
    labels = np.ones((200, 190, 210), np.uint8)
    bench = ProofreadingBench(viewer_model, qtbot, labels, scale=(2, 1, 1))
    bench.panel.selection.select([1])
    bench.viewer.dims.ndisplay = 3
    qtbot.waitUntil(lambda: bench.panel.marks.layer.data.shape[0] > 1, timeout=60000)
    marks = bench.panel.marks.layer
    assert np.asarray(marks.data).all()
    assert marks.data.size <= 1 << 21
    np.testing.assert_allclose(marks.extent.world, bench.layer.extent.world, atol=2)


def test_classes_are_named_and_saved_in_the_table(bench, tmp_path):
    bench.panel.states.editor.edited.emit(["alive", "dead"])
    bench.panel.selection.select([1, 2])
    bench.panel.states.set_class_by_number(1)
    bench.panel.selection.select([4])
    bench.panel.states.set_class_by_number(2)
    bench.panel.states.editor.edited.emit(["living", "dead"])
    bench.panel.save(tmp_path / "objects.csv")
    with (tmp_path / "objects.csv").open(newline="", encoding="utf-8") as file:
        rows = {int(row["label"]): row for row in csv.DictReader(file)}
    assert {n: row["class"] for n, row in rows.items()} == {
        1: "living",
        2: "living",
        4: "dead",
        7: "",
    }
    assert float(rows[7]["area"]) == 400
    bench.panel.states.editor.edited.emit(["dead"])
    assert object_states(bench.layer).class_of == {4: "dead"}
    assert bench.form.undo.toolTip().startswith("Undo remove class living.")
    bench.click(bench.form.undo)
    assert object_states(bench.layer).class_of == {1: "living", 2: "living", 4: "dead"}
    assert bench.form.undo.toolTip().startswith("Undo rename class alive to living.")
    for button, name in ((bench.form.undo, "alive"), (bench.form.redo, "living")):
        bench.click(button)
        assert object_states(bench.layer).class_of == {1: name, 2: name, 4: "dead"}
        assert class_names(bench.layer) == (name, "dead")
        assert bench.panel.states.editor.fields[0].text() == name
        assert bench.form.classes.itemText(1) == name
    while bench.panel.history.undo_name is not None:
        bench.panel.history.undo()
    assert class_names(bench.layer) == ()


def test_each_layer_has_its_own_history(bench):
    other = bench.viewer.add_labels(squares()[::-1].copy(), name="others")
    bench.act("delete", 1)
    bench.form.labels.choose(other)
    bench.wait()
    assert not bench.form.undo.isEnabled()
    bench.act("delete", 2)
    bench.form.labels.choose(bench.layer)
    bench.wait()
    assert bench.form.undo.toolTip().startswith("Undo delete 1.")
    bench.click(bench.form.undo)
    np.testing.assert_array_equal(bench.layer.data, squares())
    bench.form.labels.choose(other)
    bench.wait()
    bench.click(bench.form.undo)
    np.testing.assert_array_equal(other.data, squares()[::-1])


def test_strokes_are_steps_once_however_often_their_layer_is_chosen(bench):
    other = bench.viewer.add_labels(squares()[::-1].copy(), name="others")
    bench.form.labels.choose(bench.layer)
    bench.wait()
    bench.layer.paint((30, 20), 9)
    bench.wait()
    for layer in (other, bench.layer):
        bench.form.labels.choose(layer)
        bench.wait()
    assert len(bench.panel.history.commands) == 1
    bench.click(bench.form.undo)
    np.testing.assert_array_equal(bench.layer.data, squares())
    bench.panel.history.undo()
    assert "nothing to undo" in bench.status
    bench.click(bench.form.redo)
    assert bench.labels() == [1, 2, 4, 7, 9]


def test_strokes_on_a_layer_that_is_not_chosen_are_all_remembered(bench):
    """napari keeps a hundred; two known ones are undone there, and 120 painted."""
    other = bench.viewer.add_labels(squares()[::-1].copy(), name="others")
    bench.form.labels.choose(bench.layer)
    bench.wait()
    bench.layer.preserve_labels = False
    for column in (1, 2, 3):
        bench.layer.data_setitem((np.array([0]), np.array([column])), 50)
        bench.wait()
    bench.form.labels.choose(other)
    bench.wait()
    for _ in range(2):
        bench.layer.undo()
    flat = np.flatnonzero(bench.layer.data == 0)[:120]
    for place in flat:
        where = np.unravel_index([place], bench.layer.data.shape)
        bench.layer.data_setitem(where, 60)
    bench.form.labels.choose(bench.layer)
    bench.wait()
    painted = bench.layer.data.copy()
    assert len(bench.panel.history.commands) == 121
    steps = 0
    while bench.panel.history.undo_name is not None:
        bench.panel.history.undo()
        steps += 1
    assert steps == 121
    np.testing.assert_array_equal(bench.layer.data, squares())
    for _ in range(steps):
        bench.panel.history.redo()
    np.testing.assert_array_equal(bench.layer.data, painted)


def test_edits_wanted_quickly_are_made_of_what_those_before_them_left(bench):
    bench.panel.selection.select([4])
    bench.form.radius.setValue(3)
    bench.form.edits["grow"].click()
    bench.form.edits["delete"].click()
    bench.wait()
    assert bench.labels() == [1, 2, 7]
    bench.click(bench.form.undo)
    assert (bench.layer.data == 4).sum() > (squares() == 4).sum()


def test_an_edit_is_of_what_was_painted_just_before_too(bench):
    bench.layer.paint((30, 20), 1)
    bench.panel.edits.act("delete", [1])
    bench.wait()
    assert bench.labels() == [2, 4, 7]
    for _ in range(2):
        bench.click(bench.form.undo)
    np.testing.assert_array_equal(bench.layer.data, squares())


def test_napari_never_undoes_over_an_edit(bench):
    bench.layer.preserve_labels = False
    bench.layer.paint((30, 20), 9)
    bench.wait()
    bench.act("delete", 9, 1)
    after = bench.layer.data.copy()
    bench.panel.close()
    bench.layer.undo()
    np.testing.assert_array_equal(bench.layer.data, after)


def test_a_panel_out_of_sight_still_guards_what_is_locked(bench):
    bench.panel.selection.select([2])
    bench.click(bench.form.lock)
    bench.act("delete", 1)
    bench.panel.hide()
    bench.layer.preserve_labels = False
    bench.layer.paint((10, 35), 9)
    bench.qtbot.waitUntil(lambda: 9 not in bench.labels())
    bench.layer.paint((30, 20), 9)
    bench.panel.show()
    bench.wait()
    assert bench.columns["label"].tolist() == [2, 4, 7, 9]
    for _ in range(3):
        bench.click(bench.form.undo)
    np.testing.assert_array_equal(bench.layer.data, squares())


def test_strokes_alone_are_left_to_napari_when_the_panel_goes(bench):
    bench.layer.paint((30, 20), 9)
    bench.wait()
    bench.panel.close()
    bench.layer.undo()
    np.testing.assert_array_equal(bench.layer.data, squares())


def test_a_layer_that_somebody_else_changed_is_not_spoilt_by_undo(bench):
    bench.act("delete", 1)
    bench.qtbot.waitUntil(lambda: record_of(bench.layer) is not None, timeout=60_000)
    bench.layer.data[5:10, 5:10] = 30
    bench.click(bench.form.undo)
    assert "changed by something else" in bench.status
    assert (bench.layer.data == 30).sum() == 25
    assert 30 in bench.columns["label"]
    # they are not what they were before the first edit
    bench.click(bench.form.save_recipe)
    assert "Nothing was edited" in bench.status
    assert record_of(bench.layer)["operation"] == "proofread_labels"
    bench.layer.data = squares()
    bench.wait()
    assert not bench.form.undo.isEnabled()
    assert bench.columns["label"].tolist() == [1, 2, 4, 7]


def test_a_hundred_steps_are_remembered(bench):
    first = bench.layer.data.copy()
    for _ in range(60):
        bench.panel.edits.act("grow", [7])
        bench.panel.edits.act("shrink", [7])
    bench.wait()
    steps = 0
    while bench.panel.history.undo_name is not None:
        bench.panel.history.undo()
        steps += 1
    assert steps == 120
    np.testing.assert_array_equal(bench.layer.data, first)


def test_a_saved_recipe_makes_the_same_labels_of_the_first_ones(bench, tmp_path, monkeypatch):
    path = tmp_path / "proofread.yaml"
    monkeypatch.setattr(proofreading_panel, "ask_for_recipe_path", lambda *_: path)
    bench.click(bench.form.save_recipe)
    assert "Nothing was edited" in bench.status
    original = bench.panel.target.image()
    original = replace(original, array=original.array.copy())
    bench.act("merge", 1, 2)
    bench.layer.paint((30, 20), 9)
    bench.panel.selection.select([7])
    bench.click(bench.form.lock)
    bench.panel.edits.draw(
        "strokes", [Line(np.array([[44.0, 8], [44, 9]])), Line(np.array([[41.0, 13]]))]
    )
    bench.act("grow", 9)
    bench.act("delete", 9)
    bench.click(bench.form.undo)
    bench.click(bench.form.save_recipe)
    again = replay(load_recipe(path), original)
    np.testing.assert_array_equal(again.image("labels").array, bench.layer.data)
    record = record_of(bench.layer)
    assert record["operation"] == "proofread_labels"
    while bench.panel.history.undo_name is not None:
        bench.panel.history.undo()
    bench.wait()
    assert record_of(bench.layer) is None


def test_classes_are_in_the_tables_of_measurements_and_of_the_writer(bench, tmp_path):
    bench.panel.selection.select([1, 7])
    bench.panel.states.set_class_by_number(1)
    measuring = MeasurementsPanel(bench.viewer)
    bench.qtbot.addWidget(measuring)
    measuring.show()
    measuring.run()
    bench.qtbot.waitUntil(lambda: measuring.table is not None, timeout=60000)
    assert measuring.table.columns["class"].tolist() == ["class 1", "", "", "class 1"]
    assert object_states(bench.layer).class_of == {1: "class 1", 7: "class 1"}
    data, attributes, _ = bench.layer.as_layer_data_tuple()
    write_objects_table(str(tmp_path / "objects.csv"), data, attributes)
    with (tmp_path / "objects.csv").open(newline="", encoding="utf-8") as file:
        assert [row["class"] for row in csv.DictReader(file)] == ["class 1", "", "", "class 1"]


def test_objects_take_the_colours_of_their_classes(bench):
    own = bench.layer.colormap
    bench.panel.selection.select([1, 7])
    bench.panel.states.set_class_by_number(2)
    bench.form.class_colours.setChecked(True)
    bench.wait()
    sky_blue = (0x56 / 255, 0xB4 / 255, 0xE9 / 255, 1)
    assert np.allclose(bench.layer.colormap.map(np.array([7]))[0], sky_blue, atol=0.01)
    assert bench.layer.colormap.map(np.array([4]))[0][3] < 0.5
    bench.panel.selection.select([4])
    bench.panel.states.set_class_by_number(2)
    bench.wait()
    assert np.allclose(bench.layer.colormap.map(np.array([4]))[0], sky_blue, atol=0.01)
    bench.form.class_colours.setChecked(False)
    assert bench.layer.colormap is own


def test_doubt_is_the_uncertainty_that_the_run_of_the_labels_left(viewer_model, qtbot):
    record = {"operation": "seeded_segmentation", "parameters": {"n": 1}}
    metadata = {METADATA_KEY: {**record, "kind": "labels"}}
    bench = ProofreadingBench(viewer_model, qtbot, metadata=metadata)
    assert bench.form.doubt.layer() is None
    by_shape = bench.columns["doubt"].copy()
    uncertainty = np.zeros((70, 80), np.float32)
    for label, value in ((1, 0.2), (2, 0.7), (4, 0.1), (7, 0.4)):
        uncertainty[squares() == label] = value
    uncertainty[5:15, 5:10] = 0.5
    # a map of another run is there to be chosen; that of the same one is
    for name, made in (("foreign", {**record, "parameters": {}}), ("own", record)):
        viewer_layer = bench.viewer.add_image(
            uncertainty, name=name, metadata={METADATA_KEY: {**made, "kind": "uncertainty"}}
        )
        bench.wait()
        assert bench.form.doubt.layer() is (viewer_layer if name == "own" else None)
    assert bench.form.image.layer() is None
    np.testing.assert_allclose(bench.columns["doubt"], [0.35, 0.7, 0.1, 0.4], rtol=1e-6)
    visited = []
    for _ in range(4):
        bench.click(bench.form.next)
        visited += bench.selected
    assert visited == [2, 7, 1, 4]
    bench.act("merge", 1, 7)
    np.testing.assert_allclose(bench.columns["doubt"], [(35 + 160) / 500, 0.7, 0.1], rtol=1e-6)
    assert record_of(bench.layer)["operation"] == "proofread_labels"
    assert is_of_the_same_run(viewer_layer, bench.layer)
    viewer_layer.data = 1 - uncertainty
    bench.wait()
    np.testing.assert_allclose(bench.columns["doubt"], [1 - 195 / 500, 0.3, 0.9], rtol=1e-6)
    bench.click(bench.form.undo)
    bench.form.doubt.setCurrentIndex(0)
    bench.wait()
    np.testing.assert_allclose(bench.columns["doubt"], by_shape)


def test_all_objects_get_numbers_without_gaps_and_keep_their_states(viewer_model, qtbot):
    later = np.where(squares() == 2, 0, squares())
    film = np.stack([squares(), later])
    bench = ProofreadingBench(viewer_model, qtbot, film.copy(), axis_labels=("t", "y", "x"))
    bench.panel.selection.select([7])
    bench.panel.states.set_class_by_number(1)
    bench.click(bench.form.check)
    bench.panel.selection.select([4])
    bench.panel.states.set_class_by_number(2)
    states = object_states(bench.layer)
    bench.panel.selection.select([7])
    bench.act("renumber_all")
    # a cell keeps one number through all of the film
    np.testing.assert_array_equal(bench.layer.data, np.array([0, 1, 2, 0, 3, 0, 0, 4])[film])
    assert bench.selected == (4,)
    renamed = object_states(bench.layer)
    assert (renamed.of(4), renamed.of(3)) == (states.of(7), states.of(4))
    assert renamed.of(7) == (False, False, "")
    text = edit_text(bench.panel.history.commands[-1])
    assert text == "renumber"
    inputs = {"image": replace(bench.panel.target.image(), array=film)}
    again = run("proofread_labels", inputs, {"edits": text}).image("labels")
    np.testing.assert_array_equal(again.array, bench.layer.data)
    bench.click(bench.form.undo)
    np.testing.assert_array_equal(bench.layer.data, film)
    assert object_states(bench.layer) == states
