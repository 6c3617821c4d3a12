"""When the pixel classifier learns and classifies: after each stroke, the part in view first.

No widgets and no layers here. One job does it all: it takes the features of what is marked, grows
the forest, classifies what is in view and hands it over; and once the hand has rested, all of the
image. A newer stroke ends it and begins another, which finds again what has not changed. What
comes out at its end has the same bits as the command line's.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QObject

from napari_seedbed.core.progress import Preview, check_stop, tell, unwatched
from napari_seedbed.errors import InputError
from napari_seedbed.gui.forms.strokes_session import RUN, NeedsMarks, StrokesSession
from napari_seedbed.pipeline import operations
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.encodings.sample_encoding import samples_as_text
from napari_seedbed.pipeline.operations.pixel_classification import NAME, samples_of

if TYPE_CHECKING:
    from napari_seedbed.core.classifier.samples import TrainingSamples

_LOOK_SECONDS = 0.02


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


class PixelClassifierSession(StrokesSession):
    """Classifies what is in view after each stroke, and all of the image when the hand rests.

    Parameters
    ----------
    prepare : callable
        ``prepare() -> Request`` in the window's thread, at the start of each run. An `InputError`
        from it is handled like one from the run.
    settle_seconds, debounce_seconds, parent
        As for `StrokesSession`.

    Notes
    -----
    States: `waiting` for the hand to rest, `running`, only the `view` is shown, `final`, `idle`.
    """

    def __init__(
        self,
        prepare: Callable[[], Request],
        *,
        settle_seconds: float = 1.0,
        debounce_seconds: float = 0.05,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(settle_seconds, debounce_seconds, parent)
        self._prepare = prepare
        self._asked = False

    # What happens to it

    def stroke(self) -> None:
        """Marks, settings or the view changed while live: run soon."""
        self._debounce.start()
        self._set_state("waiting")

    def run(self) -> None:
        """Classify all of the image now."""
        self._asked = True
        self._run_soon()

    def pause(self) -> bool:
        """Stop what nobody asked for; whether there was such a thing, under way or to come."""
        coming = self._debounce.is_waiting or (self.is_busy and not self._asked)
        if coming and not self._pending:
            self.changed()
        return coming

    # How it works

    def _rest(self) -> None:
        self._asked = False
        super()._rest()

    def _run_soon(self) -> None:
        self._debounce.stop()
        # What a run has prepared is used by one run at a time.
        self._jobs.when_free(RUN, self._start)

    def _start(self) -> None:
        self._is_stale = False
        try:
            request = self._prepare()
        except InputError as error:
            self._on_error(error)
            return
        settle = 0.0 if self._asked else self.settle_seconds
        run = _Run(request, settle, whole=request.whole or self._asked)
        self._set_state("running")
        self._jobs.start(
            RUN,
            run,
            lambda result: self._on_done(result, request, run),
            self._on_error,
            on_progress=partial(self._on_progress, request),
        )

    def _on_done(self, result: operations.Result | None, request: Request, run: "_Run") -> None:
        if result is not None:
            self.finished.emit(result, request, True)
        if self._debounce.is_waiting:
            # A newer stroke will be answered in a moment; who waits, waits for that.
            self._set_state("waiting")
            return
        self._asked = False
        if result is None:
            self._set_state("view")
            return
        self._end_exactly()
        self.timed.emit(*run.seconds, True)

    def _on_error(self, error: BaseException) -> None:
        asked, self._asked = self._asked, False
        self._fail(error, asked)


class _Run:
    """What one job does, in its thread."""

    def __init__(self, request: Request, settle_seconds: float, *, whole: bool) -> None:
        self._request: Request | None = request
        self._settle = settle_seconds
        self._whole = whole
        # forecast, measured
        self.seconds = (0.0, 0.0)

    def __call__(self) -> operations.Result | None:
        request = self._request
        assert request is not None
        # Arrays must not outlive the run because somebody still holds the job.
        self._request = None
        began = time.monotonic()
        parameters = {**request.parameters, "training": learn(request)}
        if request.region is not None:
            self._classify_view(request, parameters)
        if not self._whole:
            return None
        while time.monotonic() - began < self._settle:
            check_stop()
            time.sleep(_LOOK_SECONDS)
        inputs = {"image": request.image}
        cost = operations.forecast(NAME, inputs, parameters, times=request.times)
        began = time.monotonic()
        result = operations.run(NAME, inputs, {**parameters, "table": True}, times=request.times)
        self.seconds = cost.seconds, time.monotonic() - began
        return result

    def _classify_view(self, request: Request, parameters: dict[str, Any]) -> None:
        assert request.region is not None
        of_objects = parameters["result"] == "objects"
        # Objects are numbered in all of the image; in view it shows what will become of them.
        shown = {"result": "classes", "probabilities": of_objects, "table": False}
        with unwatched():
            result = operations.run(
                NAME,
                {"image": request.image},
                {**parameters, **shown},
                context=operations.Context(cache=request.cache, live=True),
                times=None if request.time is None else [request.time],
                region=request.region,
            )
        labels = _at_time(result.image("labels"), request.time)
        if of_objects:
            labels = _wanted(result.image("probabilities"), request, parameters)
        tell(0.0, "Classifying voxels", ViewPreview(0, 0, labels, request.region))


def learn(request: Request) -> str:
    """The parameter 'training': all samples of the images and of what was learnt before.

    Raises
    ------
    NeedsMarks
        Unless two classes are marked.
    """
    found = [
        samples_of(one.image, one.seeds, request.parameters, cache=one.cache)
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
