"""Cells grown from their nuclei, each with the number of its nucleus."""

import math
from collections.abc import Sequence
from functools import partial
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.filters.gaussians import gaussian
from napari_seedbed.core.library_calls import call_aside
from napari_seedbed.core.magnitudes import moderate
from napari_seedbed.core.objects.label_lookup import kept, object_boxes
from napari_seedbed.core.objects.smoothed_labels import expand_labels
from napari_seedbed.core.progress import check_stop
from napari_seedbed.core.regions.watersheds import watershed
from napari_seedbed.core.thresholds.automatic_thresholds import automatic_threshold
from napari_seedbed.core.thresholds.histograms import image_histogram
from napari_seedbed.core.validation import (
    check_image,
    check_number,
    check_small_labels,
    check_spacing,
)
from napari_seedbed.errors import InputError

Labels = NDArray[np.int32]
Stain = Literal["membrane", "cytoplasm"]
Background = Literal["automatic", "none"]

_WIDTHS = 3.0
"""So many nuclei side by side are as long as a cell reaches from its nucleus, or longer: where
nuclei are half as wide as their cells, corners of cells lie two or three widths away."""


def cells_from_nuclei(
    image: Any,
    nuclei: Any,
    stain: Stain = "membrane",
    sigma: float = 1.0,
    distance: float = 0.0,
    threshold: float = 0.0,
    spacing: float | Sequence[float] | None = None,
    *,
    background: Background = "automatic",
    mask: Any = None,
) -> Labels:
    """Grow each nucleus to its cell, by an image of membranes or of cytoplasm.

    Parameters
    ----------
    image : ([Z, ]Y, X) array_like
    nuclei : ([Z, ]Y, X) array_like of int
        A label a nucleus. Negative ones are left out and never crossed.
    stain : {'membrane', 'cytoplasm'}
        What is bright: cells then meet on bright lines, or on dark ones.
    sigma : float
        Standard deviation of the Gaussian that smooths first, in the unit of `spacing`.
    distance : float
        How far a cell reaches from its nucleus at most, in the unit of `spacing`; 0 sets no limit.
    threshold : float
        Voxels that are darker than this after smoothing belong to no cell; 0 leaves that to
        `background`.
    spacing : sequence of float, optional
        Voxel size; 1 when None.
    background : {'automatic', 'none'}
        What belongs to no cell where no threshold is given. Automatic: of cytoplasm, what is
        darker than Li's threshold of the smoothed image; of membranes, what is far from all nuclei,
        and what joins it up to the membranes. Far is three widths of a nucleus, or where that is
        more the distance from one nucleus to the next; both are medians.
    mask : ([Z, ]Y, X) array_like of bool, optional
        Where cells grow.

    Returns
    -------
    ([Z, ]Y, X) ndarray of int32
        Cells with the numbers of their nuclei. All of a nucleus is in its cell, also where the
        threshold or the mask leaves it out; each other part of a cell is joined to it.

    Raises
    ------
    InputError
        If there are no nuclei, shapes do not fit, or a number makes no sense.

    References
    ----------
    Beucher S, Meyer F (1993). The morphological approach to segmentation: the watershed
    transformation. In: Mathematical Morphology in Image Processing, 433-481.
    Li CH, Tam PKS (1998). An iterative algorithm for minimum cross entropy thresholding. Pattern
    Recognition Letters 19(8), 771-776.
    """
    if stain not in ("membrane", "cytoplasm"):
        raise InputError(f"stain is {stain!r}; it must be 'membrane' or 'cytoplasm'.")
    if background not in ("automatic", "none"):
        raise InputError(f"background is {background!r}; it must be 'automatic' or 'none'.")
    values = check_image(image, ndim=(2, 3))
    size = check_spacing(spacing, values.ndim)
    marks = check_small_labels(nuclei, values.shape, "nuclei")
    if not (marks > 0).any():
        raise InputError("nuclei: there are none; give labels with at least one above 0.")
    reach = check_number(distance, "distance")
    least = check_number(threshold, "threshold")
    inside = np.ones(values.shape, bool)
    if mask is not None:
        inside = check_small_labels(mask, values.shape, "mask") > 0

    moderated, exponent = moderate(values)
    smooth = gaussian(moderated, sigma, size)
    is_automatic = background == "automatic" and least == 0
    if least > 0:
        with np.errstate(over="ignore"):
            inside &= smooth >= np.ldexp(least, -exponent)
    elif is_automatic and stain == "cytoplasm":
        inside &= smooth >= _least_of_cells(smooth)
    near = None
    if reach > 0:
        near = call_aside(partial(expand_labels, marks, reach, size))
        inside &= near > 0
    inside |= marks > 0
    if is_automatic and stain == "membrane":
        cells = _parted_from_far_places(smooth, marks, inside, size)
    else:
        heights = smooth if stain == "membrane" else -smooth
        cells = np.maximum(watershed(heights, marks, inside, spacing=size), 0)
    if near is not None:
        _cut_what_is_far(cells, marks, near, reach, size)
    return cells


def _least_of_cells(smooth: NDArray[np.floating]) -> float:
    """What cytoplasm has at least; of an image without contrast, everything."""
    histogram = image_histogram(smooth)
    return -np.inf if histogram.is_constant else automatic_threshold(histogram, "li")


def _parted_from_far_places(
    smooth: NDArray[np.floating],
    nuclei: Labels,
    inside: NDArray[np.bool_],
    spacing: Sequence[float],
) -> Labels:
    """Cells, and 0 for what grew from places that are far from all nuclei."""
    numbers, voxels = np.unique(nuclei[nuclei > 0], return_counts=True)
    reach = call_aside(partial(_longest_reach, nuclei, voxels, spacing))
    near = call_aside(partial(expand_labels, nuclei, reach, spacing))
    nobody = int(np.setdiff1d(np.arange(1, len(numbers) + 2), numbers)[0])
    markers = np.where(inside & (near == 0) & (nuclei == 0), np.int32(nobody), nuclei)
    grown = np.maximum(watershed(smooth, markers, inside, spacing=spacing), 0)
    return np.where(grown == nobody, np.int32(0), grown)


def _longest_reach(nuclei: Labels, voxels: NDArray[np.integer], spacing: Sequence[float]) -> float:
    """How far cells reach at most: some widths of a nucleus, or to the next nucleus.

    The latter is longer where nuclei are single points.
    """
    from scipy.spatial import KDTree

    typical = float(np.median(voxels)) * math.prod(spacing)
    flat = 2 * math.sqrt(typical / math.pi)
    width = flat if nuclei.ndim == 2 else math.cbrt(6 * typical / math.pi)
    boxes = object_boxes(np.maximum(nuclei, 0)).values()
    middles = [[(side.start + side.stop) / 2 for side in box] for box in boxes]
    if len(middles) == 1:
        return _WIDTHS * width
    places = np.multiply(middles, spacing)
    return max(_WIDTHS * width, float(np.median(KDTree(places).query(places, 2)[0][:, 1])))


def _cut_what_is_far(
    cells: Labels, nuclei: Labels, near: Labels, distance: float, spacing: Sequence[float]
) -> None:
    """Take from cells what is too far from their own nucleus, or no longer joined to it.

    `near` has the nearest nucleus of each voxel: only cells that hold a voxel which is nearer to
    another nucleus can reach too far.
    """
    from scipy.ndimage import binary_propagation

    def suspect_boxes() -> dict[int, tuple[slice, ...]]:
        suspects = np.unique(cells[(cells > 0) & (cells != near)])
        return object_boxes(kept(cells, suspects))

    for number, box in call_aside(suspect_boxes).items():
        check_stop()
        mine, nucleus = cells[box] == number, nuclei[box] == number
        within = mine & (expand_labels(nucleus, distance, spacing) > 0)
        if (within != mine).any():
            joined = binary_propagation(nucleus, mask=within)
            cells[box][mine & ~joined] = 0
