"""Chromaticity of images with any number of channels, and pixels too bright to have one."""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.colour.colour_spaces import (
    ColourSpace,
    check_colour_image,
    result_type,
    saturated_pixels,
)
from napari_seedbed.core.images.value_ranges import common_range, value_range_of_part
from napari_seedbed.core.slabs import Slab, in_slabs
from napari_seedbed.core.validation import check_image, check_number


def rg_chromaticity(
    image: Any, channel_axis: int | None = -1, *, black_level: float = 0.0
) -> NDArray[np.floating]:
    """Return each channel over the sum of all: r and g of an RGB image.

    Parameters
    ----------
    image : (…, C[, …]) array_like
        Image of any number of spatial axes and at least two channels. Negative values count as 0.
    channel_axis : int
        Axis of the channels.
    black_level : float
        A pixel whose channels have this mean or less is black.

    Returns
    -------
    ndarray, of the shape of `image` but with C - 1 channels
        Values from 0 to 1; float64 for float64 images, else float32. The last channel's share is
        what the others leave of 1. Black pixels, which have no colour, get the neutral one, 1 / C
        in each channel: the same as grey and white ones, and never NaN. Saturated pixels have the
        chromaticity of their clipped values; `saturated` finds them.

    Raises
    ------
    InputError
        If the image has fewer than two channels, or values that are no finite numbers.

    References
    ----------
    Wyszecki and Stiles (1982), Color Science: Concepts and Methods, Quantitative Data and Formulae.
    """
    pixels, axis = check_colour_image(image, channel_axis)
    n_channels = pixels.shape[-1]
    space = ColourSpace(
        channels=tuple(range(n_channels - 1)), black_level=check_number(black_level, "black_level")
    )
    shape = pixels.shape[:-1]
    out_shape = (*shape[:axis], n_channels - 1, *shape[axis:])
    out = np.empty(out_shape, result_type(pixels.dtype))
    channels_first = np.moveaxis(out, axis, 0)

    def work(slab: Slab) -> None:
        channels_first[(slice(None), *slab)] = space.coordinates(pixels[slab])[0]

    in_slabs(work, shape)
    return out


def saturation_level(image: Any) -> float | None:
    """Return the value at which an image's sensor or file format cuts off, if that is known.

    Parameters
    ----------
    image : array_like
        Image of any shape.

    Returns
    -------
    float or None
        For integers the upper end of the range that `value_range` finds, negative values counting
        as 0: 4095 for 12 bits stored in 16. For floats 1 if no value is larger, otherwise None.

    Raises
    ------
    InputError
        If the image is no array of finite numbers.
    """
    array = check_image(image, allow_bool=False)
    if array.dtype.kind == "f":
        return 1.0 if array.max() <= 1 else None
    part = value_range_of_part(array)
    # Negative values count as 0 here: below it, sensors have no grey levels.
    above = replace(part, lowest=max(part.lowest, 0), highest=max(part.highest, 0))
    return float(common_range([above]).high)


def saturated(
    image: Any, channel_axis: int | None = -1, *, level: float | None = None
) -> NDArray[np.bool_]:
    """Return which pixels are saturated in any channel: their colour was cut off.

    Parameters
    ----------
    image : (…, C[, …]) array_like
        Image of any number of spatial axes and at least two channels.
    channel_axis : int
        Axis of the channels.
    level : float, optional
        Value at and above which a channel is saturated; None: what `saturation_level` says of the
        image. Give it for parts of an image, and for floats that go beyond 1.

    Returns
    -------
    ndarray of bool, of the image's shape without its channels
        All False if no level is known.

    Raises
    ------
    InputError
        If the image has fewer than two channels, values that are no finite numbers, or `level` is
        not a positive number.
    """
    pixels, _ = check_colour_image(image, channel_axis)
    if level is None:
        level = saturation_level(pixels)
    else:
        level = check_number(level, "level", allow_zero=False)
    mask = np.zeros(pixels.shape[:-1], bool)
    if level is None:
        return mask

    def work(slab: Slab) -> None:
        mask[slab] = saturated_pixels(pixels[slab], level)

    in_slabs(work, mask.shape)
    return mask
