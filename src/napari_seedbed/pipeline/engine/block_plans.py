"""Into which blocks an image is cut, in what order they are worked on, and where they go."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import Any

from napari_seedbed.core.boxes import widened
from napari_seedbed.errors import InputError, MemoryForecastError
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.data.memory import bytes_in_words
from napari_seedbed.pipeline.engine.block_workers import Room
from napari_seedbed.pipeline.engine.declarations import Operation, Size
from napari_seedbed.pipeline.engine.parameters import lengths_in_voxels
from napari_seedbed.pipeline.engine.windows import Region
from napari_seedbed.pipeline.files.zarr_levels import usual_shard, whole_shards

_LEAST = 16
"""Voxels along each side of a block, at least; smaller ones are mostly halo."""


@dataclass(frozen=True)
class Blocks:
    """How a run works block by block, and where its voxels go.

    Attributes
    ----------
    folder : Path
        Each output that is an image becomes ``<output>.zarr`` in it, an OME-Zarr as `write_zarr`
        writes it. What a run with the same inputs and parameters left unfinished there is gone on
        with.
    shape : tuple of int or None
        Voxels of a block along the axes of space, made a multiple of the shards that are written;
        None: as memory allows.
    scheduler : str or None
        Address of a dask scheduler, whose workers read the image and write the results; None:
        threads of this process.
    near : tuple of int or None
        A voxel that is looked at: blocks nearest to it come first.
    watch : callable or None
        Told the output and the region whenever a block is on disk.
    """

    folder: Path
    shape: tuple[int, ...] | None = None
    scheduler: str | None = None
    near: tuple[int, ...] | None = None
    watch: Callable[[str, Region], None] | None = None


@dataclass(frozen=True)
class BlockPlan:
    """An image's shape along the axes of space, and that of the blocks it is cut into."""

    shape: tuple[int, ...]
    block: tuple[int, ...]

    @cached_property
    def regions(self) -> list[Region]:
        """The blocks in raster order."""
        sides = [
            [slice(start, min(n, start + size)) for start in range(0, n, size)]
            for n, size in zip(self.shape, self.block, strict=True)
        ]
        return list(product(*sides))

    def seen(self, region: Region, halo: Sequence[int]) -> Region:
        """A block with what is around it."""
        return widened(region, halo, self.shape)

    def order(self, near: Sequence[int] | None) -> list[int]:
        """In which order they are worked on: those nearest to a voxel first, if there is one."""
        numbers = range(len(self.regions))
        if near is None:
            return list(numbers)

        def distance(number: int) -> float:
            return sum(
                max(part.start - at, at - part.stop + 1, 0) ** 2
                for part, at in zip(self.regions[number], near, strict=True)
            )

        return sorted(numbers, key=distance)


def planned(
    operation: Operation,
    image: Image,
    parameters: Mapping[str, Any],
    halo: Sequence[int],
    wanted: Sequence[int] | None,
    room: Room,
) -> BlockPlan:
    """The blocks for an image, so that some at once fit into memory with what is around them.

    Raises
    ------
    InputError
        For a wanted shape that is none of the image's axes.
    MemoryForecastError
        When not even small blocks fit.
    """
    shape = image.spatial_shape
    if wanted is not None:
        if len(wanted) != len(shape) or min(wanted) < 1:
            raise InputError(
                f"blocks: the shape {tuple(wanted)} given; give a number of voxels from 1 on for "
                f"each of the axes {', '.join(image.spatial_axes)}."
            )
        return BlockPlan(shape, whole_shards(wanted, shape))
    budget, at_once = room.memory, room.at_once
    block = usual_shard(shape)

    def need(block: Sequence[int]) -> int:
        return block_bytes(operation, image, parameters, halo, block)

    while need(block) > budget:
        smaller = _halved(block)
        if smaller is None:
            raise MemoryForecastError(
                f"Even in blocks this needs {bytes_in_words(need(block) * at_once)} of memory and "
                f"only {bytes_in_words(budget * at_once)} may be taken, since it looks "
                f"{max(halo)} voxels around each block. Use a lower level of the image's pyramid, "
                "crop it, or use a machine with more memory."
            )
        block = smaller
    while True:
        # What is computed twice is what is around a block.
        grown = [
            min(n, 2 * size) if 4 * around > size else size
            for n, size, around in zip(shape, block, halo, strict=True)
        ]
        larger = whole_shards(grown, shape)
        if larger == block or need(larger) > budget:
            return BlockPlan(shape, block)
        block = larger


def block_bytes(
    operation: Operation,
    image: Image,
    parameters: Mapping[str, Any],
    halo: Sequence[int],
    block: Sequence[int],
) -> int:
    """Memory that one block takes while it is worked on, what it reads and writes included."""
    region = tuple(
        slice(0, min(n, size)) for n, size in zip(image.spatial_shape, block, strict=True)
    )
    around = [
        n if part.stop < n else 0 for n, part in zip(image.spatial_shape, region, strict=True)
    ]
    seen = [
        min(n, size + 2 * min(more, beyond))
        for n, size, more, beyond in zip(image.spatial_shape, block, halo, around, strict=True)
    ]
    each = operation.channels == "each"
    counted = lengths_in_voxels(operation.parameters, parameters, image.spacing)
    n_channels = 1 if each else image.n_channels
    size = Size(tuple(seen), max(1, operation.starts.labels), n_channels, image.spacing)
    voxels = math.prod(seen) * image.n_channels
    return operation.estimate(size, counted).bytes + voxels * (2 * image.dtype.itemsize + 8)


def _halved(block: Sequence[int]) -> tuple[int, ...] | None:
    """Blocks of half the size, along their longest side; None where they are small."""
    longest = max(range(len(block)), key=lambda axis: block[axis])
    if block[longest] <= _LEAST:
        return None
    return tuple(-(-n // 2) if axis == longest else n for axis, n in enumerate(block))
