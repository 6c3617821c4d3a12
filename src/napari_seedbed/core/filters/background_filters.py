"""Uneven ground of an image, and the image without it."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.filters import ball_kernels
from napari_seedbed.core.filters.flat_morphology import maximum, minimum
from napari_seedbed.core.filters.gaussians import gaussian
from napari_seedbed.core.filters.local_filters import float_image, half_width
from napari_seedbed.core.magnitudes import check_fits
from napari_seedbed.core.parabola_envelopes import lowest_paraboloids
from napari_seedbed.core.progress import check_stop
from napari_seedbed.core.threads import run_ranges, split
from napari_seedbed.core.validation import check_number, check_spacing
from napari_seedbed.errors import InputError

Ground = Literal["rolling_ball", "paraboloid", "tophat", "gaussian"]

_BLOCKS_PER_TASK = 64
_VOXELS_PER_TASK = 1 << 19


def background(
    image: Any,
    radius: float,
    method: Ground = "rolling_ball",
    spacing: float | Sequence[float] | None = None,
    *,
    light_ground: bool = False,
) -> NDArray[np.floating]:
    """Estimate the ground that objects lie on.

    Parameters
    ----------
    image : ([Z, ]Y, X) array_like
    radius : float
        In the unit of `spacing`; larger than the objects.
    method : {'rolling_ball', 'paraboloid', 'tophat', 'gaussian'}
        Where a ball that rolls below the image touches it (its height counts intensities, as many
        as it has voxels of the smallest side); the same for a paraboloid as round at its tip,
        which is close to it and takes the same short time for every radius; the opening of the
        image with a flat ball; or the image smoothed with a Gaussian of this standard deviation.
    spacing : sequence of float, optional
        Voxel size; 1 when None.
    light_ground : bool
        Whether objects are darker than the ground.

    Returns
    -------
    ([Z, ]Y, X) ndarray
        float64 for float64 images, float32 for all others.

    Raises
    ------
    InputError
        If the radius is negative, the method unknown, or the image is no image.

    References
    ----------
    Sternberg SR (1983). Biomedical image processing. Computer 16(1), 22-34.
    """
    array = float_image(image)
    size = check_spacing(spacing, array.ndim)
    length = check_number(radius, "radius")
    if method == "gaussian":
        return gaussian(array, length, size)
    signed = -array if light_ground else array
    if method == "tophat":
        low = minimum(signed, length, size)
        found = maximum(low, length, size)
    elif method == "rolling_ball":
        found = _rolling_ball(signed, length, size)
    elif method == "paraboloid":
        found = _paraboloid(signed, length, size)
    else:
        raise InputError(
            f"method is {method!r}; it must be rolling_ball, paraboloid, tophat or gaussian."
        )
    return -found if light_ground else found


def subtract_background(
    image: Any,
    radius: float,
    method: Ground = "rolling_ball",
    spacing: float | Sequence[float] | None = None,
    *,
    light_ground: bool = False,
) -> NDArray[np.floating]:
    """Take away what `background` finds; the ground becomes 0, darker things negative.

    Parameters
    ----------
    image, radius, method, spacing, light_ground
        As in `background`.
    """
    array = float_image(image)
    ground = background(array, radius, method, spacing, light_ground=light_ground)
    check_stop()
    with np.errstate(over="ignore"):
        np.subtract(array, ground, out=ground)
    return check_fits(ground)


def _paraboloid(
    array: NDArray[np.floating], radius: float, spacing: Sequence[float]
) -> NDArray[np.floating]:
    voxel = min(spacing)
    if radius == 0:
        return array.copy()
    # Near its tip a ball of radius R falls by d^2 / (2 R).
    scale = 2 * radius / voxel
    steps = [step / voxel for step in spacing]
    lowest = lowest_paraboloids(array.astype(np.float64) * scale, steps)
    lowest /= scale
    return lowest.astype(array.dtype, copy=False)


def _rolling_ball(
    array: NDArray[np.floating], radius: float, spacing: Sequence[float]
) -> NDArray[np.floating]:
    limits = [
        min(half_width(radius, step), n - 1) for step, n in zip(spacing, array.shape, strict=True)
    ]
    offsets = np.meshgrid(
        *(np.arange(-n, n + 1) * step for n, step in zip(limits, spacing, strict=True)),
        indexing="ij",
        sparse=True,
    )
    apart: NDArray[np.float64] = sum((offset**2 for offset in offsets), np.zeros(()))
    under = apart <= (radius * (1 + 1e-9)) ** 2
    heights = np.sqrt(np.maximum(radius**2 - apart, 0)) / min(spacing)
    heights[~under] = -np.inf
    lead = (1,) * (3 - array.ndim)
    drops = (heights.max() - heights).reshape(lead + heights.shape)
    values = np.ascontiguousarray(array.reshape(lead + array.shape), np.float64)
    # About 64 voxels, so that those left out and those looked at in vain are both few.
    side = np.array((1, 8, 8) if values.shape[0] == 1 else (4, 4, 4), np.int64)
    lowest: NDArray[np.float64] = np.empty(-(-np.array(values.shape) // side))
    lines = split(lowest.shape[0] * lowest.shape[1], 1 + values.size // _VOXELS_PER_TASK)
    run_ranges(ball_kernels.lowest_of_blocks, lines, values, side, lowest)
    out = np.empty(values.shape)
    parts = split(lowest.size, -(-lowest.size // _BLOCKS_PER_TASK))
    run_ranges(ball_kernels.rolled, parts, values, lowest, side, drops, out)
    return out.reshape(array.shape).astype(array.dtype, copy=False)
