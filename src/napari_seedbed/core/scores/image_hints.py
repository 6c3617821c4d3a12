"""Hints from an image alone, where there is no ground truth; they are no scores.

References
----------
Immerkær J (1996). Fast noise variance estimation. Computer Vision and Image Understanding 64(2),
300-302.
Shannon CE (1948). A mathematical theory of communication. Bell System Technical Journal 27(3),
379-423.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray
from scipy.ndimage import correlate1d

from napari_seedbed.core.filters.local_filters import (
    check_window,
    float_image,
    proportional,
    reflected_indices,
)
from napari_seedbed.core.filters.rank_filters import mean
from napari_seedbed.core.filters.windows import Window, window_rows
from napari_seedbed.core.images.percentiles import percentiles_over
from napari_seedbed.core.magnitudes import divided, moderate, moderate_range
from napari_seedbed.core.progress import check_stop
from napari_seedbed.core.scores import entropy_kernels
from napari_seedbed.core.slabs import Slab, in_slabs
from napari_seedbed.core.threads import run_ranges, split
from napari_seedbed.core.thresholds.histograms import OverBlocks
from napari_seedbed.core.validation import check_image, check_spacing
from napari_seedbed.errors import InputError

MOST_LEVELS = 4096

_SECOND_DIFFERENCE = np.array([1.0, -2.0, 1.0])
_NORMAL_MEDIAN = 0.6744897501960817
"""Half of the values of Gaussian noise of standard deviation 1 are nearer to zero than this."""

_FINE = 2.0**32
"""Parts of a bit that entropies are counted in: with a million voxels in a window they still fit
64-bit numbers."""

_VOXELS_PER_TASK = 1 << 14


def local_entropy(
    image: Any,
    radius: float,
    spacing: float | Sequence[float] | None = None,
    *,
    levels: int = 64,
    limits: tuple[float, float] | None = None,
    window: Window = "ball",
) -> NDArray[np.float32]:
    """Return how varied the grey values around each voxel are.

    Parameters
    ----------
    image : ([Z, ]Y, X) array_like
    radius : float
        Half of the window's width in the unit of `spacing`.
    spacing : sequence of float, optional
        Voxel size; 1 when None.
    levels : int
        Number of grey levels, from 2 to 4096.
    limits : (float, float), optional
        Values between which they lie, evenly; the image's own by default. Values beyond count
        as the first or the last step.
    window : {'ball', 'box'}

    Returns
    -------
    ([Z, ]Y, X) ndarray of float32
        Shannon entropy of the grey steps in the window, in bits: 0 where all are the same. The
        image goes on beyond its border as in a mirror.

    Raises
    ------
    InputError
        If the radius is negative or larger than the image, or the number of levels is wrong.
    """
    array = check_image(image, ndim=(2, 3))
    size = check_spacing(spacing, array.ndim)
    if isinstance(levels, bool) or levels != int(levels) or not 2 <= levels <= MOST_LEVELS:
        raise InputError(f"levels is {levels!r}; it must be a whole number from 2 to 4096.")
    rows = window_rows(check_window(radius, size, array.shape), size, window)
    low, high = limits or (float(array.min()), float(array.max()))
    if not (math.isfinite(low) and math.isfinite(high) and low <= high):
        raise InputError(f"limits are {low:g} and {high:g}; they must be rising numbers.")
    steps = np.zeros(array.shape, np.int32)
    # The difference of two limits is no infinity then, and that of two that differ not 0.
    low, high, exponent = moderate_range(low, high)
    scale = levels / (high - low) if high > low else 0.0

    def number(slab: Slab) -> None:
        # A value far beyond the limits may become infinite, and counts as the last step.
        with np.errstate(over="ignore"):
            part = divided(array[slab].astype(np.float64), exponent)
            part = (part - low) * scale
        steps[slab] = np.clip(np.floor(part), 0, levels - 1)

    if high > low:
        in_slabs(number, array.shape)
    volume = steps.reshape((1,) * (3 - array.ndim) + array.shape)
    out = np.empty(volume.shape, np.float32)
    reach = np.abs(rows).max(axis=0)
    z_of, y_of, x_of = (
        reflected_indices(n, int(r)) for n, r in zip(volume.shape, reach, strict=True)
    )
    members = int((2 * rows[:, 2] + 1).sum())
    counts = np.arange(members + 1, dtype=np.float64)
    terms = np.rint(counts * np.log2(np.maximum(counts, 1)) * _FINE).astype(np.int64)

    def run(first: int, last: int) -> None:
        entropy_kernels.entropies(
            first, last, volume, z_of, y_of, x_of, rows, np.zeros(levels, np.int64),
            np.diff(terms), terms[-1], 1 / (members * _FINE), out,
        )  # fmt: skip

    lines = volume.shape[0] * volume.shape[1]
    pieces = split(lines, 1 + volume.size // _VOXELS_PER_TASK)
    run_ranges(run, pieces)
    return out.reshape(array.shape)


def noise_level(image: Any) -> float:
    """Estimate the standard deviation of the noise in an image.

    Parameters
    ----------
    image : ([Z, ]Y, X) array_like

    Returns
    -------
    float
        In grey values. What is left of the image after second differences along all axes is noise
        in the main: half of it is smaller than 0.674 standard deviations. Noise that neighbours
        have in common, as after smoothing, is not seen; fine texture counts as noise.
    """
    array, exponent = moderate(float_image(image))
    left = np.abs(_differences(array))
    check_stop()
    return float(np.ldexp(np.median(left) / _NORMAL_MEDIAN, exponent))


def sizes_of_differences(image: Any) -> NDArray[np.floating]:
    """Give the magnitudes of second differences along all axes, of which noise is most.

    Parameters
    ----------
    image : ([Z, ]Y, X) array_like

    Returns
    -------
    ([Z, ]Y, X) ndarray
        float64 for float64 images, float32 for all others; a voxel's follows from its neighbours.
    """
    return np.abs(_differences(float_image(image)))


def noise_level_over(over: OverBlocks, dtype: DTypeLike) -> float:
    """Find the noise of an image of which somebody else has the blocks.

    Parameters
    ----------
    over : callable
        ``over(function)`` gives what a picklable function gives for `sizes_of_differences` of each
        block.
    dtype : dtype
        Of the image.

    Returns
    -------
    float
        As `noise_level`.
    """
    wide = np.dtype(dtype).kind == "f" and np.dtype(dtype).itemsize >= 8
    (middle,) = percentiles_over(over, np.float64 if wide else np.float32, (50.0,))
    return middle / _NORMAL_MEDIAN


@proportional
def local_noise(
    image: Any,
    radius: float,
    spacing: float | Sequence[float] | None = None,
    *,
    window: Window = "ball",
) -> NDArray[np.floating]:
    """Estimate the standard deviation of the noise around each voxel.

    Parameters
    ----------
    image : ([Z, ]Y, X) array_like
    radius : float
        Half of the window's width in the unit of `spacing`, over which the noise is averaged.
    spacing : sequence of float, optional
        Voxel size; 1 when None. Differences are between neighbours whatever it is, since
        detectors make noise voxel by voxel.
    window : {'ball', 'box'}

    Returns
    -------
    ([Z, ]Y, X) ndarray
        In grey values; float64 for float64 images, float32 for all others. Edges and fine texture
        count as noise.

    Raises
    ------
    InputError
        If the radius is negative or larger than the image, or the image is no image.
    """
    array = float_image(image)
    check_window(radius, check_spacing(spacing, array.ndim), array.shape)
    left = np.abs(_differences(array))
    left *= math.sqrt(math.pi / 2)
    return mean(left, radius, spacing, window=window)


def _differences(array: NDArray[np.floating]) -> NDArray[np.floating]:
    """Second differences along all axes, scaled so that white noise keeps its variance."""
    for axis, n in enumerate(array.shape):
        if n < 2:
            continue
        out = np.empty_like(array)
        # Beyond the border the image is mirrored: there it is a first difference.
        scale = np.full(n, 1 / math.sqrt(6), array.dtype)
        scale[[0, -1]] = 1 / math.sqrt(2)
        scale = scale.reshape([-1 if a == axis else 1 for a in range(array.ndim)])
        _difference_along(array, axis, scale, out)
        array = out
    return np.zeros_like(array) if max(array.shape) < 2 else array


def _difference_along(
    array: NDArray[np.floating], axis: int, scale: NDArray[np.floating], out: NDArray[np.floating]
) -> None:
    def work(slab: Slab) -> None:
        correlate1d(array[slab], _SECOND_DIFFERENCE, axis, output=out[slab], mode="reflect")
        out[slab] *= scale

    if array.ndim == 1:
        work((slice(None),))
    else:
        in_slabs(work, array.shape, whole=axis)
