"""Whether an image has to be moved at all to lie on another one, and how freely."""

from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, gaussian_gradient_magnitude

from napari_seedbed.core.differences.light_changes import gain_and_offset
from napari_seedbed.core.differences.phase_correlation import correlation
from napari_seedbed.core.differences.registration import (
    LEAST_SIZE,
    Registration,
    check_same_shape,
    register_images,
    warp_image,
)
from napari_seedbed.core.progress import check_stop
from napari_seedbed.core.validation import check_channel_axis, check_image

_SIGMA = 1.0
_STEEPEST = 0.2
_FLATTEST = 0.5
"""Shares of the pixels, by the slope, that count as edges and as flat."""

_AS_NOISY = 1.5
"""Where edges differ at most so many times as much as flat parts do, nothing has moved."""

_ALIKE = 0.9
"""Images that agree less may be so far off that flat parts differ as much as edges."""

LOW_CORRELATION = 0.5
"""Images that agree less than this after a registration hardly show the same scene."""

_NEAR = 0.5
"""Registrations that differ less than this anywhere, in pixels, are the same."""

_BETTER = 0.85
"""A freer registration must leave at most this share of the differences at edges."""


def needed_registration(
    reference: Any, moving: Any, *, channel_axis: int | None = None
) -> Registration | None:
    """Find the least registration that an image needs to lie on another one.

    Where something has moved, edges differ much more than flat parts do. So an image is left where
    it is, shifted, or turned, scaled and shifted (2D), and each further freedom is taken only if
    the differences at edges become clearly smaller. What has changed hardly counts, since medians
    are compared.

    Parameters
    ----------
    reference : ndarray
        Image that stays; 2D or 3D, with or without channels.
    moving : ndarray
        Image of the same shape.
    channel_axis : int, optional
        Axis of the channels, whose mean is looked at.

    Returns
    -------
    Registration or None
        None where nothing is to be moved, also for constant images.

    Raises
    ------
    InputError
        If the images have different shapes or hold no finite numbers.
    """
    fixed, other = check_image(reference, "reference"), check_image(moving, "moving")
    check_same_shape(fixed, other, ("reference", "moving"))
    axis = check_channel_axis(channel_axis, fixed.ndim)
    a, b = (
        image.astype(np.float64) if axis is None else image.mean(axis=axis, dtype=np.float64)
        for image in (fixed, other)
    )
    if a.min() == a.max() or b.min() == b.max():
        return None
    smooth = gaussian_filter(a, _SIGMA)
    slope = gaussian_gradient_magnitude(a, _SIGMA)
    check_stop()
    steep, flat = np.quantile(slope, (1 - _STEEPEST, _FLATTEST))
    edges, rest = slope > steep, slope <= flat
    least = _typical_difference(smooth, b, edges)
    agreement = correlation(smooth, gaussian_filter(b, _SIGMA))
    as_noise = least <= _AS_NOISY * _typical_difference(smooth, b, rest)
    if as_noise and agreement > _ALIKE:
        return None
    found: Registration | None = None
    kinds = ["shift"]
    if a.ndim == 2 and min(a.shape) >= LEAST_SIZE:
        kinds.append("similarity")
    for kind in kinds:
        registration = register_images(a, b, kind)
        if registration.correlation < max(agreement, LOW_CORRELATION):
            continue
        moved, covered = warp_image(b, registration)
        inside = edges & covered
        if not inside.any():
            continue
        if found is not None and _farthest(found, registration, a.shape) < _NEAR:
            continue
        left = _typical_difference(smooth, moved, inside)
        before = least if found is not None else _typical_difference(smooth, b, inside)
        if left < _BETTER * before:
            found, least = registration, left
    return found


def _farthest(one: Registration, other: Registration, shape: tuple[int, ...]) -> float:
    """Return how far apart two registrations take a corner of an image."""
    corners = np.array(list(product(*((0, length - 1) for length in shape))))
    apart = np.c_[corners, np.ones(len(corners))] @ (one.matrix - other.matrix).T
    return float(np.linalg.norm(apart, axis=1).max())


def _typical_difference(
    smooth: NDArray[np.floating], image: NDArray[np.floating], where: NDArray[np.bool_]
) -> float:
    """Return the median difference to a smoothed image, once noise and light are taken away."""
    check_stop()
    other = gaussian_filter(image, _SIGMA)
    gain, offset = gain_and_offset(other, smooth, None)
    return float(np.median(np.abs(smooth[where] - gain * other[where] - offset)))
