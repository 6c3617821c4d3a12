"""Objects that touch, cut apart where they are thin."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from napari_seedbed.core.filters.gaussians import gaussian
from napari_seedbed.core.library_calls import call_aside
from napari_seedbed.core.progress import check_stop
from napari_seedbed.core.regions.peaks import labelled_peaks
from napari_seedbed.core.regions.region_graphs import numbered
from napari_seedbed.core.regions.watersheds import watershed
from napari_seedbed.core.validation import check_labels, check_number, check_spacing
from napari_seedbed.errors import InputError

_ROUNDING = 1e-9
"""Sizes given as a product of voxel sizes are whole numbers of voxels but for rounding."""

_LARGE = 1 << 18
"""Voxels of an object from which on it takes long enough to be worth a thread of its own."""


def split_touching(
    labels: Any,
    depth: float = 1.0,
    spacing: float | Sequence[float] | None = None,
    *,
    sigma: float = 0.0,
    smallest: float = 0.0,
) -> NDArray[np.int32]:
    """Cut objects apart at their necks, by a watershed of the distance to their borders.

    Parameters
    ----------
    labels : ([Z, ]Y, X) array_like of int or bool
        A mask, or labelled objects, which are cut but never joined. The border of the image is no
        border of an object.
    depth : float
        In the unit of `spacing`: how much narrower than its two parts, measured from the border to
        the middle, a neck must be.
    spacing : sequence of float, optional
        Voxel size; 1 when None.
    sigma : float
        In the unit of `spacing`: standard deviation of a Gaussian that smooths the distances, so
        that rough borders make no necks.
    smallest : float
        Area (2D) or volume (3D) of the smallest object, in the unit of `spacing`: smaller pieces
        of `labels` are taken away, and what a cut would make smaller stays with its neighbours.

    Returns
    -------
    ([Z, ]Y, X) ndarray of int32
        From 1 on. Parts of a label that do not touch are objects of their own.

    Raises
    ------
    InputError
        If `labels` are no whole numbers in 2D or 3D, or a number is negative.

    References
    ----------
    Beucher S, Meyer F (1993). The morphological approach to segmentation: the watershed
    transformation. In: Mathematical Morphology in Image Processing, 433-481.
    """
    objects = check_labels(labels)
    if objects.ndim not in (2, 3):
        raise InputError(f"labels have {objects.ndim} axes; they must have 2 or 3.")
    if objects.size == 0:
        raise InputError(f"labels are empty: their shape is {objects.shape}.")
    size = check_spacing(spacing, objects.ndim)
    fall = check_number(depth, "depth")
    width, least = check_number(sigma, "sigma"), check_number(smallest, "smallest")
    voxels = least * (1 - _ROUNDING) / float(np.prod(size))
    _, territory = call_aside(partial(numbered, objects))
    if voxels:
        large = np.bincount(territory.ravel()) >= voxels
        _, territory = call_aside(partial(numbered, np.where(large[territory], territory, 0)))
    away, seeds = necks_and_seeds(territory, fall, size, width)
    parts = watershed(-away, seeds, territory, spacing=size)
    if not voxels:
        return parts
    kept = _large_parts(parts, territory, voxels)
    if kept.all():
        return parts
    renumbered = np.where(kept, np.cumsum(kept) - 1, 0).astype(np.int32)
    return watershed(-away, renumbered[seeds], territory, spacing=size)


def necks_and_seeds(
    territory: NDArray[np.int32], depth: float, spacing: tuple[float, ...], sigma: float
) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """Return how far from its border each voxel of an object is, and the middles of its parts.

    Parameters
    ----------
    territory : ([Z, ]Y, X) ndarray of int32
        Objects numbered from 1 on without gaps.
    depth, spacing, sigma
        As for `split_touching`.

    Returns
    -------
    away : ([Z, ]Y, X) ndarray of float64
    seeds : ([Z, ]Y, X) ndarray of int32
        One a part, from 1 on in the order of their first voxels.
    """
    away = inner_distances(territory, spacing)
    if sigma:
        away = np.where(territory > 0, gaussian(away, sigma, spacing), 0.0)
    return away, labelled_peaks(away, depth, territory, corners=False, highest=True)


def _large_parts(
    parts: NDArray[np.int32], territory: NDArray[np.int32], voxels: float
) -> NDArray[np.bool_]:
    """Whether each part is large enough, or the largest of its object; True for the background."""
    counts = np.bincount(parts.ravel())
    owners = np.zeros(len(counts), np.int64)
    owners[parts.ravel()] = territory.ravel()
    kept = counts >= voxels
    largest_last = np.lexsort((counts, owners))
    is_last = np.append(np.diff(owners[largest_last]) > 0, True)
    kept[largest_last[is_last]] = True
    kept[0] = True
    return kept


def inner_distances(territory: NDArray[np.int32], spacing: Sequence[float]) -> NDArray[np.float64]:
    """Return how far each voxel of an object is from the nearest that is none of it.

    Parameters
    ----------
    territory : ([Z, ]Y, X) ndarray of int32
        Objects numbered from 1 on without gaps.
    spacing : sequence of float
    """
    out = np.zeros(territory.shape, np.float64)
    boxes = call_aside(partial(ndi.find_objects, territory))
    for code, box in enumerate(boxes, start=1):
        check_stop()
        around = tuple(slice(max(0, part.start - 1), part.stop + 1) for part in box)
        mine = territory[around] == code
        if mine.all():
            out[around] = 1.0
            continue
        measure = partial(ndi.distance_transform_edt, mine, sampling=spacing)
        away = call_aside(measure) if mine.size > _LARGE else measure()
        np.copyto(out[around], away, where=mine)
    return out
