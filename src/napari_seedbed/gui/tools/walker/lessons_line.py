"""What was learnt on images before: a line that says what counts, keeps more of it, and forgets."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QWidget

from napari_seedbed.errors import InputError
from napari_seedbed.gui.forms.image_choice import ImageChoice
from napari_seedbed.gui.qt.controls import button, in_column, in_row
from napari_seedbed.gui.qt.run_controls import wrapped_label
from napari_seedbed.gui.tools.walker.seeded_session import SeededSession
from napari_seedbed.pipeline.encodings.learnt_text import LEARNT
from napari_seedbed.pipeline.encodings.lesson_encoding import lesson_as_text, lesson_from_text

if TYPE_CHECKING:
    from napari_seedbed.core.seeded.lessons import Lesson

TITLE = "Training data"
NOTHING = "Nothing yet."
TEACHES_NOTHING = "Nothing was learnt: mark objects and background, at one time point at least."


class LessonsLine(QWidget):
    """Keeps what each image taught, for the others of its kind.

    Parameters
    ----------
    images : ImageChoice
    session : SeededSession
        Knows what the result that is shown teaches.
    when_exact : callable
        Calls a function as soon as that result is exact.
    say : callable
        Called with a sentence of what happened.

    Attributes
    ----------
    training : str
        The parameter: all that counts for the chosen image.

    Notes
    -----
    Signal: `changed()` when the chosen image would come out otherwise now.
    """

    changed = Signal()

    def __init__(
        self,
        images: ImageChoice,
        session: SeededSession,
        when_exact: Callable[[Callable[[], None]], None],
        say: Callable[[str], None],
    ) -> None:
        super().__init__()
        self._images, self._session, self._say = images, session, say
        # By layer; an image does not learn from itself.
        self._kept: dict[str, tuple[str, Lesson]] = {}
        self.training = ""
        self.shown = wrapped_label(NOTHING)
        self.keep = button(
            "Keep for the next image",
            "Let the next images of this kind learn from the strokes on this one: they need fewer.",
        )
        self.forget = button("Forget", "Learn from the image's own strokes alone again.")
        in_column(self, self.shown, in_row(self.keep, self.forget), spacing=2)
        self.keep.clicked.connect(lambda: when_exact(self._keep))
        self.forget.clicked.connect(lambda: self.take_from("", {}))
        images.chosen.connect(self._look)
        images.changed.connect(self._look)
        self._look()

    def take_from(self, name: str, parameters: Mapping[str, Any]) -> None:
        """Forget everything but what the parameters of a recipe hold, if anything."""
        lesson = lesson_from_text(str(parameters.get(LEARNT, "")))
        self._kept = {} if lesson is None else {"": (name, lesson)}
        before = self.training
        self._look()
        if self.training != before:
            self.changed.emit()

    def _keep(self) -> None:
        layer, lesson = self._images.layer, self._session.lesson()
        if lesson is None:
            self._say(TEACHES_NOTHING)
            return
        self._kept[str(layer.unique_id)] = (layer.name, lesson)
        self._look()
        self._say(f"Kept for the next image: {len(lesson.is_background):,} voxels.")

    def _look(self, *args: Any) -> None:
        """Find out what counts for the chosen image."""
        counting, own = [], ""
        with suppress(InputError):  # the panel says what is wrong with an image
            layer, image = self._images.layer, self._images.image()
            own = str(layer.unique_id)
            counting = [
                (name, lesson)
                for key, (name, lesson) in self._kept.items()
                if key != own and lesson.fits(image.spatial_shape, image.n_channels)
            ]
        self.training = ""
        if counting:
            lesson = counting[0][1].joined(*(other for _, other in counting[1:]))
            self.training = lesson_as_text(lesson)
            names = ", ".join(name for name, _ in counting)
            self.shown.setText(f"From {names}, {len(lesson.is_background):,} voxels.")
        elif own in self._kept:
            count = np.size(self._kept[own][1].is_background)
            self.shown.setText(f"From this image, {count:,} voxels, for the next one.")
        else:
            self.shown.setText("Nothing from images of this kind." if self._kept else NOTHING)
        self.forget.setEnabled(bool(self._kept))
