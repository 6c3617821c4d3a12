"""Films in the panel that proofreads: linked, carried on, and listed."""

import threading

import numpy as np
import pytest
from proofreading_window import ProofreadingBench

from napari_seedbed.gui.layers.object_states import object_states
from napari_seedbed.gui.tools.proofreading import object_table
from napari_seedbed.gui.tools.proofreading.picture_tools import Line

AXES = {"axis_labels": ("t", "y", "x")}


def discs(*places, shape=(60, 70), radius=6):
    """Discs that are labelled as they come."""
    labels = np.zeros(shape, np.uint16)
    y, x = np.indices(shape)
    for label, (row, column) in enumerate(places, start=1):
        labels[(y - row) ** 2 + (x - column) ** 2 <= radius**2] = label
    return labels


@pytest.fixture
def bench(viewer_model, qtbot):
    # the first stays, the second is lost, the third comes under another number
    film = np.stack(
        [
            discs((15, 15), (15, 50), (45, 30)),
            discs((46, 31), (16, 16)),
            discs((47, 32), (17, 17), (17, 55)),
        ]
    )
    image = (film > 0) * 100.0 + np.random.default_rng(0).normal(0, 3, film.shape)
    return ProofreadingBench(viewer_model, qtbot, film, image, **AXES)


def at(bench, time):
    bench.viewer.dims.set_point(0, time)
    bench.wait()


def test_one_cell_keeps_one_number_and_losses_are_listed_with_a_jump(bench):
    first = bench.layer.data.copy()
    at(bench, 1)
    bench.panel.through_time.link()
    bench.wait()
    assert [bench.layer.data[t, 15 + t, 15 + t] for t in range(3)] == [1, 1, 1]
    assert [bench.layer.data[t, 45 + t, 30 + t] for t in range(3)] == [3, 3, 3]
    assert bench.form.through_time.summary.text() == "1 loss, 1 appearance."
    events = bench.panel.through_time.events
    loss = int(np.flatnonzero(events["event"] == "loss")[0])
    bench.form.through_time.events.rows_selected.emit(np.array([loss]))
    bench.wait()
    assert bench.viewer.dims.point[0] == 0
    assert bench.selected == (2,)
    assert bench.columns["label"].tolist() == [1, 2, 3, 1, 3, 1, 3, 4]
    bench.act("delete", 2)
    assert "Older than the last edit" in bench.form.through_time.summary.text()
    bench.click(bench.form.undo)
    bench.click(bench.form.undo)
    np.testing.assert_array_equal(bench.layer.data, first)


def test_an_object_is_carried_to_where_it_went(bench):
    at(bench, 0)
    bench.layer.data[1:] = 0
    bench.panel.table.measure_all()
    bench.wait()
    bench.panel.selection.select([1])
    bench.panel.through_time.carry()
    bench.wait()
    assert bench.viewer.dims.point[0] == 1
    expected = discs((16, 16)) == 1
    found = bench.layer.data[1] == 1
    assert 2 * (found & expected).sum() / (found.sum() + expected.sum()) > 0.9
    bench.click(bench.form.undo)
    assert not bench.layer.data[1].any()


def test_carrying_goes_on_from_where_it_was_asked_for_wherever_the_slider_is_by_then(bench):
    at(bench, 0)
    bench.layer.data[1:] = 0
    bench.panel.table.measure_all()
    bench.wait()
    bench.panel.selection.select([1])
    bench.panel.through_time.carry()
    bench.viewer.dims.set_point(0, 2)
    bench.wait()
    assert bench.viewer.dims.point[0] == 1
    assert (bench.layer.data[1] == 1).any()
    assert not bench.layer.data[2].any()


def test_edits_are_of_the_time_point_on_screen(bench):
    at(bench, 2)
    before = bench.layer.data.copy()
    bench.act("merge", 1, 3)
    np.testing.assert_array_equal(bench.layer.data[:2], before[:2])
    assert set(np.unique(bench.layer.data[2])) == {0, 1, 2}
    # a new object has a number of its own in the whole film
    bench.panel.edits.draw("cut", [Line(np.array([[2.0, 8, 17], [2, 26, 17]]))])
    bench.wait()
    assert set(np.unique(bench.layer.data[2])) == {0, 1, 2, 4}
    for _ in range(2):
        bench.click(bench.form.undo)
    np.testing.assert_array_equal(bench.layer.data, before)


def test_new_objects_of_edits_that_follow_quickly_have_numbers_of_their_own(bench, monkeypatch):
    measure, goes_on = object_table._measured_changes, threading.Event()

    def slowly(*given):
        assert goes_on.wait(120)
        return measure(*given)

    monkeypatch.setattr(object_table, "_measured_changes", slowly)
    for time, column in ((0, 15), (2, 17)):
        bench.viewer.dims.set_point(0, time)
        line = np.array([[float(time), column - 9, column], [time, column + 9, column]])
        bench.panel.edits.draw("cut", [Line(line)])
    bench.qtbot.waitUntil(lambda: len(bench.panel.history.commands) == 2, timeout=60_000)
    goes_on.set()
    bench.wait()
    assert set(np.unique(bench.layer.data[0])) == {0, 1, 2, 3, 4}
    assert set(np.unique(bench.layer.data[2])) == {0, 1, 2, 3, 5}


def test_next_goes_through_all_time_points(bench):
    bench.form.order.setCurrentIndex(bench.form.order.findData("label"))
    bench.form.unchecked.setChecked(False)
    times = []
    for _ in range(8):
        bench.click(bench.form.next)
        times.append((bench.selected[0], int(bench.viewer.dims.point[0])))
    assert sorted(times) == [(1, 0), (1, 1), (1, 2), (2, 0), (2, 1), (2, 2), (3, 0), (3, 2)]


def test_checked_is_an_object_at_a_time_point_and_links_take_it_along(bench):
    at(bench, 1)
    bench.panel.selection.select([2])
    bench.click(bench.form.check)
    bench.panel.states.set_class_by_number(1)
    assert "at all time points" in bench.status
    assert bench.form.count.text().startswith("1 of 8 checked")
    assert bench.form.check.isChecked()
    at(bench, 2)
    assert not bench.form.check.isChecked()
    before = object_states(bench.layer)
    bench.panel.through_time.link()
    bench.wait()
    # what was 2 at time point 1 is 1
    checked = bench.columns["checked"]
    assert [bench.columns[name][checked].tolist() for name in ("label", "time_point")] == [[1], [1]]
    assert bench.layer.data[1, 16, 16] == 1
    assert object_states(bench.layer).class_of[1] == "class 1"
    bench.click(bench.form.undo)
    assert object_states(bench.layer).of(2) == before.of(2)
    at(bench, 1)
    bench.panel.selection.select([2])
    bench.click(bench.form.check)
    assert bench.form.count.text().startswith("0 of 8 checked")
