"""Runs as the jobs of panels make them: they end at once, and say nothing after that."""

import threading
import time
from dataclasses import replace

import numpy as np
import pytest

from napari_seedbed.core.progress import Progress
from napari_seedbed.errors import Cancelled
from napari_seedbed.gui.part_runs import run_and_count, run_part
from napari_seedbed.gui.view_position import Part
from napari_seedbed.pipeline.image import Image
from napari_seedbed.pipeline.operations import operations


@pytest.fixture
def image(rng):
    return Image(rng.random((20, 24)), ("y", "x"))


def test_run_that_does_not_look_is_left_at_once_and_heard_of_no_more(image):
    stop, ended = threading.Event(), threading.Event()
    told = []

    def busy(job):
        stop.set()
        time.sleep(1)
        job.report(Progress(0.5, "half"))
        ended.set()
        return {"image": job.load()}

    operation = replace(operations["mean"], function=busy)
    begin = time.perf_counter()
    with pytest.raises(Cancelled):
        run_part(operation, {"image": image}, {}, Part(), told.append, stop.is_set)
    assert time.perf_counter() - begin < 0.7
    assert ended.wait(5)
    time.sleep(0.05)
    assert told == []


def test_inputs_are_let_go_and_what_comes_out_is_counted(image):
    inputs = {"image": image}
    finished = run_and_count(
        "threshold_otsu", inputs, {}, Part(), lambda progress: None, lambda: False
    )
    assert inputs == {}
    mask = finished.result.image("mask")
    assert mask.array.shape == (20, 24)
    assert finished.result.record["operation"] == "threshold_otsu"
    assert np.array_equal(mask.array, mask.array.astype(bool))
