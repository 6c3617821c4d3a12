"""How typical a pixel's colour is of a patch, by the histogram of the patch's colours."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.colour.colour_histograms import (
    ColourBins,
    ColourHistogram,
    Interval,
    colour_bins,
    count_colours,
    look_up,
    patch_histograms,
)
from napari_seedbed.core.colour.colour_spaces import (
    MIN_SATURATION,
    check_colour_image,
    colour_space,
)
from napari_seedbed.core.colour.patches import check_patch
from napari_seedbed.errors import InputError

BackprojectionMethod = Literal["ratio", "patch"]
BACKPROJECTION_METHODS: tuple[BackprojectionMethod, ...] = get_args(BackprojectionMethod)

BINS = 64
SMOOTHING = 1.0


@dataclass(frozen=True)
class ColourTable:
    """A probability for each bin of a histogram of colours.

    Attributes
    ----------
    label : int
        Label of the patch; 1 for a mask.
    bins : ColourBins
        The bins.
    probability : ndarray of float32
        From 0 to 1, of the bins' shape.
    """

    label: int
    bins: ColourBins
    probability: NDArray[np.float32]


def colour_table(
    patch: ColourHistogram,
    image: ColourHistogram | None = None,
    *,
    smoothing: float = SMOOTHING,
    label: int = 1,
) -> ColourTable:
    """Turn the histogram of a patch into probabilities.

    Parameters
    ----------
    patch : ColourHistogram
        Colours of the patch.
    image : ColourHistogram, optional
        Colours of the whole image in the same bins, for the ratio histogram.
    smoothing : float
        Standard deviation in bins of the Gaussian that smooths the histograms.
    label : int
        Label of the patch.

    Returns
    -------
    ColourTable
        Without `image`: each bin of the patch over its fullest. With `image`: the share of the
        patch's pixels in a bin over the share of the image's pixels there, at most 1.

    Raises
    ------
    InputError
        If the patch has no pixel with a colour, or the histograms have different bins.
    """
    if patch.total == 0:
        raise InputError(
            f"patch {label} has no pixel with a colour: all are black, saturated or (for 'hue') "
            "grey; mark pixels of the wanted colour."
        )
    counts = patch.smoothed(smoothing).counts
    if image is None:
        probability = counts / counts.max()
    else:
        if image.bins != patch.bins:
            raise InputError("image and patch are histograms of different bins.")
        everywhere = image.smoothed(smoothing).counts
        share = counts / counts.sum()
        background = everywhere / everywhere.sum()
        # A patch lies in the image, so a bin that it has is never empty there.
        probability = np.divide(share, background, out=np.zeros(share.shape), where=background > 0)
        probability = np.minimum(probability, 1)
    return ColourTable(label, patch.bins, probability.astype(np.float32))


def fit_colour_tables(
    image: Any,
    patch_labels: Any,
    bins: int | Sequence[int] = BINS,
    space: str = "rg",
    channel_axis: int | None = -1,
    *,
    method: str = "ratio",
    smoothing: float = SMOOTHING,
    channels: Sequence[int] | None = None,
    ranges: Sequence[Interval] | None = None,
    black_level: float = 0.0,
    saturation_level: float | None = None,
    min_saturation: float = MIN_SATURATION,
) -> list[ColourTable]:
    """Learn the colours of each labelled patch, to be looked up in the image or in others.

    Parameters
    ----------
    image : (…, C[, …]) array_like
    patch_labels : ndarray of int
        A label for each patch, of the image's shape without its channels; below 1 is no patch.
    bins, space, channel_axis, method, smoothing, channels, ranges, black_level
        As in `histogram_backprojection`.
    saturation_level, min_saturation
        As in `histogram_backprojection`.

    Returns
    -------
    list of ColourTable
        One for each label, rising.
    """
    pixels, _ = check_colour_image(image, channel_axis)
    _check_method(method)
    chosen = colour_space(
        space, pixels.shape[-1], channels, black_level, saturation_level, min_saturation
    )
    grid = colour_bins(pixels, chosen, bins, ranges)
    histograms = patch_histograms(pixels, patch_labels, grid)
    everywhere = count_colours(pixels, grid, None) if method == "ratio" else None
    return [
        colour_table(histogram, everywhere, smoothing=smoothing, label=label)
        for label, histogram in histograms.items()
    ]


def table_probability(
    image: Any, table: ColourTable, channel_axis: int | None = -1
) -> NDArray[np.float32]:
    """Return what a table says of each pixel's colour: 0 to 1, and 0 for pixels without one.

    Parameters
    ----------
    image : (…, C[, …]) array_like
        A part of the one that the table was learnt from, or another.
    table : ColourTable
    channel_axis : int
        Axis of the channels.
    """
    pixels, _ = check_colour_image(image, channel_axis)
    return look_up(pixels, table.bins, table.probability)


def histogram_backprojection(
    image: Any,
    patch_mask: Any,
    bins: int | Sequence[int] = BINS,
    space: str = "rg",
    channel_axis: int | None = -1,
    *,
    method: str = "ratio",
    smoothing: float = SMOOTHING,
    channels: Sequence[int] | None = None,
    ranges: Sequence[Interval] | None = None,
    black_level: float = 0.0,
    saturation_level: float | None = None,
    min_saturation: float = MIN_SATURATION,
) -> NDArray[np.float32]:
    """Return how typical each pixel's colour is of a patch, by the patch's histogram.

    Parameters
    ----------
    image : (…, C[, …]) array_like
        Image of any number of spatial axes and at least two channels. Negative values count as 0,
        except in the space 'channels'.
    patch_mask : ndarray of bool or int
        True (above 0) where the wanted colour is, of the image's shape without its channels.
    bins : int or sequence of int
        Bins along each coordinate.
    space : {'rg', 'hue', 'hue_saturation', 'channels'}
        What the coordinates are: chromaticities (channels over the sum of all), the hue, hue and
        saturation, or the values of channels. Hue needs three channels: red, green, blue.
    channel_axis : int
        Axis of the channels.
    method : {'ratio', 'patch'}
        'ratio': Swain and Ballard's ratio histogram, each histogram divided by its mass: 1 for
        colours at least as frequent in the patch as in the whole image. 'patch': the patch's
        histogram over its largest value, so that the most frequent colour of the patch has 1. The
        number of pixels of the patch does not matter in either.
    smoothing : float
        Standard deviation in bins of the Gaussian that smooths the histograms; 0 for none.
    channels : sequence of int, optional
        Channels that 'rg' and 'channels' take their coordinates from; the first two when None.
    ranges : sequence of (float, float), optional
        Lowest and highest value along each coordinate; what is outside falls into the outermost
        bins. None: 0 to 1, or in 'channels' those of the image.
    black_level : float
        Pixels whose channels have this mean or less are black. They have no colour: they are not
        learnt from and their probability is 0, except in 'channels'.
    saturation_level : float, optional
        Pixels with a channel at this value or above are treated in the same way, as the sensor cut
        off their colour; `saturation_level` gives the value of an image. None: they count.
    min_saturation : float
        Pixels less saturated than this (in HSV, 0 to 1) have no hue; for 'hue' only.

    Returns
    -------
    ndarray of float32, of the image's shape without its channels
        0 to 1, never NaN.

    Raises
    ------
    InputError
        If the patch is empty, of another shape or has no pixel with a colour; if the image has
        too few channels or values that are no finite numbers; if a parameter is wrong.

    References
    ----------
    Swain and Ballard (1991), Color indexing.
    """
    pixels, _ = check_colour_image(image, channel_axis)
    mask = check_patch(patch_mask, pixels.shape[:-1])
    (table,) = fit_colour_tables(
        pixels, mask, bins, space, method=method, smoothing=smoothing, channels=channels,
        ranges=ranges, black_level=black_level, saturation_level=saturation_level,
        min_saturation=min_saturation,
    )  # fmt: skip
    return table_probability(pixels, table)


def histogram_backprojections(
    image: Any,
    patch_labels: Any,
    bins: int | Sequence[int] = BINS,
    space: str = "rg",
    channel_axis: int | None = -1,
    *,
    method: str = "ratio",
    smoothing: float = SMOOTHING,
    channels: Sequence[int] | None = None,
    ranges: Sequence[Interval] | None = None,
    black_level: float = 0.0,
    saturation_level: float | None = None,
    min_saturation: float = MIN_SATURATION,
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Return the labels of several patches, and a map of probability for each of them.

    Parameters
    ----------
    image : (…, C[, …]) array_like
    patch_labels : ndarray of int
        A label for each patch, of the image's shape without its channels; below 1 is no patch.
    bins, space, channel_axis, method, smoothing, channels, ranges, black_level
        As in `histogram_backprojection`.
    saturation_level, min_saturation
        As in `histogram_backprojection`.

    Returns
    -------
    labels : (K,) ndarray of int32
        Rising.
    maps : (K, …) ndarray of float
        One for each label; `most_probable` makes one labelled image of them.
    """
    tables = fit_colour_tables(
        image, patch_labels, bins, space, channel_axis, method=method, smoothing=smoothing,
        channels=channels, ranges=ranges, black_level=black_level,
        saturation_level=saturation_level, min_saturation=min_saturation,
    )  # fmt: skip
    labels = np.array([table.label for table in tables], np.int32)
    maps = [table_probability(image, table, channel_axis) for table in tables]
    return labels, np.stack(maps)


def class_probabilities(
    image: NDArray[Any],
    histograms: Mapping[int, ColourHistogram],
    channel_axis: int = -1,
    *,
    method: str = "ratio",
    smoothing: float = SMOOTHING,
    everywhere: ColourHistogram | None = None,
) -> NDArray[np.float32]:
    """Return a map of probability for each of the histograms that patches have.

    Parameters
    ----------
    image : (…, C[, …]) ndarray
    histograms : dict of ColourHistogram
        By labels, all with the same bins.
    channel_axis : int
    method, smoothing
        As in `histogram_backprojection`.
    everywhere : ColourHistogram, optional
        Of all colours, by which a ratio divides, where `image` is a part of what is looked at.

    Returns
    -------
    maps : (K, …) ndarray of float
    """
    if method != "ratio":
        everywhere = None
    elif everywhere is None:
        bins = next(iter(histograms.values())).bins
        everywhere = count_colours(np.moveaxis(image, channel_axis, -1), bins)
    tables = [
        colour_table(one, everywhere, smoothing=smoothing, label=label)
        for label, one in histograms.items()
    ]
    return np.stack([table_probability(image, table, channel_axis) for table in tables])


def _check_method(method: str) -> None:
    if method not in BACKPROJECTION_METHODS:
        raise InputError(
            f"method must be one of {', '.join(map(repr, BACKPROJECTION_METHODS))}; got {method!r}."
        )
