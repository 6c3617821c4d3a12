"""What an operation would give on the slice in view, shown while parameters and sliders move."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from napari.components import ViewerModel
from napari.layers import Image as ImageLayer
from napari.layers import Labels, Layer
from qtpy.QtCore import QObject, Signal

from napari_seedbed.gui.forms.operation_results import in_words, labels_in_words
from napari_seedbed.gui.layers.covered_layers import CoveredLayers
from napari_seedbed.gui.layers.image_layers import ChannelChoice
from napari_seedbed.gui.layers.layer_records import PREVIEW
from napari_seedbed.gui.layers.output_layers import Origin, OutputLayers
from napari_seedbed.gui.layers.resolutions import (
    Inputs,
    image_for_statistics,
    inputs_at,
    level_count,
    level_in_view,
    part_on_screen,
    resolution_in_words,
)
from napari_seedbed.gui.layers.seeds_watch import move_connections
from napari_seedbed.gui.layers.view_position import Part, part_in_view
from napari_seedbed.gui.qt import errors
from napari_seedbed.gui.qt.delays import Delay
from napari_seedbed.gui.qt.jobs import Jobs
from napari_seedbed.pipeline import operations
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.data.memory import seconds_in_words
from napari_seedbed.pipeline.data.shapes import Shapes
from napari_seedbed.pipeline.data.tables import Points
from napari_seedbed.pipeline.engine.windows import window_of
from napari_seedbed.pipeline.operations import Context, Operation, Result

LOOK_SECONDS = 0.05
WHOLE_SECONDS = 2.0
"""Where a whole volume takes longer than this, a preview would lag behind the sliders."""
SLICE_SECONDS = 10.0
"""A slice is worth waiting for: nothing quicker shows the same."""


@dataclass(frozen=True, eq=False)
class Asked:
    """What a preview shall show.

    Attributes
    ----------
    operation : Operation or str
    inputs : dict
        As for `operations.run`: all slices and time points.
    parameters : dict
    like : Image or Labels layer
        The layer that `inputs['image']` was made from.
    time_axis : int or None
        The layer's axis that is time, where its axis labels do not say so.
    title : str
        What the preview is of; its layer is called 'TITLE (preview)'.
    choices : sequence of ChannelChoice
        The channels that `inputs['image']` holds; empty for all of the layer.
    """

    operation: Operation | str
    inputs: Mapping[str, Image | Shapes]
    parameters: Mapping[str, Any]
    like: Layer
    time_axis: int | None
    title: str
    choices: Sequence[ChannelChoice] = ()


@dataclass(frozen=True)
class _Wish:
    """What to show, and the part of it that is on screen."""

    asked: Asked
    operation: Operation
    part: Part
    # counted down from the full resolution
    level: int = 0

    @property
    def image(self) -> Image:
        """The main input, in full resolution."""
        image = self.asked.inputs["image"]
        assert isinstance(image, Image)
        return image

    @property
    def resolution(self) -> str:
        """``1/4 resolution``; empty for an image that has only one."""
        like = self.asked.like
        return resolution_in_words(like, self.level) if level_count(like) > 1 else ""

    def inputs(self) -> Inputs:
        """What the operation is given."""
        asked = self.asked
        if self.level == 0:
            return asked.inputs
        return inputs_at(asked.inputs, asked.like, asked.choices, asked.time_axis, self.level)

    def statistics(self) -> Image | None:
        """What stands for the whole image, where that is too large to be read for a preview."""
        asked = self.asked
        if level_count(asked.like) == 1 or "seeds" in asked.inputs:
            return None
        return image_for_statistics(asked.like, asked.choices, asked.time_axis)


class LivePreview(QObject):
    """Shows what an operation would give, on the slice in view, voxel by voxel the same.

    Of an image in a file it shows what the window shows: the part that is zoomed to, and of several
    resolutions the one that napari draws, or a lower one where that takes too long.

    It follows the sliders of the viewer by itself; `look_again` is for whatever else changes what
    there is to see. One run goes on at a time: a newer wish stops the older run and takes its
    place. Where only a run on the whole volume gives the voxels of a slice, or in the 3D display,
    the whole volume is run if that is quick; otherwise a sentence says why nothing is shown.

    Parameters
    ----------
    viewer : ViewerModel or Viewer
    ask : callable
        Returns what to show now; None for nothing. It may raise `InputError`, which is said.
    say : callable
        Called with a sentence of what the preview shows, or why it shows nothing.

    Notes
    -----
    Signals: `shown()` when its layers show something new; `cleared()` when they are gone.
    """

    shown = Signal()
    cleared = Signal()

    def __init__(
        self,
        viewer: ViewerModel,
        ask: Callable[[], Asked | None],
        say: Callable[[str], None],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._viewer, self._ask, self._say = viewer, ask, say
        self._outputs = OutputLayers(viewer)
        self._covered = CoveredLayers(viewer)
        self._layers: list[Layer] = []
        self._limits: dict[Layer, tuple[float, float]] = {}
        self._is_on = False
        self._said = ""
        self._jobs = Jobs(self)
        # The newest wish, until it is answered.
        self._coming: _Wish | None = None
        self._shown: Asked | None = None
        # where the answer is right, and for which resolution in view
        self._known: tuple[int, Part] | None = None
        self._followed: Layer | None = None
        self._is_forced = False
        self._delay = Delay(self, LOOK_SECONDS, self._look)

    # For panels

    @property
    def is_on(self) -> bool:
        """Whether it follows."""
        return self._is_on

    @property
    def is_busy(self) -> bool:
        """Whether a run or a look is under way."""
        return len(self._jobs) > 0 or self._delay.is_waiting

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The layers that show the preview now."""
        return tuple(layer for layer in self._layers if layer in self._viewer.layers)

    def set_on(self, on: bool) -> None:
        """Begin to follow, or stop and take the preview away."""
        if on == self._is_on:
            return
        self._is_on = on
        dims = self._viewer.dims.events
        for event in (dims.point, dims.ndisplay, dims.order):
            (event.connect if on else event.disconnect)(self._delay.start_once)
        if on:
            self.look_again()
        else:
            self._follow_layer(None)
            self.finish()

    def look_again(self) -> None:
        """Something changed that is seen in the preview: parameters, an input, the operation."""
        if self._is_on:
            self._is_forced = True
            self._delay.start()

    def finish(self) -> None:
        """Stop and take the preview away; it comes back with `look_again` while it is on."""
        self._delay.stop()
        self._is_forced = False
        self._stop()
        self._clear()

    def close(self) -> None:
        """Stop for good, without a word: the panel is gone."""
        self._say = _say_nothing
        self._ask = _ask_nothing
        self.set_on(False)
        self._jobs.close()

    # What to run

    def _look(self) -> None:
        is_forced, self._is_forced = self._is_forced, False
        try:
            wish = self._wish()
        except errors.MESSAGE_ONLY as error:
            self._stop()
            self._clear()
            self._tell(errors.message_of(error))
            return
        if wish is None:
            self._stop()
            self._clear()
            return
        if wish.operation.gives == "table":
            self._stop()
            self._clear()
            self._tell("A table has no preview: press Run.")
            return
        self._follow_layer(wish.asked.like if wish.image.is_lazy else None)
        if not is_forced and self._is_known(wish):
            return
        self._start(wish, wish.level)

    def _start(self, wish: _Wish, level: int) -> None:
        """Work on what is wished for in a resolution, that in view or a lower one."""
        self._coming = wish
        work = replace(wish, level=level)
        self._jobs.start(
            "look",
            partial(_compute, work),
            partial(self._on_done, wish, work),
            partial(self._on_error, wish),
        )

    def _follow_layer(self, layer: Layer | None) -> None:
        """Look again when another part of this image, or another resolution, is in view."""
        if layer is not self._followed:
            move_connections(self._followed, layer, ("set_data",), self._delay.start_once)
            self._followed = layer

    def _is_known(self, wish: _Wish) -> bool:
        """Whether the answer for this place is shown, or on its way."""
        if self._coming is not None:
            return (self._coming.level, self._coming.part) == (wish.level, wish.part)
        if self._known is None:
            return False
        level, part = self._known
        return level == wish.level and part.covers(wish.part)

    def _wish(self) -> _Wish | None:
        asked = self._ask()
        if asked is None:
            return None
        operation = asked.operation
        if isinstance(operation, str):
            operation = operations.get(operation)
        image = asked.inputs["image"]
        assert isinstance(image, Image)
        if operation.whole or operation.series:
            return _Wish(asked, operation, Part())
        level = level_in_view(asked.like, asked.choices)
        if not image.is_lazy:
            part = part_in_view(self._viewer, asked.like, image, asked.time_axis)
        else:
            part = part_on_screen(self._viewer, asked.like, image, asked.time_axis, level)
        return _Wish(asked, operation, part, level)

    def _stop(self) -> None:
        self._coming = None
        self._jobs.cancel()

    # What comes out

    def _on_done(self, wish: _Wish, work: _Wish, answer: "_Answer") -> None:
        if answer.is_too_fine:
            self._start(wish, work.level + 1)
            return
        self._coming = None
        if answer.result is None:
            self._refuse(wish)
            self._tell(answer.text)
        elif wish.asked.like in self._viewer.layers:
            self._show(wish, answer.result)
            self._tell(answer.text)
            self._known = wish.level, wish.part
        if answer.covers_all:
            self._known = wish.level, Part(None, wish.part.time)

    def _refuse(self, wish: _Wish) -> None:
        self._clear()
        # What is refused for a volume may do for each of its slices.
        if wish.part.region is not None:
            self._known = wish.level, wish.part

    def _on_error(self, wish: _Wish, error: BaseException) -> None:
        self._coming = None
        self._refuse(wish)
        if isinstance(error, errors.MESSAGE_ONLY):
            self._tell(errors.message_of(error))
        else:
            self._tell(errors.show(error))

    def _show(self, wish: _Wish, result: Result) -> None:
        operation, asked = wish.operation, wish.asked
        image = asked.inputs["image"]
        assert isinstance(image, Image)
        moved_only = self._shown is not None and self._shown.parameters == asked.parameters
        before, self._layers = self.layers, []
        output = result.outputs[operation.gives]
        if isinstance(output, Image | Shapes | Points):
            origin = Origin(
                asked.like, image, asked.choices, asked.time_axis, wish.part.time, operation.whole
            )
            self._layers = self._outputs.show(
                operation.gives,
                output,
                origin,
                name=_preview_name(asked),
                record=PREVIEW,
                slot=f"preview {id(self)}",
            )
        for layer in before:
            if layer not in self._layers and layer in self._viewer.layers:
                self._viewer.layers.remove(layer)
        self._shown = asked
        if any(isinstance(layer, Labels) for layer in self._layers) and not before:
            self._covered.cover([asked.like, *(choice.layer for choice in asked.choices)])
        for layer in self._layers:
            layer.editable = False
            if isinstance(layer, ImageLayer) and not layer.rgb:
                self._fit_contrast(layer, keep=moved_only)
        self.shown.emit()

    def _fit_contrast(self, layer: ImageLayer, *, keep: bool) -> None:
        """All that the slice holds; wider from slice to slice, anew with each parameter.

        Limits that a person has set stay.
        """
        last = self._limits.get(layer)
        if last is not None and tuple(layer.contrast_limits) != last:
            return
        data = np.asarray(layer.data)
        low, high = float(np.nanmin(data)), float(np.nanmax(data))
        if keep and last is not None:
            low, high = min(low, last[0]), max(high, last[1])
        if np.isfinite([low, high]).all() and low < high:
            layer.contrast_limits_range = (low, high)
            layer.contrast_limits = (low, high)
        self._limits[layer] = tuple(layer.contrast_limits)

    def _clear(self) -> None:
        self._shown = self._known = None
        for layer in self.layers:
            self._viewer.layers.remove(layer)
        if self._layers:
            self._layers = []
            self.cleared.emit()
        self._covered.uncover()
        self._limits = {}
        self._tell("")

    def _tell(self, text: str) -> None:
        # An empty line must not wipe out what somebody else has said.
        if text != self._said:
            self._said = text
            self._say(text)


def _preview_name(asked: Asked) -> str:
    # braces in the title of a layer are no places to fill in
    title = asked.title.replace("{", "{{").replace("}", "}}")
    return f"{title} (preview)"


@dataclass(frozen=True, eq=False)
class _Answer:
    """A result of the slice, or of all slices, and what to say about it; or why there is none."""

    result: Result | None
    covers_all: bool
    text: str
    # a lower resolution may do
    is_too_fine: bool = False


def _compute(wish: _Wish) -> _Answer:
    """Run, or say why not; looks at what it costs first, which may count all seeds."""
    asked, operation, region = wish.asked, wish.operation, wish.part.region
    inputs = wish.inputs()
    image = inputs["image"]
    assert isinstance(image, Image)
    if region is not None:
        parameters = operation.defaults(image.spacing) | dict(asked.parameters)
        if window_of(operation, image, parameters, region).whole:
            # All of it is worked on anyway: show all, and moving through it costs nothing.
            region = None
    cost = operations.forecast(
        operation, inputs, asked.parameters, times=wish.part.times, region=region
    )
    is_slice = region is not None or len(image.spatial_shape) == 2
    is_long = cost.seconds > (SLICE_SECONDS if is_slice else WHOLE_SECONDS)
    may_be_coarser = operation.scope == "volume" and wish.level + 1 < level_count(asked.like)
    if (is_long or not cost.fits) and may_be_coarser:
        return _Answer(None, False, "", is_too_fine=True)
    if is_long:
        covers_all = region is None and wish.part.region is not None
        return _Answer(None, covers_all, _too_long(wish, is_slice, cost.seconds))
    result = operations.run(
        operation,
        inputs,
        asked.parameters,
        context=Context(live=True),
        times=wish.part.times,
        region=region,
        statistics=wish.statistics(),
    )
    counted = _counted(wish, result, covers_all=region is None)
    return _Answer(result, region is None, " ".join([*counted, *result.record["notes"]]))


def _too_long(wish: _Wish, is_slice: bool, seconds: float) -> str:
    time = seconds_in_words(seconds)
    if wish.operation.series or wish.operation.whole:
        return f"No preview: it needs the whole series, which takes about {time}. Press Run."
    if is_slice:
        what = "image" if wish.part.region is None else "slice"
        return f"No preview: this {what} takes about {time}. Press Run."
    if wish.part.region is not None:
        return f"No preview: it needs the whole volume, which takes about {time}. Press Run."
    return (
        f"No preview: the whole volume takes about {time}. Switch to the 2D display to see one "
        "slice, or press Run."
    )


def _counted(wish: _Wish, result: Result, *, covers_all: bool) -> list[str]:
    """``Preview at 1/4 resolution: 12 objects in view.``, as far as there is something to say."""
    output, found = result.outputs[wish.operation.gives], ""
    if isinstance(output, Points):
        found = in_words(len(output), "point")
    elif isinstance(output, Shapes):
        found = in_words(len(output.shapes), "shape")
    elif wish.operation.gives == "labels" and isinstance(output, Image):
        voxels = np.asarray(output.array)
        found = labels_in_words(len(np.unique(voxels[voxels > 0])))
    here = "in view" if wish.image.is_lazy else "on this slice"
    begin = f"Preview at {wish.resolution}" if wish.resolution else "Preview"
    if found:
        return [f"{begin}: {found} {'in the image' if covers_all else here}."]
    return [f"{begin}."] if wish.resolution else []


def _say_nothing(text: str) -> None:
    pass


def _ask_nothing() -> None:
    return None
