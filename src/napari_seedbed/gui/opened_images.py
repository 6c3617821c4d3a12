"""Layers for images that were opened from files."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_seedbed.gui.layer_records import METADATA_KEY
from napari_seedbed.pipeline.image import SPATIAL, Image

if TYPE_CHECKING:
    from napari.types import LayerDataTuple

CHANNEL_COLORMAPS = ("magenta", "green", "cyan", "yellow", "red", "blue")

# Enough for percentiles that look right, and quick to read from a lazy image.
SAMPLE_SIZE = 200_000


def layers_of(image: Image, path: str, series: int | None = None) -> "list[LayerDataTuple]":
    """Layers of an image from a file or folder, one for each channel, with colours and limits.

    Parameters
    ----------
    image : Image
    path : str
        Where it comes from.
    series : int, optional
        Which image of a file that holds several, counted from 1.
    """
    count = image.n_channels
    if image.rgb or image.channel_axis is None:
        return [_layer(image, _source(path, series, None, count), image.name, {})]
    if count == 1:
        return [_layer(_without_channels(image), _source(path, series, None, 1), image.name, {})]
    layers = []
    for i in range(count):
        color = image.channel_colors[i] if image.channel_colors else None
        look = {
            "colormap": color or CHANNEL_COLORMAPS[i % len(CHANNEL_COLORMAPS)],
            "blending": "additive",
        }
        part = image.channel_names[i] if image.channel_names else f"channel {i + 1}"
        channel = image.select_channels([i])
        layers.append(
            _layer(channel, _source(path, series, i, count), f"{part} - {image.name}", look)
        )
    return layers


def _layer(
    image: Image,
    source: dict[str, Any],
    name: str,
    look: dict[str, Any],
) -> "LayerDataTuple":
    axes = tuple(axis for axis in image.axes if not (image.rgb and axis == "c"))
    scale, translate, units = [], [], []
    place = iter(zip(image.spacing, image.translate, image.units, strict=True))
    for axis in axes:
        step, shift, unit = next(place) if axis in SPATIAL else (1.0, 0.0, "pixel")
        scale.append(step)
        translate.append(shift)
        units.append(unit)
    properties: dict[str, Any] = {
        "name": name,
        # never guessed from a last axis of 3 or 4
        "rgb": image.rgb,
        "multiscale": False,
        "scale": tuple(scale),
        "translate": tuple(translate),
        "units": tuple(units),
        "axis_labels": axes,
        "metadata": {METADATA_KEY: {"source": source, "notes": image.notes}},
        **look,
    }
    limits = None if image.rgb else contrast_limits(image)
    if limits is not None:
        properties["contrast_limits"] = limits
    return image.array, properties, "image"


def _source(path: str, series: int | None, channel: int | None, n_channels: int) -> dict[str, Any]:
    return {
        "path": str(Path(path).resolve()),
        "series": series,
        "channel": channel,
        "n_channels": n_channels,
    }


def _without_channels(image: Image) -> Image:
    """A channel axis of length one gone."""
    axis = image.channel_axis
    assert axis is not None, "only asked for where there is one"
    return replace(
        image,
        array=image.array[(slice(None),) * axis + (0,)],
        axes=tuple(name for name in image.axes if name != "c"),
        channel_names=(),
        channel_colors=(),
    )


def contrast_limits(image: Image) -> tuple[float, float] | None:
    """Limits that leave out the darkest and brightest thousandth; None for a flat image.

    A lazy image is judged by one plane in its middle.
    """
    array = image.array
    if image.is_lazy:
        array = np.asarray(array[tuple(n // 2 for n in array.shape[:-2])])
    step = max(1, int(np.ceil((array.size / SAMPLE_SIZE) ** (1 / array.ndim))))
    values = np.asarray(array[(slice(None, None, step),) * array.ndim])
    if values.dtype.kind not in "iuf":
        return None
    values = values[np.isfinite(values)]
    if not values.size:
        return None
    low, high = np.percentile(values, (0.1, 99.9))
    if low >= high:
        low, high = float(values.min()), float(values.max())
    return (float(low), float(high)) if low < high else None
