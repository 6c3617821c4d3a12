"""Two views shown in turn at one place, so that the eye sees what differs."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from napari.components import ViewerModel
from napari.layers import Layer
from qtpy.QtCore import QObject, QTimer, Signal

INTERVAL = 600
"""Milliseconds that each view is shown."""


@dataclass(frozen=True)
class TwoViews:
    """What is shown in turn.

    Attributes
    ----------
    first, second : callable
        Show one of them.
    restore : callable
        Show again what was shown before.
    """

    first: Callable[[], None]
    second: Callable[[], None]
    restore: Callable[[], None]


class Blinking(QObject):
    """Shows two views in turn, by itself or on request.

    Notes
    -----
    Signal: `stopped()` when what was shown before is shown again.
    """

    stopped = Signal()

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._views: TwoViews | None = None
        self._is_second = False
        self._timer = QTimer(self)
        self._timer.setInterval(INTERVAL)
        self._timer.timeout.connect(self.flip)

    @property
    def is_on(self) -> bool:
        """Whether one of the views is shown."""
        return self._views is not None

    def start(self, views: TwoViews, *, by_itself: bool = True) -> None:
        """Show the first view, and the other one after a moment or when `flip` is called."""
        self.stop()
        self._views, self._is_second = views, False
        views.first()
        if by_itself:
            self._timer.start()

    def flip(self) -> None:
        """Show the other view."""
        if self._views is not None:
            self._is_second = not self._is_second
            (self._views.second if self._is_second else self._views.first)()

    def stop(self) -> None:
        """Show what was shown before."""
        self._timer.stop()
        if self._views is not None:
            views, self._views = self._views, None
            views.restore()
            self.stopped.emit()


def views_of_layers(first: Layer, second: Layer, hidden: list[Layer]) -> TwoViews:
    """One of two layers visible, and the `hidden` ones not."""
    before = [(layer, layer.visible) for layer in (first, second, *hidden)]

    def show(wanted: Layer) -> None:
        for layer in hidden:
            layer.visible = False
        # First the one that comes: no moment without a picture.
        wanted.visible = True
        (second if wanted is first else first).visible = False

    def restore() -> None:
        for layer, visible in before:
            layer.visible = visible

    return TwoViews(lambda: show(first), lambda: show(second), restore)


def views_of_times(
    viewer: ViewerModel, axis: int, first: float, second: float, hidden: list[Layer]
) -> TwoViews:
    """One of two places along an axis of the viewer, and the `hidden` layers not shown."""
    before = [(layer, layer.visible) for layer in hidden]
    here = float(viewer.dims.point[axis])

    def show(place: float) -> None:
        for layer in hidden:
            layer.visible = False
        viewer.dims.set_point(axis, place)

    def restore() -> None:
        # An axis goes with the last layer that had it.
        with suppress(IndexError, ValueError):
            viewer.dims.set_point(axis, here)
        for layer, visible in before:
            layer.visible = visible

    return TwoViews(lambda: show(first), lambda: show(second), restore)
