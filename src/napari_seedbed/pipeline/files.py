"""Reading and writing of files, under one name."""

from napari_seedbed.pipeline.image_collection import collection_files, is_folder, open_collection
from napari_seedbed.pipeline.image_reading import image_name, images_of, read_image
from napari_seedbed.pipeline.image_writing import write_image, write_labels, write_table
from napari_seedbed.pipeline.point_writing import write_points
from napari_seedbed.pipeline.shape_writing import write_shapes

__all__ = [
    "collection_files",
    "image_name",
    "images_of",
    "is_folder",
    "open_collection",
    "read_image",
    "write_image",
    "write_labels",
    "write_points",
    "write_shapes",
    "write_table",
]
