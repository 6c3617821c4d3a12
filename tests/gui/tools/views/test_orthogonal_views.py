"""The orthogonal views: the same place in all planes, and strokes that land in one layer."""

from types import SimpleNamespace

import numpy as np
import pytest
from painting import click, drag, move_to, press_key
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QWidget

from napari_seedbed.gui.layers.layer_records import is_preview
from napari_seedbed.gui.qt.delays import Delay
from napari_seedbed.gui.tools.views.orthogonal_views import OrthogonalViews

SCALE = (2.0, 0.5, 0.5)
PLACE = {"scale": SCALE, "units": ("um",) * 3}
SHAPE = (20, 60, 80)


class Views:
    """A window with a volume, its labels and the orthogonal views."""

    def __init__(self, make_napari_viewer, qtbot) -> None:
        self.qtbot = qtbot
        self.viewer = make_napari_viewer(show=True)
        self.viewer.window.resize(700, 600)
        rng = np.random.default_rng(0)
        self.image = self.viewer.add_image(rng.random(SHAPE), name="cells", rgb=False, **PLACE)
        self.labels = self.viewer.add_labels(np.zeros(SHAPE, np.int32), name="seeds", **PLACE)
        self.brush(5)
        self.panel = OrthogonalViews(self.viewer)
        self.viewer.window.add_dock_widget(self.panel, name="Orthogonal views")
        qtbot.waitUntil(lambda: self.panel.crosshair is not None)
        delays = self.panel.findChildren(Delay)
        qtbot.waitUntil(lambda: not any(delay.is_waiting for delay in delays))
        self.settle()

    def settle(self):
        """Wait until the layout of the window is done: it moves what lies under the mouse."""

        def places():
            views = self.panel.views.values()
            sizes = [view.qt_viewer.canvas.native.size() for view in views]
            cameras = [view.model.scene.camera for view in views]
            return sizes, [(camera.zoom, camera.center) for camera in cameras]

        before = None
        while before != (before := places()):
            self.qtbot.wait(200)

    def view(self, plane):
        return self.panel.views[plane]

    def window_of(self, plane):
        """What the helpers of painting take for a viewer."""
        view = self.view(plane)
        window = SimpleNamespace(_qt_viewer=view.qt_viewer)
        return SimpleNamespace(window=window, dims=view.model.dims)

    def stroke(self, plane, start, end):
        """Paint a line in a view with the mouse, between two places of the world."""
        told = []

        def hear(event):
            told.append(event.value)

        self.labels.events.paint.connect(hear)
        drag(self.window_of(plane), start, end)
        self.qtbot.waitUntil(lambda: bool(told))
        self.qtbot.wait(50)
        self.labels.events.paint.disconnect(hear)

    def brush(self, label, size=1):
        self.labels.selected_label, self.labels.brush_size = label, size
        self.labels.mode = "paint"
        self.viewer.layers.selection.active = self.labels
        self.qtbot.wait(20)


@pytest.fixture
def views(make_napari_viewer, qtbot):
    return Views(make_napari_viewer, qtbot)


def test_all_views_look_at_the_same_place(views):
    views.viewer.dims.point = (10.0, 12.0, 25.0)
    for plane, hidden in (("xz", 1), ("yz", 2)):
        model = views.view(plane).model
        assert tuple(model.dims.point) == (10.0, 12.0, 25.0)
        assert hidden not in model.dims.displayed
    views.view("xz").model.dims.set_point(1, 20.0)
    assert views.viewer.dims.point[1] == 20.0
    assert views.view("yz").model.dims.point[1] == 20.0
    lines = views.panel.crosshair.data
    for axis, (start, along) in enumerate(lines):
        np.testing.assert_allclose(np.delete(start, axis), np.delete((10, 20, 25), axis))
        assert np.flatnonzero(along).tolist() == [axis]
    copy = views.view("xz").mirror.copy_of(views.panel.crosshair)
    np.testing.assert_array_equal(copy.data, lines)
    zoom = views.view("xz").model.scene.camera.zoom
    views.view("xz").model.scene.camera.zoom = zoom / 4
    assert 1 <= copy.edge_width * zoom / 4 <= 2, "pixels on the screen"


def test_brush_in_hand_is_in_hand_in_all_views(views):
    for plane in ("xz", "yz"):
        copy = views.view(plane).mirror.copy_of(views.labels)
        assert (copy.mode, copy.selected_label, copy.brush_size) == ("paint", 5, 1)
        assert views.view(plane).model.layers.selection.active is copy


def test_strokes_in_any_view_are_painted_on_the_one_layer_and_undone_there(views):
    views.viewer.dims.point = (20.0, 15.0, 20.0)
    views.brush(3)
    told = []
    views.labels.events.paint.connect(lambda event: told.append(event.value))
    views.stroke("xz", (10.0, 15.0, 10.0), (10.0, 15.0, 30.0))
    where = np.argwhere(np.asarray(views.labels.data) == 3)
    assert len(where) >= 25
    assert set(where[:, 1]) == {30}, "the plane of the view"
    assert set(where[:, 0]) == {5}
    assert where[:, 2].min() == pytest.approx(20, abs=1)
    # a slow machine loses the last move of the mouse
    assert 45 <= where[:, 2].max() <= 61
    assert len(told) == 1, "who watches the layer hears of one stroke"
    views.brush(4)
    views.stroke("yz", (8.0, 5.0, 20.0), (8.0, 25.0, 20.0))
    data = np.asarray(views.labels.data)
    assert set(np.argwhere(data == 4)[:, 2]) == {40}
    for plane in ("xz", "yz"):
        copy = views.view(plane).mirror.copy_of(views.labels)
        assert copy.data is views.labels.data
    views.labels.undo()
    assert not (data == 4).any()
    assert (data == 3).any()
    press_key(views.window_of("xz"), Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert not data.any()
    views.labels.redo()
    assert set(np.unique(data)) == {0, 3}


def test_a_stroke_over_another_is_undone_to_what_was_there(views):
    views.viewer.dims.point = (20.0, 15.0, 20.0)
    views.labels.data_setitem((np.full(20, 5), np.full(20, 30), np.arange(30, 50)), 9)
    before = np.array(views.labels.data)
    views.brush(2, size=4)
    views.stroke("xz", (10.0, 15.0, 12.0), (10.0, 15.0, 28.0))
    views.brush(7, size=2)
    views.stroke("yz", (10.0, 10.0, 20.0), (10.0, 20.0, 20.0))
    data = np.asarray(views.labels.data)
    counts = {label: int((data == label).sum()) for label in (2, 7)}
    assert min(counts.values()) > 10, counts
    for _ in range(2):
        views.labels.undo()
    np.testing.assert_array_equal(views.labels.data, before)


def test_shift_and_the_mouse_move_all_views_without_painting(views):
    views.viewer.dims.point = (20.0, 15.0, 20.0)
    views.brush(3)
    move_to(views.window_of("xz"), (8.0, 15.0, 31.0), Qt.KeyboardModifier.ShiftModifier)
    views.qtbot.waitUntil(lambda: abs(views.viewer.dims.point[2] - 31.0) < 0.6)
    assert views.viewer.dims.point[0] == pytest.approx(8, abs=1.1)
    assert views.viewer.dims.point[1] == 15.0
    assert not np.asarray(views.labels.data).any()


def test_looks_brush_and_order_of_layers_are_the_same_in_all_views(views):
    views.image.contrast_limits = (0.2, 0.7)
    views.labels.opacity = 0.3
    views.labels.visible = False
    points = views.viewer.add_points([[4, 5, 6]], name="spots", scale=SCALE)
    views.viewer.layers.move(views.viewer.layers.index(points), 0)
    mirror = views.view("yz").mirror
    image, labels = mirror.copy_of(views.image), mirror.copy_of(views.labels)
    assert tuple(image.contrast_limits) == (0.2, 0.7)
    assert (labels.opacity, labels.visible) == (0.3, False)
    names = [layer.name for layer in views.view("yz").model.layers]
    assert names == [layer.name for layer in views.viewer.layers]
    labels.selected_label = 6
    assert views.labels.selected_label == 6
    new = np.ones(SHAPE, np.int32)
    views.labels.data = new
    assert labels.data is new
    views.viewer.layers.remove(points)
    assert mirror.copy_of(points) is None


def test_crosshair_is_nothing_to_work_on_and_goes_with_the_panel(views):
    crosshair = views.panel.crosshair
    assert is_preview(crosshair)
    views.panel.show_crosshair.setChecked(False)
    assert crosshair not in views.viewer.layers
    views.panel.show_crosshair.setChecked(True)
    views.viewer.window.remove_dock_widget(views.panel)
    views.qtbot.wait(50)
    assert [layer.name for layer in views.viewer.layers] == ["cells", "seeds"]
    views.viewer.dims.set_point(0, 4.0)
    views.labels.opacity = 0.5


def test_a_crosshair_comes_when_napari_has_listed_the_layer_before(views):
    model = views.viewer.window._qt_viewer.layers.model().sourceModel()
    told = []
    model.rowsAboutToBeInserted.connect(lambda *_: told.append("begun"))
    model.rowsInserted.connect(lambda *_: told.append("done"))
    views.viewer.layers.clear()
    views.viewer.add_image(np.zeros((3, *SHAPE)), name="film")
    views.qtbot.waitUntil(lambda: len(views.viewer.layers) == 2)
    assert views.panel.crosshair in views.viewer.layers
    assert told == ["begun", "done"] * 2


def test_a_crosshair_has_the_axes_of_the_layers_and_comes_once(views):
    layers, came = views.viewer.layers, []
    layers.events.inserted.connect(lambda event: came.append(event.value))

    def wait_for_one(n_axes):
        views.qtbot.waitUntil(
            lambda: views.panel.crosshair is not None and views.panel.crosshair.ndim == n_axes
        )
        views.qtbot.wait(300)
        assert views.viewer.dims.ndim == n_axes
        return sum(is_preview(layer) for layer in came)

    film = views.viewer.add_image(np.zeros((3, *SHAPE)), name="film", translate=(50.0,) * 4)
    assert wait_for_one(4) == 1
    views.viewer.add_image(np.zeros(SHAPE), name="more cells", translate=(90.0,) * 3)
    assert wait_for_one(4) == 1
    layers.remove(film)
    assert wait_for_one(3) == 2


def test_points_set_moved_and_deleted_in_a_view_are_those_of_the_layer(views):
    views.viewer.dims.point = (20.0, 15.0, 20.0)
    points = views.viewer.add_points(
        None, ndim=3, size=3, features={"label": np.zeros(0, int)}, **PLACE
    )
    points.feature_defaults["label"] = 7
    points.current_face_color = "red"
    points.mode = "add"
    views.settle()
    click(views.window_of("xz"), (12.0, 15.0, 25.0))
    views.qtbot.waitUntil(lambda: len(points.data) == 1)
    np.testing.assert_allclose(points.data[0] * SCALE, (12, 15, 25), atol=1)
    assert points.features["label"].tolist() == [7]
    copies = [views.view(plane).mirror.copy_of(points) for plane in ("xz", "yz")]
    views.qtbot.waitUntil(lambda: all(len(copy.data) == 1 for copy in copies))
    for copy in copies:
        np.testing.assert_array_equal(copy.face_color, [[1, 0, 0, 1]])
    copies[0].mode = "select"
    assert points.mode == copies[1].mode == "select"
    drag(views.window_of("xz"), (12.0, 15.0, 25.0), (24.0, 15.0, 10.0))
    # a slow machine loses the last moves of the mouse
    views.qtbot.waitUntil(lambda: points.data[0][2] * SCALE[2] < 20)
    np.testing.assert_allclose(copies[1].data, points.data)
    click(views.window_of("xz"), points.data[0] * SCALE)
    press_key(views.window_of("xz"), Qt.Key.Key_Delete)
    views.qtbot.waitUntil(lambda: not len(points.data))
    views.qtbot.waitUntil(lambda: not any(len(copy.data) for copy in copies))


def test_hidden_views_follow_nothing_and_show_everything_when_they_are_back(views):
    models = [views.view(plane).model for plane in ("xz", "yz")]
    models[0].scene.camera.zoom = 3.5
    dock = views.panel.parent()
    dock.hide()
    assert [len(model.layers) for model in models] == [0, 0]
    views.viewer.dims.point = (10.0, 12.0, 25.0)
    views.image.contrast_limits = (0.2, 0.7)
    spots = views.viewer.add_points([[4, 5, 6]], **PLACE)
    assert [len(model.layers) for model in models] == [0, 0]
    dock.show()
    for plane, model in zip(("xz", "yz"), models, strict=True):
        assert [one.name for one in model.layers] == [one.name for one in views.viewer.layers]
        assert tuple(model.dims.point) == (10.0, 12.0, 25.0)
        mirror = views.view(plane).mirror
        assert tuple(mirror.copy_of(views.image).contrast_limits) == (0.2, 0.7)
        assert mirror.copy_of(spots) is not None
    assert models[0].scene.camera.zoom == 3.5
    assert models[1].dims.order == (2, 1, 0)


def test_what_is_opened_after_the_views_is_not_wider_for_them(views):
    window = views.viewer.window
    window.resize(1300, 700)
    window.remove_dock_widget(views.panel)
    other = QWidget()
    other.setMinimumWidth(200)
    window.add_dock_widget(other, name="next", area="right")
    views.qtbot.waitUntil(lambda: other.isVisible() and other.width() > 0)
    assert other.width() < 350


def test_undo_in_a_view_is_the_one_that_a_panel_has_put_in_its_place(views):
    views.viewer.dims.point = (20.0, 15.0, 20.0)
    views.brush(3)
    views.stroke("xz", (10.0, 15.0, 10.0), (10.0, 15.0, 30.0))
    undone = []
    views.labels.bind_key("Control-Z", lambda layer: undone.append(layer))
    press_key(views.window_of("xz"), Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert undone == [views.labels]
    assert (views.labels.data == 3).any()


def test_shapes_and_points_look_the_same_in_all_views(views):
    shapes = views.viewer.add_shapes(None, ndim=3, edge_color="red", edge_width=2)
    shapes.add_paths(np.array([[2, 1, 1], [2, 3, 3], [2, 5, 4], [2, 6, 8], [2, 7, 7.0]]))
    shapes.add_ellipses(np.array([[2, 1, 1], [2, 1, 9], [2, 9, 9], [2, 9, 1.0]]))
    points = views.viewer.add_points(None, ndim=3, size=3, face_color="blue")
    points.add([[1, 2, 3.0], [4, 5, 6]])
    for plane in ("xz", "yz"):
        shown = views.view(plane).mirror.copy_of(shapes)
        assert shown.shape_type == ["path", "ellipse"]
        np.testing.assert_array_equal(shown.edge_color, shapes.edge_color)
        assert shown.edge_width == shapes.edge_width
        dots = views.view(plane).mirror.copy_of(points)
        np.testing.assert_array_equal(dots.data, points.data)
        np.testing.assert_array_equal(dots.face_color, points.face_color)
        np.testing.assert_array_equal(dots.size, points.size)
