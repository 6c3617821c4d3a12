"""What a removed layer was drawn with is given back in the context that it was drawn in."""

import numpy as np
import pytest
from qtpy.QtGui import QOpenGLContext
from qtpy.QtWidgets import QOpenGLWidget, QWidget

from napari_seedbed.gui.layers.canvas_context import CanvasContext

pytestmark = pytest.mark.display


@pytest.fixture
def viewer(make_napari_viewer, qtbot):
    made = make_napari_viewer(show=True)
    made.window.resize(1000, 600)
    made.add_image(np.eye(16), name="image")
    made.add_labels(np.eye(16, dtype=int), name="labels")
    # What is first shown may be drawn, in its own context, while a layer goes.
    qtbot.waitUntil(lambda: canvas_of(made).isValid())
    qtbot.wait(500)
    return made


def canvas_of(viewer):
    (canvas,) = viewer.window._qt_window.centralWidget().findChildren(QOpenGLWidget)
    return canvas


def current_after_removal(viewer, make_other_current):
    """Remove a layer; whether napari then works in the context of its picture."""
    seen = []
    own = canvas_of(viewer).context()
    # connected last, this comes before napari's own
    viewer.layers.events.removed.connect(
        lambda event: seen.append(QOpenGLContext.currentContext() is own)
    )
    make_other_current()
    assert QOpenGLContext.currentContext() is not own
    viewer.layers.remove("labels")
    assert len(seen) == 1
    return seen[0]


def test_without_help_another_context_is_current(viewer):
    """The fault that this is all about: when napari mends it, `CanvasContext` can go."""
    assert not current_after_removal(viewer, canvas_of(viewer).doneCurrent)


@pytest.mark.parametrize("floating", [False, True])
def test_context_of_the_picture_is_current_when_a_layer_goes(viewer, floating):
    panel = QWidget()
    dock = viewer.window.add_dock_widget(panel, name="panel")
    CanvasContext(panel, viewer)
    dock.setFloating(floating)
    assert current_after_removal(viewer, canvas_of(viewer).doneCurrent)


def test_not_that_of_another_window(viewer, make_napari_viewer, qtbot):
    panel = QWidget()
    viewer.window.add_dock_widget(panel, name="panel")
    CanvasContext(panel, viewer)
    other = make_napari_viewer(show=True)
    qtbot.waitUntil(lambda: canvas_of(other).isValid())
    assert current_after_removal(viewer, canvas_of(other).makeCurrent)


@pytest.mark.parametrize("title", ["Seeded segmentation", "Pixel classifier", "Crop"])
def test_panels_and_forms_see_to_it(viewer, qtbot, title):
    _, panel = viewer.window.add_plugin_dock_widget("napari-seedbed", title)
    qtbot.waitUntil(panel.isVisible)
    # The picture, now narrower, is drawn anew in its own context.
    qtbot.wait(500)
    assert current_after_removal(viewer, canvas_of(viewer).doneCurrent)


def test_panel_that_is_gone_or_has_no_window_does_nothing(viewer, viewer_model, qtbot):
    panel = QWidget()
    dock = viewer.window.add_dock_widget(panel, name="panel")
    CanvasContext(panel, viewer)
    viewer.window.remove_dock_widget(dock)
    panel.deleteLater()
    qtbot.wait(50)
    assert not current_after_removal(viewer, canvas_of(viewer).doneCurrent)

    alone = QWidget()
    qtbot.addWidget(alone)
    CanvasContext(alone, viewer_model)
    viewer_model.add_image(np.eye(4))
    viewer_model.layers.clear()
    assert len(viewer_model.layers) == 0


def test_pictures_are_drawn_after_strokes_under_the_brush_are_removed(viewer, qtbot):
    """Without help this ends the process where Mesa draws."""
    viewer.window.add_plugin_dock_widget("napari-seedbed", "Seeded segmentation")
    labels = viewer.layers["labels"]
    labels.mode = "paint"
    qtbot.wait(300)
    canvas = canvas_of(viewer)
    viewer.mouse_over_canvas = True
    viewer.cursor.position = (8, 8)
    canvas.repaint()
    viewer.layers.remove(labels)
    drawn = []
    scene = viewer.window._qt_viewer.canvas._scene_canvas
    scene.events.draw.connect(lambda event: drawn.append(1))
    for count in range(1, 4):
        canvas.update()
        qtbot.waitUntil(lambda count=count: len(drawn) >= count)
