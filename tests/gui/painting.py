"""Painting in a napari window with a real mouse, as a person does."""

import numpy as np
from qtpy.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from qtpy.QtGui import QDropEvent, QMouseEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

_LULL = 8  # ms between moves of the mouse: napari takes one in 5 ms


def canvas_position(viewer, world):
    """Pixel of the canvas that shows a world position (..., y, x) of the slice on screen."""
    canvas = viewer.window._qt_viewer.canvas
    view = canvas.view
    y, x = np.asarray(world, dtype=float)[list(viewer.dims.displayed)]
    transform = view.transform * view.scene.transform
    return QPointF(*(float(v) for v in transform.map([x, y, 0, 1])[:2]))


def drag(viewer, start, end, steps=4, modifier=Qt.KeyboardModifier.NoModifier):
    """Press the left button at `start`, move to `end`, release; world positions."""
    trace(viewer, [start, end], steps, modifier)


def click(viewer, place, kind=QMouseEvent.Type.MouseButtonPress):
    """Press and release the left button at a world position."""
    native = viewer.window._qt_viewer.canvas.native
    where = canvas_position(viewer, place)
    _hover(native, where)
    _send(native, kind, where, Qt.MouseButton.LeftButton)
    QTest.qWait(_LULL)
    _send(native, QMouseEvent.Type.MouseButtonRelease, where, Qt.MouseButton.LeftButton)
    QApplication.processEvents()


def click_still(viewer, place, modifier=Qt.KeyboardModifier.NoModifier):
    """Move to a world position, wait there, and click: no stroke, and no part of one."""
    native = viewer.window._qt_viewer.canvas.native
    where = canvas_position(viewer, place).toPoint()
    QTest.mouseMove(native, where)
    QTest.qWait(20)
    QTest.mouseClick(native, Qt.MouseButton.LeftButton, modifier, where)
    QTest.qWait(30)


def double_click(viewer, place):
    """Click twice, as Qt tells it: the second press is a double click."""
    click(viewer, place)
    click(viewer, place, QMouseEvent.Type.MouseButtonDblClick)


def trace(viewer, places, steps=4, modifier=Qt.KeyboardModifier.NoModifier):
    """Press the left button at the first place, move straight to each other one, release there."""
    native = viewer.window._qt_viewer.canvas.native
    pull(native, *(canvas_position(viewer, place) for place in places), steps=steps, key=modifier)


def pull(native, a, *others, steps=4, key=Qt.KeyboardModifier.NoModifier, halfway=None):
    """The same with pixels of the canvas; `halfway` is called before the button is released."""
    _hover(native, a, key)
    _send(native, QMouseEvent.Type.MouseButtonPress, a, Qt.MouseButton.LeftButton, key)
    for b in others:
        for step in range(1, steps + 1):
            QTest.qWait(_LULL)
            _send(native, QMouseEvent.Type.MouseMove, a + (b - a) * step / steps, None, key)
        a = b
    QTest.qWait(_LULL)
    if halfway is not None:
        halfway()
    _send(native, QMouseEvent.Type.MouseButtonRelease, a, Qt.MouseButton.LeftButton, key)
    QApplication.processEvents()


def drop(viewer, path):
    """Drag a file into the window."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    left, no_key = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    place, action = QPointF(300, 300), Qt.DropAction.CopyAction
    viewer.window._qt_viewer.dropEvent(QDropEvent(place, action, data, left, no_key))


def move_to(viewer, place, modifier=Qt.KeyboardModifier.NoModifier):
    """Move the mouse, no button pressed, to a world position."""
    _hover(viewer.window._qt_viewer.canvas.native, canvas_position(viewer, place), modifier)
    QApplication.processEvents()


def press_key(viewer, key, modifier=Qt.KeyboardModifier.NoModifier):
    """Press a key while the picture has the focus."""
    native = viewer.window._qt_viewer.canvas.native
    native.setFocus()
    QTest.keyClick(native, key, modifier)
    QApplication.processEvents()


def _hover(native, where, modifier=Qt.KeyboardModifier.NoModifier):
    # a move that napari holds back would come after a press that follows at once
    QTest.qWait(_LULL)
    _send(native, QMouseEvent.Type.MouseMove, where, Qt.MouseButton.NoButton, modifier)
    QTest.qWait(_LULL)


def _send(native, kind, position, button, modifier=Qt.KeyboardModifier.NoModifier):
    held = Qt.MouseButton.LeftButton
    moving = kind == QMouseEvent.Type.MouseMove
    event = QMouseEvent(
        kind,
        position,
        QPointF(native.mapToGlobal(QPoint(round(position.x()), round(position.y())))),
        Qt.MouseButton.NoButton if moving else button,
        Qt.MouseButton.NoButton
        if button is Qt.MouseButton.NoButton or kind == QMouseEvent.Type.MouseButtonRelease
        else held,
        modifier,
    )
    QApplication.sendEvent(native, event)
