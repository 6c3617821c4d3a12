"""Watersheds: regions that grow from seeds and meet where an image is high."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.filters.edge_filters import gradient_magnitude
from napari_seedbed.core.filters.gaussians import gaussian
from napari_seedbed.core.library_calls import call_aside
from napari_seedbed.core.magnitudes import moderate
from napari_seedbed.core.progress import check_stop
from napari_seedbed.core.regions import watershed_kernels
from napari_seedbed.core.regions.bordered_grids import BorderedGrid
from napari_seedbed.core.regions.channel_stacks import channel_stack
from napari_seedbed.core.regions.peaks import labelled_peaks
from napari_seedbed.core.validation import (
    check_count,
    check_image,
    check_number,
    check_small_labels,
    check_spacing,
)
from napari_seedbed.errors import InputError

Labels = NDArray[np.int32]
Floats = NDArray[np.floating]
Landscape = Literal["gradient", "bright", "dark"]

_STEPS_PER_CALL = 1 << 16
_HEAP_AT_FIRST = 4096
_VOXELS_PER_BUCKET = 4
_SAMPLED = 1 << 16
_SHORT = (np.float16, np.float32)
_CLOSED = -1
"""A label that no voxel takes and that keeps all others out."""


def watershed(
    image: Any,
    markers: Any,
    mask: Any = None,
    compactness: float = 0.0,
    spacing: float | Sequence[float] | None = None,
) -> Labels:
    """Grow markers from low values to high ones until they meet, as scikit-image does.

    Of voxels at one level, those come first that were reached first. Markers of equal values begin
    in the order in which they lie in the image; scikit-image takes those in no defined order.

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
    values = check_image(image, ndim=(2, 3))
    size = check_spacing(spacing, values.ndim)
    seeds = check_small_labels(markers, values.shape, "markers")
    roundness = check_number(compactness, "compactness")
    where = None if mask is None else check_small_labels(mask, values.shape, "mask")
    field = call_aside(partial(_field, seeds, where))
    if roundness > 0:
        heights = call_aside(partial(field.grid.flat, values, np.float64))
        _flood_compact(field, heights, roundness, size)
    else:
        _flood_levels(field, values)
    return call_aside(partial(_grown, field, seeds))


@dataclass(frozen=True, eq=False)
class _Field:
    """Where labels grow: flat arrays with a border.

    Attributes
    ----------
    grid : BorderedGrid
    labels : (N,) ndarray of int32
        0 where they may grow to, `_CLOSED` where no label grows.
    territory : (N,) ndarray of int32
        Labels cross no border between these; empty where there is one only.
    begin : (M,) ndarray of int
        Places of seeds, of the type that holds all places.
    """

    grid: BorderedGrid
    labels: Labels
    territory: Labels
    begin: NDArray[np.integer]


def _field(seeds: Labels, mask: Labels | None) -> _Field:
    grid = BorderedGrid(seeds.shape)
    inside = seeds >= 0 if mask is None else (seeds >= 0) & (mask > 0)
    labels = grid.flat(np.where(inside, seeds, _CLOSED), np.int32, border=_CLOSED)
    if mask is not None and int(mask.max()) > 1:
        territory = grid.flat(mask, np.int32)
    else:
        territory = np.zeros(0, np.int32)
    places = np.int32 if labels.size <= np.iinfo(np.int32).max else np.int64
    return _Field(grid, labels, territory, np.flatnonzero(labels > 0).astype(places))


def _grown(field: _Field, seeds: Labels) -> Labels:
    """The image of labels, with the negative seeds."""
    found = np.maximum(field.grid.image(field.labels), 0)
    np.copyto(found, seeds, where=seeds < 0)
    return found


@dataclass(frozen=True, eq=False)
class _Buckets:
    """Voxels by level: `scale` levels for each unit of the values above `low`.

    Attributes
    ----------
    values : (N,) ndarray of uint16, float32 or float64
        Flat, with a border.
    low, scale : float
    exact : bool
        Whether each bucket holds one value only.
    begins : (B,) ndarray of int
        Where the slots of each bucket begin, by the number of voxels in those before.
    """

    values: NDArray[Any]
    low: float
    scale: float
    exact: bool
    begins: NDArray[np.integer]


def _buckets(field: _Field, image: NDArray[Any]) -> _Buckets:
    low, high = image.min(), image.max()
    exact = image.dtype.kind in "iub" and int(high) - int(low) <= np.iinfo(np.uint16).max
    if exact:
        # Whole numbers wrap around: the differences are right for every type.
        image = image.astype(np.uint16) - np.uint16(int(low) % (1 << 16))
        least, scale, count = 0.0, 1.0, int(high) - int(low) + 1
    else:
        image = image.astype(np.float32 if image.dtype in _SHORT else np.float64, copy=False)
        count = image.size // _VOXELS_PER_BUCKET + 1
        least, scale = _spread(image, count)
    counts = np.zeros(count, field.begin.dtype)
    watershed_kernels.count_buckets(image.ravel(), least, scale, counts)
    begins = np.cumsum(counts, dtype=counts.dtype) - counts
    return _Buckets(field.grid.flat(image, image.dtype), least, scale, exact, begins)


def _spread(image: NDArray[np.floating], count: int) -> tuple[float, float]:
    """Where the first bucket begins, and buckets for each unit of the values.

    All but 2 % of the values share them evenly, lest a few bright voxels leave most of them empty.
    """
    sample = image.ravel()[:: image.size // _SAMPLED | 1].astype(np.float64)
    low, high = np.quantile(sample, (0.01, 0.99))
    if low == high:
        low, high = float(image.min()), float(image.max())
    with np.errstate(over="ignore", divide="ignore"):
        return float(low), float(np.clip(count / np.float64(high - low), 1e-300, 1e300))


def _flood_levels(field: _Field, image: NDArray[Any]) -> None:
    by_level = call_aside(partial(_buckets, field, image))
    values, low, scale, begins = by_level.values, by_level.low, by_level.scale, by_level.begins
    ends = begins.copy()
    slots, level_queue = np.empty((2, image.size), begins.dtype)
    watershed_kernels.begin_levels(values, field.begin, low, scale, ends, slots)
    state = np.array([-1, 0, 0, 0, 0, 0, 0, 0], np.int64)
    heap = _room(_HEAP_AT_FIRST, values.dtype)
    steps = field.grid.steps(corners=False)
    while not watershed_kernels.flood_levels(
        values, field.labels, field.territory, steps, low, scale, by_level.exact, begins, ends,
        slots, level_queue, _STEPS_PER_CALL, state, *heap,
    ):  # fmt: skip
        check_stop()
        heap = _with_room(heap, int(state[5]) + steps.size)


def _flood_compact(
    field: _Field,
    heights: NDArray[np.float64],
    compactness: float,
    spacing: Sequence[float],
) -> None:
    grid, begin = field.grid, field.begin
    steps, ways = grid.steps(corners=False), grid.ways(corners=False)
    heap = _room(begin.size + _HEAP_AT_FIRST, heights.dtype)
    watershed_kernels.begin_compact(heights, begin, *heap)
    best = np.full(heights.shape, np.inf)
    state = np.array([begin.size, begin.size], np.int64)
    lengths = np.array(spacing, np.float64)
    while not watershed_kernels.flood_compact(
        heights, field.labels, field.territory, steps, ways, lengths, grid.strides, compactness,
        best, _STEPS_PER_CALL, state, *heap,
    ):  # fmt: skip
        check_stop()
        heap = _with_room(heap, int(state[0]) + steps.size)


Heap = list[NDArray[Any]]


def _room(entries: int, keys: Any) -> Heap:
    return [np.empty(entries, keys), *(np.empty(entries, np.int64) for _ in range(3))]


def _with_room(heap: Heap, entries: int) -> Heap:
    if entries <= heap[0].size:
        return heap
    return [np.concatenate([part, np.empty_like(part)]) for part in heap]


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

    Returns
    -------
    ([Z, ]Y, X) ndarray of int32

    Raises
    ------
    InputError
        If there are no seeds, shapes do not fit, or a number makes no sense.
    """
    heights, size = relief(image, landscape, sigma, spacing, channel_axis)
    marks = check_small_labels(seeds, heights.shape, "seeds")
    if not (marks > 0).any():
        raise InputError("seeds: there are none; mark at least one label above 0.")
    roundness = check_number(compactness, "compactness") / min(size)
    return watershed(heights, marks, mask, roundness, size)


def compact_watershed(
    image: Any,
    n_segments: int = 250,
    compactness: float = 0.01,
    sigma: float = 1.0,
    depth: float = 0.0,
    spacing: float | Sequence[float] | None = None,
    channel_axis: int | None = None,
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
    heights, size = relief(image, "gradient", sigma, spacing, channel_axis)
    if count:
        seeds = even_seeds(heights.shape, count, size)
    else:
        seeds = labelled_peaks(
            -heights, check_number(depth, "depth"), np.ones(heights.shape, np.int32)
        )
        if not seeds.any():
            seeds = even_seeds(heights.shape, 1, size)
    roundness = check_number(compactness, "compactness") / min(size)
    return watershed(heights, seeds, None, roundness, size)


def relief(
    image: Any,
    landscape: Landscape,
    sigma: float,
    spacing: float | Sequence[float] | None,
    channel_axis: int | None,
) -> tuple[Floats, tuple[float, ...]]:
    """Return what a watershed grows on, from 0 to 1, and the voxel size.

    The gradient of several channels is the length of their gradients together.

    Parameters
    ----------
    image : ([Z, ]Y, X) array_like, with channels where `channel_axis` says so
    landscape, sigma
        As in `seeded_watershed`.
    spacing : sequence of float, optional
        Voxel size; 1 when None.
    channel_axis : int, optional

    Returns
    -------
    heights : ([Z, ]Y, X) ndarray
    spacing : tuple of float
    """
    channels, size = channel_stack(image, channel_axis, spacing)
    channels, _ = moderate(channels)
    heights = steepness(channels, landscape, sigma, size)
    heights -= heights.min()
    most = float(heights.max())
    if most > 0:
        heights /= heights.dtype.type(most)
    return heights, size


def steepness(
    channels: Floats, landscape: Landscape, sigma: float, spacing: tuple[float, ...]
) -> Floats:
    """Return what a watershed grows on, in the image's own numbers.

    Parameters
    ----------
    channels : (C, [Z, ]Y, X) ndarray of float
    landscape, sigma
        As in `seeded_watershed`.
    spacing : tuple of float
    """
    if landscape not in ("gradient", "bright", "dark"):
        raise InputError(f"landscape is {landscape!r}; it must be gradient, bright or dark.")
    heights = np.zeros(channels.shape[1:], channels.dtype)
    for channel in channels:
        if landscape == "gradient":
            slope = gradient_magnitude(channel, sigma, spacing)
            heights += slope * slope
        else:
            heights += gaussian(channel, sigma, spacing)
    if landscape == "gradient":
        return np.sqrt(heights)
    return -heights if landscape == "dark" else heights


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
