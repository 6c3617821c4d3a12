"""Which regions touch, how long their boundaries are, and how much they differ."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np
from numpy.typing import DTypeLike, NDArray

from napari_seedbed.core.filters.edge_filters import gradient_magnitude
from napari_seedbed.core.library_calls import call_aside
from napari_seedbed.core.magnitudes import divided, exponent_of, restored
from napari_seedbed.core.objects.label_lookup import renumbered
from napari_seedbed.core.progress import check_stop
from napari_seedbed.core.regions import graph_kernels
from napari_seedbed.core.regions.channel_stacks import channel_stack
from napari_seedbed.core.validation import check_small_labels
from napari_seedbed.errors import InputError

Weight = Literal["colour", "boundary"]
Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

_LINES_PER_CALL = 1 << 12
_SMALLEST_TABLE = 1 << 16


@dataclass(frozen=True, eq=False)
class RegionGraph:
    """Regions as nodes, and an edge for each two that share a face of a voxel.

    Attributes
    ----------
    labels : (R,) ndarray of int
        Labels of the regions, rising.
    numbers : ([Z, ]Y, X) ndarray of int32
        For each voxel the place of its region in `labels`, from 1 on; 0 where none is.
    voxels : (R,) ndarray of int
        Sizes.
    means : (R, C) ndarray of float
        Mean of each channel.
    edges : (M, 2) ndarray of int
        Places in `labels`, from 0 on, the lower first; sorted.
    lengths : (M,) ndarray of float
        How long (in 3D, how large) each boundary is, face by face, in the unit of the spacing.
    strengths : (M,) ndarray of float
        Mean of the image's gradient along each boundary.
    """

    labels: Whole
    numbers: NDArray[np.int32]
    voxels: Whole
    means: Floats
    edges: Whole
    lengths: Floats
    strengths: Floats

    def weights(self, weight: Weight) -> Floats:
        """What keeps the regions of each edge apart, (M,).

        'colour': the difference of their mean colours (the length of the difference over all
        channels); 'boundary': the mean gradient along their boundary.
        """
        check_weight(weight)
        if weight == "boundary":
            return self.strengths
        away = self.means[self.edges[:, 0]] - self.means[self.edges[:, 1]]
        return np.asarray(np.sqrt((away**2).sum(axis=1)))

    def edges_in(self, numbers: NDArray[np.int32]) -> Whole:
        """Which edges join regions that touch within a slice of `numbers`; rising."""
        count = len(self.labels)
        found = []
        for axis in range(numbers.ndim):
            one = np.moveaxis(numbers, axis, 0)[:-1].ravel()
            two = np.moveaxis(numbers, axis, 0)[1:].ravel()
            apart = (one != two) & (one > 0) & (two > 0)
            low, high = np.minimum(one, two)[apart] - 1, np.maximum(one, two)[apart] - 1
            found.append(low.astype(np.int64) * count + high)
        keys = np.unique(np.concatenate(found))
        return np.searchsorted(self.edges[:, 0] * count + self.edges[:, 1], keys)

    def painted(self, groups: Whole, numbers: NDArray[np.int32] | None = None) -> NDArray[np.int32]:
        """Labels after joining: each group has the label of its first region.

        Parameters
        ----------
        groups : (R,) ndarray of int
            For each region the first region of its group.
        numbers : ndarray of int32, optional
            A part of `numbers`; all of it by default.
        """
        table = np.concatenate([[0], self.labels[groups]]).astype(np.int32)
        return np.asarray(table[self.numbers if numbers is None else numbers])

    def colours(self, groups: Whole) -> Floats:
        """Mean colours (R, C) of the groups that the regions belong to."""
        sizes = np.bincount(groups, self.voxels, len(self.labels))
        sums = [np.bincount(groups, self.voxels * mean, len(self.labels)) for mean in self.means.T]
        with np.errstate(invalid="ignore"):
            means = np.stack(sums, axis=1) / sizes[:, np.newaxis]
        return np.asarray(means[groups])

    def coloured(
        self,
        groups: Whole,
        numbers: NDArray[np.int32] | None = None,
        dtype: DTypeLike = np.float64,
    ) -> NDArray[Any]:
        """The picture (…, C) in which each group has its mean colour; 0 where no region is.

        Parameters
        ----------
        groups : (R,) ndarray of int
            For each region the first region of its group.
        numbers : ndarray of int32, optional
            A part of `numbers`; all of it by default.
        dtype : dtype
            Colours are rounded for whole numbers.
        """
        table = np.concatenate([np.zeros((1, self.means.shape[1])), self.colours(groups)])
        if np.dtype(dtype).kind in "iu":
            table = np.rint(table)
        # the table is changed and not the picture, which has many more values
        table = table.astype(dtype)
        return np.asarray(table[self.numbers if numbers is None else numbers])


def check_weight(weight: str) -> None:
    """Raise `InputError` for a weight that there is not."""
    if weight not in ("colour", "boundary"):
        raise InputError(f"weight is {weight!r}; it must be 'colour' or 'boundary'.")


def region_graph(
    labels: Any,
    image: Any,
    spacing: float | Sequence[float] | None = None,
    channel_axis: int | None = None,
    *,
    sigma: float = 0.0,
) -> RegionGraph:
    """Find which regions touch, and measure them and their boundaries.

    Parameters
    ----------
    labels : ([Z, ]Y, X) array_like of int
        Regions; labels below 1 are none.
    image : ([Z, ]Y, X) array_like, with channels where `channel_axis` says so
    spacing : sequence of float, optional
        Voxel size; 1 when None.
    channel_axis : int, optional
    sigma : float
        Standard deviation, in the unit of `spacing`, of the Gaussian that smooths before the
        gradient is taken.

    Returns
    -------
    RegionGraph

    Raises
    ------
    InputError
        If the labels are no whole numbers or have another shape than the image.

    References
    ----------
    Tremeau A, Colantoni P (2000). Regions adjacency graph applied to color image segmentation. IEEE
    Transactions on Image Processing 9(4), 735-744.
    """
    channels, size = channel_stack(image, channel_axis, spacing)
    regions = check_small_labels(labels, channels.shape[1:])
    names, numbers = call_aside(partial(numbered, regions))
    flat, room = numbers.ravel(), len(names) + 1
    voxels = call_aside(partial(np.bincount, flat, minlength=room))[1:]
    means = np.zeros((len(names), len(channels)))
    for c, channel in enumerate(channels):
        count = partial(np.bincount, flat, channel.ravel(), minlength=room)
        means[:, c] = call_aside(count)[1:] / voxels
    slopes = boundary_slopes(channels, sigma, size)
    edges, lengths, along = touching_regions(numbers, slopes, size, len(names))
    return RegionGraph(names, numbers, voxels, means, edges, lengths, along / lengths)


def boundary_slopes(
    channels: NDArray[np.floating], sigma: float, spacing: tuple[float, ...]
) -> NDArray[np.floating]:
    """Return how steep an image (C, [Z, ]Y, X) is, all channels together."""
    slopes = np.zeros(channels.shape[1:], channels.dtype)
    exponent = exponent_of(channels)
    for channel in channels:
        slope = gradient_magnitude(divided(channel, exponent), sigma, spacing)
        slopes += slope * slope
    return restored(np.sqrt(slopes, out=slopes), exponent)


def numbered(labels: NDArray[np.integer]) -> tuple[Whole, NDArray[np.int32]]:
    """Number labels without gaps.

    Parameters
    ----------
    labels : ndarray of int

    Returns
    -------
    names : (R,) ndarray of int
        The labels above 0, rising.
    numbers : ndarray of int32, of the shape of `labels`
        For each voxel the place of its label in `names`, from 1 on; 0 where none is.
    """
    names = np.unique(labels[labels > 0]).astype(np.int64)
    numbers = renumbered(labels, names, np.arange(1, len(names) + 1))
    return names, numbers


def touching_regions(
    numbers: NDArray[np.int32],
    heights: NDArray[np.floating],
    spacing: Sequence[float],
    n_regions: int,
    axis: int | None = None,
) -> tuple[Whole, Floats, Floats]:
    """Measure the boundaries between regions.

    Parameters
    ----------
    numbers : ([Z, ]Y, X) ndarray of int32
        As of `numbered`.
    heights : ([Z, ]Y, X) ndarray
    spacing : sequence of float
    n_regions : int
    axis : int, optional
        Count the faces across this axis alone; others then have the size 0.

    Returns
    -------
    edges : (M, 2) ndarray of int
    lengths, along : (M,) ndarray
        Sizes of the boundaries, and sums of `heights` times size along them.
    """
    lead = (1,) * (3 - numbers.ndim)
    volume, slopes = (np.ascontiguousarray(a).reshape(lead + a.shape) for a in (numbers, heights))
    areas = np.prod(spacing) / np.array((*lead, *spacing), np.float64)
    if axis is not None:
        areas[[i != len(lead) + axis for i in range(3)]] = 0
    n_lines = volume.shape[0] * volume.shape[1]
    room = 1 << max(10, int(6 * volume.shape[2]).bit_length())
    table = _table(max(room, _SMALLEST_TABLE))
    used = np.zeros(1, np.int64)
    line = 0
    while line < n_lines:
        check_stop()
        last = min(n_lines, line + max(1, _LINES_PER_CALL * 256 // volume.shape[2]))
        line = graph_kernels.touching(
            volume, slopes, areas, line, last, max(n_regions, 1), *table, used
        )
        if line < last:
            larger = _table(2 * table[0].size)
            graph_kernels.move_table(*table, *larger)
            table = larger
    filled = np.flatnonzero(table[0] != graph_kernels.EMPTY)
    filled = filled[np.argsort(table[0][filled])]
    edges = np.stack(np.divmod(table[0][filled], max(n_regions, 1)), axis=1)
    return edges, table[1][filled], table[2][filled]


def _table(size: int) -> tuple[Whole, Floats, Floats]:
    return np.full(size, graph_kernels.EMPTY, np.int64), np.zeros(size), np.zeros(size)
