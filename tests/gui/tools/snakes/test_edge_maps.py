"""A button shows what each method looks at, and what it shows is taken for a result."""

import numpy as np
import pytest
from napari.layers import Image as ImageLayer
from napari.utils.notifications import notification_manager
from snakes_window import SnakesBench, circle, disc

from napari_seedbed.gui.layers.layer_records import is_result
from napari_seedbed.pipeline import operations

PLACE = {"scale": (0.5, 0.25), "translate": (3.0, 4.0), "units": ("um", "um")}
SEEN = {
    "elastic_contour": ("edge_map", {"kind": "strength"}, "cells edge map"),
    "edge_surface": ("edge_map", {"kind": "stopping"}, "cells edge map"),
    "region_surface": ("gaussian", {}, "cells smoothed"),
}


@pytest.fixture
def bench(viewer_model, qtbot):
    made = SnakesBench(viewer_model, qtbot, **PLACE)
    notification_manager.records.clear()
    return made


def results(bench):
    return [layer for layer in bench.viewer.layers if is_result(layer)]


def show(bench):
    """Press the button and wait for the layer."""
    bench.click(bench.form.edges)
    bench.qtbot.waitUntil(lambda: not len(bench.panel.jobs), timeout=15000)
    (layer,) = results(bench)
    return layer


@pytest.mark.parametrize("method", SEEN)
def test_layer_holds_what_the_method_looks_at(bench, method):
    operation, own, name = SEEN[method]
    bench.use(method, sigma=0.7)
    assert bench.form.edges.text() == ("Show " + name.removeprefix("cells ")).replace(
        "smoothed", "smoothed image"
    )
    layer = show(bench)
    image = bench.panel.images.image()
    expected = operations.run(operation, {"image": image}, {"sigma": 0.7, **own})
    assert isinstance(layer, ImageLayer)
    np.testing.assert_array_equal(layer.data, expected.image("image").array)
    assert layer.name == name
    assert f"'{name}'" in bench.status


def test_layer_lies_where_the_image_lies_and_can_be_seen(bench):
    layer = show(bench)
    np.testing.assert_array_equal(layer.scale, PLACE["scale"])
    np.testing.assert_array_equal(layer.translate, PLACE["translate"])
    assert layer.units == bench.image.units
    assert layer.contrast_limits == [layer.data.min(), layer.data.max()]


def test_image_and_channels_stay_chosen(bench):
    layer = show(bench)
    assert bench.form.image.layer() is bench.image
    assert len(bench.form.channels.all_choices()) == 1
    assert not bench.form.channels.isVisible()
    assert bench.panel.images.image().n_channels == 1
    offered = [bench.form.image.itemData(i) for i in range(bench.form.image.count())]
    assert offered == [bench.image, layer]


def test_shapes_stay_chosen(bench):
    start = bench.add_shapes(circle())
    show(bench)
    assert bench.start is start


def test_second_press_renews_the_layer(bench):
    layer = show(bench)
    assert layer.locked
    before = layer.data.copy()
    bench.use("elastic_contour", sigma=2.0)
    assert show(bench) is layer
    assert (layer.data != before).any()


def test_edge_maps_of_two_methods_share_a_layer(bench):
    layer = show(bench)
    bench.use("edge_surface")
    assert show(bench) is layer
    assert layer.metadata["napari_seedbed"]["parameters"]["kind"] == "stopping"


def test_film_is_shown_at_the_time_point_on_screen(viewer_model, qtbot):
    film = np.stack([disc()[0], disc(centre=(30, 30))[0], disc(centre=(40, 50))[0]])
    bench = SnakesBench(viewer_model, qtbot, film, axis_labels=("t", "y", "x"))
    bench.viewer.dims.set_point(0, 1)
    data = show(bench).data
    assert data.shape == film.shape
    assert data[1].any()
    assert not data[0].any()
    assert not data[2].any()


def test_nothing_runs_and_nothing_is_changed_by_looking(bench):
    start = bench.add_shapes(circle())
    before = [part.copy() for part in start.data]
    show(bench)
    np.testing.assert_array_equal(start.data, before)
    assert bench.session.state == "idle"
    assert not bench.form.undo.isEnabled()


def test_image_with_nan_gives_a_message(bench):
    bench.image.data = np.full(bench.image.data.shape, np.nan)
    notification_manager.records.clear()
    bench.click(bench.form.edges)
    bench.qtbot.waitUntil(lambda: bool(notification_manager.records), timeout=15000)
    (record,) = notification_manager.records
    assert "NaN" in record.message
    assert bench.status == record.message
    assert results(bench) == []


def test_image_removed_meanwhile_leaves_nothing(bench):
    bench.click(bench.form.edges)
    bench.viewer.layers.remove(bench.image)
    bench.qtbot.waitUntil(lambda: not len(bench.panel.jobs), timeout=15000)
    bench.qtbot.wait(50)
    assert list(bench.viewer.layers) == []
    assert notification_manager.records == []


def test_no_image_no_button(viewer_model, qtbot):
    bench = SnakesBench(viewer_model, qtbot)
    bench.viewer.layers.remove(bench.image)
    assert not bench.form.edges.isEnabled()
