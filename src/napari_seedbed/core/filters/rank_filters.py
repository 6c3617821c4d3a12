"""Percentiles and means of windows of any size."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d

from napari_seedbed.core.filters import rank_kernels
from napari_seedbed.core.filters.local_filters import (
    check_window,
    float_image,
    ordered_image,
    proportional,
    reflected_indices,
)
from napari_seedbed.core.filters.windows import Window, window_halo, window_rows
from napari_seedbed.core.slabs import Slab, in_slabs
from napari_seedbed.core.threads import run_ranges, split
from napari_seedbed.core.validation import check_number, check_spacing
from napari_seedbed.errors import InputError

_MOST_BINS = 1 << 20
"""A histogram of so many values still fits the processor's cache in part."""

_FEW = 100
"""Up to so many values in a window, of types with many values, partly sorting them is quicker.

Measured on 4 million float32 voxels, in seconds of one core: 1.8 for 33 values, 9.4 for 197, where
counting takes 4.6.
"""

_FEW_VALUES = 1024
"""Of so many values that of the next voxel is found soonest step by step."""

_VOXELS_PER_PART = 1 << 19
_VOXELS_PER_TASK = 1 << 14
_ROWS_PER_TASK = 1 << 23


def percentile(
    image: Any,
    percent: float,
    radius: float,
    spacing: float | Sequence[float] | None = None,
    *,
    window: Window = "ball",
) -> NDArray[Any]:
    """Give each voxel a percentile of the values in a window around it.

    Parameters
    ----------
    image : ([Z, ]Y, X) array_like
    percent : float
        From 0, the smallest value, to 100, the largest.
    radius : float
        Half of the window's width in the unit of `spacing`.
    spacing : sequence of float, optional
        Voxel size; 1 when None.
    window : {'ball', 'box'}

    Returns
    -------
    ([Z, ]Y, X) ndarray
        Of the image's type: always one of the values in the window, of which ``n * percent / 100``
        are smaller, rounded down. The image goes on beyond its border as in a mirror, as in
        ``scipy.ndimage.percentile_filter``.

    Raises
    ------
    InputError
        If the radius is negative or larger than the image, or the image is no image.

    Notes
    -----
    The time for a voxel grows with the number of the window's rows, not of its voxels.
    """
    percent = check_number(percent, "percent")
    if percent > 100:
        raise InputError(f"percent is {percent:g}; it must be from 0 to 100.")
    array = ordered_image(image)
    dtype = np.asarray(image).dtype.newbyteorder("=")
    size = check_spacing(spacing, array.ndim)
    rows = window_rows(check_window(radius, size, array.shape), size, window)
    members = int((2 * rows[:, 2] + 1).sum())
    rank = min(int(members * percent / 100), members - 1)
    volume = array.reshape((1,) * (3 - array.ndim) + array.shape)
    out = np.empty(volume.shape, array.dtype)
    reach = np.abs(rows).max(axis=0)
    few = members <= _FEW and array.dtype.itemsize > 2
    for part in _parts(volume.shape, reach):
        _rank_part(volume, part, rows, reach, rank, out, few)
    found = out.reshape(array.shape)
    return found.view(bool) if dtype.kind == "b" else found.astype(dtype, copy=False)


def median(
    image: Any,
    radius: float,
    spacing: float | Sequence[float] | None = None,
    *,
    window: Window = "ball",
) -> NDArray[Any]:
    """Give each voxel the median of a window around it: `percentile` at 50.

    Parameters
    ----------
    image, radius, spacing, window
        As in `percentile`.
    """
    return percentile(image, 50.0, radius, spacing, window=window)


def _parts(shape: tuple[int, ...], reach: NDArray[np.int64]) -> list[tuple[int, int, int]]:
    """Cut a volume across its longer of the first two axes: axis, start, stop.

    Parts much thinner than what they need around them would sort most values many times.
    """
    axis = 0 if shape[0] >= shape[1] else 1
    most = max(1, shape[axis] // max(1, 2 * int(reach[axis])))
    parts = min(1 + math.prod(shape) // _VOXELS_PER_PART, most)
    return [(axis, start, stop) for start, stop in split(shape[axis], parts)]


def _indices(
    shape: tuple[int, ...], reach: NDArray[np.int64], axis: int, start: int, stop: int
) -> list[NDArray[np.intp]]:
    """Say for each axis which voxels the windows of a part take from, in the order of places."""
    indices = [reflected_indices(n, int(r)) for n, r in zip(shape, reach, strict=True)]
    indices[axis] = indices[axis][start : stop + 2 * int(reach[axis])].copy()
    return indices


def _rank_part(
    volume: NDArray[Any],
    part: tuple[int, int, int],
    rows: NDArray[np.int64],
    reach: NDArray[np.int64],
    rank: int,
    out: NDArray[Any],
    few: bool,
) -> None:
    axis, start, stop = part
    inside = (slice(None),) * axis + (slice(start, stop),)
    indices = _indices(volume.shape, reach, axis, start, stop)
    low, high = int(indices[axis].min()), int(indices[axis].max())
    indices[axis] -= low
    source = volume[(slice(None),) * axis + (slice(low, high + 1),)]
    # One voxel more in front: the first place of a line loses what lies before its window.
    indices[2] = np.append(indices[2][:1], indices[2])
    plane, line = len(indices[1]) * len(indices[2]), len(indices[2])
    strides = np.array([plane, line])
    begin = int(reach[0]) * plane + int(reach[1]) * line + int(reach[2]) + 1
    if few:
        sorted_out = np.empty(volume[inside].shape, volume.dtype)
        flat = source[np.ix_(*indices)].ravel()
        members = int((2 * rows[:, 2] + 1).sum())

        def select(first: int, last: int) -> None:
            room = np.empty(members, flat.dtype)
            rank_kernels.selected(first, last, flat, begin, strides, rows, rank, room, sorted_out)

        _run_lines(select, sorted_out.shape)
        out[inside] = sorted_out
        return
    ranks, values = _ranks(source)
    ranks = ranks[np.ix_(*indices)].ravel()
    found = np.empty(volume[inside].shape, np.int32)
    bins = len(values)
    shift = (bins - 1).bit_length() // 2

    def run(first: int, last: int) -> None:
        if bins <= _FEW_VALUES:
            counts = np.zeros(bins, np.int32)
            rank_kernels.ranked_of_few(
                first, last, ranks, begin, strides, rows, rank, counts, found
            )
            return
        fine = np.zeros(((bins - 1 >> shift) + 1) << shift, np.int32)
        coarse = np.zeros(len(fine) >> shift, np.int32)
        rank_kernels.ranked(
            first, last, ranks, begin, strides, rows, rank, shift, fine, coarse, found
        )

    _run_lines(run, found.shape)
    out[inside] = values[found]


def _ranks(source: NDArray[Any]) -> tuple[NDArray[np.int32], NDArray[Any]]:
    """Return whole numbers in the order of the values, and the value of each."""
    if source.dtype.kind in "iu":
        low, high = int(source.min()), int(source.max())
        if high - low < _MOST_BINS:
            values = np.arange(low, high + 1).astype(source.dtype)
            if source.dtype.itemsize <= 2:
                return source.astype(np.int32) - np.int32(low), values
            # Unsigned differences of 64 bits need no sign.
            return (source - source.dtype.type(low)).astype(np.int32), values
    values, places = np.unique(source, return_inverse=True)
    return places.reshape(source.shape).astype(np.int32), values


def _run_lines(run: Any, shape: tuple[int, ...]) -> None:
    lines = shape[0] * shape[1]
    run_ranges(run, split(lines, 1 + math.prod(shape) // _VOXELS_PER_TASK))


@proportional
def mean(
    image: Any,
    radius: float,
    spacing: float | Sequence[float] | None = None,
    *,
    window: Window = "ball",
) -> NDArray[np.floating]:
    """Give each voxel the mean of the values in a window around it.

    Parameters
    ----------
    image : ([Z, ]Y, X) array_like
    radius : float
        Half of the window's width in the unit of `spacing`.
    spacing : sequence of float, optional
        Voxel size; 1 when None.
    window : {'ball', 'box'}
        Boxes take the same time whatever their size.

    Returns
    -------
    ([Z, ]Y, X) ndarray
        float64 for float64 images, float32 for all others. The image goes on beyond its border as
        in a mirror, as in ``scipy.ndimage.uniform_filter``.

    Raises
    ------
    InputError
        If the radius is negative or larger than the image, or the image is no image.
    """
    array = float_image(image)
    size = check_spacing(spacing, array.ndim)
    length = check_window(radius, size, array.shape)
    if window == "box":
        found = array.astype(np.float64)
        for axis, width in enumerate(window_halo(length, size)):
            if width:
                _mean_along(found, axis, width)
        return found.astype(array.dtype, copy=False)
    rows = window_rows(length, size, window)
    volume = array.reshape((1,) * (3 - array.ndim) + array.shape)
    out: NDArray[np.floating] = np.empty(volume.shape, array.dtype)
    reach = np.abs(rows).max(axis=0)
    for axis, start, stop in _parts(volume.shape, reach):
        indices = _indices(volume.shape, reach, axis, start, stop)
        sums = np.empty((len(indices[0]), len(indices[1]), len(indices[2]) + 1))
        lines = split(sums.shape[0] * sums.shape[1], 1 + sums.size // _VOXELS_PER_TASK)
        run_ranges(rank_kernels.running_sums, lines, volume, *indices, sums)
        inside = (slice(None),) * axis + (slice(start, stop),)
        # Of its own, so that the loop is compiled for one layout only.
        part = np.empty(out[inside].shape, out.dtype)
        members = int((2 * rows[:, 2] + 1).sum())
        tasks = 1 + part.size * len(rows) // _ROWS_PER_TASK
        lines = split(part.shape[0] * part.shape[1], tasks)
        run_ranges(rank_kernels.averaged, lines, sums, rows, reach, members, part)
        out[inside] = part
    return out.reshape(array.shape)


def _mean_along(array: NDArray[np.float64], axis: int, width: int) -> None:
    def work(slab: Slab) -> None:
        part = array[slab]
        uniform_filter1d(part, 2 * width + 1, axis, output=part, mode="reflect")

    if array.ndim == 1:
        work((slice(None),))
    else:
        in_slabs(work, array.shape, whole=axis)
