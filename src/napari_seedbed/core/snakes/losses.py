"""When an object that is followed from frame to frame is not the same one any more."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

Contrast = tuple[float, ...]

# Nuclei that were followed well through a film changed their area by at most a fifth from one frame
# to the next, and lost ones by two fifths and more. Round objects end quickly across slices.
LARGEST_GROWTH_IN_TIME = 1 / 0.6
LARGEST_GROWTH_IN_STACK = 2.5
"""How many times larger, or smaller, an object may become from one frame to the next."""
LEAST_CONTRAST = 0.5
"""Share of the contrast on the frame before that an object must keep."""
LEAST_TO_LOSE = 0.05
"""Objects that stand out by less, where 1 is the contrast of the image, have none to lose."""
_RING = 3


def contrasts(
    image: NDArray[np.floating],
    labels: NDArray[np.integer],
    values: Sequence[int],
    channel_axis: int | None = None,
) -> dict[int, Contrast]:
    """How far the mean of each object differs from that of a ring of 3 voxels around it.

    Parameters
    ----------
    image : (M, N[, P]) ndarray of float, or (C, M, N[, P])
    labels : (M, N[, P]) ndarray of int
    values : sequence of int
        Labels to look at.
    channel_axis : int or None
        0 or None.

    Returns
    -------
    dict
        For each channel, positive for objects brighter than what is around them; other objects do
        not count as around. Labels that do not occur are left out.
    """
    channels = image[np.newaxis] if channel_axis is None else image
    found: dict[int, Contrast] = {}
    boxes = ndi.find_objects(labels)
    for value in values:
        box = boxes[value - 1] if value <= len(boxes) else None
        if box is None:
            continue
        larger = tuple(slice(max(part.start - _RING, 0), part.stop + _RING) for part in box)
        here = labels[larger]
        mask = here == value
        ring = ndi.binary_dilation(mask, iterations=_RING) & (here == 0)
        if ring.any():
            parts = channels[(slice(None), *larger)]
            found[value] = tuple(float(p[mask].mean() - p[ring].mean()) for p in parts)
    return found


def why_lost(
    size: int,
    size_before: int,
    contrast: Contrast | None,
    contrast_before: Contrast | None,
    largest_growth: float,
) -> str:
    """Say why an object counts as lost; empty when it does not.

    Parameters
    ----------
    size, size_before : int
        Voxels on this frame and the one before.
    contrast, contrast_before : tuple of float or None
        Of each channel, where known.
    largest_growth : float
        How many times larger, or smaller, it may have become.
    """
    if size == 0:
        return "nothing of it is left"
    # A contour between voxel centres, or below another one, may have had no voxel.
    if size_before and size > largest_growth * size_before:
        return f"it became {size / size_before:.1f} times larger at once"
    if size * largest_growth < size_before:
        return f"it became {size_before / size:.1f} times smaller at once"
    if contrast is None or contrast_before is None or math.hypot(*contrast_before) < LEAST_TO_LOSE:
        return ""
    # What is left along the direction of the contrast before: other colours do not make up for it.
    if np.dot(contrast, contrast_before) < LEAST_CONTRAST * np.dot(
        contrast_before, contrast_before
    ):
        return "it no longer stands out from what is around it"
    return ""
