"""When the random walker runs: after each stroke, exactly once the hand rests, never stale.

No widgets and no layers here. While a person draws, runs are warm and start with the slice on
screen. When the hand rests, a cold run replaces their result: it has the same bits as the command
line's. Whatever must be exact (accepting, saving) waits for that run.
"""

import time
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from qtpy.compat import isalive
from qtpy.QtCore import QObject, QTimer, Signal

from napari_seedbed.core.progress import Preview, Progress, Report, ShouldStop
from napari_seedbed.errors import InputError
from napari_seedbed.gui.jobs import Job
from napari_seedbed.pipeline import operations
from napari_seedbed.pipeline.image import Image

OPERATION = "random_walker"

Kind = Literal["live", "exact"]
State = Literal["idle", "waiting", "live", "exact", "shown", "final"]


class NeedsSeeds(InputError):
    """There are not yet two labels of seeds: something to say quietly while a person draws."""


@dataclass(frozen=True, eq=False)
class Request:
    """All that one run needs, taken from the layers when it starts.

    Attributes
    ----------
    image : Image
    seeds : Image
        Labels on the image's grid; a copy, since the person goes on drawing.
    parameters : dict
    view : (int, int) or None
        Spatial axis and index of the slice on screen.
    time : int or None
        The time point on screen, None for an image without time.
    times : tuple of int or None
        Time points to solve; None for all.
    layer : Image layer
        Where the image comes from and the result belongs.
    wanted : tuple of str
        Outputs to show beside the labels.
    """

    image: Image
    seeds: Image
    parameters: dict[str, Any]
    view: tuple[int, int] | None = None
    time: int | None = None
    times: tuple[int, ...] | None = None
    layer: Any = None
    wanted: tuple[str, ...] = ()


@dataclass
class _Wish:
    """The next run, and whether a person asked for it (and wants to hear why it cannot be)."""

    kind: Kind
    asked: bool = False


class SeededSession(QObject):
    """Decides what runs when, and hands over only what is still wanted.

    Parameters
    ----------
    prepare : callable
        `prepare(kind) -> Request` in the window's thread, at the start of each run. An
        `InputError` from it is handled like one from the run.
    settle_seconds : float
        Rest after the last stroke before the exact run begins.
    debounce_seconds : float
        Strokes closer together than this start one run.

    Notes
    -----
    Signals: `previewed(Preview, Request)`; `finished(Result, Request, exact)`;
    `not_ready(str)` when seeds are missing while drawing; `failed(error, asked)`;
    `state_changed(State)`; `progressed(Progress)`; `cancelled()`; `timed(forecast, measured)` in
    seconds, after an exact run.
    """

    previewed = Signal(object, object)
    finished = Signal(object, object, bool)
    not_ready = Signal(str)
    failed = Signal(object, bool)
    state_changed = Signal(str)
    progressed = Signal(object)
    cancelled = Signal()
    timed = Signal(float, float)

    def __init__(
        self,
        prepare: Callable[[Kind], Request],
        *,
        settle_seconds: float = 1.0,
        debounce_seconds: float = 0.15,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._prepare: Callable[[Kind], Request] | None = prepare
        self._cache: dict[Hashable, Any] = {}
        self._job: Job | None = None
        self._running: _Wish | None = None
        self._next: _Wish | None = None
        self._pending: list[Callable[[], None]] = []
        self._state: State = "idle"
        self._stale = False
        self._debounce = self._timer(debounce_seconds, self._run_live)
        self._settle = self._timer(settle_seconds, self._run_exact)

    def _timer(self, seconds: float, slot: Callable[[], None]) -> QTimer:
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.setInterval(round(1000 * seconds))
        timer.timeout.connect(slot)
        return timer

    @property
    def state(self) -> State:
        """`waiting` for the hand to rest, running `live` or `exact`, `shown`, `final`, `idle`."""
        return self._state

    @property
    def is_running(self) -> bool:
        """Whether a run is in progress or about to begin."""
        return self._job is not None or self._next is not None

    @property
    def is_final(self) -> bool:
        """Whether what was handed over last is exact and nothing changed since."""
        return self._state == "final"

    # What happens to it

    def stroke(self) -> None:
        """Seeds changed while live: solve soon, and exactly when the hand rests."""
        self._settle.stop()
        self._debounce.start()
        if self._state != "live":
            self._set_state("waiting")

    def touched(self) -> None:
        """Seeds or settings changed while not live: what is shown is not the latest any more.

        A run in progress goes on; its result is right for the seeds that it started with.
        """
        self._stale = True
        self._settle.stop()
        if self._job is None:
            self._set_state("idle")

    def changed(self) -> None:
        """Image or seeds are other layers now: stop what is on its way."""
        self._stop_timers()
        self._pending.clear()
        self._next = None
        if self._job is not None:
            self._job.cancel()
        self._set_state("idle")

    def run(self) -> None:
        """Solve exactly, now."""
        self._stop_timers()
        self._want(_Wish("exact", asked=True))

    def cancel(self) -> None:
        """Stop the run and forget what waits for it; what is shown stays as it is."""
        busy = self.is_running
        self._stop_timers()
        self._pending.clear()
        self._next = None
        if self._job is not None:
            self._job.cancel()
        if busy:
            self.cancelled.emit()
        self._set_state("idle")

    def pause(self) -> bool:
        """Stop what nobody asked for; whether there was such a thing, under way or to come."""
        coming = self._debounce.isActive() or self._settle.isActive()
        self._stop_timers()
        wish = self._next or self._running
        if self._pending or (wish is not None and wish.asked):
            return coming
        if wish is None and not coming:
            return False
        self._next = None
        if self._job is not None:
            self._job.cancel()
        self._set_state("idle")
        return True

    def when_exact(self, action: Callable[[], None]) -> None:
        """Call `action` as soon as the exact result of the present seeds is shown."""
        if self.is_final:
            action()
            return
        self._pending.append(action)
        exact_is_coming = (
            self._running is not None
            and self._running.kind == "exact"
            and self._next is None
            and not self._debounce.isActive()
        )
        if not exact_is_coming:
            self.run()
        elif self._running is not None:
            self._running.asked = True

    def forget_image(self) -> None:
        """Drop what was prepared for an image: its voxels changed, or it is gone."""
        # A running job keeps the old dict; clearing that would pull it away under the job.
        self._cache = {}

    def close(self) -> None:
        """Stop everything, call nobody any more; returns at once."""
        self._stop_timers()
        self._pending.clear()
        self._next = None
        self._prepare = None
        self._cache = {}
        if self._job is not None:
            self._job.abandon()
            self._job = None

    # How it works

    def _stop_timers(self) -> None:
        for timer in (self._debounce, self._settle):
            # Qt may have deleted them already when it takes a window apart.
            if isalive(timer):
                timer.stop()

    def _set_state(self, state: State) -> None:
        self._state = state
        self.state_changed.emit(state)

    def _run_live(self) -> None:
        self._want(_Wish("live"))

    def _run_exact(self) -> None:
        self._want(_Wish("exact"))

    def _want(self, wish: _Wish) -> None:
        if self._pending and wish.kind == "live":
            # Somebody waits for the exact result: a warm one first would only cost time.
            wish = _Wish("exact", asked=True)
        self._next = wish
        if self._job is None:
            self._start_next()
        else:
            # The solver's prepared state is used by one run at a time: on_cancelled goes on.
            self._job.cancel()

    def _start_next(self) -> None:
        wish, self._next = self._next, None
        if wish is None or self._prepare is None:
            return
        self._running = wish
        self._stale = False
        try:
            request = self._prepare(wish.kind)
        except InputError as error:
            self._running = None
            self._fail(error, wish)
            return
        context = operations.Context(cache=self._cache, view=request.view, live=wish.kind == "live")
        # The first answer names the place that it is for; the request tells for which layers.
        run = _Run(request, context)
        self._job = Job(
            run,
            on_done=lambda result: self._on_done(result, request, wish, run),
            on_error=lambda error: self._on_error(error, wish),
            on_progress=lambda progress: self._on_progress(progress, request),
            on_cancelled=self._on_cancelled,
        )
        self._set_state(wish.kind)
        self._job.start()

    def _on_progress(self, progress: Progress, request: Request) -> None:
        if isinstance(progress.preview, Preview):
            self.previewed.emit(progress.preview, request)
        self.progressed.emit(progress)

    def _on_done(
        self, result: operations.Result, request: Request, wish: _Wish, run: "_Run"
    ) -> None:
        self._job = self._running = None
        exact = wish.kind == "exact"
        self.finished.emit(result, request, exact)
        if self._debounce.isActive():
            # A newer stroke will be solved in a moment; who waits, waits for that.
            self._set_state("waiting")
        elif exact:
            self._set_state("idle" if self._stale else "final")
            actions, self._pending = self._pending, []
            for action in actions:
                action()
            self.timed.emit(*run.seconds)
        else:
            self._set_state("shown")
            self._settle.start()

    def _on_error(self, error: BaseException, wish: _Wish) -> None:
        self._job = self._running = None
        # What a failed run leaves prepared is not to be trusted.
        self._cache = {}
        self._fail(error, wish)

    def _on_cancelled(self) -> None:
        self._job = self._running = None
        self._start_next()

    def _fail(self, error: BaseException, wish: _Wish) -> None:
        self._pending.clear()
        self._set_state("idle")
        if isinstance(error, NeedsSeeds) and not wish.asked:
            self.not_ready.emit(str(error))
        else:
            self.failed.emit(error, wish.asked)


class _Run:
    """What one job does, in its thread."""

    def __init__(self, request: Request, context: operations.Context) -> None:
        self._request: Request | None = request
        self._context: operations.Context | None = context
        # forecast, measured
        self.seconds = (0.0, 0.0)

    def __call__(self, report: Report, should_stop: ShouldStop) -> operations.Result:
        request, context = self._request, self._context
        assert request is not None
        # Arrays must not outlive the run because somebody still holds the job.
        self._request = self._context = None
        check_seeds(request.seeds, request.times)
        inputs = {"image": request.image, "seeds": request.seeds}
        cost = operations.forecast(OPERATION, inputs, request.parameters, times=request.times)
        began = time.monotonic()
        result = operations.run(
            OPERATION,
            inputs,
            request.parameters,
            report=report,
            should_stop=should_stop,
            context=context,
            times=request.times,
        )
        self.seconds = cost.seconds, time.monotonic() - began
        return result


def check_seeds(seeds: Image, times: Sequence[int] | None) -> None:
    """Raise `NeedsSeeds` unless some time point holds seeds of two labels."""
    chosen = range(seeds.n_times) if times is None else times
    most = max((_count_labels(np.asarray(seeds.select_time(t).array)) for t in chosen), default=0)
    here = "" if seeds.n_times == 1 else " at this time point" if len(chosen) == 1 else " anywhere"
    if most == 0:
        raise NeedsSeeds(
            f"No seeds{here} yet. Paint a stroke inside an object, then press M for the next "
            "label and paint the background."
        )
    if most == 1:
        raise NeedsSeeds(
            f"Only one label of seeds{here}. Press M for the next label and mark what is "
            "something else, for example the background."
        )


def _count_labels(seeds: np.ndarray) -> int:
    """Number of different positive labels: 0, 1, or 2 for two and more."""
    positive = seeds[seeds > 0]
    if positive.size == 0:
        return 0
    return 1 if positive.min() == positive.max() else 2
