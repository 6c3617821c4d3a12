"""Watersheds: regions that grow from seeds and meet where an image is high."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.filters.edge_filters import gradient_magnitude
from napari_seedbed.core.filters.gaussians import gaussian
from napari_seedbed.core.magnitudes import moderate
from napari_seedbed.core.progress import ShouldStop, check_stop
from napari_seedbed.core.regions import growth_kernels
from napari_seedbed.core.regions.bordered_grids import BorderedGrid
from napari_seedbed.core.regions.channel_stacks import channel_stack
from napari_seedbed.core.regions.peaks import labelled_peaks
from napari_seedbed.core.validation import (
    check_count,
    check_number,
    check_small_labels,
    check_spacing,
)
from napari_seedbed.errors import InputError

Labels = NDArray[np.int32]
Floats = NDArray[np.floating]
Landscape = Literal["gradient", "bright", "dark"]

_STEPS_PER_CALL = 1 << 15


def watershed(
    image: Any,
    markers: Any,
    mask: Any = None,
    compactness: float = 0.0,
    spacing: float | Sequence[float] | None = None,
    *,
    should_stop: ShouldStop | None = None,
) -> Labels:
    """Grow markers from low values to high ones until they meet, as scikit-image does.

    Parameters
    ----------
    image : ([Z, ]Y, X) array_like
    markers : ([Z, ]Y, X) array_like of int
        Labels to grow; 0 elsewhere. Negative ones are kept and grow nowhere.
    mask : ([Z, ]Y, X) array_like of int or bool, optional
        Where they grow; with several labels, each stays within the one that it begins in.
    compactness : float
        Added to the image for each unit of distance from the marker: makes regions round.
    spacing : sequence of float, optional
        Voxel size, for the distances; 1 when None.
    should_stop : callable, optional
        Asked many times a second; true raises `Cancelled`.

    Returns
    -------
    ([Z, ]Y, X) ndarray of int32

    Raises
    ------
    InputError
        If shapes do not fit, or a number makes no sense.

    References
    ----------
    Beucher S, Meyer F (1993). The morphological approach to segmentation: the watershed
    transformation. In: Mathematical Morphology in Image Processing, 433-481.
    Neubert P, Protzel P (2014). Compact watershed and preemptive SLIC: on improving trade-offs of
    superpixel segmentation algorithms. International Conference on Pattern Recognition, 996-1001.
    """
    channels, size = channel_stack(image, None, spacing)
    shape = channels.shape[1:]
    seeds = check_small_labels(markers, shape, "markers")
    roundness = check_number(compactness, "compactness")
    where = np.ones(shape, np.int32)
    if mask is not None:
        where = check_small_labels(mask, shape, "mask")
    where = np.where(seeds < 0, 0, where)
    found = _flooded(
        channels[0], np.where(where > 0, seeds, 0), where, roundness, size, should_stop
    )
    np.copyto(found, seeds, where=seeds < 0, casting="unsafe")
    return found


def _flooded(
    values: Floats,
    seeds: NDArray[np.integer],
    territory: NDArray[np.integer],
    compactness: float,
    spacing: Sequence[float],
    should_stop: ShouldStop | None,
) -> Labels:
    grid = BorderedGrid(values.shape)
    heights, labels = grid.flat(values, np.float64), grid.flat(seeds, np.int32)
    where = grid.flat(territory, np.int32)
    begin = np.flatnonzero(labels).astype(np.int64)
    steps = grid.steps(corners=False)
    room = begin.size + 4096
    queue = [np.empty(room, np.float64), *(np.empty(room, np.int64) for _ in range(3))]
    growth_kernels.begin_flood(heights, labels, begin, *queue)
    state = np.array([begin.size, begin.size], np.int64)
    lengths = np.array(spacing, np.float64)
    while not growth_kernels.flood(
        heights, where, labels, steps, grid.ways(corners=False), lengths, grid.strides,
        compactness, _STEPS_PER_CALL, state, *queue,
    ):  # fmt: skip
        check_stop(should_stop)
        if state[0] + steps.size > queue[0].size:
            queue = [np.concatenate([part, np.empty_like(part)]) for part in queue]
    return grid.image(labels)


def seeded_watershed(
    image: Any,
    seeds: Any,
    landscape: Landscape = "gradient",
    sigma: float = 1.0,
    compactness: float = 0.0,
    spacing: float | Sequence[float] | None = None,
    channel_axis: int | None = None,
    *,
    mask: Any = None,
    should_stop: ShouldStop | None = None,
) -> Labels:
    """Grow seeds until they meet on the edges of an image.

    Parameters
    ----------
    image : ([Z, ]Y, X) array_like, with channels where `channel_axis` says so
    seeds : ([Z, ]Y, X) array_like of int
        Labels; negative ones are left out and never crossed.
    landscape : {'gradient', 'bright', 'dark'}
        What holds regions back: edges, bright borders, or dark borders.
    sigma : float
        Standard deviation of the Gaussian that smooths first, in the unit of `spacing`.
    compactness : float
        How round regions become: against the landscape from 0 to 1, for each of the image's
        smallest voxel edges of distance from the seed.
    spacing : sequence of float, optional
        Voxel size; 1 when None.
    channel_axis : int, optional
        Channels count together.
    mask : ([Z, ]Y, X) array_like of bool, optional
        Where regions grow.
    should_stop : callable, optional
        Asked many times a second; true raises `Cancelled`.

    Returns
    -------
    ([Z, ]Y, X) ndarray of int32

    Raises
    ------
    InputError
        If there are no seeds, shapes do not fit, or a number makes no sense.
    """
    heights, size = relief(image, landscape, sigma, spacing, channel_axis, should_stop)
    marks = check_small_labels(seeds, heights.shape, "seeds")
    if not (marks > 0).any():
        raise InputError("seeds: there are none; mark at least one label above 0.")
    roundness = check_number(compactness, "compactness") / min(size)
    return watershed(heights, marks, mask, roundness, size, should_stop=should_stop)


def compact_watershed(
    image: Any,
    n_segments: int = 250,
    compactness: float = 0.01,
    sigma: float = 1.0,
    depth: float = 0.0,
    spacing: float | Sequence[float] | None = None,
    channel_axis: int | None = None,
    *,
    should_stop: ShouldStop | None = None,
) -> Labels:
    """Cut an image into regions along its edges, without seeds.

    Parameters
    ----------
    image : ([Z, ]Y, X) array_like, with channels where `channel_axis` says so
    n_segments : int
        About how many regions grow from an even grid of seeds; 0 takes the basins of the gradient
        instead.
    compactness : float
        How round they become: against the gradient from 0 to 1, for each of the image's smallest
        voxel edges of distance from the seed.
    sigma : float
        Standard deviation of the Gaussian that smooths first, in the unit of `spacing`.
    depth : float
        How deep a basin of the gradient must be to count, from 0 to 1; for `n_segments` 0.
    spacing : sequence of float, optional
        Voxel size; 1 when None.
    channel_axis : int, optional
        Channels count together.
    should_stop : callable, optional
        Asked many times a second; true raises `Cancelled`.

    Returns
    -------
    ([Z, ]Y, X) ndarray of int32
        From 1 on.

    Raises
    ------
    InputError
        If a number makes no sense.
    """
    count = check_count(n_segments, "n_segments")
    heights, size = relief(image, "gradient", sigma, spacing, channel_axis, should_stop)
    if count:
        seeds = even_seeds(heights.shape, count, size)
    else:
        seeds = labelled_peaks(
            -heights, check_number(depth, "depth"), np.ones(heights.shape, np.int32), should_stop
        )
        if not seeds.any():
            seeds = even_seeds(heights.shape, 1, size)
    roundness = check_number(compactness, "compactness") / min(size)
    return watershed(heights, seeds, None, roundness, size, should_stop=should_stop)


def relief(
    image: Any,
    landscape: Landscape,
    sigma: float,
    spacing: float | Sequence[float] | None,
    channel_axis: int | None,
    should_stop: ShouldStop | None,
) -> tuple[Floats, tuple[float, ...]]:
    """Return what a watershed grows on, from 0 to 1, and the voxel size.

    The gradient of several channels is the length of their gradients together.
    """
    if landscape not in ("gradient", "bright", "dark"):
        raise InputError(f"landscape is {landscape!r}; it must be gradient, bright or dark.")
    channels, size = channel_stack(image, channel_axis, spacing)
    channels, _ = moderate(channels)
    heights = np.zeros(channels.shape[1:], channels.dtype)
    for channel in channels:
        if landscape == "gradient":
            slope = gradient_magnitude(channel, sigma, size, should_stop=should_stop)
            heights += slope * slope
        else:
            heights += gaussian(channel, sigma, size, should_stop=should_stop)
    if landscape == "gradient":
        heights = np.sqrt(heights)
    elif landscape == "dark":
        heights = -heights
    heights -= heights.min()
    most = float(heights.max())
    if most > 0:
        heights /= heights.dtype.type(most)
    return heights, size


def even_seeds(
    shape: Sequence[int], n_seeds: int, spacing: float | Sequence[float] | None = None
) -> Labels:
    """Return about so many seeds of one voxel each, the same length apart along every axis.

    Parameters
    ----------
    shape : sequence of int
    n_seeds : int
    spacing : sequence of float, optional
        Voxel size; 1 when None.

    Returns
    -------
    ndarray of int32, of shape `shape`
    """
    size = np.array(check_spacing(spacing, len(shape)))
    sides = np.array(shape) * size
    step = (float(np.prod(sides)) / max(1, n_seeds)) ** (1 / len(shape))
    counts = np.clip(np.rint(sides / step), 1, shape).astype(int)
    axes = [((np.arange(c) + 0.5) * n / c).astype(int) for c, n in zip(counts, shape, strict=True)]
    out = np.zeros(shape, np.int32)
    out[np.ix_(*axes)] = np.arange(1, np.prod(counts) + 1).reshape(counts)
    return out
