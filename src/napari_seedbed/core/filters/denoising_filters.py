"""Filters that take noise away and leave edges."""

import itertools
import math
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from napari_seedbed.core.filters import bilateral_kernels, patch_kernels
from napari_seedbed.core.filters.local_filters import (
    check_window,
    float_image,
    proportional,
    reflected_indices,
)
from napari_seedbed.core.images.percentiles import percentiles_over
from napari_seedbed.core.library_calls import call_aside
from napari_seedbed.core.magnitudes import moderate, restored
from napari_seedbed.core.progress import check_stop
from napari_seedbed.core.threads import run_ranges, split
from napari_seedbed.core.validation import check_count, check_number, check_spacing
from napari_seedbed.errors import InputError

_REACH_OF_BILATERAL = 3.0
"""Standard deviations that its window goes to, as in scikit-image."""

_STEPS_PER_TASK = 1 << 22
_LARGEST = 1e300
_MEDIAN_OF_NORMAL = 0.6744897501960817
"""Of the absolute values of a normal distribution of standard deviation 1."""

NOISE_TO_STRENGTH = 0.8
"""Of the noise's standard deviation, as scikit-image advises for non-local means."""


def bilateral(
    image: Any,
    sigma: float = 1.0,
    contrast: float = 0.0,
    spacing: float | Sequence[float] | None = None,
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
    asked = check_number(contrast, "contrast")
    array, exponent = moderate(array)
    likeness = float(np.ldexp(asked, -exponent)) if asked else float(array.std(dtype=np.float64))
    if width == 0 or likeness == 0:
        return restored(array.copy(), exponent)
    lead = (1,) * (3 - array.ndim)
    volume = array.reshape(lead + array.shape)
    reach = [0] * len(lead) + [math.ceil(_REACH_OF_BILATERAL * width / step) for step in size]
    squares = [
        (np.arange(-r, r + 1) * (step / width)) ** 2
        for r, step in zip(reach, (*lead, *size), strict=True)
    ]
    near = np.exp(-0.5 * (squares[0][:, None, None] + squares[1][:, None] + squares[2]))
    z_of, y_of, x_of = (reflected_indices(n, r) for n, r in zip(volume.shape, reach, strict=True))
    out = np.empty_like(volume, order="C")
    # 0 times infinity is no number.
    alike = min(0.5 / likeness / likeness, _LARGEST)

    def run(first: int, last: int) -> None:
        bilateral_kernels.averaged(first, last, volume, z_of, y_of, x_of, near, alike, out)

    lines = volume.shape[0] * volume.shape[1]
    parts = 1 + volume.size * near.size // (1 << 22)
    run_ranges(run, split(lines, parts))
    return restored(out.reshape(array.shape), exponent)


@proportional
def total_variation(
    image: Any,
    weight: float = 0.1,
    spacing: float | Sequence[float] | None = None,
    *,
    eps: float = 2e-4,
    max_num_iter: int = 200,
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
            check_stop()
            flow = dual[axis] * scale
            change -= flow
            _after(change, axis)[...] += _before(flow, axis)
        out = unit + change
        cost = float(np.square(change, dtype=np.float64).sum())
        del change
        norm = np.zeros_like(unit)
        slopes = []
        for axis, scale in enumerate(scales):
            check_stop()
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
            check_stop()
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

    That is what ``skimage.restoration.estimate_sigma`` gives, of only those coefficients that it
    looks at.

    Parameters
    ----------
    image : (...) array_like

    Returns
    -------
    float
        0 for a constant image, and for one voxel.

    References
    ----------
    Donoho DL, Johnstone IM (1994). Ideal spatial adaptation by wavelet shrinkage. Biometrika 81(3),
    425-455.
    """
    array, exponent = moderate(np.squeeze(float_image(image)))
    if array.ndim == 0:
        return 0.0
    sizes = _detail_sizes(array)
    if not sizes.size:
        return 0.0
    middle = call_aside(partial(np.median, sizes))
    return float(np.ldexp(middle / _MEDIAN_OF_NORMAL, exponent))


def _detail_sizes(
    array: NDArray[np.floating], kept: tuple[slice, ...] | None = None
) -> NDArray[np.floating]:
    """Magnitudes of the finest wavelets' coefficients, or of some of them, without zeros."""
    import pywt

    details = array
    for axis in range(array.ndim):
        _, details = call_aside(partial(pywt.dwt, details, "db2", axis=axis))
    if kept is not None:
        details = details[kept]
    sizes: NDArray[np.floating] = np.abs(details[details != 0])
    return sizes


NOISE_REACH = 4
"""Voxels around a block from which the coefficients in it follow."""


def noise_over(over: Callable[[Callable[..., Any]], Iterable[Any]], dtype: DTypeLike) -> float:
    """Find the noise of an image of which somebody else has the blocks.

    Parameters
    ----------
    over : callable
        ``over(function)`` gives what a picklable ``function(voxels, region, seen)`` gives for each
        block with `NOISE_REACH` voxels around it; regions are tuples of slices in the image.
    dtype : dtype
        Of the blocks.

    Returns
    -------
    float
        As `noise_level`.
    """
    wide = np.dtype(dtype).kind == "f" and np.dtype(dtype).itemsize >= 8
    kind = np.float64 if wide else np.float32
    sizes = list(over(_count_of_details))
    if not sum(sizes):
        return 0.0
    (middle,) = percentiles_over(
        lambda function: over(partial(_of_details, function)), kind, (50.0,)
    )
    return float(middle / _MEDIAN_OF_NORMAL)


def _of_details(
    function: Callable[[NDArray[np.floating]], Any],
    voxels: NDArray[Any],
    region: tuple[slice, ...],
    seen: tuple[slice, ...],
) -> Any:
    """What a function gives for the coefficients that belong to a block."""
    array = float_image(voxels)
    cut: list[slice] = []
    kept: list[slice] = []
    for part, around, n in zip(region, seen, array.shape, strict=True):
        # The k-th one follows from the voxels 2k - 2 to 2k + 1: blocks begin at an even voxel.
        start = 0 if part.start == around.start else (part.start + 1) // 2 * 2 - 2
        first = 0 if part.start == around.start else (part.start + 1) // 2
        is_last = part.stop == around.stop
        stop = around.stop if is_last else min(around.stop, (part.stop + 1) // 2 * 2 + 2)
        cut.append(slice(start - around.start, stop - around.start))
        last = None if is_last else (part.stop + 1) // 2 - start // 2
        kept.append(slice(first - start // 2, last))
        assert stop - around.start <= n
    long = tuple(i for i, around in enumerate(seen) if around.stop - around.start > 1)
    array = array[tuple(cut)]
    flat = tuple(slice(None) if i in long else 0 for i in range(array.ndim))
    return function(_detail_sizes(array[flat], tuple(kept[i] for i in long)))


def _count_of_details(
    voxels: NDArray[Any], region: tuple[slice, ...], seen: tuple[slice, ...]
) -> int:
    return int(_of_details(np.size, voxels, region, seen))


def non_local_means(
    image: Any, patch_size: int = 5, patch_distance: int = 6, strength: float = 0.0
) -> NDArray[np.floating]:
    """Average each voxel with those nearby whose surroundings look the same.

    Parameters
    ----------
    image : ([Z, ]Y, X) array_like
    patch_size : int
        Voxels along each side of the surroundings that are compared; an odd number. As in
        scikit-image, the first of them along each axis does not count where there are several.
    patch_distance : int
        How many voxels away like places are searched.
    strength : float
        How different, in the image's intensities, surroundings may look (h). 0 takes 0.8 times the
        noise of the image.

    Returns
    -------
    ([Z, ]Y, X) ndarray
        float64 for float64 images, float32 for all others. The image goes on beyond its border as
        in a mirror that stands on the last voxel, as in scikit-image.

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
    array = float_image(image)
    if array.ndim not in (2, 3):
        raise InputError(f"image has {array.ndim} axes; it must have 2 or 3.")
    patch, distance = (
        check_count(patch_size, "patch_size"),
        check_count(patch_distance, "patch_distance"),
    )
    if patch % 2 == 0:
        raise InputError(f"patch_size is {patch}; it must be an odd number.")
    asked = check_number(strength, "strength")
    array, exponent = moderate(array)
    h = float(np.ldexp(asked, -exponent)) if asked else NOISE_TO_STRENGTH * noise_level(array)
    if h == 0 or distance == 0:
        return restored(array.copy(), exponent)
    check_stop()
    least = float(array.min())
    contrast = float(array.max()) - least
    if contrast == 0:
        return restored(array.copy(), exponent)
    # A side of one voxel is no side to search along.
    lead = (1,) * (3 - array.ndim)
    shape = lead + array.shape
    flat = np.array([n == 1 for n in shape])
    half = np.where(flat, 0, patch // 2)
    # As in scikit-image, which leaves out the first voxel of each side of a patch.
    before = np.maximum(half - 1, 0)
    reach = np.where(flat, 0, distance + patch // 2)
    unit = (array.reshape(shape).astype(np.float64) - least) / contrast
    padded = np.pad(unit, [(int(r), int(r)) for r in reach], mode="reflect")
    del unit
    sums, weights = np.zeros(shape), np.zeros(shape)
    side = np.array((1, 32, 64) if shape[0] == 1 else (8, 8, 64), np.int64)
    tiles = int(np.prod(-(-np.array(shape) // side)))
    ways = itertools.product(*(range(-int(r), int(r) + 1) for r in reach - half))
    # Beyond these strengths nothing changes, but squares are 0 or infinite.
    unlike = min(max(h / contrast, 1e-100), 1e100)
    scale = 1 / (unlike**2 * float(np.prod(2 * half + 1)))
    at_once = max(1, _STEPS_PER_TASK // int(np.prod(side)))
    while shifts := list(itertools.islice(ways, at_once)):
        run_ranges(
            patch_kernels.add_alike,
            split(tiles, tiles),
            padded, reach, before, half, np.array(shifts), scale, side, sums, weights,
        )  # fmt: skip
    # Each voxel is like itself: no weight is 0.
    sums /= weights
    sums *= contrast
    sums += least
    return restored(sums.reshape(array.shape).astype(array.dtype, copy=False), exponent)


@proportional
def wavelet(image: Any, strength: float = 1.0, shifts: int = 1) -> NDArray[np.floating]:
    """Shrink what wavelets say is noise.

    Parameters
    ----------
    image : ([Z, ]Y, X) array_like
    strength : float
        How much noise there is, against what the image itself says.
    shifts : int
        The mean is taken over results of the image moved by 0 to so many voxels along each axis,
        since wavelets leave traces of the grid that they lie on.

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
        check_stop()
        moved = np.roll(stack[place], move, range(len(axes)))
        found = call_aside(partial(_shrunk, moved, noise))
        total[place] += np.roll(found, [-m for m in move], range(len(axes)))
    total /= len(moves)
    result = np.moveaxis(total, range(len(others)), others)
    return result * array.dtype.type(contrast) + array.dtype.type(least)


def _shrunk(image: NDArray[np.floating], noise: float) -> NDArray[np.floating]:
    from skimage.restoration import denoise_wavelet

    with np.errstate(divide="ignore", invalid="ignore"):
        found: NDArray[np.floating] = denoise_wavelet(image, sigma=noise, rescale_sigma=False)
    return found
