"""Images of any number of channels in one form."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.filters.local_filters import float_image
from napari_seedbed.core.magnitudes import moderate
from napari_seedbed.core.validation import (
    channels_first,
    check_channel_axis,
    check_spacing,
    check_spatial_axes,
)


def channel_stack(
    image: Any, channel_axis: int | None, spacing: float | Sequence[float] | None
) -> tuple[NDArray[np.floating], tuple[float, ...]]:
    """Return an image as floats, its channels first, and its voxel size.

    Parameters
    ----------
    image : ([Z, ]Y, X) array_like, with channels where `channel_axis` says so
    channel_axis : int or None
    spacing : sequence of float or None

    Returns
    -------
    channels : (C, [Z, ]Y, X) ndarray
        float64 for float64 images, float32 for all others.
    spacing : tuple of float

    Raises
    ------
    InputError
        If it is no image of finite numbers, or neither 2D nor 3D.
    """
    array = float_image(image)
    axis = check_channel_axis(channel_axis, array.ndim)
    ndim = check_spatial_axes(array.shape, axis)
    return channels_first(array, axis), check_spacing(spacing, ndim)


def unit_range(channels: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return an image whose values go from 0 to 1, all channels scaled alike; 0 if it is flat."""
    values = moderate(channels)[0].astype(np.float64)
    least, most = float(values.min()), float(values.max())
    values -= least
    if most > least:
        values /= most - least
    return values
