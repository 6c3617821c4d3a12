"""Histograms of what is in view, counted beside the window and kept."""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QObject, Signal

from napari_seedbed.core import (
    AUTOMATIC_METHODS,
    Histogram,
    automatic_threshold,
    blocks_histogram,
    multi_otsu_thresholds,
)
from napari_seedbed.core.progress import Progress, Report, ShouldStop
from napari_seedbed.errors import InputError
from napari_seedbed.gui.jobs import Job
from napari_seedbed.gui.view_position import Part
from napari_seedbed.pipeline.blocks import count_blocks, image_blocks
from napari_seedbed.pipeline.image import Image
from napari_seedbed.pipeline.threshold_operations import METHOD_TITLES

_KEPT = 64
"""Histograms of one image: about a slider's way."""


SLOW = "minimum"
"""The method that may take seconds where there are many grey values; others take no time."""

CLASS_MARKS = ("multi_otsu_1", "multi_otsu_2")
"""What the two values between three classes are called by `Counted.marks`."""

Work = Callable[[Report, ShouldStop], "Counted"]


@dataclass(frozen=True, eq=False)
class Counted:
    """A histogram and what follows from it.

    Attributes
    ----------
    histogram : Histogram
    values : dict
        Automatic thresholds by method, those that there are.
    why_not : dict
        In words, by method, why there is none.
    """

    histogram: Histogram
    values: Mapping[str, float]
    why_not: Mapping[str, str]

    @property
    def is_complete(self) -> bool:
        """Whether all methods were tried."""
        return SLOW in self.values or SLOW in self.why_not

    def classes(self, number: int) -> tuple[float, ...]:
        """The values between so many classes; none where there are too few grey values."""
        try:
            return multi_otsu_thresholds(self.histogram, number)
        except InputError:
            return ()

    def marks(self) -> dict[str, tuple[str, float]]:
        """Titles and places of all automatic values, by method; three classes have two of them."""
        if self.histogram.is_constant:
            return {}
        found = {name: (METHOD_TITLES[name], value) for name, value in self.values.items()}
        for number, (name, value) in enumerate(zip(CLASS_MARKS, self.classes(3), strict=False), 1):
            found[name] = (f"Multi-Otsu {number}", value)
        return found


class CountedImages(QObject):
    """Counts parts of images, one at a time; only the newest wish is worked on.

    Notes
    -----
    Signals: `counted(Counted)` for the newest wish, again when it is complete; `failed(error)`;
    `progressed(Progress)`.
    """

    counted = Signal(object)
    failed = Signal(object)
    progressed = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._job: Job | None = None
        self._next: tuple[Hashable, Work] | None = None
        self._key: Hashable = None
        self._known: OrderedDict[Hashable, Counted] = OrderedDict()

    @property
    def is_busy(self) -> bool:
        """Whether something is being counted."""
        return self._job is not None

    def forget(self) -> None:
        """The voxels are others now."""
        self._known.clear()
        self.stop()

    def stop(self) -> None:
        """Nothing is wanted any more."""
        self._next = None
        self._key = None
        if self._job is not None:
            self._job.cancel()

    def close(self) -> None:
        """Stop for good: the panel is gone."""
        if self._job is not None:
            self._job.abandon()

    def ask(self, image: Image, part: Part) -> Counted | None:
        """Return what is known of a part, or begin to count it.

        Parameters
        ----------
        image : Image
            Without channels. The same image until `forget`.
        part : Part
        """
        # Slices have no hash before Python 3.12.
        bounds = None if part.region is None else tuple((p.start, p.stop) for p in part.region)
        key = (bounds, part.time)
        known = self._known.get(key)
        if known is None:
            self._want(key, partial(_count, image, part))
            return None
        self._known.move_to_end(key)
        if known.is_complete:
            self.stop()
        else:
            self._want(key, partial(_completed, known))
        return known

    def _want(self, key: Hashable, work: Work) -> None:
        if self._job is None:
            self._start(key, work)
        elif self._key != key:
            self._next, self._key = (key, work), key
            self._job.cancel()

    def _start(self, key: Hashable, work: Work) -> None:
        self._key = key
        self._job = Job(
            work,
            on_done=partial(self._on_done, key),
            on_error=self._on_error,
            on_progress=self.progressed.emit,
            on_cancelled=self._on_cancelled,
        )
        self._job.start()

    def _on_done(self, key: Hashable, counted: Counted) -> None:
        self._job = None
        self._known[key] = counted
        while len(self._known) > _KEPT:
            self._known.popitem(last=False)
        if not counted.is_complete:
            self._start(key, partial(_completed, counted))
        self.counted.emit(counted)

    def _on_error(self, error: BaseException) -> None:
        self._job = None
        self.failed.emit(error)

    def _on_cancelled(self) -> None:
        self._job = None
        following, self._next = self._next, None
        if following is not None:
            self._start(*following)


def _part_of(image: Image, part: Part) -> Image:
    if part.time is not None:
        image = image.select_time(part.time)
    return image if part.region is None else image.crop(part.region)


def _count(whole: Image, part: Part, report: Report, should_stop: ShouldStop) -> Counted:
    """The histogram, and what is found in it at once."""
    image = _part_of(whole, part)
    total = count_blocks(image)
    done = 0

    def blocks() -> Iterator[NDArray[np.generic]]:
        nonlocal done
        for block in image_blocks(image):
            yield block
            done += 1
            # Some types are read twice.
            report(Progress((done % total) / total, "Counting grey values"))

    histogram = blocks_histogram(blocks, should_stop=should_stop)
    methods = [method for method in AUTOMATIC_METHODS if method != SLOW]
    return _with_values(Counted(histogram, {}, {}), methods, should_stop)


def _completed(counted: Counted, report: Report, should_stop: ShouldStop) -> Counted:
    return _with_values(counted, [SLOW], should_stop)


def _with_values(counted: Counted, methods: Sequence[str], should_stop: ShouldStop) -> Counted:
    values, why_not = dict(counted.values), dict(counted.why_not)
    for method in methods:
        try:
            values[method] = automatic_threshold(counted.histogram, method, should_stop=should_stop)
        except InputError as error:
            why_not[method] = str(error)
    return Counted(counted.histogram, values, why_not)
