"""Filters that take noise away and leave edges."""

import itertools
import math
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.filters import bilateral_kernels
from napari_seedbed.core.filters.local_filters import (
    check_window,
    filter_in_slabs,
    float_image,
    reflected_indices,
)
from napari_seedbed.core.progress import ShouldStop, check_stop
from napari_seedbed.core.threads import run_ranges, split
from napari_seedbed.core.validation import check_count, check_number, check_spacing
from napari_seedbed.errors import InputError

_REACH_OF_BILATERAL = 3.0
"""Standard deviations that its window goes to, as in scikit-image."""

_VOXELS_PER_SLAB = 1 << 16
_NOISE_TO_STRENGTH = 0.8
"""Of the noise's standard deviation, as scikit-image advises for non-local means."""


def bilateral(
    image: Any,
    sigma: float = 1.0,
    contrast: float = 0.0,
    spacing: float | Sequence[float] | None = None,
    *,
    should_stop: ShouldStop | None = None,
) -> NDArray[np.floating]:
    """Average each voxel with those around that are about as bright.

    Parameters
    ----------
    image : ([Z, ]Y, X) array_like
    sigma : float
        Standard deviation, in the unit of `spacing`, of the Gaussian that weighs by distance.
    contrast : float
        Standard deviation, in the image's intensities, of the Gaussian that weighs by likeness. 0
        takes that of the image, as scikit-image does.
    spacing : sequence of float, optional
        Voxel size; 1 when None.
    should_stop : callable, optional
        Asked many times a second; true raises `Cancelled`.

    Returns
    -------
    ([Z, ]Y, X) ndarray
        float64 for float64 images, float32 for all others. The image goes on beyond its border as
        in a mirror.

    Raises
    ------
    InputError
        If a number is negative, the window larger than the image, or the image is no image.

    References
    ----------
    Tomasi C, Manduchi R (1998). Bilateral filtering for gray and color images. International
    Conference on Computer Vision, 839-846.
    """
    array = float_image(image)
    size = check_spacing(spacing, array.ndim)
    width = check_window(sigma, size, array.shape, "sigma")
    likeness = check_number(contrast, "contrast") or float(array.std(dtype=np.float64))
    if width == 0 or likeness == 0:
        return array.copy()
    lead = (1,) * (3 - array.ndim)
    volume = array.reshape(lead + array.shape)
    reach = [0] * len(lead) + [math.ceil(_REACH_OF_BILATERAL * width / step) for step in size]
    squares = [
        (np.arange(-r, r + 1) * step) ** 2 for r, step in zip(reach, (*lead, *size), strict=True)
    ]
    near = np.exp(-0.5 / width**2 * (squares[0][:, None, None] + squares[1][:, None] + squares[2]))
    z_of, y_of, x_of = (reflected_indices(n, r) for n, r in zip(volume.shape, reach, strict=True))
    out = np.empty_like(volume, order="C")
    alike = 0.5 / likeness / likeness

    def run(first: int, last: int) -> None:
        bilateral_kernels.averaged(first, last, volume, z_of, y_of, x_of, near, alike, out)

    lines = volume.shape[0] * volume.shape[1]
    parts = 1 + volume.size * near.size // (1 << 22)
    run_ranges(run, split(lines, parts), should_stop=should_stop)
    return out.reshape(array.shape)


def total_variation(
    image: Any,
    weight: float = 0.1,
    spacing: float | Sequence[float] | None = None,
    *,
    eps: float = 2e-4,
    max_num_iter: int = 200,
    should_stop: ShouldStop | None = None,
) -> NDArray[np.floating]:
    """Find an image with few changes that is still close to this one.

    Parameters
    ----------
    image : ([Z, ]Y, X) array_like
    weight : float
        More gives a flatter image. It counts against the image's range from its smallest to its
        largest value, so that the result does not depend on the scale of intensities.
    spacing : sequence of float, optional
        Voxel size; 1 when None. Changes along axes with larger steps count less, as slopes.
    eps : float
        It stops when the cost falls by less than this share of the first cost.
    max_num_iter : int
        Most iterations.
    should_stop : callable, optional
        Asked some times in each iteration; true raises `Cancelled`.

    Returns
    -------
    ([Z, ]Y, X) ndarray
        float64 for float64 images, float32 for all others.

    Raises
    ------
    InputError
        If a number is negative, or the image is no image.

    References
    ----------
    Chambolle A (2004). An algorithm for total variation minimization and applications. Journal of
    Mathematical Imaging and Vision 20, 89-97.
    """
    array = float_image(image)
    size = check_spacing(spacing, array.ndim)
    check_number(weight, "weight")
    check_number(eps, "eps")
    check_count(max_num_iter, "max_num_iter")
    unit, least, contrast = _to_unit(array)
    if contrast == 0 or weight == 0:
        return array.copy()
    scales = [min(size) / step for step in size]
    tau = 1 / (2 * sum(scale**2 for scale in scales))
    dual = np.zeros((array.ndim, *array.shape), array.dtype)
    first = before = 0.0
    out = unit
    for i in range(max_num_iter):
        change = np.zeros_like(unit)
        for axis, scale in enumerate(scales):
            check_stop(should_stop)
            flow = dual[axis] * scale
            change -= flow
            _after(change, axis)[...] += _before(flow, axis)
        out = unit + change
        cost = float(np.square(change, dtype=np.float64).sum())
        del change
        norm = np.zeros_like(unit)
        slopes = []
        for axis, scale in enumerate(scales):
            check_stop(should_stop)
            slope = np.zeros_like(unit)
            np.subtract(_after(out, axis), _before(out, axis), out=_before(slope, axis))
            slope *= scale
            norm += slope * slope
            slopes.append(slope)
        np.sqrt(norm, out=norm)
        cost += weight * float(norm.sum(dtype=np.float64))
        norm *= tau / weight
        norm += 1
        for axis, slope in enumerate(slopes):
            check_stop(should_stop)
            slope *= tau
            dual[axis] -= slope
            dual[axis] /= norm
        cost /= unit.size
        if i == 0:
            first = cost
        elif abs(before - cost) < eps * first:
            break
        before = cost
    return out * array.dtype.type(contrast) + array.dtype.type(least)


def _before(array: NDArray[Any], axis: int) -> NDArray[Any]:
    return array[(slice(None),) * axis + (slice(None, -1),)]


def _after(array: NDArray[Any], axis: int) -> NDArray[Any]:
    return array[(slice(None),) * axis + (slice(1, None),)]


def _to_unit(array: NDArray[np.floating]) -> tuple[NDArray[np.floating], float, float]:
    """Return the image from 0 to 1, its smallest value and its range."""
    least = float(array.min())
    contrast = float(array.max()) - least
    if contrast == 0:
        return np.zeros_like(array), least, 0.0
    return (array - array.dtype.type(least)) / array.dtype.type(contrast), least, contrast


def noise_level(image: Any) -> float:
    """Return the standard deviation of the noise in an image, by its finest wavelets.

    References
    ----------
    Donoho DL, Johnstone IM (1994). Ideal spatial adaptation by wavelet shrinkage. Biometrika 81(3),
    425-455.
    """
    from skimage.restoration import estimate_sigma

    array = np.squeeze(float_image(image))
    if array.ndim == 0 or min(array.shape) < 2:
        return 0.0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = float(estimate_sigma(array))
    return found if math.isfinite(found) else 0.0


def non_local_means(
    image: Any,
    patch_size: int = 5,
    patch_distance: int = 6,
    strength: float = 0.0,
    *,
    should_stop: ShouldStop | None = None,
) -> NDArray[np.floating]:
    """Average each voxel with those nearby whose surroundings look the same.

    Parameters
    ----------
    image : ([Z, ]Y, X) array_like
    patch_size : int
        Voxels along each side of the surroundings that are compared; an odd number.
    patch_distance : int
        How many voxels away like places are searched.
    strength : float
        How different, in the image's intensities, surroundings may look (h). 0 takes 0.8 times the
        noise of the image.
    should_stop : callable, optional
        Asked between slabs; true raises `Cancelled`.

    Returns
    -------
    ([Z, ]Y, X) ndarray
        float64 for float64 images, float32 for all others.

    Raises
    ------
    InputError
        If a number is wrong, or the image is neither 2D nor 3D.

    References
    ----------
    Buades A, Coll B, Morel JM (2005). A non-local algorithm for image denoising. Computer Vision
    and Pattern Recognition 2, 60-65.
    Darbon J and others (2008). Fast nonlocal filtering applied to electron cryomicroscopy. IEEE
    International Symposium on Biomedical Imaging, 1331-1334.
    """
    from skimage.restoration import denoise_nl_means

    array = float_image(image)
    if array.ndim not in (2, 3):
        raise InputError(f"image has {array.ndim} axes; it must have 2 or 3.")
    patch, distance = (
        check_count(patch_size, "patch_size"),
        check_count(patch_distance, "patch_distance"),
    )
    if patch % 2 == 0:
        raise InputError(f"patch_size is {patch}; it must be an odd number.")
    reach = distance + patch // 2
    h = check_number(strength, "strength") or _NOISE_TO_STRENGTH * noise_level(array)
    if h == 0 or distance == 0:
        return array.copy()
    check_stop(should_stop)
    # Running sums of squares: from about 0 and of about 1 they lose the fewest digits.
    least = float(array.min())
    contrast = float(array.max()) - least
    if contrast == 0:
        return array.copy()
    squeezed = np.squeeze(array) if 1 in array.shape and np.squeeze(array).ndim == 2 else array

    def denoise(part: NDArray[np.floating]) -> NDArray[np.floating]:
        unit = (part.astype(np.float64) - least) / contrast
        found = denoise_nl_means(
            unit, patch_size=patch, patch_distance=distance, h=h / contrast, fast_mode=True
        )
        # It leaves out sides of one pixel.
        restored: NDArray[np.floating] = found.reshape(part.shape) * contrast + least
        return restored

    out = np.empty(squeezed.shape, array.dtype)
    reaches = [reach] * squeezed.ndim
    filter_in_slabs(denoise, squeezed, reaches, out, should_stop, voxels=_VOXELS_PER_SLAB)
    return out.reshape(array.shape)


def wavelet(
    image: Any,
    strength: float = 1.0,
    shifts: int = 1,
    *,
    should_stop: ShouldStop | None = None,
) -> NDArray[np.floating]:
    """Shrink what wavelets say is noise.

    Parameters
    ----------
    image : ([Z, ]Y, X) array_like
    strength : float
        How much noise there is, against what the image itself says.
    shifts : int
        The mean is taken over results of the image moved by 0 to so many voxels along each axis,
        since wavelets leave traces of the grid that they lie on.
    should_stop : callable, optional
        Asked between the shifts; true raises `Cancelled`.

    Returns
    -------
    ([Z, ]Y, X) ndarray
        float64 for float64 images, float32 for all others. A side of fewer than four voxels is not
        smoothed along.

    Raises
    ------
    InputError
        If a number is wrong, or the image is neither 2D nor 3D.

    References
    ----------
    Chang SG, Yu B, Vetterli M (2000). Adaptive wavelet thresholding for image denoising and
    compression. IEEE Transactions on Image Processing 9(9), 1532-1546.
    Coifman RR, Donoho DL (1995). Translation-invariant de-noising. Lecture Notes in Statistics 103,
    125-150.
    """
    from skimage.restoration import denoise_wavelet

    array = float_image(image)
    if array.ndim not in (2, 3):
        raise InputError(f"image has {array.ndim} axes; it must have 2 or 3.")
    count = check_count(shifts, "shifts")
    unit, least, contrast = _to_unit(array)
    axes = [axis for axis, n in enumerate(array.shape) if n >= 4]
    noise = check_number(strength, "strength") * noise_level(unit)
    if contrast == 0 or noise == 0 or not axes:
        return array.copy()
    others = [axis for axis in range(array.ndim) if axis not in axes]
    # Slices along the short sides one by one.
    stack = np.moveaxis(unit, others, range(len(others)))
    lead = stack.shape[: len(others)]
    total = np.zeros_like(stack)
    moves = list(itertools.product(range(count + 1), repeat=len(axes)))
    for place, move in itertools.product(np.ndindex(*lead), moves):
        check_stop(should_stop)
        moved = np.roll(stack[place], move, range(len(axes)))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = denoise_wavelet(moved, sigma=noise, rescale_sigma=False)
        total[place] += np.roll(found, [-m for m in move], range(len(axes)))
    total /= len(moves)
    result = np.moveaxis(total, range(len(others)), others)
    return result * array.dtype.type(contrast) + array.dtype.type(least)
