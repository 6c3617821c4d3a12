"""Runs of a form into files: layers that fill in, pause and resume, cancel, in a napari window."""

import threading
import time

import numpy as np
import pytest
import zarr
from large_store import stored_pyramid
from painting import drag
from qtpy.QtCore import Qt
from seeded_window import ball, dice

from bounds import bound
from napari_seedbed.errors import InputError
from napari_seedbed.gui.forms import block_runs
from napari_seedbed.gui.forms.apply_choice import SLICE
from napari_seedbed.gui.forms.filling_layers import FillingLayers
from napari_seedbed.gui.forms.machine_speed import machine_speed
from napari_seedbed.gui.forms.operation_form import form_class
from napari_seedbed.gui.forms.panel import RUN
from napari_seedbed.gui.forms.preparation import preparation
from napari_seedbed.gui.forms.storage_choice import FILES, MEMORY
from napari_seedbed.gui.layers.layer_records import is_preview, is_result
from napari_seedbed.gui.tools.walker.seeded_segmentation_panel import SeededSegmentationPanel
from napari_seedbed.pipeline import operations
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.data.sparse_labels import SparseLabels
from napari_seedbed.pipeline.files import zarr_levels
from napari_seedbed.pipeline.files.zarr_blocks import BlockStore
from napari_seedbed.pipeline.journal.run_folders import RUN_FILE, UnfinishedRun

SHAPE = (24, 256, 256)


@pytest.fixture
def stored(tmp_path, rng, monkeypatch):
    """An image in a file, lazy though it is small, whose results have many blocks."""
    monkeypatch.setattr("napari_seedbed.pipeline.files.zarr_reading.LAZY_ABOVE", 1)
    monkeypatch.setattr(zarr_levels, "_SMALLEST", 64)
    monkeypatch.setattr(zarr_levels, "_BLOCK_3D", (8, 32, 32))
    monkeypatch.setattr(zarr_levels, "_BLOCKS_A_SHARD", {"y": 2, "x": 2})
    return stored_pyramid(tmp_path / "cells.ome.zarr", SHAPE, rng, chunks=(8, 64, 64))


class Gate:
    """Lets so many blocks be written, and no more; where they lie, in the order they came."""

    def __init__(self, monkeypatch):
        self.left = threading.Semaphore(10**6)
        self.places = []
        write = BlockStore.write

        def slow(store, values, place):
            while not self.left.acquire(timeout=0.02):
                block_runs.operations.run.__globals__["check_stop"]()
            self.places.append(tuple(place[axis].start for axis in "zyx"))
            write(store, values, place)

        monkeypatch.setattr(BlockStore, "write", slow)

    def let(self, n):
        self.left = threading.Semaphore(n)


@pytest.fixture
def gate(monkeypatch):
    return Gate(monkeypatch)


class Window:
    def __init__(self, viewer, qtbot, path, operation="gaussian", **parameters):
        self.viewer, self.qtbot = viewer, qtbot
        viewer.window.resize(1000, 740)
        (self.layer,) = viewer.open(str(path), plugin="napari-seedbed")
        self.form = form_class(operation)(viewer)
        viewer.window.add_dock_widget(self.form, name=operation)
        for name, value in parameters.items():
            self.form.parameters.set_value(name, value)
        qtbot.wait(50)

    def click(self, button):
        assert button.isVisible()
        assert button.isEnabled()
        self.qtbot.mouseClick(button, Qt.MouseButton.LeftButton)

    def choose(self, way):
        combo = self.form.storage.way
        combo.setCurrentIndex(combo.findData(way))
        combo.activated.emit(combo.currentIndex())

    def run(self):
        self.choose(FILES)
        self.click(self.form.run_button)

    def wait_end(self):
        self.qtbot.waitUntil(lambda: not self.form.is_running)

    @property
    def filling(self):
        return [layer for layer in self.viewer.layers if is_preview(layer)]

    @property
    def results(self):
        return [layer for layer in self.viewer.layers if is_result(layer) and not is_preview(layer)]


def whole(levels, **parameters):
    """What a run in memory gives."""
    image = Image(levels[0], ("z", "y", "x"), (1.0, 1.0, 1.0), ("micrometer",) * 3)
    return operations.run("gaussian", {"image": image}, parameters).image("image").array


def test_result_fills_in_nearest_to_the_view_first_and_is_that_of_memory(
    make_napari_viewer, qtbot, stored, gate
):
    path, levels = stored
    window = Window(make_napari_viewer(show=True), qtbot, path, sigma=1.5)
    window.viewer.dims.set_point(0, 20)
    window.viewer.scene.camera.zoom = 8
    window.viewer.scene.camera.center = (0, 230, 30)
    qtbot.wait(200)
    gate.let(3)
    window.run()
    qtbot.waitUntil(lambda: bool(window.filling))
    (filling,) = window.filling
    _, y, x = gate.places[0]
    assert (y, x) == (192, 0)
    expected = whole(levels, sigma=1.5)
    inside = tuple(slice(a, a + 8) for a in gate.places[0])
    qtbot.waitUntil(lambda: np.array_equal(np.asarray(filling.data[0][inside]), expected[inside]))
    assert filling.multiscale
    assert np.asarray(filling.data[-1]).any()
    assert "block" in window.form.status.text().lower()
    assert window.form.controls.pause.isVisible()
    gate.left.release(10**6)
    window.wait_end()
    (result,) = window.results
    assert not window.filling
    assert result.multiscale
    np.testing.assert_array_equal(result.data[0], expected)
    assert len(result.data) == 3
    assert not isinstance(result.data[0], np.ndarray)
    assert result.name.startswith(window.layer.name)
    assert result.metadata["napari_seedbed"]["operation"] == "gaussian"
    (folder,) = [one for one in path.parent.iterdir() if one != path]
    assert {one.name for one in folder.iterdir()} == {"image.zarr"}
    assert not window.form.controls.pause.isVisible()


def test_paused_run_is_gone_on_with_after_a_restart(make_napari_viewer, qtbot, stored, gate):
    path, levels = stored
    window = Window(make_napari_viewer(show=True), qtbot, path, sigma=1.5)
    gate.let(5)
    window.run()
    qtbot.waitUntil(lambda: len(gate.places) == 5)
    qtbot.waitUntil(lambda: bool(window.filling))
    window.click(window.form.controls.pause)
    window.wait_end()
    assert window.form.status.text().startswith("Paused; what is written stays.")
    assert window.filling
    (folder,) = [one for one in path.parent.iterdir() if one != path]
    assert (folder / RUN_FILE).is_file()
    window.viewer.close()

    first = list(gate.places)
    gate.let(10**6)
    later = Window(make_napari_viewer(show=True), qtbot, path, sigma=4.0)
    assert later.form.storage.unfinished.folder == folder
    parts = later.form.apply_to
    parts.setCurrentIndex(parts.findData(SLICE))
    later.click(later.form.storage.resume)
    later.wait_end()
    assert later.form.parameters.values()["sigma"] == 1.5
    (result,) = later.results
    assert not later.filling
    np.testing.assert_array_equal(result.data[0], whole(levels, sigma=1.5))
    assert set(first).isdisjoint(gate.places[len(first) :])
    assert not (folder / RUN_FILE).exists()
    assert later.form.storage.unfinished is None


def test_nobody_goes_on_with_or_removes_a_run_that_is_under_way_or_over(
    make_napari_viewer, qtbot, stored, gate
):
    path, levels = stored
    window = Window(make_napari_viewer(show=True), qtbot, path, sigma=1.5)
    other = window.viewer.add_image(np.zeros((8, 9, 9), np.uint16), name="other")
    window.form.inputs.image.choose(window.layer)
    gate.let(3)
    window.run()
    qtbot.waitUntil(lambda: bool(window.filling))
    (folder,) = [one for one in path.parent.iterdir() if one != path]
    known = UnfinishedRun(folder, "gaussian", {}, "")
    for layer in (other, window.layer):
        window.form.inputs.image.choose(layer)
    assert window.form.storage.unfinished is None
    with pytest.raises(InputError, match="is under way in another panel or window"):
        known.hold()
    known.discard()
    gate.left.release(10**6)
    window.wait_end()
    known.discard()
    (result,) = window.results
    np.testing.assert_array_equal(result.data[0], whole(levels, sigma=1.5))
    assert {one.name for one in folder.iterdir()} == {"image.zarr"}
    assert not window.form.block_runs.findChildren(FillingLayers)
    assert not machine_speed.knows("gaussian")


@pytest.mark.timing
def test_cancelled_run_stops_at_once_and_leaves_nothing(
    make_napari_viewer, qtbot, stored, gate, monkeypatch
):
    path, _ = stored
    monkeypatch.setattr(block_runs, "_DISCARD_SECONDS", 0.3)
    window = Window(make_napari_viewer(show=True), qtbot, path, sigma=1.5)
    gate.let(5)
    window.run()
    qtbot.waitUntil(lambda: bool(window.filling))
    thread = window.form.jobs._jobs[RUN]._thread
    window.click(window.form.cancel_button)
    began = time.perf_counter()
    thread.join()
    assert time.perf_counter() - began < bound(0.2)
    window.wait_end()
    assert window.form.status.text() == "Cancelled."
    assert list(window.viewer.layers) == [window.layer]
    qtbot.waitUntil(lambda: list(path.parent.iterdir()) == [path])


def test_files_are_taken_where_memory_would_not_do_and_a_folder_is_asked_for(
    make_napari_viewer, qtbot, stored, monkeypatch
):
    path, _ = stored
    window = Window(make_napari_viewer(show=True), qtbot, path)
    storage = window.form.storage
    assert storage.way.currentData() == MEMORY
    monkeypatch.setattr("napari_seedbed.pipeline.data.memory.available_memory", lambda: 10_000_000)
    window.form.parameters.set_value("sigma", 2.0)
    assert storage.way.currentData() == FILES
    assert window.form.forecast.text().startswith("One run, block by block into files: about")
    window.choose(MEMORY)
    window.form.parameters.set_value("sigma", 3.0)
    assert storage.way.currentData() == MEMORY
    window.choose(FILES)
    storage.choose_folder(None)
    window.click(window.form.run_button)
    assert "choose a folder" in window.form.status.text()
    assert not window.form.is_running
    small = window.viewer.add_image(np.zeros((8, 9, 9), np.uint16), name="small")
    window.form.inputs.image.choose(small)
    assert not storage.isVisible()


def test_strokes_on_an_image_in_files_are_grown_into_files(make_napari_viewer, qtbot, stored, gate):
    path, _ = stored
    image, truth = ball(SHAPE, (1.0, 0.25, 0.25), (12, 128, 128))
    zarr.open_group(str(path))["0"][...] = image
    viewer = make_napari_viewer(show=True)
    viewer.window.resize(1100, 760)
    viewer.open(str(path), plugin="napari-seedbed")
    panel = SeededSegmentationPanel(viewer)
    viewer.window.add_dock_widget(panel, name="Seeded segmentation")
    qtbot.waitUntil(lambda: preparation.is_done, timeout=300_000)
    panel.form.live.setChecked(False)
    qtbot.mouseClick(panel.form.new_seeds, Qt.MouseButton.LeftButton)
    seeds = panel.form.seeds.layer()
    assert isinstance(seeds.data, SparseLabels)
    viewer.dims.set_point(0, 12)
    qtbot.wait(50)
    drag(viewer, (12, 128, 120), (12, 128, 136))
    seeds.selected_label = 2
    drag(viewer, (12, 20, 20), (12, 20, 230))
    storage = panel.storage
    storage.way.setCurrentIndex(storage.way.findData(FILES))
    storage.way.activated.emit(storage.way.currentIndex())
    panel.form.controls.run.click()
    assert panel.is_running
    assert not panel.controls.run.isEnabled()
    qtbot.waitUntil(lambda: not panel.is_running, timeout=120_000)
    assert panel.form.status.text().startswith("Done: ")
    (result,) = [one for one in viewer.layers if is_result(one)]
    assert result.multiscale
    assert dice(np.asarray(result.data[0]) == 1, truth) > 0.9
    assert panel.controls.run.isEnabled()
    assert not panel.controls.cancel.isEnabled()
