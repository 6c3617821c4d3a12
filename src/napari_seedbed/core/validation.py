"""Checks of arguments that every algorithm shares; each failure is one plain `InputError`."""

import math
from collections.abc import Sequence
from operator import index as as_index
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.errors import InputError

_SHORTEST, _LONGEST = 1e-50, 1e50
"""Voxel sizes whose squares, and volumes of many voxels, fit a float64."""


def check_image(
    data: Any, name: str = "image", *, ndim: Sequence[int] | None = None, allow_bool: bool = True
) -> NDArray[Any]:
    """Return `data` as an array of finite real numbers.

    Parameters
    ----------
    data : array_like
        Image of any integer, float or boolean type, in any byte order.
    name : str
        What the message calls the argument.
    ndim : sequence of int, optional
        Numbers of axes that are allowed, channels included; any when None.
    allow_bool : bool
        Whether a mask makes sense as the image.

    Returns
    -------
    ndarray
        `data` itself if it is an array, in native byte order.

    Raises
    ------
    InputError
        For complex, text or object arrays, empty arrays, NaN or infinity, a wrong number of axes.
    """
    array = np.asanyarray(data)
    if isinstance(array, np.ma.MaskedArray):
        raise InputError(f"{name} is a masked array; fill the masked values first.")
    array = np.asarray(array)
    if array.dtype.kind == "c":
        raise InputError(
            f"{name} holds complex numbers ({array.dtype}); take its magnitude or its real part."
        )
    if array.dtype.kind not in "iufb":
        raise InputError(
            f"{name} has the type {array.dtype}; it must hold integers or floating-point numbers."
        )
    if array.dtype.kind == "b" and not allow_bool:
        raise InputError(f"{name} is a true/false mask; an image with grey values is needed.")
    if array.size == 0:
        raise InputError(f"{name} is empty: its shape is {array.shape}.")
    if ndim is not None and array.ndim not in ndim:
        wanted = " or ".join(str(n) for n in ndim)
        raise InputError(
            f"{name} has {array.ndim} axes (shape {array.shape}); it must have {wanted}."
        )
    if not array.dtype.isnative:
        array = array.astype(array.dtype.newbyteorder("="))
    if array.dtype.kind == "f":
        _check_finite(array, name)
    return array


def _check_finite(array: NDArray[np.floating], name: str) -> None:
    # The minimum carries NaN along, so two passes without any temporary array find everything.
    if math.isfinite(array.min()) and math.isfinite(array.max()):
        return
    finite = np.isfinite(array)
    bad = array.size - int(np.count_nonzero(finite))
    first = np.unravel_index(int(np.argmin(finite)), array.shape)
    position = ", ".join(str(int(i)) for i in first)
    verb = "value that is" if bad == 1 else "values that are"
    raise InputError(
        f"{name} has {bad} {verb} NaN or infinite, the first at index ({position}); "
        "replace them with finite numbers."
    )


def check_labels(
    labels: Any,
    shape: Sequence[int] | None = None,
    name: str = "labels",
    *,
    any_type: bool = False,
) -> NDArray[np.integer]:
    """Return `labels` as an integer array, of the wanted shape if one is given.

    Booleans become 0 and 1. With `any_type`, whole numbers that are held as floating-point ones
    become int32, or int64 if need be. Raises `InputError` for another type or shape, and for
    numbers that int64 cannot hold.
    """
    array = np.asarray(labels)
    if array.dtype.kind == "b":
        array = array.astype(np.uint8)
    if any_type and array.dtype.kind == "f":
        array = _whole_numbers(array, name)
    if array.dtype.kind not in "iu":
        raise InputError(f"{name} has the type {array.dtype}; it must hold whole numbers.")
    if shape is not None and array.shape != tuple(shape):
        raise InputError(
            f"{name} has the shape {array.shape}; it must have the image's shape {tuple(shape)}."
        )
    if not array.dtype.isnative:
        array = array.astype(array.dtype.newbyteorder("="))
    _check_fits(array, name, np.int64)
    return array


def check_small_labels(
    labels: Any, shape: Sequence[int] | None = None, name: str = "labels"
) -> NDArray[np.int32]:
    """Return `labels` as `check_labels` does, as int32; refuse numbers that it cannot hold."""
    array = check_labels(labels, shape, name)
    _check_fits(array, name, np.int32)
    return array.astype(np.int32, copy=False)


def _check_fits(array: NDArray[np.integer], name: str, widest: type[np.integer]) -> None:
    if np.can_cast(array.dtype, widest) or array.size == 0:
        return
    low, high, limits = int(array.min()), int(array.max()), np.iinfo(widest)
    if low < limits.min or high > limits.max:
        raise InputError(
            f"{name} hold {high if high > limits.max else low}; they must lie between "
            f"{limits.min} and {limits.max}. Number them anew."
        )


def _whole_numbers(array: NDArray[np.floating], name: str) -> NDArray[np.integer]:
    # NaN, infinity and what is out of range become some number, which then differs.
    with np.errstate(invalid="ignore"):
        whole = array.astype(np.int64)
    different = whole != array
    if different.any():
        first = array.flat[int(np.argmax(different))]
        raise InputError(f"{name} has the value {first}; it must hold whole numbers.")
    info = np.iinfo(np.int32)
    if whole.size and (whole.min() < info.min or whole.max() > info.max):
        return whole
    return whole.astype(np.int32)


def check_spacing(
    spacing: float | Sequence[float] | NDArray[np.floating] | None,
    ndim: int,
) -> tuple[float, ...]:
    """Return the voxel size as `ndim` positive numbers; one number serves all axes, None is 1."""
    if spacing is None:
        return (1.0,) * ndim
    try:
        values = np.atleast_1d(np.asarray(spacing, dtype=float))
    except (TypeError, ValueError):
        raise InputError(f"spacing must be numbers, one an axis; got {spacing!r}.") from None
    if values.shape == (1,):
        values = np.repeat(values, ndim)
    if values.shape != (ndim,):
        raise InputError(
            f"spacing has {values.size} values; the image has {ndim} spatial axes and needs as "
            "many."
        )
    if not (np.isfinite(values).all() and (values > 0).all()):
        raise InputError(f"spacing must be positive and finite; got {tuple(values.tolist())}.")
    if values.min() < _SHORTEST or values.max() > _LONGEST:
        raise InputError(
            f"spacing must be from {_SHORTEST:g} to {_LONGEST:g}; got {tuple(values.tolist())}. "
            "Take another unit of length."
        )
    return tuple(values.tolist())


def check_channel_axis(channel_axis: int | None, ndim: int) -> int | None:
    """Return the channel axis counted from the front, or None; `ndim` counts all axes."""
    if channel_axis is None:
        return None
    try:
        axis = as_index(channel_axis)
    except TypeError:
        raise InputError(
            f"channel_axis must be a whole number or None; got {channel_axis!r}."
        ) from None
    if not -ndim <= axis < ndim:
        raise InputError(f"channel_axis is {axis}, but the image has only {ndim} axes.")
    return axis % ndim


def channels_first(array: NDArray[Any], channel_axis: int | None) -> NDArray[Any]:
    """Return a view (C, …) of an image, of one channel where it has no axis of them."""
    return array[np.newaxis] if channel_axis is None else np.moveaxis(array, channel_axis, 0)


def check_spatial_axes(shape: Sequence[int], channel_axis: int | None, name: str = "image") -> int:
    """Return the number of axes but that of channels, or raise `InputError` unless 2 or 3."""
    ndim = len(shape) - (channel_axis is not None)
    if ndim not in (2, 3):
        raise InputError(
            f"{name} has {ndim} spatial axes (shape {tuple(shape)}); it must have 2 or 3. Name the "
            "channel axis with channel_axis if it has one."
        )
    return ndim


def check_number(value: Any, name: str, *, allow_zero: bool = True) -> float:
    """Return a finite number that is not negative, or raise `InputError`."""
    wanted = "0 or more" if allow_zero else "more than 0"
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise InputError(f"{name} must be a number, {wanted}; got {value!r}.") from None
    if not math.isfinite(number) or number < 0 or (number == 0 and not allow_zero):
        raise InputError(f"{name} must be a number, {wanted}; got {value!r}.")
    return number


def check_count(value: Any, name: str) -> int:
    """Return a whole number that is not negative, or raise `InputError`."""
    try:
        fits = not isinstance(value, bool) and value == int(value) and value >= 0
    except (TypeError, ValueError, OverflowError):
        fits = False
    if not fits:
        raise InputError(f"{name} must be a whole number, 0 or more; got {value!r}.")
    return int(value)


def check_points(points: Any, name: str) -> NDArray[np.float64]:
    """Return an (N, 2) array of finite rows and columns, or raise `InputError`."""
    try:
        array = np.asarray(points)
        if array.dtype.kind not in "iuf":
            raise TypeError
        array = array.astype(np.float64)
    except (TypeError, ValueError):
        raise InputError(
            f"{name} must be an (N, 2) array of numbers, a row and a column for each point."
        ) from None
    if array.ndim != 2 or array.shape[1] != 2:
        raise InputError(
            f"{name} has the shape {array.shape}; it must be (N, 2), a row and a column for each "
            "point."
        )
    finite = np.isfinite(array).all(axis=1)
    if not finite.all():
        raise InputError(
            f"{name} has {np.count_nonzero(~finite)} points that are NaN or infinite, the first at "
            f"index {int(np.argmin(finite))}; give finite rows and columns."
        )
    return array
