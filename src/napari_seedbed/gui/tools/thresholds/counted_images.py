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
    smoothed_in_type,
)
from napari_seedbed.core.boxes import widened
from napari_seedbed.core.filters.gaussian_derivatives import gaussian_halo
from napari_seedbed.core.progress import tell
from napari_seedbed.errors import InputError
from napari_seedbed.gui.layers.view_position import Part
from napari_seedbed.gui.qt.jobs import Jobs
from napari_seedbed.pipeline.data.blocks import changed_volumes, count_blocks
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.operations.thresholds import METHOD_TITLES

_KEPT = 64
"""Histograms of one image: about a slider's way."""


SLOW = "minimum"
"""The method that may take seconds where there are many grey values; others take no time."""

CLASS_MARKS = ("multi_otsu_1", "multi_otsu_2")
"""What the two values between three classes are called by `Counted.marks`."""

Work = Callable[[], "Counted"]


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
        self._jobs = Jobs(self)
        self._key: Hashable = None
        self._known: OrderedDict[Hashable, Counted] = OrderedDict()

    def forget(self) -> None:
        """The voxels are others now."""
        self._known.clear()
        self.stop()

    def stop(self) -> None:
        """Nothing is wanted any more."""
        self._key = None
        self._jobs.cancel()

    def ask(self, image: Image, part: Part, sigma: float = 0.0) -> Counted | None:
        """Return what is known of a part, or begin to count it.

        Parameters
        ----------
        image : Image
            Without channels. The same image until `forget`.
        part : Part
        sigma : float
            Standard deviation of a Gaussian that smooths the image first.
        """
        # Slices have no hash before Python 3.12.
        bounds = None if part.region is None else tuple((p.start, p.stop) for p in part.region)
        key = (bounds, part.time, sigma)
        known = self._known.get(key)
        if known is None:
            self._want(key, partial(_count, image, part, sigma))
            return None
        self._known.move_to_end(key)
        if known.is_complete:
            self.stop()
        else:
            self._want(key, partial(_completed, known))
        return known

    def _want(self, key: Hashable, work: Work) -> None:
        if self._key != key or not len(self._jobs):
            self._start(key, work)

    def _start(self, key: Hashable, work: Work) -> None:
        self._key = key
        self._jobs.start(
            "count",
            work,
            partial(self._on_done, key),
            self.failed.emit,
            on_progress=self.progressed.emit,
        )

    def _on_done(self, key: Hashable, counted: Counted) -> None:
        self._known[key] = counted
        while len(self._known) > _KEPT:
            self._known.popitem(last=False)
        if not counted.is_complete:
            self._start(key, partial(_completed, counted))
        self.counted.emit(counted)


def _part_of(image: Image, part: Part) -> Image:
    if part.time is not None:
        image = image.select_time(part.time)
    return image if part.region is None else image.crop(part.region)


def _voxels(whole: Image, part: Part, sigma: float) -> Iterator[NDArray[np.generic]]:
    """What is counted: a part of the smoothed image, not a smoothed part."""
    if not sigma or part.region is None:
        image = _part_of(whole, part)
        smooth = partial(smoothed_in_type, sigma=sigma, spacing=image.spacing) if sigma else None
        yield from changed_volumes(image, smooth)
        return
    reach = gaussian_halo(sigma, whole.spacing)
    outer = widened(part.region, reach, whole.spatial_shape)
    around = _part_of(whole, Part(outer, part.time))
    inner = tuple(
        slice(own.start - wide.start, own.stop - wide.start)
        for own, wide in zip(part.region, outer, strict=True)
    )
    yield smoothed_in_type(around.volume(), sigma, whole.spacing)[inner]


def _count(whole: Image, part: Part, sigma: float) -> Counted:
    """The histogram, and what is found in it at once."""
    image = _part_of(whole, part)
    total = image.n_times if sigma else count_blocks(image)
    done = 0

    def blocks() -> Iterator[NDArray[np.generic]]:
        nonlocal done
        for block in _voxels(whole, part, sigma):
            yield block
            done += 1
            # Some types are read twice.
            tell((done % total) / total, "Counting grey values")

    histogram = blocks_histogram(blocks)
    methods = [method for method in AUTOMATIC_METHODS if method != SLOW]
    return _with_values(Counted(histogram, {}, {}), methods)


def _completed(counted: Counted) -> Counted:
    return _with_values(counted, [SLOW])


def _with_values(counted: Counted, methods: Sequence[str]) -> Counted:
    values, why_not = dict(counted.values), dict(counted.why_not)
    for method in methods:
        try:
            values[method] = automatic_threshold(counted.histogram, method)
        except InputError as error:
            why_not[method] = str(error)
    return Counted(counted.histogram, values, why_not)
