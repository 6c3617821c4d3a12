"""The rows of a form that say what an operation works on: image, channels, seeds, shapes …"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from napari.components import ViewerModel
from napari.layers import Image as ImageLayer
from napari.layers import Labels, Layer, Points
from napari.layers import Shapes as ShapesLayer
from qtpy.QtCore import Signal
from qtpy.QtGui import QShowEvent
from qtpy.QtWidgets import QComboBox, QWidget

from napari_seedbed.errors import InputError
from napari_seedbed.gui.forms.image_choice import IMAGE_EVENTS
from napari_seedbed.gui.forms.layer_choice import ChannelBoxes, LayerCombo
from napari_seedbed.gui.forms.preparation import trials
from napari_seedbed.gui.layers.grids import layer_axes, level_0
from napari_seedbed.gui.layers.image_layers import (
    ChannelChoice,
    add_seeds_layer,
    channel_choices,
    image_from_layers,
    image_of,
)
from napari_seedbed.gui.layers.layer_records import (
    is_preview,
    is_result,
    is_seeds,
    is_truth,
    record_of,
)
from napari_seedbed.gui.layers.seed_layers import label_count, seeds_image
from napari_seedbed.gui.layers.seeds_watch import SeedsWatch, move_connections
from napari_seedbed.gui.layers.shape_layers import shapes_of
from napari_seedbed.gui.layers.shape_results import is_snake_shapes, new_shapes_layer
from napari_seedbed.gui.qt import errors
from napari_seedbed.gui.qt.controls import button, form_rows, in_row
from napari_seedbed.gui.qt.run_controls import wrapped_label
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.data.shapes import Shapes
from napari_seedbed.pipeline.engine.declarations import Operation, Voxels

NONE = "none"
_SEEDS_TIP = "Marks, one label for each object: a Labels layer, Points, or Shapes."
_SHAPES_TIP = "Outlines drawn on the image."


@dataclass(frozen=True, eq=False)
class Given:
    """What an operation is given, and where it came from.

    Attributes
    ----------
    inputs : dict
        As for `operations.run`.
    like : Image or Labels layer
        The main layer.
    choices : sequence of ChannelChoice
        The channels of `inputs['image']`; empty for all of the layer.
    time_axis : int or None
        The main layer's axis that is time, where its axis labels do not say so.
    """

    inputs: Mapping[str, Image | Shapes]
    like: Layer
    choices: Sequence[ChannelChoice]
    time_axis: int | None

    @property
    def image(self) -> Image:
        """The main input."""
        image = self.inputs["image"]
        assert isinstance(image, Image)
        return image


class OperationInputs(QWidget):
    """Chooses the layers that an operation works on.

    Parameters
    ----------
    viewer : ViewerModel or Viewer
    operation : Operation
    one_channel : bool
        Whether only one channel is worked on at a time.

    Notes
    -----
    Signals: `image_chosen(layer or None)`; `changed()` when a run would be given something else.
    Changes of voxels and marks are noticed while they are watched, or once they are again.
    """

    image_chosen = Signal(object)
    changed = Signal()

    def __init__(
        self, viewer: ViewerModel, operation: Operation, *, one_channel: bool = False
    ) -> None:
        super().__init__()
        self._viewer, self._operation = viewer, operation
        self.channels = ChannelBoxes(only_one=one_channel)
        self._is_paused, self._is_missed = True, False
        self._given: Given | None = None
        self._watched: list[Layer] = []
        self._watches: list[SeedsWatch] = []
        self._starts = operation.one_of
        self._build()
        self.image.layer_chosen.connect(self._on_image_chosen)
        self.channels.chosen.connect(self._on_changed)
        self.times.activated.connect(self._on_changed)
        for signal in (self.image_chosen, self.channels.chosen, self.times.activated):
            signal.connect(self._prepare)
        for combo in self.others.values():
            combo.layer_chosen.connect(self._on_changed)

    def _build(self) -> None:
        labels = self._operation.image_kind == "labels"
        self.image = (
            LayerCombo("make labels first", "The labels or the mask to work on.")
            if labels
            else LayerCombo("open an image first", "The image to work on.")
        )
        each = self._operation.channels == "each"
        self.channels.setToolTip(
            "Each channel gives a result of its own."
            if each
            else "Channels that are used together."
        )
        self.times = QComboBox()
        self.times.setToolTip("Which axis of the image is time; its axis labels do not say.")
        self.rows = form_rows(
            ("Labels" if labels else "Image", self.image),
            ("Channels", self.channels),
            ("Time axis", self.times),
        )
        # by role; 'start' is the one that gives either seeds or shapes
        self.others: dict[str, LayerCombo] = {}
        if "other" in self._operation.roles:
            self._add_other()
        if self._starts:
            self._add_marks("start", "Start from", _SEEDS_TIP, self._starts[0])
        for role, title, tip in (("seeds", "Seeds", _SEEDS_TIP), ("shapes", "Shapes", _SHAPES_TIP)):
            if role in self._operation.roles and role not in self._starts:
                self._add_marks(role, title, tip, role)
        self.setLayout(self.rows)

    def _add_other(self) -> None:
        kind = self._operation.other_kind
        nothing = "open another image first" if kind == "image" else "make labels first"
        none = NONE if "other" in self._operation.optional else ""
        combo = LayerCombo(nothing, self._operation.other_title, none)
        title = self._operation.other_title
        if len(title) > 14:
            # in the narrow dock a long title would leave no room for the layer's name
            self.rows.addRow(wrapped_label(title))
            self.rows.addRow(combo)
        else:
            self.rows.addRow(title, combo)
        self.others["other"] = combo

    def _add_marks(self, role: str, title: str, tip: str, drawn: str) -> None:
        combo = LayerCombo("none yet", tip, NONE if role in self._operation.optional else "")
        new = button("New", f"Make an empty layer on the image to draw {drawn} on.")
        new.clicked.connect(partial(self._make_marks, role, drawn))
        self.rows.addRow(title, in_row((combo, 1), new))
        self.others[role] = combo

    # What there is to choose from

    def offer(self) -> None:
        """Offer the layers that there are now, and take the selected one at first.

        Of images, results come last; of labels, the newest result comes first, since chains of
        operations go on from there.
        """
        layers = [layer for layer in self._viewer.layers if not is_preview(layer)]
        kind = Labels if self._operation.image_kind == "labels" else ImageLayer
        mains = [layer for layer in layers if isinstance(layer, kind)]
        if kind is Labels:
            mains.reverse()
            mains.sort(key=_rank_of_objects)
            if self._is_other_newer:
                mains[:2] = reversed(mains[:2])
        else:
            mains.sort(key=is_result)
        self.image.set_layers(mains, self._viewer.layers.selection.active)
        self._offer_channels()
        self._offer_others(layers)

    def _offer_others(self, layers: Sequence[Layer] | None = None) -> None:
        if layers is None:
            layers = [layer for layer in self._viewer.layers if not is_preview(layer)]
        main = self.image.layer()
        for role, combo in self.others.items():
            kinds: Any = {
                "start": Labels | Points | ShapesLayer,
                "seeds": Labels | Points | ShapesLayer,
                "shapes": ShapesLayer,
                "other": ImageLayer if self._operation.other_kind == "image" else Labels,
            }[role]
            fitting = [layer for layer in layers if isinstance(layer, kinds)]
            # another one than the main layer, unless somebody chooses that
            fitting.sort(key=lambda layer: layer is main)
            if kinds is ImageLayer:
                # an image that was made of this one is none to compare it with
                fitting.sort(key=is_result)
            if role != "other":
                fitting.sort(key=rank_of_marks)
            elif self._is_other_newer:
                fitting.reverse()
                fitting.sort(key=_rank_of_objects)
            combo.set_layers_for(main, fitting)

    @property
    def _is_other_newer(self) -> bool:
        other = self._operation.other
        return other is not None and other.is_newer

    def _offer_channels(self, *, anew: bool = False) -> None:
        layer = self.image.layer()
        choices: list[ChannelChoice] = []
        if isinstance(layer, ImageLayer) and axes_known(layer):
            choices = channel_choices(layer, self._viewer.layers)
        if self.channels.only_one:
            # other layers are chosen as the image
            choices = [choice for choice in choices if choice.layer is layer]
        known = [(choice.layer, choice.index) for choice in self.channels.all_choices()]
        if anew or [(choice.layer, choice.index) for choice in choices] != known:
            # of several layers the chosen one, of one layer all its channels
            self.channels.set_choices(choices, [choice.layer is layer for choice in choices])
        self.rows.setRowVisible(self.channels, len(choices) > 1)

    def _offer_time_axes(self, layer: Layer | None) -> None:
        self.times.clear()
        needed = layer is not None and not axes_known(layer)
        if layer is not None and needed:
            self.times.addItem("choose…", None)
            for i, label in enumerate(layer.axis_labels):
                steps = level_0(layer).shape[i]
                self.times.addItem(f"axis {i + 1} ('{label}', {steps} steps)", i)
        self.rows.setRowVisible(self.times, bool(needed))

    def _on_image_chosen(self, layer: Layer | None) -> None:
        # of siblings, another one is the chosen one now
        self._offer_channels(anew=True)
        self._offer_time_axes(layer)
        self._offer_others()
        self._forget()
        self.image_chosen.emit(layer)

    def showEvent(self, event: QShowEvent | None) -> None:
        """Somebody will soon run something."""
        super().showEvent(event)
        self._prepare()

    def _prepare(self, *_: Any) -> None:
        """Compile for images like the chosen one."""
        if self.isVisible() and self.is_ready:
            with suppress(InputError):
                trials.begin(self._operation.command, self.outline())

    # What is chosen

    @property
    def layer(self) -> Layer:
        """The main layer; InputError where there is none."""
        layer = self.image.layer()
        if layer is None:
            missing = (
                "labels: there are none; make a Labels layer first."
                if self._operation.image_kind == "labels"
                else "image: there is none; open an image first."
            )
            raise InputError(missing)
        return layer

    @property
    def time_axis(self) -> int | None:
        """The main layer's axis that is time, where a person had to say so."""
        chosen = self.times.currentData()
        return None if chosen is None else int(chosen)

    @property
    def is_ready(self) -> bool:
        """Whether there is a main layer whose axes are known."""
        layer = self.image.layer()
        return layer is not None and (self.time_axis is not None or axes_known(layer))

    def known_outline(self) -> Image | None:
        """The outline; None where there is no main layer, or not known how to read it."""
        if self.is_ready:
            with suppress(InputError):
                return self.outline()
        return None

    def label_count(self) -> int:
        """How many labels are marked in the layer of seeds or shapes, for forecasts."""
        marks = [combo.layer() for role, combo in self.others.items() if role != "other"]
        return max(map(label_count, marks), default=0)

    def outline(self) -> Image:
        """Shape, type and place of the main input; the voxels of joined layers are not read.

        For forecasts, which come with each change of a parameter.
        """
        choices = self.channels.choices()
        if len({choice.layer for choice in choices}) < 2:
            return self.main_image()
        image = image_from_layers(self._known_layer(), choices[:1], time_axis=self.time_axis)
        nothing = np.broadcast_to(np.zeros((), image.dtype), (len(choices), *image.shape))
        return replace(
            image, array=nothing, axes=("c", *image.axes), source_channels=None, record=None
        )

    def _known_layer(self) -> Layer:
        """The main layer, when it is known which of its axes is time."""
        layer = self.layer
        if self.time_axis is None and not axes_known(layer):
            raise InputError(
                f"Time axis: choose which axis of '{layer.name}' is time; its axis labels do not "
                "say it."
            )
        return layer

    def main_image(self) -> Image:
        """The main input alone."""
        layer, time_axis = self._known_layer(), self.time_axis
        if not isinstance(layer, ImageLayer) or not self.channels.all_choices():
            return image_of(layer, time_axis=time_axis)
        return image_from_layers(layer, self.channels.choices(), time_axis=time_axis)

    def given(self) -> Given:
        """Everything that a run is given; the same object until something changes.

        Raises
        ------
        InputError
            For what is missing or does not fit.
        """
        for watch in list(self._watches):
            watch.look_if_due()
        if self._given is not None:
            return self._given
        image = self.main_image()
        layer = self.layer
        inputs: dict[str, Image | Shapes] = {"image": image}
        for role, combo in self.others.items():
            chosen = combo.layer()
            if chosen is not None:
                key, value = self._input(role, chosen, layer, image)
                inputs[key] = value
            elif role not in self._operation.optional:
                raise InputError(_missing(role, self._operation))
        self._given = Given(inputs, layer, self.channels.choices(), self.time_axis)
        self._watch([layer, *(c.layer for c in self._given.choices)])
        return self._given

    def would_give(self, given: Given) -> bool:
        """Whether nothing has changed since this was given."""
        return self._given is given

    def _input(
        self, role: str, chosen: Layer, like: Layer, image: Image
    ) -> tuple[str, Image | Shapes]:
        time_axis = self.time_axis
        if role == "other":
            return role, self._other(chosen, like, self._operation.other_kind)
        if role == "shapes" or (role == "start" and isinstance(chosen, ShapesLayer)):
            found, _ = shapes_of(chosen, like, viewer=self._viewer, time_axis=time_axis)
            return "shapes", Shapes(tuple(found), chosen.name)
        seeds = seeds_image(chosen, like, time_axis=time_axis)
        # the pipeline looks whether they are still what that record describes
        return "seeds", replace(seeds, record=record_of(chosen))

    def _other(self, chosen: Layer, like: Layer, kind: Voxels) -> Image:
        if kind != "image":
            found = seeds_image(chosen, like, time_axis=self.time_axis)
            return replace(found, record=record_of(chosen))
        time_axis = self.time_axis if chosen.ndim == like.ndim else None
        other = image_of(chosen, time_axis=time_axis)
        indexes = [choice.index for choice in self.channels.choices()]
        known = [choice.index for choice in self.channels.all_choices()]
        if len(known) == other.n_channels > len(indexes) > 0 and None not in indexes:
            return other.select_channels([i for i in indexes if i is not None])
        return other

    def _make_marks(self, role: str, drawn: str) -> None:
        with errors.shown():
            layer = self.layer
            if drawn == "shapes":
                made: Layer = new_shapes_layer(self._viewer, layer, time_axis=self.time_axis)
            else:
                made = add_seeds_layer(self._viewer, layer, time_axis=self.time_axis)
            self.offer()
            self.others[role].choose(made)

    # Noticing changes

    def watch(self, on: bool) -> None:
        """Notice changes of voxels and marks, or put it off until they are watched again."""
        self._is_paused = not on
        for watch in list(self._watches):
            watch.pause(not on)
        if on and self._is_missed:
            self._is_missed = False
            self.changed.emit()

    def end(self) -> None:
        """Notice nothing any more."""
        self._forget()

    def _watch(self, mains: Sequence[Layer]) -> None:
        """Watch everything that was just given."""
        chosen = [combo.layer() for combo in self.others.values()]
        for layer in dict.fromkeys([*mains, *(layer for layer in chosen if layer is not None)]):
            if isinstance(layer, ImageLayer):
                move_connections(None, layer, IMAGE_EVENTS, self._on_layer_changed)
                self._watched.append(layer)
            else:
                watch = SeedsWatch(self)
                watch.watch(layer)
                watch.pause(self._is_paused)
                watch.changed.connect(self._on_changed)
                self._watches.append(watch)

    def _on_layer_changed(self, event: Any = None) -> None:
        self._is_missed = self._is_paused
        if self._is_paused:
            self._forget()
        else:
            self._on_changed()

    def _on_changed(self, event: Any = None) -> None:
        self._forget()
        self.changed.emit()

    def _forget(self) -> None:
        self._given = None
        for layer in self._watched:
            move_connections(layer, None, IMAGE_EVENTS, self._on_layer_changed)
        for watch in self._watches:
            watch.watch(None)
            watch.deleteLater()
        self._watched, self._watches = [], []


def axes_known(layer: Layer) -> bool:
    """Whether the axis labels of a layer say what its axes are."""
    try:
        layer_axes(layer)
    except InputError:
        return False
    return True


def _rank_of_objects(layer: Layer) -> tuple[bool, bool, bool]:
    """What an operation made is there to be worked on, more than what somebody paints."""
    return (not layer.visible, is_seeds(layer), not is_result(layer))


def rank_of_marks(layer: Layer) -> tuple[bool, bool, bool]:
    """Layers that were made to mark things first; results, and then truths, last."""
    made_to_mark = is_seeds(layer) or is_snake_shapes(layer)
    return (is_truth(layer), not made_to_mark, is_result(layer))


def _missing(role: str, operation: Operation) -> str:
    if role == "other":
        return f"{operation.other_title}: none is chosen; choose one, or open or make it first."
    if role == "shapes":
        return f"shapes: {operation.title} needs some; press New and draw on the image."
    return f"seeds: {operation.title} needs some; press New and mark things on the image."
