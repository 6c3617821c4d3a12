"""Features of each voxel at several scales: what it looks like, and what surrounds it.

Plain functions of arrays, which work on a part of a volume as well as on all of it: a part comes
out with the same bits, whatever its place and size.

References
----------
Berg S et al. (2019). ilastik: interactive machine learning for (bio)image analysis. Nature Methods
16(12), 1226-1232.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import correlate1d

from napari_seedbed.core.boxes import widened
from napari_seedbed.core.filters.eigenvalues import symmetric_eigenvalues
from napari_seedbed.core.filters.gaussian_derivatives import gaussian_weights
from napari_seedbed.core.progress import check_stop
from napari_seedbed.core.validation import check_channel_axis, check_image, check_spacing
from napari_seedbed.errors import InputError

Region = tuple[slice, ...]

TRUNCATE = 3.0
"""Standard deviations after which kernels are cut off; ilastik's are cut at 3.5."""

OUTER = 0.5
"""Standard deviation that slopes are averaged with for the structure tensor, by the scale."""

WIDEST = 32.0
"""Voxels that the coarsest standard deviation may be wide: its surroundings must fit memory."""

LARGEST = 1e15
"""Larger intensities than this have squares that 32 bits cannot hold."""


@dataclass(frozen=True)
class FeatureSet:
    """Which features there are of an image of one kind.

    Attributes
    ----------
    sigmas : tuple of float
        Standard deviations of the Gaussians, rising, in the unit of the voxel size.
    ndim : int
        2 or 3.
    n_channels : int
    """

    sigmas: tuple[float, ...]
    ndim: int
    n_channels: int = 1

    @property
    def count(self) -> int:
        """Number of features."""
        return self.n_channels * (len(self.sigmas) * (3 + 2 * self.ndim) - 1)

    def names(self, channel_names: Sequence[str] = (), unit: str = "") -> list[str]:
        """What each feature is called, in the order in which they come."""
        which = ("largest", "smallest") if self.ndim == 2 else ("largest", "middle", "smallest")
        found = []
        for channel in range(self.n_channels):
            lead = ""
            if self.n_channels > 1:
                lead = f"{channel_names[channel] if channel_names else f'channel {channel + 1}'}: "
            for nth, sigma in enumerate(self.sigmas):
                at = f", σ {sigma:.3g}{unit and ' ' + unit}"
                parts = ["intensity", "gradient magnitude"]
                parts += [f"{one} Hessian eigenvalue" for one in which]
                parts += [f"{one} structure tensor eigenvalue" for one in which]
                if nth:
                    parts.append("difference of Gaussians")
                found += [f"{lead}{part}{at}" for part in parts]
        return found

    def halo(self, spacing: Sequence[float]) -> tuple[int, ...]:
        """Voxels around a part along each axis that its features are made from."""
        reaches = [_Reach.of(sigma, spacing) for sigma in self.sigmas]
        return tuple(max(along) for along in zip(*(reach.total for reach in reaches), strict=True))


@dataclass(frozen=True)
class _Reach:
    """How far kernels reach along each axis, in voxels."""

    inner: tuple[int, ...]
    outer: tuple[int, ...]

    @classmethod
    def of(cls, sigma: float, spacing: Sequence[float]) -> "_Reach":
        inner = tuple(_radius(sigma / step) for step in spacing)
        return cls(inner, tuple(_radius(OUTER * sigma / step) for step in spacing))

    @property
    def margin(self) -> tuple[int, ...]:
        """What is needed of the smoothed image around a part: two slopes, or the mean of slopes."""
        return tuple(max(2, outer + 1) for outer in self.outer)

    @property
    def total(self) -> tuple[int, ...]:
        return tuple(i + m for i, m in zip(self.inner, self.margin, strict=True))


def _radius(sigma: float) -> int:
    return int(TRUNCATE * sigma + 0.5)


def scales(finest: float, count: int) -> tuple[float, ...]:
    """Standard deviations that double from one to the next."""
    return tuple(finest * 2.0**nth for nth in range(count))


def check_scales(sigmas: Sequence[float], spacing: Sequence[float]) -> None:
    """Raise `InputError` for scales that are wider than 32 voxels."""
    widest = max(sigmas) / min(spacing)
    if widest > WIDEST:
        raise InputError(
            f"sigma: the coarsest scale is {widest:.4g} voxels wide; it must be at most "
            f"{WIDEST:g}. Take a finer one, or fewer scales."
        )


def as_channels(image: Any, channel_axis: int | None = None) -> NDArray[Any]:
    """An image as (C, [Z, ]Y, X), in its own type, when features can be made of it.

    Raises
    ------
    InputError
        If it is no image of 2 or 3 spatial axes, or its values are beyond 1e15.
    """
    array = check_image(image)
    channel = check_channel_axis(channel_axis, array.ndim)
    array = array[None] if channel is None else np.moveaxis(array, channel, 0)
    if array.ndim not in (3, 4):
        raise InputError(
            f"image has {array.ndim - 1} spatial axes; it must have 2 or 3 (and channel_axis must "
            "be given where there are channels)."
        )
    largest = max(abs(float(array.min())), abs(float(array.max())))
    if largest > LARGEST:
        raise InputError(
            f"image: its values reach {largest:g}; divide it by a large number first, so that they "
            f"stay below {LARGEST:g}."
        )
    return array


def region_features(
    image: NDArray[Any],
    features: FeatureSet,
    spacing: float | Sequence[float] | None = None,
    region: Region | None = None,
    *,
    offset: Sequence[float] | None = None,
    gain: Sequence[float] | None = None,
) -> NDArray[np.float32]:
    """Features of a part of an image, or of all of it.

    Parameters
    ----------
    image : (C, [Z, ]Y, X) ndarray
        As `as_channels` gives it; only the part and its surroundings are read.
    features : FeatureSet
    spacing : sequence of float, optional
        Voxel size; 1 when None.
    region : tuple of slice, optional
        Voxels along each spatial axis.
    offset, gain : sequence of float, optional
        For each channel, what is taken from the intensities, and what they are then multiplied
        with.

    Returns
    -------
    (F, [Z, ]Y, X) ndarray of float32
        At each scale, slopes times the scale, second derivatives times its square and the
        structure tensor times its square, so that all are intensities (or squares of these) and
        scales can be compared. The image goes on beyond its border with its outermost values.

    Notes
    -----
    Slopes are differences of neighbours in the smoothed image. It works on one core: cut the
    image into parts for more.
    """
    shape = image.shape[1:]
    size = check_spacing(spacing, len(shape))
    check_scales(features.sigmas, size)
    part = region or tuple(slice(0, n) for n in shape)
    part = tuple(slice(*one.indices(n)[:2]) for one, n in zip(part, shape, strict=True))
    out = np.empty((features.count, *(one.stop - one.start for one in part)), np.float32)
    place = 0
    for channel, voxels in enumerate(image):
        shift = 0.0 if offset is None else float(offset[channel])
        factor = 1.0 if gain is None else float(gain[channel])
        finer = None
        for sigma in features.sigmas:
            check_stop()
            reach = _Reach.of(sigma, size)
            seen = _with_margin(voxels, part, reach.total)
            scaled = ((seen - shift) * factor).astype(np.float32)
            smooth = _smoothed(scaled, [sigma / step for step in size], reach.inner)
            made = _at_scale(smooth, sigma, size, reach)
            count = len(made)
            out[place : place + count] = made
            place += count
            if finer is not None:
                np.subtract(out[finer], made[0], out=out[place])
                place += 1
            finer = place - count - (finer is not None)
    return out


def _with_margin(voxels: NDArray[Any], part: Region, margin: Sequence[int]) -> NDArray[np.float64]:
    """A part and so many voxels around it; beyond the border the outermost ones again."""
    shape = voxels.shape
    inside = widened(part, margin, shape)
    lacking = [
        (max(m - one.start, 0), max(one.stop + m - n, 0))
        for one, m, n in zip(part, margin, shape, strict=True)
    ]
    return np.pad(np.asarray(voxels[inside], np.float64), lacking, mode="edge")


def _smoothed(
    array: NDArray[np.float32], sigmas: Sequence[float], radii: Sequence[int]
) -> NDArray[np.float32]:
    """Smooth, and leave off along each axis what the border is too near to."""
    for axis, (sigma, radius) in enumerate(zip(sigmas, radii, strict=True)):
        if radius:
            weights = gaussian_weights(sigma, truncate=TRUNCATE)
            array = correlate1d(array, weights, axis, mode="nearest")
            array = _trimmed(array, radius, axis)
    return array


def _trimmed(array: NDArray[Any], by: int, axis: int) -> NDArray[Any]:
    return array[(slice(None),) * axis + (slice(by, array.shape[axis] - by),)]


def _core(array: NDArray[Any], by: Sequence[int]) -> NDArray[Any]:
    """Leave off so many voxels at both ends of each axis."""
    return array[tuple(slice(b, n - b) for b, n in zip(by, array.shape, strict=True))]


def _at_scale(
    smooth: NDArray[np.float32], sigma: float, spacing: Sequence[float], reach: _Reach
) -> list[NDArray[np.float32]]:
    """The features of one channel at one scale, but for the difference to the finer one."""
    ndim = smooth.ndim
    margin = reach.margin
    around = [m - 1 for m in margin]
    slopes = [
        _slope(smooth, axis, np.float32(sigma / spacing[axis])) for axis in range(ndim)
    ]  # each is one voxel smaller on all sides
    inner = [_core(slope, around) for slope in slopes]
    squares = sum((slope * slope for slope in inner), np.zeros((), np.float32))
    near = [_core(slope, [a - 1 for a in around]) for slope in slopes]
    pairs = list(combinations_with_replacement(range(ndim), 2))
    hessian = [_slope(near[a], b, np.float32(sigma / spacing[b])) for a, b in pairs]
    outer = [OUTER * sigma / step for step in spacing]
    needed = [a - r for a, r in zip(around, reach.outer, strict=True)]
    wide = [_core(slope, needed) for slope in slopes]
    tensor = [_smoothed(wide[a] * wide[b], outer, reach.outer) for a, b in pairs]
    return [
        _core(smooth, margin),
        np.sqrt(squares),
        *symmetric_eigenvalues(hessian, one_core=True),
        *symmetric_eigenvalues(tensor, one_core=True),
    ]


def _slope(array: NDArray[np.float32], axis: int, factor: np.float32) -> NDArray[np.float32]:
    """Half the difference of both neighbours along an axis, without the outermost voxels."""
    inside = tuple(slice(1, n - 1) for n in array.shape)
    after = (*inside[:axis], slice(2, None), *inside[axis + 1 :])
    before = (*inside[:axis], slice(None, -2), *inside[axis + 1 :])
    return (array[after] - array[before]) * (factor / 2)
