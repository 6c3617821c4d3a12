"""Where a person's next mark settles the most: the largest uncertain region."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from napari_seedbed.errors import InputError


@dataclass(frozen=True, eq=False)
class UncertainRegion:
    """A connected set of voxels whose labels are in doubt.

    Attributes
    ----------
    center : tuple of int
        The voxel of the region that is farthest from its rim, in the middle of those.
    size : int
        Number of voxels.
    mean_uncertainty : float
        Mean over the region, between the threshold and 1.
    box : tuple of slice
        The smallest box that holds the region.
    inside : ndarray of bool
        Which voxels of the box belong to it.
    """

    center: tuple[int, ...]
    size: int
    mean_uncertainty: float
    box: tuple[slice, ...]
    inside: NDArray[np.bool_]


def next_uncertain_region(
    uncertainty: ArrayLike,
    visited: ArrayLike = (),
    *,
    threshold: float = 0.5,
    n_labels: int = 2,
    at_most: float = 0.3,
    spacing: Sequence[float] | None = None,
    reach: float | None = None,
) -> UncertainRegion | None:
    """Find the largest uncertain region that nobody has looked at yet.

    Regions that hold a visited place come after all others. When only those are left, what lies
    farther than `reach` from every visited place is offered, largest piece first: along a weak
    boundary the whole rim of an object can be one region, which one look does not settle.

    Parameters
    ----------
    uncertainty : (M, N[, P]) array
        Normalised entropy of the labels, 0 for certain and 1 for a draw.
    visited : (V, D) array_like
        Places that were looked at, in voxels.
    threshold : float
        Voxels above it are uncertain, if there are two labels: 0.5 means that the second is more
        than 11 % probable.
    n_labels : int
        With more than two, a voxel is as uncertain as that where it is in doubt between two.
    at_most : float
        Share of the image that counts as uncertain: with few marks nearly all of it is, and then
        only the most uncertain part leads to the places where a mark helps most.
    spacing : sequence of float, optional
        Size of a voxel along each axis.
    reach : float, optional
        How far around a visited place a person sees, in the unit of `spacing`. A tenth of the
        image's longest side when not given.

    Returns
    -------
    UncertainRegion or None
        None when everything uncertain was visited, or nothing is uncertain.

    Raises
    ------
    InputError
        If `uncertainty` has not 2 or 3 axes, or `visited` or `spacing` do not fit it.
    """
    field = np.asarray(uncertainty)
    if field.ndim not in (2, 3):
        raise InputError(f"`uncertainty` has {field.ndim} axes; it must have 2 or 3.")
    size = _voxel_size(spacing, field.ndim)
    places = _places(visited, field.shape)
    mask = field > threshold * log(2) / log(max(n_labels, 2))
    if not mask.any():
        return None
    if np.count_nonzero(mask) > at_most * mask.size:
        mask &= field >= _level(field, at_most)
    touched = _largest(mask, field, size, avoid=places)
    if touched is not None:
        return touched
    if reach is None:
        reach = 0.1 * max(n * s for n, s in zip(field.shape, size, strict=True))
    for place in places:
        _clear_ball(mask, place, reach, size)
    return _largest(mask, field, size, avoid=places[:0])


def _level(field: NDArray[np.floating], share: float) -> float:
    """Value that about a `share` of the voxels reach, from a sample of a million of them."""
    step = max(1, field.size // 1_000_003)
    return float(np.quantile(field.reshape(-1)[::step], 1 - share))


def _voxel_size(spacing: Sequence[float] | None, ndim: int) -> tuple[float, ...]:
    if spacing is None:
        return (1.0,) * ndim
    if len(spacing) != ndim or not all(s > 0 and np.isfinite(s) for s in spacing):
        raise InputError(f"`spacing` is {tuple(spacing)}; it must be {ndim} positive numbers.")
    return tuple(float(s) for s in spacing)


def _places(visited: ArrayLike, shape: tuple[int, ...]) -> NDArray[np.intp]:
    places = np.asarray(visited, dtype=float)
    if places.size == 0:
        return np.empty((0, len(shape)), np.intp)
    if places.ndim != 2 or places.shape[1] != len(shape):
        raise InputError(
            f"`visited` has the shape {places.shape}; it must be (number of places, {len(shape)})."
        )
    return np.clip(np.rint(places), 0, np.array(shape) - 1).astype(np.intp)


def _largest(
    mask: NDArray[np.bool_],
    field: NDArray[np.floating],
    size: tuple[float, ...],
    avoid: NDArray[np.intp],
) -> UncertainRegion | None:
    regions, count = ndimage.label(mask)
    sizes = np.bincount(regions.ravel(), minlength=count + 1)
    sizes[0] = 0
    for place in avoid:
        # A mark settles the voxels under it: the region may begin a few voxels off by now.
        near = tuple(slice(max(0, p - 3), p + 4) for p in place)
        sizes[np.unique(regions[near])] = 0
    chosen = int(sizes.argmax())
    if sizes[chosen] == 0:
        return None
    box = ndimage.find_objects(regions, max_label=chosen)[chosen - 1]
    inside = regions[box] == chosen
    # Padded, so that the border of the image is a rim too: a mark needs room around it.
    depth = ndimage.distance_transform_edt(np.pad(inside, 1), sampling=size)
    deepest = np.argwhere(depth == depth.max())
    # A slab is as deep everywhere along its middle: of those the one nearest to its centroid.
    away = (deepest - deepest.mean(axis=0)) * size
    chosen_voxel = deepest[np.argmin((away**2).sum(axis=1))]
    center = tuple(int(d) - 1 + side.start for d, side in zip(chosen_voxel, box, strict=True))
    mean = float(field[box][inside].mean())
    return UncertainRegion(center, int(sizes[chosen]), mean, box, inside)


def _clear_ball(
    mask: NDArray[np.bool_], center: NDArray[np.intp], radius: float, size: tuple[float, ...]
) -> None:
    box = tuple(
        slice(max(0, int(c - radius / s)), min(n, int(c + radius / s) + 1))
        for c, s, n in zip(center, size, mask.shape, strict=True)
    )
    grids = np.ogrid[box]
    distance = sum(((g - c) * s) ** 2 for g, c, s in zip(grids, center, size, strict=True))
    mask[box] &= distance > radius**2
