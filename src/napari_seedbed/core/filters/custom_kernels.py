"""Correlation and convolution of an image with any kernel."""

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import convolve, correlate

from napari_seedbed.core.filters.kernel_text import BOUNDARIES, Boundary, parse_kernel
from napari_seedbed.core.filters.local_filters import filter_in_slabs, float_image
from napari_seedbed.errors import InputError

_TAPS_PER_SLAB = 1 << 23


def custom_filter(
    image: Any,
    kernel: str | NDArray[np.floating],
    *,
    kind: Literal["correlation", "convolution"] = "correlation",
    mode: Boundary = "reflect",
    cval: float = 0.0,
    normalize: bool = False,
) -> NDArray[np.floating]:
    """Filter an image with a kernel.

    Parameters
    ----------
    image : (…) array_like
        Spatial axes only.
    kernel : str or ndarray
        As text, see `parse_kernel`, or as an array of no more axes than the image; it lies along
        the last ones. Its middle, where a side is even the number after the middle, lies on the
        voxel.
    kind : {'correlation', 'convolution'}
        A correlation lays the kernel on the image as it is written; a convolution turns it around
        along every axis first.
    mode : {'reflect', 'constant', 'nearest', 'mirror', 'wrap'}
        How the image goes on beyond its border: ``c b a | a b c``, ``k k k | a b c`` with `cval`
        for k, ``a a a | a b c``, ``c b | a b c``, or with the other end.
    cval : float
        Value beyond the border for 'constant'.
    normalize : bool
        Divide the kernel by its sum, so that even images stay as they are.

    Returns
    -------
    (…) ndarray
        float64 for float64 images, float32 for all others.

    Raises
    ------
    InputError
        If the kernel cannot be read, has more axes than the image or a sum of 0 that it should be
        divided by, or the image is no image.
    """
    array = float_image(image)
    weights = parse_kernel(kernel) if isinstance(kernel, str) else np.array(kernel, np.float64)
    if weights.ndim > array.ndim:
        raise InputError(
            f"kernel has {weights.ndim} axes and the image {array.ndim}; it must not have more."
        )
    if not weights.size or not np.isfinite(weights).all():
        raise InputError("kernel must hold finite numbers, at least one.")
    if kind not in ("correlation", "convolution"):
        raise InputError(f"kind is {kind!r}; it must be correlation or convolution.")
    if mode not in BOUNDARIES:
        raise InputError(f"mode is {mode!r}; it must be one of {', '.join(BOUNDARIES)}.")
    if not np.isfinite(cval):
        raise InputError(f"cval is {cval!r}; it must be a finite number.")
    if normalize:
        total = weights.sum()
        if abs(total) < 1e-12 * np.abs(weights).sum() or total == 0:
            raise InputError("kernel: its numbers add up to 0, so it cannot be divided by its sum.")
        weights = weights / total
    weights = weights.reshape((1,) * (array.ndim - weights.ndim) + weights.shape)
    apply = correlate if kind == "correlation" else convolve

    def filtered(part: NDArray[np.floating]) -> NDArray[np.floating]:
        found: NDArray[np.floating] = apply(part, weights, mode=mode, cval=cval)
        return found

    out = np.empty(array.shape, array.dtype)
    reach = [n // 2 for n in weights.shape]
    voxels = max(1 << 12, min(1 << 19, _TAPS_PER_SLAB // weights.size))
    wrap = mode == "wrap"
    filter_in_slabs(filtered, array, reach, out, wrap=wrap, voxels=voxels)
    return out
