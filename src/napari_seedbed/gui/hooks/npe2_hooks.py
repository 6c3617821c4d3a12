"""What napari calls by the manifest: reader, writers, samples and menu commands."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from napari import current_viewer
from napari.components import ViewerModel
from napari.layers import Image as ImageLayer
from napari.layers import Labels, Layer
from napari.utils.notifications import show_info
from qtpy.QtCore import QTimer

from napari_seedbed.errors import Cancelled, FileError, InputError
from napari_seedbed.gui.forms.project_saving import save_layers
from napari_seedbed.gui.hooks.channel_splitting import split
from napari_seedbed.gui.hooks.images_dialog import ask_for_images
from napari_seedbed.gui.hooks.label_question import opens_as_labels
from napari_seedbed.gui.hooks.project_opening import layers_of_project, open_project
from napari_seedbed.gui.hooks.recipe_opening import RECIPES, is_recipe, open_recipe
from napari_seedbed.gui.hooks.vector_hooks import NOTHING, read_vectors, vectors_in_image
from napari_seedbed.gui.layers.image_layers import (
    ChannelChoice,
    add_seeds_layer,
    image_from_layers,
    image_of,
    images_in_order,
    short_names,
)
from napari_seedbed.gui.layers.object_states import state_columns
from napari_seedbed.gui.layers.opened_images import layers_of
from napari_seedbed.gui.layers.plain_viewers import plain
from napari_seedbed.gui.qt import errors
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.files import (
    collection_files,
    images_of,
    is_folder,
    open_collection,
    read_image,
    write_result,
)
from napari_seedbed.pipeline.files.image_collection import collection_place
from napari_seedbed.pipeline.files.image_reading import lower_levels
from napari_seedbed.pipeline.files.readers import file_suffixes, folder_reader
from napari_seedbed.pipeline.files.vector_readers import VECTOR_SUFFIXES, is_vector_file
from napari_seedbed.pipeline.files.zarr_writing import write_zarr
from napari_seedbed.pipeline.operations.object_tables import object_table_of
from napari_seedbed.pipeline.project.project_model import SUFFIX

if TYPE_CHECKING:
    from napari.types import LayerDataTuple
    from napari.viewer import Viewer

Reader = Callable[[str | list[str]], "list[LayerDataTuple]"]


def get_reader(path: str | Sequence[str]) -> "Reader | None":
    """Give the reader for a project, one image, several as one stack, or a folder of images.

    The folder of an OME-Zarr image is one image. Folders without images, and Zarr that does not
    say what it holds, are left to others.
    """
    if isinstance(path, str) and path.lower().endswith(SUFFIX):
        return read_project
    if isinstance(path, str) and path.lower().endswith(RECIPES):
        return read_recipe if current_viewer() is not None and is_recipe(path) else None
    if isinstance(path, str) and path.lower().endswith(VECTOR_SUFFIXES):
        if is_vector_file(path):
            return read_vectors
        return read_layers if path.lower().endswith(file_suffixes()) else None
    if not isinstance(path, str):
        alike = all(str(one).lower().endswith(file_suffixes()) for one in path)
        return read_layers if alike and path else None
    if Path(path).is_dir():
        return read_layers if _holds_images(Path(path)) else None
    return read_layers


def _holds_images(folder: Path) -> bool:
    try:
        reader = folder_reader(folder)
        if reader is None:
            return bool(collection_files(folder))
        return reader.holds_images is None or reader.holds_images(folder)
    except (InputError, OSError, ValueError, TypeError, AttributeError):
        return False


def read_layers(path: str | Sequence[str]) -> "list[LayerDataTuple]":
    """Read a file, or several as one lazy stack, as image layers, one for each channel.

    Where a file holds several images, the window asks which to open. Labels open as Labels,
    unless the preferences say otherwise.

    Returns
    -------
    list of (data, properties, 'image' or 'labels')
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
        if isinstance(path, str) and not is_folder(Path(path)):
            return _read_file(path) or NOTHING
        image = open_collection(path)
        place = str(collection_place(collection_files(path)))
        return _shown_layers(image, place) or NOTHING
    except (FileError, InputError) as error:
        if current_viewer() is None:
            raise
        errors.show(error)
        return NOTHING


def read_project(path: str | Sequence[str]) -> "list[LayerDataTuple]":
    """Open a project in the window that is current; give its layers where there is none.

    In a window layers come a moment later, with the panels that were open: napari's reader waits
    for what drags the file.
    """
    viewer = current_viewer()
    if viewer is None:
        return layers_of_project(Path(str(path)))
    QTimer.singleShot(0, partial(open_project, viewer, Path(str(path))))
    return NOTHING


def read_recipe(path: str | Sequence[str]) -> "list[LayerDataTuple]":
    """Show a recipe in a panel of the window that is current; it adds no layers."""
    QTimer.singleShot(0, partial(open_recipe, current_viewer(), Path(str(path))))
    return NOTHING


def _read_file(path: str) -> "list[LayerDataTuple]":
    """The images that were chosen, where a file holds several and there is a window to ask in.

    Labels that lie on an image come with it.
    """
    found = images_of(path)
    images = [one for one in found if one.labels_of is None]
    chosen: list[int | None] = [None]
    if len(images) > 1 and current_viewer() is not None:
        chosen = [*ask_for_images(Path(path).name, images)]
    layers = []
    for series in chosen:
        image = read_image(path, series=series)
        # What fits into memory needs no lower resolutions.
        levels = lower_levels(path, series) if image.is_lazy else []
        layers += _shown_layers(image, path, series, levels)
        for number, one in enumerate(found, start=1):
            if one.labels_of == (series or 1) - 1:
                layers += _shown_layers(read_image(path, series=number), path, number)
    if len(images) == 1 and layers:
        layers += vectors_in_image(path, layers)
    return layers or NOTHING


def _shown_layers(
    image: Image, path: str, series: int | None = None, levels: Sequence[Image] = ()
) -> "list[LayerDataTuple]":
    """Its layers; none where the person was asked and said neither."""
    as_labels = image.holds_labels and opens_as_labels(Path(path).name)
    if as_labels is None:
        return []
    if image.notes:
        show_info(f"{Path(path).name}: {' '.join(image.notes)}")
    if as_labels and image.channel_axis is not None:
        image = image.channels()[0]
    return layers_of(image, path, series, levels=levels, as_labels=as_labels)


def split_channels(viewer: "Viewer") -> None:
    """Give each channel of the selected image, or of the topmost one, a layer of its own."""
    with errors.shown():
        own = plain(viewer)
        split(own, _chosen_image(own, "split"))


def write_image_layer(path: str, data: Any, attributes: dict[str, Any]) -> list[str]:
    """Write one Image layer with voxel size and units, as the name of the file asks for."""
    return [str(write_result(path, "image", image_of(Layer.create(data, attributes, "image"))))]


def write_zarr_layers(path: str, layer_data: "list[LayerDataTuple]") -> list[str]:
    """Write images as the channels of one, with the labels that lie on them, as OME-Zarr."""
    layers = [Layer.create(*one) for one in layer_data]
    images = [layer for layer in layers if isinstance(layer, ImageLayer)]
    labels = {layer.name: image_of(layer) for layer in layers if isinstance(layer, Labels)}
    if len(images) == 1:
        return [str(write_zarr(path, image_of(images[0]), labels))]
    names = short_names([layer.name for layer in images])
    channels = [
        ChannelChoice(*one) for one in zip(names, images, [None] * len(images), strict=True)
    ]
    image = image_from_layers(images[0], channels)
    brightest = [np.rint(255 * layer.colormap.colors[-1, :3]).astype(int) for layer in images]
    colours = tuple("#" + "".join(f"{value:02x}" for value in one) for one in brightest)
    return [str(write_zarr(path, replace(image, channel_colors=colours), labels))]


def write_objects_table(path: str, data: Any, attributes: dict[str, Any]) -> list[str]:
    """Write a table of the objects of a Labels layer, their states and classes included."""
    layer = Layer.create(data, attributes, "labels")
    columns = object_table_of(image_of(layer))
    columns |= state_columns(layer.features, columns)
    return [str(write_result(path, "table", columns))]


def write_project(path: str, layer_data: "list[LayerDataTuple]") -> list[str]:
    """Write layers as a project; with a window, what is in view and chosen in panels as well."""
    place = Path(path if path.lower().endswith(SUFFIX) else f"{path}{SUFFIX}")
    viewer = current_viewer()
    if viewer is None:
        save_layers(place, ViewerModel(), [Layer.create(*one) for one in layer_data])
        return [str(place)]
    names = [attributes["name"] for _, attributes, _ in layer_data]
    try:
        told = save_layers(place, viewer, [viewer.layers[name] for name in names])
    except Cancelled:
        return []
    except (FileError, InputError) as error:
        errors.show(error)
        return []
    show_info(told)
    return [str(place)]


def new_seeds(viewer: "Viewer") -> None:
    """Add an empty seeds layer on the selected image, or on the topmost one."""
    with errors.shown():
        own = plain(viewer)
        add_seeds_layer(own, _chosen_image(own, "put seeds on"))


def _chosen_image(viewer: "Viewer", purpose: str) -> ImageLayer:
    """The selected image, or the topmost one."""
    images = images_in_order(viewer)
    if not images:
        raise InputError(f"image: there is none to {purpose}; open an image first.")
    return images[0]


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


def _sample(name: str, *, as_labels: bool = False) -> "list[LayerDataTuple]":
    with as_file(files("napari_seedbed") / "samples" / name) as path:
        return layers_of(read_image(path, lazy=False), str(path), as_labels=as_labels)


def _truth(name: str) -> "LayerDataTuple":
    data, properties, kind = _sample(name, as_labels=True)[0]
    return data, properties | {"visible": False}, kind
