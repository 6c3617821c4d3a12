"""What every method marks on one slice, side by side."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QObject, Signal
from qtpy.QtWidgets import QWidget

from napari_seedbed.core.progress import check_stop
from napari_seedbed.errors import InputError
from napari_seedbed.gui.forms.contact_sheet import ContactSheet
from napari_seedbed.gui.layers.view_position import Part
from napari_seedbed.gui.qt import errors
from napari_seedbed.gui.qt.jobs import Jobs
from napari_seedbed.pipeline import operations
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.engine.parameters import Value
from napari_seedbed.pipeline.operations import Context

_PICTURES = "pictures"


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

    Parameters
    ----------
    parent : QWidget
    jobs : Jobs
    say : callable
        Called with what happens.

    Notes
    -----
    Signal: `chosen(Candidate)`.
    """

    chosen = Signal(object)

    def __init__(self, parent: QWidget, jobs: Jobs, say: Callable[[str], None]) -> None:
        super().__init__(parent)
        self._parent, self._jobs, self._say = parent, jobs, say
        self._candidates: list[Candidate] = []
        self.sheet: ContactSheet | None = None

    @property
    def is_busy(self) -> bool:
        """Whether pictures are being made."""
        return _PICTURES in self._jobs

    def show(self, image: Image, part: Part, candidates: Sequence[Candidate]) -> None:
        """Make pictures of what is marked on a part of an image that is flat, and show them."""
        if not self.is_busy:
            work = partial(_pictures, image, part, list(candidates))
            self._say("Making pictures of all methods…")
            self._jobs.start(_PICTURES, work, self._on_done, self._on_error)

    def _on_done(self, found: list[tuple[Candidate, NDArray[Any]]]) -> None:
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
        self._say("Click the picture that fits best.")

    def _on_error(self, error: BaseException) -> None:
        self._say(errors.show(error))

    def _on_chosen(self, index: int) -> None:
        assert self.sheet is not None
        self.sheet.mark(index)
        self.chosen.emit(self._candidates[index])


def _pictures(
    image: Image, part: Part, candidates: list[Candidate]
) -> list[tuple[Candidate, NDArray[Any]]]:
    found = []
    for candidate in candidates:
        check_stop()
        operation = operations.get(candidate.kind)
        try:
            result = operations.run(
                operation,
                {"image": image},
                candidate.parameters,
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
    return found
