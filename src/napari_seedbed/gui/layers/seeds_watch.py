"""Noticing that seeds changed, whoever changed them: a stroke, an eraser, undo, redo, a program."""

from collections.abc import Callable, Sequence
from typing import Any

from napari.layers import Layer
from qtpy.QtCore import QObject, Signal

from napari_seedbed.gui.layers.seed_layers import digesting, seeds_digest
from napari_seedbed.gui.qt import errors
from napari_seedbed.gui.qt.delays import Delay
from napari_seedbed.gui.qt.jobs import Jobs

LOOK_SECONDS = 0.1
_LOOK = "look"

SEED_EVENTS = (
    "paint",
    "set_data",
    "data",
    "features",
    "size",
    "edge_width",
    "scale",
    "translate",
    "rotate",
    "shear",
    "affine",
    "units",
)


class SeedsWatch(QObject):
    """Watches one layer; `changed` fires once its seeds are different ones.

    Tools emit events before or after they write, undo does not say what it did, and sliders fire
    the same event: so a moment after any event the seeds are compared with what they were, in a
    thread beside the window's.

    Attributes
    ----------
    digest : int or None
        Of the seeds, as they were when they were looked at last.
    """

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.layer: Any = None
        self.digest: int | None = None
        self._delay = Delay(self, LOOK_SECONDS, self._look_beside)
        self._jobs = Jobs(self)
        self._is_paused = self._is_due = False

    @property
    def is_waiting(self) -> bool:
        """Whether an event has not been looked into yet."""
        return self._delay.is_waiting or self._is_due or self._is_looking

    @property
    def _is_looking(self) -> bool:
        return _LOOK in self._jobs and not self._jobs.is_stopping(_LOOK)

    def watch(self, layer: Layer | None) -> None:
        """Watch another layer; the seeds that it has now are where it begins."""
        self._settle()
        move_connections(self.layer, layer, SEED_EVENTS, self._on_event)
        self.layer = layer
        self.digest = None if layer is None else seeds_digest(layer)

    def look(self) -> None:
        """Compare now."""
        self._settle()
        if self.layer is not None:
            self._take(seeds_digest(self.layer))

    def _look_beside(self) -> None:
        if self.layer is not None:
            work = digesting(self.layer)
            self._jobs.start(_LOOK, work, self._take, self._on_error, can_stop=False)

    def _on_error(self, error: BaseException) -> None:
        errors.show(error)

    def _take(self, digest: int) -> None:
        if digest != self.digest:
            self.digest = digest
            self.changed.emit()

    def look_if_due(self) -> None:
        """Compare now if an event has not been looked into yet."""
        if self.is_waiting:
            self.look()

    def steadiness(self) -> Callable[[], bool]:
        """What says, in any thread, whether the seeds are as they were looked at last."""
        digest_now, digest = digesting(self.layer), self.digest
        return lambda: digest_now() == digest

    def doubt(self) -> None:
        """Take the seeds for changed when they are looked at next, as a stroke was half read."""
        self.digest = None

    def pause(self, on: bool) -> None:
        """Only note events, since nobody wants to know of changes now; or look into them again."""
        self._is_paused = on
        self._is_due = self.is_waiting
        self._delay.stop()
        self._jobs.cancel()
        if not on:
            self.look_if_due()

    def _settle(self) -> None:
        self._delay.stop()
        self._jobs.cancel()
        self._is_due = False

    def _on_event(self, event: Any = None) -> None:
        # what is looked at now is neither what it was nor what it will be
        self._jobs.cancel()
        if self._is_paused:
            self._is_due = True
        else:
            self._delay.start()


def move_connections(
    old: Layer | None, new: Layer | None, names: Sequence[str], slot: Callable[..., None]
) -> None:
    """Listen to these events of one layer instead of another's."""
    for layer, act in ((old, "disconnect"), (new, "connect")):
        for name in names:
            emitter = getattr(layer.events, name, None) if layer is not None else None
            if emitter is not None:
                getattr(emitter, act)(slot)
