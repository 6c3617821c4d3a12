"""Reading and writing of files, under one name."""

from napari_seedbed.pipeline.files.image_collection import (
    collection_files,
    is_folder,
    open_collection,
)
from napari_seedbed.pipeline.files.image_reading import images_of, read_image
from napari_seedbed.pipeline.files.image_writing import write_image, write_labels
from napari_seedbed.pipeline.files.point_writing import write_points
from napari_seedbed.pipeline.files.readers import image_name, kinds_in_words, reader_of
from napari_seedbed.pipeline.files.shape_writing import write_shapes
from napari_seedbed.pipeline.files.table_writing import write_table
from napari_seedbed.pipeline.files.writers import write_result

__all__ = [
    "collection_files",
    "image_name",
    "images_of",
    "is_folder",
    "kinds_in_words",
    "open_collection",
    "read_image",
    "reader_of",
    "write_image",
    "write_labels",
    "write_points",
    "write_result",
    "write_shapes",
    "write_table",
]
