"""Watersheds in blocks: what operations do beside core."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.blocks.flooded_blocks import (
    BlockBasins,
    basins_in_block,
    flooded_regions,
    join_basins,
)
from napari_seedbed.core.blocks.joined_pieces import BlockPieces, block_pieces, join_pieces
from napari_seedbed.core.blocks.split_blocks import (
    code_numbers,
    codes_in,
    split_codes,
    split_halo,
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
_MOST_SEEN = 1 << 27
"""Voxels around one that a block may have to see: some gigabytes at work."""

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


def _touching(block: BlockView) -> BlockPieces:
    return block_pieces(block.image, place_of(block), 1)


def _codes(block: BlockView) -> NDArray[np.int64]:
    chosen = block.parameters
    return split_codes(
        block.image, place_of(block), chosen["depth"], block.spacing, chosen["sigma"]
    )


def _codes_in(block: BlockView, codes: Image) -> NDArray[np.int64]:
    return codes_in(block.of(codes))


def _coded(block: BlockView, codes: Image, known: NDArray[np.int64]) -> NDArray[np.int32]:
    return code_numbers(block.of(codes), known)


def split_touching(job: BlockJob) -> Outputs | None:
    """Objects cut apart, where each block can see its own ones whole."""
    if job.parameters["smallest"] > 0:
        return None
    pieces = join_pieces(job.map(_touching, halo=1))
    longest = (pieces.high - pieces.low + 1).max(axis=0, initial=1)
    halo = split_halo(longest.tolist(), job.spacing, job.parameters["sigma"])
    if math.prod(2 * n + 1 for n in halo) > _MOST_SEEN:
        return None
    codes = job.scratch("codes", _codes, halo=halo, dtype=np.int64)
    known = np.unique(np.concatenate(job.map(_codes_in, codes)))
    return {"labels": job.write("labels", _coded, codes, known, dtype=np.int32)}
