"""When the pixel classifier learns and classifies: after each stroke, the part in view first.

No widgets and no layers here. One job does it all: it takes the features of what is marked, grows
the forest, classifies what is in view and hands it over; and once the hand has rested, all of the
image. A newer stroke ends it and begins another, which finds again what has not changed. What
comes out at its end has the same bits as the command line's.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray
from qtpy.compat import isalive
from qtpy.QtCore import QObject, QTimer, Signal

from napari_seedbed.core.progress import Preview, Progress, Report, ShouldStop, check_stop
from napari_seedbed.errors import InputError
from napari_seedbed.gui.jobs import Job
from napari_seedbed.pipeline import operations
from napari_seedbed.pipeline.classifier_operations import NAME, samples_of
from napari_seedbed.pipeline.image import Image
from napari_seedbed.pipeline.sample_encoding import samples_as_text

if TYPE_CHECKING:
    from napari_seedbed.core.classifier.samples import TrainingSamples

State = Literal["idle", "waiting", "running", "view", "final"]

_LOOK_SECONDS = 0.02


class NeedsMarks(InputError):
    """There are not yet two classes of marks: something to say quietly while a person draws."""


@dataclass(frozen=True)
class ViewPreview(Preview):
    """A first answer for the part in view.

    Attributes
    ----------
    region : tuple of slice
        Where it lies in the image.
    """

    region: tuple[slice, ...] = ()


@dataclass(frozen=True, eq=False)
class Marked:
    """An image that is learnt from.

    Attributes
    ----------
    image : Image
    seeds : Image
        A copy, since the person goes on drawing.
    cache : dict
        Features of its marked voxels, kept between runs.
    """

    image: Image
    seeds: Image
    cache: dict[Any, Any]


@dataclass(frozen=True, eq=False)
class Request:
    """All that one run needs, taken from the layers when it starts.

    Attributes
    ----------
    image : Image
        What is classified.
    parameters : dict
    marked : sequence of Marked
        What is learnt from.
    learnt : sequence of TrainingSamples
        What was learnt before.
    region : tuple of slice or None
        The part in view; None where there is none.
    time : int or None
        The time point on screen, None for an image without time.
    times : tuple of int or None
        Time points to classify; None for all.
    whole : bool
        Whether all of the image is classified without being asked for.
    layer : Image layer
        Where the image comes from and the result belongs.
    """

    image: Image
    parameters: dict[str, Any]
    marked: Sequence[Marked]
    learnt: "Sequence[TrainingSamples]" = ()
    region: tuple[slice, ...] | None = None
    time: int | None = None
    times: tuple[int, ...] | None = None
    whole: bool = True
    layer: Any = None
    cache: dict[Any, Any] = field(default_factory=dict)


class PixelClassifierSession(QObject):
    """Decides what runs when, and hands over only what is still wanted.

    Parameters
    ----------
    prepare : callable
        ``prepare() -> Request`` in the window's thread, at the start of each run. An `InputError`
        from it is handled like one from the run.
    settle_seconds : float
        Rest after the last stroke before all of the image is classified.
    debounce_seconds : float
        Strokes closer together than this start one run.

    Notes
    -----
    Signals: `previewed(ViewPreview, Request)`; `finished(Result, Request)`; `not_ready(str)` when
    marks are missing while drawing; `failed(error, asked)`; `state_changed(State)`;
    `progressed(Progress)`; `cancelled()`; `timed(forecast, measured)` in seconds, of the run on
    all of the image.
    """

    previewed = Signal(object, object)
    finished = Signal(object, object)
    not_ready = Signal(str)
    failed = Signal(object, bool)
    state_changed = Signal(str)
    progressed = Signal(object)
    cancelled = Signal()
    timed = Signal(float, float)

    def __init__(
        self,
        prepare: Callable[[], Request],
        *,
        settle_seconds: float = 1.0,
        debounce_seconds: float = 0.05,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._prepare: Callable[[], Request] | None = prepare
        self.settle_seconds = settle_seconds
        self._job: Job | None = None
        self._asked = False
        self._again = False
        self._stale = False
        self._pending: list[Callable[[], None]] = []
        self._state: State = "idle"
        self._debounce = QTimer(self)
        self._debounce.setSingleShot(True)
        self._debounce.setInterval(round(1000 * debounce_seconds))
        self._debounce.timeout.connect(self._want)

    @property
    def state(self) -> State:
        """`waiting` for the hand to rest, `running`, only the `view` is shown, `final`, `idle`."""
        return self._state

    @property
    def is_running(self) -> bool:
        """Whether a run is in progress or about to begin."""
        return self._job is not None

    @property
    def is_final(self) -> bool:
        """Whether what was handed over last is of all of the image, and nothing changed since."""
        return self._state == "final"

    # What happens to it

    def stroke(self) -> None:
        """Marks, settings or the view changed while live: run soon."""
        self._debounce.start()
        self._set_state("waiting")

    def touched(self) -> None:
        """Something changed while not live: what is shown is not the latest any more."""
        self._stale = True
        if self._job is None:
            self._set_state("idle")

    def changed(self) -> None:
        """The image is another one now: stop what is on its way."""
        self._rest()
        self._set_state("idle")

    def run(self) -> None:
        """Classify all of the image now."""
        self._asked = True
        self._want()

    def cancel(self) -> None:
        """Stop the run and forget what waits for it; what is shown stays as it is."""
        busy = self.is_running
        self._rest()
        if busy:
            self.cancelled.emit()
        self._set_state("idle")

    def pause(self) -> bool:
        """Stop what nobody asked for; whether there was such a thing, under way or to come."""
        coming = self._debounce.isActive() or (self._job is not None and not self._asked)
        if coming and not self._pending:
            self._rest()
            self._set_state("idle")
        return coming

    def when_exact(self, action: Callable[[], None]) -> None:
        """Call `action` as soon as the result for the present marks is shown."""
        if self.is_final:
            action()
            return
        self._pending.append(action)
        self.run()

    def close(self) -> None:
        """Stop everything, call nobody any more; returns at once."""
        if isalive(self._debounce):
            # Qt may have deleted it already when it takes a window apart.
            self._debounce.stop()
        self._pending.clear()
        self._prepare = None
        if self._job is not None:
            self._job.abandon()
            self._job = None

    # How it works

    def _rest(self) -> None:
        self._debounce.stop()
        self._pending.clear()
        self._asked = self._again = False
        if self._job is not None:
            self._job.cancel()

    def _set_state(self, state: State) -> None:
        if state != self._state:
            self._state = state
            self.state_changed.emit(state)

    def _want(self) -> None:
        self._debounce.stop()
        if self._job is None:
            self._start()
        else:
            # What it has prepared is used by one run at a time: _on_cancelled goes on.
            self._again = True
            self._job.cancel()

    def _start(self) -> None:
        if self._prepare is None:
            return
        self._again = self._stale = False
        try:
            request = self._prepare()
        except InputError as error:
            self._fail(error)
            return
        settle = 0.0 if self._asked else self.settle_seconds
        run = _Run(request, settle, whole=request.whole or self._asked)
        self._job = Job(
            run,
            on_done=lambda result: self._on_done(result, request, run),
            on_error=self._on_error,
            on_progress=lambda progress: self._on_progress(progress, request),
            on_cancelled=self._on_cancelled,
        )
        self._set_state("running")
        self._job.start()

    def _on_progress(self, progress: Progress, request: Request) -> None:
        if isinstance(progress.preview, ViewPreview):
            self.previewed.emit(progress.preview, request)
        self.progressed.emit(progress)

    def _on_done(self, result: operations.Result | None, request: Request, run: "_Run") -> None:
        self._job = None
        if result is not None:
            self.finished.emit(result, request)
        if self._debounce.isActive():
            # A newer stroke will be answered in a moment; who waits, waits for that.
            self._set_state("waiting")
            return
        self._asked = False
        if result is None:
            self._set_state("view")
            return
        self._set_state("idle" if self._stale else "final")
        actions, self._pending = self._pending, []
        for action in actions:
            action()
        self.timed.emit(*run.seconds)

    def _on_error(self, error: BaseException) -> None:
        self._job = None
        self._fail(error)

    def _on_cancelled(self) -> None:
        self._job = None
        if self._again:
            self._start()

    def _fail(self, error: BaseException) -> None:
        asked, self._asked = self._asked, False
        self._pending.clear()
        self._set_state("idle")
        if isinstance(error, NeedsMarks) and not asked:
            self.not_ready.emit(str(error))
        else:
            self.failed.emit(error, asked)


class _Run:
    """What one job does, in its thread."""

    def __init__(self, request: Request, settle_seconds: float, *, whole: bool) -> None:
        self._request: Request | None = request
        self._settle = settle_seconds
        self._whole = whole
        # forecast, measured
        self.seconds = (0.0, 0.0)

    def __call__(self, report: Report, should_stop: ShouldStop) -> operations.Result | None:
        request = self._request
        assert request is not None
        # Arrays must not outlive the run because somebody still holds the job.
        self._request = None
        began = time.monotonic()
        parameters = {**request.parameters, "training": learn(request, should_stop)}
        if request.region is not None:
            self._classify_view(request, parameters, report, should_stop)
        if not self._whole:
            return None
        while time.monotonic() - began < self._settle:
            check_stop(should_stop)
            time.sleep(_LOOK_SECONDS)
        inputs = {"image": request.image}
        cost = operations.forecast(NAME, inputs, parameters, times=request.times)
        began = time.monotonic()
        result = operations.run(
            NAME,
            inputs,
            {**parameters, "table": True},
            report=report,
            should_stop=should_stop,
            times=request.times,
        )
        self.seconds = cost.seconds, time.monotonic() - began
        return result

    def _classify_view(
        self,
        request: Request,
        parameters: dict[str, Any],
        report: Report,
        should_stop: ShouldStop,
    ) -> None:
        assert request.region is not None
        of_objects = parameters["result"] == "objects"
        # Objects are numbered in all of the image; in view it shows what will become of them.
        shown = {"result": "classes", "probabilities": of_objects, "table": False}
        result = operations.run(
            NAME,
            {"image": request.image},
            {**parameters, **shown},
            should_stop=should_stop,
            context=operations.Context(cache=request.cache, live=True),
            times=None if request.time is None else [request.time],
            region=request.region,
        )
        labels = _at_time(result.image("labels"), request.time)
        if of_objects:
            labels = _wanted(result.image("probabilities"), request, parameters)
        report(Progress(0.0, "Classifying voxels", ViewPreview(0, 0, labels, request.region)))


def learn(request: Request, should_stop: ShouldStop | None = None) -> str:
    """The parameter 'training': all that the images and what was learnt before tell.

    Raises
    ------
    NeedsMarks
        Unless two classes are marked.
    """
    found = [
        samples_of(
            one.image, one.seeds, request.parameters, cache=one.cache, should_stop=should_stop
        )
        for one in request.marked
    ]
    every = [samples for samples in (*request.learnt, *found) if samples is not None]
    if not every:
        raise NeedsMarks(
            "No strokes yet. Paint a stroke on what is of one class, then press M for the next "
            "class."
        )
    joined = every[0].joined(*every[1:])
    if len(joined.label_values) < 2:
        raise NeedsMarks(
            "Only one class is marked. Press M for the next label and mark what is something "
            "else, for example the background."
        )
    return samples_as_text(joined)


def _at_time(image: Image, time: int | None) -> NDArray[Any]:
    return np.asarray((image if time is None else image.select_time(time)).array)


def _wanted(
    probabilities: Image, request: Request, parameters: dict[str, Any]
) -> NDArray[np.int32]:
    """1 where the class of the objects is probable enough."""
    names = probabilities.channel_names
    name = f"label {parameters['object_class']}"
    if name not in names:
        return np.zeros([one.stop - one.start for one in request.region or ()], np.int32)
    one = probabilities.select_channels([names.index(name)])
    return (_at_time(one, request.time) >= parameters["threshold"]).astype(np.int32)
