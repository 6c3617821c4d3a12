"""Weights of the edges between neighbouring voxels: how easily a walker crosses.

A weight array holds, at voxel `i`, the edge from `i` to its next neighbour along one axis; the last
place along that axis is 0, as there is no edge.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from skimage.util import img_as_float

from napari_seedbed.core.progress import ShouldStop
from napari_seedbed.core.threads import run_ranges, split
from napari_seedbed.errors import InputError

Normalization = Literal["std", "contrast"]
NORMALIZATIONS: tuple[Normalization, ...] = ("std", "contrast")

CONTRAST_FLOOR = 1e-6
"""Smallest weight of `normalization='contrast'`; the largest is 1."""

STD_FLOOR = 1e-10
"""What scikit-image adds to each weight."""

CONTRAST_QUANTILE = 0.9
_SAMPLES_PER_AXIS = 1 << 20
_VOXELS_PER_TASK = 1 << 19

WeightArrays = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]


@dataclass(frozen=True)
class Volume:
    """An image as (Z, Y, X, C) whatever it was, without a copy.

    Attributes
    ----------
    data : (Z, Y, X, C) ndarray
        The image; Z is 1 for a 2D image.
    spacing : tuple of float
        Voxel size along z, y, x.
    multichannel : bool
        Whether the caller named a channel axis.
    """

    data: NDArray[np.generic]
    spacing: tuple[float, float, float]
    multichannel: bool

    @property
    def shape(self) -> tuple[int, int, int]:
        """Size along z, y, x."""
        z, y, x = self.data.shape[:3]
        return z, y, x


def as_volume(
    data: NDArray[np.generic], spacing: tuple[float, ...], channel_axis: int | None
) -> Volume:
    """View a 2D or 3D image, with or without channels, as (Z, Y, X, C)."""
    if channel_axis is None:
        data = data[..., np.newaxis]
    else:
        data = np.moveaxis(data, channel_axis, -1)
    if data.ndim == 3:
        data = data[np.newaxis]
        spacing = (1.0, *spacing)
    z, y, x = spacing
    return Volume(data, (z, y, x), channel_axis is not None)


def edge_weights(
    volume: Volume,
    beta: float,
    normalization: Normalization,
    active: NDArray[np.bool_] | None = None,
    should_stop: ShouldStop | None = None,
) -> WeightArrays:
    """Return the weights of the edges along z, y and x.

    Parameters
    ----------
    volume : Volume
        The image.
    beta : float
        How strongly a difference of intensity holds the walker back.
    normalization : {'std', 'contrast'}
        'std' is scikit-image's ``exp(-beta * d**2 / (10 * std)) + 1e-10`` with the image scaled
        to floats as `img_as_float` does. 'contrast' is ``max(exp(-beta * mean(d**2 / q**2)),
        1e-6)``, where `q`, one for each channel, is the 90 % quantile of the differences between
        neighbours and the mean goes over the channels: the same for `a * image + b`. In both,
        a difference `d` is divided by the distance of the voxels.
    active : (Z, Y, X) ndarray of bool, optional
        Where False, a voxel has no edges.
    should_stop : callable, optional
        Asked between pieces of work; True raises `Cancelled`.

    Returns
    -------
    tuple of three (Z, Y, X) ndarray of float32

    References
    ----------
    Leo Grady, "Random walks for image segmentation", IEEE Trans. PAMI 28 (2006) 1768-1783.
    """
    if normalization == "std":
        factors, floor = _std_factors(volume, beta), STD_FLOOR
    elif normalization == "contrast":
        factors, floor = _contrast_factors(volume, beta), CONTRAST_FLOOR
    else:
        raise InputError(
            f"normalization is {normalization!r}; it must be one of {', '.join(NORMALIZATIONS)}."
        )
    shape = volume.shape
    weights = tuple(
        np.zeros(shape if shape[axis] > 1 else (1, 1, 1), np.float32) for axis in range(3)
    )
    pieces = split(shape[0] * shape[1], 1 + int(np.prod(shape)) // _VOXELS_PER_TASK)
    for axis in range(3):
        if shape[axis] > 1:
            fill = _filler(volume, axis, factors, floor, weights[axis], active)
            run_ranges(fill, pieces, should_stop=should_stop)
    return tuple(  # type: ignore[return-value]
        np.zeros(shape, np.float32) if shape[axis] == 1 else weights[axis] for axis in range(3)
    )


def _filler(
    volume: Volume,
    axis: int,
    factors: NDArray[np.float64],
    floor: float,
    weights: NDArray[np.float32],
    active: NDArray[np.bool_] | None,
) -> Callable[[int, int], None]:
    """Return a function that fills the weights along `axis` for a range of image rows."""
    data = volume.data
    n_y = volume.shape[1]
    scale = (factors / volume.spacing[axis] ** 2).astype(np.float32)
    exponent_limit = np.float32(80.0)

    def fill(start: int, stop: int) -> None:
        for z, rows in _planes(start, stop, n_y):
            here, there = _neighbours(axis, z, rows, n_y)
            target = weights[here]
            if target.size == 0 or (axis == 0 and z + 1 >= volume.shape[0]):
                continue
            total = np.zeros(target.shape, np.float32)
            for channel, factor in enumerate(scale):
                step = data[(*there, channel)].astype(np.float32)
                step -= data[(*here, channel)]
                step *= step
                step *= factor
                total += step
            np.minimum(total, exponent_limit, out=total)
            np.negative(total, out=total)
            np.exp(total, out=total)
            if floor == STD_FLOOR:
                total += np.float32(floor)
            else:
                np.maximum(total, np.float32(floor), out=total)
            if active is not None:
                total *= active[here] & active[there]
            target[...] = total

    return fill


Index = tuple[slice | int, slice, slice]


def _planes(start: int, stop: int, n_y: int) -> Iterator[tuple[int, slice]]:
    """Cut a range of rows, counted through all planes, into one slice of rows a plane."""
    for z in range(start // n_y, -(-stop // n_y)):
        yield z, slice(max(start - z * n_y, 0), min(stop - z * n_y, n_y))


def _neighbours(axis: int, z: int, rows: slice, n_y: int) -> tuple[Index, Index]:
    """Return the index of one end and of the other end of the edges that start in these rows."""
    if axis == 0:
        return (z, rows, slice(None)), (z + 1, rows, slice(None))
    if axis == 1:
        last = min(rows.stop, n_y - 1)
        return (z, slice(rows.start, last), slice(None)), (
            z,
            slice(rows.start + 1, last + 1),
            slice(None),
        )
    return (z, rows, slice(0, -1)), (z, rows, slice(1, None))


def _std_factors(volume: Volume, beta: float) -> NDArray[np.float64]:
    data = volume.data
    if data.dtype.kind == "f":
        slope = 1.0
    else:
        zero_one = img_as_float(np.array([0, 1], dtype=data.dtype))
        slope = float(zero_one[1] - zero_one[0])
    mean = float(np.mean([plane.mean(dtype=np.float64) for plane in data]))
    variance = float(np.mean([np.mean((plane - mean) ** 2) for plane in data]))
    std = slope * np.sqrt(variance)
    n_channels = data.shape[-1]
    if std == 0:
        return np.zeros(n_channels)
    factor = beta * slope**2 / (10 * std)
    if volume.multichannel:
        factor /= np.sqrt(n_channels)
    return np.full(n_channels, factor)


def _contrast_factors(volume: Volume, beta: float) -> NDArray[np.float64]:
    n_channels = volume.data.shape[-1]
    scales = np.array([_difference_scale(volume, channel) for channel in range(n_channels)])
    return np.where(scales > 0, beta / n_channels / np.where(scales > 0, scales, 1) ** 2, 0.0)


def _difference_scale(volume: Volume, channel: int) -> float:
    """Return the 90 % quantile of differences between neighbours, over the distance.

    Where more than 90 % are equal to their neighbour, the root mean square of the others serves.
    """
    samples = []
    for axis in range(3):
        if volume.shape[axis] < 2:
            continue
        image = volume.data[..., channel]
        ahead = [slice(None)] * 3
        behind = [slice(None)] * 3
        ahead[axis], behind[axis] = slice(1, None), slice(None, -1)
        first, second = image[tuple(behind)], image[tuple(ahead)]
        # Whole rows, evenly spread: a pattern in the image cannot hide between them.
        n_rows = first.shape[0] * first.shape[1]
        n_wanted = max(1, min(n_rows, _SAMPLES_PER_AXIS // max(1, first.shape[2])))
        rows = np.unique(np.linspace(0, n_rows - 1, n_wanted).round().astype(np.int64))
        z, y = np.divmod(rows, first.shape[1])
        step = second[z, y].astype(np.float64) - first[z, y].astype(np.float64)
        samples.append(np.abs(step).ravel() / volume.spacing[axis])
    if not samples:
        return 0.0
    steps = np.concatenate(samples)
    quantile = float(np.quantile(steps, CONTRAST_QUANTILE))
    if quantile > 0:
        return quantile
    steps = steps[steps > 0]
    return float(np.sqrt(np.mean(steps**2))) if steps.size else 0.0
