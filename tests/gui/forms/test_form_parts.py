"""A form applied to parts of an image: what is offered, and where the results lie."""

import numpy as np
import pytest
from form_window import FormBench
from skimage.filters import threshold_otsu

from napari_seedbed.gui.layers.image_layers import image_of
from napari_seedbed.gui.qt import errors as gui_errors
from napari_seedbed.pipeline import operations


@pytest.fixture
def open_form(qtbot, viewer_model):
    def open_(operation, data=None, **layer):
        if data is not None:
            viewer_model.add_image(data, **{"name": "cells", "rgb": False, **layer})
        return FormBench(viewer_model, qtbot, operation)

    return open_


@pytest.fixture
def volume():
    return np.random.default_rng(0).integers(0, 1000, (20, 16, 18)).astype(np.uint16)


def offered(bench):
    box = bench.form.apply_to
    return [box.itemData(i) for i in range(box.count())]


@pytest.mark.parametrize(
    ("shape", "labels", "wanted"),
    [
        ((16, 18), ("y", "x"), ["all"]),
        ((5, 16, 18), ("z", "y", "x"), ["slice", "all"]),
        ((5, 16, 18), ("t", "y", "x"), ["time", "all"]),
        ((3, 5, 16, 18), ("t", "z", "y", "x"), ["slice", "time", "all"]),
    ],
)
def test_parts_that_make_sense_are_offered(open_form, shape, labels, wanted):
    bench = open_form("gaussian", np.zeros(shape, np.uint8), axis_labels=labels)
    assert offered(bench) == wanted
    assert bench.form.apply_to.isVisible() == (len(wanted) > 1)


def test_table_of_a_volume_is_not_offered_for_a_slice(open_form, viewer_model):
    viewer_model.add_labels(np.zeros((3, 5, 16, 18), int), axis_labels=("t", "z", "y", "x"))
    assert offered(open_form("count")) == ["time", "all"]


def test_operation_on_a_whole_series_is_offered_no_parts(open_form):
    film = np.zeros((4, 16, 18), np.uint8)
    assert offered(open_form("series_difference", film, axis_labels=("t", "y", "x"))) == ["all"]


def test_slice_gets_the_voxels_of_the_whole_run_in_its_place(open_form, volume):
    bench = open_form("gaussian", volume, scale=(3, 1, 1), rotate=(0, 0, 15), translate=(1, 2, 3))
    image = bench.viewer.layers["cells"]
    bench.set(sigma=1.0)
    bench.viewer.dims.set_point(0, image.data_to_world((6, 8, 8))[0])
    bench.apply_to("slice")
    (found,) = bench.run()
    assert found.name == "cells > Gaussian, z 6"
    whole = operations.run("gaussian", {"image": image_of(image)}, {"sigma": 1.0})
    np.testing.assert_array_equal(found.data, whole.image("image").array[6:7])
    for corner in ((0, 0), (15, 17)):
        np.testing.assert_allclose(
            found.data_to_world((0, *corner)), image.data_to_world((6, *corner))
        )


def test_each_slice_gets_a_layer_of_its_own(open_form, volume):
    bench = open_form("gaussian", volume)
    bench.apply_to("slice")
    for z in (2, 9, 2):
        bench.viewer.dims.set_point(0, z)
        bench.run()
    names = {layer.name for layer in bench.results}
    assert names == {"cells > Gaussian, z 2", "cells > Gaussian, z 9"}


def test_threshold_of_a_slice_is_that_of_the_volume(open_form, volume):
    bench = open_form("threshold", volume)
    bench.viewer.dims.set_point(0, 5)
    bench.apply_to("slice")
    (found,) = bench.run()
    np.testing.assert_array_equal(found.data[0] != 0, volume[5] > threshold_otsu(volume))


def test_time_point_is_worked_on_alone(open_form):
    film = np.random.default_rng(0).integers(0, 1000, (5, 16, 18)).astype(np.uint16)
    bench = open_form("threshold", film, axis_labels=("t", "y", "x"), scale=(2, 1, 1))
    bench.viewer.dims.set_point(0, 6)
    bench.apply_to("time")
    (found,) = bench.run()
    assert found.data.shape == (1, 16, 18)
    assert found.data_to_world((0, 0, 0))[0] == 6
    np.testing.assert_array_equal(found.data[0] != 0, film[3] > threshold_otsu(film[3]))


def test_slice_in_the_3d_display_is_refused_with_a_way_out(open_form, volume, monkeypatch):
    warnings = []
    monkeypatch.setattr(gui_errors, "show_warning", warnings.append)
    bench = open_form("gaussian", volume)
    bench.apply_to("slice")
    bench.viewer.dims.ndisplay = 3
    assert bench.run() == []
    assert "2D display" in warnings[0]


def test_cropped_image_lies_where_it_was_cut_out(open_form, volume):
    bench = open_form(
        "crop", volume, scale=(3, 0.5, 0.5), translate=(10, 20, 30), rotate=(0, 0, 30)
    )
    image = bench.viewer.layers["cells"]
    bench.viewer.add_shapes(
        np.array([[8, 4, 6], [8, 4, 11], [8, 12, 11], [8, 12, 6]]),
        shape_type="polygon",
        name="box",
        scale=image.scale,
        translate=image.translate,
        rotate=image.rotate,
    )
    bench.form.inputs.others["shapes"].choose(bench.viewer.layers["box"])
    (found,) = bench.run()
    first = np.array(volume.shape) - found.data.shape
    assert (first > 0).any()
    corner = np.argwhere(volume == found.data[0, 0, 0])
    matches = [
        at
        for at in corner
        if np.array_equal(
            volume[tuple(slice(a, a + n) for a, n in zip(at, found.data.shape, strict=True))],
            found.data,
        )
    ]
    assert len(matches) == 1
    np.testing.assert_allclose(found.data_to_world((0, 0, 0)), image.data_to_world(matches[0]))
    np.testing.assert_allclose(
        found.data_to_world(np.array(found.data.shape) - 1),
        image.data_to_world(matches[0] + np.array(found.data.shape) - 1),
    )
