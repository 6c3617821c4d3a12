"""Basins of an image's slopes, and the graph of their common faces.

A volume has millions of voxels and some ten thousand basins: on their graph a walk for any number
of labels is quickly solved, and noise is averaged over whole faces.

References
----------
Vincent L, Soille P (1991). Watersheds in digital spaces: an efficient algorithm based on immersion
simulations. IEEE Trans. PAMI 13(6), 583-598.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array

from napari_seedbed.core.progress import check_stop
from napari_seedbed.core.seeded import field_kernels
from napari_seedbed.core.threads import run_ranges, split

Floats = NDArray[np.float32]

STEEPNESS = 3.0
POWER = 4.0
FLOOR = 1e-6
"""A face of area a and mean energy e conducts ``a * max((1 + STEEPNESS e)^-POWER, FLOOR)``."""

_ROWS_PER_TASK = 512
_SAMPLED = 8
_BASINS_PER_TASK = 4096
_FEW = 8
"""Up to this part of all basins it is quicker to look each up."""


@dataclass(frozen=True, eq=False)
class Faces:
    """Faces between basins.

    Attributes
    ----------
    pair : (M, 2) ndarray of int32
        Basins that touch, the lower number first; each two once.
    area, cost : (M,) ndarray of float32
        Area of the common face; the sum of area times energy.
    """

    pair: NDArray[np.int32]
    area: Floats
    cost: Floats


@dataclass(frozen=True, eq=False)
class FaceGraph:
    """Basins, wherever their voxels are, and what lies between them.

    Attributes
    ----------
    areas : (3,) ndarray of float32
        Area of a voxel's face perpendicular to each axis.
    low, high : (N, 3) ndarray of int32
        Bounding box of each basin.
    pair : (M, 2) ndarray of int32
        Basins that touch, the lower number first.
    area, cost : (M,) ndarray of float32
        Area of the common face; the sum of area times energy.
    """

    areas: Floats
    low: NDArray[np.int32]
    high: NDArray[np.int32]
    pair: NDArray[np.int32]
    area: Floats
    cost: Floats
    _indexed: tuple[NDArray[np.intp], NDArray[np.int32]] | None = field(
        init=False, default=None, kw_only=True
    )

    @property
    def count(self) -> int:
        """Number of basins."""
        return len(self.low)

    def boxes(self, wanted: NDArray[np.bool_]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Low and high ends (M, 3) of boxes that hold the wanted basins."""
        return self.low[wanted], self.high[wanted]

    def index_faces(self) -> None:
        """Let `faces_at` be quick for few basins; worth it where it is asked often."""
        ends = self.pair.T.reshape(-1)
        begin = np.append(0, np.cumsum(np.bincount(ends, minlength=self.count)))
        faces = np.argsort(ends, kind="stable") % max(len(self.pair), 1)
        object.__setattr__(self, "_indexed", (begin, faces.astype(np.int32)))

    def faces_at(self, basins: NDArray[np.intp]) -> NDArray[np.intp]:
        """Which faces, rising, some basins have, each of which is named once."""
        if self._indexed is None or len(basins) > self.count // _FEW:
            is_wanted = np.zeros(self.count, np.bool_)
            is_wanted[basins] = True
            return np.flatnonzero(is_wanted[self.pair].any(axis=1))
        begin, faces = self._indexed
        counts = begin[basins + 1] - begin[basins]
        each = np.repeat(begin[basins] - np.cumsum(counts) + counts, counts)
        return np.unique(faces[each + np.arange(len(each))])

    def weights(self) -> csr_array:
        """How well each face conducts, as a symmetric matrix (N, N)."""
        energy = self.cost.astype(np.float64) / self.area
        conducts = self.area * np.maximum((1 + STEEPNESS * energy) ** -POWER, FLOOR)
        first, second = self.pair[:, 0], self.pair[:, 1]
        matrix = coo_array(
            (
                np.concatenate([conducts, conducts]),
                (np.concatenate([first, second]), np.concatenate([second, first])),
            ),
            shape=(self.count, self.count),
        ).tocsr()
        matrix.sort_indices()
        return matrix


@dataclass(frozen=True, eq=False)
class BasinGraph(FaceGraph):
    """The same with the voxels.

    Attributes
    ----------
    basin : (Z, Y, X) ndarray of int32
        Number of each voxel's basin, -1 outside.
    energy : (Z, Y, X) ndarray of float32
        Squared slope, in units of its mean.
    """

    basin: NDArray[np.int32]
    energy: Floats


@dataclass(frozen=True, eq=False)
class Basins:
    """Which basin each voxel belongs to.

    Attributes
    ----------
    basin : (Z, Y, X) ndarray of int32
        Numbers from 0; -1 outside.
    count : int
    """

    basin: NDArray[np.int32]
    count: int


def cut_basins(
    height: Floats, outside: NDArray[np.bool_] | None = None, *, most: int | None = None
) -> Basins | None:
    """Cut a volume into the basins of a landscape; None where there would be more than `most`.

    Parameters
    ----------
    height : (Z, Y, X) ndarray of float32
        From each voxel the way leads to the lowest of its neighbours, until none is lower.
    outside : (Z, Y, X) ndarray of bool, optional
        Voxels that belong to no basin.
    most : int, optional
        How many basins are wanted at the most.
    """
    shape = height.shape
    mask = np.zeros(shape, np.bool_) if outside is None else outside
    downhill = np.empty(height.size, np.int32)
    rows = split(shape[0] * shape[1], 1 + shape[0] * shape[1] // _ROWS_PER_TASK)
    counts = [0] * len(rows)

    def point(nth: int, end: int) -> None:
        for part in range(nth, end):
            counts[part] = field_kernels.point_downhill(*rows[part], height, mask, downhill)

    # A sample shows at once where there are far too many.
    sample = range(0, len(rows), _SAMPLED)
    run_ranges(point, [(part, part + 1) for part in sample])
    if most is not None and sum(counts) * len(rows) > 2 * most * len(sample):
        return None
    others = [(part, part + 1) for part in range(len(rows)) if part not in sample]
    if others:
        run_ranges(point, others)
    if most is not None and sum(counts) > most:
        return None
    field_kernels.number_basins(downhill)
    return Basins(downhill.reshape(shape), sum(counts))


def basin_graph(basins: Basins, energy: Floats, spacing: Sequence[float]) -> BasinGraph:
    """Measure the faces between basins.

    Parameters
    ----------
    basins : Basins
    energy : (Z, Y, X) ndarray of float32
        What faces are measured by.
    spacing : sequence of float
        Voxel size along z, y, x.
    """
    basin, count = basins.basin, basins.count
    low, high = bounds(basin, count)
    check_stop()
    areas = face_areas(spacing)
    faces = faces_between(basin, count, energy, areas)
    return BasinGraph(areas, low, high, faces.pair, faces.area, faces.cost, basin, energy)


def bounds(basin: NDArray[np.int32], count: int) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Return the bounding boxes of basins: low (N, 3) inclusive, high (N, 3) exclusive."""
    low = np.full((count, 3), np.iinfo(np.int32).max, np.int32)
    high = np.zeros((count, 3), np.int32)
    field_kernels.bound_basins(basin, low, high)
    return low, high


def face_areas(spacing: Sequence[float]) -> Floats:
    """Return the areas (3,) of a voxel's faces perpendicular to z, y, x."""
    step = np.asarray(spacing, np.float64)
    return (step.prod() / step).astype(np.float32)


def faces_between(
    basin: NDArray[np.int32],
    count: int,
    energy: Floats,
    areas: Floats,
    counted: Sequence[int] | None = None,
) -> Faces:
    """Measure the faces between the basins of a volume, or of a part of one.

    Parameters
    ----------
    basin : (Z, Y, X) ndarray of int32
    count : int
        How many basins there are.
    energy : (Z, Y, X) ndarray of float32
    areas : (3,) ndarray of float32
    counted : sequence of three int, optional
        As many voxels along each axis have faces upwards that count; all by default.
    """
    begin = np.zeros(count + 1, np.int64)
    own = np.array(basin.shape if counted is None else counted, np.int64)
    field_kernels.count_faces(basin, own, begin[1:])
    np.cumsum(begin, out=begin)
    total = int(begin[-1])
    second = np.empty(total, np.int32)
    area, cost = np.empty(total, np.float32), np.empty(total, np.float32)
    check_stop()
    field_kernels.list_faces(basin, energy, areas, own, begin[:-1].copy(), second, area, cost)
    joined = np.empty(count, np.int32)
    run_ranges(
        field_kernels.join_faces,
        split(count, 1 + count // _BASINS_PER_TASK),
        begin, second, area, cost, joined,
    )  # fmt: skip
    first = np.repeat(np.arange(count, dtype=np.int32), joined)
    kept = np.repeat(begin[:-1] - np.cumsum(joined) + joined, joined) + np.arange(len(first))
    return Faces(np.stack([first, second[kept]], axis=1), area[kept], cost[kept])


def joined_faces(parts: Sequence[Faces], count: int) -> Faces:
    """Join the faces between the same two of so many basins."""
    pair = np.concatenate([np.empty((0, 2), np.int32), *(part.pair for part in parts)])
    low, high = pair.min(axis=1, initial=count), pair.max(axis=1, initial=-1)
    keys, place = np.unique(low.astype(np.int64) * count + high, return_inverse=True)
    sums: list[NDArray[Any]] = [
        np.bincount(place, np.concatenate([np.empty(0), *values]), len(keys)).astype(np.float32)
        for values in ([part.area for part in parts], [part.cost for part in parts])
    ]
    joined = np.stack(np.divmod(keys, count), axis=1).astype(np.int32)
    return Faces(joined, sums[0], sums[1])
