"""What snakes look at: images of even contrast, smoothed, and their edges.

Contrast is measured between two quantiles, so that one set of parameters serves images of any
brightness and bit depth. Lengths are in the unit of the spacing; slopes are per smallest voxel.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from napari_seedbed.core.filters.gaussians import gaussian
from napari_seedbed.core.magnitudes import (
    divided,
    moderate,
    moderate_range,
    restored,
)
from napari_seedbed.core.slabs import Slab, in_slabs
from napari_seedbed.core.validation import (
    channels_first,
    check_channel_axis,
    check_image,
    check_number,
    check_spacing,
)
from napari_seedbed.errors import InputError

Limits = list[tuple[float, float]]


class NoContrastError(InputError):
    """There is nothing in an image, or a slice of it, that a snake could hold on to."""


_QUANTILES = (0.001, 0.999)
_SAMPLE = 1 << 20
# Voxels that a smoothing may reach over in images that are smaller than that.
_FEWEST = 8
# Slopes that are rounding errors, and differences that nobody sees, where 1 is the contrast of the
# image. Kernels that end after four standard deviations leave differences of 3e-5 of fine stripes.
_NO_SLOPE = 1e-6
_NO_DIFFERENCE = 1e-4


def contrast_limits(image: NDArray[Any], channel_axis: int | None = None) -> Limits:
    """Return for each channel the values that stand for 0 and 1.

    Parameters
    ----------
    image : (…[, C][, …]) ndarray
    channel_axis : int, optional

    Returns
    -------
    list of (float, float)
        The 0.1 % and 99.9 % quantiles of evenly spaced voxels, a million at most; the extremes of
        a channel where those are the same.

    Raises
    ------
    InputError
        If the image holds NaN.
    NoContrastError
        If it is the same everywhere, so that there are no edges.
    """
    array = _grey_values(check_image(image))
    axis = check_channel_axis(channel_axis, array.ndim)
    channels = channels_first(array, axis)
    return limits_of_samples(
        [_sample(channel) for channel in channels],
        lambda c: (float(channels[c].min()), float(channels[c].max())),
    )


def limits_of_samples(
    samples: Sequence[NDArray[Any]], extremes: Callable[[int], tuple[float, float]]
) -> Limits:
    """Return what `contrast_limits` does from the sample of each channel.

    Parameters
    ----------
    samples : sequence of ndarray
        Voxels at each `sample_step` along each axis.
    extremes : callable
        Gives the lowest and highest value of a channel, by its number.

    Raises
    ------
    NoContrastError
        If the image is the same everywhere.
    """
    limits = []
    for number, values in enumerate(samples):
        sample, exponent = moderate(values)
        ends = np.quantile(sample, _QUANTILES)
        low, high = (float(v) for v in np.ldexp(ends, exponent))
        if low >= high:
            low, high = extremes(number)
        limits.append((low, high))
    if all(low >= high for low, high in limits):
        raise NoContrastError(
            f"image has the same value everywhere ({limits[0][0]:g}), so there is nothing that a "
            "snake could hold on to; choose another image or channel."
        )
    return limits


def evened(
    image: NDArray[Any],
    limits: Limits,
    sigma: float,
    spacing: Sequence[float],
    channel_axis: int | None = None,
) -> NDArray[np.float32]:
    """Return an image smoothed and scaled so that its contrast limits become 0 and 1.

    Parameters
    ----------
    image : (M, N[, P]) ndarray, or with channels where `channel_axis` says so
    limits : list of (float, float)
        From `contrast_limits`; values beyond are kept.
    sigma : float
        Standard deviation of the smoothing.
    spacing : sequence of float
        Voxel size.
    channel_axis : int, optional

    Returns
    -------
    ndarray of float32, of the shape of `image`
    """
    array = _grey_values(np.asarray(image))
    axis = check_channel_axis(channel_axis, array.ndim)
    width = check_number(sigma, "sigma")
    lengths = np.array(check_spacing(spacing, array.ndim - (axis is not None)))
    spatial = [n for along, n in enumerate(array.shape) if along != axis]
    if width > max(float((lengths * spatial).max()), _FEWEST * float(lengths.max())):
        raise InputError(
            f"sigma is {width:g}, wider than the whole image; nothing would be left of it. Choose "
            "a width below that of the objects."
        )
    scaled = np.empty(array.shape, np.float32)
    for c, (low, high) in enumerate(limits):
        channel = array if axis is None else np.moveaxis(array, axis, 0)[c]
        out = scaled if axis is None else np.moveaxis(scaled, axis, 0)[c]
        # A channel without contrast says nothing.
        _scale(channel, low, high, out)
    smooth = gaussian(scaled, width, spacing, channel_axis)
    return np.ascontiguousarray(smooth, np.float32)


def _scale(channel: NDArray[Any], low: float, high: float, out: NDArray[np.float32]) -> None:
    # Before values become float32, which would round small contrasts on a high ground away.
    dtype = np.float64 if channel.dtype.itemsize >= 4 else np.float32
    low, high, exponent = moderate_range(low, high)
    factor = 1 / (high - low) if high > low else 0.0

    def scale(slab: Slab) -> None:
        part = channel[slab]
        if exponent:
            part = divided(part.astype(np.float64), exponent)
        np.subtract(part, low, out=out[slab], dtype=dtype, casting="same_kind")
        out[slab] *= np.float32(factor)

    in_slabs(scale, channel.shape)


def check_contrast(even: NDArray[np.float32]) -> None:
    """Raise `NoContrastError` if an image from `evened` is the same everywhere."""
    low, high = float(even.min()), float(even.max())
    if high - low <= _NO_DIFFERENCE * max(1.0, abs(low)):
        raise NoContrastError(
            "image: after smoothing there is nothing left to see where a snake begins; draw it "
            "somewhere else, smooth less, or choose another image or channel."
        )


def edge_strength(
    image: NDArray[Any], spacing: Sequence[float] | None = None, channel_axis: int | None = None
) -> NDArray[np.float32]:
    """Return the slope of an image: bright on edges, dark elsewhere.

    Parameters
    ----------
    image : (M, N[, P]) ndarray, or with channels where `channel_axis` says so
    spacing : sequence of float, optional
        Voxel size; only the ratios count.
    channel_axis : int, optional
        The root of the sum of the squared slopes of all channels is taken.

    Returns
    -------
    (M, N[, P]) ndarray of float32
        Change per smallest voxel size, from central differences.
    """
    array = check_image(image)
    axis = check_channel_axis(channel_axis, array.ndim)
    array, exponent = moderate(array)
    channels = channels_first(array, axis)
    size = np.array(check_spacing(spacing, channels.ndim - 1))
    squares = np.zeros(channels.shape[1:], np.float32)
    for channel in channels:
        wide = channel.astype(np.float32, copy=False)
        for along, step in enumerate(size / size.min()):
            if wide.shape[along] > 1:
                _add_squares(wide, along, step, squares)

    def take_root(slab: Slab) -> None:
        np.sqrt(squares[slab], out=squares[slab])

    in_slabs(take_root, squares.shape)
    return restored(squares, exponent)


def _add_squares(
    image: NDArray[np.float32], axis: int, step: float, squares: NDArray[np.float32]
) -> None:
    """Add the squared slope along one axis."""
    weights = np.array([-0.5, 0.0, 0.5]) / step

    def add(slab: Slab) -> None:
        slope = ndi.correlate1d(image[slab], weights, axis, mode="nearest")
        slope *= slope
        squares[slab] += slope

    in_slabs(add, image.shape, whole=axis)


def stopping_map(strength: NDArray[np.float32], steepness: float) -> NDArray[np.float32]:
    """Return an edge map for surfaces: 1 in flat parts, close to 0 on edges.

    Parameters
    ----------
    strength : ndarray of float32
        From `edge_strength`.
    steepness : float
        How steeply the map falls at an edge.

    Returns
    -------
    ndarray of float32
        ``1 / sqrt(1 + steepness * strength)``, as `inverse_gaussian_gradient` (Caselles, Kimmel,
        Sapiro, "Geodesic active contours", International Journal of Computer Vision 22 (1997)
        61-79).

    Raises
    ------
    NoContrastError
        If there are no edges in it.
    """
    rise = check_number(steepness, "steepness", allow_zero=False)
    if float(strength.max()) < _NO_SLOPE:
        raise NoContrastError(
            "sigma: the edge map has no edges, since the smoothed image is the same everywhere; "
            "smooth less, or choose another image or channel."
        )
    out = np.empty(strength.shape, np.float32)

    def fill(slab: Slab) -> None:
        out[slab] = 1 / np.sqrt(1 + np.float32(rise) * strength[slab])

    in_slabs(fill, out.shape)
    return out


def quantile(image: NDArray[np.floating], share: float) -> float:
    """Return a quantile of a million evenly spaced voxels, of all of them in smaller images."""
    return float(np.quantile(_sample(image), share))


def _sample(image: NDArray[Any]) -> NDArray[Any]:
    return image[(slice(None, None, sample_step(image.shape)),) * image.ndim]


def sample_step(shape: Sequence[int]) -> int:
    """At every how many voxels along each axis an image of this shape is looked at."""
    return max(1, int(np.ceil((math.prod(shape) / _SAMPLE) ** (1 / len(shape)))))


def edge_map(
    image: NDArray[Any],
    sigma: float,
    kind: Literal["strength", "stopping"] = "strength",
    *,
    steepness: float = 100.0,
    spacing: float | Sequence[float] | None = None,
    channel_axis: int | None = None,
) -> NDArray[np.float32]:
    """Return what snakes see of an image: how steep it is, or where surfaces stop.

    Parameters
    ----------
    image : (M, N[, P]) ndarray, or with channels where `channel_axis` says so
    sigma : float
        Standard deviation of the smoothing, in the unit of `spacing`.
    kind : {'strength', 'stopping'}
        `edge_strength`, bright on edges, which contours climb; or `stopping_map`, dark on edges,
        where surfaces stop.
    steepness : float
        For 'stopping': how steeply the map falls at an edge.
    spacing : sequence of float, optional
        Voxel size; 1 when None.
    channel_axis : int, optional

    Returns
    -------
    (M, N[, P]) ndarray of float32

    Raises
    ------
    InputError
        If the image has no contrast, holds NaN, or an argument makes no sense.
    """
    array = check_image(image)
    axis = check_channel_axis(channel_axis, array.ndim)
    size = check_spacing(spacing, array.ndim - (axis is not None))
    if kind not in ("strength", "stopping"):
        raise InputError(f"kind is {kind!r}; it must be 'strength' or 'stopping'.")
    limits = contrast_limits(array, axis)
    even = evened(array, limits, sigma, size, axis)
    strength = edge_strength(even, size, axis)
    if kind == "strength":
        return strength
    return stopping_map(strength, steepness)


def _grey_values(array: NDArray[Any]) -> NDArray[Any]:
    """A mask as an image of 0 and 1; other images as they are."""
    return array.astype(np.uint8) if array.dtype.kind == "b" else array
