"""Runs as the jobs of panels make them: they end at once, and say nothing after that."""

import threading
import time
from dataclasses import replace

import numpy as np
import pytest

from bounds import bound
from napari_seedbed.core.progress import running, tell
from napari_seedbed.errors import Cancelled
from napari_seedbed.gui.forms.part_runs import run_and_count, run_part
from napari_seedbed.gui.layers.view_position import Part
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.operations import operations


@pytest.fixture
def image(rng):
    return Image(rng.random((20, 24)), ("y", "x"))


@pytest.mark.timing
def test_run_that_does_not_look_is_left_at_once_and_heard_of_no_more(image):
    stop, ended = threading.Event(), threading.Event()
    told = []

    def busy(job):
        stop.set()
        time.sleep(1)
        try:
            tell(0.5, "half")
        finally:
            ended.set()

    operation = replace(operations["mean"], function=busy)
    begin = time.perf_counter()
    with running(report=told.append, should_stop=stop.is_set), pytest.raises(Cancelled):
        run_part(operation, {"image": image}, {}, Part())
    assert time.perf_counter() - begin < bound(0.7)
    assert ended.wait(5)
    time.sleep(0.05)
    assert told == []


def test_inputs_are_let_go_and_what_comes_out_is_counted(image):
    inputs = {"image": image}
    finished = run_and_count("threshold", inputs, {}, Part())
    assert inputs == {}
    mask = finished.result.image("mask")
    assert mask.array.shape == (20, 24)
    assert finished.result.record["operation"] == "threshold"
    assert np.array_equal(mask.array, mask.array.astype(bool))
