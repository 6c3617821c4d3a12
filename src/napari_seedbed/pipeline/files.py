"""Reading and writing of files, under one name."""

from napari_seedbed.pipeline.image_reading import image_name, read_image
from napari_seedbed.pipeline.image_writing import write_image, write_labels, write_table
from napari_seedbed.pipeline.point_writing import write_points
from napari_seedbed.pipeline.shape_writing import write_shapes

__all__ = [
    "image_name",
    "read_image",
    "write_image",
    "write_labels",
    "write_points",
    "write_shapes",
    "write_table",
]
