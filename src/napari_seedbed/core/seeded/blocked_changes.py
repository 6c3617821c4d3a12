"""What a solve in blocks leaves behind, and what the next one changes of it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.seeded.appearance import Appearance
from napari_seedbed.core.seeded.basin_graphs import FaceGraph
from napari_seedbed.core.seeded.blocked_islands import ConnectedParts
from napari_seedbed.core.seeded.blocked_labels import BlockedLabels
from napari_seedbed.core.seeded.lessons import Lesson
from napari_seedbed.core.seeded.seed_problems import PlacedSeeds

Floats = NDArray[np.float32]

CHANGED = 0.02
"""Basins whose walks became so much more or less probable are painted again after a stroke."""

KNOWN = 0.8
"""New strokes that are predicted with this probability teach nothing new about how things look."""


@dataclass(frozen=True, eq=False)
class Solved:
    """What a solve leaves behind for the next one.

    Attributes
    ----------
    seeds : PlacedSeeds
    holds : (S,) ndarray of int64
        The basin of each.
    walks : (K, N) ndarray of float32
        As each basin was last painted.
    appearance : Appearance or None
    lesson : Lesson or None
    parts : list of ConnectedParts
        Of each block.
    labels : BlockedLabels
    """

    seeds: PlacedSeeds
    holds: NDArray[np.int64]
    walks: Floats
    appearance: Appearance | None
    lesson: Lesson | None
    parts: list[ConnectedParts]
    labels: BlockedLabels

    def is_known(self, seeds: PlacedSeeds, values: Floats) -> bool:
        """Whether the last appearance predicts the new seeds."""
        if self.appearance is None or self.seeds.class_names[0] != seeds.class_names[0]:
            return False
        if not seeds.are_pooled and self.seeds.values != seeds.values:
            return False
        new = ~seeds.are_in(self.seeds)
        if not new.any():
            return True
        found = self.appearance.probabilities(np.ascontiguousarray(values[:, new]))
        classes = seeds.classes[new]
        return bool(found[classes, np.arange(len(classes))].mean() >= KNOWN)

    def renamed_walks(self, seeds: PlacedSeeds) -> Floats:
        """Walks as basins were painted, a row for each label that there is now."""
        found = np.zeros((len(seeds.values), self.walks.shape[1]), np.float32)
        rows = {value: number for number, value in enumerate(self.seeds.values)}
        for number, value in enumerate(seeds.values):
            if value in rows:
                found[number] = self.walks[rows[value]]
        return found

    def guess(self, seeds: PlacedSeeds, n_nodes: int) -> tuple[Floats, set[int]]:
        """Walks to begin with, and the labels whose seeds are others now."""
        start = np.zeros((len(seeds.values), n_nodes), np.float32)
        start[:, : self.walks.shape[1]] = self.renamed_walks(seeds)
        changed = set(seeds.numbers[~seeds.are_in(self.seeds)].tolist())
        gone = self.seeds.numbers[~self.seeds.are_in(seeds)]
        names = {self.seeds.values[number] for number in np.unique(gone).tolist()}
        return start, changed | {n for n, value in enumerate(seeds.values) if value in names}

    def changed_basins(
        self, seeds: PlacedSeeds, walks: Floats, holds: NDArray[np.int64], graph: FaceGraph
    ) -> NDArray[np.bool_]:
        """Which basins, or neighbours of theirs, are others than they were painted."""
        count = graph.count
        changed = np.zeros(count, np.bool_)
        before = self.renamed_walks(seeds)
        for own, old in zip(walks[:, :count], before, strict=True):
            changed |= np.abs(own - old) > CHANGED
        for number, value in enumerate(self.seeds.values):
            if value not in seeds.values:
                changed |= self.walks[number] > CHANGED
        changed[holds[~seeds.are_in(self.seeds)]] = True
        changed[self.holds[~self.seeds.are_in(seeds)]] = True
        first, second = graph.pair.T
        near = changed.copy()
        near[second[changed[first]]] = near[first[changed[second]]] = True
        return near
