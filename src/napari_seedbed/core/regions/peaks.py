"""Peaks that rise far enough above what is around them, as seeds."""

from functools import partial
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.library_calls import call_aside
from napari_seedbed.core.progress import check_stop
from napari_seedbed.core.regions import growth_kernels
from napari_seedbed.core.regions.bordered_grids import BorderedGrid
from napari_seedbed.core.regions.channel_stacks import channel_stack
from napari_seedbed.core.validation import check_number, check_small_labels
from napari_seedbed.errors import InputError

Labels = NDArray[np.int32]

_STEPS_PER_CALL = 1 << 16


def h_maxima(
    image: Any, height: float, kind: Literal["bright", "dark"] = "bright", *, mask: Any = None
) -> Labels:
    """Label peaks that rise at least so far above the way to a higher one.

    Parameters
    ----------
    image : ([Z, ]Y, X) array_like
    height : float
        In the image's intensities. The highest peak must rise so far above the lowest voxel. Of
        equal peaks with no such dip between them one is found.
    kind : {'bright', 'dark'}
        Peaks, or pits (h-minima).
    mask : ([Z, ]Y, X) array_like of bool, optional
        Where to look.

    Returns
    -------
    ([Z, ]Y, X) ndarray of int32
        The voxels of each peak's top, from 1 on, the first one being that which comes first in the
        image. Voxels that share a corner are neighbours.

    Raises
    ------
    InputError
        If `height` is negative, or the image is neither 2D nor 3D.

    References
    ----------
    Soille P (2003). Morphological Image Analysis. Springer, chapter 6.
    Grimaud M (1992). A new measure of contrast: the dynamics. Image Algebra and Morphological Image
    Processing III, Proceedings of SPIE 1769, 292-305.
    """
    if kind not in ("bright", "dark"):
        raise InputError(f"kind is {kind!r}; it must be 'bright' or 'dark'.")
    values = channel_stack(image, None, None)[0][0]
    where = np.ones(values.shape, np.int32)
    if mask is not None:
        where = check_small_labels(mask, values.shape, "mask")
    rise = check_number(height, "height")
    return labelled_peaks(values if kind == "bright" else -values, rise, where)


def labelled_peaks(
    values: NDArray[np.floating],
    height: float,
    territory: NDArray[np.integer],
    *,
    corners: bool = True,
    highest: bool = False,
) -> Labels:
    """Label the tops of peaks, as `h_maxima`, each part of `territory` above 0 on its own.

    With `corners`, voxels that share a corner are neighbours. With `highest`, the highest peak of
    each connected part counts however far it rises.
    """
    grid = BorderedGrid(values.shape)
    heights = call_aside(partial(grid.flat, values, np.float64))
    where = call_aside(partial(grid.flat, territory, np.int32))
    inside = np.flatnonzero(where > 0)

    def sort() -> NDArray[np.int64]:
        return inside[np.argsort(-heights[inside], kind="stable")].astype(np.int64)

    order = call_aside(sort)
    parents, depths = np.full(where.size, -1, np.int64), np.full(where.size, -1.0)
    steps = grid.steps(corners)
    for first in range(0, order.size, _STEPS_PER_CALL):
        check_stop()
        last = min(order.size, first + _STEPS_PER_CALL)
        growth_kernels.join_falling(heights, where, order, steps, first, last, parents, depths)
    if highest:
        roots = order[parents[order] == order]
        depths[roots] = np.inf
    else:
        measure = partial(growth_kernels.measure_last, heights, order, parents, depths)
        call_aside(measure)
    peaks = np.flatnonzero((depths >= height) & (depths > 0)).astype(np.int64)
    labels = np.zeros(where.size, np.int32)
    labels[peaks] = np.arange(1, peaks.size + 1)
    _grow_tops(grid, heights, where, labels, peaks, steps)
    return grid.image(labels)


def _grow_tops(
    grid: BorderedGrid,
    heights: NDArray[np.float64],
    where: NDArray[np.int32],
    labels: Labels,
    peaks: NDArray[np.int64],
    steps: NDArray[np.int64],
) -> None:
    """Give the label of each peak to the voxels of its top that are as high."""
    queue = np.zeros(where.size, np.int64)
    queue[: peaks.size] = peaks
    tops = heights[peaks][:, np.newaxis]
    state = np.array([0, peaks.size], np.int64)
    growth_kernels.spread(
        heights[np.newaxis], where, labels, steps, tops, tops, where.size, state, queue
    )


def label_points(labels: NDArray[np.integer]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return for each label the voxel nearest to the middle of its voxels, and the labels.

    Parameters
    ----------
    labels : ([Z, ]Y, X) ndarray of int

    Returns
    -------
    points : (N, D) ndarray of float
        Voxel coordinates.
    values : (N,) ndarray of int
        Their labels, rising.
    """
    places = np.argwhere(labels > 0)
    values, number = np.unique(labels[tuple(places.T)], return_inverse=True)
    counts = np.bincount(number, minlength=len(values))
    middle = np.stack(
        [np.bincount(number, weights=axis, minlength=len(values)) for axis in places.T], axis=1
    ) / counts[:, np.newaxis]  # fmt: skip
    away = ((places - middle[number]) ** 2).sum(axis=1)
    order = np.lexsort((away, number))
    first = order[np.searchsorted(number[order], np.arange(len(values)))]
    return places[first].astype(np.float64), values.astype(np.int64)


def values_at(image: NDArray[Any], points: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return what an image holds at points.

    Parameters
    ----------
    image : ([Z, ]Y, X) ndarray
    points : (N, D) ndarray
        Voxel coordinates, whole numbers.

    Returns
    -------
    (N,) ndarray of float64
    """
    return image[tuple(points.astype(int).T)].astype(np.float64)
