"""One run of snakes at a time: started, held, stepped on, released, stopped.

No widgets and no layers here.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from qtpy.QtCore import QObject, Signal

from napari_seedbed.core.progress import Moving, Progress, Report, ShouldStop
from napari_seedbed.gui.gate import Gate
from napari_seedbed.gui.jobs import Job
from napari_seedbed.pipeline import operations
from napari_seedbed.pipeline.image import Image
from napari_seedbed.pipeline.operations import Result
from napari_seedbed.pipeline.shapes import Shapes

State = Literal["idle", "running", "paused", "stopping"]


@dataclass(frozen=True, eq=False)
class Request:
    """All that one run needs, taken from the layers when it starts.

    Attributes
    ----------
    operation : str
    image : Image
    start : Shapes or Image
        Shapes, or labels, on the image's grid.
    parameters : dict
    """

    operation: str
    image: Image
    start: Shapes | Image
    parameters: dict[str, Any]

    @property
    def inputs(self) -> dict[str, Image | Shapes]:
        """As `operations.run` takes them."""
        role = "shapes" if isinstance(self.start, Shapes) else "seeds"
        return {"image": self.image, role: self.start}


class SnakesSession(QObject):
    """Runs snakes beside the window.

    Notes
    -----
    Signals: `moved(Moving)` with where the snakes are, after which the listener has drawn them;
    `progressed(Progress)`; `finished(Result)`; `failed(error)`; `stopped()` when a run that was
    stopped has ended; `state_changed(State)`.
    """

    moved = Signal(object)
    progressed = Signal(object)
    finished = Signal(object)
    failed = Signal(object)
    stopped = Signal()
    state_changed = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._job: Job | None = None
        self._gate = Gate()
        self._slowly = False
        self._state: State = "idle"
        # What follows the end of a run that is being stopped: another one, or something else.
        self._next_run: tuple[Request, bool] | None = None
        self._then: Callable[[], None] | None = None

    @property
    def state(self) -> State:
        """`idle`, `running`, `paused`, or `stopping` until the thread has noticed."""
        return self._state

    @property
    def is_busy(self) -> bool:
        """Whether there is a run, held or not."""
        return self._job is not None

    def start(self, request: Request, *, hold: bool = False) -> None:
        """Begin a run, held after its first step if asked.

        One in progress gives way to it, without a word when it has ended.
        """
        if self._job is not None:
            self._next_run, self._then = (request, hold), None
            self._job.cancel()
            self._set_state("stopping")
            return
        self._gate = Gate(slowly=self._slowly)
        if hold:
            self._gate.hold()
        self._job = Job(
            partial(_run, request, self._gate),
            on_done=self._on_done,
            on_error=self._on_error,
            on_progress=partial(self._on_progress, self._gate),
            on_cancelled=self._on_cancelled,
        )
        self._set_state("paused" if hold else "running")
        self._job.start()

    def show_all(self, slowly: bool) -> None:
        """Wait at each step until it is drawn, in this run and later ones."""
        self._slowly = slowly
        self._gate.show_all(slowly)

    def pause(self) -> None:
        """Hold the snakes where they are."""
        if self._state == "running":
            self._gate.hold()
            self._set_state("paused")

    def resume(self) -> None:
        """Let them go on as if nothing had been."""
        if self._state == "paused":
            self._gate.release()
            self._set_state("running")

    def step(self) -> None:
        """Let held snakes make one step."""
        if self._state == "paused":
            self._gate.step()

    def stop(self, then: Callable[[], None] | None = None) -> None:
        """End the run; call `then` when its thread has ended, or at once where there is none."""
        self._next_run = None
        if self._job is not None:
            self._then = then
            self._job.cancel()
            self._set_state("stopping")
        elif then is not None:
            then()

    def close(self) -> None:
        """End the run and call nobody any more; returns at once."""
        self._next_run = self._then = None
        if self._job is not None:
            self._job.abandon()
            self._job = None

    def _set_state(self, state: State) -> None:
        self._state = state
        self.state_changed.emit(state)

    def _on_progress(self, gate: Gate, progress: Progress) -> None:
        if gate is not self._gate:
            return
        self.progressed.emit(progress)
        if isinstance(progress.preview, Moving):
            begin = time.monotonic()
            self.moved.emit(progress.preview)
            gate.shown(time.monotonic() - begin)

    def _on_done(self, result: Result) -> None:
        self._end()
        self.finished.emit(result)

    def _on_error(self, error: BaseException) -> None:
        self._end()
        self.failed.emit(error)

    def _on_cancelled(self) -> None:
        following, self._next_run = self._next_run, None
        if following is not None:
            self._job = None
            request, hold = following
            self.start(request, hold=hold)
            return
        then, self._then = self._then, None
        self._end()
        self.stopped.emit()
        if then is not None:
            then()

    def _end(self) -> None:
        self._job = None
        self._set_state("idle")


def _run(request: Request, gate: Gate, report: Report, should_stop: ShouldStop) -> Result:
    def pass_gate(progress: Progress) -> None:
        report(progress)
        # Only with a picture: what is held is what is seen, and the end needs no step of its own.
        moving = progress.preview
        if isinstance(moving, Moving):
            gate.wait(should_stop, is_begin=moving.iteration == 0)

    return operations.run(
        request.operation,
        request.inputs,
        request.parameters,
        report=pass_gate,
        should_stop=should_stop,
        context=operations.Context(watch=gate.watch),
    )
