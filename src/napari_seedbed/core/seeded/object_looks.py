"""What objects look like beside their surroundings, learnt from those that were kept.

References
----------
Fisher RA (1936). The use of multiple measurements in taxonomic problems. Annals of Eugenics 7(2),
179-188.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.seeded.linear_scores import LinearScores, Region, rows_of_planes
from napari_seedbed.core.seeded.voxel_features import VoxelFeatures
from napari_seedbed.core.threads import run_ranges, split

Floats = NDArray[np.float32]

MOST_VOXELS = 300
"""Of an object, and of its surroundings, that are looked at."""

LEAST_VOXELS = 10
SHRINKAGE = 0.1
"""Share of the mean variance that is added to all of them."""

SUREST = 6.0
"""Logarithm of the largest odds."""


@dataclass(frozen=True, eq=False)
class Sample:
    """What one object shows.

    Attributes
    ----------
    inside, around : (F, N), (F, M) ndarray of float32
        Features of voxels in it, and around it.
    extent : float
        The longest side of its bounding box, the finest voxel size being 1.
    """

    inside: Floats
    around: Floats
    extent: float


@dataclass(frozen=True, eq=False)
class ObjectLook:
    """Separates objects from what is around them by a line through their features.

    Attributes
    ----------
    features : VoxelFeatures
    coefficients : (F,) ndarray of float64
    intercept : float
        Of the logarithm of the odds.
    """

    features: VoxelFeatures
    coefficients: NDArray[np.float64]
    intercept: float

    @classmethod
    def of(cls, features: VoxelFeatures, samples: Sequence[Sample]) -> "ObjectLook | None":
        """Learn from samples; None where they hold too little."""
        inside, around = (
            np.concatenate([getattr(one, side) for one in samples], axis=1).astype(np.float64)
            for side in ("inside", "around")
        )
        if min(inside.shape[1], around.shape[1]) < LEAST_VOXELS:
            return None
        spread = (np.cov(inside) + np.cov(around)) / 2
        spread += np.eye(len(spread)) * max(SHRINKAGE * np.trace(spread) / len(spread), 1e-9)
        means = inside.mean(axis=1), around.mean(axis=1)
        coefficients = np.linalg.solve(spread, means[0] - means[1])
        return cls(features, coefficients, float(-coefficients @ (means[0] + means[1]) / 2))

    def weigh(
        self,
        region: Region,
        basin: NDArray[np.int32],
        expected: Floats,
        in_doubt: NDArray[np.bool_],
    ) -> Floats:
        """Return how much speaks for object and background, 1 where that does not matter."""
        found = np.ones((2, *basin.shape), np.float32)
        no_limit = np.full(len(self.coefficients), np.inf)
        scores = LinearScores.of(
            self.features,
            self.coefficients[np.newaxis],
            np.array([self.intercept]),
            -no_limit,
            no_limit,
            region,
        )
        tasks = rows_of_planes(*basin.shape)

        def work(first: int, last: int) -> None:
            for z, start, stop in tasks[first:last]:
                matters = in_doubt[basin[z, start:stop]]
                if not matters.any():
                    continue
                rows = (region[0].start + z, region[1].start + start, region[1].start + stop)
                (score,) = scores.at_rows(*rows, region[2])
                odds = np.exp(np.clip(score, -SUREST, SUREST))
                np.divide(odds, 1 + odds, out=found[0, z, start:stop], where=matters)
                np.divide(1, 1 + odds, out=found[1, z, start:stop], where=matters)

        run_ranges(work, split(len(tasks), len(tasks)))
        return found


def evenly(places: tuple[NDArray[np.intp], ...]) -> tuple[NDArray[np.intp], ...]:
    """At most so many of the places as are looked at, in equal steps."""
    count = len(places[0])
    if count <= MOST_VOXELS:
        return places
    kept = np.linspace(0, count - 1, MOST_VOXELS).astype(np.intp)
    return tuple(own[kept] for own in places)
