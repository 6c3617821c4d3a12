"""The line that tells the values of an image before anything is run on it."""

import numpy as np
import pytest
from form_window import FormBench

from napari_seedbed.gui.forms import value_range_line
from napari_seedbed.gui.qt.jobs import Job


def said(bench):
    line = bench.form.value_range
    bench.qtbot.waitUntil(lambda: not line.is_busy, timeout=20000)
    return line.text()


def picture(dtype, *, top):
    values = np.zeros((20, 30), dtype)
    values[3, 4], values[5, 6] = top, 275
    return values


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (picture(np.uint16, top=4071), "12 bits in uint16, 0 to 4071 of 0 to 4095"),
        (np.full((8, 9), 0.25, np.float32), "float32, 0.25 to 0.25 of 0 to 1"),
        (np.full((8, 9), np.nan, np.float32), "NaN"),
    ],
)
def test_values_and_bits_stand_below_the_image(viewer_model, qtbot, values, words):
    viewer_model.add_image(values)
    assert words in said(FormBench(viewer_model, qtbot, "gamma"))


def test_another_image_has_values_of_its_own(viewer_model, qtbot):
    viewer_model.add_image(picture(np.uint16, top=4071), name="twelve")
    viewer_model.add_image(picture(np.uint16, top=16000), name="fourteen")
    bench = FormBench(viewer_model, qtbot, "gamma")
    bench.form.image.choose(viewer_model.layers["twelve"])
    assert said(bench).startswith("12 bits")
    bench.form.image.choose(viewer_model.layers["fourteen"])
    assert said(bench).startswith("14 bits")


def test_other_voxels_are_looked_at_again(viewer_model, qtbot):
    layer = viewer_model.add_image(picture(np.uint16, top=4071))
    bench = FormBench(viewer_model, qtbot, "gamma")
    assert said(bench).startswith("12 bits")
    layer.data = picture(np.uint16, top=60000)
    qtbot.waitUntil(lambda: bench.form.value_range.text().startswith("16 bits"), timeout=20000)


def test_a_layer_is_looked_at_once(viewer_model, qtbot, monkeypatch):
    viewer_model.add_image(picture(np.uint16, top=4071))
    first = said(FormBench(viewer_model, qtbot, "gamma"))
    monkeypatch.setattr(Job, "start", lambda job: pytest.fail("looked again"))
    monkeypatch.setattr(value_range_line, "range_of_image", None)
    line = value_range_line.ValueRangeLine
    bench = FormBench.__new__(FormBench)
    bench.qtbot = qtbot
    monkeypatch.setattr("napari_seedbed.gui.forms.operation_inputs.trials.begin", lambda *_: None)
    bench.__init__(viewer_model, qtbot, "invert")
    assert isinstance(bench.form.value_range, line)
    assert said(bench) == first


def test_a_file_too_large_to_read_is_not_read(viewer_model, qtbot, monkeypatch):
    import dask.array

    def load(block_info=None):
        pytest.fail("read")

    monkeypatch.setattr(value_range_line, "MOST_LAZY_BYTES", 100)
    lazy = dask.array.zeros((4, 50, 50), dtype=np.uint16, chunks=(1, 50, 50))
    viewer_model.add_image(lazy, axis_labels=("z", "y", "x"))
    assert said(FormBench(viewer_model, qtbot, "gamma")).startswith("uint16; a run shows")
