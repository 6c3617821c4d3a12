"""Lines that were drawn on labels, as points and as voxels."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.marks.seeds import seeds_from_shapes
from napari_seedbed.errors import InputError

Floats = NDArray[np.float64]


def stroke_points(points: Any, ndim: int, name: str, least: int) -> Floats:
    """Return points of a line as (N, `ndim`), `least` or more, or raise `InputError`."""
    try:
        array = np.array(points, np.float64)
    except (TypeError, ValueError):
        array = np.empty(0)
    if array.ndim != 2 or array.shape[1] != ndim or len(array) < least:
        raise InputError(
            f"{name}: it must hold {least} or more points, each with {ndim} coordinates."
        )
    if not np.isfinite(array).all():
        raise InputError(f"{name}: its points must be finite.")
    # Points that repeat the one before have no direction.
    moved = np.append(True, (np.diff(array, axis=0) != 0).any(axis=1))
    array = array[moved]
    if len(array) < least:
        raise InputError(f"{name}: all its points are the same; draw a line.")
    return array


def drawn(lines: Sequence[Floats], shape: Sequence[int]) -> NDArray[np.bool_]:
    """Return the voxels (…) that lines through points run through."""
    out = np.zeros(tuple(shape), bool)
    for line in lines:
        try:
            out |= seeds_from_shapes([("path", line)], [1], shape) > 0
        except InputError:
            # No part of this line lies in the box.
            continue
    return out
