"""Gaussian and Otsu from the menu: the form, its run, and the layers that it makes."""

import re
import threading
import time
from types import SimpleNamespace

import dask.array
import numpy as np
import pytest
from napari.layers import Image as ImageLayer
from napari.layers import Labels
from skimage.filters import threshold_otsu

from napari_seedbed.core.progress import check_stop
from napari_seedbed.gui.forms import panel
from napari_seedbed.gui.forms.operation_form import (
    GaussianForm,
    OperationForm,
    ThresholdForm,
    form_class,
)
from napari_seedbed.gui.forms.storage_choice import MEMORY
from napari_seedbed.gui.layers.grids import unit_symbol
from napari_seedbed.gui.layers.layer_records import record_of
from napari_seedbed.gui.qt import errors as gui_errors
from napari_seedbed.pipeline import operations
from napari_seedbed.pipeline.data import memory
from napari_seedbed.pipeline.data.image import Image


@pytest.fixture
def data():
    return np.random.default_rng(0).integers(0, 1000, (6, 16, 20)).astype(np.uint16)


@pytest.fixture
def warnings_shown(monkeypatch):
    shown = []
    for name in ("show_warning", "show_error"):
        monkeypatch.setattr(gui_errors, name, shown.append)
    return shown


@pytest.fixture
def open_form(qtbot, viewer_model):
    def open_(form_type: type[OperationForm]) -> OperationForm:
        form = form_type(viewer_model)
        events = viewer_model.layers.events
        for event in (events.inserted, events.removed, events.reordered, events.renamed):
            event.connect(form.reset_choices)  # as napari does for a dock widget
        qtbot.addWidget(form)
        form.show()
        return form

    return open_


@pytest.fixture
def finish(qtbot):
    def wait(form):
        qtbot.waitUntil(lambda: not form.is_running, timeout=20_000)

    return wait


def test_form_has_a_row_for_each_parameter_with_its_label_help_and_default(open_form):
    form = open_form(GaussianForm)
    assert form.parameters.values() == operations.get("gaussian").defaults()
    texts = [label.text() for label in form.parameters.findChildren(type(form.status))]
    assert texts == ["Sigma"]


def test_bounds_of_the_declaration_hold_in_the_form(open_form):
    form = open_form(GaussianForm)
    form.parameters.set_value("sigma", -3)
    assert form.parameters.values()["sigma"] == 0


def test_unit_of_the_layer_stands_beside_physical_parameters(open_form, viewer_model, data):
    viewer_model.add_image(data, units=("um",) * 3, rgb=False)
    form = open_form(GaussianForm)
    texts = [label.text() for label in form.parameters.findChildren(type(form.status))]
    assert texts == ["Sigma (µm)"]
    assert unit_symbol("nanometer") == "nm"


def test_image_choice_follows_the_layers(open_form, viewer_model, data):
    form = open_form(GaussianForm)
    assert form.image.layer() is None
    assert not form.run_button.isEnabled()
    layer = viewer_model.add_image(data, name="first", rgb=False)
    assert form.image.layer() is layer
    layer.name = "renamed"
    assert form.image.currentText() == "renamed"
    viewer_model.layers.clear()
    assert form.image.layer() is None


def test_result_is_not_offered_as_a_channel_of_its_image(open_form, finish, viewer_model, data):
    layer = viewer_model.add_image(data, name="cells", rgb=False)
    form = open_form(GaussianForm)
    form.run()
    finish(form)
    assert len(viewer_model.layers) == 2
    assert [choice.layer for choice in form.channels.all_choices()] == [layer]


def test_gaussian_gives_what_the_pipeline_gives(open_form, finish, viewer_model, data):
    viewer_model.add_image(data, name="cells", scale=(2, 1, 1), units=("um",) * 3, rgb=False)
    form = open_form(GaussianForm)
    form.parameters.set_value("sigma", 2.0)
    form.run()
    finish(form)
    found = viewer_model.layers["cells > Gaussian"]
    image = Image(data, ("z", "y", "x"), spacing=(2, 1, 1), units=("micrometer",) * 3)
    wanted = operations.run("gaussian", {"image": image}, {"sigma": 2.0})
    np.testing.assert_array_equal(found.data, wanted.outputs["image"].array)
    assert tuple(found.scale) == (2, 1, 1)
    assert record_of(found)["parameters"]["sigma"] == 2.0


def test_otsu_gives_scikit_images_mask(open_form, finish, viewer_model, data):
    viewer_model.add_image(data, name="cells", rgb=False)
    form = open_form(ThresholdForm)
    form.run()
    finish(form)
    found = viewer_model.layers["cells > Otsu"]
    assert isinstance(found, Labels)
    np.testing.assert_array_equal(found.data != 0, data > threshold_otsu(data))


def test_second_run_updates_the_first_result(open_form, finish, viewer_model, data):
    viewer_model.add_image(data, rgb=False)
    form = open_form(GaussianForm)
    for sigma in (1.0, 3.0):
        form.parameters.set_value("sigma", sigma)
        form.run()
        finish(form)
    assert len(viewer_model.layers) == 2
    assert record_of(viewer_model.layers[1])["parameters"]["sigma"] == 3.0


def test_painted_result_is_left_alone_by_the_next_run(open_form, finish, viewer_model, data):
    viewer_model.add_image(data, rgb=False)
    form = open_form(ThresholdForm)
    form.run()
    finish(form)
    first = viewer_model.layers[1]
    first.mode = "paint"
    form.run()
    finish(form)
    assert viewer_model.layers[1] is first
    assert first.mode == "paint"
    first.data_setitem((np.array([0]), np.array([0]), np.array([0])), 9)
    form.run()
    finish(form)
    assert len(viewer_model.layers) == 3
    assert first.data[0, 0, 0] == 9


def test_each_plane_of_rgb_gets_its_own_mask(open_form, finish, viewer_model):
    picture = np.random.default_rng(0).integers(0, 255, (16, 20, 3)).astype(np.uint8)
    viewer_model.add_image(picture, name="photo", rgb=True)
    form = open_form(ThresholdForm)
    form.run()
    finish(form)
    for i, plane in enumerate(("Red", "Green", "Blue")):
        found = viewer_model.layers[f"photo {plane} > Otsu"]
        wanted = picture[..., i] > threshold_otsu(picture[..., i])
        np.testing.assert_array_equal(found.data != 0, wanted)


def test_planes_of_a_filtered_photo_together_hide_the_photo(open_form, finish, viewer_model):
    picture = np.random.default_rng(0).integers(0, 255, (16, 20, 3)).astype(np.uint8)
    photo = viewer_model.add_image(picture, name="photo", rgb=True)
    form = open_form(GaussianForm)
    form.run()
    finish(form)
    results = [layer for layer in viewer_model.layers if layer is not photo]
    if len(results) == 1:
        assert results[0].rgb
        return
    assert viewer_model.layers.index(photo) == 0
    assert [layer.blending for layer in results] == ["opaque", "additive", "additive"]
    assert all(tuple(layer.contrast_limits) == (0, 255) for layer in results)


def test_siblings_that_are_checked_get_a_result_each(open_form, finish, viewer_model, data):
    for name in "ab":
        viewer_model.add_image(data, name=name, rgb=False)
    form = open_form(ThresholdForm)
    assert [choice.name for choice in form.channels.all_choices()] == ["a", "b"]
    # the one that is selected, which is the last one opened
    assert [choice.name for choice in form.channels.choices()] == ["b"]
    form.channels.set_choices(form.channels.all_choices(), [True, True])
    form.run()
    finish(form)
    names = [layer.name for layer in viewer_model.layers]
    assert {"a > Otsu", "b > Otsu"} <= set(names)


def test_results_of_channels_that_add_up_do_so_too_and_hide_these(
    open_form, finish, viewer_model, data
):
    channels = [
        viewer_model.add_image(data, name=name, colormap=name, blending="additive", rgb=False)
        for name in ("magenta", "green")
    ]
    form = open_form(GaussianForm)
    form.channels.set_choices(form.channels.all_choices(), [True, True])
    form.run()
    finish(form)
    results = list(viewer_model.layers)[2:]
    assert list(viewer_model.layers)[:2] == channels
    assert [layer.colormap.name for layer in results] == ["magenta", "green"]
    assert results[0].blending != "additive"
    assert results[1].blending == "additive"


def test_channel_axis_keeps_its_place_in_the_result(open_form, finish, viewer_model, data):
    viewer_model.add_image(data, axis_labels=("c", "y", "x"), name="cells", rgb=False)
    form = open_form(GaussianForm)
    form.run()
    finish(form)
    assert viewer_model.layers["cells > Gaussian"].data.shape == data.shape


def test_other_image_is_worked_on_when_it_is_chosen_among_siblings(open_form, viewer_model, data):
    layers = [viewer_model.add_image(data, name=name, rgb=False) for name in "ab"]
    form = open_form(GaussianForm)
    for layer in reversed(layers):
        form.image.choose(layer)
        assert [choice.layer for choice in form.channels.choices()] == [layer]


def test_forecast_counts_joined_channels_without_reading_them(
    open_form, viewer_model, data, monkeypatch
):
    for name in "ab":
        viewer_model.add_image(data, name=name, rgb=False)
    form = open_form(GaussianForm)
    form.channels.set_choices(form.channels.all_choices(), [True, True])
    monkeypatch.setattr(np, "stack", lambda *_, **__: pytest.fail("the voxels were copied"))
    form.parameters.set_value("sigma", 3.0)
    outline = form.inputs.outline()
    assert (outline.shape, outline.axes) == ((2, *data.shape), ("c", "z", "y", "x"))
    assert form.forecast.text().startswith("One run")


def test_unnamed_fourth_axis_is_asked_for(open_form, finish, viewer_model, warnings_shown):
    series = np.random.default_rng(0).random((2, 3, 8, 9)).astype(np.float32)
    viewer_model.add_image(series, name="film", rgb=False)
    form = open_form(GaussianForm)
    assert form.times.isVisible()
    form.run()
    assert not form.is_running
    assert "choose which axis of 'film' is time" in warnings_shown[0]
    form.times.setCurrentIndex(1)
    form.run()
    finish(form)
    found = viewer_model.layers["film > Gaussian"].data
    one = operations.run("gaussian", {"image": Image(series[1], ("z", "y", "x"))})
    np.testing.assert_array_equal(found[1], one.outputs["image"].array)


def test_wrong_image_gives_one_warning_and_the_form_goes_on(
    open_form, finish, viewer_model, warnings_shown
):
    viewer_model.add_image(np.full((8, 9), np.nan, np.float32), rgb=False)
    form = open_form(ThresholdForm)
    form.run()
    finish(form)
    assert len(warnings_shown) == 1
    assert form.status.text() == warnings_shown[0]
    assert form.run_button.isEnabled()
    assert len(viewer_model.layers) == 1


def test_no_channel_gives_one_warning(open_form, viewer_model, warnings_shown, data):
    for name in "ab":
        viewer_model.add_image(data, name=name, rgb=False)
    form = open_form(GaussianForm)
    form.channels.set_choices(form.channels.all_choices(), [False, False])
    form.run()
    assert len(warnings_shown) == 1
    assert "none is chosen" in warnings_shown[0]


def waiting(monkeypatch):
    """Let the operation wait until it is told to stop."""

    def run(operation, inputs, params, **options):
        while True:
            check_stop()
            time.sleep(0.01)

    monkeypatch.setattr(operations, "run", run)


def test_cancel_stops_and_leaves_the_layers(
    monkeypatch, open_form, finish, viewer_model, data, warnings_shown
):
    viewer_model.add_image(data, rgb=False)
    form = open_form(GaussianForm)
    waiting(monkeypatch)
    form.run()
    assert form.cancel_button.isEnabled()
    assert not form.run_button.isEnabled()
    form.cancel()
    finish(form)
    assert form.status.text() == "Cancelled."
    assert form.run_button.isEnabled()
    assert warnings_shown == []
    assert len(viewer_model.layers) == 1


def test_destroyed_form_stops_its_job(monkeypatch, qtbot, viewer_model, data):
    viewer_model.add_image(data, rgb=False)
    form = GaussianForm(viewer_model)
    waiting(monkeypatch)
    form.run()
    assert "seedbed-job" in [one.name for one in threading.enumerate()]
    form.deleteLater()
    del form
    qtbot.waitUntil(
        lambda: "seedbed-job" not in [one.name for one in threading.enumerate()], timeout=5000
    )


def test_image_removed_during_the_run_does_no_harm(
    open_form, finish, viewer_model, data, warnings_shown
):
    layer = viewer_model.add_image(data, name="cells", rgb=False)
    form = open_form(GaussianForm)
    form.run()
    viewer_model.layers.remove(layer)
    finish(form)
    assert [layer.name for layer in viewer_model.layers] == ["cells > Gaussian"]
    assert warnings_shown == []


def test_forecast_is_shown_before_the_run(open_form, viewer_model, data):
    viewer_model.add_image(data, rgb=False)
    assert open_form(GaussianForm).forecast.text().startswith("One run: about")


def test_forecast_of_an_image_in_a_file_says_what_blocks_take_and_what_fits(
    open_form, viewer_model, monkeypatch
):
    voxels = dask.array.zeros((600, 1500, 2000), dtype=np.uint16, chunks=(32, 256, 256))
    viewer_model.add_image(voxels, axis_labels=("z", "y", "x"), contrast_limits=(0, 1))
    monkeypatch.setattr(memory, "available_memory", lambda: 2_000_000_000)
    form = open_form(GaussianForm)
    assert re.fullmatch(
        r"One run, block by block into files: about [\d.]+ .B, \d+ .*; in memory \d+ GB, \d+ .*\.",
        form.forecast.text(),
    )
    way = form.storage.way
    way.setCurrentIndex(way.findData(MEMORY))
    way.activated.emit(way.currentIndex())
    text = form.forecast.text()
    assert re.search(
        r"^One run: about \d+ GB, .*; in blocks .*, .* That is more memory than the 2\.0 GB that "
        r"are free\. Run it in blocks \(.*\), use level \d .*, crop the image to \d+ x",
        text,
    )


def test_forecast_becomes_what_the_run_took(open_form, finish, viewer_model, data, monkeypatch):
    viewer_model.add_image(data, rgb=False)
    form = open_form(GaussianForm)
    before = form.forecast.text()
    clock = SimpleNamespace(monotonic=iter((100.0, 3700.0)).__next__)
    monkeypatch.setattr(panel, "time", clock)
    form.run()
    finish(form)
    assert "60 min" in form.forecast.text()
    assert "60 min" not in before
    other = open_form(form_class("median"))
    assert "min" not in other.forecast.text()


@pytest.mark.parametrize("name", ["gaussian", "multi_otsu"])
def test_class_of_a_form_is_named_after_the_operation(name):
    form = form_class(name)
    assert form.operation is operations.get(name)
    assert form.__name__ == {"gaussian": "GaussianForm", "multi_otsu": "MultiOtsuForm"}[name]


@pytest.mark.display
def test_menu_entries_open_the_forms_in_a_real_window(make_napari_viewer, qtbot, data):
    from napari._app_model import get_app_model

    viewer = make_napari_viewer(show=True)
    layer = viewer.add_image(data, name="cells", rgb=False)
    assert isinstance(layer, ImageLayer)
    get_app_model().commands.execute_command("napari-seedbed.gaussian").result()
    form = viewer.window.dock_widgets["Gaussian filter (Seedbed)"]
    form.run()
    qtbot.waitUntil(lambda: not form.is_running, timeout=20_000)
    assert "cells > Gaussian" in viewer.layers


def test_form_with_a_second_image_outlives_the_last_layer(viewer_model, qtbot):
    viewer_model.add_image(np.zeros((5, 6), np.uint8))
    form = form_class("stack_channels")(viewer_model)
    qtbot.addWidget(form)
    viewer_model.layers.clear()
    form.reset_choices()
    assert not form.run_button.isEnabled()
