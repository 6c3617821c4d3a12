"""Results of all kinds: where their image is found, and where the next result is shown."""

import numpy as np
import pytest
from napari.layers import Image as ImageLayer
from napari.layers import Labels, Points, Shapes

from napari_seedbed.gui.forms.operation_form import form_class
from napari_seedbed.gui.layers.layer_records import accept, record_of
from napari_seedbed.gui.tools.history.history_panel import HistoryPanel

PATIENCE = 60_000


@pytest.fixture
def panel_on(viewer_model, qtbot):
    """A function that shows the steps of a layer, changes a parameter and runs them."""
    panel = HistoryPanel(viewer_model)
    qtbot.addWidget(panel)

    def remake(layer, step, **parameters):
        panel.form.layer.choose(layer)
        assert panel.form.layer.layer() is layer
        for name, value in parameters.items():
            panel.form.steps.fields[step].set_value(name, value)
        count = len(viewer_model.layers)
        assert panel.controls.run.isEnabled(), panel.form.state.text()
        panel.run()
        qtbot.waitUntil(lambda: not panel.is_running, timeout=PATIENCE)
        assert "Done" in panel.form.status.text()
        return panel, panel.form.layer.layer(), len(viewer_model.layers) - count

    return remake


@pytest.fixture
def make(viewer_model, qtbot):
    """A function that runs an operation in its form, and gives the layers that come out."""

    def run(operation, layer, then=None, **parameters):
        form = form_class(operation)(viewer_model)
        qtbot.addWidget(form)
        form.inputs.image.choose(layer)
        for name, value in parameters.items():
            form.parameters.set_value(name, value)
        if then is not None:
            then(form)
        before = set(viewer_model.layers)
        form.run()
        qtbot.waitUntil(lambda: not form.is_running, timeout=PATIENCE)
        return [layer for layer in viewer_model.layers if layer not in before]

    return run


def test_channels_in_layers_of_their_own(viewer_model, make, panel_on, rng):
    stack = rng.integers(0, 200, (3, 30, 40)).astype(np.uint16)
    layers = viewer_model.add_image(
        stack, channel_axis=0, name=["red", "green", "blue"], colormap=["red", "green", "blue"]
    )
    (alone,) = make("gaussian", layers[1], sigma=1.0)

    def choose_all(form):
        for box in form.channels._boxes:
            box.setChecked(True)

    three = make("median", layers[0], choose_all, radius=1.0)
    assert len(three) == 3
    panel, again, new = panel_on(alone, "gaussian", sigma=3.0)
    assert (again, new) == (alone, 0)
    assert panel.form.image.layer() is layers[1]
    assert record_of(alone)["parameters"]["sigma"] == 3
    before = [layer.data.copy() for layer in three]
    panel, again, new = panel_on(three[0], "median", radius=2.0)
    assert (again, new) == (three[0], 0)
    for layer, was, source in zip(three, before, layers, strict=True):
        assert not np.array_equal(layer.data, was)
        assert record_of(layer)["parameters"]["radius"] == 2.0
        assert abs(float(layer.data.mean()) - float(source.data.mean())) < 5


def test_one_time_point_of_a_series(viewer_model, make, panel_on, rng):
    film = rng.integers(0, 200, (4, 30, 40)).astype(np.uint8)
    layer = viewer_model.add_image(film, name="film", axis_labels=("t", "y", "x"))
    viewer_model.dims.set_point(0, 2)

    def choose_time(form):
        texts = [form.apply_to.itemText(i) for i in range(form.apply_to.count())]
        form.apply_to.setCurrentIndex(
            next(i for i, text in enumerate(texts) if "Time point" in text)
        )

    (one,) = make("threshold_between", layer, choose_time, method="manual", low=50.0, high=90.0)
    assert one.data.shape == (1, 30, 40)
    _, again, _ = panel_on(one, "threshold_between", low=59.5)
    np.testing.assert_array_equal(again.data[0], (film[2] >= 60) & (film[2] <= 90))


def test_points_tables_and_two_images(viewer_model, make, panel_on, rng):
    image = rng.normal(0, 1, (40, 50)).astype(np.float32)
    layer = viewer_model.add_image(image, name="noise")
    other = viewer_model.add_image(image[::-1].copy(), name="turned")
    (points,) = make("local_maxima", layer)
    assert isinstance(points, Points)
    count = len(points.data)
    panel, again, new = panel_on(points, "local_maxima", distance=5.0)
    assert (again, new) == (points, 0)
    assert 0 < len(points.data) < count
    # one that was accepted is a person's own
    accept(points)
    count = len(points.data)
    _, third, new = panel_on(points, "local_maxima", distance=2.0)
    assert new == 1
    assert third is not points
    assert len(points.data) == count < len(third.data)

    (difference,) = make(
        "image_difference", layer, lambda form: form.inputs.others["other"].choose(other)
    )
    assert isinstance(difference, ImageLayer)
    panel, again, new = panel_on(difference, "image_difference", mode="absolute")
    assert (again, new) == (difference, 0)
    assert panel.form.other.layer() is other


def test_shapes_with_a_row_each(viewer_model, make, panel_on):
    y, x = np.mgrid[:60, :80]
    discs = (np.hypot(y - 20, x - 22) < 12) | (np.hypot(y - 38, x - 58) < 9)
    layer = viewer_model.add_image(200 * discs.astype(np.uint8), name="discs")
    (mask,) = make("threshold", layer)
    (circles,) = make("fit_circle", mask)
    assert isinstance(circles, Shapes)
    _, again, new = panel_on(circles, "fit_circle", number=1)
    assert (again, new) == (circles, 0)
    assert len(circles.data) == len(circles.features) == 1


def test_labels_and_seeds_drawn_by_hand(viewer_model, make, panel_on):
    image = np.zeros((40, 50), np.uint8)
    image[:, 25:] = 200
    layer = viewer_model.add_image(image, name="halves")
    seeds = np.zeros((40, 50), np.int32)
    seeds[20, 5], seeds[20, 45] = 1, 2
    drawn = viewer_model.add_labels(seeds, name="seeds")
    (grown,) = make("expand_labels", drawn, distance=2.0)
    panel, again, new = panel_on(grown, "expand_labels", distance=4.0)
    assert (again, new) == (grown, 0)
    assert panel.form.image.layer() is drawn
    assert isinstance(grown, Labels)
    (found,) = make(
        "seeded_watershed", layer, lambda form: form.inputs.others["start"].choose(drawn)
    )
    before = found.data.copy()
    assert set(np.unique(before)) == {1, 2}
    panel, again, new = panel_on(found, "seeded_watershed", sigma=0.0, compactness=2.0)
    assert (again, new) == (found, 0)
    # the seeds are those of the record, whatever became of their layer
    viewer_model.layers.remove(drawn)
    panel, again, new = panel_on(found, "seeded_watershed", sigma=1.0, compactness=0.0)
    assert (again, new) == (found, 0)
    np.testing.assert_array_equal(found.data, before)
