"""How often each colour occurs in an image or a patch, and the pixels of chosen colours."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d
from skimage.measure import points_in_poly

from napari_seedbed.core.colour.colour_spaces import (
    MIN_SATURATION,
    ColourSpace,
    check_colour_image,
    colour_space,
)
from napari_seedbed.core.colour.patches import check_patch, check_patches
from napari_seedbed.core.slabs import Slab, in_slabs
from napari_seedbed.core.validation import check_count, check_number, check_points
from napari_seedbed.errors import InputError

Interval = tuple[float, float]

_NUDGE = 1 + 2**-21
"""Shares of whole numbers often lie on an edge of bins: rounding must not decide where they go."""

_NO_SMOOTHING = 0.01
"""Gaussians narrower than this part of a bin change nothing."""

MAX_BINS = 1 << 24
"""Bins of a whole histogram; more would need gigabytes for nothing."""


@dataclass(frozen=True)
class ColourBins:
    """A grid of bins over a colour space.

    Attributes
    ----------
    space : ColourSpace
        What the coordinates are.
    shape : tuple of int
        Number of bins along each coordinate.
    ranges : tuple of (float, float)
        Lower edge of the first bin and upper edge of the last one, for each coordinate. Values
        outside belong to the outermost bins, values on an edge to the bin above it.
    """

    space: ColourSpace
    shape: tuple[int, ...]
    ranges: tuple[Interval, ...]

    def edges(self, axis: int) -> NDArray[np.float64]:
        """Return the edges of the bins along one coordinate."""
        low, high = self.ranges[axis]
        return np.linspace(low, high, self.shape[axis] + 1)

    def centres(self, axis: int) -> NDArray[np.float64]:
        """Return the middles of the bins along one coordinate."""
        edges = self.edges(axis)
        middles: NDArray[np.float64] = (edges[1:] + edges[:-1]) / 2
        return middles

    def numbers(self, pixels: NDArray[Any]) -> tuple[NDArray[np.intp], NDArray[np.bool_] | None]:
        """Return the bin of each pixel, counted through the flattened grid, and which have one.

        Parameters
        ----------
        pixels : (…, C) ndarray

        Returns
        -------
        numbers : (…) ndarray of int
        coloured : (…) ndarray of bool or None
            False where the pixel has no colour (its number then means nothing); None: all have.
        """
        coordinates, coloured = self.space.coordinates(pixels)
        number = np.zeros(coordinates.shape[1:], np.intp)
        for values, count, (low, high) in zip(coordinates, self.shape, self.ranges, strict=True):
            scaled = values
            if low != 0:
                scaled = scaled - scaled.dtype.type(low)
            scaled = scaled * scaled.dtype.type(_NUDGE * count / (high - low))
            # Clipped before they become whole numbers, which large floats do not fit into.
            np.clip(scaled, 0, count - 1, out=scaled)
            number *= count
            number += scaled.astype(np.intp)
        return number, coloured


@dataclass(frozen=True)
class ColourHistogram:
    """Counts of the colours of an image or of a part of it.

    Attributes
    ----------
    bins : ColourBins
        The grid of bins.
    counts : ndarray
        Pixels in each bin: whole numbers, or floats where the histogram was smoothed.
    without_colour : int
        Pixels that are in no bin: black ones, saturated ones, greyish ones where hue is asked for.
    """

    bins: ColourBins
    counts: NDArray[Any]
    without_colour: int

    @property
    def total(self) -> float:
        """Pixels in all bins together."""
        return float(self.counts.sum())

    def smoothed(self, sigma: float) -> "ColourHistogram":
        """Return the histogram smoothed by a Gaussian of `sigma` bins; its total stays the same."""
        sigma = check_number(sigma, "smoothing")
        if sigma < _NO_SMOOTHING:
            return self
        counts = self.counts.astype(np.float64)
        for axis, circular in enumerate(self.bins.space.circular):
            # Both go on beyond the border with what keeps the total.
            mode = "wrap" if circular else "reflect"
            counts = gaussian_filter1d(counts, sigma, axis, mode=mode)
        return ColourHistogram(self.bins, counts, self.without_colour)


def colour_histogram(
    image: Any,
    channel_axis: int | None = -1,
    *,
    mask: Any = None,
    bins: int | Sequence[int] = 64,
    space: str = "rg",
    channels: Sequence[int] | None = None,
    ranges: Sequence[Interval] | None = None,
    black_level: float = 0.0,
    saturation_level: float | None = None,
    min_saturation: float = MIN_SATURATION,
) -> ColourHistogram:
    """Count the colours of an image, or of a patch of it; exact, whatever its size.

    Parameters
    ----------
    image : (…, C[, …]) array_like
        Image of any number of spatial axes and at least two channels. Negative values count as 0,
        except in the space 'channels'.
    channel_axis : int
        Axis of the channels.
    mask : ndarray of bool or int, optional
        Pixels that count, of the image's shape without its channels; all when None.
    bins : int or sequence of int
        Bins along each coordinate.
    space : {'rg', 'hue', 'hue_saturation', 'channels'}
        What the coordinates are: chromaticities (channels over the sum of all), the hue, hue and
        saturation, or the values of channels. Hue needs three channels: red, green, blue.
    channels : sequence of int, optional
        Channels that 'rg' and 'channels' take their coordinates from; the first two when None.
    ranges : sequence of (float, float), optional
        Lowest and highest value along each coordinate; what is outside falls into the outermost
        bins. None: 0 to 1, or in 'channels' those of the image.
    black_level : float
        Pixels whose channels have this mean or less are black: they have no colour and are not
        counted, except in 'channels'.
    saturation_level : float, optional
        Pixels with a channel at this value or above are not counted; None: they are.
    min_saturation : float
        Pixels less saturated (in HSV) have no hue; for 'hue' only.

    Returns
    -------
    ColourHistogram
        Its `counts` have one axis for each coordinate, the first coordinate first.

    Raises
    ------
    InputError
        If the image has fewer than two channels or values that are no finite numbers, the mask is
        empty or of another shape, or a parameter is wrong.
    """
    pixels, _ = check_colour_image(image, channel_axis)
    inside = None if mask is None else check_patch(mask, pixels.shape[:-1])
    grid = colour_bins(
        pixels,
        colour_space(
            space, pixels.shape[-1], channels, black_level, saturation_level, min_saturation
        ),
        bins,
        ranges,
    )
    return count_colours(pixels, grid, inside)


def patch_histograms(
    image: Any, patch_labels: Any, bins: ColourBins, channel_axis: int | None = -1
) -> dict[int, ColourHistogram]:
    """Count the colours of each labelled patch in given bins.

    Parameters
    ----------
    image : (…, C[, …]) array_like
        Image with as many channels as the bins are for.
    patch_labels : ndarray of int or bool
        Labels of the patches, of the image's shape without its channels; below 1 is no patch.
    bins : ColourBins
        From `colour_bins`.
    channel_axis : int
        Axis of the channels.

    Returns
    -------
    dict of int to ColourHistogram
        By label, rising.

    Raises
    ------
    InputError
        If there is no patch or the labels have another shape.
    """
    pixels, _ = check_colour_image(image, channel_axis)
    labels, found = check_patches(patch_labels, pixels.shape[:-1])
    return {int(label): count_colours(pixels, bins, labels == label) for label in found}


def colour_bins(
    pixels: NDArray[Any],
    space: ColourSpace,
    bins: int | Sequence[int],
    ranges: Sequence[Interval] | None = None,
) -> ColourBins:
    """Return the bins of a histogram of colours.

    Parameters
    ----------
    pixels : (…, C) ndarray
    space : ColourSpace
    bins, ranges
        As in `colour_histogram`.
    """
    counts = [bins] * space.n_coordinates if np.ndim(bins) == 0 else list(bins)  # type: ignore[arg-type]
    shape = tuple(check_count(count, "bins") for count in counts)
    if len(shape) != space.n_coordinates:
        raise InputError(
            f"bins has {len(shape)} numbers, but the space {space.name!r} has "
            f"{space.n_coordinates} coordinates here."
        )
    if min(shape) < 1 or prod(shape) > MAX_BINS:
        raise InputError(
            f"bins make a histogram of {' x '.join(map(str, shape))}; there must be at least 1 "
            f"along each coordinate and at most {MAX_BINS} in all."
        )
    if ranges is not None:
        return ColourBins(space, shape, _check_ranges(ranges, len(shape)))
    if space.name != "channels":
        return ColourBins(space, shape, ((0.0, 1.0),) * len(shape))
    found = []
    for channel in space.channels:
        values = pixels[..., channel]
        found.append(_widened(float(values.min()), float(values.max())))
    return ColourBins(space, shape, tuple(found))


def colour_ranges(extremes: NDArray[Any], channels: Sequence[int]) -> list[Interval]:
    """Return the ranges of values of some channels; one value alone is widened.

    Parameters
    ----------
    extremes : (C, 2) ndarray
        Least and largest value of each channel.
    channels : sequence of int
    """
    return [_widened(float(extremes[c][0]), float(extremes[c][1])) for c in channels]


def _widened(low: float, high: float) -> Interval:
    return low, high if high > low else low + max(1.0, abs(low) * 1e-3)


def count_colours(
    pixels: NDArray[Any], grid: ColourBins, inside: NDArray[np.bool_] | None = None
) -> ColourHistogram:
    """Count pixels (…, C), where `inside` says so, in given bins."""
    size = prod(grid.shape)
    counts = np.zeros(size, np.int64)
    uncounted = 0
    adding = Lock()

    def work(slab: Slab) -> None:
        nonlocal uncounted
        colours = pixels[slab]
        if inside is not None:
            colours = colours[inside[slab]]
        if colours.size == 0:
            return
        numbers, coloured = grid.numbers(colours)
        chosen = numbers.reshape(-1) if coloured is None else numbers[coloured]
        found = np.bincount(chosen, minlength=size)
        with adding:
            counts[:] += found
            uncounted += numbers.size - chosen.size

    in_slabs(work, pixels.shape[:-1])
    return ColourHistogram(grid, counts.reshape(grid.shape), uncounted)


def bins_in_polygon(bins: ColourBins, polygon: Any) -> NDArray[np.bool_]:
    """Return which bins of a two-dimensional histogram have their middle inside a polygon.

    Parameters
    ----------
    bins : ColourBins
        Of two coordinates.
    polygon : (N, 2) array_like
        Corners in the two coordinates: a lasso, or the four corners of a box.

    Returns
    -------
    ndarray of bool, of the histogram's shape

    Raises
    ------
    InputError
        If the histogram has other than two coordinates, or the polygon fewer than three corners.
    """
    if len(bins.shape) != 2:
        raise InputError(f"bins have {len(bins.shape)} coordinates; a polygon needs 2.")
    corners = check_points(polygon, "polygon")
    if len(corners) < 3:
        raise InputError(f"polygon has {len(corners)} corners; it must have at least 3.")
    middles = np.meshgrid(bins.centres(0), bins.centres(1), indexing="ij")
    points = np.stack([middle.ravel() for middle in middles], axis=1)
    inside: NDArray[np.bool_] = points_in_poly(points, corners)
    return inside.reshape(bins.shape)


def pixels_in_bins(
    image: Any, bins: ColourBins, chosen: Any, channel_axis: int | None = -1
) -> NDArray[np.bool_]:
    """Return which pixels fall into chosen bins of a histogram.

    Parameters
    ----------
    image : (…, C[, …]) array_like
        The image that was counted, a part of it, or another one with as many channels.
    bins : ColourBins
        Bins of the histogram.
    chosen : ndarray of bool
        True for the bins that are wanted, of the histogram's shape.
    channel_axis : int
        Axis of the channels.

    Returns
    -------
    ndarray of bool, of the image's shape without its channels
        Just as many pixels as the chosen bins have counts. Pixels without a colour are False.

    Raises
    ------
    InputError
        If `chosen` has another shape than the histogram, or the image too few channels.
    """
    wanted = np.asarray(chosen)
    if wanted.dtype.kind != "b" or wanted.shape != bins.shape:
        raise InputError(
            f"chosen has the type {wanted.dtype} and the shape {wanted.shape}; it must be true or "
            f"false for each of {bins.shape} bins."
        )
    pixels, _ = check_colour_image(image, channel_axis)
    return look_up(pixels, bins, wanted)


def look_up(pixels: NDArray[Any], bins: ColourBins, table: NDArray[Any]) -> NDArray[Any]:
    """Return for each pixel (…, C) what a table has for its bin; 0 for pixels without a colour."""
    space = bins.space
    if space.name in ("hue", "hue_saturation"):
        fits = pixels.shape[-1] == 3
    else:
        fits = pixels.shape[-1] > max(space.channels)
    if not fits:
        raise InputError(
            f"image has {pixels.shape[-1]} channels, which does not go with the bins of "
            f"{space.name!r}."
        )
    out = np.empty(pixels.shape[:-1], table.dtype)
    flat = table.reshape(-1)

    def work(slab: Slab) -> None:
        numbers, coloured = bins.numbers(pixels[slab])
        out[slab] = flat[numbers]
        if coloured is not None:
            out[slab][~coloured] = 0

    in_slabs(work, out.shape)
    return out


def _check_ranges(ranges: Sequence[Interval], count: int) -> tuple[Interval, ...]:
    try:
        array = np.asarray(ranges, dtype=float)
    except (TypeError, ValueError):
        array = np.empty(0)
    if array.shape != (count, 2) or not np.isfinite(array).all():
        raise InputError(
            f"ranges must be {count} pairs of numbers, lowest and highest; got {ranges!r}."
        )
    if (array[:, 0] >= array[:, 1]).any():
        raise InputError(f"ranges must go from low to high; got {ranges!r}.")
    return tuple((float(low), float(high)) for low, high in array)
