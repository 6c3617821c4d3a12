"""Features and slopes of a part of a volume, as they are in the whole."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.boxes import widened
from napari_seedbed.core.progress import check_stop
from napari_seedbed.core.seeded import feature_kernels
from napari_seedbed.core.seeded.appearance import Appearance
from napari_seedbed.core.seeded.evidence import Evidence
from napari_seedbed.core.seeded.linear_scores import Region
from napari_seedbed.core.seeded.stored_volumes import (
    BlockGrid,
    RunsTasks,
    StoredVolume,
    aligned,
    shape_of,
    within,
)
from napari_seedbed.core.seeded.volume_statistics import VolumeStatistics
from napari_seedbed.core.seeded.voxel_features import (
    SCALES,
    TINY,
    Level,
    Scale,
    VoxelFeatures,
    stretched,
)
from napari_seedbed.core.threads import run_ranges, split

Floats = NDArray[np.float32]

SEEDS_TOGETHER = 64
"""Seeds in a box so many voxels wide are described together."""

_ROWS_PER_TASK = 64


@dataclass(frozen=True, eq=False)
class DescribedWindow:
    """Features of a part of a volume.

    Attributes
    ----------
    features : VoxelFeatures
    origin : (3,) ndarray of int64
        The voxel of the volume where they begin.
    """

    features: VoxelFeatures
    origin: NDArray[np.int64]

    def at(self, places: Sequence[NDArray[np.integer]]) -> Floats:
        """Features (F, S) of voxels at these places in the volume, three arrays (S,)."""
        return self.features.at([p - o for p, o in zip(places, self.origin, strict=True)])

    def evidence(self, appearance: Appearance) -> "WindowEvidence":
        """What speaks for each class, by an appearance."""
        return WindowEvidence(Evidence.of(self.features, appearance), self.origin)


@dataclass(frozen=True, eq=False)
class WindowEvidence:
    """Weighs voxels of a part of a volume that begins at `corner`, see `Evidence.weigh`.

    Attributes
    ----------
    evidence : Evidence
    corner : (3,) ndarray of int64
        Where regions of the features begin among those that are asked for.
    """

    evidence: Evidence
    corner: NDArray[np.int64]

    def weigh(
        self,
        region: Region,
        basin: NDArray[np.int32],
        expected: Floats,
        in_doubt: NDArray[np.bool_],
    ) -> Floats:
        """Return how much speaks for each class in a region: (C, Z, Y, X)."""
        z, y, x = (
            slice(part.start - c, part.stop - c)
            for part, c in zip(region, self.corner.tolist(), strict=True)
        )
        return self.evidence.weigh((z, y, x), basin, expected, in_doubt)


def describe_window(
    region: Region, volume: StoredVolume, statistics: VolumeStatistics
) -> DescribedWindow:
    """Return the features of all voxels of a region."""
    shape = volume.shape
    scales = [Scale.of(sigma, shape, volume.steps) for sigma in SCALES]
    coarsest = np.max([scale.factor for scale in scales], axis=0).tolist()
    # What lies between two voxels of a coarser grid depends on both.
    box = aligned(_plus(region, [f if f > 1 else 0 for f in coarsest], shape), coarsest, shape)
    arounds = [aligned(_plus(box, scale.reach, shape), coarsest, shape) for scale in scales]
    widest = _hull(arounds)
    channels = statistics.read_quiet(volume, widest)
    levels = []
    for scale, around, units in zip(scales, arounds, statistics.units, strict=True):
        factor = scale.factor.tolist()
        cells = within(box, around, factor)
        local = Scale.of(scale.sigma, shape_of(around), volume.steps)
        z, y, x = widened(cells, (1, 1, 1), local.shape)
        own = within(cells, (z, y, x))
        n_features = scale.n_features
        stored = np.empty((len(channels) * n_features, *shape_of(own)), np.uint8)
        for number, channel in enumerate(channels):
            check_stop()
            smooth = local.smoothed(np.ascontiguousarray(channel[within(around, widest)]))
            smooth = np.ascontiguousarray(smooth[z, y, x])
            part = slice(number * n_features, (number + 1) * n_features)
            room = np.empty((n_features, *smooth.shape), np.uint8)
            replace(local, shape=smooth.shape).describe(smooth, units[part], room, None, 1.0)
            stored[part] = room[(slice(None), *own)]
        levels.append(Level(scale.factor, stored))
    units_of_all = [unit for units in statistics.units for unit in units]
    features = VoxelFeatures(
        levels,
        np.array([unit.offset for unit in units_of_all], np.float32),
        np.array([unit.gain for unit in units_of_all], np.float32),
    )
    return DescribedWindow(features, np.array([part.start for part in box], np.int64))


def energy_of_window(
    region: Region, volume: StoredVolume, statistics: VolumeStatistics, nth: int
) -> Floats:
    """Return squared slopes at the nth scale, in units of their mean, of a region (Z, Y, X)."""
    shape = volume.shape
    scale = Scale.of(SCALES[nth], shape, volume.steps)
    factor = scale.factor.tolist()
    around = aligned(_plus(region, scale.reach, shape), factor, shape)
    local = Scale.of(scale.sigma, shape_of(around), volume.steps)
    energy = np.zeros(local.shape, np.float32)
    useful = 0
    rows = local.shape[0] * local.shape[1]
    tasks = split(rows, -(-rows // _ROWS_PER_TASK))
    for channel, slope in zip(
        statistics.read_quiet(volume, around), statistics.slopes[nth], strict=True
    ):
        check_stop()
        if slope <= TINY:
            continue
        useful += 1
        smooth = local.smoothed(channel)
        run_ranges(
            feature_kernels.add_squared_slopes,
            tasks,
            smooth, local.flat, local.steps, local.sigma, np.float32(1 / slope), energy,
        )  # fmt: skip
    energy /= np.float32(max(useful, 1))
    whole = stretched(energy, scale.factor, shape_of(around))
    return np.ascontiguousarray(whole[within(region, around)])


def features_at(
    places: Sequence[NDArray[np.integer]],
    volume: StoredVolume,
    statistics: VolumeStatistics,
    run: RunsTasks,
) -> Floats:
    """Return the features (F, S) of some voxels, three arrays (S,)."""
    count = len(places[0])
    found = np.empty((sum(len(units) for units in statistics.units), count), np.float32)
    side = min(SEEDS_TOGETHER, *(max(n, 1) for n in volume.shape[1:]))
    grid = BlockGrid(volume.shape, (side, side, side))
    numbers = grid.numbers_at(places)
    order = np.argsort(numbers, kind="stable")
    starts = np.flatnonzero(np.diff(numbers[order], prepend=-1))
    groups = np.split(order, starts[1:]) if count else []
    tasks = [[np.asarray(axis)[group] for axis in places] for group in groups]
    for group, values in zip(
        groups, run(features_together, tasks, volume, statistics), strict=True
    ):
        found[:, group] = values
    return found


def features_together(
    places: Sequence[NDArray[np.integer]], volume: StoredVolume, statistics: VolumeStatistics
) -> Floats:
    """Return the features (F, S) of some voxels that are near each other."""
    z, y, x = (slice(int(axis.min()), int(axis.max()) + 1) for axis in places)
    return describe_window((z, y, x), volume, statistics).at(places)


def _plus(region: Region, margins: Sequence[int], shape: Sequence[int]) -> Region:
    z, y, x = widened(region, margins, shape)
    return z, y, x


def _hull(regions: Sequence[Region]) -> Region:
    z, y, x = (
        slice(min(r[axis].start for r in regions), max(r[axis].stop for r in regions))
        for axis in range(3)
    )
    return z, y, x
