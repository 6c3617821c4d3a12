"""What the operations of a family have in common: each declares the rest, or something else."""

from functools import partial

from napari_seedbed.pipeline.engine.declarations import Operation

image_filter = partial(Operation, menu="napari/layers/filter")
"""It gives an image for an image, channel by channel."""

region_operation = partial(
    Operation, menu="napari/layers/segment", group="Regions", gives="labels", channels="joint"
)
"""It gives labels for an image, all channels together."""

object_operation = partial(
    Operation, menu="napari/layers/segment", group="Objects", image_kind="labels", gives="labels"
)
"""It gives labels for labels or a mask."""
