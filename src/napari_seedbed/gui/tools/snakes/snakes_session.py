"""One run of snakes at a time: started, held, stepped on, released, stopped.

No widgets and no layers here.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from qtpy.QtCore import QObject, Signal

from napari_seedbed.core.progress import Moving, Progress, running_job
from napari_seedbed.gui.qt.jobs import Jobs
from napari_seedbed.gui.tools.snakes.gate import Gate
from napari_seedbed.pipeline import operations
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.data.shapes import Shapes
from napari_seedbed.pipeline.operations import Result

_RUN = "run"

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

    Attributes
    ----------
    seconds : float or None
        What the last run took; None where people or drawing held it.

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
        self._jobs = Jobs(self)
        self._gate = Gate()
        self._slowly = False
        self._state: State = "idle"
        self._began: float | None = None
        self.seconds: float | None = None

    @property
    def state(self) -> State:
        """`idle`, `running`, `paused`, or `stopping` until the thread has noticed."""
        return self._state

    @property
    def is_busy(self) -> bool:
        """Whether there is a run, held or not."""
        return len(self._jobs) > 0

    def start(self, request: Request, *, hold: bool = False) -> None:
        """Begin a run, held after its first step if asked.

        One in progress gives way to it, without a word when it has ended.
        """
        if self.is_busy:
            self._set_state("stopping")
        self._jobs.when_free(_RUN, partial(self._begin, request, hold))

    def _begin(self, request: Request, hold: bool) -> None:
        self._gate = Gate(slowly=self._slowly)
        self._began = None if hold or self._slowly else time.monotonic()
        if hold:
            self._gate.hold()
        self._set_state("paused" if hold else "running")
        self._jobs.start(
            _RUN,
            partial(_run, request, self._gate),
            self._on_done,
            self._on_error,
            on_progress=partial(self._on_progress, self._gate),
        )

    def show_all(self, slowly: bool) -> None:
        """Wait at each step until it is drawn, in this run and later ones."""
        self._slowly = slowly
        self._began = None
        self._gate.show_all(slowly)

    def pause(self) -> None:
        """Hold the snakes where they are."""
        if self._state == "running":
            self._began = None
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
        if self.is_busy:
            self._set_state("stopping")
            self._jobs.when_free(_RUN, partial(self._on_stopped, then))
        elif then is not None:
            then()

    def close(self) -> None:
        """End the run and call nobody any more; returns at once."""
        self._jobs.close()

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
        self.seconds = None if self._began is None else time.monotonic() - self._began
        self._set_state("idle")
        self.finished.emit(result)

    def _on_error(self, error: BaseException) -> None:
        self._set_state("idle")
        self.failed.emit(error)

    def _on_stopped(self, then: Callable[[], None] | None) -> None:
        self._set_state("idle")
        self.stopped.emit()
        if then is not None:
            then()


def _run(request: Request, gate: Gate) -> Result:
    job = running_job()

    def pass_gate(progress: Progress) -> None:
        job.tell(progress)
        # Only with a picture: what is held is what is seen, and the end needs no step of its own.
        moving = progress.preview
        if isinstance(moving, Moving):
            gate.wait(is_begin=moving.iteration == 0)

    return operations.run(
        request.operation,
        request.inputs,
        request.parameters,
        report=pass_gate,
        context=operations.Context(watch=gate.watch),
    )
