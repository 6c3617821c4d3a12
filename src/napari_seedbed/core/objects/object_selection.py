"""Choosing which objects stay: by size, by rank, by where they lie."""

from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.objects.label_lookup import Objects, counted, kept, object_labels
from napari_seedbed.core.objects.labelling import pieces
from napari_seedbed.core.validation import check_count, check_number, check_spacing
from napari_seedbed.errors import InputError

Faces = Literal["all", "sides"]

# Sizes that are given as a product of voxel sizes are whole numbers of voxels but for rounding.
_ROUNDING = 1e-9


def remove_by_size(
    labels: Any,
    smallest: float = 0.0,
    largest: float = 0.0,
    spacing: float | Sequence[float] | None = None,
    *,
    objects: Objects = "auto",
    connectivity: int | None = None,
) -> NDArray[np.int32]:
    """Take away objects that are too small or too large.

    Parameters
    ----------
    labels : (M, N[, P]) array_like of int or bool
    smallest, largest : float
        Area (2D) or volume (3D) of the smallest and largest object that stays, in the unit of
        `spacing`; 0 sets no limit.
    spacing : sequence of float, optional
        Voxel size; 1 when None.
    objects : {'auto', 'labels', 'pieces'}
        What counts as one object: all voxels of a label, or each connected piece of it. 'auto'
        means pieces where there is a single label, as in a mask, and labels otherwise.
    connectivity : int, optional
        For pieces: in how many coordinates neighbours may differ; `ndim` when None.

    Returns
    -------
    (M, N[, P]) ndarray of int32
        What stays keeps its label.
    """
    array = object_labels(labels)
    good_sizes = size_limits(smallest, largest, check_spacing(spacing, array.ndim))
    found = pieces(array, objects, connectivity)
    values, counts = counted(found)
    return only_objects(array, found, values[good_sizes(counts)])


def size_limits(
    smallest: float, largest: float, spacing: Sequence[float]
) -> Callable[[NDArray[np.integer]], NDArray[np.bool_]]:
    """Return what says which numbers of voxels are sizes within limits, as `remove_by_size`."""
    low, high = check_number(smallest, "smallest"), check_number(largest, "largest")
    if high and low > high:
        raise InputError(f"smallest is {low:g} and largest {high:g}; nothing could stay.")
    voxel = float(np.prod(spacing))

    def within(voxels: NDArray[np.integer]) -> NDArray[np.bool_]:
        size = voxels * voxel
        good = size >= low * (1 - _ROUNDING)
        return good & (size <= high * (1 + _ROUNDING)) if high else good

    return within


def keep_largest(
    labels: Any,
    number: int = 1,
    *,
    objects: Objects = "auto",
    connectivity: int | None = None,
) -> NDArray[np.int32]:
    """Keep the largest objects; of equal ones those that come first.

    Parameters
    ----------
    labels : (M, N[, P]) array_like of int or bool
    number : int
        How many stay.
    objects, connectivity
        As in `remove_by_size`.

    Returns
    -------
    (M, N[, P]) ndarray of int32
        What stays keeps its label.
    """
    array = object_labels(labels)
    wanted = check_count(number, "number")
    found = pieces(array, objects, connectivity)
    values, counts = counted(found)
    return only_objects(array, found, values[largest_places(counts, wanted)])


def largest_places(voxels: NDArray[np.integer], number: int) -> NDArray[np.intp]:
    """Return the places, rising, of the largest of some numbers; of equal ones the first."""
    return np.sort(np.argsort(-voxels, kind="stable")[:number])


def clear_border(
    labels: Any,
    distance: float = 0.0,
    spacing: float | Sequence[float] | None = None,
    *,
    faces: Faces = "all",
    objects: Objects = "auto",
    connectivity: int | None = None,
) -> NDArray[np.int32]:
    """Take away objects that touch the border of the image.

    Parameters
    ----------
    labels : (M, N[, P]) array_like of int or bool
    distance : float
        How near to the border is too near, in the unit of `spacing`; 0 means at it.
    spacing : sequence of float, optional
        Voxel size; 1 when None.
    faces : {'all', 'sides'}
        In a volume, 'sides' leaves objects alone that touch only its first or last slice.
    objects, connectivity
        As in `remove_by_size`.

    Returns
    -------
    (M, N[, P]) ndarray of int32
        What stays keeps its label. Along an axis of one voxel there is no border.
    """
    array = object_labels(labels)
    widths = border_widths(array.shape, distance, check_spacing(spacing, array.ndim), faces)
    found = pieces(array, objects, connectivity)
    touching = [np.empty(0, np.int32)]
    for axis, (length, wide) in enumerate(zip(array.shape, widths, strict=True)):
        lead = (slice(None),) * axis
        touching.append(np.unique(found[(*lead, slice(None, wide))]))
        touching.append(np.unique(found[(*lead, slice(length - wide, None))]))
    values, _ = counted(found)
    return only_objects(array, found, np.setdiff1d(values, np.concatenate(touching)))


def border_widths(
    shape: Sequence[int], distance: float, spacing: Sequence[float], faces: Faces
) -> list[int]:
    """Return how many voxels along each axis are too near to the border, as for `clear_border`."""
    reach = check_number(distance, "distance")
    if faces not in ("all", "sides"):
        raise InputError(f"faces is {faces!r}; it must be all or sides.")
    widths = []
    for axis, (length, step) in enumerate(zip(shape, spacing, strict=True)):
        # A slice is not border all over.
        is_no_border = length == 1 or (faces == "sides" and len(shape) == 3 and axis == 0)
        near = min(length, 1 + int(reach / step * (1 + _ROUNDING)))
        widths.append(0 if is_no_border else near)
    return widths


def only_objects(
    labels: NDArray[np.int32], objects: NDArray[np.int32], stay: NDArray[np.integer]
) -> NDArray[np.int32]:
    """Return the labels of the voxels whose object stays.

    Parameters
    ----------
    labels : (…) ndarray of int32
    objects : (…) ndarray of int32
        The object that each voxel belongs to.
    stay : (K,) ndarray of int
        Objects, rising.
    """
    return np.where(kept(objects, stay) > 0, labels, 0).astype(np.int32, copy=False)
