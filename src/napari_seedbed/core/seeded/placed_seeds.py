"""Seeds that are given as places, and what is remembered of them between solves."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.seeded.linear_scores import Region
from napari_seedbed.core.seeded.seed_problems import PlacedSeeds
from napari_seedbed.core.seeded.stored_volumes import BlockGrid, Readable, RunsTasks, StoredVolume
from napari_seedbed.core.seeded.volume_statistics import VolumeStatistics
from napari_seedbed.core.seeded.window_features import SEEDS_TOGETHER, features_at
from napari_seedbed.core.validation import check_small_labels
from napari_seedbed.errors import InputError

Floats = NDArray[np.float32]


def place_seeds(
    places: NDArray[np.integer],
    labels: NDArray[np.integer],
    background: Sequence[int],
    shape: Sequence[int],
    ndim: int,
) -> PlacedSeeds:
    """Return seeds in the order of their voxels; of one that is named twice the last counts.

    Parameters
    ----------
    places : (S, 2 or 3) ndarray of int
    labels : (S,) ndarray of int
        From 1.
    background : sequence of int
    shape : sequence of three int
        Of the volume, Z being 1 in 2D.
    ndim : int
        2 or 3.

    Raises
    ------
    InputError
        If there are less than two labels, or seeds lie outside the volume.
    """
    given = check_small_labels(labels, name="labels")
    where = np.asarray(places)
    if where.shape != (len(given), ndim) or where.dtype.kind not in "iu":
        raise InputError(
            f"places have the shape {where.shape} and the type {where.dtype}; they must be whole "
            f"numbers, {ndim} for each of the {len(given)} labels."
        )
    where = np.concatenate([np.zeros((len(given), 3 - ndim), np.int64), where], axis=1)
    if len(given) and ((where < 0).any() or (where >= shape).any()):
        raise InputError(
            f"places: some lie outside of the image, whose shape is {tuple(shape[3 - ndim :])}."
        )
    if (given <= 0).any():
        raise InputError("labels: those of seeds must be 1 or more.")
    flat = np.ravel_multi_index(tuple(where.T.astype(np.int64)), tuple(shape))
    kept, from_end = np.unique(flat[::-1], return_index=True)
    given = given[::-1][from_end]
    values = tuple(int(value) for value in np.unique(given))
    if len(values) < 2:
        raise InputError(
            "labels hold no seeds; mark at least two labels."
            if not values
            else f"labels hold only one label ({values[0]}); mark something else too, for example "
            "the background."
        )
    z, y, x = np.unravel_index(kept, tuple(shape))
    return PlacedSeeds(
        values,
        (z, y, x),
        np.searchsorted(values, given).astype(np.int32),
        np.isin(values, list(background)),
    )


class SeedMemory:
    """Remembers the basin and the features of each voxel that was ever marked.

    Parameters
    ----------
    volume : StoredVolume
    statistics : VolumeStatistics
    basins : (Z, Y, X) Readable of int32
    run : RunsTasks
    """

    def __init__(
        self,
        volume: StoredVolume,
        statistics: VolumeStatistics,
        basins: Readable,
        run: RunsTasks,
    ) -> None:
        self._volume, self._statistics = volume, statistics
        self._basins, self._run = basins, run
        n_features = sum(len(units) for units in statistics.units)
        self._known = np.empty(0, np.int64)
        self._holds = np.empty(0, np.int64)
        self._values = np.empty((n_features, 0), np.float32)

    def described(self, seeds: PlacedSeeds) -> tuple[PlacedSeeds, Floats, NDArray[np.int64]]:
        """Return seeds that lie in a basin, their features (F, S) and their basins (S,)."""
        flat = seeds.flat(self._volume.shape)
        new = np.setdiff1d(flat, self._known)
        if len(new):
            z, y, x = np.unravel_index(new, self._volume.shape)
            values = features_at((z, y, x), self._volume, self._statistics, self._run)
            holds = self._basins_at((z, y, x))
            every = np.concatenate([self._known, new])
            order = np.argsort(every, kind="stable")
            self._known = every[order]
            self._holds = np.concatenate([self._holds, holds])[order]
            self._values = np.concatenate([self._values, values], axis=1)[:, order]
        at = np.searchsorted(self._known, flat)
        holds = self._holds[at]
        inside = holds >= 0
        return seeds.chosen(inside), self._values[:, at[inside]], holds[inside]

    def _basins_at(self, places: Sequence[NDArray[np.integer]]) -> NDArray[np.int64]:
        """The basin of each of these voxels."""
        side = SEEDS_TOGETHER
        grid = BlockGrid(self._volume.shape, (side, side, side))
        numbers = grid.numbers_at(places)
        order = np.argsort(numbers, kind="stable")
        groups = np.split(order, np.flatnonzero(np.diff(numbers[order])) + 1)
        tasks = [[axis[group] for axis in places] for group in groups]
        found = np.empty(len(numbers), np.int64)
        for group, own in zip(groups, self._run(basins_together, tasks, self._basins), strict=True):
            found[group] = own
        return found


def basins_together(places: Sequence[NDArray[Any]], basins: Readable) -> NDArray[np.int32]:
    """Return the basins of voxels that are near each other, three arrays (S,)."""
    region: Region
    z, y, x = (slice(int(axis.min()), int(axis.max()) + 1) for axis in places)
    region = (z, y, x)
    window = np.asarray(basins[region])
    found: NDArray[np.int32] = window[
        tuple(axis - part.start for axis, part in zip(places, region, strict=True))
    ]
    return found
