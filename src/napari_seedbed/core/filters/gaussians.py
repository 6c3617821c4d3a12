"""Linear filters."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.filters.gaussian_derivatives import correlate_along, gaussian_weights
from napari_seedbed.core.filters.local_filters import float_image
from napari_seedbed.core.validation import check_channel_axis, check_spacing
from napari_seedbed.errors import InputError


def gaussian(
    image: Any,
    sigma: float | Sequence[float] = 1.0,
    spacing: float | Sequence[float] | None = None,
    channel_axis: int | None = None,
    *,
    truncate: float = 4.0,
) -> NDArray[np.floating]:
    """Smooth an image with a Gaussian whose width is given in physical units.

    Parameters
    ----------
    image : (…[, C][, …]) array_like
        Image of real numbers.
    sigma : float or sequence of float
        Standard deviation in the unit of `spacing`: one for all spatial axes, or one an axis.
    spacing : sequence of float, optional
        Voxel size along the spatial axes; 1 when None.
    channel_axis : int, optional
        Axis that is not smoothed along.
    truncate : float
        Standard deviations after which the kernel is cut off.

    Returns
    -------
    ndarray, of the shape of `image`
        float64 for float64 images, float32 for all others. The image is continued beyond its
        border by its outermost values, as in ``skimage.filters.gaussian``. Intensities keep
        their scale.

    Raises
    ------
    InputError
        If `sigma` is negative, above 100,000 voxels or has a wrong length, or the image is no
        image.
    """
    array = float_image(image)
    channel = check_channel_axis(channel_axis, array.ndim)
    spatial = [axis for axis in range(array.ndim) if axis != channel]
    widths = _sigmas(sigma, len(spatial))
    size = check_spacing(spacing, len(spatial))
    if not (np.isfinite(truncate) and truncate > 0):
        raise InputError(f"truncate must be a positive number; got {truncate!r}.")
    out = np.array(array, order="C")
    for axis, width, voxel in zip(spatial, widths, size, strict=True):
        # Nothing to smooth along an axis of one voxel, and a wide kernel would cost time.
        if width > 0 and array.shape[axis] > 1:
            weights = gaussian_weights(width / voxel, 0, truncate, array.shape[axis] - 1)
            correlate_along(out, axis, weights, "nearest")
    return out


def _sigmas(sigma: float | Sequence[float], count: int) -> list[float]:
    try:
        widths = np.atleast_1d(np.asarray(sigma, dtype=float))
    except (TypeError, ValueError):
        raise InputError(f"sigma must be numbers; got {sigma!r}.") from None
    if widths.shape not in ((1,), (count,)):
        raise InputError(
            f"sigma has {widths.size} values; it must be one number or {count}, one a spatial axis."
        )
    if not np.isfinite(widths).all() or (widths < 0).any():
        raise InputError(f"sigma must be finite and not negative; got {sigma!r}.")
    values: list[float] = np.broadcast_to(widths, (count,)).tolist()
    return values


def smoothed_in_type(
    image: NDArray[Any],
    sigma: float | Sequence[float] = 1.0,
    spacing: float | Sequence[float] | None = None,
) -> NDArray[Any]:
    """Smooth an image with a Gaussian; whole numbers stay whole numbers of their type.

    Parameters
    ----------
    image : (…) ndarray
    sigma : float or sequence of float
        Standard deviation in the unit of `spacing`.
    spacing : sequence of float, optional
        Voxel size along the axes; 1 when None.
    """
    found = gaussian(image, sigma, spacing)
    return np.rint(found).astype(image.dtype) if image.dtype.kind in "iu" else found
