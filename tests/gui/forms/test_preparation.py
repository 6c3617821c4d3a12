"""Operations are tried on images like the one chosen, once, beside the window."""

import numpy as np
import pytest

from napari_seedbed.gui.forms import operation_inputs, preparation
from napari_seedbed.gui.forms.operation_form import form_class
from napari_seedbed.gui.forms.preparation import Trials
from napari_seedbed.pipeline.data.image import Image


@pytest.fixture
def tried(qtbot, monkeypatch):
    """Names of the operations that were tried, and the types of image."""
    # what forms of other tests have begun must not be among them
    qtbot.waitUntil(lambda: not preparation.trials.is_busy, timeout=60000)
    names = []
    monkeypatch.setattr(
        preparation, "try_out", lambda operation, like: names.append(
            (operation.name, str(like.dtype))
        )
    )  # fmt: skip
    return names


def picture(dtype="uint8"):
    return Image(np.zeros((8, 9), dtype), ("y", "x"))


def test_each_kind_of_image_is_tried_once(qtbot, tried):
    trials = Trials()
    for dtype in ("uint8", "uint8", "float32"):
        trials.begin("median", picture(dtype))
    qtbot.waitUntil(lambda: not trials.is_busy)
    assert tried == [("median", "uint8"), ("median", "float32")]


def test_what_was_asked_for_last_comes_first(qtbot, tried):
    trials = Trials()
    for name in ("median", "mean", "gaussian"):
        trials.begin(name, picture())
    qtbot.waitUntil(lambda: not trials.is_busy)
    assert [name for name, _ in tried] == ["median", "gaussian", "mean"]


def test_all_operations_of_a_panel_are_tried(qtbot, tried):
    trials = Trials()
    trials.begin("differences", picture())
    qtbot.waitUntil(lambda: not trials.is_busy)
    assert {name for name, _ in tried} == {"changes", "series_changes"}


def test_a_trial_that_fails_does_not_hold_up_the_next(qtbot, monkeypatch):
    names = []

    def fail(operation, like):
        names.append(operation.name)
        raise ValueError

    monkeypatch.setattr(preparation, "try_out", fail)
    trials = Trials()
    trials.begin("median", picture())
    trials.begin("mean", picture())
    qtbot.waitUntil(lambda: not trials.is_busy)
    assert names == ["median", "mean"]


def test_opening_a_form_tries_its_operation(qtbot, viewer_model, monkeypatch):
    begun = []
    monkeypatch.setattr(operation_inputs.trials, "begin", lambda *what: begun.append(what))
    viewer_model.add_image(np.zeros((8, 9), np.uint16))
    form = form_class("median")(viewer_model)
    qtbot.addWidget(form)
    assert not begun
    form.show()
    assert {(command, like.dtype.name) for command, like in begun} == {("median", "uint16")}
