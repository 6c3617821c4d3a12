"""Noticing that another time point of the chosen image is on screen."""

from napari.components import ViewerModel
from qtpy.QtCore import QObject, Signal

from napari_seedbed.gui.forms.image_choice import ImageChoice
from napari_seedbed.gui.layers.view_position import time_on_screen
from napari_seedbed.gui.qt.delays import Delay

REST_SECONDS = 0.15


class TimeWatch(QObject):
    """Emits `moved(time point)` once the slider rests.

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
        self._delay = Delay(self, REST_SECONDS, self._look)
        viewer.dims.events.current_step.connect(self._delay.start)

    def _look(self) -> None:
        layer = self._images.watched
        time = None if layer is None else time_on_screen(self._viewer, layer)
        if time != self._shown:
            self._shown = time
            if time is not None:
                self.moved.emit(time)
