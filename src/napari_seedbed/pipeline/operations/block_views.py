"""Blocks as functions of core are told them."""

from napari_seedbed.core.blocks.block_places import BlockPlace
from napari_seedbed.pipeline.engine.block_jobs import BlockView


def place_of(block: BlockView) -> BlockPlace:
    """Where a block lies."""
    return BlockPlace(block.region, block.seen, block.inputs.image.spatial_shape)
