"""The histogram of colours on screen: of what is in view, with the pixel under the mouse."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from napari.utils.theme import get_theme
from qtpy.QtCore import QObject, Signal

from napari_seedbed.core.colour.colour_histograms import ColourHistogram
from napari_seedbed.core.colour.colour_spaces import ColourSpace, colour_space
from napari_seedbed.errors import InputError
from napari_seedbed.gui.forms.image_choice import ImageChoice
from napari_seedbed.gui.layers.view_position import part_in_view
from napari_seedbed.gui.qt import errors
from napari_seedbed.gui.qt.delays import Delay
from napari_seedbed.gui.qt.jobs import Jobs
from napari_seedbed.gui.tools.colour.chromaticity_form import ChromaticityForm
from napari_seedbed.gui.tools.colour.colour_patches import colour_at, count_shown

if TYPE_CHECKING:
    from napari.viewer import Viewer

LOOK_SECONDS = 0.06


class ShownHistogram(QObject):
    """Counts the colours of what is in view and draws them, and follows the mouse.

    Parameters
    ----------
    viewer : Viewer
    form : ChromaticityForm
    images : ImageChoice
    jobs : Jobs
    say : callable

    Notes
    -----
    Signal: `counted()` when another histogram is shown, or none.
    """

    counted = Signal()

    def __init__(
        self,
        viewer: "Viewer",
        form: ChromaticityForm,
        images: ImageChoice,
        jobs: Jobs,
        say: Callable[[str], None],
    ) -> None:
        super().__init__(form)
        self._viewer, self._form, self._images = viewer, form, images
        self._jobs, self._say = jobs, say
        self.histogram: ColourHistogram | None = None
        self._key: tuple[Any, ...] = ()
        self._fit_next = True
        self._delay = Delay(self, LOOK_SECONDS, self._count)
        form.extent.currentIndexChanged.connect(self.look_again)
        viewer.dims.events.point.connect(self.look_again)
        viewer.dims.events.ndisplay.connect(self.look_again)
        viewer.cursor.events.position.connect(self._on_cursor)
        viewer.events.theme.connect(self._show_theme)
        self._show_theme()

    def look_again(self, *_: Any) -> None:
        """What is counted may be another now."""
        self._delay.start()

    def begin(self) -> None:
        """Another image or other coordinates: all colours shall come into view."""
        self._fit_next = True
        self.clear()
        self._form.colour_plot.show_cursor(None)
        self.look_again()

    def clear(self) -> None:
        """Show nothing."""
        self.histogram, self._key = None, ()
        self._form.colour_plot.show_histogram(None, fit=False)
        self._form.colour_plot.show_patches([])

    def channel_names(self) -> list[str]:
        """Names of the channels that count."""
        n_channels = self._images.image().n_channels
        chosen = [choice.name for choice in self._form.channels.choices()]
        if len(chosen) == n_channels:
            return chosen
        return [f"channel {i + 1}" for i in range(n_channels)]

    def _count(self) -> None:
        """Count what is in view, unless that is counted already."""
        if self._images.watched is None or not self._form.isVisible():
            return
        try:
            image, space = self._images.image(), self._space()
            part = part_in_view(self._viewer, self._images.layer, image, None)
        except errors.MESSAGE_ONLY as error:
            self._say(errors.message_of(error))
            self.clear()
            self.counted.emit()
            return
        if str(self._form.extent.currentData()) == "volume":
            part = replace(part, region=None)
        key = (image, space, part)
        if key == self._key:
            return
        self._key = key
        self._jobs.start(
            "count", partial(count_shown, image, part, space), self._on_counted, self._on_error
        )

    def _on_counted(self, histogram: ColourHistogram) -> None:
        self.histogram = histogram
        self._form.colour_plot.show_histogram(histogram, self._axis_names(), fit=self._fit_next)
        self._fit_next = False
        self.counted.emit()

    def _on_error(self, error: BaseException) -> None:
        self._say(errors.show(error))
        self.clear()

    def _space(self) -> ColourSpace:
        """The two coordinates that are shown."""
        name = str(self._form.space.currentData())
        n_channels = self._images.image().n_channels
        pair = self._form.pair.pair()
        if n_channels < 2:
            raise InputError("A colour needs at least two channels: choose more of them.")
        if name in ("rg", "channels") and pair[0] == pair[1]:
            raise InputError("Pair: choose two different channels.")
        parameters = self._form.own_parameters()
        return colour_space(
            "hue_saturation" if name == "hue" else name,
            n_channels,
            pair if name in ("rg", "channels") else None,
            parameters["black_level"],
            parameters["saturation_level"] or None,
        )

    def _axis_names(self) -> tuple[str, str]:
        name = str(self._form.space.currentData())
        if name in ("hue", "hue_saturation"):
            return "hue", "saturation"
        names, pair = self.channel_names(), self._form.pair.pair()
        first, second = (names[i] for i in pair)
        if name == "channels":
            return first, second
        if len(names) == 3 and pair == (0, 1):
            return "r", "g"
        return f"share of {first}", f"share of {second}"

    def _on_cursor(self, event: Any = None) -> None:
        layer = self._images.watched
        if layer is None or self.histogram is None or not self._form.isVisible():
            return
        try:
            space = self.histogram.bins.space
            place = colour_at(self._images.image(), layer, self._viewer.cursor.position, space)
        except InputError:
            place = None
        self._form.colour_plot.show_cursor(place)

    def _show_theme(self, event: Any = None) -> None:
        theme = get_theme(self._viewer.theme)
        self._form.colour_plot.show_theme(
            {"background": theme.background.as_hex(), "text": theme.text.as_hex()}
        )
