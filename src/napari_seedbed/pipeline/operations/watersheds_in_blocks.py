"""Watersheds in blocks: what operations do beside core."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.blocks.flooded_blocks import (
    BlockBasins,
    basins_in_block,
    flooded_regions,
    join_basins,
)
from napari_seedbed.core.filters.gaussian_derivatives import gaussian_halo
from napari_seedbed.core.magnitudes import moderate, restored
from napari_seedbed.core.regions.channel_stacks import channel_stack
from napari_seedbed.core.regions.watersheds import steepness
from napari_seedbed.errors import InputError
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.engine.block_jobs import BlockJob, BlockView
from napari_seedbed.pipeline.operations.block_views import place_of

Outputs = dict[str, Any]
Tables = dict[tuple[int, ...], NDArray[np.int32]]


def _heights(block: BlockView) -> NDArray[np.floating]:
    """What regions grow on, in the block alone, in numbers that are those of all blocks."""
    axis = 0 if block.image.ndim > len(block.region) else None
    channels, size = channel_stack(block.image, axis, block.spacing)
    channels, exponent = moderate(channels)
    chosen = block.parameters
    found = steepness(channels, chosen["landscape"], chosen["sigma"], size)
    return np.ascontiguousarray(place_of(block).own(restored(found, exponent)))


def _seeds(block: BlockView) -> NDArray[np.int32]:
    assert block.seeds is not None
    return np.ascontiguousarray(place_of(block).own(block.seeds))


def _regions(block: BlockView) -> NDArray[np.int32]:
    mask = None if block.other is None else place_of(block).own(block.other)
    return flooded_regions(_heights(block), _seeds(block), mask)


def _basins(block: BlockView, regions: Image) -> BlockBasins:
    place = place_of(block)
    own = place.own(block.of(regions))
    return basins_in_block(own, _heights(block), _seeds(block), place)


def _labelled(block: BlockView, regions: Image, tables: Tables) -> NDArray[np.int32]:
    place = place_of(block)
    return tables[place.start][place.own(block.of(regions))]


def _has_seed(block: BlockView) -> bool:
    return bool((_seeds(block) > 0).any())


def seeded_watershed(job: BlockJob) -> Outputs | None:
    """Grown seeds; roundness counts against all of the landscape, and outlines are no voxels."""
    if job.parameters["compactness"] > 0 or job.seeds is None:
        return None
    if not any(job.map(_has_seed)):
        raise InputError("seeds: there are none; mark at least one label above 0.")
    order = 1 if job.parameters["landscape"] == "gradient" else 0
    halo = [n + 1 for n in gaussian_halo(job.parameters["sigma"], job.spacing, order)]
    regions = job.scratch("regions", _regions, halo=halo, dtype=np.int32)
    tables = join_basins(job.map(_basins, regions, halo=halo))
    return {"labels": job.write("labels", _labelled, regions, tables, dtype=np.int32)}
