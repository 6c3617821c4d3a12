"""What a classifier learns from: the features of voxels that a person marked."""

from collections.abc import Callable, Iterator, MutableMapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from math import prod
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.boxes import widened
from napari_seedbed.core.classifier.features import (
    FeatureSet,
    Region,
    as_channels,
    check_scales,
    region_features,
    scales,
)
from napari_seedbed.core.progress import check_stop
from napari_seedbed.core.threads import run_ranges
from napari_seedbed.core.validation import (
    check_count,
    check_number,
    check_small_labels,
    check_spacing,
)
from napari_seedbed.errors import InputError

Intensities = Literal["contrast", "absolute"]

MOST_OF_A_CLASS = 3000
"""Voxels a class that are learnt from: more make the forest slower and hardly better."""

MOST_SCALES = 8

PERCENTILES = (2.0, 98.0)
"""Intensities that count as 0 and 1 where they are taken relative to the image's contrast."""

BLOCK_NUMBERS = 1 << 23
"""Features of a block: 32 MB."""

AT_LEAST = 4
"""Blocks that even a small part is cut into, so that several cores have something to do."""

_LOOKED_AT = 1 << 20
_LEAST_RANGE = 1e-30
"""The inverse of less is no number that forests take."""

_TILES = {2: 128, 3: 32}
_DROPPED_BITS = 11


@dataclass(frozen=True, eq=False)
class TrainingSamples:
    """Marked voxels: their features and labels. All that a classifier is made from.

    Attributes
    ----------
    features : FeatureSet
    intensities : {'contrast', 'absolute'}
        Whether each image is first brought to its own contrast (`intensity_scale`).
    values : (N, F) ndarray of float32
        Thirteen bits of each mantissa are kept, so that they can be written compactly.
    labels : (N,) ndarray of int32
        All positive, rising.
    """

    features: FeatureSet
    intensities: Intensities
    values: NDArray[np.float32]
    labels: NDArray[np.int32]

    def __post_init__(self) -> None:
        count = len(self.labels)
        if self.values.shape != (count, self.features.count):
            raise InputError(
                f"values have the shape {self.values.shape}; they must have {count} rows, one a "
                f"label, and {self.features.count} features."
            )

    @property
    def label_values(self) -> tuple[int, ...]:
        """The labels that occur, rising."""
        return tuple(int(value) for value in np.unique(self.labels))

    def joined(self, *others: "TrainingSamples") -> "TrainingSamples":
        """The samples of several images together, the most of a class kept in equal steps.

        Raises
        ------
        InputError
            When they have other features, because scales or channels differ.
        """
        for other in others:
            if (other.features, other.intensities) != (self.features, self.intensities):
                raise InputError(
                    "samples: they were taken with other scales, channels or dimensions: "
                    f"{_in_words(other)} and {_in_words(self)}. Learn from images of one kind."
                )
        every = (self, *others)
        labels = np.concatenate([one.labels for one in every])
        kept = evenly_chosen(labels, MOST_OF_A_CLASS)
        values = np.concatenate([one.values for one in every])[kept]
        return replace(self, values=values, labels=labels[kept])


def _in_words(samples: TrainingSamples) -> str:
    features = samples.features
    sizes = ", ".join(f"{sigma:.3g}" for sigma in features.sigmas)
    return f"{features.ndim}D, {features.n_channels} channel(s), scales {sizes}"


def training_samples(
    image: Any,
    labels: Any,
    spacing: float | Sequence[float] | None = None,
    channel_axis: int | None = None,
    *,
    sigma: float = 0.7,
    n_scales: int = 4,
    intensities: Intensities = "contrast",
    cache: MutableMapping[Any, Any] | None = None,
) -> TrainingSamples:
    """Features of the marked voxels of one image.

    Parameters
    ----------
    image : ([C, ][Z, ]Y, X) array_like
        Image of real numbers.
    labels : ([Z, ]Y, X) array_like of int
        0 where nothing is marked; negative ones are left out as well.
    spacing : sequence of float, optional
        Voxel size along the spatial axes; 1 when None.
    channel_axis : int, optional
        All channels count together.
    sigma : float
        Finest standard deviation, in the unit of `spacing`.
    n_scales : int
        How many there are; each is twice the one before.
    intensities : {'contrast', 'absolute'}
        Relative to the 2nd and 98th percentile of each channel of this image, so that brightness
        and bit depth do not matter, or as they are.
    cache : dict, optional
        Kept between calls on the same image, with the same settings: only what was marked since
        is computed. It grows with the number of marked voxels.

    Returns
    -------
    TrainingSamples
        Of at most 3000 voxels a class, which are chosen in equal steps through the image.

    Raises
    ------
    InputError
        If the image is no image, labels do not fit it, or `sigma` or `n_scales` are out of bounds.
    """
    voxels = as_channels(image, channel_axis)
    shape = voxels.shape[1:]
    size = check_spacing(spacing, len(shape))
    marks = check_small_labels(labels, shape)
    features = feature_set(voxels, sigma, n_scales)
    check_scales(features.sigmas, size)
    offset, gain = intensity_scale(voxels, intensities)
    where = np.flatnonzero(marks > 0)
    found = marks.reshape(-1)[where]
    kept = evenly_chosen(found, MOST_OF_A_CLASS)
    where, found = where[kept], found[kept]
    values = np.empty((len(where), features.count), np.float32)
    kept_before = {} if cache is None else cache
    tiles = list(_tiles(where, shape))
    now: dict[Any, Any] = {}

    def fill(start: int, stop: int) -> None:
        for rows, region in tiles[start:stop]:
            check_stop()
            inside = where[rows]
            key = (tuple((one.start, one.stop) for one in region), inside.tobytes())
            made = kept_before.get(key)
            if made is None:
                made = _values_at(voxels, features, size, inside, region, offset, gain)
            now[key] = values[rows] = made

    if tiles:
        run_ranges(fill, [(n, n + 1) for n in range(len(tiles))])
    if cache is not None:
        cache.clear()
        cache.update(now)
    return TrainingSamples(features, intensities, values, found)


def samples_in_parts(
    read: Callable[[Region], NDArray[Any]],
    where: NDArray[np.intp],
    labels: NDArray[np.int32],
    shape: tuple[int, ...],
    features: FeatureSet,
    scale: tuple[list[float], list[float]],
    spacing: float | Sequence[float] | None = None,
    *,
    intensities: Intensities = "contrast",
) -> TrainingSamples:
    """Features of the marked voxels of an image of which no more is read than they need.

    Parameters
    ----------
    read : callable
        ``read(region)`` gives a part of the image, (C, [Z, ]Y, X).
    where : (N,) ndarray of int
        Numbers of the marked voxels, rising.
    labels : (N,) ndarray of int32
        Their labels, all positive.
    shape : tuple of int
        Of the image along the axes of space.
    features : FeatureSet
    scale : (list of float, list of float)
        What `intensity_scale` gives for all of the image.
    spacing, intensities
        As in `training_samples`.

    Returns
    -------
    TrainingSamples
        As `training_samples` gives them.
    """
    size = check_spacing(spacing, len(shape))
    check_scales(features.sigmas, size)
    kept = evenly_chosen(labels, MOST_OF_A_CLASS)
    where, labels = where[kept], labels[kept]
    values = np.empty((len(where), features.count), np.float32)
    for rows, region in _tiles(where, shape):
        check_stop()
        seen = widened(region, features.halo(size), shape)
        part = as_channels(read(seen), 0)
        starts = [one.start for one in seen]
        places = np.unravel_index(where[rows], shape)
        moved = tuple(place - start for place, start in zip(places, starts, strict=True))
        inside = np.ravel_multi_index(moved, part.shape[1:])
        inner = tuple(
            slice(one.start - start, one.stop - start)
            for one, start in zip(region, starts, strict=True)
        )
        values[rows] = _values_at(part, features, size, inside, inner, *scale)
    return TrainingSamples(features, intensities, values, labels)


def samples_of_series(
    load: Callable[[int], Any],
    labels: Callable[[int], Any],
    n_times: int,
    spacing: float | Sequence[float] | None = None,
    channel_axis: int | None = None,
    *,
    sigma: float = 0.7,
    n_scales: int = 4,
    intensities: Intensities = "contrast",
    cache: MutableMapping[Any, Any] | None = None,
) -> TrainingSamples | None:
    """Features of the marked voxels of all time points together; None where nothing is marked.

    Parameters
    ----------
    load, labels : callable
        ``load(t)`` gives the image and ``labels(t)`` the marks of a time point, as
        `training_samples` takes them.
    n_times : int
    spacing, channel_axis, sigma, n_scales, intensities, cache
        As in `training_samples`.

    Raises
    ------
    InputError
        As `training_samples`.
    """
    found = []
    for t in range(n_times):
        check_stop()
        marks = np.asarray(labels(t))
        if not (marks > 0).any():
            continue
        kept = None if cache is None else cache.setdefault(t, {})
        found.append(
            training_samples(
                load(t), marks, spacing, channel_axis, sigma=sigma, n_scales=n_scales,
                intensities=intensities, cache=kept,
            )
        )  # fmt: skip
    return found[0].joined(*found[1:]) if found else None


def feature_set(voxels: NDArray[Any], sigma: float, n_scales: int) -> FeatureSet:
    """The features of an image (C, [Z, ]Y, X), from the finest scale and the number of scales."""
    finest = check_number(sigma, "sigma", allow_zero=False)
    count = check_count(n_scales, "n_scales")
    if not 1 <= count <= MOST_SCALES:
        raise InputError(f"n_scales is {count}; it must be from 1 to {MOST_SCALES}.")
    return FeatureSet(scales(finest, count), voxels.ndim - 1, len(voxels))


def intensity_scale(
    voxels: NDArray[Any], intensities: Intensities
) -> tuple[list[float], list[float]]:
    """What to take from the intensities of each channel, and what to multiply them with then.

    Percentiles come from about a million voxels, spread over the image.

    Raises
    ------
    InputError
        For another word.
    """
    if intensities == "absolute":
        return [0.0] * len(voxels), [1.0] * len(voxels)
    if intensities != "contrast":
        raise InputError(f"intensities is {intensities!r}; it must be contrast or absolute.")
    return scale_of_sample(voxels[(slice(None), *sampled(voxels.shape[1:]))])


def sampled(shape: Sequence[int]) -> tuple[slice, ...]:
    """Which voxels of an image of a shape say what its intensities are: about a million."""
    step = max(1, round((prod(shape) / _LOOKED_AT) ** (1 / len(shape))))
    return (slice(None, None, step),) * len(shape)


def scale_of_sample(sample: NDArray[Any]) -> tuple[list[float], list[float]]:
    """The same as `intensity_scale` from the voxels (C, …) that are looked at, in any order."""
    offsets, gains = [], []
    for channel in sample:
        seen = channel.astype(np.float64)
        low, high = np.percentile(seen, PERCENTILES)
        if high <= low:
            low, high = seen.min(), seen.max()
        offsets.append(float(low))
        gains.append(float(1 / (high - low)) if high - low > _LEAST_RANGE else 1.0)
    return offsets, gains


def evenly_chosen(labels: NDArray[np.int32], most: int) -> NDArray[np.intp]:
    """Which samples to keep, at most so many of a class: class by class, in their order."""
    kept = []
    for value in np.unique(labels):
        places = np.flatnonzero(labels == value)
        if len(places) > most:
            places = places[np.linspace(0, len(places) - 1, most).astype(np.intp)]
        kept.append(places)
    return np.concatenate(kept) if kept else np.zeros(0, np.intp)


def _tiles(
    where: NDArray[np.intp], shape: tuple[int, ...]
) -> Iterator[tuple[NDArray[np.intp], Region]]:
    """The rows of `where` that lie in one tile of the image, and the box that holds them."""
    if not len(where):
        return
    places = np.stack(np.unravel_index(where, shape), axis=1)
    edge = _TILES[len(shape)]
    counts = [1 + (n - 1) // edge for n in shape]
    tile = np.ravel_multi_index(tuple((places // edge).T), counts)
    order = np.argsort(tile, kind="stable")
    for rows in np.split(order, np.flatnonzero(np.diff(tile[order])) + 1):
        low, high = places[rows].min(axis=0), places[rows].max(axis=0) + 1
        yield rows, tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True))


def _values_at(
    voxels: NDArray[Any],
    features: FeatureSet,
    spacing: Sequence[float],
    where: NDArray[np.intp],
    region: Region,
    offset: Sequence[float],
    gain: Sequence[float],
) -> NDArray[np.float32]:
    """Features (N, F) of some voxels in a box."""
    made = region_features(voxels, features, spacing, region, offset=offset, gain=gain)
    places = np.unravel_index(where, voxels.shape[1:])
    inside = tuple(place - one.start for place, one in zip(places, region, strict=True))
    return shortened(made[(slice(None), *inside)].T)


def shortened(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Round to the bits that are kept: a part in 8192, which texts can hold compactly."""
    bits = np.ascontiguousarray(values, np.float32).view(np.uint32)
    half = np.uint32(1 << (_DROPPED_BITS - 1))
    mask = np.uint32(0xFFFFFFFF ^ ((1 << _DROPPED_BITS) - 1))
    return ((bits + half) & mask).view(np.float32)


def blocks(shape: Sequence[int], n_features: int) -> list[Region]:
    """Cut an image into blocks of nearly equal edges, whose features take some ten megabytes."""
    voxels = max(1 << 12, min(BLOCK_NUMBERS // n_features, prod(shape) // AT_LEAST))
    left = len(shape)
    edges: list[int] = []
    # Short axes first: what they do not use, the others may.
    order = sorted(range(len(shape)), key=lambda axis: shape[axis])
    for axis in order:
        edge = max(1, int(voxels ** (1 / left)))
        count = -(-shape[axis] // edge)
        edges.append(-(-shape[axis] // count))
        voxels, left = max(1, voxels // edges[-1]), left - 1
    lengths = dict(zip(order, edges, strict=True))
    cuts = [
        [slice(a, min(a + lengths[axis], n)) for a in range(0, n, lengths[axis])]
        for axis, n in enumerate(shape)
    ]
    return list(product(*cuts))
