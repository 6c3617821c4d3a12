"""What each voxel looks like at four scales, kept in one byte a feature.

Smoothed intensity, slope and principal curvatures, of each channel: enough to separate objects from
background, and small enough to be kept for a whole volume. What varies slowly is kept on a coarser
grid.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from skimage.color import rgb2lab

from napari_seedbed.core.filters.gaussians import gaussian
from napari_seedbed.core.progress import check_stop, tell
from napari_seedbed.core.seeded import feature_kernels
from napari_seedbed.core.seeded.basin_graphs import Basins, cut_basins
from napari_seedbed.core.threads import run_ranges, split
from napari_seedbed.core.walker.noise import quieten, to_unit

Floats = NDArray[np.float32]

SCALES = (0.7, 1.5, 3.0, 6.0)
"""Standard deviations of the Gaussians, in the finest voxel size."""

VOXELS_A_SCALE = 2.0
"""Grids are halved as long as the standard deviation is so many of their voxels."""

MOST_BASINS = {2: 80_000, 3: 35_000}
"""With more basins than this the next coarser scale is taken: a walk on them would take long."""

EXTREMES = 1e-3
"""Share of the values at each end that are cut off when a feature is put into a byte."""

CAP = 0.995
"""Slopes above this quantile count as much as the quantile when their mean square is taken."""

TINY = 1e-30
"""Differences below it are none: their inverse is no number of 32 bits."""

_TRUNCATE = 3.0
_GOLDEN = (5**0.5 - 1) / 2
_ROWS_PER_TASK = 512
_SAMPLE = 1 << 17


@dataclass(frozen=True, eq=False)
class Level:
    """The features of one scale, on a grid of its own.

    Attributes
    ----------
    factor : (3,) ndarray of int64
        How many voxels of the volume are one of the grid, along each axis.
    bytes : (F, Z, Y, X) ndarray of uint8
    """

    factor: NDArray[np.int64]
    bytes: NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class VoxelFeatures:
    """Features of all voxels of a volume, in bytes.

    Attributes
    ----------
    levels : sequence of Level
        Their features follow each other.
    offset, gain : (F,) ndarray of float32
        ``bytes * gain + offset`` has mean 0 and standard deviation 1 over the volume.
    """

    levels: Sequence[Level]
    offset: Floats
    gain: Floats

    def at(self, places: Sequence[NDArray[np.integer]]) -> Floats:
        """Features (F, S) of voxels at these places, three arrays (S,)."""
        z, y, x = (np.ascontiguousarray(p, np.int64) for p in places)
        out = np.empty((len(self.gain), len(z)), np.float32)
        first = 0
        for level in self.levels:
            last = first + len(level.bytes)
            own = slice(first, last)
            feature_kernels.pick(
                level.bytes, level.factor, z, y, x, self.gain[own], self.offset[own], out[own]
            )
            first = last
        return out


def features_of_a_channel(ndim: int) -> int:
    """How many features a channel has in so many dimensions, at all scales together."""
    return len(SCALES) * (2 + ndim)


def channels_of(
    data: NDArray[Any], limits: tuple[float, float] | None = None
) -> list[NDArray[Any]]:
    """Channels of a (Z, Y, X, C) volume; three are taken for red, green and blue.

    These become CIE L*a*b*, in which a step of colour is about as large as it looks. `limits` are
    the lowest and the highest value, for a part of a volume.
    """
    if data.shape[-1] != 3:
        return [data[..., channel] for channel in range(data.shape[-1])]
    low, high = (float(data.min()), float(data.max())) if limits is None else limits
    whole = np.iinfo(data.dtype).max if data.dtype == np.uint8 else None
    unit = data.astype(np.float32)
    if whole is not None:
        unit /= whole
    elif low < 0 or high > 1 or high == low:
        unit = (unit - np.float32(low)) / np.float32((high - low) or 1.0)
    lab = rgb2lab(unit).astype(np.float32)
    return [lab[..., channel] for channel in range(3)]


def quiet_channels(data: NDArray[Any]) -> list[Floats]:
    """Channels of a volume (`channels_of`) from 0 to 1, smoothed as far as there is noise."""
    return [
        np.asarray(
            quieten(to_unit(channel, float(channel.min()), float(channel.max()))),
            np.float32,
        )
        for channel in channels_of(data)
    ]


def describe_volume(
    data: NDArray[Any], steps: NDArray[np.float64], outside: NDArray[np.bool_] | None = None
) -> tuple[VoxelFeatures, Basins, Floats]:
    """Return the features of a volume, and its basins at the finest scale that has few enough.

    Parameters
    ----------
    data : (Z, Y, X, C) ndarray
    steps : (3,) ndarray
        Voxel size along z, y, x, the finest being 1.
    outside : (Z, Y, X) ndarray of bool, optional
        Voxels that belong to no basin.

    Returns
    -------
    features : VoxelFeatures
    basins : Basins
    energy : (Z, Y, X) ndarray of float32
        Squared magnitude of the gradient in units of its mean, averaged over the channels, at the
        scale of the basins.
    """
    shape = data.shape[:3]
    channels = quiet_channels(data)
    most_basins = MOST_BASINS[2 if shape[0] == 1 else 3]
    levels: list[Level] = []
    units: list[Unit] = []
    found: tuple[Basins, Floats] | None = None
    for nth, sigma in enumerate(SCALES):
        scale = Scale.of(sigma, shape, steps)
        stored = np.empty((len(channels) * scale.n_features, *scale.shape), np.uint8)
        energy = np.zeros(scale.shape, np.float32) if found is None else None
        useful = 0
        for number, channel in enumerate(channels):
            check_stop()
            done = (nth * len(channels) + number) / (len(channels) * len(SCALES))
            tell(0.8 * done, "Looking at the image")
            smooth = scale.smoothed(channel)
            sample = scale.sample(smooth)
            own = [Unit.of(values) for values in sample]
            slope = capped_mean_square(sample[1])
            useful += slope > TINY
            part = stored[number * scale.n_features : (number + 1) * scale.n_features]
            scale.describe(
                smooth, own, part, energy if slope > TINY else None, 1 / max(slope, TINY)
            )
            units += own
            del smooth
        levels.append(Level(scale.factor, stored))
        if energy is None:
            continue
        energy /= np.float32(max(useful, 1))
        energy = stretched(energy, scale.factor, shape)
        most = None if sigma == SCALES[-1] else most_basins
        basins = cut_basins(energy, outside, most=most)
        if basins is not None:
            found = basins, energy
    assert found is not None
    offset = np.array([unit.offset for unit in units], np.float32)
    gain = np.array([unit.gain for unit in units], np.float32)
    return VoxelFeatures(levels, offset, gain), *found


@dataclass(frozen=True)
class Unit:
    """How a feature is put into a byte: ``(value - low) / step``, and read from it."""

    low: float
    step: float
    offset: float
    gain: float

    @classmethod
    def of(cls, sample: Floats) -> "Unit":
        """Return the unit that an even sample asks for."""
        low, high = (float(q) for q in np.quantile(sample, (EXTREMES, 1 - EXTREMES)))
        if high == low:
            low, high = float(sample.min()), float(sample.max())
        step = (high - low) / 255 if high - low > TINY else 1.0
        cut = np.clip(sample, low, high)
        mean, deviation = float(cut.mean()), float(cut.std()) or 1.0
        return cls(low, step, (low - mean) / deviation, step / deviation)


@dataclass(frozen=True, eq=False)
class Scale:
    """One scale, and the grid that its features lie on.

    Attributes
    ----------
    sigma : float
    flat : bool
        The volume is one plane.
    factor : (3,) ndarray of int64
    shape : tuple of three int
        Of the grid.
    steps : (3,) ndarray
        The grid's voxel size.
    widths : (3,) ndarray
        What is left to be smoothed along each axis, after means over voxels of the grid.
    """

    sigma: float
    flat: bool
    factor: NDArray[np.int64]
    shape: tuple[int, ...]
    steps: NDArray[np.float64]
    widths: NDArray[np.float64]

    @classmethod
    def of(cls, sigma: float, shape: Sequence[int], steps: NDArray[np.float64]) -> "Scale":
        """Return the scale of a Gaussian for a volume of this shape, or for a part of one."""
        halvings = np.floor(np.log2(np.maximum(sigma / (VOXELS_A_SCALE * steps), 1)) + 1e-9)
        factor = np.where(np.asarray(shape) > 1, 2**halvings, 1).astype(np.int64)
        grid = tuple(int(n) for n in -(-np.asarray(shape) // factor))
        widths = np.sqrt(sigma**2 - (factor**2 - 1) / 12 * steps**2)
        return cls(sigma, shape[0] == 1, factor, grid, steps * factor, widths)

    @property
    def n_features(self) -> int:
        """Intensity, slope and curvatures of one channel."""
        return 4 if self.flat else 5

    @property
    def reach(self) -> tuple[int, ...]:
        """How many voxels of the volume a feature depends on, to each side along each axis."""
        found = []
        for width, step, factor in zip(self.widths, self.steps, self.factor, strict=True):
            smoothing = int(_TRUNCATE * width / step + 0.5)
            # One voxel of the grid for slopes; what lies between two voxels depends on both.
            found.append(int((smoothing + 1 + (factor > 1)) * factor))
        return tuple(found)

    def smoothed(self, channel: Floats) -> Floats:
        """Return a channel smoothed, on the grid."""
        if (self.factor > 1).any():
            full, channel = channel, np.empty(self.shape, np.float32)
            rows = self._rows()
            run_ranges(feature_kernels.average, rows, full, self.factor, channel)
        return gaussian(channel, tuple(self.widths), tuple(self.steps), truncate=_TRUNCATE)

    def sample(self, smooth: Floats) -> Floats:
        """Return the features (F, S) of evenly spread rows."""
        rows = self.sampled_rows()
        values = self.described(rows, smooth)
        if not values[1].any():
            # All that there is to see lies between these rows.
            n_rows = self.shape[0] * self.shape[1]
            values = self.described(
                most_uneven(np.ptp(smooth.reshape(n_rows, -1), axis=1), len(rows)), smooth
            )
        return values.reshape(self.n_features, -1)

    def sampled_rows(self) -> NDArray[np.int64]:
        """Rows of all planes, one plane after the other, that stand for all."""
        n_rows = self.shape[0] * self.shape[1]
        count = min(n_rows, max(1, _SAMPLE // self.shape[2]))
        if count == n_rows:
            return np.arange(n_rows)
        # Equal steps could always meet the same row of a plane.
        return np.unique((np.arange(count) * _GOLDEN % 1 * n_rows).astype(np.int64))

    def describe(
        self,
        smooth: Floats,
        units: Sequence[Unit],
        stored: NDArray[np.uint8],
        energy: Floats | None,
        factor: float,
    ) -> None:
        """Store the features, and add squared slopes times a factor to the energy."""
        low = np.array([unit.low for unit in units], np.float32)
        per_step = np.array([1 / unit.step for unit in units], np.float32)
        target = stored.reshape(len(stored), -1, self.shape[2])
        slopes = None if energy is None else energy.reshape(-1, self.shape[2])

        def work(start: int, stop: int) -> None:
            values = self.described(np.arange(start, stop), smooth)
            feature_kernels.put_bytes(values, low, per_step, start, target)
            if slopes is not None:
                slopes[start:stop] += np.square(values[1]) * np.float32(factor)

        run_ranges(work, self._rows())

    def _rows(self) -> list[tuple[int, int]]:
        n_rows = self.shape[0] * self.shape[1]
        return split(n_rows, 1 + n_rows // _ROWS_PER_TASK)

    def described(self, rows: NDArray[np.int64], smooth: Floats) -> Floats:
        """Return the features (F, R, X) of some rows of the smoothed grid."""
        values = np.empty((self.n_features, len(rows), self.shape[2]), np.float32)
        feature_kernels.describe(rows, smooth, self.flat, self.steps, self.sigma, values)
        return values


def capped_mean_square(slopes: Floats) -> float:
    """Mean square of slopes, of an even sample; the steepest few count as less steep.

    Where nearly all is flat, it is the mean of the rest.
    """
    sample = slopes[:: max(1, slopes.size // _SAMPLE)]
    cap = np.quantile(sample, CAP)
    if cap == 0:
        sample = slopes[slopes > 0]
        cap = np.quantile(sample, CAP) if sample.size else cap
    square = np.minimum(sample, cap).astype(np.float64) ** 2
    return float(np.mean(square)) if sample.size else 0.0


def most_uneven(spread: NDArray[np.floating], count: int) -> NDArray[np.int64]:
    """Return so many rows whose values differ most, ascending."""
    return np.sort(np.argsort(-spread, kind="stable")[:count])


def stretched(values: Floats, factor: NDArray[np.int64], shape: tuple[int, ...]) -> Floats:
    """Return values on the volume's own grid, interpolated."""
    if (factor == 1).all():
        return values
    out = np.empty(shape, np.float32)
    rows = split(shape[0] * shape[1], 1 + shape[0] * shape[1] // _ROWS_PER_TASK)
    run_ranges(feature_kernels.stretch, rows, values, factor, out)
    return out
