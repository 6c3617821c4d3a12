"""When seeds are grown: after each stroke, exactly once the hand rests, never stale.

No widgets and no layers here. Runs start with the slice on screen. An engine that goes on from its
last solution is warm while a person draws, and when the hand rests, a cold run replaces its result:
that has the same bits as the command line's. Other engines have only such runs. Whatever must be
exact (accepting, saving) waits for one.

What an engine makes of the image alone is made as soon as there is an image, and no stroke stops
that: it would only have to begin anew.
"""

import time
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from qtpy.compat import isalive
from qtpy.QtCore import QObject, QTimer, Signal

from napari_seedbed.core.progress import Preview, Progress, Report, ShouldStop, check_stop
from napari_seedbed.errors import Cancelled, InputError, SeedbedError
from napari_seedbed.gui.jobs import Job
from napari_seedbed.pipeline import operations
from napari_seedbed.pipeline.image import Image
from napari_seedbed.pipeline.seeded_operations import last_lesson

if TYPE_CHECKING:
    from napari_seedbed.core.seeded.lessons import Lesson

OPERATION = "seeded_segmentation"

Kind = Literal["prepare", "live", "exact"]
State = Literal["idle", "waiting", "prepare", "live", "exact", "shown", "final"]


class NeedsSeeds(InputError):
    """There are not yet two labels of seeds: something to say quietly while a person draws."""


@dataclass(frozen=True, eq=False)
class Request:
    """All that one run needs, taken from the layers when it starts.

    Attributes
    ----------
    image : Image
    seeds : Image or None
        Labels on the image's grid; a copy, since the person goes on drawing. None for preparing.
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
    is_cold : bool
        Whether a run has the same bits whatever came before, and works on all that an exact one
        would: it is an exact one then, also while somebody draws.
    guide : str
        What to tell a person who has not marked enough.
    """

    image: Image
    seeds: Image | None
    parameters: dict[str, Any]
    view: tuple[int, int] | None = None
    time: int | None = None
    times: tuple[int, ...] | None = None
    layer: Any = None
    wanted: tuple[str, ...] = ()
    is_cold: bool = False
    guide: str = ""


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
    `state_changed(State)`; `progressed(Progress)`; `cancelled()`; `timed(forecast, measured,
    anew)` in seconds, after an exact run and after one that had to prepare the image anew.
    """

    previewed = Signal(object, object)
    finished = Signal(object, object, bool)
    not_ready = Signal(str)
    failed = Signal(object, bool)
    state_changed = Signal(str)
    progressed = Signal(object)
    cancelled = Signal()
    timed = Signal(float, float, bool)

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
        self._run: _Run | None = None
        self._running: _Wish | None = None
        self._next: _Wish | None = None
        self._pending: list[Callable[[], None]] = []
        # seconds, of what the next run does not have to do
        self._prepared_in: float | None = None
        self._state: State = "idle"
        self._stale = False
        self._debounce = self._timer(debounce_seconds, self._want_live)
        self._settle = self._timer(settle_seconds, self._want_exact)

    def _timer(self, seconds: float, slot: Callable[[], None]) -> QTimer:
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.setInterval(round(1000 * seconds))
        timer.timeout.connect(slot)
        return timer

    @property
    def state(self) -> State:
        """`waiting` for the hand; running `prepare`, `live`, `exact`; `shown`, `final`; `idle`."""
        return self._state

    @property
    def is_running(self) -> bool:
        """Whether a run is in progress or about to begin; preparing alone is none."""
        return (self._job is not None and not self._only_prepares) or self._next is not None

    @property
    def _only_prepares(self) -> bool:
        return self._running is not None and self._running.kind == "prepare"

    @property
    def is_final(self) -> bool:
        """Whether what was handed over last is exact and nothing changed since."""
        return self._state == "final"

    # What happens to it

    def prepare_image(self) -> None:
        """There is a new image: prepare it while nothing else is to be done."""
        if self._cache or self._next or self._debounce.isActive():
            return
        if self._job is None or self._job.cancelled:
            self._want(_Wish("prepare"))

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
        if self._job is None and self._state != "idle":
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
        if (wish is None or self._only_prepares) and not coming:
            if self._job is not None:
                self._job.cancel()
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
        self._prepared_in = None

    def lesson(self) -> "Lesson | None":
        """What the result that was handed over last teaches about other images, if anything."""
        return last_lesson(self._cache)

    def close(self) -> None:
        """Stop everything, call nobody any more; returns at once."""
        self._stop_timers()
        self._pending.clear()
        self._next = None
        self._prepare = None
        self._cache = {}
        if self._job is not None:
            self._job.abandon()
            self._job = self._run = None

    # How it works

    def _stop_timers(self) -> None:
        for timer in (self._debounce, self._settle):
            # Qt may have deleted them already when it takes a window apart.
            if isalive(timer):
                timer.stop()

    def _set_state(self, state: State) -> None:
        self._state = state
        self.state_changed.emit(state)

    def _want_live(self) -> None:
        self._want(_Wish("live"))

    def _want_exact(self) -> None:
        self._want(_Wish("exact"))

    def _want(self, wish: _Wish) -> None:
        if self._pending and wish.kind == "live":
            # Somebody waits for the exact result: a warm one first would only cost time.
            wish = _Wish("exact", asked=True)
        self._next = wish
        if self._job is None:
            self._start_next()
        elif self._run is not None and self._run.prepares:
            self._run.is_superseded = True
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
        if request.is_cold and wish.kind == "live":
            wish.kind = "exact"
        context = operations.Context(cache=self._cache, view=request.view, live=wish.kind == "live")
        # The first answer names the place that it is for; the request tells for which layers.
        self._run = run = _Run(request, context)
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
        self, result: operations.Result | None, request: Request, wish: _Wish, run: "_Run"
    ) -> None:
        self._job = self._run = self._running = None
        if self._next is not None:
            # wanted in the last moment of the run
            self._start_next()
            return
        if result is None:
            self._prepared_in = run.seconds[1]
            self._set_state("waiting" if self._debounce.isActive() else "idle")
            return
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
        else:
            self._set_state("shown")
            self._settle.start()
        forecast, measured = run.seconds
        before, self._prepared_in = self._prepared_in, None
        anew = run.is_anew or before is not None
        if exact or anew:
            self.timed.emit(forecast, measured + (before or 0.0), anew)

    def _on_error(self, error: BaseException, wish: _Wish) -> None:
        if isinstance(error, Cancelled):
            # a newer wish came while the image was prepared
            self._on_cancelled()
            return
        self._job = self._run = self._running = None
        if not isinstance(error, NeedsSeeds):
            # What a failed run leaves prepared is not to be trusted.
            self._cache = {}
        self._fail(error, wish)

    def _on_cancelled(self) -> None:
        self._job = self._run = self._running = None
        self._start_next()

    def _fail(self, error: BaseException, wish: _Wish) -> None:
        if wish.kind == "prepare" and (self._next or isinstance(error, SeedbedError | MemoryError)):
            # the first run says what is wrong with the image
            self._set_state("idle")
            self._start_next()
            return
        self._pending.clear()
        self._set_state("idle")
        if isinstance(error, NeedsSeeds) and not wish.asked:
            self.not_ready.emit(str(error))
        else:
            self.failed.emit(error, wish.asked)


class _Run:
    """What one job does, in its thread.

    Attributes
    ----------
    prepares : bool
        It is looking at the image alone, which a newer wish would have to do as well.
    is_superseded : bool
        There is a newer wish: end when the image is prepared.
    is_anew : bool
        The image was not yet prepared when it began.
    seconds : (float, float)
        Forecast and measured.
    """

    def __init__(self, request: Request, context: operations.Context) -> None:
        self._request: Request | None = request
        self._context: operations.Context | None = context
        self.prepares = True
        self.is_superseded = False
        self.is_anew = not context.cache
        self.seconds = (0.0, 0.0)

    def __call__(self, report: Report, should_stop: ShouldStop) -> operations.Result | None:
        request, context = self._request, self._context
        assert request is not None
        assert context is not None
        # Arrays must not outlive the run because somebody still holds the job.
        self._request = self._context = None
        if request.seeds is not None:
            check_seeds(request.seeds, request.times, request.guide)
        began = time.monotonic()
        operations.prepare(
            OPERATION,
            request.image,
            request.parameters,
            context=context,
            time=request.time or 0,
            report=report,
            should_stop=should_stop,
        )
        self.prepares = False
        self.seconds = 0.0, time.monotonic() - began
        if request.seeds is None:
            return None

        def stops() -> bool:
            return self.is_superseded or should_stop()

        check_stop(stops)
        inputs = {"image": request.image, "seeds": request.seeds}
        cost = operations.forecast(OPERATION, inputs, request.parameters, times=request.times)
        result = operations.run(
            OPERATION,
            inputs,
            request.parameters,
            report=report,
            should_stop=stops,
            context=context,
            times=request.times,
        )
        self.seconds = cost.seconds, time.monotonic() - began
        return result


def check_seeds(seeds: Image, times: Sequence[int] | None, guide: str = "") -> None:
    """Raise `NeedsSeeds` unless some time point holds seeds of two labels.

    Parameters
    ----------
    seeds : Image
    times : sequence of int or None
        Time points that count; all when None.
    guide : str
        What to do, in a sentence.
    """
    chosen = range(seeds.n_times) if times is None else times
    most = max((_count_labels(np.asarray(seeds.select_time(t).array)) for t in chosen), default=0)
    here = "" if seeds.n_times == 1 else " at this time point" if len(chosen) == 1 else " anywhere"
    if most < 2:
        what = "No seeds" if most == 0 else "Only one label of seeds"
        raise NeedsSeeds(f"{what}{here} yet. {guide}".rstrip())


def _count_labels(seeds: np.ndarray) -> int:
    """Number of different positive labels: 0, 1, or 2 for two and more."""
    positive = seeds[seeds > 0]
    if positive.size == 0:
        return 0
    return 1 if positive.min() == positive.max() else 2
