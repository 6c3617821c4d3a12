"""What each voxel looks like at four scales, kept in one byte a feature.

Smoothed intensity, slope and principal curvatures, of each channel: enough to tell objects from
background, and small enough to be kept for a whole volume.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from skimage.color import rgb2lab

from napari_seedbed.core.filters.gaussians import gaussian
from napari_seedbed.core.progress import Progress, Report, ShouldStop, check_stop
from napari_seedbed.core.seeded import field_kernels
from napari_seedbed.core.seeded.basin_graphs import Basins, cut_basins
from napari_seedbed.core.slabs import Slab, in_slabs
from napari_seedbed.core.threads import run_ranges, split
from napari_seedbed.core.walker.noise import quieten, to_unit

Floats = NDArray[np.float32]

SCALES = (0.7, 1.5, 3.0, 6.0)
"""Standard deviations of the Gaussians, in the finest voxel size."""

MOST_BASINS = {2: 80_000, 3: 35_000}
"""With more basins than this the next coarser scale is taken: a walk on them would take long."""

EXTREMES = 1e-3
"""Share of the values at each end that are cut off when a feature is put into a byte."""

CAP = 0.995
"""Slopes above this quantile count as much as the quantile when their mean square is taken."""

_ROWS_PER_TASK = 512
_SAMPLE = 1 << 18


class VoxelFeatures:
    """Features of all voxels of a volume, in bytes.

    Attributes
    ----------
    bytes : (F, Z, Y, X) ndarray of uint8
    offset, gain : (F,) ndarray of float32
        ``bytes * gain + offset`` has mean 0 and standard deviation 1 over the volume.
    """

    def __init__(self, count: int, shape: tuple[int, ...]) -> None:
        self.bytes = np.empty((count, *shape), np.uint8)
        self.offset = np.zeros(count, np.float32)
        self.gain = np.ones(count, np.float32)

    def put(self, place: int, values: Floats, should_stop: ShouldStop | None) -> None:
        """Store a feature."""
        sample = values.reshape(-1)[:: max(1, values.size // _SAMPLE)]
        low, high = (float(q) for q in np.quantile(sample, (EXTREMES, 1 - EXTREMES)))
        step = (high - low) / 255 if high > low else 1.0
        target = self.bytes[place]

        def convert(slab: Slab) -> None:
            scaled = (values[slab] - np.float32(low)) * np.float32(1 / step)
            np.clip(np.rint(scaled), 0, 255, out=scaled)
            target[slab] = scaled

        in_slabs(convert, values.shape, should_stop)
        cut = np.clip(sample, low, high)
        mean, deviation = float(cut.mean()), float(cut.std()) or 1.0
        self.gain[place] = step / deviation
        self.offset[place] = (low - mean) / deviation

    def at(self, index: Any) -> Floats:
        """Features (F, …) of some voxels, by any index of a volume."""
        picked = self.bytes[(slice(None), *index)].astype(np.float32)
        shape = (-1,) + (1,) * (picked.ndim - 1)
        picked *= self.gain.reshape(shape)
        picked += self.offset.reshape(shape)
        return picked


def channels_of(data: NDArray[Any]) -> list[NDArray[Any]]:
    """Channels of a (Z, Y, X, C) volume; three are taken for red, green and blue.

    These become CIE L*a*b*, in which a step of colour is about as large as it looks.
    """
    if data.shape[-1] != 3:
        return [data[..., channel] for channel in range(data.shape[-1])]
    low, high = float(data.min()), float(data.max())
    whole = np.iinfo(data.dtype).max if data.dtype == np.uint8 else None
    unit = data.astype(np.float32)
    if whole is not None:
        unit /= whole
    elif low < 0 or high > 1 or high == low:
        unit = (unit - np.float32(low)) / np.float32((high - low) or 1.0)
    lab = rgb2lab(unit).astype(np.float32)
    return [lab[..., channel] for channel in range(3)]


def quiet_channels(data: NDArray[Any], should_stop: ShouldStop | None = None) -> list[Floats]:
    """Channels of a volume (`channels_of`) from 0 to 1, smoothed as far as there is noise."""
    return [
        np.asarray(
            quieten(to_unit(channel, float(channel.min()), float(channel.max())), should_stop),
            np.float32,
        )
        for channel in channels_of(data)
    ]


def describe_volume(
    data: NDArray[Any],
    steps: NDArray[np.float64],
    outside: NDArray[np.bool_] | None = None,
    should_stop: ShouldStop | None = None,
    report: Report | None = None,
) -> tuple[VoxelFeatures, Basins, Floats]:
    """Return the features of a volume, and its basins at the finest scale that has few enough.

    Parameters
    ----------
    data : (Z, Y, X, C) ndarray
    steps : (3,) ndarray
        Voxel size along z, y, x, the finest being 1.
    outside : (Z, Y, X) ndarray of bool, optional
        Voxels that belong to no basin.
    should_stop, report : callable, optional

    Returns
    -------
    features : VoxelFeatures
    basins : Basins
    energy : (Z, Y, X) ndarray of float32
        Squared magnitude of the gradient in units of its mean, averaged over the channels, at the
        scale of the basins.
    """
    shape = data.shape[:3]
    flat = shape[0] == 1
    channels = quiet_channels(data, should_stop)
    n_curvatures = 2 if flat else 3
    features = VoxelFeatures(len(channels) * len(SCALES) * (2 + n_curvatures), shape)
    steepness = np.empty(shape, np.float32)
    curvature = np.empty((n_curvatures, *shape), np.float32)
    rows = split(shape[0] * shape[1], 1 + shape[0] * shape[1] // _ROWS_PER_TASK)
    found: tuple[Basins, Floats] | None = None
    place = 0
    for nth, sigma in enumerate(SCALES):
        energy = np.zeros(shape, np.float32) if found is None else None
        useful = 0
        for number, channel in enumerate(channels):
            check_stop(should_stop)
            if report is not None:
                done = (nth * len(channels) + number) / (len(channels) * len(SCALES))
                report(Progress(0.8 * done, "Looking at the image"))
            smooth = gaussian(channel, sigma, tuple(steps), truncate=3.0, should_stop=should_stop)
            run_ranges(
                field_kernels.describe, rows, smooth, flat, *steps, sigma, steepness, curvature,
                should_stop=should_stop,
            )  # fmt: skip
            for values in (smooth, steepness, *curvature):
                features.put(place, values, should_stop)
                place += 1
            if energy is not None:
                useful += _add_energy(steepness, energy)
        if energy is not None:
            energy /= np.float32(max(useful, 1))
            basins = cut_basins(energy, outside, should_stop)
            if basins.count <= MOST_BASINS[2 if flat else 3] or sigma == SCALES[-1]:
                found = basins, energy
    assert found is not None
    return features, *found


def capped_mean_square(slopes: Floats) -> float:
    """Mean square of slopes, of an even sample; the steepest few count as less steep."""
    sample = slopes[:: max(1, slopes.size // _SAMPLE)]
    return float(np.mean(np.minimum(sample, np.quantile(sample, CAP)).astype(np.float64) ** 2))


def _add_energy(steepness: Floats, energy: Floats) -> bool:
    """Add squared slopes in units of their capped mean; whether there are any."""
    mean = capped_mean_square(steepness.reshape(-1))
    if not mean > 0:
        return False
    scale = np.float32(mean**-0.5)

    def add(slab: Slab) -> None:
        energy[slab] += np.square(steepness[slab] * scale)

    in_slabs(add, energy.shape, None)
    return True
