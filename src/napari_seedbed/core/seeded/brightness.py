"""How bright an image is without its finest noise: what is darker than a line is no object."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.filters.gaussians import gaussian

_SMOOTHING = 1.0
"""Standard deviation, in the finest voxel size."""


def smoothed_brightness(
    image: NDArray[Any],
    spacing: Sequence[float] | NDArray[np.float64],
    channel_axis: int | None = None,
) -> NDArray[np.float32]:
    """Return the mean over the channels, slightly smoothed.

    Parameters
    ----------
    image : ([Z, ]Y, X) ndarray, with channels where `channel_axis` says so
    spacing : sequence of float or ndarray
        Voxel size along each spatial axis.
    channel_axis : int, optional

    Returns
    -------
    ([Z, ]Y, X) ndarray of float32
    """
    values = (
        image[..., np.newaxis] if channel_axis is None else np.moveaxis(image, channel_axis, -1)
    )
    steps = np.divide(spacing, min(spacing)).tolist()
    return gaussian(values.mean(axis=-1, dtype=np.float32), _SMOOTHING, tuple(steps))
