"""What panels say and offer is true of what is on screen, whatever was done in between."""

import threading

import numpy as np
import pytest
from classifier_window import ClassifierWindow
from colour_window import ColourBench
from differences_window import Bench as DifferencesBench
from differences_window import changed, scene
from form_window import FormBench, discs
from measurements_window import MeasurementsBench, MeasurementsWindow
from painting import drag, move_to
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from regions_window import REGIONS, RegionsBench, blocks
from scores_window import ScoresBench, ScoresWindow
from seeded_window import SeededWindow
from snakes_window import SnakesBench, circle

from napari_seedbed.core.progress import check_stop
from napari_seedbed.gui.forms import inputs_panel
from napari_seedbed.gui.forms.operation_form import form_class
from napari_seedbed.gui.forms.strokes_panel import STALE
from napari_seedbed.gui.qt.run_controls import OUTDATED
from napari_seedbed.gui.tools.colour import chromaticity_panel
from napari_seedbed.gui.tools.scores import scores_panel
from napari_seedbed.gui.tools.thresholds.threshold_panel import ThresholdPanel
from napari_seedbed.pipeline import operations


def strokes_by_hand(window):
    """A stroke in the middle and one at the edge, drawn with the mouse; where the second lies."""
    seeds = window.seeds or window.new_seeds()
    drag(window.viewer, window.world(window.marks[0]), window.world(window.marks[1]))
    seeds.selected_label = 2
    drag(window.viewer, window.world(window.marks[2]), window.world(window.marks[3]))
    assert set(np.unique(seeds.data)) == {0, 1, 2}
    return seeds


class _Seeded(SeededWindow):
    older = "1 stroke since the last run; press Run to update."
    marks = ((10, 15, 14), (10, 17, 18), (10, 2, 4), (10, 2, 26))


class _Classifier(ClassifierWindow):
    older = STALE.format(ClassifierWindow.panel_class.marks)
    marks = ((1, 22, 26), (1, 26, 36), (1, 4, 6), (1, 4, 56))


@pytest.fixture(params=[_Seeded, _Classifier])
def window(make_napari_viewer, qtbot, request):
    return request.param(make_napari_viewer, qtbot)


# The panels of seeds


def test_picking_beside_strokes_leaves_the_label_in_the_hand(window):
    seeds = strokes_by_hand(window)
    window.wait_final()
    seeds.selected_label = 1
    seeds.mode = "pick"
    beside, on = (window.marks[0][0], 30, 4), window.marks[2]
    move_to(window.viewer, window.world(beside))
    drag(window.viewer, window.world(beside), window.world(beside), steps=1)
    assert seeds.selected_label == 1
    assert "label 1 stays" in window.status
    drag(window.viewer, window.world(on), window.world(on), steps=1)
    assert seeds.selected_label == 2


def test_result_that_is_older_than_strokes_or_settings_is_said_to_be_so(window):
    strokes_by_hand(window)
    window.wait_final()
    current = window.panel.status["final"]
    assert window.status.startswith(current)
    window.click(window.form.live)
    window.panel._say("Something else was said meanwhile.")
    drag(window.viewer, window.world(window.marks[2]), window.world(window.marks[2]), steps=1)
    window.seeds.selected_label = 1
    drag(window.viewer, window.world(window.marks[0]), window.world(window.marks[3]))
    window.panel.seeds.look_if_due()
    assert window.status == window.older
    window.click(window.form.controls.run)
    window.wait_final()
    assert window.status.startswith(current)
    window.viewer.layers.remove(window.result)
    assert window.status == "Ready."


@pytest.mark.parametrize("sample", ["nuclei_2d"])
def test_truth_of_a_sample_is_not_offered_as_seeds(window, sample):
    before = {window.form.seeds.itemData(i) for i in range(window.form.seeds.count())}
    window.viewer.open_sample("napari-seedbed", sample)
    (truth,) = [layer for layer in window.viewer.layers if "truth" in layer.name]
    after = {window.form.seeds.itemData(i) for i in range(window.form.seeds.count())}
    assert truth not in after
    assert after == before


# The region graph


def test_slider_of_the_region_graph_may_be_moved_at_any_moment(make_napari_viewer, qtbot):
    viewer = make_napari_viewer(show=True)
    bench = RegionsBench(viewer, qtbot, dock=True)
    panel, form = bench.panel, bench.form

    def press(key):
        QTest.keyClick(form.slider, key)

    dock = panel.parent()
    dock.close()
    dock.show()
    press(Qt.Key.Key_End)
    form.slider.setValue(form.slider.maximum() // 2)  # a drag that began before
    bench.wait_drawn()
    assert np.array_equal(bench.shown, np.squeeze(bench.expected().image("labels").array))
    # other regions, of which another graph is being built
    other = viewer.add_labels(np.kron([[1, 2], [3, 4]], np.ones((20, 30), int)), name="four")
    form.inputs.others["other"].choose(other)
    form.slider.setValue(0)
    panel._look_now()
    form.slider.setValue(form.slider.maximum())
    assert "joined" not in bench.status
    bench.wait_built()
    assert set(np.unique(bench.shown)) <= {1, 2, 3, 4}
    assert bench.status.startswith("4 regions")
    # no regions: nothing is left to move
    for layer in (other, bench.regions):
        viewer.layers.remove(layer)
    bench.wait_drawn()
    form.slider.setValue(form.slider.maximum() // 3)
    assert not form.slider.isEnabled()
    assert bench.layer("merged regions") is None
    viewer.add_labels(REGIONS, name="regions")
    bench.wait_built()
    press(Qt.Key.Key_Home)
    bench.wait_drawn()
    assert blocks(bench.shown) == blocks(REGIONS)


# Results of one run after another


def test_differences_say_an_error_only_as_long_as_it_is_there(viewer_model, qtbot):
    film = np.stack([scene(), changed(1), changed(2)])
    bench = DifferencesBench(viewer_model, qtbot, film, axis_labels=("t", "y", "x"))
    viewer_model.dims.set_point(0, 2)
    bench.compare_series()
    bench.form.frames.set_value("against", "frame")
    bench.settle()
    for mend, said in ((0, "2 changes were found."), (1, "1 change was found.")):
        bench.form.frames.set_value("frame", 9)
        bench.settle()
        assert bench.status.endswith("there is no 9; the series has 3, counted from 0. "
                                     "What is shown is older.")  # fmt: skip
        bench.form.frames.set_value("frame", mend)
        bench.settle()
        assert bench.status == said
    bench.click(bench.form.live)
    bench.form.frames.set_value("frame", 0)
    bench.settle()
    assert bench.status.startswith(OUTDATED)
    bench.form.frames.set_value("frame", 1)
    bench.settle()
    assert bench.status == said


def test_form_tells_a_result_from_what_a_run_would_give_now(viewer_model, qtbot):
    image = viewer_model.add_image(discs()[0].astype(float), name="discs")
    bench = FormBench(viewer_model, qtbot, "gaussian")
    bench.run()
    said = bench.form.status.text()
    sigma = operations.get("gaussian").parameter("sigma").default
    bench.set(sigma=sigma + 1)
    assert bench.form.status.text() == f"{OUTDATED} {said}".rstrip()
    bench.set(sigma=sigma)
    assert bench.form.status.text() == said
    image.data = image.data + 1
    assert bench.form.status.text().startswith(OUTDATED)
    bench.run()
    assert bench.form.status.text() == said


def test_threshold_tells_a_result_from_what_a_run_would_give_now(viewer_model, qtbot):
    viewer_model.add_image(discs()[0].astype(float), name="discs")
    panel = ThresholdPanel(viewer_model)
    qtbot.addWidget(panel)
    panel.show()
    panel.form.follow.setChecked(False)
    qtbot.waitUntil(lambda: panel.counted is not None, timeout=60000)
    panel.run()
    qtbot.waitUntil(lambda: not panel.is_running, timeout=60000)
    status = panel.form.controls.status
    assert not status.text().startswith(OUTDATED)
    panel.form.choose("threshold", method="li")
    assert status.text().startswith(OUTDATED)
    panel.form.choose("threshold", method="otsu")
    assert not status.text().startswith(OUTDATED)


def held_back(monkeypatch, module, name):
    """Let a function that jobs call wait for the event that is returned, or for their end."""
    function, may_begin = getattr(module, name), threading.Event()

    def waiting(*args):
        while not may_begin.wait(0.01):
            check_stop()
        return function(*args)

    monkeypatch.setattr(module, name, waiting)
    return may_begin


def test_changes_while_a_form_is_hidden_are_noticed_when_it_is_shown(viewer_model, qtbot):
    image = viewer_model.add_image(discs()[0].astype(float), name="discs")
    seeds = viewer_model.add_labels(np.eye(40, 50, dtype=int), name="seeds")
    bench = FormBench(viewer_model, qtbot, "seeded_watershed")
    bench.form.inputs.others["start"].choose(seeds)

    def look_away(change=None):
        bench.form.hide()
        if change is not None:
            change()
        qtbot.wait(150)
        bench.form.show()
        return bench.form.status.text()

    def paint():
        seeds.data_setitem((np.array([30]), np.array([3])), 2)

    def brighten():
        image.data = image.data + 1

    for change in (paint, brighten):
        bench.run()
        said = bench.form.status.text()
        assert "Done" in said
        assert look_away() == said
        assert look_away(change) == f"{OUTDATED} {said}"


def test_result_of_a_form_that_was_never_shown_is_older_only_after_a_change(viewer_model, qtbot):
    image = viewer_model.add_image(discs()[0].astype(float), name="discs")
    form = form_class("gaussian")(viewer_model)
    qtbot.addWidget(form)
    form.run()
    qtbot.waitUntil(lambda: not form.is_busy, timeout=60000)
    said = form.status.text()
    assert said.startswith("Done")
    image.data = image.data + 1
    assert form.status.text() == said
    form.show()
    assert form.status.text() == f"{OUTDATED} {said}"


@pytest.mark.parametrize("mode", ["update", "labels"])
def test_snakes_tell_a_result_from_what_a_run_would_give_now(viewer_model, qtbot, mode):
    bench = SnakesBench(viewer_model, qtbot)
    bench.add_shapes(circle())
    bench.choose(bench.form.result, mode)
    fields, sigma = bench.form.fields(), bench.form.fields().values()["sigma"]
    bench.run()
    said = bench.status
    assert not said.startswith(OUTDATED)
    qtbot.wait(200)
    assert bench.status == said
    fields.set_value("sigma", sigma + 1)
    assert bench.status == f"{OUTDATED} {said}"
    fields.set_value("sigma", sigma)
    assert bench.status == said
    moved = np.asarray(bench.start.data[0]) + 2
    bench.start.data = [moved]
    qtbot.waitUntil(lambda: bench.status == f"{OUTDATED} {said}")
    bench.run()
    assert not bench.status.startswith(OUTDATED)
    bench.image.data = bench.image.data[::-1].copy()
    assert bench.status.startswith(OUTDATED)


def test_colours_tell_a_result_from_what_a_run_would_give_now(viewer_model, qtbot):
    bench = ColourBench(viewer_model, qtbot)
    bench.form.follow.setChecked(False)
    bench.add_patch(5, 5)
    bench.run()
    said, threshold = bench.status, bench.form.threshold.value()
    assert said
    assert not said.startswith(OUTDATED)
    bench.form.threshold.set_value(threshold / 2)
    assert bench.status == f"{OUTDATED} {said}"
    bench.form.threshold.set_value(threshold)
    assert bench.status == said
    bench.add_patch(20, 40)
    assert bench.status == f"{OUTDATED} {said}"


def test_scores_and_measurements_of_labels_that_were_painted_since_are_told(
    make_napari_viewer, qtbot
):
    scores = ScoresWindow(make_napari_viewer, qtbot)
    scores.score()
    assert scores.status.startswith("Dice")
    scores.result.data_setitem((np.array([30]), np.array([30])), 5)
    qtbot.waitUntil(lambda: scores.status.startswith(f"{OUTDATED} Dice"))
    scores.score()
    assert scores.status.startswith("Dice")
    measured = MeasurementsWindow(make_napari_viewer, qtbot)
    measured.measure()
    assert not measured.status.startswith(OUTDATED)
    measured.labels.data_setitem((np.array([60]), np.array([5])), 9)
    qtbot.waitUntil(lambda: measured.status.startswith(OUTDATED))
    measured.measure()
    assert not measured.status.startswith(OUTDATED)


def test_measurements_of_other_labels_than_those_chosen_now_are_told(viewer_model, qtbot):
    bench = MeasurementsBench(viewer_model, qtbot)
    bench.measure()
    assert not bench.status.startswith(OUTDATED)
    other = viewer_model.add_labels(np.asarray(bench.labels.data)[::-1].copy(), name="other")
    bench.form.inputs.image.choose(other)
    assert bench.status.startswith(OUTDATED)


def test_scores_of_another_result_than_the_newest_are_told(viewer_model, qtbot):
    bench = ScoresBench(viewer_model, qtbot)
    bench.score()
    said = bench.status
    newer = viewer_model.add_labels(np.asarray(bench.truth.data).copy(), name="newer")
    assert bench.status == f"{OUTDATED} {said}"
    viewer_model.layers.remove(newer)
    assert bench.status == said
    bench.form.overlay.setChecked(True)
    assert bench.status == said


def test_joined_regions_are_older_than_a_wish_for_their_average(viewer_model, qtbot):
    bench = RegionsBench(viewer_model, qtbot)
    bench.click(bench.form.controls.run)
    bench.wait_run()
    said = bench.status
    bench.form.average.setChecked(True)
    assert bench.status == f"{OUTDATED} {said}"
    bench.form.average.setChecked(False)
    assert bench.status == said


def test_colours_found_by_patches_that_are_still_learnt_are_up_to_date(
    viewer_model, qtbot, monkeypatch
):
    bench = ColourBench(viewer_model, qtbot)
    patches = bench.add_patch(5, 5)
    bench.form.keeps.setCurrentIndex(bench.form.keeps.findData("patches"))
    may_learn = held_back(monkeypatch, chromaticity_panel, "learn")
    patches.add_rectangles([np.array([[20, 40], [20, 48], [28, 48], [28, 40]], float)])
    qtbot.waitUntil(lambda: "learn" in bench.panel.jobs)
    qtbot.mouseClick(bench.form.run, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not bench.panel.is_running, timeout=60000)
    may_learn.set()
    bench.wait()
    assert bench.panel.record is not None
    assert not bench.status.startswith(OUTDATED)
    patches.data = patches.data[:1]
    qtbot.waitUntil(lambda: bench.status.startswith(OUTDATED))


def test_live_score_is_not_that_of_a_result_that_is_gone(viewer_model, qtbot, monkeypatch):
    bench = ScoresBench(viewer_model, qtbot)
    may_score = held_back(monkeypatch, scores_panel, "score_part")
    bench.form.live.setChecked(True)
    qtbot.waitUntil(lambda: "live" in bench.panel.jobs)
    viewer_model.layers.remove(bench.result)
    bench.wait_live("result: there is none")
    may_score.set()
    qtbot.waitUntil(lambda: not bench.panel.is_busy)
    assert bench.live.startswith("result: there is none")


def test_labels_removed_during_their_first_measurement_leave_no_result(
    viewer_model, qtbot, monkeypatch
):
    may_measure = held_back(monkeypatch, inputs_panel, "run_and_count")
    bench = MeasurementsBench(viewer_model, qtbot)
    bench.click(bench.form.run)
    viewer_model.layers.remove(bench.labels)
    may_measure.set()
    qtbot.waitUntil(lambda: not bench.panel.is_running)
    assert bench.status.startswith("'squares' was removed")
    assert not bench.form.save_recipe.isEnabled()


def test_one_image_is_compared_only_when_there_is_another(viewer_model, qtbot):
    bench = DifferencesBench(viewer_model, qtbot, scene())
    other = bench.form.inputs.others["other"]
    assert other.layer() is None
    assert bench.form.status.text().startswith("Second image: none is chosen")
    assert list(viewer_model.layers) == bench.images
    viewer_model.add_image(changed(), name="first")
    bench.settle()
    assert other.layer().name == "first"
    assert bench.form.count.text() == "3 changes"
