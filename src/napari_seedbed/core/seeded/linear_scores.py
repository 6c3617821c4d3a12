"""Scores of voxels that are linear in their features, a few rows at a time.

What is added up once on a coarser grid need not be added up at each voxel.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.seeded import feature_kernels
from napari_seedbed.core.seeded.voxel_features import Level, VoxelFeatures
from napari_seedbed.core.threads import split

Floats = NDArray[np.float32]
Region = tuple[slice, slice, slice]

_VOXELS_PER_TASK = 1 << 15


@dataclass(frozen=True, eq=False)
class _Fine:
    """What the features of one level add to the scores.

    Attributes
    ----------
    bytes : (F, Z, Y, X) ndarray of uint8
    low, high : (F,) ndarray of uint8
        What lies beyond counts as these.
    coefficients : (C, F) ndarray of float32
    """

    bytes: NDArray[np.uint8]
    low: NDArray[np.uint8]
    high: NDArray[np.uint8]
    coefficients: Floats

    def add(self, z: int, first_y: int, first_x: int, scores: Floats) -> None:
        """Add them for the part of a plane (C, R, X) that begins there."""
        feature_kernels.add_up_bytes(
            self.bytes, z, first_y, first_x, self.low, self.high, self.coefficients, scores
        )


@dataclass(frozen=True, eq=False)
class _Coarse:
    """What they add on a grid of their own.

    Attributes
    ----------
    factor : (3,) ndarray of int64
        How many voxels of the volume are one of the grid.
    corner : (3,) ndarray of int64
        The voxel of the volume where the values begin.
    values : (C, Z, Y, X) ndarray of float32
    """

    factor: NDArray[np.int64]
    corner: NDArray[np.int64]
    values: Floats

    def add(self, z: int, first_y: int, first_x: int, scores: Floats) -> None:
        """Add them for the part of a plane (C, R, X) that begins there."""
        z, first_y, first_x = (np.array([z, first_y, first_x]) - self.corner).tolist()
        feature_kernels.add_stretched(self.values, self.factor, z, first_y, first_x, scores)


@dataclass(frozen=True, eq=False)
class LinearScores:
    """Adds up the features of voxels, each times a coefficient.

    Attributes
    ----------
    summands : list
        One for each level of the features.
    intercepts : (C,) ndarray of float32
    """

    summands: list[_Fine | _Coarse]
    intercepts: Floats

    @classmethod
    def of(
        cls,
        features: VoxelFeatures,
        coefficients: NDArray[np.floating],
        intercepts: NDArray[np.floating],
        low: NDArray[np.floating],
        high: NDArray[np.floating],
        region: Region | None = None,
    ) -> "LinearScores":
        """Prepare scores ``coefficients @ clip(features, low, high) + intercepts``.

        Parameters
        ----------
        features : VoxelFeatures
        coefficients : (C, F) ndarray
        intercepts : (C,) ndarray
        low, high : (F,) ndarray
        region : tuple of three slice, optional
            Where scores are wanted; anywhere without it.
        """
        factors = (coefficients * features.gain).astype(np.float32)
        lowest, highest = (
            np.clip(np.rint((edge - features.offset) / features.gain), 0, 255).astype(np.uint8)
            for edge in (low, high)
        )
        summands: list[_Fine | _Coarse] = []
        first = 0
        for level in features.levels:
            part = slice(first, first + len(level.bytes))
            first = part.stop
            own = _Fine(
                level.bytes, lowest[part], highest[part], np.ascontiguousarray(factors[:, part])
            )
            is_fine = (level.factor == 1).all()
            summands.append(own if is_fine else _added_up(own, level, region))
        whole = intercepts + coefficients @ features.offset
        return cls(summands, whole.astype(np.float32))

    def at_rows(self, z: int, first: int, last: int, along: slice) -> Floats:
        """Scores (C, R, X) of some rows of a plane, in a range along x."""
        found = np.empty((len(self.intercepts), last - first, along.stop - along.start), np.float32)
        found[:] = self.intercepts[:, np.newaxis, np.newaxis]
        for summand in self.summands:
            summand.add(z, first, along.start, found)
        return found


def rows_of_planes(n_z: int, n_y: int, n_x: int) -> list[tuple[int, int, int]]:
    """Parts of a region, as plane, first and last row, each the work of a moment."""
    most = max(1, _VOXELS_PER_TASK // n_x)
    return [(z, *rows) for z in range(n_z) for rows in split(n_y, -(-n_y // most))]


def _added_up(own: _Fine, level: Level, region: Region | None) -> _Coarse:
    """The sums on a coarser grid, as far as a region needs them."""
    shape = own.bytes.shape[1:]
    z, y, x = [slice(0, n) for n in shape] if region is None else _needed(level, region)
    n_rows, n_columns = y.stop - y.start, x.stop - x.start
    values = np.zeros((len(own.coefficients), z.stop - z.start, n_rows, n_columns), np.float32)
    for nth, plane in enumerate(range(z.start, z.stop)):
        # As rows of a plane are added, so that one kernel does for both.
        sums = np.zeros((len(values), n_rows, n_columns), np.float32)
        own.add(plane, y.start, x.start, sums)
        values[:, nth] = sums
    corner = np.array([z.start, y.start, x.start], np.int64) * level.factor
    return _Coarse(level.factor, corner, values)


def _needed(level: Level, region: Region) -> Iterator[slice]:
    """The part of a coarser grid that voxels of a region lie between."""
    for part, factor, n in zip(region, level.factor.tolist(), level.bytes.shape[1:], strict=True):
        first, last = (
            int((place - (factor - 1) / 2) // factor) for place in (part.start, part.stop - 1)
        )
        yield slice(max(first, 0), min(last + 2, n))
