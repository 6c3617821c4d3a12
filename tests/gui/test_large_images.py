"""Images that are larger than memory, in a window, with a real mouse."""

import time

import numpy as np
import psutil
import pytest
from large_store import large_store, stored_pyramid
from napari.utils import resize_dask_cache
from painting import trace
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication

from bounds import bound
from napari_seedbed.gui.forms.operation_form import form_class
from napari_seedbed.gui.tools.walker.seeded_segmentation_panel import SeededSegmentationPanel
from napari_seedbed.pipeline import operations
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.data.sparse_labels import SparseLabels


def resident():
    """Bytes of memory that this process holds."""
    return psutil.Process().memory_info().rss


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return large_store(tmp_path_factory.mktemp("large") / "large.ome.zarr")


@pytest.fixture
def window(make_napari_viewer, store):
    """A window that shows the image."""
    viewer = make_napari_viewer(show=True)
    viewer.window.resize(1100, 760)
    (layer,) = viewer.open(str(store), plugin="napari-seedbed")
    QApplication.processEvents()
    return viewer, layer


@pytest.mark.timing
def test_100_gigabytes_open_within_a_second(make_napari_viewer, store):
    viewer = make_napari_viewer(show=True)
    times = []
    for _ in range(3):
        viewer.layers.clear()
        began = time.perf_counter()
        (layer,) = viewer.open(str(store), plugin="napari-seedbed")
        QApplication.processEvents()
        times.append(time.perf_counter() - began)
    # the first one loads libraries and compiles
    assert min(times) < bound(1.0)
    assert layer.multiscale
    assert layer.data[0].nbytes > 100e9


def test_memory_stays_bounded_while_slices_go_by(window, rng):
    viewer, layer = window
    cached = 256 * 1024**2
    kept = resize_dask_cache(cached).cache.available_bytes
    try:
        viewer.scene.camera.zoom = 1.0
        QApplication.processEvents()
        before = resident()
        levels = set()
        for place in rng.integers(0, layer.data[0].shape[0], 60):
            viewer.dims.set_point(0, float(place))
            QApplication.processEvents()
            levels.add(layer.data_level)
    finally:
        resize_dask_cache(kept)
    assert levels == {0}
    # beside the cache, what is read for one slice
    assert resident() - before < cached + 600e6


def test_seeds_take_memory_where_they_are_painted(window, qtbot):
    viewer, image = window
    panel = SeededSegmentationPanel(viewer)
    viewer.window.add_dock_widget(panel, name="Seeded segmentation")
    before = resident()
    qtbot.mouseClick(panel.form.new_seeds, Qt.MouseButton.LeftButton)
    seeds = panel.form.seeds.layer()
    assert isinstance(seeds.data, SparseLabels)
    assert seeds.data.shape == image.data[0].shape
    viewer.dims.set_point(0, 1500.0)
    viewer.scene.camera.zoom = 1.0
    QApplication.processEvents()
    digest = panel.seeds.digest
    seeds.brush_size = 20
    trace(viewer, [(1500, 2000, 1900), (1500, 2080, 2000)])
    qtbot.waitUntil(lambda: panel.seeds.digest not in (None, digest))
    places = seeds.data.marked_places()
    assert set(places[0]) == {1500}
    assert np.ptp(places[2]) > 90
    assert 0 < seeds.data.bytes_in_memory < 20e6
    seeds.undo()
    qtbot.waitUntil(lambda: panel.seeds.digest == digest)
    assert seeds.data.bytes_in_memory == 0
    seeds.redo()
    qtbot.waitUntil(lambda: panel.seeds.digest != digest)
    panel.tools.history.clear()
    assert seeds.data.bytes_in_memory == 0
    # two screens of labels and images that come and go; a full array would be 200 GB
    assert resident() - before < 600e6


@pytest.fixture
def pyramid(tmp_path, rng):
    """A store of which all voxels are there, and its resolutions."""
    return stored_pyramid(tmp_path / "cells.ome.zarr", (24, 1024, 1024), rng)


def test_preview_is_of_what_is_in_view_at_the_resolution_in_view(
    make_napari_viewer, qtbot, pyramid, monkeypatch
):
    path, levels = pyramid
    monkeypatch.setattr("napari_seedbed.pipeline.files.zarr_reading.LAZY_ABOVE", 1)
    viewer = make_napari_viewer(show=True)
    viewer.window.resize(1000, 700)
    (layer,) = viewer.open(str(path), plugin="napari-seedbed")
    form = form_class("gaussian")(viewer)
    viewer.window.add_dock_widget(form, name="Gaussian")
    form.parameters.set_value("sigma", 1.0)
    viewer.dims.set_point(0, 12)
    form.follow.click()

    def shown():
        qtbot.wait(100)
        qtbot.waitUntil(lambda: not form.preview.is_busy)
        assert form.preview.layers, form.status.text()
        return form.preview.layers[0]

    for zoom, level, words in ((0.2, 2, "1/4 resolution"), (3.0, 0, "full resolution")):
        viewer.scene.camera.zoom = zoom
        viewer.scene.camera.center = (0, 700, 600)
        qtbot.waitUntil(lambda level=level: layer.data_level == level)
        preview = shown()
        assert form.status.text().startswith(f"Preview at {words}.")
        factor = 2**level
        np.testing.assert_allclose(preview.scale, (factor,) * 3)
        assert preview.data.shape[0] == 1
        whole = operations.run(
            "gaussian",
            {"image": Image(levels[level], ("z", "y", "x"), (factor,) * 3)},
            {"sigma": 1.0},
        ).image("image")
        start = np.rint(np.divide(preview.translate, factor)).astype(int)
        assert start[0] == round(12 / factor)
        part = tuple(slice(a, a + n) for a, n in zip(start, preview.data.shape, strict=True))
        np.testing.assert_array_equal(preview.data, whole.array[part])
    # full resolution: only what the window shows, not the whole slice
    assert preview.data.size < levels[0][0].size / 2
    viewer.scene.camera.center = (0, 200, 200)
    first = preview.translate.copy()
    qtbot.waitUntil(lambda: shown().translate[1] < first[1])
