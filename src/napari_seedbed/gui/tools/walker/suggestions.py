"""Suggestions: the place whose answer would change most, and after a stroke there the next one."""

from collections.abc import Callable
from typing import Any

import numpy as np
from napari.components import ViewerModel
from napari.layers import Layer
from numpy.typing import NDArray
from qtpy.QtCore import QObject

from napari_seedbed.core.walker.uncertain_regions import UncertainRegion
from napari_seedbed.errors import InputError
from napari_seedbed.gui.forms.image_choice import ImageChoice
from napari_seedbed.gui.layers.seed_layers import seeds_image
from napari_seedbed.gui.layers.view_position import (
    show_place,
    slice_on_screen,
    take_brush,
    time_on_screen,
)
from napari_seedbed.gui.qt.delays import Delay
from napari_seedbed.gui.qt.jobs import Jobs
from napari_seedbed.gui.tools.walker.suggested_outline import SuggestedOutline
from napari_seedbed.gui.tools.walker.uncertain_places import Doubt, UncertainPlaces, question
from napari_seedbed.pipeline.operations import Result

LOOK_SECONDS = 1.0
"""So long the answer is on screen before the next question takes the view elsewhere."""


class Suggestions(QObject):
    """Asks one question after the other.

    Parameters
    ----------
    viewer : ViewerModel or Viewer
    images : ImageChoice
    jobs : Jobs
    say : callable
        Called with the question.
    ask : callable
        Called for the next one, after a stroke has answered the last.
    on_error : callable
    parent : QObject
    """

    def __init__(
        self,
        viewer: ViewerModel,
        images: ImageChoice,
        jobs: Jobs,
        say: Callable[[str], None],
        ask: Callable[[], None],
        on_error: Callable[[BaseException], None],
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._viewer, self._images, self._say, self._ask = viewer, images, say, ask
        self.outline = SuggestedOutline(viewer)
        self.places = UncertainPlaces(jobs, self._on_found, on_error)
        self._next = Delay(self, LOOK_SECONDS, self._on_rest)
        self._seeds: Layer | None = None
        self._background = 0
        self._asked: tuple[UncertainRegion, int | None] | None = None
        self._marked: NDArray[np.integer] | None = None
        self._is_answered = self._is_drawing = False

    @property
    def is_asking(self) -> bool:
        """Whether there is a question that no stroke has answered yet."""
        return self._asked is not None and not self._is_answered

    # What happens to it

    def find(self, result: Result, seeds: Layer | None, background: int) -> None:
        """Search beside the window in a result that knows its doubts, and go there."""
        image = self._images.layer
        t = time_on_screen(self._viewer, image)
        parts = [result.image(name) for name in ("uncertainty", "labels", "second_label")]
        shown = [part if t is None else part.select_time(t) for part in parts]
        doubt, labels, second = (part.volume() for part in shown)
        place = slice_on_screen(self._viewer, image)
        across = None if place is None or doubt.ndim == 2 else place[0]
        self._seeds, self._background = seeds, background
        self._next.stop()
        self._say("Looking for the place whose answer would change most…")
        self.places.find(Doubt(doubt, labels, second, shown[0].spacing, t, across))

    def on_drawing(self, on: bool) -> None:
        """A stroke begins or ends: nothing takes the view away meanwhile."""
        self._is_drawing = on
        if self._next.is_waiting:
            self._next.start()

    def on_seeds_changed(self) -> None:
        """See whether the question is answered."""
        if self._next.is_waiting:
            self._next.start()
        if not self.is_asking:
            return
        marks = self._marks()
        if marks is not None and self._marked is not None and (marks != self._marked).any():
            self._is_answered = True
            self.outline.hide()

    def on_exact(self) -> None:
        """What is shown counts every stroke: ask the next question after a moment."""
        if self._is_answered:
            self._is_answered, self._asked = False, None
            self._next.start()

    def forget(self) -> None:
        """Ask nothing: another image, or other seeds."""
        self.places.forget()
        self.stop()

    def stop(self) -> None:
        """Drop the question, and a search in progress."""
        self.places.stop()
        self._next.stop()
        self._asked = self._marked = None
        self._is_answered = False
        self.outline.remove()

    # How it works

    def _on_rest(self) -> None:
        if self._is_drawing:
            self._next.start()
        else:
            self._ask()

    def _on_found(self, region: UncertainRegion | None, t: int | None) -> None:
        if region is None:
            self.outline.remove()
            self._asked = None
            self._say("No uncertain place is left that you have not seen.")
            return
        layer = self._images.layer
        self.outline.show(region, self._images.image(), layer, t)
        show_place(self._viewer, layer, region.center, t)
        self._asked, self._is_answered = (region, t), False
        self._marked = self._marks()
        if self._seeds is not None:
            take_brush(self._viewer, self._seeds)
        self._say(question(region, self._background))

    def _marks(self) -> NDArray[np.integer] | None:
        """The seeds in the box of the region that was asked about."""
        if self._seeds is None or self._asked is None or self._images.watched is None:
            return None
        region, t = self._asked
        try:
            seeds = seeds_image(self._seeds, self._images.layer)
        except InputError:
            return None  # a run says what is wrong with them
        part: Any = seeds if t is None else seeds.select_time(t)
        return np.array(part.crop(region.box).array)
