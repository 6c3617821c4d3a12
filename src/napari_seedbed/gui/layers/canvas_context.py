"""The OpenGL context of the picture, current when napari gives back what a layer was drawn with."""

from typing import TYPE_CHECKING, Any

from qtpy.compat import isalive
from qtpy.QtCore import QObject
from qtpy.QtWidgets import QMainWindow, QOpenGLWidget, QWidget

if TYPE_CHECKING:
    from napari.viewer import Viewer


class CanvasContext(QObject):
    """Makes the context of the picture current whenever a layer is about to go.

    napari deletes the shaders, buffers and textures of a layer as soon as it is removed, in
    whatever context is current. Mostly that is the one in which Qt puts the window together, or
    that of another window, where the same numbers may belong to other things. Mesa, which draws
    for most of Linux, then ends the process with a segmentation fault two pictures later where an
    image alone is left and the brush, in the middle of painting, had been drawn last.

    Parameters
    ----------
    panel : QWidget
        In the window of the picture.
    viewer : Viewer
    """

    def __init__(self, panel: QWidget, viewer: "Viewer") -> None:
        super().__init__(panel)
        self._panel = panel
        viewer.layers.events.removing.connect(self._make_current)

    def _make_current(self, event: Any = None) -> None:
        for canvas in canvases_beside(self._panel):
            if canvas.isValid():
                canvas.makeCurrent()


def canvases_beside(panel: QWidget) -> list[QOpenGLWidget]:
    """Give what the picture is drawn on in the window of a panel; nothing without a window."""
    window: QWidget | None = panel if isalive(panel) else None
    # A panel that floats has a window of its own, which belongs to napari's.
    while window is not None and not isinstance(window, QMainWindow):
        window = window.parentWidget()
    centre = None if window is None else window.centralWidget()
    found: list[QOpenGLWidget] = [] if centre is None else centre.findChildren(QOpenGLWidget)
    return found
