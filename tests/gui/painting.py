"""Painting in a napari window with a real mouse, as a person does."""

import numpy as np
from qtpy.QtCore import QPoint, QPointF, Qt
from qtpy.QtGui import QMouseEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication


def canvas_position(viewer, world):
    """Pixel of the canvas that shows a world position (..., y, x) of the slice on screen."""
    canvas = viewer.window._qt_viewer.canvas
    view = canvas.view
    y, x = np.asarray(world, dtype=float)[list(viewer.dims.displayed)]
    transform = view.transform * view.scene.transform
    return QPointF(*(float(v) for v in transform.map([x, y, 0, 1])[:2]))


def drag(viewer, start, end, steps=4):
    """Press the left button at `start`, move to `end`, release; world positions."""
    trace(viewer, [start, end], steps)


def trace(viewer, places, steps=4):
    """Press the left button at the first place, move straight to each other one, release there."""
    native = viewer.window._qt_viewer.canvas.native
    a, *others = [canvas_position(viewer, place) for place in places]
    _send(native, QMouseEvent.Type.MouseMove, a, Qt.MouseButton.NoButton)
    _send(native, QMouseEvent.Type.MouseButtonPress, a, Qt.MouseButton.LeftButton)
    for b in others:
        for step in range(1, steps + 1):
            QTest.qWait(8)  # napari throttles moves to one in 5 ms
            _send(native, QMouseEvent.Type.MouseMove, a + (b - a) * step / steps, None)
        a = b
    QTest.qWait(8)
    _send(native, QMouseEvent.Type.MouseButtonRelease, a, Qt.MouseButton.LeftButton)
    QApplication.processEvents()


def move_to(viewer, place):
    """Move the mouse, no button pressed, to a world position."""
    native = viewer.window._qt_viewer.canvas.native
    QTest.qWait(8)
    where = canvas_position(viewer, place)
    _send(native, QMouseEvent.Type.MouseMove, where, Qt.MouseButton.NoButton)
    QApplication.processEvents()


def press_key(viewer, key, modifier=Qt.KeyboardModifier.NoModifier):
    """Press a key while the picture has the focus."""
    native = viewer.window._qt_viewer.canvas.native
    native.setFocus()
    QTest.keyClick(native, key, modifier)
    QApplication.processEvents()


def _send(native, kind, position, button):
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
        Qt.KeyboardModifier.NoModifier,
    )
    QApplication.sendEvent(native, event)
