"""How much the appearance of each voxel speaks for each class of labels."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.progress import ShouldStop
from napari_seedbed.core.seeded import feature_kernels
from napari_seedbed.core.seeded.appearance import LEAST_PROBABILITY, Appearance
from napari_seedbed.core.seeded.voxel_features import TINY, VoxelFeatures
from napari_seedbed.core.threads import run_ranges, split

Floats = NDArray[np.float32]
Region = tuple[slice, slice, slice]

SAFE = 10.0
"""The trees are not asked where one class is so many times as probable as all others together,
whatever they would say."""

_VOXELS_PER_TASK = 1 << 15


@dataclass(frozen=True, eq=False)
class _Summands:
    """What the features of one level add to the scores.

    Attributes
    ----------
    bytes : (F, Z, Y, X) ndarray of uint8
    low, high : (F,) ndarray of uint8
        What lies beyond counts as these.
    coefficients : (C - 1, F) ndarray of float32
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
class Evidence:
    """Weighs features of voxels by an appearance.

    Attributes
    ----------
    features : VoxelFeatures
    appearance : Appearance
    fine : list of _Summands
        Levels on the volume's own grid.
    coarse : list of (factor, scores)
        What the others add to the scores, on theirs.
    intercepts : (C - 1,) ndarray of float32
        Scores are how much more speaks for a class than for the last one.
    """

    features: VoxelFeatures
    appearance: Appearance
    fine: list["_Summands"]
    coarse: list[tuple[NDArray[np.int64], Floats]]
    intercepts: Floats

    @classmethod
    def of(cls, features: VoxelFeatures, appearance: Appearance) -> "Evidence":
        """Add up what can be added up on coarser grids."""
        coefficients, intercepts = (
            values[:-1] - values[-1] for values in (appearance.coefficients, appearance.intercepts)
        )
        factors = coefficients * features.gain
        fine, coarse = [], []
        low, high = (
            np.clip(np.rint((edge - features.offset) / features.gain), 0, 255).astype(np.uint8)
            for edge in (appearance.low, appearance.high)
        )
        first = 0
        for level in features.levels:
            last = first + len(level.bytes)
            part = slice(first, last)
            own = _Summands(
                level.bytes, low[part], high[part], np.ascontiguousarray(factors[:, part])
            )
            first = last
            if (level.factor == 1).all():
                fine.append(own)
                continue
            scores = np.zeros((len(factors), *level.bytes.shape[1:]), np.float32)
            for plane in range(scores.shape[1]):
                # As rows of a plane are added, so that one kernel does for both.
                sums = np.zeros((len(factors), *scores.shape[2:]), np.float32)
                own.add(plane, 0, 0, sums)
                scores[:, plane] = sums
            coarse.append((level.factor, scores))
        intercepts = intercepts + coefficients @ features.offset
        return cls(features, appearance, fine, coarse, intercepts.astype(np.float32))

    def weigh(
        self,
        region: Region,
        basin: NDArray[np.int32],
        expected: Floats,
        in_doubt: NDArray[np.bool_],
        should_stop: ShouldStop | None = None,
    ) -> Floats:
        """Return how much speaks for each class in a region: (C, Z, Y, X).

        Parameters
        ----------
        region : tuple of three slice
        basin : (Z, Y, X) ndarray of int32
            Its basins; negative outside.
        expected : (C, B) ndarray of float32
            How probable each class is in each basin. What speaks for all classes, each times this,
            has the same sum at each voxel of a kind.
        in_doubt : (B,) ndarray of bool
            Where it matters what voxels look like; in all other basins it is 1 for each class.
        should_stop : callable, optional
            Asked between rows; True raises `Cancelled`.
        """
        n_z, n_y, n_x = basin.shape
        sure = self._sure(expected)
        out = np.empty((len(expected), n_z, n_y, n_x), np.float32)
        most = max(1, _VOXELS_PER_TASK // n_x)
        tasks = [(z, *rows) for z in range(n_z) for rows in split(n_y, -(-n_y // most))]

        def work(first: int, last: int) -> None:
            for z, start, stop in tasks[first:last]:
                rows = (region[0].start + z, region[1].start + start, region[1].start + stop)
                here = np.ascontiguousarray(basin[z, start:stop]).reshape(-1)
                out[:, z, start:stop] = self._of_rows(
                    *rows, region[2], here, expected, sure, in_doubt
                )

        run_ranges(work, split(len(tasks), len(tasks)), should_stop=should_stop)
        return out

    def _sure(self, expected: Floats) -> Floats:
        """From which logarithm of its probability on each class is safe in each basin (C, B).

        The worst that trees can do is to be sure of another class: half of the probability is left.
        """
        others = expected.sum(axis=0) - expected
        odds = np.log(SAFE * np.maximum(others, TINY) / expected) / np.float32(
            self.appearance.trust
        )
        return np.log(np.float32(2)) - np.logaddexp(np.float32(0), -odds)

    def _of_rows(
        self,
        z: int,
        start: int,
        stop: int,
        along: slice,
        basin: NDArray[np.int32],
        expected: Floats,
        sure: Floats,
        in_doubt: NDArray[np.bool_],
    ) -> Floats:
        n_x = along.stop - along.start
        scores = np.zeros((len(expected), stop - start, n_x), np.float32)
        if not in_doubt[basin].any():
            scores[:] = 1
            return scores
        all_but_last = scores[:-1]
        all_but_last[:] = self.intercepts[:, np.newaxis, np.newaxis]
        for summands in self.fine:
            summands.add(z, start, along.start, all_but_last)
        for factor, values in self.coarse:
            feature_kernels.add_stretched(values, factor, z, start, along.start, all_but_last)
        flat = scores.reshape(len(scores), -1)
        trust, least = np.float32(self.appearance.trust), np.float32(LEAST_PROBABILITY)
        doubtful = np.empty(basin.size, np.int64)
        count = feature_kernels.judge(flat, basin, expected, sure, in_doubt, trust, least, doubtful)
        doubtful = doubtful[:count]
        row, x = np.divmod(doubtful, n_x)
        places = (np.full(count, z), start + row, along.start + x)
        votes = self.appearance.forest.vote(self.features.at(places))
        feature_kernels.reconsider(flat, basin, expected, trust, least, doubtful, votes)
        return scores
