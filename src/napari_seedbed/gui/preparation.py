"""Compiling beside the window, once in a session, so that the first stroke or run is quick."""

from functools import partial

from qtpy.QtCore import QObject, Signal

from napari_seedbed import core
from napari_seedbed.core.progress import Report, ShouldStop
from napari_seedbed.gui.jobs import Job


class Preparation(QObject):
    """Compiles once; `finished(error or None)` tells whoever listens then.

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


preparation = Preparation("compile_kernels")
snakes_preparation = Preparation("compile_snakes")
measurements_preparation = Preparation("compile_measurements")


def _compile(function: str, report: Report, should_stop: ShouldStop) -> None:
    getattr(core, function)()
