"""Coordinates that say what colour a pixel has, and which pixels have none.

Chromaticity is each channel over the sum of the channels: what is left of a colour when its
brightness is taken away. It exists for any number of channels. Hue and saturation are those of the
HSV cone and need three.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from operator import index as as_index
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.validation import check_channel_axis, check_image, check_number
from napari_seedbed.errors import InputError

SpaceName = Literal["rg", "hue", "hue_saturation", "channels"]
SPACES: tuple[SpaceName, ...] = get_args(SpaceName)

MIN_SATURATION = 0.05
"""Pixels greyer than this have no hue: noise of one grey level would turn it at will."""


@dataclass(frozen=True)
class ColourSpace:
    """How pixels become coordinates.

    Attributes
    ----------
    name : {'rg', 'hue', 'hue_saturation', 'channels'}
        'rg': channels over the sum of all, 0 to 1. 'hue': the angle in HSV over 360 degrees, 0 to
        1. 'hue_saturation': the same, and the saturation in HSV, 0 to 1. 'channels': the values
        themselves.
    channels : tuple of int
        Channels that 'rg' and 'channels' take their coordinates from, in this order.
    black_level : float
        A pixel whose channels have this mean or less is black and has no colour.
    saturation_level : float or None
        A pixel with a channel at this value or above is saturated: the sensor cut off its colour.
        None: no pixel is.
    min_saturation : float
        A pixel less saturated than this (in HSV) has no hue; for 'hue' only.
    """

    name: SpaceName = "rg"
    channels: tuple[int, ...] = (0, 1)
    black_level: float = 0.0
    saturation_level: float | None = None
    min_saturation: float = MIN_SATURATION

    @property
    def n_coordinates(self) -> int:
        """Number of coordinates of a pixel."""
        fixed = {"hue": 1, "hue_saturation": 2}
        return fixed.get(self.name, len(self.channels))

    @property
    def circular(self) -> tuple[bool, ...]:
        """For each coordinate, whether 1 is the same as 0."""
        hue = self.name in ("hue", "hue_saturation")
        return tuple(hue and axis == 0 for axis in range(self.n_coordinates))

    def coordinates(
        self, pixels: NDArray[Any]
    ) -> tuple[NDArray[np.floating], NDArray[np.bool_] | None]:
        """Return what colour pixels have.

        Parameters
        ----------
        pixels : (…, C) ndarray
            Real, finite numbers. Negative ones, as a subtracted background leaves them, count as 0
            except in 'channels'.

        Returns
        -------
        coordinates : (K, …) ndarray of float
            float64 for float64 pixels, else float32. Never NaN: black pixels have the neutral
            chromaticity 1 / C, and hue and saturation 0; grey ones have the hue 0.
        coloured : (…) ndarray of bool or None
            False for pixels without a colour: black and saturated ones (black ones do have a colour
            in 'channels'), and in 'hue' greyish ones. None: all have one.
        """
        number = result_type(pixels.dtype)
        if self.name == "channels":
            values = np.stack([pixels[..., c].astype(number) for c in self.channels])
            return values, _all_or(self._unsaturated(pixels))
        planes: list[NDArray[np.floating]] = [
            pixels[..., c].astype(number) for c in range(pixels.shape[-1])
        ]
        if pixels.dtype.kind != "u":
            for plane in planes:
                np.maximum(plane, 0, out=plane)
        total = _sum(planes)
        black = total <= self.black_level * len(planes)
        if self.name == "rg":
            values, coloured = _chromaticity(planes, total, black, self.channels), ~black
        else:
            hue, saturation = _hue_saturation(planes, black)
            coloured = ~black
            if self.name == "hue":
                coloured &= (saturation > 0) & (saturation >= self.min_saturation)
                values = hue[np.newaxis]
            else:
                values = np.stack([hue, saturation])
        unsaturated = self._unsaturated(pixels)
        if unsaturated is not None:
            coloured &= unsaturated
        return values, _all_or(coloured)

    def _unsaturated(self, pixels: NDArray[Any]) -> NDArray[np.bool_] | None:
        if self.saturation_level is None:
            return None
        return ~saturated_pixels(pixels, self.saturation_level)


def colour_space(
    name: str,
    n_channels: int,
    channels: Sequence[int] | None = None,
    black_level: float = 0.0,
    saturation_level: float | None = None,
    min_saturation: float = MIN_SATURATION,
) -> ColourSpace:
    """Return a colour space for an image of `n_channels`, its parameters checked.

    Parameters
    ----------
    name : {'rg', 'hue', 'hue_saturation', 'channels'}
        As that of `ColourSpace`.
    n_channels : int
        Of the image.
    channels : sequence of int, optional
        The first two when None.
    black_level, saturation_level, min_saturation
        As those of `ColourSpace`.

    Raises
    ------
    InputError
        For what `ColourSpace` cannot be.
    """
    if name not in SPACES:
        raise InputError(f"space must be one of {', '.join(map(repr, SPACES))}; got {name!r}.")
    if name in ("hue", "hue_saturation") and n_channels != 3:
        raise InputError(
            f"space {name!r} needs an image with three channels (red, green, blue); this one has "
            f"{n_channels}. Take 'rg' or 'channels'."
        )
    if n_channels < 2:
        raise InputError(
            f"channel_axis holds {n_channels} channel; a colour needs at least 2 channels."
        )
    number = check_number(black_level, "black_level")
    level = None
    if saturation_level is not None:
        level = check_number(saturation_level, "saturation_level", allow_zero=False)
    grey = check_number(min_saturation, "min_saturation")
    return ColourSpace(name, _check_channels(channels, n_channels), number, level, grey)


def _check_channels(channels: Sequence[int] | None, n_channels: int) -> tuple[int, ...]:
    if channels is None:
        return (0, 1)
    try:
        chosen = tuple(as_index(c) for c in channels)
    except TypeError:
        raise InputError(
            f"channels must be numbers of channels, as (0, 1); got {channels!r}."
        ) from None
    if not chosen or any(not 0 <= c < n_channels for c in chosen):
        raise InputError(
            f"channels are {chosen}; they must be from 0 to {n_channels - 1}, as the image has "
            f"{n_channels} channels."
        )
    if len(set(chosen)) < len(chosen):
        raise InputError(f"channels are {chosen}; they must differ.")
    return chosen


def check_colour_image(image: Any, channel_axis: int | None) -> tuple[NDArray[Any], int]:
    """Return an image with its channels last (a view), and where its channel axis was.

    Raises
    ------
    InputError
        If it is no image of finite numbers, has no channel axis or fewer than two channels.
    """
    array = check_image(image, allow_bool=False)
    if channel_axis is None:
        raise InputError("channel_axis is None; colours need an axis of channels.")
    axis = check_channel_axis(channel_axis, array.ndim)
    assert axis is not None
    if array.ndim < 2:
        raise InputError(
            f"image has the shape {array.shape}; it must have spatial axes besides its channels."
        )
    if array.shape[axis] < 2:
        raise InputError(
            f"image has {array.shape[axis]} channel along axis {axis} (shape {array.shape}); a "
            "colour needs at least 2 channels."
        )
    return np.moveaxis(array, axis, -1), axis


def saturated_pixels(pixels: NDArray[Any], level: float) -> NDArray[np.bool_]:
    """Return which pixels (…, C) have a channel at `level` or above."""
    if pixels.dtype.kind != "f":
        level = math.ceil(level)
    mask = pixels[..., 0] >= level
    for channel in range(1, pixels.shape[-1]):
        mask |= pixels[..., channel] >= level
    return mask


def result_type(dtype: np.dtype[Any]) -> type[np.floating]:
    """Return float64 for images of that type or wider, float32 for all others."""
    return np.float64 if dtype.kind == "f" and dtype.itemsize >= 8 else np.float32


def _all_or(coloured: NDArray[np.bool_] | None) -> NDArray[np.bool_] | None:
    return None if coloured is None or coloured.all() else coloured


def _sum(planes: list[NDArray[np.floating]]) -> NDArray[np.floating]:
    """Add up channels; where that overflows, scale them all down in place first."""
    with np.errstate(over="ignore"):
        total = planes[0] + planes[1]
        for plane in planes[2:]:
            total += plane
    if total.size and not np.isfinite(total.max()):
        for plane in planes:
            plane /= 2 * len(planes)
        return _sum(planes)
    return total


def _chromaticity(
    planes: list[NDArray[np.floating]],
    total: NDArray[np.floating],
    black: NDArray[np.bool_],
    channels: tuple[int, ...],
) -> NDArray[np.floating]:
    values = np.empty((len(channels), *total.shape), total.dtype)
    any_black = bool(black.any())
    if any_black:
        total = np.where(black, total.dtype.type(1), total)
    for value, channel in zip(values, channels, strict=True):
        np.divide(planes[channel], total, out=value)
        if any_black:
            value[black] = 1 / len(planes)
    return values


def _hue_saturation(
    planes: list[NDArray[np.floating]], black: NDArray[np.bool_]
) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    red, green, blue = planes
    top = np.maximum(np.maximum(red, green), blue)
    span = top - np.minimum(np.minimum(red, green), blue)
    grey = black | (span <= 0)
    one = top.dtype.type(1)
    divisor = np.where(grey, one, span)
    hue = np.where(
        red == top,
        (green - blue) / divisor,
        np.where(green == top, 2 + (blue - red) / divisor, 4 + (red - green) / divisor),
    )
    hue /= 6
    hue[hue < 0] += 1
    # The sum with a tiny negative number is 1, which is the same hue as 0.
    hue[grey | (hue >= 1)] = 0
    saturation = span / np.where(black, one, top)
    saturation[grey] = 0
    return hue, saturation
