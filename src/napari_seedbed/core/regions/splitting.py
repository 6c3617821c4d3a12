"""Objects that touch, cut apart where they are thin."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from napari_seedbed.core.library_calls import call_aside
from napari_seedbed.core.progress import ShouldStop, check_stop
from napari_seedbed.core.regions.peaks import labelled_peaks
from napari_seedbed.core.regions.region_graphs import numbered
from napari_seedbed.core.regions.watersheds import watershed
from napari_seedbed.core.validation import check_labels, check_number, check_spacing
from napari_seedbed.errors import InputError

_LARGE = 1 << 18
"""Voxels of an object from which on it takes long enough to be worth a thread of its own."""


def split_touching(
    labels: Any,
    depth: float = 1.0,
    spacing: float | Sequence[float] | None = None,
    *,
    should_stop: ShouldStop | None = None,
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
    should_stop : callable, optional
        Asked many times a second; true raises `Cancelled`.

    Returns
    -------
    ([Z, ]Y, X) ndarray of int32
        From 1 on. Parts of a label that do not touch are objects of their own.

    Raises
    ------
    InputError
        If `labels` are no whole numbers in 2D or 3D, or `depth` is negative.

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
    _, territory = call_aside(partial(numbered, objects), should_stop)
    away = inner_distances(territory, size, should_stop)
    seeds = labelled_peaks(away, fall, territory, should_stop, corners=False, highest=True)
    return watershed(-away, seeds, territory, spacing=size, should_stop=should_stop)


def inner_distances(
    territory: NDArray[np.int32], spacing: Sequence[float], should_stop: ShouldStop | None
) -> NDArray[np.float64]:
    """Return how far each voxel of an object is from the nearest that is none of it.

    Parameters
    ----------
    territory : ([Z, ]Y, X) ndarray of int32
        Objects numbered from 1 on without gaps.
    spacing : sequence of float
    should_stop : callable or None
    """
    out = np.zeros(territory.shape, np.float64)
    boxes = call_aside(partial(ndi.find_objects, territory), should_stop)
    for code, box in enumerate(boxes, start=1):
        check_stop(should_stop)
        around = tuple(slice(max(0, part.start - 1), part.stop + 1) for part in box)
        mine = territory[around] == code
        if mine.all():
            out[around] = 1.0
            continue
        measure = partial(ndi.distance_transform_edt, mine, sampling=spacing)
        away = call_aside(measure, should_stop) if mine.size > _LARGE else measure()
        np.copyto(out[around], away, where=mine)
    return out
