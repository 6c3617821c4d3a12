"""Where a person's next mark settles the most: the uncertain region that would change most."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from napari_seedbed.core.objects.labelling import label
from napari_seedbed.errors import InputError

LESS_DOUBT = 0.5
"""Voxels beside a region go along with it down to this share of its threshold."""

NAMED = 0.2
"""Labels are named that so much of a region has, or would have next."""

MOST_NAMED = 3
"""A region between more labels is asked about in parts that are each between two: the rims of
several objects that touch are no question that one mark answers."""


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
    change : int
        How many voxels would have another label if the region had: its own, and those beside it.
    labels : tuple of int
        Between which it is in doubt, the most frequent first; empty where that is not known.
    """

    center: tuple[int, ...]
    size: int
    mean_uncertainty: float
    box: tuple[slice, ...]
    inside: NDArray[np.bool_]
    change: int
    labels: tuple[int, ...] = ()


def next_uncertain_region(
    uncertainty: ArrayLike,
    visited: ArrayLike = (),
    *,
    threshold: float = 0.5,
    n_labels: int = 2,
    at_most: float = 0.3,
    spacing: Sequence[float] | None = None,
    reach: float | None = None,
    labels: ArrayLike | None = None,
    second: ArrayLike | None = None,
    across: int | None = None,
) -> UncertainRegion | None:
    """Find the uncertain region that nobody has looked at yet and that would change the most.

    With `labels` and `second` that is the one that takes the most voxels with it if it is given
    its second label: beside its own those that hang together with it, with the same label and the
    same second one, and are in half the doubt at least. Else it is the largest.

    Regions that hold a visited place come after all others. When only those are left, what lies
    farther than `reach` from every visited place is offered, in the same order: along a weak
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
    labels, second : (M, N[, P]) array of int, optional
        The label of each voxel, and that which it would have without it.
    across : int, optional
        An axis of a volume: the region's center is in the plane across it that holds most of the
        region, for who looks at such planes.

    Returns
    -------
    UncertainRegion or None
        None when everything uncertain was visited, or nothing is uncertain.

    Raises
    ------
    InputError
        If `uncertainty` has not 2 or 3 axes, or another argument does not fit it.
    """
    field = np.asarray(uncertainty)
    if field.ndim not in (2, 3):
        raise InputError(f"`uncertainty` has {field.ndim} axes; it must have 2 or 3.")
    size = _voxel_size(spacing, field.ndim)
    places = _places(visited, field.shape)
    answers = _answers(labels, second, field.shape)
    _check_axis(across, field.ndim)
    level = threshold * log(2) / log(max(n_labels, 2))
    mask = field > level
    if not mask.any():
        return None
    if np.count_nonzero(mask) > at_most * mask.size:
        mask &= field >= _level(field, at_most)
    doubt = _Doubt(field, size, answers, LESS_DOUBT * level, across)
    found = doubt.first_region(mask, avoid=places)
    if found is not None:
        return found
    if reach is None:
        reach = 0.1 * max(n * s for n, s in zip(field.shape, size, strict=True))
    for place in places:
        _clear_ball(mask, place, reach, size)
    return doubt.first_region(mask, avoid=places[:0])


def _check_axis(across: int | None, ndim: int) -> None:
    if across is not None and not 0 <= across < ndim:
        raise InputError(f"`across` is {across}; it must be an axis from 0 to {ndim - 1}.")


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


@dataclass(frozen=True, eq=False)
class _Answers:
    """The label of each voxel, and that which it would have next."""

    labels: NDArray[np.integer]
    second: NDArray[np.integer]

    def pairs(self, where: NDArray[np.bool_]) -> NDArray[np.int64]:
        """A number from 1 on for each pair of the two at some voxels, 0 elsewhere."""
        now, following = self.labels[where], self.second[where]
        both = np.stack([now.astype(np.int64), following.astype(np.int64)], axis=1)
        found = np.zeros(where.shape, np.int64)
        found[where] = 1 + np.unique(both, axis=0, return_inverse=True)[1].reshape(-1)
        return found

    def named(self, box: tuple[slice, ...], inside: NDArray[np.bool_]) -> tuple[int, ...]:
        """Between which labels some voxels of a box are in doubt."""
        held = np.concatenate([one[box][inside] for one in (self.labels, self.second)])
        values, counts = np.unique(held, return_counts=True)
        order = np.argsort(-counts, kind="stable")
        many = max(2, np.count_nonzero(counts >= NAMED * np.count_nonzero(inside)))
        return tuple(int(value) for value in values[order[:many]])

    def largest_part(self, box: tuple[slice, ...], inside: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """The largest connected part of some voxels of a box that is between the same two."""
        now, following = self.labels[box], self.second[box]
        either = _Answers(np.minimum(now, following), np.maximum(now, following))
        parts = label(either.pairs(inside), connectivity=1)
        assert isinstance(parts, np.ndarray)
        found: NDArray[np.bool_] = parts == 1 + np.bincount(parts.ravel())[1:].argmax()
        return found


@dataclass(frozen=True, eq=False)
class _Along:
    """Voxels beside regions that go along with them.

    Attributes
    ----------
    by_region : (R + 1,) ndarray of int
        How many go along with each region.
    pieces : ndarray of int
        Connected voxels that have the same label and the same second one, from 1 on.
    beside, goes_with : (P + 1,) ndarray of int
        How many voxels of each piece are beside all regions, and the region that they go with.
    """

    by_region: NDArray[np.intp]
    pieces: NDArray[np.integer]
    beside: NDArray[np.intp]
    goes_with: NDArray[np.intp]

    def with_part(self, region: int, box: tuple[slice, ...], inside: NDArray[np.bool_]) -> int:
        """How many voxels go along with a part of a region."""
        held = np.unique(self.pieces[box][inside])
        return int(self.beside[held[self.goes_with[held] == region]].sum())


def _answers(
    labels: ArrayLike | None, second: ArrayLike | None, shape: tuple[int, ...]
) -> _Answers | None:
    if labels is None and second is None:
        return None
    arrays = [np.asarray(0 if one is None else one) for one in (labels, second)]
    for name, array in zip(("labels", "second"), arrays, strict=True):
        if array.shape != shape or array.dtype.kind not in "iu":
            raise InputError(
                f"`{name}` has the shape {array.shape} and the type {array.dtype}; it must hold "
                f"whole numbers in the shape {shape} of `uncertainty`, and the other one, too."
            )
    return _Answers(*arrays)


@dataclass(frozen=True, eq=False)
class _Doubt:
    """What regions are chosen by."""

    field: NDArray[np.floating]
    size: tuple[float, ...]
    answers: _Answers | None
    least: float
    across: int | None

    def first_region(
        self, mask: NDArray[np.bool_], avoid: NDArray[np.intp]
    ) -> UncertainRegion | None:
        """The region of the mask that would change the most and holds none of some places."""
        regions, count = ndimage.label(mask)
        changes = np.bincount(regions.ravel(), minlength=count + 1)
        along = None
        if self.answers is not None:
            along = self._taken_along(regions, count)
            changes = changes + along.by_region
        changes[0] = 0
        for place in avoid:
            # A mark settles the voxels under it: the region may begin a few voxels off by now.
            near = tuple(slice(max(0, p - 3), p + 4) for p in place)
            changes[np.unique(regions[near])] = 0
        chosen = int(changes.argmax())
        if changes[chosen] == 0:
            return None
        box = ndimage.find_objects(regions, max_label=chosen)[chosen - 1]
        inside = regions[box] == chosen
        change, names = int(changes[chosen]), tuple[int, ...]()
        if self.answers is not None and along is not None:
            names = self.answers.named(box, inside)
            if len(names) > MOST_NAMED:
                inside = self.answers.largest_part(box, inside)
                names = self.answers.named(box, inside)
                change = int(np.count_nonzero(inside)) + along.with_part(chosen, box, inside)
        return UncertainRegion(
            center=_heart(inside, box, self.size, self.across),
            size=int(np.count_nonzero(inside)),
            mean_uncertainty=float(self.field[box][inside].mean()),
            box=box,
            inside=inside,
            change=change,
            labels=names,
        )

    def _taken_along(self, regions: NDArray[np.integer], count: int) -> "_Along":
        """Voxels outside of all regions that go along with them."""
        assert self.answers is not None
        within = regions > 0
        pieces = label(self.answers.pairs(within | (self.field > self.least)), connectivity=1)
        assert isinstance(pieces, np.ndarray)
        beside = np.bincount(pieces[~within], minlength=int(pieces.max()) + 1)
        # A piece that several regions share goes with the one that holds most of it.
        shares, held = np.unique(
            pieces[within].astype(np.int64) * (count + 1) + regions[within], return_counts=True
        )
        order = np.argsort(-held, kind="stable")
        piece, first = np.unique(shares[order] // (count + 1), return_index=True)
        region = shares[order][first] % (count + 1)
        by_region = np.zeros(count + 1, np.intp)
        np.add.at(by_region, region, beside[piece])
        goes_with = np.zeros(len(beside), np.intp)
        goes_with[piece] = region
        return _Along(by_region, pieces, beside, goes_with)


def _heart(
    inside: NDArray[np.bool_],
    box: tuple[slice, ...],
    size: tuple[float, ...],
    across: int | None,
) -> tuple[int, ...]:
    """The voxel of a region that is farthest from its rim, in the middle of those."""
    first = [side.start for side in box]
    if across is not None and inside.ndim == 3:
        others = tuple(axis for axis in range(3) if axis != across)
        areas = inside.sum(axis=others)
        largest = np.flatnonzero(areas == areas.max())
        plane = int(largest[len(largest) // 2])
        flat, side = np.moveaxis(inside, across, 0)[plane], tuple(size[axis] for axis in others)
        y, x = _heart(flat, tuple(box[axis] for axis in others), side, None)
        place = [y, x]
        place.insert(across, first[across] + plane)
        return tuple(place)
    # Padded, so that the border of the image is a rim too: a mark needs room around it.
    depth = ndimage.distance_transform_edt(np.pad(inside, 1), sampling=size)
    deepest = np.argwhere(depth == depth.max())
    # A slab is as deep everywhere along its middle: of those the one nearest to its centroid.
    away = (deepest - deepest.mean(axis=0)) * size
    chosen = deepest[np.argmin((away**2).sum(axis=1))]
    return tuple(int(d) - 1 + start for d, start in zip(chosen, first, strict=True))


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
