"""Walks from voxel to voxel, for images so small that there is time for it.

References
----------
Grady L (2006). Random walks for image segmentation. IEEE Trans. PAMI 28(11), 1768-1783.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.progress import check_stop
from napari_seedbed.core.seeded.voxel_features import TINY, capped_mean_square, quiet_channels
from napari_seedbed.core.walker.edge_weights import Volume, WeightArrays
from napari_seedbed.core.walker.hierarchy import build_hierarchy
from napari_seedbed.core.walker.random_walks import RandomWalker

Floats = NDArray[np.float32]

ISOTROPIC = 0.25
"""Share of the gradient's magnitude in what holds a walker back; the rest is the difference along
the edge alone, which splits the contrast of a slanting border over the axes."""

STEEPNESS = 5.0
POWER = 4.0
FLOOR = 1e-6

TOLERANCE = 3e-3


class VoxelWalker(RandomWalker):
    """A random walker that is held back by slopes, not by differences along the axes alone."""

    def prepare(self) -> None:
        """Make the weights and the hierarchy, if that has not been done."""
        if self._hierarchy is None:
            active = None if self._outside is None else ~self._outside
            weights = slope_weights(self._volume, active)
            self._hierarchy = build_hierarchy(weights)


@dataclass(frozen=True, eq=False)
class VoxelPlaces:
    """Each voxel as a place of its own, as if it were a basin.

    Attributes
    ----------
    basin : (Z, Y, X) ndarray of int32
    """

    basin: NDArray[np.int32]

    @classmethod
    def of(cls, shape: Sequence[int], outside: NDArray[np.bool_] | None) -> "VoxelPlaces":
        """Number the voxels of a volume."""
        size = int(np.prod(shape))
        basin = np.arange(size, dtype=np.int32).reshape(shape)
        if outside is not None:
            basin[outside] = -1
        return cls(basin)

    def boxes(self, wanted: NDArray[np.bool_]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Low and high ends of boxes that hold the wanted voxels: the whole volume."""
        count = int(wanted.any())
        low = np.zeros((count, 3), np.int32)
        return low, low + np.array(self.basin.shape, np.int32)


def slope_weights(volume: Volume, active: NDArray[np.bool_] | None) -> WeightArrays:
    """Return the weights of the edges along z, y and x.

    Parameters
    ----------
    volume : Volume
        The image; noise is smoothed as far as there is any.
    active : (Z, Y, X) ndarray of bool, optional
        Where False, a voxel has no edges.

    Returns
    -------
    tuple of three (Z, Y, X) ndarray of float32
        ``max((1 + 5 e)^-4, 1e-6) / h^2`` with `e` the mean over the channels of 3/4 of the squared
        difference along the edge and 1/4 of the squared gradient, each in units of its mean, and
        `h` the distance of the voxels over the shortest one.
    """
    shape = volume.shape
    axes = [axis for axis in range(3) if shape[axis] > 1]
    spacing = np.asarray(volume.spacing)
    steps = spacing / min((spacing[axis] for axis in axes), default=1.0)
    energy = [np.zeros(shape, np.float32) for _ in range(3)]
    useful = 0
    for quiet in quiet_channels(volume.data):
        check_stop()
        differences = {axis: np.square(np.diff(quiet, axis=axis)) for axis in axes}
        every = [np.sqrt(d).ravel() for d in differences.values()]
        along = capped_mean_square(np.concatenate(every)) if every else 0.0
        if not along > TINY:
            continue
        useful += 1
        slope = np.zeros(shape, np.float32)
        for axis in axes:
            slope += np.square(np.gradient(quiet, axis=axis) / np.float32(steps[axis]))
        slope = np.sqrt(slope)
        check_stop()
        across = capped_mean_square(slope.ravel())
        for axis in axes:
            here, there = _ends(axis)
            mean = (slope[here] + slope[there]) / 2
            energy[axis][here] += np.float32((1 - ISOTROPIC) / along) * differences[axis]
            if across > TINY:
                energy[axis][here] += np.float32(ISOTROPIC / across) * np.square(mean)
    for axis in range(3):
        weight = energy[axis]
        if axis not in axes:
            continue
        weight *= np.float32(STEEPNESS / max(useful, 1))
        weight += 1
        np.power(weight, np.float32(-POWER), out=weight)
        np.maximum(weight, np.float32(FLOOR), out=weight)
        weight /= np.float32(steps[axis] ** 2)
        here, there = _ends(axis)
        if active is not None:
            weight[here] *= active[here] & active[there]
        weight[(slice(None),) * axis + (-1,)] = 0
    z, y, x = energy
    return z, y, x


def _ends(axis: int) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    """Index of one end and of the other end of the edges along an axis."""
    before = (slice(None),) * axis
    return (*before, slice(None, -1)), (*before, slice(1, None))
