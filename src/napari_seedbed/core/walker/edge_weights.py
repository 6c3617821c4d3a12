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

from napari_seedbed.core.threads import run_ranges, split
from napari_seedbed.core.walker.noise import quieten
from napari_seedbed.errors import InputError

Normalization = Literal["std", "contrast"]
NORMALIZATIONS: tuple[Normalization, ...] = ("std", "contrast")

CONTRAST_FLOOR = 1e-6
"""Smallest weight of `normalization='contrast'`; the largest is 1."""

STD_FLOOR = 1e-10
"""What scikit-image adds to each weight."""

CONTRAST_CAP = 0.995
"""Differences above this quantile count as much as the quantile: hot pixels set no scale."""

_LARGEST_FACTOR = 1e30
_SAMPLES_PER_AXIS = 1 << 18
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
    exponent : int
        Power of two that the image was divided by.
    """

    data: NDArray[np.generic]
    spacing: tuple[float, float, float]
    multichannel: bool
    exponent: int = 0

    @property
    def shape(self) -> tuple[int, int, int]:
        """Size along z, y, x."""
        z, y, x = self.data.shape[:3]
        return z, y, x


def as_volume(
    data: NDArray[np.generic], spacing: tuple[float, ...], channel_axis: int | None
) -> Volume:
    """View a 2D or 3D image, with or without channels, as (Z, Y, X, C)."""
    data = data[..., np.newaxis] if channel_axis is None else np.moveaxis(data, channel_axis, -1)
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
        to floats as `img_as_float` does and `d` divided by the distance of the voxels.
        'contrast' is ``exp(-beta * mean(d**2 / q**2)) / h**2`` between 1e-6 and 1. There `d` is
        the difference in each channel after noise was smoothed as far as there is any
        (`noise.quieten`), `q` the root mean square of such differences, `h` the voxels' distance
        over the shortest one, and the mean goes over the channels. It is the same for
        ``a * image + b``.
    active : (Z, Y, X) ndarray of bool, optional
        Where False, a voxel has no edges.

    Returns
    -------
    tuple of three (Z, Y, X) ndarray of float32

    References
    ----------
    Leo Grady, "Random walks for image segmentation", IEEE Trans. PAMI 28 (2006) 1768-1783.
    """
    shape = volume.shape
    n_voxels = shape[0] * shape[1] * shape[2]
    pieces = split(shape[0] * shape[1], 1 + n_voxels // _VOXELS_PER_TASK)
    z, y, x = (np.zeros(shape, np.float32) for _ in range(3))
    costs: WeightArrays = (z, y, x)
    axes = [axis for axis in range(3) if shape[axis] > 1]
    spacing = np.asarray(volume.spacing)
    if normalization == "std":
        factor = _std_factor(volume, beta) / spacing**2
        for channel in range(volume.data.shape[-1]):
            image = volume.data[..., channel]
            for axis in axes:
                add = _cost_adder(image, axis, factor[axis], costs[axis])
                run_ranges(add, pieces)
        scale, floor, ceiling = np.ones(3), STD_FLOOR, np.inf
    elif normalization == "contrast":
        n_useful = 0
        for channel in range(volume.data.shape[-1]):
            image = quieten(volume.data[..., channel])
            contrast = _typical_difference(image, axes)
            if contrast == 0:
                continue
            n_useful += 1
            for axis in axes:
                add = _cost_adder(image, axis, beta / contrast**2, costs[axis])
                run_ranges(add, pieces)
        if n_useful > 1:
            for cost in costs:
                cost /= np.float32(n_useful)
        distance = spacing[axes].min() / spacing if axes else np.ones(3)
        scale, floor, ceiling = distance**2, CONTRAST_FLOOR, 1.0
    else:
        raise InputError(
            f"normalization is {normalization!r}; it must be one of {', '.join(NORMALIZATIONS)}."
        )
    for axis in axes:
        convert = _cost_converter(axis, costs[axis], scale[axis], floor, ceiling, active)
        run_ranges(convert, pieces)
    return costs


Task = Callable[[int, int], None]


def _cost_adder(
    image: NDArray[np.generic], axis: int, factor: float, cost: NDArray[np.float32]
) -> Task:
    """Return a function that adds ``factor * d**2`` to the costs along `axis`, for some rows."""
    n_z, n_y = image.shape[:2]
    # float32 holds 16-bit integers exactly; larger numbers are subtracted before they are rounded.
    exact = np.float32 if image.dtype.itemsize <= 2 or image.dtype == np.float32 else np.float64

    def add(start: int, stop: int) -> None:
        for z, rows in _planes(start, stop, n_y):
            if axis == 0 and z + 1 == n_z:
                continue
            here, there = _neighbours(axis, z, rows, n_y)
            step = np.subtract(image[there], image[here], dtype=exact).astype(
                np.float32, copy=False
            )
            step *= step
            step *= np.float32(factor)
            cost[here] += step

    return add


def _cost_converter(
    axis: int,
    cost: NDArray[np.float32],
    scale: float,
    floor: float,
    ceiling: float,
    active: NDArray[np.bool_] | None,
) -> Task:
    """Return a function that turns costs into weights in place, for some rows."""
    n_z, n_y = cost.shape[:2]

    def convert(start: int, stop: int) -> None:
        for z, rows in _planes(start, stop, n_y):
            if axis == 0 and z + 1 == n_z:
                continue
            here, there = _neighbours(axis, z, rows, n_y)
            weight = cost[here]
            np.negative(weight, out=weight)
            np.exp(weight, out=weight)
            weight *= np.float32(scale)
            if ceiling == np.inf:
                weight += np.float32(floor)
            else:
                np.clip(weight, np.float32(floor), np.float32(ceiling), out=weight)
            if active is not None:
                weight *= active[here] & active[there]

    return convert


Index = tuple[slice | int, slice, slice]


def _planes(start: int, stop: int, n_y: int) -> Iterator[tuple[int, slice]]:
    """Cut a range of rows, counted through all planes, into one slice of rows a plane."""
    for z in range(start // n_y, -(-stop // n_y)):
        yield z, slice(max(start - z * n_y, 0), min(stop - z * n_y, n_y))


def _neighbours(axis: int, z: int, rows: slice, n_y: int) -> tuple[Index, Index]:
    """Return the index of one end and of the other end of the edges that start in these rows."""
    everything = slice(None)
    if axis == 0:
        return (z, rows, everything), (z + 1, rows, everything)
    if axis == 1:
        last = min(rows.stop, n_y - 1)
        return (z, slice(rows.start, last), everything), (
            z,
            slice(rows.start + 1, last + 1),
            everything,
        )
    return (z, rows, slice(0, -1)), (z, rows, slice(1, None))


def _std_factor(volume: Volume, beta: float) -> float:
    data = volume.data
    if data.dtype.kind == "f":
        slope = 1.0
    else:
        zero_one = img_as_float(np.array([0, 1], dtype=data.dtype))
        slope = float(zero_one[1] - zero_one[0])
    mean = float(np.mean([plane.mean(dtype=np.float64) for plane in data]))
    variance = float(np.mean([np.mean((plane - mean) ** 2) for plane in data]))
    if variance == 0:
        return 0.0
    factor = beta * slope**2 / (10 * slope * np.sqrt(variance))
    # That of the image itself: its squares grow faster than its deviation. Beyond this bound all
    # that differ are as far apart as can be, and equal ones must not be 0 times infinity.
    factor = min(float(np.ldexp(factor, volume.exponent)), _LARGEST_FACTOR)
    return float(factor / np.sqrt(data.shape[-1])) if volume.multichannel else float(factor)


def _typical_difference(image: NDArray[np.generic], axes: list[int]) -> float:
    """Return the root mean square difference of neighbours, the largest being capped."""
    samples = []
    for axis in axes:
        ahead = [slice(None)] * 3
        behind = [slice(None)] * 3
        ahead[axis], behind[axis] = slice(1, None), slice(None, -1)
        first, second = image[tuple(behind)], image[tuple(ahead)]
        # Whole rows, evenly spread.
        n_rows = first.shape[0] * first.shape[1]
        n_wanted = max(1, min(n_rows, _SAMPLES_PER_AXIS // max(1, first.shape[2])))
        rows = np.unique(np.linspace(0, n_rows - 1, n_wanted).round().astype(np.int64))
        z, y = np.divmod(rows, first.shape[1])
        step = second[z, y].astype(np.float64) - first[z, y].astype(np.float64)
        samples.append(np.abs(step).ravel())
    if not samples:
        return 0.0
    steps = np.concatenate(samples)
    cap = float(np.quantile(steps, CONTRAST_CAP))
    if cap > 0:
        np.minimum(steps, cap, out=steps)
    return float(np.sqrt(np.mean(steps**2)))
