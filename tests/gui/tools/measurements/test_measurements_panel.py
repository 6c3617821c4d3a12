"""Objects are counted, measured, chosen in table, plot and picture, and coloured."""

import csv

import numpy as np
import pytest
from measurements_window import SQUARES, MeasurementsBench, MeasurementsWindow, squares
from napari.layers import Points
from painting import drag
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication
from skimage.measure import regionprops_table

from bounds import bound
from napari_seedbed.gui.forms import panel as panel_base
from napari_seedbed.pipeline.recipes import load_recipe, replay

SHIFT = Qt.KeyboardModifier.ShiftModifier
CONTROL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def bench(viewer_model, qtbot):
    return MeasurementsBench(viewer_model, qtbot)


@pytest.fixture
def measured(bench):
    bench.measure()
    return bench


def film():
    """Two time points with labels that say the same, one square less in the second."""
    labels, _ = squares()
    later = np.roll(labels, 3, axis=1)
    later[later == 7] = 0
    return np.stack([labels, later])


# Counting


def test_the_number_of_objects_is_shown_at_once(bench):
    assert bench.form.count.text() == "4 objects"


def test_the_number_follows_edits_by_hand(bench):
    bench.labels.data_setitem((np.array([60, 60]), np.array([3, 4])), 9)
    bench.wait_counted()
    assert bench.form.count.text() == "5 objects"
    bench.labels.undo()
    bench.wait_counted()
    assert bench.form.count.text() == "4 objects"


def test_other_colours_are_not_counted_again(measured):
    measured.click_row(1)
    measured.form.colour_by.setCurrentText("area")
    assert not measured.panel.count.is_busy


def test_each_time_point_is_counted(viewer_model, qtbot):
    bench = MeasurementsBench(viewer_model, qtbot, film(), axis_labels=("t", "y", "x"))
    viewer_model.dims.set_point(0, 1)
    qtbot.waitUntil(lambda: "3 at this" in bench.form.count.text())
    assert bench.form.count.text() == "3 at this time point, 7 in all"


def test_numbers_stand_on_the_objects_in_world_coordinates(viewer_model, qtbot):
    bench = MeasurementsBench(
        viewer_model, qtbot, *squares(), scale=(0.5, 2), translate=(10, -3), units=("um", "um")
    )
    bench.form.numbers.setChecked(True)
    [layer] = [layer for layer in viewer_model.layers if isinstance(layer, Points)]
    assert layer.features["label"].tolist() == [1, 2, 4, 7]
    middles = [(y + (n - 1) / 2, x + (n - 1) / 2) for _, y, x, n in SQUARES]
    expected = [bench.labels.data_to_world(place) for place in middles]
    assert np.allclose([layer.data_to_world(place) for place in layer.data], expected)
    bench.form.numbers.setChecked(False)
    assert layer not in viewer_model.layers


def test_numbers_follow_edits_and_leave_the_active_layer_alone(bench):
    bench.viewer.layers.selection.active = bench.labels
    bench.form.numbers.setChecked(True)
    assert bench.viewer.layers.selection.active is bench.labels
    bench.labels.data_setitem((np.array([60, 60]), np.array([3, 4])), 9)
    bench.wait_counted()
    assert bench.panel.overlay.layer.features["label"].tolist() == [1, 2, 4, 7, 9]


def test_a_number_is_seen_on_every_slice_of_its_object(viewer_model, qtbot):
    labels = np.zeros((12, 30, 30), np.int32)
    labels[2:9, 5:15, 5:15] = 3
    bench = MeasurementsBench(viewer_model, qtbot, labels, scale=(2, 1, 1))
    bench.form.numbers.setChecked(True)
    layer = bench.panel.overlay.layer
    seen = []
    for z in range(12):
        viewer_model.dims.set_point(0, 2 * z)
        qtbot.waitUntil(lambda: not bench.panel.is_busy)
        seen.append(len(layer._view_indices))
    assert seen == [0, 0, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0]
    viewer_model.dims.ndisplay = 3
    qtbot.waitUntil(lambda: len(layer.data) == 1)
    assert np.allclose(layer.data_to_world(layer.data[0]), (10, 9.5, 9.5))


@pytest.mark.timing
def test_a_thousand_numbers_are_quick(viewer_model, qtbot):
    import time

    labels = np.kron(np.arange(1, 1226).reshape(35, 35), np.ones((8, 8), int)).astype(np.int32)
    bench = MeasurementsBench(viewer_model, qtbot, labels)
    begin = time.perf_counter()
    bench.form.numbers.setChecked(True)
    assert time.perf_counter() - begin < bound(2)
    assert len(bench.panel.overlay.layer.data) == 1225


# Measuring


def test_the_table_holds_what_scikit_image_measures(measured):
    labels, grey = squares()
    names = ("label", "area", "perimeter_crofton", "intensity_mean", "solidity")
    theirs = regionprops_table(labels, grey, properties=names)
    assert measured.table["label"].tolist() == theirs["label"].tolist()
    assert np.allclose(measured.table["area"], theirs["area"])
    assert np.allclose(measured.table["mean_intensity"], theirs["intensity_mean"])
    assert np.allclose(measured.table["solidity"], theirs["solidity"])
    assert "4 objects measured" in measured.status


def test_groups_choose_the_columns(bench):
    for name in ("shape", "hull", "intensity", "neighbours", "position"):
        bench.click(bench.form.groups[name])
    bench.measure()
    assert list(bench.table) == ["label", "voxels", "area", "equivalent_diameter", "unit"]


def test_rows_are_the_features_of_the_layer(measured):
    features = measured.labels.features
    row = features[features["index"] == 7].iloc[0]
    assert row["area"] == 400
    # napari's own table takes the row at place n to be that of label n
    assert features["index"].tolist() == list(range(8))
    assert np.isnan(features["area"][3])


def test_features_that_somebody_else_wrote_stay(bench):
    bench.labels.features = {"index": [1, 2, 4, 7], "class": ["a", "b", "a", "b"]}
    bench.measure()
    features = bench.labels.features.set_index("index")
    assert features.loc[7, "class"] == "b"
    assert features.loc[7, "area"] == 400


def test_features_are_those_of_the_time_point_on_screen(viewer_model, qtbot):
    bench = MeasurementsBench(viewer_model, qtbot, film(), axis_labels=("t", "y", "x"))
    viewer_model.dims.set_point(0, 0)
    bench.measure()
    assert bench.table["time_point"].tolist() == [0, 0, 0, 0, 1, 1, 1]
    first = bench.labels.features.set_index("index").loc[1, "centroid_x"]
    viewer_model.dims.set_point(0, 1)
    moved = lambda: bench.labels.features.set_index("index").loc[1, "centroid_x"] - first  # noqa: E731
    qtbot.waitUntil(lambda: moved() == 3)


def test_the_time_point_in_view_is_measured_alone(viewer_model, qtbot, tmp_path, monkeypatch):
    bench = MeasurementsBench(viewer_model, qtbot, film(), axis_labels=("t", "y", "x"))
    bench.form.apply_to.setCurrentText("Time point in view")
    viewer_model.dims.set_point(0, 1)
    bench.measure()
    assert bench.table["time_point"].tolist() == [1, 1, 1]
    assert bench.table["label"].tolist() == [1, 2, 4]
    assert "t 1" in bench.status
    path = tmp_path / "measure.yaml"
    monkeypatch.setattr(panel_base, "ask_for_recipe_path", lambda *_: path)
    bench.click(bench.form.save_recipe)
    again = replay(load_recipe(path), bench.form.inputs.given().image).table()
    assert again.columns["time_point"].tolist() == [1, 1, 1]


def test_labels_without_time_have_nothing_to_choose(bench):
    assert not bench.form.apply_to.isVisible()


def test_no_objects_give_an_empty_table(viewer_model, qtbot):
    bench = MeasurementsBench(viewer_model, qtbot, np.zeros((20, 20), int))
    assert bench.form.count.text() == "0 objects"
    bench.measure()
    assert len(bench.table["label"]) == 0
    assert "solidity" in bench.table


def test_without_labels_there_is_nothing_to_press(viewer_model, qtbot):
    from napari_seedbed.gui.tools.measurements.measurements_panel import MeasurementsPanel

    panel = MeasurementsPanel(viewer_model)
    qtbot.addWidget(panel)
    assert not panel.form.run.isEnabled()


# Choosing


def test_a_click_on_a_row_centres_and_chooses_its_object(measured):
    measured.click_row(3)
    assert measured.labels.selected_label == 7
    assert measured.viewer.scene.camera.center[1:] == (50.0, 60.0)
    assert measured.colour(7)[3] == 1
    assert measured.colour(2)[3] < 0.5


def test_a_click_on_a_row_goes_to_the_slice_of_its_object(viewer_model, qtbot):
    labels = np.zeros((9, 30, 30), np.int32)
    labels[1:4, 3:9, 3:9], labels[6:9, 20:25, 20:25] = 1, 2
    bench = MeasurementsBench(viewer_model, qtbot, labels, scale=(2, 1, 1))
    bench.measure()
    bench.click_row(1)
    assert viewer_model.dims.point[0] == 14
    bench.click_row(0)
    assert viewer_model.dims.point[0] == 4


def test_shown_alone_napari_hides_the_others(measured):
    measured.click(measured.form.alone)
    measured.click_row(0)
    assert measured.labels.show_selected_label
    assert measured.labels.selected_label == 1


def test_a_label_chosen_in_napari_selects_its_row(measured):
    measured.labels.selected_label = 4
    assert measured.selected_labels() == [4]


def test_rows_keep_their_objects_when_sorted(measured):
    header = measured.view.table.horizontalHeader()
    measured.click_row(0)
    area = list(measured.table).index("area")
    measured.view.table.sortByColumn(area, Qt.SortOrder.DescendingOrder)
    assert header.sortIndicatorSection() == area
    assert measured.selected_labels() == [1]
    measured.click_row(0)
    assert measured.selected_labels() == [7]
    measured.view.table.sortByColumn(area, Qt.SortOrder.AscendingOrder)
    measured.click_row(0)
    assert measured.selected_labels() == [4]


def test_several_rows_are_highlighted_together(measured):
    measured.click_row(0)
    measured.click_row(2, CONTROL)
    assert measured.selected_labels() == [1, 4]
    assert measured.colour(1)[3] == measured.colour(4)[3] == 1
    assert measured.colour(7)[3] < 0.5


def test_a_box_on_the_scatter_selects_objects_everywhere(measured):
    plot = measured.view.plot
    plot.across.setCurrentText("area")
    plot.up.setCurrentText("mean_intensity")
    measured.qtbot.wait(50)
    measured.drag_plot((80, 5), (250, 30))
    assert measured.selected_labels() == [1, 2]
    assert measured.colour(7)[3] < 0.5
    measured.drag_plot((380, 60), (420, 80), modifier=SHIFT)
    assert measured.selected_labels() == [1, 2, 7]


def test_a_lasso_on_the_scatter_selects_what_it_surrounds(measured):
    plot = measured.view.plot
    plot.across.setCurrentText("area")
    plot.up.setCurrentText("mean_intensity")
    plot.tools["lasso"].click()
    measured.qtbot.wait(50)
    measured.drag_plot((20, 45), (50, 50), (60, 35), (30, 30), (20, 40))
    assert measured.selected_labels() == [4]


def test_a_drag_on_the_histogram_selects_the_values_below_it(measured):
    measured.view.plot.across.setCurrentText("area")
    measured.qtbot.wait(50)
    measured.drag_plot((90, 0.2), (210, 0.6))
    assert measured.selected_labels() == [1, 2]


def test_many_scattered_rows_come_to_the_top(viewer_model, qtbot):
    labels = np.kron(np.arange(1, 4901).reshape(70, 70), np.ones((3, 3), int)).astype(np.int32)
    bench = MeasurementsBench(viewer_model, qtbot, labels)
    bench.measure()
    odd = np.arange(0, 4900, 2)
    bench.panel.select(odd)
    assert np.array_equal(bench.view.table.selected_rows(), odd)
    qtbot.waitUntil(lambda: bench.colour(2)[3] < 0.5)
    assert bench.colour(1)[3] == 1


# Colours


def test_objects_are_coloured_by_a_column_between_limits(measured):
    from napari.utils.colormaps import ensure_colormap

    measured.form.colour_by.setCurrentText("area")
    measured.form.colormap.setCurrentText("magma")
    measured.form.low.setValue(100)
    measured.form.high.setValue(300)
    ends = ensure_colormap("magma").map(np.array([0.0, 1.0]))
    assert np.allclose(measured.colour(1), ends[0], atol=0.01)
    assert np.allclose(measured.colour(4), ends[0], atol=0.01)
    assert np.allclose(measured.colour(7), ends[1], atol=0.01)


def test_own_colours_come_back(measured):
    before = measured.colour(7)
    measured.form.colour_by.setCurrentText("area")
    assert not np.allclose(measured.colour(7), before)
    measured.form.colour_by.setCurrentIndex(0)
    assert np.allclose(measured.colour(7), before)


def test_own_colours_come_back_where_a_table_lacks_the_column(measured):
    before = measured.colour(7)
    measured.form.colour_by.setCurrentText("bbox_y_stop")
    measured.click(measured.form.groups["position"])
    measured.measure()
    assert "bbox_y_stop" not in measured.table
    assert measured.form.colour_by.currentIndex() == 0
    assert np.allclose(measured.colour(7), before)


def test_a_closed_panel_leaves_the_labels_as_they_were(measured):
    before = measured.labels.colormap
    measured.form.colour_by.setCurrentText("area")
    measured.panel.close()
    assert np.allclose(measured.colour(7), before.map(np.array([7]))[0])
    assert measured.panel.linked.clicks._on_press not in measured.viewer.mouse_drag_callbacks


def test_labels_that_were_removed_are_let_go(measured):
    measured.viewer.layers.remove(measured.labels)
    assert measured.panel.linked.layer is None
    assert not measured.form.run.isEnabled()


# Files


def test_the_table_is_saved_as_csv(measured, tmp_path):
    measured.panel.save(tmp_path / "table.csv")
    with (tmp_path / "table.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["area"]) for row in rows] == [100, 196, 36, 400]


def test_saved_recipe_measures_the_same(measured, tmp_path, monkeypatch):
    path = tmp_path / "measure.yaml"
    monkeypatch.setattr(panel_base, "ask_for_recipe_path", lambda *_: path)
    measured.click(measured.form.save_recipe)
    given = measured.form.inputs.given().inputs
    again = replay(load_recipe(path), given["image"], other=given.get("other")).table()
    for name, column in measured.panel.table.columns.items():
        np.testing.assert_array_equal(again.columns[name], column)


def test_parquet_without_pyarrow_is_refused_in_plain_words(measured, tmp_path, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "pyarrow", None)
    measured.panel.save(tmp_path / "table.parquet")
    assert "pip install pyarrow" in measured.status
    assert list(tmp_path.iterdir()) == []


def test_selected_rows_are_copied_with_their_headings(measured):
    measured.click_row(1)
    measured.click(measured.form.copy)
    lines = QApplication.clipboard().text().split("\n")
    assert len(lines) == 2
    copied = dict(zip(*(line.split("\t") for line in lines), strict=True))
    assert copied["label"] == "2"
    assert float(copied["area"]) == 196


# In a window, with the mouse


@pytest.mark.display
def test_a_click_on_an_object_selects_its_row(make_napari_viewer, qtbot):
    window = MeasurementsWindow(make_napari_viewer, qtbot, *squares(), scale=(0.5, 0.5))
    window.measure()
    window.viewer.reset_view()
    window.click_picture((25, 30))
    assert window.selected_labels() == [7]
    window.click_picture((5, 5), SHIFT)
    assert window.selected_labels() == [1, 7]
    window.click_picture((16, 30))
    assert window.selected_labels() == []
    drag(window.viewer, (25, 30), (20, 10))
    assert window.selected_labels() == []


@pytest.mark.display
def test_strokes_are_counted(make_napari_viewer, qtbot):
    window = MeasurementsWindow(make_napari_viewer, qtbot)
    window.viewer.layers.selection.active = window.labels
    window.labels.mode = "paint"
    window.labels.selected_label = 11
    drag(window.viewer, (30, 60), (30, 70))
    window.wait_counted()
    assert window.form.count.text() == "5 objects"


def test_long_name_of_labels_does_not_widen_the_window(viewer_model, qtbot):
    bench = MeasurementsBench(viewer_model, qtbot)
    bench.measure()
    narrow = bench.view.minimumSizeHint().width()
    bench.labels.name = "nuclei of the second ovule in water, smoothed and split " * 4
    bench.measure()
    assert bench.view.minimumSizeHint().width() == narrow


def test_picture_below_the_labels_gives_the_intensities(viewer_model, qtbot):
    labels, grey = squares()
    viewer_model.add_image(grey[:30], name="another size")
    viewer_model.add_image(grey, name="picture", rgb=False)
    bench = MeasurementsBench(viewer_model, qtbot, labels)
    other = bench.form.inputs.others["other"]
    assert other.currentText() == "picture"
    other.setCurrentIndex(other.findText("none"))
    bench.panel.reset_choices()
    assert other.layer() is None


def test_form_with_colours_is_no_wider_than_its_dock(make_napari_viewer, qtbot):
    bench = MeasurementsWindow(make_napari_viewer, qtbot)
    bench.measure()
    bench.form.colour_by.setCurrentText("area")
    qtbot.wait(20)
    body, bar = bench.form.widget(), bench.form.verticalScrollBar()
    assert body.minimumSizeHint().width() + bar.sizeHint().width() <= 320
