"""Giving objects their labels: connected pieces, numbers in order, objects joined."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from napari_seedbed.core.objects.label_lookup import (
    Objects,
    check_connectivity,
    counted,
    neighbour_pairs,
    object_labels,
    renumbered,
)
from napari_seedbed.core.progress import check_stop
from napari_seedbed.core.validation import check_count, check_number, check_spacing
from napari_seedbed.errors import InputError

SortKey = Literal["size", "z", "y", "x"]

# Centres of voxels that are one length apart are so but for rounding.
_ROUNDING = 1e-6


def label(
    label_image: Any,
    background: int | None = None,
    return_num: bool = False,
    connectivity: int | None = None,
) -> NDArray[np.int32] | tuple[NDArray[np.int32], int]:
    """Give each connected piece of equal value a label of its own.

    Parameters
    ----------
    label_image : (M, N[, P]) array_like of int or bool
    background : int, optional
        Value that is no object, as in scikit-image; all below 1 when None.
    return_num : bool
        Also return the number of pieces.
    connectivity : int, optional
        In how many coordinates neighbours may differ: 1 joins voxels that share a face, `ndim`
        (when None) also those that share a corner.

    Returns
    -------
    labels : (M, N[, P]) ndarray of int32
        1, 2, … in the order of their first voxels, whatever the type of the image: 70,000 pieces
        of an image of 16 bits get 70,000 labels.
    num : int
        With `return_num`.

    Raises
    ------
    InputError
        If the image is empty, holds no whole numbers, or has not 2 or 3 axes.
    """
    from skimage.measure import label as label_values

    array = np.asarray(label_image)
    if array.dtype.kind not in "iub":
        raise InputError(
            f"label_image has the type {array.dtype}; it must be a mask or hold whole numbers."
        )
    if array.ndim not in (2, 3) or array.size == 0:
        raise InputError(
            f"label_image has the shape {array.shape}; it must have 2 or 3 axes and not be empty."
        )
    steps = check_connectivity(connectivity, array.ndim)
    if array.dtype.kind == "b" and not background:
        # int32 for any number of pieces that fits memory.
        structure = ndi.generate_binary_structure(array.ndim, steps)
        found, number = ndi.label(array, structure)
    else:
        native = array.astype(array.dtype.newbyteorder("="), copy=False)
        if background is None and array.dtype.kind == "i":
            native = np.maximum(native, 0)
        found, number = label_values(native, background, True, steps)
    found = found.astype(np.int32, copy=False)
    return (found, int(number)) if return_num else found


def pieces(
    labels: NDArray[np.int32], objects: Objects = "auto", connectivity: int | None = None
) -> NDArray[np.int32]:
    """Return an image in which each object, whatever is meant by that, has a label of its own."""
    if objects not in ("auto", "labels", "pieces"):
        raise InputError(f"objects is {objects!r}; it must be auto, labels or pieces.")
    single = not np.any((labels != labels.max()) & (labels != 0))
    if objects == "labels" or (objects == "auto" and not single):
        return labels
    # Masks are labelled several times as fast.
    found = label(labels > 0 if single else labels, connectivity=connectivity)
    assert isinstance(found, np.ndarray)
    return found


def count(labels: Any, *, objects: Objects = "auto", connectivity: int | None = None) -> int:
    """Count the objects of a label image or mask.

    Parameters
    ----------
    labels : (M, N[, P]) array_like of int or bool
    objects : {'auto', 'labels', 'pieces'}
        What counts as one object: all voxels of a label, or each connected piece of it. 'auto'
        means pieces where there is a single label, as in a mask, and labels otherwise.
    connectivity : int, optional
        For pieces, as in `label`.
    """
    return len(counted(pieces(object_labels(labels), objects, connectivity))[0])


def relabel_sequential(labels: Any, start: int = 1) -> NDArray[np.int32]:
    """Number the labels of an image without gaps; their order stays.

    Parameters
    ----------
    labels : (M, N[, P]) array_like of int
    start : int
        Label of the first object, above 0.

    Returns
    -------
    (M, N[, P]) ndarray of int32
    """
    array = object_labels(labels)
    if check_count(start, "start") < 1:
        raise InputError(f"start is {start!r}; it must be 1 or more.")
    values, _ = counted(array)
    return renumbered(array, values, np.arange(start, start + len(values)))


def sort_labels(
    labels: Any, by: SortKey = "size", *, descending: bool = False
) -> NDArray[np.int32]:
    """Number the labels of an image by the size or the place of their objects.

    Parameters
    ----------
    labels : (M, N[, P]) array_like of int
    by : {'size', 'z', 'y', 'x'}
        Number of voxels, or coordinate of the centre of mass along an axis.
    descending : bool
        Whether the largest gets label 1. Of equal ones the lower label stays the lower.

    Returns
    -------
    (M, N[, P]) ndarray of int32
        Labels 1, 2, … without gaps.
    """
    array = object_labels(labels)
    axis = sort_axis(by, array.ndim)
    values, counts = counted(array)
    if not len(values):
        return array.copy()
    key = counts.astype(float)
    if axis is not None:
        where = np.flatnonzero(array)
        number = np.searchsorted(values, array.ravel()[where])
        place = np.unravel_index(where, array.shape)[axis]
        key = np.bincount(number, weights=place) / counts
    return renumbered(array, values, ranks(key, descending=descending))


def sort_axis(by: SortKey, ndim: int) -> int | None:
    """Return the axis whose coordinate `sort_labels` sorts by, None for the size."""
    axes = ("z", "y", "x")[-ndim:]
    if by != "size" and by not in axes:
        raise InputError(f"by is {by!r}; it must be size, {' or '.join(axes)}.")
    return None if by == "size" else axes.index(by)


def ranks(key: NDArray[np.floating], *, descending: bool) -> NDArray[np.int64]:
    """Return the place, from 1 on, that each number takes when they are sorted."""
    order = np.argsort(-key if descending else key, kind="stable")
    found = np.empty(len(key), np.int64)
    found[order] = np.arange(1, len(key) + 1)
    return found


def join_labels(
    labels: Any,
    distance: float = 0.0,
    spacing: float | Sequence[float] | None = None,
    *,
    connectivity: int | None = None,
) -> NDArray[np.int32]:
    """Give objects that touch or nearly touch one label: the lowest that they had.

    Parameters
    ----------
    labels : (M, N[, P]) array_like of int
    distance : float
        Objects are joined whose nearest voxels' centres are no farther apart than this, in the
        unit of `spacing`; those that touch always are.
    spacing : sequence of float, optional
        Voxel size; 1 when None.
    connectivity : int, optional
        In how many coordinates voxels that touch may differ; `ndim` when None.

    Returns
    -------
    (M, N[, P]) ndarray of int32
    """
    array = object_labels(labels)
    size = check_spacing(spacing, array.ndim)
    reach = check_number(distance, "distance")
    steps = check_connectivity(connectivity, array.ndim)
    values, _ = counted(array)
    if len(values) < 2:
        return array.copy()
    pairs = linked_labels(array, values, reach, size, steps)
    return renumbered(array, values, lowest_of_linked(values, pairs))


def linked_labels(
    labels: NDArray[np.int32],
    values: NDArray[np.int32],
    distance: float,
    spacing: tuple[float, ...],
    connectivity: int,
) -> NDArray[np.int64]:
    """Return pairs of labels that are near each other, but for pairs that others link.

    Parameters
    ----------
    labels : (M, N[, P]) ndarray of int32
    values : (K,) ndarray of int32
        Its labels above 0, rising.
    distance, spacing, connectivity
        As for `join_labels`.

    Returns
    -------
    (N, 2) ndarray of int
        Places in `values`.
    """
    flat = labels.ravel()
    first, second = neighbour_pairs(labels, connectivity)
    pairs = _different(values, flat[first], flat[second])
    if distance > 0:
        check_stop()
        pairs = np.vstack([pairs, _near(labels, values, distance, spacing)])
    return pairs


def lowest_of_linked(values: NDArray[np.integer], pairs: NDArray[np.int64]) -> NDArray[np.integer]:
    """Return the lowest label, for each of some, of all that pairs (places in them) link it to."""
    group = linked_groups(len(values), pairs)
    lowest = np.full(len(values), np.iinfo(values.dtype).max, values.dtype)
    np.minimum.at(lowest, group, values)
    return lowest[group]


def linked_groups(count: int, pairs: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return, from 0 on, which group each of so many things is in that pairs (N, 2) link."""
    graph = coo_array((np.ones(len(pairs), np.int8), pairs.T), (count, count))
    _, group = connected_components(graph, directed=False)
    return np.asarray(group, np.int64)


def _different(
    values: NDArray[np.int32], first: NDArray[np.int32], second: NDArray[np.int32]
) -> NDArray[np.int64]:
    """Pairs of the labels' positions among `values`, (N, 2), each once."""
    number = len(values)
    a, b = np.searchsorted(values, first), np.searchsorted(values, second)
    codes = np.unique(np.minimum(a, b) * number + np.maximum(a, b))
    return np.stack([codes // number, codes % number], axis=1)


def _near(
    labels: NDArray[np.int32],
    values: NDArray[np.int32],
    distance: float,
    spacing: tuple[float, ...],
) -> NDArray[np.int64]:
    """Pairs of objects no farther apart than a distance, but for pairs that others link.

    On the way between two near objects every voxel has an object within half of the distance, and
    where the nearest one changes the two are as near: so only objects whose zones touch count.
    """
    limit = distance * (1 + _ROUNDING)
    away, nearest = ndi.distance_transform_edt(labels == 0, spacing, return_indices=True)
    check_stop()
    zones = labels[tuple(nearest)]
    zones[away > limit / 2 + float(np.linalg.norm(spacing))] = 0
    first, second = neighbour_pairs(zones, labels.ndim)
    flat = zones.ravel()
    pairs = _different(values, flat[first], flat[second])
    surfaces = _surfaces(labels, values, spacing)
    trees: dict[int, cKDTree] = {}
    found = []
    for a, b in pairs.tolist():
        check_stop()
        if len(surfaces[a]) > len(surfaces[b]):
            a, b = b, a
        if b not in trees:
            trees[b] = cKDTree(surfaces[b])
        gap, _ = trees[b].query(surfaces[a], distance_upper_bound=limit)
        if np.isfinite(gap).any():
            found.append((a, b))
    return np.array(found, np.int64).reshape(-1, 2)


def _surfaces(
    labels: NDArray[np.int32], values: NDArray[np.int32], spacing: tuple[float, ...]
) -> list[NDArray[np.float64]]:
    """Places of the voxels of each object that have a face to something else."""
    from skimage.segmentation import find_boundaries

    where = np.flatnonzero(find_boundaries(labels, mode="inner"))
    number = np.searchsorted(values, labels.ravel()[where])
    order = np.argsort(number, kind="stable")
    places = np.stack(np.unravel_index(where[order], labels.shape), axis=1) * np.array(spacing)
    return np.split(places, np.searchsorted(number[order], np.arange(1, len(values))))
