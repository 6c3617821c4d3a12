"""A recipe on many files, from the window."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from napari.layers import Image as ImageLayer
from napari.layers import Labels
from qtpy.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from qtpy.QtGui import QDropEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QLabel, QPushButton, QStyle, QStyleOptionViewItem
from zarr_scenes import write_plate

from napari_seedbed.core.progress import check_stop
from napari_seedbed.gui.layers.layer_records import METADATA_KEY
from napari_seedbed.gui.qt import path_button
from napari_seedbed.gui.qt.path_button import PathButton
from napari_seedbed.gui.tools.batch.batch_panel import BatchPanel
from napari_seedbed.pipeline.batch import items
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.files import read_image, write_image
from napari_seedbed.pipeline.operations import run
from napari_seedbed.pipeline.recipes import recipe_from_record, save_recipe


def squares(n):
    """A picture with n bright squares."""
    array = np.zeros((40, 60), np.uint8)
    for i in range(n):
        array[5:15, 15 * i + 3 : 15 * i + 12] = 200
    return Image(array, ("y", "x"), (0.5, 0.5), ("micrometer",) * 2, name=f"s{n}")


@pytest.fixture
def place(tmp_path):
    """A folder with three pictures and a recipe that labels them."""
    images = tmp_path / "images"
    images.mkdir()
    for n in (1, 2, 3):
        write_image(images / f"s{n}.ome.tif", squares(n))
    mask = run("threshold", {"image": squares(2)}).image("mask")
    labels = run("label", {"image": mask})
    save_recipe(tmp_path / "objects.yaml", recipe_from_record(labels.record))
    return tmp_path


def drop(widget, *paths):
    """Drop files on a widget with the mouse."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    left, no_key = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    widget.dropEvent(QDropEvent(QPointF(20, 20), Qt.DropAction.CopyAction, data, left, no_key))


def pick(monkeypatch, button, kind, path):
    """Pick a path in the dialog that an entry of a button's menu opens."""
    with monkeypatch.context() as patch:
        if kind == "File…":
            patch.setattr(path_button.QFileDialog, "getOpenFileName", lambda *_: (str(path), ""))
        else:
            patch.setattr(path_button.QFileDialog, "getExistingDirectory", lambda *_: str(path))
        (entry,) = (one for one in button.menu().actions() if one.text() == kind)
        entry.trigger()


def click(button):
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def wait(panel, qtbot):
    qtbot.waitUntil(lambda: not panel.is_busy, timeout=120_000)


@pytest.mark.display
def test_files_are_dropped_run_and_looked_at(make_napari_viewer, qtbot, place):
    viewer = make_napari_viewer(show=True)
    panel = BatchPanel(viewer)
    viewer.window.add_dock_widget(panel, name="Batch processing")
    form = panel.form
    assert not form.run.isEnabled()
    (place / "damaged.yaml").write_text("format_version: 1")
    panel.show_recipe(place / "damaged.yaml")
    assert "damaged.yaml is damaged" in form.status.text()
    panel.show_recipe(place / "objects.yaml")
    (place / "objects.yaml").unlink()
    assert form.about.text() == "Threshold → Label connected components, made on s2."
    drop(form.files, place / "images", place / "images" / "s1.ome.tif", place / "gone.tif")
    assert [file.name for file in form.files.files] == [
        "s1.ome.tif",
        "s2.ome.tif",
        "s3.ome.tif",
        "gone.tif",
    ]
    assert form.folder.text() == str(place / "images" / "results")
    form.folder.setText(str(place / "out"))
    click(form.run)
    assert panel.is_busy
    wait(panel, qtbot)
    assert form.files.states() == ["done", "done", "done", "failed"]
    assert [form.files.item(row, 2).text() for row in range(4)] == ["1", "2", "3", ""]
    assert "3 of 4 files done, 6 objects. 1 failed" in form.status.text()
    assert "there is no such file" in form.files.item(3, 0).toolTip()
    with (place / "out" / "objects.csv").open(encoding="utf-8") as file:
        named = [Path(row["file"]).name for row in csv.DictReader(file)]
    assert named == ["s1.ome.tif", *["s2.ome.tif"] * 2, *["s3.ome.tif"] * 3]
    assert form.show_summary.isEnabled()

    viewer.layers.clear()
    cell = form.files.visualItemRect(form.files.item(1, 0)).center()
    viewport = form.files.viewport()
    QTest.mouseClick(viewport, Qt.MouseButton.LeftButton, pos=cell)
    QTest.mouseDClick(viewport, Qt.MouseButton.LeftButton, pos=cell)
    wait(panel, qtbot)
    image, labels = viewer.layers
    assert (type(image), type(labels)) == (ImageLayer, Labels)
    np.testing.assert_array_equal(labels.data, read_image(place / "out/s2_labels.ome.tif").array)
    np.testing.assert_allclose(labels.scale, (0.5, 0.5))

    click(form.run)
    wait(panel, qtbot)
    assert form.files.states() == ["there already"] * 3 + ["failed"]


def click_box(tree, row, modifier=Qt.KeyboardModifier.NoModifier):
    """Click with the mouse on the box of a row of a tree."""
    option = QStyleOptionViewItem()
    option.initFrom(tree)
    option.rect = tree.visualItemRect(row)
    option.features = QStyleOptionViewItem.ViewItemFeature.HasCheckIndicator
    part = QStyle.SubElement.SE_ItemViewItemCheckIndicator
    place = tree.style().subElementRect(part, option, tree).center()
    QTest.mouseClick(tree.viewport(), Qt.MouseButton.LeftButton, modifier, place)


def click_name(tree, row, modifier=Qt.KeyboardModifier.NoModifier):
    """Click with the mouse at the end of a row of a tree."""
    place = tree.visualItemRect(row).center()
    QTest.mouseClick(tree.viewport(), Qt.MouseButton.LeftButton, modifier, place)


@pytest.mark.display
def test_wells_and_fields_of_a_plate_are_chosen(make_napari_viewer, qtbot, tmp_path):
    write_plate(tmp_path / "plate.zarr", 0.5, wells=("A/1", "A/2", "B/03"), n_fields=3)
    write_image(tmp_path / "single.ome.tif", squares(2))
    labels = run("label", {"image": read_image(tmp_path / "plate.zarr", series=2)})
    save_recipe(tmp_path / "objects.yaml", recipe_from_record(labels.record))
    viewer = make_napari_viewer(show=True)
    panel = BatchPanel(viewer)
    viewer.window.add_dock_widget(panel, name="Batch processing")
    form, tree = panel.form, panel.form.images
    panel.show_recipe(tmp_path / "objects.yaml")
    form.folder.setText(str(tmp_path / "out"))
    drop(form.files, tmp_path / "plate.zarr", tmp_path / "single.ome.tif")
    assert not tree.isVisible()
    click(next(one for one in form.findChildren(QPushButton) if one.text() == "▸ More"))
    qtbot.waitUntil(form.each_image.isVisible, timeout=60_000)
    box = QPoint(8, form.each_image.height() // 2)
    QTest.mouseClick(form.each_image, Qt.MouseButton.LeftButton, pos=box)
    assert form.each_image.isChecked()
    wait(panel, qtbot)
    assert tree.isVisible()
    plate = tree.topLevelItem(0)
    assert tree.topLevelItemCount() == 1
    wells = [plate.child(n) for n in range(plate.childCount())]
    assert [well.text(0) for well in wells] == ["A1", "A2", "B03"]
    for well in wells:
        well.setExpanded(True)
    fields = [[well.child(n) for n in range(3)] for well in wells]
    assert [field.text(0) for field in fields[2]] == ["field 1", "field 2", "field 3"]
    assert tree.chosen() == {tmp_path / "plate.zarr": list(range(1, 10))}

    # nothing at all: the single picture is left, and then not even that
    click_box(tree, plate)
    assert tree.chosen() == {tmp_path / "plate.zarr": []}
    assert form.run.isEnabled()
    form.files.selectRow(1)
    click(form.remove)
    wait(panel, qtbot)
    assert tree.chosen() == {tmp_path / "plate.zarr": []}
    assert not form.run.isEnabled()
    drop(form.files, tmp_path / "single.ome.tif")
    wait(panel, qtbot)
    assert tree.chosen() == {tmp_path / "plate.zarr": []}

    # a well, one more field, and several rows by one box
    plate = tree.topLevelItem(0)
    wells = [plate.child(n) for n in range(3)]
    for well in wells:
        well.setExpanded(True)
    fields = [[well.child(n) for n in range(3)] for well in wells]
    click_box(tree, wells[0])
    assert tree.chosen() == {tmp_path / "plate.zarr": [1, 2, 3]}
    click_box(tree, fields[2][1])
    assert wells[2].checkState(0) == Qt.CheckState.PartiallyChecked
    click_name(tree, fields[0][0])
    click_name(tree, fields[0][1], Qt.KeyboardModifier.ShiftModifier)
    assert len(tree.selectedItems()) == 2
    click_box(tree, fields[0][1])
    assert tree.chosen() == {tmp_path / "plate.zarr": [3, 8]}
    assert "2 of 9 images chosen." in [label.text() for label in form.findChildren(QLabel)]

    click(form.run)
    wait(panel, qtbot)
    assert form.files.states() == ["done", "done"]
    assert [entry.get("series") for entry in panel.summary["inputs"]] == [3, 8, None]
    with (tmp_path / "out" / "objects.csv").open(encoding="utf-8") as file:
        told = [(row["image"], row["well"]) for row in csv.DictReader(file)]
    assert told[:2] == [("A/1 field 3", "A1"), ("B/03 field 2", "B03")]
    found = sum(entry["objects"] for entry in panel.summary["inputs"][:2])
    assert form.files.item(0, 2).text() == str(found) != "0"
    viewer.layers.clear()
    form.files.cellDoubleClicked.emit(0, 0)
    wait(panel, qtbot)
    assert [type(layer) for layer in viewer.layers] == [ImageLayer, Labels] * 2
    for image, made in zip(viewer.layers[::2], viewer.layers[1::2], strict=True):
        np.testing.assert_array_equal(np.squeeze(made.data) > 0, np.squeeze(image.data) > 0)


def test_recipe_of_a_layer_is_offered(viewer_model, qtbot, place):
    viewer_model.add_image(squares(2).array, name="plain")
    mask = run("threshold", {"image": squares(2)}).image("mask")
    made = viewer_model.add_labels(mask.array.astype(int), name="found")
    made.metadata = {METADATA_KEY: dict(mask.record)}
    panel = BatchPanel(viewer_model)
    qtbot.addWidget(panel)
    form = panel.form
    assert [form.recipe.itemText(n) for n in range(form.recipe.count())] == ["found"]
    assert form.about.text() == "Threshold, made on s2."
    form.files.add([place / "images"])
    form.files.selectRow(1)
    click(form.remove)
    assert [file.name for file in form.files.files] == ["s1.ome.tif", "s3.ome.tif"]
    click(form.run)
    wait(panel, qtbot)
    results = place / "images" / "results"
    np.testing.assert_array_equal(
        read_image(results / "s3_mask.ome.tif").array > 0, squares(3).array > 0
    )
    assert json.loads((results / "summary.json").read_text())["recipe"] == "found"
    viewer_model.layers.remove(made)
    assert form.recipe.count() == 0
    assert not form.run.isEnabled()


def test_tables_of_classes_name_the_objects(viewer_model, qtbot, place, monkeypatch):
    """A folder has one for each file; where it lacks one, that file alone fails."""
    panel = BatchPanel(viewer_model)
    qtbot.addWidget(panel)
    form = panel.form
    panel.show_recipe(place / "objects.yaml")
    form.files.add([place / "images"])
    tables = place / "classes"
    tables.mkdir()
    for n in (1, 2):
        lines = ["label,class", *(f"{i},kind {n * i}" for i in range(1, n + 1))]
        (tables / f"s{n}_classes.csv").write_text("\n".join(lines))
    pick(monkeypatch, form.browse_classes, "Folder…", tables)
    form.classes.setText(f" {form.classes.text()}")
    form.wells.setText("(s")
    click(form.run)
    wait(panel, qtbot)
    assert "wells: '(s' is no regular expression" in form.status.text()
    form.wells.setText("s[0-9]")
    click(form.run)
    wait(panel, qtbot)
    assert form.files.states() == ["done", "done", "failed"]
    with (place / "images" / "results" / "objects.csv").open(newline="") as file:
        rows = csv.DictReader(file)
        found = [(row["file"][-10:], row["well"], row["class"]) for row in rows]
    assert found == [
        ("s1.ome.tif", "S01", "kind 1"),
        ("s2.ome.tif", "S02", "kind 2"),
        ("s2.ome.tif", "S02", "kind 4"),
    ]


def test_files_and_folders_are_picked(viewer_model, qtbot, place, monkeypatch):
    """What is written there stays where nothing is picked."""
    panel = BatchPanel(viewer_model)
    qtbot.addWidget(panel)
    form = panel.form
    pair = {"image": squares(1), "other": squares(2)}
    difference = recipe_from_record(run("image_difference", pair).record)
    panel.show_recipe(save_recipe(place / "two.yaml", difference))
    (line_of_other,) = form.others.lines.values()
    (browse_other,) = form.others.findChildren(PathButton)
    for button, line in (
        (form.browse_classes, form.classes),
        (browse_other, line_of_other),
        (form.marks.browse, form.marks.file),
    ):
        for kind, path in (("File…", place / "objects.yaml"), ("Folder…", place / "images")):
            with qtbot.waitSignal(line.editingFinished):
                pick(monkeypatch, button, kind, path)
            assert line.text() == str(path)
            pick(monkeypatch, button, kind, "")
            assert line.text() == str(path)


def test_cancelled_run_keeps_what_is_finished(viewer_model, qtbot, place, monkeypatch):
    panel = BatchPanel(viewer_model)
    qtbot.addWidget(panel)
    form = panel.form
    panel.show_recipe(place / "objects.yaml")
    form.files.add([place / "images"])
    form.workers.setValue(1)

    def cancel_after_the_first(entry):
        panel._on_file(entry)
        click(form.cancel)

    read = items.read_image

    def read_when_cancelled(path, **options):
        # the next file is held until the first one's row was seen
        while not path.name.startswith("s1"):
            check_stop()
        return read(path, **options)

    monkeypatch.setattr(items, "read_image", read_when_cancelled)
    panel._finished.disconnect()
    panel._finished.connect(cancel_after_the_first)
    click(form.run)
    wait(panel, qtbot)
    assert form.files.states() == ["done", "waiting", "waiting"]
    assert form.status.text().startswith("Cancelled; what was finished stays.")
    results = place / "images" / "results"
    assert (results / "s1_labels.ome.tif").exists()
    assert json.loads((results / "summary.json").read_text())["cancelled"]
    monkeypatch.setattr(items, "read_image", read)
    panel._finished.disconnect()
    panel._finished.connect(panel._on_file)
    click(form.run)
    wait(panel, qtbot)
    assert form.files.states() == ["there already", "done", "done"]
