"""Noticing that another time point of the chosen image is on screen."""

from typing import Any

from napari.components import ViewerModel
from qtpy.QtCore import QObject, QTimer, Signal

from napari_seedbed.gui.image_choice import ImageChoice
from napari_seedbed.gui.view_position import time_on_screen

REST_SECONDS = 0.15


class TimeWatch(QObject):
    """Tells once the slider rests: `moved(time point)`.

    Parameters
    ----------
    viewer : ViewerModel or Viewer
    images : ImageChoice
    """

    moved = Signal(int)

    def __init__(self, viewer: ViewerModel, images: ImageChoice, parent: QObject) -> None:
        super().__init__(parent)
        self._viewer, self._images = viewer, images
        self._shown: int | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(round(1000 * REST_SECONDS))
        self._timer.timeout.connect(self._look)
        viewer.dims.events.current_step.connect(self._on_step)

    def _on_step(self, event: Any = None) -> None:
        self._timer.start()

    def _look(self) -> None:
        layer = self._images.watched
        time = None if layer is None else time_on_screen(self._viewer, layer)
        if time != self._shown:
            self._shown = time
            if time is not None:
                self.moved.emit(time)
