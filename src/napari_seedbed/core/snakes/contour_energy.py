"""The image that pulls on active contours: its brightness and edges, as a smooth surface."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from skimage.util import img_as_float

from napari_seedbed.core.snakes.contour_kernels import (
    add_energy,
    fit_columns,
    fit_rows,
    spline_sweeps,
)
from napari_seedbed.core.threads import run_ranges, split
from napari_seedbed.core.validation import check_image
from napari_seedbed.errors import InputError


@dataclass(frozen=True)
class ImageEnergy:
    """The surface that contours climb.

    Attributes
    ----------
    coefficients : (M, N) ndarray
        Coefficients of the quadratic spline through all pixels.
    voxel : (2,) ndarray
        Voxel size along rows and columns, in the smaller of the two.
    dtype : dtype
        Type of the contours that result: float32 for images of float32 or float16, else float64.
    """

    coefficients: NDArray[np.float64]
    voxel: NDArray[np.float64]
    dtype: np.dtype[Any]


def image_energy(
    image: Any, w_line: float, w_edge: float, voxel: tuple[float, float]
) -> ImageEnergy:
    """Prepare an image of (M, N) or (M, N, C) pixels for any number of contours.

    Raises
    ------
    InputError
        If it is no such image, has fewer than 3 pixels along an axis, or is the same everywhere
        although the contours are to be drawn by it.
    """
    array = check_image(image, ndim=(2, 3))
    if min(array.shape[:2]) < 3:
        raise InputError(
            f"image has {array.shape[0]} x {array.shape[1]} pixels; "
            "contours need at least 3 along both axes."
        )
    dtype = np.dtype(np.float32 if array.dtype.char in "ef" else np.float64)
    grey = np.asarray(img_as_float(array)).astype(np.float64, copy=False)
    channels = grey[..., np.newaxis] if grey.ndim == 2 else grey
    n_rows, n_columns = channels.shape[:2]
    energy = np.zeros((n_rows, n_columns))
    row_ranges = split(n_rows, 32)
    for c in range(channels.shape[2]):
        channel = np.ascontiguousarray(channels[..., c])
        weights = (float(w_line), float(w_edge), *voxel)
        run_ranges(add_energy, row_ranges, channel, *weights, energy)
    if w_line != 0 or w_edge != 0:
        _check_contrast(array, grey, energy, abs(w_line) + abs(w_edge), dtype)
    column_ranges = split(n_columns, 32)
    sweeps = spline_sweeps(n_rows)
    run_ranges(fit_columns, column_ranges, energy, sweeps)
    sweeps = spline_sweeps(n_columns)
    run_ranges(fit_rows, row_ranges, energy, sweeps)
    return ImageEnergy(energy, np.asarray(voxel, dtype=np.float64), dtype)


def _check_contrast(
    image: NDArray[Any],
    grey: NDArray[np.float64],
    energy: NDArray[np.float64],
    weight: float,
    dtype: np.dtype[Any],
) -> None:
    # Smoothing an even image leaves rounding errors, which are no edges either.
    noise = 16 * float(np.finfo(dtype).eps) * weight * float(np.abs(grey).max())
    if float(np.ptp(energy)) <= noise:
        low, high = float(image.min()), float(image.max())
        raise InputError(
            f"image has no edges (its values go from {low:g} to {high:g}), so that nothing pulls "
            "at contours; give an image with edges, or w_line=0 and w_edge=0 to let contours "
            "follow their own tension."
        )
