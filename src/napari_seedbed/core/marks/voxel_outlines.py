"""Outlines of labels along the sides of their voxels: what they enclose is what was labelled."""

from typing import Any

import numpy as np
from scipy import ndimage as ndi

from napari_seedbed.core.marks.polygon_rings import Floats, Polygon, loops, signed_area
from napari_seedbed.core.progress import check_stop
from napari_seedbed.core.validation import check_labels
from napari_seedbed.errors import InputError


def voxel_outlines(labels: Any) -> list[tuple[int, list[Polygon]]]:
    """Trace each object of a slice along the sides of its voxels.

    Parameters
    ----------
    labels : (M, N) array_like of int
        Labels below 1 have no outline.

    Returns
    -------
    list of (label, polygons)
        In ascending order of the labels, a polygon for each part; voxels that touch by a corner
        only are separate parts. A polygon is its outer ring and its holes, in voxel coordinates:
        a corner of a voxel lies half a voxel from its middle. The area of a polygon is the number
        of its voxels. No ring crosses or touches itself.

    Raises
    ------
    InputError
        If `labels` are not whole numbers in 2D.
    """
    objects = check_labels(labels)
    if objects.ndim != 2:
        raise InputError(
            f"labels have {objects.ndim} axes (shape {objects.shape}); outlines need a 2D image."
        )
    # Consecutive numbers: one label of 2e9 would make the list of boxes as long.
    values, dense = np.unique(objects, return_inverse=True)
    dense = dense.reshape(objects.shape) + 1
    found = []
    for number, (value, box) in enumerate(
        zip(values.tolist(), ndi.find_objects(dense), strict=True)
    ):
        check_stop()
        if value < 1:
            continue
        parts, count = ndi.label(dense[box] == number + 1)
        corner = np.array([box[0].start, box[1].start], float)
        polygons = [
            _polygon(parts[place] == part, corner + np.array([place[0].start, place[1].start]))
            for part, place in enumerate(ndi.find_objects(parts, count), start=1)
        ]
        found.append((value, polygons))
    return found


def _polygon(part: Any, corner: Floats) -> Polygon:
    """The rings around voxels that hang together by their sides, the outer one first."""
    from skimage.measure import find_contours

    lines = find_contours(
        np.pad(part, 1).astype(float), 0.5, fully_connected="low", positive_orientation="high"
    )
    # A line of marching squares meets each side of a voxel in its middle; between two of them it
    # runs around one corner.
    rings = [
        loop + corner - 1
        for line in lines
        for loop in loops(_corners(np.floor((line[1:] + line[:-1]) / 2) + 0.5))
    ]
    return tuple(sorted(rings, key=signed_area, reverse=True))


def _corners(ring: Floats) -> Floats:
    """Leave out the points of a ring on straight lines."""
    before, after = ring - np.roll(ring, 1, axis=0), np.roll(ring, -1, axis=0) - ring
    return ring[(before != after).any(axis=1)]
