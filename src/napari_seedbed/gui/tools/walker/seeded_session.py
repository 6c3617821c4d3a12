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
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from qtpy.QtCore import QObject

from napari_seedbed.core.progress import check_stop, running, running_job
from napari_seedbed.errors import Cancelled, InputError, SeedbedError
from napari_seedbed.gui.forms.strokes_session import RUN, NeedsMarks, StrokesSession
from napari_seedbed.gui.qt.delays import Delay
from napari_seedbed.pipeline import operations
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.data.shapes import Shapes
from napari_seedbed.pipeline.data.sparse_labels import labels_in
from napari_seedbed.pipeline.operations.seeded import last_lesson

if TYPE_CHECKING:
    from napari_seedbed.core.seeded.lessons import Lesson

OPERATION = "seeded_segmentation"

Kind = Literal["prepare", "live", "exact"]


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
        Message where not enough is marked.
    other : Image or None
        Marks what is no object.
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
    other: Image | None = None


@dataclass
class _Wish:
    """The next run, and whether a person asked for it (and wants to hear why it cannot be)."""

    kind: Kind
    asked: bool = False


class SeededSession(StrokesSession):
    """Runs a warm engine while somebody draws, and a cold one when the hand rests.

    Parameters
    ----------
    prepare : callable
        `prepare(kind) -> Request` in the window's thread, at the start of each run. An
        `InputError` from it is handled like one from the run.
    settle_seconds, debounce_seconds, parent
        As for `StrokesSession`.

    Notes
    -----
    States: `waiting` for the hand; running `prepare`, `live`, `exact`; `shown`, `final`; `idle`.
    """

    def __init__(
        self,
        prepare: Callable[[Kind], Request],
        *,
        settle_seconds: float = 1.0,
        debounce_seconds: float = 0.15,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(settle_seconds, debounce_seconds, parent)
        self._prepare = prepare
        self._cache: dict[Hashable, Any] = {}
        self._run: _Run | None = None
        self._running: _Wish | None = None
        self._next: _Wish | None = None
        # seconds, of what the next run does not have to do
        self._prepared_in: float | None = None
        self._settle = Delay(self, settle_seconds, self._want_exact)

    @property
    def is_running(self) -> bool:
        """Whether a run is in progress or about to begin; preparing alone is none."""
        return (self.is_busy and not self._only_prepares) or self._next is not None

    @property
    def is_prepared(self) -> bool:
        """Whether the next run needs not look at the image first."""
        return bool(self._cache)

    @property
    def cache(self) -> dict[Hashable, Any]:
        """What engines have prepared for the image, for whoever else works on it."""
        return self._cache

    @property
    def _only_prepares(self) -> bool:
        return self._running is not None and self._running.kind == "prepare"

    # What happens to it

    def prepare_image(self) -> None:
        """There is a new image: prepare it while nothing else is to be done."""
        if self._cache or self._next or self._debounce.is_waiting:
            return
        if not self.is_busy or self._jobs.is_stopping(RUN):
            self._want(_Wish("prepare"))

    def stroke(self) -> None:
        """Seeds changed while live: solve soon, and exactly when the hand rests."""
        self._settle.stop()
        self._debounce.start()
        if self._state != "live":
            self._set_state("waiting")

    def touched(self) -> None:
        """Seeds or settings changed while not live: what is shown is not the latest any more."""
        self._settle.stop()
        super().touched()

    def run(self) -> None:
        """Solve exactly, now."""
        self._stop_delays()
        self._want(_Wish("exact", asked=True))

    def pause(self) -> bool:
        """Stop what nobody asked for; whether there was such a thing, under way or to come."""
        coming = self._debounce.is_waiting or self._settle.is_waiting
        self._stop_delays()
        wish = self._next or self._running
        if self._pending or (wish is not None and wish.asked):
            return coming
        if (wish is None or self._only_prepares) and not coming:
            self._jobs.cancel()
            return False
        self.changed()
        return True

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
        super().close()
        self._cache = {}
        self._run = None

    # How it works

    def _rest(self) -> None:
        self._next = None
        self._settle.stop()
        super()._rest()

    def _stop_delays(self) -> None:
        self._debounce.stop()
        self._settle.stop()

    def _run_soon(self) -> None:
        self._want(_Wish("live"))

    def _want_exact(self) -> None:
        self._want(_Wish("exact"))

    def _run_for_pending(self) -> None:
        running = self._running
        exact_is_coming = (
            running is not None
            and running.kind == "exact"
            and self._next is None
            and not self._debounce.is_waiting
        )
        if exact_is_coming and running is not None:
            running.asked = True
        else:
            self.run()

    def _want(self, wish: _Wish) -> None:
        if self._pending and wish.kind == "live":
            # Somebody waits for the exact result: a warm one first would only cost time.
            wish = _Wish("exact", asked=True)
        self._next = wish
        if self._run is not None and self._run.prepares:
            # the next run would have to do that as well: it begins at the end of it
            self._run.is_superseded = True
        else:
            # The solver's prepared state is used by one run at a time.
            self._jobs.when_free(RUN, self._start_next)

    def _start_next(self) -> None:
        self._run = self._running = None
        wish, self._next = self._next, None
        if wish is None:
            return
        self._running = wish
        self._is_stale = False
        try:
            request = self._prepare(wish.kind)
        except InputError as error:
            self._running = None
            self._fail_with(error, wish)
            return
        if request.is_cold and wish.kind == "live":
            wish.kind = "exact"
        context = operations.Context(cache=self._cache, view=request.view, live=wish.kind == "live")
        # The first answer names the place that it is for; the request says for which layers.
        self._run = run = _Run(request, context)
        self._set_state(wish.kind)
        self._jobs.start(
            RUN,
            run,
            lambda result: self._on_done(result, request, wish, run),
            lambda error: self._on_error(error, wish),
            on_progress=partial(self._on_progress, request),
            on_cancelled=self._start_next,
        )

    def _on_done(
        self, result: operations.Result | None, request: Request, wish: _Wish, run: "_Run"
    ) -> None:
        self._run = self._running = None
        if self._next is not None:
            # wanted in the last moment of the run
            self._start_next()
            return
        if result is None:
            self._prepared_in = run.seconds[1]
            self._set_state("waiting" if self._debounce.is_waiting else "idle")
            return
        exact = wish.kind == "exact"
        self.finished.emit(result, request, exact)
        if self._debounce.is_waiting:
            # A newer stroke will be solved in a moment; who waits, waits for that.
            self._set_state("waiting")
        elif exact:
            self._end_exactly()
        else:
            self._set_state("shown")
            self._settle.setTimeout(round(1000 * self.settle_seconds))
            self._settle.start()
        forecast, measured = run.seconds
        before, self._prepared_in = self._prepared_in, None
        anew = run.is_anew or before is not None
        if exact or anew:
            self.timed.emit(forecast, measured + (before or 0.0), anew)

    def _on_error(self, error: BaseException, wish: _Wish) -> None:
        if isinstance(error, Cancelled):
            # a newer wish came while the image was prepared
            self._start_next()
            return
        self._run = self._running = None
        if not isinstance(error, NeedsMarks):
            # What a failed run leaves prepared is not to be trusted.
            self._cache = {}
        self._fail_with(error, wish)

    def _fail_with(self, error: BaseException, wish: _Wish) -> None:
        if wish.kind == "prepare" and (self._next or isinstance(error, SeedbedError | MemoryError)):
            # the first run says what is wrong with the image
            self._set_state("idle")
            self._start_next()
        else:
            self._fail(error, wish.asked)


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

    def __call__(self) -> operations.Result | None:
        request, context = self._request, self._context
        assert request is not None
        assert context is not None
        # Arrays must not outlive the run because somebody still holds the job.
        self._request = self._context = None
        if request.seeds is not None:
            check_seeds(request.seeds, request.times, request.guide)
        began = time.monotonic()
        operations.prepare(
            OPERATION, request.image, request.parameters, context=context, time=request.time or 0
        )
        self.prepares = False
        self.seconds = 0.0, time.monotonic() - began
        if request.seeds is None:
            return None

        job = running_job()

        def stops() -> bool:
            return self.is_superseded or job.is_stopped()

        with running(should_stop=stops):
            check_stop()
            inputs: dict[str, Image | Shapes] = {"image": request.image, "seeds": request.seeds}
            if request.other is not None:
                inputs["other"] = request.other
            cost = operations.forecast(OPERATION, inputs, request.parameters, times=request.times)
            result = operations.run(
                OPERATION, inputs, request.parameters, context=context, times=request.times
            )
        self.seconds = cost.seconds, time.monotonic() - began
        return result


def check_seeds(seeds: Image, times: Sequence[int] | None, guide: str = "") -> None:
    """Raise `NeedsMarks` unless some time point holds seeds of two labels.

    Parameters
    ----------
    seeds : Image
    times : sequence of int or None
        Time points that count; all when None.
    guide : str
        What to do, in a sentence.
    """
    chosen = range(seeds.n_times) if times is None else times
    volumes = (seeds.select_time(t).array for t in chosen)
    most = max((len(labels_in(volume)) for volume in volumes), default=0)
    here = "" if seeds.n_times == 1 else " at this time point" if len(chosen) == 1 else " anywhere"
    if most < 2:
        what = "No seeds" if most == 0 else "Only one label of seeds"
        raise NeedsMarks(f"{what}{here} yet. {guide}".rstrip())
