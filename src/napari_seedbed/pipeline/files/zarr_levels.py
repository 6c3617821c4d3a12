"""Resolutions of an image, written one from the other into Zarr arrays."""

import math
import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

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
    for number, level in enumerate(levels):
        target = new_array(group, str(number), level.shape, array.dtype, axes, zarr_format)
        if number:
            shares = _fill_by_halves(group, number, level, are_labels=are_labels)
        else:
            in_memory = isinstance(array, np.ndarray)
            lazy = dask.array.from_array(array, name=False) if in_memory else array
            shares = _fill(target, lazy.rechunk(target.shards or target.chunks))
        for share in shares:
            yield (written + share * target.size) / total
        written += target.size


def shards_of(array: Any) -> list[tuple[slice, ...]]:
    """The parts of a Zarr array that are files, or the blocks that would be."""
    block = array.shards or array.chunks
    counts = [-(-n // size) for n, size in zip(array.shape, block, strict=True)]
    return [
        tuple(
            slice(i * size, min(n, (i + 1) * size))
            for i, size, n in zip(place, block, array.shape, strict=True)
        )
        for place in np.ndindex(*counts)
    ]


def halves_of(
    before: Any, region: Sequence[slice], halved: Sequence[int], *, are_labels: bool
) -> NDArray[Any]:
    """The voxels of a part of a resolution, from the array of the one before it.

    Parameters
    ----------
    before : zarr.Array
    region : sequence of slice
        In voxels of the lower resolution.
    halved : sequence of int
        The axes along which it has half the voxels.
    are_labels : bool
    """
    twice = tuple(
        slice(2 * part.start, min(2 * part.stop, n)) if i in halved else part
        for i, (part, n) in enumerate(zip(region, before.shape, strict=True))
    )
    return (halved_labels if are_labels else halved_image)(np.asarray(before[twice]), halved)


def _fill_by_halves(group: Any, number: int, level: Level, *, are_labels: bool) -> Iterator[float]:
    before, target = group[str(number - 1)], group[str(number)]
    regions = shards_of(target)

    def fill(region: tuple[slice, ...]) -> None:
        target[region] = halves_of(before, region, level.halved, are_labels=are_labels)

    at_once = min(os.cpu_count() or 1, _AT_ONCE)
    for first in range(0, len(regions), at_once):
        check_stop()
        with ThreadPoolExecutor(at_once) as pool:
            list(pool.map(fill, regions[first : first + at_once]))
        yield min(1.0, (first + at_once) / len(regions))


def whole_shards(block: Sequence[int], shape: Sequence[int]) -> tuple[int, ...]:
    """Voxels of a block along the axes of space, so that it is made of whole shards.

    Parameters
    ----------
    block : sequence of int
        What is wanted.
    shape : sequence of int
        Of the image along the axes of space.
    """
    chunks = _BLOCK_3D if len(shape) == 3 else _BLOCK_2D
    found = []
    for wanted, n, chunk in zip(block, shape, chunks, strict=True):
        size = max(1, min(wanted, n))
        found.append(size if size <= chunk else -(-size // chunk) * chunk)
    return tuple(found)


def usual_shard(shape: Sequence[int]) -> tuple[int, ...]:
    """Voxels of a shard along the axes of space, for an image of a shape along these."""
    sizes = _BLOCK_3D if len(shape) == 3 else _BLOCK_2D
    times = [_BLOCKS_A_SHARD.get(axis, 1) for axis in SPATIAL[-len(shape) :]]
    return whole_shards([n * by for n, by in zip(sizes, times, strict=True)], shape)


def new_array(
    group: Any,
    name: str,
    shape: tuple[int, ...],
    dtype: np.dtype,
    axes: Sequence[str],
    zarr_format: int,
    block: Sequence[int] | None = None,
) -> Any:
    """A new Zarr array in a group.

    Parameters
    ----------
    group : zarr.Group
    name : str
    shape : tuple of int
    dtype : dtype
    axes : sequence of str
    zarr_format : {2, 3}
    block : sequence of int, optional
        What `whole_shards` gives, along the axes of space; each is then made of whole shards.
    """
    sizes = dict(zip("zyx", _BLOCK_3D, strict=True) if "z" in axes else
                 zip("yx", _BLOCK_2D, strict=True))  # fmt: skip
    if block is not None:
        space = [axis for axis in axes if axis in SPATIAL]
        sizes |= {axis: min(sizes[axis], n) for axis, n in zip(space, block, strict=True)}
    chunks = tuple(min(sizes.get(axis, 1), n) for axis, n in zip(axes, shape, strict=True))
    shards = tuple(
        chunk * min(_BLOCKS_A_SHARD.get(axis, 1), -(-n // chunk))
        for axis, n, chunk in zip(axes, shape, chunks, strict=True)
    )
    if block is not None:
        wanted = dict(zip(space, block, strict=True))
        shards = tuple(
            shard if wanted.get(axis, shard) % shard == 0 else wanted[axis]
            for axis, shard in zip(axes, shards, strict=True)
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
