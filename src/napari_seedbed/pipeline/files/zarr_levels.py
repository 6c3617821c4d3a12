"""Resolutions of an image, written one from the other into Zarr arrays."""

import math
import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_seedbed.core.images.pyramids import halved_image, halved_labels
from napari_seedbed.core.progress import check_stop
from napari_seedbed.pipeline.data.image import SPATIAL

# Voxels: a picture of one level fills a window; blocks are what a viewer loads at once.
_SMALLEST = 256
_BLOCK_2D, _BLOCK_3D = (512, 512), (32, 256, 256)
_BLOCKS_A_SHARD = {"y": 4, "x": 4}
# A voxel this many times as long as the shortest is not made longer still.
_ELONGATED = 1.5
_AT_ONCE = 8


@dataclass(frozen=True)
class Level:
    """One resolution.

    Attributes
    ----------
    shape : tuple of int
    factors : tuple of int
        How many voxels of the image one of its voxels stands for, along each axis.
    halved : tuple of int
        The axes along which it has half the voxels of the level before; none for the first.
    """

    shape: tuple[int, ...]
    factors: tuple[int, ...]
    halved: tuple[int, ...] = ()

    def scale(self, spacing: Sequence[float]) -> list[float]:
        """Voxel size, from that of the image along all axes."""
        return [step * factor for step, factor in zip(spacing, self.factors, strict=True)]

    def shift(self, spacing: Sequence[float], place: Sequence[float]) -> list[float]:
        """Where its first voxel lies: in the middle of those of the image that it stands for."""
        along = zip(spacing, self.factors, place, strict=True)
        return [begin + (factor - 1) / 2 * step for step, factor, begin in along]


def levels_of(shape: Sequence[int], axes: Sequence[str], spacing: Mapping[str, float]) -> (
    list[Level]
):  # fmt: skip
    """The resolutions of an image, the full one first, down to a picture of 256 pixels.

    Axes of space are halved as long as voxels do not become longer along one of them for it.

    Parameters
    ----------
    shape : sequence of int
    axes : sequence of str
    spacing : mapping
        Voxel size along each axis of space.
    """
    levels = [Level(tuple(shape), (1,) * len(axes))]
    while True:
        last = levels[-1]
        sizes = dict(zip(axes, last.scale([spacing.get(axis, 0.0) for axis in axes]), strict=True))
        shortest = min(sizes[axis] for axis in "yx")
        halved = tuple(
            i
            for i, axis in enumerate(axes)
            if axis in SPATIAL
            and last.shape[i] > 1
            and (axis != "z" or sizes[axis] <= _ELONGATED * shortest)
        )
        if all(last.shape[i] <= _SMALLEST for i in halved):
            return levels
        n_shape = tuple(-(-n // 2) if i in halved else n for i, n in enumerate(last.shape))
        factors = tuple(f * 2 if i in halved else f for i, f in enumerate(last.factors))
        levels.append(Level(n_shape, factors, halved))


def write_levels(
    group: Any,
    array: Any,
    axes: Sequence[str],
    levels: Sequence[Level],
    *,
    are_labels: bool,
    zarr_format: int,
) -> Iterator[float]:
    """Write all resolutions into a group, under their numbers.

    Each is made from the one before, which is read back block by block: no more than some blocks
    are in memory. Every shard is written as a whole by one task: two that write into parts of one
    would each lose what the other wrote.

    Parameters
    ----------
    group : zarr.Group
    array : ndarray or dask array
    axes : sequence of str
    levels : sequence of Level
    are_labels : bool
        Whether lower resolutions take the most frequent value of a block, rather than the mean.
    zarr_format : {2, 3}
        Only version 3 of Zarr has shards.

    Yields
    ------
    float
        The share of all voxels that is written.
    """
    import dask.array

    written, total = 0.0, sum(math.prod(level.shape) for level in levels)
    before: Any = None
    for number, level in enumerate(levels):
        target = _new_array(group, str(number), level.shape, array.dtype, axes, zarr_format)
        block = target.shards or target.chunks
        if before is None:
            in_memory = isinstance(array, np.ndarray)
            lazy = dask.array.from_array(array, name=False) if in_memory else array
            source = lazy.rechunk(block)
        else:
            twice = tuple(n * 2 if i in level.halved else n for i, n in enumerate(block))
            source = dask.array.from_array(before, chunks=twice, name=False, asarray=False)
            source = source.map_blocks(
                halved_labels if are_labels else halved_image,
                level.halved,
                dtype=array.dtype,
                chunks=tuple(
                    tuple(-(-n // 2) for n in sizes) if i in level.halved else sizes
                    for i, sizes in enumerate(source.chunks)
                ),
            )
        for share in _fill(target, source):
            yield (written + share * target.size) / total
        written += target.size
        before = target


def _new_array(
    group: Any,
    name: str,
    shape: tuple[int, ...],
    dtype: np.dtype,
    axes: Sequence[str],
    zarr_format: int,
) -> Any:
    sizes = dict(zip("zyx", _BLOCK_3D, strict=True) if "z" in axes else
                 zip("yx", _BLOCK_2D, strict=True))  # fmt: skip
    chunks = tuple(min(sizes.get(axis, 1), n) for axis, n in zip(axes, shape, strict=True))
    shards = tuple(
        chunk * min(_BLOCKS_A_SHARD.get(axis, 1), -(-n // chunk))
        for axis, n, chunk in zip(axes, shape, chunks, strict=True)
    )
    in_3 = {"shards": shards, "dimension_names": list(axes)} if zarr_format == 3 else {}
    key = "default" if zarr_format == 3 else "v2"
    return group.create_array(
        name,
        shape=shape,
        dtype=dtype,
        chunks=chunks,
        chunk_key_encoding={"name": key, "separator": "/"},
        # What is not there was lost, then, and was not background.
        config={"write_empty_chunks": True},
        **in_3,
    )


def _fill(target: Any, source: Any) -> Iterator[float]:
    """Write a dask array whose blocks are those of the file, some at a time."""
    import dask

    at_once = min(os.cpu_count() or 1, _AT_ONCE)
    places = list(np.ndindex(source.numblocks))
    begins = [np.cumsum((0, *sizes)) for sizes in source.chunks]
    for first in range(0, len(places), at_once):
        check_stop()
        some = places[first : first + at_once]
        regions = [
            tuple(slice(int(b[i]), int(b[i + 1])) for b, i in zip(begins, place, strict=True))
            for place in some
        ]
        blocks = dask.compute(*(source.blocks[place] for place in some), scheduler="threads")
        # None writes on when the pool has ended, whatever goes wrong.
        with ThreadPoolExecutor(at_once) as pool:
            list(pool.map(target.__setitem__, regions, blocks))
        yield min(1.0, (first + at_once) / len(places))
