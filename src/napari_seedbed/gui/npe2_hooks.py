"""What napari calls by the manifest: reader, writers, samples and menu commands."""

from collections.abc import Callable, Sequence
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari import current_viewer
from napari.layers import Image as ImageLayer
from napari.layers import Layer
from napari.utils.notifications import show_info

from napari_seedbed.errors import FileError, InputError
from napari_seedbed.gui import errors
from napari_seedbed.gui.channel_splitting import split
from napari_seedbed.gui.images_dialog import ask_for_images
from napari_seedbed.gui.layer_records import is_result
from napari_seedbed.gui.layers import add_seeds_layer, image_of
from napari_seedbed.gui.opened_images import layers_of
from napari_seedbed.pipeline.files import (
    collection_files,
    images_of,
    is_folder,
    open_collection,
    read_image,
    write_image,
    write_labels,
    write_table,
)
from napari_seedbed.pipeline.image import Image
from napari_seedbed.pipeline.image_collection import SUFFIXES, collection_place
from napari_seedbed.pipeline.object_tables import object_table_of
from napari_seedbed.pipeline.zarr_reading import holds_images, is_zarr

if TYPE_CHECKING:
    from napari.types import LayerDataTuple
    from napari.viewer import Viewer

# How a reader says that there is nothing to show.
NOTHING: list[Any] = [(None,)]

Reader = Callable[[str | list[str]], "list[LayerDataTuple]"]


def get_reader(path: str | Sequence[str]) -> "Reader | None":
    """Give the reader for a TIFF file, for several images as one stack, or for a folder of images.

    The folder of an OME-Zarr image is one image. Folders without images, and Zarr that does not
    say what it holds, are left to others.
    """
    if not isinstance(path, str):
        alike = all(Path(one).suffix.lower() in SUFFIXES for one in path)
        return read_layers if alike and path else None
    if Path(path).is_dir():
        return read_layers if _holds_images(Path(path)) else None
    return read_layers


def _holds_images(folder: Path) -> bool:
    try:
        if is_zarr(folder):
            return holds_images(folder)
        return bool(collection_files(folder))
    except (InputError, OSError, ValueError, TypeError, AttributeError):
        return False


def read_layers(path: str | Sequence[str]) -> "list[LayerDataTuple]":
    """Read a file, or several as one lazy stack, as image layers, one for each channel.

    Where a file holds several images, the window asks which to open.

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
        if isinstance(path, str) and not is_folder(Path(path)):
            return _read_file(path)
        image = open_collection(path)
        return _shown_layers(image, str(collection_place(collection_files(path))))
    except (FileError, InputError) as error:
        if current_viewer() is None:
            raise
        errors.show(error)
        return NOTHING


def _read_file(path: str) -> "list[LayerDataTuple]":
    """The images that were chosen, where a file holds several and there is a window to ask in."""
    images = images_of(path) if current_viewer() is not None else []
    if len(images) < 2:
        return _shown_layers(read_image(path), path)
    layers = []
    for number in ask_for_images(Path(path).name, images):
        layers += _shown_layers(read_image(path, series=number), path, number)
    return layers or NOTHING


def _shown_layers(image: Image, path: str, series: int | None = None) -> "list[LayerDataTuple]":
    if image.notes:
        show_info(f"{Path(path).name}: {' '.join(image.notes)}")
    return layers_of(image, path, series)


def split_channels(viewer: "Viewer") -> None:
    """Give each channel of the selected image, or of the topmost one, a layer of its own."""
    with errors.shown():
        split(viewer, _chosen_image(viewer, "split"))


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
        add_seeds_layer(viewer, _chosen_image(viewer, "put seeds on"))


def _chosen_image(viewer: "Viewer", purpose: str) -> ImageLayer:
    """The selected image, or the topmost one."""
    images = [
        layer
        for layer in reversed(list(viewer.layers))
        if isinstance(layer, ImageLayer) and not is_result(layer)
    ]
    if not images:
        raise InputError(f"image: there is none to {purpose}; open an image first.")
    return next((layer for layer in images if layer in viewer.layers.selection), images[0])


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
        return layers_of(read_image(path, lazy=False), str(path))


def _truth(name: str) -> "LayerDataTuple":
    data, properties, _ = _sample(name)[0]
    kept = ("name", "scale", "translate", "units", "axis_labels", "metadata")
    return data, {key: properties[key] for key in kept} | {"visible": False}, "labels"
