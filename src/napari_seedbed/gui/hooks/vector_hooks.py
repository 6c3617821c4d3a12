"""What napari calls for shapes, points and what labels become beside images: reader and writers."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari import current_viewer
from napari.layers import Image as ImageLayer
from napari.layers import Layer
from napari.utils.notifications import show_info

from napari_seedbed.errors import FileError, InputError
from napari_seedbed.gui.layers.annotation_layers import annotations_of_layer, layers_of_annotations
from napari_seedbed.gui.layers.image_layers import image_of, images_in_order
from napari_seedbed.gui.layers.object_states import object_states
from napari_seedbed.gui.layers.plain_viewers import plain
from napari_seedbed.gui.layers.view_position import slice_on_screen, time_on_screen
from napari_seedbed.gui.qt import errors
from napari_seedbed.pipeline.data.annotation_sources import annotations_of
from napari_seedbed.pipeline.data.annotations import Annotations
from napari_seedbed.pipeline.files import write_result
from napari_seedbed.pipeline.files.mesh_writing import write_meshes
from napari_seedbed.pipeline.files.picture_writing import write_picture
from napari_seedbed.pipeline.files.vector_readers import holds_vectors_beside, read_annotations
from napari_seedbed.pipeline.files.writers import writer_named

if TYPE_CHECKING:
    from napari.types import LayerDataTuple

# How a reader says that there is nothing to show.
NOTHING: list[Any] = [(None,)]


def read_vectors(path: str | Sequence[str]) -> "list[LayerDataTuple]":
    """Read shapes and points, and lay them on the image that is selected, or on the topmost one.

    Returns
    -------
    list of (data, properties, 'shapes' or 'points')
        With the features `label`, `name` and `class`.

    Raises
    ------
    FileError
        As `read_layers`.
    """
    viewer = current_viewer()
    like = None if viewer is None else next(iter(images_in_order(plain(viewer))), None)
    try:
        return _laid_on(read_annotations(str(path)), str(path), like) or NOTHING
    except (FileError, InputError) as error:
        if viewer is None:
            raise
        errors.show(error)
        return NOTHING


def vectors_in_image(path: str, opened: "list[LayerDataTuple]") -> "list[LayerDataTuple]":
    """Shapes that a file of an image keeps beside the pixels, laid on that image."""
    data, properties, kind = opened[0]
    if kind != "image" or not holds_vectors_beside(path):
        return []
    try:
        return _laid_on(read_annotations(path), path, Layer.create(data, properties, kind))
    except FileError as error:
        # the image is there, whatever lies beside it
        show_info(str(error))
        return []


def _laid_on(
    annotations: Annotations, path: str, like: ImageLayer | None
) -> "list[LayerDataTuple]":
    """Layers on an image, or in voxels where they do not fit on it; what is odd is shown."""
    notes = list(annotations.notes)
    if not len(annotations):
        notes.append("It holds no shapes or points.")
    try:
        layers = layers_of_annotations(annotations, path, like)
    except InputError as error:
        if like is None:
            raise
        notes.append(f"Not laid on '{like.name}': {error}")
        layers = layers_of_annotations(annotations, path)
    else:
        notes += [] if like is None else [f"Laid on '{like.name}'."]
    if notes:
        show_info(f"{Path(path).name}: {' '.join(notes)}")
    return layers


def write_labels_layer(path: str, data: Any, attributes: dict[str, Any]) -> list[str]:
    """Write one Labels layer with voxel size and units, as the name of the file asks for."""
    layer = Layer.create(data, attributes, "labels")
    labels = image_of(layer)
    writer = writer_named(Path(path), "labels")
    if writer is not None and "shapes" in writer.takes:
        classes = object_states(layer).class_of
        return [str(write_result(path, "labels", annotations_of(labels, classes)))]
    return [str(write_result(path, "labels", labels))]


def write_meshes_each(path: str, data: Any, attributes: dict[str, Any]) -> list[str]:
    """Write a mesh for each object of a Labels layer, in a file of its own."""
    labels = image_of(Layer.create(data, attributes, "labels"))
    return [str(write_meshes(path, labels, each=True))]


def write_shapes_layer(path: str, data: Any, attributes: dict[str, Any]) -> list[str]:
    """Write one Shapes layer in voxels, as the name of the file asks for."""
    layer = Layer.create(data, attributes, "shapes")
    return [str(write_result(path, "shapes", annotations_of_layer(layer)))]


def write_points_layer(path: str, data: Any, attributes: dict[str, Any]) -> list[str]:
    """Write one Points layer in voxels, as the name of the file asks for."""
    layer = Layer.create(data, attributes, "points")
    return [str(write_result(path, "shapes", annotations_of_layer(layer)))]


def write_picture_of_layers(path: str, layer_data: "list[LayerDataTuple]") -> list[str]:
    """Write the slice on screen of an image, with the outlines of labels over it, as PNG."""
    by_kind = {kind: Layer.create(data, about, kind) for data, about, kind in layer_data}
    image, labels = by_kind["image"], by_kind["labels"]
    viewer = current_viewer()
    place: dict[str, int] = {}
    if viewer is not None:
        like = viewer.layers[image.name]
        shown = slice_on_screen(viewer, like)
        place = {"t": time_on_screen(viewer, like) or 0}
        place |= {} if shown is None or shown[0] != 0 else {"z": shown[1]}
    return [str(write_picture(path, image_of(image), image_of(labels), **place))]
