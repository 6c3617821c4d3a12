"""Pictures in which each region has one colour."""

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.filters.local_filters import float_image
from napari_seedbed.core.library_calls import call_aside
from napari_seedbed.core.regions.region_graphs import numbered
from napari_seedbed.core.slabs import Slab, in_slabs
from napari_seedbed.core.validation import (
    channels_first,
    check_channel_axis,
    check_labels,
)


def average_colour(
    image: Any, labels: Any, channel_axis: int | None = None
) -> NDArray[np.floating]:
    """Give each voxel the mean of the region that it lies in, as a posterised picture.

    Parameters
    ----------
    image : (…) array_like, with channels where `channel_axis` says so
    labels : (…) array_like of int
        Of the image's shape without channels. Labels below 1 are no regions.
    channel_axis : int, optional

    Returns
    -------
    ndarray, of the shape of `image`
        float64 for float64 images, float32 for all others; 0 where no region is.

    Raises
    ------
    InputError
        If the labels are no whole numbers or have another shape than the image.
    """
    array = float_image(image)
    axis = check_channel_axis(channel_axis, array.ndim)
    channels = channels_first(array, axis)
    regions = check_labels(labels, channels.shape[1:])
    out = np.zeros(array.shape, array.dtype)
    painted = channels_first(out, axis)
    names, numbers = call_aside(partial(numbered, regions))
    flat, room = numbers.ravel(), len(names) + 1
    counts = np.maximum(call_aside(partial(np.bincount, flat, minlength=room)), 1)
    for c, channel in enumerate(channels):
        count = partial(np.bincount, flat, channel.ravel(), minlength=room)
        means = (call_aside(count) / counts).astype(array.dtype)
        means[0] = 0

        def paint(part: Slab, c: int = c, means: NDArray[np.floating] = means) -> None:
            painted[c][part] = means[numbers[part]]

        in_slabs(paint, regions.shape)
    return out
