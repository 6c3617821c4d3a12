"""Axes, surfaces and Euler numbers of labelled objects, all in one pass.

References
----------
Lehmann G, Legland D (2012). Efficient N-dimensional surface estimation using Crofton formula and
run-length encoding. The Insight Journal.
Ohser J, Mücklich F (2000). Statistical analysis of microstructures in materials science. Wiley.
"""

from functools import lru_cache
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import SphericalVoronoi

from napari_seedbed.core.objects import object_kernels as kernels
from napari_seedbed.core.objects.labelled_volume import (
    LabelledVolume,
    Tally,
    add_all,
    volume_axes,
)

Columns = dict[str, NDArray]

SHAPE_2D = (
    "perimeter",
    "circularity",
    "major_axis",
    "minor_axis",
    "eccentricity",
    "elongation",
    "orientation",
    "extent",
    "euler_number",
)
SHAPE_3D = (
    "surface_area",
    "sphericity",
    "major_axis",
    "middle_axis",
    "minor_axis",
    "elongation",
    "flatness",
    "direction_z",
    "direction_y",
    "direction_x",
    "extent",
    "euler_number",
)


def earlier_neighbours(ndim: int) -> NDArray[np.int64]:
    """Steps (N, 3) to the neighbours of a voxel that come before it in memory."""
    steps = [step for step in product((-1, 0, 1), repeat=3) if step < (0, 0, 0)]
    return np.array([step for step in steps if ndim == 3 or step[1] == 0])


def steps_in_memory(volume: LabelledVolume, numbers: NDArray[np.int32]) -> NDArray[np.int64]:
    """The same steps in the flat memory of a slab."""
    strides = (numbers.shape[1] * numbers.shape[2], numbers.shape[2], 1)
    return earlier_neighbours(volume.ndim) @ np.array(strides)


def tally_shapes(volume: LabelledVolume, low: NDArray[np.int64]) -> Tally:
    """Count what the shape of each object comes from.

    Parameters
    ----------
    volume : LabelledVolume
    low : (K, 3) ndarray
        Where the box around each object begins.

    Returns
    -------
    dict of ndarray
        ``moments`` (K, 6): sums of products of coordinates from there, zz, yy, xx, zy, zx, yx;
        ``crossings`` (K, S): how often lines along each of `earlier_neighbours` enter or leave it;
        ``euler`` (K,): its Euler number.
    """
    steps = earlier_neighbours(volume.ndim)
    euler_parts = _euler_parts(volume.ndim)

    def empty() -> Tally:
        return {
            "moments": volume.zeros(6),
            "crossings": volume.zeros(len(steps)),
            "euler": volume.zeros(),
        }

    def count(numbers: NDArray[np.int32], first: int, tally: Tally) -> None:
        kernels.tally_moments(numbers, first, low, tally["moments"])
        memory = steps_in_memory(volume, numbers)
        kernels.tally_surfaces(numbers, memory, euler_parts, tally["crossings"], tally["euler"])

    return volume.tally(empty, count, add_all)


def object_shapes(
    tally: Tally,
    sizes: NDArray[np.int64],
    sums: NDArray[np.int64],
    low: NDArray[np.int64],
    high: NDArray[np.int64],
    spacing: tuple[float, ...],
) -> Columns:
    """Describe the shape of each object.

    Parameters
    ----------
    tally : dict of ndarray
        As `tally_shapes` gives it.
    sizes : (K,) ndarray
        Voxels of each object.
    sums, low, high : (K, 3) ndarray
        Sums of its coordinates, and its box, the ends included.
    spacing : tuple of float
        Of the image's two or three axes.

    Returns
    -------
    dict of (K,) ndarray
        `SHAPE_2D` or `SHAPE_3D`.
    """
    ndim = len(spacing)
    axes = volume_axes(ndim)
    measure = sizes * float(np.prod(spacing))
    # So few lines cross objects of a few voxels that Crofton's formula would often give less than
    # the circle or sphere around that area or volume, the least that there is.
    surface = tally["crossings"] @ crofton_weights(ndim, spacing)
    surface = np.maximum(surface, _least_surface(measure, ndim))
    spread, directions = _principal_axes(axes, sizes, sums, low, tally["moments"], spacing)
    box = np.prod((high - low + 1)[:, axes], axis=1)
    flat = ndim == 2
    lengths = (4.0 if flat else 2 * np.sqrt(5.0)) * np.sqrt(spread)
    columns: Columns = {"extent": sizes / box, "euler_number": tally["euler"]}
    columns["major_axis"], columns["minor_axis"] = lengths[:, -1], lengths[:, 0]
    if flat:
        columns["perimeter"] = surface
        columns["circularity"] = (_least_surface(measure, 2) / surface) ** 2
        columns["eccentricity"] = np.sqrt(1 - _ratio(spread[:, 0], spread[:, 1]))
        columns["elongation"] = 1 - _ratio(lengths[:, 0], lengths[:, 1])
        columns["orientation"] = _degrees(directions)
    else:
        columns["surface_area"] = surface
        columns["sphericity"] = _least_surface(measure, 3) / surface
        columns["middle_axis"] = lengths[:, 1]
        columns["elongation"] = 1 - _ratio(lengths[:, 1], lengths[:, 2])
        columns["flatness"] = 1 - _ratio(lengths[:, 0], lengths[:, 1])
        for name, part in zip("zyx", directions.T, strict=True):
            columns[f"direction_{name}"] = part
    return {name: columns[name] for name in (SHAPE_2D if flat else SHAPE_3D)}


def _least_surface(measure: NDArray[np.floating], ndim: int) -> NDArray[np.floating]:
    """Perimeter of a disc of some areas, or surface of a ball of some volumes."""
    if ndim == 2:
        return 2 * np.sqrt(np.pi * measure)
    found: NDArray[np.floating] = np.cbrt(36 * np.pi * measure**2)
    return found


def crofton_weights(ndim: int, spacing: tuple[float, ...]) -> NDArray[np.float64]:
    """What one crossing along each direction of `earlier_neighbours` adds to the surface.

    By Crofton's formula a surface is known from how often lines of all directions cross it. There
    are lines through voxels in 4 directions in 2D and 13 in 3D; each stands for the directions
    nearest to it, which voxels that are not cubes shift. `spacing` has `ndim` values.
    """
    steps = earlier_neighbours(ndim)[:, [0, 1, 2] if ndim == 3 else [0, 2]] * np.array(spacing)
    lengths = np.linalg.norm(steps, axis=1)
    rarity = float(np.prod(spacing)) / lengths
    if ndim == 3:
        both = np.concatenate([steps, -steps]) / np.tile(lengths, 2)[:, np.newaxis]
        areas = SphericalVoronoi(both).calculate_areas()
        return 2 * rarity * (areas / areas.sum()).reshape(2, -1).sum(axis=0)
    angles = np.arctan2(steps[:, 0], steps[:, 1]) % np.pi
    order = np.argsort(angles)
    around = angles[order]
    gaps = np.diff(around, append=around[0] + np.pi)
    shares = np.empty(len(steps))
    shares[order] = (gaps + np.roll(gaps, 1)) / (2 * np.pi)
    return np.pi / 2 * rarity * shares


@lru_cache
def _euler_parts(ndim: int) -> NDArray[np.int64]:
    """What a voxel adds to the Euler number, by which earlier neighbours are of its object.

    Corners minus edges plus faces minus voxels (in 2D: corners minus edges plus pixels), each
    counted at the first voxel that has it. Objects hold together at corners.
    """
    steps = [tuple(int(n) for n in step) for step in earlier_neighbours(ndim)]
    masks = np.arange(1 << len(steps))
    parts = np.zeros(len(masks), np.int64)
    spanned = (-1, 0, 1) if ndim == 3 else (0,)
    for cell in product((-1, 0, 1), spanned, (-1, 0, 1)):
        sharing = [
            nth
            for nth, step in enumerate(steps)
            if all(s in (0, c) for s, c in zip(step, cell, strict=True))
        ]
        is_first = np.all([masks >> nth & 1 == 0 for nth in sharing], axis=0)
        dimension = sum(c == 0 for c in cell) - (ndim == 2)
        parts += (-1) ** dimension * np.broadcast_to(is_first, masks.shape)
    return parts


def _principal_axes(
    axes: list[int],
    sizes: NDArray[np.int64],
    sums: NDArray[np.int64],
    low: NDArray[np.int64],
    moments: NDArray[np.int64],
    spacing: tuple[float, ...],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Variances along the principal axes, rising (K, D), and the longest axis (K, D)."""
    count = sizes[:, np.newaxis]
    mean = (sums - low * count) / count
    raw = moments / count
    spread = np.empty((len(sizes), 3, 3))
    for column, (a, b) in enumerate(((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2))):
        spread[:, a, b] = spread[:, b, a] = raw[:, column] - mean[:, a] * mean[:, b]
    spread = spread[:, axes][:, :, axes] * np.outer(spacing, spacing)
    values, vectors = np.linalg.eigh(spread)
    # What rounding leaves of a zero.
    values = np.where(values < 1e-12 * values[:, -1:], 0.0, values)
    longest = vectors[:, :, -1]
    # An axis has two ends: take the one that points right, or else down.
    for axis in range(longest.shape[1]):
        turned = longest[:, axis] < 0
        upright = np.all(np.abs(longest[:, axis + 1 :]) < 1e-12, axis=1)
        longest = np.where((turned & upright)[:, np.newaxis], -longest, longest)
    return values, longest


def _degrees(longest: NDArray[np.float64]) -> NDArray[np.float64]:
    """Angle of an axis (y, x) to the x axis, counter-clockwise on screen, above -90 up to 90."""
    angles = np.degrees(np.arctan2(-longest[:, 0], longest[:, 1]))
    return np.where(angles <= -90, angles + 180, angles)


def _ratio(part: NDArray[np.float64], whole: NDArray[np.float64]) -> NDArray[np.float64]:
    """part / whole, 1 where there is no whole: a single voxel is as long as wide."""
    return np.divide(part, whole, out=np.ones_like(part), where=whole > 0)
