"""What every method marks on one slice, side by side."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QObject, Signal
from qtpy.QtWidgets import QWidget

from napari_seedbed.core.progress import Progress, Report, ShouldStop, check_stop
from napari_seedbed.errors import InputError
from napari_seedbed.gui.contact_sheet import ContactSheet
from napari_seedbed.gui.jobs import Job
from napari_seedbed.gui.view_position import Part
from napari_seedbed.pipeline import operations
from napari_seedbed.pipeline.image import Image
from napari_seedbed.pipeline.operations import Context
from napari_seedbed.pipeline.parameters import Value


@dataclass(frozen=True)
class Candidate:
    """A method to compare.

    Attributes
    ----------
    title : str
    kind : str
        Name of the operation.
    chosen : dict
        Parameters that make the method this one, to be set in the form.
    parameters : dict
        All that the picture is made with.
    """

    title: str
    kind: str
    chosen: Mapping[str, Value]
    parameters: Mapping[str, Value]


class Comparison(QObject):
    """Makes the pictures beside the window and shows them.

    Notes
    -----
    Signals: `chosen(Candidate)`; `failed(error)`; `ended()` when the pictures are there or not.
    """

    chosen = Signal(object)
    failed = Signal(object)
    ended = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._parent = parent
        self._job: Job | None = None
        self._candidates: list[Candidate] = []
        self.sheet: ContactSheet | None = None

    @property
    def is_busy(self) -> bool:
        """Whether pictures are being made."""
        return self._job is not None

    def show(self, image: Image, part: Part, candidates: Sequence[Candidate]) -> None:
        """Make pictures of what is marked on a part of an image that is flat, and show them."""
        if self._job is not None:
            return
        self._job = Job(
            partial(_pictures, image, part, list(candidates)),
            on_done=self._on_done,
            on_error=self._on_error,
            on_cancelled=self._on_cancelled,
        )
        self._job.start()

    def abandon(self) -> None:
        """Stop for good: the panel is gone."""
        if self._job is not None:
            self._job.abandon()

    def _on_done(self, found: list[tuple[Candidate, NDArray[Any]]]) -> None:
        self._job = None
        self._candidates = [candidate for candidate, _ in found]
        if self.sheet is None:
            self.sheet = ContactSheet(
                "Compare thresholds",
                "Each picture is the slice in view as a method marks it. Click the best one.",
                self._parent.window(),
            )
            self.sheet.chosen.connect(self._on_chosen)
        self.sheet.show_pictures([(candidate.title, mask) for candidate, mask in found])
        self.sheet.show()
        self.sheet.raise_()
        self.ended.emit()

    def _on_error(self, error: BaseException) -> None:
        self._job = None
        self.failed.emit(error)
        self.ended.emit()

    def _on_cancelled(self) -> None:
        self._job = None
        self.ended.emit()

    def _on_chosen(self, index: int) -> None:
        assert self.sheet is not None
        self.sheet.mark(index)
        self.chosen.emit(self._candidates[index])


def _pictures(
    image: Image,
    part: Part,
    candidates: list[Candidate],
    report: Report,
    should_stop: ShouldStop,
) -> list[tuple[Candidate, NDArray[Any]]]:
    found = []
    for nth, candidate in enumerate(candidates):
        check_stop(should_stop)
        operation = operations.get(candidate.kind)
        try:
            result = operations.run(
                operation,
                {"image": image},
                candidate.parameters,
                should_stop=should_stop,
                context=Context(live=True),
                times=part.times,
                region=part.region,
            )
        except InputError:
            # A method that does not work on this image is not offered.
            continue
        marked = result.image(operation.gives)
        if part.time is not None:
            marked = marked.select_time(part.time)
        flat = np.squeeze(marked.volume())
        if flat.ndim != 2:
            flat = marked.volume().reshape(marked.spatial_shape[-2:])
        found.append((candidate, flat.copy()))
        report(Progress((nth + 1) / len(candidates), candidate.title))
    return found
