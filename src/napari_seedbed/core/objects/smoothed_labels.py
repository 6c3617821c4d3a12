"""Opening, closing, shrinking and growing objects, each on its own: none merge."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from napari_seedbed.core.filters.flat_morphology import maximum, minimum
from napari_seedbed.core.objects.label_lookup import object_boxes, object_labels
from napari_seedbed.core.progress import check_stop
from napari_seedbed.core.validation import check_number, check_spacing
from napari_seedbed.errors import InputError

LabelMorphology = Literal["opening", "closing", "erosion"]

_ROUNDING = 1e-6


def label_morphology(
    labels: Any,
    kind: LabelMorphology,
    radius: float,
    spacing: float | Sequence[float] | None = None,
) -> NDArray[np.int32]:
    """Smooth the objects of a label image with a ball, each on its own.

    Parameters
    ----------
    labels : (M, N[, P]) array_like of int or bool
    kind : {'opening', 'closing', 'erosion'}
        An opening takes away from each object what the ball does not fit into, a closing adds to
        it the background that a ball beside it does not reach, an erosion takes away what is nearer
        than the radius to anything else.
    radius : float
        In the unit of `spacing`.
    spacing : sequence of float, optional
        Voxel size; 1 when None.

    Returns
    -------
    (M, N[, P]) ndarray of int32
        Objects never grow into each other: background that several would close goes to the nearest,
        of equally near ones to the lowest label. What lies outside the image does not count.

    Raises
    ------
    InputError
        If the radius is negative or the kind unknown.
    """
    array = object_labels(labels)
    size = check_spacing(spacing, array.ndim)
    reach = check_number(radius, "radius")
    if kind not in ("opening", "closing", "erosion"):
        raise InputError(f"kind is {kind!r}; it must be opening, closing or erosion.")
    if kind == "closing":
        return _closed(array, reach, size)
    low = minimum(array, reach, size)
    high = maximum(array, reach, size)
    eroded = np.where(low == high, array, 0).astype(np.int32, copy=False)
    if kind == "erosion":
        return eroded
    # A ball around what is left of an object lies within the object, so balls of others are apart.
    return maximum(eroded, reach, size)


def _closed(
    labels: NDArray[np.int32], radius: float, spacing: tuple[float, ...]
) -> NDArray[np.int32]:
    out = labels.copy()
    limit = radius * (1 + _ROUNDING)
    margin = [int(limit / step) for step in spacing]
    if not any(margin):
        return out
    nearest = np.full(labels.shape, np.inf, np.float32)
    for number, box in object_boxes(labels).items():
        check_stop()
        wide, inner = [], []
        for part, more, length in zip(box, margin, labels.shape, strict=True):
            start = max(0, part.start - more)
            wide.append(slice(start, min(length, part.stop + more)))
            inner.append(slice(part.start - start, part.stop - start))
        away = ndi.distance_transform_edt(labels[tuple(wide)] != number, spacing)
        far = away > limit
        core = tuple(inner)
        if not far.any():
            closed = np.ones(away[core].shape, bool)
        else:
            closed = ndi.distance_transform_edt(~far, spacing)[core] > limit
        distance = away[core].astype(np.float32)
        take = closed & (labels[box] == 0) & (distance < nearest[box])
        out[box][take] = number
        nearest[box][take] = distance[take]
    return out


def expand_labels(
    label_image: Any,
    distance: float = 1.0,
    spacing: float | Sequence[float] | None = None,
) -> NDArray[np.int32]:
    """Grow objects into the background around them until they meet.

    Parameters
    ----------
    label_image : (M, N[, P]) array_like of int or bool
    distance : float
        How far they grow, in the unit of `spacing`, from centre to centre of voxels.
    spacing : sequence of float, optional
        Voxel size; 1 when None.

    Returns
    -------
    (M, N[, P]) ndarray of int32
        As ``skimage.segmentation.expand_labels``: each voxel within the distance has the label of
        the nearest object.
    """
    from skimage import segmentation

    array = object_labels(label_image, "label_image")
    size = check_spacing(spacing, array.ndim)
    reach = check_number(distance, "distance")
    if not array.any():
        return array.copy()
    found: NDArray[np.int32] = segmentation.expand_labels(array, reach * (1 + _ROUNDING), size)
    return found
