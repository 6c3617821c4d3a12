"""What seeds ask of an image: who they are, which walks they need, and what a solution leaves."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from napari_seedbed.core.progress import check_stop, unwatched
from napari_seedbed.core.seeded.basin_graphs import BasinGraph
from napari_seedbed.core.seeded.evidence import Region
from napari_seedbed.core.seeded.field_kernels import give_away_islands
from napari_seedbed.core.seeded.graph_walks import walk_probabilities
from napari_seedbed.core.seeded.label_painting import LEAST, Painter, reaches
from napari_seedbed.core.seeded.voxel_walks import TOLERANCE, VoxelPlaces, VoxelWalker
from napari_seedbed.core.slabs import Slab, in_slabs

Floats = NDArray[np.float32]

FLAT = 20.0
"""A volume is a slab from this ratio of its longest to its shortest side on."""


@dataclass(frozen=True, eq=False)
class PlacedSeeds:
    """Seeds, and where they are.

    Attributes
    ----------
    values : tuple of int
        The labels there are, ascending.
    places : tuple of three (S,) ndarray
    numbers : (S,) ndarray of int32
        Which of the values each seed has.
    is_background : (K,) ndarray of bool
    """

    values: tuple[int, ...]
    places: tuple[NDArray[np.intp], ...]
    numbers: NDArray[np.int32]
    is_background: NDArray[np.bool_]

    @property
    def class_of(self) -> NDArray[np.intp]:
        """Class of each label: objects and background where both are marked, else each its own."""
        if self.are_pooled:
            return self.is_background.astype(np.intp)
        return np.arange(len(self.values))

    @property
    def class_names(self) -> tuple[bool, tuple[int, ...]]:
        """Whether labels are pooled, and which are background then, else all: what classes mean."""
        chosen = self.is_background if self.are_pooled else np.ones(len(self.values), np.bool_)
        return self.are_pooled, tuple(np.array(self.values)[chosen].tolist())

    @property
    def background(self) -> tuple[int, ...]:
        """The labels that are background."""
        return tuple(np.array(self.values)[self.is_background].tolist())

    @property
    def are_pooled(self) -> bool:
        """Whether objects and background are both marked."""
        return bool(self.is_background.any() and not self.is_background.all())

    @property
    def classes(self) -> NDArray[np.int32]:
        """Class of each seed."""
        return self.class_of[self.numbers].astype(np.int32)

    def where(self, steps: NDArray[np.float64]) -> NDArray[np.float64]:
        """Place of each seed (S, 3) in a volume with this voxel size."""
        return np.stack(self.places, axis=1) * steps

    @property
    def rest(self) -> int:
        """The label that gets what others leave: a background, or the one with most seeds."""
        sizes = np.bincount(self.numbers, minlength=len(self.values))
        return int(np.argmax(sizes + self.is_background * sizes.sum()))

    def flat(self, shape: Sequence[int]) -> NDArray[np.int64]:
        """Index of each seed in a volume of this shape."""
        return np.asarray(np.ravel_multi_index(self.places, tuple(shape)), np.int64)

    def chosen(self, kept: NDArray[np.bool_]) -> "PlacedSeeds":
        """Some of the seeds, and the labels that these have."""
        if kept.all():
            return self
        z, y, x = (axis[kept] for axis in self.places)
        used, numbers = np.unique(self.numbers[kept], return_inverse=True)
        values = tuple(self.values[number] for number in used.tolist())
        return PlacedSeeds(values, (z, y, x), numbers.astype(np.int32), self.is_background[used])

    def are_in(self, others: "PlacedSeeds") -> NDArray[np.bool_]:
        """Which seeds are among others, with the same label."""
        own, known = (s._marks() for s in (self, others))
        return np.isin(own, known)

    def _marks(self) -> NDArray[Any]:
        """Place and label of each seed as one thing to compare."""
        names = np.array(self.values, np.int64)[self.numbers]
        every = np.stack([*self.places, names], axis=1).astype(np.int64)
        return np.ascontiguousarray(every).view([("", np.int64)] * 4).reshape(-1)


@dataclass(frozen=True, eq=False)
class Seeds(PlacedSeeds):
    """The seeds of one solve.

    Attributes
    ----------
    labels : (M, N[, P]) ndarray of int
        The same as a volume.
    """

    labels: NDArray[np.integer]


@dataclass(frozen=True, eq=False)
class BasinWalks:
    """Walks from basin to basin.

    Attributes
    ----------
    base : BasinGraph
        The basins of the image.
    nodes : BasinGraph
        Those, split where they hold seeds of several labels.
    holds : (N,) ndarray of int32
        Label of each node's seeds.
    weights : (N, N) csr_array
    """

    base: BasinGraph
    nodes: BasinGraph
    holds: NDArray[np.int32]
    weights: csr_array

    def walk(
        self, seeds: Seeds, start: Floats | None = None, changed: set[int] | None = None
    ) -> Floats:
        """Return how probable each label is at each node (K, N), see `walk_probabilities`."""
        return walk_probabilities(
            self.weights,
            self.holds,
            len(seeds.values),
            seeds.rest,
            is_flat=is_flat(self.base.basin.shape, self.base.areas),
            start=start,
            changed=changed,
        )


def is_flat(shape: tuple[int, ...], areas: Floats) -> bool:
    """Whether a volume is a picture, or a slab that is as good as one.

    Parameters
    ----------
    shape : tuple of three int
    areas : (3,) ndarray
        Of a voxel's faces perpendicular to each axis.
    """
    # An area is the product of the other sides of a voxel.
    lengths = shape / areas
    return bool(lengths.max() >= FLAT * lengths.min())


@dataclass(frozen=True, eq=False)
class VoxelWalks:
    """Walks from voxel to voxel."""

    walker: VoxelWalker
    nodes: VoxelPlaces

    def walk(self, seeds: Seeds) -> Floats:
        """Return how probable each label is at each voxel (K, N)."""
        with unwatched():
            self.walker.solve(seeds.labels, TOLERANCE, warm=False)
        return self.walker.find_probabilities().reshape(len(seeds.values), -1)


@dataclass(frozen=True, eq=False)
class Solution:
    """What a solve leaves behind: for what is asked of it later, and for the next first look.

    Attributes
    ----------
    problem : BasinWalks or VoxelWalks
    painter : Painter
    seeds : Seeds
    labels : (Z, Y, X) ndarray of int
    """

    problem: BasinWalks | VoxelWalks
    painter: Painter
    seeds: Seeds
    labels: NDArray[np.integer]

    def serves(self, problem: BasinWalks, seeds: Seeds) -> bool:
        """Whether a first look at new seeds can begin with it."""
        same_basins = isinstance(self.problem, BasinWalks) and self.problem.base is problem.base
        same_type = self.seeds.labels.dtype == seeds.labels.dtype
        return same_basins and same_type and self.seeds.class_names == seeds.class_names

    def guess(self, problem: BasinWalks, seeds: Seeds) -> tuple[Floats, set[int]]:
        """Walks to begin with, and the labels whose seeds are others now."""
        base, values = problem.base, seeds.values
        start = np.zeros((len(values), problem.nodes.count), np.float32)
        old = {value: number for number, value in enumerate(self.seeds.values)}
        for number, value in enumerate(values):
            if value in old:
                start[number, : base.count] = self.painter.walks[old[value], : base.count]
        _, touched = self._other_seeds(seeds, base.basin.shape)
        changed = set(touched.tolist())
        return start, {number for number, value in enumerate(values) if value in changed}

    def region_of_change(
        self, problem: BasinWalks, seeds: Seeds, before: Floats, after: Floats
    ) -> Region | None:
        """Where labels may be others after new walks; None where they are nowhere.

        Parameters
        ----------
        problem, seeds :
            The new ones.
        before, after : (K, N) ndarray of float32
            Walks of the last seeds as they were taken for a guess, and those of the new ones.
        """
        base, shape = problem.base, problem.base.basin.shape
        changed = (np.abs(after - before) > LEAST).any(axis=0)[: base.count]
        places, _ = self._other_seeds(seeds, shape)
        holds = base.basin.reshape(-1)[places]
        changed[holds[holds >= 0]] = True
        first, second = base.pair.T
        near = changed.copy()
        near[second[changed[first]]] = near[first[changed[second]]] = True
        if not near.any():
            return None
        low, high = base.low[near].min(axis=0), base.high[near].max(axis=0)
        reach = reaches(self.painter.steps, shape)
        z, y, x = (
            slice(max(int(a) - r, 0), min(int(b) + r, n))
            for a, b, r, n in zip(low, high, reach, shape, strict=True)
        )
        return z, y, x

    def _other_seeds(
        self, seeds: Seeds, shape: tuple[int, ...]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Flat indices of voxels where seeds came, went or changed, and the labels of these."""
        names = np.union1d(self.seeds.values, seeds.values)
        before, after = (
            np.ravel_multi_index(s.places, shape) * len(names)
            + np.searchsorted(names, s.values)[s.numbers]
            for s in (self.seeds, seeds)
        )
        places, labels = np.divmod(np.setxor1d(before, after), len(names))
        return places, names[labels]

    def probabilities(self) -> Floats:
        """Probability of each label at each voxel (K, Z, Y, X); 0 where no seed reaches.

        Where the labels of the result are not the most probable, as on islands that were given to
        the background, they change places with what is.
        """
        painting = self.painter.paint(None, each=True)
        each = painting.each
        assert each is not None
        nowhere = painting.winner < 0
        for number in range(len(each)):
            check_stop()
            each[number][nowhere] = 0
            each[number][self.seeds.places] = self.seeds.numbers == number

        def normalise(slab: Slab) -> None:
            part = each[(slice(None), *slab)]
            total = part.sum(axis=0)
            part /= np.where(total > 0, total, 1)
            own = np.searchsorted(self.seeds.values, self.labels[slab].astype(np.int64, copy=False))
            top = part.argmax(axis=0)
            others = np.nonzero((own != top) & (total > 0) & (self.labels[slab] > 0))
            here, there = (own[others], *others), (top[others], *others)
            part[here], part[there] = part[there], part[here]

        in_slabs(normalise, painting.winner.shape)
        return each

    def doubt(self) -> tuple[Floats, NDArray[np.integer]]:
        """Normalised entropy of these probabilities, and which label would be next (Z, Y, X)."""
        found = self.painter.paint(None, entropy=True)
        total, information, second = found.total, found.information, found.second
        assert total is not None
        assert information is not None
        assert second is not None
        entropy = np.zeros(total.shape, np.float32)
        # The last one is for -1.
        names: NDArray[np.integer] = np.array([*self.seeds.values, 0], self.labels.dtype)
        following = np.zeros_like(self.labels)

        def measure(slab: Slab) -> None:
            known = (total[slab] > 0) & (found.winner[slab] >= 0)
            part = total[slab][known]
            entropy[slab][known] = np.log(part) - information[slab][known] / part
            # What was given to the background had won before.
            won = names[found.winner[slab]]
            following[slab] = np.where(won == self.labels[slab], names[second[slab]], won)

        in_slabs(measure, total.shape)
        entropy /= np.float32(np.log(len(self.seeds.values)))
        entropy[self.seeds.places] = 0
        following[self.seeds.places] = 0
        return np.clip(entropy, 0, 1, out=entropy), following


def drop_islands(winner: NDArray[np.int32], seeds: Seeds) -> None:
    """Give to the background what looks like an object and hangs together with none's seeds.

    It is an object that nobody marked.
    """
    of_objects = ~seeds.is_background[seeds.numbers]
    starts = np.ravel_multi_index(tuple(p[of_objects] for p in seeds.places), winner.shape)
    winner[seeds.places] = seeds.numbers
    give_away_islands(winner, ~seeds.is_background, starts, seeds.rest)
