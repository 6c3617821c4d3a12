"""The form of an operation in the window, made from its declaration."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Image as ImageLayer
from napari.layers import Labels, Layer
from qtpy.QtWidgets import QComboBox, QFormLayout, QVBoxLayout, QWidget

from napari_seedbed.core.progress import Progress, Report, ShouldStop
from napari_seedbed.errors import InputError
from napari_seedbed.gui import errors
from napari_seedbed.gui.grids import grid_of, layer_axes, spacing_of, unit_symbol
from napari_seedbed.gui.jobs import Job
from napari_seedbed.gui.layer_choice import ChannelBoxes, LayerCombo
from napari_seedbed.gui.layers import (
    ChannelChoice,
    accept,
    add_or_update,
    channel_choices,
    find_result,
    image_from_layers,
    is_preview,
    is_result,
    level_0,
)
from napari_seedbed.gui.parameter_fields import ParameterFields
from napari_seedbed.gui.run_controls import RunControls, wrapped_label
from napari_seedbed.gui.seed_layers import seeds_digest
from napari_seedbed.pipeline import operations
from napari_seedbed.pipeline.image import Image
from napari_seedbed.pipeline.operations import Operation, Result

if TYPE_CHECKING:
    from napari.viewer import Viewer

COLORMAPS = {"Red": "red", "Green": "green", "Blue": "blue"}


class OperationForm(QWidget):
    """Image, channels, parameters, Run and Cancel of one operation.

    Subclasses are made by `form_class`. The result of a further run replaces that of the one
    before, except where somebody has painted on it: then it is left alone and a new layer is made.

    Parameters
    ----------
    napari_viewer : Viewer
    """

    operation: Operation

    def __init__(self, napari_viewer: "Viewer") -> None:
        super().__init__()
        self.viewer = napari_viewer
        self.job: Job | None = None
        self._digests: dict[str, int] = {}
        self._build()
        self.image.layer_chosen.connect(self._on_image_chosen)
        self.channels.chosen.connect(self._show_forecast)
        self.times.activated.connect(self._show_forecast)
        self.parameters.changed.connect(self._show_forecast)
        self.run_button.clicked.connect(self.run)
        self.cancel_button.clicked.connect(self.cancel)
        # not a method of the form: that one is gone when it is destroyed
        self.destroyed.connect(partial(_abandon, self.__dict__))
        self.reset_choices()

    def _build(self) -> None:
        self.image = LayerCombo("open an image first", "The image to work on.")
        self.channels = ChannelBoxes()
        each = self.operation.channels == "each"
        self.channels.setToolTip(
            "Each channel gives a result of its own." if each else "Channels that count together."
        )
        # long names must not squeeze the labels beside them
        self.channels.setMinimumWidth(120)
        self.times = QComboBox()
        self.times.setToolTip("Which axis of the image is time; its axis labels do not say.")
        self.parameters = ParameterFields(self.operation.parameters)
        self.controls = RunControls()
        self.run_button = self.controls.run
        self.cancel_button = self.controls.cancel
        self.forecast = self.controls.forecast
        self.status = self.controls.status

        self._rows = QFormLayout()
        self._rows.setSpacing(6)
        self._rows.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow)
        self._rows.addRow("Image", self.image)
        self._rows.addRow("Channels", self.channels)
        self._rows.addRow("Time axis", self.times)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 6, 8, 6)
        column.setSpacing(8)
        column.addWidget(wrapped_label(self.operation.help))
        column.addLayout(self._rows)
        if self.operation.parameters:
            column.addWidget(self.parameters)
        column.addWidget(self.controls)
        column.addStretch(1)
        self.setMinimumWidth(300)

    # What people do

    def run(self) -> None:
        """Start the operation beside the window."""
        if self.job is not None:
            return
        with errors.shown(self._say):
            layer = self._layer()
            time_axis = self._time_axis()
            choices = self.channels.choices()
            inputs = {"image": self._inputs(layer, choices, time_axis)}
            run = partial(_run, self.operation, inputs, self.parameters.values())
            self.job = Job(
                run,
                on_done=partial(self._show, layer, choices, time_axis),
                on_error=self._on_error,
                on_progress=self._on_progress,
                on_cancelled=self._on_cancelled,
            )
            self._say("Working…")
            self._show_running(True)
            self.job.start()

    def cancel(self) -> None:
        """Stop; what is shown stays."""
        if self.job is not None:
            self._say("Stopping…")
            self.job.cancel()

    # What the window tells

    def reset_choices(self, event: Any = None) -> None:
        """Offer the image layers that there are now; napari calls it when they change."""
        layers = [
            layer
            for layer in self.viewer.layers
            if isinstance(layer, ImageLayer) and not is_preview(layer)
        ]
        self.image.set_layers(sorted(layers, key=is_result))
        self._offer_channels()
        self.run_button.setEnabled(bool(layers) and self.job is None)

    def _on_image_chosen(self, layer: Layer | None) -> None:
        self._offer_channels()
        self._offer_time_axes(layer)
        self._show_units(layer)
        self._show_forecast()
        self._say("")

    def _offer_channels(self) -> None:
        layer = self.image.layer()
        choices: list[ChannelChoice] = []
        if layer is not None and _axes_known(layer):
            choices = channel_choices(layer, self.viewer.layers)
        known = [(choice.layer, choice.index) for choice in self.channels.all_choices()]
        if [(choice.layer, choice.index) for choice in choices] != known:
            # of several layers the chosen one, of one layer all its channels
            self.channels.set_choices(choices, [choice.layer is layer for choice in choices])
        self._rows.setRowVisible(self.channels, len(choices) > 1)

    def _offer_time_axes(self, layer: Layer | None) -> None:
        self.times.clear()
        needed = layer is not None and not _axes_known(layer)
        if layer is not None and needed:
            self.times.addItem("choose…", None)
            for i, label in enumerate(layer.axis_labels):
                steps = level_0(layer).shape[i]
                self.times.addItem(f"axis {i + 1} ('{label}', {steps} steps)", i)
        self._rows.setRowVisible(self.times, bool(needed))

    def _show_units(self, layer: Layer | None) -> None:
        spacing = None
        if layer is not None:
            with suppress(InputError):
                spacing = spacing_of(layer, grid_of(layer, self._time_axis()))[0]
        unit = "pixels" if layer is None else unit_symbol(layer.units[-1])
        self.parameters.show_scale(unit, spacing)

    def _show_forecast(self) -> None:
        layer = self.image.layer()
        self.forecast.setText("")
        if layer is None or (self._time_axis() is None and not _axes_known(layer)):
            return
        try:
            inputs = {"image": self._inputs(layer, self.channels.choices(), self._time_axis())}
            cost = operations.forecast(self.operation, inputs, self.parameters.values())
        except InputError as error:
            self.forecast.setText(str(error))
            return
        self.controls.show_forecast(cost)

    # What the job tells

    def _on_progress(self, progress: Progress) -> None:
        self.controls.show_progress(progress)
        self._say(progress.message)

    def _on_error(self, error: BaseException) -> None:
        self._end(errors.show(error))

    def _on_cancelled(self) -> None:
        self._end("Cancelled.")

    def _show(
        self,
        layer: ImageLayer,
        choices: Sequence[ChannelChoice],
        time_axis: int | None,
        result: Result,
    ) -> None:
        self._end("")
        with errors.shown(self._say):
            output = result.image(self.operation.gives)
            parts = _parts(output, layer, choices)
            shown = []
            for nth, (part, like, suffix) in enumerate(parts):
                # each goes just above the picture, so the last one lies lowest and must hide it
                look = _look(like, suffix, lowest=nth == len(parts) - 1)
                shown.append(self._show_one(part, result.record, like, suffix, time_axis, look))
            # Layers were inserted before their metadata told that they are results.
            self.reset_choices()
            self._say(f"Done: {', '.join(shown)}.")

    def _show_one(
        self,
        output: Image,
        record: dict[str, Any],
        like: Layer,
        suffix: str,
        time_axis: int | None,
        look: dict[str, Any],
    ) -> str:
        """Show one result layer and return its name."""
        kind = self.operation.gives
        assert kind != "shapes"
        name = f"{like.name}{suffix and ' ' + suffix} ({self.operation.title})"
        slot = f"{self.operation.name}/{like.unique_id}/{kind}/{suffix}"
        before = find_result(self.viewer, slot)
        if isinstance(before, Labels) and self._digests.get(slot) != seeds_digest(before):
            accept(before)
        shown = add_or_update(
            self.viewer,
            kind,
            output,
            like=like,
            name=name,
            record=record,
            slot=slot,
            time_axis=time_axis,
            **(look if kind == "image" else {"opacity": 0.5}),
        )
        shown.editable = True
        if isinstance(shown, Labels):
            self._digests[slot] = seeds_digest(shown)
        return str(shown.name)

    # Small things

    def _layer(self) -> ImageLayer:
        layer = self.image.layer()
        if not isinstance(layer, ImageLayer):
            raise InputError("image: there is none; open an image first.")
        return layer

    def _inputs(
        self, layer: ImageLayer, choices: Sequence[ChannelChoice], time_axis: int | None
    ) -> Image:
        if time_axis is None and not _axes_known(layer):
            raise InputError(
                f"Time axis: choose which axis of '{layer.name}' is time; its axis labels do not "
                "say it."
            )
        if not self.channels.all_choices():
            return image_from_layers(layer, time_axis=time_axis)
        return image_from_layers(layer, choices, time_axis=time_axis)

    def _time_axis(self) -> int | None:
        chosen = self.times.currentData()
        return None if chosen is None else int(chosen)

    def _show_running(self, running: bool) -> None:
        self.run_button.setEnabled(not running and self.image.layer() is not None)
        self.controls.show_running(running)

    def _end(self, message: str) -> None:
        self.job = None
        self._show_running(False)
        self._say(message)

    def _say(self, message: str) -> None:
        self.controls.say(message)


def form_class(name: str) -> type[OperationForm]:
    """The form of the operation of that name."""
    operation = operations.get(name)
    return type(f"{_camel_case(name)}Form", (OperationForm,), {"operation": operation})


def __getattr__(name: str) -> type[OperationForm]:
    """The manifest names a form after its operation: GaussianForm, ThresholdOtsuForm …"""
    for operation in operations.names():
        if name == f"{_camel_case(operation)}Form":
            globals()[name] = form_class(operation)
            return globals()[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def _camel_case(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("_"))


def _run(
    operation: Operation,
    inputs: dict[str, Image],
    parameters: dict[str, Any],
    report: Report,
    should_stop: ShouldStop,
) -> Result:
    try:
        return operations.run(operation, inputs, parameters, report=report, should_stop=should_stop)
    finally:
        # the partial outlives the run in the job's frames
        inputs.clear()


def _parts(
    output: Image, layer: ImageLayer, choices: Sequence[ChannelChoice]
) -> list[tuple[Image, Layer, str]]:
    """What comes into one layer each: the image, the layer in whose place it comes, a suffix."""
    if output.channel_axis is None:
        if len(choices) == 1:
            choice = choices[0]
            return [(output, choice.layer, "" if choice.index is None else choice.name)]
        return [(output, layer, "")]
    whole = len(choices) == 0 or (
        choices[0].index is not None and len(choices) == _own_channels(layer)
    )
    # napari shows an RGB image of any type but uint8 as if it went from 0 to 1
    if whole and (not layer.rgb or (output.rgb and output.dtype == np.uint8)):
        return [(output, layer, "")]
    parts = []
    for i, choice in enumerate(choices):
        plane = replace(output.select_channels([i]), channel_names=(), channel_colors=())
        parts.append((plane, choice.layer, "" if choice.index is None else choice.name))
    return parts


def _look(like: Layer, suffix: str, *, lowest: bool) -> dict[str, Any]:
    """How the filtered image of one channel is drawn: like the channel itself."""
    if suffix not in COLORMAPS:
        return {} if like.rgb else {"colormap": like.colormap.name}
    blending = "opaque" if lowest else "additive"
    look: dict[str, Any] = {"colormap": COLORMAPS[suffix], "blending": blending}
    if level_0(like).dtype == np.uint8:
        look["contrast_limits"] = (0, 255)
    return look


def _own_channels(layer: ImageLayer) -> int:
    axes = layer_axes(layer)
    if "c" not in axes:
        return 3 if layer.rgb else 1
    return int(level_0(layer).shape[axes.index("c")])


def _axes_known(layer: Layer) -> bool:
    try:
        layer_axes(layer)
    except InputError:
        return False
    return True


def _abandon(form: dict[str, Any], *_: Any) -> None:
    """Stop what a destroyed form left running."""
    job = form.get("job")
    if job is not None:
        job.abandon()
