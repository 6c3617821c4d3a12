"""How much the appearance of each voxel speaks for each class of labels."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.seeded import feature_kernels
from napari_seedbed.core.seeded.appearance import LEAST_PROBABILITY, Appearance
from napari_seedbed.core.seeded.linear_scores import LinearScores, Region, rows_of_planes
from napari_seedbed.core.seeded.voxel_features import TINY, VoxelFeatures
from napari_seedbed.core.threads import run_ranges, split

Floats = NDArray[np.float32]

SAFE = 10.0
"""The trees are not asked where one class is so many times as probable as all others together,
whatever they would say."""


class WeighsVoxels(Protocol):
    """Says how much speaks for each class of labels at each voxel, as `Evidence.weigh`."""

    def weigh(
        self,
        region: Region,
        basin: NDArray[np.int32],
        expected: Floats,
        in_doubt: NDArray[np.bool_],
    ) -> Floats:
        """Return it for a region: (C, Z, Y, X)."""
        ...


@dataclass(frozen=True, eq=False)
class Evidence:
    """Weighs features of voxels by an appearance.

    Attributes
    ----------
    features : VoxelFeatures
    appearance : Appearance
    scores : LinearScores
        How much more speaks for a class than for the last one (C - 1, …).
    """

    features: VoxelFeatures
    appearance: Appearance
    scores: LinearScores

    @classmethod
    def of(cls, features: VoxelFeatures, appearance: Appearance) -> "Evidence":
        """Prepare what is asked of each voxel."""
        coefficients, intercepts = (
            values[:-1] - values[-1] for values in (appearance.coefficients, appearance.intercepts)
        )
        scores = LinearScores.of(
            features, coefficients, intercepts, appearance.low, appearance.high
        )
        return cls(features, appearance, scores)

    def weigh(
        self,
        region: Region,
        basin: NDArray[np.int32],
        expected: Floats,
        in_doubt: NDArray[np.bool_],
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
        """
        n_z, n_y, n_x = basin.shape
        sure = self._sure(expected)
        out = np.empty((len(expected), n_z, n_y, n_x), np.float32)
        tasks = rows_of_planes(n_z, n_y, n_x)

        def work(first: int, last: int) -> None:
            for z, start, stop in tasks[first:last]:
                rows = (region[0].start + z, region[1].start + start, region[1].start + stop)
                here = np.ascontiguousarray(basin[z, start:stop]).reshape(-1)
                out[:, z, start:stop] = self._of_rows(
                    *rows, region[2], here, expected, sure, in_doubt
                )

        run_ranges(work, split(len(tasks), len(tasks)))
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
        if not in_doubt[basin].any():
            return np.ones((len(expected), stop - start, n_x), np.float32)
        scores = np.zeros((len(expected), stop - start, n_x), np.float32)
        scores[:-1] = self.scores.at_rows(z, start, stop, along)
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
