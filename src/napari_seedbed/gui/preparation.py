"""Compiling the solver beside the window, once in a session, so that the first stroke is quick."""

from collections.abc import Callable
from weakref import WeakMethod

from napari_seedbed.core.progress import Report, ShouldStop
from napari_seedbed.gui.jobs import Job

Listener = Callable[[BaseException | None], None]


class _Preparation:
    """Compiled or not, and who waits to hear of it."""

    def __init__(self) -> None:
        self.job: Job | None = None
        self.done = False
        self.listeners: list[WeakMethod[Listener]] = []

    def finish(self, error: BaseException | None) -> None:
        """Tell everybody who is still there."""
        self.job = None
        self.done = error is None
        listeners, self.listeners = self.listeners, []
        for weak in listeners:
            listener = weak()
            if listener is not None:
                listener(error)


_preparation = _Preparation()


def is_done() -> bool:
    """Whether everything is compiled."""
    return _preparation.done


def start(on_ready: Listener) -> None:
    """Compile in the background, if that was not done yet.

    Parameters
    ----------
    on_ready : bound method
        `on_ready(error or None)` in the window's thread; held weakly. Not called when everything
        is compiled already.
    """
    if _preparation.done:
        return
    _preparation.listeners.append(WeakMethod(on_ready))
    if _preparation.job is None:
        _preparation.job = Job(
            _compile,
            on_done=lambda result: _preparation.finish(None),
            on_error=_preparation.finish,
            can_stop=False,
        ).start()


def _compile(report: Report, should_stop: ShouldStop) -> None:
    from napari_seedbed.core import compile_kernels

    compile_kernels()
