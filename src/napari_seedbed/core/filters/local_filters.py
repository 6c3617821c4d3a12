"""What local filters have in common: types, windows, and work slab by slab."""

import math
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, Concatenate, ParamSpec

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.magnitudes import moderate, restored
from napari_seedbed.core.slabs import Slab
from napari_seedbed.core.threads import run_ranges, split
from napari_seedbed.core.validation import check_image, check_number
from napari_seedbed.errors import InputError

_VOXELS_PER_SLAB = 1 << 19

_LARGEST_EXACT = 2**53
"""Integers up to here are exact in float64, which SciPy's filters compute in."""


def float_image(image: Any) -> NDArray[np.floating]:
    """Return an image (…) as float64 if it is float64, and as float32 if it is anything else.

    Raises
    ------
    InputError
        If it is no image of finite real numbers.
    """
    array = check_image(image)
    wide = array.dtype.kind == "f" and array.dtype.itemsize >= 8
    return array.astype(np.float64 if wide else np.float32, copy=False)


Arguments = ParamSpec("Arguments")
Filter = Callable[Concatenate[Any, Arguments], NDArray[np.floating]]


def proportional(filter_: Filter[Arguments]) -> Filter[Arguments]:
    """Let a filter whose result grows with the image see images of moderate numbers only.

    What it gives for extreme ones then is what it would give in a wider type. A result that does
    not fit the image's type raises `InputError`.
    """

    @wraps(filter_)
    def scaled(
        image: Any, *args: Arguments.args, **named: Arguments.kwargs
    ) -> NDArray[np.floating]:
        array, exponent = moderate(float_image(image))
        return restored(filter_(array, *args, **named), exponent)

    return scaled


def ordered_image(image: Any) -> NDArray[np.generic]:
    """Return an image (…) in a type that filters which only compare values can work in.

    That is the type of the image, but uint8 for bool and float32 for float16.

    Raises
    ------
    InputError
        If it is no image of finite real numbers, or holds integers above 2^53.
    """
    array = check_image(image)
    if array.dtype == bool:
        return array.view(np.uint8)
    if array.dtype.kind == "f":
        if array.dtype.itemsize > 8:
            raise InputError(f"image has the type {array.dtype}; convert it to float64 first.")
        return array.astype(np.float32, copy=False) if array.dtype.itemsize < 4 else array
    if array.dtype.itemsize == 8:
        largest = max(int(array.max()), -int(array.min()))
        if largest > _LARGEST_EXACT:
            raise InputError(
                f"image holds {largest}; whole numbers above 2^53 cannot be filtered exactly. "
                "Subtract what all voxels have in common first."
            )
    return array


def half_width(radius: float, step: float) -> int:
    """Return how many voxels of length `step` fit into `radius`, not minding rounding errors."""
    return math.floor(radius / step * (1 + 1e-9) + 1e-9)


def check_window(
    radius: Any, spacing: Sequence[float], shape: Sequence[int], name: str = "radius"
) -> float:
    """Return a radius, or raise `InputError` if it is negative or longer than the whole image."""
    length = check_number(radius, name)
    longest = max(n * step for n, step in zip(shape, spacing, strict=True))
    if length > longest:
        raise InputError(
            f"{name} is {length:g} and the image's longest side {longest:g}; the window must not "
            "be larger than the image."
        )
    return length


def reflected_indices(n: int, reach: int) -> NDArray[np.intp]:
    """Return for places from -reach to n - 1 + reach which of n voxels is there.

    The image goes on beyond its border as in a mirror: ``d c b a | a b c d | d c b a``.
    """
    period = np.arange(-reach, n + reach) % (2 * n)
    return np.where(period < n, period, 2 * n - 1 - period).astype(np.intp)


def filter_in_slabs(
    filter_: Callable[[NDArray[Any]], NDArray[Any]],
    array: NDArray[Any],
    reach: Sequence[int],
    out: NDArray[Any],
    *,
    wrap: bool = False,
    voxels: int = _VOXELS_PER_SLAB,
) -> None:
    """Filter an array slab by slab on all cores; each voxel comes out as if done at once.

    Parameters
    ----------
    filter_ : callable
        Gives for a part of the array its filtered voxels, of the same shape.
    array : (…) ndarray
    reach : sequence of int
        From how many voxels away along each axis the filter takes what it gives for a voxel.
    out : (…) ndarray
        Where the result is written; not `array`.
    wrap : bool
        Whether the filter takes from the other end beyond the border.
    voxels : int
        About how many voxels a slab has, without the parts of its neighbours that it needs.
    """
    axis = int(np.argmax(array.shape))
    n, halo = array.shape[axis], int(reach[axis])
    # Slabs thinner than what they need of their neighbours would do most of the work twice.
    parts = min(1 + array.size // voxels, max(1, n // max(1, halo)))

    def work(start: int, stop: int) -> None:
        low, high = max(0, start - halo), min(n, stop + halo)
        if parts == 1:
            part = array
            low = 0
        elif wrap:
            part = np.take(array, np.arange(start - halo, stop + halo), axis, mode="wrap")
            low = start - halo
        else:
            part = array[_slab(axis, low, high)]
        inner = _slab(axis, start - low, stop - low)
        out[_slab(axis, start, stop)] = filter_(part)[inner]

    run_ranges(work, split(n, parts))


def _slab(axis: int, start: int, stop: int) -> Slab:
    return (slice(None),) * axis + (slice(start, stop),)
