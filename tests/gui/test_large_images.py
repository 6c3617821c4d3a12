"""Images that are larger than memory, in a window, with a real mouse."""

import time

import numpy as np
import psutil
import pytest
from large_store import large_store
from napari.utils import resize_dask_cache
from painting import trace
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication

from bounds import bound
from napari_seedbed.gui.tools.walker.seeded_segmentation_panel import SeededSegmentationPanel
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
