"""When an object that is followed from frame to frame is not the same one any more."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

LARGEST_GROWTH = 2.5
"""How many times larger, or smaller, an object may become from one frame to the next."""
LEAST_CONTRAST = 0.25
"""Share of the contrast of its first frame that an object must keep."""
_RING = 3


def contrasts(
    image: NDArray[np.floating], labels: NDArray[np.integer], values: Sequence[int]
) -> dict[int, float]:
    """How far the mean of each object differs from that of a ring of 3 voxels around it.

    Parameters
    ----------
    image : (M, N[, P]) ndarray of float
    labels : ndarray of int, of the same shape
    values : sequence of int
        Labels to look at.

    Returns
    -------
    dict
        Positive for objects brighter than what is around them; other objects do not count as
        around. Labels that do not occur are left out.
    """
    found: dict[int, float] = {}
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
            part = image[larger]
            found[value] = float(part[mask].mean() - part[ring].mean())
    return found


def why_lost(size: int, size_before: int, contrast: float | None, first: float | None) -> str:
    """Say why an object counts as lost; empty when it does not.

    Parameters
    ----------
    size, size_before : int
        Voxels on this frame and the one before.
    contrast, first : float or None
        On this frame and on the first one, where known.
    """
    if size == 0:
        return "it shrank to nothing"
    if size > LARGEST_GROWTH * size_before:
        return f"it became {size / size_before:.1f} times larger at once"
    if size * LARGEST_GROWTH < size_before:
        return f"it became {size_before / size:.1f} times smaller at once"
    if contrast is not None and first is not None and abs(first) > 0:
        share = contrast / first
        if share < LEAST_CONTRAST:
            return "it no longer stands out from what is around it"
    return ""
