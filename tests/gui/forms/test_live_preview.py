"""The preview of an operation on the slice in view: its voxels, its place, and when it runs."""

import time

import numpy as np
import pytest
from napari.layers import Labels
from skimage.filters import apply_hysteresis_threshold, gaussian, threshold_multiotsu

from bounds import bound
from napari_seedbed.core.progress import check_stop
from napari_seedbed.errors import InputError
from napari_seedbed.gui.forms import live_preview
from napari_seedbed.gui.forms.live_preview import Asked, LivePreview
from napari_seedbed.gui.forms.operation_form import GaussianForm
from napari_seedbed.gui.layers.image_layers import image_of
from napari_seedbed.gui.layers.layer_records import is_preview, is_result
from napari_seedbed.pipeline import operations

TIMEOUT = 20_000


@pytest.fixture
def volume():
    return np.random.default_rng(0).integers(0, 1000, (30, 20, 24)).astype(np.uint16)


class Bench:
    """A preview on a viewer, with what it asks for in plain sight."""

    def __init__(self, viewer, qtbot, layer, operation="gaussian", **parameters):
        self.viewer, self.qtbot, self.layer = viewer, qtbot, layer
        self.operation, self.parameters = operation, parameters
        self.said = []
        self.preview = LivePreview(viewer, self.ask, self.said.append)
        self.preview.set_on(True)
        self.wait()

    def ask(self):
        if self.operation is None:
            return None
        return Asked(
            self.operation,
            {"image": image_of(self.layer)},
            dict(self.parameters),
            self.layer,
            None,
            self.operation,
        )

    def wait(self):
        self.qtbot.waitUntil(lambda: not self.preview.is_busy, timeout=TIMEOUT)

    def set(self, **parameters):
        self.parameters.update(parameters)
        self.preview.look_again()
        self.wait()

    def look_at(self, axis, position):
        self.viewer.dims.set_point(axis, position)
        self.wait()

    @property
    def shown(self):
        found = [layer for layer in self.viewer.layers if is_preview(layer)]
        assert len(found) <= 1
        return found[0] if found else None

    @property
    def slice_on_screen(self):
        """What napari draws of the preview."""
        return np.asarray(self.shown._slice.image.raw)


@pytest.fixture
def bench(qtbot, viewer_model):
    benches = []

    def make(data, operation="gaussian", layer=None, **parameters):
        image = viewer_model.add_image(data, rgb=False, name="cells", **(layer or {}))
        benches.append(Bench(viewer_model, qtbot, image, operation, **parameters))
        return benches[-1]

    yield make
    for one in benches:
        one.preview.close()
        one.wait()


def whole(bench, name=None):
    """What the whole run gives."""
    inputs = {"image": image_of(bench.layer)}
    result = operations.run(bench.operation, inputs, bench.parameters)
    return np.asarray(result.image(name or operations.get(bench.operation).gives).array)


def test_slice_has_the_voxels_of_the_whole_run(bench, volume):
    found = bench(volume, sigma=2.0)
    found.look_at(0, 6)
    np.testing.assert_array_equal(found.shown.data, whole(found)[6:7])


def test_preview_lies_where_its_slice_lies(bench, volume):
    layer = {"scale": (2.5, 0.5, 0.5), "translate": (10, 20, 30), "rotate": (0, 0, 20)}
    found = bench(volume, layer=layer, sigma=1.0)
    found.look_at(0, 10 + 2.5 * 6)
    for corner in ((0, 0), (19, 23)):
        np.testing.assert_allclose(
            found.shown.data_to_world((0, *corner)), found.layer.data_to_world((6, *corner))
        )


def test_preview_follows_the_slider(bench, volume):
    found = bench(volume, sigma=1.0)
    wanted = whole(found)
    for z in (0, 28, 13):
        found.look_at(0, z)
        np.testing.assert_array_equal(found.slice_on_screen, wanted[z])


def test_preview_follows_the_order_of_axes(bench, volume):
    found = bench(volume, sigma=1.0)
    wanted = whole(found)
    found.viewer.dims.order = (2, 0, 1)
    found.look_at(2, 3)
    np.testing.assert_array_equal(found.shown.data, wanted[:, :, 3:4])


def test_preview_follows_the_parameters(bench, volume):
    found = bench(volume, sigma=1.0)
    first = found.shown.data.copy()
    found.set(sigma=3.0)
    assert not np.array_equal(first, found.shown.data)
    z = int(found.viewer.dims.point[0])
    np.testing.assert_array_equal(found.shown.data[0], whole(found)[z])


def test_preview_follows_time(bench):
    film = np.random.default_rng(0).random((5, 20, 12, 14)).astype(np.float32)
    found = bench(film, layer={"axis_labels": ("t", "z", "y", "x")}, sigma=1.0)
    wanted = whole(found)
    for t, z in ((0, 0), (4, 2)):
        found.look_at(0, t)
        found.look_at(1, z)
        assert found.shown.data.shape == (1, 1, 12, 14)
        np.testing.assert_array_equal(found.slice_on_screen, wanted[t, z])


def test_channels_are_all_in_the_preview(bench):
    data = np.random.default_rng(0).random((3, 20, 12, 14)).astype(np.float32)
    found = bench(data, layer={"axis_labels": ("c", "z", "y", "x")}, sigma=1.0)
    found.look_at(1, 2)
    np.testing.assert_array_equal(found.shown.data, whole(found)[:, 2:3])


def test_flat_image_is_shown_whole(bench, volume):
    found = bench(volume[0], sigma=2.0)
    wanted = gaussian(volume[0], 2.0, preserve_range=True)
    np.testing.assert_allclose(found.shown.data, wanted, rtol=1e-4)


def test_without_a_halo_the_slice_is_cut_from_the_whole_volume(bench, volume):
    found = bench(volume, "threshold_hysteresis")
    assert isinstance(found.shown, Labels)
    found.look_at(0, 5)
    wanted = apply_hysteresis_threshold(volume, *threshold_multiotsu(volume, 3))
    np.testing.assert_array_equal(found.slice_on_screen != 0, wanted[5])


def count_runs(monkeypatch):
    runs = []
    original = operations.run

    def run(*args, **kwargs):
        runs.append(kwargs["region"])
        return original(*args, **kwargs)

    monkeypatch.setattr(operations, "run", run)
    return runs


def test_volume_that_was_run_as_a_whole_is_not_run_for_each_slice(bench, volume, monkeypatch):
    runs = count_runs(monkeypatch)
    found = bench(volume, "threshold_hysteresis")
    for z in (1, 5, 7):
        found.look_at(0, z)
    assert runs == [None]


def test_whole_volume_that_takes_long_is_not_run(bench, volume, monkeypatch):
    monkeypatch.setattr(live_preview, "WHOLE_SECONDS", 0.0)
    runs = count_runs(monkeypatch)
    found = bench(volume, "threshold_hysteresis")
    assert found.shown is None
    assert "needs the whole volume" in found.said[-1]
    assert runs == []


def test_3d_display_shows_the_whole_volume(bench, volume):
    found = bench(volume, sigma=1.0)
    found.viewer.dims.ndisplay = 3
    found.wait()
    np.testing.assert_array_equal(found.shown.data, whole(found))


def test_3d_display_says_so_where_the_volume_takes_long(bench, volume, monkeypatch):
    found = bench(volume, sigma=1.0)
    monkeypatch.setattr(live_preview, "WHOLE_SECONDS", 0.0)
    found.viewer.dims.ndisplay = 3
    found.wait()
    assert found.shown is None
    assert "2D display" in found.said[-1]
    found.viewer.dims.ndisplay = 2
    found.wait()
    assert found.shown is not None
    assert found.said[-1] == ""


def test_newer_wish_replaces_the_run_and_is_not_queued(bench, volume, monkeypatch):
    found = bench(volume, sigma=1.0)
    started = []
    original = operations.run

    def slow(operation, inputs, parameters, **kwargs):
        started.append(parameters["sigma"])
        for _ in range(100):
            check_stop()
            time.sleep(0.01)
        return original(operation, inputs, parameters, **kwargs)

    monkeypatch.setattr(operations, "run", slow)
    for sigma in (1.1, 1.2, 1.3, 1.4, 1.5):
        found.parameters["sigma"] = sigma
        found.preview.look_again()
        found.qtbot.wait(70)
    found.wait()
    assert started[-1] == 1.5
    z = int(found.viewer.dims.point[0])
    np.testing.assert_array_equal(found.shown.data[0], whole(found)[z])


def test_many_wishes_at_once_are_one_run(bench, volume, monkeypatch):
    found = bench(volume, sigma=1.0)
    runs = count_runs(monkeypatch)
    for _ in range(20):
        found.preview.look_again()
    found.wait()
    assert len(runs) == 1


@pytest.mark.timing
def test_window_is_not_kept_waiting(bench, volume, monkeypatch):
    found = bench(volume, sigma=1.0)
    original = operations.run

    def slow(*args, **kwargs):
        time.sleep(0.5)
        return original(*args, **kwargs)

    monkeypatch.setattr(operations, "run", slow)
    found.preview.look_again()
    longest, before = 0.0, time.monotonic()
    while found.preview.is_busy:
        found.qtbot.wait(5)
        now = time.monotonic()
        longest, before = max(longest, now - before), now
    assert longest < bound(0.3)


def test_finish_takes_the_preview_away(bench, volume):
    found = bench(volume, sigma=1.0)
    assert found.shown is not None
    found.preview.finish()
    assert list(found.viewer.layers) == [found.layer]


def test_switched_off_it_follows_nothing(bench, volume):
    found = bench(volume, sigma=1.0)
    found.preview.set_on(False)
    found.look_at(0, 2)
    found.preview.look_again()
    found.wait()
    assert found.shown is None


def test_nothing_asked_for_is_nothing_shown(bench, volume):
    found = bench(volume, sigma=1.0)
    found.operation = None
    found.set()
    assert found.shown is None


def test_wrong_parameter_is_said_and_nothing_is_shown(bench, volume):
    found = bench(volume, sigma=1.0)
    found.set(sigma=-1.0)
    assert "out of bounds" in found.said[-1]
    assert found.shown is None
    found.set(sigma=1.0)
    assert found.shown is not None


def test_error_while_asking_is_said(bench, volume, monkeypatch):
    found = bench(volume, sigma=1.0)

    def ask():
        raise InputError("There is no second image.")

    monkeypatch.setattr(found.preview, "_ask", ask)
    found.set()
    assert found.said[-1] == "There is no second image."
    assert found.shown is None


def test_preview_is_no_result_and_is_not_offered_to_work_on(bench, volume):
    found = bench(volume, sigma=1.0)
    assert not is_result(found.shown)
    form = GaussianForm(found.viewer)
    found.qtbot.addWidget(form)
    assert form.image.count() == 1
    assert [choice.layer for choice in form.channels.all_choices()] == [found.layer]


def test_selection_stays_when_the_preview_comes(bench, volume):
    found = bench(volume, sigma=1.0)
    assert set(found.viewer.layers.selection) == {found.layer}
    assert not found.shown.editable or found.shown not in found.viewer.layers.selection


def test_image_that_goes_away_leaves_no_preview_behind(bench, volume):
    found = bench(volume, sigma=1.0)
    found.operation = None
    found.viewer.layers.remove(found.layer)
    found.set()
    assert len(found.viewer.layers) == 0


def test_contrast_that_a_person_has_set_stays(bench, volume):
    found = bench(volume, sigma=1.0)
    found.shown.contrast_limits = (410, 590)
    found.set(sigma=2.0)
    assert found.shown.contrast_limits == [410, 590]


def test_contrast_fits_what_other_parameters_give(bench, volume):
    found = bench(volume, sigma=1.0)
    found.set(sigma=4.0)
    limits = (found.shown.data.min(), found.shown.data.max())
    np.testing.assert_allclose(found.shown.contrast_limits, limits)


@pytest.mark.display
def test_slider_of_a_real_window_moves_the_preview(make_napari_viewer, qtbot, volume):
    viewer = make_napari_viewer(show=True)
    layer = viewer.add_image(volume, name="cells", rgb=False)
    found = Bench(viewer, qtbot, layer, "gaussian", sigma=2.0)
    slider = viewer.window._qt_viewer.dims.slider_widgets[0].slider
    slider.setValue(3)
    found.wait()
    np.testing.assert_array_equal(found.slice_on_screen, whole(found)[3])
    found.preview.close()
    assert list(viewer.layers) == [layer]


@pytest.mark.display
def test_window_closes_while_a_form_previews(make_napari_viewer, qtbot, volume):
    viewer = make_napari_viewer(show=True)
    viewer.add_image(volume, name="cells", rgb=False)
    form = GaussianForm(viewer)
    viewer.window.add_dock_widget(form, name="Gaussian")
    form.follow.setChecked(True)
    qtbot.waitUntil(lambda: bool(form.preview.layers), timeout=TIMEOUT)
    preview = form.preview
    form.parameters.set_value("sigma", 2.0)
    viewer.close()
    qtbot.waitUntil(lambda: not preview.is_busy, timeout=TIMEOUT)


@pytest.mark.display
def test_form_that_is_removed_takes_its_preview_along(make_napari_viewer, qtbot, volume):
    viewer = make_napari_viewer(show=True)
    layer = viewer.add_image(volume, name="cells", rgb=False)
    form = GaussianForm(viewer)
    viewer.window.add_dock_widget(form, name="Gaussian")
    form.follow.setChecked(True)
    qtbot.waitUntil(lambda: bool(form.preview.layers), timeout=TIMEOUT)
    viewer.window.remove_dock_widget(form)
    qtbot.wait(50)
    assert list(viewer.layers) == [layer]
