"""Greyscale morphology: what is smaller than a window, taken away or kept."""

from collections.abc import Sequence
from functools import partial
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.filters.flat_morphology import maximum, minimum
from napari_seedbed.core.filters.local_filters import ordered_image
from napari_seedbed.core.filters.windows import Window
from napari_seedbed.core.library_calls import call_aside
from napari_seedbed.core.progress import check_stop
from napari_seedbed.core.validation import check_number
from napari_seedbed.errors import InputError

Morphology = Literal["opening", "closing", "white_tophat", "black_tophat", "gradient"]
Reconstruction = Literal["opening", "closing", "holes", "border", "domes", "basins"]


def morphology(
    image: Any,
    kind: Morphology,
    radius: float,
    spacing: float | Sequence[float] | None = None,
    *,
    window: Window = "ball",
) -> NDArray[Any]:
    """Open or close an image with a window, or show what that takes away.

    Parameters
    ----------
    image : ([Z, ]Y, X) array_like
    kind : {'opening', 'closing', 'white_tophat', 'black_tophat', 'gradient'}
        An opening takes away bright things that the window does not fit into, a closing dark ones;
        a white top-hat is what an opening takes away, a black one what a closing fills in; the
        gradient is the largest minus the smallest value in the window.
    radius : float
        Half of the window's width in the unit of `spacing`.
    spacing : sequence of float, optional
        Voxel size; 1 when None.
    window : {'ball', 'box'}

    Returns
    -------
    ([Z, ]Y, X) ndarray
        Of the image's type, but differences of signed integers are of the unsigned type of that
        size, which they always fit in. What lies outside the image does not count.

    Raises
    ------
    InputError
        If the radius is negative, the kind unknown or the image is no image.
    """

    def low(array: Any) -> NDArray[Any]:
        return minimum(array, radius, spacing, window=window)

    def high(array: Any) -> NDArray[Any]:
        return maximum(array, radius, spacing, window=window)

    if kind == "opening":
        return high(low(image))
    if kind == "closing":
        return low(high(image))
    array = np.asarray(image)
    if kind == "white_tophat":
        return _difference(array, high(low(image)))
    if kind == "black_tophat":
        return _difference(low(high(image)), array)
    if kind == "gradient":
        return _difference(high(image), low(image))
    raise InputError(
        f"kind is {kind!r}; it must be opening, closing, white_tophat, black_tophat or gradient."
    )


def _difference(upper: NDArray[Any], lower: NDArray[Any]) -> NDArray[Any]:
    """Return `upper - lower`, which is nowhere negative, in a type that holds it."""
    dtype = upper.dtype.newbyteorder("=")
    if dtype.kind == "b":
        return upper & ~lower
    if dtype.kind == "i":
        # Modulo 2^bits the difference of any two values is right.
        unsigned = np.dtype(f"u{dtype.itemsize}")
        return upper.astype(unsigned) - lower.astype(unsigned)
    return (upper - lower).astype(dtype, copy=False)


def reconstruction(
    image: Any,
    kind: Reconstruction,
    radius: float = 1.0,
    height: float = 1.0,
    spacing: float | Sequence[float] | None = None,
    *,
    window: Window = "ball",
) -> NDArray[Any]:
    """Take things away without touching the shape of what stays.

    Parameters
    ----------
    image : ([Z, ]Y, X) array_like
    kind : {'opening', 'closing', 'holes', 'border', 'domes', 'basins'}
        'opening' takes away bright things that the window does not fit into anywhere and 'closing'
        dark ones; 'holes' fills dark background that brighter things enclose; 'border' takes away
        bright things that touch the border of the image; 'domes' shows how far bright peaks rise,
        up to `height`, above what surrounds them, and 'basins' how deep dark ones are.
    radius : float
        Half of the window's width in the unit of `spacing`, for 'opening' and 'closing'.
    height : float
        In the image's intensities, for 'domes' and 'basins'.
    spacing : sequence of float, optional
        Voxel size; 1 when None.
    window : {'ball', 'box'}

    Returns
    -------
    ([Z, ]Y, X) ndarray
        Of the image's type; float32 (float64 for float64) for 'domes' and 'basins'. Voxels that
        touch at a corner are connected.

    Raises
    ------
    InputError
        If a number is negative, the kind unknown or the image is no image.
    """
    array = ordered_image(image)
    dtype = np.asarray(image).dtype.newbyteorder("=")
    check_number(radius, "radius")
    height = check_number(height, "height")
    if kind in ("domes", "basins"):
        values = array.astype(np.float64)
        sign = 1.0 if kind == "domes" else -1.0
        values *= sign
        check_stop()
        values -= _reconstructed(values - height, values, "dilation")
        # A peak cannot rise above itself; rounding of large values can say otherwise.
        np.clip(values, 0, height, out=values)
        return values.astype(np.float64 if dtype == np.float64 else np.float32)
    if kind == "opening":
        seed = minimum(array, radius, spacing, window=window)
        method = "dilation"
    elif kind == "closing":
        seed = maximum(array, radius, spacing, window=window)
        method = "erosion"
    elif kind in ("holes", "border"):
        filler = array.max() if kind == "holes" else array.min()
        method = "erosion" if kind == "holes" else "dilation"
        seed = np.full_like(array, filler, order="C")
        # A slice is not border all over.
        for axis in (axis for axis in range(array.ndim) if array.shape[axis] > 1):
            for end in (0, -1):
                face = (slice(None),) * axis + (end,)
                seed[face] = array[face]
    else:
        raise InputError(
            f"kind is {kind!r}; it must be opening, closing, holes, border, domes or basins."
        )
    found = _reconstructed(seed, array, method).astype(array.dtype, copy=False)
    if kind == "border":
        found = _difference(array, found)
    return found.astype(bool) if dtype.kind == "b" else found.astype(dtype, copy=False)


def _reconstructed(seed: NDArray[Any], array: NDArray[Any], method: str) -> NDArray[Any]:
    from skimage.morphology import reconstruction as reconstruct

    cube = np.ones((3,) * array.ndim, bool)
    check_stop()
    found: NDArray[Any] = call_aside(partial(reconstruct, seed, array, method, cube))
    return found
