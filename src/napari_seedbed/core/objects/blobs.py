"""Blobs: round bright or dark things of any size within bounds.

References
----------
Lindeberg T (1998). Feature detection with automatic scale selection. International Journal of
Computer Vision 30(2), 79-116.
Lowe DG (2004). Distinctive image features from scale-invariant keypoints. International Journal of
Computer Vision 60(2), 91-110.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from napari_seedbed.core.filters.local_filters import float_image
from napari_seedbed.core.magnitudes import moderate, restored
from napari_seedbed.core.objects.blob_scales import BlobMethod, peaks_in_scales
from napari_seedbed.core.objects.peaks import ThresholdKind
from napari_seedbed.core.progress import check_stop
from napari_seedbed.core.validation import check_number, check_spacing
from napari_seedbed.errors import InputError

SCALE_STEP = 2**0.25
"""Ratio of one scale to the next."""


def find_blobs(
    image: Any,
    smallest: float,
    largest: float,
    threshold: float = 0.2,
    spacing: float | Sequence[float] | None = None,
    *,
    method: BlobMethod = "log",
    threshold_kind: ThresholdKind = "share",
    dark: bool = False,
    overlap: float = 0.5,
) -> tuple[NDArray[np.float64], dict[str, NDArray[Any]]]:
    """Find round things that are brighter or darker than what is around them.

    Parameters
    ----------
    image : ([Z, ]Y, X) array_like
    smallest, largest : float
        Bounds of the radius in the unit of `spacing`.
    threshold : float
        Smallest strength.
    spacing : sequence of float, optional
        Voxel size; 1 when None.
    method : {'log', 'dog', 'doh'}
        Laplacian of Gaussian; difference of Gaussians, close to it; or determinant of the Hessian,
        for 2D alone, which answers less to long things.
    threshold_kind : {'share', 'intensity'}
        Whether `threshold` is a share, from 0 to 1, of the strength of the strongest blob, or in
        the intensities of the image.
    dark : bool
        Find dark blobs on a bright background.
    overlap : float
        Of two blobs that have a larger share of the smaller one's area (2D) or volume (3D) in
        common, from 0 to 1, the stronger stays.

    Returns
    -------
    points : (K, D) ndarray
        Voxel coordinates between voxels' centres too, the strongest first.
    columns : dict
        ``radius`` in the unit of `spacing`; ``sigma``, the scale that it was found at, so that
        ``radius = sigma * sqrt(D)``; ``strength``: the response of the filter multiplied by the
        square of sigma, in the image's intensities: for a disc or ball (a spot with the profile of
        a Gaussian) that is 1 brighter than its background, 0.74 (0.5) in 2D and 0.92 (0.56) in 3D.

    Raises
    ------
    InputError
        If bounds or shares are wrong, or for 'doh' in 3D.
    """
    array = float_image(image)
    if array.ndim not in (2, 3):
        raise InputError(f"image has {array.ndim} axes; it must have 2 or 3.")
    size = check_spacing(spacing, array.ndim)
    low = check_number(smallest, "smallest", allow_zero=False)
    high = check_number(largest, "largest", allow_zero=False)
    least = check_number(threshold, "threshold")
    share = check_number(overlap, "overlap")
    if low > high:
        raise InputError(f"smallest is {low:g} and largest {high:g}; nothing could be found.")
    if method not in ("log", "dog", "doh"):
        raise InputError(f"method is {method!r}; it must be log, dog or doh.")
    if method == "doh" and array.ndim == 3:
        raise InputError("method is 'doh', which works in 2D; take log or dog in 3D.")
    if threshold_kind not in ("share", "intensity"):
        raise InputError(f"threshold_kind is {threshold_kind!r}; it must be share or intensity.")
    if threshold_kind == "share" and least > 1:
        raise InputError(
            f"threshold is {least:g}; a share must be from 0 to 1. For an intensity set "
            "threshold_kind to 'intensity'."
        )
    if share > 1:
        raise InputError(f"overlap is {share:g}; it must be from 0 to 1.")
    root = math.sqrt(array.ndim)
    longest = max(n * step for n, step in zip(array.shape, size, strict=True))
    if low > longest:
        raise InputError(f"smallest is {low:g}; the image is only {longest:g} long.")
    sigmas = _scales(low / root, min(high, longest) / root)
    array, exponent = moderate(array)
    # The mean changes no response, and without it numbers of 32 bits are more exact.
    work = array - array.mean(dtype=np.float64).astype(array.dtype)
    if dark:
        work = -work
    relative = threshold_kind == "share"
    places, scales, strengths = peaks_in_scales(
        work,
        sigmas,
        size,
        method,
        least if relative else 0.0,
        0.0 if relative else float(np.ldexp(least, -exponent)),
    )
    order = np.lexsort((*places.T[::-1], -strengths))
    places, scales, strengths = places[order], scales[order], strengths[order]
    kept = _without_overlap(places * np.array(size), scales * root, share)
    columns = {
        "radius": scales[kept] * root,
        "sigma": scales[kept],
        "strength": restored(strengths[kept], exponent),
    }
    return places[kept], columns


def _scales(low: float, high: float) -> list[float]:
    """Scales at most a step apart, the first and the last as given."""
    steps = max(0, math.ceil(math.log(high / low) / math.log(SCALE_STEP) - 1e-9))
    ratio = (high / low) ** (1 / steps) if steps else 1.0
    return [low * ratio**nth for nth in range(steps + 1)]


def _without_overlap(
    places: NDArray[np.float64], radii: NDArray[np.float64], share: float
) -> NDArray[np.bool_]:
    """Which blobs, the strongest first, stay when each takes away weaker ones that it overlaps."""
    kept = np.ones(len(places), bool)
    if share >= 1 or len(places) < 2:
        return kept
    firsts, seconds = [], []
    # Radii of one class are alike, so that small blobs are not compared with all in reach of the
    # largest ones.
    classes = np.floor(np.log(radii / radii.min()) / np.log(SCALE_STEP) + 1e-6).astype(int)
    groups = [np.flatnonzero(classes == value) for value in np.unique(classes)]
    trees = [cKDTree(places[group]) for group in groups]
    for i, (group, tree) in enumerate(zip(groups, trees, strict=True)):
        for other, other_tree in zip(groups[i:], trees[i:], strict=True):
            check_stop()
            reach = radii[group].max() + radii[other].max()
            near = tree.sparse_distance_matrix(other_tree, reach, output_type="ndarray")
            one, two = group[near["i"]], other[near["j"]]
            common = _common_share(near["v"], radii[one], radii[two], places.shape[1])
            chosen = (one != two) & (common > share)
            firsts.append(np.minimum(one[chosen], two[chosen]))
            seconds.append(np.maximum(one[chosen], two[chosen]))
    first, second = np.concatenate(firsts), np.concatenate(seconds)
    order = np.lexsort((second, first))
    for strong, weak in zip(first[order].tolist(), second[order].tolist(), strict=True):
        if kept[strong]:
            kept[weak] = False
    return kept


def _common_share(
    distance: NDArray[np.float64], one: NDArray[np.float64], two: NDArray[np.float64], ndim: int
) -> NDArray[np.float64]:
    """Share of the smaller of two discs or balls that lies in the larger one."""
    small, large = np.minimum(one, two), np.maximum(one, two)
    apart, inside = distance >= small + large, distance <= large - small
    with np.errstate(divide="ignore", invalid="ignore"):
        if ndim == 2:
            # Two circular segments, cut off by the common chord.
            angle = np.arccos(
                np.clip((distance**2 + small**2 - large**2) / (2 * distance * small), -1, 1)
            )
            other = np.arccos(
                np.clip((distance**2 + large**2 - small**2) / (2 * distance * large), -1, 1)
            )
            common = small**2 * (angle - np.sin(2 * angle) / 2)
            common += large**2 * (other - np.sin(2 * other) / 2)
            whole = np.pi * small**2
        else:
            common = (np.pi / 12) * (small + large - distance) ** 2
            common *= distance + 2 * (small + large) - 3 * (large - small) ** 2 / distance
            whole = 4 / 3 * np.pi * small**3
        return np.where(apart, 0.0, np.where(inside, 1.0, common / whole))
