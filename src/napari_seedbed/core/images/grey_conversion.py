"""Many channels made one, by weights."""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.slabs import Slab, in_slabs
from napari_seedbed.core.validation import (
    channels_first,
    check_channel_axis,
    check_image,
)
from napari_seedbed.errors import InputError

LUMINANCE = (0.2125, 0.7154, 0.0721)
"""Of red, green and blue, as scikit-image's ``rgb2gray`` has them."""

Weights = str | Sequence[float]


def to_grey(
    image: Any, weights: Weights = "luminance", channel_axis: int | None = -1
) -> NDArray[np.floating]:
    """Add up the channels of an image, each times its weight.

    Parameters
    ----------
    image : (…, C[, …]) array_like
    weights : str or (C,) sequence of float
        'luminance': how bright red, green and blue look, for three channels only. 'mean': all
        the same, together 1. Or one number a channel, in a text separated by commas or blanks:
        they are taken as they are, and may be negative.
    channel_axis : int or None
        None for an image without channels, which has one.

    Returns
    -------
    ndarray, of the shape of `image` without the channels
        On the scale of `image`; float64 for float64 images, float32 for all others.

    Raises
    ------
    InputError
        If the weights do not fit the channels, or the image is no image.
    """
    array = check_image(image)
    axis = check_channel_axis(channel_axis, array.ndim)
    channels = channels_first(array, axis)
    factors = channel_weights(weights, len(channels))
    wide = array.dtype.kind == "f" and array.dtype.itemsize >= 8
    out = np.empty(channels.shape[1:], np.float64 if wide else np.float32)

    def work(slab: Slab) -> None:
        total = np.zeros(out[slab].shape, np.float64)
        for channel, factor in zip(channels, factors, strict=True):
            if factor:
                total += factor * channel[slab].astype(np.float64)
        out[slab] = total

    if out.ndim:
        in_slabs(work, out.shape)
    else:
        work(())
    return out


def channel_weights(weights: Weights, n_channels: int) -> tuple[float, ...]:
    """Return one weight a channel, or raise `InputError` where they do not fit."""
    given = parse_weights(weights) if isinstance(weights, str) else tuple(map(float, weights))
    if given == "mean":
        return (1 / n_channels,) * n_channels
    if given == "luminance":
        if n_channels == 1:
            return (1.0,)
        if n_channels != 3:
            raise InputError(
                "weights: luminance is that of red, green and blue, and the image has "
                f"{n_channels} channels; type 'mean', or {n_channels} weights such as "
                f"'{', '.join(['1'] * n_channels)}'."
            )
        return LUMINANCE
    if len(given) != n_channels:
        raise InputError(
            f"weights: {len(given)} given, and the image has {n_channels} "
            f"channel{'s' if n_channels > 1 else ''}; type one for each."
        )
    if not np.isfinite(given).all():
        raise InputError(f"weights: {given} must be finite numbers.")
    return tuple(float(value) for value in given)


def parse_weights(text: str) -> str | tuple[float, ...]:
    """Return 'luminance', 'mean' or the numbers in a text, or raise `InputError`."""
    word = text.strip().lower()
    if word in ("luminance", "mean"):
        return word
    parts = [part for part in re.split(r"[\s,;]+", word) if part]
    try:
        numbers = tuple(float(part) for part in parts)
    except ValueError:
        numbers = ()
    if not numbers or not np.isfinite(numbers).all():
        raise InputError(
            f"{text!r} is neither 'luminance' nor 'mean' nor a list of numbers such as "
            "'0.2126, 0.7152, 0.0722'."
        )
    return numbers
