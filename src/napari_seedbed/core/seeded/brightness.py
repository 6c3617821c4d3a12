"""How bright an image is without its finest noise: what is darker than a line is no object."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.filters.gaussians import gaussian

_SMOOTHING = 1.0
"""Standard deviation, in the finest voxel size."""


def smoothed_brightness(
    values: NDArray, steps: Sequence[float] | NDArray[np.float64]
) -> NDArray[np.float32]:
    """Return the mean over the channels, slightly smoothed.

    Parameters
    ----------
    values : ([Z, ]Y, X, C) ndarray
    steps : sequence of float or ndarray
        Voxel size along each spatial axis, the finest being 1.

    Returns
    -------
    ([Z, ]Y, X) ndarray of float32
    """
    return gaussian(values.mean(axis=-1, dtype=np.float32), _SMOOTHING, tuple(steps))
