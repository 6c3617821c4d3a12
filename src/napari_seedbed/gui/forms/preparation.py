"""Compiling beside the window, once in a session, so that the first stroke or run is quick.

The random walker and the snakes, which work stroke by stroke, say themselves what they need. Of all
other operations, `trials` finds out by trying them on tiny images like the one chosen.
"""

from collections.abc import Hashable, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
from qtpy.QtCore import QObject, Signal

from napari_seedbed import core
from napari_seedbed.gui.qt.jobs import Job
from napari_seedbed.pipeline import operations
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.engine.trial_runs import try_out
from napari_seedbed.pipeline.operations import Operation


class Preparation(QObject):
    """Compiles once, and emits `finished(error or None)` then.

    A signal, because Qt disconnects listeners that are gone by then.

    Parameters
    ----------
    function : str
        Name of the function of `core` that compiles; that is imported only then.
    """

    finished = Signal(object)

    def __init__(self, function: str) -> None:
        super().__init__()
        self._function = function
        self.is_done = False
        self._job: Job | None = None

    def start(self) -> None:
        """Begin, unless that was done before; returns at once."""
        if not self.is_done and self._job is None:
            self._job = Job(
                partial(_compile, self._function),
                on_done=self._succeed,
                on_error=self._end,
                can_stop=False,
            ).start()

    def _succeed(self, result: None) -> None:
        self.is_done = True
        self._end(None)

    def _end(self, error: BaseException | None) -> None:
        self._job = None
        self.finished.emit(error)


class Trials(QObject):
    """Tries operations once for each kind of image, one after the other; `finished()` after all."""

    finished = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._begun: set[Hashable] = set()
        self._waiting: list[tuple[Sequence[Operation], Image]] = []
        self._job: Job | None = None

    @property
    def is_busy(self) -> bool:
        """Whether operations are being tried."""
        return self._job is not None

    def begin(self, command: str, like: Image) -> None:
        """Try what a panel or form offers on images like one, unless that was done before.

        Parameters
        ----------
        command : str
            Name of the panel, or of the operation that has a form of its own.
        like : Image
            Its voxels are neither looked at nor kept.
        """
        colours = like.rgb, like.n_channels > 1, like.axes
        key = (command, like.dtype, colours)
        if key in self._begun:
            return
        self._begun.add(key)
        tried = [each for each in operations.operations.values() if each.command == command]
        nothing = np.broadcast_to(np.zeros((), like.dtype), like.shape)
        # What is on screen now is what somebody waits for: the last comes first.
        self._waiting.append((tried, replace(like, array=nothing, record=None)))
        if self._job is None:
            self._next()

    def _next(self, ended: object = None) -> None:
        """Go on; what a trial fails with, a run will say."""
        self._job = None
        if not self._waiting:
            self.finished.emit()
            return
        tried, like = self._waiting.pop()
        self._job = Job(
            partial(_try_out, tried, like), on_done=self._next, on_error=self._next, can_stop=False
        ).start()


trials = Trials()
preparation = Preparation("compile_kernels")
snakes_preparation = Preparation("compile_snakes")
classifier_preparation = Preparation("compile_pixel_classifier")


def _compile(function: str) -> None:
    getattr(core, function)()


def _try_out(tried: Sequence[Operation], like: Image) -> None:
    for operation in tried:
        try_out(operation, like)
