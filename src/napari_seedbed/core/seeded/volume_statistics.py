"""What must be known of a whole volume before any part of it can be described.

All of it is measured block by block, exactly as `describe_volume` measures it in memory.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.boxes import widened
from napari_seedbed.core.magnitudes import divided, moderate_range
from napari_seedbed.core.progress import tell
from napari_seedbed.core.seeded.linear_scores import Region
from napari_seedbed.core.seeded.stored_volumes import (
    BlockGrid,
    RunsTasks,
    StoredVolume,
    aligned,
    shape_of,
    within,
)
from napari_seedbed.core.seeded.voxel_features import (
    SCALES,
    Scale,
    Unit,
    capped_mean_square,
    channels_of,
    most_uneven,
)
from napari_seedbed.core.walker.noise import (
    REACH,
    mixed,
    sample_blocks,
    share_of_energies,
    smoothed,
    to_unit,
)
from napari_seedbed.errors import InputError

Floats = NDArray[np.float32]
Limits = tuple[float, float]


@dataclass(frozen=True, eq=False)
class VolumeStatistics:
    """What parts of a volume are described by.

    Attributes
    ----------
    exponent : int
        Power of two that values are divided by.
    limits : (float, float)
        Lowest and highest of all values after that.
    of_channels : tuple of (float, float)
        Limits of each channel (`channels_of`).
    noise : tuple of float
        Share of noise in each channel.
    units : tuple of tuple of Unit
        For each scale, how the features of all channels are put into bytes.
    slopes : tuple of tuple of float
        For each scale, the mean square of each channel's slopes.
    """

    exponent: int
    limits: Limits
    of_channels: tuple[Limits, ...] = ()
    noise: tuple[float, ...] = ()
    units: tuple[tuple[Unit, ...], ...] = ()
    slopes: tuple[tuple[float, ...], ...] = ()

    def unit_channels(self, window: NDArray[Any]) -> list[Floats]:
        """Channels of a window (Z, Y, X, C) from 0 to 1."""
        data = divided(window, self.exponent)
        channels = channels_of(data, self.limits)
        return [
            to_unit(channel, *limits)
            for channel, limits in zip(channels, self.of_channels, strict=True)
        ]

    def quiet_channels(self, window: NDArray[Any]) -> list[Floats]:
        """The same, smoothed as far as there is noise: wrong `REACH` voxels from its sides."""
        return [
            np.ascontiguousarray(mixed(channel, share) if share else channel, np.float32)
            for channel, share in zip(self.unit_channels(window), self.noise, strict=True)
        ]

    def read_quiet(self, volume: StoredVolume, region: Region) -> list[Floats]:
        """Channels of a region, smoothed as far as there is noise."""
        z, y, x = widened(region, [REACH if any(self.noise) else 0] * 3, volume.shape)
        inner = within(region, (z, y, x))
        return [
            np.ascontiguousarray(channel[inner])
            for channel in self.quiet_channels(volume.read((z, y, x)))
        ]


def measure_volume(volume: StoredVolume, grid: BlockGrid, run: RunsTasks) -> VolumeStatistics:
    """Measure a volume block by block.

    Raises
    ------
    InputError
        If it holds NaN or infinity.
    """
    n_channels = volume.read((slice(0, 1), slice(0, 1), slice(0, 1))).shape[-1]
    found = _joined_limits(run(limits_of_block, grid.regions, volume))
    low, high, exponent = moderate_range(float(found[:, 0].min()), float(found[:, 1].max()))
    if n_channels == 3:
        coloured = VolumeStatistics(exponent, (low, high))
        found = _joined_limits(run(limits_of_colours, grid.regions, volume, coloured))
    else:
        found = divided(found, exponent)
    tell(0.02, "Looking at the image")
    statistics = VolumeStatistics(
        exponent, (low, high), tuple((float(a), float(b)) for a, b in found)
    )
    energies = sum(run(noise_of_block, grid.regions, volume, statistics))
    n_axes = sum(n > 1 for n in volume.shape)
    noise = [share_of_energies(before, after, n_axes) for before, after in np.asarray(energies)]
    statistics = replace(statistics, noise=tuple(noise))
    tell(0.04, "Looking at the image")
    return _with_units(volume, grid, run, statistics)


def _joined_limits(found: Any) -> NDArray[np.float64]:
    every = np.array(list(found))
    return np.stack([every[..., 0].min(axis=0), every[..., 1].max(axis=0)], axis=-1)


def limits_of_block(region: Region, volume: StoredVolume) -> NDArray[np.float64]:
    """Return the lowest and highest value of each channel (C, 2) in a block."""
    window = volume.read(region)
    ends = [window.min(axis=(0, 1, 2)), window.max(axis=(0, 1, 2))]
    found = np.stack([np.asarray(end, np.float64) for end in ends], axis=-1)
    if not np.isfinite(found).all():
        first = np.argwhere(~np.isfinite(window))[0][:3] + [part.start for part in region]
        raise InputError(
            f"data has values that are NaN or infinite, one at {tuple(first.tolist())}; replace "
            "them with finite numbers."
        )
    return found


def limits_of_colours(
    region: Region, volume: StoredVolume, statistics: VolumeStatistics
) -> NDArray[np.float64]:
    """Return the lowest and highest value of each channel (3, 2) that colours become."""
    data = divided(volume.read(region), statistics.exponent)
    return np.array(
        [(float(c.min()), float(c.max())) for c in channels_of(data, statistics.limits)]
    )


def noise_of_block(
    region: Region, volume: StoredVolume, statistics: VolumeStatistics
) -> NDArray[np.float64]:
    """Return squared differences between neighbours, before and after smoothing (C, 2)."""
    shape = volume.shape
    found = np.zeros((len(statistics.of_channels), 2))
    first = next((axis for axis in range(3) if shape[axis] > 1), None)
    if first is None:
        return found
    for start, stop in sample_blocks(shape[first:]):
        part = list(region)
        part[first] = slice(max(region[first].start, start), min(region[first].stop, stop))
        if part[first].start >= part[first].stop:
            continue
        ends = [(0, n) for n in shape]
        ends[first] = (start, stop)
        z, y, x = (
            slice(max(own.start - REACH, low), min(own.stop + REACH + 1, high))
            for own, (low, high) in zip(part, ends, strict=True)
        )
        own = within((part[0], part[1], part[2]), (z, y, x))
        for number, unit in enumerate(statistics.unit_channels(volume.read((z, y, x)))):
            for nth, image in enumerate((unit, smoothed(unit))):
                found[number, nth] += sum(_squared_steps(image, own, axis) for axis in range(3))
    return found


def _squared_steps(image: Floats, own: Region, axis: int) -> float:
    """Sum of the squared differences that lead upwards along an axis from voxels of a region."""
    reached = list(own)
    reached[axis] = slice(own[axis].start, min(own[axis].stop + 1, image.shape[axis]))
    return float(np.sum(np.square(np.diff(image[tuple(reached)], axis=axis)), dtype=np.float64))


def _with_units(
    volume: StoredVolume, grid: BlockGrid, run: RunsTasks, statistics: VolumeStatistics
) -> VolumeStatistics:
    """Measure the features of evenly spread rows."""
    scales = [Scale.of(sigma, volume.shape, volume.steps) for sigma in SCALES]
    rows = [scale.sampled_rows() for scale in scales]
    samples = _sampled(volume, grid, run, statistics, rows)
    units, slopes = [], []
    for nth, scale in enumerate(scales):
        of_scale = samples[nth]
        for channel, sample in enumerate(of_scale):
            if not sample[1].any():
                # All that there is to see lies between these rows.
                spread = _spreads(volume, grid, run, statistics, nth, channel)
                again: list[NDArray[np.int64]] = [np.empty(0, np.int64)] * len(scales)
                again[nth] = most_uneven(spread, len(rows[nth]))
                of_scale[channel] = _sampled(volume, grid, run, statistics, again)[nth][channel]
        own = [Unit.of(values) for sample in of_scale for values in sample]
        units.append(tuple(own))
        slopes.append(tuple(capped_mean_square(sample[1]) for sample in of_scale))
        assert len(own) == scale.n_features * len(of_scale)
    return replace(statistics, units=tuple(units), slopes=tuple(slopes))


def _sampled(
    volume: StoredVolume,
    grid: BlockGrid,
    run: RunsTasks,
    statistics: VolumeStatistics,
    rows: Sequence[NDArray[np.int64]],
) -> list[list[Floats]]:
    """Features (F, S) at some rows of each scale, for each scale and channel."""
    parts = list(run(sample_of_block, grid.regions, volume, statistics, rows))
    return [
        [
            np.concatenate([part[nth][channel] for part in parts], axis=1)
            for channel in range(len(statistics.noise))
        ]
        for nth in range(len(SCALES))
    ]


def sample_of_block(
    region: Region,
    volume: StoredVolume,
    statistics: VolumeStatistics,
    rows: Sequence[NDArray[np.int64]],
) -> list[list[Floats]]:
    """Return what a block holds of some rows: for each scale and channel (F, S)."""
    found: list[list[Floats]] = []
    n_channels = len(statistics.noise)
    scales = [Scale.of(sigma, volume.shape, volume.steps) for sigma in SCALES]
    reach = np.max([scale.reach for scale in scales], axis=0) + REACH
    z, y, x = widened(region, reach.tolist(), volume.shape)
    raw: NDArray[Any] | None = None
    for scale, wanted in zip(scales, rows, strict=True):
        factor = scale.factor.tolist()
        first = [-(-part.start // f) for part, f in zip(region, factor, strict=True)]
        last = [-(-part.stop // f) for part, f in zip(region, factor, strict=True)]
        at_z, at_y = np.divmod(wanted, scale.shape[1])
        inside = (at_z >= first[0]) & (at_z < last[0]) & (at_y >= first[1]) & (at_y < last[1])
        own = np.stack([at_z[inside], at_y[inside]], axis=1)
        of_scale: list[list[Floats]] = [[] for _ in range(n_channels)]
        if len(own) and last[2] > first[2]:
            raw = volume.read((z, y, x)) if raw is None else raw
            for cells in _together(own, first, last, scale):
                box = _box_of(cells, first[2], last[2], factor, volume.shape)
                around = aligned(_plus(box, scale.reach, volume.shape), factor, volume.shape)
                wide = _plus(around, [REACH] * 3, volume.shape)
                channels = statistics.quiet_channels(raw[within(wide, (z, y, x))])
                place = within(around, wide)
                local = Scale.of(scale.sigma, shape_of(around), volume.steps)
                columns = within(box, around, factor)[2]
                local_rows = (cells[:, 0] - around[0].start // factor[0]) * local.shape[1] + (
                    cells[:, 1] - around[1].start // factor[1]
                )
                for number, channel in enumerate(channels):
                    smooth = local.smoothed(np.ascontiguousarray(channel[place]))
                    values = local.described(local_rows, smooth)[..., columns]
                    of_scale[number].append(values.reshape(len(values), -1))
        nothing = np.empty((scale.n_features, 0), np.float32)
        found.append([np.concatenate([nothing, *parts], axis=1) for parts in of_scale])
    return found


def _together(
    cells: NDArray[np.int64], first: Sequence[int], last: Sequence[int], scale: Scale
) -> list[NDArray[np.int64]]:
    """Rows that are smoothed together: each alone, or all where that is less work."""
    alone = np.prod([2 * r / f + 1 for r, f in zip(scale.reach[:2], scale.factor, strict=False)])
    every = np.prod(
        [
            b - a + 2 * r / f
            for a, b, r, f in zip(first[:2], last[:2], scale.reach, scale.factor, strict=False)
        ]
    )
    return [cells] if alone * len(cells) > every else [cells[i : i + 1] for i in range(len(cells))]


def _box_of(
    cells: NDArray[np.int64], first: int, last: int, factor: Sequence[int], shape: Sequence[int]
) -> Region:
    """Voxels of rows of a coarser grid, from one column to another."""
    low = [int(cells[:, 0].min()), int(cells[:, 1].min()), first]
    high = [int(cells[:, 0].max()) + 1, int(cells[:, 1].max()) + 1, last]
    z, y, x = (
        slice(a * f, min(b * f, n)) for a, b, f, n in zip(low, high, factor, shape, strict=True)
    )
    return z, y, x


def _plus(region: Region, margins: Sequence[int], shape: Sequence[int]) -> Region:
    z, y, x = widened(region, margins, shape)
    return z, y, x


def _spreads(
    volume: StoredVolume,
    grid: BlockGrid,
    run: RunsTasks,
    statistics: VolumeStatistics,
    nth: int,
    channel: int,
) -> Floats:
    """How much the values of each row of a scale's smoothed grid differ."""
    scale = Scale.of(SCALES[nth], volume.shape, volume.steps)
    low = np.full(scale.shape[:2], np.inf, np.float32)
    high = np.full(scale.shape[:2], -np.inf, np.float32)
    regions = grid.regions
    found = run(row_limits_of_block, regions, volume, statistics, nth, channel)
    for region, (lowest, highest) in zip(regions, found, strict=True):
        z, y = (
            slice(-(-part.start // f), -(-part.stop // f))
            for part, f in zip(region[:2], scale.factor.tolist()[:2], strict=True)
        )
        np.minimum(low[z, y], lowest, out=low[z, y])
        np.maximum(high[z, y], highest, out=high[z, y])
    return (high - low).reshape(-1)


def row_limits_of_block(
    region: Region, volume: StoredVolume, statistics: VolumeStatistics, nth: int, channel: int
) -> tuple[Floats, Floats]:
    """Return the lowest and highest value of each row of a block's part of a smoothed grid."""
    scale = Scale.of(SCALES[nth], volume.shape, volume.steps)
    factor = scale.factor.tolist()
    around = aligned(_plus(region, scale.reach, volume.shape), factor, volume.shape)
    local = Scale.of(scale.sigma, shape_of(around), volume.steps)
    smooth = local.smoothed(statistics.read_quiet(volume, around)[channel])
    own = tuple(
        slice(-(-part.start // f) - whole.start // f, -(-part.stop // f) - whole.start // f)
        for part, whole, f in zip(region, around, factor, strict=True)
    )
    values = smooth[own]
    if values.shape[2] == 0:
        empty = np.zeros(values.shape[:2], np.float32)
        return empty + np.float32(np.inf), empty - np.float32(np.inf)
    return values.min(axis=2), values.max(axis=2)
