"""Layers for images that were opened from files."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_seedbed.gui.layers.layer_records import METADATA_KEY
from napari_seedbed.pipeline.data.image import SPATIAL, Image
from napari_seedbed.pipeline.data.image_statistics import contrast_limits
from napari_seedbed.pipeline.files.places import place_of
from napari_seedbed.pipeline.files.voxels_in_file import LAZY_ABOVE

if TYPE_CHECKING:
    from napari.types import LayerDataTuple

CHANNEL_COLORMAPS = ("magenta", "green", "cyan", "yellow", "red", "blue")


def layers_of(
    image: Image,
    path: str,
    series: int | None = None,
    *,
    levels: Sequence[Image] = (),
    as_labels: bool = False,
) -> "list[LayerDataTuple]":
    """Layers of an image from a file or folder, one for each channel, with colours and limits.

    Parameters
    ----------
    image : Image
    path : str
        Where it comes from.
    series : int, optional
        Which image of a file that holds several, counted from 1.
    levels : sequence of Image
        The same in lower resolutions, the largest first, which napari shows where they are enough.
    as_labels : bool
        Whether they are labels: one layer, in memory unless that is more than may be.
    """
    if as_labels:
        source = _source(path, series, None, image.n_channels)
        return [(_painted(image), _properties(image, source, image.name), "labels")]
    count = image.n_channels
    if image.rgb or image.channel_axis is None:
        return [_layer(image, _source(path, series, None, count), image.name, {}, levels)]
    if count == 1:
        levels = [level.channels()[0] for level in levels]
        source = _source(path, series, None, 1)
        return [_layer(image.channels()[0], source, image.name, {}, levels)]
    layers = []
    for i, channel in enumerate(image.channels()):
        color = image.channel_colors[i] if image.channel_colors else None
        look = {
            "colormap": color or CHANNEL_COLORMAPS[i % len(CHANNEL_COLORMAPS)],
            "blending": "additive",
        }
        part = image.channel_names[i] if image.channel_names else f"channel {i + 1}"
        source, lower = _source(path, series, i, count), [one.channels()[i] for one in levels]
        layers.append(_layer(channel, source, f"{part} - {image.name}", look, lower))
    return layers


def _layer(
    image: Image,
    source: dict[str, Any],
    name: str,
    look: dict[str, Any],
    levels: Sequence[Image],
) -> "LayerDataTuple":
    properties = _properties(image, source, name)
    # never guessed from a last axis of 3 or 4
    properties |= {"rgb": image.rgb, **look}
    limits = None if image.rgb else contrast_limits(levels[-1] if levels else image)
    if limits is not None:
        properties["contrast_limits"] = limits
    if not levels:
        return image.array, properties, "image"
    properties["multiscale"] = True
    return [image.array, *(level.array for level in levels)], properties, "image"


def _properties(image: Image, source: dict[str, Any], name: str) -> dict[str, Any]:
    """Name, place and origin of a layer."""
    axes = tuple(axis for axis in image.axes if not (image.rgb and axis == "c"))
    scale, translate, units = [], [], []
    place = iter(zip(image.spacing, image.translate, image.units, strict=True))
    for axis in axes:
        step, shift, unit = next(place) if axis in SPATIAL else (1.0, 0.0, "pixel")
        scale.append(step)
        translate.append(shift)
        units.append(unit)
    return {
        "name": name,
        "multiscale": False,
        "scale": tuple(scale),
        "translate": tuple(translate),
        "units": tuple(units),
        "axis_labels": axes,
        "metadata": {METADATA_KEY: {"source": source, "notes": image.notes}},
    }


def _painted(image: Image) -> Any:
    """Labels as people can paint on: whole numbers in memory, no larger than may be."""
    array = image.array
    small = array.size * array.dtype.itemsize <= LAZY_ABOVE
    if array.dtype.kind == "b":
        array = array.astype(np.uint8)
    return np.asarray(array) if small else array


def _source(path: str, series: int | None, channel: int | None, n_channels: int) -> dict[str, Any]:
    return {
        "path": str(place_of(path).resolve()),
        "series": series,
        "channel": channel,
        "n_channels": n_channels,
    }
