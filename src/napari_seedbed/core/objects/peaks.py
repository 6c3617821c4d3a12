"""Local maxima: where an image is brighter than all around."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from napari_seedbed.core.filters.flat_morphology import maximum
from napari_seedbed.core.filters.local_filters import ordered_image
from napari_seedbed.core.objects.labelling import label
from napari_seedbed.core.progress import check_stop
from napari_seedbed.core.validation import check_number, check_spacing
from napari_seedbed.errors import InputError

ThresholdKind = Literal["share", "intensity"]


def local_maxima(
    image: Any,
    distance: float = 1.0,
    threshold: float = 0.2,
    spacing: float | Sequence[float] | None = None,
    *,
    threshold_kind: ThresholdKind = "share",
    dark: bool = False,
    border: float = 0.0,
) -> tuple[NDArray[np.float64], dict[str, NDArray[Any]]]:
    """Find the voxels that are brighter than all others within a distance.

    Parameters
    ----------
    image : ([Z, ]Y, X) array_like
    distance : float
        Of maxima that are no farther apart only the brighter stays (of equal ones the first), in
        the unit of `spacing`.
    threshold : float
        How bright a maximum must be: more than this.
    spacing : sequence of float, optional
        Voxel size; 1 when None.
    threshold_kind : {'share', 'intensity'}
        Whether `threshold` is a share, from 0 to 1, of the image's range from its smallest to its
        largest value, or one of its intensities.
    dark : bool
        Find minima, below the threshold (counted from the largest value, if a share).
    border : float
        Leave out what is nearer to the border of the image than this.

    Returns
    -------
    points : (K, D) ndarray
        Voxel coordinates, the brightest first. Of a plateau the voxel nearest to its middle; an
        image of one value has none.
    columns : dict
        ``value``: the intensity there.
    """
    array: NDArray[Any] = ordered_image(image)
    if array.ndim not in (2, 3):
        raise InputError(f"image has {array.ndim} axes; it must have 2 or 3.")
    size = check_spacing(spacing, array.ndim)
    reach, edge = check_number(distance, "distance"), check_number(border, "border")
    low, high = float(array.min()), float(array.max())
    level = maxima_level(threshold, threshold_kind, low, high, dark=dark)
    if low == high:
        return np.zeros((0, array.ndim)), {"value": array.ravel()[:0].astype(np.float64)}
    peaks = peak_voxels(array, reach, level, size, dark=dark)
    check_stop()
    points = _middles(peaks)
    values = array[tuple(points.T)].astype(np.float64)
    return chosen_maxima(points, values, array.shape, reach, size, dark=dark, border=edge)


def peak_voxels(
    image: NDArray[Any], distance: float, level: float, spacing: tuple[float, ...], *, dark: bool
) -> NDArray[np.bool_]:
    """Return which voxels are beyond a level and no less than all others within a distance."""
    work = _turned(image) if dark else image
    # At the least voxels that share a face, edge or corner are compared.
    around = maximum(work, 1.0, 1.0, window="box")
    if distance > min(spacing):
        np.maximum(around, maximum(work, distance, spacing), out=around)
    peaks: NDArray[np.bool_] = work == around
    peaks &= image < level if dark else image > level
    return peaks


def chosen_maxima(
    points: NDArray[np.int64],
    values: NDArray[np.float64],
    shape: Sequence[int],
    distance: float,
    spacing: tuple[float, ...],
    *,
    dark: bool,
    border: float,
) -> tuple[NDArray[np.float64], dict[str, NDArray[Any]]]:
    """Return what `local_maxima` does, from the middles of all plateaus (K, D) and their values."""
    order = np.lexsort((*points.T[::-1], values if dark else -values))
    points, values = points[order], values[order]
    inside = np.ones(len(points), bool)
    for axis, (length, step) in enumerate(zip(shape, spacing, strict=True)):
        if length > 1:
            away = np.minimum(points[:, axis], length - 1 - points[:, axis]) * step
            inside &= away >= border * (1 - 1e-9)
    points, values = points[inside], values[inside]
    kept = _apart(points * np.array(spacing), distance)
    return points[kept].astype(np.float64), {"value": values[kept]}


def maxima_level(threshold: Any, kind: str, low: float, high: float, *, dark: bool) -> float:
    """Return the intensity that maxima must exceed in an image from `low` to `high`."""
    if kind not in ("share", "intensity"):
        raise InputError(f"threshold_kind is {kind!r}; it must be share or intensity.")
    if kind == "intensity":
        try:
            level = float(threshold)
        except (TypeError, ValueError):
            level = np.nan
        if not np.isfinite(level):
            raise InputError(f"threshold must be a number; got {threshold!r}.")
        return level
    share = check_number(threshold, "threshold")
    if share > 1:
        raise InputError(f"threshold is {share:g}; a share must be from 0 to 1.")
    return high - share * (high - low) if dark else low + share * (high - low)


def _turned(array: NDArray[Any]) -> NDArray[Any]:
    """The image with bright and dark exchanged, in its own type."""
    if array.dtype.kind == "f":
        return -array
    # All bits turned is the largest value less this one, or minus one less it: order turns round.
    return ~array


def _middles(peaks: NDArray[np.bool_]) -> NDArray[np.int64]:
    """One voxel of each plateau, the nearest to its middle."""
    found = label(peaks)
    assert isinstance(found, np.ndarray)
    places = np.argwhere(peaks)
    if not len(places):
        return places
    number = found[tuple(places.T)] - 1
    counts = np.bincount(number)
    if counts.max() == 1:
        return places
    middle = np.stack([np.bincount(number, axis) / counts for axis in places.T], axis=1)
    return places[nearest_places(places, number, middle)]


def nearest_places(
    places: NDArray[np.int64], number: NDArray[np.integer], middle: NDArray[np.float64]
) -> NDArray[np.intp]:
    """Return which voxel of each plateau is the nearest to its middle, the first of equal ones.

    Parameters
    ----------
    places : (N, D) ndarray of int
        Voxels of all plateaus, in order.
    number : (N,) ndarray of int
        The plateau, from 0 on, that each belongs to.
    middle : (K, D) ndarray

    Returns
    -------
    ndarray of int
        Places in the list of voxels, one for each plateau that has some, rising.
    """
    away = ((places - middle[number]) ** 2).sum(axis=1)
    order = np.lexsort((np.arange(len(number)), away, number))
    first = np.unique(number[order], return_index=True)[1]
    return order[first]


def _apart(places: NDArray[np.float64], distance: float) -> NDArray[np.bool_]:
    """Which of some places stay when each takes away those after it that are too near."""
    kept = np.ones(len(places), bool)
    if distance <= 0 or len(places) < 2:
        return kept
    pairs = cKDTree(places).query_pairs(distance * (1 + 1e-9), output_type="ndarray")
    pairs.sort(axis=1)
    for first, second in pairs[np.lexsort(pairs.T[::-1])].tolist():
        if kept[first]:
            kept[second] = False
    return kept
