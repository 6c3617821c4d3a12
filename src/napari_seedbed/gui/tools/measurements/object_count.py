"""How many objects a Labels layer has and where they are, also while somebody edits it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np
from napari.components import ViewerModel
from napari.layers import Labels
from numpy.typing import NDArray
from qtpy.QtCore import QObject, Signal

from napari_seedbed.gui.layers.grids import level_0
from napari_seedbed.gui.layers.seeds_watch import move_connections
from napari_seedbed.gui.qt.delays import Delay
from napari_seedbed.gui.qt.jobs import Jobs
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.operations.object_tables import measured_objects

LOOK_SECONDS = 0.25
MOST_VOXELS = 1 << 28
"""Counting more voxels than this after each stroke would keep the machine busy."""

_COUNT = "count"
_EVENTS = ("paint", "data", "set_data", "labels_update")


class ObjectCount(QObject):
    """Counts the objects of one layer beside the window, again after each change.

    Parameters
    ----------
    viewer : ViewerModel or Viewer
    image : callable
        Gives the layer's voxels as the pipeline takes them; None where that is not possible.

    Notes
    -----
    Signals: `counted(columns)`: the labels and positions of all objects, as
    `pipeline.object_tables.measured_objects` gives them; None where there is nothing to count.
    """

    counted = Signal(object)

    def __init__(
        self, parent: QObject, viewer: ViewerModel, image: Callable[[], Image | None]
    ) -> None:
        super().__init__(parent)
        self._viewer, self._image = viewer, image
        self.layer: Labels | None = None
        self._jobs = Jobs(self)
        self._is_due = self._is_muted = False
        self._seen: Any = None
        self._delay = Delay(self, LOOK_SECONDS, self.count)

    @property
    def is_busy(self) -> bool:
        """Whether a count is under way or soon will be."""
        return len(self._jobs) > 0 or self._delay.is_waiting

    def watch(self, layer: Labels | None) -> None:
        """Count the objects of another layer."""
        move_connections(self.layer, layer, _EVENTS, self._on_event)
        self.layer = layer
        self._delay.stop()
        self._jobs.cancel()
        if layer is None:
            self.counted.emit(None)
        else:
            self._seen = self._view()
            self.count()

    def count(self) -> None:
        """Count now; a count that is under way is followed by another one."""
        if len(self._jobs) and not self._jobs.is_stopping(_COUNT):
            self._is_due = True
            return
        self._is_due = False
        layer = self.layer
        if layer is None or np.prod(level_0(layer).shape) > MOST_VOXELS:
            self.counted.emit(None)
            return
        image = self._image()
        if image is None:
            self.counted.emit(None)
            return
        self._jobs.start(_COUNT, partial(_positions, image), self._on_counted, self._on_error)

    @contextmanager
    def muted(self) -> Iterator[None]:
        """Ignore events for a while: other colours make napari emit new data, too."""
        self._is_muted = True
        try:
            yield
        finally:
            self._is_muted = False

    def close(self) -> None:
        """Stop for good."""
        self.blockSignals(True)
        self.watch(None)

    def _on_event(self, event: Any = None) -> None:
        if self._is_muted:
            return
        # Sliders make napari emit new data, too; undo emits nothing else.
        view = self._view()
        moved, self._seen = view != self._seen, view
        if not moved or getattr(event, "type", "") != "set_data":
            self._delay.start()

    def _view(self) -> Any:
        dims = self._viewer.dims
        return tuple(dims.point), tuple(dims.order), dims.ndisplay

    def _on_counted(self, columns: dict[str, NDArray]) -> None:
        self.counted.emit(columns)
        if self._is_due:
            self.count()

    def _on_error(self, error: BaseException) -> None:
        self.counted.emit(None)


def _positions(image: Image) -> dict[str, NDArray]:
    # The layer may be painted on meanwhile: the count is then that of a moment in between, and
    # the next one follows.
    return measured_objects(image, ("position",))
