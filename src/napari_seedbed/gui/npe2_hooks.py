"""What napari calls by the manifest: reader, writers, samples and menu commands."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from napari import current_viewer
from napari.layers import Image as ImageLayer
from napari.layers import Layer
from napari.utils.notifications import show_info

from napari_seedbed.errors import FileError, InputError
from napari_seedbed.gui import errors
from napari_seedbed.gui.layers import METADATA_KEY, add_seeds_layer, image_of, is_preview, is_result
from napari_seedbed.pipeline.files import read_image, write_image, write_labels, write_table
from napari_seedbed.pipeline.image import SPATIAL, Image
from napari_seedbed.pipeline.object_tables import object_table_of

if TYPE_CHECKING:
    from napari.types import LayerDataTuple
    from napari.viewer import Viewer

CHANNEL_COLORMAPS = ("magenta", "green", "cyan", "yellow", "red", "blue")

# Enough for percentiles that look right, and quick to read from a lazy image.
SAMPLE_SIZE = 200_000


# How a reader says that there is nothing to show.
NOTHING: list[Any] = [(None,)]


def get_reader(path: str | Sequence[str]) -> "Callable[[str], list[LayerDataTuple]] | None":
    """Give the reader for one TIFF file; several files as one stack are left to others."""
    if not isinstance(path, str):
        return None
    return read_layers


def read_layers(path: str) -> "list[LayerDataTuple]":
    """Read a file as image layers, one for each channel.

    Returns
    -------
    list of (data, properties, 'image')
        With scale, units and axis labels; channels carry their names and colours, and
        `metadata['napari_seedbed']['source']` says where each comes from.

    Raises
    ------
    FileError
        When the file cannot be read and there is no window to say so. In the window the message
        is shown and nothing opens: napari would say only that the plugin failed and offer its own
        reader, which opens a truncated file as one plane without a word.
    """
    try:
        image = read_image(path)
    except FileError as error:
        if current_viewer() is None:
            raise
        errors.show(error)
        return NOTHING
    if image.notes:
        show_info(f"{Path(path).name}: {' '.join(image.notes)}")
    return _layers_of(image, path)


def write_labels_layer(path: str, data: Any, attributes: dict[str, Any]) -> list[str]:
    """Write one Labels layer to OME-TIFF, with voxel size and units."""
    return [str(write_labels(path, image_of(Layer.create(data, attributes, "labels"))))]


def write_image_layer(path: str, data: Any, attributes: dict[str, Any]) -> list[str]:
    """Write one Image layer to OME-TIFF, with voxel size, units and channels."""
    return [str(write_image(path, image_of(Layer.create(data, attributes, "image"))))]


def write_objects_table(path: str, data: Any, attributes: dict[str, Any]) -> list[str]:
    """Write a table with one row for each object of a Labels layer, for each time point."""
    labels = image_of(Layer.create(data, attributes, "labels"))
    return [str(write_table(path, object_table_of(labels)))]


def new_seeds(viewer: "Viewer") -> None:
    """Add an empty seeds layer on the selected image, or on the topmost one."""
    with errors.shown():
        images = [
            layer
            for layer in reversed(list(viewer.layers))
            if isinstance(layer, ImageLayer) and not is_result(layer) and not is_preview(layer)
        ]
        chosen = [layer for layer in images if layer in viewer.layers.selection]
        if not images:
            raise InputError("image: there is none to put seeds on; open an image first.")
        add_seeds_layer(viewer, (chosen or images)[0])


def open_nuclei() -> "list[LayerDataTuple]":
    """Nuclei of a plant ovule with the outlines that people drew, which start hidden."""
    return [*_sample("nuclei.ome.tif"), _truth("nuclei_truth.ome.tif")]


def open_nuclei_2d() -> "list[LayerDataTuple]":
    """Nuclei of cultured cells with the outlines that people drew, which start hidden."""
    return [*_sample("nuclei_2d.tif"), _truth("nuclei_2d_truth.tif")]


def open_membranes() -> "list[LayerDataTuple]":
    """Cell membranes, for paths that are drawn along them."""
    return _sample("membranes.tif")


def open_film() -> "list[LayerDataTuple]":
    """Nuclei that wander and divide, in 30 frames."""
    return _sample("nuclei_film.ome.tif")


def open_two_channels() -> "list[LayerDataTuple]":
    """One nucleus in two channels, confocal and widefield."""
    return _sample("dna_confocal_widefield.ome.tif")


def open_cat() -> "list[LayerDataTuple]":
    """A cat in colour."""
    return _sample("chelsea.tif")


def _sample(name: str) -> "list[LayerDataTuple]":
    with as_file(files("napari_seedbed") / "samples" / name) as path:
        return _layers_of(read_image(path, lazy=False), str(path))


def _truth(name: str) -> "LayerDataTuple":
    data, properties, _ = _sample(name)[0]
    kept = ("name", "scale", "translate", "units", "axis_labels", "metadata")
    return data, {key: properties[key] for key in kept} | {"visible": False}, "labels"


def _layers_of(image: Image, path: str) -> "list[LayerDataTuple]":
    count = image.n_channels
    if image.rgb or image.channel_axis is None:
        return [_layer(image, _source(path, None, count), image.name, {})]
    if count == 1:
        return [_layer(_without_channels(image), _source(path, None, 1), image.name, {})]
    layers = []
    for i in range(count):
        color = image.channel_colors[i] if image.channel_colors else None
        look = {
            "colormap": color or CHANNEL_COLORMAPS[i % len(CHANNEL_COLORMAPS)],
            "blending": "additive",
        }
        part = image.channel_names[i] if image.channel_names else f"channel {i + 1}"
        channel = image.select_channels([i])
        layers.append(_layer(channel, _source(path, i, count), f"{part} - {image.name}", look))
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


def _source(path: str, channel: int | None, n_channels: int) -> dict[str, Any]:
    return {"path": str(Path(path).resolve()), "channel": channel, "n_channels": n_channels}


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
