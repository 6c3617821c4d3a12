"""Convex hulls of labelled objects: how full they are, and how far they reach.

Only the ends of each run along x can be corners of a hull; in 3D, only corners of the hulls of an
object's planes. What is left is a few points an object.

References
----------
Barber CB, Dobkin DP, Huhdanpaa H (1996). The quickhull algorithm for convex hulls. ACM
Transactions on Mathematical Software 22(4), 469-483.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import ConvexHull

from napari_seedbed.core.objects import hull_kernels as kernels
from napari_seedbed.core.objects.labelled_volume import LabelledVolume
from napari_seedbed.core.progress import check_stop
from napari_seedbed.core.threads import run_ranges, split

_MOST_POINTS = 1500
"""Larger objects are thinned by Qhull first: our hull needs memory for pairs of points."""

_OBJECTS_PER_PART = 256


def object_runs(
    volume: LabelledVolume, runs: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Find the runs of each object along x.

    Parameters
    ----------
    volume : LabelledVolume
    runs : (K,) ndarray
        How many each has.

    Returns
    -------
    starts : (K + 1,) ndarray
        Where the runs of each object begin, and where the last ends.
    ordered : (R, 4) ndarray
        Plane, line, first and last voxel of each run, in order.
    """
    starts = np.concatenate([[0], np.cumsum(runs)])
    ordered = np.empty((starts[-1], 4), np.int32)
    following = starts[:-1].copy()
    for first, last in volume.slabs():
        kernels.group_runs(volume.numbers(first, last), first, following, ordered)
    return starts, ordered


def outermost_runs(
    starts: NDArray[np.int64], ordered: NDArray[np.int32]
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Return the corners of the hulls of each object's planes, as runs of one voxel.

    Parameters
    ----------
    starts, ordered
        As of `object_runs`; a flat image's with its lines in the second column.

    Returns
    -------
    counts : (K,) ndarray
        How many each object has.
    points : (P, 4) ndarray
        Like `ordered`.
    """
    points, counts = _outermost_points(starts, ordered)
    begins = 2 * starts[:-1]
    places = np.repeat(begins - np.cumsum(counts) + counts, counts) + np.arange(counts.sum())
    found = points[places]
    return counts, np.concatenate([found, found[:, 2:]], axis=1)


def object_hulls(
    sizes: NDArray[np.int64],
    starts: NDArray[np.int64],
    ordered: NDArray[np.int32],
    spacing: tuple[float, ...],
) -> dict[str, NDArray]:
    """Solidity and Feret diameter of each object.

    Parameters
    ----------
    sizes : (K,) ndarray
        Voxels of each object.
    starts, ordered
        Its runs along x, as of `object_runs`, or those of them that hold the corners of its hull.
    spacing : tuple of float

    Returns
    -------
    dict of (K,) ndarray
        ``solidity``: its voxels, divided by the voxels whose centres lie in the convex hull of
        its voxels' centres. ``feret_diameter``: the largest distance between two corners of its
        voxels, in the unit of the spacing.
    """
    convex, feret = np.zeros(len(sizes), np.int64), np.zeros(len(sizes))
    pieces = split(len(sizes), 1 + len(sizes) // _OBJECTS_PER_PART)
    if len(spacing) == 2:
        run_ranges(
            kernels.flat_hulls, pieces, starts, ordered, *spacing, convex, feret,
        )  # fmt: skip
    else:
        points, counts = _outermost_points(starts, ordered)
        steps = np.array(spacing)
        run_ranges(
            kernels.solid_hulls, pieces, starts, points, counts, steps, _MOST_POINTS, convex, feret,
        )  # fmt: skip
        for k in np.flatnonzero(convex < 0):
            check_stop()
            begin = 2 * starts[k]
            own = points[begin : begin + counts[k]]
            corners = own[ConvexHull(own).vertices]
            counts[k] = len(corners)
            points[begin : begin + counts[k]] = corners
            kernels.solid_hulls(k, k + 1, starts, points, counts, steps, counts[k], convex, feret)
    return {"solidity": sizes / convex, "feret_diameter": feret}


def _outermost_points(
    starts: NDArray[np.int64], ordered: NDArray[np.int32]
) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Points (2 R, 3), those of an object from twice its first run on, and how many it has."""
    points = np.empty((2 * len(ordered), 3), np.int32)
    counts = np.zeros(len(starts) - 1, np.int64)
    pieces = split(len(counts), 1 + len(counts) // _OBJECTS_PER_PART)
    run_ranges(kernels.outermost_points, pieces, starts, ordered, points, counts)
    return points, counts
