"""How much of an image's fine detail is noise, and the image with as much of it smoothed away.

Neighbouring voxels differ because of edges and because of noise. Smoothing removes the differences
that noise makes and keeps most of those at edges, so what is left of them separates the two.
"""

from math import prod

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import correlate1d

from napari_seedbed.core.progress import check_stop
from napari_seedbed.core.slabs import Slab, in_slabs

_BINOMIAL = np.array([1, 4, 6, 4, 1]) / 16
REACH = 2
"""Voxels that smoothing reaches."""

EDGES_KEEP = 0.25
"""Share of squared differences that smoothing leaves in images without noise, at the least.

Measured: 0.16 to 0.55 on 2D images from clinical scanners, 0.02 on a noisy confocal volume.
"""

# The share is measured on whole blocks of planes of about this many voxels in all.
_SAMPLE = 1 << 19
_BLOCKS = 8


def noise_share(image: NDArray[np.generic]) -> float:
    """Return the share of the differences between neighbours that noise accounts for.

    Parameters
    ----------
    image : ndarray of real numbers
        Spatial axes only.

    Returns
    -------
    float
        0 for clean images, 1 for white noise; the same for ``a * image + b``.
    """
    if image.ndim > 1 and image.shape[0] == 1:
        return noise_share(image[0])
    axes = [axis for axis in range(image.ndim) if image.shape[axis] > 1]
    if not axes:
        return 0.0
    blocks = [image[start:stop] for start, stop in sample_blocks(image.shape)]
    low = min(float(block.min()) for block in blocks)
    high = max(float(block.max()) for block in blocks)
    before = after = 0.0
    for block in blocks:
        unit = to_unit(block, low, high)
        check_stop()
        before += _difference_energy(unit)
        after += _difference_energy(smoothed(unit))
    return share_of_energies(before, after, len(axes))


def share_of_energies(before: float, after: float, n_axes: int) -> float:
    """Return the share of noise, from 0 to 1.

    Parameters
    ----------
    before, after : float
        Sum of the squared differences between neighbours, as they are and `smoothed`.
    n_axes : int
        Axes of more than one voxel.
    """
    if before == 0:
        return 0.0
    noise_keeps = _white_noise_keeps(n_axes)
    return float(np.clip((EDGES_KEEP - after / before) / (EDGES_KEEP - noise_keeps), 0, 1))


def quieten(image: NDArray[np.generic]) -> NDArray[np.generic]:
    """Smooth an image as far as it is noisy.

    Parameters
    ----------
    image : ndarray of real numbers
        Spatial axes only. The kernel is the same in voxels along all of them, whatever the
        spacing: detectors make noise voxel by voxel.

    Returns
    -------
    ndarray
        `image` itself if it is clean, otherwise float32 from 0 to 1 (of the image's range): a mix
        of the image and its smoothed copy, as much of the latter as `noise_share` says.
    """
    share = noise_share(image)
    check_stop()
    if share == 0:
        return image
    low, high = float(image.min()), float(image.max())
    check_stop()
    unit = np.empty(image.shape, np.float32)

    def scale(slab: Slab) -> None:
        unit[slab] = to_unit(image[slab], low, high)

    in_slabs(scale, image.shape)
    return mixed(unit, share)


def mixed(unit: NDArray[np.float32], share: float) -> NDArray[np.float32]:
    """Mix an image with its smoothed copy, as much of the latter as the share; it is changed."""
    smooth = smoothed(unit)

    def mix(slab: Slab) -> None:
        smooth[slab] -= unit[slab]
        smooth[slab] *= np.float32(share)
        unit[slab] += smooth[slab]

    in_slabs(mix, unit.shape)
    return unit


def to_unit(image: NDArray[np.generic], low: float, high: float) -> NDArray[np.float32]:
    """Scale to 0..1; squares of very large or small differences would not fit into float32."""
    if high == low:
        return np.zeros(image.shape, np.float32)
    # Far from zero, float32 has too few digits for small differences; small types are exact in it.
    exact = np.float32 if image.dtype.itemsize <= 2 else np.float64
    half = 0.5 if exact is np.float64 else 1.0  # the range of a float64 image may overflow
    unit = np.multiply(image, half, dtype=exact)
    unit -= low * half
    unit /= high * half - low * half
    return unit.astype(np.float32, copy=False)


def sample_blocks(shape: tuple[int, ...]) -> list[tuple[int, int]]:
    """Return ranges along the first axis that hold about `_SAMPLE` voxels, evenly spread."""
    length = shape[0]
    plane = prod(shape[1:])
    thick = max(4 * REACH, _SAMPLE // (_BLOCKS * max(1, plane)))
    if _BLOCKS * thick >= length:
        return [(0, length)]
    starts = [round(i * (length - thick) / (_BLOCKS - 1)) for i in range(_BLOCKS)]
    return [(start, start + thick) for start in starts]


def _difference_energy(image: NDArray[np.float32]) -> float:
    return sum(
        float(np.sum(np.square(np.diff(image, axis=axis)), dtype=np.float64))
        for axis in range(image.ndim)
    )


def smoothed(image: NDArray[np.float32]) -> NDArray[np.float32]:
    """Smooth an image along each axis with the kernel that noise is measured by."""
    for axis in range(image.ndim):
        if image.shape[axis] > 1:
            image = _smoothed_along(image, axis)
    return image


def _smoothed_along(image: NDArray[np.float32], axis: int) -> NDArray[np.float32]:
    if image.ndim == 1:
        return correlate1d(image, _BINOMIAL, mode="nearest")
    out = np.empty_like(image)

    def smooth(slab: Slab) -> None:
        correlate1d(image[slab], _BINOMIAL, axis=axis, mode="nearest", output=out[slab])

    in_slabs(smooth, image.shape, whole=axis)
    return out


def _white_noise_keeps(n_axes: int) -> float:
    """Return the share of squared differences that smoothing leaves of white noise."""
    power = float(np.sum(_BINOMIAL**2))
    steps = float(np.sum(np.diff(np.pad(_BINOMIAL, 1)) ** 2)) / 2
    return steps * power ** (n_axes - 1)
