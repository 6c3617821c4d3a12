"""The way between napari's layers and the pipeline's images; nothing else translates them."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import Any, Literal

import numpy as np
from napari.components import ViewerModel
from napari.layers import Image as ImageLayer
from napari.layers import Labels, Layer, Shapes
from numpy.typing import NDArray

from napari_seedbed.core.progress import Moving, Preview
from napari_seedbed.errors import InputError
from napari_seedbed.gui.layers.grids import (
    CHANNEL_LABELS,
    grid_of,
    level_0,
    level_of,
    same_grid,
    spacing_of,
    unit_factor,
)
from napari_seedbed.gui.layers.kept_selection import selection_kept
from napari_seedbed.gui.layers.layer_records import (
    METADATA_KEY,
    is_preview,
    is_result,
    keep_record,
    record_of,
    result_to_renew,
)
from napari_seedbed.gui.layers.lock_clicks import open_locks_with_a_click
from napari_seedbed.gui.layers.placement import Shift, placed, shear_of
from napari_seedbed.gui.layers.stored_layers import laid_out, layer_over_files, stays_in_files
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.data.sparse_labels import SparseLabels
from napari_seedbed.pipeline.files.voxels_in_file import LAZY_ABOVE

Kind = Literal["labels", "mask", "image", "probabilities", "uncertainty"]

RGB_NAMES = ("Red", "Green", "Blue")


@dataclass(frozen=True)
class ChannelChoice:
    """One channel that can be chosen.

    Attributes
    ----------
    name : str
        What the form says.
    layer : Image layer
        Where the channel is.
    index : int or None
        Position along the layer's channel axis; None when the layer is the channel.
    """

    name: str
    layer: ImageLayer
    index: int | None


def channel_choices(layer: ImageLayer, layers: Iterable[Layer]) -> list[ChannelChoice]:
    """List the channels that go with an image layer.

    The planes of an RGB layer (never alpha), the positions along an axis labelled 'c', or else
    the layer itself and the other Image layers on the same grid: same shape, transform and units.

    Parameters
    ----------
    layer : Image layer
    layers : iterable of Layer
        The layers of the viewer.
    """
    if layer.rgb:
        return [ChannelChoice(name, layer, i) for i, name in enumerate(RGB_NAMES)]
    axes = grid_of(layer).axes if _has_channel_label(layer) else ()
    if "c" in axes:
        count = level_0(layer).shape[axes.index("c")]
        names = layer.metadata.get(METADATA_KEY, {}).get("channel_names", ())
        if len(names) != count:
            names = [f"channel {i + 1}" for i in range(count)]
        return [ChannelChoice(str(name), layer, i) for i, name in enumerate(names)]
    shape = level_0(layer).shape
    siblings = [
        other
        for other in layers
        if other is layer
        or (
            isinstance(other, ImageLayer)
            and not other.rgb
            and not is_result(other)
            and not is_preview(other)
            and level_0(other).shape == shape
            and tuple(other.axis_labels) == tuple(layer.axis_labels)
            and same_grid(other, layer)
        )
    ]
    names = short_names([other.name for other in siblings])
    return [ChannelChoice(name, other, None) for name, other in zip(names, siblings, strict=True)]


def short_names(names: Sequence[str]) -> list[str]:
    """Names without the words that all of them begin or end with, such as the file's name."""
    words = [name.split() for name in names]
    shortest = min(map(len, words), default=0)
    start = end = 0
    while start < shortest - 1 and len({name[start] for name in words}) == 1:
        start += 1
    while end < shortest - 1 - start and len({name[-1 - end] for name in words}) == 1:
        end += 1
    if len(names) < 2:
        return list(names)
    return [" ".join(name[start : len(name) - end]) for name in words]


def image_from_layers(
    layer: ImageLayer,
    channels: Sequence[ChannelChoice] | None = None,
    *,
    time_axis: int | None = None,
    level: int = 0,
) -> Image:
    """Make the pipeline's image from an image layer and the channels chosen.

    Parameters
    ----------
    layer : Image layer
    channels : sequence of ChannelChoice, optional
        Some of `channel_choices(layer, ...)`; all channels of the layer itself by default.
    time_axis : int, optional
        The axis that is time, where the axis labels do not say so.
    level : int
        Which resolution, counted down from the full one.

    Returns
    -------
    Image
        A view of the layer's data where one layer is enough, and lazy
        where the data are.

    Raises
    ------
    InputError
        When no channel is chosen, when the layers do not share one grid, or when the axes or
        units of the layer are unclear.
    """
    if channels is None:
        return image_of(layer, time_axis=time_axis, level=level)
    if not channels:
        raise InputError(f"channels: none is chosen; choose at least one of '{layer.name}'.")
    indexes = [choice.index for choice in channels]
    if all(choice.layer is channels[0].layer for choice in channels) and None not in indexes:
        image = image_of(channels[0].layer, time_axis=time_axis, level=level)
        return image.select_channels([i for i in indexes if i is not None])
    images = [image_of(choice.layer, time_axis=time_axis, level=level) for choice in channels]
    first = images[0]
    for choice, image in zip(channels, images, strict=True):
        if image.shape != first.shape or not same_grid(choice.layer, channels[0].layer):
            raise InputError(
                f"channels: '{choice.layer.name}' (shape {image.shape}) is not on the grid of "
                f"'{channels[0].layer.name}' (shape {first.shape}). Choose layers of the same "
                "shape and transform."
            )
    if len(images) == 1:
        return first
    # np.stack hands lazy arrays on to dask by itself
    return Image(
        array=np.stack([image.array for image in images], axis=0),
        axes=("c", *first.axes),
        spacing=first.spacing,
        units=first.units,
        channel_names=tuple(choice.name for choice in channels),
        name=layer.name,
        translate=first.translate,
        source_channels=_joined_source([choice.layer for choice in channels]),
    )


def image_of(layer: Layer, *, time_axis: int | None = None, level: int = 0) -> Image:
    """Make the pipeline's image from one Image or Labels layer, all its channels.

    A lower resolution begins where the full one does, as napari draws it.
    """
    grid = grid_of(layer, time_axis)
    spacing, unit = spacing_of(layer, grid)
    rgb = isinstance(layer, ImageLayer) and layer.rgb
    names: Sequence[str] = layer.metadata.get(METADATA_KEY, {}).get("channel_names", ())
    array = _known_array(level_of(layer, level))
    if level:
        factors = layer.downsample_factors[level]
        spacing = tuple(
            step * float(factors[i]) for step, i in zip(spacing, grid.spatial, strict=True)
        )
    axes = (*grid.axes, "c") if rgb else grid.axes
    if rgb or "c" not in axes or len(names) != array.shape[axes.index("c")]:
        names = ()
    return Image(
        array=array,
        axes=axes,
        spacing=spacing,
        units=(unit,) * len(spacing),
        rgb=rgb,
        channel_names=tuple(names),
        name=layer.name,
        translate=tuple(
            float(grid.affine[i, -1]) * unit_factor(grid.units[i], unit, layer.name)
            for i in grid.spatial
        ),
        source_channels=_joined_source([layer]),
        record=None if level else record_of(layer),
    )


def add_or_update(
    viewer: ViewerModel,
    kind: Kind,
    image: Image,
    *,
    like: Layer,
    name: str,
    record: Mapping[str, Any],
    slot: str,
    time_axis: int | None = None,
    shift: Shift | None = None,
    above: Sequence[Layer] = (),
    editable: bool = False,
    lower: Sequence[Image] = (),
    **properties: Any,
) -> Layer:
    """Show a result in the place of the layer it was made from.

    The first time a new layer is added, images just above `like` and labels above all images,
    keeping the selection. After that the layer of the same `slot` is updated, written in place
    where shape and type are the same.

    Parameters
    ----------
    viewer : ViewerModel or Viewer
    kind : {'labels', 'mask', 'image', 'probabilities', 'uncertainty'}
    image : Image
        On the grid of `like`; with a channel axis only where `like` has the same one.
    like : Layer
        The image layer.
    name : str
        Of a new layer; people may rename it afterwards.
    record : mapping
        How the result was made (`Result.record`), kept in the layer's metadata.
    slot : str
        Keeps the results of one widget apart from those of others.
    time_axis : int, optional
        As for `image_from_layers`.
    shift : Shift, optional
        Where the image lies, when it does not cover `like`.
    above : sequence of Layer
        Layers that a new image comes above, too.
    editable : bool
        Whether people may paint on labels before these are accepted: the next run overwrites them
        unless the caller looks for that. A brush in hand stays there.
    lower : sequence of Image
        Lower resolutions of an image in files, the largest first; such a result takes the place of
        the layer of the same slot, in another layer that looks like it.
    **properties
        Of a new layer: `colormap`, `opacity`, `visible` ...

    Returns
    -------
    Labels or Image layer
    """
    grid = grid_of(like, time_axis)
    if image.is_lazy and not (lower or stays_in_files(image)):
        image = replace(image, array=np.asarray(image.array))
    # whoever made the array may go on working in it: the layer gets a copy, but only one
    array, place = placed(image, like, grid, shift)
    if kind == "mask":
        array = array.astype(np.uint8)
    if image.is_lazy:
        levels = [array, *(laid_out(one, image, like, grid, shift) for one in lower)]
        look = {"name": name, **place, **properties}
        layer = layer_over_files(viewer, slot, levels, _is_labels(kind), image.rgb, look)
        keep_record(layer, kind, record, slot)
        insert_result(viewer, layer, like, above)
        return layer
    own_kind = Labels if _is_labels(kind) else ImageLayer
    layer = result_to_renew(viewer, slot, own_kind, len(place["scale"]))
    if isinstance(layer, ImageLayer) and layer.rgb != image.rgb:
        viewer.layers.remove(layer)
        layer = None
    if layer is None:
        own = np.array(array, order="C")
        layer = _new_layer(kind, own, image.rgb, name, {**place, **properties})
        # before it comes in, so that nobody offers it as an image that was opened
        keep_record(layer, kind, record, slot)
        insert_result(viewer, layer, like, above)
    else:
        _update(layer, array, place)
        keep_record(layer, kind, record, slot)
    layer.editable = editable or not _is_labels(kind)
    return layer


def write_preview(layer: Labels, preview: Preview | Moving, *, like: Layer, t: int | None) -> None:
    """Write what is known of one slice, or of one volume, into a result layer.

    Parameters
    ----------
    layer : Labels
        Made by `add_or_update` from `like`.
    preview : Preview or Moving
    like : Layer
        The image layer.
    t : int or None
        The time point, where the image has a time axis.
    """
    axes = grid_of(like).axes
    axes = axes[len(axes) - layer.ndim :]
    spatial = [i for i, axis in enumerate(axes) if axis not in ("t", "c")]
    index: list[Any] = [slice(None)] * layer.ndim
    for i, axis in enumerate(axes):
        if axis == "c":
            index[i] = 0
        elif axis == "t":
            index[i] = 0 if t is None else t
    if len(spatial) == 3 and preview.axis is not None:
        index[spatial[preview.axis]] = preview.index
    target = layer.data[tuple(index)]
    if preview.labels is not None and target.shape == preview.labels.shape:
        layer.data[tuple(index)] = preview.labels
        layer.refresh()


def add_seeds_layer(
    viewer: ViewerModel,
    like: Layer,
    *,
    name: str | None = None,
    time_axis: int | None = None,
) -> Labels:
    """Add an empty Labels layer on an image's grid, ready to be painted on.

    Parameters
    ----------
    viewer : ViewerModel or Viewer
    like : Layer
        The image layer: its spatial axes and its time axis, without its channels.

    Returns
    -------
    Labels
        int32 in memory, of a large image where it is painted alone; active, in paint mode with
        label 1.
    """
    grid = grid_of(like, time_axis)
    shape = level_0(like).shape[: like.ndim]
    keep = [i for i, axis in enumerate(grid.axes) if axis != "c"]
    nothing = np.broadcast_to(np.zeros((), np.int32), [shape[i] for i in keep])
    empty, place = placed(Image(nothing, tuple(grid.axes[i] for i in keep)), like, grid)
    is_large = like.multiscale or empty.nbytes > LAZY_ABOVE
    voxels: Any = SparseLabels(empty.shape) if is_large else np.zeros(empty.shape, np.int32)
    layer = Labels(voxels, name=name or f"seeds of {like.name}", multiscale=False, **place)
    layer.metadata[METADATA_KEY] = {"kind": "seeds"}
    # a 64th of the picture's longer side is a stroke that can be seen and still placed
    layer.brush_size = int(np.clip(max(shape[-2:]) / 64, 2, 20))
    layer.selected_label = 1
    viewer.add_layer(layer)
    viewer.layers.selection.active = layer
    layer.mode = "paint"
    return layer


# How a result comes into its layer


def _is_labels(kind: Kind) -> bool:
    return kind in ("labels", "mask")


def _new_layer(
    kind: Kind, array: NDArray, rgb: bool, name: str, properties: dict[str, Any]
) -> Layer:
    if _is_labels(kind):
        return Labels(array, name=name, **properties)
    if kind in ("probabilities", "uncertainty"):
        properties.setdefault("contrast_limits", (0.0, 1.0))
        properties.setdefault("colormap", "magma" if kind == "uncertainty" else "gray")
        properties.setdefault("blending", "additive")
    return ImageLayer(array, name=name, rgb=rgb, multiscale=False, **properties)


def take_place(layer: Layer, place: dict[str, Any]) -> None:
    """Give a layer the transform, units and axis labels of another one (see `placed`)."""
    for key, value in place.items():
        current = getattr(layer, key)
        current = current.affine_matrix if key == "affine" else current
        current = shear_of(layer, list(range(layer.ndim))) if key == "shear" else current
        same = (
            tuple(current) == tuple(value)
            if key in ("units", "axis_labels")
            else np.array_equal(current, value)
        )
        if not same:
            setattr(layer, key, value)


def _update(layer: Layer, array: NDArray, place: dict[str, Any]) -> None:
    take_place(layer, place)
    if layer.data.shape == array.shape and layer.data.dtype == array.dtype:
        layer.data[...] = array
        layer.refresh()
    else:
        layer.data = np.array(array, order="C")


def insert_result(
    viewer: ViewerModel, layer: Layer, like: Layer, above: Sequence[Layer] = ()
) -> None:
    """Insert an image just above `like` and `above`, labels above all images, to be seen there.

    Both come over earlier results, which would hide them, but labels not over seeds; shapes come
    over all images and labels. The selection stays, where there is one.
    """
    layers = list(viewer.layers)
    below = [like, *above, *([] if isinstance(layer, ImageLayer) else _images(layers))]
    if isinstance(layer, Shapes):
        below += [one for one in layers if isinstance(one, Labels)]
    position = max((layers.index(one) + 1 for one in below if one in layers), default=len(layers))
    if isinstance(layer, Labels | ImageLayer):
        kind = type(layer)
        earlier = takewhile(lambda one: isinstance(one, kind) and is_result(one), layers[position:])
        position += sum(1 for _ in earlier)
    with selection_kept(viewer) if viewer.layers.selection else nullcontext():
        viewer.layers.insert(position, layer)
    open_locks_with_a_click(viewer)


def _images(layers: Sequence[Layer]) -> list[Layer]:
    return [layer for layer in layers if isinstance(layer, ImageLayer)]


# What a layer says about its data


def _has_channel_label(layer: Layer) -> bool:
    return any(str(label).lower() in CHANNEL_LABELS for label in layer.axis_labels)


def _known_array(data: Any) -> Any:
    """NumPy and dask arrays as they are, others (zarr, HDF5) as lazy ones."""
    if isinstance(data, np.ndarray) or hasattr(data, "dask"):
        return data
    import dask.array

    return dask.array.from_array(data)


def _joined_source(layers: Sequence[Layer]) -> tuple[int, ...] | None:
    """Channels of the file that the layers hold, None when all of it or not from one file."""
    sources = [layer.metadata.get(METADATA_KEY, {}).get("source") for layer in layers]
    if not all(isinstance(source, Mapping) for source in sources):
        return None
    if len({(source["path"], source.get("series")) for source in sources}) > 1:
        return None
    channels = [source.get("channel") for source in sources]
    if None in channels or channels == list(range(sources[0].get("n_channels", -1))):
        return None
    return tuple(channels)


def images_in_order(viewer: ViewerModel) -> list[ImageLayer]:
    """Images that are no results: those that are selected first, then from the top down."""
    images = [
        layer
        for layer in reversed(list(viewer.layers))
        if isinstance(layer, ImageLayer) and not is_result(layer)
    ]
    return sorted(images, key=lambda layer: layer not in viewer.layers.selection)
