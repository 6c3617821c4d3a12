"""Parts of images: ranges that are typed, and boxes around shapes."""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.marks.shapes import Shape, filled, plane_of
from napari_seedbed.errors import InputError

Box = tuple[slice, ...]

_RANGE = re.compile(r"\s*([+-]?\d+)?\s*:\s*([+-]?\d+)?\s*")


def parse_range(text: str) -> tuple[int | None, int | None]:
    """Return the two ends of a range typed as in Python, such as ``20:80``; empty is everything.

    Raises
    ------
    InputError
        If it is no range.
    """
    if not text.strip():
        return None, None
    found = _RANGE.fullmatch(text)
    if found is None:
        raise InputError(
            f"{text!r} is no range; type two whole numbers such as 20:80 for 20 to 79, counted "
            "from 0, or leave one or both out."
        )
    start, stop = (None if end is None else int(end) for end in found.groups())
    return start, stop


def range_within(text: str, length: int, name: str) -> slice:
    """Return the part of an axis of `length` that a typed range stands for.

    Parameters
    ----------
    text : str
        See `parse_range`. Negative numbers count from the end; what lies beyond is cut off.
    length : int
    name : str
        What the message calls the axis.

    Raises
    ------
    InputError
        If nothing lies within.
    """
    start, stop, _ = slice(*parse_range(text)).indices(length)
    if stop <= start:
        raise InputError(
            f"{name}: nothing of it lies within {text.strip()}; it goes from 0 to {length - 1}."
        )
    return slice(start, stop)


def box_of_shapes(shapes: Sequence[Shape], shape: Sequence[int]) -> Box:
    """Return the smallest box that holds shapes, one slice an axis.

    Shapes that all lie on one slice of a volume leave it its whole length across that slice.

    Parameters
    ----------
    shapes : sequence of Shape
    shape : sequence of int
        Shape of the image. What reaches out of it is cut off.

    Raises
    ------
    InputError
        If there are no shapes, or all lie outside.
    """
    if not shapes:
        raise InputError("shapes: there are none; draw one around what to keep.")
    points = np.concatenate([np.asarray(one.points, float) for one in shapes])
    # the voxels whose centres lie within, or the nearest one
    low, high = np.round(points.min(axis=0), 6), np.round(points.max(axis=0), 6)
    start, stop = np.ceil(low), np.floor(high) + 1
    nothing = stop <= start
    start[nothing] = np.floor(low[nothing] + 0.5)
    stop[nothing] = start[nothing] + 1
    if len(shape) == 3:
        flat = np.floor(low + 0.5) == np.floor(high + 0.5)
        across = np.flatnonzero(flat)[:1]
        start[across], stop[across] = 0, np.asarray(shape)[across]
    start, stop = np.maximum(start, 0), np.minimum(stop, shape)
    if (stop <= start).any():
        raise InputError("shapes: they lie outside the image; draw one on it.")
    return tuple(slice(int(a), int(b)) for a, b in zip(start, stop, strict=True))


def inside_shapes(
    shapes: Sequence[Shape], shape: Sequence[int], region: Sequence[slice] | None = None
) -> NDArray[np.bool_]:
    """Return which voxels lie within closed shapes.

    Parameters
    ----------
    shapes : sequence of Shape
        Those drawn on slices of a volume hold for all slices along the same axis.
    shape : sequence of int
        Shape of the image.
    region : sequence of slice, optional
        The part of the image that is asked about; all of it by default.

    Returns
    -------
    ndarray of bool
        Of the shape of that part, or 1 long across the slices that shapes were drawn on.

    Raises
    ------
    InputError
        If no shape is closed, or slices along different axes were drawn on.
    """
    closed = [one for one in shapes if one.closed]
    if not closed:
        raise InputError("shapes: no shape is closed, so that nothing lies within; draw a polygon.")
    axes = {None if plane is None else plane[0] for plane in map(plane_of, closed)}
    if len(axes) > 1:
        raise InputError(
            "shapes: they were drawn on slices along different axes; draw all on slices along one."
        )
    axis = axes.pop()
    flat = [n for a, n in enumerate(shape) if a != axis]
    inside = np.zeros(flat, bool)
    for one in closed:
        inside |= filled([one], flat) > 0
    part = [slice(None)] * len(shape) if region is None else list(region)
    kept = tuple(one for a, one in enumerate(part) if a != axis)
    return inside[kept] if axis is None else np.expand_dims(inside[kept], axis)


def with_zeros_outside(image: NDArray[Any], inside: NDArray[np.bool_]) -> NDArray[Any]:
    """Return an image that is 0 where a mask is not set.

    Parameters
    ----------
    image : (…) ndarray
    inside : (…) ndarray of bool
        Repeated along axes of which it has one.
    """
    return np.where(inside, image, image.dtype.type(0))
