"""Layers for whatever an operation gives: images, labels, masks, shapes, points."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from napari.components import ViewerModel
from napari.layers import Image as ImageLayer
from napari.layers import Labels, Layer

from napari_seedbed.core.marks.shapes import Shape
from napari_seedbed.gui.layers.chain_names import bounded, name_in_chain, uncounted
from napari_seedbed.gui.layers.grids import layer_axes, level_0
from napari_seedbed.gui.layers.image_layers import ChannelChoice, Kind, add_or_update
from napari_seedbed.gui.layers.layer_records import (
    METADATA_KEY,
    accept,
    find_result,
    lock_result,
)
from napari_seedbed.gui.layers.placement import Shift, shift_between
from napari_seedbed.gui.layers.points_results import show_points
from napari_seedbed.gui.layers.seed_layers import seeds_digest
from napari_seedbed.gui.layers.shape_results import show_shapes
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.data.shapes import Shapes
from napari_seedbed.pipeline.data.tables import Points

COLORMAPS = {"Red": "red", "Green": "green", "Blue": "blue"}


@dataclass(frozen=True, eq=False)
class Origin:
    """What results were made from, which decides where they go.

    Attributes
    ----------
    like : Image or Labels layer
    image : Image
        What the operation was given of it.
    choices : sequence of ChannelChoice
        The channels that `image` holds; empty for all of the layer.
    time_axis : int or None
        The layer's axis that is time, where its axis labels do not say so.
    time : int or None
        The time point worked on, where it was not the whole series.
    whole : bool
        Whether the operation may change the grid, the channels or the series.
    """

    like: Layer
    image: Image
    choices: Sequence[ChannelChoice] = ()
    time_axis: int | None = None
    time: int | None = None
    whole: bool = False


@dataclass(frozen=True, eq=False)
class EarlierLayers:
    """Layers of another run to show an output in; nobody has painted on them since.

    Attributes
    ----------
    layers : sequence of Layer
        One for each layer that the output takes; with another number they are left alone.
    name : str
        Of them, unless a person has renamed them, as `name` of `OutputLayers.show`.
    """

    layers: Sequence[Layer] = ()
    name: str = ""


class OutputLayers:
    """Shows outputs in the viewer, each in a layer that further runs update.

    A Labels layer that somebody has painted on is left alone, and a new one is made. All but
    previews are locked, so that nobody deletes them by mistake.

    Parameters
    ----------
    viewer : ViewerModel or Viewer
    """

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = viewer
        self._digests: dict[str, int] = {}
        # by slot, to know whether a person has renamed a layer
        self._names: dict[str, str] = {}

    def show(
        self,
        key: str,
        output: Image | Shapes | Points,
        origin: Origin,
        *,
        name: str,
        record: Mapping[str, Any],
        slot: str,
        earlier: EarlierLayers = EarlierLayers(),
        lower: Sequence[Image] = (),
    ) -> list[Layer]:
        """Show one output.

        Parameters
        ----------
        key : str
            Its name among the outputs: 'labels' and 'mask' are shown as labels.
        output : Image, Shapes or Points
        origin : Origin
        name : str
            Of the layers, with ``{}`` where the name of the layer it was made from comes.
        record : mapping
            How it was made.
        slot : str
            Keeps the results of one widget apart from those of others.
        earlier : EarlierLayers
            Layers to show it in.
        lower : sequence of Image
            Lower resolutions of an output in files, the largest first.

        Returns
        -------
        list of Layer
            Several where channels come apart.
        """
        like = origin.like
        if not isinstance(output, Image):
            own = f"{slot}/{like.unique_id}/{key}"
            title = bounded(name.format(name_in_chain(like)))
            kept = {"name": title, "record": record, "slot": own}
            if len(earlier.layers) == 1:
                before = bounded(earlier.name.format(name_in_chain(like)))
                self._take(earlier.layers[0], own, before)
            return [self._show_marks(output, origin, kept)]
        if origin.time is not None:
            output = output.select_time(origin.time)
        parts = _parts(output, origin)
        lower_parts = [_parts(one, origin) for one in lower]
        shown = []
        # results of several layers lie together, above all of these, and add up as these do
        above = list(dict.fromkeys(beside for _, beside, _ in parts))
        for nth, (part, beside, suffix) in enumerate(parts):
            # each goes above those before it: the first lies lowest and must hide the picture
            look = _look(beside, suffix, lowest=nth == 0)
            kind = key if key in ("labels", "mask") else "image"
            source = f"{name_in_chain(beside)} {suffix}".rstrip()
            title = bounded(name.format(source))
            own = f"{slot}/{beside.unique_id}/{key}/{suffix}"
            if len(earlier.layers) == len(parts):
                self._take(earlier.layers[nth], own, bounded(earlier.name.format(source)))
            shown.append(
                self._show_image(
                    kind,
                    part,
                    origin,
                    beside,
                    above,
                    title,
                    record,
                    own,
                    look,
                    [one[nth][0] for one in lower_parts],
                )
            )
        return shown

    def _take(self, layer: Layer, slot: str, name: str) -> None:
        """Let a layer be the one of a slot; one that is there already gives it up."""
        before = find_result(self._viewer, slot)
        if before is not layer:
            if before is not None:
                accept(before)
            kept = layer.metadata[METADATA_KEY] | {"slot": slot, "layer_id": str(layer.unique_id)}
            layer.metadata = {**layer.metadata, METADATA_KEY: kept}
            self._names[slot] = name
        if isinstance(layer, Labels):
            self._digests[slot] = seeds_digest(layer)

    def _show_image(
        self,
        kind: Any,
        part: Image,
        origin: Origin,
        like: Layer,
        above: Sequence[Layer],
        name: str,
        record: Mapping[str, Any],
        slot: str,
        look: dict[str, Any],
        lower: Sequence[Image] = (),
    ) -> Layer:
        before = find_result(self._viewer, slot)
        if isinstance(before, Labels) and self._digests.get(slot) != seeds_digest(before):
            accept(before)
        labels: Kind = kind
        layer = add_or_update(
            self._viewer,
            labels,
            part,
            like=like,
            name=name,
            record=record,
            slot=slot,
            time_axis=origin.time_axis,
            shift=_shift(part, origin),
            above=above,
            editable=True,
            lower=lower,
            **(look if kind == "image" else {"opacity": 0.5}),
        )
        lock_result(layer)
        if isinstance(layer, Labels):
            self._digests[slot] = seeds_digest(layer)
        self._name(layer, slot, name)
        return layer

    def _name(self, layer: Layer, slot: str, name: str) -> None:
        """Name a layer after what it shows now, unless a person has named it."""
        if uncounted(str(layer.name)) == self._names.get(slot) != name:
            layer.name = name
        self._names[slot] = name

    def _show_marks(self, output: Shapes | Points, origin: Origin, kept: dict[str, Any]) -> Layer:
        shift = None
        if output.translate:
            shift = shift_between(output, origin.image, origin.time)
        layer: Layer
        kept = {**kept, "time_axis": origin.time_axis}
        if isinstance(output, Points):
            layer = show_points(self._viewer, output, origin.like, shift=shift, **kept)
        else:
            shapes = [_moved(shape, shift) for shape in output.shapes]
            layer = show_shapes(self._viewer, shapes, origin.like, **kept)
        lock_result(layer)
        self._name(layer, kept["slot"], kept["name"])
        return layer


def _moved(shape: Shape, shift: Shift | None) -> Shape:
    if shift is None:
        return shape
    points = np.asarray(shape.points, float) * shift.factor + shift.offset
    return replace(shape, points=points, time=shape.time if shift.time is None else shift.time)


def _shift(part: Image, origin: Origin) -> Shift | None:
    """How a result lies on its layer; None where it covers it."""
    covers = (part.spatial_shape, part.spacing, part.translate) == (
        origin.image.spatial_shape,
        origin.image.spacing,
        origin.image.translate,
    )
    if covers and origin.time is None and not origin.whole:
        return None
    return shift_between(part, origin.image, origin.time)


def _parts(output: Image, origin: Origin) -> list[tuple[Image, Layer, str]]:
    """What comes into one layer each: the image, the layer in whose place it comes, a suffix."""
    layer, choices = origin.like, origin.choices
    if output.channel_axis is None:
        if len(choices) == 1:
            choice = choices[0]
            return [(output, choice.layer, "" if choice.index is None else choice.name)]
        return [(output, layer, "")]
    if origin.whole:
        return [(output, layer, "")]
    own_names = output.channel_names not in ((), origin.image.channel_names)
    if own_names or output.n_channels != origin.image.n_channels:
        return [
            (plane, layer, name)
            for name, plane in zip(_channel_names(output), output.channels(), strict=True)
        ]
    every = len(choices) == 0 or (
        choices[0].index is not None and len(choices) == _own_channels(layer, origin.time_axis)
    )
    # napari shows an RGB image of any type but uint8 as if it went from 0 to 1
    rgb = isinstance(layer, ImageLayer) and layer.rgb
    if every and (not rgb or (output.rgb and output.dtype == np.uint8)):
        return [(output, layer, "")]
    return [
        (plane, choice.layer, "" if choice.index is None else choice.name)
        for choice, plane in zip(choices, output.channels(), strict=True)
    ]


def _channel_names(output: Image) -> tuple[str, ...]:
    return output.channel_names or tuple(f"channel {i + 1}" for i in range(output.n_channels))


def _look(like: Layer, suffix: str, *, lowest: bool) -> dict[str, Any]:
    """How the filtered image of one channel is drawn: like the channel itself."""
    if not isinstance(like, ImageLayer):
        return {}
    if suffix not in COLORMAPS:
        if like.rgb:
            return {}
        own = {"colormap": like.colormap.name}
        adds_up = not lowest and like.blending == "additive"
        return {**own, "blending": "additive"} if adds_up else own
    blending = "opaque" if lowest else "additive"
    look: dict[str, Any] = {"colormap": COLORMAPS[suffix], "blending": blending}
    if level_0(like).dtype == np.uint8:
        look["contrast_limits"] = (0, 255)
    return look


def _own_channels(layer: Layer, time_axis: int | None) -> int:
    axes = layer_axes(layer, time_axis)
    if "c" not in axes:
        return 3 if isinstance(layer, ImageLayer) and layer.rgb else 1
    return int(level_0(layer).shape[axes.index("c")])
