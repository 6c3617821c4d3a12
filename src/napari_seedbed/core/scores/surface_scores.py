"""How far the surfaces of two masks are from each other, in physical units."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.progress import check_stop
from napari_seedbed.core.scores.label_overlaps import check_pair, whole_numbers
from napari_seedbed.core.scores.surface_kernels import squared_distances, surface_of
from napari_seedbed.core.slabs import Slab, in_slabs
from napari_seedbed.core.validation import check_spacing


def surface_distances(
    truth: Any, labels: Any, spacing: float | Sequence[float] | None = None
) -> dict[str, float]:
    """Measure the distances between the surface of all objects of a truth and that of a result.

    The surface of a mask are its voxels with a face neighbour outside it; what lies beyond the
    image is outside, but an axis of length 1 has no sides. Distances are between the centres of
    such voxels, and every one counts the same. Where objects touch, there is no surface between
    them.

    Parameters
    ----------
    truth, labels : (M, N[, P]) ndarray of bool, int or float
        Masks or labels; voxels above 0 count. Where the truth is negative, nothing counts.
    spacing : sequence of float, optional
        Voxel size; 1 when None.

    Returns
    -------
    dict of float, in the unit of the spacing
        ``hausdorff_distance``: the farthest that a voxel of either surface is from the other
        surface. ``hausdorff_distance_95``: the 95th percentile of the distances from each surface
        to the other, the larger of the two. ``mean_surface_distance``: the mean over all voxels of
        both surfaces. All are 0 where both masks are empty, and infinite where one is.

    Raises
    ------
    InputError
        As `segmentation_scores`.

    References
    ----------
    Tobias Heimann et al., "Comparison and evaluation of methods for liver segmentation from CT
    datasets", IEEE Transactions on Medical Imaging 28 (2009) 1251-1265.
    """
    truth, labels = check_pair(truth, labels)
    size = check_spacing(spacing, truth.ndim)
    # Distances near 1 use the digits of a 32-bit number best.
    unit = min(size)
    steps = (1.0,) * (3 - truth.ndim) + tuple(step / unit for step in size)
    surfaces = [surface_of(mask) for mask in object_masks(truth, labels)]
    there = [bool(surface.any()) for surface in surfaces]
    if not all(there):
        return without_surface(is_in_one=any(there))
    of_truth, of_result = surfaces
    away = [
        _distances(of_truth, of_result, steps),
        _distances(of_result, of_truth, steps),
    ]
    check_stop()
    largest = max(float(distances.max()) for distances in away)
    percentile = max(float(np.percentile(distances, 95)) for distances in away)
    total = sum(float(distances.sum()) for distances in away)
    mean = total / sum(len(distances) for distances in away)
    return named_distances(largest * unit, percentile * unit, mean * unit)


def without_surface(*, is_in_one: bool) -> dict[str, float]:
    """Return the distances where one of two masks, or both, are empty."""
    far = math.inf if is_in_one else 0.0
    return named_distances(far, far, far)


def named_distances(largest: float, percentile: float, mean: float) -> dict[str, float]:
    """Return the numbers that `surface_distances` gives, by their names."""
    return {
        "hausdorff_distance": largest,
        "hausdorff_distance_95": percentile,
        "mean_surface_distance": mean,
    }


def object_masks(
    truth: NDArray[Any], labels: NDArray[Any]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return what is an object in each, as (Z, Y, X)."""
    in_truth, in_labels = np.empty(truth.shape, bool), np.empty(truth.shape, bool)

    def compare(slab: Slab) -> None:
        for name, array in (("truth", truth), ("labels", labels)):
            if array.dtype.kind == "f":
                whole_numbers(array[slab], name)
        np.greater(truth[slab], 0, out=in_truth[slab])
        np.greater(labels[slab], 0, out=in_labels[slab])
        if truth.dtype.kind in "if":
            in_labels[slab] &= truth[slab] >= 0

    in_slabs(compare, truth.shape)
    shape = (1,) * (3 - truth.ndim) + truth.shape
    return in_truth.reshape(shape), in_labels.reshape(shape)


def _distances(
    surface: NDArray[np.bool_], other: NDArray[np.bool_], steps: tuple[float, ...]
) -> NDArray[np.float64]:
    """Return how far each voxel of a surface is from the other surface."""
    squares = squared_distances(other, steps)
    parts: dict[int, NDArray[np.float64]] = {}

    def collect(slab: Slab) -> None:
        here = squares[slab][surface[slab]]
        # In the order of the slabs, so that the sum is the same whichever thread was first.
        parts[next((part.start for part in slab if part.start), 0)] = np.sqrt(here, dtype=float)

    in_slabs(collect, surface.shape)
    return np.concatenate([parts[start] for start in sorted(parts)])
