"""Basins of a volume that is read block by block, the same as `cut_basins` gives in memory.

A way downhill that leaves a block goes on in the next one. Each block names the ends of its ways,
ends on its sides are joined with the ways that begin there, and every block is then written with
the numbers of whole basins: no basin ends at the side of a block.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.boxes import widened
from napari_seedbed.core.progress import tell
from napari_seedbed.core.seeded import field_kernels
from napari_seedbed.core.seeded.basin_graphs import (
    FaceGraph,
    Faces,
    bounds,
    face_areas,
    faces_between,
    joined_faces,
)
from napari_seedbed.core.seeded.linear_scores import Region
from napari_seedbed.core.seeded.stored_volumes import (
    BlockGrid,
    Readable,
    RunsTasks,
    StoredVolume,
    Writable,
    read_mask,
    shape_of,
    within,
)
from napari_seedbed.core.seeded.volume_statistics import VolumeStatistics
from napari_seedbed.core.seeded.voxel_features import MOST_BASINS, SCALES
from napari_seedbed.core.seeded.window_features import energy_of_window
from napari_seedbed.core.threads import run_ranges, split
from napari_seedbed.errors import InputError

Floats = NDArray[np.float32]

MOST_NODES = 4_000_000
"""Basins whose graph is held in memory, with the walks of some ten labels."""

_ROWS_PER_TASK = 512


@dataclass(frozen=True, eq=False)
class Landscape:
    """What basins are cut from.

    Attributes
    ----------
    volume : StoredVolume
    statistics : VolumeStatistics
    nth : int
        Scale of the slopes.
    outside : (Z, Y, X) or (Y, X) Readable of bool, or None
        Voxels that belong to no basin.
    """

    volume: StoredVolume
    statistics: VolumeStatistics
    nth: int
    outside: Readable | None = None

    def read(self, region: Region) -> tuple[Floats, NDArray[np.bool_]]:
        """Return the heights of a region, and which of its voxels are outside."""
        height = energy_of_window(region, self.volume, self.statistics, self.nth)
        if self.outside is None:
            return height, np.zeros(height.shape, np.bool_)
        return height, read_mask(self.outside, region)


@dataclass(frozen=True, eq=False)
class WaysDown:
    """Where the ways from the voxels of a block end.

    Attributes
    ----------
    ends : (E,) ndarray of int64
        Flat indices in the volume, rising: lowest voxels of basins, or voxels of other blocks.
    sides : dict of (axis, is_last) to (M, N) ndarray of int32
        Which of the ends the ways from the first and last voxels along each axis lead to, -1
        outside; only sides that touch other blocks.
    """

    ends: NDArray[np.int64]
    sides: dict[tuple[int, bool], NDArray[np.int32]]


@dataclass(frozen=True, eq=False)
class BlockOfBasins:
    """What a block adds to the graph of all basins.

    Attributes
    ----------
    basins : (B,) ndarray of int32
        Which have voxels in it.
    low, high : (B, 3) ndarray of int32
        Their bounding boxes in it.
    faces : Faces
        Those that begin in it and lead upwards along an axis.
    """

    basins: NDArray[np.int32]
    low: NDArray[np.int32]
    high: NDArray[np.int32]
    faces: Faces


@dataclass(frozen=True, eq=False)
class CutVolume:
    """The graph of all basins, what they were cut from, and what each block holds of them."""

    graph: FaceGraph
    landscape: Landscape
    blocks: list[BlockOfBasins]


def cut_into_basins(
    volume: StoredVolume,
    statistics: VolumeStatistics,
    outside: Readable | None,
    grid: BlockGrid,
    run: RunsTasks,
    basins: Writable,
) -> CutVolume:
    """Cut a volume into basins at the finest scale with few enough; write them, give their graph.

    Parameters
    ----------
    volume, statistics, outside, grid, run :
        As for `Landscape` and `measure_volume`.
    basins : (Z, Y, X) Writable of int32
        Written block by block, twice: number of each voxel's basin in the end, -1 outside.

    Raises
    ------
    InputError
        If there are more basins than `MOST_NODES`.
    """
    landscape = _fine_enough(volume, statistics, outside, grid, run)
    ways = []
    for done, found in enumerate(run(ways_of_block, grid.regions, landscape, basins)):
        ways.append(found)
        tell(0.1 + 0.2 * (done + 1) / len(grid.regions), "Looking for edges")
    names = _joined(ways, grid)
    count = 1 + max((int(own.max(initial=-1)) for own in names), default=-1)
    if count > MOST_NODES:
        raise InputError(
            f"data has {count} basins; their graph may have {MOST_NODES} at most. Take a coarser "
            "level of its pyramid, or crop it."
        )
    tasks = []
    for number, region in enumerate(grid.regions):
        above: list[NDArray[np.int32] | None] = []
        for axis in range(3):
            behind = grid.neighbour(number, axis)
            above.append(
                None if behind is None else _named(ways[behind].sides[axis, False], names[behind])
            )
        tasks.append((region, names[number], above))
    areas = face_areas(tuple(volume.steps))
    parts = []
    for done, part in enumerate(run(write_block, tasks, landscape, areas, basins)):
        parts.append(part)
        tell(0.3 + 0.2 * (done + 1) / len(tasks), "Looking for edges")
    graph = _graph_of(parts, count, areas)
    nothing = Faces(np.empty((0, 2), np.int32), np.empty(0, np.float32), np.empty(0, np.float32))
    return CutVolume(graph, landscape, [replace(part, faces=nothing) for part in parts])


def _fine_enough(
    volume: StoredVolume,
    statistics: VolumeStatistics,
    outside: Readable | None,
    grid: BlockGrid,
    run: RunsTasks,
) -> Landscape:
    """The finest scale that does not have too many basins, or the last one."""
    most = MOST_BASINS[2 if volume.shape[0] == 1 else 3]
    # Blocks far apart tell sooner than neighbours.
    regions = grid.regions
    order = np.random.default_rng(0).permutation(len(regions))
    for nth in range(len(SCALES) - 1):
        landscape = Landscape(volume, statistics, nth, outside)
        count = 0
        for number in order:
            (own,) = run(count_lowest, [regions[number]], landscape)
            count += own
            if count > most:
                break
        else:
            return landscape
    return Landscape(volume, statistics, len(SCALES) - 1, outside)


def count_lowest(region: Region, landscape: Landscape) -> int:
    """How many voxels of a block are the lowest of their basins."""
    downhill, _, own = _pointed_downhill(region, landscape)
    inner = downhill[own]
    places = np.arange(downhill.size, dtype=np.int32).reshape(downhill.shape)[own]
    return int(np.count_nonzero(inner == places))


def _pointed_downhill(
    region: Region, landscape: Landscape
) -> tuple[NDArray[np.int32], Region, Region]:
    """Where the next step from each voxel leads, in a block and the voxels around it.

    Also the region that these are, and the block in it.
    """
    z, y, x = widened(region, (1, 1, 1), landscape.volume.shape)
    around = (z, y, x)
    height, outside = landscape.read(around)
    n_rows = height.shape[0] * height.shape[1]
    downhill = np.empty(height.size, np.int32)
    run_ranges(
        lambda start, stop: field_kernels.point_downhill(start, stop, height, outside, downhill),
        split(n_rows, 1 + n_rows // _ROWS_PER_TASK),
    )
    return downhill.reshape(height.shape), around, within(region, around)


def ways_of_block(region: Region, landscape: Landscape, basins: Writable) -> WaysDown:
    """Return where the ways from the voxels of a block end; write which of the ends that is."""
    downhill, around, own = _pointed_downhill(region, landscape)
    places = np.arange(downhill.size, dtype=np.int32).reshape(downhill.shape)
    # Ways are not followed beyond the block.
    for axis, part in enumerate(own):
        for beyond in (slice(0, part.start), slice(part.stop, None)):
            rim = (*[slice(None)] * axis, beyond)
            downhill[rim] = np.where(downhill[rim] < 0, -1, places[rim])
    every = np.flatnonzero(downhill == places)
    del places
    field_kernels.number_basins(downhill.reshape(-1))
    inner = np.ascontiguousarray(downhill[own])
    is_met = np.zeros(len(every) + 1, np.bool_)
    is_met[inner] = True
    # The last one is for -1.
    table = np.append(np.cumsum(is_met[:-1], dtype=np.int32) - 1, -1).astype(np.int32)
    inner = table[inner]
    # Below -1, so that `write_block` can tell what it has renamed; -1 stays.
    basins[region] = -2 - inner
    at = np.unravel_index(every[is_met[:-1]], downhill.shape)
    ends = np.ravel_multi_index(
        tuple(p + part.start for p, part in zip(at, around, strict=True)), landscape.volume.shape
    )
    sides = {}
    for axis in range(3):
        for is_last, touches in (
            (False, region[axis].start > 0),
            (True, region[axis].stop < landscape.volume.shape[axis]),
        ):
            if touches:
                side = np.take(inner, -1 if is_last else 0, axis)
                sides[axis, is_last] = np.ascontiguousarray(side)
    return WaysDown(np.asarray(ends, np.int64), sides)


def _joined(ways: Sequence[WaysDown], grid: BlockGrid) -> list[NDArray[np.int32]]:
    """Number of the basin of each block's ends; basins count in the order of their lowest voxels.

    An end in another block is where a way begins there.
    """
    shape = grid.shape
    sizes = [len(own.ends) for own in ways]
    first = np.append(0, np.cumsum(sizes))
    target = np.arange(first[-1])
    lowest = []
    for number, own in enumerate(ways):
        places = np.unravel_index(own.ends, shape)
        owner = grid.numbers_at(places)
        lowest.append(own.ends[owner == number])
        for other in np.unique(owner[owner != number]):
            leaving = np.flatnonzero(owner == other)
            region = grid.region(int(other))
            at = [p[leaving] - part.start for p, part in zip(places, region, strict=True)]
            led = _on_sides(ways[other].sides, at, shape_of(region))
            target[first[number] + leaving] = first[other] + led
    # Each step leads further down; half of the steps are left each time.
    while True:
        following = target[target]
        if np.array_equal(following, target):
            break
        target = following
    ends = np.concatenate([own.ends for own in ways]) if ways else np.empty(0, np.int64)
    numbers = np.searchsorted(np.sort(np.concatenate(lowest)), ends[target]).astype(np.int32)
    return [numbers[a:b] for a, b in itertools.pairwise(first)]


def _on_sides(
    sides: dict[tuple[int, bool], NDArray[np.int32]],
    at: Sequence[NDArray[np.integer]],
    shape: Sequence[int],
) -> NDArray[np.int32]:
    """What the sides of a block hold at some of its outermost voxels."""
    found = np.full(len(at[0]), -1, np.int32)
    for (axis, is_last), side in sides.items():
        here = np.flatnonzero(at[axis] == (shape[axis] - 1 if is_last else 0))
        first, second = (at[other][here] for other in range(3) if other != axis)
        found[here] = side[first, second]
    return found


def _named(inner: NDArray[np.int32], names: NDArray[np.int32]) -> NDArray[np.int32]:
    # The last one is for -1.
    return np.append(names, np.int32(-1))[inner]


def write_block(
    task: tuple[Region, NDArray[np.int32], Sequence[NDArray[np.int32] | None]],
    landscape: Landscape,
    areas: Floats,
    basins: Writable,
) -> BlockOfBasins:
    """Write the basins of a block, where the ends of its ways are now, and measure its faces.

    Parameters
    ----------
    task : (region, names, above)
        The block, the number of the basin that each of its ends belongs to, and the basins of the
        voxels behind it along each axis.
    landscape : Landscape
    areas : (3,) ndarray
    basins : Writable
    """
    region, names, above = task
    own = np.array(basins[region], np.int32)
    # A task is done again where its worker was lost, maybe after it has written.
    is_end = own < -1
    own[is_end] = names[-2 - own[is_end]]
    basins[region] = own
    size = own.shape
    z, y, x = (
        slice(part.start, part.stop + (side is not None))
        for part, side in zip(region, above, strict=True)
    )
    around = np.full(shape_of((z, y, x)), -1, np.int32)
    around[: size[0], : size[1], : size[2]] = own
    for axis, side in enumerate(above):
        if side is not None:
            place = [slice(0, n) for n in size]
            place[axis] = slice(size[axis], size[axis] + 1)
            around[tuple(place)] = np.expand_dims(side, axis)
    local, nodes = renumbered(around)
    height, _ = landscape.read((z, y, x))
    faces = faces_between(local, len(nodes), height, areas, size)
    low, high = bounds(np.ascontiguousarray(local[: size[0], : size[1], : size[2]]), len(nodes))
    here = high[:, 0] > 0
    start = np.array([part.start for part in region], np.int32)
    return BlockOfBasins(
        nodes[here],
        low[here] + start,
        high[here] + start,
        Faces(nodes[faces.pair], faces.area, faces.cost),
    )


def renumbered(basin: NDArray[np.int32]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Number the basins of a window from 0, in their order; also which they were. -1 stays."""
    top = int(basin.max(initial=-1))
    is_met = np.zeros(top + 2, np.bool_)
    is_met[basin] = True
    is_met[-1] = False
    nodes = np.flatnonzero(is_met).astype(np.int32)
    table = np.full(top + 2, -1, np.int32)
    table[nodes] = np.arange(len(nodes), dtype=np.int32)
    return table[basin], nodes


def _graph_of(parts: Sequence[BlockOfBasins], count: int, areas: Floats) -> FaceGraph:
    low = np.full((count, 3), np.iinfo(np.int32).max, np.int32)
    high = np.zeros((count, 3), np.int32)
    for part in parts:
        low[part.basins] = np.minimum(low[part.basins], part.low)
        high[part.basins] = np.maximum(high[part.basins], part.high)
    faces = joined_faces([part.faces for part in parts], count)
    return FaceGraph(areas, low, high, faces.pair, faces.area, faces.cost)
